//! What all handles of a channel share: its two ends behind their locks, and the handle counts.
//!
//! Every operation has the same shape here: lock, one transition of the [`core`](crate::core), unlock, then wake and
//! drop what the transition detached.

#[cfg(all(test, not(hchan_loom)))]
mod counters;
mod held;
mod many;
mod traffic;

use core::{
    fmt,
    mem::{self, ManuallyDrop},
    task::Waker,
};

use crate::{
    core::Core,
    end::{Ends, RecvEnd, SendEnd, Side},
    error::{TryRecvError, TrySendError},
    step::{RecvStep, ReserveStep, SendStep, Taken},
    sync::{Count, Guard, Rank},
    wake::{Panics, WakeBatch},
};

/// Up to this capacity nearly every operation needs both ends: such a channel is coupled. In a model two messages fill one
/// that is not.
const LARGEST_COUPLED: usize = if cfg!(hchan_loom) { 1 } else { 4 };

/// The senders' end as a fast way left it, locked; `None` if it was not tried.
pub(crate) type HeldSendEnd<'a, T> = Option<Guard<'a, SendEnd<T>>>;
/// The receivers' end as a fast way left it, locked; `None` if it was not tried.
pub(crate) type HeldRecvEnd<'a, T> = Option<Guard<'a, RecvEnd<T>>>;

pub(crate) struct Shared<T> {
    ends: Ends<T>,
    capacity: Option<usize>,
    rank: Rank,
    pub(crate) senders: Count,
    pub(crate) receivers: Count,
}

impl<T> Shared<T> {
    pub(crate) fn new(capacity: Option<usize>) -> Self {
        Self {
            ends: Ends::new(capacity, LARGEST_COUPLED),
            capacity,
            rank: Rank::new(),
            senders: Count::one(),
            receivers: Count::one(),
        }
    }

    /// In a coupled channel the receivers' lock stands for both, and the senders' lock is never taken.
    #[inline(always)]
    fn is_coupled(&self) -> bool {
        self.ends.is_coupled
    }

