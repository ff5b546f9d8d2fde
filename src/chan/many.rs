//! Several messages at once: as many as can go in one critical section.

use super::{Chan, SendOutcome};
use crate::{
    error::TryRecvError,
    slot::RawSlot,
    wake::{Panics, WakeBatch},
};

/// Messages to send, one after the other, without their type. No method panics.
pub(super) trait Outgoing {
    fn is_empty(&self) -> bool;
    /// The slot with the next message; there is one.
    fn load(&mut self) -> RawSlot;
    /// The message has left its slot.
    fn note_sent(&mut self);
}

/// Where messages are received to, one after the other, without their type. No method panics.
pub(super) trait Incoming {
    /// The slot for the next message, which is empty.
    fn place(&mut self) -> RawSlot;
    /// The message with this number is in its slot.
    fn note_received(&mut self, seq: u64);
}

/// How a receive of many ended, for now.
pub(super) struct TakenMany {
    pub(super) count: usize,
    /// Why there are no more.
    pub(super) end: Option<TryRecvError>,
    /// Whether the waits for the last message are to be completed.
    pub(super) has_drained: bool,
}

impl Chan {
    /// Sends messages while there is room, and wakes the receivers that get them. `Sent`: none is left.
    ///
    /// # Safety
    ///
    /// The messages are of the channel's type (10), and in the slots that `load` gives.
    pub(super) unsafe fn send_many(&self, messages: &mut dyn Outgoing) -> SendOutcome {
        while !messages.is_empty() {
            let mut wakes = WakeBatch::new();
            // SAFETY: the caller's promise.
            let outcome = self.locked(|chan| unsafe { chan.send_many(messages, &mut wakes) });
            wakes.run();
            if !matches!(outcome, SendOutcome::Sent(_)) {
                return outcome;
            }
        }
        SendOutcome::Sent(None)
    }

    /// About how many messages can be had, up to `limit` and one at least.
    pub(super) fn available(&self, limit: usize) -> Result<usize, TryRecvError> {
        let sides = &self.sides;
        if let Some(most) = self.recv_side_locked(|recv| recv.available(sides, limit)) {
            return Ok(most);
        }
        // As in `recv_slow`. Decided here, it needs no place in the vector.
        self.locked(|chan| {
            let recv = chan.recv_side();
            recv.available(sides, limit).ok_or(recv.why_empty())
        })
    }

    /// Receives up to `left` messages, and says why no more.
    ///
    /// # Safety
    ///
    /// No message is in the place that `incoming` gives.
    pub(super) unsafe fn recv_many(
        &self,
        mut left: usize,
        incoming: &mut dyn Incoming,
    ) -> Option<TryRecvError> {
        let mut end = None;
        let mut panics = Panics::default();
        panics.catch_each(|| {
            if left == 0 || end.is_some() {
                return false;
            }
            let mut wakes = WakeBatch::new();
            let taken =
                // SAFETY: the caller's promise.
                self.locked(|chan| unsafe { chan.recv_many(left, incoming, &mut wakes) });
            left -= taken.count;
            end = taken.end;
            // One or the other: no sender is parked in a closed channel.
            wakes.run();
            if taken.has_drained {
                self.complete_closing();
            }
            true
        });
        panics.resume();
        end
    }

    /// Gives back messages that were received together, with their numbers, and wakes the receivers that get them. All are back before
    /// a receiver can be woken for one of them, unless more are woken than fit into one batch.
    ///
    /// # Safety
    ///
    /// `next` gives messages of the channel's type (10) in slots that are the caller's, and does not panic.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn give_back_many(&self, next: &mut dyn FnMut() -> Option<(u64, RawSlot)>) {
        let message = self.message();
        let mut panics = Panics::default();
        panics.catch_each(|| {
            let mut wakes = WakeBatch::new();
            self.recv_side_locked(|recv| {
                while let Some((seq, from)) = next() {
                    // SAFETY: the caller's promise.
                    let wake = unsafe { recv.take_back(message, seq, from) };
                    wake.into_iter().for_each(|wake| wakes.push(wake));
                    if wakes.is_full() {
                        break;
                    }
                }
            });
            let is_more = wakes.is_full();
            wakes.run();
            is_more
        });
        panics.resume();
    }
}
