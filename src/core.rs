//! The channel itself, after Go's `hchan`: what each operation does, decided in one critical section.
//!
//! Everything here runs under the channel lock and none of it runs user code: a transition returns the waker it
//! detached, and [`shared`](crate::shared) wakes it after unlocking. Whenever the lock is free:
//!
//! 1. Messages in the channel (given back or in the ring) ⇒ no receiver is parked.
//! 2. The channel is open and the ring has room ⇒ no sender is parked.
//! 3. Senders and receivers are never parked at the same time.
//! 4. The ring holds at most `capacity` messages.
//! 5. A closed channel has nobody in `sendq` or `recvq`; an open one has nobody in `closing`.
//! 6. Every linked waiter is alive, pinned, `Parked` and has a waker. A waiter that is not `Parked` is not linked.
//! 7. The given-back messages left the channel before every message of the ring would: in the order of their sequence
//!    numbers and then of the ring, the messages of a channel are in the order in which their sends entered it.

use std::{mem, pin::Pin, ptr::NonNull, task::Waker};

use crate::{
    given_back::GivenBack,
    list::List,
    ring::Ring,
    waiter::{State, Waiter},
    wake::WakeBatch,
};

/// The fields stand in this order so that those that every operation touches share two cache lines, the first of which
/// begins with the lock.
#[repr(C)]
pub(crate) struct Core<T> {
    /// How many messages the ring may hold; `usize::MAX` stands for any number, too.
    capacity: usize,
    ring: Ring<T>,
    /// The sequence number of the next message that leaves.
    next_seq: u64,
    /// Messages that cancelled receives gave back. They take no place.
    given_back: GivenBack<T>,
    closed: bool,
    /// Parked receivers, the oldest first.
    recvq: List<Waiter<T>>,
    /// Parked senders, the oldest first.
    sendq: List<Waiter<T>>,
    /// Those who were parked when the channel was closed and have not been told yet.
    closing: List<Waiter<T>>,
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

impl<T> Core<T> {
    pub(crate) fn new(capacity: Option<usize>) -> Self {
        Self {
            capacity: capacity.unwrap_or(usize::MAX),
            ring: Ring::new(capacity),
            next_seq: 0,
            given_back: GivenBack::new(),
            closed: false,
            recvq: List::new(),
            sendq: List::new(),
            closing: List::new(),
        }
    }

