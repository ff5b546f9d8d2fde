//! The order in which things of one kind are locked where several are: that of their addresses, or in a model, where these
//! differ from run to run, that in which they were made.

#![forbid(unsafe_code)]

/// A part of what is locked.
pub(crate) struct LockOrder(#[cfg(hchan_loom)] usize);

#[cfg(not(hchan_loom))]
impl LockOrder {
    pub(crate) fn new() -> Self {
        Self()
    }

    /// A number that is the lower the earlier `whole` is locked, and above 0.
    pub(crate) fn of<T>(&self, whole: &T) -> usize {
        core::ptr::from_ref(whole).addr()
    }
}

#[cfg(hchan_loom)]
impl LockOrder {
    pub(crate) fn new() -> Self {
        use core::sync::atomic::{AtomicUsize, Ordering};

        static LAST: AtomicUsize = AtomicUsize::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }

    pub(crate) fn of<T>(&self, _whole: &T) -> usize {
        self.0
    }
}
