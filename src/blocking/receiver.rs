//! The receiving end, for threads.

#![forbid(unsafe_code)]

use alloc::{borrow::Cow, vec::Vec};
use core::{fmt, time::Duration};
use std::time::Instant;

use super::{WeakReceiver, transparent};
use crate::{
    Drain, IterBlocking, TryIter,
    error::{RecvError, RecvTimeoutError, TryRecvError},
};

/// The receiving end of a channel, for threads: a transparent wrapper of [`hchan::Receiver`](crate::Receiver).
///
/// A method that waits blocks the thread until it is done. Clone it to receive in several places; each message goes to one of
/// them. When the last receiver, blocking or async, is dropped the channel closes, and the messages in it are dropped.
///
/// It is an [`IntoIterator`], owned and by reference.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::blocking::unbounded();
/// (1..=3).for_each(|n| tx.send(n).unwrap());
/// drop(tx);
/// assert_eq!(rx.recv(), Ok(1));
/// let mut rest = vec![];
/// for message in rx {
///     rest.push(message);
/// }
/// assert_eq!(rest, [2, 3]);
/// ```
#[doc(alias("Rx", "MRx"))]
#[repr(transparent)]
pub struct Receiver<T>(crate::Receiver<T>);

impl<T> Receiver<T> {
    pub(super) const fn new(receiver: crate::Receiver<T>) -> Self {
        Self(receiver)
    }

