//! The channel itself, after Go's `hchan`: what each operation does, decided in one critical section.
//!
//! A channel has two ends, each behind a lock of its own, so that senders and receivers meet as rarely as they can. A send
//! into the buffer needs the senders' end alone ([`SendEnd::try_push`]), a receive from it the receivers' end alone
//! ([`RecvEnd::take`]). Everything else needs both, locked in this order: the receivers' end, then the senders' end.
//! It is written in terms of [`Core`], which stands for both locks held; only to leave a queue, to queue up behind other
//! senders, or to give a message back, the receivers' lock is enough, which guards the queues.
//!
//! Everything here runs under a lock and none of it runs user code: a transition returns the waker it detached, and
//! [`shared`](crate::shared) wakes it after unlocking. Nor does anything here unwind: an allocation that fails
//! [ends the program](crate::no_unwind), so a waiter that has left its queue is completed or back in it when the lock is free.
//!
//! What handles a message on the short ways is inlined only where that is optimized: else each would add copies of the message to its
//! caller's frame, and a large one would overflow the stack.
//!
//! A **permit** is the right to one send that cannot wait. One rule covers every capacity: there is room while the places and
//! the parked receivers are more than the messages (but for those given back) and the permits out. Sends and requests for a
//! permit go ahead only while there is room, in the order in which they came. A message sent with a permit goes to
//! the oldest parked receiver or behind all others; where the permit counted on a receiver who has left, `beyond` the ring.
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
//! 6. Every linked waiter is alive, pinned, `Parked` and has a handle. A waiter that is not `Parked` is not linked.
//! 7. The given-back messages left the channel before every message of the ring would: in the order of their sequence
//!    numbers, then of the ring, then of those beyond, the messages of a channel are in the order in which their sends entered it.
//! 8. If the channel is closed or a receiver is parked, `SendEnd::slow` says so. (It may say so in vain.)
//! 9. If messages were given back or are beyond the ring, or somebody waits for the last message of a closed channel,
//!    `RecvEnd::irregular` says so; if that is so or a sender is parked, `RecvEnd::slow` does. (They may say so in vain.)
//!
//! A small channel is *coupled*: nearly every operation of it needs both ends, so the receivers' lock stands for both, there are no
//! ways with one lock, and nobody asks for `slow`.
//!
//! The ways with one lock keep them: `try_push` acts only while no receiver is parked, by (8), and `take` only while no
//! sender is, by (9); and who parks has looked at the ring with both locks held, or found others parked before it, so no message and
//! no room can have come unseen. That a receiver is parked and that the channel is closed is exact at either end. "Full" and
//! "empty" are not: what one end sees of what the other did may be old, and two threads could each find that it came
//! first. So they only send an operation on to where it looks again with both locks held.

mod invariants;
mod serve;

use alloc::{collections::VecDeque, vec::Vec};
use core::{mem::ManuallyDrop, ptr::NonNull, task::Waker};

use crate::{
    end::{Ends, RecvEnd, SendEnd, Side},
    error::TryRecvError,
    no_unwind::no_unwind,
    numbers::Numbers,
    queue::{dequeue, dequeue_first, dequeue_if},
    step::{RecvStep, ReserveStep, SendStep, Taken, TakenMany},
    waiter::Waiter,
    wake::WakeBatch,
};

/// Both ends, with both locks held.
pub(crate) struct Core<'c, T> {
    recv_end: &'c mut RecvEnd<T>,
    send_end: &'c mut SendEnd<T>,
    ends: &'c Ends<T>,
}

impl<'c, T> Core<'c, T> {
    /// With the locks of both ends held. It is dropped before they are released.
    #[inline(always)]
    pub(crate) fn new(
        recv_end: &'c mut RecvEnd<T>,
        send_end: &'c mut SendEnd<T>,
        ends: &'c Ends<T>,
    ) -> Self {
        Self {
            recv_end,
            send_end,
            ends,
        }
    }

