//! The messages of a batch on their way from the caller's iterator into the channel.

#![forbid(unsafe_code)]

use alloc::vec::{self, Vec};
use core::{fmt, iter::FusedIterator, mem};

use crate::{quiet_drop::QuietDrop, tuning::PULLED_BYTES, wake::drop_each};

/// An iterator, and messages that have been taken from it and not been sent yet.
pub(crate) struct Batch<I: Iterator> {
    pulled: Pulled<I::Item>,
    iter: QuietDrop<I>,
    is_exhausted: bool,
    /// How many messages have been taken from the iterator. On 32 bits that may exceed `usize`.
    count: u64,
}

/// The next one is the last. They drop in the order in which they came.
struct Pulled<T>(Vec<T>);

impl<T> Drop for Pulled<T> {
    fn drop(&mut self) {
        drop_each(self.0.drain(..).rev());
    }
}

impl<I: Iterator> Batch<I> {
    pub(crate) fn new(iter: I) -> Self {
        Self {
            pulled: Pulled(Vec::new()),
            iter: QuietDrop::new(iter),
            is_exhausted: false,
            count: 0,
        }
    }

    /// Takes messages from the iterator, if there are none at hand: one, and as many more as there is `room` for it and them; says
    /// whether there are any then. Allocates once in the batch's life.
    pub(crate) fn pull(&mut self, room: impl FnOnce() -> usize) -> bool {
        if self.pulled.0.is_empty() && !self.is_exhausted {
            self.make_place();
            let most = self.pulled.0.capacity().min(PULLED_BYTES);
            let mut pulling = Pulling(self);
            if pulling.take(1) {
                pulling.take(room().min(most).saturating_sub(1));
            }
        }
        !self.pulled.0.is_empty()
    }

    fn make_place(&mut self) {
        if self.pulled.0.capacity() == 0 {
            let at_most = (PULLED_BYTES / size_of::<I::Item>().max(1)).max(1);
            let hint = self.iter.size_hint().1.unwrap_or(at_most);
            self.pulled.0.reserve_exact(hint.clamp(1, at_most));
        }
    }

    /// Whether it is certain that nothing is left.
    pub(crate) fn is_over(&self) -> bool {
        self.pulled.0.is_empty() && self.is_exhausted
    }

    /// The messages at hand, the next one last.
    pub(crate) fn pulled(&mut self) -> &mut Vec<I::Item> {
        &mut self.pulled.0
    }

    /// How many messages have been taken from the iterator and from here; `usize::MAX` also stands for
    /// more.
    pub(crate) fn passed_on(&self) -> usize {
        let passed_on = self.count - self.pulled.0.len() as u64;
        passed_on.try_into().unwrap_or(usize::MAX)
    }

    pub(crate) fn into_unsent(mut self) -> Unsent<I> {
        let mut pulled = mem::take(&mut self.pulled.0);
        pulled.reverse();
        let pulled = Messages(pulled.into_iter());
        Unsent {
            pulled,
            iter: (!self.is_exhausted).then_some(self.iter),
        }
    }
}

/// Messages are being taken from the iterator, which may panic. However it ends, those that have come are counted and turned
/// round.
struct Pulling<'b, I: Iterator>(&'b mut Batch<I>);

impl<I: Iterator> Pulling<'_, I> {
    /// Takes so many messages; says whether the iterator had them.
    fn take(&mut self, count: usize) -> bool {
        let Batch {
            pulled,
            iter,
            is_exhausted,
            ..
        } = &mut *self.0;
        let had = pulled.0.len();
        pulled.0.extend(iter.by_ref().take(count));
        *is_exhausted = pulled.0.len() - had < count;
        !*is_exhausted
    }
}

impl<I: Iterator> Drop for Pulling<'_, I> {
    fn drop(&mut self) {
        self.0.count += self.0.pulled.0.len() as u64;
        self.0.pulled.0.reverse();
    }
}

/// The messages of a batch that have not been sent: those that had been taken from the caller's iterator already, then those
/// still in it.
///
/// It is in [`SendManyError`](crate::SendManyError).
///
/// # Examples
///
/// ```
/// let (tx, _rx) = hchan::bounded(2);
/// let error = tx.try_send_many(1..=5).unwrap_err();
/// assert_eq!(error.into_inner().rest.collect::<Vec<_>>(), [3, 4, 5]);
/// ```
#[must_use = "these messages have not been sent"]
pub struct Unsent<I: Iterator> {
    pulled: Messages<I::Item>,
    /// `None` once it has ended.
    iter: Option<QuietDrop<I>>,
}

#[derive(Clone)]
struct Messages<T>(vec::IntoIter<T>);

impl<T> Drop for Messages<T> {
    fn drop(&mut self) {
        drop_each(&mut self.0);
    }
}

impl<I: Iterator> Iterator for Unsent<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.pulled.0.next().or_else(|| {
            let next = self.iter.as_mut()?.next();
            if next.is_none() {
                self.iter = None;
            }
            next
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self
            .iter
            .as_ref()
            .map_or((0, Some(0)), |iter| iter.size_hint());
        let pulled = self.pulled.0.len();
        (
            left.0.saturating_add(pulled),
            left.1.and_then(|left| left.checked_add(pulled)),
        )
    }
}

impl<I: Iterator> FusedIterator for Unsent<I> {}

impl<I: Iterator + Clone> Clone for Unsent<I>
where
    I::Item: Clone,
{
    fn clone(&self) -> Self {
        Self {
            pulled: self.pulled.clone(),
            iter: self.iter.as_deref().cloned().map(QuietDrop::new),
        }
    }
}

impl<I: Iterator> fmt::Debug for Unsent<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsent").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_of_an_endless_batch_does_not_wrap_around() {
        let mut batch = Batch::new(core::iter::repeat(()));
        batch.count = usize::MAX as u64 - 1;
        assert!(batch.pull(|| 1));
        assert_eq!(batch.passed_on(), usize::MAX - 1);
        batch.pulled().clear();
        assert_eq!(batch.passed_on(), usize::MAX);
        // A larger count exists on 32 bits only.
        if let Ok(more) = (usize::MAX as u128 + 5).try_into() {
            batch.count = more;
            assert_eq!(batch.passed_on(), usize::MAX);
        }
    }
}
