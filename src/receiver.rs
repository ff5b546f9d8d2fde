//! The receiving end.

#![forbid(unsafe_code)]

use alloc::{borrow::Cow, vec::Vec};
use core::{
    fmt,
    panic::{RefUnwindSafe, UnwindSafe},
};

#[cfg(feature = "std")]
use crate::error::RecvError;
use crate::{
    chan::{SharedChan, TypedChan},
    error::TryRecvError,
    future::ClosedFuture,
    future::IntoRecv,
    future::RecvFuture,
    future::{Drain, RecvManyFuture},
    future::{IntoStream, RecvStream},
    iter::TryIter,
    probe::Site,
    weak::WeakReceiver,
};

/// The receiving end of a channel; clone it to receive in several places. Each message goes to one of them.
///
/// All clones are equal; the receive that has been waiting longest is served first (but see
/// [the exceptions](crate#what-a-send-and-a-receive-do)). When the last receiver is dropped the channel closes, and the
/// messages in it are dropped at once. Every method takes `&self`, in tasks and in threads alike, but for those that begin
/// with `into_`.
///
/// There is no `IntoIterator`, which would block a task unseen: see [`stream`](Self::stream),
/// [`iter_blocking`](Self::iter_blocking) and [`try_iter`](Self::try_iter).
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::unbounded();
/// let rx2 = rx.clone();
/// tx.try_send(1).unwrap();
/// tx.try_send(2).unwrap();
/// assert_eq!(rx.recv_blocking(), Ok(1));
/// assert_eq!(rx2.recv_blocking(), Ok(2));
/// ```
#[doc(alias("AsyncReceiver", "UnboundedReceiver", "AsyncRx", "MAsyncRx"))]
pub struct Receiver<T> {
    /// `None` for [`never`](crate::never).
    chan: Option<SharedChan<T>>,
}

impl<T> Receiver<T> {
    /// A receiver that is counted already; or, without a channel, one on which nothing happens.
    pub(crate) const fn new(chan: Option<SharedChan<T>>) -> Self {
        Self { chan }
    }

    pub(crate) fn chan(&self) -> Option<&SharedChan<T>> {
        self.chan.as_ref()
    }

    pub(crate) fn typed_chan(&self) -> Option<&TypedChan<T>> {
        self.chan.as_deref()
    }

