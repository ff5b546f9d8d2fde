//! The sending end, for threads.

#![forbid(unsafe_code)]

use alloc::borrow::Cow;
use core::{fmt, time::Duration};
use std::time::Instant;

use super::{WeakSender, transparent};
use crate::{
    Permit, Permits,
    error::{SendError, SendManyError, SendTimeoutError, TrySendError},
};

/// The sending end of a channel, for threads: a transparent wrapper of [`hchan::Sender`](crate::Sender).
///
/// A method that waits blocks the thread until it is done. Clone it to send from several places. The channel closes when the
/// last sender, blocking or async, is dropped, or when either end calls `close`.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::blocking::bounded(2);
/// let tx2 = tx.clone();
/// std::thread::spawn(move || tx2.send("from a thread"));
/// tx.send("from here").unwrap();
/// drop(tx);
///
/// let mut received: Vec<_> = rx.iter().collect();
/// received.sort();
/// assert_eq!(received, ["from a thread", "from here"]);
/// ```
#[doc(alias = "SyncSender")]
#[doc(alias("Tx", "MTx"))]
#[repr(transparent)]
pub struct Sender<T>(crate::Sender<T>);

impl<T> Sender<T> {
    pub(super) const fn new(sender: crate::Sender<T>) -> Self {
        Self(sender)
    }

    /// This sender as one for tasks.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::blocking::bounded(1);
    /// let tx = tx.into_async();
    /// tx.send(1).await.unwrap();
    /// assert_eq!(rx.recv(), Ok(1));
    /// # });
    /// ```
    #[doc(alias = "to_async")]
    pub fn into_async(self) -> crate::Sender<T> {
        self.0
    }

    /// This sender as one for tasks, by reference: for the methods that only the async handle has.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::blocking::bounded(1);
    /// tx.as_async().send(1).await.unwrap();
    /// assert_eq!(rx.recv(), Ok(1));
    /// # });
    /// ```
    #[doc(alias = "clone_async")]
    pub fn as_async(&self) -> &crate::Sender<T> {
        &self.0
    }

