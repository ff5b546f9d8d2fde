//! The operation of a waiter: done at once, parked, or unparked. Its result is left in the waiter, as a peer would leave it.

use core::{mem, ptr::NonNull, task::Waker};

use super::{
    Chan, LockedChan, Missed, RecvSide,
    outcome::{RecvOutcome, ReserveOutcome, SendOutcome},
};
use crate::{
    waiter::{Claim, Kind, State, WaiterRef, WakeTarget},
    wake::{Wake, WakeBatch},
};

/// An operation has been done; when no lock is held, its peers are to be told.
pub(crate) struct Done {
    /// Whom to wake.
    pub(crate) wake: Option<Wake>,
    /// Whether the waits for the last message of the closed channel are to be completed.
    pub(crate) has_drained: bool,
}

impl Done {
    /// No peer is to be told.
    pub(crate) const QUIETLY: Self = Self {
        wake: None,
        has_drained: false,
    };
}

/// Leaves the outcome of a send in its waiter.
#[inline(always)]
fn note_send(waiter: WaiterRef<'_>, outcome: SendOutcome) -> Option<Done> {
    let (state, wake) = match outcome {
        SendOutcome::Full => return None,
        SendOutcome::Closed => (State::Closed, None),
        SendOutcome::Sent(wake) => (State::Done, wake),
    };
    waiter.set_state(state);
    Some(Done {
        wake,
        has_drained: false,
    })
}

/// Leaves the outcome of a receive in its waiter; the message is in its slot.
///
/// # Safety
///
/// The caller owns the waiter, which is of a receive and `Idle`.
#[inline(always)]
unsafe fn note_recv(waiter: WaiterRef<'_>, outcome: RecvOutcome) -> Option<Done> {
    match outcome {
        RecvOutcome::Empty => None,
        RecvOutcome::Closed => {
            waiter.set_state(State::Closed);
            Some(Done::QUIETLY)
        }
        RecvOutcome::Received(received) => {
            // SAFETY: the caller's promise.
            unsafe { waiter.set_seq(received.seq) };
            waiter.set_state(State::Done);
            Some(Done {
                wake: received.wake,
                has_drained: received.has_drained,
            })
        }
    }
}

fn note_reserve(waiter: WaiterRef<'_>, outcome: ReserveOutcome) -> Option<Done> {
    waiter.set_state(match outcome {
        ReserveOutcome::Reserved => State::Done,
        ReserveOutcome::Full => return None,
        ReserveOutcome::Closed => State::Closed,
    });
    Some(Done::QUIETLY)
}

impl LockedChan<'_> {
    /// Does the operation if that can be done at once. `select`: the select that it is an arm of, if that may have parked other arms.
    ///
    /// # Safety
    ///
    /// The caller owns the waiter, which is `Idle` and of this channel.
    unsafe fn attempt(
        &mut self,
        waiter: WaiterRef<'_>,
        select: Option<NonNull<Claim>>,
    ) -> Option<Done> {
        let message = self.message();
        // SAFETY: an idle send has its message, and the slot of an idle receive is empty; both are the caller's.
        unsafe {
            match waiter.kind() {
                Kind::Send => note_send(waiter, self.send(waiter.slot(message))),
                Kind::Recv => note_recv(waiter, self.recv(waiter.slot(message))),
                Kind::Reserve => note_reserve(waiter, self.reserve(select)),
                Kind::Closed | Kind::Drained => self.is_over(waiter.kind()).then(|| {
                    waiter.set_state(State::Closed);
                    Done::QUIETLY
                }),
            }
        }
    }
}

impl Chan {
    /// Does the operation if that can be done at once, as far as can be seen.
    ///
    /// # Safety
    ///
    /// The caller owns the waiter, which is `Idle` and of this channel.
    pub(crate) unsafe fn attempt(&self, waiter: WaiterRef<'_>) -> Option<Done> {
        // SAFETY: the caller's promise.
        unsafe {
            match waiter.kind() {
                Kind::Recv => self.attempt_recv(waiter),
                Kind::Send => self.attempt_send(waiter),
                Kind::Reserve | Kind::Closed | Kind::Drained => self.attempt_bare(waiter),
            }
        }
    }

    /// # Safety
    ///
    /// As for `attempt`; it has no message.
    #[inline(never)]
    unsafe fn attempt_bare(&self, waiter: WaiterRef<'_>) -> Option<Done> {
        match waiter.kind() {
            Kind::Reserve => note_reserve(waiter, self.reserve()),
            // SAFETY: the caller's promise.
            _ => self.locked(|chan| unsafe { chan.attempt(waiter, None) }),
        }
    }

