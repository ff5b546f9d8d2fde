//! What each operation does with both locks held: Go's `chansend`, `chanrecv` and `closechan`.

use core::ptr::NonNull;

use super::{
    many::{Incoming, Outgoing, TakenMany},
    outcome::{ForceOutcome, Received, RecvOutcome, ReserveOutcome, SendOutcome},
    state::{RecvSide, SendSide, Sides},
};
use crate::{
    error::TryRecvError,
    no_unwind::no_unwind,
    slot::{BoxedMessage, Message, RawSlot},
    waiter::{Claim, Claimed, Kind, dequeue, dequeue_first, dequeue_if},
    wake::{Wake, WakeBatch},
};

/// A channel with both locks held. What has changed is to be [`publish`](Self::publish)ed before they are released.
///
/// Its methods move messages between slots. A slot that one of them is given is of the channel's message type (10) and the caller's
/// alone: that is the caller's part of every `# Safety` here, beside what the method says of its being full or empty.
pub(crate) struct LockedChan<'c> {
    pub(super) recv: &'c mut RecvSide,
    pub(super) send: &'c mut SendSide,
    pub(super) sides: &'c Sides,
}

impl<'c> LockedChan<'c> {
    /// With the locks of both sides held.
    #[inline(always)]
    pub(super) fn new(recv: &'c mut RecvSide, send: &'c mut SendSide, sides: &'c Sides) -> Self {
        Self { recv, send, sides }
    }

