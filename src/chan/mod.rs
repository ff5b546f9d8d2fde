//! The channel: Go's `hchan`.
//!
//! Nothing here knows the type of the messages: they are moved from slot to slot as the channel's [`Message`] says. Only
//! [`TypedChan`] knows it, the brand that handles and futures hold; its fast paths into and out of the ring are compiled for it.
//!
//! A channel has two sides, each behind a lock of its own, so that senders and receivers meet as rarely as they can. A send
//! into the ring needs the senders' lock alone ([`SendSide::try_push`]), a receive from it the receivers' lock alone
//! ([`RecvSide::take`]). Everything else needs both, locked in this order: the receivers' lock, then the senders'. It is written in
//! terms of [`LockedChan`], which stands for both locks held; only to leave a queue, to queue up behind other senders, or to
//! give a message back, the receivers' lock is enough, which guards the queues.
//!
//! No user code runs under a lock: a transition returns the wakes that it owes, and its caller runs them after unlocking. So every
//! operation has the same shape: lock, one transition, unlock, wake.
//!
//! A **permit** is the right to one send that cannot wait. One rule covers every capacity: there is room while the places and
//! the parked receivers are more than the messages (but for those given back) and the permits out. Sends and requests for a
//! permit go ahead only while there is room, in the order in which they came. A message sent with a permit goes to
//! the oldest parked receiver or behind all others; where the permit counted on a receiver that has left, to the `overflow` beyond
//! the ring.
//!
//! Whenever both locks are free (debug builds check before they unlock):
//!
//! 1. Messages in the channel (given back, in the ring, beyond it) ⇒ no receiver is parked.
//! 2. The channel is open and there is room ⇒ nobody is in `sendq`, but for arms of a select that is alone in `recvq`, where
//!    only these give the room: a select never pairs with itself.
//! 3. So without permits, senders and receivers are never parked at the same time, but for those arms.
//! 4. The ring holds at most `capacity` messages, and as many if there are some beyond it.
//! 5. A closed channel has nobody in `sendq`, `recvq` or `closeq`, and nobody in `drainq` unless messages are left; an open one
//!    has nobody in `closing`.
//! 6. Every linked waiter is alive, pinned, `Parked`, of this channel, and has a wake target. A waiter that is not `Parked` is not
//!    linked.
//! 7. The given-back messages left the channel before every message of the ring would: in the order of their sequence
//!    numbers, then of the ring, then of those beyond, the messages of a channel are in the order in which their sends entered it.
//! 8. If the channel is closed or a receiver is parked, `SendSide::slow` says so. (It may say so without need.)
//! 9. If messages were given back or are beyond the ring, or somebody waits for the last message of a closed channel,
//!    `RecvSide::has_side_queue` says so; if that is so or a sender is parked, `RecvSide::slow` does. (They may say so without need.)
//! 10. Every slot that can be reached from a channel, in its ring, its waiters, its boxes, is a `Slot<T>` of the `T` that the
//!     channel was made for; only [`TypedChan`] makes one, and gives it slots.
//!
//! A small channel has a *single lock*: nearly every operation of it needs both sides, so the receivers' lock stands for both, there
//! are no ways with one lock, and nobody asks for `slow`.
//!
//! The ways with one lock keep the invariants: `try_push` acts only while no receiver is parked, by (8), and `take` only while no
//! sender is, by (9); and an operation that parks has looked at the ring with both locks held, or found others parked before it,
//! so no message and no room can have come unseen. That a receiver is parked and that the channel is closed is exact at either side.
//! "Full" and "empty" are not: what one side sees of what the other did may be old, and two threads could each find that it came
//! first. So they only send an operation on to where it looks again with both locks held.
//!
//! `tests/spin/chan.pml` has this protocol on one page, as a model that a checker runs through every interleaving.

mod attempt;
#[cfg(all(test, not(hchan_loom)))]
mod counters;
#[cfg(feature = "inspect")]
mod gauges;
mod invariants;
mod many;
mod outcome;
mod promote;
mod returned;
mod settle;
mod state;
#[cfg(feature = "std")]
mod traffic;
mod transition;
mod typed;

