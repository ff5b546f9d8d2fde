//! A send, a receive and a wait for the close that own their handle, and give it back.
//!
//! The handle comes first in what they return, as in what [`recv_any`](crate::recv_any) returns: whose result it is, then the
//! result. So `let (tx, sent) = tx.into_send(message).await` leaves `tx` what it was.

#![forbid(unsafe_code)]

use core::{
    pin::Pin,
    task::{Context, Poll},
};
#[cfg(feature = "std")]
use std::time::Instant;

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use super::surface::surface;
use crate::{
    chan::SharedChan,
    coop::within_budget,
    error::{RecvError, RecvTimeoutError, SendError, SendTimeoutError},
    op::{BareOp, OpRef, Polled, RecvOp, SendOp},
    probe::Site,
    receiver::Receiver,
    select::AsOperation,
    sender::Sender,
    thread::Wait,
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
    pub(crate) fn new(sender: Sender<T>, message: T, site: Site) -> Self {
        Self {
            op: SendOp::new(SharedChan::clone(sender.chan()), message, site),
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

    /// Takes the sender and the result, if the send has happened already; `None` if it has not, or if they were taken before.
    ///
    /// [`Select`](crate::Select) tells which of its arms has happened, and this is how a thread gets what that arm has come to. It
    /// never waits, parks or panics. `Some` counts as `Ready`, so the future is terminated then; `None` changes nothing.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the message, if the channel was closed.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::pin::pin;
    ///
    /// let (tx, rx) = hchan::bounded(1);
    /// let mut send = pin!(tx.into_send("hello"));
    /// let mut select = hchan::Select::new();
    /// select.arm(send.as_mut());
    /// assert_eq!(select.try_now(), Some(0));
    /// let (_tx, sent) = send.take_output().expect("it has happened");
    /// assert_eq!((sent, rx.try_recv()), (Ok(()), Ok("hello")));
    /// ```
    #[allow(
        clippy::type_complexity,
        reason = "an alias would have to be looked up"
    )]
    pub fn take_output(self: Pin<&mut Self>) -> Option<(Sender<T>, Result<(), SendError<T>>)> {
        let mut this = self.project();
        let polled = this.op.as_mut().take_output();
        let sent = this.op.output(polled)?;
        Some((handle(this.sender), sent))
    }
}

surface! {
    impl[T] IntoSend<T>;
    until "the message is sent";
    output (Sender<T>, Result<(), SendError<T>>),
        "Beside the sender, [`SendError`] with the message, if the channel is or gets closed.";
    limited (Sender<T>, Result<(), SendTimeoutError<T>>),
        "Beside the sender, [`SendTimeoutError`], with the message. With `Timeout` it has not been sent and will not be.";
    until;
    wait "let (tx, rx) = hchan::bounded(1);
let (_tx, sent) = tx.into_send(1).wait();
sent?;
assert_eq!(rx.try_recv(), Ok(1));
# Ok::<(), hchan::SendError<i32>>(())";
    wait_timeout;
    wait_deadline;
    gives_up "let (tx, _rx) = hchan::bounded(0);",
        "let (_tx, sent) = tx.into_send(1)", ";
assert_eq!(sent, Err(hchan::SendTimeoutError::Timeout(1)));";
}

