//! The channel itself, after Go's `hchan`: what each operation does, decided in one critical section.
//!
//! A channel has two ends, each behind a lock of its own, so that senders and receivers meet as rarely as they can. A send
//! into the buffer needs the senders' end alone ([`SendEnd::try_push`]), a receive from it the receivers' end alone
//! ([`RecvEnd::try_pop`]). Everything else needs both, locked in this order: the receivers' end, then the senders' end.
//! It is written in terms of [`Core`], which stands for both locks held; only to leave a queue, to queue up behind other
//! senders, or to give a message back, the receivers' lock is enough, which guards the queues.
//!
//! Everything here runs under a lock and none of it runs user code: a transition returns the waker it detached, and
//! [`shared`](crate::shared) wakes it after unlocking. Whenever both locks are free (debug builds check before they unlock):
//!
//! 1. Messages in the channel (given back or in the ring) ⇒ no receiver is parked.
//! 2. The channel is open and the ring has room ⇒ no sender is parked.
//! 3. Senders and receivers are never parked at the same time, but for the arms of one select, which never pairs with itself.
//! 4. The ring holds at most `capacity` messages.
//! 5. A closed channel has nobody in `sendq` or `recvq`; an open one has nobody in `closing`.
//! 6. Every linked waiter is alive, pinned, `Parked` and has a handle. A waiter that is not `Parked` is not linked.
//! 7. The given-back messages left the channel before every message of the ring would: in the order of their sequence
//!    numbers and then of the ring, the messages of a channel are in the order in which their sends entered it.
//! 8. If the channel is closed or a receiver is parked, `SendEnd::slow` says so. (It may say so in vain.)
//!
//! The ways with one lock keep them: `try_push` acts only while no receiver is parked, by (8), and `try_pop` only while no
//! sender is; and who parks has looked at the ring with both locks held, or found others parked before it, so no message and
//! no room can have come unseen. That a receiver is parked and that the channel is closed is exact at either end. "Full" and
//! "empty" are not: what one end sees of the other's position may be old, and two threads could each find that it came
//! first. So they only send an operation on to where it looks again with both locks held.

use core::{sync::atomic::Ordering, task::Waker};

use crate::{
    end::{Passage, RecvEnd, RecvStep, SendEnd, SendStep, Taken, dequeue},
    list::List,
    ring,
    waiter::Waiter,
};

/// Both ends, with both locks held.
pub(crate) struct Core<'c, T> {
    recv_end: &'c mut RecvEnd<T>,
    send_end: &'c mut SendEnd<T>,
    passage: Passage<'c, T>,
}

impl<'c, T> Core<'c, T> {
    /// With the locks of both ends held, until it is dropped.
    #[inline(always)]
    pub(crate) fn new(
        recv_end: &'c mut RecvEnd<T>,
        send_end: &'c mut SendEnd<T>,
        passage: Passage<'c, T>,
    ) -> Self {
        Self {
            recv_end,
            send_end,
            passage,
        }
    }

    /// Sends the message that `take` gives if that can be done at once; else `take` is not called.
    #[inline(always)]
    pub(crate) fn send(&mut self, take: impl FnOnce() -> T) -> SendStep {
        if self.recv_end.closed {
            SendStep::Closed
        } else if let Some((receiver, waker)) = dequeue(&mut self.recv_end.recvq) {
            let seq = self.recv_end.number();
            // SAFETY: just dequeued, so it is alive and ours (6).
            unsafe { Waiter::fill(receiver, seq, take()) };
            SendStep::Sent(Some(waker))
        } else if self.has_room() {
            self.push(take());
            SendStep::Sent(None)
        } else {
            SendStep::Full
        }
    }

    /// As `send`, but makes room by taking the oldest message out of a full ring, ahead of parked senders.
    ///
    /// A message that was given back is not evicted: it takes no place, so it would not make room.
    pub(crate) fn force_send(&mut self, mut take: impl FnMut() -> T) -> (SendStep, Option<T>) {
        match self.send(&mut take) {
            SendStep::Full => match self.pop() {
                Some(evicted) => {
                    self.push(take());
                    (SendStep::Sent(None), Some(evicted))
                }
                None => (SendStep::Full, None),
            },
            done => (done, None),
        }
    }

    /// Takes the oldest message; its place, if it had one, goes to the oldest parked sender's.
    #[inline(always)]
    pub(crate) fn recv(&mut self) -> RecvStep<T> {
        if !self.recv_end.given_back.is_empty() {
            return self.recv_given_back();
        }
        let (message, waker) = match self.pop() {
            Some(message) => (message, self.promote()),
            None => match self.complete_sender() {
                Some((message, waker)) => (message, Some(waker)),
                None if self.recv_end.closed => return RecvStep::Closed,
                None => return RecvStep::Empty,
            },
        };
        let seq = self.recv_end.number();
        RecvStep::Received(Taken {
            message,
            seq,
            waker,
        })
    }

