//! Several messages at once: as many as can go in one critical section.

#![forbid(unsafe_code)]

use alloc::vec::Vec;
use core::mem;

use super::Shared;
use crate::{
    end::Side,
    error::TryRecvError,
    numbers::Numbers,
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
        let most = self.available(limit)?;
        into.reserve(most);
        let kept = into.len();
        // The caller's vector stays out of the critical sections; what it holds is lent to them.
        let mut lent = Lent {
            messages: mem::take(into),
            kept,
            numbers: Numbers::new(),
            shared: self,
            lender: into,
        };
        let end = self.recv_many(&mut lent, kept + most);
        match (lent.keep(), end) {
            (0, Some(end)) => Err(end),
            (count, _) => Ok(count),
        }
    }

    /// About how many messages can be had, up to `limit` and one at least.
    fn available(&self, limit: usize) -> Result<usize, TryRecvError> {
        let ends = &self.ends;
        if let Some(most) = self.recv_end_locked(|recv_end| recv_end.available(ends, limit)) {
            return Ok(most);
        }
        // As in `try_recv`. Decided here, it needs no place in the vector.
        self.locked(|core| {
            let recv_end = core.recv_end();
            recv_end.available(ends, limit).ok_or(recv_end.why_empty())
        })
    }

    /// Receives into a vector that has room for it, until it is `full` or there are no more, and says why not.
    fn recv_many(&self, lent: &mut Lent<'_, T>, full: usize) -> Option<TryRecvError> {
        let Lent {
            messages, numbers, ..
        } = lent;
        if !self.is_coupled() {
            let mut recv_end = self.ends.recv.lock.lock();
            let most = full - messages.len();
            recv_end.try_pop_many(&self.ends, messages, most, numbers);
        }
        let mut end = None;
        let mut panics = Panics::default();
        panics.catch_each(|| {
            if messages.len() == full || end.is_some() {
                return false;
            }
            let mut wakes = WakeBatch::new();
            let most = full - messages.len();
            let taken = self.locked(|core| core.recv_many(messages, most, numbers, &mut wakes));
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

    /// Gives back messages that were received together, with their numbers, and wakes those who get them. All are back before
    /// a receiver can be woken for one of them, unless more are woken than fit into one batch.
    #[cold]
    fn give_back_many(&self, mut messages: impl Iterator<Item = (u64, T)>) {
        let mut panics = Panics::default();
        panics.catch_each(|| {
            let mut wakes = WakeBatch::new();
            self.recv_end_locked(|recv_end| {
                for (seq, message) in messages.by_ref() {
                    let waker = recv_end.give_back(seq, message);
                    waker.into_iter().for_each(|waker| wakes.push(waker));
                    if wakes.is_full() {
                        break;
                    }
                }
            });
            let is_more = wakes.is_full();
            wakes.wake();
            is_more
        });
        panics.resume();
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
        if self.messages.len() > self.kept {
            let received = self.messages.drain(self.kept..);
            self.shared
                .give_back_many(self.numbers.iter().zip(received));
        }
        *self.lender = mem::take(&mut self.messages);
    }
}