impl<T> IntoRecv<T> {
    pub(crate) fn new(receiver: Receiver<T>, site: Site) -> Self {
        let chan = receiver.chan().cloned();
        Self {
            op: chan.map(|chan| RecvOp::new(chan, site)),
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

    /// Takes the receiver and the result, if the receive has happened already; `None` if it has not, or if they were taken before.
    ///
    /// [`Select`](crate::Select) tells which of its arms has happened, and this is how a thread gets what that arm has come to. It
    /// never waits, parks or panics. `Some` counts as `Ready`, so the future is terminated then; `None` changes nothing.
    ///
    /// # Errors
    ///
    /// [`RecvError`], if the channel was closed and there was nothing in it.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::pin::pin;
    ///
    /// let (tx, rx) = hchan::bounded(1);
    /// tx.try_send("hello").unwrap();
    /// let mut receive = pin!(rx.into_recv());
    /// let mut select = hchan::Select::new();
    /// select.arm(receive.as_mut());
    /// assert_eq!(select.try_now(), Some(0));
    /// let (_rx, message) = receive.take_output().expect("it has happened");
    /// assert_eq!(message, Ok("hello"));
    /// ```
    pub fn take_output(self: Pin<&mut Self>) -> Option<(Receiver<T>, Result<T, RecvError>)> {
        let this = self.project();
        let received = this.op.as_pin_mut()?.take_output()?;
        Some((handle(this.receiver), received))
    }
}

surface! {
    impl[T] IntoRecv<T>;
    until "there is a message";
    output (Receiver<T>, Result<T, RecvError>),
        "Beside the receiver, [`RecvError`], if the channel is or gets closed and there is nothing in it.";
    limited (Receiver<T>, Result<T, RecvTimeoutError>),
        "Beside the receiver, [`RecvTimeoutError`]. With `Timeout` no message has been taken.";
    until;
    wait "let (tx, rx) = hchan::bounded(0);
let sending = std::thread::spawn(move || tx.into_send(7).wait().1);
let (_rx, message) = rx.into_recv().wait();
assert_eq!(message, Ok(7));
sending.join().unwrap().unwrap();";
    wait_timeout;
    wait_deadline;
    gives_up "let (_tx, rx) = hchan::bounded::<u8>(1);",
        "let (_rx, message) = rx.into_recv()", ";
assert_eq!(message, Err(hchan::RecvTimeoutError::Timeout));";
}

impl<T> IntoClosed<T> {
    pub(crate) fn new(sender: Sender<T>, site: Site) -> Self {
        Self {
            op: BareOp::new(SharedChan::clone(sender.chan()), Kind::Closed, site),
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
}

surface! {
    impl[T] IntoClosed<T>;
    until "the channel is closed";
    output Sender<T>, "None.";
    limited (Sender<T>, bool), "None: beside the sender, `true` says that the channel is closed, `false` that it gave up.";
    until;
    wait "let (tx, rx) = hchan::bounded::<u8>(1);
std::thread::spawn(move || drop(rx));
assert!(tx.into_closed().wait().is_closed());";
    wait_timeout;
    wait_deadline;
    gives_up "let (tx, _rx) = hchan::bounded::<u8>(1);",
        "let (_tx, is_closed) = tx.into_closed()", ";
assert!(!is_closed);";
}

/// The handle, to be given back; once, as an operation ends once.
fn handle<H>(handle: &mut Option<H>) -> H {
    handle.take().expect("it has its handle until it ends")
}

impl<T> Future for IntoSend<T> {
    type Output = (Sender<T>, Result<(), SendError<T>>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        within_budget!(cx, if self.op.is_idle() => {
            let mut this = self.project();
            match this.op.as_mut().poll(cx) {
                Polled::Pending => Poll::Pending,
                polled => Poll::Ready((handle(this.sender), this.op.result(polled, SendError))),
            }
        })
    }
}

impl<T> Future for IntoRecv<T> {
    type Output = (Receiver<T>, Result<T, RecvError>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(op) = this.op.as_pin_mut() else {
            return Poll::Pending;
        };
        let received = within_budget!(cx, if op.is_idle() => op.poll(cx));
        match received {
            Poll::Pending => Poll::Pending,
            Poll::Ready(received) => Poll::Ready((handle(this.receiver), received)),
        }
    }
}

impl<T> Future for IntoClosed<T> {
    type Output = Sender<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Sender<T>> {
        let this = self.project();
        let closed = within_budget!(cx, if this.op.is_idle() => this.op.poll(cx));
        closed.map(|_| handle(this.sender))
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

impl<T> Wait for IntoSend<T> {
    #[cfg(feature = "std")]
    fn block(self: Pin<&mut Self>) -> Self::Output {
        let mut this = self.project();
        let polled = this.op.as_mut().wait(|| None);
        (handle(this.sender), this.op.result(polled, SendError))
    }

    #[cfg(feature = "std")]
    fn block_until(
        self: Pin<&mut Self>,
        deadline: impl FnOnce() -> Option<Instant>,
    ) -> Self::Limited {
        let mut this = self.project();
        let polled = this.op.as_mut().wait(deadline);
        (handle(this.sender), this.op.limited(polled))
    }

    fn cancel(self: Pin<&mut Self>) -> Option<Self::Output> {
        let mut this = self.project();
        let polled = this.op.as_mut().cancel();
        let sent = this.op.output(polled)?;
        Some((handle(this.sender), sent))
    }

    fn limited(self: Pin<&mut Self>, output: Option<Self::Output>) -> Self::Limited {
        match output {
            Some((sender, sent)) => (sender, sent.map_err(SendTimeoutError::from)),
            None => {
                let this = self.project();
                (handle(this.sender), this.op.limited(Polled::Pending))
            }
        }
    }
}

impl<T> Wait for IntoRecv<T> {
    #[cfg(feature = "std")]
    fn block(self: Pin<&mut Self>) -> Self::Output {
        let this = self.project();
        let received = RecvOp::wait(this.op.as_pin_mut(), || None, |_| RecvError);
        (handle(this.receiver), received)
    }

    #[cfg(feature = "std")]
    fn block_until(
        self: Pin<&mut Self>,
        deadline: impl FnOnce() -> Option<Instant>,
    ) -> Self::Limited {
        let this = self.project();
        let received = RecvOp::wait(this.op.as_pin_mut(), deadline, Polled::recv_timeout_error);
        (handle(this.receiver), received)
    }

    fn cancel(self: Pin<&mut Self>) -> Option<Self::Output> {
        let this = self.project();
        let received = this.op.as_pin_mut()?.cancel()?;
        Some((handle(this.receiver), received))
    }

    fn limited(self: Pin<&mut Self>, output: Option<Self::Output>) -> Self::Limited {
        match output {
            Some((receiver, received)) => (receiver, received.map_err(RecvTimeoutError::from)),
            None => {
                let receiver = handle(self.project().receiver);
                (receiver, Err(RecvTimeoutError::Timeout))
            }
        }
    }
}

impl<T> Wait for IntoClosed<T> {
    fn attempt(self: Pin<&mut Self>) -> Option<Sender<T>> {
        let this = self.project();
        let _closed = this.op.attempt()?;
        Some(handle(this.sender))
    }

    fn cancel(self: Pin<&mut Self>) -> Option<Sender<T>> {
        let this = self.project();
        let _closed = this.op.cancel()?;
        Some(handle(this.sender))
    }

    fn limited(self: Pin<&mut Self>, output: Option<Sender<T>>) -> (Sender<T>, bool) {
        match output {
            Some(sender) => (sender, true),
            None => (handle(self.project().sender), false),
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
