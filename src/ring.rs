//! The buffer of a channel: a queue with a producing and a consuming end, which can be used at the same time.
//!
//! Each end has a cursor of its own and remembers what it last saw of the other's position, so as long as there is room,
//! or messages, that it knows of, neither end touches what the other writes. Who uses an end has exclusive access to it:
//! each stands behind a lock.
//!
//! A small buffer is a ring of slots, allocated with the channel. A large or unlimited one is a chain of blocks of them that
//! grows at the producing end: no message ever moves, so the cost of a push does not grow with the backlog. Blocks that have been
//! drained are freed, all but two, which the producer uses next: neither does a burst's memory stay, nor does a level that varies
//! by less than a block allocate anything.

mod blocks;

pub(crate) use blocks::Blocks;

use core::{
    mem::MaybeUninit,
    ptr::{NonNull, null_mut},
    slice,
};

use crate::sync::atomic::{AtomicUsize, Ordering};
use blocks::{Block, Slot};

/// How many messages have passed an end, modulo 2ˢⁱᶻᵉ. Written by who holds the end, read at the other one, too.
pub(crate) struct Position(AtomicUsize);

impl Position {
    pub(crate) fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// For who holds this end, or both.
    #[inline]
    fn own(&self) -> usize {
        // Relaxed: the last write was the holder's own, or came to it with the lock of the end.
        self.0.load(Ordering::Relaxed)
    }

    /// For who holds the other end: with the position come all messages, or all places, before it. For who holds none, it is a
    /// number that may be old.
    #[inline]
    pub(crate) fn of_other(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    #[inline]
    fn advance(&self, from: usize, by: usize) {
        self.0.store(from.wrapping_add(by), Ordering::Release);
    }
}

/// One end's place in the blocks, and what it knows of the other end.
#[repr(C)]
struct Cursor<T> {
    /// The slots of the block; dangling until there is one.
    slots: NonNull<Slot<T>>,
    /// The next slot; the length of a block if that is in the next one.
    index: usize,
    /// The position of the other end when last looked at.
    seen: usize,
    /// Null in a ring. Last, as it is used only at the end of a block.
    block: *mut Block<T>,
}

// SAFETY: an end goes from thread to thread with its lock, and with it the right to its slots.
unsafe impl<T: Send> Send for Cursor<T> {}

/// The end where messages enter.
pub(crate) struct Producer<T>(Cursor<T>);

/// The end where messages leave.
pub(crate) struct Consumer<T>(Cursor<T>);

/// A buffer for up to `capacity` messages (`None`: any number): its memory and its ends.
pub(crate) fn new<T>(capacity: Option<usize>) -> (Blocks<T>, Producer<T>, Consumer<T>) {
    let blocks = Blocks::new(capacity);
    let (producer, consumer) = (Cursor::at_start(&blocks), Cursor::at_start(&blocks));
    (blocks, Producer(producer), Consumer(consumer))
}

impl<T> Cursor<T> {
    fn at_start(blocks: &Blocks<T>) -> Self {
        let (slots, index) = match blocks.ring {
            Some(ring) => (ring.cast(), 0),
            None => (NonNull::dangling(), blocks.block_len),
        };
        Self {
            slots,
            index,
            seen: 0,
            block: null_mut(),
        }
    }

    /// Goes to the start of a block.
    ///
    /// # Safety
    ///
    /// The block is alive until the cursor has left it.
    unsafe fn enter(&mut self, block: *mut Block<T>) {
        self.block = block;
        // SAFETY: alive, by the caller's promise.
        self.slots = NonNull::from(unsafe { &*(*block).slots }).cast();
        self.index = 0;
    }

