//! The two ends of a channel: what the lock of each guards, and what can be done with one of them alone.
//!
//! The numbers in brackets are those of the invariants in [`core`](crate::core).

use alloc::{collections::VecDeque, vec::Vec};
use core::{
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering},
    task::Waker,
};

use crate::{
    error::TryRecvError,
    given_back::GivenBack,
    list::List,
    numbers::Numbers,
    queue::dequeue,
    ring::{self, Blocks, Consumer, Position, Producer},
    step::RecvStep,
    sync::Lock,
    waiter::{Handle, State, Waiter},
    wake::WakeBatch,
};

/// The first sequence number: shortly before they wrap around, so that every test crosses that point.
const FIRST_SEQ: u64 = u64::MAX - if cfg!(hchan_loom) { 1 } else { 99 };

/// What the senders' lock guards. With that lock alone messages enter the ring and permits are given out and used; for all
/// else both locks are held.
///
/// The fields stand in this order so that what every send touches is in one cache line, with the lock.
#[repr(C)]
pub(crate) struct SendEnd<T> {
    /// Whether a send has to go the long way (8). Changed with both locks held.
    pub(crate) slow: bool,
    /// How many messages sends without a permit may bring the ring to: the capacity less the permits out.
    limit: usize,
    pub(crate) producer: Producer<T>,
    /// How many permits are out: each the right to one send.
    permits: usize,
}

/// What the receivers' lock guards. With that lock alone messages leave the ring or are given back, waiters leave the
/// queues, and senders park behind others; for all else both locks are held.
///
/// The fields stand in this order so that what every receive touches is in one cache line, with the lock, and the queues are in
/// the next.
#[repr(C)]
pub(crate) struct RecvEnd<T> {
    /// Whether a receive has to go the long way (9).
    pub(crate) slow: bool,
    pub(crate) closed: bool,
    /// Whether the channel has been closed and empty, as far as those in `drainq` were concerned.
    pub(crate) drained: bool,
    /// Whether a receive has to look elsewhere than in the ring, or to tell somebody that its message was the last (9).
    pub(crate) irregular: bool,
    /// The sequence number of the next message that leaves; it wraps around.
    pub(crate) next_seq: u64,
    pub(crate) consumer: Consumer<T>,
    /// Parked senders, and those who wait for a permit, the oldest first.
    pub(crate) sendq: List<Waiter<T>>,
    /// Parked receivers, the oldest first.
    pub(crate) recvq: List<Waiter<T>>,
    /// Messages that cancelled receives gave back. They take no place.
    pub(crate) given_back: GivenBack<T>,
    /// Messages sent with a permit that counted on a receiver who has left: they come after those of the full ring.
    pub(crate) beyond: VecDeque<T>,
    /// Those who wait for the close.
    pub(crate) closeq: List<Waiter<T>>,
    /// Those who wait for the channel to be closed and empty.
    pub(crate) drainq: List<Waiter<T>>,
    /// Those for whom the wait is over by the close and who have not been told yet.
    pub(crate) closing: List<Waiter<T>>,
}

/// Both ends, each behind its lock, and the buffer between them.
///
/// The fields stand in this order so that each end has its own cache lines, and what never changes has others.
#[repr(C)]
pub(crate) struct Ends<T> {
    pub(crate) recv: End<RecvEnd<T>>,
    pub(crate) send: End<SendEnd<T>>,
    pub(crate) blocks: Blocks<T>,
    /// Whether the receivers' lock stands for both.
    pub(crate) is_coupled: bool,
}

/// An end behind its lock, with what others see of it. Two cache lines at a time are fetched together, so an end starts at
/// an even one.
#[repr(C, align(128))]
pub(crate) struct End<E> {
    position: Position,
    pub(crate) outlook: Outlook,
    pub(crate) lock: Lock<E>,
}

impl<T> Ends<T> {
    pub(crate) fn new(capacity: Option<usize>, largest_coupled: usize) -> Self {
        let (blocks, producer, consumer) = ring::new(capacity);
        Self {
            recv: End::new(RecvEnd::new(consumer)),
            send: End::new(SendEnd::new(producer, blocks.capacity())),
            is_coupled: blocks.capacity() <= largest_coupled,
            blocks,
        }
    }

