//! A sender as a sink.

#![forbid(unsafe_code)]

use alloc::boxed::Box;
use core::{
    borrow::Borrow,
    fmt, mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_sink::Sink;

use crate::{
    chan::{ReserveOutcome, SharedChan},
    coop::within_budget,
    error::SendError,
    op::BareOp,
    probe::Site,
    sender::Sender,
    waiter::Kind,
};

/// A sender as a [`Sink`]; made by [`Sender::sink`].
///
/// [`IntoSink`] is the same with a sender of its own.
///
/// It is ready when it holds a permit (see [`Permit`](crate::Permit)), which the next message uses. So a sink fills the channel
/// beyond its capacity only if the permit counted on a receiver that has left since, and it waits in one line with the sends.
/// What it has been given is in the channel at once: there is nothing to flush. At capacity 0, too, `send` of a sink does not wait
/// until a receiver has the message.
///
/// Closing it (`close`, and `forward` when its stream ends) gives its sender and its permit up. It never closes the channel,
/// unless that was the last sender.
///
/// A sink that is ready keeps its permit until it is used, closed or dropped: do not keep one unused while others wait for
/// room, the same task among them (see [what a permit holds up](crate::Permit#what-a-permit-holds-up)):
/// [`release`](Self::release) gives it up. The same holds for a sink that was polled and not ready, as it may be granted a permit
/// at any time. A clone starts without a permit: services that are polled for readiness, cloned and called, as tower's are, work.
///
/// It is `Unpin`. It allocates once in its life, when it has to wait for the first time.
///
/// # Errors
///
/// [`SendError`] with the message, from `start_send`, if the channel is closed; without one, from `poll_ready`, if the channel or
/// the sink is.
///
/// `send`, `feed` and `send_all` of [`SinkExt`](https://docs.rs/futures/latest/futures/sink/trait.SinkExt.html), and `forward`,
/// own the item while they wait until the sink is ready. If it never will be, because the channel is closed, they drop the item
/// and return an error without it. Where an item must not be lost, use [`Sender::send`], whose error has the message;
/// [`Sender::send_from`], which leaves it in its `Option`; [`Sender::reserve`], which takes the message only once there is
/// room; or wait until `poll_ready` has returned `Ready(Ok(()))` and call `start_send`, whose error has the message.
///
/// # Panics
///
/// `start_send` panics if it does not come after a `poll_ready` that returned `Ready(Ok(()))`. It also panics if the waker of
/// the receiver that gets the message does; the message is sent then.
///
/// # Cancel safety
///
/// Dropping a future that borrows the sink (`send`, `feed`) before it has completed drops its message, unless that was sent. The
/// sink keeps its place in the line, or its permit.
///
/// # Examples
///
/// ```
/// use futures::{SinkExt, StreamExt, stream};
///
/// # futures::executor::block_on(async {
/// let (tx, rx) = hchan::bounded(1);
/// let forwarding = stream::iter(1..=3).map(Ok).forward(tx.into_sink());
/// let receiving = rx.stream().collect::<Vec<_>>();
/// let (forwarded, received) = futures::join!(forwarding, receiving);
/// forwarded.unwrap();
/// assert_eq!(received, [1, 2, 3]);
/// # });
/// ```
#[must_use = "sinks do nothing unless polled"]
pub struct SendSink<'a, T> {
    inner: Inner<&'a Sender<T>, T>,
}

impl<'a, T> SendSink<'a, T> {
    pub(crate) fn new(sender: &'a Sender<T>, site: Site) -> Self {
        Self {
            inner: Inner::new(Some(sender), site),
        }
    }