    /// The next slots, so many or up to the end of the block.
    ///
    /// # Safety
    ///
    /// There is a block, and the end of this cursor stays where it is meanwhile.
    #[inline]
    unsafe fn run<'b>(&self, blocks: &Blocks<T>, most: usize) -> &'b [Slot<T>] {
        let len = most.min(blocks.block_len - self.index);
        // SAFETY: the slots are within the block, which is alive until the cursor has left it.
        unsafe { slice::from_raw_parts(self.slots.add(self.index).as_ptr(), len) }
    }
}

impl<T> Producer<T> {
    /// How much room there is, up to `most`, if the buffer is to hold no more than `limit` messages, which is at most its
    /// capacity.
    #[inline]
    pub(crate) fn room(
        &mut self,
        tail: &Position,
        head: &Position,
        limit: usize,
        most: usize,
    ) -> usize {
        let tail = tail.own();
        let room = |seen| limit.saturating_sub(tail.wrapping_sub(seen));
        if room(self.0.seen) < most {
            self.0.seen = head.of_other();
        }
        room(self.0.seen).min(most)
    }

    /// As `room`, for one message.
    #[inline]
    pub(crate) fn has_room(&mut self, tail: &Position, head: &Position, limit: usize) -> bool {
        self.room(tail, head, limit, 1) > 0
    }

    /// Appends the message that `take` gives, straight from where that has it; there is room, by `has_room`.
    #[inline]
    pub(crate) fn push(&mut self, tail: &Position, blocks: &Blocks<T>, take: impl FnOnce() -> T) {
        if self.0.index == blocks.block_len {
            self.advance(blocks);
        }
        // SAFETY: the index is within the block. There is room, so the consumer has left the slot, which was seen with its
        // position; and it does not look at it before it sees ours.
        unsafe {
            self.0
                .slots
                .add(self.0.index)
                .as_ref()
                .with_mut(|slot| (*slot).write(take()));
        }
        self.0.index += 1;
        tail.advance(tail.own(), 1);
    }

    /// Appends so many messages, which can be seen all at once; there is room, by `room`.
    #[inline]
    pub(crate) fn push_many(
        &mut self,
        tail: &Position,
        blocks: &Blocks<T>,
        mut messages: impl ExactSizeIterator<Item = T>,
    ) {
        let count = messages.len();
        let mut left = count;
        while left > 0 {
            if self.0.index == blocks.block_len {
                self.advance(blocks);
            }
            // SAFETY: as in `push`, for so many slots.
            let run = unsafe { self.0.run(blocks, left) };
            for (slot, message) in run.iter().zip(&mut messages) {
                // SAFETY: as in `push`.
                slot.with_mut(|slot| unsafe { _ = (*slot).write(message) });
            }
            self.0.index += run.len();
            left -= run.len();
        }
        tail.advance(tail.own(), count);
    }

    /// Goes back to the start of the ring, or on to the next block.
    fn advance(&mut self, blocks: &Blocks<T>) {
        match blocks.ring {
            Some(_) => self.0.index = 0,
            None => self.enter_next(blocks),
        }
    }

    #[cold]
    fn enter_next(&mut self, blocks: &Blocks<T>) {
        let next = blocks.supply();
        if self.0.block.is_null() {
            // Relaxed, here and below: the consumer looks after it has seen a position in the block.
            blocks.first.store(next, Ordering::Relaxed);
        } else {
            // SAFETY: the consumer frees a block only after it has gone to the next one, which is linked here.
            unsafe { (*self.0.block).next.store(next, Ordering::Relaxed) };
        }
        // SAFETY: a block is alive until both ends have left it.
        unsafe { self.0.enter(next) };
    }
}

/// A message that is being taken; dropped, it has left its slot.
struct Leaving<'a> {
    head: &'a Position,
}

impl Drop for Leaving<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.head.advance(self.head.own(), 1);
    }
}

impl<T> Consumer<T> {
    #[inline]
    pub(crate) fn has_message(&mut self, head: &Position, tail: &Position) -> bool {
        let position = head.own();
        if position == self.0.seen {
            self.0.seen = tail.of_other();
        }
        position != self.0.seen
    }

