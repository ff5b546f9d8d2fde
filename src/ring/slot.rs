//! A place for a message.

use core::mem::MaybeUninit;

use crate::sync::{
    UnsafeCell,
    atomic::{AtomicBool, Ordering},
};

/// Empty, it is the producing end's; full, the consuming end's.
///
/// So each end sees in the slot itself whether it has to wait for the other: it touches nothing of the other's but the cache line
/// with the message.
#[repr(C)]
pub(super) struct Slot<T> {
    is_full: AtomicBool,
    message: UnsafeCell<MaybeUninit<T>>,
}

impl<T> Slot<T> {
    /// Makes an empty one where it is to be: a message may be too large for the stack.
    pub(super) fn make_in(place: &mut MaybeUninit<Self>) {
        let place = place.as_mut_ptr();
        // SAFETY: the place is there. The cell holds what need not be initialized; only loom's needs to be.
        unsafe {
            (&raw mut (*place).is_full).write(AtomicBool::new(false));
            #[cfg(hchan_loom)]
            (&raw mut (*place).message).write(UnsafeCell::new(MaybeUninit::uninit()));
        }
    }

    /// `Acquire` pairs with the store of the other end: it is through with the slot.
    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Acquire)
    }

    /// Puts in the message that `take` gives, straight from where that has it.
    ///
    /// # Safety
    ///
    /// The caller holds the producing end, whose next slot this is, and the slot is empty.
    #[inline(always)]
    pub(super) unsafe fn fill(&self, take: impl FnOnce() -> T) {
        debug_assert!(!self.is_full(), "4: more messages than places");
        // SAFETY: as it is empty, the consuming end does not touch it.
        self.message
            .with_mut(|message| unsafe { _ = (*message).write(take()) });
        self.is_full.store(true, Ordering::Release);
    }

    /// Takes the message out and returns what `make` makes of it, straight from its place.
    ///
    /// # Safety
    ///
    /// The caller holds the consuming end, whose next slot this is, and the slot is full.
    #[inline(always)]
    pub(super) unsafe fn empty<R>(&self, make: impl FnOnce(T) -> R) -> R {
        // In a drop, so that what is returned is made where the caller wants it.
        let _emptying = Emptying(&self.is_full);
        // SAFETY: as it is full, the producing end does not touch it, and a message is in it, which is gone with this.
        self.message
            .with_mut(|message| make(unsafe { (*message).assume_init_read() }))
    }
}

/// Dropped, the message has left.
struct Emptying<'a>(&'a AtomicBool);

impl Drop for Emptying<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
