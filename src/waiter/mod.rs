//! One parked operation: Go's `sudog`.
//!
//! A waiter lives inside the pinned future (or the boxed operation of a stream) that waits, and is linked into a queue of its
//! channel while it is parked. A [`Waiter`] is a [`Header`], which the type-erased core knows, followed by a slot for the message; an
//! operation without a message is a bare header. The state says which code may touch the contents (the wake target, the sequence number and the
//! slot), and which of them are there:
//!
//! | state      | linked | contents belong to                | a send's message | a receive's message | wake target |
//! |------------|--------|-----------------------------------|------------------|---------------------|-------------|
//! | `Idle`     | no     | the owner                         | in the slot      | –                   | –           |
//! | `Parked`   | yes    | the holder of the receivers' lock | in the slot      | –                   | yes         |
//! | `Done`     | no     | the owner                         | –                | in the slot         | –           |
//! | `Closed`   | no     | the owner                         | in the slot      | –                   | –           |
//! | `Finished` | no     | the owner                         | –                | –                   | –           |
//!
//! The owner is the code that has the future pinned and mutably borrowed. The owner parks and unparks the waiter, under the lock, and
//! finishes it. A peer completes it, under the lock, as `Done` or `Closed`, or unparks it: that is an arm of a select that the
//! peer cannot commit.

mod claim;
mod list;
mod queue;

pub(crate) use claim::Claim;
pub(crate) use list::List;
pub(crate) use queue::{dequeue, dequeue_first, dequeue_if};

use core::{
    alloc::Layout,
    cell::Cell,
    marker::{PhantomData, PhantomPinned},
    mem::{ManuallyDrop, MaybeUninit, offset_of},
    ops::Deref,
    pin::Pin,
    ptr::{self, NonNull},
    task::Waker,
};

use crate::{
    probe::{Site, Tag, WakeTag},
    slot::{Message, RawSlot, Slot, SlotIn},
    sync::{
        UnsafeCell,
        atomic::{AtomicU8, Ordering},
    },
    wake::Wake,
};
use list::Links;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum State {
    /// Has not parked yet, or has been unparked.
    Idle,
    Parked,
    /// Completed: the message of a send was taken, that of a receive was brought, a permit was given out.
    Done,
    /// Completed by the close of the channel.
    Closed,
    /// Over; its future has returned `Ready`.
    Finished,
}

/// How far its owner has come. Nobody else looks at it.
// codegen: so the state of an operation that never parks is no atomic, and the compiler knows it: it leaves out what is for those that
// have parked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    /// It is `Idle`.
    Idle,
    /// It has been parked, or done by its owner: see `shared`.
    Waiting,
    /// It is `Finished`.
    Finished,
}

impl Phase {
    #[inline(always)]
    fn of(state: State) -> Self {
        match state {
            State::Idle => Self::Idle,
            State::Parked | State::Done | State::Closed => Self::Waiting,
            State::Finished => Self::Finished,
        }
    }
}

/// What an operation waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Kind {
    /// To send its message. It parks in `sendq`.
    Send,
    /// To receive a message. It parks in `recvq`.
    Recv,
    /// For a permit. It parks in `sendq`.
    Reserve,
    /// For the channel to be closed. It parks in `closeq`.
    Closed,
    /// For the channel to be closed and empty. It parks in `drainq`.
    Drained,
}

impl Kind {
    fn has_slot(self) -> bool {
        matches!(self, Self::Send | Self::Recv)
    }
}

/// A waiter but for its slot.
#[repr(C)]
pub(crate) struct Header {
    links: Links,
    /// A [`State`], while the phase is `Waiting`: peers see and change it.
    shared: AtomicU8,
    /// What its owner alone knows.
    phase: Cell<Phase>,
    /// It never changes.
    // codegen: a cell hides that most numbers are no kind. So an `Option` of an operation is told by the reference to its channel,
    // which is in a register.
    kind: Cell<Kind>,
    /// What `inspect` knows of the operation.
    tag: Tag,
    contents: UnsafeCell<Contents>,
    /// Linked by address, so it must not move once pinned.
    _pinned: PhantomPinned,
}

/// Contents that most operations never use stay uninitialized until they are needed.
#[repr(C)]
struct Contents {
    target: MaybeUninit<WakeTarget>,
    /// The place of a received message among all that have left the channel.
    // codegen: it is there from the start, as with nothing undefined before a large message the compiler moves the message straight
    // to where its future is going to be, instead of by way of two other places.
    seq: u64,
}

