//! An intrusive, doubly linked list of pinned nodes.
//!
//! The nodes live elsewhere (here: inside the pinned futures that wait) and carry their own links, so linking allocates
//! nothing and unlinking any of them is O(1). The list only points; it owns no node.

use core::{iter::successors, mem::MaybeUninit, pin::Pin, ptr::NonNull};

use crate::sync::UnsafeCell;

/// The part of a node that belongs to the list it is in.
///
/// Written when the node is linked, and meaningless before and after.
pub(crate) struct Links<N>(UnsafeCell<MaybeUninit<Neighbours<N>>>);

struct Neighbours<N> {
    previous: Option<NonNull<N>>,
    next: Option<NonNull<N>>,
}

impl<N> Links<N> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self(UnsafeCell::new(MaybeUninit::uninit()))
    }
}

/// A type that can be linked into a [`List`].
///
/// # Safety
///
/// `links` returns the same `Links`, a part of the node itself, every time.
pub(crate) unsafe trait Node: Sized {
    fn links(&self) -> &Links<Self>;
}

/// A list of nodes, first in, first out, from which any node can be removed.
///
/// Invariant: every linked node is alive and stays where it is until it is unlinked; `push_back` makes its caller
/// promise that. All links are read and written through `&mut List` (or `&mut` of the list that they were moved to).
#[repr(C)]
pub(crate) struct List<N> {
    head: Option<NonNull<N>>,
    tail: Option<NonNull<N>>,
    len: usize,
}

// SAFETY: a list is a set of pointers to nodes; sending it sends the right to reach them from another thread, one
// thread at a time (`&mut List`), while their owners keep theirs: the nodes are shared between threads, `Sync`.
unsafe impl<N: Sync> Send for List<N> {}

impl<N: Node> List<N> {
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

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    /// The nodes at the head and at the tail.
    pub(crate) fn ends(&self) -> [Option<&N>; 2] {
        // SAFETY: both are linked, so they are alive; they cannot be unlinked while the list is borrowed.
        [self.head, self.tail].map(|node| node.map(|node| unsafe { node.as_ref() }))
    }

    pub(crate) fn front(&self) -> Option<&N> {
        self.ends()[0]
    }

    /// The nodes, from the head on.
    pub(crate) fn iter(&mut self) -> impl Iterator<Item = &N> {
        // SAFETY: a linked node is in this list, which stays borrowed.
        let next = |&node: &NonNull<N>| unsafe { neighbours(node, |of| of.next) };
        // SAFETY: it is linked, so it is alive, and it cannot be unlinked while the list is borrowed.
        successors(self.head, next).map(|node| unsafe { &*node.as_ptr() })
    }

    /// Links a node in at the tail.
    ///
    /// # Safety
    ///
    /// The node is in no list. It is removed, by `remove` or `pop_front`, before its memory is used for anything else.
    pub(crate) unsafe fn push_back(&mut self, node: Pin<&N>) {
        let links = Neighbours {
            previous: self.tail,
            next: None,
        };
        // SAFETY: the node is in no list, so nobody else looks at its links.
        node.links()
            .0
            .with_mut(|unlinked| unsafe { (*unlinked).write(links) });
        let node = NonNull::from(node.get_ref());
        match self.tail {
            // SAFETY: the tail is linked, so it is alive.
            Some(tail) => unsafe { neighbours(tail, |of| of.next = Some(node)) },
            None => self.head = Some(node),
        }
        self.tail = Some(node);
        self.len += 1;
    }

    /// Unlinks the node at the head and returns it; it is alive, as it was until now linked.
    #[inline]
    pub(crate) fn pop_front(&mut self) -> Option<NonNull<N>> {
        let node = self.head?;
        // SAFETY: the head is linked in this list.
        unsafe { self.unlink(node) };
        Some(node)
    }

    /// Unlinks a node from wherever in the list it is.
    ///
    /// # Safety
    ///
    /// The node is in this list.
    pub(crate) unsafe fn remove(&mut self, node: Pin<&N>) {
        // SAFETY: the caller's promise is ours.
        unsafe { self.unlink(NonNull::from(node.get_ref())) };
    }

    /// Moves all nodes of `other` behind those of this list.
    pub(crate) fn append(&mut self, other: &mut Self) {
        let other = core::mem::replace(other, Self::new());
        let (Some(first), Some(last)) = (other.head, other.tail) else {
            return;
        };
        match self.tail {
            // SAFETY: both nodes are linked, so they are alive.
            Some(tail) => unsafe {
                neighbours(tail, |of| of.next = Some(first));
                neighbours(first, |of| of.previous = Some(tail));
            },
            None => self.head = Some(first),
        }
        self.tail = Some(last);
        self.len += other.len;
    }

    /// Moves all nodes of `other` before those of this list.
    pub(crate) fn prepend(&mut self, other: &mut Self) {
        other.append(self);
        core::mem::swap(self, other);
    }

    /// # Safety
    ///
    /// The node is in this list.
    unsafe fn unlink(&mut self, node: NonNull<N>) {
        // SAFETY: the node and its neighbours are linked, so they are alive.
        unsafe {
            let Neighbours { previous, next } = neighbours(node, |of| Neighbours { ..*of });
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
}

/// Lets `f` read and write the links of a node.
///
/// # Safety
///
/// The node is linked, and the caller holds `&mut` of the list that it is in.
unsafe fn neighbours<N: Node, R>(node: NonNull<N>, f: impl FnOnce(&mut Neighbours<N>) -> R) -> R {
    // SAFETY: a linked node is alive and its links have been written; they are touched only through `&mut` of its list,
    // which the caller holds, so this reference is the only one.
    unsafe {
        node.as_ref()
            .links()
            .0
            .with_mut(|links| f((*links).assume_init_mut()))
    }
}
