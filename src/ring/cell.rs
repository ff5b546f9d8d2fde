//! A cell of the buffer: a slot, and a flag that says whether a message is in it.

use core::{
    alloc::Layout,
    marker::PhantomData,
    mem::{align_of, offset_of, size_of},
    ptr::NonNull,
};

use crate::{
    slot::{Message, RawSlot, Slot, SlotIn},
    sync::atomic::{AtomicBool, Ordering},
};

/// Empty, it is the producing end's; full, the consuming end's.
///
/// So each end sees in the cell itself whether it has to wait for the other end, and touches nothing that the other end writes but
/// the cache line of the message.
///
/// The flag stands first, and an empty cell is all zeros.
#[repr(C)]
pub(crate) struct Cell<T> {
    is_full: AtomicBool,
    slot: Slot<T>,
}

impl<T> Cell<T> {
    pub(crate) const SLOT: SlotIn = SlotIn {
        whole: Layout::new::<Self>(),
        offset: offset_of!(Self, slot),
    };

    /// # Safety
    ///
    /// There is memory for a cell of `T`.
    #[cfg(hchan_loom)]
    pub(crate) unsafe fn make(place: NonNull<u8>) {
        let cell = Self {
            is_full: AtomicBool::new(false),
            slot: Slot::empty(),
        };
        // SAFETY: the caller's promise.
        unsafe { place.cast().write(cell) };
    }
}

/// How to find cells and their slots: with numbers known to the compiler, or read from a [`Message`].
pub(crate) trait Geometry: Copy {
    /// The bytes from one cell to the next.
    fn stride(self) -> usize;
    /// Where in a cell its slot is.
    fn slot_in_cell(self) -> usize;
}

/// The geometry of cells for a `T`, of which nothing is left in the code.
pub(crate) struct Typed<T>(PhantomData<T>);

impl<T> Typed<T> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<T> Clone for Typed<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Typed<T> {}

impl<T> Geometry for Typed<T> {
    #[inline(always)]
    fn stride(self) -> usize {
        size_of::<Cell<T>>()
    }

    #[inline(always)]
    fn slot_in_cell(self) -> usize {
        Cell::<T>::SLOT.offset
    }
}

impl Geometry for &Message {
    #[inline(always)]
    fn stride(self) -> usize {
        self.cell.size()
    }

    #[inline(always)]
    fn slot_in_cell(self) -> usize {
        self.slot_in_cell
    }
}

/// A pointer to a cell.
#[derive(Clone, Copy)]
pub(crate) struct CellRef(NonNull<u8>);

impl CellRef {
    /// # Safety
    ///
    /// A cell is there, and stays as long as this is used.
    #[inline(always)]
    pub(super) unsafe fn new(cell: NonNull<u8>) -> Self {
        debug_assert!(cell.cast::<AtomicBool>().is_aligned() && align_of::<AtomicBool>() > 0);
        Self(cell)
    }

    /// The `nth` cell after this one.
    ///
    /// # Safety
    ///
    /// There are so many in the block.
    // codegen: a loop over a run of cells keeps the first in a register, where it would read the cursor anew after each message.
    #[inline(always)]
    pub(super) unsafe fn after<G: Geometry>(self, geometry: G, nth: usize) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self::new(self.0.byte_add(nth * geometry.stride())) }
    }

    #[inline(always)]
    fn flag(&self) -> &AtomicBool {
        // SAFETY: a cell is there, and its flag stands first.
        unsafe { self.0.cast().as_ref() }
    }

    /// `Acquire` pairs with the store of the other end, which is through with the slot.
    #[inline(always)]
    pub(crate) fn is_full(&self) -> bool {
        self.flag().load(Ordering::Acquire)
    }

    /// Has `put` put a message into the slot, and returns what it returns.
    ///
    /// # Safety
    ///
    /// The caller holds the producing end, whose next cell this is, and the cell is empty. `put` fills the slot that it is given,
    /// and does not panic.
    #[inline(always)]
    pub(super) unsafe fn fill<G: Geometry, R>(
        self,
        geometry: G,
        put: impl FnOnce(RawSlot) -> R,
    ) -> R {
        debug_assert!(!self.is_full(), "4: more messages than places");
        // SAFETY: the slot of a cell stands there (10); as the cell is empty, the consuming end does not touch it.
        let result = put(unsafe { RawSlot::new(self.0.byte_add(geometry.slot_in_cell()).cast()) });
        self.flag().store(true, Ordering::Release);
        result
    }

    /// Has `take` take the message out of the slot.
    ///
    /// # Safety
    ///
    /// The caller holds the consuming end, whose next cell this is, and the cell is full. `take` empties the slot that it is given.
    #[inline(always)]
    pub(super) unsafe fn empty<G: Geometry, R>(
        self,
        geometry: G,
        take: impl FnOnce(RawSlot) -> R,
    ) -> R {
        debug_assert!(self.is_full());
        // codegen: in a drop, so that what is returned is made where the caller wants it.
        let _emptying = Emptying(self);
        // SAFETY: the slot of a cell stands there (10); as the cell is full, the producing end does not touch it.
        take(unsafe { RawSlot::new(self.0.byte_add(geometry.slot_in_cell()).cast()) })
    }
}

/// Dropped, the message has left.
struct Emptying(CellRef);

impl Drop for Emptying {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.flag().store(false, Ordering::Release);
    }
}
