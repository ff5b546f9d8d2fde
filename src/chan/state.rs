//! The two sides of a channel: what the lock of each guards, and what can be done with one of them alone.
//!
//! The numbers in brackets are those of the invariants in [`chan`](crate::chan).

use alloc::collections::VecDeque;
use core::sync::atomic::{AtomicU8, Ordering};

use super::returned::Returned;
use crate::{
    error::TryRecvError,
    no_unwind::no_unwind,
    numbers::Numbers,
    probe::Paths,
    ring::{self, Blocks, CellRef, Consumer, Geometry, Position, Producer},
    slot::{BoxedMessage, Message, RawSlot},
    sync::Lock,
    waiter::{Kind, List, State, WaiterRef, WakeTarget, dequeue},
    wake::{Wake, WakeBatch},
};

/// The first sequence number: shortly before they wrap around, so that every test crosses that point.
const FIRST_SEQ: u64 = u64::MAX - if cfg!(hchan_loom) { 1 } else { 99 };

/// What the senders' lock guards. With that lock alone messages enter the ring and permits are given out and used; for all
/// else both locks are held.
///
/// The fields stand in this order so that what every send touches is in one cache line, with the lock.
#[repr(C)]
pub(crate) struct SendSide {
    /// Whether the next cell alone decides on a send: `cell_tells_room`, and not `slow`.
    is_plain: bool,
    /// Whether a send has to go the long way (8). Changed with both locks held.
    slow: bool,
    /// Whether the buffer is a ring and no permit is out.
    cell_tells_room: bool,
    /// Whether the buffer is a ring.
    is_ring: bool,
    /// How many messages sends without a permit may bring the ring to: the capacity less the permits out.
    limit: usize,
    pub(crate) producer: Producer,
    /// How many permits are out: each the right to one send.
    permits: usize,
}

/// What the receivers' lock guards. With that lock alone messages leave the ring or are given back, waiters leave the
/// queues, and senders park behind others; for all else both locks are held.
///
/// The fields stand in this order so that what every receive touches is in one cache line, with the lock, and the queues are in
/// the next.
#[repr(C)]
pub(crate) struct RecvSide {
    /// Whether a receive has to go the long way (9).
    pub(crate) slow: bool,
    pub(crate) closed: bool,
    /// Whether the channel has been closed and empty, so that `drainq` was moved to `closing`.
    pub(crate) drained: bool,
    /// Whether a receive has to look elsewhere than in the ring, or its message may be the last that parked waits wait for (9).
    pub(crate) has_side_queue: bool,
    /// The sequence number of the next message that leaves; it wraps around.
    pub(crate) next_seq: u64,
    pub(crate) consumer: Consumer,
    /// Parked sends and requests for a permit, the oldest first.
    pub(crate) sendq: List,
    /// Parked receives, the oldest first.
    pub(crate) recvq: List,
    /// Messages that cancelled receives gave back. They take no place.
    pub(crate) returned: Returned,
    /// Messages sent with a permit that counted on a receiver that has left: they come after those of the full ring.
    pub(crate) overflow: VecDeque<BoxedMessage>,
    /// Parked waits for the close.
    pub(crate) closeq: List,
    /// Parked waits for the channel to be closed and empty.
    pub(crate) drainq: List,
    /// Operations that the close has ended and that have not been completed yet.
    pub(crate) closing: List,
    /// The ways that messages took, for `inspect`.
    pub(crate) paths: Paths,
}

/// Both sides, each behind its lock, and the buffer between them.
///
/// The fields stand in this order so that each side has its own cache lines, and what never changes has others.
#[repr(C)]
pub(crate) struct Sides {
    pub(crate) recv: Side<RecvSide>,
    pub(crate) send: Side<SendSide>,
    pub(crate) blocks: Blocks,
    pub(crate) message: &'static Message,
    /// Whether the receivers' lock stands for both.
    pub(crate) is_single_lock: bool,
}

/// A side behind its lock, with what others see of it. Two cache lines at a time are fetched together, so a side starts at
/// an even one.
#[repr(C, align(128))]
pub(crate) struct Side<S> {
    position: Position,
    pub(crate) hint: Hint,
    pub(crate) lock: Lock<S>,
}

