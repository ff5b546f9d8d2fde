//! A channel with the type of its messages: the fast paths into and out of the ring, compiled for that type.
//!
//! Everything else is the business of [`Chan`], which is given slots.

use alloc::vec::Vec;
use core::{any::type_name, cell, marker::PhantomData, mem, ops::Deref, ptr};

use super::{
    Chan, Missed, RecvSide, SendOutcome, SendSide,
    many::{Incoming, Outgoing},
};
use crate::{
    error::{SendError, TryRecvError, TrySendError},
    numbers::Numbers,
    probe::{self, Site},
    ring::{Cell, Typed},
    slot::{Message, RawSlot, Slot},
    sync::Arc,
    waiter::Waiter,
};

/// A channel of `T`s. Handles and futures know a channel as this only: it is what makes (10) hold, and what makes them invariant in
/// `T`.
#[repr(transparent)]
pub(crate) struct TypedChan<T> {
    chan: Chan,
    brand: PhantomData<cell::Cell<T>>,
}

// SAFETY: a channel gives each message to one thread at a time; it goes from thread to thread, hence `T: Send`.
unsafe impl<T: Send> Send for TypedChan<T> {}
// SAFETY: as above: shared access moves messages in and out, and shows none.
unsafe impl<T: Send> Sync for TypedChan<T> {}

impl<T> Deref for TypedChan<T> {
    type Target = Chan;

    #[inline(always)]
    fn deref(&self) -> &Chan {
        &self.chan
    }
}

