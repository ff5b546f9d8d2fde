//! An intrusive, doubly linked list of waiters.
//!
//! The waiters live elsewhere, inside the pinned futures that wait, and carry their own links. So linking allocates nothing, and
//! unlinking any of them is O(1). The list owns no waiter.

use core::{iter::successors, mem::MaybeUninit, ptr::NonNull};

use super::{Header, WaiterRef};
use crate::sync::UnsafeCell;

/// The part of a waiter that belongs to the list it is in.
///
/// It is written when the waiter is linked, and is meaningless before and after.
pub(super) struct Links(UnsafeCell<MaybeUninit<Neighbours>>);

#[derive(Clone, Copy)]
struct Neighbours {
    previous: Option<NonNull<Header>>,
    next: Option<NonNull<Header>>,
}

impl Links {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self(UnsafeCell::new(MaybeUninit::uninit()))
    }
}

/// A first-in, first-out list of waiters, from which any waiter can be removed.
///
/// Invariant: every linked waiter is alive and stays where it is until it is unlinked; the caller of `push_back` promises that.
/// All links are read and written through `&mut List` (or `&mut` of the list that they were moved to). The pointers in a list
/// reach the whole waiter, not only its header: `push_back` is given such a pointer, and `pop_front` returns it.
#[repr(C)]
pub(crate) struct List {
    head: Option<NonNull<Header>>,
    tail: Option<NonNull<Header>>,
    len: usize,
}

// SAFETY: a list is a set of pointers to waiters. Sending it sends the right to reach them from another thread, one thread at
// a time (`&mut List`), while their owners keep theirs; headers are `Sync`, and whether the messages behind them may go from thread
// to thread is said by the brand of the channel.
unsafe impl Send for List {}

impl List {
    pub(crate) const fn new() -> Self {
        Self {
            head: None,
            tail: None,
            len: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    /// The waiters at the head and at the tail.
    pub(crate) fn ends(&self) -> [Option<&Header>; 2] {
        // SAFETY: both are linked, so they are alive; they cannot be unlinked while the list is borrowed.
        [self.head, self.tail].map(|waiter| waiter.map(|waiter| unsafe { waiter.as_ref() }))
    }

    #[inline(always)]
    pub(crate) fn front(&self) -> Option<&Header> {
        // SAFETY: it is linked, so it is alive; it cannot be unlinked while the list is borrowed.
        self.head.map(|waiter| unsafe { waiter.as_ref() })
    }

    /// The waiters, from the head on.
    pub(crate) fn iter(&mut self) -> impl Iterator<Item = &Header> {
        // SAFETY: a linked waiter is in this list, which stays borrowed.
        let next = |&waiter: &NonNull<Header>| unsafe { neighbours(waiter, |of| of.next) };
        // SAFETY: it is linked, so it is alive, and it cannot be unlinked while the list is borrowed.
        successors(self.head, next).map(|waiter| unsafe { &*waiter.as_ptr() })
    }

    /// Links a waiter in at the tail.
    ///
    /// # Safety
    ///
    /// The waiter is in no list. It is removed, by `remove` or `pop_front`, before its memory is used for anything else.
    pub(crate) unsafe fn push_back(&mut self, waiter: WaiterRef<'_>) {
        let links = Neighbours {
            previous: self.tail,
            next: None,
        };
        // SAFETY: the waiter is in no list, so nobody else looks at its links.
        waiter
            .links
            .0
            .with_mut(|unlinked| unsafe { (*unlinked).write(links) });
        let waiter = waiter.pointer();
        match self.tail {
            // SAFETY: the tail is linked, so it is alive.
            Some(tail) => unsafe { neighbours(tail, |of| of.next = Some(waiter)) },
            None => self.head = Some(waiter),
        }
        self.tail = Some(waiter);
        self.len += 1;
    }

    /// Unlinks the waiter at the head and returns it; it is alive, as it was linked until now.
    #[inline(always)]
    pub(crate) fn pop_front(&mut self) -> Option<NonNull<Header>> {
        let waiter = self.head?;
        // SAFETY: the head is linked in this list, and has nobody before it.
        let next = unsafe { neighbours(waiter, |of| of.next) };
        match next {
            // SAFETY: it is linked, so it is alive.
            Some(next) => unsafe { neighbours(next, |of| of.previous = None) },
            None => self.tail = None,
        }
        self.head = next;
        self.len -= 1;
        Some(waiter)
    }

    /// Moves the waiter at the head to the tail of another list.
    pub(crate) fn move_front_to(&mut self, other: &mut Self) {
        if let Some(waiter) = self.pop_front() {
            // SAFETY: it has just been unlinked, and was linked under the same promise.
            unsafe { other.push_back(WaiterRef::linked(waiter)) };
        }
    }

    /// Unlinks a waiter from wherever in the list it is.
    ///
    /// # Safety
    ///
    /// The waiter is in this list.
    pub(crate) unsafe fn remove(&mut self, waiter: WaiterRef<'_>) {
        // SAFETY: the waiter and its neighbours are linked, so they are alive.
        unsafe {
            let Neighbours { previous, next } = neighbours(waiter.pointer(), |of| *of);
            match previous {
                Some(previous) => neighbours(previous, |of| of.next = next),
                None => self.head = next,
            }
            match next {
                Some(next) => neighbours(next, |of| of.previous = previous),
                None => self.tail = previous,
            }
        }
        self.len -= 1;
    }

    /// Moves all waiters of `other` behind those of this list.
    pub(crate) fn append(&mut self, other: &mut Self) {
        let other = core::mem::replace(other, Self::new());
        let (Some(first), Some(last)) = (other.head, other.tail) else {
            return;
        };
        match self.tail {
            // SAFETY: both waiters are linked, so they are alive.
            Some(tail) => unsafe {
                neighbours(tail, |of| of.next = Some(first));
                neighbours(first, |of| of.previous = Some(tail));
            },
            None => self.head = Some(first),
        }
        self.tail = Some(last);
        self.len += other.len;
    }

    /// Moves all waiters of `other` before those of this list.
    pub(crate) fn prepend(&mut self, other: &mut Self) {
        other.append(self);
        core::mem::swap(self, other);
    }
}

/// Lets `f` read and write the links of a waiter.
///
/// # Safety
///
/// The waiter is linked, and the caller holds `&mut` of the list that it is in.
#[inline(always)]
unsafe fn neighbours<R>(waiter: NonNull<Header>, f: impl FnOnce(&mut Neighbours) -> R) -> R {
    // SAFETY: a linked waiter is alive and its links have been written; they are touched only through `&mut` of its list,
    // which the caller holds, so this reference is the only one.
    unsafe {
        waiter
            .as_ref()
            .links
            .0
            .with_mut(|links| f((*links).assume_init_mut()))
    }
}