    #[inline(always)]
    fn passage(&self) -> Passage<'_, T> {
        Passage {
            head: &self.recv.position,
            tail: &self.send.position,
            blocks: &self.blocks,
        }
    }

    /// How many messages have left the ring, and how many have entered it, modulo 2ˢⁱᶻᵉ, as far as can be seen.
    pub(crate) fn positions(&self) -> [usize; 2] {
        [&self.recv.position, &self.send.position].map(Position::of_other)
    }

    /// How many messages are in the ring; exact with both locks held.
    #[inline(always)]
    pub(crate) fn ring_len(&self) -> usize {
        ring::len(&self.recv.position, &self.send.position)
    }
}

impl<E> End<E> {
    fn new(end: E) -> Self {
        Self {
            position: Position::new(),
            outlook: Outlook::new(),
            lock: Lock::new(end),
        }
    }
}

/// What the senders' end needs to move messages: the buffer, and both positions in it.
struct Passage<'e, T> {
    head: &'e Position,
    tail: &'e Position,
    blocks: &'e Blocks<T>,
}

/// Whether the operations of an end would have to wait, as the last one to hold both locks left it: said only where to try
/// first would be in vain, in a small channel and behind other senders.
///
/// A hint: it may be out of date as soon as it is read, so Relaxed is enough, and a model need not see this atomic:
/// whichever way an operation goes, it decides under the locks.
pub(crate) struct Outlook(AtomicBool);

impl Outlook {
    pub(crate) fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    #[inline]
    pub(crate) fn is_to_wait(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn set(&self, is_to_wait: bool) {
        self.0.store(is_to_wait, Ordering::Relaxed);
    }
}

/// Which queue an operation parks in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    Send,
    Recv,
    /// It waits for the close.
    Close,
    /// It waits for the close and the last message.
    Drain,
}

impl<T> SendEnd<T> {
    pub(crate) fn new(producer: Producer<T>, capacity: usize) -> Self {
        Self {
            slow: false,
            limit: capacity,
            producer,
            permits: 0,
        }
    }

    /// Counts messages as left and as entered that never were in the ring.
    #[cfg(all(test, not(hchan_loom)))]
    pub(crate) fn pretend(&mut self, ends: &Ends<T>, left: usize, entered: usize) {
        let Passage { head, tail, .. } = ends.passage();
        self.producer.pretend([head, tail], left, entered);
    }

    /// Whether there is room in the ring that no permit counts on.
    #[inline]
    pub(crate) fn has_room(&mut self, ends: &Ends<T>) -> bool {
        let Passage { head, tail, blocks } = ends.passage();
        self.producer.has_room(tail, head, blocks, self.limit)
    }

    /// Sends the message that `take` gives if nobody waits for one and there is room; else `take` is not called.
    #[inline(always)]
    pub(crate) fn try_push(&mut self, ends: &Ends<T>, take: impl FnOnce() -> T) -> bool {
        let is_possible = !self.slow && self.has_room(ends);
        if is_possible {
            self.push(ends, take);
        }
        is_possible
    }

    /// As `try_push`, for as many of the messages as there is room for, the last first.
    pub(crate) fn try_push_many(&mut self, ends: &Ends<T>, messages: &mut Vec<T>) {
        if self.slow {
            return;
        }
        let Passage { head, tail, blocks } = ends.passage();
        let room = (self.producer).room(tail, head, blocks, self.limit, messages.len());
        let rest = messages.len() - room;
        self.producer
            .push_many(tail, blocks, messages.drain(rest..).rev());
    }

    /// Appends the message that `take` gives to the ring, which has room.
    #[inline]
    pub(crate) fn push(&mut self, ends: &Ends<T>, take: impl FnOnce() -> T) {
        let Passage { tail, blocks, .. } = ends.passage();
        self.producer.push(tail, blocks, take);
    }

    /// Gives a permit out if nobody waits for a message and there is room.
    pub(crate) fn try_permit(&mut self, ends: &Ends<T>) -> bool {
        let is_possible = !self.slow && self.has_room(ends);
        if is_possible {
            self.set_permits(ends, self.permits + 1);
        }
        is_possible
    }

    /// Sends a message with a permit, which is gone then, if nobody waits for one and the ring has room: it has, unless the
    /// permit counted on a receiver.
    pub(crate) fn try_push_permitted(&mut self, ends: &Ends<T>, take: impl FnOnce() -> T) -> bool {
        let Passage { head, tail, blocks } = ends.passage();
        let is_possible =
            !self.slow && (self.producer).has_room(tail, head, blocks, blocks.capacity());
        if is_possible {
            self.push(ends, take);
            self.set_permits(ends, self.permits - 1);
        }
        is_possible
    }

