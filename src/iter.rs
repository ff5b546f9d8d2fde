//! An iterator over the messages that can be had at once.

#![forbid(unsafe_code)]

use crate::receiver::Receiver;

/// An iterator over the messages that can be had at once; made by [`Receiver::try_iter`].
///
/// It ends when there is no message, for whatever reason, and goes on if there are some later. Dropping it loses nothing.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::unbounded();
/// let mut messages = rx.try_iter();
/// assert_eq!(messages.next(), None);
/// tx.try_send(1).unwrap();
/// assert_eq!(messages.next(), Some(1));
/// ```
#[derive(Debug)]
#[must_use = "iterators do nothing unless consumed"]
pub struct TryIter<'a, T> {
    receiver: &'a Receiver<T>,
}

impl<'a, T> TryIter<'a, T> {
    pub(crate) fn new(receiver: &'a Receiver<T>) -> Self {
        Self { receiver }
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.try_recv().ok()
    }
}
