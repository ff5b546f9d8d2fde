//! A receive.

use core::{
    ops::Deref,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use pin_project_lite::pin_project;

use super::{is_completed, renew_waker, unpark};
use crate::{
    end::Side,
    error::RecvError,
    shared::{HeldRecvEnd, Shared},
    step::RecvStep,
    wait::{Traffic, Watched},
    waiter::{Handle, State, Waiter},
    wake::WakeBatch,
};

pin_project! {
    /// A receive. `C` is how it reaches the channel: a borrow or a handle.
    pub(crate) struct RecvOp<C, T>
    where
        C: Deref<Target = Shared<T>>,
    {
        pub(super) shared: C,
        #[pin]
        pub(super) waiter: Waiter<T>,
    }

    impl<C, T> PinnedDrop for RecvOp<C, T>
    where
        C: Deref<Target = Shared<T>>,
    {
        #[inline]
        fn drop(this: Pin<&mut Self>) {
            if matches!(this.waiter.state(), State::Parked | State::Done | State::Closed) {
                this.release();
            }
        }
    }
}

impl<C, T> Watched for RecvOp<C, T>
where
    C: Deref<Target = Shared<T>>,
{
    fn is_parked(&self) -> bool {
        self.waiter.state() == State::Parked
    }

    fn has_more(&self) -> bool {
        self.shared.has_messages()
    }

    fn traffic(&self) -> &dyn Traffic {
        &*self.shared
    }
}

impl<C, T> RecvOp<C, T>
where
    C: Deref<Target = Shared<T>>,
{
    pub(crate) fn new(shared: C) -> Self {
        Self {
            shared,
            waiter: Waiter::without_message(State::Idle),
        }
    }

    #[inline]
    pub(crate) fn is_finished(&self) -> bool {
        self.waiter.state() == State::Finished
    }

    /// Whether it is neither parked nor completed.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiter.state() == State::Idle
    }

    /// Receives if that can be done at once; for an operation that has not been polled.
    #[inline(always)]
    pub(crate) fn attempt(self: Pin<&mut Self>) -> Option<Result<T, RecvError>> {
        let this = self.into_ref().project_ref();
        // Beforehand, so that nothing comes between taking the message and returning it.
        this.waiter.set_state(State::Finished);
        this.shared.recv_fast(
            |message| Some(Ok(message)),
            |held| {
                this.waiter.set_state(State::Idle);
                let step = this.shared.recv_rest(held);
                conclude_recv(this.shared, this.waiter, step, None)
            },
        )
    }

    #[inline(always)]
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        let owned = self.into_ref();
        let this = owned.project_ref();
        if this.waiter.state() != State::Idle {
            return owned.poll_again(cx.waker());
        }
        // As in `attempt`.
        this.waiter.set_state(State::Finished);
        this.shared.recv_fast(
            |message| Poll::Ready(Ok(message)),
            |held| {
                this.waiter.set_state(State::Idle);
                owned.poll_rest(held, cx.waker())
            },
        )
    }

    /// The rest of the first poll; the owner's, as `poll` is.
    #[inline(never)]
    fn poll_rest(
        self: Pin<&Self>,
        held: HeldRecvEnd<'_, T>,
        waker: &Waker,
    ) -> Poll<Result<T, RecvError>> {
        let this = self.project_ref();
        if held.is_some() || !this.shared.is_to_wait(Side::Recv) {
            let step = this.shared.recv_rest(held);
            if let Some(done) = conclude_recv(this.shared, this.waiter, step, None) {
                return Poll::Ready(done);
            }
        }
        self.park(waker)
    }

    /// A later poll; the owner's, as `poll` is.
    #[inline(never)]
    fn poll_again(self: Pin<&Self>, waker: &Waker) -> Poll<Result<T, RecvError>> {
        let this = self.project_ref();
        if this.waiter.state() == State::Parked {
            renew_waker(this.shared, this.waiter, Side::Recv, waker);
        }
        match this.waiter.state() {
            State::Done | State::Closed => Poll::Ready(end_recv(this.waiter)),
            State::Parked => Poll::Pending,
            // A forgotten select had left it parked.
            State::Idle => self.park(waker),
            State::Finished => panic!("a receive was polled again after it had completed"),
        }
    }

    fn park(self: Pin<&Self>, waker: &Waker) -> Poll<Result<T, RecvError>> {
        // Cloning runs user code, so it comes before the lock, and under the lock everything is decided anew.
        let handle = Handle::Waker(waker.clone());
        // SAFETY: no select's handle.
        let step = unsafe { self.recv_or_park(handle) };
        if let RecvStep::Empty = step {
            return Poll::Pending;
        }
        let this = self.project_ref();
        // SAFETY: it has not parked, so the handle is still there, and ours.
        let unused = unsafe { this.waiter.take_handle() }.into_waker();
        let done = conclude_recv(this.shared, this.waiter, step, unused);
        done.map_or(Poll::Pending, Poll::Ready)
    }

    /// Receives, or parks with that handle: `Empty`; a select may have been marked instead. For the owner of an idle operation; if it
    /// does not park the handle is left in the waiter.
    ///
    /// # Safety
    ///
    /// If it is the handle of a select, that is awake, and stays where it is while the operation is parked.
    pub(super) unsafe fn recv_or_park(self: Pin<&Self>, handle: Handle) -> RecvStep<T> {
        let waiter = self.project_ref().waiter;
        // SAFETY: we own the idle waiter.
        unsafe { waiter.put_handle(handle) };
        let mut is_beside_senders = false;
        let step = self.shared.locked(|core| {
            let step = core.recv();
            if let RecvStep::Empty = step {
                is_beside_senders = core.has_senders();
                if !is_beside_senders {
                    // SAFETY: we own the idle waiter, it is pinned, our drop unparks it, and the channel was just found empty.
                    unsafe { core.recv_end().park(Side::Recv, waiter) };
                }
            }
            step
        });
        if is_beside_senders {
            return self.recv_or_park_beside_senders();
        }
        step
    }

    /// As `recv_or_park`, with the handle in the waiter; lets those go ahead to whom the parked receive gives room. A select is
    /// marked instead of parking: for nobody can claim it yet.
    #[cold]
    fn recv_or_park_beside_senders(self: Pin<&Self>) -> RecvStep<T> {
        let waiter = self.project_ref().waiter;
        let mut wakes = WakeBatch::new();
        let step = self.shared.locked(|core| {
            let step = core.recv();
            if let RecvStep::Empty = step {
                // SAFETY: we own the idle waiter, which has a handle.
                match unsafe { waiter.select() } {
                    // SAFETY: the select is there, and its owner, who is awake, calls.
                    Some(select) => unsafe { select.as_ref().mark() },
                    None => {
                        // SAFETY: as in `recv_or_park`.
                        unsafe { core.recv_end().park(Side::Recv, waiter) };
                        core.serve(&mut wakes);
                    }
                }
            }
            step
        });
        wakes.wake();
        step
    }

    /// Stops waiting. `None`: nothing happened.
    pub(crate) fn withdraw(self: Pin<&mut Self>) -> Option<Result<T, RecvError>> {
        let this = self.into_ref().project_ref();
        unpark(this.shared, this.waiter, Side::Recv);
        is_completed(this.waiter).then(|| end_recv(this.waiter))
    }

    /// Stops waiting, and gives a message that was handed over already back to the channel. The operation is as new then.
    #[inline(never)]
    pub(crate) fn release(mut self: Pin<&mut Self>) {
        let withdrawn = self.as_mut().withdraw();
        let this = self.into_ref().project_ref();
        this.waiter.set_state(State::Idle);
        if let Some(Ok(message)) = withdrawn {
            // SAFETY: we own the waiter, which was `Done`.
            let seq = unsafe { this.waiter.seq() };
            this.shared.give_back(seq, message);
        }
    }

    /// Makes a finished operation ready for the next receive.
    pub(crate) fn renew(self: Pin<&mut Self>) {
        debug_assert!(self.is_finished());
        self.into_ref().project_ref().waiter.set_state(State::Idle);
    }
}