    /// Receives the oldest message, waiting for one if there is none.
    ///
    /// Messages given back by cancelled receives come first, then the buffered ones, each in the order in which they were
    /// sent. If there is none, the receive parks, behind those who came before, and messages are handed out in that order. A
    /// message that was given back may come after a later one which this receiver has got already.
    ///
    /// Nothing happens before the returned future is awaited, or [waited for](RecvFuture::wait) in a thread. From its
    /// first `Pending` on it is a commitment: a message may be handed to it at any time, and waits there until it is
    /// polled or dropped.
    ///
    /// # Errors
    ///
    /// [`RecvError`], if the channel is closed and there is nothing in it now.
    ///
    /// # Panics
    ///
    /// If the waker of a parked sender whose message is taken panics; the message stays in the channel then.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped: a message that had been handed to it already is given back, to the
    /// receiver parked longest or else to the next receive, in its old place in the order. A parked receive is room for a
    /// message, so before it was dropped it may have let a waiting [`reserve`](crate::Sender::reserve) go ahead.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// tx.send(1).await?;
    /// drop(tx);
    /// assert_eq!(rx.recv().await, Ok(1));
    /// assert_eq!(rx.recv().await, Err(hchan::RecvError));
    /// # Ok::<(), hchan::SendError<i32>>(())
    /// # }).unwrap();
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    #[doc(alias = "recv_async")]
    #[inline]
    pub fn recv(&self) -> RecvFuture<'_, T> {
        RecvFuture::new(self.chan.as_deref(), Site::here())
    }

    /// As [`recv`](Self::recv), but the future owns this receiver, and returns it with the result: for tasks and structs that
    /// cannot borrow it.
    ///
    /// # Errors
    ///
    /// [`RecvError`], if the channel is closed and there is nothing in it now.
    ///
    /// # Panics
    ///
    /// If the waker of a parked sender whose message is taken panics; the message stays in the channel then.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped a message that had been handed to it is given back, and then the receiver is dropped. To have
    /// that back, end it by [`until`](IntoRecv::until).
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// tx.send(1).await?;
    /// drop(tx);
    /// let (rx, message) = rx.into_recv().await;
    /// assert_eq!(message, Ok(1));
    /// let (_rx, message) = rx.into_recv().await;
    /// assert_eq!(message, Err(hchan::RecvError));
    /// # Ok::<(), hchan::SendError<i32>>(())
    /// # }).unwrap();
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    #[doc(alias = "into_recv_async")]
    #[doc(alias = "recv_owned")]
    pub fn into_recv(self) -> IntoRecv<T> {
        IntoRecv::new(self, Site::here())
    }

    /// Receives the oldest message if there is one: in the channel or, at capacity 0, with a parked sender.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`]: `Empty`, or `Closed` if the channel is closed and there is nothing in it now.
    ///
    /// With [permits](crate::Permit), `Empty` does not mean that no send is parked. A receive leaves parked sends alone while
    /// more permits are out than the capacity, as after the receiver has left on which a permit counted; and while a request for
    /// a permit is the first in the line, for which only a receive that waits is room.
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
    /// let (tx, rx) = hchan::bounded(1);
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    /// tx.try_send(1).unwrap();
    /// drop(tx);
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    /// ```
    #[doc(alias = "try_recv_realtime")]
    #[inline]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        match &self.chan {
            Some(chan) => chan.try_recv(),
            None => Err(TryRecvError::Empty),
        }
    }

    /// The messages as a [`Stream`](futures_core::Stream), which ends when the channel is closed and empty.
    ///
    /// # Cancel safety
    ///
    /// See [`RecvStream`]: it stays parked between two items if it was polled and had none.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::StreamExt;
    ///
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::unbounded();
    /// tx.try_send(1).unwrap();
    /// tx.try_send(2).unwrap();
    /// drop(tx);
    /// assert_eq!(rx.stream().collect::<Vec<_>>().await, [1, 2]);
    /// # });
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    pub fn stream(&self) -> RecvStream<'_, T> {
        RecvStream::new(self, Site::here())
    }

    /// As [`stream`](Self::stream), but the stream owns this receiver.
    ///
    /// # Cancel safety
    ///
    /// See [`IntoStream`]: it stays parked between two items if it was polled and had none.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::{Stream, StreamExt};
    ///
    /// fn countdown() -> impl Stream<Item = u32> {
    ///     let (tx, rx) = hchan::bounded(0);
    ///     std::thread::spawn(move || (1..=3).rev().try_for_each(|n| tx.send_blocking(n)));
    ///     rx.into_stream()
    /// }
    ///
    /// # futures::executor::block_on(async {
    /// assert_eq!(countdown().collect::<Vec<_>>().await, [3, 2, 1]);
    /// # });
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    pub fn into_stream(self) -> IntoStream<T> {
        IntoStream::new(self, Site::here())
    }

    /// An iterator over the messages that can be had at once; it ends when there is none, and may go on later. As long as others
    /// send as fast, it does not end.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::unbounded();
    /// tx.try_send(1).unwrap();
    /// tx.try_send(2).unwrap();
    /// assert_eq!(rx.try_iter().collect::<Vec<_>>(), [1, 2]);
    /// ```
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter::new(self)
    }

    /// Receives as many messages as there are, up to `limit`, and puts them behind those in the vector, waiting for one if
    /// there is none; returns how many they were.
    ///
    /// They are taken in one step or a few, which take little longer than a single receive; between the steps others may receive.
    /// With a `limit` of 0 it is `Ok(0)` at once, whether the channel is closed or not.
    ///
    /// # Errors
    ///
    /// [`RecvError`], if the channel is closed and there is nothing in it now.
    ///
    /// # Cancel safety
    ///
    /// See [`RecvManyFuture`]: nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::unbounded();
    /// tx.try_send_many(1..=3).unwrap();
    /// drop(tx);
    /// let mut received = Vec::new();
    /// assert_eq!(rx.recv_many(&mut received, 100).await, Ok(3));
    /// assert_eq!(rx.recv_many(&mut received, 100).await, Err(hchan::RecvError));
    /// assert_eq!(received, [1, 2, 3]);
    /// # });
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    #[doc(alias = "poll_recv_many")]
    pub fn recv_many<'a>(&'a self, into: &'a mut Vec<T>, limit: usize) -> RecvManyFuture<'a, T> {
        RecvManyFuture::new(self, into, limit, Site::here())
    }

    /// Receives the messages that can be had at once, up to `limit`, and puts them behind those in the vector; returns how many
    /// they were. With a `limit` of 0 it is `Ok(0)`, whether the channel is closed or not.
    ///
    /// It takes at most as many messages as there are when it begins, so it ends however fast others send.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`], if there is none: `Empty` or `Closed`. With permits, messages of parked senders may be left alone, as by
    /// [`try_recv`](Self::try_recv).
    ///
    /// # Panics
    ///
    /// If the waker of a parked sender whose message is taken panics; the messages are back in the channel then.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::unbounded();
    /// tx.try_send_many(1..=3).unwrap();
    /// let mut received = Vec::new();
    /// assert_eq!(rx.try_recv_many(&mut received, 2), Ok(2));
    /// assert_eq!(rx.try_recv_many(&mut received, 2), Ok(1));
    /// assert!(rx.try_recv_many(&mut received, 2).unwrap_err().is_empty());
    /// assert_eq!(received, [1, 2, 3]);
    /// ```
    #[doc(alias = "drain_into")]
    pub fn try_recv_many(&self, into: &mut Vec<T>, limit: usize) -> Result<usize, TryRecvError> {
        match &self.chan {
            _ if limit == 0 => Ok(0),
            Some(chan) => chan.try_recv_many(into, limit),
            None => Err(TryRecvError::Empty),
        }
    }

    /// Receives all messages that can be had now, those of parked senders among them, unless permits keep these from being
    /// received: see [`try_recv`](Self::try_recv). It does not tell whether the channel is closed.
    ///
    /// # Panics
    ///
    /// If the waker of a parked sender whose message is taken panics; the messages are back in the channel then.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(8);
    /// tx.try_send_many(["a", "b"]).unwrap();
    /// assert_eq!(rx.drain().collect::<String>(), "ab");
    /// assert_eq!(rx.drain().count(), 0);
    /// ```
    pub fn drain(&self) -> Drain<T> {
        let mut messages = Vec::new();
        // An error says that there is none.
        let _ = self.try_recv_many(&mut messages, usize::MAX);
        Drain::new(messages)
    }

    /// Waits until the channel is closed, messages left in it or not.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded::<u8>(1);
    /// drop(tx);
    /// rx.closed().await;
    /// # });
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    pub fn closed(&self) -> ClosedFuture<'_, T> {
        ClosedFuture::closed(self.chan.as_deref(), Site::here())
    }

    /// Waits until the channel is closed and nothing is left in it.
    ///
    /// A message that was handed to a parked receive has left the channel, even if the receive has not been polled since: the wait
    /// does not include it. A wait that is over stays so, even if such a receive is cancelled and gives its message back later; a
    /// wait that begins after that may have to wait for the message.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded::<u8>(1);
    /// drop(tx);
    /// rx.drained().await;
    /// # });
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    pub fn drained(&self) -> ClosedFuture<'_, T> {
        ClosedFuture::drained(self.chan.as_deref(), Site::here())
    }

    /// Closes the channel; returns whether this call did.
    ///
    /// From now on every send fails, also with a permit that was given out before. Parked senders get their message back in an
    /// error; parked receivers and requests for permits get an error; what is buffered can still be received.
    ///
    /// # Panics
    ///
    /// If a waker of a parked task panics; the channel is closed and all others are woken nevertheless.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::unbounded();
    /// tx.try_send("in time").unwrap();
    /// assert!(rx.close());
    /// assert!(tx.try_send("too late").is_err());
    /// assert_eq!(rx.try_recv(), Ok("in time"));
    /// ```
    #[doc(alias = "disconnect")]
    pub fn close(&self) -> bool {
        self.chan.as_deref().is_some_and(|chan| chan.close())
    }

    /// Whether the channel is closed, messages left in it or not.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded::<u8>(1);
    /// assert!(!rx.is_closed());
    /// drop(tx);
    /// assert!(rx.is_closed());
    /// ```
    #[doc(alias = "is_disconnected")]
    pub fn is_closed(&self) -> bool {
        self.chan.as_deref().is_some_and(|chan| chan.is_closed())
    }

    /// How many messages are in the channel: buffered ones and ones given back by cancelled receives.
    ///
    /// The latter take no place, so this may exceed the capacity by them; and by those sent with a [`Permit`](crate::Permit)
    /// that counted on a receiver that has left. Messages of parked senders do not count, nor do permits. A message that was
    /// handed to a parked receive does not count either, even if the receive has not been polled since.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(2);
    /// tx.try_send(1).unwrap();
    /// assert_eq!(rx.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.chan.as_deref().map_or(0, |chan| chan.len())
    }

    /// Whether [`len`](Self::len) is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(2);
    /// assert!(rx.is_empty());
    /// tx.try_send(1).unwrap();
    /// assert!(!rx.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no room for a send: the buffer is full and no receiver is parked. At capacity 0 that is whenever
    /// no receiver is parked. A permit that is out counts as a message.
    ///
    /// This looks at the room alone: a send into a closed channel fails although there may be room. A parked receive is room
    /// for one message, which is in no count once it is handed over: while a receive is parked, `bounded(1)` takes two messages.
    /// An arm of a select counts as a parked receive, for a moment even if the select has just happened elsewhere.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// assert!(!rx.is_full());
    /// tx.try_send(1).unwrap();
    /// assert!(rx.is_full());
    /// ```
    pub fn is_full(&self) -> bool {
        self.chan.as_deref().is_none_or(|chan| chan.is_full())
    }

    /// How many messages the buffer holds at most; `None` if the channel is unbounded.
    ///
    /// The channel may hold and take more: see [`len`](Self::len) and [`is_full`](Self::is_full).
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(hchan::bounded::<u8>(5).1.capacity(), Some(5));
    /// assert_eq!(hchan::unbounded::<u8>().1.capacity(), None);
    /// ```
    #[doc(alias("max_capacity", "is_bounded"))]
    pub fn capacity(&self) -> Option<usize> {
        self.chan.as_deref().map_or(Some(0), |chan| chan.capacity())
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
    /// let (tx, rx) = hchan::bounded(3);
    /// assert_eq!(rx.room(), Some(3));
    /// tx.try_send(1).unwrap();
    /// let permit = tx.try_reserve().unwrap();
    /// assert_eq!(rx.room(), Some(1));
    /// # drop(permit);
    /// # drop(rx);
    /// ```
    pub fn room(&self) -> Option<usize> {
        self.chan
            .as_deref()
            .map_or(Some(0), |chan| chan.bounded_room())
    }

    /// How many permits are out: neither used nor dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded::<u8>(3);
    /// let permit = tx.try_reserve().unwrap();
    /// assert_eq!(rx.permit_count(), 1);
    /// drop(permit);
    /// assert_eq!(rx.permit_count(), 0);
    /// # drop(rx);
    /// ```
    pub fn permit_count(&self) -> usize {
        self.chan.as_deref().map_or(0, |chan| chan.permits())
    }

    /// How many senders the channel has, weak ones not counted.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded::<u8>(1);
    /// let _second = tx.clone();
    /// assert_eq!(rx.sender_count(), 2);
    /// ```
    #[doc(alias("sender_strong_count", "get_tx_count"))]
    pub fn sender_count(&self) -> usize {
        sender_count(&self.chan)
    }

    /// How many receivers the channel has, weak ones not counted. Those made by [`never`](crate::never) share nothing, so
    /// each counts itself only.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = hchan::bounded::<u8>(1);
    /// let _second = rx.clone();
    /// assert_eq!(rx.receiver_count(), 2);
    /// ```
    #[doc(alias = "get_rx_count")]
    pub fn receiver_count(&self) -> usize {
        receiver_count(&self.chan)
    }

    /// How many sends and requests for permits are parked; a select counts once for each of its arms that send here.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(0);
    /// let mut parked = Box::pin(tx.send(1));
    /// assert!(futures::poll!(&mut parked).is_pending());
    /// assert_eq!(rx.waiting_senders(), 1);
    /// # });
    /// ```
    pub fn waiting_senders(&self) -> usize {
        self.chan
            .as_deref()
            .map_or(0, |chan| chan.waiting_senders())
    }

    /// How many receives are parked; a select counts once for each of its arms that receive here.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (_tx, rx) = hchan::bounded::<u8>(0);
    /// let mut parked = Box::pin(rx.recv());
    /// assert!(futures::poll!(&mut parked).is_pending());
    /// assert_eq!(rx.waiting_receivers(), 1);
    /// # });
    /// ```
    pub fn waiting_receivers(&self) -> usize {
        self.chan
            .as_deref()
            .map_or(0, |chan| chan.waiting_receivers())
    }

    /// Whether both are receivers of the same channel. Those made by [`never`](crate::never) are, as nil equals nil in Go.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = hchan::bounded::<u8>(1);
    /// assert!(rx.same_channel(&rx.clone()));
    /// assert!(!rx.same_channel(&hchan::bounded(1).1));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        same_channel(&self.chan, &other.chan)
    }

    /// Gives the channel a name, in place of the one that it had: for the reports of `hchan::inspect`.
    ///
    /// Without the feature `inspect`, or if the channel is not tracked, it does nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = hchan::bounded::<u8>(1);
    /// rx.set_name("jobs");
    /// ```
    pub fn set_name(&self, name: impl Into<Cow<'static, str>>) {
        if let Some(chan) = &self.chan {
            chan.probe.set_name(name);
        }
    }

    /// Makes a weak receiver, which does not keep the channel open.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = hchan::bounded::<u8>(1);
    /// let weak = rx.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(rx);
    /// assert!(weak.upgrade().is_none());
    /// ```
    pub fn downgrade(&self) -> WeakReceiver<T> {
        WeakReceiver::new(self.chan.clone())
    }

    /// Receives the oldest message, blocking the thread while there is none: short for
    /// [`recv()`](Self::recv)`.`[`wait()`](RecvFuture::wait).
    ///
    /// It is meant for a thread that has an async handle. Code of threads alone is better off with the handles of
    /// [`hchan::blocking`](crate::blocking).
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
    /// Not for use in a task: it stalls the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(0);
    /// let sending = std::thread::spawn(move || tx.send_blocking("met"));
    /// assert_eq!(rx.recv_blocking(), Ok("met"));
    /// sending.join().unwrap().unwrap();
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    #[cfg(feature = "std")]
    #[doc(alias = "blocking_recv")]
    #[inline]
    pub fn recv_blocking(&self) -> Result<T, RecvError> {
        self.recv().wait()
    }

    /// An iterator over the messages that blocks the thread for each and ends when the channel is closed and empty.
    ///
    /// # Blocking
    ///
    /// Not for use in a task: it stalls the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(2);
    /// let sending = std::thread::spawn(move || (0..5).try_for_each(|n| tx.send_blocking(n)));
    /// assert_eq!(rx.iter_blocking().sum::<i32>(), 10);
    /// sending.join().unwrap().unwrap();
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    #[cfg(feature = "std")]
    #[doc(alias = "iter")]
    pub fn iter_blocking(&self) -> crate::IterBlocking<'_, T> {
        crate::IterBlocking::new(self)
    }
}

