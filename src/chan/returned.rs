//! Messages that cancelled receives gave back, in the order in which they had left the channel.

#![forbid(unsafe_code)]

use alloc::{boxed::Box, collections::BTreeMap};
use core::cmp::Ordering;

use crate::slot::BoxedMessage;

/// Empty nearly always, and then one null pointer.
pub(crate) struct Returned(Option<Box<Messages>>);

/// By sequence number; never empty.
type Messages = BTreeMap<Seq, BoxedMessage>;

/// A sequence number. The numbers of messages that are given back at one time lie less than 2⁶³ apart, so their order is known
/// even where the numbers wrap around.
#[derive(PartialEq, Eq)]
struct Seq(u64);

impl Ord for Seq {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        (self.0.wrapping_sub(other.0) as i64).cmp(&0)
    }
}

impl PartialOrd for Seq {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Returned {
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

    pub(crate) fn insert(&mut self, seq: u64, message: BoxedMessage) {
        self.0.get_or_insert_default().insert(Seq(seq), message);
    }

    /// Takes the oldest.
    pub(crate) fn pop(&mut self) -> Option<(u64, BoxedMessage)> {
        let messages = self.0.as_mut()?;
        let oldest = messages.pop_first();
        if messages.is_empty() {
            self.0 = None;
        }
        oldest.map(|(Seq(seq), message)| (seq, message))
    }
}
