//! A send or a receive that can park: a channel and a waiter, pinned together.
//!
//! All use of waiters from the owner's side is in this file and, for operations that are arms of a select, in [`arm`]. What makes it sound: an operation is `!Unpin` and acts only
//! through `Pin<&mut _>`, so whoever holds that is the waiter's owner; and its drop unparks the waiter, so a parked
//! waiter is never freed or moved. An operation that is forgotten leaks its memory with it, by the rules of pinning.
//!
//! Peers have pointers to a parked waiter while its owner has that `Pin<&mut _>`. They may: of a type that is `!Unpin` the
//! compiler does not take a mutable reference for the only one, and all that changes in a waiter is in a cell.
//!
//! A send's message is taken out of its waiter under a lock, and the state that says so is set after it. Nothing panics in
//! between (an allocation that fails aborts), so the message cannot drop twice.

mod arm;
mod reserve;
mod watch;

pub(crate) use reserve::ReserveOp;
pub(crate) use watch::WatchOp;

use core::{
    mem,
    ops::Deref,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use pin_project_lite::pin_project;

use crate::{
    end::{RecvEnd, RecvStep, SendStep, Side},
    error::{RecvError, SendError},
    shared::{HeldRecvEnd, HeldSendEnd, Shared, wake_and_drop},
    waiter::{Handle, State, Waiter},
    wake::WakeBatch,
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
            if !this.is_finished() {
                let this = this.into_ref().project_ref();
                // Both are user code to drop, and the other drops even if one of them panics.
                let _handle = unpark(this.shared, this.waiter, Side::Send);
                let _message = take_message(this.waiter);
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
            if matches!(this.waiter.state(), State::Parked | State::Done | State::Closed) {
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

    pub(crate) fn is_of_short_buffer(&self) -> bool {
        self.shared.has_short_buffer()
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
    unsafe fn send_or_park(self: Pin<&Self>, handle: Handle) -> SendStep {
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

    /// Stops waiting. `None`: nothing happened, and the message is still here.
    pub(crate) fn withdraw(self: Pin<&mut Self>) -> Option<Result<(), SendError<T>>> {
        let this = self.into_ref().project_ref();
        let _handle = unpark(this.shared, this.waiter, Side::Send);
        is_completed(this.waiter).then(|| end_send(this.waiter))
    }

    /// Takes the message out, if it has not been sent, of an operation that is not parked; that is over then.
    #[inline]
    pub(crate) fn take_message(self: Pin<&mut Self>) -> Option<T> {
        take_message(self.into_ref().project_ref().waiter)
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

    pub(crate) fn is_of_short_buffer(&self) -> bool {
        self.shared.has_short_buffer()
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
    unsafe fn recv_or_park(self: Pin<&Self>, handle: Handle) -> RecvStep<T> {
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
        let _handle = unpark(this.shared, this.waiter, Side::Recv);
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

/// Unparks a waiter, if it is parked and no peer has completed it, and returns its handle, to be dropped.
#[inline(always)]
fn unpark<T>(shared: &Shared<T>, waiter: Pin<&Waiter<T>>, side: Side) -> Option<Handle> {
    match waiter.state() {
        State::Parked => unpark_locked(shared, waiter, side),
        _ => None,
    }
}

#[inline(never)]
fn unpark_locked<T>(shared: &Shared<T>, waiter: Pin<&Waiter<T>>, side: Side) -> Option<Handle> {
    shared.recv_end_locked(|recv_end| {
        // SAFETY: we hold the lock; it is still parked, on this side of this channel.
        (waiter.state() == State::Parked).then(|| unsafe { recv_end.unpark(side, waiter) })
    })
}

/// Makes `waker` the one that a parked waiter wakes, unless a peer completes it meanwhile. One that a forgotten select has
/// left parked is unparked.
#[inline(never)]
fn renew_waker<T>(shared: &Shared<T>, waiter: Pin<&Waiter<T>>, side: Side, waker: &Waker) {
    let is_renewed = shared.recv_end_locked(|_| {
        // SAFETY: we hold the lock and the waiter is parked, so its contents are ours and it has a handle.
        waiter.state() != State::Parked || unsafe { waiter.will_wake(waker) }
    });
    if is_renewed {
        return;
    }
    // Cloned before the lock; what is in it after the lock, the old handle or an unused clone, drops here.
    let mut handle = Handle::Waker(waker.clone());
    let _unparked = shared.recv_end_locked(|recv_end| {
        if waiter.state() != State::Parked {
            return None;
        }
        // SAFETY: as above, and a parked waiter is in the queue of its side. What is put in takes the place of what was taken.
        unsafe {
            if waiter.select().is_some() {
                return Some(recv_end.unpark(side, waiter));
            }
            let old = waiter.take_handle();
            waiter.put_handle(mem::replace(&mut handle, old));
        }
        None
    });
}

fn is_completed<T>(waiter: Pin<&Waiter<T>>) -> bool {
    matches!(waiter.state(), State::Done | State::Closed)
}