/// Whom a peer wakes.
pub(crate) enum WakeTarget {
    /// The task or thread that waits for this operation.
    Task(Waker),
    /// The select that this operation is an arm of, after claiming it; alive while the waiter is linked.
    Select(NonNull<Claim>),
}

impl WakeTarget {
    pub(crate) fn into_waker(self) -> Option<Waker> {
        match self {
            Self::Task(waker) => Some(waker),
            Self::Select(_) => None,
        }
    }
}

// SAFETY: the links are pointers that only the holder of the receivers' lock follows. The waker goes from thread to thread, as it may;
// a select's claim is `Sync`. Each is reached by one thread at a time, by the table above.
unsafe impl Send for Header {}
// SAFETY: as above: shared access gives the contents to one thread at a time; the phase is the owner's, and the kind is only read.
unsafe impl Sync for Header {}

/// What the owner may do.
impl Header {
    #[inline(always)]
    pub(crate) fn new(kind: Kind, state: State, site: Site) -> Self {
        Self {
            links: Links::new(),
            shared: AtomicU8::new(state as u8),
            phase: Cell::new(Phase::of(state)),
            kind: Cell::new(kind),
            tag: Tag::new(site),
            contents: UnsafeCell::new(Contents {
                target: MaybeUninit::uninit(),
                seq: 0,
            }),
            _pinned: PhantomPinned,
        }
    }

    #[inline(always)]
    pub(crate) fn kind(&self) -> Kind {
        self.kind.get()
    }

    #[inline(always)]
    pub(crate) fn tag(&self) -> &Tag {
        &self.tag
    }

    /// The state. `Acquire` pairs with the `Release` in `change`, so that an owner that finds the waiter completed
    /// finds the contents as the peer left them.
    #[inline(always)]
    pub(crate) fn state(&self) -> State {
        match self.phase.get() {
            Phase::Idle => State::Idle,
            Phase::Finished => State::Finished,
            Phase::Waiting => match self.shared.load(Ordering::Acquire) {
                0 => State::Idle,
                1 => State::Parked,
                2 => State::Done,
                _ => State::Closed,
            },
        }
    }

    /// Whether the state is `Idle`, and no peer has made it so.
    #[inline(always)]
    pub(crate) fn is_fresh(&self) -> bool {
        self.phase.get() == Phase::Idle
    }

    #[inline(always)]
    pub(crate) fn is_finished(&self) -> bool {
        self.phase.get() == Phase::Finished
    }

    /// Whether it may be parked or completed.
    #[inline(always)]
    pub(crate) fn is_waiting(&self) -> bool {
        self.phase.get() == Phase::Waiting
    }

    /// Sets a state in which the contents stay with the owner, or, under the lock, go to its holder.
    ///
    /// Relaxed is enough: a thread that looks at a `Parked` waiter is its owner, or holds the lock under which that was set; the
    /// other states set here are the owner's notes to itself.
    #[inline(always)]
    pub(crate) fn set_state(&self, state: State) {
        self.tag.note(state);
        let phase = Phase::of(state);
        self.phase.set(phase);
        if phase == Phase::Waiting {
            self.shared.store(state as u8, Ordering::Relaxed);
        }
    }

    /// Puts the wake target in; the caller parks the waiter.
    ///
    /// # Safety
    ///
    /// The contents belong to the caller, and there is no target.
    pub(crate) unsafe fn put_target(&self, target: WakeTarget) {
        // SAFETY: ours, by the caller's promise.
        self.contents
            .with_mut(|contents| unsafe { _ = (*contents).target.write(target) });
    }

    /// Takes the wake target out; the caller unparks the waiter or puts another one in.
    ///
    /// # Safety
    ///
    /// The contents belong to the caller, and there is a target: the waiter is `Parked` and the lock held, or its owner has put it
    /// in and has not parked.
    #[inline(always)]
    pub(crate) unsafe fn take_target(&self) -> WakeTarget {
        // SAFETY: it is there and ours, by the caller's promise.
        self.contents
            .with_mut(|contents| unsafe { (*contents).target.assume_init_read() })
    }