pub(crate) use attempt::Done;
pub(crate) use outcome::{Received, ReserveOutcome, SendOutcome};
pub(crate) use state::{RecvSide, SendSide};
#[cfg(all(test, feature = "std", not(hchan_loom)))]
pub(crate) use traffic::FakeTarget;
#[cfg(feature = "std")]
pub(crate) use traffic::SpinTarget;
pub(crate) use typed::{SharedChan, TypedChan};

use core::{fmt, mem};

use crate::{
    error::{TryRecvError, TrySendError},
    probe,
    slot::{Message, RawSlot},
    sync::{Count, Guard, LockOrder},
    tuning::LARGEST_SINGLE_LOCK,
    waiter::Kind,
    wake::{self, Panics, WakeBatch},
};
use outcome::{ForceOutcome, RecvOutcome};
use state::Sides;
use transition::LockedChan;

/// What all handles of a channel share: its sides behind their locks, and the handle counts.
///
/// Its methods move messages between slots. A slot that one of them is given is of the channel's message type (10) and the caller's
/// alone: that is the caller's part of every `# Safety` here, beside what the method says of its being full or empty.
pub(crate) struct Chan {
    sides: Sides,
    capacity: Option<usize>,
    rank: LockOrder,
    pub(crate) senders: Count,
    pub(crate) receivers: Count,
    /// What `inspect` knows of the channel.
    pub(crate) probe: probe::Channel,
}

/// What a fast path leaves to the slow path: the lock that it took, if it took one.
pub(crate) struct Missed<'a, S>(Option<Guard<'a, S>>);

impl<S> Missed<'_, S> {
    /// There was no fast path.
    pub(crate) const NOT_TRIED: Self = Self(None);

    /// Whether the fast path has looked at the channel.
    pub(crate) fn has_looked(&self) -> bool {
        self.0.is_some()
    }
}

impl Missed<'_, SendSide> {
    /// Whether the fast path has found that there is no room.
    pub(crate) fn must_wait(&self) -> bool {
        self.0.as_ref().is_some_and(|send| send.is_full())
    }
}

impl Missed<'_, RecvSide> {
    /// Whether the fast path has found that there is no message, and the channel is open.
    pub(crate) fn must_wait(&self) -> bool {
        (self.0.as_ref()).is_some_and(|recv| recv.is_empty() && !recv.is_closed())
    }
}

/// Both locks of a channel, held. They are released in the order of the fields.
struct Both<'c> {
    /// `None`: the channel has a single lock.
    send: Option<Guard<'c, SendSide>>,
    recv: Guard<'c, RecvSide>,
    sides: &'c Sides,
}

impl Both<'_> {
    /// For one transition, after which [`LockedChan::publish`] comes. It must run no user code: what is to be woken or dropped leaves
    /// it.
    // codegen: `run` would do, but a closure that is called in several places is compiled as a function, to which all goes through
    // memory.
    #[inline(always)]
    fn chan(&mut self) -> LockedChan<'_> {
        debug_assert_eq!(self.send.is_none(), self.sides.is_single_lock);
        // SAFETY: we hold the senders' lock, or the channel has a single one: then its senders' side is reached here and nowhere
        // else, with the receivers' lock held. The guard is not used.
        let send = unsafe { &mut *self.sides.send.lock.get() };
        LockedChan::new(&mut self.recv, send, self.sides)
    }

    /// Runs one transition and unlocks.
    #[inline(always)]
    fn run<R>(mut self, transition: impl FnOnce(&mut LockedChan<'_>) -> R) -> R {
        let mut chan = self.chan();
        let result = transition(&mut chan);
        chan.publish();
        result
    }
}

impl Chan {
    fn new(message: &'static Message, capacity: Option<usize>, probe: probe::Channel) -> Self {
        Self {
            sides: Sides::new(message, capacity, LARGEST_SINGLE_LOCK),
            capacity,
            rank: LockOrder::new(),
            senders: Count::one(),
            receivers: Count::one(),
            probe,
        }
    }

