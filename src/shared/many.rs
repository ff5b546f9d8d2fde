//! Several messages at once: as many as can go in one critical section.

#![forbid(unsafe_code)]

use alloc::vec::Vec;
use core::mem;

use super::Shared;
use crate::{
    end::{RecvEnd, Side},
    error::TryRecvError,
    step::SendStep,
    wake::{Panics, WakeBatch},
};

impl<T> Shared<T> {
    /// Sends messages, the last first, while there is room, and wakes those who get them. `Sent`: none is left.
    pub(crate) fn send_many(&self, messages: &mut Vec<T>) -> SendStep {
        if !self.is_coupled() && !self.is_to_wait(Side::Send) {
            let mut send_end = self.ends.send.lock.lock();
            send_end.try_push_many(&self.ends, messages);
        }
        while !messages.is_empty() {
            let mut wakes = WakeBatch::new();
            let step = self.locked(|core| core.send_many(messages, &mut wakes));
            wakes.wake();
            if !matches!(step, SendStep::Sent(_)) {
                return step;
            }
        }
        SendStep::Sent(None)
    }

    /// Receives what can be had at once, up to `limit` messages, and wakes those who can go ahead by that; returns how many.
    /// If a wake panics, all go back.
    pub(crate) fn try_recv_many(
        &self,
        into: &mut Vec<T>,
        limit: usize,
    ) -> Result<usize, TryRecvError> {
        let (most, first_seq) = self.begin_recv_many(limit)?;
        into.reserve(most);
        let kept = into.len();
        // The caller's vector stays out of the critical sections; what it holds is lent to them.
        let mut lent = Lent {
            messages: mem::take(into),
            kept,
            first_seq,
            shared: self,
            lender: into,
        };
        let end = self.recv_many(&mut lent.messages, kept + most);
        match (lent.keep(), end) {
            (0, Some(end)) => Err(end),
            (count, _) => Ok(count),
        }
    }

    /// How many messages can be had, up to `limit` and one at least, and the sequence number of the first.
    fn begin_recv_many(&self, limit: usize) -> Result<(usize, u64), TryRecvError> {
        let ends = &self.ends;
        let begin = |recv_end: &mut RecvEnd<T>| recv_end.begin_many(ends, limit);
        if let Some(begun) = self.recv_end_locked(begin) {
            return Ok(begun);
        }
        // As in `try_recv`. Decided here, it needs no place in the vector.
        self.locked(|core| begin(core.recv_end()).ok_or(core.recv_end().why_empty()))
    }

    /// Receives into a vector that has room for it, until it is `full` or there are no more, and says why not.
    fn recv_many(&self, into: &mut Vec<T>, full: usize) -> Option<TryRecvError> {
        if !self.is_coupled() {
            let mut recv_end = self.ends.recv.lock.lock();
            recv_end.try_pop_many(&self.ends, into, full - into.len());
        }
        let mut end = None;
        let mut panics = Panics::default();
        panics.catch_each(|| {
            if into.len() == full || end.is_some() {
                return false;
            }
            let mut wakes = WakeBatch::new();
            let most = full - into.len();
            let taken = self.locked(|core| core.recv_many(into, most, &mut wakes));
            end = taken.end;
            // One or the other: no sender is parked in a closed channel.
            wakes.wake();
            if taken.has_drained {
                self.complete_closing();
            }
            true
        });
        panics.resume();
        end
    }
}

/// A vector's contents, which go back when this is dropped, and what is received behind them, which goes back to the channel
/// then unless it is kept.
struct Lent<'a, T> {
    messages: Vec<T>,
    /// How many of them are the vector's.
    kept: usize,
    first_seq: u64,
    shared: &'a Shared<T>,
    lender: &'a mut Vec<T>,
}

impl<T> Lent<'_, T> {
    /// Makes all the vector's; returns how many more those are.
    fn keep(&mut self) -> usize {
        let before = mem::replace(&mut self.kept, self.messages.len());
        self.kept - before
    }
}

impl<T> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        let received = self.messages.drain(self.kept..);
        for (seq, message) in (self.first_seq..).zip(received) {
            self.shared.give_back(seq, message);
        }
        *self.lender = mem::take(&mut self.messages);
    }
}
