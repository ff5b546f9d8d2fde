//! What all handles of a channel share: the core under its lock, and the handle counts.
//!
//! Every operation has the same shape here: lock, one transition of the [`core`](crate::core), unlock, then wake and
//! drop what the transition detached.

#![forbid(unsafe_code)]

use std::{fmt, task::Waker};

use crate::{
    core::{Core, RecvStep, SendStep, Side, Taken},
    count::HandleCount,
    error::{TryRecvError, TrySendError},
    sync::Lock,
    wake::{Panics, WakeBatch},
};

pub(crate) struct Shared<T> {
    core: Lock<Core<T>>,
    capacity: Option<usize>,
    pub(crate) senders: HandleCount,
    pub(crate) receivers: HandleCount,
}

impl<T> Shared<T> {
    pub(crate) fn new(capacity: Option<usize>) -> Self {
        Self {
            core: Lock::new(Core::new(capacity)),
            capacity,
            senders: HandleCount::one(),
            receivers: HandleCount::one(),
        }
    }

    /// Runs one transition under the lock. It must run no user code: what is to be woken or dropped leaves it.
    #[inline]
    pub(crate) fn locked<R>(&self, transition: impl FnOnce(&mut Core<T>) -> R) -> R {
        let mut core = self.core.lock();
        let result = transition(&mut core);
        if cfg!(debug_assertions) {
            core.assert_invariants();
        }
        result
    }

    pub(crate) fn capacity(&self) -> Option<usize> {
        self.capacity
    }

    #[inline]
    pub(crate) fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let mut slot = Some(message);
        let step = self.locked(|core| core.send(|| take(&mut slot)));
        conclude(step, slot)
    }

    pub(crate) fn force_send(&self, message: T) -> Result<Option<T>, TrySendError<T>> {
        let mut slot = Some(message);
        let (step, evicted) = self.locked(|core| core.force_send(|| take(&mut slot)));
        conclude(step, slot).map(|()| evicted)
    }

    #[inline]
    pub(crate) fn try_recv(&self) -> Result<T, TryRecvError> {
        match self.locked(Core::recv) {
            RecvStep::Received(taken) => Ok(self.settle(taken, None)),
            RecvStep::Empty => Err(TryRecvError::Empty),
            RecvStep::Closed => Err(TryRecvError::Closed),
        }
    }

    /// Wakes the sender that a receive completed, drops a waker that the receive did not need, and returns the message;
    /// if any of that panics, the message goes back.
    #[inline]
    pub(crate) fn settle(&self, taken: Taken<T>, unused: Option<Waker>) -> T {
        if taken.waker.is_none() && unused.is_none() {
            return taken.message;
        }
        let mut held = Held {
            shared: self,
            seq: taken.seq,
            message: Some(taken.message),
        };
        let mut panics = Panics::default();
        panics.catch(|| wake(taken.waker));
        panics.catch(|| drop(unused));
        panics.resume();
        held.message.take().expect("held until here")
    }

    /// Gives back a message that a receive was handed and does not use.
    pub(crate) fn give_back(&self, seq: u64, message: T) {
        wake(self.locked(|core| core.give_back(seq, message)));
    }

    /// Closes the channel and completes all who are parked; says whether it was open.
    pub(crate) fn close(&self) -> bool {
        let closed = self.locked(Core::close);
        if closed {
            let mut panics = Panics::default();
            self.complete_closing(&mut panics);
            panics.resume();
        }
        closed
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.locked(|core| core.is_closed())
    }

    pub(crate) fn len(&self) -> usize {
        self.locked(|core| core.len())
    }

    pub(crate) fn is_full(&self) -> bool {
        self.locked(|core| core.is_full())
    }

    pub(crate) fn waiting_senders(&self) -> usize {
        self.locked(|core| core.waiting(Side::Send))
    }

    pub(crate) fn waiting_receivers(&self) -> usize {
        self.locked(|core| core.waiting(Side::Recv))
    }

    /// Writes the state of the channel at one moment, as a handle of that name.
    pub(crate) fn fmt(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (len, closed, senders, receivers) = self.locked(|core| {
            (
                core.len(),
                core.is_closed(),
                core.waiting(Side::Send),
                core.waiting(Side::Recv),
            )
        });
        f.debug_struct(name)
            .field("len", &len)
            .field("capacity", &self.capacity)
            .field("closed", &closed)
            .field("waiting_senders", &senders)
            .field("waiting_receivers", &receivers)
            .finish_non_exhaustive()
    }

    /// Counts a dropped sender; the last one closes the channel.
    pub(crate) fn drop_sender(&self) {
        if self.senders.remove() {
            self.close();
        }
    }

    /// Counts a dropped receiver; the last one closes the channel and drops what is in it.
    pub(crate) fn drop_receiver(&self) {
        if self.receivers.remove() {
            let (closed, backlog) = self.locked(|core| (core.close(), core.take_backlog()));
            let mut panics = Panics::default();
            if closed {
                self.complete_closing(&mut panics);
            }
            backlog.for_each(|message| panics.catch(|| drop(message)));
            panics.resume();
        }
    }

    fn complete_closing(&self, panics: &mut Panics) {
        loop {
            let mut wakes = WakeBatch::new();
            self.locked(|core| core.complete_closing(&mut wakes));
            if wakes.is_empty() {
                return;
            }
            wakes.wake_all(panics);
        }
    }
}

/// A received message while user code runs that may panic; dropped then, it gives the message back.
struct Held<'a, T> {
    shared: &'a Shared<T>,
    seq: u64,
    message: Option<T>,
}

impl<T> Drop for Held<'_, T> {
    fn drop(&mut self) {
        if let Some(message) = self.message.take() {
            // A panic is on its way already; a second one, from the next receiver's waker, would abort.
            Panics::default().catch(|| self.shared.give_back(self.seq, message));
        }
    }
}

#[inline]
fn take<T>(slot: &mut Option<T>) -> T {
    slot.take().expect("a message is sent once")
}

/// Wakes the receiver of a sent message, or returns the message that was not sent.
#[inline]
fn conclude<T>(step: SendStep, slot: Option<T>) -> Result<(), TrySendError<T>> {
    match (step, slot) {
        (SendStep::Sent(waker), _) => {
            wake(waker);
            Ok(())
        }
        (SendStep::Full, Some(message)) => Err(TrySendError::Full(message)),
        (SendStep::Closed, Some(message)) => Err(TrySendError::Closed(message)),
        (SendStep::Full | SendStep::Closed, None) => {
            unreachable!("a send that fails leaves its message")
        }
    }
}

#[inline]
pub(crate) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
