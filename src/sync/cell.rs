//! An `UnsafeCell` with loom's interface, so that a model sees every access.

/// To free a cell is an access to it, too.
#[cfg(hchan_loom)]
pub(crate) struct UnsafeCell<T>(loom::cell::UnsafeCell<T>);

#[cfg(hchan_loom)]
impl<T> UnsafeCell<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::cell::UnsafeCell::new(value))
    }

    /// Calls `f` with a pointer that it may read and write through.
    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        self.0.with_mut(f)
    }
}

#[cfg(hchan_loom)]
impl<T> Drop for UnsafeCell<T> {
    fn drop(&mut self) {
        // A second panic would only hide the first.
        if !std::thread::panicking() {
            self.0.with_mut(|_| ());
        }
    }
}

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
