//! How many handles one end of a channel has.

#![forbid(unsafe_code)]

use crate::sync::{
    abort,
    atomic::{AtomicUsize, Ordering},
};

/// More handles than this abort the process, as with `Arc`: only a program that forgets handles in a loop gets there,
/// and a count that wrapped around would close a channel in use.
const MOST: usize = isize::MAX as usize;

pub(crate) struct HandleCount(AtomicUsize);

impl HandleCount {
    pub(crate) fn one() -> Self {
        Self(AtomicUsize::new(1))
    }

    pub(crate) fn get(&self) -> usize {
        // Relaxed: a number that may be outdated as soon as it is read anyway.
        self.0.load(Ordering::Relaxed)
    }

    /// Counts a handle cloned from another, which keeps the count above zero meanwhile.
    pub(crate) fn add(&self) {
        // Relaxed: whoever hands the new handle on to another thread synchronizes with it.
        if self.0.fetch_add(1, Ordering::Relaxed) > MOST {
            abort();
        }
    }

    /// Counts a handle made of a weak one, unless all are gone: an end that has closed never opens again.
    pub(crate) fn add_unless_zero(&self) -> bool {
        // Relaxed, as in `add`; the compare-exchange makes the test and the step one.
        let added =
            self.0
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| match count {
                    0 => None,
                    _ => Some(count + 1),
                });
        if added.is_ok_and(|count| count > MOST) {
            abort();
        }
        added.is_ok()
    }

    /// Counts a dropped handle; says whether it was the last.
    ///
    /// `AcqRel`: whatever the other handles did comes before what the last one does now, which is to close the channel.
    #[must_use]
    pub(crate) fn remove(&self) -> bool {
        self.0.fetch_sub(1, Ordering::AcqRel) == 1
    }
}
