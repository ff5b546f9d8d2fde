//! The future of a send.

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
    chan::TypedChan,
    coop::within_budget,
    error::{SendError, SendTimeoutError},
    op::{OpRef, Polled, SendOp},
    probe::Site,
    select::AsOperation,
    thread::Wait,
};

pin_project! {
    /// A send of one message; made by [`Sender::send`](crate::Sender::send).
    ///
    /// Await it in a task, or call [`wait`](Self::wait) or one of its siblings in a thread. It does nothing before its
    /// first poll. If the channel has no room then, it parks: it has its place in the order of senders from there on,
    /// and a receiver may take its message at any time, whether the future is polled again or not. With the feature `tokio`,
    /// a poll that the task's budget [refuses](crate#yielding) does not park it.
    ///
    /// It allocates nothing, and its [`is_terminated`](FusedFuture::is_terminated) says whether it has returned `Ready`.
    ///
    /// # Panics
    ///
    /// When polled again after it has returned `Ready`. A poll also panics if a waker does, of this task (cloned or dropped)
    /// or of the peer's (woken): nothing is lost or left hanging then, and a send may have taken place.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has completed, it drops its message, which will never be delivered, unless a receiver had
    /// taken it before: then it was sent. The caller that drops it cannot tell which: where that matters (a losing arm of a
    /// `select!`, a timeout around it), use [`send_from`](crate::Sender::send_from), whose `Option` tells, or
    /// [`until`](Self::until), whose result tells.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// tx.send("one").await?;
    ///
    /// // A second one has to wait. Dropped, it takes its message with it.
    /// let mut second = Box::pin(tx.send("two"));
    /// assert!(futures::poll!(&mut second).is_pending());
    /// drop(second);
    ///
    /// drop(tx);
    /// assert_eq!(rx.recv().await, Ok("one"));
    /// assert!(rx.recv().await.is_err());
    /// # Ok::<(), hchan::SendError<&str>>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias("Send", "SendFut"))]
    #[must_use = "a future does nothing unless it is awaited: `.await` it in a task, call `.wait()` in a thread, or use `hchan::blocking`"]
    pub struct SendFuture<'a, T> {
        #[pin]
        op: SendOp<&'a TypedChan<T>, T>,
    }
}

impl<'a, T> SendFuture<'a, T> {
    pub(crate) fn new(chan: &'a TypedChan<T>, message: T, site: Site) -> Self {
        Self {
            op: SendOp::new(chan, message, site),
        }
    }

    /// Takes the result, if the send has happened already; `None` if it has not, or if its result was taken before.
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
    /// let mut send = pin!(tx.send("hello"));
    /// let mut select = hchan::Select::new();
    /// select.arm(send.as_mut());
    /// assert_eq!(select.try_now(), Some(0));
    /// assert_eq!(send.take_output(), Some(Ok(())));
    /// assert_eq!(rx.try_recv(), Ok("hello"));
    /// ```
    pub fn take_output(self: Pin<&mut Self>) -> Option<Result<(), SendError<T>>> {
        let mut op = self.project().op;
        let polled = op.as_mut().take_output();
        op.output(polled)
    }
}

surface! {
    impl['a, T] SendFuture<'a, T>;
    until "the message is sent";
    output Result<(), SendError<T>>, "[`SendError`] with the message, if the channel is or gets closed.";
    limited Result<(), SendTimeoutError<T>>,
        "[`SendTimeoutError`], with the message. With `Timeout` it has not been sent and will not be.";
    #[doc(alias = "send_with_timer")]
    until;
    #[doc(alias = "blocking_send")]
    #[cfg_attr(not(debug_assertions), inline(always))]
    wait "let (tx, rx) = hchan::bounded(0);
let receiving = std::thread::spawn(move || rx.recv().wait());
tx.send(7).wait().unwrap();
assert_eq!(receiving.join().unwrap(), Ok(7));";
    #[doc(alias = "send_timeout")]
    wait_timeout;
    #[doc(alias = "send_deadline")]
    wait_deadline;
    gives_up "let (tx, _rx) = hchan::bounded(0);",
        "assert_eq!(tx.send(1)", ", Err(hchan::SendTimeoutError::Timeout(1)));";
}

impl<T> Future for SendFuture<'_, T> {
    type Output = Result<(), SendError<T>>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        within_budget!(cx, if self.op.is_idle() => {
            let mut op = self.project().op;
            match op.as_mut().poll(cx) {
                Polled::Pending => Poll::Pending,
                polled => Poll::Ready(op.result(polled, SendError)),
            }
        })
    }
}

impl<T> FusedFuture for SendFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.op.is_finished()
    }
}

impl<T> Wait for SendFuture<'_, T> {
    #[cfg(feature = "std")]
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn block(self: Pin<&mut Self>) -> Self::Output {
        let mut op = self.project().op;
        let polled = op.as_mut().wait(|| None);
        op.result(polled, SendError)
    }

    #[cfg(feature = "std")]
    fn block_until(
        self: Pin<&mut Self>,
        deadline: impl FnOnce() -> Option<Instant>,
    ) -> Self::Limited {
        let mut op = self.project().op;
        let polled = op.as_mut().wait(deadline);
        op.limited(polled)
    }

    fn cancel(self: Pin<&mut Self>) -> Option<Self::Output> {
        let mut op = self.project().op;
        let polled = op.as_mut().cancel();
        op.output(polled)
    }

    fn limited(self: Pin<&mut Self>, output: Option<Self::Output>) -> Self::Limited {
        match output {
            Some(result) => Ok(result?),
            None => self.project().op.limited(Polled::Pending),
        }
    }
}

impl<T> AsOperation for SendFuture<'_, T> {
    fn operation(self: Pin<&mut Self>) -> Option<OpRef<'_>> {
        Some(self.into_ref().project_ref().op.erased())
    }
}
