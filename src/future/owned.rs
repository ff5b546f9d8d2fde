//! A send, a receive and a wait for the close that own their handle, and give it back.
//!
//! The handle comes first in what they return, as in what [`recv_any`](crate::recv_any) returns: whose result it is, then the
//! result. So `let (tx, sent) = tx.into_send(message).await` leaves `tx` what it was.

#![forbid(unsafe_code)]

use core::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};
#[cfg(feature = "std")]
use {
    crate::chan::SpinTarget,
    crate::thread::{wait, wait_deadline, wait_timeout},
    core::{pin::pin, time::Duration},
    std::time::Instant,
};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use crate::{
    chan::SharedChan,
    error::{RecvError, RecvTimeoutError, SendError, SendTimeoutError},
    future::Until,
    op::{BareOp, OpRef, RecvOp, SendOp},
    receiver::Receiver,
    select::AsOperation,
    sender::Sender,
    thread::{Limit, Wait},
    waiter::Kind,
};

pin_project! {
    /// A send of one message that owns its sender; made by [`Sender::into_send`].
    ///
    /// It returns the sender, and what a [`SendFuture`](crate::SendFuture) returns, and is as that in everything else.
    ///
    /// # Panics
    ///
    /// As for [`SendFuture`](crate::SendFuture).
    ///
    /// # Cancel safety
    ///
    /// As for [`SendFuture`](crate::SendFuture); the sender is dropped, too. To have both back, let it end by
    /// [`until`](Self::until) instead of dropping it.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// let mut sends = futures::stream::FuturesUnordered::new();
    /// sends.push(tx.clone().into_send(1));
    /// sends.push(tx.into_send(2));
    /// let receiving = std::thread::spawn(move || rx.iter_blocking().sum::<i32>());
    /// while let Some((_tx, sent)) = futures::StreamExt::next(&mut sends).await {
    ///     sent?;
    /// }
    /// assert_eq!(receiving.join().unwrap(), 3);
    /// # Ok::<(), hchan::SendError<i32>>(())
    /// # }).unwrap();
    /// ```
    #[must_use = "a future does nothing unless it is awaited: `.await` it in a task, call `.wait()` in a thread, or use `hchan::blocking`"]
    pub struct IntoSend<T> {
        // Before the handle: it leaves the channel, and drops its message, before the last handle closes it.
        #[pin]
        op: SendOp<SharedChan<T>, T>,
        sender: Option<Sender<T>>,
    }
}

pin_project! {
    /// A receive of one message that owns its receiver; made by [`Receiver::into_recv`].
    ///
    /// It returns the receiver, and what a [`RecvFuture`](crate::RecvFuture) returns, and is as that in everything else.
    ///
    /// # Panics
    ///
    /// As for [`RecvFuture`](crate::RecvFuture).
    ///
    /// # Cancel safety
    ///
    /// As for [`RecvFuture`](crate::RecvFuture); the receiver is dropped, too, after a message has been given back: it drops
    /// with the channel if that was the last receiver. To have the receiver back, let it end by [`until`](Self::until)
    /// instead of dropping it.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(0);
    /// let sending = std::thread::spawn(move || tx.send_blocking("hello"));
    ///
    /// // A struct can keep it: it borrows nothing.
    /// struct Waiting(std::pin::Pin<Box<hchan::IntoRecv<&'static str>>>);
    /// let waiting = Waiting(Box::pin(rx.into_recv()));
    ///
    /// let (rx, message) = waiting.0.await;
    /// assert_eq!(message, Ok("hello"));
    /// assert!(rx.recv().await.is_err());
    /// # sending.join().unwrap().unwrap();
    /// # });
    /// ```
    #[must_use = "a future does nothing unless it is awaited: `.await` it in a task, call `.wait()` in a thread, or use `hchan::blocking`"]
    pub struct IntoRecv<T> {
        // Before the handle, so that it gives its message back before the last handle drops what is in the channel. `None`
        // for the receiver on which nothing ever happens.
        #[pin]
        op: Option<RecvOp<SharedChan<T>, T>>,
        receiver: Option<Receiver<T>>,
    }
}

