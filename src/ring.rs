//! The buffer of a channel: a queue with a producing and a consuming end, which can be used at the same time.
//!
//! Each slot says whether there is a message in it, so an end that moves one message looks there and, as long as it need not wait,
//! touches nothing else that the other end writes (but at the end of a block). Both ends also count the messages that pass them, for
//! who has to know how many there are: batches, sends beside permits, and now and then those into a bounded chain. Who uses an end has exclusive access to it: each stands behind a lock.
//!
//! A small buffer is a ring of slots, allocated with the channel. A large or unlimited one is a chain of blocks of them that
//! grows at the producing end: no message ever moves, so the cost of a push does not grow with the backlog. Blocks that have been
//! drained are freed, all but two, which the producer uses next: neither does a burst's memory stay, nor does a level that varies
//! by less than a block allocate anything.

mod blocks;
mod slot;

pub(crate) use blocks::Blocks;

use core::{
    mem::MaybeUninit,
    ptr::{NonNull, null_mut},
    slice,
};

use crate::sync::atomic::{AtomicUsize, Ordering};
use blocks::Block;
use slot::Slot;

/// Where both positions begin: shortly before they wrap around, as Linux's jiffies do, so that every test crosses that point.
const START: usize = usize::MAX - if cfg!(hchan_loom) { 1 } else { 99 };

/// How many messages have passed an end since [`START`], modulo 2ˢⁱᶻᵉ. Written by the holder of the end, and read at the other end.
///
/// A message counts after its slot says so, so who has seen a position finds the slots before it as they are to be.
pub(crate) struct Position(AtomicUsize);

