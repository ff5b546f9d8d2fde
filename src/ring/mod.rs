//! The buffer of a channel: a queue with a producing and a consuming end, which can be used at the same time.
//!
//! Each cell says whether there is a message in it, so an end that moves one message looks there and, as long as it need not wait,
//! touches nothing else that the other end writes (but at the end of a block). Both ends also count the messages that pass them,
//! for operations that have to know how many there are: batches, sends beside permits, and now and then those into a bounded chain.
//! Code that uses an end has exclusive access to it: each end stands behind a lock.
//!
//! A small buffer is a ring of cells, allocated with the channel. A large or unlimited one is a chain of blocks of them that
//! grows at the producing end: no message ever moves, so the cost of a push does not grow with the backlog. Blocks that have been
//! drained are freed, all but two, which the producer uses next: neither does a burst's memory stay, nor does a level that varies
//! by less than a block allocate anything.
//!
//! The buffer does not know the type of its messages. The functions of the fast paths take a [`Geometry`]: [`Typed`] where the type
//! is known, so that they are compiled for it, and the channel's [`Message`](crate::slot::Message) elsewhere.

mod blocks;
mod cell;

pub(crate) use blocks::Blocks;
pub(crate) use cell::{Cell, CellRef, Geometry, Typed};

use core::ptr::{NonNull, null_mut};

use crate::{
    slot::{Message, RawSlot},
    sync::atomic::{AtomicUsize, Ordering},
};
use blocks::Block;

/// Where both positions begin: shortly before they wrap around, as Linux's jiffies do, so that every test crosses that point.
const START: usize = usize::MAX - if cfg!(hchan_loom) { 1 } else { 99 };

/// How many messages have passed an end since [`START`], modulo 2ˢⁱᶻᵉ. Written by the holder of the end, read at the other one, too.
///
/// A message counts after its cell says so: a thread that has seen a position finds the cells before it as they are to be.
pub(crate) struct Position(AtomicUsize);

impl Position {
    pub(crate) fn new() -> Self {
        Self(AtomicUsize::new(START))
    }

    /// For the holder of this end, or of both.
    #[inline(always)]
    fn own(&self) -> usize {
        // Relaxed: the last write was the holder's own, or came to it with the lock of the end.
        self.0.load(Ordering::Relaxed)
    }

    /// For the holder of the other end: with the position come all messages, or all places, before it. For a thread that holds
    /// neither, it is a number that may be old.
    #[inline(always)]
    pub(crate) fn of_other(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    /// How many messages have passed, modulo 2ˢⁱᶻᵉ; it may be old.
    #[cfg(feature = "inspect")]
    pub(crate) fn passed(&self) -> usize {
        self.of_other().wrapping_sub(START)
    }

    #[inline(always)]
    fn advance(&self, by: usize) {
        self.0.store(self.own().wrapping_add(by), Ordering::Release);
    }
}

/// One end's place in the blocks.
// codegen: the address of the next cell and not its number, which every message would have to be multiplied and added for.
#[repr(C)]
struct Cursor {
    /// The next cell; the end, if that is in the next block, or at the start of the ring again.
    next: NonNull<u8>,
    /// Where the cells of the block end; dangling until there is one.
    end: NonNull<u8>,
    /// Null in a ring. Last, as it is used only at the end of a block.
    block: *mut Block,
}

// SAFETY: an end goes from thread to thread with its lock, and with it the right to its cells; whether the messages may is said by
// the brand of the channel.
unsafe impl Send for Cursor {}

/// The end where messages enter.
pub(crate) struct Producer {
    cursor: Cursor,
    /// The position of the other end when last looked at.
    seen: usize,
}

/// The end where messages leave.
pub(crate) struct Consumer(Cursor);

/// A buffer for up to `capacity` messages (`None`: any number): its memory and its ends.
pub(crate) fn new(
    message: &'static Message,
    capacity: Option<usize>,
) -> (Blocks, Producer, Consumer) {
    let blocks = Blocks::new(message, capacity);
    let producer = Producer {
        cursor: Cursor::at_start(&blocks),
        seen: START,
    };
    let consumer = Consumer(Cursor::at_start(&blocks));
    (blocks, producer, consumer)
}

impl Cursor {
    fn at_start(blocks: &Blocks) -> Self {
        let (next, end) = match blocks.ring {
            Some(ring) => (ring, blocks.end_of(ring)),
            None => (NonNull::dangling(), NonNull::dangling()),
        };
        Self {
            next,
            end,
            block: null_mut(),
        }
    }

