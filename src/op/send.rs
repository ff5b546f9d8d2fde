//! A send.

use core::{
    ops::Deref,
    pin::Pin,
    task::{Context, Waker},
};
#[cfg(feature = "std")]
use std::time::Instant;

use pin_project_lite::pin_project;

use super::{OpRef, Polled};
#[cfg(feature = "std")]
use crate::sync::Blocking;
use crate::{
    chan::{Missed, SendSide, TypedChan},
    error::{SendError, SendTimeoutError, TrySendError},
    probe::Site,
    quiet_drop::QuietDrop,
    waiter::{Kind, State, Waiter, WaiterRef},
};

pin_project! {
    /// A send. `C` is how it reaches the channel: a borrow or a handle.
    pub(crate) struct SendOp<C, T>
    where
        C: Deref<Target = TypedChan<T>>,
    {
        chan: C,
        #[pin]
        waiter: Waiter<T>,
    }

    impl<C, T> PinnedDrop for SendOp<C, T>
    where
        C: Deref<Target = TypedChan<T>>,
    {
        #[inline]
        fn drop(this: Pin<&mut Self>) {
            if !this.is_finished() {
                this.as_ref().erased().abandon();
            }
        }
    }
}

impl<C, T> SendOp<C, T>
where
    C: Deref<Target = TypedChan<T>>,
{
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn new(chan: C, message: T, site: Site) -> Self {
        Self {
            chan,
            waiter: Waiter::sending(message, site),
        }
    }

    /// A send without a message yet, finished as it is.
    pub(crate) fn empty(chan: C, site: Site) -> Self {
        Self {
            chan,
            waiter: Waiter::sending_nothing(site),
        }
    }

    /// Makes a finished send ready to send a message.
    pub(crate) fn load(self: Pin<&mut Self>, message: T) {
        assert!(self.is_finished());
        // SAFETY: we own the finished waiter, whose slot is empty.
        unsafe { self.waiter.slot().put(message) };
        self.waiter.set_state(State::Idle);
    }

    #[inline(always)]
    pub(crate) fn is_finished(&self) -> bool {
        self.waiter.is_finished()
    }

    /// Whether it is neither parked nor completed.
    #[allow(dead_code, reason = "it asks tokio's budget, with the feature `tokio`")]
    pub(crate) fn is_idle(&self) -> bool {
        self.waiter.state() == State::Idle
    }

    /// Blocks the thread until the message is sent; for an operation that has not been polled. It gives up at the deadline, which is
    /// asked for only if the thread has to wait: `Pending`.
    #[cfg(feature = "std")]
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn wait(self: Pin<&mut Self>, deadline: impl FnOnce() -> Option<Instant>) -> Polled {
        let _blocking = Blocking::begin();
        let this = self.into_ref();
        let (op, this) = (this.erased(), this.project_ref());
        // SAFETY: we own the idle waiter, which has its message.
        match unsafe { this.chan.send_fast(this.waiter.get_ref().slot()) } {
            Ok(()) => {
                this.waiter.set_state(State::Finished);
                Polled::Done
            }
            Err(missed) => match op.send_slow(missed) {
                Polled::Pending => op.park_thread(deadline()),
                polled => polled,
            },
        }
    }

    /// What it has come to is left in it: see [`result`](Self::result).
    #[inline(always)]
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let this = self.into_ref();
        let (op, this) = (this.erased(), this.project_ref());
        if !this.waiter.is_fresh() {
            return op.poll_again(cx.waker());
        }
        // SAFETY: we own the idle waiter, which has its message.
        match unsafe { this.chan.send_fast(this.waiter.get_ref().slot()) } {
            Ok(()) => {
                this.waiter.set_state(State::Finished);
                Polled::Done
            }
            Err(missed) => op.send_slow_or_park(missed, cx.waker()),
        }
    }

    /// The result of an operation that is over, or was given up: a message that was not sent comes straight from its slot.
    #[inline(always)]
    pub(crate) fn result<E>(
        self: Pin<&mut Self>,
        polled: Polled,
        error: impl FnOnce(T) -> E,
    ) -> Result<(), E> {
        match polled {
            Polled::Done => Ok(()),
            Polled::Closed | Polled::Pending => {
                Err(self.into_ref().project_ref().waiter.unsent(error))
            }
        }
    }

    /// As `result`; `None` if it is pending.
    pub(crate) fn output(self: Pin<&mut Self>, polled: Polled) -> Option<Result<(), SendError<T>>> {
        match polled {
            Polled::Pending => None,
            polled => Some(self.result(polled, SendError)),
        }
    }

    /// As `result`, for a caller that gives up.
    pub(crate) fn limited(self: Pin<&mut Self>, polled: Polled) -> Result<(), SendTimeoutError<T>> {
        match polled {
            Polled::Closed => self.result(polled, SendTimeoutError::Closed),
            _ => self.result(polled, SendTimeoutError::Timeout),
        }
    }

    /// Ends it if it was completed. `Pending`: it was not; nothing happens then.
    pub(crate) fn take_output(self: Pin<&mut Self>) -> Polled {
        self.as_ref().erased().take_result()
    }

    /// Stops waiting. `Pending`: nothing happened, and the message is still here.
    pub(crate) fn cancel(self: Pin<&mut Self>) -> Polled {
        self.as_ref().erased().cancel()
    }

    /// Stops waiting; the message is still here, if it was not taken. What it returns is to drop last, as that may panic.
    pub(crate) fn give_up(self: Pin<&mut Self>) -> Option<QuietDrop<Waker>> {
        self.as_ref().erased().give_up()
    }

    /// Takes the message out, if it has not been sent, of an operation that is not parked; that is over then.
    #[inline]
    pub(crate) fn take_unsent(self: Pin<&mut Self>) -> Option<T> {
        self.into_ref().project_ref().waiter.take_unsent()
    }

    /// It without its types.
    #[inline(always)]
    pub(crate) fn erased(self: Pin<&Self>) -> OpRef<'_> {
        let this = self.project_ref();
        // SAFETY: made with this channel, and pinned; our drop cancels it.
        unsafe { OpRef::new(this.chan, WaiterRef::new(this.waiter)) }
    }
}

impl OpRef<'_> {
    /// Sends after a fast path, if that can be done at once; the operation is an idle send.
    #[inline(never)]
    fn send_slow(self, missed: Missed<'_, SendSide>) -> Polled {
        if missed.must_wait() {
            return Polled::Pending;
        }
        let Self { chan, waiter } = self;
        // Beforehand: if the receiver's wake panics, the message has been sent.
        waiter.set_state(State::Finished);
        // SAFETY: an idle send has its message, and its slot is ours.
        let (state, polled) = match unsafe { chan.send_slow(missed, waiter.slot(chan.message())) } {
            Ok(()) => return Polled::Done,
            Err(TrySendError::Full(())) => (State::Idle, Polled::Pending),
            Err(TrySendError::Closed(())) => (State::Closed, Polled::Closed),
        };
        waiter.set_state(state);
        polled
    }

    /// As `send_slow`, or parks.
    #[inline(never)]
    pub(super) fn send_slow_or_park(self, missed: Missed<'_, SendSide>, waker: &Waker) -> Polled {
        if missed.must_wait() || !missed.has_looked() && self.chan.would_block(Kind::Send) {
            drop(missed);
        } else {
            let polled = self.send_slow(missed);
            if polled != Polled::Pending {
                return polled;
            }
        }
        let target = self.target(waker);
        // SAFETY: we own the idle waiter, which is of this channel and pinned; the target is no select.
        self.parked(unsafe { self.chan.send_or_park(self.waiter, target) })
    }
}
