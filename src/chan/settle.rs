//! A received message that is not the receiver's yet: user code is to run before, and if that panics the message goes back.

use core::task::Waker;

use super::{Chan, Received};
use crate::{
    slot::RawSlot,
    wake::{self, Panics},
};

/// Dropped, it gives the message back.
struct ReturnOnDrop<'a> {
    chan: &'a Chan,
    seq: u64,
    message: RawSlot,
}

impl Drop for ReturnOnDrop<'_> {
    fn drop(&mut self) {
        // SAFETY: whoever made this gave its slot and the message in it.
        unsafe { self.chan.give_back(self.seq, self.message) };
    }
}

impl Chan {
    /// Wakes the sender that a receive completed, completes the waits for the last message if this was it, and drops a
    /// waker that the receive did not need; if any of that panics, the message goes back.
    ///
    /// # Safety
    ///
    /// The message that was received is in the slot.
    #[inline(always)]
    pub(crate) unsafe fn settle(
        &self,
        received: Received,
        message: RawSlot,
        unused: Option<Waker>,
    ) {
        if received.has_drained || unused.is_some() {
            // SAFETY: the caller's promise.
            unsafe { self.settle_slow(received, message, unused) };
        } else if let Some(wake) = received.wake {
            let guard = ReturnOnDrop {
                chan: self,
                seq: received.seq,
                message,
            };
            wake.run();
            core::mem::forget(guard);
        }
    }

    #[inline(never)]
    unsafe fn settle_slow(&self, received: Received, message: RawSlot, unused: Option<Waker>) {
        let guard = ReturnOnDrop {
            chan: self,
            seq: received.seq,
            message,
        };
        if received.has_drained {
            let mut panics = Panics::default();
            panics.catch(|| self.complete_closing());
            // There is nobody else to wake: no sender is parked in a closed channel.
            panics.catch(|| wake::run_and_drop(received.wake, unused));
            panics.resume();
        } else {
            wake::run_and_drop(received.wake, unused);
        }
        core::mem::forget(guard);
    }

    /// Gives back a message that a receive was handed and does not use.
    ///
    /// # Safety
    ///
    /// A message with this number is in `from`; it is empty then.
    pub(crate) unsafe fn give_back(&self, seq: u64, from: RawSlot) {
        // SAFETY: the caller's promise.
        let wake =
            self.recv_side_locked(|recv| unsafe { recv.take_back(self.message(), seq, from) });
        // Often in a drop, and so perhaps with a panic on its way.
        let mut panics = Panics::default();
        panics.catch(|| wake::run(wake));
        panics.resume();
    }
}