    #[inline(always)]
    pub(super) fn message(&self) -> &'static Message {
        self.sides.message
    }

    /// Sends a message if that can be done at once: then it has left its slot.
    ///
    /// # Safety
    ///
    /// A message is in `from`.
    #[inline(always)]
    pub(crate) unsafe fn send(&mut self, from: RawSlot) -> SendOutcome {
        if self.recv.closed {
            SendOutcome::Closed
        } else if let Some(receiver) = self.dequeue_receiver() {
            // SAFETY: it was just dequeued from `recvq`; the rest is the caller's promise.
            SendOutcome::Sent(Some(unsafe { self.hand_over(receiver, from) }))
        } else if self.has_room() {
            // SAFETY: the caller's promise.
            unsafe { self.push(from) };
            SendOutcome::Sent(None)
        } else {
            SendOutcome::Full
        }
    }

    /// The oldest parked receive, unless all of them are counted on by permits.
    #[inline(always)]
    fn dequeue_receiver(&mut self) -> Option<Claimed> {
        match self.send.permits() {
            0 => dequeue(&mut self.recv.recvq),
            _ => Self::dequeue_receiver_beside_permits(self.recv, self.send, self.sides),
        }
    }

    // codegen: it is given the references in registers: what its address goes to has to be in memory, on the short ways, too.
    #[cold]
    #[inline(never)]
    fn dequeue_receiver_beside_permits(
        recv: &mut RecvSide,
        send: &mut SendSide,
        sides: &Sides,
    ) -> Option<Claimed> {
        let chan = LockedChan::new(recv, send, sides);
        // An arm that cannot be had was not room after all.
        while chan.has_room() && !chan.recv.recvq.is_empty() {
            if let Some(receiver) = no_unwind(|| dequeue_first(&mut chan.recv.recvq)) {
                return Some(receiver);
            }
        }
        None
    }

    /// Hands a message to a receive.
    ///
    /// # Safety
    ///
    /// The receive is of this channel. A message is in `from`.
    #[inline(always)]
    unsafe fn hand_over(&mut self, receiver: Claimed, from: RawSlot) -> Wake {
        let seq = self.recv.number();
        self.recv.paths.handed_over();
        // SAFETY: the caller's promise.
        unsafe { receiver.fill(self.message(), from, seq) }
    }

    /// Appends a message to the ring, which has room.
    ///
    /// # Safety
    ///
    /// A message is in `from`.
    #[inline(always)]
    unsafe fn push(&mut self, from: RawSlot) {
        let message = self.message();
        // SAFETY: the caller's promise, and the ring gives an empty slot.
        unsafe { (self.send).push_counted(self.sides, |to| message.relocate(from, to)) };
    }

    /// Sends messages while that can be done and their wakes find room. `Sent`: then it is to go on.
    ///
    /// # Safety
    ///
    /// The messages are in the slots that `load` gives.
    pub(super) unsafe fn send_many(
        &mut self,
        messages: &mut dyn Outgoing,
        wakes: &mut WakeBatch,
    ) -> SendOutcome {
        while !messages.is_empty() && !wakes.is_full() {
            // SAFETY: the caller's promise.
            match unsafe { self.send(messages.load()) } {
                SendOutcome::Sent(wake) => {
                    messages.note_sent();
                    wake.into_iter().for_each(|wake| wakes.push(wake));
                }
                end => return end,
            }
        }
        SendOutcome::Sent(None)
    }

    /// As `send`, but makes room by moving the oldest message of the ring to `evicted`, ahead of parked senders.
    ///
    /// A message that was given back is not evicted: it takes no place, so it would not make room.
    ///
    /// # Safety
    ///
    /// A message is in `from`, and none in `evicted`.
    pub(crate) unsafe fn force_send(&mut self, from: RawSlot, evicted: RawSlot) -> ForceOutcome {
        // SAFETY: the caller's promise. After `Full` the message is still there.
        unsafe {
            match self.send(from) {
                SendOutcome::Sent(wake) => ForceOutcome::Sent(wake),
                SendOutcome::Closed => ForceOutcome::Closed,
                SendOutcome::Full if self.pop(evicted) => {
                    self.append(from);
                    ForceOutcome::Evicted
                }
                SendOutcome::Full => ForceOutcome::Full,
            }
        }
    }

    /// Gives out a permit if there is room for one more message; to an arm of that select, if it is one.
    pub(crate) fn reserve(&mut self, select: Option<NonNull<Claim>>) -> ReserveOutcome {
        if self.recv.closed {
            ReserveOutcome::Closed
        } else if self.has_room() && !select.is_some_and(|select| self.has_only_receives_of(select))
        {
            self.set_permits(self.send.permits() + 1);
            ReserveOutcome::Reserved
        } else {
            ReserveOutcome::Full
        }
    }

    /// Sends a message with a permit, which is gone then. `Closed`: the message is still there.
    ///
    /// # Safety
    ///
    /// A message is in `from`.
    pub(crate) unsafe fn send_permitted(&mut self, from: RawSlot) -> SendOutcome {
        self.set_permits(self.send.permits() - 1);
        if self.recv.closed {
            SendOutcome::Closed
        } else if let Some(receiver) = dequeue(&mut self.recv.recvq) {
            // SAFETY: it was just dequeued from `recvq`; the rest is the caller's promise.
            let wake = unsafe { self.hand_over(receiver, from) };
            // There is as much room as before. If some was there beside a select at both ends, that has just been claimed: no
            // arm of it may stay in `sendq`, where others would queue up behind it.
            let promoted = self.promote();
            debug_assert!(promoted.is_none(), "2: a sender was parked beside room");
            SendOutcome::Sent(Some(wake))
        } else {
            // SAFETY: the caller's promise.
            unsafe { self.append(from) };
            SendOutcome::Sent(None)
        }
    }

    /// Takes a permit back that was not used.
    pub(crate) fn release_permit(&mut self, wakes: &mut WakeBatch) {
        self.set_permits(self.send.permits() - 1);
        self.promote_waiters(wakes);
    }

    /// How many permits are out.
    pub(crate) fn permits(&self) -> usize {
        self.send.permits()
    }

    /// Counts messages as left and as entered that never were in the ring.
    #[cfg(all(test, not(hchan_loom)))]
    pub(crate) fn pretend(&mut self, left: usize, entered: usize) {
        SendSide::pretend(self.sides, left, entered);
    }

    /// Counts permits as out that nobody has.
    #[cfg(all(test, not(hchan_loom)))]
    pub(crate) fn pretend_permits(&mut self, permits: usize) {
        self.set_permits(permits);
    }

    fn set_permits(&mut self, permits: usize) {
        self.send.set_permits(self.sides, permits);
    }

    /// Takes the oldest message; its place, if it had one, goes to the oldest parked sender's.
    ///
    /// # Safety
    ///
    /// No message is in `to`. There is one after `Received`.
    #[inline(always)]
    pub(crate) unsafe fn recv(&mut self, to: RawSlot) -> RecvOutcome {
        // SAFETY: the caller's promise.
        unsafe {
            match self.recv.has_side_queue {
                true => Self::recv_beside_ring(self.recv, self.send, self.sides, to),
                false => self.recv_from_ring(to),
            }
        }
    }

    /// As `recv`, where messages are in the ring alone and nobody waits for the last one.
    ///
    /// # Safety
    ///
    /// As for `recv`.
    #[inline(always)]
    pub(super) unsafe fn recv_from_ring(&mut self, to: RawSlot) -> RecvOutcome {
        debug_assert!(!self.recv.has_side_queue);
        // SAFETY: the caller's promise.
        unsafe {
            let is_taken = self.pop_ring(to);
            self.recv_after(is_taken, to)
        }
    }

    /// Goes on with a receive that has looked for the oldest message in its place, and has taken it if there was one.
    ///
    /// # Safety
    ///
    /// As for `recv`, if `is_taken` is false; else the message is in `to`.
    #[inline(always)]
    unsafe fn recv_after(&mut self, is_taken: bool, to: RawSlot) -> RecvOutcome {
        let wake = match is_taken {
            true => self.promote(),
            // SAFETY: the caller's promise.
            false => match unsafe { self.complete_send(to) } {
                Some(wake) => Some(wake),
                None if self.recv.closed => return RecvOutcome::Closed,
                None => return RecvOutcome::Empty,
            },
        };
        RecvOutcome::Received(Received {
            seq: self.recv.number(),
            wake,
            has_drained: false,
        })
    }

    /// As `recv`, where messages may be elsewhere than in the ring, or somebody may wait for the last one.
    ///
    /// # Safety
    ///
    /// As for `recv`.
    // codegen: as for `dequeue_receiver_beside_permits`.
    #[cold]
    #[inline(never)]
    unsafe fn recv_beside_ring(
        recv: &mut RecvSide,
        send: &mut SendSide,
        sides: &Sides,
        to: RawSlot,
    ) -> RecvOutcome {
        let mut chan = LockedChan::new(recv, send, sides);
        // SAFETY: the caller's promise.
        let outcome = || unsafe {
            match chan.recv.returned.pop() {
                Some((seq, boxed)) => {
                    boxed.unbox(chan.message(), to);
                    RecvOutcome::Received(Received {
                        seq,
                        wake: None,
                        has_drained: false,
                    })
                }
                None => {
                    let is_taken = chan.pop(to);
                    chan.recv_after(is_taken, to)
                }
            }
        };
        // codegen: as nothing unwinds, the callers need no landing pad, to which all would go through memory.
        let mut outcome = no_unwind(outcome);
        if let RecvOutcome::Received(received) = &mut outcome {
            received.has_drained = no_unwind(|| chan.note_drained());
        }
        outcome
    }

    /// Takes up to `most` messages, as long as there are some and the wakes find room.
    ///
    /// # Safety
    ///
    /// No message is in the place that `incoming` gives.
    pub(super) unsafe fn recv_many(
        &mut self,
        most: usize,
        incoming: &mut dyn Incoming,
        wakes: &mut WakeBatch,
    ) -> TakenMany {
        let mut taken = TakenMany {
            count: 0,
            end: None,
            has_drained: false,
        };
        while taken.count < most && !wakes.is_full() {
            // SAFETY: the caller's promise.
            match unsafe { self.recv(incoming.place()) } {
                RecvOutcome::Received(received) => {
                    incoming.note_received(received.seq);
                    taken.count += 1;
                    taken.has_drained |= received.has_drained;
                    received.wake.into_iter().for_each(|wake| wakes.push(wake));
                }
                RecvOutcome::Empty => {
                    taken.end = Some(TryRecvError::Empty);
                    break;
                }
                RecvOutcome::Closed => {
                    taken.end = Some(TryRecvError::Closed);
                    break;
                }
            }
        }
        taken
    }

    /// Lets the oldest parked sender go ahead, if a message that has just left made room.
    #[inline(always)]
    fn promote(&mut self) -> Option<Wake> {
        if self.recv.sendq.is_empty() {
            return None;
        }
        self.promote_first()
    }

    #[inline(always)]
    fn promote_first(&mut self) -> Option<Wake> {
        if !self.has_room() {
            return None;
        }
        let sender = dequeue(&mut self.recv.sendq)?;
        Some(self.admit(sender))
    }

    /// Completes a sender that has just been dequeued from `sendq` while no receiver was parked and there was room.
    #[inline(always)]
    pub(super) fn admit(&mut self, sender: Claimed) -> Wake {
        if sender.kind() == Kind::Reserve {
            self.set_permits(self.send.permits() + 1);
            return sender.grant();
        }
        self.recv.paths.promoted_into_ring();
        let message = self.message();
        // SAFETY: it was in `sendq`, so it is a send of this channel, and the ring gives an empty slot.
        unsafe { (self.send).push_counted(self.sides, |to| sender.drain(message, to)) }
    }

    /// Takes the message of the oldest parked send, if there is one: the receive that is under way makes room for it, unless
    /// there are more permits than places. A request for a permit has to see the receive parked, and comes before the sends
    /// behind it.
    ///
    /// # Safety
    ///
    /// No message is in `to`. There is one after `Some`.
    #[inline(always)]
    unsafe fn complete_send(&mut self, to: RawSlot) -> Option<Wake> {
        let is_due = self.send.permits() == 0 || self.send.permits() <= self.capacity();
        let sender = if is_due { self.dequeue_send() } else { None };
        // SAFETY: it was in `sendq`; the rest is the caller's promise.
        sender.map(|sender| unsafe {
            self.recv.paths.promoted();
            sender.drain(self.message(), to)
        })
    }

    /// The oldest parked send, unless a request for a permit comes first.
    #[inline(always)]
    pub(super) fn dequeue_send(&mut self) -> Option<Claimed> {
        dequeue_if(&mut self.recv.sendq, |first| first.kind() == Kind::Send)
    }

    #[inline(always)]
    pub(crate) fn has_senders(&self) -> bool {
        !self.recv.sendq.is_empty()
    }

    /// Whether a send may go ahead.
    #[inline(always)]
    pub(super) fn has_room(&self) -> bool {
        // A place in the ring that no permit counts on. (If there is one, no message is beyond the ring.)
        let has_place = self.ring_len() < self.send.limit();
        has_place || !self.recv.recvq.is_empty() && self.room() > 0
    }

    /// How many sends may go ahead: by how many the places and parked receivers are more than the messages and permits.
    #[inline(always)]
    pub(crate) fn room(&self) -> usize {
        let places = self.capacity().saturating_add(self.recv.recvq.len());
        let taken = self.ring_len() + self.recv.overflow.len();
        places.saturating_sub(taken.saturating_add(self.send.permits()))
    }

    #[inline(always)]
    pub(super) fn capacity(&self) -> usize {
        self.sides.blocks.capacity()
    }

    /// Takes the oldest message of the ring and of those beyond it; says whether there was one.
    ///
    /// # Safety
    ///
    /// No message is in `to`.
    unsafe fn pop(&mut self, to: RawSlot) -> bool {
        // SAFETY: the caller's promise.
        let is_taken = unsafe { self.pop_ring(to) };
        let Some(next) = self.pop_overflow() else {
            return is_taken;
        };
        let message = self.message();
        if is_taken {
            self.recv.paths.came_into_ring();
            // SAFETY: the ring gives an empty slot.
            unsafe { (self.send).push_counted(self.sides, |to| next.unbox(message, to)) };
        } else {
            // At capacity 0 it is the oldest itself.
            // SAFETY: the caller's promise, and nothing was taken.
            unsafe { next.unbox(message, to) };
        }
        true
    }

    /// Takes the first message that is beyond the ring.
    fn pop_overflow(&mut self) -> Option<BoxedMessage> {
        let overflow = &mut self.recv.overflow;
        let first = overflow.pop_front();
        if overflow.is_empty() && overflow.capacity() > 0 {
            *overflow = Default::default();
        }
        first
    }

    /// Takes the oldest message of the ring; says whether there was one.
    ///
    /// # Safety
    ///
    /// No message is in `to`.
    #[inline(always)]
    unsafe fn pop_ring(&mut self, to: RawSlot) -> bool {
        let message = self.message();
        let Some(cell) = self.recv.next(self.sides) else {
            return false;
        };
        // SAFETY: it is the next; the rest is the caller's promise.
        unsafe {
            (self.recv).take(cell, message, self.sides, |from| message.relocate(from, to));
        }
        true
    }

    /// Puts a message behind all others.
    ///
    /// # Safety
    ///
    /// A message is in `from`.
    unsafe fn append(&mut self, from: RawSlot) {
        // SAFETY: the caller's promise.
        unsafe {
            if self.ring_len() < self.capacity() {
                self.push(from);
            } else {
                let boxed = no_unwind(|| BoxedMessage::new(self.message(), from));
                no_unwind(|| self.recv.overflow.push_back(boxed));
                self.recv.paths.went_beyond_ring();
                self.recv.has_side_queue = true;
            }
        }
    }

    #[inline(always)]
    pub(crate) fn recv_side(&mut self) -> &mut RecvSide {
        self.recv
    }

    /// Closes the channel; says whether it was open. All whose wait is over by that move to `closing`.
    pub(crate) fn close(&mut self) -> bool {
        let RecvSide {
            closed,
            closing,
            recvq,
            sendq,
            closeq,
            ..
        } = &mut *self.recv;
        let was_open = !*closed;
        if was_open {
            *closed = true;
            closing.append(recvq);
            closing.append(sendq);
            closing.append(closeq);
            self.recv.has_side_queue = true;
            self.note_drained();
        }
        was_open
    }

    /// If the channel is closed and empty now, moves the waits for that to `closing`; says whether there were any.
    #[inline]
    fn note_drained(&mut self) -> bool {
        let has_drained = self.recv.closed && !self.recv.drainq.is_empty() && self.len() == 0;
        if has_drained {
            self.recv.release_drainq();
        }
        has_drained
    }

    /// Whether the close, or the last message after it, has come.
    pub(crate) fn is_over(&self, kind: Kind) -> bool {
        match kind {
            Kind::Drained => self.recv.drained || self.recv.closed && self.len() == 0,
            _ => self.recv.closed,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.recv.returned.len() + self.ring_len() + self.recv.overflow.len()
    }

    #[inline(always)]
    pub(super) fn ring_len(&self) -> usize {
        self.sides.ring_len()
    }

    /// Whether a send would have to wait.
    pub(crate) fn is_full(&self) -> bool {
        !self.has_room()
    }
}