impl Sides {
    pub(crate) fn new(
        message: &'static Message,
        capacity: Option<usize>,
        largest_single_lock: usize,
    ) -> Self {
        let (blocks, producer, consumer) = ring::new(message, capacity);
        let is_single_lock = blocks.capacity() <= largest_single_lock;
        Self {
            recv: Side::new(RecvSide::new(consumer), is_single_lock),
            send: Side::new(SendSide::new(producer, &blocks), is_single_lock),
            is_single_lock,
            blocks,
            message,
        }
    }

    #[inline(always)]
    fn ring(&self) -> RingView<'_> {
        RingView {
            head: &self.recv.position,
            tail: &self.send.position,
            blocks: &self.blocks,
        }
    }

    /// How many messages have left the ring, and how many have entered it, modulo 2ˢⁱᶻᵉ, as far as can be seen.
    #[cfg(feature = "std")]
    pub(crate) fn positions(&self) -> [usize; 2] {
        [&self.recv.position, &self.send.position].map(Position::of_other)
    }

    /// How many messages have entered the ring, modulo 2ˢⁱᶻᵉ; exact with both locks held.
    #[cfg(feature = "inspect")]
    pub(crate) fn entered(&self) -> usize {
        self.send.position.passed()
    }

    /// How many messages are in the ring; exact with both locks held.
    #[inline(always)]
    pub(crate) fn ring_len(&self) -> usize {
        ring::len(&self.recv.position, &self.send.position)
    }
}

impl<S> Side<S> {
    fn new(state: S, is_single_lock: bool) -> Self {
        Self {
            position: Position::new(),
            hint: Hint::new(is_single_lock),
            lock: Lock::new(state),
        }
    }
}

/// What it takes to move messages: the buffer, and both positions in it.
struct RingView<'s> {
    head: &'s Position,
    tail: &'s Position,
    blocks: &'s Blocks,
}

/// What an operation looks at before it takes a lock: whether the channel has a single one, and whether the operations of this side
/// would have to wait, as the last one to hold both locks left it. That is said only where to try first would be without success, in
/// a small channel and behind other senders.
///
/// A hint: it may be out of date as soon as it is read, so Relaxed is enough, and a model need not see this atomic:
/// whichever way an operation goes, it decides under the locks.
// codegen: both in one byte, for a fast path to look at once.
pub(crate) struct Hint(AtomicU8);

const WOULD_BLOCK: u8 = 1;
const SINGLE_LOCK: u8 = 2;

impl Hint {
    fn new(is_single_lock: bool) -> Self {
        Self(AtomicU8::new(Self::byte(is_single_lock, false)))
    }

    #[inline(always)]
    fn byte(is_single_lock: bool, would_block: bool) -> u8 {
        u8::from(is_single_lock) * SINGLE_LOCK + u8::from(would_block) * WOULD_BLOCK
    }

    /// Whether a fast path is worth trying: there are two locks, and nothing is known that would make the operation wait.
    #[inline(always)]
    pub(crate) fn allows_fast_path(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    #[inline(always)]
    pub(crate) fn would_block(&self) -> bool {
        self.0.load(Ordering::Relaxed) & WOULD_BLOCK != 0
    }

    /// `is_single_lock` is what it was made with.
    #[inline(always)]
    pub(crate) fn set(&self, is_single_lock: bool, would_block: bool) {
        self.0
            .store(Self::byte(is_single_lock, would_block), Ordering::Relaxed);
    }
}

impl SendSide {
    fn new(producer: Producer, blocks: &Blocks) -> Self {
        Self {
            is_plain: Producer::is_ring(blocks),
            slow: false,
            cell_tells_room: Producer::is_ring(blocks),
            is_ring: Producer::is_ring(blocks),
            limit: blocks.capacity(),
            producer,
            permits: 0,
        }
    }

    /// Counts messages as left and as entered that never were in the ring.
    #[cfg(all(test, not(hchan_loom)))]
    pub(crate) fn pretend(sides: &Sides, left: usize, entered: usize) {
        let RingView { head, tail, .. } = sides.ring();
        ring::pretend([head, tail], left, entered);
    }

    /// The next cell of the ring, if there is room that no permit counts on and no need to go the long way.
    #[inline(always)]
    fn next_unconcerned(&mut self, sides: &Sides) -> Option<CellRef> {
        let RingView { head, tail, blocks } = sides.ring();
        if self.is_plain {
            self.producer.next_in_ring(blocks)
        } else if self.slow {
            None
        } else {
            (self.producer).next_counted(tail, head, blocks, self.limit)
        }
    }