    /// Goes to the start of a block.
    ///
    /// # Safety
    ///
    /// The block is alive until the cursor has left it.
    unsafe fn enter(&mut self, block: *mut Block, blocks: &Blocks) {
        self.block = block;
        // SAFETY: alive, by the caller's promise.
        self.next = unsafe { (*block).cells };
        self.end = blocks.end_of(self.next);
    }

    /// Goes back to the start of the ring.
    #[inline(always)]
    fn start_again(&mut self, ring: NonNull<u8>) {
        self.next = ring;
    }

    #[inline(always)]
    fn is_at_end(&self) -> bool {
        self.next == self.end
    }

    /// How many cells are left in the block, or to the end of the ring.
    #[inline(always)]
    fn left<G: Geometry>(&self, geometry: G) -> usize {
        (self.end.addr().get() - self.next.addr().get()) / geometry.stride()
    }

    /// The next cell.
    ///
    /// # Safety
    ///
    /// There is a block, and the cursor is not at the end of it.
    #[inline(always)]
    unsafe fn cell(&self) -> CellRef {
        // SAFETY: it is a cell of the block, which is alive until the cursor has left it.
        unsafe { CellRef::new(self.next) }
    }

    /// Goes on by so many cells.
    ///
    /// # Safety
    ///
    /// So many are left.
    #[inline(always)]
    unsafe fn pass<G: Geometry>(&mut self, geometry: G, count: usize) {
        // SAFETY: at most the end of the block.
        self.next = unsafe { self.next.byte_add(count * geometry.stride()) };
    }
}

impl Producer {
    /// Whether the next cell alone tells whether there is room for a message, while no permit is out.
    pub(crate) fn is_ring(blocks: &Blocks) -> bool {
        blocks.ring.is_some() && blocks.capacity > 0
    }

    /// How much room there is, up to `most`, if the buffer is to hold no more than `limit` messages, which is at most its
    /// capacity.
    #[inline]
    pub(crate) fn room(
        &mut self,
        tail: &Position,
        head: &Position,
        blocks: &Blocks,
        limit: usize,
        most: usize,
    ) -> usize {
        let tail = tail.own();
        let room = |seen| limit.saturating_sub(tail.wrapping_sub(seen));
        // In a ring, messages may have been sent without a look at the position, so what was seen may be of any age.
        if blocks.ring.is_some() || room(self.seen) < most {
            self.seen = head.of_other();
        }
        room(self.seen).min(most)
    }

    /// The next cell of a ring, if it is empty: so there is room, as no permit counts on it.
    ///
    /// The buffer is a ring with a capacity.
    #[inline(always)]
    pub(crate) fn next_in_ring(&mut self, blocks: &Blocks) -> Option<CellRef> {
        if self.cursor.is_at_end() {
            self.advance(blocks);
        }
        // SAFETY: there is a cell, and the cursor is not at the end of them.
        let cell = unsafe { self.cursor.cell() };
        (!cell.is_full()).then_some(cell)
    }

    /// The next cell, which is empty, if there is room by the count and the buffer is to hold no more than `limit` messages.
    #[inline(always)]
    pub(crate) fn next_counted(
        &mut self,
        tail: &Position,
        head: &Position,
        blocks: &Blocks,
        limit: usize,
    ) -> Option<CellRef> {
        let has_room = self.room(tail, head, blocks, limit, 1) > 0;
        has_room.then(|| self.next(blocks))
    }

    /// The next cell; it is empty, as the caller knows that there is room.
    #[inline(always)]
    pub(crate) fn next(&mut self, blocks: &Blocks) -> CellRef {
        if self.cursor.is_at_end() {
            self.advance(blocks);
        }
        // SAFETY: not at the end of a block.
        unsafe { self.cursor.cell() }
    }

