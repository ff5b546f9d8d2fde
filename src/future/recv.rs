//! The future of a receive.

#![forbid(unsafe_code)]

use core::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};
#[cfg(feature = "std")]
use {
    crate::{
        chan::SpinTarget,
        thread::{wait, wait_deadline, wait_timeout},
    },
    core::{pin::pin, time::Duration},
    std::time::Instant,
};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use super::Until;
use crate::{
    chan::TypedChan,
    error::{RecvError, RecvTimeoutError},
    op::{OpRef, RecvOp},
    select::AsOperation,
    thread::{Limit, Wait},
};

pin_project! {
    /// A receive of one message; made by [`Receiver::recv`](crate::Receiver::recv).
    ///
    /// Await it in a task, or call [`wait`](Self::wait) or one of its siblings in a thread. It does nothing before its
    /// first poll. If there is no message then, it parks, and that is a commitment: when its turn comes a message is
    /// handed to it, whether it is polled again or not, and waits in it until it is polled or dropped. Do not keep a
    /// parked receive around unpolled while others wait for messages: drop it.
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
    pub(crate) fn new(chan: Option<&'a TypedChan<T>>) -> Self {
        Self {
            op: chan.map(RecvOp::new),
        }
    }

    /// Gives up when `stop`, any future, completes.
    ///
    /// A `stop` that is complete at the first poll wins before anything was done. Later, if there is a message, it is
    /// received, even if `stop` has completed, too. What has to run in the same thread to complete `stop`, a timer of a
    /// one-thread executor for instance, does not run while a loop always finds a message: see
    /// [stopping](crate#stopping).
    ///
    /// # Errors
    ///
    /// [`RecvTimeoutError`]. With `Timeout` no message has been taken.
    ///
    /// # Cancel safety
    ///
    /// As for the receive itself: nothing is lost when it is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use hchan::{Receiver, RecvTimeoutError};
    ///
    /// /// Counts messages, until `stopped` is closed. Once it is, that is seen even if there is always a message.
    /// async fn count(messages: Receiver<u8>, stopped: Receiver<()>) -> usize {
    ///     let mut count = 0;
    ///     while messages.recv().until(stopped.recv()).await.is_ok() {
    ///         count += 1;
    ///     }
    ///     count
    /// }
    /// # let ((tx, messages), (stop, stopped)) = (hchan::bounded(1), hchan::bounded(0));
    /// # tx.try_send(1).unwrap();
    /// # stop.close();
    /// # assert_eq!(futures::executor::block_on(count(messages, stopped)), 0);
    /// # let (_tx, rx) = hchan::bounded::<u8>(1);
    /// # let received = futures::executor::block_on(rx.recv().until(std::future::ready(())));
    /// # assert_eq!(received, Err(RecvTimeoutError::Timeout));
    /// ```
    #[doc(alias = "recv_with_timer")]
    pub fn until<S: IntoFuture>(self, stop: S) -> Until<Self, S::IntoFuture> {
        Until::new(self, stop.into_future())
    }
}

#[cfg(feature = "std")]
impl<T> RecvFuture<'_, T> {
    /// Blocks the thread until there is a message.
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
    /// let sending = std::thread::spawn(move || tx.send(7).wait());
    /// assert_eq!(rx.recv().wait(), Ok(7));
    /// sending.join().unwrap().unwrap();
    /// ```
    #[doc(alias = "blocking_recv")]
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn wait(self) -> Result<T, RecvError> {
        wait(pin!(self))
    }

    /// Blocks the thread until there is a message or `timeout` has passed; tries at least once.
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
    /// let (tx, rx) = hchan::bounded(1);
    /// tx.try_send(1).unwrap();
    /// assert_eq!(rx.recv().wait_timeout(Duration::MAX), Ok(1));
    /// assert_eq!(rx.recv().wait_timeout(Duration::from_millis(1)), Err(RecvTimeoutError::Timeout));
    /// ```
    #[doc(alias = "recv_timeout")]
    pub fn wait_timeout(self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        wait_timeout(pin!(self), timeout)
    }

    /// Blocks the thread until there is a message or `deadline` has come; tries at least once.
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
    /// assert_eq!(rx.recv().wait_deadline(soon), Err(RecvTimeoutError::Timeout));
    /// ```
    #[doc(alias = "recv_deadline")]
    pub fn wait_deadline(self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        wait_deadline(pin!(self), deadline)
    }
}

impl<T> Future for RecvFuture<'_, T> {
    type Output = Result<T, RecvError>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().op.as_pin_mut() {
            Some(op) => op.poll(cx),
            None => Poll::Pending,
        }
    }
}

impl<T> FusedFuture for RecvFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.op.as_ref().is_some_and(RecvOp::is_finished)
    }
}

impl<T> Limit for RecvFuture<'_, T> {
    type Limited = Result<T, RecvTimeoutError>;
}

impl<T> Wait for RecvFuture<'_, T> {
    #[inline(always)]
    fn attempt(self: Pin<&mut Self>) -> Option<Self::Output> {
        self.project().op.as_pin_mut()?.attempt()
    }

    #[cfg(feature = "std")]
    fn spin_target(self: Pin<&Self>) -> Option<SpinTarget<'_>> {
        Some(self.project_ref().op.as_pin_ref()?.erased().spin_target())
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

impl<T> fmt::Debug for RecvFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvFuture")
            .field("terminated", &self.is_terminated())
            .finish_non_exhaustive()
    }
}

impl<T> AsOperation for RecvFuture<'_, T> {
    fn operation(self: Pin<&mut Self>) -> Option<OpRef<'_>> {
        Some(self.into_ref().project_ref().op.as_pin_ref()?.erased())
    }
}