pin_project! {
    /// A wait for the close of a channel that owns its sender; made by [`Sender::into_closed`].
    ///
    /// It returns the sender. In everything else it is a [`ClosedFuture`](crate::ClosedFuture).
    ///
    /// # Panics
    ///
    /// As for [`ClosedFuture`](crate::ClosedFuture).
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops its sender, and has no other effect on the channel.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// // A struct can keep it: it borrows nothing.
    /// struct Watch(std::pin::Pin<Box<hchan::IntoClosed<u8>>>);
    ///
    /// let (tx, rx) = hchan::bounded(1);
    /// let watch = Watch(Box::pin(tx.into_closed()));
    /// drop(rx);
    /// let tx = watch.0.await;
    /// assert_eq!(tx.receiver_count(), 0);
    /// # });
    /// ```
    #[must_use = "a future does nothing unless it is awaited: `.await` it in a task, call `.wait()` in a thread, or use `hchan::blocking`"]
    pub struct IntoClosed<T> {
        // Before the handle: it leaves the channel before the last sender closes it.
        #[pin]
        op: BareOp<SharedChan<T>, T>,
        sender: Option<Sender<T>>,
    }
}

impl<T> IntoSend<T> {
    pub(crate) fn new(sender: Sender<T>, message: T) -> Self {
        Self {
            op: SendOp::new(SharedChan::clone(sender.chan()), message),
            sender: Some(sender),
        }
    }

    /// The sender that it owns; `None` once it has returned it.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(8);
    /// let future = tx.into_send(1);
    /// assert_eq!(future.sender().unwrap().capacity(), Some(8));
    /// # drop(rx);
    /// ```
    pub fn sender(&self) -> Option<&Sender<T>> {
        self.sender.as_ref()
    }

    /// Gives up when `stop`, any future, completes; the sender is returned then, too.
    ///
    /// A `stop` that is complete at the first poll wins before anything was done. Later, if the message has been taken, it is
    /// sent, even if `stop` has completed, too.
    ///
    /// # Errors
    ///
    /// [`SendTimeoutError`], with the message. With `Timeout` it has not been sent and will not be.
    ///
    /// # Cancel safety
    ///
    /// As for the send itself: a caller that drops it cannot tell whether the message was sent. Where `stop` ends it, the
    /// result tells.
    ///
    /// # Examples
    ///
    /// ```
    /// use hchan::SendTimeoutError;
    ///
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// let (tx, sent) = tx.into_send(1).until(std::future::ready(())).await;
    /// assert_eq!(sent, Err(SendTimeoutError::Timeout(1)));
    /// assert_eq!((tx.try_send(2), rx.try_recv()), (Ok(()), Ok(2)));
    /// # });
    /// ```
    pub fn until<S: IntoFuture>(self, stop: S) -> Until<Self, S::IntoFuture> {
        Until::new(self, stop.into_future())
    }
}

#[cfg(feature = "std")]
impl<T> IntoSend<T> {
    /// Blocks the thread until the message is sent, and returns the sender.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the message, if the channel is or gets closed.
    ///
    /// # Blocking
    ///
    /// Not for use in a task: it would block the executor's thread, too.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// let (_tx, sent) = tx.into_send(1).wait();
    /// sent?;
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// # Ok::<(), hchan::SendError<i32>>(())
    /// ```
    pub fn wait(self) -> (Sender<T>, Result<(), SendError<T>>) {
        wait(pin!(self))
    }

    /// Blocks the thread until the message is sent or `timeout` has passed, and returns the sender; tries at least once.
    /// `Duration::MAX` means for ever.
    ///
    /// # Errors
    ///
    /// [`SendTimeoutError`], with the message. With `Timeout` it has not been sent and will not be.
    ///
    /// # Blocking
    ///
    /// Not for use in a task: it would block the executor's thread, too.
    ///
    /// # Examples
    ///
    /// ```
    /// use hchan::SendTimeoutError;
    /// use std::time::Duration;
    ///
    /// let (tx, _rx) = hchan::bounded(0);
    /// let (_tx, sent) = tx.into_send(1).wait_timeout(Duration::from_millis(1));
    /// assert_eq!(sent, Err(SendTimeoutError::Timeout(1)));
    /// ```
    pub fn wait_timeout(self, timeout: Duration) -> (Sender<T>, Result<(), SendTimeoutError<T>>) {
        wait_timeout(pin!(self), timeout)
    }