    /// Whether there is room in the ring that no permit counts on.
    #[cfg(feature = "std")]
    pub(crate) fn has_room(&mut self, sides: &Sides) -> bool {
        let RingView { head, tail, blocks } = sides.ring();
        let next = match self.cell_tells_room {
            true => self.producer.next_in_ring(blocks),
            false => (self.producer).next_counted(tail, head, blocks, self.limit),
        };
        next.is_some()
    }

    /// Sends the message that `put` puts into a slot, if nobody waits for one and there is room; else `put` is not called.
    ///
    /// # Safety
    ///
    /// `put` fills the slot, and does not panic.
    #[inline(always)]
    pub(crate) unsafe fn try_push<G: Geometry>(
        &mut self,
        geometry: G,
        sides: &Sides,
        put: impl FnOnce(RawSlot),
    ) -> bool {
        let Some(cell) = self.next_unconcerned(sides) else {
            return false;
        };
        // SAFETY: it is the next; the rest is the caller's promise.
        unsafe { (self.producer).push(cell, geometry, &sides.send.position, put) };
        true
    }

    /// As `try_push`, for up to `most` messages; returns how many were sent.
    ///
    /// # Safety
    ///
    /// As for `try_push`.
    #[inline(always)]
    pub(crate) unsafe fn try_push_many<G: Geometry>(
        &mut self,
        geometry: G,
        sides: &Sides,
        most: usize,
        put: impl FnMut(RawSlot),
    ) -> usize {
        if self.slow {
            return 0;
        }
        let RingView { head, tail, blocks } = sides.ring();
        let room = (self.producer).room(tail, head, blocks, self.limit, most);
        // SAFETY: there is room; the rest is the caller's promise.
        unsafe { (self.producer).push_many(geometry, tail, blocks, room, put) };
        room
    }

    /// Appends the message that `put` puts into a slot, where both locks are held and there is room by the count. Returns what
    /// `put` returns.
    ///
    /// # Safety
    ///
    /// As for `try_push`.
    #[inline(always)]
    pub(crate) unsafe fn push_counted<R>(
        &mut self,
        sides: &Sides,
        put: impl FnOnce(RawSlot) -> R,
    ) -> R {
        let RingView { head, tail, blocks } = sides.ring();
        self.producer.note_head(head);
        let cell = self.producer.next(blocks);
        // SAFETY: it is the next; the rest is the caller's promise.
        unsafe { self.producer.push(cell, sides.message, tail, put) }
    }

    /// Gives a permit out if nobody waits for a message and there is room.
    #[inline(always)]
    pub(crate) fn try_permit(&mut self, sides: &Sides) -> bool {
        let is_possible = self.next_unconcerned(sides).is_some();
        if is_possible {
            self.set_permits(sides, self.permits + 1);
        }
        is_possible
    }

    /// Sends a message with a permit, which is gone then, if nobody waits for one and the ring has room: it has, unless the
    /// permit counted on a receiver.
    ///
    /// # Safety
    ///
    /// As for `try_push`.
    #[inline(always)]
    pub(crate) unsafe fn try_push_permitted<G: Geometry>(
        &mut self,
        geometry: G,
        sides: &Sides,
        put: impl FnOnce(RawSlot),
    ) -> bool {
        if self.slow {
            return false;
        }
        let RingView { head, tail, blocks } = sides.ring();
        let next = match self.is_ring {
            true => self.producer.next_in_ring(blocks),
            false => (self.producer).next_counted(tail, head, blocks, blocks.capacity()),
        };
        let Some(cell) = next else { return false };
        // SAFETY: it is the next; the rest is the caller's promise.
        unsafe { self.producer.push(cell, geometry, tail, put) };
        self.set_permits(sides, self.permits - 1);
        true
    }

    pub(crate) fn is_slow(&self) -> bool {
        self.slow
    }

    #[inline(always)]
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    #[inline(always)]
    pub(crate) fn permits(&self) -> usize {
        self.permits
    }

    #[inline(always)]
    pub(crate) fn set_permits(&mut self, sides: &Sides, permits: usize) {
        self.permits = permits;
        self.limit = sides.blocks.capacity().saturating_sub(permits);
        self.cell_tells_room = (permits == 0) & self.is_ring;
        self.set_slow(self.slow);
    }

    /// Says whether sends have to go the long way.
    #[inline(always)]
    pub(crate) fn set_slow(&mut self, slow: bool) {
        self.slow = slow;
        self.is_plain = self.cell_tells_room & !slow;
    }

