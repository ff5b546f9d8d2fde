//! The standard library's `Arc`, without weak references, in memory that the allocator has at hand.
//!
//! The ends of a channel are aligned to two cache lines. Memory that is asked for with so large an alignment does not come from
//! the quick lists of glibc's allocator (seen with 2.36), which takes longer than all else in making and dropping a channel. So
//! this asks for so much more, with an alignment as usual, that it can begin where it fits: 112 bytes for a channel.

// A model of the channel uses loom's, so there this one is compiled for its own model alone.
#![cfg_attr(hchan_loom, allow(dead_code))]

use core::{alloc::Layout, marker::PhantomData, ops::Deref, ptr::NonNull};

use ::alloc::alloc::{alloc, dealloc, handle_alloc_error};

use super::count::Count;

/// What usual allocators align everything to.
const USUAL_ALIGNMENT: usize = 2 * size_of::<usize>();

pub(crate) struct Arc<T> {
    counted: NonNull<Counted<T>>,
    owns: PhantomData<Counted<T>>,
}

struct Counted<T> {
    count: Count,
    /// The memory in which this is.
    memory: NonNull<u8>,
    value: T,
}

// SAFETY: it gives a `&T` to each thread, and drops the value in any.
unsafe impl<T: Send + Sync> Send for Arc<T> {}
// SAFETY: as above; who has a reference can clone it.
unsafe impl<T: Send + Sync> Sync for Arc<T> {}

/// The value stays where it is.
impl<T> Unpin for Arc<T> {}

impl<T> Counted<T> {
    const ALIGNMENT: usize = if align_of::<Self>() < USUAL_ALIGNMENT {
        align_of::<Self>()
    } else {
        USUAL_ALIGNMENT
    };

    /// Of the memory: wherever that is, in it is a place for this.
    const LAYOUT: Layout = {
        let most_skipped = align_of::<Self>() - Self::ALIGNMENT;
        match Layout::from_size_align(size_of::<Self>() + most_skipped, Self::ALIGNMENT) {
            Ok(layout) => layout,
            Err(_) => panic!("larger than memory"),
        }
    };

    /// How many bytes to skip from the start of the memory.
    fn skipped(memory: usize) -> usize {
        memory.wrapping_neg() % align_of::<Self>()
    }
}

impl<T> Arc<T> {
    pub(crate) fn new(value: T) -> Self {
        let layout = Counted::<T>::LAYOUT;
        // SAFETY: the layout has a size, as there is a count.
        let Some(memory) = NonNull::new(unsafe { alloc(layout) }) else {
            handle_alloc_error(layout)
        };
        let skipped = Counted::<T>::skipped(memory.addr().get());
        let counted = Counted {
            count: Count::one(),
            memory,
            value,
        };
        // SAFETY: aligned there, and within the memory: both addresses are multiples of the memory's alignment, so no more is
        // skipped than there is beside the size of this.
        let counted = unsafe {
            let place = memory.add(skipped).cast();
            place.write(counted);
            place
        };
        Self {
            counted,
            owns: PhantomData,
        }
    }

    pub(crate) fn ptr_eq(this: &Self, other: &Self) -> bool {
        this.counted == other.counted
    }

    fn count(&self) -> &Count {
        // SAFETY: this one is counted until it is dropped, so it has not been freed.
        unsafe { &(*self.counted.as_ptr()).count }
    }
}

impl<T> Deref for Arc<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: as in `count`, and until it is dropped there are only shared references to the value.
        unsafe { &(*self.counted.as_ptr()).value }
    }
}

impl<T> Clone for Arc<T> {
    fn clone(&self) -> Self {
        self.count().add();
        Self { ..*self }
    }
}

impl<T> Drop for Arc<T> {
    #[inline]
    fn drop(&mut self) {
        if self.count().remove() {
            // SAFETY: it was the last, and what was done with the others comes before this.
            unsafe { self.free() };
        }
    }
}

impl<T> Arc<T> {
    /// # Safety
    ///
    /// There is no other, and this one is not used again.
    #[cold]
    #[inline(never)]
    unsafe fn free(&mut self) {
        /// Freed even if the value's drop panics.
        struct Memory {
            start: NonNull<u8>,
            layout: Layout,
        }

        impl Drop for Memory {
            fn drop(&mut self) {
                // SAFETY: it was allocated like that, and the value is gone.
                unsafe { dealloc(self.start.as_ptr(), self.layout) };
            }
        }

        // SAFETY: the value is there until it is dropped here, by the caller's promise.
        unsafe {
            let _memory = Memory {
                start: (*self.counted.as_ptr()).memory,
                layout: Counted::<T>::LAYOUT,
            };
            self.counted.drop_in_place();
        }
    }
}