    /// Blocks the thread until the message is sent or `deadline` has come, and returns the sender; tries at least once.
    ///
    /// # Errors
    ///
    /// [`SendTimeoutError`], with the message. With `Timeout` it has not been sent and will not be.
    ///
    /// # Blocking
    ///
    /// Not for use in a task: it would block the executor's thread, too.
    ///
    /// # Examples
    ///
    /// ```
    /// use hchan::SendTimeoutError;
    /// use std::time::{Duration, Instant};
    ///
    /// let (tx, _rx) = hchan::bounded(0);
    /// let soon = Instant::now() + Duration::from_millis(1);
    /// let (_tx, sent) = tx.into_send(1).wait_deadline(soon);
    /// assert_eq!(sent, Err(SendTimeoutError::Timeout(1)));
    /// ```
    pub fn wait_deadline(self, deadline: Instant) -> (Sender<T>, Result<(), SendTimeoutError<T>>) {
        wait_deadline(pin!(self), deadline)
    }
}

impl<T> IntoRecv<T> {
    pub(crate) fn new(receiver: Receiver<T>) -> Self {
        Self {
            op: receiver.chan().cloned().map(RecvOp::new),
            receiver: Some(receiver),
        }
    }

    /// The receiver that it owns; `None` once it has returned it.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded::<u8>(8);
    /// let future = rx.into_recv();
    /// assert_eq!(future.receiver().unwrap().capacity(), Some(8));
    /// # drop(tx);
    /// ```
    pub fn receiver(&self) -> Option<&Receiver<T>> {
        self.receiver.as_ref()
    }

    /// Gives up when `stop`, any future, completes; the receiver is returned then, too.
    ///
    /// A `stop` that is complete at the first poll wins before anything was done. Later, if there is a message, it is
    /// received, even if `stop` has completed, too.
    ///
    /// # Errors
    ///
    /// [`RecvTimeoutError`]. With `Timeout` no message has been taken.
    ///
    /// # Cancel safety
    ///
    /// As for the receive itself: the receiver is dropped with it.
    ///
    /// # Examples
    ///
    /// ```
    /// use hchan::RecvTimeoutError;
    ///
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// tx.try_send(1).unwrap();
    /// let (rx, message) = rx.into_recv().until(std::future::ready(())).await;
    /// assert_eq!(message, Err(RecvTimeoutError::Timeout));
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// # });
    /// ```
    pub fn until<S: IntoFuture>(self, stop: S) -> Until<Self, S::IntoFuture> {
        Until::new(self, stop.into_future())
    }
}

#[cfg(feature = "std")]
impl<T> IntoRecv<T> {
    /// Blocks the thread until there is a message, and returns the receiver.
    ///
    /// # Errors
    ///
    /// [`RecvError`], if the channel is or gets closed and there is nothing in it.
    ///
    /// # Blocking
    ///
    /// Not for use in a task: it would block the executor's thread, too.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(0);
    /// let sending = std::thread::spawn(move || tx.into_send(7).wait().1);
    /// let (_rx, message) = rx.into_recv().wait();
    /// assert_eq!(message, Ok(7));
    /// sending.join().unwrap().unwrap();
    /// ```
    pub fn wait(self) -> (Receiver<T>, Result<T, RecvError>) {
        wait(pin!(self))
    }

    /// Blocks the thread until there is a message or `timeout` has passed, and returns the receiver; tries at least once.
    /// `Duration::MAX` means for ever.
    ///
    /// # Errors
    ///
    /// [`RecvTimeoutError`]. With `Timeout` no message has been taken.
    ///
    /// # Blocking
    ///
    /// Not for use in a task: it would block the executor's thread, too.
    ///
    /// # Examples
    ///
    /// ```
    /// use hchan::RecvTimeoutError;
    /// use std::time::Duration;
    ///
    /// let (_tx, rx) = hchan::bounded::<u8>(1);
    /// let (_rx, message) = rx.into_recv().wait_timeout(Duration::from_millis(1));
    /// assert_eq!(message, Err(RecvTimeoutError::Timeout));
    /// ```
    pub fn wait_timeout(self, timeout: Duration) -> (Receiver<T>, Result<T, RecvTimeoutError>) {
        wait_timeout(pin!(self), timeout)
    }

    /// Blocks the thread until there is a message or `deadline` has come, and returns the receiver; tries at least once.
    ///
    /// # Errors
    ///
    /// [`RecvTimeoutError`]. With `Timeout` no message has been taken.
    ///
    /// # Blocking
    ///
    /// Not for use in a task: it would block the executor's thread, too.
    ///
    /// # Examples
    ///
    /// ```
    /// use hchan::RecvTimeoutError;
    /// use std::time::{Duration, Instant};
    ///
    /// let (_tx, rx) = hchan::bounded::<u8>(1);
    /// let soon = Instant::now() + Duration::from_millis(1);
    /// let (_rx, message) = rx.into_recv().wait_deadline(soon);
    /// assert_eq!(message, Err(RecvTimeoutError::Timeout));
    /// ```
    pub fn wait_deadline(self, deadline: Instant) -> (Receiver<T>, Result<T, RecvTimeoutError>) {
        wait_deadline(pin!(self), deadline)
    }
}