    /// Appends the message that `put` puts into the slot of the next cell, and returns what `put` returns.
    ///
    /// # Safety
    ///
    /// `cell` was returned by one of the methods above, since the last message. `put` fills the slot, and does not panic.
    #[inline(always)]
    pub(crate) unsafe fn push<G: Geometry, R>(
        &mut self,
        cell: CellRef,
        geometry: G,
        tail: &Position,
        put: impl FnOnce(RawSlot) -> R,
    ) -> R {
        // SAFETY: it is the next, and there is room, so it is empty: it said so, or the consumer's position did, which is counted
        // after it. The rest is the caller's promise.
        unsafe {
            let result = cell.fill(geometry, put);
            self.cursor.pass(geometry, 1);
            tail.advance(1);
            result
        }
    }

    /// Appends so many messages, each put by a call of `put` into the slot that it is given.
    ///
    /// # Safety
    ///
    /// There is room, by `room`. `put` fills the slots, and does not panic.
    #[inline(always)]
    pub(crate) unsafe fn push_many<G: Geometry>(
        &mut self,
        geometry: G,
        tail: &Position,
        blocks: &Blocks,
        count: usize,
        mut put: impl FnMut(RawSlot),
    ) {
        let mut left = count;
        while left > 0 {
            if self.cursor.is_at_end() {
                self.advance(blocks);
            }
            let run = left.min(self.cursor.left(geometry));
            // SAFETY: not at the end of a block.
            let first = unsafe { self.cursor.cell() };
            for nth in 0..run {
                // SAFETY: as in `push`, for so many cells, which are within the block.
                unsafe { first.after(geometry, nth).fill(geometry, &mut put) };
            }
            // SAFETY: so many were left.
            unsafe { self.cursor.pass(geometry, run) };
            left -= run;
            tail.advance(run);
        }
    }

    /// Notes how far the other end has come: for a holder of both, which has room by the count.
    #[inline(always)]
    pub(crate) fn note_head(&mut self, head: &Position) {
        self.seen = head.own();
    }

    /// Goes back to the start of the ring, or on to the next block.
    // codegen: as for [`Consumer::advance`].
    extern "C" fn advance(&mut self, blocks: &Blocks) {
        match blocks.ring {
            Some(ring) => self.cursor.start_again(ring),
            None => self.enter_next(blocks),
        }
    }

    #[cold]
    #[inline(never)]
    fn enter_next(&mut self, blocks: &Blocks) {
        let next = blocks.supply();
        let link = match self.cursor.block.is_null() {
            true => &blocks.first,
            // SAFETY: the consumer frees a block only after it has gone to the next one, which is linked here.
            false => unsafe { &(*self.cursor.block).next },
        };
        // `Release`: the consumer follows it before there is a message in the block.
        link.store(next, Ordering::Release);
        // SAFETY: a block is alive until both ends have left it.
        unsafe { self.cursor.enter(next, blocks) };
    }
}

/// A message that is being taken; dropped, it has left the buffer.
struct Leaving<'a> {
    head: &'a Position,
}

impl Drop for Leaving<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.head.advance(1);
    }
}

impl Consumer {
    /// The next cell, if there is a message in it.
    #[inline(always)]
    pub(crate) fn next(&mut self, blocks: &Blocks) -> Option<CellRef> {
        if self.0.is_at_end() && !self.advance(blocks) {
            return None;
        }
        // SAFETY: not at the end of a block.
        let cell = unsafe { self.0.cell() };
        cell.is_full().then_some(cell)
    }

    /// Has `take` take the oldest message out of the slot that it is given, and returns what it returns.
    ///
    /// # Safety
    ///
    /// `cell` was returned by `next`, since the last message. `take` empties the slot.
    #[inline(always)]
    pub(crate) unsafe fn take<G: Geometry, R>(
        &mut self,
        cell: CellRef,
        geometry: G,
        head: &Position,
        take: impl FnOnce(RawSlot) -> R,
    ) -> R {
        // codegen: in a drop, so that what is returned is made where the caller wants it.
        let _leaving = Leaving { head };
        // SAFETY: it is the next, and full; the rest is the caller's promise.
        unsafe {
            self.0.pass(geometry, 1);
            cell.empty(geometry, take)
        }
    }