    /// # Safety
    ///
    /// As for `attempt`; it is a receive.
    #[inline(never)]
    unsafe fn attempt_recv(&self, waiter: WaiterRef<'_>) -> Option<Done> {
        let message = self.message();
        let mut recv = self.sides.recv.lock.lock();
        if self.is_single_lock() {
            // SAFETY: the caller's promise.
            return unsafe { self.attempt_recv_slow(Missed(Some(recv)), waiter) };
        }
        let Some(cell) = recv.next_unconcerned(&self.sides) else {
            if recv.is_empty() && !recv.is_closed() {
                return None;
            }
            // SAFETY: the caller's promise.
            return unsafe { self.attempt_recv_slow(Missed(Some(recv)), waiter) };
        };
        // SAFETY: it is the next; the slot of an idle receive is empty and, as the waiter, the caller's.
        unsafe {
            waiter.set_seq(recv.number());
            let to = waiter.slot(message);
            recv.take(cell, message, &self.sides, |from| {
                message.relocate(from, to)
            });
        }
        waiter.set_state(State::Done);
        Some(Done::QUIETLY)
    }

    /// As `attempt_recv`, with the receivers' lock held.
    ///
    /// # Safety
    ///
    /// As there.
    #[inline(never)]
    unsafe fn attempt_recv_slow(
        &self,
        missed: Missed<'_, RecvSide>,
        waiter: WaiterRef<'_>,
    ) -> Option<Done> {
        // SAFETY: as in `attempt_recv`.
        self.lock_both_after_recv(missed).run(|chan| unsafe {
            let outcome = chan.recv(waiter.slot(chan.message()));
            note_recv(waiter, outcome)
        })
    }

    /// # Safety
    ///
    /// As for `attempt`; it is a send.
    #[inline(never)]
    unsafe fn attempt_send(&self, waiter: WaiterRef<'_>) -> Option<Done> {
        // SAFETY: an idle send has its message, and its slot is the caller's.
        unsafe { note_send(waiter, self.send(waiter.slot(self.message()))) }
    }

    /// As `attempt`, of a channel that is locked by hand.
    ///
    /// # Safety
    ///
    /// As for `attempt`, and the caller has locked the channel by hand.
    pub(crate) unsafe fn attempt_locked(
        &self,
        waiter: WaiterRef<'_>,
        select: Option<NonNull<Claim>>,
    ) -> Option<Done> {
        // SAFETY: the caller's promise.
        unsafe { self.locked_by_hand(|chan| chan.attempt(waiter, select)) }
    }

    /// Does the operation, or parks it with that target: `None`. A select may have been marked instead. If it does not park, the
    /// target is left in the waiter.
    ///
    /// # Safety
    ///
    /// As for `attempt`; the waiter is not moved or freed while it is parked. If the target is a select, that is awake, and stays where
    /// it is while the operation is parked.
    #[inline(never)]
    pub(crate) unsafe fn attempt_or_park(
        &self,
        waiter: WaiterRef<'_>,
        target: WakeTarget,
    ) -> Option<Done> {
        // SAFETY: the caller's promise.
        unsafe {
            match waiter.kind() {
                Kind::Recv => self.recv_or_park(waiter, target),
                Kind::Send => self.send_or_park(waiter, target),
                Kind::Reserve | Kind::Closed | Kind::Drained => self.bare_or_park(waiter, target),
            }
        }
    }

    /// As `attempt_or_park`, of an operation without a message.
    ///
    /// # Safety
    ///
    /// As there.
    pub(crate) unsafe fn bare_or_park(
        &self,
        waiter: WaiterRef<'_>,
        target: WakeTarget,
    ) -> Option<Done> {
        // SAFETY: the caller's promise; the operation has just been found unable to proceed.
        self.locked(|chan| unsafe {
            waiter.put_target(target);
            let done = chan.attempt(waiter, waiter.select());
            if done.is_none() {
                chan.recv_side().park(waiter);
            }
            done
        })
    }

    /// As `attempt_or_park`, of a send.
    ///
    /// # Safety
    ///
    /// As there.
    #[inline(always)]
    pub(crate) unsafe fn send_or_park(
        &self,
        waiter: WaiterRef<'_>,
        target: WakeTarget,
    ) -> Option<Done> {
        // SAFETY: the caller's promise.
        unsafe { waiter.put_target(target) };
        let mut recv = self.sides.recv.lock.lock();
        if recv.must_send_wait() {
            // SAFETY: the caller's promise, and the send has just been found unable to proceed.
            unsafe { recv.park_send(waiter) };
            return None;
        }
        let mut both = self.lock_send_beside(recv);
        let mut chan = both.chan();
        // SAFETY: an idle send has its message, and its slot is the caller's.
        let done = unsafe { note_send(waiter, chan.send(waiter.slot(chan.message()))) };
        if done.is_some() {
            chan.publish();
            return done;
        }
        // SAFETY: the caller's promise, and the send has just been found unable to proceed.
        unsafe { chan.recv_side().park_send(waiter) };
        chan.publish_parked_send();
        None
    }