    pub(crate) fn permits(&self) -> usize {
        self.permits
    }

    pub(crate) fn set_permits(&mut self, ends: &Ends<T>, permits: usize) {
        self.permits = permits;
        self.limit = ends.blocks.capacity().saturating_sub(permits);
    }

    /// After `try_push` was not possible: whether that was for want of room.
    pub(crate) fn is_full(&self) -> bool {
        !self.slow
    }
}

impl<T> RecvEnd<T> {
    pub(crate) fn new(consumer: Consumer<T>) -> Self {
        Self {
            slow: false,
            closed: false,
            drained: false,
            irregular: false,
            next_seq: FIRST_SEQ,
            consumer,
            sendq: List::new(),
            recvq: List::new(),
            given_back: GivenBack::new(),
            beyond: VecDeque::new(),
            closeq: List::new(),
            drainq: List::new(),
            closing: List::new(),
        }
    }

    /// Whether there is a message in the ring, and nobody is concerned when it leaves.
    #[inline(always)]
    pub(crate) fn can_take(&mut self, ends: &Ends<T>) -> bool {
        !self.slow && self.has_message(ends)
    }

    /// Whether there is a message in the ring.
    #[inline(always)]
    pub(crate) fn has_message(&mut self, ends: &Ends<T>) -> bool {
        self.consumer.has_message(&ends.blocks)
    }

    /// Takes the oldest message and returns what `make` makes of it. It has no number yet.
    ///
    /// # Safety
    ///
    /// That can be done, by `can_take`.
    #[inline(always)]
    pub(crate) unsafe fn take<R>(&mut self, ends: &Ends<T>, make: impl FnOnce(T) -> R) -> R {
        debug_assert!(
            self.recvq.is_empty(),
            "1: a receiver is parked beside a message"
        );
        // SAFETY: the caller's promise.
        unsafe { self.consumer.take(&ends.recv.position, make) }
    }

