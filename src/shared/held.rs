//! A received message that is not the receiver's yet: user code is to run before, and if that panics the message goes back.

#![forbid(unsafe_code)]

use core::task::Waker;

use super::{Shared, wake, wake_and_drop};
use crate::{step::Taken, wake::Panics};

/// Dropped before it is taken, it gives the message back.
struct Held<'a, T> {
    shared: &'a Shared<T>,
    seq: u64,
    message: Option<T>,
}

impl<'a, T> Held<'a, T> {
    #[inline]
    fn new(shared: &'a Shared<T>, seq: u64, message: T) -> Self {
        Self {
            shared,
            seq,
            message: Some(message),
        }
    }

    #[inline]
    fn take(&mut self) -> T {
        self.message.take().expect("held until here")
    }
}

impl<T> Drop for Held<'_, T> {
    fn drop(&mut self) {
        if let Some(message) = self.message.take() {
            self.shared.give_back(self.seq, message);
        }
    }
}

impl<T> Shared<T> {
    /// Wakes the sender that a receive completed, drops a waker that the receive did not need, and returns the message;
    /// if any of that panics, the message goes back.
    #[inline]
    pub(crate) fn settle(&self, taken: Taken<T>, unused: Option<Waker>) -> T {
        if taken.waker.is_none() && unused.is_none() {
            return taken.message;
        }
        let mut held = Held::new(self, taken.seq, taken.message);
        wake_and_drop(taken.waker, unused);
        held.take()
    }

    /// As `settle`, and tells those who have waited for the last message.
    #[cold]
    pub(crate) fn settle_last(&self, taken: Taken<T>, unused: Option<Waker>) -> T {
        let mut held = Held::new(self, taken.seq, taken.message);
        let mut panics = Panics::default();
        panics.catch(|| self.complete_closing());
        // There is nobody else to wake: no sender is parked in a closed channel.
        panics.catch(|| wake_and_drop(taken.waker, unused));
        panics.resume();
        held.take()
    }

    /// Gives back a message that a receive was handed and does not use.
    pub(crate) fn give_back(&self, seq: u64, message: T) {
        let waker = self.recv_end_locked(|recv_end| recv_end.give_back(seq, message));
        // Often in a drop, and so perhaps with a panic on its way.
        let mut panics = Panics::default();
        panics.catch(|| wake(waker));
        panics.resume();
    }
}
