//! A receive.

use core::{
    ops::Deref,
    pin::Pin,
    task::{Context, Poll, Waker},
};
#[cfg(feature = "std")]
use std::time::Instant;

use pin_project_lite::pin_project;

use super::{OpRef, Polled};
use crate::{
    chan::{Missed, RecvSide, TypedChan},
    error::{RecvError, TryRecvError},
    probe::Site,
    waiter::{Kind, State, Waiter, WaiterRef},
};
#[cfg(feature = "std")]
use crate::{sync::Blocking, thread};

pin_project! {
    /// A receive. `C` is how it reaches the channel: a borrow or a handle.
    pub(crate) struct RecvOp<C, T>
    where
        C: Deref<Target = TypedChan<T>>,
    {
        chan: C,
        #[pin]
        waiter: Waiter<T>,
    }

    impl<C, T> PinnedDrop for RecvOp<C, T>
    where
        C: Deref<Target = TypedChan<T>>,
    {
        #[inline]
        fn drop(this: Pin<&mut Self>) {
            if this.waiter.is_waiting() {
                this.as_ref().erased().abandon();
            }
        }
    }
}

impl<C, T> RecvOp<C, T>
where
    C: Deref<Target = TypedChan<T>>,
{
    pub(crate) fn new(chan: C, site: Site) -> Self {
        Self {
            chan,
            waiter: Waiter::receiving(site),
        }
    }

    #[inline]
    pub(crate) fn is_finished(&self) -> bool {
        self.waiter.is_finished()
    }

    /// Whether it is neither parked nor completed.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiter.state() == State::Idle
    }

    /// Blocks the thread until there is a message; for an operation that has not been polled, or `None` for one that never happens. It
    /// gives up at the deadline, which is asked for only if the thread has to wait.
    ///
    /// `error` is what it returns if it was given up, `Pending`, or if the channel is `Closed`.
    // codegen: the message is read where the result is wanted, from the ring or from the waiter, and is nowhere in between.
    #[cfg(feature = "std")]
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn wait<E>(
        this: Option<Pin<&mut Self>>,
        deadline: impl FnOnce() -> Option<Instant>,
        error: impl FnOnce(Polled) -> E,
    ) -> Result<T, E> {
        let _blocking = Blocking::begin();
        let Some(this) = this else {
            thread::park(None, deadline());
            return Err(error(Polled::Pending));
        };
        let this = this.into_ref();
        let (op, this) = (this.erased(), this.project_ref());
        // Beforehand, so that nothing comes between taking the message and returning it.
        this.waiter.set_state(State::Finished);
        this.chan.recv_fast(Ok, |missed| {
            this.waiter.set_state(State::Idle);
            let polled = match op.recv_slow(missed) {
                Polled::Pending => op.park_thread(deadline()),
                polled => polled,
            };
            match polled {
                // SAFETY: we own the waiter, and its message is in its slot, as `Polled` says.
                Polled::Done => Ok(unsafe { this.waiter.get_ref().slot().take() }),
                ended => Err(error(ended)),
            }
        })
    }

    #[inline(always)]
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        let this = self.into_ref();
        let (op, this) = (this.erased(), this.project_ref());
        if !this.waiter.is_fresh() {
            return poll_again(op, this.waiter, cx.waker());
        }
        // As in `wait`.
        this.waiter.set_state(State::Finished);
        this.chan.recv_fast(
            |message| Poll::Ready(Ok(message)),
            |missed| {
                this.waiter.set_state(State::Idle);
                ready(this.waiter, op.recv_slow_or_park(missed, cx.waker()))
            },
        )
    }

    /// As `poll`, of an idle operation whose caller has taken the fast path without success.
    pub(crate) fn poll_missed(
        self: Pin<&mut Self>,
        missed: Missed<'_, RecvSide>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, RecvError>> {
        let this = self.into_ref();
        let polled = this.erased().recv_slow_or_park(missed, cx.waker());
        ready(this.project_ref().waiter, polled)
    }

    /// As `poll`, but off the fast path.
    pub(crate) fn poll_slow(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, RecvError>> {
        let this = self.into_ref();
        poll_again(this.erased(), this.project_ref().waiter, cx.waker())
    }

    /// Ends it if it was completed. `None`: it was not; nothing happens then.
    pub(crate) fn take_output(self: Pin<&mut Self>) -> Option<Result<T, RecvError>> {
        let polled = self.as_ref().erased().take_result();
        output(self.into_ref().project_ref().waiter, polled)
    }

    /// Stops waiting. `None`: nothing happened.
    pub(crate) fn cancel(self: Pin<&mut Self>) -> Option<Result<T, RecvError>> {
        let polled = self.as_ref().erased().cancel();
        output(self.into_ref().project_ref().waiter, polled)
    }

    /// Stops waiting, and gives a message that was handed over already back to the channel. The operation is as new then.
    pub(crate) fn cancel_and_return(self: Pin<&mut Self>) {
        drop(self.as_ref().erased().give_up());
    }

    /// Makes a finished operation ready for the next receive.
    pub(crate) fn reset(self: Pin<&mut Self>) {
        debug_assert!(self.is_finished());
        self.waiter.set_state(State::Idle);
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
    /// Receives after a fast path, if that can be done at once; the operation is an idle receive.
    #[inline(never)]
    fn recv_slow(self, missed: Missed<'_, RecvSide>) -> Polled {
        if missed.must_wait() {
            return Polled::Pending;
        }
        let Self { chan, waiter } = self;
        // Idle until it is settled: the message is the channel's if that panics.
        // SAFETY: the slot of an idle receive is empty, and ours.
        let received = unsafe { chan.recv_slow(missed, waiter.slot(chan.message())) };
        let polled = match received {
            Ok(()) => Polled::Done,
            Err(TryRecvError::Closed) => Polled::Closed,
            Err(TryRecvError::Empty) => return Polled::Pending,
        };
        waiter.set_state(State::Finished);
        polled
    }

    /// As `recv_slow`, or parks.
    #[inline(never)]
    pub(super) fn recv_slow_or_park(self, missed: Missed<'_, RecvSide>, waker: &Waker) -> Polled {
        if missed.must_wait() || !missed.has_looked() && self.chan.would_block(Kind::Recv) {
            drop(missed);
        } else {
            let polled = self.recv_slow(missed);
            if polled != Polled::Pending {
                return polled;
            }
        }
        let target = self.target(waker);
        // SAFETY: we own the idle waiter, which is of this channel and pinned; the target is no select.
        self.parked(unsafe { self.chan.recv_or_park(self.waiter, target) })
    }
}

#[inline(never)]
fn poll_again<T>(
    op: OpRef<'_>,
    waiter: Pin<&Waiter<T>>,
    waker: &Waker,
) -> Poll<Result<T, RecvError>> {
    let polled = match waiter.state() {
        // codegen: most later polls find the message there.
        State::Done => {
            op.end_record();
            waiter.set_state(State::Finished);
            Polled::Done
        }
        _ => op.poll(waker),
    };
    ready(waiter, polled)
}

/// What a receive has come to, straight from its slot.
#[inline(always)]
fn ready<T>(waiter: Pin<&Waiter<T>>, polled: Polled) -> Poll<Result<T, RecvError>> {
    match polled {
        Polled::Pending => Poll::Pending,
        // SAFETY: the caller owns the waiter, and its message is in its slot, as `Polled` says.
        Polled::Done => Poll::Ready(Ok(unsafe { waiter.get_ref().slot().take() })),
        Polled::Closed => Poll::Ready(Err(RecvError)),
    }
}

/// As `ready`; `None` if it is pending.
fn output<T>(waiter: Pin<&Waiter<T>>, polled: Polled) -> Option<Result<T, RecvError>> {
    match ready(waiter, polled) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}
