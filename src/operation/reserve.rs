//! A request for a permit.

use core::{
    ops::Deref,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use pin_project_lite::pin_project;

use super::{is_completed, renew_waker, unpark};
use crate::{
    end::{RecvEnd, Side},
    error::SendError,
    shared::Shared,
    step::ReserveStep,
    wait::{Traffic, Watched},
    waiter::{Handle, State, Waiter},
};

pin_project! {
    /// It waits among the sends. `C` is how it reaches the channel: a borrow or a handle.
    pub(crate) struct ReserveOp<C, T>
    where
        C: Deref<Target = Shared<T>>,
    {
        shared: C,
        #[pin]
        waiter: Waiter<T>,
    }

    impl<C, T> PinnedDrop for ReserveOp<C, T>
    where
        C: Deref<Target = Shared<T>>,
    {
        fn drop(this: Pin<&mut Self>) {
            this.release();
        }
    }
}

impl<C, T> Watched for ReserveOp<C, T>
where
    C: Deref<Target = Shared<T>>,
{
    fn is_parked(&self) -> bool {
        self.waiter.state() == State::Parked
    }

    fn has_more(&self) -> bool {
        self.shared.has_room_to_send()
    }

    fn traffic(&self) -> &dyn Traffic {
        &*self.shared
    }
}

impl<C, T> ReserveOp<C, T>
where
    C: Deref<Target = Shared<T>>,
{
    pub(crate) fn new(shared: C) -> Self {
        Self {
            shared,
            waiter: Waiter::for_permit(),
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.waiter.state() == State::Finished
    }

    /// Has the permit if it can be had at once; for an operation that has not been polled. The permit is the caller's then.
    pub(crate) fn attempt(self: Pin<&mut Self>) -> Option<Result<(), SendError<()>>> {
        let this = self.into_ref().project_ref();
        conclude(this.waiter, this.shared.reserve())
    }

    /// `Ok`: the caller has a permit.
    pub(crate) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<()>>> {
        let owned = self.into_ref();
        let this = owned.project_ref();
        if this.waiter.state() == State::Parked {
            renew_waker(this.shared, this.waiter, Side::Send, cx.waker());
        }
        let done = match this.waiter.state() {
            State::Idle => {
                conclude(this.waiter, this.shared.reserve()).or_else(|| owned.park(cx.waker()))
            }
            State::Parked => None,
            State::Done | State::Closed => Some(end(this.waiter)),
            State::Finished => {
                panic!("a request for a permit was polled again after it had completed")
            }
        };
        done.map_or(Poll::Pending, Poll::Ready)
    }

    fn park(self: Pin<&Self>, waker: &Waker) -> Option<Result<(), SendError<()>>> {
        let waiter = self.project_ref().waiter;
        // Cloning runs user code, so it comes before the lock, and under the lock everything is decided anew.
        let handle = Handle::Waker(waker.clone());
        // SAFETY: we own the idle waiter.
        unsafe { waiter.put_handle(handle) };
        let park = |recv_end: &mut RecvEnd<T>| {
            // SAFETY: we own the idle waiter, it is pinned, our drop unparks it, and there was just found to be no room.
            unsafe { recv_end.park(Side::Send, waiter) };
            ReserveStep::Full
        };
        let step = self.shared.locked_in_turn(
            |recv_end| recv_end.is_send_to_wait().then(|| park(recv_end)),
            |core| match core.reserve() {
                ReserveStep::Full => park(core.recv_end()),
                done => done,
            },
        );
        if let ReserveStep::Full = step {
            return None;
        }
        // SAFETY: it has not parked, so the handle is still there, and ours.
        let unused = unsafe { waiter.take_handle() };
        if let ReserveStep::Reserved = step {
            // If what follows panics, our drop gives the permit up.
            waiter.set_state(State::Done);
        }
        drop(unused);
        conclude(waiter, step)
    }

    /// Makes a finished operation ready for the next permit.
    #[cfg(feature = "sink")]
    pub(crate) fn renew(self: Pin<&mut Self>) {
        debug_assert!(self.is_finished());
        self.into_ref().project_ref().waiter.set_state(State::Idle);
    }

    /// Stops waiting. `None`: nothing happened.
    pub(crate) fn withdraw(self: Pin<&mut Self>) -> Option<Result<(), SendError<()>>> {
        let this = self.into_ref().project_ref();
        unpark(this.shared, this.waiter, Side::Send);
        is_completed(this.waiter).then(|| end(this.waiter))
    }

    /// Stops waiting, and gives up a permit that has been given out to it already. The operation is as new then.
    pub(crate) fn release(mut self: Pin<&mut Self>) {
        let withdrawn = self.as_mut().withdraw();
        let this = self.into_ref().project_ref();
        this.waiter.set_state(State::Idle);
        if let Some(Ok(())) = withdrawn {
            this.shared.release_permit();
        }
    }
}

fn conclude<T>(waiter: Pin<&Waiter<T>>, step: ReserveStep) -> Option<Result<(), SendError<()>>> {
    let done = match step {
        ReserveStep::Reserved => Ok(()),
        ReserveStep::Full => return None,
        ReserveStep::Closed => Err(SendError(())),
    };
    waiter.set_state(State::Finished);
    Some(done)
}

/// Ends a request that a peer has completed.
fn end<T>(waiter: Pin<&Waiter<T>>) -> Result<(), SendError<()>> {
    let is_done = waiter.state() == State::Done;
    waiter.set_state(State::Finished);
    if is_done { Ok(()) } else { Err(SendError(())) }
}