    /// Runs one transition with both ends locked. It must run no user code: what is to be woken or dropped leaves it.
    #[inline]
    pub(crate) fn locked<R>(&self, transition: impl FnOnce(&mut Core<'_, T>) -> R) -> R {
        self.locked_in_turn(|_| None, transition)
    }

    /// As `locked`, unless a look with the receivers' end locked is enough.
    #[inline]
    pub(crate) fn locked_in_turn<R>(
        &self,
        look: impl FnOnce(&mut RecvEnd<T>) -> Option<R>,
        transition: impl FnOnce(&mut Core<'_, T>) -> R,
    ) -> R {
        let mut recv_end = self.ends.recv.lock.lock();
        if let Some(result) = look(&mut recv_end) {
            return result;
        }
        let _held = (!self.is_coupled()).then(|| self.ends.send.lock.lock());
        // SAFETY: we hold the senders' lock, or the channel is coupled: then its senders' end is reached here and nowhere
        // else, with the receivers' lock held. The guard is not used.
        let send_end = unsafe { &mut *self.ends.send.lock.get() };
        transition(&mut Core::new(&mut recv_end, send_end, &self.ends))
    }

    /// Runs one transition with the receivers' end locked, as [`locked`](Self::locked) does with both.
    #[inline]
    pub(crate) fn recv_end_locked<R>(&self, transition: impl FnOnce(&mut RecvEnd<T>) -> R) -> R {
        transition(&mut self.ends.recv.lock.lock())
    }

    /// Sends the message that `take` gives if that can be done at once; else `take` is not called.
    #[inline]
    pub(crate) fn send(&self, mut take: impl FnMut() -> T) -> SendStep {
        match self.send_fast(&mut take) {
            Ok(()) => SendStep::Sent(None),
            Err(held) => self.send_rest(held, take),
        }
    }

    /// Sends into the ring if that is all there is to do, else leaves the rest, and the lock it holds, to `send_rest`.
    ///
    /// Apart, so that what is inlined into a caller is no more than this.
    #[inline(always)]
    pub(crate) fn send_fast(&self, take: impl FnOnce() -> T) -> Result<(), HeldSendEnd<'_, T>> {
        if self.is_coupled() || self.is_to_wait(Side::Send) {
            return Err(None);
        }
        let mut send_end = self.ends.send.lock.lock();
        match send_end.try_push(&self.ends, take) {
            true => Ok(()),
            false => Err(Some(send_end)),
        }
    }

    #[inline]
    pub(crate) fn send_rest(&self, held: HeldSendEnd<'_, T>, take: impl FnOnce() -> T) -> SendStep {
        let Some(mut send_end) = held else {
            return self.locked(|core| core.send(take));
        };
        if send_end.is_full() {
            return SendStep::Full;
        }
        // The wrong order, but who does not wait blocks nobody.
        if let Some(mut recv_end) = self.ends.recv.lock.try_lock() {
            return Core::new(&mut recv_end, &mut send_end, &self.ends).send(take);
        }
        drop(send_end);
        self.locked(|core| core.send(take))
    }

    /// Takes the oldest message, if there is one.
    ///
    /// Apart: within a select's arm it takes more instructions.
    #[inline(never)]
    pub(crate) fn recv(&self) -> RecvStep<T> {
        if self.is_coupled() {
            return self.recv_rest(None);
        }
        let mut recv_end = self.ends.recv.lock.lock();
        if !recv_end.can_take(&self.ends) {
            return self.recv_rest(Some(recv_end));
        }
        let seq = recv_end.number();
        // SAFETY: it was just found to be possible.
        unsafe {
            recv_end.take(&self.ends, |message| {
                RecvStep::Received(Taken::quietly(message, seq))
            })
        }
    }

    /// Receives from the ring, if that is all there is to do, what `make` makes of the message; else leaves it, and the lock that
    /// it holds, to `rest`. What is returned is made in its place: a large message is not moved once more on each floor.
    ///
    /// `make` is called under the lock. The message has no number: it is for a caller who returns it at once, so it cannot be
    /// given back.
    #[inline(always)]
    pub(crate) fn recv_fast<'a, R>(
        &'a self,
        make: impl FnOnce(T) -> R,
        rest: impl FnOnce(HeldRecvEnd<'a, T>) -> R,
    ) -> R {
        if self.is_coupled() {
            return rest(None);
        }
        let mut recv_end = self.ends.recv.lock.lock();
        if !recv_end.can_take(&self.ends) {
            return rest(Some(recv_end));
        }
        // SAFETY: it was just found to be possible.
        unsafe { recv_end.take(&self.ends, make) }
    }

    #[inline(never)]
    pub(crate) fn recv_rest(&self, held: HeldRecvEnd<'_, T>) -> RecvStep<T> {
        let Some(mut recv_end) = held else {
            return self.locked(|core| core.recv());
        };
        if let Some(step) = recv_end.step_if_empty() {
            return step;
        }
        let mut send_end = self.ends.send.lock.lock();
        Core::new(&mut recv_end, &mut send_end, &self.ends).recv()
    }

    /// How many sends could go ahead at once: none, if the channel is closed.
    pub(crate) fn room(&self) -> usize {
        self.locked(|core| match core.recv_end().is_closed() {
            true => 0,
            false => core.room(),
        })
    }

    /// Gives a permit out if there is room for one more message.
    pub(crate) fn reserve(&self) -> ReserveStep {
        if !self.is_coupled() && !self.is_to_wait(Side::Send) {
            let mut send_end = self.ends.send.lock.lock();
            if send_end.try_permit(&self.ends) {
                return ReserveStep::Reserved;
            }
        }
        self.locked(|core| core.reserve())
    }

    /// Sends the message that `take` gives with a permit, which is gone then; if the channel is closed `take` is not called.
    #[inline]
    pub(crate) fn send_permitted(&self, mut take: impl FnMut() -> T) -> SendStep {
        if !self.is_coupled() {
            let mut send_end = self.ends.send.lock.lock();
            if send_end.try_push_permitted(&self.ends, &mut take) {
                return SendStep::Sent(None);
            }
        }
        self.locked(|core| core.send_permitted(take))
    }

    /// Takes back a permit that was not used.
    pub(crate) fn release_permit(&self) {
        let mut wakes = WakeBatch::new();
        self.locked(|core| core.release_permit(&mut wakes));
        wakes.wake();
    }

    /// Locks both ends without a guard: for a select, which holds several channels.
    pub(crate) fn lock_by_hand(&self) {
        self.ends.recv.lock.lock_by_hand();
        if !self.is_coupled() {
            self.ends.send.lock.lock_by_hand();
        }
    }

    /// Where this channel stands in the order in which several are locked.
    pub(crate) fn rank(&self) -> usize {
        self.rank.of(self)
    }

    /// Runs one transition of a channel that is locked by hand, as [`locked`](Self::locked) does. What others can see is not
    /// brought up to date before it is unlocked: between two transitions the invariants need not hold.
    ///
    /// # Safety
    ///
    /// The caller has locked the channel by hand.
    pub(crate) unsafe fn locked_by_hand<R>(
        &self,
        transition: impl FnOnce(&mut Core<'_, T>) -> R,
    ) -> R {
        // SAFETY: the caller's promise; a transition runs no code but the core's.
        transition(&mut ManuallyDrop::new(unsafe { self.core_by_hand() }))
    }

    /// # Safety
    ///
    /// The caller has locked the channel by hand, and there is no other such core as long as this one is used.
    unsafe fn core_by_hand(&self) -> Core<'_, T> {
        // SAFETY: the caller holds both locks, or the one of a coupled channel. These are the only references to what they
        // guard.
        let (recv_end, send_end) = unsafe {
            (
                &mut *self.ends.recv.lock.get(),
                &mut *self.ends.send.lock.get(),
            )
        };
        Core::new(recv_end, send_end, &self.ends)
    }

    /// # Safety
    ///
    /// The caller has locked the channel by hand.
    pub(crate) unsafe fn unlock_by_hand(&self) {
        // SAFETY: the caller holds what `lock_by_hand` locked, and references last only for a transition.
        unsafe {
            drop(self.core_by_hand());
            if !self.is_coupled() {
                self.ends.send.lock.unlock_by_hand();
            }
            self.ends.recv.lock.unlock_by_hand();
        }
    }

    /// Whether an operation on that side had better prepare to wait before it takes a lock. A hint.
    #[inline]
    pub(crate) fn is_to_wait(&self, side: Side) -> bool {
        match side {
            Side::Send => self.ends.send.outlook.is_to_wait(),
            Side::Recv => self.ends.recv.outlook.is_to_wait(),
            Side::Close | Side::Drain => false,
        }
    }

    pub(crate) fn capacity(&self) -> Option<usize> {
        self.capacity
    }

    #[inline]
    pub(crate) fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let mut slot = Some(message);
        match self.send_fast(|| take(&mut slot)) {
            Ok(()) => Ok(()),
            Err(held) => self.try_send_rest(held, slot),
        }
    }

