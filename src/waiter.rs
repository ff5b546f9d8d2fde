//! One parked operation: Go's `sudog`.
//!
//! A waiter lives inside the pinned future (or the boxed operation of a stream) that waits, and is linked into a queue
//! of its channel while it does. It has a slot for a message, which a sender fills before it parks and a receiver finds
//! filled, and the waker of whoever waits.
//!
//! | state      | linked | contents belong to             | changes to                                     |
//! |------------|--------|--------------------------------|------------------------------------------------|
//! | `Idle`     | no     | the owner                      | `Parked` (owner, locked), `Finished` (owner)   |
//! | `Parked`   | yes    | the holder of the channel lock | `Done` (peer, locked), `Idle` (owner, locked)  |
//! | `Done`     | no     | the owner                      | `Finished` (owner)                             |
//! | `Finished` | no     | the owner                      | `Idle` (owner; a stream's next receive)        |
//!
//! "The owner" is whoever has the future pinned and mutably borrowed; "locked" means with the channel lock held. The
//! slot tells how a `Done` operation ended: a receive with a message in it succeeded, a send with a message in it did
//! not; the channel was closed where not.

use std::{marker::PhantomPinned, ptr::NonNull, task::Waker};

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
    Idle,
    Parked,
    Done,
    Finished,
}

pub(crate) struct Waiter<T> {
    links: Links<Self>,
    /// A [`State`].
    state: AtomicU8,
    contents: UnsafeCell<Contents<T>>,
    /// Linked by address, so it must not move once pinned.
    _pinned: PhantomPinned,
}

pub(crate) struct Contents<T> {
    pub(crate) slot: Option<T>,
    /// The place, among all messages that have left the channel, of the one in a receiver's slot.
    pub(crate) seq: u64,
    /// `Some` while `Parked`.
    pub(crate) waker: Option<Waker>,
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

impl<T> Waiter<T> {
    /// An idle waiter, with the message to send in its slot or, for a receive, none.
    pub(crate) fn new(slot: Option<T>) -> Self {
        Self {
            links: Links::new(),
            state: AtomicU8::new(State::Idle as u8),
            contents: UnsafeCell::new(Contents {
                slot,
                seq: 0,
                waker: None,
            }),
            _pinned: PhantomPinned,
        }
    }

    /// The state; `Acquire` pairs with the `Release` of [`finish`](Self::finish), so that the owner that finds `Done`
    /// finds the contents as the peer left them.
    #[inline]
    pub(crate) fn state(&self) -> State {
        match self.state.load(Ordering::Acquire) {
            0 => State::Idle,
            1 => State::Parked,
            2 => State::Done,
            _ => State::Finished,
        }
    }

    /// Changes the state to one in which nobody but the owner looks at it.
    ///
    /// Relaxed is enough: `Parked` is set and left under the channel lock, which orders it for whoever looks at the
    /// waiter there, and the other states are between the owner and itself.
    #[inline]
    pub(crate) fn set_state(&self, state: State) {
        self.state.store(state as u8, Ordering::Relaxed);
    }

    /// Lets `f` read and write the contents.
    ///
    /// # Safety
    ///
    /// The contents belong to the caller by the table of this module: it is the owner and the waiter is not `Parked`,
    /// or it holds the channel lock and the waiter is. `f` does not call back into this waiter.
    #[inline]
    pub(crate) unsafe fn contents<R>(&self, f: impl FnOnce(&mut Contents<T>) -> R) -> R {
        // SAFETY: the caller alone has access, until it returns.
        self.contents
            .with_mut(|contents| f(unsafe { &mut *contents }))
    }

    /// Writes a message into a parked receiver's slot and completes it.
    ///
    /// # Safety
    ///
    /// As for [`finish`](Self::finish).
    #[inline]
    pub(crate) unsafe fn fill(this: NonNull<Self>, seq: u64, message: T) -> Waker {
        // SAFETY: the caller was just given the unlinked waiter, which is `Parked`, under the lock.
        unsafe {
            this.as_ref().contents(|contents| {
                contents.seq = seq;
                contents.slot = Some(message);
            });
            Self::finish(this)
        }
    }

    /// Takes the message out of a parked sender's slot and completes it.
    ///
    /// # Safety
    ///
    /// As for [`finish`](Self::finish); the waiter is a sender's.
    #[inline]
    pub(crate) unsafe fn drain(this: NonNull<Self>) -> (T, Waker) {
        // SAFETY: the caller was just given the unlinked waiter, which is `Parked`, under the lock.
        unsafe {
            let message = this.as_ref().contents(|contents| contents.slot.take());
            let message = message.expect("a parked sender's slot holds its message");
            (message, Self::finish(this))
        }
    }

    /// Marks a parked waiter `Done` and returns its waker, to be woken after the lock.
    ///
    /// # Safety
    ///
    /// The caller holds the channel lock and has just unlinked the waiter, which is still `Parked`: it is alive, and
    /// the caller's alone. From here on it is its owner's, who may free it at once: `this` must not be used again.
    #[inline]
    pub(crate) unsafe fn finish(this: NonNull<Self>) -> Waker {
        // SAFETY: until the store below the waiter is alive and ours, by the caller's promise.
        unsafe {
            let waker = this.as_ref().contents(|contents| contents.waker.take());
            // `Release` publishes the contents to the owner, who reads the state without the lock.
            this.as_ref()
                .state
                .store(State::Done as u8, Ordering::Release);
            waker.expect("a parked waiter has a waker")
        }
    }
}