    /// After `try_push` was not possible: whether that was for want of room.
    pub(crate) fn is_full(&self) -> bool {
        !self.slow
    }
}

impl RecvSide {
    fn new(consumer: Consumer) -> Self {
        Self {
            slow: false,
            closed: false,
            drained: false,
            has_side_queue: false,
            next_seq: FIRST_SEQ,
            consumer,
            sendq: List::new(),
            recvq: List::new(),
            returned: Returned::new(),
            overflow: VecDeque::new(),
            closeq: List::new(),
            drainq: List::new(),
            closing: List::new(),
            paths: Paths::new(),
        }
    }

    /// The next cell of the ring, if there is a message in it and nobody is concerned when that leaves.
    #[inline(always)]
    pub(crate) fn next_unconcerned(&mut self, sides: &Sides) -> Option<CellRef> {
        if self.slow {
            return None;
        }
        self.next(sides)
    }

    /// The next cell of the ring, if there is a message in it.
    #[inline(always)]
    pub(crate) fn next(&mut self, sides: &Sides) -> Option<CellRef> {
        self.consumer.next(&sides.blocks)
    }

    /// Has `take` take the oldest message of the ring out of its slot. It has no number yet.
    ///
    /// # Safety
    ///
    /// `cell` was returned by `next_unconcerned` or `next`, in this critical section. `take` empties the slot that it is given.
    #[inline(always)]
    pub(crate) unsafe fn take<G: Geometry, R>(
        &mut self,
        cell: CellRef,
        geometry: G,
        sides: &Sides,
        take: impl FnOnce(RawSlot) -> R,
    ) -> R {
        debug_assert!(
            self.recvq.is_empty(),
            "1: a receiver is parked beside a message"
        );
        // SAFETY: the caller's promise.
        unsafe { (self.consumer).take(cell, geometry, &sides.recv.position, take) }
    }

    /// As `take`, for up to `most` messages, if nobody is concerned when they leave; returns how many there were.
    ///
    /// # Safety
    ///
    /// `take` empties the slots that it is given.
    #[inline(always)]
    pub(crate) unsafe fn try_take_many<G: Geometry>(
        &mut self,
        geometry: G,
        sides: &Sides,
        most: usize,
        numbers: &mut Numbers,
        take: impl FnMut(RawSlot),
    ) -> usize {
        if self.slow {
            return 0;
        }
        let RingView { head, tail, blocks } = sides.ring();
        // SAFETY: the caller's promise.
        let count = unsafe { (self.consumer).pop_many(geometry, [head, tail], blocks, most, take) };
        numbers.add(self.next_seq, count);
        self.next_seq = self.next_seq.wrapping_add(count as u64);
        count
    }

    /// About how many messages can be had, up to `limit`, those of parked senders among them. `None`: none, as far as this side
    /// can see.
    pub(crate) fn available(&self, sides: &Sides, limit: usize) -> Option<usize> {
        let in_ring = ring::len_seen(&sides.recv.position, &sides.send.position, &sides.blocks);
        let available = self.returned.len() + in_ring + self.overflow.len() + self.sendq.len();
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

    /// After `next_unconcerned` found none: whether that was for want of messages.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        !self.slow
    }

    /// The sequence number of a message that leaves now.
    #[inline(always)]
    pub(crate) fn number(&mut self) -> u64 {
        let seq = self.next_seq;
        self.next_seq = self.next_seq.wrapping_add(1);
        seq
    }

    /// The queue in which parked operations of that kind are.
    fn queue(&mut self, kind: Kind) -> &mut List {
        match kind {
            Kind::Drained if !self.drained => &mut self.drainq,
            _ if self.closed => &mut self.closing,
            Kind::Send | Kind::Reserve => &mut self.sendq,
            Kind::Recv => &mut self.recvq,
            Kind::Closed | Kind::Drained => &mut self.closeq,
        }
    }

