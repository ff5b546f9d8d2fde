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
//! "empty" are not: what one end sees of the other's position may be old, and two threads could each find that it came first. So they
//! only send an operation on to where it looks again with both locks held.

use std::{
    pin::Pin,
    ptr::NonNull,
    sync::atomic::{AtomicBool, Ordering},
    task::Waker,
};

use crate::{
    given_back::GivenBack,
    list::List,
    ring::{self, Blocks, Consumer, Position, Producer},
    waiter::{Handle, State, Waiter},
    wake::WakeBatch,
};

/// What the senders' lock guards.
#[repr(C)]
pub(crate) struct SendEnd<T> {
    producer: Producer<T>,
    /// Whether a send has to go the long way (8). Changed with both locks held.
    slow: bool,
}

/// What the receivers' lock guards. With that lock alone messages leave the ring or are given back, waiters leave the
/// queues, and senders park behind others; for all else both locks are held.
///
/// The fields stand in this order so that those that every receive touches are together.
#[repr(C)]
pub(crate) struct RecvEnd<T> {
    consumer: Consumer<T>,
    /// The sequence number of the next message that leaves.
    next_seq: u64,
    /// Messages that cancelled receives gave back. They take no place.
    given_back: GivenBack<T>,
    /// Parked senders, the oldest first.
    sendq: List<Waiter<T>>,
    /// Parked receivers, the oldest first.
    recvq: List<Waiter<T>>,
    /// Those who were parked when the channel was closed and have not been told yet.
    closing: List<Waiter<T>>,
    closed: bool,
}

/// What each end may look at without a lock: the buffer, and both ends' positions in it.
pub(crate) struct Passage<'c, T> {
    pub(crate) head: &'c Position,
    pub(crate) tail: &'c Position,
    pub(crate) blocks: &'c Blocks<T>,
    pub(crate) outlook: &'c Outlook,
}

/// Whether sends and receives would have to wait, as the last one to hold both locks left it: said only where to try first
/// would be in vain, in a small channel and behind other senders.
///
/// A hint: it may be out of date as soon as it is read, so Relaxed is enough, and a model need not see these atomics:
/// whichever way an operation goes, it decides under the locks.
pub(crate) struct Outlook {
    sends_wait: AtomicBool,
    recvs_wait: AtomicBool,
    /// Whether one lock stands for both.
    pub(crate) is_coupled: bool,
}

impl Outlook {
    pub(crate) fn new(is_coupled: bool) -> Self {
        Self {
            sends_wait: AtomicBool::new(false),
            recvs_wait: AtomicBool::new(false),
            is_coupled,
        }
    }

    #[inline]
    pub(crate) fn is_to_wait(&self, side: Side) -> bool {
        match side {
            Side::Send => self.sends_wait.load(Ordering::Relaxed),
            Side::Recv => self.recvs_wait.load(Ordering::Relaxed),
        }
    }
}

/// Both ends, with both locks held.
pub(crate) struct Core<'c, T> {
    recv_end: &'c mut RecvEnd<T>,
    send_end: &'c mut SendEnd<T>,
    passage: Passage<'c, T>,
}

impl<T> SendEnd<T> {
    pub(crate) fn new(producer: Producer<T>) -> Self {
        Self {
            producer,
            slow: false,
        }
    }

    /// Sends the message that `take` gives if nobody waits for one and there is room; else `take` is not called.
    #[inline(always)]
    pub(crate) fn try_push(&mut self, passage: Passage<'_, T>, take: impl FnOnce() -> T) -> bool {
        let Passage {
            head, tail, blocks, ..
        } = passage;
        let is_possible = !self.slow && self.producer.has_room(tail, head, blocks);
        if is_possible {
            self.producer.push(tail, blocks, take());
            debug_assert!(
                ring::len(head, tail) <= blocks.capacity(),
                "4: more messages than places"
            );
        }
        is_possible
    }

    /// After `try_push` was not possible: whether that was for want of room.
    pub(crate) fn is_full(&self) -> bool {
        !self.slow
    }
}

impl<T> RecvEnd<T> {
    pub(crate) fn new(consumer: Consumer<T>) -> Self {
        Self {
            consumer,
            next_seq: 0,
            given_back: GivenBack::new(),
            sendq: List::new(),
            recvq: List::new(),
            closing: List::new(),
            closed: false,
        }
    }

    /// Takes the oldest message, if it is in the ring and no sender waits for its place.
    #[inline(always)]
    pub(crate) fn try_pop(&mut self, passage: Passage<'_, T>) -> Option<Taken<T>> {
        if self.needs_both() {
            return None;
        }
        let Passage {
            head, tail, blocks, ..
        } = passage;
        let message = self.consumer.pop(head, tail, blocks)?;
        debug_assert!(
            self.recvq.is_empty(),
            "1: a receiver is parked beside a message"
        );
        Some(Taken {
            message,
            seq: self.number(),
            waker: None,
        })
    }

    /// After `try_pop` was not possible: what the receive has come to, if that was for want of messages.
    pub(crate) fn step_if_empty(&self) -> Option<RecvStep<T>> {
        let step = || match self.closed {
            true => RecvStep::Closed,
            false => RecvStep::Empty,
        };
        (!self.needs_both()).then(step)
    }

