//! The operation of a future: a channel and a waiter, pinned together.
//!
//! [`SendOp`] and [`RecvOp`] have a message, [`BareOp`] (a permit, the close, the last message) has none. What they have in common is
//! written once, here, for a channel and a waiter without their message type: the first poll off the fast path, the later ones, and
//! giving up.
//!
//! What makes it sound: an operation is `!Unpin` and acts only through `Pin<&mut _>`, so the code that holds that is the waiter's owner;
//! and its drop unparks the waiter, so a parked waiter is never freed or moved. An operation that is forgotten leaks its memory with
//! it, by the rules of pinning.
//!
//! Peers have pointers to a parked waiter while its owner has that `Pin<&mut _>`. They may: of a type that is `!Unpin` the
//! compiler does not take a mutable reference for the only one, and all that changes in a waiter is in a cell.
//!
//! A send's message is moved out of its waiter under a lock, and the state that says so is set after it. Nothing panics in
//! between (an allocation that fails aborts), so the message cannot drop twice.

mod bare;
mod recv;
mod send;

pub(crate) use bare::BareOp;
pub(crate) use recv::RecvOp;
pub(crate) use send::SendOp;

use core::{ptr::NonNull, task::Waker};
#[cfg(feature = "std")]
use {
    crate::{chan::SpinTarget, error::RecvTimeoutError, thread},
    std::time::Instant,
};

use crate::{
    chan::{Chan, Done, Missed, Received},
    probe::Task,
    quiet_drop::QuietDrop,
    waiter::{Claim, Kind, State, WaiterRef, WakeTarget},
    wake::{self, WakeBatch, quietly},
};

/// What an operation has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Polled {
    /// It is parked, or was given up before anything happened.
    Pending,
    /// It was done. The waiter is `Finished`; a received message is in its slot.
    Done,
    /// The channel is closed. The waiter is `Finished`, but that of a send is `Closed` and has its message.
    Closed,
}

#[cfg(feature = "std")]
impl Polled {
    /// Why a receive has no message.
    pub(crate) fn recv_timeout_error(self) -> RecvTimeoutError {
        match self {
            Self::Closed => RecvTimeoutError::Closed,
            Self::Pending | Self::Done => RecvTimeoutError::Timeout,
        }
    }
}

/// An operation without its types: a channel and a waiter, for the owner of the waiter.
#[derive(Clone, Copy)]
pub(crate) struct OpRef<'a> {
    chan: &'a Chan,
    waiter: WaiterRef<'a>,
}

impl<'a> OpRef<'a> {
    /// # Safety
    ///
    /// The waiter is of this channel, and pinned together with the right to it. The caller and everything that gets this act for
    /// the waiter's owner, which cancels the operation before the waiter goes.
    #[inline(always)]
    unsafe fn new(chan: &'a Chan, waiter: WaiterRef<'a>) -> Self {
        Self { chan, waiter }
    }