    #[inline(never)]
    fn try_send_rest(
        &self,
        held: HeldSendEnd<'_, T>,
        mut slot: Option<T>,
    ) -> Result<(), TrySendError<T>> {
        let mut step = self.send_rest(held, || take(&mut slot));
        if !self.is_coupled() && matches!(step, SendStep::Full) {
            // One end alone may see too late what the other did: two threads could find each that it came first. What the
            // caller is told is decided with both locks held.
            step = self.locked(|core| core.send(|| take(&mut slot)));
        }
        conclude(step, slot)
    }

    pub(crate) fn force_send(&self, message: T) -> Result<Option<T>, TrySendError<T>> {
        let mut slot = Some(message);
        let (step, evicted) = self.locked(|core| core.force_send(|| take(&mut slot)));
        conclude(step, slot).map(|()| evicted)
    }

    #[inline]
    pub(crate) fn try_recv(&self) -> Result<T, TryRecvError> {
        self.recv_fast(Ok, |held| self.try_recv_rest(held))
    }

    #[inline(never)]
    fn try_recv_rest(&self, held: HeldRecvEnd<'_, T>) -> Result<T, TryRecvError> {
        let mut step = self.recv_rest(held);
        if !self.is_coupled() && matches!(step, RecvStep::Empty) {
            // As in `try_send`.
            step = self.locked(|core| core.recv());
        }
        match step {
            RecvStep::Received(taken) => Ok(self.settle(taken, None)),
            RecvStep::ReceivedLast(taken) => Ok(self.settle_last(taken, None)),
            RecvStep::Empty => Err(TryRecvError::Empty),
            RecvStep::Closed => Err(TryRecvError::Closed),
        }
    }

    /// Closes the channel and completes all who are parked; says whether it was open.
    pub(crate) fn close(&self) -> bool {
        let (closed, is_awaited) = self.locked(|core| {
            let closed = core.close();
            (closed, closed && core.recv_end().is_closing_awaited())
        });
        if is_awaited {
            self.complete_closing();
        }
        closed
    }