    /// Takes the oldest message of the ring.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn pop_ring(&mut self, ends: &Ends<T>) -> Option<T> {
        self.consumer.pop(&ends.recv.position, &ends.blocks)
    }

    /// As `take`, if that can be done, for up to `most` messages, for which the vector has room.
    pub(crate) fn try_pop_many(
        &mut self,
        ends: &Ends<T>,
        into: &mut Vec<T>,
        most: usize,
        numbers: &mut Numbers,
    ) {
        if self.slow {
            return;
        }
        let places = &mut into.spare_capacity_mut()[..most];
        let count = (self.consumer).pop_many(&ends.recv.position, &ends.blocks, places);
        // SAFETY: the vector had room for them, and so many are in their places.
        unsafe { into.set_len(into.len() + count) };
        numbers.add(self.next_seq, count);
        self.next_seq = self.next_seq.wrapping_add(count as u64);
    }

    /// About how many messages can be had, up to `limit`, those of parked senders among them. `None`: none, as far as this end
    /// can see.
    pub(crate) fn available(&self, ends: &Ends<T>, limit: usize) -> Option<usize> {
        let in_ring = ring::len_seen(&ends.recv.position, &ends.send.position, &ends.blocks);
        let available = self.given_back.len() + in_ring + self.beyond.len() + self.sendq.len();
        let most = limit.min(available);
        (most > 0).then_some(most)
    }

    /// What a receive comes to that finds no message.
    pub(crate) fn why_empty(&self) -> TryRecvError {
        match self.closed {
            true => TryRecvError::Closed,
            false => TryRecvError::Empty,
        }
    }

    /// After `can_take` said no: what the receive has come to, if that was for want of messages.
    pub(crate) fn step_if_empty(&self) -> Option<RecvStep<T>> {
        let step = || match self.closed {
            true => RecvStep::Closed,
            false => RecvStep::Empty,
        };
        (!self.slow).then(step)
    }

    /// The sequence number of a message that leaves now.
    #[inline]
    pub(crate) fn number(&mut self) -> u64 {
        let seq = self.next_seq;
        self.next_seq = self.next_seq.wrapping_add(1);
        seq
    }

    /// The queue in which waiters of that side are.
    fn queue(&mut self, side: Side) -> &mut List<Waiter<T>> {
        match side {
            Side::Drain if !self.drained => &mut self.drainq,
            _ if self.closed => &mut self.closing,
            Side::Send => &mut self.sendq,
            Side::Recv => &mut self.recvq,
            Side::Close | Side::Drain => &mut self.closeq,
        }
    }

    /// Takes back a message that a receive was given and is not going to use: for the oldest parked receiver, who is
    /// to be woken, or else for the next receive.
    pub(crate) fn give_back(&mut self, seq: u64, message: T) -> Option<Waker> {
        match dequeue(&mut self.recvq) {
            Some((receiver, waker)) => {
                // SAFETY: just dequeued, so it is alive and ours (6).
                unsafe { Waiter::fill(receiver, seq, message) };
                Some(waker)
            }
            None => {
                self.given_back.insert(seq, message);
                self.irregular = true;
                self.slow = true;
                None
            }
        }
    }

    /// Whether a send has to wait for sure: others do, so there is no room (2), and none can come without this lock. (If
    /// receivers are parked beside them, these may be of a select that is parked at both ends.)
    pub(crate) fn is_send_to_wait(&self) -> bool {
        !self.sendq.is_empty() && self.recvq.is_empty()
    }

    /// Parks a waiter at the tail of its side's queue.
    ///
    /// # Safety
    ///
    /// The caller owns the waiter, which is `Idle`, has a handle, is of that side, and is not moved or freed while it is
    /// `Parked`; nor is the select, if the handle is one's. The operation has been found unable to proceed, in this critical section;
    /// a receive with both locks held, for (8).
    pub(crate) unsafe fn park(&mut self, side: Side, waiter: Pin<&Waiter<T>>) {
        waiter.set_state(State::Parked);
        // SAFETY: an `Idle` waiter is in no list (6); it stays where it is by the caller's promise.
        unsafe { self.queue(side).push_back(waiter) };
        self.irregular |= matches!(side, Side::Drain);
    }

    /// Unparks a waiter whose owner no longer waits, and returns its handle, to be dropped after the lock.
    ///
    /// # Safety
    ///
    /// The waiter is `Parked` on that side of this channel.
    pub(crate) unsafe fn unpark(&mut self, side: Side, waiter: Pin<&Waiter<T>>) -> Handle {
        // SAFETY: a `Parked` waiter is in the queue of its side or, in a closed channel, in `closing` (5, 6), and its
        // contents belong to the holder of the lock.
        unsafe {
            self.queue(side).remove(waiter);
            waiter.set_state(State::Idle);
            waiter.take_handle()
        }
    }

    /// Looks whether what `irregular` says is still true.
    #[cold]
    pub(crate) fn note_irregularities(&mut self) {
        let has_more = !self.given_back.is_empty() || !self.beyond.is_empty();
        self.irregular = has_more || self.closed && !self.drainq.is_empty();
    }

    /// Whether there is somebody for whom the wait is over by the close and who has not been told yet.
    pub(crate) fn is_closing_awaited(&self) -> bool {
        !self.closing.is_empty()
    }

    /// Moves those who wait for the last message to `closing`: it has left.
    #[cold]
    pub(crate) fn release_drainq(&mut self) {
        self.drained = true;
        self.closing.append(&mut self.drainq);
    }

    /// Completes as many of those parked at the close as fit into the batch, in the order in which they parked.
    pub(crate) fn complete_closing(&mut self, wakes: &mut WakeBatch) {
        while !wakes.is_full() {
            let Some((waiter, waker)) = dequeue(&mut self.closing) else {
                break;
            };
            // SAFETY: just dequeued, so it is alive and ours (6).
            unsafe { Waiter::fail(waiter) };
            wakes.push(waker);
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(crate) fn waiting(&self, side: Side) -> usize {
        match side {
            Side::Send => self.sendq.len(),
            Side::Recv => self.recvq.len(),
            Side::Close => self.closeq.len(),
            Side::Drain => self.drainq.len(),
        }
    }

    /// Frees the buffer, with what is in it leaked.
    ///
    /// # Safety
    ///
    /// The caller has exclusive access to the channel, which is not used again.
    pub(crate) unsafe fn free(&mut self, blocks: &Blocks<T>) {
        // SAFETY: the caller's promise.
        unsafe { self.consumer.free(blocks) };
    }
}