    /// Polls for a permit, as [`Sink::poll_ready`] does, without the trait in scope. A sink that has one is ready at once.
    ///
    /// # Errors
    ///
    /// [`SendError`], if the channel or the sink is closed. A sink that had its permit before the channel closed is ready, and
    /// the send fails.
    ///
    /// # Panics
    ///
    /// If a waker of this task does (cloned or dropped): no permit is lost then.
    ///
    /// # Cancel safety
    ///
    /// After `Pending` the sink is parked, unless the task's budget has [refused](crate#yielding) it, and it may be given a permit:
    /// see [`release`](Self::release).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::future::poll_fn;
    ///
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// let mut sink = tx.sink();
    /// poll_fn(|cx| sink.poll_reserve(cx)).await?;
    /// sink.send_item(1).unwrap();
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// # Ok::<(), hchan::SendError<()>>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "poll_send")]
    pub fn poll_reserve(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError<()>>> {
        self.inner.poll_reserve(cx)
    }

    /// Sends a message with the permit that the sink has, as [`Sink::start_send`] does, without the trait in scope.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the message, if the channel is closed.
    ///
    /// # Panics
    ///
    /// If it does not come after a [`poll_reserve`](Self::poll_reserve) that returned `Ready(Ok(()))`. Also if the waker of the
    /// receiver that gets the message panics; the message is sent then.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::future::poll_fn;
    ///
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// let mut sink = tx.sink();
    /// poll_fn(|cx| sink.poll_reserve(cx)).await?;
    /// rx.close();
    /// assert_eq!(sink.send_item(1), Err(hchan::SendError(1)));
    /// # Ok::<(), hchan::SendError<()>>(())
    /// # }).unwrap();
    /// ```
    pub fn send_item(&mut self, message: T) -> Result<(), SendError<T>> {
        self.inner.send(message)
    }

    /// Leaves the line, and gives the permit up if the sink has one: to the sender that has waited longest.
    ///
    /// # Panics
    ///
    /// If the waker of that sender panics.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::future::poll_fn;
    ///
    /// # futures::executor::block_on(async {
    /// let (tx, _rx) = hchan::bounded(1);
    /// let mut sink = tx.sink();
    /// poll_fn(|cx| sink.poll_reserve(cx)).await?;
    /// assert!(tx.try_send(1).is_err());
    /// sink.release();
    /// assert!(tx.try_send(1).is_ok());
    /// # Ok::<(), hchan::SendError<()>>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "abort_send")]
    pub fn release(&mut self) {
        self.inner.release();
    }

    /// The sender that the sink sends with; `None` once the sink is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::bounded::<u8>(8);
    /// let sink = tx.sink();
    /// assert_eq!(sink.sender().unwrap().capacity(), Some(8));
    /// ```
    #[doc(alias = "get_ref")]
    pub fn sender(&self) -> Option<&'a Sender<T>> {
        self.inner.sender
    }
}

impl<T> Sink<T> for SendSink<'_, T> {
    type Error = SendError<Option<T>>;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let ready = self.inner.poll_reserve(cx);
        ready.map_err(|SendError(())| SendError(None))
    }

    fn start_send(mut self: Pin<&mut Self>, message: T) -> Result<(), Self::Error> {
        let sent = self.inner.send(message);
        sent.map_err(|SendError(message)| SendError(Some(message)))
    }

    /// Always ready: what was sent is in the channel.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    /// Always ready: gives up the permit and the sender.
    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.close();
        Poll::Ready(Ok(()))
    }
}

/// A sink of the same channel, without a permit; of a closed sink, a closed one.
impl<T> Clone for SendSink<'_, T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
        }
    }
}

impl<T> fmt::Debug for SendSink<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt("SendSink", f)
    }
}

/// A sender as a [`Sink`] that owns it; made by [`Sender::into_sink`].
///
/// It borrows nothing and asks nothing of `T`. In everything else it is a [`SendSink`]; what that says of errors, panics and
/// cancel safety holds here, too.
///
/// # Examples
///
/// ```
/// use futures::{SinkExt, StreamExt, stream};
///
/// # futures::executor::block_on(async {
/// let text = String::from("messages may borrow");
/// let (tx, rx) = hchan::unbounded();
/// stream::iter(text.split(' ')).map(Ok).forward(tx.into_sink()).await.unwrap();
/// assert_eq!(rx.drain().collect::<Vec<&str>>(), ["messages", "may", "borrow"]);
/// # });
/// ```
#[doc(alias = "PollSender")]
#[doc(alias = "AsyncSink")]
#[must_use = "sinks do nothing unless polled"]
pub struct IntoSink<T> {
    inner: Inner<Sender<T>, T>,
}

