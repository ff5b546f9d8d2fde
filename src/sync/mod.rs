//! Everything that is the standard library's in a build and loom's in a model.
//!
//! The rest of the crate takes its atomics, cells, threads and the channel lock from here, so that no other file knows
//! which of the two it runs on. In a model the channel lock is loom's mutex; the crate's own [`lock`] has a model of
//! its own, in its file.

mod cell;
mod lock;

pub(crate) use cell::UnsafeCell;

#[cfg(not(hchan_loom))]
pub(crate) use {
    lock::Lock,
    std::sync::{Arc, atomic},
    std::thread,
};

#[cfg(hchan_loom)]
pub(crate) use {
    loom::sync::{Arc, atomic},
    modelled::{Lock, thread},
};

#[cfg(hchan_loom)]
mod modelled {
    /// loom's mutex, with the one method the crate's own lock has.
    pub(crate) struct Lock<T>(loom::sync::Mutex<T>);

    impl<T> Lock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
            self.0.lock().expect("no panic under the channel lock")
        }
    }

    pub(crate) mod thread {
        pub(crate) use loom::thread::{Thread, current, park, yield_now};

        /// loom has no clock: a timed park is a chance for the others to run.
        pub(crate) fn park_timeout(_: std::time::Duration) {
            yield_now();
        }
    }
}