    /// Takes the oldest messages, up to `most`, as many as there are by the count; each is taken by a call of `take` out of the slot
    /// that it is given. Returns how many.
    ///
    /// # Safety
    ///
    /// `take` empties the slots, and does not panic.
    #[inline(always)]
    pub(crate) unsafe fn pop_many<G: Geometry>(
        &mut self,
        geometry: G,
        [head, tail]: [&Position; 2],
        blocks: &Blocks,
        most: usize,
        mut take: impl FnMut(RawSlot),
    ) -> usize {
        // The position says it for all cells at once: with it come the messages before it.
        let most = most.min(len_seen(head, tail, blocks));
        let mut count = 0;
        while count < most {
            if self.0.is_at_end() && !self.advance(blocks) {
                break;
            }
            let run = (most - count).min(self.0.left(geometry));
            // SAFETY: not at the end of a block.
            let first = unsafe { self.0.cell() };
            for nth in 0..run {
                // SAFETY: within the block. It is full, by the position, and the cells before it have been emptied; the rest is the
                // caller's promise.
                unsafe { first.after(geometry, nth).empty(geometry, &mut take) };
            }
            // SAFETY: so many were left.
            unsafe { self.0.pass(geometry, run) };
            count += run;
        }
        head.advance(count);
        count
    }

    /// Goes back to the start of the ring, or on to the next block; says whether there is one.
    // codegen: `extern "C"` as such a function does not unwind: its callers hold a lock, and need no landing pad to release it.
    extern "C" fn advance(&mut self, blocks: &Blocks) -> bool {
        match blocks.ring {
            // At capacity 0 there is nothing to go back to.
            _ if blocks.block_len == 0 => false,
            Some(ring) => {
                self.0.start_again(ring);
                true
            }
            None => self.enter_next(blocks),
        }
    }

    #[cold]
    #[inline(never)]
    fn enter_next(&mut self, blocks: &Blocks) -> bool {
        let drained = self.0.block;
        let link = match drained.is_null() {
            true => &blocks.first,
            // SAFETY: we have not left it yet, so it is alive.
            false => unsafe { &(*drained).next },
        };
        // `Acquire` pairs with the producer's `Release`: the block is there.
        let next = link.load(Ordering::Acquire);
        if next.is_null() {
            return false;
        }
        // SAFETY: a block is alive until both ends have left it.
        unsafe { self.0.enter(next, blocks) };
        if !drained.is_null() {
            // SAFETY: we have just left it, and the producer had before: to link the next block is the last that it does there.
            unsafe { blocks.recycle(drained) };
        }
        true
    }

    /// Frees the memory, after which neither end is used again.
    ///
    /// # Safety
    ///
    /// The caller has exclusive access to both ends, and takes no more messages: what is left is leaked.
    pub(crate) unsafe fn free(&mut self, blocks: &Blocks) {
        // SAFETY: the caller's promise; the chain begins where the consumer is, if it has begun.
        unsafe { blocks.free(self.0.block) };
    }
}

/// How many messages there are, for the holder of both ends.
#[inline(always)]
pub(crate) fn len(head: &Position, tail: &Position) -> usize {
    tail.own().wrapping_sub(head.own())
}

/// As `len`, for the holder of the consuming end: some messages that are on their way may be missing, even if others after them were
/// seen in their cells.
pub(crate) fn len_seen(head: &Position, tail: &Position, blocks: &Blocks) -> usize {
    let len = tail.of_other().wrapping_sub(head.own());
    // The consumer may have taken messages that it does not see counted yet: at most those of one block. No real length is so near to
    // 2ˢⁱᶻᵉ, for every cell takes at least a byte of memory, and the blocks take some more.
    let is_negative = len > usize::MAX - blocks.block_len;
    if is_negative { 0 } else { len }
}

