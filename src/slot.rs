//! A place for one message, and what the type-erased core knows of a message's type.
//!
//! The channel's core is compiled once for all message types. It never sees a message: it moves messages from slot to slot
//! through [`Message::relocate`], and what it knows beyond that are sizes and offsets, as Go's `hchan` knows its `elemsize`.

use alloc::alloc::{alloc, dealloc, handle_alloc_error};
use core::{
    alloc::Layout,
    mem::{ManuallyDrop, MaybeUninit},
    ptr::{self, NonNull},
};

use crate::sync::UnsafeCell;

/// A place for a message of type `T`, which may be empty. Who may touch it, and whether a message is in it, is known from outside: from
/// the state of the waiter or from the flag of the ring's cell that it is a part of.
#[repr(transparent)]
pub(crate) struct Slot<T>(UnsafeCell<MaybeUninit<T>>);

impl<T> Slot<T> {
    #[inline(always)]
    pub(crate) fn empty() -> Self {
        Self(UnsafeCell::new(MaybeUninit::uninit()))
    }

    #[inline(always)]
    pub(crate) fn full(message: T) -> Self {
        Self(UnsafeCell::new(MaybeUninit::new(message)))
    }

    /// The slot for the type-erased core.
    #[inline(always)]
    pub(crate) fn erased(&self) -> RawSlot {
        RawSlot(NonNull::from(self).cast())
    }

    /// Takes the message out.
    ///
    /// # Safety
    ///
    /// The slot is the caller's, and a message is in it. It is empty then.
    #[inline(always)]
    pub(crate) unsafe fn take(&self) -> T {
        // SAFETY: the caller's promise.
        self.0
            .with_mut(|message| unsafe { (*message).assume_init_read() })
    }

    /// Takes the message out and returns what `make` makes of it, straight from its place.
    ///
    /// # Safety
    ///
    /// As for [`take`](Self::take).
    #[inline(always)]
    pub(crate) unsafe fn take_with<R>(&self, make: impl FnOnce(T) -> R) -> R {
        // SAFETY: the caller's promise.
        self.0
            .with_mut(|message| make(unsafe { (*message).assume_init_read() }))
    }

    /// Moves the message of another slot in, straight from there to here.
    ///
    /// # Safety
    ///
    /// Both slots are the caller's; a message is in `from`, none is in this one. `from` is empty then.
    #[inline(always)]
    pub(crate) unsafe fn put_from(&self, from: &Self) {
        from.0.with_mut(|from| {
            // SAFETY: the caller's promise. The slots are not the same, as one is full and the other empty.
            (self.0).with_mut(|to| unsafe { ptr::copy_nonoverlapping(from, to, 1) });
        });
    }

    /// Puts the message in.
    ///
    /// # Safety
    ///
    /// The slot is the caller's, and it is empty.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) unsafe fn put(&self, message: T) {
        let message = ManuallyDrop::new(message);
        // SAFETY: the caller's promise. The message is not used again.
        self.0
            .with_mut(|to| unsafe { ptr::copy_nonoverlapping(&*message, to.cast(), 1) });
    }

    /// Puts in the message that `take` gives, straight from where `take` has it.
    ///
    /// # Safety
    ///
    /// The slot is the caller's, and it is empty.
    #[inline(always)]
    pub(crate) unsafe fn put_with(&self, take: impl FnOnce() -> T) {
        // SAFETY: the caller's promise.
        self.0
            .with_mut(|message| unsafe { _ = (*message).write(take()) });
    }
}

/// A [`Slot`] of the message type of the channel at hand.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct RawSlot(NonNull<()>);

impl RawSlot {
    /// # Safety
    ///
    /// A `Slot` of the channel's message type is there.
    #[inline(always)]
    pub(crate) unsafe fn new(slot: NonNull<()>) -> Self {
        Self(slot)
    }

    /// # Safety
    ///
    /// It is a slot for a `T`, and alive as long as the reference is used.
    #[inline(always)]
    pub(crate) unsafe fn typed<'s, T>(self) -> &'s Slot<T> {
        // SAFETY: the caller's promise.
        unsafe { self.0.cast().as_ref() }
    }
}

/// A message type, as far as the type-erased core needs to know it. There is one a type.
pub(crate) struct Message {
    /// The bytes of a message.
    size: usize,
    /// Of a `Slot<T>`.
    slot: Layout,
    /// Where in a [`Waiter`](crate::waiter::Waiter) its slot is.
    pub(crate) slot_in_waiter: usize,
    /// Of a [`Cell`](crate::ring::Cell) of a ring.
    pub(crate) cell: Layout,
    /// Where in a cell its slot is.
    pub(crate) slot_in_cell: usize,
    // codegen: `extern "C"` as such a function does not unwind. So what is held while a message moves has no landing pad, and stays
    // in registers.
    relocate: unsafe extern "C" fn(RawSlot, RawSlot),
    drop_in: unsafe fn(RawSlot),
    /// Makes an empty cell in its place: loom's cells and atomics are more than zeros.
    #[cfg(hchan_loom)]
    pub(crate) make_cell: unsafe fn(NonNull<u8>),
    #[cfg(hchan_loom)]
    make_slot: unsafe fn(RawSlot),
}