impl LockedChan<'_> {
    /// Brings up to date what can be seen with one lock (8, 9) or none; to be called before they are released.
    #[inline(always)]
    pub(super) fn publish(&mut self) {
        if self.recv.has_side_queue {
            self.recv.update_side_queue();
        }
        let RecvSide {
            closed,
            has_side_queue,
            recvq,
            sendq,
            ..
        } = &*self.recv;
        let Sides { recv, send, .. } = self.sides;
        if self.sides.is_single_lock {
            let len = self.ring_len();
            let is_full = len >= self.send.limit();
            send.hint.set(true, is_full & recvq.is_empty());
            recv.hint.set(true, (len == 0) & sendq.is_empty());
        } else {
            send.hint.set(false, !sendq.is_empty());
            self.send.set_slow(*closed | !recvq.is_empty());
            self.recv.slow = *has_side_queue | !sendq.is_empty();
        }
        self.check();
    }

    /// As `publish`, where all that has changed is that a receive has parked: in a channel that is open and empty, and where no sender
    /// is parked.
    #[inline(always)]
    pub(super) fn publish_parked_recv(&mut self) {
        let Sides { recv, send, .. } = self.sides;
        if self.sides.is_single_lock {
            send.hint.set(true, false);
            recv.hint.set(true, true);
        } else {
            send.hint.set(false, false);
            self.send.set_slow(true);
        }
        self.check();
    }

    /// As `publish`, after a send.
    #[inline(always)]
    pub(super) fn publish_send(&mut self, outcome: &SendOutcome) {
        if let SendOutcome::Sent(Some(_)) = outcome {
            // A receive has left: so there is no message, and there was none.
            let is_alone = self.recv.recvq.is_empty();
            if self.sides.is_single_lock {
                let is_full = self.send.limit() == 0;
                self.sides.send.hint.set(true, is_full & is_alone);
            } else {
                self.send.set_slow(!is_alone);
            }
            self.check();
        } else {
            self.publish();
        }
    }

    /// As `publish`, after a receive by `recv_from_ring`.
    #[inline(always)]
    pub(super) fn publish_recv(&mut self, outcome: &RecvOutcome) {
        if let RecvOutcome::Received(Received { wake: Some(_), .. }) = outcome {
            // A sender has left, so there are as many messages in the ring as before.
            let is_alone = self.recv.sendq.is_empty();
            if self.sides.is_single_lock {
                let would_block = self.ring_len() == 0;
                self.sides.recv.hint.set(true, would_block & is_alone);
            } else {
                self.sides.send.hint.set(false, !is_alone);
                self.recv.slow = !is_alone;
            }
            self.check();
        } else {
            self.publish();
        }
    }

    /// As `publish`, where all that has changed is that a send has parked.
    #[inline(always)]
    pub(super) fn publish_parked_send(&mut self) {
        let Sides { recv, send, .. } = self.sides;
        if self.sides.is_single_lock {
            send.hint.set(true, true);
            recv.hint.set(true, false);
        } else {
            send.hint.set(false, true);
            self.recv.slow = true;
        }
        self.check();
    }

    #[inline(always)]
    fn check(&self) {
        if cfg!(any(debug_assertions, hchan_loom)) {
            self.assert_invariants();
        }
    }
}