    /// As `attempt_or_park`, of a receive.
    ///
    /// # Safety
    ///
    /// As there.
    #[inline(always)]
    pub(crate) unsafe fn recv_or_park(
        &self,
        waiter: WaiterRef<'_>,
        target: WakeTarget,
    ) -> Option<Done> {
        // SAFETY: the caller's promise.
        unsafe { waiter.put_target(target) };
        let mut both = self.lock_both();
        let mut chan = both.chan();
        // SAFETY: the slot of an idle receive is empty and the caller's.
        let done = unsafe { note_recv(waiter, chan.recv(waiter.slot(chan.message()))) };
        if done.is_some() {
            chan.publish();
            return done;
        }
        if chan.has_senders() {
            chan.publish();
            drop(both);
            // SAFETY: the caller's promise; it has its target.
            return unsafe { self.recv_or_park_beside_senders(waiter) };
        }
        // SAFETY: the caller's promise, and the channel has just been found empty.
        unsafe { chan.recv_side().park_recv(waiter) };
        chan.publish_parked_recv();
        None
    }

    /// As `recv_or_park`, of a receive that has its target; lets those go ahead to whom the parked receive gives room. A select is
    /// marked instead of parking: for nobody can claim it yet.
    ///
    /// # Safety
    ///
    /// As there.
    #[cold]
    #[inline(never)]
    unsafe fn recv_or_park_beside_senders(&self, waiter: WaiterRef<'_>) -> Option<Done> {
        let mut wakes = WakeBatch::new();
        // SAFETY: the caller's promise; the receive has its target, and a select is there and its owner, which is awake, calls.
        let done = self.locked(|chan| unsafe {
            let done = chan.attempt(waiter, None);
            if done.is_none() {
                match waiter.select() {
                    Some(select) => select.as_ref().mark(),
                    None => {
                        chan.recv_side().park(waiter);
                        chan.promote_waiters(&mut wakes);
                    }
                }
            }
            done
        });
        wakes.run();
        done
    }

    /// Parks the operation of a channel that is locked by hand.
    ///
    /// # Safety
    ///
    /// As for `attempt_or_park`; the caller has locked the channel by hand, and has found since that the operation cannot be done.
    pub(crate) unsafe fn park_locked(&self, waiter: WaiterRef<'_>, target: WakeTarget) {
        // SAFETY: the caller's promise.
        unsafe {
            waiter.put_target(target);
            self.locked_by_hand(|chan| chan.recv_side().park(waiter));
        }
    }

    /// Lets those go ahead to whom a parked receive gives room, and adds whom to wake when no lock is held.
    ///
    /// # Safety
    ///
    /// The caller has locked the channel by hand.
    pub(crate) unsafe fn promote_locked(&self, wakes: &mut WakeBatch) {
        // SAFETY: the caller's promise.
        unsafe { self.locked_by_hand(|chan| chan.promote_waiters(wakes)) };
    }

    /// Unparks a waiter of this channel, if it is parked and no peer has completed it, and returns its waker, to be dropped. Where
    /// a peer is at it, waits for the lock that the peer holds.
    ///
    /// For the owner of the waiter.
    #[inline(always)]
    pub(crate) fn unpark(&self, waiter: WaiterRef<'_>) -> Option<Waker> {
        if waiter.state() != State::Parked {
            return None;
        }
        let mut recv = self.sides.recv.lock.lock();
        // SAFETY: we hold the lock; it is still parked, on this channel.
        let target = (waiter.state() == State::Parked).then(|| unsafe { recv.unpark(waiter) });
        target?.into_waker()
    }

    /// Unparks a waiter of this channel, if it is parked as the arm of a select and no peer has completed it.
    ///
    /// For the owner of the waiter.
    #[inline(always)]
    pub(crate) fn leave_select(&self, waiter: WaiterRef<'_>) {
        if waiter.state() == State::Parked {
            self.leave_select_locked(waiter);
        }
    }

    #[inline(never)]
    fn leave_select_locked(&self, waiter: WaiterRef<'_>) {
        self.recv_side_locked(|recv| {
            // SAFETY: we hold the lock, so a parked waiter's contents are ours, and it is parked on this channel. The target is a
            // pointer: to drop it is nothing.
            unsafe {
                if waiter.state() == State::Parked && waiter.select().is_some() {
                    recv.unpark(waiter);
                }
            }
        });
    }

    /// Makes `waker` the one that a parked waiter wakes, unless a peer completes it meanwhile. One that a forgotten select has
    /// left parked is unparked.
    ///
    /// For the owner of the waiter, which is of this channel.
    #[inline(never)]
    pub(crate) fn replace_waker(&self, waiter: WaiterRef<'_>, waker: &Waker) {
        let is_current = self.recv_side_locked(|_| {
            // SAFETY: we hold the lock and the waiter is parked, so its contents are ours and it has a target.
            waiter.state() != State::Parked || unsafe { waiter.will_wake(waker) }
        });
        if is_current {
            return;
        }
        self.probe.move_to(waiter.tag(), waker);
        // Cloned before the lock; what is in it after the lock, the old target or an unused clone, drops here.
        let mut target = WakeTarget::Task(waker.clone());
        let _unparked = self.recv_side_locked(|recv| {
            if waiter.state() != State::Parked {
                return None;
            }
            // SAFETY: as above, and a parked waiter is in its queue. What is put in takes the place of what was taken.
            unsafe {
                if waiter.select().is_some() {
                    return Some(recv.unpark(waiter));
                }
                let old = waiter.take_target();
                waiter.put_target(mem::replace(&mut target, old));
            }
            None
        });
    }
}
