//! Dropping what is the caller's (a message, a waker, a future of theirs): any of it may panic, and a second panic while the
//! first unwinds would abort the process.
//!
//! A drop of this crate that drops several such values wraps each of them. They are fields or locals, so that all of them drop
//! whatever one of them does; the first panic goes on, and the others end here.

use core::{
    mem::{ManuallyDrop, needs_drop},
    ops::{Deref, DerefMut},
    pin::Pin,
    ptr,
};

use crate::wake::quietly;

/// A value of the caller's. If its drop panics while another panic unwinds the thread, that second panic ends here; without
/// the standard library it ends the program.
#[repr(transparent)]
pub(crate) struct QuietDrop<V>(ManuallyDrop<V>);

impl<V> QuietDrop<V> {
    #[inline(always)]
    pub(crate) const fn new(value: V) -> Self {
        Self(ManuallyDrop::new(value))
    }

    #[inline(always)]
    pub(crate) fn into_inner(self) -> V {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is neither dropped nor used again.
        unsafe { ptr::read(&*this.0) }
    }

    #[inline(always)]
    pub(crate) fn as_pin_mut(self: Pin<&mut Self>) -> Pin<&mut V> {
        // SAFETY: the value is pinned with its wrapper, which is `Unpin` only if the value is, drops it in place, and moves it
        // only in `into_inner`, which takes an unpinned wrapper.
        unsafe { self.map_unchecked_mut(|this| &mut *this.0) }
    }
}

impl<V> Deref for QuietDrop<V> {
    type Target = V;

    #[inline(always)]
    fn deref(&self) -> &V {
        &self.0
    }
}

impl<V> DerefMut for QuietDrop<V> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut V {
        &mut self.0
    }
}

impl<V> Drop for QuietDrop<V> {
    #[inline(always)]
    fn drop(&mut self) {
        if needs_drop::<V>() {
            // SAFETY: the value is not used again: this is the drop of its wrapper, which runs once.
            quietly(|| unsafe { ManuallyDrop::drop(&mut self.0) });
        }
    }
}
