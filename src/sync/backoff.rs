//! How long a thread that finds a lock taken keeps off it before it sleeps.
//!
//! Each look at the lock takes its cache line from the holder. A thread that backs off lets the holder run several operations in a row
//! with all lines to itself, and in tasks that is worth more than one's own time: the holder's worker has other tasks that go on with
//! the channel. Threads in blocking calls are each other's peers: the holder may well wait for just this one next, so they
//! look again sooner.

#![forbid(unsafe_code)]

use core::hint;

#[cfg(feature = "std")]
use crate::tuning::FIRST_LOCK_PAUSE_BLOCKING;
use crate::tuning::{FIRST_LOCK_PAUSE, LONGEST_LOCK_PAUSE, LONGEST_LOCK_PAUSES};

#[cfg(feature = "std")]
pub(crate) use caller::Blocking;
#[cfg(feature = "inspect")]
pub(crate) use caller::is_blocking;

/// Tries again and again with pauses between, for a bounded number of times; says whether a try succeeded.
pub(super) fn backoff(mut attempt: impl FnMut() -> bool) -> bool {
    let growing = (first_pause().ilog2()..LONGEST_LOCK_PAUSE.ilog2()).map(|power| 1 << power);
    let longest = core::iter::repeat_n(LONGEST_LOCK_PAUSE, LONGEST_LOCK_PAUSES as usize);
    growing.chain(longest).any(|pause| {
        // Under Miri each hint lets another thread run.
        let hints = if cfg!(miri) { 1 } else { pause };
        for _ in 0..hints {
            hint::spin_loop();
        }
        attempt()
    })
}

fn first_pause() -> u32 {
    #[cfg(feature = "std")]
    if caller::is_blocking() {
        return FIRST_LOCK_PAUSE_BLOCKING;
    }
    FIRST_LOCK_PAUSE
}

#[cfg(feature = "std")]
mod caller {
    use core::cell::Cell;
    use std::thread_local;

    thread_local!(static IS_BLOCKING: Cell<bool> = const { Cell::new(false) });

    /// As long as this is there, the thread is in a blocking call.
    pub(crate) struct Blocking {
        was_blocking: bool,
    }

    impl Blocking {
        #[inline]
        pub(crate) fn begin() -> Self {
            Self {
                was_blocking: IS_BLOCKING.replace(true),
            }
        }
    }

    impl Drop for Blocking {
        #[inline]
        fn drop(&mut self) {
            IS_BLOCKING.set(self.was_blocking);
        }
    }

    pub(crate) fn is_blocking() -> bool {
        IS_BLOCKING.get()
    }
}