    /// Whether the target is a waker of the same task.
    ///
    /// # Safety
    ///
    /// As for [`take_target`](Self::take_target).
    pub(crate) unsafe fn will_wake(&self, waker: &Waker) -> bool {
        // SAFETY: it is there and ours, by the caller's promise.
        self.contents.with_mut(
            |contents| match unsafe { (*contents).target.assume_init_ref() } {
                WakeTarget::Task(parked) => parked.will_wake(waker),
                WakeTarget::Select(_) => false,
            },
        )
    }

    /// The select that this is an arm of.
    ///
    /// # Safety
    ///
    /// As for [`take_target`](Self::take_target).
    pub(crate) unsafe fn select(&self) -> Option<NonNull<Claim>> {
        // SAFETY: it is there and ours, by the caller's promise.
        self.contents.with_mut(
            |contents| match unsafe { (*contents).target.assume_init_ref() } {
                WakeTarget::Task(_) => None,
                WakeTarget::Select(claim) => Some(*claim),
            },
        )
    }

    /// The sequence number of the message that a receive has got.
    ///
    /// # Safety
    ///
    /// The caller owns the waiter, which is or was `Done`.
    pub(crate) unsafe fn seq(&self) -> u64 {
        // SAFETY: it was written with the message, before `Done`; it is ours now, by the caller's promise.
        self.contents
            .with_mut(|contents| unsafe { (*contents).seq })
    }

    /// Notes the sequence number of the message that the owner of a receive has just taken.
    ///
    /// # Safety
    ///
    /// The caller owns the waiter, which is `Idle`.
    pub(crate) unsafe fn set_seq(&self, seq: u64) {
        // SAFETY: ours, by the caller's promise.
        self.contents
            .with_mut(|contents| unsafe { (*contents).seq = seq });
    }
}

/// A parked operation that has a message: to send, or to receive.
#[repr(C)]
pub(crate) struct Waiter<T> {
    header: Header,
    slot: Slot<T>,
}

// SAFETY: the header is `Send`. The message goes from thread to thread, hence `T: Send`; it is reached by one thread at a time,
// by the table above.
unsafe impl<T: Send> Send for Waiter<T> {}
// SAFETY: as above: shared access gives the contents to one thread at a time, so `T: Send` is enough.
unsafe impl<T: Send> Sync for Waiter<T> {}

impl<T> Deref for Waiter<T> {
    type Target = Header;

    #[inline(always)]
    fn deref(&self) -> &Header {
        &self.header
    }
}

/// What the owner may do.
impl<T> Waiter<T> {
    pub(crate) const SLOT: SlotIn = SlotIn {
        whole: Layout::new::<Self>(),
        offset: offset_of!(Self, slot),
    };

    /// A waiter with an empty slot.
    // codegen: made in its place. In a debug build each of the nested types would have a copy of the slot on the stack.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn new(kind: Kind, state: State, site: Site) -> Self {
        let mut waiter = MaybeUninit::<Self>::uninit();
        let place = waiter.as_mut_ptr();
        // SAFETY: the place is ours. The header is written before the waiter is read. An empty slot is valid whatever its bytes
        // are; only loom's cell has to be made.
        unsafe {
            (&raw mut (*place).header).write(Header::new(kind, state, site));
            #[cfg(hchan_loom)]
            (&raw mut (*place).slot).write(Slot::empty());
            place.read()
        }
    }

    /// An idle waiter with the message to send.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn sending(message: T, site: Site) -> Self {
        let waiter = Self::new(Kind::Send, State::Idle, site);
        // SAFETY: the slot is ours, and empty.
        unsafe { waiter.slot.put(message) };
        waiter
    }

    /// A finished waiter for a send, without a message.
    #[inline(always)]
    pub(crate) fn sending_nothing(site: Site) -> Self {
        Self::new(Kind::Send, State::Finished, site)
    }

    /// An idle waiter for a message to receive.
    #[inline(always)]
    pub(crate) fn receiving(site: Site) -> Self {
        Self::new(Kind::Recv, State::Idle, site)
    }

    /// Its slot, for the owner.
    #[inline(always)]
    pub(crate) fn slot(&self) -> &Slot<T> {
        &self.slot
    }

    /// Takes the message out of a send that is not parked, if it has not been sent, and finishes it.
    #[inline(always)]
    pub(crate) fn take_unsent(self: Pin<&Self>) -> Option<T> {
        debug_assert_ne!(self.state(), State::Parked);
        matches!(self.state(), State::Idle | State::Closed).then(|| self.unsent(|message| message))
    }

    /// Takes the message out of a send that is not parked and has not been sent, straight to where `make` wants it, and finishes it.
    #[inline(always)]
    pub(crate) fn unsent<R>(self: Pin<&Self>, make: impl FnOnce(T) -> R) -> R {
        assert!(
            matches!(self.state(), State::Idle | State::Closed),
            "a send that did not happen has its message"
        );
        self.set_state(State::Finished);
        // SAFETY: the code that has the pinned waiter of an operation owns it, and its message is there in these states.
        unsafe { self.slot.take_with(make) }
    }
}