/// Counts one more receiver. Aborts the process beyond `isize::MAX` of them, as `Arc` does.
impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        if let Some(chan) = &self.chan {
            chan.receivers.add();
        }
        Self {
            chan: self.chan.clone(),
        }
    }
}

/// The last receiver closes the channel and drops the messages in it, all of them even if one of their drops panics.
impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let Some(chan) = &self.chan {
            chan.drop_receiver();
        }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_receiver(self.chan.as_deref(), "Receiver", f)
    }
}

// A panic anywhere in user code leaves a channel consistent.
impl<T> UnwindSafe for Receiver<T> {}
impl<T> RefUnwindSafe for Receiver<T> {}

pub(crate) fn fmt_receiver<T>(
    chan: Option<&TypedChan<T>>,
    name: &str,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    match chan {
        Some(chan) => chan.fmt(name, f),
        None => write!(f, "{name}(never)"),
    }
}

/// Of a receiver, weak or not.
pub(crate) fn sender_count<T>(chan: &Option<SharedChan<T>>) -> usize {
    chan.as_ref().map_or(0, |chan| chan.senders.get())
}

/// Of a receiver, weak or not. One on which nothing ever happens counts itself.
pub(crate) fn receiver_count<T>(chan: &Option<SharedChan<T>>) -> usize {
    chan.as_ref().map_or(1, |chan| chan.receivers.get())
}

/// Of receivers, weak or not.
pub(crate) fn same_channel<T>(
    ours: &Option<SharedChan<T>>,
    theirs: &Option<SharedChan<T>>,
) -> bool {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => SharedChan::ptr_eq(ours, theirs),
        (None, None) => true,
        _ => false,
    }
}