#[cfg(all(test, not(hchan_loom)))]
mod tests {
    use core::cell::Cell;
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        vec::Vec,
    };

    use super::*;

    #[derive(Default)]
    #[repr(align(128))]
    struct Wide<'a> {
        dropped: Option<&'a Cell<u32>>,
        panics: bool,
    }

    impl Drop for Wide<'_> {
        fn drop(&mut self) {
            self.dropped
                .inspect(|dropped| dropped.set(dropped.get() + 1));
            assert!(!self.panics, "the drop panics");
        }
    }

    fn wide(dropped: &Cell<u32>, panics: bool) -> Arc<Wide<'_>> {
        let dropped = Some(dropped);
        Arc::new(Wide { dropped, panics })
    }

    /// Makes some of a value, among others that move them.
    fn are_in_their_memory<T: Default>() {
        let mut others = Vec::new();
        for size in 1..100 {
            others.push(Vec::<u8>::with_capacity(16 * size));
            let made = Arc::new(T::default());
            assert!((&raw const *made).is_aligned());
            let start = made.counted.addr().get();
            // SAFETY: it is there.
            let memory = unsafe { (*made.counted.as_ptr()).memory }.addr().get();
            let end = memory + Counted::<T>::LAYOUT.size();
            assert!(memory <= start && start + size_of::<Counted<T>>() <= end);
        }
    }

    #[test]
    fn value_is_in_its_memory() {
        are_in_their_memory::<u8>();
        are_in_their_memory::<u64>();
        are_in_their_memory::<Wide<'_>>();
    }

    /// At each address that the allocator could return.
    #[test]
    fn value_is_aligned_wherever_its_memory_is() {
        type Large<'a> = Counted<Wide<'a>>;
        let most = Large::LAYOUT.size() - size_of::<Large<'_>>();
        for memory in (0..1024).step_by(Large::ALIGNMENT) {
            let skipped = Large::skipped(memory);
            assert!((memory + skipped) % 128 == 0 && skipped <= most);
        }
        assert_eq!(Large::skipped(1024 + 16), 112);
        assert_eq!(Counted::<u64>::skipped(16), 0);
    }

    #[test]
    fn value_is_dropped_with_the_last() {
        let dropped = Cell::new(0);
        let first = wide(&dropped, false);
        let second = first.clone();
        assert!(Arc::ptr_eq(&first, &second));
        assert!(!Arc::ptr_eq(&first, &Arc::new(Wide::default())));
        drop(first);
        assert_eq!(dropped.get(), 0);
        drop(second);
        assert_eq!(dropped.get(), 1);
    }

    /// That the memory is freed all the same, the leak sanitizer tells.
    #[test]
    #[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
    fn panic_of_the_drop_goes_on() {
        let dropped = Cell::new(0);
        let wide = wide(&dropped, true);
        assert!(catch_unwind(AssertUnwindSafe(|| drop(wide))).is_err());
        assert_eq!(dropped.get(), 1);
    }
}

#[cfg(all(test, hchan_loom))]
mod model {
    use loom::{cell::UnsafeCell, thread};

    use super::*;

    /// Loom's cell notices if it is changed, as in the drop, at the same time as it is looked at.
    struct Value(UnsafeCell<u32>);

    // SAFETY: loom tells if it is not so.
    unsafe impl Sync for Value {}

    impl Value {
        fn look(&self) {
            // SAFETY: only the drop changes it.
            assert_eq!(self.0.with(|value| unsafe { *value }), 7);
        }
    }

    impl Drop for Value {
        fn drop(&mut self) {
            // SAFETY: nobody else has it.
            self.0.with_mut(|value| unsafe { *value = 0 });
        }
    }

    #[test]
    fn value_ends_after_all_that_was_done_with_it() {
        loom::model(|| {
            let value = Arc::new(Value(UnsafeCell::new(7)));
            let looking = [(); 2].map(|()| {
                let value = value.clone();
                thread::spawn(move || value.look())
            });
            value.look();
            drop(value);
            looking
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
        });
    }
}