    /// Sends the message that `take` gives if that can be done at once; else `take` is not called.
    #[inline(always)]
    pub(crate) fn send(&mut self, take: impl FnOnce() -> T) -> SendStep {
        if self.closed {
            SendStep::Closed
        } else if let Some(receiver) = self.recvq.pop_front() {
            SendStep::Sent(Some(self.hand_off(receiver, take())))
        } else if self.ring.len() < self.capacity {
            self.ring.push(take());
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
            SendStep::Full => match self.ring.pop() {
                Some(evicted) => {
                    self.ring.push(take());
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
        if !self.given_back.is_empty() {
            return self.recv_given_back();
        }
        match self.ring.pop() {
            Some(message) => {
                let waker = if self.sendq.is_empty() {
                    None
                } else {
                    self.promote()
                };
                let seq = self.number();
                RecvStep::Received(Taken {
                    message,
                    seq,
                    waker,
                })
            }
            None => self.recv_unbuffered(),
        }
    }

    #[cold]
    fn recv_given_back(&mut self) -> RecvStep<T> {
        match self.given_back.pop() {
            Some((seq, message)) => RecvStep::Received(Taken {
                message,
                seq,
                waker: None,
            }),
            None => self.recv_unbuffered(),
        }
    }

    /// Moves the oldest parked sender's message into the place just freed in the ring.
    fn promote(&mut self) -> Option<Waker> {
        let (message, waker) = self.complete_sender()?;
        self.ring.push(message);
        Some(waker)
    }

    /// Takes the message of the oldest parked sender, at capacity 0.
    fn recv_unbuffered(&mut self) -> RecvStep<T> {
        match self.complete_sender() {
            Some((message, waker)) => {
                let seq = self.number();
                RecvStep::Received(Taken {
                    message,
                    seq,
                    waker: Some(waker),
                })
            }
            None if self.closed => RecvStep::Closed,
            None => RecvStep::Empty,
        }
    }

    /// Takes back a message that a receive was given and is not going to use: for the oldest parked receiver, who is
    /// to be woken, or else for the next receive.
    pub(crate) fn give_back(&mut self, seq: u64, message: T) -> Option<Waker> {
        match self.recvq.pop_front() {
            // SAFETY: the receiver was just unlinked under the lock, so it is alive and ours (6).
            Some(receiver) => Some(unsafe { Waiter::fill(receiver, seq, message) }),
            None => {
                self.given_back.insert(seq, message);
                None
            }
        }
    }

    /// Hands a message to a receiver that has just been unlinked.
    fn hand_off(&mut self, receiver: NonNull<Waiter<T>>, message: T) -> Waker {
        let seq = self.number();
        // SAFETY: the receiver was just unlinked under the lock, so it is alive and ours (6).
        unsafe { Waiter::fill(receiver, seq, message) }
    }

    /// Takes the message of the oldest parked sender, if there is one, and completes it.
    fn complete_sender(&mut self) -> Option<(T, Waker)> {
        let sender = self.sendq.pop_front()?;
        // SAFETY: the sender was just unlinked from `sendq` under the lock, so it is alive and ours (6).
        Some(unsafe { Waiter::drain(sender) })
    }

    /// The sequence number of a message that leaves now.
    #[inline]
    fn number(&mut self) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        seq
    }

    /// Parks a waiter at the tail of its side's queue, with the waker, which is taken.
    ///
    /// # Safety
    ///
    /// The caller owns the waiter, which is `Idle`, is of that side, and is not moved or freed while it is `Parked`. The
    /// operation has just been found unable to proceed, in this critical section.
    pub(crate) unsafe fn park(
        &mut self,
        side: Side,
        waiter: Pin<&Waiter<T>>,
        waker: &mut Option<Waker>,
    ) {
        let Some(waker) = waker.take() else { return };
        // SAFETY: an `Idle` waiter is its owner's, has no waker and is in no list (6); it stays where it is by the
        // caller's promise.
        unsafe {
            waiter.put_waker(waker);
            waiter.set_state(State::Parked);
            self.queue(side).push_back(waiter);
        }
    }

    /// Unparks a waiter whose owner no longer waits, and returns its waker, to be dropped after the lock.
    ///
    /// # Safety
    ///
    /// The waiter is `Parked` on that side of this channel.
    pub(crate) unsafe fn unpark(&mut self, side: Side, waiter: Pin<&Waiter<T>>) -> Waker {
        // SAFETY: a `Parked` waiter is in the queue of its side or, in a closed channel, in `closing` (5, 6), and its
        // contents belong to the holder of the lock.
        unsafe {
            self.queue(side).remove(waiter);
            waiter.set_state(State::Idle);
            waiter.take_waker()
        }
    }

    fn queue(&mut self, side: Side) -> &mut List<Waiter<T>> {
        match side {
            _ if self.closed => &mut self.closing,
            Side::Send => &mut self.sendq,
            Side::Recv => &mut self.recvq,
        }
    }

    /// Closes the channel; says whether it was open. All who are parked move to `closing`.
    pub(crate) fn close(&mut self) -> bool {
        if self.closed {
            return false;
        }
        self.closed = true;
        self.closing.append(&mut self.recvq);
        self.closing.append(&mut self.sendq);
        true
    }

    /// Completes as many of those parked at the close as fit into the batch, in the order in which they parked.
    pub(crate) fn complete_closing(&mut self, wakes: &mut WakeBatch) {
        while !wakes.is_full() {
            let Some(waiter) = self.closing.pop_front() else {
                break;
            };
            // SAFETY: the waiter was just unlinked under the lock, so it is alive and ours (6).
            wakes.push(unsafe { Waiter::fail(waiter) });
        }
    }

    /// Takes all messages out, to be dropped after the lock.
    pub(crate) fn take_backlog(&mut self) -> impl Iterator<Item = T> + use<T> {
        let given_back = mem::replace(&mut self.given_back, GivenBack::new());
        let ring = mem::replace(&mut self.ring, Ring::new(None));
        given_back.into_messages().chain(ring.into_messages())
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(crate) fn len(&self) -> usize {
        self.given_back.len() + self.ring.len()
    }

    /// Whether a send would have to wait.
    pub(crate) fn is_full(&self) -> bool {
        self.recvq.is_empty() && self.ring.len() == self.capacity
    }

    pub(crate) fn waiting(&self, side: Side) -> usize {
        match side {
            Side::Send => self.sendq.len(),
            Side::Recv => self.recvq.len(),
        }
    }

    /// Panics if an invariant that can be checked at once does not hold.
    pub(crate) fn assert_invariants(&self) {
        let has_messages = !self.ring.is_empty() || !self.given_back.is_empty();
        let has_room = !self.closed && self.ring.len() < self.capacity;
        assert!(
            !has_messages || self.recvq.is_empty(),
            "1: a receiver is parked beside a message"
        );
        assert!(
            !has_room || self.sendq.is_empty(),
            "2: a sender is parked beside room"
        );
        assert!(
            self.sendq.is_empty() || self.recvq.is_empty(),
            "3: both sides are parked"
        );
        assert!(
            self.ring.len() <= self.capacity,
            "4: more messages than places"
        );
        if self.closed {
            assert!(
                self.sendq.is_empty() && self.recvq.is_empty(),
                "5: parked in a closed channel"
            );
        } else {
            assert!(self.closing.is_empty(), "5: closing in an open channel");
        }
    }
}