    /// This receiver as one for tasks.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::blocking::bounded(1);
    /// let rx = rx.into_async();
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.recv().await, Ok(1));
    /// # });
    /// ```
    #[doc(alias = "to_async")]
    pub fn into_async(self) -> crate::Receiver<T> {
        self.0
    }

    /// This receiver as one for tasks, by reference: for the methods that only the async handle has.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::blocking::bounded(1);
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.as_async().recv().await, Ok(1));
    /// # });
    /// ```
    #[doc(alias = "clone_async")]
    pub fn as_async(&self) -> &crate::Receiver<T> {
        &self.0
    }

    /// Receives the oldest message; waits for one if there is none.
    ///
    /// # Errors
    ///
    /// [`RecvError`], if the channel is closed and there is nothing in it now.
    ///
    /// # Panics
    ///
    /// If the waker of a parked sender whose message is taken panics; the message stays in the channel then.
    ///
    /// # Blocking
    ///
    /// Blocks the thread while there is no message. In a task it would stall the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded(0);
    /// let sending = std::thread::spawn(move || tx.send("met"));
    /// assert_eq!(rx.recv(), Ok("met"));
    /// sending.join().unwrap().unwrap();
    /// assert_eq!(rx.recv(), Err(hchan::RecvError));
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    #[inline]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.0.recv().wait()
    }

    /// Receives the oldest message; waits for one for no longer than `timeout`, and tries at least once. `Duration::MAX` means
    /// for ever.
    ///
    /// # Errors
    ///
    /// [`RecvTimeoutError`]. With `Timeout` no message has been taken.
    ///
    /// # Panics
    ///
    /// If the waker of a parked sender whose message is taken panics; the message stays in the channel then.
    ///
    /// # Blocking
    ///
    /// Blocks the thread while there is no message. In a task it would stall the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use hchan::RecvTimeoutError;
    /// use std::time::Duration;
    ///
    /// let (tx, rx) = hchan::blocking::bounded(1);
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.recv_timeout(Duration::MAX), Ok(1));
    /// assert_eq!(rx.recv_timeout(Duration::from_millis(1)), Err(RecvTimeoutError::Timeout));
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.0.recv().wait_timeout(timeout)
    }

    /// Receives the oldest message; waits for one until `deadline` at most, and tries at least once.
    ///
    /// # Errors
    ///
    /// [`RecvTimeoutError`]. With `Timeout` no message has been taken.
    ///
    /// # Panics
    ///
    /// If the waker of a parked sender whose message is taken panics; the message stays in the channel then.
    ///
    /// # Blocking
    ///
    /// Blocks the thread while there is no message. In a task it would stall the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use hchan::RecvTimeoutError;
    /// use std::time::{Duration, Instant};
    ///
    /// let (_tx, rx) = hchan::blocking::bounded::<u8>(1);
    /// let soon = Instant::now() + Duration::from_millis(1);
    /// assert_eq!(rx.recv_deadline(soon), Err(RecvTimeoutError::Timeout));
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        self.0.recv().wait_deadline(deadline)
    }

    /// Receives the oldest message if there is one: in the channel or, at capacity 0, with a parked sender.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`]: `Empty`, or `Closed` if the channel is closed and there is nothing in it now.
    ///
    /// # Panics
    ///
    /// If the waker of a parked sender whose message is taken panics; the message stays in the channel then.
    ///
    /// # Examples
    ///
    /// ```
    /// use hchan::TryRecvError;
    ///
    /// let (tx, rx) = hchan::blocking::bounded(1);
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// ```
    #[inline]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.0.try_recv()
    }

    /// An iterator over the messages that blocks the thread for each and ends when the channel is closed and empty.
    ///
    /// # Blocking
    ///
    /// Blocks the thread while there is no message, at each step. In a task it would stall the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded(2);
    /// let sending = std::thread::spawn(move || (0..5).try_for_each(|n| tx.send(n)));
    /// assert_eq!(rx.iter().sum::<i32>(), 10);
    /// sending.join().unwrap().unwrap();
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    pub fn iter(&self) -> IterBlocking<'_, T> {
        self.0.iter_blocking()
    }

    /// An iterator over the messages that can be received at once. It ends when there is none, and may go on later.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::unbounded();
    /// tx.send(1).unwrap();
    /// tx.send(2).unwrap();
    /// assert_eq!(rx.try_iter().collect::<Vec<_>>(), [1, 2]);
    /// ```
    pub fn try_iter(&self) -> TryIter<'_, T> {
        self.0.try_iter()
    }

    /// Receives as many messages as there are, up to `limit`, and appends them to the vector; waits for one if there is none.
    /// Returns how many it received.
    ///
    /// With a `limit` of 0 it is `Ok(0)` at once.
    ///
    /// # Errors
    ///
    /// [`RecvError`], if the channel is closed and there is nothing in it now.
    ///
    /// # Panics
    ///
    /// If the waker of a parked sender whose message is taken panics. The messages are back in the channel then, except one
    /// that had been handed to the waiting thread, which is in the vector.
    ///
    /// # Blocking
    ///
    /// Blocks the thread while there is no message. In a task it would stall the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::unbounded();
    /// tx.send_many(1..=3).unwrap();
    /// drop(tx);
    /// let mut received = Vec::new();
    /// assert_eq!(rx.recv_many(&mut received, 100), Ok(3));
    /// assert_eq!(rx.recv_many(&mut received, 100), Err(hchan::RecvError));
    /// assert_eq!(received, [1, 2, 3]);
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    #[doc(alias = "blocking_recv_many")]
    pub fn recv_many(&self, into: &mut Vec<T>, limit: usize) -> Result<usize, RecvError> {
        self.0.recv_many(into, limit).wait()
    }

    /// Receives the messages that can be received at once, up to `limit`, and appends them to the vector. Returns how many it
    /// received; with a `limit` of 0 it is `Ok(0)`.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`], if there is none: `Empty` or `Closed`.
    ///
    /// # Panics
    ///
    /// If the waker of a parked sender whose message is taken panics; the messages are back in the channel then.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::unbounded();
    /// tx.send_many(1..=3).unwrap();
    /// let mut received = Vec::new();
    /// assert_eq!(rx.try_recv_many(&mut received, 2), Ok(2));
    /// assert_eq!(rx.try_recv_many(&mut received, 2), Ok(1));
    /// assert!(rx.try_recv_many(&mut received, 2).unwrap_err().is_empty());
    /// ```
    pub fn try_recv_many(&self, into: &mut Vec<T>, limit: usize) -> Result<usize, TryRecvError> {
        self.0.try_recv_many(into, limit)
    }

    /// Receives all messages that can be received now, those of parked senders among them.
    ///
    /// # Panics
    ///
    /// If the waker of a parked sender whose message is taken panics; the messages are back in the channel then.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded(8);
    /// tx.send_many(["a", "b"]).unwrap();
    /// assert_eq!(rx.drain().collect::<String>(), "ab");
    /// ```
    pub fn drain(&self) -> Drain<T> {
        self.0.drain()
    }

    /// Closes the channel; returns whether this call closed it.
    ///
    /// From now on every send fails, and a send that is parked returns its message in an error. Messages in the buffer can
    /// still be received.
    ///
    /// # Panics
    ///
    /// If the waker of a parked task panics; the channel is closed and all others are woken nevertheless.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::unbounded();
    /// tx.send("in time").unwrap();
    /// assert!(rx.close());
    /// assert!(!rx.close(), "it was closed already");
    /// assert!(tx.send("too late").is_err());
    /// assert_eq!(rx.recv(), Ok("in time"));
    /// ```
    #[doc(alias = "disconnect")]
    pub fn close(&self) -> bool {
        self.as_async().close()
    }

    /// Whether the channel is closed, messages left in it or not.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded::<u8>(1);
    /// assert!(!rx.is_closed());
    /// drop(tx);
    /// assert!(rx.is_closed());
    /// ```
    #[doc(alias = "is_disconnected")]
    pub fn is_closed(&self) -> bool {
        self.as_async().is_closed()
    }

    /// Blocks the thread until the channel is closed, messages left in it or not.
    ///
    /// # Blocking
    ///
    /// Blocks the thread while the channel is open. In a task it would stall the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded::<u8>(1);
    /// std::thread::spawn(move || drop(tx));
    /// rx.wait_closed();
    /// assert!(rx.is_closed());
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    #[doc(alias = "closed")]
    pub fn wait_closed(&self) {
        self.as_async().closed().wait();
    }

    /// Blocks the thread until the channel is closed and nothing is left in it.
    ///
    /// # Blocking
    ///
    /// Blocks the thread while the channel is open or holds a message. In a task it would stall the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded(1);
    /// tx.send("last words").unwrap();
    /// tx.close();
    /// let rx2 = rx.clone();
    /// let receiving = std::thread::spawn(move || rx2.recv());
    /// rx.wait_drained();
    /// assert_eq!(receiving.join().unwrap(), Ok("last words"));
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    #[doc(alias = "drained")]
    pub fn wait_drained(&self) {
        self.as_async().drained().wait();
    }

    /// How many messages are in the channel, as [`hchan::Receiver::len`](crate::Receiver::len) counts them.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded(2);
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.len(), 1);
    /// # drop(rx);
    /// ```
    pub fn len(&self) -> usize {
        self.as_async().len()
    }

    /// Whether [`len`](Self::len) is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded(2);
    /// assert!(rx.is_empty());
    /// tx.send(1).unwrap();
    /// assert!(!rx.is_empty());
    /// # drop(rx);
    /// ```
    pub fn is_empty(&self) -> bool {
        self.as_async().is_empty()
    }

    /// Whether there is no room for a send, as [`hchan::Receiver::is_full`](crate::Receiver::is_full) says.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded(1);
    /// assert!(!rx.is_full());
    /// tx.send(1).unwrap();
    /// assert!(rx.is_full());
    /// # drop(rx);
    /// ```
    pub fn is_full(&self) -> bool {
        self.as_async().is_full()
    }

    /// How many messages the buffer holds at most; `None` if the channel is unbounded.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = hchan::blocking::bounded::<u8>(5);
    /// assert_eq!(rx.capacity(), Some(5));
    /// ```
    pub fn capacity(&self) -> Option<usize> {
        self.as_async().capacity()
    }

    /// How many sends could go ahead now: none if the channel is closed. `None` if it is unbounded.
    ///
    /// Free places of the buffer count, and so do parked receives (a parked select once an arm); each permit that is out takes
    /// one. Another sender may take the room before this thread or task does: [`try_reserve_many`](crate::Sender::try_reserve_many)
    /// keeps it.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded(3);
    /// assert_eq!(rx.room(), Some(3));
    /// tx.try_send(1).unwrap();
    /// let permit = tx.try_reserve().unwrap();
    /// assert_eq!(rx.room(), Some(1));
    /// # drop(permit);
    /// # drop(rx);
    /// ```
    pub fn room(&self) -> Option<usize> {
        self.as_async().room()
    }

    /// How many permits are out: neither used nor dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded::<u8>(3);
    /// let permit = tx.try_reserve().unwrap();
    /// assert_eq!(rx.permit_count(), 1);
    /// drop(permit);
    /// assert_eq!(rx.permit_count(), 0);
    /// # drop(rx);
    /// ```
    pub fn permit_count(&self) -> usize {
        self.as_async().permit_count()
    }

    /// How many senders the channel has, blocking and async ones, weak ones not counted.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded::<u8>(1);
    /// let _second = tx.clone();
    /// assert_eq!(rx.sender_count(), 2);
    /// ```
    pub fn sender_count(&self) -> usize {
        self.as_async().sender_count()
    }

    /// How many receivers the channel has, blocking and async ones, weak ones not counted.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = hchan::blocking::bounded::<u8>(1);
    /// let _second = rx.clone();
    /// assert_eq!(rx.receiver_count(), 2);
    /// ```
    pub fn receiver_count(&self) -> usize {
        self.as_async().receiver_count()
    }

    /// How many sends and requests for permits are parked, of threads and tasks.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded::<u8>(0);
    /// assert_eq!(rx.waiting_senders(), 0);
    /// # drop(tx);
    /// ```
    pub fn waiting_senders(&self) -> usize {
        self.as_async().waiting_senders()
    }

    /// How many receives are parked, of threads and tasks.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded::<u8>(0);
    /// assert_eq!(rx.waiting_receivers(), 0);
    /// # drop(tx);
    /// ```
    pub fn waiting_receivers(&self) -> usize {
        self.as_async().waiting_receivers()
    }

    /// Whether both are receivers of the same channel.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = hchan::blocking::bounded::<u8>(1);
    /// assert!(rx.same_channel(&rx.clone()));
    /// assert!(!rx.same_channel(&hchan::blocking::bounded(1).1));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        self.as_async().same_channel(other.as_async())
    }

    /// Gives the channel a name, in place of the one that it had: for the reports of `hchan::inspect`.
    ///
    /// Without the feature `inspect`, or if the channel is not tracked, it does nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = hchan::blocking::bounded::<u8>(1);
    /// rx.set_name("jobs");
    /// ```
    pub fn set_name(&self, name: impl Into<Cow<'static, str>>) {
        self.0.set_name(name);
    }

    /// Makes a weak receiver, which does not keep the channel open and upgrades to a blocking one.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = hchan::blocking::bounded::<u8>(1);
    /// let weak = rx.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(rx);
    /// assert!(weak.upgrade().is_none());
    /// ```
    pub fn downgrade(&self) -> WeakReceiver<T> {
        WeakReceiver::new(self.as_async().downgrade())
    }
}

impl<T> crate::Receiver<T> {
    /// This receiver as one for threads, whose methods block instead of returning futures. It costs nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// let (tx, rx) = (tx.into_blocking(), rx.into_blocking());
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.recv(), Ok(1));
    /// ```
    #[doc(alias = "to_sync")]
    pub fn into_blocking(self) -> Receiver<T> {
        Receiver::new(self)
    }

    /// This receiver as one for threads, by reference. It costs nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// tx.as_blocking().send(1).unwrap();
    /// assert_eq!(rx.as_blocking().recv(), Ok(1));
    /// ```
    #[doc(alias = "as_sync")]
    #[doc(alias = "clone_sync")]
    pub fn as_blocking(&self) -> &Receiver<T> {
        transparent::receiver(self)
    }
}

/// Counts one more receiver. Aborts the process beyond `isize::MAX` of them, as `Arc` does.
impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
