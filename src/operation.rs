//! A send or a receive that can park: a channel and a waiter, pinned together.
//!
//! All use of waiters from the owner's side is in this file. What makes it sound: an operation is `!Unpin` and acts only
//! through `Pin<&mut _>`, so whoever holds that is the waiter's owner; and its drop unparks the waiter, so a parked
//! waiter is never freed or moved. An operation that is forgotten leaks its memory with it, by the rules of pinning.

use std::{
    mem,
    ops::Deref,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use pin_project_lite::pin_project;

use crate::{
    core::{Core, RecvStep, SendStep, Side},
    error::{RecvError, SendError},
    shared::{Shared, wake},
    waiter::{State, Waiter},
};

pin_project! {
    /// A send. `C` is how it reaches the channel: a borrow or a handle.
    pub(crate) struct SendOp<C, T>
    where
        C: Deref<Target = Shared<T>>,
    {
        shared: C,
        #[pin]
        waiter: Waiter<T>,
    }

    impl<C, T> PinnedDrop for SendOp<C, T>
    where
        C: Deref<Target = Shared<T>>,
    {
        #[inline]
        fn drop(this: Pin<&mut Self>) {
            // A message that was not taken drops with the waiter.
            if this.waiter.state() == State::Parked {
                let _ = this.withdraw();
            }
        }
    }
}

pin_project! {
    /// A receive. `C` is how it reaches the channel: a borrow or a handle.
    pub(crate) struct RecvOp<C, T>
    where
        C: Deref<Target = Shared<T>>,
    {
        shared: C,
        #[pin]
        waiter: Waiter<T>,
    }

    impl<C, T> PinnedDrop for RecvOp<C, T>
    where
        C: Deref<Target = Shared<T>>,
    {
        #[inline]
        fn drop(this: Pin<&mut Self>) {
            if matches!(this.waiter.state(), State::Parked | State::Done) {
                this.release();
            }
        }
    }
}

impl<C, T> SendOp<C, T>
where
    C: Deref<Target = Shared<T>>,
{
    pub(crate) fn new(shared: C, message: T) -> Self {
        Self {
            shared,
            waiter: Waiter::new(Some(message)),
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.waiter.state() == State::Finished
    }

    /// Sends if that can be done at once; for an operation that has not been polled.
    #[inline(always)]
    pub(crate) fn attempt(self: Pin<&mut Self>) -> Option<Result<(), SendError<T>>> {
        let this = self.into_ref().project_ref();
        let step = this.shared.locked(|core| send_slot(core, this.waiter));
        conclude_send(this.waiter, step)
    }

    #[inline]
    pub(crate) fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<T>>> {
        if self.waiter.state() == State::Idle {
            if let Some(done) = self.as_mut().attempt() {
                return Poll::Ready(done);
            }
        }
        self.poll_parked(cx.waker())
    }

    #[inline(never)]
    fn poll_parked(self: Pin<&mut Self>, waker: &Waker) -> Poll<Result<(), SendError<T>>> {
        let this = self.as_ref().project_ref();
        let done = match this.waiter.state() {
            State::Idle => self.park(waker),
            State::Parked => {
                renew_waker(this.shared, this.waiter, waker).then(|| end_send(this.waiter))
            }
            State::Done => Some(end_send(this.waiter)),
            State::Finished => panic!("a send was polled again after it had completed"),
        };
        done.map_or(Poll::Pending, Poll::Ready)
    }

    fn park(self: Pin<&mut Self>, waker: &Waker) -> Option<Result<(), SendError<T>>> {
        let this = self.into_ref().project_ref();
        // Cloning runs user code, so it comes before the lock, and under the lock everything is decided anew.
        let mut waker = Some(waker.clone());
        let step = this.shared.locked(|core| {
            let step = send_slot(core, this.waiter);
            if let SendStep::Full = step {
                // SAFETY: we own the idle waiter, it is pinned, our drop unparks it, and the channel was just found full.
                unsafe { core.park(Side::Send, this.waiter, &mut waker) };
            }
            step
        });
        conclude_send(this.waiter, step)
    }

    /// Stops waiting. `None`: nothing happened, and the message is still here.
    pub(crate) fn withdraw(self: Pin<&mut Self>) -> Option<Result<(), SendError<T>>> {
        let this = self.into_ref().project_ref();
        unpark(this.shared, this.waiter, Side::Send).then(|| end_send(this.waiter))
    }

    /// Takes the message out of a send that has been withdrawn.
    pub(crate) fn take_message(self: Pin<&mut Self>) -> Option<T> {
        take_slot(self.into_ref().project_ref().waiter)
    }
}

impl<C, T> RecvOp<C, T>
where
    C: Deref<Target = Shared<T>>,
{
    pub(crate) fn new(shared: C) -> Self {
        Self {
            shared,
            waiter: Waiter::new(None),
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.waiter.state() == State::Finished
    }

    /// Receives if that can be done at once; for an operation that has not been polled.
    #[inline(always)]
    pub(crate) fn attempt(self: Pin<&mut Self>) -> Option<Result<T, RecvError>> {
        let this = self.into_ref().project_ref();
        let step = this.shared.locked(Core::recv);
        conclude_recv(this.shared, this.waiter, step)
    }

    #[inline]
    pub(crate) fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, RecvError>> {
        if self.waiter.state() == State::Idle {
            if let Some(done) = self.as_mut().attempt() {
                return Poll::Ready(done);
            }
        }
        self.poll_parked(cx.waker())
    }

    #[inline(never)]
    fn poll_parked(self: Pin<&mut Self>, waker: &Waker) -> Poll<Result<T, RecvError>> {
        let this = self.as_ref().project_ref();
        let done = match this.waiter.state() {
            State::Idle => self.park(waker),
            State::Parked => {
                renew_waker(this.shared, this.waiter, waker).then(|| end_recv(this.waiter))
            }
            State::Done => Some(end_recv(this.waiter)),
            State::Finished => panic!("a receive was polled again after it had completed"),
        };
        done.map_or(Poll::Pending, Poll::Ready)
    }

    fn park(self: Pin<&mut Self>, waker: &Waker) -> Option<Result<T, RecvError>> {
        let this = self.into_ref().project_ref();
        // Cloning runs user code, so it comes before the lock, and under the lock everything is decided anew.
        let mut waker = Some(waker.clone());
        let step = this.shared.locked(|core| {
            let step = core.recv();
            if let RecvStep::Empty = step {
                // SAFETY: we own the idle waiter, it is pinned, our drop unparks it, and the channel was just found empty.
                unsafe { core.park(Side::Recv, this.waiter, &mut waker) };
            }
            step
        });
        conclude_recv(this.shared, this.waiter, step)
    }

    /// Stops waiting. `None`: nothing happened.
    pub(crate) fn withdraw(self: Pin<&mut Self>) -> Option<Result<T, RecvError>> {
        let this = self.into_ref().project_ref();
        unpark(this.shared, this.waiter, Side::Recv).then(|| end_recv(this.waiter))
    }

    /// Stops waiting, and gives a message that was handed over already back to the channel. The operation is as new then.
    pub(crate) fn release(mut self: Pin<&mut Self>) {
        let withdrawn = self.as_mut().withdraw();
        let this = self.into_ref().project_ref();
        this.waiter.set_state(State::Idle);
        if let Some(Ok(message)) = withdrawn {
            // SAFETY: we own the waiter, and it is not parked.
            let seq = unsafe { this.waiter.contents(|contents| contents.seq) };
            this.shared.give_back(seq, message);
        }
    }

    /// Makes a finished operation ready for the next receive.
    pub(crate) fn renew(self: Pin<&mut Self>) {
        debug_assert!(self.is_finished());
        self.into_ref().project_ref().waiter.set_state(State::Idle);
    }
}

/// Sends the message in an unparked waiter's slot, if that can be done at once.
#[inline]
fn send_slot<T>(core: &mut Core<T>, waiter: Pin<&Waiter<T>>) -> SendStep {
    // SAFETY: called with the owner's waiter, which is not parked.
    unsafe { waiter.contents(|contents| core.send(&mut contents.slot)) }
}

/// What a send comes to, after the lock; `None` if it is parked or has to be.
#[inline]
fn conclude_send<T>(waiter: Pin<&Waiter<T>>, step: SendStep) -> Option<Result<(), SendError<T>>> {
    match step {
        SendStep::Full => None,
        SendStep::Closed => Some(end_send(waiter)),
        SendStep::Sent(waker) => {
            // Before the wake, which may panic: the message is sent.
            let done = end_send(waiter);
            wake(waker);
            Some(done)
        }
    }
}

/// What a receive comes to, after the lock; `None` if it is parked or has to be.
#[inline]
fn conclude_recv<T>(
    shared: &Shared<T>,
    waiter: Pin<&Waiter<T>>,
    step: RecvStep<T>,
) -> Option<Result<T, RecvError>> {
    let done = match step {
        RecvStep::Empty => return None,
        RecvStep::Closed => Err(RecvError),
        RecvStep::Received(taken) => Ok(shared.settle(taken)),
    };
    waiter.set_state(State::Finished);
    Some(done)
}

/// Ends a send that has been decided: it failed if the message is still in the slot.
#[inline]
fn end_send<T>(waiter: Pin<&Waiter<T>>) -> Result<(), SendError<T>> {
    waiter.set_state(State::Finished);
    take_slot(waiter).map_or(Ok(()), |message| Err(SendError(message)))
}

/// Ends a receive that a peer has decided: it succeeded if there is a message in the slot.
#[inline]
fn end_recv<T>(waiter: Pin<&Waiter<T>>) -> Result<T, RecvError> {
    waiter.set_state(State::Finished);
    take_slot(waiter).ok_or(RecvError)
}

#[inline]
fn take_slot<T>(waiter: Pin<&Waiter<T>>) -> Option<T> {
    debug_assert_ne!(waiter.state(), State::Parked);
    // SAFETY: called with the owner's waiter, which is not parked.
    unsafe { waiter.contents(|contents| contents.slot.take()) }
}

/// Unparks a waiter, if it is parked; says whether instead a peer has completed it.
fn unpark<T>(shared: &Shared<T>, waiter: Pin<&Waiter<T>>, side: Side) -> bool {
    if waiter.state() == State::Parked {
        let waker = shared.locked(|core| match waiter.state() {
            // SAFETY: it is parked, on this side of this channel, and we hold the lock.
            State::Parked => unsafe { core.unpark(side, waiter) },
            _ => None,
        });
        drop(waker);
    }
    waiter.state() == State::Done
}

/// Makes `waker` the one that a parked waiter wakes; says whether instead a peer has completed it.
fn renew_waker<T>(shared: &Shared<T>, waiter: Pin<&Waiter<T>>, waker: &Waker) -> bool {
    let is_renewed = shared.locked(|_| {
        with_parked_waker(waiter, |parked| {
            parked.as_ref().is_some_and(|it| it.will_wake(waker))
        })
        .unwrap_or(true)
    });
    if !is_renewed {
        // Cloned before the lock; what is in it after the lock, the old waker or an unused clone, drops here.
        let mut waker = Some(waker.clone());
        shared.locked(|_| with_parked_waker(waiter, |parked| mem::swap(parked, &mut waker)));
    }
    waiter.state() == State::Done
}

/// Lets `f`, called with the channel lock held, change the waker of a waiter that is parked.
fn with_parked_waker<T, R>(
    waiter: Pin<&Waiter<T>>,
    f: impl FnOnce(&mut Option<Waker>) -> R,
) -> Option<R> {
    (waiter.state() == State::Parked).then(|| {
        // SAFETY: the lock is held and the waiter is parked, so its contents are ours.
        unsafe { waiter.contents(|contents| f(&mut contents.waker)) }
    })
}
