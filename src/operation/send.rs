//! A send.

use core::{
    ops::Deref,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use pin_project_lite::pin_project;

use super::{detach, is_completed, renew_waker, unpark};
use crate::{
    end::{RecvEnd, Side},
    error::SendError,
    quiet_drop::QuietDrop,
    shared::{HeldSendEnd, Shared, wake_and_drop},
    step::SendStep,
    wait::{Traffic, Watched},
    waiter::{Handle, State, Waiter},
};

pin_project! {
    /// A send. `C` is how it reaches the channel: a borrow or a handle.
    pub(crate) struct SendOp<C, T>
    where
        C: Deref<Target = Shared<T>>,
    {
        pub(super) shared: C,
        #[pin]
        pub(super) waiter: Waiter<T>,
    }

    impl<C, T> PinnedDrop for SendOp<C, T>
    where
        C: Deref<Target = Shared<T>>,
    {
        #[inline]
        fn drop(this: Pin<&mut Self>) {
            if !this.is_finished() {
                this.cancel();
            }
        }
    }
}

impl<C, T> Watched for SendOp<C, T>
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

impl<C, T> SendOp<C, T>
where
    C: Deref<Target = Shared<T>>,
{
    pub(crate) fn new(shared: C, message: T) -> Self {
        Self {
            shared,
            waiter: Waiter::with_message(message),
        }
    }

    /// A send without a message yet, finished as it is.
    pub(crate) fn empty(shared: C) -> Self {
        Self {
            shared,
            waiter: Waiter::without_message(State::Finished),
        }
    }

    /// Makes a finished send ready to send a message.
    pub(crate) fn load(self: Pin<&mut Self>, message: T) {
        debug_assert!(self.is_finished());
        // SAFETY: we own the finished waiter, which has no message.
        unsafe { self.into_ref().project_ref().waiter.load_message(message) };
    }

    #[inline]
    pub(crate) fn is_finished(&self) -> bool {
        self.waiter.state() == State::Finished
    }

    /// Sends if that can be done at once; for an operation that has not been polled.
    #[inline(always)]
    pub(crate) fn attempt(self: Pin<&mut Self>) -> Option<Result<(), SendError<T>>> {
        let this = self.into_ref().project_ref();
        // SAFETY: we own the idle waiter, which has its message.
        let take = || unsafe { this.waiter.take_message() };
        match this.shared.send_fast(take) {
            Ok(()) => {
                this.waiter.set_state(State::Finished);
                Some(Ok(()))
            }
            Err(held) => {
                let step = this.shared.send_rest(held, take);
                conclude_send(this.waiter, step, None)
            }
        }
    }

    #[inline(always)]
    pub(crate) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<T>>> {
        let owned = self.into_ref();
        let this = owned.project_ref();
        if this.waiter.state() != State::Idle {
            return owned.poll_again(cx.waker());
        }
        // SAFETY: we own the idle waiter, which has its message.
        let take = || unsafe { this.waiter.take_message() };
        match this.shared.send_fast(take) {
            Ok(()) => {
                this.waiter.set_state(State::Finished);
                Poll::Ready(Ok(()))
            }
            Err(held) => owned.poll_rest(held, cx.waker()),
        }
    }

    /// The rest of the first poll; the owner's, as `poll` is.
    #[inline(never)]
    fn poll_rest(
        self: Pin<&Self>,
        held: HeldSendEnd<'_, T>,
        waker: &Waker,
    ) -> Poll<Result<(), SendError<T>>> {
        let this = self.project_ref();
        if held.is_some() || !this.shared.is_to_wait(Side::Send) {
            // SAFETY: we own the idle waiter, which has its message.
            let take = || unsafe { this.waiter.take_message() };
            let step = this.shared.send_rest(held, take);
            if let Some(done) = conclude_send(this.waiter, step, None) {
                return Poll::Ready(done);
            }
        }
        self.park(waker)
    }

    /// A later poll; the owner's, as `poll` is.
    #[inline(never)]
    fn poll_again(self: Pin<&Self>, waker: &Waker) -> Poll<Result<(), SendError<T>>> {
        let this = self.project_ref();
        if this.waiter.state() == State::Parked {
            renew_waker(this.shared, this.waiter, Side::Send, waker);
        }
        match this.waiter.state() {
            State::Done | State::Closed => Poll::Ready(end_send(this.waiter)),
            State::Parked => Poll::Pending,
            // A forgotten select had left it parked.
            State::Idle => self.park(waker),
            State::Finished => panic!("a send was polled again after it had completed"),
        }
    }

    fn park(self: Pin<&Self>, waker: &Waker) -> Poll<Result<(), SendError<T>>> {
        // Cloning runs user code, so it comes before the lock, and under the lock everything is decided anew.
        let handle = Handle::Waker(waker.clone());
        // SAFETY: no select's handle.
        let step = unsafe { self.send_or_park(handle) };
        if let SendStep::Full = step {
            return Poll::Pending;
        }
        let waiter = self.project_ref().waiter;
        // SAFETY: it has not parked, so the handle is still there, and ours.
        let unused = unsafe { waiter.take_handle() }.into_waker();
        conclude_send(waiter, step, unused).map_or(Poll::Pending, Poll::Ready)
    }

    /// Sends, or parks with that handle: `Full`. For the owner of an idle operation; if it does not park the handle is left in
    /// the waiter.
    ///
    /// # Safety
    ///
    /// If it is the handle of a select, that stays where it is while the operation is parked.
    pub(super) unsafe fn send_or_park(self: Pin<&Self>, handle: Handle) -> SendStep {
        let waiter = self.project_ref().waiter;
        // SAFETY: we own the idle waiter.
        unsafe { waiter.put_handle(handle) };
        let park = |recv_end: &mut RecvEnd<T>| {
            // SAFETY: we own the idle waiter, it is pinned, our drop unparks it, and the channel was just found full.
            unsafe { recv_end.park(Side::Send, waiter) };
            SendStep::Full
        };
        self.shared.locked_in_turn(
            |recv_end| recv_end.is_send_to_wait().then(|| park(recv_end)),
            // SAFETY: we own the idle waiter, which has its message.
            |core| match core.send(|| unsafe { waiter.take_message() }) {
                SendStep::Full => park(core.recv_end()),
                done => done,
            },
        )
    }

    /// Stops waiting, and drops the message if it has not been sent.
    #[inline(never)]
    fn cancel(mut self: Pin<&mut Self>) {
        let _handle = self.as_mut().detach();
        let _message = QuietDrop::new(self.take_message());
    }

    /// Stops waiting. What it returns is to drop last, as that may panic.
    pub(crate) fn detach(self: Pin<&mut Self>) -> Option<QuietDrop<Handle>> {
        let this = self.into_ref().project_ref();
        match this.waiter.state() {
            State::Parked => detach(this.shared, this.waiter, Side::Send),
            _ => None,
        }
    }

    /// Stops waiting. `None`: nothing happened, and the message is still here.
    pub(crate) fn withdraw(self: Pin<&mut Self>) -> Option<Result<(), SendError<T>>> {
        let this = self.into_ref().project_ref();
        unpark(this.shared, this.waiter, Side::Send);
        is_completed(this.waiter).then(|| end_send(this.waiter))
    }

    /// Takes the message out, if it has not been sent, of an operation that is not parked; that is over then.
    #[inline]
    pub(crate) fn take_message(self: Pin<&mut Self>) -> Option<T> {
        take_message(self.into_ref().project_ref().waiter)
    }
}

/// What a send comes to, after the lock; `None` if it is parked or has to be. A waker cloned for parking may be left.
#[inline(always)]
fn conclude_send<T>(
    waiter: Pin<&Waiter<T>>,
    step: SendStep,
    unused: Option<Waker>,
) -> Option<Result<(), SendError<T>>> {
    match step {
        SendStep::Full => None,
        SendStep::Closed => {
            // First, as it may panic: the message is still here then.
            drop(unused);
            take_message(waiter).map(|message| Err(SendError(message)))
        }
        SendStep::Sent(waker) => {
            // Before the wake, which may panic: the message is sent.
            waiter.set_state(State::Finished);
            wake_and_drop(waker, unused);
            Some(Ok(()))
        }
    }
}

/// Ends a send that a peer has completed.
fn end_send<T>(waiter: Pin<&Waiter<T>>) -> Result<(), SendError<T>> {
    match take_message(waiter) {
        None => {
            waiter.set_state(State::Finished);
            Ok(())
        }
        Some(message) => Err(SendError(message)),
    }
}

/// Takes the message out of a send that is not parked, if it has not been sent, and finishes it.
#[inline]
fn take_message<T>(waiter: Pin<&Waiter<T>>) -> Option<T> {
    debug_assert_ne!(waiter.state(), State::Parked);
    matches!(waiter.state(), State::Idle | State::Closed).then(|| {
        waiter.set_state(State::Finished);
        // SAFETY: we own the waiter, and its message is there in these states.
        unsafe { waiter.take_message() }
    })
}
