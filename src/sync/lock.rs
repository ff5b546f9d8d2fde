//! The lock of a channel's end.
//!
//! It guards a handful of loads, stores and one message copy, so it is nearly always free again within tens of
//! nanoseconds. A thread that finds it held backs off for a bounded time, long enough that the holder can run a few operations
//! in a row with the cache line to itself. A thread that is still locked out then (the holder was preempted, say) goes to
//! [`sleep`](super::sleep): sleeps or, where there is nothing to sleep on, goes on trying.
//!
//! Unlocking is one plain store and a relaxed look at whether anybody sleeps. The look may miss a thread that is just
//! falling asleep, because nothing orders the store before it. That is why every sleep has a timeout: a missed
//! notification costs the sleeper at most the timeout, which starts at 50 µs and doubles.

// A model of the channel uses loom's mutex, so there this lock is compiled for its own model alone.
#![cfg_attr(hchan_loom, allow(dead_code))]

use core::ops::{Deref, DerefMut};

use super::{
    UnsafeCell,
    atomic::{AtomicBool, AtomicU32, Ordering},
    backoff::backoff,
    sleep::SleepQueue,
};

/// The fields stand in this order so that the flag, the number of sleepers and the beginning of the value, which every
/// operation touches, can share a cache line.
#[repr(C)]
pub(crate) struct Lock<T> {
    held: AtomicBool,
    sleepers: Sleepers,
    value: UnsafeCell<T>,
    sleep_queue: SleepQueue,
}

// SAFETY: the lock hands out access to its value one thread at a time, which moves the value between threads (`Send`)
// and never shares it.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            held: AtomicBool::new(false),
            sleepers: Sleepers::new(),
            value: UnsafeCell::new(value),
            sleep_queue: SleepQueue::new(),
        }
    }

    #[inline]
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        self.lock_by_hand();
        Guard { lock: self }
    }

    /// Locks without a guard: for who holds any number of locks, of different types.
    #[inline]
    pub(crate) fn lock_by_hand(&self) {
        if !self.try_acquire() {
            self.acquire_slow();
        }
    }

    /// Unlocks what was locked by hand.
    ///
    /// # Safety
    ///
    /// The caller holds the lock, and no reference to the value is left.
    #[inline]
    pub(crate) unsafe fn unlock_by_hand(&self) {
        self.held.store(false, Ordering::Release);
        // The lock is still there, though it is free: who operates on a channel has a handle of it.
        if self.sleepers.any() {
            self.sleep_queue.wake_one();
        }
    }

    /// Locks if that can be done at once.
    #[inline]
    pub(crate) fn try_lock(&self) -> Option<Guard<'_, T>> {
        self.try_acquire().then(|| Guard { lock: self })
    }

    /// Where the value is, for who may reach it by another rule than holding this lock.
    #[inline]
    pub(crate) fn get(&self) -> *mut T {
        self.value.with_mut(|value| value)
    }

    /// Takes the lock if it is free.
    ///
    /// `Acquire` pairs with the `Release` of the unlock: the new holder sees all that the last one wrote.
    #[inline]
    fn try_acquire(&self) -> bool {
        !self.held.swap(true, Ordering::Acquire)
    }

    /// Takes the lock if it looks free, without pulling its cache line away from the holder if it does not.
    fn try_acquire_politely(&self) -> bool {
        // Relaxed: only a hint; `try_acquire` decides.
        !self.held.load(Ordering::Relaxed) && self.try_acquire()
    }

    #[cold]
    fn acquire_slow(&self) {
        let acquired = backoff(|| self.try_acquire_politely());
        if !acquired {
            self.sleepers.add();
            self.sleep_queue.sleep_until(|| self.try_acquire_politely());
            self.sleepers.remove();
        }
    }
}

/// The lock, held. Dropping it unlocks.
pub(crate) struct Guard<'a, T> {
    lock: &'a Lock<T>,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard exists, so this thread alone holds the lock; the borrow of the guard keeps it held.
        self.lock.value.with_mut(|value| unsafe { &*value })
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and the guard is borrowed mutably, so this is the only reference.
        self.lock.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the guard held the lock, and its borrows have ended.
        unsafe { self.lock.unlock_by_hand() };
    }
}

/// How many threads sleep: an event would take a mutex to tell.
///
/// Relaxed throughout: a hint that may come late, for which the sleepers' timeouts make up.
struct Sleepers(AtomicU32);

impl Sleepers {
    fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn remove(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    #[inline]
    fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

#[cfg(all(test, hchan_loom))]
mod model {
    use loom::{sync::Arc, thread};

    use super::*;

    /// Loom's cell inside the lock notices two holders, and a holder that does not see the last one's writes.
    ///
    /// Each thread tries just once: after a failed swap loom would let further tries read that swap's own `true` for
    /// ever, as it does not know that a swap and what it read are neighbours in the order of stores.
    #[test]
    fn lock_excludes_and_publishes() {
        loom::model(|| {
            let counter = Arc::new(Lock::new(loom::cell::UnsafeCell::new(0)));
            let try_add = |counter: &Lock<loom::cell::UnsafeCell<u32>>| {
                let guard = counter.try_acquire().then(|| Guard { lock: counter });
                // SAFETY: the guard makes this access exclusive; loom checks just that.
                let added = guard.map(|guard| guard.with_mut(|count| unsafe { *count += 1 }));
                u32::from(added.is_some())
            };
            let others = [(); 2].map(|()| {
                let counter = Arc::clone(&counter);
                thread::spawn(move || try_add(&counter))
            });
            let added_here = try_add(&counter);
            let added = others.map(|other| other.join().unwrap());
            counter.value.with_mut(|value| {
                // SAFETY: all other threads have been joined.
                let count = unsafe { (*value).with(|count| *count) };
                assert_eq!(count, added_here + added.iter().sum::<u32>());
                assert_ne!(count, 0, "somebody came first");
            });
        });
    }
}

#[cfg(all(test, not(hchan_loom)))]
mod tests {
    use std::{sync::Arc, thread, time::Duration, vec::Vec};

    use super::*;

    #[test]
    #[cfg_attr(target_family = "wasm", ignore = "needs threads")]
    fn sleepers_get_the_lock_though_the_holder_keeps_it_long() {
        let lock = Arc::new(Lock::new(0));
        let held = lock.lock();
        let waiting: Vec<_> = (0..4)
            .map(|_| {
                let lock = Arc::clone(&lock);
                thread::spawn(move || *lock.lock() += 1)
            })
            .collect();
        // Long beyond the backoff, so that they sleep, if they can.
        thread::sleep(Duration::from_millis(20));
        assert_eq!(*held, 0, "somebody else has it");
        drop(held);
        for thread in waiting {
            thread.join().unwrap();
        }
        assert_eq!(*lock.lock(), 4);
    }

    #[test]
    #[cfg_attr(target_family = "wasm", ignore = "needs threads")]
    fn counts_of_many_threads_add_up() {
        const EACH: usize = if cfg!(miri) { 50 } else { 50_000 };
        let lock = Arc::new(Lock::new(0));
        let adding: Vec<_> = (0..4)
            .map(|_| {
                let lock = Arc::clone(&lock);
                thread::spawn(move || (0..EACH).for_each(|_| *lock.lock() += 1))
            })
            .collect();
        for thread in adding {
            thread.join().unwrap();
        }
        assert_eq!(*lock.lock(), 4 * EACH);
    }
}