/// A pinned waiter without its message type, for its owner and for peers while it is linked.
///
/// It points at the header, and may reach the whole waiter.
#[derive(Clone, Copy)]
pub(crate) struct WaiterRef<'w> {
    header: NonNull<Header>,
    lives: PhantomData<&'w Header>,
}

impl<'w> WaiterRef<'w> {
    /// A waiter with a slot.
    #[inline(always)]
    pub(crate) fn new<T>(waiter: Pin<&'w Waiter<T>>) -> Self {
        Self {
            // From the whole waiter, as a pointer made from a reference to the header would not reach the slot behind it.
            header: NonNull::from(waiter.get_ref()).cast(),
            lives: PhantomData,
        }
    }

    /// A waiter without a slot.
    pub(crate) fn bare(header: Pin<&'w Header>) -> Self {
        debug_assert!(!header.kind().has_slot());
        Self {
            header: NonNull::from(header.get_ref()),
            lives: PhantomData,
        }
    }

    /// A waiter that was in a list.
    ///
    /// # Safety
    ///
    /// The waiter is alive as long as this is used, and `header` is the pointer that the list had.
    unsafe fn linked(header: NonNull<Header>) -> Self {
        Self {
            header,
            lives: PhantomData,
        }
    }

    #[inline(always)]
    fn pointer(self) -> NonNull<Header> {
        self.header
    }

    /// Its slot.
    ///
    /// # Safety
    ///
    /// `message` is the type of its channel (10), and it is the waiter of a send or a receive.
    #[inline(always)]
    pub(crate) unsafe fn slot(self, message: &Message) -> RawSlot {
        // SAFETY: the caller's promise.
        unsafe { slot_of(self.header, message) }
    }
}

impl Deref for WaiterRef<'_> {
    type Target = Header;

    #[inline(always)]
    fn deref(&self) -> &Header {
        // SAFETY: it is borrowed.
        unsafe { self.header.as_ref() }
    }
}

/// # Safety
///
/// The waiter is alive and of a send or a receive of the message type; the pointer reaches the whole waiter.
#[inline(always)]
unsafe fn slot_of(header: NonNull<Header>, message: &Message) -> RawSlot {
    // SAFETY: the slot of a waiter of this message type stands there (10).
    unsafe {
        debug_assert!(header.as_ref().kind().has_slot(), "it has a slot");
        RawSlot::new(header.byte_add(message.slot_in_waiter).cast())
    }
}

/// A waiter that a peer has just taken out of its queue and committed to, to be completed in the same critical section.
///
/// It is alive, `Parked` and the peer's alone until it is completed: then it is its owner's, which may free it at once, so every
/// method that completes it takes it by value and stores the state last. One that is dropped is unparked, so that its owner
/// does not take itself for linked.
#[must_use = "its owner waits to be completed"]
pub(crate) struct Claimed {
    waiter: NonNull<Header>,
    waker: Waker,
}

impl Claimed {
    /// Commits the caller to the operation. `None` if that cannot be, because it is the arm of a select that has been committed
    /// elsewhere or is awake: then the waiter is unparked, and its owner's.
    ///
    /// # Safety
    ///
    /// The caller holds the receivers' lock and has just unlinked the waiter, which is still `Parked`. `waiter` is not used again.
    #[inline(always)]
    pub(crate) unsafe fn new(waiter: NonNull<Header>) -> Option<Self> {
        // SAFETY: a parked waiter has a target, and is ours until its state changes. A select unlinks all its arms before
        // it goes, so its claim is alive while this waiter is still `Parked`.
        unsafe {
            let waker = match waiter.as_ref().take_target() {
                WakeTarget::Task(waker) => waker,
                WakeTarget::Select(claim) => match claim.as_ref().try_claim() {
                    Some(waker) => waker,
                    None => {
                        change(waiter, State::Idle);
                        return None;
                    }
                },
            };
            Some(Self { waiter, waker })
        }
    }

