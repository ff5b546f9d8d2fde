//! The one place that relies on the layout of the blocking handles.

use core::ptr;

use super::{Receiver, Sender};

pub(super) fn sender<T>(sender: &crate::Sender<T>) -> &Sender<T> {
    // SAFETY: `Sender` is `repr(transparent)` over the async sender, so that both have the same layout and the same valid
    // values. The result borrows what the argument borrows, and both types only give out shared access through it.
    unsafe { &*ptr::from_ref(sender).cast() }
}

pub(super) fn receiver<T>(receiver: &crate::Receiver<T>) -> &Receiver<T> {
    // SAFETY: `Receiver` is `repr(transparent)` over the async receiver; what is said of senders holds for it.
    unsafe { &*ptr::from_ref(receiver).cast() }
}