impl<T> IntoSink<T> {
    pub(crate) fn new(sender: Sender<T>, site: Site) -> Self {
        Self {
            inner: Inner::new(Some(sender), site),
        }
    }

    /// Polls for a permit, as [`Sink::poll_ready`] does, without the trait in scope. A sink that has one is ready at once.
    ///
    /// # Errors
    ///
    /// [`SendError`], if the channel or the sink is closed. A sink that had its permit before the channel closed is ready, and
    /// the send fails.
    ///
    /// # Panics
    ///
    /// If a waker of this task does (cloned or dropped): no permit is lost then.
    ///
    /// # Cancel safety
    ///
    /// After `Pending` the sink is parked, unless the task's budget has [refused](crate#yielding) it, and it may be given a permit:
    /// see [`release`](Self::release).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::future::poll_fn;
    ///
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// let mut sink = tx.clone().into_sink();
    /// poll_fn(|cx| sink.poll_reserve(cx)).await?;
    /// sink.send_item(1).unwrap();
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// # Ok::<(), hchan::SendError<()>>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "poll_send")]
    pub fn poll_reserve(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError<()>>> {
        self.inner.poll_reserve(cx)
    }

    /// Sends a message with the permit that the sink has, as [`Sink::start_send`] does, without the trait in scope.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the message, if the channel is closed.
    ///
    /// # Panics
    ///
    /// If it does not come after a [`poll_reserve`](Self::poll_reserve) that returned `Ready(Ok(()))`. Also if the waker of the
    /// receiver that gets the message panics; the message is sent then.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::future::poll_fn;
    ///
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// let mut sink = tx.clone().into_sink();
    /// poll_fn(|cx| sink.poll_reserve(cx)).await?;
    /// rx.close();
    /// assert_eq!(sink.send_item(1), Err(hchan::SendError(1)));
    /// # Ok::<(), hchan::SendError<()>>(())
    /// # }).unwrap();
    /// ```
    pub fn send_item(&mut self, message: T) -> Result<(), SendError<T>> {
        self.inner.send(message)
    }

    /// Leaves the line, and gives the permit up if the sink has one: to the sender that has waited longest.
    ///
    /// # Panics
    ///
    /// If the waker of that sender panics.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::future::poll_fn;
    ///
    /// # futures::executor::block_on(async {
    /// let (tx, _rx) = hchan::bounded(1);
    /// let mut sink = tx.clone().into_sink();
    /// poll_fn(|cx| sink.poll_reserve(cx)).await?;
    /// assert!(tx.try_send(1).is_err());
    /// sink.release();
    /// assert!(tx.try_send(1).is_ok());
    /// # Ok::<(), hchan::SendError<()>>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "abort_send")]
    pub fn release(&mut self) {
        self.inner.release();
    }

    /// The sender that the sink sends with; `None` once the sink is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::bounded::<u8>(8);
    /// let sink = tx.into_sink();
    /// assert_eq!(sink.sender().unwrap().capacity(), Some(8));
    /// ```
    #[doc(alias = "get_ref")]
    pub fn sender(&self) -> Option<&Sender<T>> {
        self.inner.sender.as_ref()
    }

    /// Ends the sink and returns its sender; `None` if the sink is closed. The sink gives up its place in the line, or its
    /// permit.
    ///
    /// # Panics
    ///
    /// If the waker of the sender that gets the place panics, or the sink's own does in its drop; the sender is dropped then.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::bounded::<u8>(8);
    /// let sink = tx.into_sink();
    /// let tx = sink.into_sender().unwrap();
    /// assert_eq!(tx.sender_count(), 1);
    /// ```
    pub fn into_sender(mut self) -> Option<Sender<T>> {
        self.inner.close()
    }
}

impl<T> Sink<T> for IntoSink<T> {
    type Error = SendError<Option<T>>;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let ready = self.inner.poll_reserve(cx);
        ready.map_err(|SendError(())| SendError(None))
    }