    /// Takes the oldest message and returns what `make` makes of it, straight from its slot.
    ///
    /// # Safety
    ///
    /// There is one, by `has_message`.
    #[inline]
    pub(crate) unsafe fn take<R>(
        &mut self,
        head: &Position,
        blocks: &Blocks<T>,
        make: impl FnOnce(T) -> R,
    ) -> R {
        if self.0.index == blocks.block_len {
            self.advance(blocks);
        }
        // SAFETY: the index is within the block.
        let slot = unsafe { self.0.slots.add(self.0.index).as_ref() };
        self.0.index += 1;
        // In a drop, so that what is returned is made where the caller wants it.
        let _leaving = Leaving { head };
        // SAFETY: the producer has written the slot, which was seen with its position; and it does not write it again before
        // it sees ours.
        slot.with_mut(|slot| make(unsafe { (*slot).assume_init_read() }))
    }

    /// Takes the oldest message.
    #[inline]
    pub(crate) fn pop(
        &mut self,
        head: &Position,
        tail: &Position,
        blocks: &Blocks<T>,
    ) -> Option<T> {
        let has_message = self.has_message(head, tail);
        // SAFETY: there is one.
        has_message.then(|| unsafe { self.take(head, blocks, |message| message) })
    }

    /// Takes the oldest messages, as many as there are and find a place; returns how many, which are in the first places then.
    #[inline]
    pub(crate) fn pop_many(
        &mut self,
        head: &Position,
        tail: &Position,
        blocks: &Blocks<T>,
        mut places: &mut [MaybeUninit<T>],
    ) -> usize {
        let position = head.own();
        if self.0.seen.wrapping_sub(position) < places.len() {
            self.0.seen = tail.of_other();
        }
        let count = self.0.seen.wrapping_sub(position).min(places.len());
        places = &mut places[..count];
        while !places.is_empty() {
            if self.0.index == blocks.block_len {
                self.advance(blocks);
            }
            // SAFETY: as in `take`, for so many slots: so many messages have been seen.
            let run = unsafe { self.0.run(blocks, places.len()) };
            for (slot, place) in run.iter().zip(&mut *places) {
                // SAFETY: as in `take`.
                slot.with_mut(|slot| unsafe { _ = place.write((*slot).assume_init_read()) });
            }
            self.0.index += run.len();
            places = &mut places[run.len()..];
        }
        head.advance(position, count);
        count
    }

    /// As the producer's.
    fn advance(&mut self, blocks: &Blocks<T>) {
        match blocks.ring {
            Some(_) => self.0.index = 0,
            None => self.enter_next(blocks),
        }
    }

    #[cold]
    fn enter_next(&mut self, blocks: &Blocks<T>) {
        let drained = self.0.block;
        // Relaxed: the producer linked the block before the position that we have seen.
        let next = if drained.is_null() {
            blocks.first.load(Ordering::Relaxed)
        } else {
            // SAFETY: we have not left it yet, so it is alive.
            unsafe { (*drained).next.load(Ordering::Relaxed) }
        };
        // SAFETY: a block is alive until both ends have left it.
        unsafe { self.0.enter(next) };
        if !drained.is_null() {
            // SAFETY: we have just left it, and the producer had before: it links the next block as it leaves one, and we have
            // seen a position in the next.
            unsafe { blocks.recycle(drained) };
        }
    }

    /// Frees the memory, after which neither end is used again.
    ///
    /// # Safety
    ///
    /// The caller has exclusive access to both ends, and takes no more messages: what is left is leaked.
    pub(crate) unsafe fn free(&mut self, blocks: &Blocks<T>) {
        // SAFETY: the caller's promise; the chain begins where the consumer is, if it has begun.
        unsafe { blocks.free(self.0.block) };
    }
}

/// How many messages there are, for who holds both ends.
#[inline]
pub(crate) fn len(head: &Position, tail: &Position) -> usize {
    tail.own().wrapping_sub(head.own())
}

/// As `len`, for who holds the consuming end: some that are on their way may be missing.
pub(crate) fn len_seen(head: &Position, tail: &Position) -> usize {
    tail.of_other().wrapping_sub(head.own())
}

#[cfg(all(test, not(hchan_loom)))]
mod tests {
    use alloc::collections::VecDeque;

    use super::*;