    /// Takes back a message that a receive was given and is not going to use: for the oldest parked receive, which is to be woken,
    /// or else for the next receive.
    ///
    /// # Safety
    ///
    /// `message` is the type of the channel (10). A message with this number is in `from`, which is the caller's; it is empty
    /// then.
    pub(crate) unsafe fn take_back(
        &mut self,
        message: &Message,
        seq: u64,
        from: RawSlot,
    ) -> Option<Wake> {
        self.paths.given_back();
        match dequeue(&mut self.recvq) {
            // SAFETY: `recvq` holds receives of this channel; the rest is the caller's promise.
            Some(receiver) => Some(unsafe { receiver.fill(message, from, seq) }),
            None => {
                // SAFETY: the caller's promise.
                let boxed = || unsafe { BoxedMessage::new(message, from) };
                no_unwind(|| self.returned.insert(seq, boxed()));
                self.has_side_queue = true;
                self.slow = true;
                None
            }
        }
    }

    /// Whether a send has to wait for sure: others do, so there is no room (2), and none can come without this lock. (If
    /// receivers are parked beside them, these may be of a select that is parked at both ends.)
    pub(crate) fn must_send_wait(&self) -> bool {
        !self.sendq.is_empty() && self.recvq.is_empty()
    }

    /// Parks a waiter at the tail of its queue.
    ///
    /// # Safety
    ///
    /// The caller owns the waiter, which is `Idle`, has a target, is of this channel, and is not moved or freed while it is
    /// `Parked`; nor is the select, if the target is one. The operation has been found unable to proceed, in this critical section;
    /// a receive with both locks held, for (8).
    pub(crate) unsafe fn park(&mut self, waiter: WaiterRef<'_>) {
        waiter.set_state(State::Parked);
        // SAFETY: an `Idle` waiter is in no list (6); it stays where it is by the caller's promise.
        unsafe { self.queue(waiter.kind()).push_back(waiter) };
        self.has_side_queue |= matches!(waiter.kind(), Kind::Drained);
    }

    /// As `park`, of a send in an open channel.
    ///
    /// # Safety
    ///
    /// As there.
    #[inline(always)]
    pub(crate) unsafe fn park_send(&mut self, waiter: WaiterRef<'_>) {
        debug_assert!(waiter.kind() == Kind::Send && !self.closed);
        waiter.set_state(State::Parked);
        // SAFETY: as in `park`.
        unsafe { self.sendq.push_back(waiter) };
    }

    /// As `park`, of a receive in an open channel.
    ///
    /// # Safety
    ///
    /// As there.
    #[inline(always)]
    pub(crate) unsafe fn park_recv(&mut self, waiter: WaiterRef<'_>) {
        debug_assert!(waiter.kind() == Kind::Recv && !self.closed);
        waiter.set_state(State::Parked);
        // SAFETY: as in `park`.
        unsafe { self.recvq.push_back(waiter) };
    }

    /// Unparks a waiter whose owner no longer waits, and returns its target, to be dropped after the lock.
    ///
    /// # Safety
    ///
    /// The waiter is `Parked` on this channel.
    pub(crate) unsafe fn unpark(&mut self, waiter: WaiterRef<'_>) -> WakeTarget {
        // SAFETY: a `Parked` waiter is in its queue or, in a closed channel, in `closing` (5, 6), and its contents belong to the
        // holder of the lock.
        unsafe {
            self.queue(waiter.kind()).remove(waiter);
            waiter.set_state(State::Idle);
            waiter.take_target()
        }
    }

    /// Looks whether what `has_side_queue` says is still true.
    #[cold]
    pub(crate) fn update_side_queue(&mut self) {
        let has_more = !self.returned.is_empty() || !self.overflow.is_empty();
        self.has_side_queue = has_more || self.closed && !self.drainq.is_empty();
    }

    /// Whether there are operations that the close has ended and that have not been completed yet.
    pub(crate) fn is_closing_awaited(&self) -> bool {
        !self.closing.is_empty()
    }

    /// Moves the waits for the last message to `closing`: it has left.
    #[cold]
    pub(crate) fn release_drainq(&mut self) {
        self.drained = true;
        self.closing.append(&mut self.drainq);
    }

    /// Completes as many of the operations in `closing` as fit into the batch, in the order in which they parked.
    pub(crate) fn complete_closing(&mut self, wakes: &mut WakeBatch) {
        while !wakes.is_full() {
            let Some(waiter) = dequeue(&mut self.closing) else {
                break;
            };
            wakes.push(waiter.fail());
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Frees the buffer, with what is in it leaked.
    ///
    /// # Safety
    ///
    /// The caller has exclusive access to the channel, which is not used again.
    pub(crate) unsafe fn free(&mut self, blocks: &Blocks) {
        // SAFETY: the caller's promise.
        unsafe { self.consumer.free(blocks) };
    }
}