    #[inline(always)]
    fn needs_both(&self) -> bool {
        !self.given_back.is_empty() || !self.sendq.is_empty()
    }

    /// The sequence number of a message that leaves now.
    #[inline]
    fn number(&mut self) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        seq
    }

    /// The queue in which waiters of that side are.
    fn queue(&mut self, side: Side) -> &mut List<Waiter<T>> {
        match side {
            _ if self.closed => &mut self.closing,
            Side::Send => &mut self.sendq,
            Side::Recv => &mut self.recvq,
        }
    }

    /// Takes back a message that a receive was given and is not going to use: for the oldest parked receiver, who is
    /// to be woken, or else for the next receive.
    pub(crate) fn give_back(&mut self, seq: u64, message: T) -> Option<Waker> {
        match dequeue(&mut self.recvq) {
            Some((receiver, waker)) => {
                // SAFETY: just dequeued, so it is alive and ours (6).
                unsafe { Waiter::fill(receiver, seq, message) };
                Some(waker)
            }
            None => {
                self.given_back.insert(seq, message);
                None
            }
        }
    }

    /// Whether a send has to wait for sure: others do, so there is no room (2), and none can come without this lock. (A
    /// receiver that is parked beside them is of a select that is parked at both ends.)
    pub(crate) fn is_send_to_wait(&self) -> bool {
        !self.sendq.is_empty() && self.recvq.is_empty()
    }

    /// Parks a waiter at the tail of its side's queue.
    ///
    /// # Safety
    ///
    /// The caller owns the waiter, which is `Idle`, is of that side, and is not moved or freed while it is `Parked`; nor is
    /// the select, if the handle is one's. The operation has been found unable to proceed, in this critical section;
    /// a receive with both locks held, for (8).
    pub(crate) unsafe fn park(&mut self, side: Side, waiter: Pin<&Waiter<T>>, handle: Handle) {
        // SAFETY: an `Idle` waiter is its owner's, has no handle and is in no list (6); it stays where it is by the
        // caller's promise.
        unsafe {
            waiter.put_handle(handle);
            waiter.set_state(State::Parked);
            self.queue(side).push_back(waiter);
        }
    }

    /// Unparks a waiter whose owner no longer waits, and returns its handle, to be dropped after the lock.
    ///
    /// # Safety
    ///
    /// The waiter is `Parked` on that side of this channel.
    pub(crate) unsafe fn unpark(&mut self, side: Side, waiter: Pin<&Waiter<T>>) -> Handle {
        // SAFETY: a `Parked` waiter is in the queue of its side or, in a closed channel, in `closing` (5, 6), and its
        // contents belong to the holder of the lock.
        unsafe {
            self.queue(side).remove(waiter);
            waiter.set_state(State::Idle);
            waiter.take_handle()
        }
    }

    /// Completes as many of those parked at the close as fit into the batch, in the order in which they parked.
    pub(crate) fn complete_closing(&mut self, wakes: &mut WakeBatch) {
        while !wakes.is_full() {
            let Some((waiter, waker)) = dequeue(&mut self.closing) else {
                break;
            };
            // SAFETY: just dequeued, so it is alive and ours (6).
            unsafe { Waiter::fail(waiter) };
            wakes.push(waker);
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(crate) fn waiting(&self, side: Side) -> usize {
        match side {
            Side::Send => self.sendq.len(),
            Side::Recv => self.recvq.len(),
        }
    }

    /// Frees the buffer, with what is in it leaked.
    ///
    /// # Safety
    ///
    /// The caller has exclusive access to the channel, which is not used again.
    pub(crate) unsafe fn free(&mut self, blocks: &Blocks<T>) {
        // SAFETY: the caller's promise.
        unsafe { self.consumer.free(blocks) };
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

/// How a send ended, for now.
pub(crate) enum SendStep {
    /// The message has been taken; if that completed a parked receive, here is whom to wake.
    Sent(Option<Waker>),
    /// No room.
    Full,
    Closed,
}

/// How a receive ended, for now.
pub(crate) enum RecvStep<T> {
    Received(Taken<T>),
    Empty,
    Closed,
}

/// A message that has left the channel.
pub(crate) struct Taken<T> {
    pub(crate) message: T,
    /// Its place among all that have left: where it belongs if it is given back.
    pub(crate) seq: u64,
    /// The sender that its leaving completed, to be woken.
    pub(crate) waker: Option<Waker>,
}

/// Which queue an operation parks in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    Send,
    Recv,
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

/// Unlinks the oldest waiter that can be committed to, to be completed in this critical section, and says whom to wake
/// then. Only here do selects matter: an arm that cannot be committed to is unlinked on the way, and left to its owner.
#[inline]
fn dequeue<T>(queue: &mut List<Waiter<T>>) -> Option<(NonNull<Waiter<T>>, Waker)> {
    loop {
        let waiter = queue.pop_front()?;
        // SAFETY: just unlinked under the lock, so it is alive and ours (6).
        if let Some(waker) = unsafe { Waiter::claim(waiter) } {
            return Some((waiter, waker));
        }
    }
}