/// Counts messages as left and as entered that never were in the buffer.
#[cfg(all(test, not(hchan_loom)))]
pub(crate) fn pretend([head, tail]: [&Position; 2], left: usize, entered: usize) {
    head.advance(left);
    tail.advance(entered);
}

#[cfg(all(test, not(hchan_loom)))]
mod tests {
    use alloc::collections::VecDeque;

    use super::*;
    use crate::chan::TypedChan;

    fn buffer<T>(capacity: Option<usize>) -> (Blocks, Producer, Consumer) {
        new(TypedChan::<T>::MESSAGE, capacity)
    }

    fn push<T>(producer: &mut Producer, tail: &Position, blocks: &Blocks, message: T) {
        // SAFETY: the slot is of a buffer of this type, and empty.
        let put = |to: RawSlot| unsafe { to.typed::<T>().put_with(|| message) };
        let cell = producer.next(blocks);
        // SAFETY: it is the next.
        unsafe { producer.push(cell, Typed::<T>::NEW, tail, put) };
    }

    fn pop<T>(consumer: &mut Consumer, head: &Position, blocks: &Blocks) -> Option<T> {
        let cell = consumer.next(blocks)?;
        // SAFETY: there is one, and the slot is of a buffer of this type.
        Some(unsafe { consumer.take(cell, Typed::<T>::NEW, head, |from| from.typed::<T>().take()) })
    }

    /// By the count, and by the next cell where that tells.
    fn has_room(
        producer: &mut Producer,
        tail: &Position,
        head: &Position,
        blocks: &Blocks,
        limit: usize,
    ) -> bool {
        let counted = producer.room(tail, head, blocks, limit, 1) > 0;
        if Producer::is_ring(blocks) && limit == blocks.capacity {
            let next = producer.next_in_ring(blocks);
            assert_eq!(next.is_some(), counted);
        }
        counted
    }

    /// Positions are modulo 2ˢⁱᶻᵉ, and the capacity may be nearly that: both ends walk over the edge, at all fill levels.
    #[test]
    fn positions_wrap_around() {
        // 4 of these make a block.
        type Message = [usize; 128];
        let capacities = [1, 2, 5, 33, 200, 1000, usize::MAX - 1, usize::MAX];
        for capacity in capacities.map(Some).into_iter().chain([None]) {
            let (blocks, mut producer, mut consumer) = buffer::<Message>(capacity);
            let (head, tail) = (Position::new(), Position::new());
            let mut model = VecDeque::new();
            let mut rng = 1_u32;
            for step in 0..800 {
                rng = rng.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // Rising to the middle, then falling.
                let is_push = (rng >> 16) % 4 < if step < 400 { 3 } else { 1 };
                if is_push {
                    let has_room = has_room(&mut producer, &tail, &head, &blocks, blocks.capacity);
                    assert_eq!(has_room, model.len() < blocks.capacity());
                    if has_room {
                        push(&mut producer, &tail, &blocks, [step; 128]);
                        model.push_back(step);
                    }
                } else {
                    let popped = pop::<Message>(&mut consumer, &head, &blocks);
                    assert_eq!(popped, model.pop_front().map(|step| [step; 128]));
                }
                assert_eq!(len(&head, &tail), model.len());
            }
            assert!(tail.own() < START, "it has wrapped around");
            while pop::<Message>(&mut consumer, &head, &blocks).is_some() {}
            // SAFETY: nobody else has it, and it is not used again.
            unsafe { consumer.free(&blocks) };
        }
    }

