//! An operation without a message: a request for a permit, a wait for the close, a wait for the last message.

use core::{
    ops::Deref,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use super::{OpRef, Polled};
use crate::{
    chan::TypedChan,
    error::SendError,
    probe::Site,
    waiter::{Header, Kind, State, WaiterRef},
};

pin_project! {
    /// `C` is how it reaches the channel: a borrow or a handle.
    pub(crate) struct BareOp<C, T>
    where
        C: Deref<Target = TypedChan<T>>,
    {
        chan: C,
        #[pin]
        waiter: Header,
    }

    impl<C, T> PinnedDrop for BareOp<C, T>
    where
        C: Deref<Target = TypedChan<T>>,
    {
        fn drop(this: Pin<&mut Self>) {
            if this.waiter.is_waiting() {
                this.as_ref().erased().abandon();
            }
        }
    }
}

impl<C, T> BareOp<C, T>
where
    C: Deref<Target = TypedChan<T>>,
{
    /// It returns `Ok` if the caller has a permit, and an error if the channel is closed, or closed and empty.
    pub(crate) fn new(chan: C, kind: Kind, site: Site) -> Self {
        Self {
            chan,
            waiter: Header::new(kind, State::Idle, site),
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.waiter.is_finished()
    }

    /// Whether it is neither parked nor completed.
    #[allow(dead_code, reason = "it asks tokio's budget, with the feature `tokio`")]
    pub(crate) fn is_idle(&self) -> bool {
        self.waiter.state() == State::Idle
    }

    /// Does it if that can be done at once; for an operation that has not been polled.
    pub(crate) fn attempt(self: Pin<&mut Self>) -> Option<Result<(), SendError<()>>> {
        let op = self.as_ref().erased();
        result(op.finish(op.attempt()?, None))
    }

    pub(crate) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<()>>> {
        let polled = self.as_ref().erased().poll(cx.waker());
        result(polled).map_or(Poll::Pending, Poll::Ready)
    }

    /// Ends it if it was completed. `None`: it was not; nothing happens then.
    pub(crate) fn take_output(self: Pin<&mut Self>) -> Option<Result<(), SendError<()>>> {
        result(self.as_ref().erased().take_result())
    }

    /// Stops waiting. `None`: nothing happened.
    pub(crate) fn cancel(self: Pin<&mut Self>) -> Option<Result<(), SendError<()>>> {
        result(self.as_ref().erased().cancel())
    }

    /// Stops waiting, and gives up a permit that has been given out to it already. The operation is as new then.
    #[cfg(feature = "sink")]
    pub(crate) fn cancel_and_return(self: Pin<&mut Self>) {
        drop(self.as_ref().erased().give_up());
    }

    /// Makes a finished operation ready for the next time.
    #[cfg(feature = "sink")]
    pub(crate) fn reset(self: Pin<&mut Self>) {
        debug_assert!(self.is_finished());
        self.waiter.set_state(State::Idle);
    }

    /// It without its types.
    pub(crate) fn erased(self: Pin<&Self>) -> OpRef<'_> {
        let this = self.project_ref();
        // SAFETY: made with this channel, and pinned; our drop cancels it.
        unsafe { OpRef::new(this.chan, WaiterRef::bare(this.waiter)) }
    }
}

/// What an operation has come to; `None` if it is pending.
fn result(polled: Polled) -> Option<Result<(), SendError<()>>> {
    match polled {
        Polled::Pending => None,
        Polled::Done => Some(Ok(())),
        Polled::Closed => Some(Err(SendError(()))),
    }
}
