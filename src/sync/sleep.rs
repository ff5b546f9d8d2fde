//! Where threads go that did not get a lock by backing off: to sleep, if there is something to sleep on.
//!
//! Without the standard library there is not. On wasm there is, but the main thread of a page must not sleep, and a thread
//! cannot tell which one it is. In both they spin, in rounds of the backoff, until they have the lock: while its holder is
//! preempted a core burns, and an interrupt handler that meets the lock of what it has interrupted spins for ever.

#![forbid(unsafe_code)]

#[cfg(all(feature = "std", not(any(target_family = "wasm", hchan_loom))))]
pub(super) use sleeping::SleepQueue;
#[cfg(not(all(feature = "std", not(any(target_family = "wasm", hchan_loom)))))]
pub(super) use spinning::SleepQueue;

/// Only threads wait here. `event-listener` wakes its listeners under a mutex of its own, which is fine for a thread's
/// unpark and would not be for a task's waker.
#[cfg(all(feature = "std", not(any(target_family = "wasm", hchan_loom))))]
mod sleeping {
    use event_listener::{Event, IntoNotification, Listener, listener};

    use crate::tuning::{FIRST_LOCK_SLEEP, LONGEST_LOCK_SLEEP};

    pub(in crate::sync) struct SleepQueue(Event);

    impl SleepQueue {
        pub(in crate::sync) const fn new() -> Self {
            Self(Event::new())
        }

        /// Sleeps until woken or for a bounded time, tries, and so on until a try succeeds.
        pub(in crate::sync) fn sleep_until(&self, mut attempt: impl FnMut() -> bool) {
            let mut timeout = FIRST_LOCK_SLEEP;
            loop {
                listener!(self.0 => listener);
                // Between the last try and now the lock may have become free with nobody listening.
                if attempt() {
                    return;
                }
                listener.wait_timeout(timeout);
                if attempt() {
                    return;
                }
                timeout = (timeout * 2).min(LONGEST_LOCK_SLEEP);
            }
        }

        /// Wakes one sleeper, if there is one by now.
        #[cold]
        pub(in crate::sync) fn wake_one(&self) {
            self.0.notify(1.relaxed());
        }
    }
}

/// Compiled for models, too, which never run it: their threads try a lock just once.
#[cfg(not(all(feature = "std", not(any(target_family = "wasm", hchan_loom)))))]
mod spinning {
    use crate::sync::backoff::backoff;

    pub(in crate::sync) struct SleepQueue;

    impl SleepQueue {
        pub(in crate::sync) const fn new() -> Self {
            Self
        }

        pub(in crate::sync) fn sleep_until(&self, mut attempt: impl FnMut() -> bool) {
            while !backoff(&mut attempt) {}
        }

        /// Nobody sleeps.
        pub(in crate::sync) fn wake_one(&self) {}
    }
}
