//! The buffer of a channel: a queue in blocks.
//!
//! A small buffer is one block, allocated with the channel and used as a ring for ever. A large or unlimited one starts
//! with nothing and grows block by block when a burst needs it: no message is ever copied into a larger block, so the
//! cost of a push does not grow with the backlog. Drained blocks are freed, all but one, which the next block reuses:
//! neither does a burst's memory stay, nor does a level that swings around the edge of a block allocate again and again.

#![forbid(unsafe_code)]

use std::{
    collections::VecDeque,
    mem::{replace, size_of},
};

/// A buffer of known capacity that takes up to so many bytes is allocated at once.
const SMALL_BUFFER: usize = 64 * 1024;
/// The bytes of the first block of a buffer that grows: most never need another.
const FIRST_BLOCK: usize = 1024;
/// The bytes of each further block. They are all of one size, so that a level that varies by less than a block needs no
/// block before it has drained one.
const NEXT_BLOCK: usize = 16 * 1024;
/// A block holds at least so many messages, however large they are.
const LEAST_MESSAGES: usize = 4;
/// A list of so many blocks is not worth freeing.
const SHORT_LIST: usize = 32;

pub(crate) struct Ring<T> {
    /// The oldest messages; used as a ring as long as there are no later ones.
    front: VecDeque<T>,
    /// How many messages there are in `later`.
    later_len: usize,
    /// The messages after those of `front`. Out of the way, because most channels never need it.
    later: Option<Box<Later<T>>>,
}

struct Later<T> {
    /// None of the blocks is empty, none ever grows.
    blocks: VecDeque<VecDeque<T>>,
    /// A drained block, to be used for the next one.
    spare: Option<VecDeque<T>>,
}

impl<T> Ring<T> {
    /// A buffer for up to `capacity` messages (`None`: any number); the caller keeps to that.
    pub(crate) fn new(capacity: Option<usize>) -> Self {
        let at_once = capacity
            .filter(|&capacity| capacity <= messages_in::<T>(SMALL_BUFFER))
            .unwrap_or(0);
        Self {
            front: VecDeque::with_capacity(at_once),
            later_len: 0,
            later: None,
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.front.len() + self.later_len
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.front.is_empty()
    }

    #[inline]
    pub(crate) fn push(&mut self, message: T) {
        if self.front.len() < self.front.capacity() && self.later_len == 0 {
            self.front.push_back(message);
        } else {
            self.push_later(message);
        }
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<T> {
        let message = self.front.pop_front()?;
        if self.front.is_empty() && self.later_len > 0 {
            self.advance();
        }
        Some(message)
    }

    pub(crate) fn into_messages(self) -> impl Iterator<Item = T> {
        let later = self.later.into_iter().flat_map(|later| later.blocks);
        self.front.into_iter().chain(later.flatten())
    }

    #[inline(never)]
    fn push_later(&mut self, message: T) {
        if self.front.capacity() == 0 {
            self.front = VecDeque::with_capacity(messages_in::<T>(FIRST_BLOCK));
            self.front.push_back(message);
        } else {
            self.later.get_or_insert_default().push(message);
            self.later_len += 1;
        }
    }

    /// Puts the next block in the place of the front one, which has been drained.
    #[cold]
    fn advance(&mut self) {
        let Some(later) = &mut self.later else { return };
        let Some(next) = later.blocks.pop_front() else {
            return;
        };
        self.later_len -= next.len();
        later.recycle(replace(&mut self.front, next));
    }
}

impl<T> Later<T> {
    fn push(&mut self, message: T) {
        match self.blocks.back_mut() {
            Some(last) if last.len() < last.capacity() => last.push_back(message),
            _ => {
                let spare = self.spare.take();
                let mut block =
                    spare.unwrap_or_else(|| VecDeque::with_capacity(messages_in::<T>(NEXT_BLOCK)));
                block.push_back(message);
                self.blocks.push_back(block);
            }
        }
    }

    /// Keeps a drained block, or frees it: under the channel's lock, but no message's drop runs, for there is none.
    fn recycle(&mut self, drained: VecDeque<T>) {
        if self.spare.is_none() && drained.capacity() >= messages_in::<T>(NEXT_BLOCK) {
            self.spare = Some(drained);
        }
        if self.blocks.is_empty() {
            // What the list of blocks itself takes after a burst; a short one is kept.
            self.blocks.shrink_to(SHORT_LIST);
        }
    }
}

impl<T> Default for Later<T> {
    fn default() -> Self {
        Self {
            blocks: VecDeque::new(),
            spare: None,
        }
    }
}

/// How many messages a block of so many bytes holds.
fn messages_in<T>(bytes: usize) -> usize {
    (bytes / size_of::<T>().max(1)).max(LEAST_MESSAGES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_count<T>(ring: &Ring<T>) -> usize {
        let later = ring.later.as_ref();
        1 + later.map_or(0, |later| {
            later.blocks.len() + usize::from(later.spare.is_some())
        })
    }

    #[test]
    fn messages_leave_in_order_across_blocks() {
        let mut ring = Ring::new(None);
        let (mut sent, mut received) = (0_u64, 0_u64);
        for round in 0..200 {
            for _ in 0..round * 7 % 500 {
                ring.push(sent);
                sent += 1;
            }
            for _ in 0..round * 11 % 450 {
                match ring.pop() {
                    Some(message) => assert_eq!(message, received),
                    None => break,
                }
                received += 1;
            }
            assert_eq!(ring.len() as u64, sent - received);
        }
        assert!(
            block_count(&ring) > 2,
            "the levels above are meant to need several blocks"
        );
    }

    #[test]
    fn small_buffer_is_allocated_at_once_and_never_again() {
        let mut ring = Ring::new(Some(64));
        let allocated = ring.front.capacity();
        for message in 0..1_000 {
            ring.push(message);
            if ring.len() == 64 {
                while ring.pop().is_some() {}
            }
        }
        assert_eq!((ring.front.capacity(), block_count(&ring)), (allocated, 1));
    }

    #[test]
    fn large_buffer_allocates_nothing_until_used() {
        assert_eq!(Ring::<u64>::new(Some(usize::MAX)).front.capacity(), 0);
        assert_eq!(Ring::<u64>::new(None).front.capacity(), 0);
    }

    #[test]
    fn memory_of_a_burst_is_freed_but_one_spare() {
        let mut ring = Ring::new(None);
        (0..1_000_000_u64).for_each(|message| ring.push(message));
        assert!(block_count(&ring) > 400);
        while ring.pop().is_some() {}
        assert!(block_count(&ring) <= 2);
        assert!(ring.later.unwrap().blocks.capacity() <= 2 * SHORT_LIST);
    }

    #[test]
    fn zero_sized_messages_are_only_counted() {
        let mut ring = Ring::new(None);
        (0..100_000).for_each(|_| ring.push(()));
        assert_eq!((ring.len(), block_count(&ring)), (100_000, 1));
        assert_eq!(ring.pop(), Some(()));
    }
}