impl<T> TypedChan<T> {
    pub(crate) const MESSAGE: &'static Message = &Message::new::<T>(
        Waiter::<T>::SLOT,
        Cell::<T>::SLOT,
        #[cfg(hchan_loom)]
        Cell::<T>::make,
    );

    /// Sends the message of the slot into the ring if that is all there is to do: then it has left its slot. Else leaves the rest to a
    /// slow path.
    ///
    /// # Safety
    ///
    /// A message is in the slot, which is the caller's.
    #[inline(always)]
    pub(crate) unsafe fn send_fast(&self, from: &Slot<T>) -> Result<(), Missed<'_, SendSide>> {
        if !self.sides.send.hint.allows_fast_path() {
            return Err(Missed(None));
        }
        let mut send = self.sides.send.lock.lock();
        // SAFETY: the caller's promise; the ring is of this channel (10) and gives an empty slot.
        let put = |to: RawSlot| unsafe { to.typed::<T>().put_from(from) };
        // SAFETY: as above.
        match unsafe { send.try_push(Typed::<T>::NEW, &self.sides, put) } {
            true => Ok(()),
            false => Err(Missed(Some(send))),
        }
    }

    /// Receives from the ring, if that is all there is to do, what `make` makes of the message; else leaves the rest to `slow`.
    ///
    /// `make` is called under the lock. The message has no number: it is for a caller that returns it at once, so it cannot be
    /// given back.
    // codegen: what is returned is made in its place, so that a large message is not moved once more in each caller.
    #[inline(always)]
    pub(crate) fn recv_fast<'a, R>(
        &'a self,
        make: impl FnOnce(T) -> R,
        slow: impl FnOnce(Missed<'a, RecvSide>) -> R,
    ) -> R {
        if self.is_single_lock() {
            return slow(Missed(None));
        }
        let mut recv = self.sides.recv.lock.lock();
        let Some(cell) = recv.next_unconcerned(&self.sides) else {
            return slow(Missed(Some(recv)));
        };
        // SAFETY: it is the next; the ring is of this channel (10).
        unsafe {
            recv.take(cell, Typed::<T>::NEW, &self.sides, |from| {
                from.typed::<T>().take_with(make)
            })
        }
    }

    #[inline(always)]
    pub(crate) fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let slot = Slot::full(message);
        // SAFETY: the message is in the slot.
        match unsafe { self.send_fast(&slot) } {
            Ok(()) => Ok(()),
            Err(missed) => self.try_send_missed(missed, &slot),
        }
    }

    /// The message is in the slot.
    #[inline(never)]
    fn try_send_missed(
        &self,
        missed: Missed<'_, SendSide>,
        slot: &Slot<T>,
    ) -> Result<(), TrySendError<T>> {
        // SAFETY: the message is in the slot, which is of this channel's type (10); after an error it is still there.
        unsafe {
            let sent = self.send_slow(missed, slot.erased());
            sent.map_err(|error| self.note_refused(error).with(|| slot.take()))
        }
    }

    pub(crate) fn force_send(&self, message: T) -> Result<Option<T>, TrySendError<T>> {
        let (slot, evicted) = (Slot::full(message), Slot::empty());
        // SAFETY: the message is in the one slot, and none in the other; after an error it is still there, and after `true` the evicted one
        // is in its slot.
        unsafe {
            match self.chan.force_send(slot.erased(), evicted.erased()) {
                Ok(is_evicted) => Ok(is_evicted.then(|| evicted.take())),
                Err(error) => Err(self.note_refused(error).with(|| slot.take())),
            }
        }
    }

    #[inline(always)]
    fn note_refused(&self, error: TrySendError<()>) -> TrySendError<()> {
        match error {
            TrySendError::Full(()) => self.probe.refused_as_full(),
            TrySendError::Closed(()) => self.probe.refused_as_closed(),
        }
        error
    }

    #[inline(always)]
    pub(crate) fn try_recv(&self) -> Result<T, TryRecvError> {
        self.recv_fast(Ok, |missed| self.try_recv_missed(missed))
    }

    #[inline(never)]
    pub(crate) fn try_recv_missed(&self, missed: Missed<'_, RecvSide>) -> Result<T, TryRecvError> {
        let slot = Slot::empty();
        // SAFETY: the slot is empty, and of this channel's type (10); after `Ok` a message is in it.
        unsafe {
            self.recv_slow(missed, slot.erased())?;
            Ok(slot.take())
        }
    }

    /// Sends a message with a permit, which is gone then.
    #[inline]
    pub(crate) fn send_permitted(&self, message: T) -> Result<(), SendError<T>> {
        let slot = Slot::full(message);
        if !self.is_single_lock() {
            let mut send = self.sides.send.lock.lock();
            // SAFETY: the message is in the slot; the ring is of this channel (10) and gives an empty slot.
            let put = |to: RawSlot| unsafe { to.typed::<T>().put_from(&slot) };
            // SAFETY: as above.
            if unsafe { send.try_push_permitted(Typed::<T>::NEW, &self.sides, put) } {
                return Ok(());
            }
        }
        // SAFETY: the message is still in the slot, and stays there if the channel is closed.
        unsafe {
            match self.chan.send_permitted(slot.erased()) {
                true => Ok(()),
                false => Err(SendError(slot.take())),
            }
        }
    }

    /// Sends messages, the last first, while there is room, and wakes the receivers that get them. `Sent`: none is left.
    pub(crate) fn send_many(&self, messages: &mut Vec<T>) -> SendOutcome {
        if self.sides.send.hint.allows_fast_path() {
            let mut send = self.sides.send.lock.lock();
            let (start, mut left) = (messages.as_ptr(), messages.len());
            // SAFETY: the ring is of this channel (10) and gives empty slots. It calls `put` for at most so many messages as there
            // are in the vector, which forgets them before anything can drop them.
            unsafe {
                send.try_push_many(Typed::<T>::NEW, &self.sides, left, |to| {
                    left -= 1;
                    to.typed::<T>().put_with(|| start.add(left).read());
                });
                messages.set_len(left);
            }
        }
        let mut outgoing = Unsent {
            messages,
            slot: Slot::empty(),
            is_loaded: false,
        };
        // SAFETY: what is loaded is in the slot.
        unsafe { self.chan.send_many(&mut outgoing) }
    }

    /// Receives the messages that are there, up to `limit`, and wakes the senders that can go ahead by that; returns how many.
    /// If a wake panics, all go back.
    pub(crate) fn try_recv_many(
        &self,
        into: &mut Vec<T>,
        limit: usize,
    ) -> Result<usize, TryRecvError> {
        let most = self.available(limit)?;
        into.reserve(most);
        let kept = into.len();
        // The caller's vector stays out of the critical sections; what it holds is lent to them.
        let mut lent = Lent {
            messages: mem::take(into),
            kept,
            numbers: Numbers::new(),
            slot: Slot::empty(),
            chan: self,
            lender: into,
        };
        let end = self.recv_many_into(&mut lent, most);
        match (lent.keep(), end) {
            (0, Some(end)) => Err(end),
            (count, _) => Ok(count),
        }
    }

    /// Receives up to `most` messages into a vector that has room for them, and says why no more.
    fn recv_many_into(&self, lent: &mut Lent<'_, T>, most: usize) -> Option<TryRecvError> {
        let mut count = 0;
        if !self.is_single_lock() {
            let Lent {
                messages, numbers, ..
            } = lent;
            let mut recv = self.sides.recv.lock.lock();
            let start = messages.spare_capacity_mut().as_mut_ptr();
            let mut written = 0;
            // SAFETY: the ring is of this channel (10), and the vector has room for `most` messages; so many are written.
            unsafe {
                count = recv.try_take_many(Typed::<T>::NEW, &self.sides, most, numbers, |from| {
                    from.typed::<T>()
                        .take_with(|message| _ = (*start.add(written)).write(message));
                    written += 1;
                });
                messages.set_len(messages.len() + count);
            }
        }
        // SAFETY: the slot is empty, of this channel's type (10), and emptied again.
        unsafe { self.chan.recv_many(most - count, lent) }
    }

    /// Counts a dropped receiver; the last one closes the channel and drops what is in it.
    pub(crate) fn drop_receiver(&self) {
        let (is_left, is_awaited) = self.chan.drop_receiver();
        if is_left {
            self.clear_all(is_awaited);
        }
    }

    #[cold]
    #[inline(never)]
    fn clear_all(&self, is_awaited: bool) {
        // SAFETY: no message is in the slot, which is of this channel's type (10).
        unsafe { self.clear(is_awaited, Slot::<T>::empty().erased()) };
    }
}