impl<T> IntoClosed<T> {
    pub(crate) fn new(sender: Sender<T>) -> Self {
        Self {
            op: BareOp::new(SharedChan::clone(sender.chan()), Kind::Closed),
            sender: Some(sender),
        }
    }

    /// The sender that it owns; `None` once it has returned it.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded::<u8>(8);
    /// let future = tx.into_closed();
    /// assert_eq!(future.sender().unwrap().capacity(), Some(8));
    /// # drop(rx);
    /// ```
    pub fn sender(&self) -> Option<&Sender<T>> {
        self.sender.as_ref()
    }

    /// Gives up when `stop`, any future, completes; the sender is returned then, too. `true`: the channel is closed.
    ///
    /// A `stop` that is complete at the first poll wins before anything was done. Later, the close wins a tie.
    ///
    /// # Cancel safety
    ///
    /// As for the future itself: the sender is dropped with it.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, _rx) = hchan::bounded::<u8>(1);
    /// let (tx, is_closed) = tx.into_closed().until(std::future::ready(())).await;
    /// assert_eq!((is_closed, tx.close()), (false, true));
    /// # });
    /// ```
    pub fn until<S: IntoFuture>(self, stop: S) -> Until<Self, S::IntoFuture> {
        Until::new(self, stop.into_future())
    }
}

#[cfg(feature = "std")]
impl<T> IntoClosed<T> {
    /// Blocks the thread until the channel is closed, and returns the sender.
    ///
    /// # Blocking
    ///
    /// Not for use in a task: it would stall the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded::<u8>(1);
    /// std::thread::spawn(move || drop(rx));
    /// assert!(tx.into_closed().wait().is_closed());
    /// ```
    pub fn wait(self) -> Sender<T> {
        wait(pin!(self))
    }

    /// As [`wait`](Self::wait), for no longer than `timeout`; tries at least once. `Duration::MAX` means for ever.
    /// `true`: the channel is closed.
    ///
    /// # Blocking
    ///
    /// Not for use in a task: it would stall the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (tx, _rx) = hchan::bounded::<u8>(1);
    /// let (_tx, is_closed) = tx.into_closed().wait_timeout(Duration::from_millis(1));
    /// assert!(!is_closed);
    /// ```
    pub fn wait_timeout(self, timeout: Duration) -> (Sender<T>, bool) {
        wait_timeout(pin!(self), timeout)
    }

    /// As [`wait`](Self::wait), until `deadline` at most; tries at least once. `true`: the channel is closed.
    ///
    /// # Blocking
    ///
    /// Not for use in a task: it would stall the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let (tx, _rx) = hchan::bounded::<u8>(1);
    /// let soon = Instant::now() + Duration::from_millis(1);
    /// let (_tx, is_closed) = tx.into_closed().wait_deadline(soon);
    /// assert!(!is_closed);
    /// ```
    pub fn wait_deadline(self, deadline: Instant) -> (Sender<T>, bool) {
        wait_deadline(pin!(self), deadline)
    }
}

/// Gives the handle back with the result; once, as an operation ends once.
fn give_back<H, R>(handle: &mut Option<H>, result: R) -> (H, R) {
    let handle = handle.take();
    (handle.expect("it has its handle until it ends"), result)
}

impl<T> Future for IntoSend<T> {
    type Output = (Sender<T>, Result<(), SendError<T>>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let sent = this.op.poll(cx);
        sent.map(|sent| give_back(this.sender, sent))
    }
}

impl<T> Future for IntoRecv<T> {
    type Output = (Receiver<T>, Result<T, RecvError>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(op) = this.op.as_pin_mut() else {
            return Poll::Pending;
        };
        let received = op.poll(cx);
        received.map(|received| give_back(this.receiver, received))
    }
}

impl<T> Future for IntoClosed<T> {
    type Output = Sender<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Sender<T>> {
        let this = self.project();
        let closed = this.op.poll(cx);
        closed.map(|_| give_back(this.sender, ()).0)
    }
}

