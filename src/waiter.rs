//! One parked operation: Go's `sudog`.
//!
//! A waiter lives inside the pinned future (or the boxed operation of a stream) that waits, and is linked into a queue
//! of its channel while it does. It has a slot for the message and the waker of whoever waits. Its state tells who may
//! touch these, and whether they are there:
//!
//! | state      | linked | contents belong to             | a send's message | a receive's message | waker |
//! |------------|--------|--------------------------------|------------------|---------------------|-------|
//! | `Idle`     | no     | the owner                      | in the slot      | –                   | –     |
//! | `Parked`   | yes    | the holder of the channel lock | in the slot      | –                   | yes   |
//! | `Done`     | no     | the owner                      | –                | in the slot         | –     |
//! | `Closed`   | no     | the owner                      | in the slot      | –                   | –     |
//! | `Finished` | no     | the owner                      | –                | –                   | –     |
//!
//! "The owner" is whoever has the future pinned and mutably borrowed. The owner parks and unparks the waiter, under the
//! lock, and finishes it; a peer completes it, under the lock, as `Done` or `Closed`.

use std::{marker::PhantomPinned, mem::MaybeUninit, ptr::NonNull, task::Waker};

use crate::{
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

pub(crate) struct Waiter<T> {
    links: Links<Self>,
    contents: UnsafeCell<Contents<T>>,
    /// A [`State`].
    state: AtomicU8,
    /// Linked by address, so it must not move once pinned.
    _pinned: PhantomPinned,
}

/// Nothing here is written before it is needed: most operations never park.
struct Contents<T> {
    slot: MaybeUninit<T>,
    /// There with a receive's message: its place among all that have left the channel.
    seq: MaybeUninit<u64>,
    waker: MaybeUninit<Waker>,
}

// SAFETY: the links are pointers that only the holder of the channel lock follows. The message and the waker go from
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
    pub(crate) fn of_send(message: T) -> Self {
        Self::new(MaybeUninit::new(message))
    }

    /// An idle waiter, for a receive.
    #[inline]
    pub(crate) fn of_recv() -> Self {
        Self::new(MaybeUninit::uninit())
    }

    #[inline]
    fn new(slot: MaybeUninit<T>) -> Self {
        Self {
            links: Links::new(),
            contents: UnsafeCell::new(Contents {
                slot,
                seq: MaybeUninit::uninit(),
                waker: MaybeUninit::uninit(),
            }),
            state: AtomicU8::new(State::Idle as u8),
            _pinned: PhantomPinned,
        }
    }

    /// The state. `Acquire` pairs with the `Release` in `complete`, so that an owner that finds the waiter completed
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
    /// Relaxed is enough: who looks at a `Parked` waiter holds the lock, under which that was set; the other states set
    /// here are the owner's notes to itself.
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

    /// Puts the waker in, which is going to be woken; the caller parks the waiter.
    ///
    /// # Safety
    ///
    /// The contents belong to the caller, and there is no waker.
    pub(crate) unsafe fn put_waker(&self, waker: Waker) {
        // SAFETY: ours, by the caller's promise.
        self.contents
            .with_mut(|contents| unsafe { (*contents).waker.write(waker) });
    }

    /// Takes the waker out; the caller unparks the waiter or puts another one in.
    ///
    /// # Safety
    ///
    /// The contents belong to the caller, and there is a waker: the waiter is `Parked` and the lock held.
    pub(crate) unsafe fn take_waker(&self) -> Waker {
        // SAFETY: it is there and ours, by the caller's promise.
        self.contents
            .with_mut(|contents| unsafe { (*contents).waker.assume_init_read() })
    }

    /// Whether the waker in there would wake the same task.
    ///
    /// # Safety
    ///
    /// As for [`take_waker`](Self::take_waker).
    pub(crate) unsafe fn will_wake(&self, waker: &Waker) -> bool {
        // SAFETY: it is there and ours, by the caller's promise.
        self.contents
            .with_mut(|contents| unsafe { (*contents).waker.assume_init_ref().will_wake(waker) })
    }

    /// The sequence number of the message that a receive was handed.
    ///
    /// # Safety
    ///
    /// The caller owns the waiter, which is or was `Done`.
    pub(crate) unsafe fn seq(&self) -> u64 {
        // SAFETY: a peer wrote it with the message, before `Done`; it is ours now, by the caller's promise.
        self.contents
            .with_mut(|contents| unsafe { (*contents).seq.assume_init() })
    }
}

/// What a peer may do with a waiter that it has just unlinked.
///
/// # Safety (of all)
///
/// The caller holds the channel lock and has just unlinked the waiter, which is still `Parked`: it is alive, and the
/// caller's alone. Completed, it is its owner's, who may free it at once: `this` must not be used again.
impl<T> Waiter<T> {
    /// Writes a message into a receive's slot and completes it.
    ///
    /// # Safety
    ///
    /// See above.
    #[inline]
    pub(crate) unsafe fn fill(this: NonNull<Self>, seq: u64, message: T) -> Waker {
        // SAFETY: the waiter is ours until it is completed.
        unsafe {
            this.as_ref().contents.with_mut(|contents| {
                (*contents).seq.write(seq);
                (*contents).slot.write(message);
            });
            Self::complete(this, State::Done)
        }
    }

    /// Takes the message out of a send's slot and completes it.
    ///
    /// # Safety
    ///
    /// See above; the waiter is a send's.
    #[inline]
    pub(crate) unsafe fn drain(this: NonNull<Self>) -> (T, Waker) {
        // SAFETY: the waiter is ours until it is completed, and a parked send has its message.
        unsafe {
            let message = this.as_ref().take_message();
            (message, Self::complete(this, State::Done))
        }
    }

    /// Completes an operation whose channel was closed.
    ///
    /// # Safety
    ///
    /// See above.
    pub(crate) unsafe fn fail(this: NonNull<Self>) -> Waker {
        // SAFETY: the caller's promise.
        unsafe { Self::complete(this, State::Closed) }
    }

    /// # Safety
    ///
    /// See above; the slot is as the table says for the new state.
    #[inline]
    unsafe fn complete(this: NonNull<Self>, state: State) -> Waker {
        // SAFETY: until the store the waiter is alive and ours; it is parked, so it has a waker.
        unsafe {
            let waker = this.as_ref().take_waker();
            // `Release` publishes the contents to the owner, who reads the state without the lock.
            this.as_ref().state.store(state as u8, Ordering::Release);
            waker
        }
    }
}