    /// Whether what is waited for on that side, the close or the last message after it, has come.
    pub(crate) fn is_over(&self, side: Side) -> bool {
        self.locked(|core| core.is_over(side))
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.recv_end_locked(|recv_end| recv_end.is_closed())
    }

    pub(crate) fn len(&self) -> usize {
        self.locked(|core| core.len())
    }

    pub(crate) fn is_full(&self) -> bool {
        self.locked(|core| core.is_full())
    }

    /// How many sends could go ahead now; `None` if the channel is unbounded.
    pub(crate) fn bounded_room(&self) -> Option<usize> {
        self.capacity.map(|_| self.room())
    }

    /// How many permits are out.
    pub(crate) fn permits(&self) -> usize {
        self.locked(|core| core.permits())
    }

    pub(crate) fn waiting_senders(&self) -> usize {
        self.recv_end_locked(|recv_end| recv_end.waiting(Side::Send))
    }

    pub(crate) fn waiting_receivers(&self) -> usize {
        self.recv_end_locked(|recv_end| recv_end.waiting(Side::Recv))
    }

    /// Writes the state of the channel at one moment, as a handle of that name.
    pub(crate) fn fmt(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (closed, [len, permits, senders, receivers]) = self.locked(|core| {
            let counts = [
                core.len(),
                core.permits(),
                core.recv_end().waiting(Side::Send),
                core.recv_end().waiting(Side::Recv),
            ];
            (core.recv_end().is_closed(), counts)
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
            self.close();
        }
    }

    /// Counts a dropped receiver; the last one closes the channel and drops what is in it.
    pub(crate) fn drop_receiver(&self) {
        if self.receivers.remove() {
            let (is_awaited, is_empty) = self.locked(|core| {
                let is_awaited = core.close() && core.recv_end().is_closing_awaited();
                (is_awaited, core.len() == 0)
            });
            if is_awaited || !is_empty {
                self.clear(is_awaited);
            }
        }
    }

    /// Drops what is in a channel that is closed and has no receivers; before, if its close is awaited, tells who waits.
    #[cold]
    fn clear(&self, is_awaited: bool) {
        let mut is_over = is_awaited;
        let mut panics = Panics::default();
        panics.catch_each(|| {
            if mem::take(&mut is_over) {
                self.complete_closing();
                return true;
            }
            // Nobody else sends or receives any more, so these are all.
            let step = self.recv();
            is_over = matches!(step, RecvStep::ReceivedLast(_));
            // What was received drops with the step.
            matches!(step, RecvStep::Received(_) | RecvStep::ReceivedLast(_))
        });
        panics.resume();
    }

    /// Tells all those for whom the wait is over by the close, or by the last message after it; then the first panic of a
    /// waker goes on, if there was one.
    pub(crate) fn complete_closing(&self) {
        let mut panics = Panics::default();
        panics.catch_each(|| {
            let mut wakes = WakeBatch::new();
            self.recv_end_locked(|recv_end| recv_end.complete_closing(&mut wakes));
            let is_more = !wakes.is_empty();
            wakes.wake();
            is_more
        });
        panics.resume();
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: we have exclusive access. The last receiver has dropped the messages; if it was forgotten, so was this.
        unsafe { (*self.ends.recv.lock.get()).free(&self.ends.blocks) };
    }
}

#[inline]
fn take<T>(slot: &mut Option<T>) -> T {
    slot.take().expect("a message is sent once")
}

/// Wakes the receiver of a sent message, or returns the message that was not sent.
#[inline]
fn conclude<T>(step: SendStep, slot: Option<T>) -> Result<(), TrySendError<T>> {
    match (step, slot) {
        (SendStep::Sent(waker), _) => {
            wake(waker);
            Ok(())
        }
        (SendStep::Full, Some(message)) => Err(TrySendError::Full(message)),
        (SendStep::Closed, Some(message)) => Err(TrySendError::Closed(message)),
        (SendStep::Full | SendStep::Closed, None) => {
            unreachable!("a send that fails leaves its message")
        }
    }
}

#[inline]
pub(crate) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Wakes whom an operation completed, and drops a waker that it did not need, even if the wake panics.
#[inline]
pub(crate) fn wake_and_drop(waker: Option<Waker>, unused: Option<Waker>) {
    if unused.is_none() {
        return wake(waker);
    }
    let mut panics = Panics::default();
    panics.catch(|| wake(waker));
    panics.catch(|| drop(unused));
    panics.resume();
}