    fn start_send(mut self: Pin<&mut Self>, message: T) -> Result<(), Self::Error> {
        let sent = self.inner.send(message);
        sent.map_err(|SendError(message)| SendError(Some(message)))
    }

    /// Always ready: what was sent is in the channel.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    /// Always ready: gives up the permit and the sender.
    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.close();
        Poll::Ready(Ok(()))
    }
}

/// A sink of the same channel, without a permit; of a closed sink, a closed one.
impl<T> Clone for IntoSink<T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
        }
    }
}

impl<T> fmt::Debug for IntoSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt("IntoSink", f)
    }
}

/// What a sink is, whether it owns its sender or borrows it.
struct Inner<S: Borrow<Sender<T>>, T> {
    op: Option<Pin<Box<OwnedBareOp<T>>>>,
    has_permit: bool,
    /// `None` once the sink is closed.
    sender: Option<S>,
    /// Where it was made.
    site: Site,
}

type OwnedBareOp<T> = BareOp<SharedChan<T>, T>;

impl<S: Borrow<Sender<T>>, T> Inner<S, T> {
    fn new(sender: Option<S>, site: Site) -> Self {
        Self {
            op: None,
            has_permit: false,
            sender,
            site,
        }
    }

    fn chan(&self) -> Option<&SharedChan<T>> {
        self.sender.as_ref().map(|sender| sender.borrow().chan())
    }

    fn poll_reserve(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError<()>>> {
        if self.has_permit {
            return Poll::Ready(Ok(()));
        }
        within_budget!(cx, if self.op.as_ref().is_none_or(|op| op.is_idle()) => {
            self.poll_op(cx)
        })
    }

    fn poll_op(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError<()>>> {
        let Some(sender) = &self.sender else {
            return Poll::Ready(Err(SendError(())));
        };
        let chan = sender.borrow().chan();
        if self.op.is_none() {
            // Without an operation yet, so that a sink that never waits never allocates.
            match chan.reserve() {
                ReserveOutcome::Reserved => {
                    self.has_permit = true;
                    return Poll::Ready(Ok(()));
                }
                ReserveOutcome::Closed => return Poll::Ready(Err(SendError(()))),
                ReserveOutcome::Full => {}
            }
        }
        let op = self.op.get_or_insert_with(|| {
            let chan = SharedChan::clone(chan);
            Box::pin(BareOp::new(chan, Kind::Reserve, self.site))
        });
        let reserved = ready!(op.as_mut().poll(cx));
        op.as_mut().reset();
        self.has_permit = reserved.is_ok();
        Poll::Ready(reserved)
    }

    fn send(&mut self, message: T) -> Result<(), SendError<T>> {
        assert!(
            mem::take(&mut self.has_permit),
            "a send comes after `poll_ready` or `poll_reserve` has said that the sink is ready"
        );
        let chan = self.chan().expect("a closed sink has no permit");
        chan.send_permitted(message)
    }

    /// Leaves the line, and gives up the permit if it has one.
    fn release(&mut self) {
        if let Some(op) = &mut self.op {
            op.as_mut().cancel_and_return();
        }
        if let (true, Some(chan)) = (mem::take(&mut self.has_permit), self.chan()) {
            chan.release_permit();
        }
    }

    /// Gives up everything; returns the sender, if it still had one.
    fn close(&mut self) -> Option<S> {
        self.release();
        self.op = None;
        self.sender.take()
    }

    fn fmt(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("closed", &self.sender.is_none())
            .field("has_permit", &self.has_permit)
            .finish_non_exhaustive()
    }
}

/// Without a permit.
impl<S: Borrow<Sender<T>> + Clone, T> Clone for Inner<S, T> {
    fn clone(&self) -> Self {
        Self::new(self.sender.clone(), self.site)
    }
}

/// Gives up its place in the line, or its permit. Panics if a waker does, unless the thread is panicking already.
impl<S: Borrow<Sender<T>>, T> Drop for Inner<S, T> {
    fn drop(&mut self) {
        self.release();
    }
}
