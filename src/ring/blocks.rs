//! The memory of a buffer: blocks of cells, and which end gets one next.

use alloc::{
    alloc::{alloc_zeroed, dealloc, handle_alloc_error},
    boxed::Box,
};
use core::{
    alloc::Layout,
    ptr::{NonNull, null_mut},
};

use crate::{
    no_unwind::no_unwind,
    slot::{Message, dangling},
    sync::atomic::{AtomicPtr, Ordering},
    tuning::{BLOCK, LEAST_MESSAGES, SMALL_BUFFER},
};

pub(super) struct Block {
    /// The block after this one. Written by the producer as it leaves this one; null again once this one has been drained.
    pub(super) next: AtomicPtr<Block>,
    pub(super) cells: NonNull<u8>,
}

/// What both ends use.
pub(crate) struct Blocks {
    /// The message type of the channel.
    pub(super) message: &'static Message,
    /// How many messages may be in the buffer.
    pub(super) capacity: usize,
    /// How many a block, or the ring, holds.
    pub(super) block_len: usize,
    /// The cells of a ring; `None`: there are blocks.
    pub(super) ring: Option<NonNull<u8>>,
    /// The first block, from where the consumer starts; null until there is one.
    pub(super) first: AtomicPtr<Block>,
    /// Drained blocks on their way back to the producer. Two, because a level that varies a little at the edge of a block
    /// may drain two in a row and then need two.
    spares: [AtomicPtr<Block>; 2],
}

// SAFETY: the blocks are owned by the channel, and whether what is in them may go from thread to thread is said by its brand.
unsafe impl Send for Blocks {}
// SAFETY: the pointers are atomic or never change; behind them each end touches the messages of its own cells only, and the
// flags are atomic.
unsafe impl Sync for Blocks {}

impl Blocks {
    /// Memory for up to `capacity` messages (`None`: any number).
    pub(super) fn new(message: &'static Message, capacity: Option<usize>) -> Self {
        let at_once = capacity.filter(|&capacity| capacity <= messages_in(message, SMALL_BUFFER));
        let block_len = at_once.unwrap_or(messages_in(message, BLOCK));
        Self {
            message,
            capacity: capacity.unwrap_or(usize::MAX),
            block_len,
            ring: at_once.map(|len| allocate_cells(message, len)),
            first: AtomicPtr::new(null_mut()),
            spares: [AtomicPtr::new(null_mut()), AtomicPtr::new(null_mut())],
        }
    }

    #[inline(always)]
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    fn allocate(&self) -> *mut Block {
        Box::into_raw(Box::new(Block {
            next: AtomicPtr::new(null_mut()),
            cells: allocate_cells(self.message, self.block_len),
        }))
    }

    /// # Safety
    ///
    /// The block was made by `allocate` and is not used again.
    unsafe fn deallocate(&self, block: *mut Block) {
        // SAFETY: the caller's promise.
        unsafe {
            let block = Box::from_raw(block);
            free_cells(self.message, block.cells, self.block_len);
        }
    }

    /// A block to link at the end of the chain: a spare one or a new one.
    pub(super) fn supply(&self) -> *mut Block {
        self.take_spare()
            .unwrap_or_else(|| no_unwind(|| self.allocate()))
    }

    fn take_spare(&self) -> Option<*mut Block> {
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
    pub(super) unsafe fn recycle(&self, block: *mut Block) {
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
            unsafe { self.deallocate(block) };
        }
    }

    /// Where the cells of a block, or of the ring, end.
    pub(super) fn end_of(&self, cells: NonNull<u8>) -> NonNull<u8> {
        // SAFETY: so many cells stand there.
        unsafe { cells.byte_add(self.block_len * self.message.cell.size()) }
    }

    /// Frees everything, with what is in it leaked.
    ///
    /// # Safety
    ///
    /// The caller has exclusive access, nobody uses what is freed again, and `block` is where the consumer is: null before its
    /// first block.
    pub(super) unsafe fn free(&self, block: *mut Block) {
        let mut block = match block.is_null() {
            true => self.first.load(Ordering::Relaxed),
            false => block,
        };
        while !block.is_null() {
            // SAFETY: it is alive until it is freed here; it is linked once, and nobody uses it any more.
            unsafe {
                let next = (*block).next.load(Ordering::Relaxed);
                self.deallocate(block);
                block = next;
            }
        }
        while let Some(spare) = self.take_spare() {
            // SAFETY: allocated by `allocate`, and nobody uses it any more.
            unsafe { self.deallocate(spare) };
        }
        if let Some(ring) = self.ring {
            // SAFETY: allocated by `new`, and nobody uses it any more.
            unsafe { free_cells(self.message, ring, self.block_len) };
        }
    }
}

/// Empty cells in memory of their own. Zeros, which the system may hand out without touching them.
fn allocate_cells(message: &Message, len: usize) -> NonNull<u8> {
    let layout = layout_of_cells(message, len);
    if layout.size() == 0 {
        return dangling(layout);
    }
    // SAFETY: the layout has a size.
    let Some(cells) = NonNull::new(unsafe { alloc_zeroed(layout) }) else {
        handle_alloc_error(layout)
    };
    #[cfg(hchan_loom)]
    for number in 0..len {
        // SAFETY: there is memory for so many cells.
        unsafe { (message.make_cell)(cells.byte_add(number * message.cell.size())) };
    }
    cells
}

/// # Safety
///
/// The cells were made by `allocate_cells`, so many of them, and are not used again.
unsafe fn free_cells(message: &Message, cells: NonNull<u8>, len: usize) {
    let layout = layout_of_cells(message, len);
    if layout.size() > 0 {
        // SAFETY: allocated like that.
        unsafe { dealloc(cells.as_ptr(), layout) };
    }
}

fn layout_of_cells(message: &Message, len: usize) -> Layout {
    let size = message.cell.size().checked_mul(len);
    size.and_then(|size| Layout::from_size_align(size, message.cell.align()).ok())
        .expect("a block is smaller than memory")
}

/// How many messages a block of so many bytes holds.
fn messages_in(message: &Message, bytes: usize) -> usize {
    (bytes / message.least_place()).max(LEAST_MESSAGES)
}