    #[cold]
    fn recv_given_back(&mut self) -> RecvStep<T> {
        match self.recv_end.given_back.pop() {
            Some((seq, message)) => RecvStep::Received(Taken {
                message,
                seq,
                waker: None,
            }),
            None => RecvStep::Empty,
        }
    }

    /// Moves the oldest parked sender's message into the place just freed in the ring.
    #[inline]
    fn promote(&mut self) -> Option<Waker> {
        let (message, waker) = self.complete_sender()?;
        self.push(message);
        Some(waker)
    }

    /// Takes the message of the oldest parked sender, if there is one, and completes it.
    #[inline]
    fn complete_sender(&mut self) -> Option<(T, Waker)> {
        let (sender, waker) = dequeue(&mut self.recv_end.sendq)?;
        // SAFETY: just dequeued from `sendq`, so it is alive and ours (6).
        Some((unsafe { Waiter::drain(sender) }, waker))
    }

    #[inline]
    fn has_room(&mut self) -> bool {
        let Passage {
            head, tail, blocks, ..
        } = self.passage;
        self.send_end.producer.has_room(tail, head, blocks)
    }

    #[inline]
    fn push(&mut self, message: T) {
        self.send_end
            .producer
            .push(self.passage.tail, self.passage.blocks, message);
    }

    #[inline]
    fn pop(&mut self) -> Option<T> {
        let Passage {
            head, tail, blocks, ..
        } = self.passage;
        self.recv_end.consumer.pop(head, tail, blocks)
    }

    pub(crate) fn recv_end(&mut self) -> &mut RecvEnd<T> {
        self.recv_end
    }

    /// Closes the channel; says whether it was open. All who are parked move to `closing`.
    pub(crate) fn close(&mut self) -> bool {
        let RecvEnd {
            closed,
            closing,
            recvq,
            sendq,
            ..
        } = &mut *self.recv_end;
        let was_open = !*closed;
        if was_open {
            *closed = true;
            closing.append(recvq);
            closing.append(sendq);
        }
        was_open
    }

    pub(crate) fn len(&self) -> usize {
        self.recv_end.given_back.len() + self.ring_len()
    }

    fn ring_len(&self) -> usize {
        ring::len(self.passage.head, self.passage.tail)
    }

    /// Whether a send would have to wait.
    pub(crate) fn is_full(&self) -> bool {
        self.recv_end.recvq.is_empty() && self.ring_len() == self.passage.blocks.capacity()
    }

    /// Panics if an invariant that can be checked at once does not hold.
    fn assert_invariants(&self) {
        let RecvEnd {
            given_back,
            sendq,
            recvq,
            closing,
            closed,
            ..
        } = &*self.recv_end;
        let (len, capacity) = (self.ring_len(), self.passage.blocks.capacity());
        let has_messages = len > 0 || !given_back.is_empty();
        let has_room = !closed && len < capacity;
        assert!(
            !has_messages || recvq.is_empty(),
            "1: a receiver is parked beside a message"
        );
        assert!(
            !has_room || sendq.is_empty(),
            "2: a sender is parked beside room"
        );
        assert!(
            sendq.is_empty() || recvq.is_empty() || are_of_one_select(sendq, recvq),
            "3: both sides are parked"
        );
        assert!(len <= capacity, "4: more messages than places");
        if *closed {
            assert!(
                sendq.is_empty() && recvq.is_empty(),
                "5: parked in a closed channel"
            );
        } else {
            assert!(closing.is_empty(), "5: closing in an open channel");
        }
    }
}

impl<T> Drop for Core<'_, T> {
    /// Brings up to date what can be seen with one lock (8) or none.
    #[inline(always)]
    fn drop(&mut self) {
        let RecvEnd {
            closed,
            recvq,
            sendq,
            given_back,
            ..
        } = &*self.recv_end;
        let is_slow = *closed || !recvq.is_empty();
        self.send_end.slow = is_slow;
        let len = self.ring_len();
        let Passage {
            blocks, outlook, ..
        } = self.passage;
        let is_coupled = outlook.is_coupled;
        let is_full = !sendq.is_empty() || is_coupled && len == blocks.capacity();
        let sends_wait = !is_slow && is_full;
        outlook.sends_wait.store(sends_wait, Ordering::Relaxed);
        let recvs_wait =
            is_coupled && !*closed && len == 0 && sendq.is_empty() && given_back.is_empty();
        outlook.recvs_wait.store(recvs_wait, Ordering::Relaxed);
        if cfg!(any(debug_assertions, hchan_loom)) {
            self.assert_invariants();
        }
    }
}

/// Whether those parked first and last on both sides are arms of one select.
fn are_of_one_select<T>(sendq: &List<Waiter<T>>, recvq: &List<Waiter<T>>) -> bool {
    // SAFETY: the caller has borrowed the queues from the core, so it holds the lock, and who is in them is linked.
    let ends = [sendq.ends(), recvq.ends()].map(|ends| ends.map(|end| unsafe { end?.select() }));
    ends[0][0].is_some()
        && ends
            .into_iter()
            .flatten()
            .all(|select| select == ends[0][0])
}
