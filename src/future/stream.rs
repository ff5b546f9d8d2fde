//! The messages of a channel as a stream.

#![forbid(unsafe_code)]

use alloc::boxed::Box;
use core::{
    borrow::Borrow,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::{FusedStream, Stream};

use crate::{
    chan::{Missed, RecvSide, SharedChan},
    coop::within_budget,
    error::{RecvError, TryRecvError},
    op::RecvOp,
    probe::Site,
    receiver::Receiver,
};

/// The messages of a channel as a [`Stream`]; made by [`Receiver::stream`].
///
/// [`IntoStream`] is the same with a receiver of its own.
///
/// It ends when the channel is closed and empty, and stays ended: [`is_terminated`](FusedStream::is_terminated) says
/// whether it has returned `None`. It is `Unpin`. A clone starts unparked; the clone of a stream that has ended has ended, too. It allocates once in its life, at the first poll that finds no message,
/// and not at all if there is none such.
///
/// A stream that was polled and had no item stays parked, and that is a commitment: when its turn comes, a message is
/// handed to it, whether it is polled again or not. Where a stream is not going to be polled for a while, and others
/// receive from the same channel, call [`release`](Self::release).
///
/// A stream that always has an item yields to its executor only in tokio tasks with the feature `tokio`: see
/// [yielding](crate#yielding).
///
/// # Cancel safety
///
/// Nothing is lost when it is dropped, or when a future that borrows it (`next()`) is: a message that had been handed to
/// the stream is given back when the stream is dropped, and is the next item if it is not.
///
/// # Examples
///
/// ```
/// use futures::StreamExt;
///
/// # futures::executor::block_on(async {
/// let (tx, rx) = hchan::bounded(0);
/// let sending = std::thread::spawn(move || (1..=3).try_for_each(|n| tx.send_blocking(n)));
///
/// let mut stream = rx.stream();
/// let mut sum = 0;
/// while let Some(n) = stream.next().await {
///     sum += n;
/// }
/// assert_eq!(sum, 6);
/// # sending.join().unwrap().unwrap();
/// # });
/// ```
#[doc(alias = "ReceiveStream")]
#[must_use = "streams do nothing unless polled"]
pub struct RecvStream<'a, T> {
    inner: Inner<&'a Receiver<T>, T>,
}

impl<'a, T> RecvStream<'a, T> {
    pub(crate) fn new(receiver: &'a Receiver<T>, site: Site) -> Self {
        Self {
            inner: Inner::new(receiver, site),
        }
    }

    /// Unparks the stream, and gives a message that was handed to it back to the channel: to the receiver parked
    /// longest or else to the next receive.
    ///
    /// The next poll starts anew, at the end of the line.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::StreamExt;
    ///
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// let mut stream = rx.stream();
    /// assert!(futures::poll!(stream.next()).is_pending());
    /// tx.try_send("handed to the stream").unwrap();
    ///
    /// stream.release();
    /// assert_eq!(rx.try_recv(), Ok("handed to the stream"));
    /// # });
    /// ```
    pub fn release(&mut self) {
        self.inner.release();
    }

    /// Polls for the next message, as [`Stream::poll_next`] does, without the trait in scope. `None`: the channel is closed and
    /// there is nothing in it, and so it stays for this stream.
    ///
    /// # Panics
    ///
    /// If a waker does, of this task (cloned or dropped) or of the sender whose message is taken (woken): nothing is lost then.
    ///
    /// # Cancel safety
    ///
    /// After `Pending` the stream is parked, unless the task's budget has [refused](crate#yielding) it, and a message may be handed
    /// to it: see [`release`](Self::release).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{future::poll_fn, task::Poll};
    ///
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// let mut stream = rx.stream();
    /// tx.send(1).await?;
    /// assert_eq!(poll_fn(|cx| stream.poll_recv(cx)).await, Some(1));
    /// # Ok::<(), hchan::SendError<i32>>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "poll_item")]
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.inner.poll(cx)
    }

    /// The receiver that the stream receives with.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(8);
    /// let stream = rx.stream();
    /// tx.try_send(1).unwrap();
    /// assert_eq!(stream.receiver().len(), 1);
    /// ```
    pub fn receiver(&self) -> &'a Receiver<T> {
        self.inner.receiver
    }
}

