//! A receiver as an iterator.

#![forbid(unsafe_code)]

use core::iter::FusedIterator;

use super::Receiver;

/// An iterator that owns its receiver and blocks the thread for each message; made by the [`IntoIterator`] of a
/// [`Receiver`].
///
/// It ends when the channel is closed and empty, and stays ended. Dropping it drops its receiver and nothing that another
/// receiver could still get.
///
/// # Blocking
///
/// Each step blocks the thread while there is no message. In a task it would stall the runtime's worker thread.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::blocking::bounded(2);
/// let sending = std::thread::spawn(move || (0..5).try_for_each(|n| tx.send(n)));
/// let mut messages = rx.into_iter();
/// assert_eq!(messages.next(), Some(0));
/// assert_eq!(messages.sum::<i32>(), 10);
/// sending.join().unwrap().unwrap();
/// ```
#[derive(Debug)]
#[must_use = "iterators do nothing unless consumed"]
pub struct IntoIter<T> {
    receiver: Receiver<T>,
    ended: bool,
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    #[cfg_attr(feature = "inspect", track_caller)]
    fn next(&mut self) -> Option<T> {
        if self.ended {
            return None;
        }
        let message = self.receiver.recv().ok();
        self.ended = message.is_none();
        message
    }
}

impl<T> FusedIterator for IntoIter<T> {}

/// Iterates over the messages, and blocks the thread for each.
impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter {
            receiver: self,
            ended: false,
        }
    }
}

/// As [`iter`](Receiver::iter).
impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = crate::IterBlocking<'a, T>;

    fn into_iter(self) -> crate::IterBlocking<'a, T> {
        self.iter()
    }
}
