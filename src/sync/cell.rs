//! An `UnsafeCell` with loom's interface, so that a model sees every access.

use std::mem::MaybeUninit;

#[cfg(hchan_loom)]
pub(crate) use loom::cell::UnsafeCell;

#[cfg(not(hchan_loom))]
pub(crate) struct UnsafeCell<T>(core::cell::UnsafeCell<T>);

#[cfg(not(hchan_loom))]
impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(core::cell::UnsafeCell::new(value))
    }

    /// Calls `f` with a pointer that it may read and write through.
    #[inline(always)]
    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

/// Cells that hold nothing yet.
#[cfg(not(hchan_loom))]
pub(crate) fn uninit_cells<T>(len: usize) -> Box<[UnsafeCell<MaybeUninit<T>>]> {
    // SAFETY: a cell of something that need not be initialized need not be either.
    unsafe { Box::new_uninit_slice(len).assume_init() }
}

#[cfg(hchan_loom)]
pub(crate) fn uninit_cells<T>(len: usize) -> Box<[UnsafeCell<MaybeUninit<T>>]> {
    (0..len)
        .map(|_| UnsafeCell::new(MaybeUninit::uninit()))
        .collect()
}