impl<T> Stream for RecvStream<'_, T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.inner.poll(cx)
    }
}

impl<T> FusedStream for RecvStream<'_, T> {
    fn is_terminated(&self) -> bool {
        self.inner.ended
    }
}

/// A stream of the same channel that is not parked; of an ended stream, an ended one.
impl<T> Clone for RecvStream<'_, T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
        }
    }
}

impl<T> fmt::Debug for RecvStream<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt("RecvStream", f)
    }
}

/// The messages of a channel as a [`Stream`] that owns its receiver; made by [`Receiver::into_stream`].
///
/// It borrows nothing and asks nothing of `T`. In everything else it is a [`RecvStream`].
///
/// # Cancel safety
///
/// As for [`RecvStream`]. When the stream is dropped its receiver is, after a message has been given back: the message drops
/// with the channel if that was the last receiver. [`into_receiver`](Self::into_receiver) keeps both.
///
/// # Examples
///
/// ```
/// use futures::StreamExt;
///
/// # futures::executor::block_on(async {
/// let text = String::from("messages may borrow");
/// let (tx, rx) = hchan::unbounded();
/// text.split(' ').try_for_each(|word| tx.try_send(word)).unwrap();
/// drop(tx);
/// assert_eq!(rx.into_stream().collect::<Vec<&str>>().await, ["messages", "may", "borrow"]);
/// # });
/// ```
#[doc(alias = "AsyncStream")]
#[must_use = "streams do nothing unless polled"]
pub struct IntoStream<T> {
    inner: Inner<Receiver<T>, T>,
}

impl<T> IntoStream<T> {
    pub(crate) fn new(receiver: Receiver<T>, site: Site) -> Self {
        Self {
            inner: Inner::new(receiver, site),
        }
    }

    /// Unparks the stream, and gives a message that was handed to it back to the channel: to the receiver parked
    /// longest or else to the next receive.
    ///
    /// The next poll starts anew, at the end of the line.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::StreamExt;
    ///
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// let mut stream = rx.clone().into_stream();
    /// assert!(futures::poll!(stream.next()).is_pending());
    /// tx.try_send("handed to the stream").unwrap();
    ///
    /// stream.release();
    /// assert_eq!(rx.try_recv(), Ok("handed to the stream"));
    /// # });
    /// ```
    pub fn release(&mut self) {
        self.inner.release();
    }

    /// Polls for the next message, as [`Stream::poll_next`] does, without the trait in scope. `None`: the channel is closed and
    /// there is nothing in it, and so it stays for this stream.
    ///
    /// # Panics
    ///
    /// If a waker does, of this task (cloned or dropped) or of the sender whose message is taken (woken): nothing is lost then.
    ///
    /// # Cancel safety
    ///
    /// After `Pending` the stream is parked, unless the task's budget has [refused](crate#yielding) it, and a message may be handed
    /// to it: see [`release`](Self::release).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{future::poll_fn, task::Poll};
    ///
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// let mut stream = rx.into_stream();
    /// tx.send(1).await?;
    /// assert_eq!(poll_fn(|cx| stream.poll_recv(cx)).await, Some(1));
    /// # Ok::<(), hchan::SendError<i32>>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "poll_item")]
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.inner.poll(cx)
    }

    /// The receiver that the stream receives with.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(8);
    /// let stream = rx.into_stream();
    /// tx.try_send(1).unwrap();
    /// assert_eq!(stream.receiver().len(), 1);
    /// ```
    pub fn receiver(&self) -> &Receiver<T> {
        &self.inner.receiver
    }

    /// Ends the stream and returns its receiver. A message that was handed to the stream is given back first.
    ///
    /// # Panics
    ///
    /// If the waker of the receiver that gets this message panics, or the stream's own does in its drop; the receiver is
    /// dropped then.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::StreamExt;
    ///
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// let mut stream = rx.into_stream();
    /// assert!(futures::poll!(stream.next()).is_pending());
    /// tx.try_send("handed to the stream").unwrap();
    ///
    /// let rx = stream.into_receiver();
    /// assert_eq!(rx.try_recv(), Ok("handed to the stream"));
    /// # });
    /// ```
    pub fn into_receiver(self) -> Receiver<T> {
        let Inner { op, receiver, .. } = self.inner;
        drop(op);
        receiver
    }
}