impl Position {
    pub(crate) fn new() -> Self {
        Self(AtomicUsize::new(START))
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
    fn advance(&self, by: usize) {
        self.0.store(self.own().wrapping_add(by), Ordering::Release);
    }
}

/// One end's place in the blocks.
#[repr(C)]
struct Cursor<T> {
    /// The slots of the block; dangling until there is one.
    slots: NonNull<Slot<T>>,
    /// The next slot; the length of a block if that is in the next one, or at the start of the ring again.
    index: usize,
    /// Null in a ring. Last, as it is used only at the end of a block.
    block: *mut Block<T>,
}

// SAFETY: an end goes from thread to thread with its lock, and with it the right to its slots.
unsafe impl<T: Send> Send for Cursor<T> {}

/// The end where messages enter.
pub(crate) struct Producer<T> {
    cursor: Cursor<T>,
    /// The position of the other end when this end last looked at it. In a chain it may be a later one: see
    /// [`keep_seen_behind`](Self::keep_seen_behind).
    seen: usize,
    /// The position at which this end enters the next block of a chain.
    entered: usize,
}

/// The end where messages leave.
pub(crate) struct Consumer<T>(Cursor<T>);

/// A buffer for up to `capacity` messages (`None`: any number): its memory and its ends.
pub(crate) fn new<T>(capacity: Option<usize>) -> (Blocks<T>, Producer<T>, Consumer<T>) {
    let blocks = Blocks::new(capacity);
    let producer = Producer {
        cursor: Cursor::at_start(&blocks),
        seen: START,
        entered: START,
    };
    let consumer = Consumer(Cursor::at_start(&blocks));
    (blocks, producer, consumer)
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

    #[inline(always)]
    fn is_at_end(&self, blocks: &Blocks<T>) -> bool {
        self.index == blocks.block_len
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

    /// # Safety
    ///
    /// There is a block, and the cursor is not at the end of it.
    #[inline(always)]
    unsafe fn slot<'b>(&self) -> &'b Slot<T> {
        // SAFETY: the index is within the block, which is alive until the cursor has left it.
        unsafe { self.slots.add(self.index).as_ref() }
    }
}

impl<T> Producer<T> {
    /// Counts messages as left and as entered that never were in the buffer.
    #[cfg(all(test, not(hchan_loom)))]
    pub(crate) fn pretend(&mut self, [head, tail]: [&Position; 2], left: usize, entered: usize) {
        head.advance(left);
        tail.advance(entered);
        self.entered = self.entered.wrapping_add(entered);
    }

    /// How much room there is, up to `most`, if the buffer is to hold no more than `limit` messages, which is at most its
    /// capacity.
    #[inline]
    pub(crate) fn room(
        &mut self,
        tail: &Position,
        head: &Position,
        blocks: &Blocks<T>,
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

    /// As `room`, for one message.
    #[inline]
    pub(crate) fn has_room(
        &mut self,
        tail: &Position,
        head: &Position,
        blocks: &Blocks<T>,
        limit: usize,
    ) -> bool {
        if blocks.ring.is_none() || limit < blocks.capacity {
            return self.room(tail, head, blocks, limit, 1) > 0;
        }
        if self.cursor.is_at_end(blocks) {
            if limit == 0 {
                return false;
            }
            self.cursor.index = 0;
        }
        // SAFETY: there is a slot, and the cursor is not at the end of them.
        !unsafe { self.cursor.slot() }.is_full()
    }

    /// Appends the message that `take` gives, straight from where that has it; there is room, by `has_room`.
    #[inline]
    pub(crate) fn push(&mut self, tail: &Position, blocks: &Blocks<T>, take: impl FnOnce() -> T) {
        if self.cursor.is_at_end(blocks) {
            self.advance(blocks);
        }
        // SAFETY: not at the end of a block. There is room, so the slot is empty: it said so, or the consumer's position did,
        // which is counted after it.
        unsafe { self.cursor.slot().fill(take) };
        self.cursor.index += 1;
        tail.advance(1);
    }

    /// Appends so many messages; there is room, by `room`.
    #[inline]
    pub(crate) fn push_many(
        &mut self,
        tail: &Position,
        blocks: &Blocks<T>,
        mut messages: impl ExactSizeIterator<Item = T>,
    ) {
        let mut left = messages.len();
        while left > 0 {
            if self.cursor.is_at_end(blocks) {
                self.advance(blocks);
            }
            // SAFETY: the block is there.
            let run = unsafe { self.cursor.run(blocks, left) };
            for (slot, message) in run.iter().zip(&mut messages) {
                // SAFETY: as in `push`, for so many slots.
                unsafe { slot.fill(|| message) };
            }
            self.cursor.index += run.len();
            left -= run.len();
            tail.advance(run.len());
        }
    }

    /// Goes back to the start of the ring, or on to the next block.
    fn advance(&mut self, blocks: &Blocks<T>) {
        match blocks.ring {
            Some(_) => self.cursor.index = 0,
            None => self.enter_next(blocks),
        }
    }

    #[cold]
    fn enter_next(&mut self, blocks: &Blocks<T>) {
        self.keep_seen_behind(blocks);
        let next = blocks.supply();
        let link = match self.cursor.block.is_null() {
            true => &blocks.first,
            // SAFETY: the consumer frees a block only after it has gone to the next one, which is linked here.
            false => unsafe { &(*self.cursor.block).next },
        };
        // `Release`: the consumer follows it before there is a message in the block.
        link.store(next, Ordering::Release);
        // SAFETY: a block is alive until both ends have left it.
        unsafe { self.cursor.enter(next) };
    }

    /// At the start of a block of a chain, moves `seen` along if nearly 2ˢⁱᶻᵉ messages have entered since it was up to date.
    ///
    /// Messages of parked senders enter without a look at the other end's position, so any number may. If their count came round,
    /// an old `seen` would pass for a new one, and a full chain for one with room. This way it stays further behind than any
    /// backlog reaches that fits into memory, so the next send looks again.
    fn keep_seen_behind(&mut self, blocks: &Blocks<T>) {
        let ahead = self.entered.wrapping_sub(self.seen);
        // By the start of the next block, where this is called again, it has grown by the length of a block.
        if ahead > usize::MAX - 2 * blocks.block_len {
            self.seen = self.seen.wrapping_add(blocks.block_len);
        }
        self.entered = self.entered.wrapping_add(blocks.block_len);
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

impl<T> Consumer<T> {
    #[inline]
    pub(crate) fn has_message(&mut self, blocks: &Blocks<T>) -> bool {
        if self.0.is_at_end(blocks) && !self.advance(blocks) {
            return false;
        }
        // SAFETY: not at the end of a block.
        unsafe { self.0.slot() }.is_full()
    }

    /// Takes the oldest message and returns what `make` makes of it, straight from its slot.
    ///
    /// # Safety
    ///
    /// There is one, by `has_message`.
    #[inline]
    pub(crate) unsafe fn take<R>(&mut self, head: &Position, make: impl FnOnce(T) -> R) -> R {
        // In a drop, so that what is returned is made where the caller wants it.
        let _leaving = Leaving { head };
        // SAFETY: the slot was found full, so the cursor is not at the end of a block.
        let slot = unsafe { self.0.slot() };
        self.0.index += 1;
        // SAFETY: as above.
        unsafe { slot.empty(make) }
    }

    /// Takes the oldest message.
    #[inline]
    pub(crate) fn pop(&mut self, head: &Position, blocks: &Blocks<T>) -> Option<T> {
        let has_message = self.has_message(blocks);
        // SAFETY: there is one.
        has_message.then(|| unsafe { self.take(head, |message| message) })
    }

    /// Takes the oldest messages, as many as there are and find a place; returns how many, which are in the first places then.
    #[inline]
    pub(crate) fn pop_many(
        &mut self,
        head: &Position,
        blocks: &Blocks<T>,
        places: &mut [MaybeUninit<T>],
    ) -> usize {
        let mut count = 0;
        while count < places.len() && self.has_message(blocks) {
            let places = &mut places[count..];
            // SAFETY: the block is there, as there is a message.
            let run = unsafe { self.0.run(blocks, places.len()) };
            let mut taken = 0;
            for (slot, place) in run.iter().zip(places) {
                if !slot.is_full() {
                    break;
                }
                // SAFETY: it is full.
                unsafe { slot.empty(|message| _ = place.write(message)) };
                taken += 1;
            }
            self.0.index += taken;
            count += taken;
        }
        head.advance(count);
        count
    }

    /// Goes back to the start of the ring, or on to the next block; says whether there is one.
    fn advance(&mut self, blocks: &Blocks<T>) -> bool {
        match blocks.ring {
            Some(ring) => {
                self.0.index = 0;
                !ring.is_empty()
            }
            None => self.enter_next(blocks),
        }
    }

    #[cold]
    fn enter_next(&mut self, blocks: &Blocks<T>) -> bool {
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
        unsafe { self.0.enter(next) };
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

/// As `len`, for the holder of the consuming end: some messages that are on their way may be missing, even if others after them were
/// seen in their slots.
pub(crate) fn len_seen<T>(head: &Position, tail: &Position, blocks: &Blocks<T>) -> usize {
    let len = tail.of_other().wrapping_sub(head.own());
    // The consumer may have taken messages that it does not see counted yet: at most those of one block. No real length is so near to
    // 2ˢⁱᶻᵉ, for every slot takes at least a byte of memory, and the blocks take some more.
    let is_negative = len > usize::MAX - blocks.block_len;
    if is_negative { 0 } else { len }
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
            let (head, tail) = (Position::new(), Position::new());
            let mut model = VecDeque::new();
            let mut rng = 1_u32;
            for step in 0..800 {
                rng = rng.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // Rising to the middle, then falling.
                let is_push = (rng >> 16) % 4 < if step < 400 { 3 } else { 1 };
                if is_push {
                    let has_room = producer.has_room(&tail, &head, &blocks, blocks.capacity);
                    assert_eq!(has_room, model.len() < blocks.capacity());
                    if has_room {
                        producer.push(&tail, &blocks, || [step; 128]);
                        model.push_back(step);
                    }
                } else {
                    let popped = consumer.pop(&head, &blocks);
                    assert_eq!(popped, model.pop_front().map(|step| [step; 128]));
                }
                assert_eq!(len(&head, &tail), model.len());
            }
            assert!(tail.own() < START, "it has wrapped around");
            while consumer.pop(&head, &blocks).is_some() {}
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
            let (head, tail) = (Position::new(), Position::new());
            let (mut sent, mut received) = (0, 0);
            for step in 0..400 {
                let most = step % 23;
                let room = producer.room(&tail, &head, &blocks, blocks.capacity, most);
                assert_eq!(room, most.min(blocks.capacity - (sent - received)));
                let messages = (sent..sent + room).map(|n| [n; 64]);
                producer.push_many(&tail, &blocks, messages);
                sent += room;

                let mut places = [const { MaybeUninit::uninit() }; 19];
                let places = &mut places[..step % 19];
                let count = consumer.pop_many(&head, &blocks, places);
                assert_eq!(count, places.len().min(sent - received));
                for place in &places[..count] {
                    // SAFETY: so many were written.
                    assert_eq!(unsafe { place.assume_init() }, [received; 64]);
                    received += 1;
                }
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
            let (blocks, mut producer, mut consumer) = new::<usize>(capacity);
            let (head, tail) = (Position::new(), Position::new());
            // As if nearly 2ˢⁱᶻᵉ messages had entered since then.
            producer.seen = START.wrapping_add(5);
            for n in 0..10 {
                assert!(producer.has_room(&tail, &head, &blocks, blocks.capacity));
                producer.push(&tail, &blocks, || n);
                assert_eq!(consumer.pop(&head, &blocks), Some(n));
            }
            // SAFETY: nobody else has it, and it is not used again.
            unsafe { consumer.free(&blocks) };
        }
    }

    /// In a ring nobody looks at positions as long as the slots tell, so what was seen may be of any age.
    #[test]
    fn position_seen_before_is_not_believed_in_a_ring() {
        let (blocks, mut producer, mut consumer) = new::<usize>(Some(5));
        let (head, tail) = (Position::new(), Position::new());
        for n in 0..5 {
            assert!(producer.has_room(&tail, &head, &blocks, 5));
            producer.push(&tail, &blocks, || n);
        }
        assert!(!producer.has_room(&tail, &head, &blocks, 5));
        // As if so many messages had passed since that the count has come round.
        producer.seen = tail.own();
        assert!(!producer.has_room(&tail, &head, &blocks, 4));
        // SAFETY: nobody else has it, and it is not used again.
        unsafe { consumer.free(&blocks) };
    }

    /// Messages enter though nobody looks at the other end's position, as those of parked senders do, and their count comes round.
    #[test]
    fn position_seen_before_does_not_become_new_again_in_a_chain() {
        for capacity in [Some(2_000), Some(usize::MAX - 1), None] {
            let (blocks, mut producer, mut consumer) = new::<[u8; 256]>(capacity);
            let (head, tail) = (Position::new(), Position::new());
            // As if nearly 2ˢⁱᶻᵉ messages had entered since then.
            producer.seen = START.wrapping_add(5 * blocks.block_len);
            let mut ahead = 0;
            for _ in 0..20 * blocks.block_len {
                producer.push(&tail, &blocks, || [0; 256]);
                assert!(consumer.pop(&head, &blocks).is_some());
                let before = ahead;
                ahead = tail.own().wrapping_sub(producer.seen);
                assert!(ahead > before || ahead > usize::MAX - 4 * blocks.block_len);
            }
            assert!(producer.has_room(&tail, &head, &blocks, blocks.capacity));
            // SAFETY: nobody else has it, and it is not used again.
            unsafe { consumer.free(&blocks) };
        }
    }

    #[test]
    fn messages_taken_before_they_were_seen_to_count_are_no_endless_backlog() {
        let (head, tail) = (Position::new(), Position::new());
        let (blocks, _, mut consumer) = new::<()>(None);
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
        let (blocks, _, mut consumer) = new::<()>(None);
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