    #[inline(always)]
    pub(crate) fn message(&self) -> &'static Message {
        self.sides.message
    }

    /// Whether the receivers' lock stands for both, and the senders' lock is never taken.
    #[inline(always)]
    fn is_single_lock(&self) -> bool {
        self.sides.is_single_lock
    }

    /// Runs one transition with both sides locked, as [`Both::run`] does.
    #[inline(always)]
    pub(crate) fn locked<R>(&self, transition: impl FnOnce(&mut LockedChan<'_>) -> R) -> R {
        self.lock_both().run(transition)
    }

    #[inline(always)]
    fn lock_both(&self) -> Both<'_> {
        let recv = self.sides.recv.lock.lock();
        self.lock_send_beside(recv)
    }

    /// Both locks, after a fast path of a receive.
    #[inline(always)]
    fn lock_both_after_recv<'c>(&'c self, missed: Missed<'c, RecvSide>) -> Both<'c> {
        let recv = match missed.0 {
            Some(recv) => recv,
            None => self.sides.recv.lock.lock(),
        };
        self.lock_send_beside(recv)
    }

    #[inline(always)]
    fn lock_send_beside<'c>(&'c self, recv: Guard<'c, RecvSide>) -> Both<'c> {
        Both {
            send: self.lock_send(),
            recv,
            sides: &self.sides,
        }
    }

    /// The senders' lock, if the channel has one of its own.
    #[inline(always)]
    fn lock_send(&self) -> Option<Guard<'_, SendSide>> {
        (!self.is_single_lock()).then(|| self.sides.send.lock.lock())
    }

    /// Runs one transition with the receivers' side locked, as [`locked`](Self::locked) does with both.
    #[inline(always)]
    fn recv_side_locked<R>(&self, transition: impl FnOnce(&mut RecvSide) -> R) -> R {
        transition(&mut self.sides.recv.lock.lock())
    }

    /// Sends a message if that can be done at once: then it has left its slot. "Full" may be out of date where there are two locks.
    ///
    /// # Safety
    ///
    /// A message is in `from`.
    #[inline(always)]
    unsafe fn send(&self, from: RawSlot) -> SendOutcome {
        if !self.sides.send.hint.allows_fast_path() {
            // SAFETY: the caller's promise.
            return self.lock_both().run(|chan| unsafe { chan.send(from) });
        }
        let message = self.message();
        let mut send = self.sides.send.lock.lock();
        // SAFETY: the caller's promise, and the ring gives an empty slot.
        let put = |to| unsafe { message.relocate(from, to) };
        // SAFETY: as above.
        if unsafe { send.try_push(message, &self.sides, put) } {
            return SendOutcome::Sent(None);
        }
        let missed = Missed(Some(send));
        if missed.must_wait() {
            return SendOutcome::Full;
        }
        let both = self.lock_both_after_send(missed);
        // SAFETY: the caller's promise.
        both.run(|chan| unsafe { chan.send(from) })
    }

    /// Both locks, after a fast path of a send.
    #[inline(always)]
    fn lock_both_after_send<'c>(&'c self, missed: Missed<'c, SendSide>) -> Both<'c> {
        let Missed(send) = missed;
        // The wrong order, but a thread that does not wait blocks nobody.
        let (recv, send) = match (&send, self.sides.recv.lock.try_lock()) {
            (Some(_), Some(recv)) => (recv, send),
            (None, Some(recv)) => (recv, self.lock_send()),
            (_, None) => {
                drop(send);
                (self.sides.recv.lock.lock(), self.lock_send())
            }
        };
        Both {
            send,
            recv,
            sides: &self.sides,
        }
    }

    /// Sends a message if that can be done at once, after a fast path, and wakes the receiver that gets it. On an error the message
    /// is still in its slot.
    ///
    /// One side alone may see too late what the other did: two threads could find each that it came first. This decides with both
    /// locks held.
    ///
    /// # Safety
    ///
    /// A message is in `from`.
    #[inline(never)]
    pub(crate) unsafe fn send_slow(
        &self,
        missed: Missed<'_, SendSide>,
        from: RawSlot,
    ) -> Result<(), TrySendError<()>> {
        let mut both = self.lock_both_after_send(missed);
        let mut chan = both.chan();
        // SAFETY: the caller's promise.
        let outcome = unsafe { chan.send(from) };
        chan.publish_send(&outcome);
        drop(both);
        match outcome {
            SendOutcome::Sent(wake) => {
                wake::run(wake);
                Ok(())
            }
            SendOutcome::Full => Err(TrySendError::Full(())),
            SendOutcome::Closed => Err(TrySendError::Closed(())),
        }
    }

    /// Takes the oldest message, after a fast path, and wakes the sender that can go ahead by that; if that panics the message goes
    /// back. As `send_slow`, it decides with both locks held.
    ///
    /// # Safety
    ///
    /// No message is in `to`. There is one after `Ok`.
    #[inline(never)]
    pub(crate) unsafe fn recv_slow(
        &self,
        missed: Missed<'_, RecvSide>,
        to: RawSlot,
    ) -> Result<(), TryRecvError> {
        let mut both = self.lock_both_after_recv(missed);
        if both.recv.has_side_queue {
            // SAFETY: the caller's promise.
            return unsafe { self.recv_beside_ring(both, to) };
        }
        // SAFETY: the caller's promise.
        unsafe {
            let mut chan = both.chan();
            let outcome = chan.recv_from_ring(to);
            chan.publish_recv(&outcome);
            drop(both);
            self.received(outcome, to)
        }
    }

    /// As `recv_slow`, where messages may be elsewhere than in the ring.
    ///
    /// # Safety
    ///
    /// As for `recv_slow`.
    // codegen: apart, as it returns what it has received through memory.
    #[cold]
    #[inline(never)]
    unsafe fn recv_beside_ring(&self, both: Both<'_>, to: RawSlot) -> Result<(), TryRecvError> {
        // SAFETY: the caller's promise.
        unsafe {
            let outcome = both.run(|chan| chan.recv(to));
            self.received(outcome, to)
        }
    }

    /// Settles a receive whose message is in the slot, if it has got one.
    ///
    /// # Safety
    ///
    /// As for `settle`, after `Received`.
    #[inline(always)]
    unsafe fn received(&self, outcome: RecvOutcome, to: RawSlot) -> Result<(), TryRecvError> {
        match outcome {
            RecvOutcome::Received(received) => {
                // SAFETY: the message that was received is in its slot.
                unsafe { self.settle(received, to, None) };
                Ok(())
            }
            RecvOutcome::Empty => Err(TryRecvError::Empty),
            RecvOutcome::Closed => Err(TryRecvError::Closed),
        }
    }

    /// Sends a message, evicting the oldest if there is no room. On an error the message is still in its slot; `true`: the evicted
    /// message is in the slot for it.
    ///
    /// # Safety
    ///
    /// A message is in `from`, and none in `evicted`.
    unsafe fn force_send(&self, from: RawSlot, evicted: RawSlot) -> Result<bool, TrySendError<()>> {
        // SAFETY: the caller's promise.
        match self.locked(|chan| unsafe { chan.force_send(from, evicted) }) {
            ForceOutcome::Sent(wake) => {
                wake::run(wake);
                Ok(false)
            }
            ForceOutcome::Evicted => {
                self.probe.evicted();
                Ok(true)
            }
            ForceOutcome::Full => Err(TrySendError::Full(())),
            ForceOutcome::Closed => Err(TrySendError::Closed(())),
        }
    }

    /// How many sends could go ahead at once: none, if the channel is closed.
    pub(crate) fn room(&self) -> usize {
        self.locked(|chan| match chan.recv_side().is_closed() {
            true => 0,
            false => chan.room(),
        })
    }

    /// How many sends could go ahead now; `None` if the channel is unbounded.
    pub(crate) fn bounded_room(&self) -> Option<usize> {
        self.capacity.map(|_| self.room())
    }

    /// How many permits are out.
    pub(crate) fn permits(&self) -> usize {
        self.locked(|chan| chan.permits())
    }

    /// Gives a permit out if there is room for one more message.
    #[inline(always)]
    pub(crate) fn reserve(&self) -> ReserveOutcome {
        if self.sides.send.hint.allows_fast_path() {
            let mut send = self.sides.send.lock.lock();
            if send.try_permit(&self.sides) {
                return ReserveOutcome::Reserved;
            }
        }
        self.reserve_slow()
    }

    #[inline(never)]
    fn reserve_slow(&self) -> ReserveOutcome {
        self.locked(|chan| chan.reserve(None))
    }

    /// Sends a message with a permit, which is gone then, where that needs both locks; says whether the channel was open. If not, the
    /// message is still in its slot.
    ///
    /// # Safety
    ///
    /// A message is in `from`.
    #[inline(never)]
    unsafe fn send_permitted(&self, from: RawSlot) -> bool {
        // SAFETY: the caller's promise.
        match self.locked(|chan| unsafe { chan.send_permitted(from) }) {
            SendOutcome::Sent(wake) => {
                wake::run(wake);
                true
            }
            SendOutcome::Full | SendOutcome::Closed => false,
        }
    }

    /// Takes back a permit that was not used.
    pub(crate) fn release_permit(&self) {
        let mut wakes = WakeBatch::new();
        self.locked(|chan| chan.release_permit(&mut wakes));
        wakes.run();
    }

    /// Locks both sides without a guard: for a select, which holds several channels.
    pub(crate) fn lock_by_hand(&self) {
        self.sides.recv.lock.lock_by_hand();
        if !self.is_single_lock() {
            self.sides.send.lock.lock_by_hand();
        }
    }

    /// Where this channel stands in the order in which several are locked.
    pub(crate) fn rank(&self) -> usize {
        self.rank.of(self)
    }

    /// Runs one transition of a channel that is locked by hand. What others can see is brought up to date only when it is unlocked:
    /// between two transitions the invariants need not hold.
    ///
    /// # Safety
    ///
    /// The caller has locked the channel by hand.
    unsafe fn locked_by_hand<R>(&self, transition: impl FnOnce(&mut LockedChan<'_>) -> R) -> R {
        // SAFETY: the caller's promise; a transition runs no code but the channel's.
        transition(&mut unsafe { self.by_hand() })
    }

    /// # Safety
    ///
    /// The caller has locked the channel by hand, and there is no other such value as long as this one is used.
    unsafe fn by_hand(&self) -> LockedChan<'_> {
        // SAFETY: the caller holds both locks, or the single one. These are the only references to what they guard.
        let (recv, send) = unsafe {
            (
                &mut *self.sides.recv.lock.get(),
                &mut *self.sides.send.lock.get(),
            )
        };
        LockedChan::new(recv, send, &self.sides)
    }

    /// # Safety
    ///
    /// The caller has locked the channel by hand.
    pub(crate) unsafe fn unlock_by_hand(&self) {
        // SAFETY: the caller holds what `lock_by_hand` locked, and references last only for a transition.
        unsafe {
            self.by_hand().publish();
            if !self.is_single_lock() {
                self.sides.send.lock.unlock_by_hand();
            }
            self.sides.recv.lock.unlock_by_hand();
        }
    }

    /// Whether an operation had better prepare to wait before it takes a lock. A hint.
    #[inline(always)]
    pub(crate) fn would_block(&self, kind: Kind) -> bool {
        match kind {
            Kind::Send | Kind::Reserve => self.sides.send.hint.would_block(),
            Kind::Recv => self.sides.recv.hint.would_block(),
            Kind::Closed | Kind::Drained => false,
        }
    }

    #[inline(always)]
    pub(crate) fn capacity(&self) -> Option<usize> {
        self.capacity
    }

    /// Closes the channel and completes all that are parked; says whether it was open.
    pub(crate) fn close(&self) -> bool {
        let (closed, is_awaited) = self.locked(|chan| {
            let closed = chan.close();
            (closed, closed && chan.recv_side().is_closing_awaited())
        });
        if is_awaited {
            self.complete_closing();
        }
        closed
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.recv_side_locked(|recv| recv.is_closed())
    }

    pub(crate) fn len(&self) -> usize {
        self.locked(|chan| chan.len())
    }

    pub(crate) fn is_full(&self) -> bool {
        self.locked(|chan| chan.is_full())
    }

    pub(crate) fn waiting_senders(&self) -> usize {
        self.recv_side_locked(|recv| recv.sendq.len())
    }

    pub(crate) fn waiting_receivers(&self) -> usize {
        self.recv_side_locked(|recv| recv.recvq.len())
    }

    /// Writes the state of the channel at one moment, as a handle of that name.
    pub(crate) fn fmt(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (closed, [len, permits, senders, receivers]) = self.locked(|chan| {
            let [len, permits] = [chan.len(), chan.permits()];
            let recv = chan.recv_side();
            let counts = [len, permits, recv.sendq.len(), recv.recvq.len()];
            (recv.is_closed(), counts)
        });
        f.debug_struct(name)
            .field("len", &len)
            .field("capacity", &self.capacity)
            .field("closed", &closed)
            .field("permits", &permits)
            .field("waiting_senders", &senders)
            .field("waiting_receivers", &receivers)
            .finish_non_exhaustive()
    }

    /// Counts a dropped sender; the last one closes the channel.
    pub(crate) fn drop_sender(&self) {
        if self.senders.remove() {
            self.probe.detach_side();
            self.close();
        }
    }

    /// Counts a dropped receiver; the last one closes the channel. Returns whether there is something left to `clear`, and whether
    /// the close is awaited.
    fn drop_receiver(&self) -> (bool, bool) {
        if !self.receivers.remove() {
            return (false, false);
        }
        self.probe.detach_side();
        self.locked(|chan| {
            let is_awaited = chan.close() && chan.recv_side().is_closing_awaited();
            (is_awaited || chan.len() > 0, is_awaited)
        })
    }

    /// Drops what is in a channel that is closed and has no receivers; before that, if its close is awaited, completes those waits.
    ///
    /// # Safety
    ///
    /// No message is in `place`.
    unsafe fn clear(&self, is_awaited: bool, place: RawSlot) {
        let mut is_over = is_awaited;
        let mut panics = Panics::default();
        panics.catch_each(|| {
            if mem::take(&mut is_over) {
                self.complete_closing();
                return true;
            }
            // Nobody else sends or receives any more, so these are all.
            // SAFETY: a message that was received is dropped before the next is.
            match self.locked(|chan| unsafe { chan.recv(place) }) {
                RecvOutcome::Received(received) => {
                    is_over = received.has_drained;
                    // SAFETY: it was received, and is dropped once.
                    unsafe { self.message().drop_in(place) };
                    true
                }
                RecvOutcome::Empty | RecvOutcome::Closed => false,
            }
        });
        panics.resume();
    }

    /// Completes all operations that the close has ended, or the last message after it; then the first panic of a waker goes on, if
    /// there was one.
    pub(crate) fn complete_closing(&self) {
        let mut panics = Panics::default();
        panics.catch_each(|| {
            let mut wakes = WakeBatch::new();
            self.recv_side_locked(|recv| recv.complete_closing(&mut wakes));
            let is_more = !wakes.is_empty();
            wakes.run();
            is_more
        });
        panics.resume();
    }
}

impl Drop for Chan {
    fn drop(&mut self) {
        // SAFETY: we have exclusive access. The last receiver has dropped the messages; if it was forgotten, so was this.
        unsafe { (*self.sides.recv.lock.get()).free(&self.sides.blocks) };
    }
}