    /// Sends a message; waits for room if there is none.
    ///
    /// The message goes to the receiver that has been parked longest, else into the buffer, else the thread waits behind those
    /// that came before. At capacity 0 it returns only when a receiver has the message.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the message, if the channel is closed, or closes while the thread waits.
    ///
    /// # Panics
    ///
    /// If the waker of the receiver that gets the message panics; the message is sent then.
    ///
    /// # Blocking
    ///
    /// Blocks the thread while there is no room. In a task it would stall the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded(0);
    /// let receiving = std::thread::spawn(move || rx.recv());
    /// tx.send("met").unwrap();
    /// assert_eq!(receiving.join().unwrap(), Ok("met"));
    /// assert_eq!(tx.send("late"), Err(hchan::SendError("late")));
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    #[inline]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.0.send(message).wait()
    }

    /// Sends a message; waits for room for no longer than `timeout`, and tries at least once. `Duration::MAX` means for ever.
    ///
    /// # Errors
    ///
    /// [`SendTimeoutError`], with the message. With `Timeout` it has not been sent and will not be.
    ///
    /// # Panics
    ///
    /// If the waker of the receiver that gets the message panics; the message is sent then.
    ///
    /// # Blocking
    ///
    /// Blocks the thread while there is no room. In a task it would stall the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use hchan::SendTimeoutError;
    /// use std::time::Duration;
    ///
    /// let (tx, _rx) = hchan::blocking::bounded(1);
    /// assert_eq!(tx.send_timeout(1, Duration::ZERO), Ok(()));
    /// assert_eq!(tx.send_timeout(2, Duration::from_millis(1)), Err(SendTimeoutError::Timeout(2)));
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    pub fn send_timeout(&self, message: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        self.0.send(message).wait_timeout(timeout)
    }

    /// Sends a message; waits for room until `deadline` at most, and tries at least once.
    ///
    /// # Errors
    ///
    /// [`SendTimeoutError`], with the message. With `Timeout` it has not been sent and will not be.
    ///
    /// # Panics
    ///
    /// If the waker of the receiver that gets the message panics; the message is sent then.
    ///
    /// # Blocking
    ///
    /// Blocks the thread while there is no room. In a task it would stall the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use hchan::SendTimeoutError;
    /// use std::time::{Duration, Instant};
    ///
    /// let (tx, _rx) = hchan::blocking::bounded(0);
    /// let soon = Instant::now() + Duration::from_millis(1);
    /// assert_eq!(tx.send_deadline(1, soon), Err(SendTimeoutError::Timeout(1)));
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    pub fn send_deadline(&self, message: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
        self.0.send(message).wait_deadline(deadline)
    }

    /// Sends a message if that can be done at once: if a receiver is parked or the buffer has room.
    ///
    /// # Errors
    ///
    /// [`TrySendError`], with the message: `Full` or `Closed`.
    ///
    /// # Panics
    ///
    /// If the waker of the receiver that gets the message panics; the message is sent then.
    ///
    /// # Examples
    ///
    /// ```
    /// use hchan::TrySendError;
    ///
    /// let (tx, _rx) = hchan::blocking::bounded(1);
    /// assert_eq!(tx.try_send(1), Ok(()));
    /// assert_eq!(tx.try_send(2), Err(TrySendError::Full(2)));
    /// ```
    #[inline]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        self.0.try_send(message)
    }

    /// Sends a message at once. If the buffer is full the oldest message is evicted from it and returned.
    ///
    /// # Errors
    ///
    /// [`TrySendError`], with the message: `Closed`, or `Full` when there is nothing to evict; see
    /// [`hchan::Sender::force_send`](crate::Sender::force_send).
    ///
    /// # Panics
    ///
    /// If the waker of the receiver that gets the message panics; the message is sent then.
    ///
    /// # Examples
    ///
    /// ```
    /// let (latest, rx) = hchan::blocking::bounded(1);
    /// assert_eq!(latest.force_send("old"), Ok(None));
    /// assert_eq!(latest.force_send("new"), Ok(Some("old")));
    /// assert_eq!(rx.recv(), Ok("new"));
    /// ```
    pub fn force_send(&self, message: T) -> Result<Option<T>, TrySendError<T>> {
        self.0.force_send(message)
    }

    /// Sends all messages of an iterator, in order; waits for room as often as there is none. Returns how many there were.
    ///
    /// # Errors
    ///
    /// [`SendManyError`], if the channel is closed, or closes meanwhile: it says how many were sent, and has the others.
    ///
    /// # Panics
    ///
    /// If the iterator does, or the waker of a receiver that gets a message; what has been taken from the iterator and not
    /// been sent is dropped then.
    ///
    /// # Blocking
    ///
    /// Blocks the thread while there is no room. In a task it would stall the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded(1);
    /// let receiving = std::thread::spawn(move || rx.iter().sum::<u32>());
    /// assert_eq!(tx.send_many(1..=100).unwrap(), 100);
    /// drop(tx);
    /// assert_eq!(receiving.join().unwrap(), 5050);
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    pub fn send_many<I: IntoIterator<Item = T>>(
        &self,
        messages: I,
    ) -> Result<usize, SendManyError<I::IntoIter>> {
        self.0.send_many(messages).wait()
    }

    /// Sends the messages of an iterator, in order, for as long as there is room. Returns how many there were if all were sent.
    ///
    /// # Errors
    ///
    /// [`TrySendError`], `Full` or `Closed`, with a [`SendManyError`]: it says how many were sent, and has the others.
    ///
    /// # Panics
    ///
    /// If the iterator does, or the waker of a receiver that gets a message; what has been taken from the iterator and not
    /// been sent is dropped then.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::blocking::bounded(3);
    /// let unsent = tx.try_send_many(1..=5).unwrap_err().into_inner();
    /// assert_eq!(unsent.sent, 3);
    /// assert_eq!(unsent.rest.collect::<Vec<_>>(), [4, 5]);
    /// ```
    pub fn try_send_many<I: IntoIterator<Item = T>>(
        &self,
        messages: I,
    ) -> Result<usize, TrySendError<SendManyError<I::IntoIter>>> {
        self.0.try_send_many(messages)
    }

    /// Waits for room, and returns the right to send one message into it.
    ///
    /// An [`OwnedPermit`](crate::OwnedPermit) made of it gives back an async sender.
    ///
    /// # Errors
    ///
    /// [`SendError`], if the channel is closed, or closes while the thread waits.
    ///
    /// # Blocking
    ///
    /// Blocks the thread while there is no room. In a task it would stall the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded(1);
    /// let permit = tx.reserve().unwrap();
    /// assert!(tx.try_send("no room").is_err());
    /// permit.send("made just now").unwrap();
    /// assert_eq!(rx.recv(), Ok("made just now"));
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    pub fn reserve(&self) -> Result<Permit<'_, T>, SendError<()>> {
        self.0.reserve().wait()
    }

    /// The right to send one message, if there is room now.
    ///
    /// # Errors
    ///
    /// [`TrySendError`]: `Full` or `Closed`.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::blocking::bounded::<u8>(1);
    /// let permit = tx.try_reserve().unwrap();
    /// assert!(tx.try_reserve().unwrap_err().is_full());
    /// drop(permit);
    /// assert!(tx.try_reserve().is_ok());
    /// ```
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        self.0.try_reserve()
    }

    /// Waits for room, and returns the rights to send up to `limit` messages into it: as many as there is room for.
    ///
    /// With a `limit` of 0 it is `Ok` at once.
    ///
    /// # Errors
    ///
    /// [`SendError`], if the channel is closed, or closes while the thread waits.
    ///
    /// # Blocking
    ///
    /// Blocks the thread while there is no room. In a task it would stall the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded(2);
    /// for (permit, message) in tx.reserve_many(3).unwrap().zip(["a", "b", "c"]) {
    ///     permit.send(message).unwrap();
    /// }
    /// assert_eq!(rx.drain().collect::<String>(), "ab");
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    pub fn reserve_many(&self, limit: usize) -> Result<Permits<'_, T>, SendError<()>> {
        self.0.reserve_many(limit).wait()
    }

    /// The rights to send up to `limit` messages: as many as there is room for now. With a `limit` of 0 it is `Ok`.
    ///
    /// # Errors
    ///
    /// [`TrySendError`], if there is room for none: `Full` or `Closed`.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::blocking::bounded::<u8>(3);
    /// let permits = tx.try_reserve_many(5).unwrap();
    /// assert_eq!(permits.len(), 3);
    /// assert!(tx.try_reserve_many(2).unwrap_err().is_full());
    /// ```
    pub fn try_reserve_many(&self, limit: usize) -> Result<Permits<'_, T>, TrySendError<()>> {
        self.0.try_reserve_many(limit)
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
    /// assert!(tx.close());
    /// assert!(!tx.close(), "it was closed already");
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
    /// assert!(!tx.is_closed());
    /// drop(rx);
    /// assert!(tx.is_closed());
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
    /// std::thread::spawn(move || drop(rx));
    /// tx.wait_closed();
    /// assert!(tx.is_closed());
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
    /// let receiving = std::thread::spawn(move || rx.recv());
    /// tx.wait_drained();
    /// assert_eq!(receiving.join().unwrap(), Ok("last words"));
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    #[doc(alias = "drained")]
    pub fn wait_drained(&self) {
        self.as_async().drained().wait();
    }

    /// How many messages are in the channel, as [`hchan::Sender::len`](crate::Sender::len) counts them.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded(2);
    /// tx.send(1).unwrap();
    /// assert_eq!(tx.len(), 1);
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
    /// assert!(tx.is_empty());
    /// tx.send(1).unwrap();
    /// assert!(!tx.is_empty());
    /// # drop(rx);
    /// ```
    pub fn is_empty(&self) -> bool {
        self.as_async().is_empty()
    }

    /// Whether there is no room for a send, as [`hchan::Sender::is_full`](crate::Sender::is_full) says.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded(1);
    /// assert!(!tx.is_full());
    /// tx.send(1).unwrap();
    /// assert!(tx.is_full());
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
    /// let (tx, _rx) = hchan::blocking::bounded::<u8>(5);
    /// assert_eq!(tx.capacity(), Some(5));
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
    /// assert_eq!(tx.room(), Some(3));
    /// tx.try_send(1).unwrap();
    /// let permit = tx.try_reserve().unwrap();
    /// assert_eq!(tx.room(), Some(1));
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
    /// assert_eq!(tx.permit_count(), 1);
    /// drop(permit);
    /// assert_eq!(tx.permit_count(), 0);
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
    /// let (tx, _rx) = hchan::blocking::bounded::<u8>(1);
    /// let _second = tx.clone();
    /// assert_eq!(tx.sender_count(), 2);
    /// ```
    pub fn sender_count(&self) -> usize {
        self.as_async().sender_count()
    }

    /// How many receivers the channel has, blocking and async ones, weak ones not counted.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded::<u8>(1);
    /// let _second = rx.clone();
    /// assert_eq!(tx.receiver_count(), 2);
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
    /// assert_eq!(tx.waiting_senders(), 0);
    /// # drop(rx);
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
    /// assert_eq!(tx.waiting_receivers(), 0);
    /// # drop(rx);
    /// ```
    pub fn waiting_receivers(&self) -> usize {
        self.as_async().waiting_receivers()
    }

    /// Whether both are senders of the same channel.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::blocking::bounded::<u8>(1);
    /// assert!(tx.same_channel(&tx.clone()));
    /// assert!(!tx.same_channel(&hchan::blocking::bounded(1).0));
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
    /// let (tx, _rx) = hchan::blocking::bounded::<u8>(1);
    /// tx.set_name("jobs");
    /// ```
    pub fn set_name(&self, name: impl Into<Cow<'static, str>>) {
        self.0.set_name(name);
    }

    /// Makes a weak sender, which does not keep the channel open and upgrades to a blocking one.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::blocking::bounded::<u8>(1);
    /// let weak = tx.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(tx);
    /// assert!(weak.upgrade().is_none());
    /// ```
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender::new(self.as_async().downgrade())
    }
}

impl<T> crate::Sender<T> {
    /// This sender as one for threads, whose methods block instead of returning futures. It costs nothing.
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
    pub fn into_blocking(self) -> Sender<T> {
        Sender::new(self)
    }

    /// This sender as one for threads, by reference. It costs nothing.
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
    pub fn as_blocking(&self) -> &Sender<T> {
        transparent::sender(self)
    }
}

/// Counts one more sender. Aborts the process beyond `isize::MAX` of them, as `Arc` does.
impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
