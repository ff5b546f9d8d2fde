//! One parked operation: Go's `sudog`.
//!
//! A waiter lives inside the pinned future (or the boxed operation of a stream) that waits, and is linked into a queue
//! of its channel while it does. It has a slot for the message and a handle on whom to wake. Its state tells who may
//! touch these, and whether they are there:
//!
//! | state      | linked | contents belong to                | a send's message | a receive's message | handle |
//! |------------|--------|-----------------------------------|------------------|---------------------|--------|
//! | `Idle`     | no     | the owner                         | in the slot      | –                   | –      |
//! | `Parked`   | yes    | the holder of the receivers' lock | in the slot      | –                   | yes    |
//! | `Done`     | no     | the owner                         | –                | in the slot         | –      |
//! | `Closed`   | no     | the owner                         | in the slot      | –                   | –      |
//! | `Finished` | no     | the owner                         | –                | –                   | –      |
//!
//! "The owner" is whoever has the future pinned and mutably borrowed. The owner parks and unparks the waiter, under the
//! lock, and finishes it; a peer completes it, under the lock, as `Done` or `Closed`, or unparks it, an arm of a select that
//! the peer cannot commit.

use core::{marker::PhantomPinned, mem::MaybeUninit, ptr::NonNull, task::Waker};

use crate::{
    claim::Claim,
    list::{Links, Node},
    sync::{
        UnsafeCell,
        atomic::{AtomicU8, Ordering},
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum State {
    /// Has not parked yet, or has been unparked by its owner.
    Idle,
    Parked,
    /// Completed by a peer that took the message of a send or brought that of a receive.
    Done,
    /// Completed by the close of the channel.
    Closed,
    /// Over; its future has returned `Ready`.
    Finished,
}

#[repr(C)]
pub(crate) struct Waiter<T> {
    links: Links<Self>,
    /// A [`State`].
    state: AtomicU8,
    /// Whether it waits, in `sendq`, for a permit instead of sending.
    is_reserve: bool,
    contents: UnsafeCell<Contents<T>>,
    /// Linked by address, so it must not move once pinned.
    _pinned: PhantomPinned,
}

/// What most operations never need is not written before it is.
///
/// The fields stand in this order, and the number is there from the start, for the sake of large messages: with nothing undefined
/// beside it the compiler moves a message straight to where its future is going to be, instead of by way of two others.
#[repr(C)]
struct Contents<T> {
    handle: MaybeUninit<Handle>,
    /// Of a message that a receive was handed: its place among all that have left the channel.
    seq: u64,
    slot: MaybeUninit<T>,
}

/// Whom a peer wakes.
pub(crate) enum Handle {
    /// The task or thread that waits for this operation.
    Waker(Waker),
    /// The select that this operation is an arm of, after claiming it; alive while the waiter is linked.
    Select(NonNull<Claim>),
}

impl Handle {
    pub(crate) fn into_waker(self) -> Option<Waker> {
        match self {
            Handle::Waker(waker) => Some(waker),
            Handle::Select(_) => None,
        }
    }
}

// SAFETY: the links are pointers that only the holder of the receivers' lock follows. The message and the waker go from
// thread to thread, hence `T: Send`; each is reached by one thread at a time, by the table above.
unsafe impl<T: Send> Send for Waiter<T> {}
// SAFETY: as above: shared access gives the contents to one thread at a time, so `T: Send` is enough.
unsafe impl<T: Send> Sync for Waiter<T> {}

// SAFETY: `links` is a field of the waiter.
unsafe impl<T> Node for Waiter<T> {
    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

/// What the owner may do.
impl<T> Waiter<T> {
    /// An idle waiter, with the message to send in its slot.
    #[inline]
    pub(crate) fn with_message(message: T) -> Self {
        Self::new(MaybeUninit::new(message), State::Idle, false)
    }

    /// A waiter without a message: a finished one for a send, an idle one for all else.
    #[inline]
    pub(crate) fn without_message(state: State) -> Self {
        Self::new(MaybeUninit::uninit(), state, false)
    }

    /// An idle waiter for a permit.
    pub(crate) fn for_permit() -> Self {
        Self::new(MaybeUninit::uninit(), State::Idle, true)
    }

    #[inline]
    fn new(slot: MaybeUninit<T>, state: State, is_reserve: bool) -> Self {
        Self {
            links: Links::new(),
            contents: UnsafeCell::new(Contents {
                handle: MaybeUninit::uninit(),
                seq: 0,
                slot,
            }),
            state: AtomicU8::new(state as u8),
            is_reserve,
            _pinned: PhantomPinned,
        }
    }

    /// The state. `Acquire` pairs with the `Release` in `change`, so that an owner that finds the waiter completed
    /// finds the contents as the peer left them.
    #[inline]
    pub(crate) fn state(&self) -> State {
        match self.state.load(Ordering::Acquire) {
            0 => State::Idle,
            1 => State::Parked,
            2 => State::Done,
            3 => State::Closed,
            _ => State::Finished,
        }
    }

    /// Sets a state in which the contents stay with the owner, or, under the lock, go to its holder.
    ///
    /// Relaxed is enough: who looks at a `Parked` waiter is its owner, or holds the lock under which that was set; the other
    /// states set here are the owner's notes to itself.
    #[inline]
    pub(crate) fn set_state(&self, state: State) {
        self.state.store(state as u8, Ordering::Relaxed);
    }

    /// Takes the message out of the slot. The caller sets a state that says so.
    ///
    /// # Safety
    ///
    /// By the table of this module the contents belong to the caller and the message is in the slot.
    #[inline]
    pub(crate) unsafe fn take_message(&self) -> T {
        // SAFETY: it is there and ours, by the caller's promise.
        self.contents
            .with_mut(|contents| unsafe { (*contents).slot.assume_init_read() })
    }

    /// Puts the message of a send into the slot.
    ///
    /// # Safety
    ///
    /// The caller owns the waiter, which is `Finished`.
    pub(crate) unsafe fn load_message(&self, message: T) {
        // SAFETY: ours, by the caller's promise.
        self.contents
            .with_mut(|contents| unsafe { (*contents).slot.write(message) });
        self.set_state(State::Idle);
    }

    /// Puts the handle in; the caller parks the waiter.
    ///
    /// # Safety
    ///
    /// The contents belong to the caller, and there is no waker.
    pub(crate) unsafe fn put_handle(&self, handle: Handle) {
        // SAFETY: ours, by the caller's promise.
        self.contents
            .with_mut(|contents| unsafe { (*contents).handle.write(handle) });
    }

    /// Takes the handle out; the caller unparks the waiter or puts another one in.
    ///
    /// # Safety
    ///
    /// The contents belong to the caller, and there is a handle: the waiter is `Parked` and the lock held, or its owner has put
    /// it in and has not parked.
    pub(crate) unsafe fn take_handle(&self) -> Handle {
        // SAFETY: it is there and ours, by the caller's promise.
        self.contents
            .with_mut(|contents| unsafe { (*contents).handle.assume_init_read() })
    }

    /// Whether the handle is a waker of the same task.
    ///
    /// # Safety
    ///
    /// As for [`take_handle`](Self::take_handle).
    pub(crate) unsafe fn will_wake(&self, waker: &Waker) -> bool {
        // SAFETY: it is there and ours, by the caller's promise.
        self.contents.with_mut(
            |contents| match unsafe { (*contents).handle.assume_init_ref() } {
                Handle::Waker(parked) => parked.will_wake(waker),
                Handle::Select(_) => false,
            },
        )
    }

    /// Puts a message that has just been received into the slot, as a peer would, and completes the receive.
    ///
    /// # Safety
    ///
    /// The caller owns the waiter, which is of a receive and `Idle`.
    pub(crate) unsafe fn put_message(&self, seq: u64, message: T) {
        // SAFETY: ours, by the caller's promise.
        self.contents.with_mut(|contents| unsafe {
            (*contents).seq = seq;
            (*contents).slot.write(message);
        });
        self.set_state(State::Done);
    }

    /// The sequence number of the message that a receive was handed.
    ///
    /// # Safety
    ///
    /// The caller owns the waiter, which is or was `Done`.
    pub(crate) unsafe fn seq(&self) -> u64 {
        // SAFETY: a peer wrote it with the message, before `Done`; it is ours now, by the caller's promise.
        self.contents
            .with_mut(|contents| unsafe { (*contents).seq })
    }
}

/// What the holder of the receivers' lock may do.
impl<T> Waiter<T> {
    #[inline]
    pub(crate) fn is_reserve(&self) -> bool {
        self.is_reserve
    }

    /// The select that this is an arm of.
    ///
    /// # Safety
    ///
    /// As for [`take_handle`](Self::take_handle).
    pub(crate) unsafe fn select(&self) -> Option<NonNull<Claim>> {
        // SAFETY: it is there and ours, by the caller's promise.
        self.contents.with_mut(
            |contents| match unsafe { (*contents).handle.assume_init_ref() } {
                Handle::Waker(_) => None,
                Handle::Select(claim) => Some(*claim),
            },
        )
    }
}

/// What a peer may do with a waiter that it has just unlinked: claim it, and then, if it is to be had, one of the others.
///
/// # Safety (of all)
///
/// The caller holds the receivers' lock and has just unlinked the waiter, which is still `Parked`: it is alive, and the
/// caller's alone. Completed, it is its owner's, who may free it at once: `this` must not be used again.
impl<T> Waiter<T> {
    /// Commits the caller to the operation and returns whom to wake after completing it. `None` if that cannot be, because
    /// it is the arm of a select that has been committed elsewhere or is awake: then it is unparked, and its owner's.
    ///
    /// # Safety
    ///
    /// See above; with `None`, `this` must not be used again.
    #[inline]
    pub(crate) unsafe fn claim(this: NonNull<Self>) -> Option<Waker> {
        // SAFETY: a parked waiter has a handle, and is ours until its state changes. A select unlinks all its arms before
        // it goes, so its claim is alive while this waiter is still `Parked`.
        unsafe {
            let claimed = match this.as_ref().take_handle() {
                Handle::Waker(waker) => return Some(waker),
                Handle::Select(claim) => claim.as_ref().try_claim(),
            };
            if claimed.is_none() {
                Self::unpark(this);
            }
            claimed
        }
    }

    /// Writes a message into a receive's slot and completes it.
    ///
    /// # Safety
    ///
    /// See above; the waiter has been claimed.
    #[inline]
    pub(crate) unsafe fn fill(this: NonNull<Self>, seq: u64, message: T) {
        // SAFETY: the waiter is ours until it is completed.
        unsafe {
            this.as_ref().contents.with_mut(|contents| {
                (*contents).seq = seq;
                (*contents).slot.write(message);
            });
            Self::change(this, State::Done);
        }
    }

    /// Takes the message out of a send's slot and completes it; or completes a request for a permit, which has none.
    ///
    /// # Safety
    ///
    /// See above; the waiter has been claimed, and was in `sendq`.
    #[inline]
    pub(crate) unsafe fn drain(this: NonNull<Self>) -> Option<T> {
        // SAFETY: the waiter is ours until it is completed, and a parked send has its message.
        unsafe {
            let waiter = this.as_ref();
            let message = (!waiter.is_reserve).then(|| waiter.take_message());
            Self::change(this, State::Done);
            message
        }
    }

    /// Leaves the waiter to its owner, as if it had not parked.
    ///
    /// # Safety
    ///
    /// See above; the handle has been taken out.
    pub(crate) unsafe fn unpark(this: NonNull<Self>) {
        // SAFETY: the caller's promise.
        unsafe { Self::change(this, State::Idle) };
    }

    /// Completes an operation whose channel was closed.
    ///
    /// # Safety
    ///
    /// See above; the waiter has been claimed.
    pub(crate) unsafe fn fail(this: NonNull<Self>) {
        // SAFETY: the caller's promise.
        unsafe { Self::change(this, State::Closed) };
    }

    /// # Safety
    ///
    /// See above; the contents are as the table says for the new state.
    #[inline]
    unsafe fn change(this: NonNull<Self>, state: State) {
        // SAFETY: until the store the waiter is alive and ours. `Release` publishes the contents, and that we are through
        // with the waiter, to the owner, who reads the state without the lock.
        unsafe { this.as_ref().state.store(state as u8, Ordering::Release) };
    }
}
