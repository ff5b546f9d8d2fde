//! How many there are of what is cloned and dropped: the handles of one end of a channel, the references of an `Arc`.

#![forbid(unsafe_code)]

use super::atomic::{AtomicUsize, Ordering};

#[cfg(feature = "std")]
use std::process::abort;

/// More than this abort the process, as with the standard library's `Arc`: only a program that forgets handles in a loop gets
/// there, and a count that wrapped around would close a channel in use, or free it.
const MOST: usize = isize::MAX as usize;

pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(crate) fn one() -> Self {
        Self(AtomicUsize::new(1))
    }

    pub(crate) fn get(&self) -> usize {
        // Relaxed: a number that may be outdated as soon as it is read anyway.
        self.0.load(Ordering::Relaxed)
    }

    /// Counts a clone of another, which keeps the count above zero meanwhile.
    #[inline]
    pub(crate) fn add(&self) {
        // Relaxed: whoever hands the new one on to another thread synchronizes with it.
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

    /// Counts a dropped one; says whether it was the last.
    ///
    /// `AcqRel`: whatever was done with the others comes before what the last one does now, which is to close the channel or to
    /// free it.
    #[must_use]
    #[inline]
    pub(crate) fn remove(&self) -> bool {
        self.0.fetch_sub(1, Ordering::AcqRel) == 1
    }
}

/// Ends the process, or whatever the panic handler ends: a panic during a panic cannot be caught.
#[cfg(not(feature = "std"))]
fn abort() -> ! {
    struct PanicAgain;
    impl Drop for PanicAgain {
        fn drop(&mut self) {
            panic!("a count of a channel is about to wrap around");
        }
    }
    let _again = PanicAgain;
    panic!("a count of a channel is about to wrap around");
}