    pub(crate) fn chan(self) -> &'a Chan {
        self.chan
    }

    #[inline(always)]
    pub(crate) fn state(self) -> State {
        self.waiter.state()
    }

    /// For a thread that waits for it.
    #[cfg(feature = "std")]
    pub(crate) fn spin_target(self) -> SpinTarget<'a> {
        SpinTarget::new(self.chan, self.waiter)
    }

    /// Does the operation, which is `Idle`, if that can be done at once. Its result is left in the waiter.
    #[inline(always)]
    pub(crate) fn attempt(self) -> Option<Done> {
        debug_assert_eq!(self.state(), State::Idle);
        // SAFETY: we own the idle waiter, which is of this channel.
        unsafe { self.chan.attempt(self.waiter) }
    }

    /// As `attempt`. `select`: the select that this is an arm of, if that may have parked other arms.
    ///
    /// # Safety
    ///
    /// The caller has locked the channel by hand.
    pub(crate) unsafe fn attempt_locked(self, select: Option<NonNull<Claim>>) -> Option<Done> {
        // SAFETY: as in `attempt`, and the caller's promise.
        unsafe { self.chan.attempt_locked(self.waiter, select) }
    }

    /// As `attempt`; parks the operation as an arm of a select if that is `None`.
    ///
    /// # Safety
    ///
    /// The select is awake, and its claim stays where it is until the operation has been unparked.
    pub(crate) unsafe fn attempt_or_park(self, select: NonNull<Claim>) -> Option<Done> {
        // SAFETY: we own the idle waiter, which is of this channel and pinned; the rest is the caller's promise.
        let done = unsafe { (self.chan).attempt_or_park(self.waiter, WakeTarget::Select(select)) };
        self.end_record();
        done
    }

    /// Tells `inspect` that the operation, which is `Idle`, is about to park: by itself, or as the arm of that number.
    #[inline(always)]
    pub(crate) fn begin_record(self, arm: Option<usize>, task: Task) {
        let Self { chan, waiter } = self;
        chan.probe.begin(waiter.tag(), waiter.kind(), arm, task);
    }

    /// Tells `inspect` that the operation has been polled, or has been given up; nothing happens if it is parked. So it comes after a
    /// look at the state: a peer that completes the operation after this and before the look would leave the record for ever.
    #[inline(always)]
    pub(crate) fn end_record(self) {
        self.chan.probe.end(self.waiter.tag(), || self.state());
    }

    /// Parks the operation, which is `Idle`, as an arm of a select.
    ///
    /// # Safety
    ///
    /// The caller has locked the channel by hand, and has found since that the operation cannot be done. The claim stays where it is
    /// until the operation has been unparked.
    pub(crate) unsafe fn park_locked(self, select: NonNull<Claim>) {
        // SAFETY: we own the idle waiter, which is of this channel and pinned; the rest is the caller's promise.
        unsafe { (self.chan).park_locked(self.waiter, WakeTarget::Select(select)) };
    }

    /// Lets those go ahead to whom a parked receive gives room, and adds whom to wake when no lock is held.
    ///
    /// # Safety
    ///
    /// The caller has locked the channel by hand.
    pub(crate) unsafe fn promote_locked(self, wakes: &mut WakeBatch) {
        if self.waiter.kind() == Kind::Recv {
            // SAFETY: the caller's promise.
            unsafe { self.chan.promote_locked(wakes) };
        }
    }

    /// Unparks the operation, if it is parked and no peer has completed it. Its waker drops, which may panic: it is `Idle` then.
    #[inline(never)]
    pub(crate) fn unpark(self) {
        let _waker = self.chan.unpark(self.waiter);
        self.end_record();
    }

    /// As `unpark`, if it is parked as an arm; one that is parked by itself stays so. So no code of the caller's runs: an arm
    /// has no waker.
    pub(crate) fn leave_select(self) {
        self.chan.leave_select(self.waiter);
        self.end_record();
    }

    /// Does the operation of an idle waiter, or parks it.
    fn start(self, waker: &Waker) -> Polled {
        match self.waiter.kind() {
            Kind::Recv => self.recv_slow_or_park(Missed::NOT_TRIED, waker),
            Kind::Send => self.send_slow_or_park(Missed::NOT_TRIED, waker),
            kind @ (Kind::Reserve | Kind::Closed | Kind::Drained) => {
                if !self.chan.would_block(kind) {
                    if let Some(done) = self.attempt() {
                        return self.finish(done, None);
                    }
                }
                let target = self.target(waker);
                // SAFETY: we own the idle waiter, which is of this channel and pinned; the target is no select.
                self.parked(unsafe { self.chan.bare_or_park(self.waiter, target) })
            }
        }
    }

    /// A task to wake. Cloning its waker runs user code, so it comes before the lock, and under the lock everything is decided anew.
    #[inline(always)]
    fn target(self, waker: &Waker) -> WakeTarget {
        let target = WakeTarget::Task(waker.clone());
        self.begin_record(None, Task::of(waker));
        target
    }

    /// What has become of an operation that was to park.
    #[inline(always)]
    fn parked(self, done: Option<Done>) -> Polled {
        match done {
            None => Polled::Pending,
            // SAFETY: it has not parked.
            Some(done) => unsafe { self.finish_unparked(done) },
        }
    }

    /// Blocks the thread until the operation is done; gives it up at the deadline.
    #[cfg(feature = "std")]
    #[cold]
    #[inline(never)]
    fn park_thread(self, deadline: Option<Instant>) -> Polled {
        thread::park(Some(self), deadline);
        self.cancel()
    }

    /// As `finish`.
    ///
    /// # Safety
    ///
    /// The target with which it was to park is still in the waiter.
    #[inline(never)]
    unsafe fn finish_unparked(self, done: Done) -> Polled {
        self.end_record();
        // SAFETY: it is there, and ours.
        let unused = unsafe { self.waiter.take_target() }.into_waker();
        self.finish(done, unused)
    }

    /// A later poll of a send.
    #[inline(never)]
    fn poll_again(self, waker: &Waker) -> Polled {
        match self.state() {
            // codegen: most later polls find the message taken.
            State::Done => {
                self.end_record();
                self.waiter.set_state(State::Finished);
                Polled::Done
            }
            _ => self.poll(waker),
        }
    }

    /// A later poll, or the first of an operation without a fast path.
    #[inline(never)]
    fn poll(self, waker: &Waker) -> Polled {
        if self.state() == State::Parked {
            self.chan.replace_waker(self.waiter, waker);
        }
        match self.state() {
            // (If it was parked before, a forgotten select had left it so.)
            State::Idle => {
                self.end_record();
                self.start(waker)
            }
            State::Parked => Polled::Pending,
            State::Done | State::Closed => self.take_result(),
            State::Finished => panic!("{}", polled_again(self.waiter.kind())),
        }
    }

    /// As `poll`; says whether it is over. The result is left in the waiter, for `cancel` to take.
    #[cfg(feature = "std")]
    pub(crate) fn poll_in_place(self, waker: &Waker) -> bool {
        let state = match self.poll(waker) {
            Polled::Pending => return false,
            Polled::Done => State::Done,
            Polled::Closed => State::Closed,
        };
        self.waiter.set_state(state);
        true
    }

    /// Ends an operation that its owner has just done itself: tells the peers, and drops a waker cloned for parking that is left. If
    /// that panics, a message sent is sent, a message received goes back, and a permit is the waiter's.
    #[inline(always)]
    fn finish(self, done: Done, unused: Option<Waker>) -> Polled {
        let Self { chan, waiter } = self;
        match (waiter.kind(), waiter.state()) {
            (Kind::Send, State::Done) => {
                waiter.set_state(State::Finished);
                wake::run_and_drop(done.wake, unused);
                Polled::Done
            }
            (Kind::Recv, State::Done) => {
                // Idle until it is settled: the message is the channel's if that panics.
                waiter.set_state(State::Idle);
                // SAFETY: we own the waiter; a receive that is done has its message and its number.
                unsafe {
                    let received = Received {
                        seq: waiter.seq(),
                        wake: done.wake,
                        has_drained: done.has_drained,
                    };
                    chan.settle(received, waiter.slot(chan.message()), unused);
                }
                waiter.set_state(State::Finished);
                Polled::Done
            }
            _ => {
                // It may panic: the result is in the waiter.
                drop(unused);
                self.take_result()
            }
        }
    }

    /// Ends an operation that was completed. `Pending`: it was not, or that has been done before; nothing happens then.
    fn take_result(self) -> Polled {
        let polled = match self.state() {
            State::Done => Polled::Done,
            State::Closed => Polled::Closed,
            State::Parked => return Polled::Pending,
            State::Idle | State::Finished => {
                self.end_record();
                return Polled::Pending;
            }
        };
        self.end_record();
        if (polled, self.waiter.kind()) != (Polled::Closed, Kind::Send) {
            self.waiter.set_state(State::Finished);
        }
        polled
    }

    /// Stops waiting. `Pending`: nothing happened, and a send has its message.
    #[inline(never)]
    fn cancel(self) -> Polled {
        if self.state() == State::Parked {
            self.unpark();
        }
        self.take_result()
    }

    /// Stops waiting, and gives back what was given to it by a peer: a message, a permit. The operation is as new then, and a send
    /// has its message, if that was not taken. What it returns is to drop last, as that may panic.
    #[inline(never)]
    pub(crate) fn give_up(self) -> Option<QuietDrop<Waker>> {
        self.give_up_inlined()
    }

    // codegen: `abandon` has its own copy, as a receive that is dropped while it is parked goes there.
    #[inline(always)]
    fn give_up_inlined(self) -> Option<QuietDrop<Waker>> {
        let Self { chan, waiter } = self;
        let waker = chan.unpark(waiter).map(QuietDrop::new);
        self.end_record();
        let (kind, state) = (waiter.kind(), waiter.state());
        waiter.set_state(match (kind, state) {
            (Kind::Send, State::Done | State::Finished) => State::Finished,
            _ => State::Idle,
        });
        match (kind, state) {
            // SAFETY: we own the waiter, which was `Done`: the message is in it.
            (Kind::Recv, State::Done) => unsafe {
                chan.give_back(waiter.seq(), waiter.slot(chan.message()));
            },
            (Kind::Reserve, State::Done) => chan.release_permit(),
            _ => {}
        }
        waker
    }

    /// Ends an operation that is dropped.
    #[inline(never)]
    fn abandon(self) {
        let _waker = self.give_up_inlined();
        let Self { chan, waiter } = self;
        if waiter.kind() == Kind::Send && waiter.state() == State::Idle {
            waiter.set_state(State::Finished);
            let message = chan.message();
            // SAFETY: we own the waiter, and an idle send has its message.
            quietly(|| unsafe { message.drop_in(waiter.slot(message)) });
        }
    }
}

#[cold]
fn polled_again(kind: Kind) -> &'static str {
    match kind {
        Kind::Send => "a send was polled again after it had completed",
        Kind::Recv => "a receive was polled again after it had completed",
        Kind::Reserve => "a request for a permit was polled again after it had completed",
        Kind::Closed | Kind::Drained => {
            "a wait for a close was polled again after it had completed"
        }
    }
}