    /// Positions are modulo 2ˢⁱᶻᵉ, and the capacity may be nearly that: both ends walk over the edge, at all fill levels.
    #[test]
    fn positions_wrap_around() {
        // 4 of these make a block.
        type Message = [usize; 128];
        let capacities = [1, 2, 5, 33, 200, 1000, usize::MAX - 1, usize::MAX];
        for capacity in capacities.map(Some).into_iter().chain([None]) {
            let (blocks, mut producer, mut consumer) = new::<Message>(capacity);
            let start = usize::MAX - 40;
            let (head, tail) = (Position::new(), Position::new());
            for position in [&head, &tail] {
                position.0.store(start, Ordering::Relaxed);
            }
            (producer.0.seen, consumer.0.seen) = (start, start);

            let mut model = VecDeque::new();
            let mut rng = 1_u32;
            for step in 0..400 {
                rng = rng.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // Rising to the middle, then falling.
                let is_push = (rng >> 16) % 4 < if step < 200 { 3 } else { 1 };
                if is_push {
                    let has_room = producer.has_room(&tail, &head, blocks.capacity);
                    assert_eq!(has_room, model.len() < blocks.capacity());
                    if has_room {
                        producer.push(&tail, &blocks, || [step; 128]);
                        model.push_back(step);
                    }
                } else {
                    let popped = consumer.pop(&head, &tail, &blocks);
                    assert_eq!(popped, model.pop_front().map(|step| [step; 128]));
                }
                assert_eq!(len(&head, &tail), model.len());
            }
            assert!(tail.own() < start, "it has wrapped around");
            while consumer.pop(&head, &tail, &blocks).is_some() {}
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
            let (blocks, mut producer, mut consumer) = new::<Message>(capacity);
            let start = usize::MAX - 40;
            let (head, tail) = (Position::new(), Position::new());
            for position in [&head, &tail] {
                position.0.store(start, Ordering::Relaxed);
            }
            (producer.0.seen, consumer.0.seen) = (start, start);

            let (mut sent, mut received) = (0, 0);
            for step in 0..400 {
                let most = step % 23;
                let room = producer.room(&tail, &head, blocks.capacity, most);
                assert_eq!(room, most.min(blocks.capacity - (sent - received)));
                let messages = (sent..sent + room).map(|n| [n; 64]);
                producer.push_many(&tail, &blocks, messages);
                sent += room;

                let mut places = [const { MaybeUninit::uninit() }; 19];
                let places = &mut places[..step % 19];
                let count = consumer.pop_many(&head, &tail, &blocks, places);
                assert_eq!(count, places.len().min(sent - received));
                for place in &places[..count] {
                    // SAFETY: so many were written.
                    assert_eq!(unsafe { place.assume_init() }, [received; 64]);
                    received += 1;
                }
                assert_eq!(len(&head, &tail), sent - received);
            }
            assert!(tail.own() < start, "it has wrapped around");
            // SAFETY: nobody else has it, and it is not used again.
            unsafe { consumer.free(&blocks) };
        }
    }

    /// A producer that has not looked for nearly 2ˢⁱᶻᵉ messages looks again before it believes that it is full.
    #[test]
    fn outdated_position_is_looked_at_again_before_the_end_of_the_count() {
        for capacity in [None, Some(usize::MAX), Some(usize::MAX - 1)] {
            let (blocks, mut producer, mut consumer) = new::<usize>(capacity);
            let start = usize::MAX - 3;
            let (head, tail) = (Position::new(), Position::new());
            for position in [&head, &tail] {
                position.0.store(start, Ordering::Relaxed);
            }
            // Not looked at since the beginning.
            producer.0.seen = 0;
            consumer.0.seen = start;
            for n in 0..10 {
                assert!(producer.has_room(&tail, &head, blocks.capacity));
                producer.push(&tail, &blocks, || n);
                assert_eq!(consumer.pop(&head, &tail, &blocks), Some(n));
            }
            // SAFETY: nobody else has it, and it is not used again.
            unsafe { consumer.free(&blocks) };
        }
    }
}