impl<T> Stream for IntoStream<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.inner.poll(cx)
    }
}

impl<T> FusedStream for IntoStream<T> {
    fn is_terminated(&self) -> bool {
        self.inner.ended
    }
}

/// A stream of the same channel that is not parked; of an ended stream, an ended one.
impl<T> Clone for IntoStream<T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
        }
    }
}

impl<T> fmt::Debug for IntoStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt("IntoStream", f)
    }
}

/// What a stream is, whether it owns its receiver or borrows it.
struct Inner<R, T> {
    // Before the handle, so that it gives its message back before the last handle drops what is in the channel.
    op: Option<Pin<Box<OwnedRecvOp<T>>>>,
    receiver: R,
    ended: bool,
    /// Where it was made.
    site: Site,
}

type OwnedRecvOp<T> = RecvOp<SharedChan<T>, T>;

impl<R: Borrow<Receiver<T>>, T> Inner<R, T> {
    fn new(receiver: R, site: Site) -> Self {
        Self {
            op: None,
            receiver,
            ended: false,
            site,
        }
    }

    fn release(&mut self) {
        if let Some(op) = &mut self.op {
            op.as_mut().cancel_and_return();
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let item = within_budget!(cx, if self.op.as_ref().is_none_or(|op| op.is_idle()) => {
            self.poll_op(cx)
        });
        self.ended = matches!(item, Poll::Ready(None));
        item
    }

    fn poll_op(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let (op, site) = (&mut self.op, self.site);
        if let Some(op) = op.as_mut().filter(|op| !op.is_idle()) {
            let received = op.as_mut().poll_slow(cx);
            return end(op, received);
        }
        // There is no channel if nothing ever happens on it.
        let Some(chan) = self.receiver.borrow().chan() else {
            return Poll::Pending;
        };
        chan.recv_fast(
            |message| Poll::Ready(Some(message)),
            |missed| poll_missed(op, chan, site, missed, cx),
        )
    }

    fn fmt(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("receiver", self.receiver.borrow())
            .field("terminated", &self.ended)
            .finish_non_exhaustive()
    }
}

/// Polls for the next message after a fast path without success; an operation that is there is idle.
#[inline(never)]
fn poll_missed<T>(
    op: &mut Option<Pin<Box<OwnedRecvOp<T>>>>,
    chan: &SharedChan<T>,
    site: Site,
    missed: Missed<'_, RecvSide>,
    cx: &mut Context<'_>,
) -> Poll<Option<T>> {
    if let Some(op) = op {
        let received = op.as_mut().poll_missed(missed, cx);
        return end(op, received);
    }
    // Without an operation yet, so that a stream that never parks never allocates.
    match chan.try_recv_missed(missed) {
        Ok(message) => return Poll::Ready(Some(message)),
        Err(TryRecvError::Closed) => return Poll::Ready(None),
        Err(TryRecvError::Empty) => {}
    }
    let op = op.insert(Box::pin(RecvOp::new(SharedChan::clone(chan), site)));
    let received = op.as_mut().poll_slow(cx);
    end(op, received)
}

/// Makes an operation that has completed ready for the next message.
fn end<T>(
    op: &mut Pin<Box<OwnedRecvOp<T>>>,
    received: Poll<Result<T, RecvError>>,
) -> Poll<Option<T>> {
    if received.is_ready() {
        op.as_mut().reset();
    }
    received.map(Result::ok)
}

impl<R: Clone, T> Clone for Inner<R, T> {
    fn clone(&self) -> Self {
        Self {
            op: None,
            receiver: self.receiver.clone(),
            ended: self.ended,
            site: self.site,
        }
    }
}
