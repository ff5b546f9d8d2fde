//! A wait for the close of a channel, or for its last message.

use core::{
    ops::Deref,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use pin_project_lite::pin_project;

use super::{is_completed, renew_waker, unpark};
use crate::{
    end::Side,
    shared::Shared,
    waiter::{Handle, State, Waiter},
};

pin_project! {
    /// `C` is how it reaches the channel: a borrow or a handle.
    pub(crate) struct WatchOp<C, T>
    where
        C: Deref<Target = Shared<T>>,
    {
        shared: C,
        // `Close` or `Drain`.
        side: Side,
        #[pin]
        waiter: Waiter<T>,
    }

    impl<C, T> PinnedDrop for WatchOp<C, T>
    where
        C: Deref<Target = Shared<T>>,
    {
        fn drop(this: Pin<&mut Self>) {
            let _ = this.withdraw();
        }
    }
}

impl<C, T> WatchOp<C, T>
where
    C: Deref<Target = Shared<T>>,
{
    pub(crate) fn new(shared: C, side: Side) -> Self {
        Self {
            shared,
            side,
            waiter: Waiter::without_message(State::Idle),
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.waiter.state() == State::Finished
    }

    /// Whether there is nothing to wait for; for an operation that has not been polled.
    pub(crate) fn attempt(self: Pin<&mut Self>) -> Option<()> {
        let this = self.into_ref().project_ref();
        let is_over = this.shared.is_over(*this.side);
        is_over.then(|| this.waiter.set_state(State::Finished))
    }

    pub(crate) fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.as_ref().project_ref();
        if this.waiter.state() == State::Parked {
            renew_waker(this.shared, this.waiter, *this.side, cx.waker());
        }
        let done = match this.waiter.state() {
            State::Idle => self.as_mut().attempt().or_else(|| self.park(cx.waker())),
            State::Parked => None,
            State::Done | State::Closed => {
                this.waiter.set_state(State::Finished);
                Some(())
            }
            State::Finished => panic!("a wait for a close was polled again after it had completed"),
        };
        done.map_or(Poll::Pending, Poll::Ready)
    }

    fn park(self: Pin<&mut Self>, waker: &Waker) -> Option<()> {
        let owned = self.into_ref();
        let this = owned.project_ref();
        let handle = Handle::Waker(waker.clone());
        // SAFETY: we own the idle waiter.
        unsafe { this.waiter.put_handle(handle) };
        let is_over = this.shared.locked(|core| {
            let is_over = core.is_over(*this.side);
            if !is_over {
                // SAFETY: we own the idle waiter, it is pinned, our drop unparks it, and it was just found to have to wait.
                unsafe { core.recv_end().park(*this.side, this.waiter) };
            }
            is_over
        });
        is_over.then(|| {
            // SAFETY: it has not parked, so the handle is still there, and ours. Dropped before it is over, as that may panic.
            drop(unsafe { this.waiter.take_handle() });
            this.waiter.set_state(State::Finished);
        })
    }

    /// Stops waiting. `None`: it was not over.
    pub(crate) fn withdraw(self: Pin<&mut Self>) -> Option<()> {
        let this = self.into_ref().project_ref();
        unpark(this.shared, this.waiter, *this.side);
        is_completed(this.waiter).then(|| this.waiter.set_state(State::Finished))
    }
}