    /// Batches of all sizes, over the edges of blocks and of the count.
    #[test]
    fn batches_are_split_at_the_ends_of_blocks() {
        // 4 of these make a block of a buffer that grows.
        type Message = [usize; 64];
        for capacity in [Some(1), Some(5), Some(200), Some(usize::MAX), None] {
            let (blocks, mut producer, mut consumer) = buffer::<Message>(capacity);
            let (head, tail) = (Position::new(), Position::new());
            let (mut sent, mut received) = (0, 0);
            for step in 0..400 {
                let most = step % 23;
                let room = producer.room(&tail, &head, &blocks, blocks.capacity, most);
                assert_eq!(room, most.min(blocks.capacity - (sent - received)));
                // SAFETY: there is room; the slots are of a buffer of this type, and empty.
                unsafe {
                    producer.push_many(Typed::<Message>::NEW, &tail, &blocks, room, |to| {
                        to.typed::<Message>().put_with(|| [sent; 64]);
                        sent += 1;
                    });
                }

                let (most, left) = (step % 19, sent - received);
                // SAFETY: the slots are of a buffer of this type, and emptied.
                let count = unsafe {
                    consumer.pop_many(
                        Typed::<Message>::NEW,
                        [&head, &tail],
                        &blocks,
                        most,
                        |from| {
                            assert_eq!(from.typed::<Message>().take(), [received; 64]);
                            received += 1;
                        },
                    )
                };
                assert_eq!(count, most.min(left));
                assert_eq!(len(&head, &tail), sent - received);
            }
            assert!(tail.own() < START, "it has wrapped around");
            // SAFETY: nobody else has it, and it is not used again.
            unsafe { consumer.free(&blocks) };
        }
    }

    /// A producer that has not looked for nearly 2ˢⁱᶻᵉ messages looks again before it believes that it is full.
    #[test]
    fn outdated_position_is_looked_at_again_before_the_end_of_the_count() {
        for capacity in [None, Some(usize::MAX), Some(usize::MAX - 1)] {
            let (blocks, mut producer, mut consumer) = buffer::<usize>(capacity);
            let (head, tail) = (Position::new(), Position::new());
            // As if nearly 2ˢⁱᶻᵉ messages had entered since then.
            producer.seen = START.wrapping_add(5);
            for n in 0..10_usize {
                assert!(has_room(
                    &mut producer,
                    &tail,
                    &head,
                    &blocks,
                    blocks.capacity
                ));
                push(&mut producer, &tail, &blocks, n);
                assert_eq!(pop(&mut consumer, &head, &blocks), Some(n));
            }
            // SAFETY: nobody else has it, and it is not used again.
            unsafe { consumer.free(&blocks) };
        }
    }

    /// In a ring nobody looks at positions as long as the slots tell, so what was seen may be of any age.
    #[test]
    fn position_seen_before_is_not_believed_in_a_ring() {
        let (blocks, mut producer, mut consumer) = buffer::<usize>(Some(5));
        let (head, tail) = (Position::new(), Position::new());
        for n in 0..5_usize {
            assert!(has_room(&mut producer, &tail, &head, &blocks, 5));
            push(&mut producer, &tail, &blocks, n);
        }
        assert!(!has_room(&mut producer, &tail, &head, &blocks, 5));
        // As if so many messages had passed since that the count has come round.
        producer.seen = tail.own();
        assert!(!has_room(&mut producer, &tail, &head, &blocks, 4));
        // SAFETY: nobody else has it, and it is not used again.
        unsafe { consumer.free(&blocks) };
    }

    #[test]
    fn messages_taken_before_they_were_seen_to_count_are_no_endless_backlog() {
        let (head, tail) = (Position::new(), Position::new());
        let (blocks, _, mut consumer) = buffer::<()>(None);
        let len = || len_seen(&head, &tail, &blocks);
        head.advance(blocks.block_len);
        assert_eq!(len(), 0);
        tail.advance(blocks.block_len - 1);
        assert_eq!(len(), 0);
        tail.advance(3);
        assert_eq!(len(), 2);
        // SAFETY: nobody else has it, and it is not used again.
        unsafe { consumer.free(&blocks) };
    }

    #[test]
    fn backlog_of_more_than_half_of_all_numbers_is_seen() {
        let (head, tail) = (Position::new(), Position::new());
        let (blocks, _, mut consumer) = buffer::<()>(None);
        for backlog in [usize::MAX / 2, usize::MAX / 2 + 2, usize::MAX / 16 * 15] {
            tail.0
                .store(head.own().wrapping_add(backlog), Ordering::Relaxed);
            assert_eq!(len_seen(&head, &tail, &blocks), backlog);
            assert_eq!(super::len(&head, &tail), backlog);
        }
        // SAFETY: nobody else has it, and it is not used again.
        unsafe { consumer.free(&blocks) };
    }
}
