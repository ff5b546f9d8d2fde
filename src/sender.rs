//! The sending end.

#![forbid(unsafe_code)]

use alloc::borrow::Cow;
use core::{
    fmt,
    panic::{RefUnwindSafe, UnwindSafe},
};

#[cfg(feature = "std")]
use crate::error::SendError;
#[cfg(feature = "sink")]
use crate::future::{IntoSink, SendSink};
use crate::{
    chan::{ReserveOutcome, SharedChan},
    error::{SendManyError, TrySendError},
    future::ClosedFuture,
    future::SendFromFuture,
    future::SendFuture,
    future::{IntoClosed, IntoSend},
    future::{Permit, ReserveFuture},
    future::{Permits, ReserveManyFuture},
    future::{SendManyFuture, try_send_many},
    probe::Site,
    weak::WeakSender,
};

/// The sending end of a channel; clone it to send from several places.
///
/// All clones are equal. The channel closes when the last sender or the last receiver is dropped, or when either end calls
/// `close`. Every method takes `&self`, in tasks and in threads alike, but for those that begin with `into_`.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded(10);
/// let tx2 = tx.clone();
/// std::thread::spawn(move || tx.send_blocking("from a thread"));
/// # futures::executor::block_on(async {
/// tx2.send("from a task").await?;
/// drop(tx2);
///
/// let mut messages = [rx.recv().await, rx.recv().await];
/// messages.sort_by_key(|message| message.unwrap());
/// assert_eq!(messages, [Ok("from a task"), Ok("from a thread")]);
/// assert!(rx.recv().await.is_err(), "both senders are gone");
/// # Ok::<(), hchan::SendError<&str>>(())
/// # }).unwrap();
/// ```
#[doc(alias("AsyncSender", "UnboundedSender", "AsyncTx", "MAsyncTx"))]
pub struct Sender<T> {
    chan: SharedChan<T>,
}

impl<T> Sender<T> {
    /// A sender that is counted already.
    pub(crate) fn new(chan: SharedChan<T>) -> Self {
        Self { chan }
    }

    pub(crate) fn chan(&self) -> &SharedChan<T> {
        &self.chan
    }

