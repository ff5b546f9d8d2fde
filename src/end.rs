//! The two ends of a channel: what the lock of each guards, and what can be done with one of them alone.
//!
//! The numbers in brackets are those of the invariants in [`core`](crate::core).

use core::{
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
    pub(crate) producer: Producer<T>,
    /// Whether a send has to go the long way (8). Changed with both locks held.
    pub(crate) slow: bool,
}

/// What the receivers' lock guards. With that lock alone messages leave the ring or are given back, waiters leave the
/// queues, and senders park behind others; for all else both locks are held.
///
/// The fields stand in this order so that those that every receive touches are together.
#[repr(C)]
pub(crate) struct RecvEnd<T> {
    pub(crate) consumer: Consumer<T>,
    /// The sequence number of the next message that leaves.
    pub(crate) next_seq: u64,
    /// Messages that cancelled receives gave back. They take no place.
    pub(crate) given_back: GivenBack<T>,
    /// Parked senders, the oldest first.
    pub(crate) sendq: List<Waiter<T>>,
    /// Parked receivers, the oldest first.
    pub(crate) recvq: List<Waiter<T>>,
    /// Those who were parked when the channel was closed and have not been told yet.
    pub(crate) closing: List<Waiter<T>>,
    pub(crate) closed: bool,
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
    pub(crate) sends_wait: AtomicBool,
    pub(crate) recvs_wait: AtomicBool,
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

    /// Takes the oldest message, if it is in the ring and no sender waits for its place. It has no number yet.
    #[inline(always)]
    pub(crate) fn try_pop(&mut self, passage: Passage<'_, T>) -> Option<T> {
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
        Some(message)
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
    pub(crate) fn number(&mut self) -> u64 {
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

/// Unlinks the oldest waiter that can be committed to, to be completed in this critical section, and says whom to wake
/// then. Only here do selects matter: an arm that cannot be committed to is unlinked on the way, and left to its owner.
#[inline]
pub(crate) fn dequeue<T>(queue: &mut List<Waiter<T>>) -> Option<(NonNull<Waiter<T>>, Waker)> {
    loop {
        let waiter = queue.pop_front()?;
        // SAFETY: just unlinked under the lock, so it is alive and ours (6).
        if let Some(waker) = unsafe { Waiter::claim(waiter) } {
            return Some((waiter, waker));
        }
    }
}