/// What a receive comes to, after the lock; `None` if it is parked or has to be. A waker cloned for parking may be left.
///
/// Unoptimized it would put many copies of the message into its caller's frame.
#[cfg_attr(not(debug_assertions), inline(always))]
fn conclude_recv<T>(
    shared: &Shared<T>,
    waiter: Pin<&Waiter<T>>,
    step: RecvStep<T>,
    unused: Option<Waker>,
) -> Option<Result<T, RecvError>> {
    let done = match step {
        RecvStep::Empty => return None,
        RecvStep::Closed => {
            // Before the operation is over, as it may panic.
            drop(unused);
            Err(RecvError)
        }
        RecvStep::Received(taken) => Ok(shared.settle(taken, unused)),
        RecvStep::ReceivedLast(taken) => Ok(shared.settle_last(taken, unused)),
    };
    waiter.set_state(State::Finished);
    Some(done)
}

/// Ends a receive that a peer has completed.
fn end_recv<T>(waiter: Pin<&Waiter<T>>) -> Result<T, RecvError> {
    let is_done = waiter.state() == State::Done;
    waiter.set_state(State::Finished);
    if is_done {
        // SAFETY: we own the waiter, and a receive that is done has its message.
        Ok(unsafe { waiter.take_message() })
    } else {
        Err(RecvError)
    }
}