    /// Sends a message, waiting for room if there is none.
    ///
    /// A message goes straight to the receiver that has been parked longest, if there is one; else into the buffer, if
    /// it has room; else the send parks, behind those who came before. At capacity 0 the send completes only when a
    /// receiver has the message, or a parked receive has been handed it.
    ///
    /// Nothing happens before the returned future is awaited, or [waited for](SendFuture::wait) in a thread.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the message, if the channel is closed, or closes while the send is parked.
    ///
    /// # Panics
    ///
    /// If the waker of the receiver that gets the message panics; the message is sent then.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it has completed, the message is dropped with it and will not be delivered, unless
    /// a receiver had taken it before. The caller that drops it cannot tell which: where that matters (a losing arm of a
    /// `select!`, a timeout around it), use [`send_from`](Self::send_from), whose `Option` tells, or
    /// [`until`](SendFuture::until), whose result tells.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// tx.send(1).await?;
    /// assert_eq!(rx.recv().await, Ok(1));
    ///
    /// drop(rx);
    /// assert_eq!(tx.send(2).await, Err(hchan::SendError(2)));
    /// # Ok::<(), hchan::SendError<i32>>(())
    /// # }).unwrap();
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    #[doc(alias = "send_async")]
    #[inline]
    pub fn send(&self, message: T) -> SendFuture<'_, T> {
        SendFuture::new(&self.chan, message, Site::here())
    }

    /// Sends the message in `message`, waiting for room if there is none; if that does not come to pass, the message is
    /// back in the `Option`.
    ///
    /// As [`send`](Self::send), for where it may be cancelled: a timeout, an arm of a `select!` macro, a loop over one.
    /// Whoever drops the future finds the message in the `Option`, or finds it empty: then it was sent.
    ///
    /// # Errors
    ///
    /// [`SendError`], if the channel is closed, or closes while the send is parked.
    ///
    /// # Panics
    ///
    /// When polled with an empty `Option`; `select!` macros do not poll it then. Also if the waker of the receiver that
    /// gets the message panics; the message is sent then.
    ///
    /// # Cancel safety
    ///
    /// See [`SendFromFuture`]: the message is never lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// let mut message = Some("hello");
    /// tx.send_from(&mut message).await?;
    /// assert_eq!((message, rx.try_recv()), (None, Ok("hello")));
    ///
    /// drop(rx);
    /// message = Some("anyone?");
    /// assert!(tx.send_from(&mut message).await.is_err());
    /// assert_eq!(message, Some("anyone?"));
    /// # Ok::<(), hchan::SendError<()>>(())
    /// # }).unwrap();
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    #[doc(alias("send_option_timeout", "try_send_option", "try_send_option_realtime"))]
    pub fn send_from<'a>(&'a self, message: &'a mut Option<T>) -> SendFromFuture<'a, T> {
        SendFromFuture::new(&self.chan, message, Site::here())
    }

    /// As [`send`](Self::send), but the future owns this sender, and returns it with the result: for tasks and structs that
    /// cannot borrow it.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the message, if the channel is closed, or closes while the send is parked.
    ///
    /// # Panics
    ///
    /// If the waker of the receiver that gets the message panics; the message is sent then.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped the sender is dropped, and the message as with [`send`](Self::send). To have both back, end
    /// it by [`until`](IntoSend::until).
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(2);
    /// let (tx, sent) = tx.into_send(1).await;
    /// sent?;
    /// let (_tx, sent) = tx.into_send(2).await;
    /// sent?;
    /// assert_eq!(rx.try_iter().collect::<Vec<_>>(), [1, 2]);
    /// # Ok::<(), hchan::SendError<i32>>(())
    /// # }).unwrap();
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    #[doc(alias = "into_send_async")]
    #[doc(alias = "send_owned")]
    pub fn into_send(self, message: T) -> IntoSend<T> {
        IntoSend::new(self, message, Site::here())
    }

    /// Sends a message if that can be done at once: if a receiver is parked or the buffer has room. Places and receivers that
    /// [permits](crate::Permit) count on are left to these.
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
    /// let (tx, rx) = hchan::bounded(1);
    /// assert_eq!(tx.try_send(1), Ok(()));
    /// assert_eq!(tx.try_send(2), Err(TrySendError::Full(2)));
    /// drop(rx);
    /// assert_eq!(tx.try_send(3), Err(TrySendError::Closed(3)));
    /// ```
    #[doc(alias = "try_send_realtime")]
    #[inline]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        self.chan.try_send(message)
    }

    /// Sends a message at once, and if the buffer is full evicts the oldest message from it, which is returned.
    ///
    /// The new message enters behind those that are buffered and ahead of parked senders: an exception to the rule that no
    /// newcomer overtakes. A message that a cancelled receive has given back takes no place in the buffer, so it is
    /// not evicted.
    ///
    /// # Errors
    ///
    /// [`TrySendError`], with the message: `Closed`, or `Full` when there is no room and nothing to evict: at capacity 0 with no
    /// receiver parked, and where permits hold all places. A permit's place is not given away, nor is a receiver that a permit
    /// counts on.
    ///
    /// # Panics
    ///
    /// If the waker of the receiver that gets the message panics; the message is sent then.
    ///
    /// # Examples
    ///
    /// ```
    /// let (latest, rx) = hchan::bounded(1);
    /// assert_eq!(latest.force_send("old"), Ok(None));
    /// assert_eq!(latest.force_send("new"), Ok(Some("old")));
    /// assert_eq!(rx.try_recv(), Ok("new"));
    /// ```
    pub fn force_send(&self, message: T) -> Result<Option<T>, TrySendError<T>> {
        self.chan.force_send(message)
    }

    /// Waits for room, and returns the right to send one message into it.
    ///
    /// For a message that is costly to make, or cannot be put back where it came from: once there is a permit, its send waits
    /// for nobody and fails only if the channel has been closed meanwhile; the message comes back in the error then. (A
    /// permit of tokio's `mpsc` outlives a `close`.) A request for a permit waits in one line with the sends, and while a
    /// permit is out it takes the place of one message. At capacity 0, and when all places are taken by permits, there is
    /// room for a permit as for a message when a receiver is parked.
    ///
    /// A parked request may be granted at any time, and then holds its room until it is polled or dropped. A task that keeps
    /// such a request without polling it (by `&mut` in an arm of a `select!` that has lost, say) and sends to the same channel
    /// meanwhile may wait for itself, for ever: drop the request before. See [`Permit`] for what a permit holds up.
    ///
    /// # Errors
    ///
    /// [`SendError`], if the channel is closed, or closes while the request is parked.
    ///
    /// # Cancel safety
    ///
    /// See [`ReserveFuture`]: a request that is dropped leaves the line, and gives its room on if it had been granted.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// let permit = tx.reserve().await?;
    /// permit.send("made just now")?;
    /// assert_eq!(rx.recv().await, Ok("made just now"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    pub fn reserve(&self) -> ReserveFuture<'_, T> {
        ReserveFuture::new(self, Site::here())
    }

    /// The right to send one message, if there is room now.
    ///
    /// See [`Permit`] for how long it is good, and for what it holds up.
    ///
    /// # Errors
    ///
    /// [`TrySendError`]: `Full` or `Closed`.
    ///
    /// # Examples
    ///
    /// ```
    /// use hchan::TrySendError;
    ///
    /// let (tx, _rx) = hchan::bounded::<u8>(1);
    /// let permit = tx.try_reserve().unwrap();
    /// assert_eq!(tx.try_reserve().unwrap_err(), TrySendError::Full(()));
    /// drop(permit);
    /// assert!(tx.try_reserve().is_ok());
    /// ```
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        match self.chan.reserve() {
            ReserveOutcome::Reserved => Ok(Permit::new(self)),
            ReserveOutcome::Full => Err(TrySendError::Full(())),
            ReserveOutcome::Closed => Err(TrySendError::Closed(())),
        }
    }

    /// Waits for room, and returns the rights to send up to `limit` messages into it: as many as there is room for.
    ///
    /// It waits only while there is no room at all, so it may return fewer permits than `limit`, and never none unless `limit`
    /// is 0: then it is `Ok` at once. (A request that waited for all of them, as the one of tokio does, would keep permits back
    /// from other senders while it waits for more.) Taking them takes time in proportion to their number.
    ///
    /// # Errors
    ///
    /// [`SendError`], if the channel is closed, or closes while the request is parked.
    ///
    /// # Cancel safety
    ///
    /// See [`ReserveManyFuture`]: dropping it leaves no trace.
    ///
    /// # Examples
    ///
    /// A stage takes as much work as the next one has room for:
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(2);
    /// let mut queue = vec!["c", "b", "a"];
    /// for permit in tx.reserve_many(queue.len()).await? {
    ///     permit.send(queue.pop().unwrap()).unwrap();
    /// }
    /// assert_eq!((rx.drain().collect::<String>().as_str(), queue), ("ab", vec!["c"]));
    /// # Ok::<(), hchan::SendError<()>>(())
    /// # }).unwrap();
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    pub fn reserve_many(&self, limit: usize) -> ReserveManyFuture<'_, T> {
        ReserveManyFuture::new(self, limit, Site::here())
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
    /// let (tx, _rx) = hchan::bounded::<u8>(3);
    /// let permits = tx.try_reserve_many(2).unwrap();
    /// let others = tx.try_reserve_many(2).unwrap();
    /// assert_eq!((permits.len(), others.len()), (2, 1));
    /// assert!(tx.try_reserve_many(2).unwrap_err().is_full());
    /// ```
    pub fn try_reserve_many(&self, limit: usize) -> Result<Permits<'_, T>, TrySendError<()>> {
        let mut permits = Permits::none(self);
        let end = permits.reserve(limit);
        match end {
            ReserveOutcome::Full if permits.len() == 0 => Err(TrySendError::Full(())),
            ReserveOutcome::Closed if permits.len() == 0 => Err(TrySendError::Closed(())),
            _ => Ok(permits),
        }
    }

    /// Sends all messages of an iterator, in order, waiting for room as often as there is none; returns how many they were.
    ///
    /// As many as there is room for, up to 64 KiB of them, go in one step, which takes little longer than a single send. Between
    /// the steps, and where more than 32 parked receivers are to be woken, messages of other senders may go in. Messages are taken
    /// out of the iterator only when there is room for them, and one more to wait with; if other senders take that room before
    /// they are sent, the batch keeps them and waits.
    ///
    /// # Errors
    ///
    /// [`SendManyError`], if the channel is closed, or closes meanwhile: it tells how many were sent, and has the others. An empty
    /// batch is `Ok(0)`, whether the channel is closed or not.
    ///
    /// # Cancel safety
    ///
    /// See [`SendManyFuture`]: what was sent stays sent, what was taken from the iterator and not sent is dropped, and an
    /// iterator that was lent keeps what was not taken from it.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(8);
    /// assert_eq!(tx.send_many(["a", "b", "c"]).await.unwrap(), 3);
    /// assert_eq!(rx.recv().await, Ok("a"));
    ///
    /// tx.close();
    /// let error = tx.send_many(["d", "e"]).await.unwrap_err();
    /// assert_eq!(error.sent, 0);
    /// assert_eq!(error.rest.collect::<Vec<_>>(), ["d", "e"]);
    /// # });
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    pub fn send_many<I: IntoIterator<Item = T>>(
        &self,
        messages: I,
    ) -> SendManyFuture<'_, I::IntoIter> {
        SendManyFuture::new(&self.chan, messages.into_iter(), Site::here())
    }

    /// Sends the messages of an iterator, in order, for as long as there is room; returns how many, if they were all.
    ///
    /// # Errors
    ///
    /// [`TrySendError`], `Full` or `Closed`, with a [`SendManyError`] that tells how many were sent, and has the others.
    ///
    /// # Panics
    ///
    /// If the iterator does, or the waker of a receiver that gets a message; what has been taken from the iterator and not been
    /// sent is dropped then.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(3);
    /// assert_eq!(tx.try_send_many([1, 2]).unwrap(), 2);
    ///
    /// let mut more = 3..=10;
    /// let unsent = tx.try_send_many(&mut more).unwrap_err().into_inner();
    /// assert_eq!(unsent.sent, 1);
    /// assert_eq!(unsent.rest.collect::<Vec<_>>(), [4, 5, 6, 7, 8, 9, 10]);
    /// # drop(rx);
    /// ```
    pub fn try_send_many<I: IntoIterator<Item = T>>(
        &self,
        messages: I,
    ) -> Result<usize, TrySendError<SendManyError<I::IntoIter>>> {
        try_send_many(&self.chan, messages.into_iter())
    }

    /// This sender as a [`Sink`](futures_sink::Sink).
    ///
    /// `send` of a sink drops its message if the channel is closed: see [`SendSink`] for what returns it.
    ///
    /// # Cancel safety
    ///
    /// See [`SendSink`]: it keeps its place in the line, or its permit, between two messages.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::SinkExt;
    ///
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(2);
    /// let mut sink = tx.sink();
    /// sink.send("a").await?;
    /// sink.send("b").await?;
    /// assert_eq!(rx.drain().collect::<String>(), "ab");
    /// # Ok::<(), hchan::SendError<Option<&str>>>(())
    /// # }).unwrap();
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    #[cfg(feature = "sink")]
    pub fn sink(&self) -> SendSink<'_, T> {
        SendSink::new(self, Site::here())
    }

    /// As [`sink`](Self::sink), but the sink owns this sender.
    ///
    /// `send` of a sink drops its message if the channel is closed: see [`SendSink`] for what returns it.
    ///
    /// # Cancel safety
    ///
    /// See [`IntoSink`]: it keeps its place in the line, or its permit, between two messages.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::{Sink, SinkExt};
    ///
    /// async fn greet(mut to: impl Sink<&'static str> + Unpin) {
    ///     let _ = to.send("hello").await;
    /// }
    ///
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// greet(tx.into_sink()).await;
    /// assert_eq!(rx.recv().await, Ok("hello"));
    /// # });
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    #[cfg(feature = "sink")]
    pub fn into_sink(self) -> IntoSink<T> {
        IntoSink::new(self, Site::here())
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
    /// drop(rx);
    /// tx.closed().await;
    /// # });
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    pub fn closed(&self) -> ClosedFuture<'_, T> {
        ClosedFuture::closed(Some(&self.chan), Site::here())
    }

    /// As [`closed`](Self::closed), but the future owns this sender, and returns it: for tasks and structs that cannot borrow it.
    ///
    /// The sender keeps the channel open from its side, so this waits for a `close` or for the last receiver to be dropped.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped the sender is dropped. To have it back, end the future by [`until`](IntoClosed::until).
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded::<u8>(1);
    /// let closed = tx.into_closed();
    /// drop(rx);
    /// assert!(closed.await.is_closed());
    /// # });
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    pub fn into_closed(self) -> IntoClosed<T> {
        IntoClosed::new(self, Site::here())
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
    /// let (tx, rx) = hchan::bounded(1);
    /// tx.send("last words").await?;
    /// tx.close();
    /// let all_received = tx.drained();
    /// # let all_received = async { futures::join!(all_received, rx.recv()) };
    /// all_received.await;
    /// assert!(rx.recv().await.is_err());
    /// # Ok::<(), hchan::SendError<&str>>(())
    /// # }).unwrap();
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    pub fn drained(&self) -> ClosedFuture<'_, T> {
        ClosedFuture::drained(Some(&self.chan), Site::here())
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
    /// tx.try_send("last words").unwrap();
    /// assert!(tx.close());
    /// assert!(!tx.close(), "it was closed already");
    /// assert!(tx.try_send("too late").is_err());
    /// assert_eq!(rx.recv_blocking(), Ok("last words"));
    /// assert!(rx.recv_blocking().is_err());
    /// ```
    #[doc(alias = "disconnect")]
    pub fn close(&self) -> bool {
        self.chan.close()
    }

    /// Whether the channel is closed, messages left in it or not.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded::<u8>(1);
    /// assert!(!tx.is_closed());
    /// drop(rx);
    /// assert!(tx.is_closed());
    /// ```
    #[doc(alias = "is_disconnected")]
    pub fn is_closed(&self) -> bool {
        self.chan.is_closed()
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
    /// let (tx, _rx) = hchan::bounded(2);
    /// tx.try_send(1).unwrap();
    /// assert_eq!(tx.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.chan.len()
    }

    /// Whether [`len`](Self::len) is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::bounded(2);
    /// assert!(tx.is_empty());
    /// tx.try_send(1).unwrap();
    /// assert!(!tx.is_empty());
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
    /// let (tx, _rx) = hchan::bounded(1);
    /// assert!(!tx.is_full());
    /// tx.try_send(1).unwrap();
    /// assert!(tx.is_full());
    /// ```
    pub fn is_full(&self) -> bool {
        self.chan.is_full()
    }

    /// How many messages the buffer holds at most; `None` if the channel is unbounded.
    ///
    /// The channel may hold and take more: see [`len`](Self::len) and [`is_full`](Self::is_full).
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(hchan::bounded::<u8>(5).0.capacity(), Some(5));
    /// assert_eq!(hchan::unbounded::<u8>().0.capacity(), None);
    /// ```
    #[doc(alias("max_capacity", "is_bounded"))]
    pub fn capacity(&self) -> Option<usize> {
        self.chan.capacity()
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
    /// assert_eq!(tx.room(), Some(3));
    /// tx.try_send(1).unwrap();
    /// let permit = tx.try_reserve().unwrap();
    /// assert_eq!(tx.room(), Some(1));
    /// # drop(permit);
    /// # drop(rx);
    /// ```
    pub fn room(&self) -> Option<usize> {
        self.chan.bounded_room()
    }

    /// How many permits are out: neither used nor dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded::<u8>(3);
    /// let permit = tx.try_reserve().unwrap();
    /// assert_eq!(tx.permit_count(), 1);
    /// drop(permit);
    /// assert_eq!(tx.permit_count(), 0);
    /// # drop(rx);
    /// ```
    pub fn permit_count(&self) -> usize {
        self.chan.permits()
    }

    /// How many senders the channel has, weak ones not counted.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::bounded::<u8>(1);
    /// let _second = tx.clone();
    /// assert_eq!(tx.sender_count(), 2);
    /// ```
    #[doc(alias("sender_strong_count", "get_tx_count"))]
    pub fn sender_count(&self) -> usize {
        self.chan.senders.get()
    }

    /// How many receivers the channel has, weak ones not counted.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded::<u8>(1);
    /// let _second = rx.clone();
    /// assert_eq!(tx.receiver_count(), 2);
    /// ```
    #[doc(alias = "get_rx_count")]
    pub fn receiver_count(&self) -> usize {
        self.chan.receivers.get()
    }

    /// How many sends and requests for permits are parked; a select counts once for each of its arms that send here.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, _rx) = hchan::bounded(0);
    /// let mut parked = Box::pin(tx.send(1));
    /// assert!(futures::poll!(&mut parked).is_pending());
    /// assert_eq!(tx.waiting_senders(), 1);
    /// # });
    /// ```
    pub fn waiting_senders(&self) -> usize {
        self.chan.waiting_senders()
    }

    /// How many receives are parked; a select counts once for each of its arms that receive here.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded::<u8>(0);
    /// let mut parked = Box::pin(rx.recv());
    /// assert!(futures::poll!(&mut parked).is_pending());
    /// assert_eq!(tx.waiting_receivers(), 1);
    /// # });
    /// ```
    pub fn waiting_receivers(&self) -> usize {
        self.chan.waiting_receivers()
    }

    /// Whether both are senders of the same channel.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::bounded::<u8>(1);
    /// assert!(tx.same_channel(&tx.clone()));
    /// assert!(!tx.same_channel(&hchan::bounded(1).0));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        SharedChan::ptr_eq(&self.chan, &other.chan)
    }

    /// Gives the channel a name, in place of the one that it had: for the reports of `hchan::inspect`.
    ///
    /// Without the feature `inspect`, or if the channel is not tracked, it does nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::bounded::<u8>(1);
    /// tx.set_name("jobs");
    /// ```
    pub fn set_name(&self, name: impl Into<Cow<'static, str>>) {
        self.chan.probe.set_name(name);
    }

    /// Makes a weak sender, which does not keep the channel open.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::bounded::<u8>(1);
    /// let weak = tx.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(tx);
    /// assert!(weak.upgrade().is_none());
    /// ```
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender::new(SharedChan::clone(&self.chan))
    }

    /// Sends a message, blocking the thread while there is no room: short for [`send(message)`](Self::send)`.`[`wait()`](SendFuture::wait).
    ///
    /// It is meant for a thread that has an async handle. Code of threads alone is better off with the handles of
    /// [`hchan::blocking`](crate::blocking).
    ///
    /// # Errors
    ///
    /// [`SendError`] with the message, if the channel is closed, or closes meanwhile.
    ///
    /// # Panics
    ///
    /// If the waker of the receiver that gets the message panics; the message is sent then.
    ///
    /// # Blocking
    ///
    /// Not for use in a task: it stalls the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(0);
    /// let receiving = std::thread::spawn(move || rx.recv_blocking());
    /// tx.send_blocking("met").unwrap();
    /// assert_eq!(receiving.join().unwrap(), Ok("met"));
    /// ```
    #[cfg_attr(feature = "inspect", track_caller)]
    #[cfg(feature = "std")]
    #[doc(alias = "blocking_send")]
    #[inline]
    pub fn send_blocking(&self, message: T) -> Result<(), SendError<T>> {
        self.send(message).wait()
    }
}

/// Counts one more sender. Aborts the process beyond `isize::MAX` of them, as `Arc` does.
impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.chan.senders.add();
        Self {
            chan: SharedChan::clone(&self.chan),
        }
    }
}

/// The last sender closes the channel; what is buffered can still be received.
impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.chan.drop_sender();
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chan.fmt("Sender", f)
    }
}

// A panic anywhere in user code leaves a channel consistent.
impl<T> UnwindSafe for Sender<T> {}
impl<T> RefUnwindSafe for Sender<T> {}
