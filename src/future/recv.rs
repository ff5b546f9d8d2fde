//! The future of a receive.

#![forbid(unsafe_code)]

use core::{
    pin::Pin,
    task::{Context, Poll},
};
#[cfg(feature = "std")]
use {crate::op::Polled, std::time::Instant};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use super::surface::surface;
use crate::{
    chan::TypedChan,
    coop::within_budget,
    error::{RecvError, RecvTimeoutError},
    op::{OpRef, RecvOp},
    probe::Site,
    select::AsOperation,
    thread::Wait,
};

pin_project! {
    /// A receive of one message; made by [`Receiver::recv`](crate::Receiver::recv).
    ///
    /// Await it in a task, or call [`wait`](Self::wait) or one of its siblings in a thread. It does nothing before its
    /// first poll. If there is no message then, it parks, and that is a commitment: when its turn comes a message is
    /// handed to it, whether it is polled again or not, and waits in it until it is polled or dropped. Do not keep a
    /// parked receive around unpolled while others wait for messages: drop it. With the feature `tokio`, a poll that the
    /// task's budget [refuses](crate#yielding) does not park it.
    ///
    /// It allocates nothing, and its [`is_terminated`](FusedFuture::is_terminated) says whether it has returned `Ready`.
    ///
    /// # Panics
    ///
    /// When polled again after it has returned `Ready`. A poll also panics if a waker does, of this task (cloned or dropped)
    /// or of the peer's (woken): nothing is lost or left hanging then, and the message stays in the channel. Its drop panics if
    /// a waker does, its own (dropped) or that of the receiver which gets the message (woken).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped. A message that had been handed to it goes to the receiver parked longest or,
    /// if none is, is the next to be received. Only a future that is forgotten (`mem::forget`) keeps its message. While it was
    /// parked it may have let a waiting [`reserve`](crate::Sender::reserve) go ahead.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(0);
    ///
    /// let mut first = Box::pin(rx.recv());
    /// assert!(futures::poll!(&mut first).is_pending());
    /// tx.try_send("handed to the parked receive")?;
    ///
    /// // The receive is cancelled; its message is not lost.
    /// drop(first);
    /// assert_eq!(rx.recv().await, Ok("handed to the parked receive"));
    /// # Ok::<(), hchan::TrySendError<&str>>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias("Recv", "RecvFut", "ReceiveFuture"))]
    #[must_use = "a future does nothing unless it is awaited: `.await` it in a task, call `.wait()` in a thread, or use `hchan::blocking`"]
    pub struct RecvFuture<'a, T> {
        // `None` for the receiver on which nothing ever happens.
        #[pin]
        op: Option<RecvOp<&'a TypedChan<T>, T>>,
    }
}

impl<'a, T> RecvFuture<'a, T> {
    pub(crate) fn new(chan: Option<&'a TypedChan<T>>, site: Site) -> Self {
        Self {
            op: chan.map(|chan| RecvOp::new(chan, site)),
        }
    }

    /// Takes the result, if the receive has happened already; `None` if it has not, or if its result was taken before.
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
    /// let mut receive = pin!(rx.recv());
    /// assert_eq!(receive.as_mut().take_output(), None);
    ///
    /// let mut select = hchan::Select::new();
    /// select.arm(receive.as_mut());
    /// assert_eq!(select.try_now(), Some(0));
    /// assert_eq!(receive.as_mut().take_output(), Some(Ok("hello")));
    /// assert_eq!(receive.as_mut().take_output(), None);
    /// ```
    #[doc(alias = "SelectedOperation")]
    pub fn take_output(self: Pin<&mut Self>) -> Option<Result<T, RecvError>> {
        self.project().op.as_pin_mut()?.take_output()
    }
}

surface! {
    impl['a, T] RecvFuture<'a, T>;
    until "there is a message";
    output Result<T, RecvError>, "[`RecvError`], if the channel is or gets closed and there is nothing in it.";
    limited Result<T, RecvTimeoutError>, "[`RecvTimeoutError`]. With `Timeout` no message has been taken.";
    #[doc(alias = "recv_with_timer")]
    until;
    #[doc(alias = "blocking_recv")]
    #[cfg_attr(not(debug_assertions), inline(always))]
    wait "let (tx, rx) = hchan::bounded(0);
let sending = std::thread::spawn(move || tx.send(7).wait());
assert_eq!(rx.recv().wait(), Ok(7));
sending.join().unwrap().unwrap();";
    #[doc(alias = "recv_timeout")]
    wait_timeout;
    #[doc(alias = "recv_deadline")]
    wait_deadline;
    gives_up "let (_tx, rx) = hchan::bounded::<u8>(1);",
        "assert_eq!(rx.recv()", ", Err(hchan::RecvTimeoutError::Timeout));";
}

impl<T> Future for RecvFuture<'_, T> {
    type Output = Result<T, RecvError>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        within_budget!(cx, if self.op.as_ref().is_some_and(RecvOp::is_idle) => {
            match self.project().op.as_pin_mut() {
                Some(op) => op.poll(cx),
                None => Poll::Pending,
            }
        })
    }
}

impl<T> FusedFuture for RecvFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.op.as_ref().is_some_and(RecvOp::is_finished)
    }
}

impl<T> Wait for RecvFuture<'_, T> {
    #[cfg(feature = "std")]
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn block(self: Pin<&mut Self>) -> Self::Output {
        RecvOp::wait(self.project().op.as_pin_mut(), || None, |_| RecvError)
    }

    #[cfg(feature = "std")]
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn block_until(
        self: Pin<&mut Self>,
        deadline: impl FnOnce() -> Option<Instant>,
    ) -> Self::Limited {
        let op = self.project().op.as_pin_mut();
        RecvOp::wait(op, deadline, Polled::recv_timeout_error)
    }

    fn cancel(self: Pin<&mut Self>) -> Option<Self::Output> {
        self.project().op.as_pin_mut()?.cancel()
    }

    fn limited(self: Pin<&mut Self>, output: Option<Self::Output>) -> Self::Limited {
        match output {
            Some(result) => Ok(result?),
            None => Err(RecvTimeoutError::Timeout),
        }
    }
}

impl<T> AsOperation for RecvFuture<'_, T> {
    fn operation(self: Pin<&mut Self>) -> Option<OpRef<'_>> {
        Some(self.into_ref().project_ref().op.as_pin_ref()?.erased())
    }
}