    /// The same, for a function that is not inlined: what its address goes to has to be in memory, and on the short ways these
    /// references are better in registers.
    #[inline(always)]
    fn apart(&mut self) -> ManuallyDrop<Core<'_, T>> {
        ManuallyDrop::new(Core::new(self.recv_end, self.send_end, self.ends))
    }

    /// Sends the message that `take` gives if that can be done at once; else `take` is not called.
    #[inline(always)]
    pub(crate) fn send(&mut self, take: impl FnOnce() -> T) -> SendStep {
        if self.recv_end.closed {
            SendStep::Closed
        } else if let Some((receiver, waker)) = self.dequeue_receiver() {
            self.hand_over(receiver, take());
            SendStep::Sent(Some(waker))
        } else if self.send_end.has_room(self.ends) {
            self.send_end.push(self.ends, take);
            SendStep::Sent(None)
        } else {
            SendStep::Full
        }
    }

    /// The oldest parked receiver, unless all of them are counted on by permits.
    #[inline(always)]
    fn dequeue_receiver(&mut self) -> Option<(NonNull<Waiter<T>>, Waker)> {
        match self.send_end.permits() {
            0 => dequeue(&mut self.recv_end.recvq),
            _ => self.apart().dequeue_receiver_beside_permits(),
        }
    }

    #[cold]
    fn dequeue_receiver_beside_permits(&mut self) -> Option<(NonNull<Waiter<T>>, Waker)> {
        // An arm that cannot be had was not room after all.
        while self.has_room() && !self.recv_end.recvq.is_empty() {
            if let Some(receiver) = dequeue_first(&mut self.recv_end.recvq) {
                return Some(receiver);
            }
        }
        None
    }

    /// Completes a receiver that has just been dequeued.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn hand_over(&mut self, receiver: NonNull<Waiter<T>>, message: T) {
        let seq = self.recv_end.number();
        // SAFETY: just dequeued, so it is alive and ours (6).
        unsafe { Waiter::fill(receiver, seq, message) };
    }

    /// Sends messages, the last first, while that can be done and their wakers find room; `Sent`: then it is to go on.
    pub(crate) fn send_many(&mut self, messages: &mut Vec<T>, wakes: &mut WakeBatch) -> SendStep {
        while !messages.is_empty() && !wakes.is_full() {
            match self.send(|| messages.pop().expect("not empty")) {
                SendStep::Sent(waker) => waker.into_iter().for_each(|waker| wakes.push(waker)),
                end => return end,
            }
        }
        SendStep::Sent(None)
    }

    /// As `send`, but makes room by taking the oldest message out of the ring, ahead of parked senders.
    ///
    /// A message that was given back is not evicted: it takes no place, so it would not make room.
    pub(crate) fn force_send(&mut self, mut take: impl FnMut() -> T) -> (SendStep, Option<T>) {
        match self.send(&mut take) {
            SendStep::Full => match self.pop() {
                Some(evicted) => {
                    self.append(take());
                    (SendStep::Sent(None), Some(evicted))
                }
                None => (SendStep::Full, None),
            },
            done => (done, None),
        }
    }

    /// Gives out a permit if there is room for one more message.
    pub(crate) fn reserve(&mut self) -> ReserveStep {
        if self.recv_end.closed {
            ReserveStep::Closed
        } else if self.has_room() {
            self.set_permits(self.send_end.permits() + 1);
            ReserveStep::Reserved
        } else {
            ReserveStep::Full
        }
    }

    /// Sends the message that `take` gives with a permit, which is gone then; if the channel is closed `take` is not called.
    pub(crate) fn send_permitted(&mut self, take: impl FnOnce() -> T) -> SendStep {
        self.set_permits(self.send_end.permits() - 1);
        if self.recv_end.closed {
            SendStep::Closed
        } else if let Some((receiver, waker)) = dequeue(&mut self.recv_end.recvq) {
            self.hand_over(receiver, take());
            // There is as much room as before. If some was there beside a select at both ends, that has just been claimed: no
            // arm of it may stay in `sendq`, where others would queue up behind it.
            let promoted = self.promote();
            debug_assert!(promoted.is_none(), "2: a sender was parked beside room");
            SendStep::Sent(Some(waker))
        } else {
            self.append(take());
            SendStep::Sent(None)
        }
    }

    /// Takes a permit back that was not used.
    pub(crate) fn release_permit(&mut self, wakes: &mut WakeBatch) {
        self.set_permits(self.send_end.permits() - 1);
        self.serve(wakes);
    }

    /// How many permits are out.
    pub(crate) fn permits(&self) -> usize {
        self.send_end.permits()
    }

    /// Counts messages as left and as entered that never were in the ring.
    #[cfg(all(test, not(hchan_loom)))]
    pub(crate) fn pretend(&mut self, left: usize, entered: usize) {
        self.send_end.pretend(self.ends, left, entered);
    }

    /// Counts permits as out that nobody has.
    #[cfg(all(test, not(hchan_loom)))]
    pub(crate) fn pretend_permits(&mut self, permits: usize) {
        self.set_permits(permits);
    }

    fn set_permits(&mut self, permits: usize) {
        self.send_end.set_permits(self.ends, permits);
    }

    /// Takes the oldest message; its place, if it had one, goes to the oldest parked sender's.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn recv(&mut self) -> RecvStep<T> {
        if self.recv_end.irregular {
            return self.apart().recv_irregularly();
        }
        let message = self.pop_ring();
        self.recv_after(message)
    }

    /// Goes on with a receive that has taken the oldest message from its place, if there was one.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn recv_after(&mut self, message: Option<T>) -> RecvStep<T> {
        let (message, waker) = match message {
            Some(message) => (message, self.promote()),
            None => match self.complete_sender() {
                Some((message, waker)) => (message, Some(waker)),
                None if self.recv_end.closed => return RecvStep::Closed,
                None => return RecvStep::Empty,
            },
        };
        let seq = self.recv_end.number();
        RecvStep::Received(Taken {
            message,
            seq,
            waker,
        })
    }

    /// As `recv`, where messages may be elsewhere than in the ring, or somebody may wait for the last one.
    #[cold]
    #[inline(never)]
    fn recv_irregularly(&mut self) -> RecvStep<T> {
        let step = match self.recv_end.given_back.pop() {
            Some((seq, message)) => RecvStep::Received(Taken::quietly(message, seq)),
            None => {
                let message = self.pop();
                self.recv_after(message)
            }
        };
        match step {
            RecvStep::Received(taken) if self.note_drained() => RecvStep::ReceivedLast(taken),
            step => step,
        }
    }

    /// Takes up to `most` messages, for which the vector has room, as long as there are some and the wakers find room.
    pub(crate) fn recv_many(
        &mut self,
        into: &mut Vec<T>,
        most: usize,
        numbers: &mut Numbers,
        wakes: &mut WakeBatch,
    ) -> TakenMany {
        let (mut count, mut end, mut has_drained) = (0, None, false);
        while count < most && !wakes.is_full() {
            let taken = match self.recv() {
                RecvStep::Received(taken) => taken,
                RecvStep::ReceivedLast(taken) => {
                    has_drained = true;
                    taken
                }
                RecvStep::Empty => {
                    end = Some(TryRecvError::Empty);
                    break;
                }
                RecvStep::Closed => {
                    end = Some(TryRecvError::Closed);
                    break;
                }
            };
            into.push(taken.message);
            numbers.add(taken.seq, 1);
            count += 1;
            taken.waker.into_iter().for_each(|waker| wakes.push(waker));
        }
        TakenMany { end, has_drained }
    }

    /// Lets the oldest parked sender go ahead, if a message that has just left made room.
    #[inline(always)]
    fn promote(&mut self) -> Option<Waker> {
        if self.recv_end.sendq.is_empty() {
            return None;
        }
        self.apart().promote_first()
    }

    fn promote_first(&mut self) -> Option<Waker> {
        if !self.has_room() {
            return None;
        }
        let (sender, waker) = dequeue(&mut self.recv_end.sendq)?;
        self.admit(sender);
        Some(waker)
    }

    /// Completes a parked sender that has just been dequeued while no receiver was parked and there was room.
    #[inline]
    fn admit(&mut self, sender: NonNull<Waiter<T>>) {
        // SAFETY: just dequeued from `sendq`, so it is alive and ours (6).
        match unsafe { Waiter::drain(sender) } {
            Some(message) => self.send_end.push(self.ends, || message),
            None => self.set_permits(self.send_end.permits() + 1),
        }
    }

    /// Takes the message of the oldest parked send, if there is one: the receive that is under way makes room for it, unless
    /// there are more permits than places. Who waits for a permit has to see the receive parked, and comes before those
    /// behind.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn complete_sender(&mut self) -> Option<(T, Waker)> {
        let is_due = self.send_end.permits() <= self.capacity();
        if is_due { self.take_first() } else { None }
    }

    #[inline(always)]
    pub(crate) fn has_senders(&self) -> bool {
        !self.recv_end.sendq.is_empty()
    }

    /// Completes the oldest parked send, unless somebody who waits for a permit comes first, and returns its message.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn take_first(&mut self) -> Option<(T, Waker)> {
        let sendq = &mut self.recv_end.sendq;
        let (sender, waker) = dequeue_if(sendq, |first| !first.is_reserve())?;
        // SAFETY: just dequeued from `sendq`, so it is alive and ours (6).
        let message = unsafe { Waiter::drain(sender) };
        Some((message.expect("a send has a message"), waker))
    }

    /// Whether a send may go ahead.
    #[inline]
    fn has_room(&self) -> bool {
        self.room() > 0
    }

    /// How many sends may go ahead: by how many the places and parked receivers are more than the messages and permits.
    #[inline]
    pub(crate) fn room(&self) -> usize {
        let places = self.capacity().saturating_add(self.recv_end.recvq.len());
        let taken = self.ring_len() + self.recv_end.beyond.len();
        places.saturating_sub(taken.saturating_add(self.send_end.permits()))
    }

    #[inline]
    fn capacity(&self) -> usize {
        self.ends.blocks.capacity()
    }

    /// Takes the oldest message of the ring and of those beyond it.
    fn pop(&mut self) -> Option<T> {
        let message = self.pop_ring();
        if self.recv_end.beyond.is_empty() {
            return message;
        }
        let next = pop_beyond(&mut self.recv_end.beyond);
        if message.is_none() {
            // At capacity 0 it is the oldest itself.
            return next;
        }
        next.into_iter()
            .for_each(|next| self.send_end.push(self.ends, || next));
        message
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn pop_ring(&mut self) -> Option<T> {
        self.recv_end.pop_ring(self.ends)
    }

    /// Puts a message behind all others.
    fn append(&mut self, message: T) {
        if self.ring_len() < self.capacity() {
            self.send_end.push(self.ends, || message);
        } else {
            no_unwind(|| self.recv_end.beyond.push_back(message));
            self.recv_end.irregular = true;
        }
    }

    #[inline(always)]
    pub(crate) fn recv_end(&mut self) -> &mut RecvEnd<T> {
        self.recv_end
    }

    /// Closes the channel; says whether it was open. All whose wait is over by that move to `closing`.
    pub(crate) fn close(&mut self) -> bool {
        let RecvEnd {
            closed,
            closing,
            recvq,
            sendq,
            closeq,
            ..
        } = &mut *self.recv_end;
        let was_open = !*closed;
        if was_open {
            *closed = true;
            closing.append(recvq);
            closing.append(sendq);
            closing.append(closeq);
            self.recv_end.irregular = true;
            self.note_drained();
        }
        was_open
    }

    /// If the channel is closed and empty now, moves those who wait for that to `closing`; says whether there were any.
    #[inline]
    fn note_drained(&mut self) -> bool {
        let has_drained =
            self.recv_end.closed && !self.recv_end.drainq.is_empty() && self.len() == 0;
        if has_drained {
            self.recv_end.release_drainq();
        }
        has_drained
    }

    /// Whether what is waited for on that side, the close or the last message after it, has come.
    pub(crate) fn is_over(&self, side: Side) -> bool {
        match side {
            Side::Drain => self.recv_end.drained || self.recv_end.closed && self.len() == 0,
            _ => self.recv_end.closed,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.recv_end.given_back.len() + self.ring_len() + self.recv_end.beyond.len()
    }

    #[inline(always)]
    fn ring_len(&self) -> usize {
        self.ends.ring_len()
    }

    /// Whether a send would have to wait.
    pub(crate) fn is_full(&self) -> bool {
        !self.has_room()
    }
}

impl<T> Drop for Core<'_, T> {
    /// Brings up to date what can be seen with one lock (8, 9) or none.
    #[inline(always)]
    fn drop(&mut self) {
        if self.recv_end.irregular {
            self.recv_end.note_irregularities();
        }
        let RecvEnd {
            closed,
            irregular,
            recvq,
            sendq,
            ..
        } = &*self.recv_end;
        let is_send_slow = *closed | !recvq.is_empty();
        let is_recv_slow = *irregular | !sendq.is_empty();
        let Ends { recv, send, .. } = self.ends;
        if self.ends.is_coupled {
            let len = self.ring_len();
            let is_full = len + self.send_end.permits() >= self.capacity();
            send.outlook.set(is_full & !is_send_slow);
            recv.outlook.set((len == 0) & !is_recv_slow & !*closed);
        } else {
            send.outlook.set(!sendq.is_empty());
            self.send_end.slow = is_send_slow;
            self.recv_end.slow = is_recv_slow;
        }
        if cfg!(any(debug_assertions, hchan_loom)) {
            self.assert_invariants();
        }
    }
}

/// Takes the first message that is beyond the ring.
#[cold]
fn pop_beyond<T>(beyond: &mut VecDeque<T>) -> Option<T> {
    let first = beyond.pop_front();
    if beyond.is_empty() {
        *beyond = VecDeque::new();
    }
    first
}