impl<T> FusedFuture for IntoSend<T> {
    fn is_terminated(&self) -> bool {
        self.op.is_finished()
    }
}

impl<T> FusedFuture for IntoRecv<T> {
    fn is_terminated(&self) -> bool {
        self.op.as_ref().is_some_and(RecvOp::is_finished)
    }
}

impl<T> FusedFuture for IntoClosed<T> {
    fn is_terminated(&self) -> bool {
        self.op.is_finished()
    }
}

impl<T> Limit for IntoSend<T> {
    type Limited = (Sender<T>, Result<(), SendTimeoutError<T>>);
}

impl<T> Wait for IntoSend<T> {
    fn attempt(self: Pin<&mut Self>) -> Option<Self::Output> {
        let this = self.project();
        let sent = this.op.attempt()?;
        Some(give_back(this.sender, sent))
    }

    #[cfg(feature = "std")]
    fn spin_target(self: Pin<&Self>) -> Option<SpinTarget<'_>> {
        Some(self.project_ref().op.erased().spin_target())
    }

    fn cancel(self: Pin<&mut Self>) -> Option<Self::Output> {
        let this = self.project();
        let sent = this.op.cancel()?;
        Some(give_back(this.sender, sent))
    }

    fn limited(self: Pin<&mut Self>, output: Option<Self::Output>) -> Self::Limited {
        match output {
            Some((sender, sent)) => (sender, sent.map_err(SendTimeoutError::from)),
            None => {
                let this = self.project();
                let message = this.op.take_unsent();
                let message = message.expect("a send that did not happen has its message");
                give_back(this.sender, Err(SendTimeoutError::Timeout(message)))
            }
        }
    }
}

impl<T> Limit for IntoRecv<T> {
    type Limited = (Receiver<T>, Result<T, RecvTimeoutError>);
}

impl<T> Wait for IntoRecv<T> {
    fn attempt(self: Pin<&mut Self>) -> Option<Self::Output> {
        let this = self.project();
        let received = this.op.as_pin_mut()?.attempt()?;
        Some(give_back(this.receiver, received))
    }

    #[cfg(feature = "std")]
    fn spin_target(self: Pin<&Self>) -> Option<SpinTarget<'_>> {
        Some(self.project_ref().op.as_pin_ref()?.erased().spin_target())
    }

    fn cancel(self: Pin<&mut Self>) -> Option<Self::Output> {
        let this = self.project();
        let received = this.op.as_pin_mut()?.cancel()?;
        Some(give_back(this.receiver, received))
    }

    fn limited(self: Pin<&mut Self>, output: Option<Self::Output>) -> Self::Limited {
        match output {
            Some((receiver, received)) => (receiver, received.map_err(RecvTimeoutError::from)),
            None => give_back(self.project().receiver, Err(RecvTimeoutError::Timeout)),
        }
    }
}

impl<T> Limit for IntoClosed<T> {
    type Limited = (Sender<T>, bool);
}

impl<T> Wait for IntoClosed<T> {
    fn attempt(self: Pin<&mut Self>) -> Option<Sender<T>> {
        let this = self.project();
        let _closed = this.op.attempt()?;
        Some(give_back(this.sender, ()).0)
    }

    fn cancel(self: Pin<&mut Self>) -> Option<Sender<T>> {
        let this = self.project();
        let _closed = this.op.cancel()?;
        Some(give_back(this.sender, ()).0)
    }

    fn limited(self: Pin<&mut Self>, output: Option<Sender<T>>) -> (Sender<T>, bool) {
        match output {
            Some(sender) => (sender, true),
            None => give_back(self.project().sender, false),
        }
    }
}

impl<T> AsOperation for IntoSend<T> {
    fn operation(self: Pin<&mut Self>) -> Option<OpRef<'_>> {
        Some(self.into_ref().project_ref().op.erased())
    }
}

impl<T> AsOperation for IntoRecv<T> {
    fn operation(self: Pin<&mut Self>) -> Option<OpRef<'_>> {
        Some(self.into_ref().project_ref().op.as_pin_ref()?.erased())
    }
}

impl<T> fmt::Debug for IntoSend<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntoSend")
            .field("terminated", &self.is_terminated())
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for IntoClosed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntoClosed")
            .field("terminated", &self.is_terminated())
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for IntoRecv<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntoRecv")
            .field("terminated", &self.is_terminated())
            .finish_non_exhaustive()
    }
}