/// Where a slot is in what it is a part of.
pub(crate) struct SlotIn {
    pub(crate) whole: Layout,
    pub(crate) offset: usize,
}

impl Message {
    pub(crate) const fn new<T>(
        waiter: SlotIn,
        cell: SlotIn,
        #[cfg(hchan_loom)] make_cell: unsafe fn(NonNull<u8>),
    ) -> Self {
        Self {
            size: size_of::<T>(),
            slot: Layout::new::<Slot<T>>(),
            slot_in_waiter: waiter.offset,
            cell: cell.whole,
            slot_in_cell: cell.offset,
            relocate: relocate::<T>,
            drop_in: drop_in::<T>,
            #[cfg(hchan_loom)]
            make_cell,
            #[cfg(hchan_loom)]
            make_slot: make_slot::<T>,
        }
    }

    /// The bytes of a message.
    #[cfg(feature = "std")]
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The bytes that a message takes in a buffer at the least: those of its alignment, if it has no size.
    pub(crate) fn least_place(&self) -> usize {
        self.size.max(self.slot.align())
    }

    /// Moves the message of one slot into another.
    ///
    /// # Safety
    ///
    /// Both are slots of this message type, and the caller's; a message is in the first, none is in the second.
    #[inline(always)]
    pub(crate) unsafe fn relocate(&self, from: RawSlot, to: RawSlot) {
        // SAFETY: the caller's promise.
        unsafe { (self.relocate)(from, to) };
    }

    /// Drops the message of a slot: user code.
    ///
    /// # Safety
    ///
    /// It is a slot of this message type, and the caller's; a message is in it. It is empty then, even if the drop panics.
    pub(crate) unsafe fn drop_in(&self, slot: RawSlot) {
        // SAFETY: the caller's promise.
        unsafe { (self.drop_in)(slot) };
    }
}

/// # Safety
///
/// As for [`Message::relocate`], of the message type `T`.
unsafe extern "C" fn relocate<T>(from: RawSlot, to: RawSlot) {
    // SAFETY: the caller's promise.
    unsafe { to.typed::<T>().put_from(from.typed()) };
}

/// # Safety
///
/// As for [`Message::drop_in`], of the message type `T`.
unsafe fn drop_in<T>(slot: RawSlot) {
    // SAFETY: the caller's promise.
    unsafe {
        slot.typed::<T>()
            .0
            .with_mut(|message| (*message).assume_init_drop());
    }
}

/// # Safety
///
/// There is memory for a slot of `T`.
#[cfg(hchan_loom)]
unsafe fn make_slot<T>(slot: RawSlot) {
    // SAFETY: the caller's promise.
    unsafe { slot.0.cast().write(Slot::<T>::empty()) };
}

/// A pointer to nothing, with the alignment of the layout.
pub(crate) fn dangling(layout: Layout) -> NonNull<u8> {
    NonNull::new(ptr::without_provenance_mut(layout.align())).expect("an alignment is not 0")
}

/// A message in memory of its own.
pub(crate) struct BoxedMessage {
    slot: RawSlot,
}

// SAFETY: it is made and used by a channel, which says by its brand whether its messages go from thread to thread.
unsafe impl Send for BoxedMessage {}

impl BoxedMessage {
    /// Moves the message of a slot into memory of its own.
    ///
    /// # Safety
    ///
    /// It is a slot of this message type, and the caller's; a message is in it. It is empty then.
    pub(crate) unsafe fn new(message: &Message, from: RawSlot) -> Self {
        let memory = match message.slot.size() {
            0 => dangling(message.slot),
            // SAFETY: the layout has a size.
            _ => match NonNull::new(unsafe { alloc(message.slot) }) {
                Some(memory) => memory,
                None => handle_alloc_error(message.slot),
            },
        };
        let slot = RawSlot(memory.cast());
        // SAFETY: there is memory for a slot, which is empty, and the other is full, by the caller's promise.
        unsafe {
            #[cfg(hchan_loom)]
            (message.make_slot)(slot);
            message.relocate(from, slot);
        }
        Self { slot }
    }

    /// Moves the message into a slot and frees the memory. One that is only dropped leaks both.
    ///
    /// # Safety
    ///
    /// `message` is the type that it was made with. `to` is a slot of it, and the caller's; no message is in it.
    pub(crate) unsafe fn unbox(self, message: &Message, to: RawSlot) {
        // SAFETY: there is a message in the slot, which was allocated like that if it has a size.
        unsafe {
            message.relocate(self.slot, to);
            if message.slot.size() > 0 {
                dealloc(self.slot.0.as_ptr().cast(), message.slot);
            }
        }
    }
}