/// Messages to send, the last first; the next one stands in a slot.
struct Unsent<'m, T> {
    messages: &'m mut Vec<T>,
    slot: Slot<T>,
    is_loaded: bool,
}

impl<T> Outgoing for Unsent<'_, T> {
    fn is_empty(&self) -> bool {
        !self.is_loaded && self.messages.is_empty()
    }

    fn load(&mut self) -> RawSlot {
        if !self.is_loaded {
            // SAFETY: the slot is empty.
            unsafe {
                self.slot
                    .put_with(|| self.messages.pop().expect("there is one more"))
            };
            self.is_loaded = true;
        }
        self.slot.erased()
    }

    fn note_sent(&mut self) {
        self.is_loaded = false;
    }
}

impl<T> Drop for Unsent<'_, T> {
    fn drop(&mut self) {
        if self.is_loaded {
            // SAFETY: it was loaded and has not been sent.
            self.messages.push(unsafe { self.slot.take() });
        }
    }
}

/// A vector's contents, which go back when this is dropped, and what is received behind them, which goes back to the channel
/// then unless it is kept.
struct Lent<'a, T> {
    messages: Vec<T>,
    /// How many of them are the vector's.
    kept: usize,
    /// The others' numbers.
    numbers: Numbers,
    /// For a message on its way.
    slot: Slot<T>,
    chan: &'a TypedChan<T>,
    lender: &'a mut Vec<T>,
}

impl<T> Lent<'_, T> {
    /// Makes all the vector's; returns how many more those are.
    fn keep(&mut self) -> usize {
        let before = mem::replace(&mut self.kept, self.messages.len());
        self.kept - before
    }

    #[cold]
    #[inline(never)]
    fn give_back(&mut self) {
        let mut received = self.messages.drain(self.kept..);
        let mut numbers = self.numbers.iter();
        let slot = &self.slot;
        let mut next = || {
            let (seq, message) = (numbers.next()?, received.next()?);
            // SAFETY: the slot is empty: what was in it has been taken back.
            unsafe { slot.put_with(|| message) };
            Some((seq, slot.erased()))
        };
        // SAFETY: the message is in the slot, which is of this channel's type (10).
        unsafe { self.chan.give_back_many(&mut next) };
    }
}

impl<T> Incoming for Lent<'_, T> {
    fn place(&mut self) -> RawSlot {
        self.slot.erased()
    }

    fn note_received(&mut self, seq: u64) {
        // SAFETY: it is in the slot.
        self.messages.push(unsafe { self.slot.take() });
        self.numbers.add(seq, 1);
    }
}

impl<T> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        if self.messages.len() > self.kept {
            self.give_back();
        }
        *self.lender = mem::take(&mut self.messages);
    }
}

/// A counted handle of a channel of `T`s.
pub(crate) struct SharedChan<T> {
    chan: Arc<Chan>,
    brand: PhantomData<cell::Cell<T>>,
}

// SAFETY: it is a handle of a `TypedChan<T>`, which is `Send` and `Sync` then.
unsafe impl<T: Send> Send for SharedChan<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for SharedChan<T> {}

impl<T> Unpin for SharedChan<T> {}

impl<T> SharedChan<T> {
    pub(crate) fn new(capacity: Option<usize>, site: Site) -> Self {
        let probe = probe::Channel::new(site, type_name::<T>);
        let chan = Arc::new(Chan::new(TypedChan::<T>::MESSAGE, capacity, probe));
        chan.probe.attach(&*chan);
        Self {
            chan,
            brand: PhantomData,
        }
    }

    pub(crate) fn ptr_eq(this: &Self, other: &Self) -> bool {
        Arc::ptr_eq(&this.chan, &other.chan)
    }
}

impl<T> Clone for SharedChan<T> {
    #[inline]
    fn clone(&self) -> Self {
        Self {
            chan: Arc::clone(&self.chan),
            brand: PhantomData,
        }
    }
}

impl<T> Deref for SharedChan<T> {
    type Target = TypedChan<T>;

    #[inline(always)]
    fn deref(&self) -> &TypedChan<T> {
        // SAFETY: `TypedChan<T>` is a transparent wrapper, and the channel was made for `T` by `new`.
        unsafe { &*ptr::from_ref::<Chan>(&self.chan).cast() }
    }
}
