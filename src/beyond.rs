//! Messages for which the ring has no place: sent with a permit that counted on a parked receiver, who has left.

#![forbid(unsafe_code)]

use std::collections::VecDeque;

/// Empty nearly always, and then one null pointer.
pub(crate) struct Beyond<T>(Option<Box<VecDeque<T>>>);

impl<T> Beyond<T> {
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |messages| messages.len())
    }

    pub(crate) fn push(&mut self, message: T) {
        self.0.get_or_insert_default().push_back(message);
    }

    /// Takes the oldest.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let messages = self.0.as_mut()?;
        let oldest = messages.pop_front();
        if messages.is_empty() {
            self.0 = None;
        }
        oldest
    }
}
