//! The system's allocator, which counts when asked to.
//!
//! While nobody counts, it costs a look at a flag that nobody writes. The crates there are for this count always, with two
//! read-modify-writes an allocation: too much beside what is timed.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// To be declared as the `#[global_allocator]`.
#[derive(Debug)]
pub struct CountingAlloc;

/// Relaxed is enough for all of them: what other threads allocate counts from about when the count begins, and `count` is called
/// where they have been started, and joined, in between.
static IS_COUNTING: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

/// What was allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Allocations and reallocations.
    pub allocations: u64,
    /// What was asked for in all of them, a reallocation's new size included.
    pub bytes: u64,
}

/// What all threads allocated while `run` ran, and what it returned. One at a time.
pub fn count<R>(run: impl FnOnce() -> R) -> (Counted, R) {
    let so_far = || (COUNT.load(Ordering::Relaxed), BYTES.load(Ordering::Relaxed));
    let before = so_far();
    IS_COUNTING.store(true, Ordering::Relaxed);
    let returned = run();
    IS_COUNTING.store(false, Ordering::Relaxed);
    let after = so_far();
    let counted = Counted {
        allocations: after.0 - before.0,
        bytes: after.1 - before.1,
    };
    (counted, returned)
}

#[inline]
fn note(bytes: usize) {
    if IS_COUNTING.load(Ordering::Relaxed) {
        COUNT.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

// SAFETY: every call goes to the system's allocator unchanged, and to note one neither allocates nor unwinds.
unsafe impl GlobalAlloc for CountingAlloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        // SAFETY: the caller's promise; the system's allocator made `old`.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise; the system's allocator made `old`.
        unsafe { System.dealloc(old, layout) }
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    #[global_allocator]
    static ALLOC: super::CountingAlloc = super::CountingAlloc;

    #[test]
    fn an_allocation_counts_while_somebody_counts() {
        let (count, kept) = super::count(|| black_box(Box::new(7)));
        // The test harness has threads of its own.
        assert!(count.allocations >= 1 && count.bytes >= 4, "{count:?}");
        let after = super::COUNT.load(super::Ordering::Relaxed);
        drop(black_box(Box::new(8)));
        assert_eq!(super::COUNT.load(super::Ordering::Relaxed), after);
        drop(kept);
    }
}