    #[inline(always)]
    pub(crate) fn kind(&self) -> Kind {
        // SAFETY: alive until it is completed.
        unsafe { self.waiter.as_ref().kind() }
    }

    /// Moves a message into a receive's slot and completes the receive.
    ///
    /// # Safety
    ///
    /// It is a receive on a channel of this message type. A message is in `from`, which is the caller's; it is empty then.
    #[inline(always)]
    pub(crate) unsafe fn fill(self, message: &Message, from: RawSlot, seq: u64) -> Wake {
        debug_assert_eq!(self.kind(), Kind::Recv);
        // SAFETY: the waiter is ours until it is completed, and its slot is empty.
        unsafe {
            self.waiter
                .as_ref()
                .contents
                .with_mut(|contents| (*contents).seq = seq);
            message.relocate(from, slot_of(self.waiter, message));
        }
        self.complete(State::Done)
    }

    /// Moves the message out of a send's slot and completes the send.
    ///
    /// # Safety
    ///
    /// It is a send on a channel of this message type. `to` is empty and the caller's; the message is in it then.
    #[inline(always)]
    pub(crate) unsafe fn drain(self, message: &Message, to: RawSlot) -> Wake {
        debug_assert_eq!(self.kind(), Kind::Send);
        // SAFETY: the waiter is ours until it is completed, and a parked send has its message.
        unsafe { message.relocate(slot_of(self.waiter, message), to) };
        self.complete(State::Done)
    }

    /// As [`drain`](Self::drain) and [`fill`](Self::fill) of a receive that was claimed, too: the message goes from slot to slot.
    /// Returns the wakes of the receive and of the send.
    ///
    /// # Safety
    ///
    /// They are a send and a receive on a channel of this message type.
    pub(crate) unsafe fn hand_to(self, receiver: Self, message: &Message, seq: u64) -> [Wake; 2] {
        debug_assert_eq!(self.kind(), Kind::Send);
        // SAFETY: a parked send has its message, and both waiters are ours until they are completed.
        let woken = unsafe { receiver.fill(message, slot_of(self.waiter, message), seq) };
        [woken, self.complete(State::Done)]
    }

    /// Completes a request for a permit, which the caller has counted.
    pub(crate) fn grant(self) -> Wake {
        debug_assert_eq!(self.kind(), Kind::Reserve);
        self.complete(State::Done)
    }

    /// Completes an operation because of the close of its channel.
    pub(crate) fn fail(self) -> Wake {
        self.complete(State::Closed)
    }

    /// Leaves the waiter to its owner, as if it had not parked; woken, the owner tries anew.
    pub(crate) fn unpark(self) -> Wake {
        self.complete(State::Idle)
    }

    #[inline(always)]
    fn complete(self, state: State) -> Wake {
        let this = ManuallyDrop::new(self);
        // SAFETY: it is not dropped, so the waker is read once.
        let (waiter, waker) = unsafe { (this.waiter, ptr::read(&this.waker)) };
        // SAFETY: it is ours until the state changes.
        let tag = unsafe { change(waiter, state) };
        Wake::new(waker, tag)
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        debug_assert!(false, "a claimed waiter was not completed");
        // SAFETY: it is ours and has not been completed.
        unsafe { change(self.waiter, State::Idle) };
    }
}

/// # Safety
///
/// The waiter is the caller's, which has just unlinked it, and is not used again. Its contents are as the table says for the new
/// state.
#[inline(always)]
unsafe fn change(waiter: NonNull<Header>, state: State) -> WakeTag {
    // SAFETY: until the store the waiter is alive and ours. `Release` publishes the contents, and that we are through
    // with the waiter, to the owner, which reads the state without the lock.
    unsafe {
        let tag = waiter.as_ref().tag.complete(state);
        waiter.as_ref().shared.store(state as u8, Ordering::Release);
        tag
    }
}

#[cfg(all(target_pointer_width = "64", not(hchan_loom)))]
const _: () = assert!(size_of::<Header>() == 48 + size_of::<Tag>());
