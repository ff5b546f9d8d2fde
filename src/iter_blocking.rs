//! An iterator over the messages of a channel, for threads.

#![forbid(unsafe_code)]

use core::iter::FusedIterator;

use crate::receiver::Receiver;

/// An iterator that blocks the thread for each message; made by [`Receiver::iter_blocking`].
///
/// It ends when the channel is closed and empty, and stays ended. Dropping it at any time loses nothing.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::unbounded();
/// tx.try_send("a").unwrap();
/// tx.try_send("b").unwrap();
/// drop(tx);
/// let mut messages = rx.iter_blocking();
/// assert_eq!(messages.next(), Some("a"));
/// assert_eq!(messages.collect::<String>(), "b");
/// ```
#[doc(alias = "Iter")]
#[derive(Debug)]
#[must_use = "iterators do nothing unless consumed"]
pub struct IterBlocking<'a, T> {
    receiver: &'a Receiver<T>,
    ended: bool,
}

impl<'a, T> IterBlocking<'a, T> {
    pub(crate) fn new(receiver: &'a Receiver<T>) -> Self {
        Self {
            receiver,
            ended: false,
        }
    }
}

impl<T> Iterator for IterBlocking<'_, T> {
    type Item = T;

    #[cfg_attr(feature = "inspect", track_caller)]
    fn next(&mut self) -> Option<T> {
        if self.ended {
            return None;
        }
        let message = self.receiver.recv_blocking().ok();
        self.ended = message.is_none();
        message
    }
}

impl<T> FusedIterator for IterBlocking<'_, T> {}
