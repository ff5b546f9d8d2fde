//! The memory of a buffer: blocks of slots, and who gets one next.

use alloc::boxed::Box;
use core::{
    mem::size_of,
    ptr::{NonNull, null_mut},
};

use super::slot::Slot;
use crate::{
    no_unwind::no_unwind,
    sync::atomic::{AtomicPtr, Ordering},
};

/// A buffer of known capacity for up to so many bytes of messages is allocated at once.
const SMALL_BUFFER: usize = if cfg!(hchan_loom) { 0 } else { 256 * 1024 };
/// So many bytes of messages go into a block of a buffer that grows.
const BLOCK: usize = if cfg!(hchan_loom) { 0 } else { 2 * 1024 };
/// A block holds at least so many messages, however large they are. In a model just so many: three messages leave a block.
const LEAST_MESSAGES: usize = if cfg!(hchan_loom) { 2 } else { 8 };

pub(super) struct Block<T> {
    /// The block after this one. Written by the producer as it leaves this one; null again once this one has been drained.
    pub(super) next: AtomicPtr<Block<T>>,
    pub(super) slots: Box<[Slot<T>]>,
}

/// What both ends use.
pub(crate) struct Blocks<T> {
    /// How many messages may be in the buffer.
    pub(super) capacity: usize,
    /// How many a block holds.
    pub(super) block_len: usize,
    /// The slots of a ring; `None`: there are blocks.
    pub(super) ring: Option<NonNull<[Slot<T>]>>,
    /// The first block, from where the consumer starts; null until there is one.
    pub(super) first: AtomicPtr<Block<T>>,
    /// Drained blocks on their way back to the producer. Two, because a level that varies a little at the edge of a block
    /// may drain two in a row and then need two.
    spares: [AtomicPtr<Block<T>>; 2],
}

// SAFETY: the blocks are owned by the channel, and what is in them goes from thread to thread.
unsafe impl<T: Send> Send for Blocks<T> {}
// SAFETY: the pointers are atomic or never change; behind them each end touches the messages of
// its own slots only, and the flags are atomic.
unsafe impl<T: Send> Sync for Blocks<T> {}

impl<T> Blocks<T> {
    /// Memory for up to `capacity` messages (`None`: any number).
    pub(super) fn new(capacity: Option<usize>) -> Self {
        let at_once = capacity.filter(|&capacity| capacity <= messages_in::<T>(SMALL_BUFFER));
        Self {
            capacity: capacity.unwrap_or(usize::MAX),
            block_len: at_once.unwrap_or(messages_in::<T>(BLOCK)),
            ring: at_once.map(|len| NonNull::from(Box::leak(empty_slots(len)))),
            first: AtomicPtr::new(null_mut()),
            spares: [AtomicPtr::new(null_mut()), AtomicPtr::new(null_mut())],
        }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    fn allocate(&self) -> *mut Block<T> {
        let slots = empty_slots(self.block_len);
        Box::into_raw(Box::new(Block {
            next: AtomicPtr::new(null_mut()),
            slots,
        }))
    }

    /// A block to link at the end of the chain: a spare one or a new one.
    pub(super) fn supply(&self) -> *mut Block<T> {
        self.take_spare()
            .unwrap_or_else(|| no_unwind(|| self.allocate()))
    }

    pub(super) fn take_spare(&self) -> Option<*mut Block<T>> {
        // `Acquire` pairs with `recycle`: the consumer is through with it.
        let spares = self
            .spares
            .iter()
            .map(|spare| spare.swap(null_mut(), Ordering::Acquire));
        spares.into_iter().find(|spare| !spare.is_null())
    }

    /// Keeps a drained block for the producer, or frees it: under the channel's lock, but it holds no message.
    ///
    /// # Safety
    ///
    /// The block belongs to the caller: both ends have left it.
    pub(super) unsafe fn recycle(&self, block: *mut Block<T>) {
        // SAFETY: the block is the caller's.
        unsafe { (*block).next.store(null_mut(), Ordering::Relaxed) };
        // `Release` hands it over to `take_spare`. Of a spare that is there nothing is read, so Relaxed is enough.
        let kept = self.spares.iter().any(|spare| {
            spare
                .compare_exchange(null_mut(), block, Ordering::Release, Ordering::Relaxed)
                .is_ok()
        });
        if !kept {
            // SAFETY: allocated by `allocate`, and the caller's.
            drop(unsafe { Box::from_raw(block) });
        }
    }

    /// Frees everything, with what is in it leaked.
    ///
    /// # Safety
    ///
    /// The caller has exclusive access, nobody uses what is freed again, and `block` is where the consumer is: null before its
    /// first block.
    pub(super) unsafe fn free(&self, block: *mut Block<T>) {
        let mut block = match block.is_null() {
            true => self.first.load(Ordering::Relaxed),
            false => block,
        };
        while !block.is_null() {
            // SAFETY: allocated by `allocate`, linked once, and nobody uses it any more.
            let freed = unsafe { Box::from_raw(block) };
            block = freed.next.load(Ordering::Relaxed);
        }
        while let Some(spare) = self.take_spare() {
            // SAFETY: as above.
            drop(unsafe { Box::from_raw(spare) });
        }
        if let Some(ring) = self.ring {
            // SAFETY: leaked by `new`, and nobody uses it any more.
            drop(unsafe { Box::from_raw(ring.as_ptr()) });
        }
    }
}

fn empty_slots<T>(len: usize) -> Box<[Slot<T>]> {
    let mut slots = Box::new_uninit_slice(len);
    slots.iter_mut().for_each(Slot::make_in);
    // SAFETY: each has just been made.
    unsafe { slots.assume_init() }
}

/// How many messages a block of so many bytes holds.
fn messages_in<T>(bytes: usize) -> usize {
    (bytes / size_of::<T>().max(1)).max(LEAST_MESSAGES)
}
