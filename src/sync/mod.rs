//! Everything that is the standard library's in a build and loom's in a model.
//!
//! The rest of the crate takes its atomics, cells, threads, `Arc` and the lock from here, so that no other file knows
//! which of the two it runs on. In a model `Arc` and the lock are loom's, too; the crate's own, [`arc`] and [`lock`],
//! have models of their own, in their files.

mod arc;
mod backoff;
mod cell;
mod count;
mod lock;
mod lock_order;
mod sleep;

#[cfg(feature = "std")]
pub(crate) use backoff::Blocking;
#[cfg(feature = "inspect")]
pub(crate) use backoff::is_blocking;
pub(crate) use cell::UnsafeCell;
pub(crate) use count::Count;
pub(crate) use lock_order::LockOrder;

#[cfg(not(hchan_loom))]
pub(crate) use {
    arc::Arc,
    core::sync::atomic,
    lock::{Guard, Lock},
};

#[cfg(all(feature = "std", not(hchan_loom)))]
pub(crate) use std::thread;

#[cfg(hchan_loom)]
pub(crate) use {
    loom::sync::{Arc, atomic},
    modelled::{Guard, Lock, thread},
};

#[cfg(hchan_loom)]
mod modelled {
    use core::{
        cell::Cell,
        marker::PhantomData,
        mem,
        ops::{Deref, DerefMut},
    };

    use loom::{
        cell::UnsafeCell,
        sync::{Mutex, MutexGuard},
    };

    /// loom's mutex, with the methods of the crate's own lock. Loom's cell inside notices whoever reaches the value out of
    /// turn, when they begin to.
    pub(crate) struct Lock<T> {
        mutex: Mutex<()>,
        /// The mutex's guard while the lock is held by hand.
        by_hand: Cell<Option<MutexGuard<'static, ()>>>,
        value: UnsafeCell<T>,
    }

    // SAFETY: a guard is there only while the lock is held, and then the lock is borrowed, so not sent.
    unsafe impl<T: Send> Send for Lock<T> {}
    // SAFETY: as for the crate's own lock; `by_hand` is touched by the holder of the lock alone.
    unsafe impl<T: Send> Sync for Lock<T> {}

    impl<T> Lock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self {
                mutex: Mutex::new(()),
                by_hand: Cell::new(None),
                value: UnsafeCell::new(value),
            }
        }

        pub(crate) fn lock(&self) -> Guard<'_, T> {
            self.guard(self.hold())
        }

        /// loom's `try_lock` blocks where it should fail: whoever is about to try is blocked as soon as another thread takes
        /// the lock, which looks like a deadlock where locks are tried in the wrong order. So no other gets between the
        /// asking and the trying; that one comes first is explored all the same, from the step before.
        pub(crate) fn try_lock(&self) -> Option<Guard<'_, T>> {
            loom::stop_exploring();
            let held = self.mutex.try_lock().ok();
            loom::explore();
            held.map(|held| self.guard(held))
        }

        fn guard<'a>(&'a self, held: MutexGuard<'a, ()>) -> Guard<'a, T> {
            Guard {
                value: self.get(),
                _held: held,
                _lock: PhantomData,
            }
        }

        fn hold(&self) -> MutexGuard<'_, ()> {
            self.mutex.lock().expect("no panic under a channel's lock")
        }

        pub(crate) fn lock_by_hand(&self) {
            // SAFETY: the guard is dropped by `unlock_by_hand`, which the holder calls while the lock is alive.
            let held =
                unsafe { mem::transmute::<MutexGuard<'_, ()>, MutexGuard<'_, ()>>(self.hold()) };
            self.by_hand.set(Some(held));
        }

        /// # Safety
        ///
        /// The caller has locked it by hand, and no reference to the value is left.
        pub(crate) unsafe fn unlock_by_hand(&self) {
            drop(self.by_hand.take());
        }

        pub(crate) fn get(&self) -> *mut T {
            self.value.with_mut(|value| value)
        }
    }

    pub(crate) struct Guard<'a, T> {
        value: *mut T,
        _held: MutexGuard<'a, ()>,
        _lock: PhantomData<&'a Lock<T>>,
    }

    impl<T> Deref for Guard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            // SAFETY: the mutex is held.
            unsafe { &*self.value }
        }
    }

    impl<T> DerefMut for Guard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            // SAFETY: the mutex is held, and the guard borrowed mutably.
            unsafe { &mut *self.value }
        }
    }

    pub(crate) mod thread {
        pub(crate) use loom::thread::{Thread, current, park, yield_now};

        /// loom has no clock: a timed park is a chance for the others to run.
        pub(crate) fn park_timeout(_: core::time::Duration) {
            yield_now();
        }
    }
}
