//! An operation with a reason to give up: a time limit, a shutdown, any other future.

#![forbid(unsafe_code)]

use core::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};
#[cfg(feature = "std")]
use core::{pin::pin, time::Duration};
#[cfg(feature = "std")]
use std::time::Instant;

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

#[cfg(feature = "std")]
use crate::thread::{wait, wait_deadline, wait_timeout};
use crate::{
    coop,
    quiet_drop::QuietDrop,
    thread::{Limit, Wait},
};

pin_project! {
    /// An operation that gives up when another future completes: a timer of any runtime, a cancellation token, a receive on
    /// a channel that says stop.
    ///
    /// | made by | what it returns | if it has given up |
    /// |---|---|---|
    /// | [`SendFuture::until`](crate::SendFuture::until) | `Result<(), SendTimeoutError<T>>` | `Timeout(message)` |
    /// | [`SendFromFuture::until`](crate::SendFromFuture::until) | `Result<(), SendTimeoutError<()>>` | `Timeout(())`, the message in its `Option` |
    /// | [`RecvFuture::until`](crate::RecvFuture::until) | `Result<T, RecvTimeoutError>` | `Timeout` |
    /// | [`IntoSend::until`](crate::IntoSend::until) | the sender, and as `SendFuture` | the sender, and as `SendFuture` |
    /// | [`IntoRecv::until`](crate::IntoRecv::until) | the receiver, and as `RecvFuture` | the receiver, and as `RecvFuture` |
    /// | [`SendManyFuture::until`](crate::SendManyFuture::until) | `Result<usize, SendTimeoutError<SendManyError<I>>>` | `Timeout` with what was not sent |
    /// | [`RecvManyFuture::until`](crate::RecvManyFuture::until) | `Result<usize, RecvTimeoutError>` | `Timeout` |
    /// | [`ReserveFuture::until`](crate::ReserveFuture::until) | `Result<Permit<T>, SendTimeoutError<()>>` | `Timeout(())` |
    /// | [`ClosedFuture::until`](crate::ClosedFuture::until) | `bool`: whether it is over | `false` |
    /// | [`Select::until`](crate::Select::until), [`RecvAny::until`](crate::RecvAny::until) | `Option` of what they return | `None` |
    ///
    /// If the other future is complete at the first poll, that is the end, before anything was done: a loop on a channel
    /// that is always ready sees a stop that is complete, too. Later the operation comes first: where both are complete it is
    /// the operation that counts, and what it has done is never undone. Having given up, nothing has happened (of a batch,
    /// nothing more; a receive that waited may have let a [`reserve`](crate::Sender::reserve) go ahead).
    ///
    /// It does not yield while its operation is ready, but in tokio tasks with the feature `tokio`: see
    /// [yielding](crate#yielding). So without it, on an executor of one thread (tokio's `current_thread`), where a timer fires and
    /// other tasks run only when the loop yields, a loop on a channel that is always ready never sees such a stop: let it yield
    /// now and then. With the feature the loop ends.
    ///
    /// It allocates nothing, and its [`is_terminated`](FusedFuture::is_terminated) says whether it has returned `Ready`, or
    /// its operation is terminated.
    ///
    /// # Panics
    ///
    /// When polled again after it has returned `Ready`, and whenever the operation or the other future does. If the latter
    /// panics the operation stays as it is.
    ///
    /// # Cancel safety
    ///
    /// As for the operation. To have a send's message back where it is not sent, let it end by the other future instead of
    /// dropping it.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use hchan::SendTimeoutError;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, _rx) = hchan::bounded(0);
    /// let timeout = tokio::time::sleep(Duration::from_millis(1));
    /// assert_eq!(tx.send("anyone?").until(timeout).await, Err(SendTimeoutError::Timeout("anyone?")));
    /// # }
    /// ```
    ///
    /// A loop that is always ready, and that a timer of the same thread stops, without the feature `tokio`:
    ///
    /// ```
    /// use std::{pin::pin, time::Duration};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, rx) = hchan::bounded(64);
    /// tx.try_send(0_u64).unwrap();
    /// let mut stop = pin!(tokio::time::sleep(Duration::from_millis(1)));
    /// while let Ok(n) = rx.recv().until(&mut stop).await {
    ///     tx.try_send(n + 1).unwrap();
    ///     if n % 100 == 0 {
    ///         // Without this the timer would never fire.
    ///         tokio::task::yield_now().await;
    ///     }
    /// }
    /// # }
    /// ```
    #[doc(alias = "timeout")]
    #[doc(alias = "run_until_cancelled")]
    #[doc(alias("SendTimeoutFuture", "RecvTimeoutFuture"))]
    #[must_use = "a future does nothing unless it is awaited: `.await` it in a task, call `.wait()` in a thread, or use `hchan::blocking`"]
    pub struct Until<F, S> {
        #[pin]
        operation: F,
        #[pin]
        stop: QuietDrop<S>,
        phase: Phase,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    New,
    Begun,
    Finished,
}

impl<F, S> Until<F, S> {
    pub(crate) fn new(operation: F, stop: S) -> Self {
        Self {
            operation,
            stop: QuietDrop::new(stop),
            phase: Phase::New,
        }
    }
}

impl<F: Wait, S: Future> Future for Until<F, S> {
    type Output = F::Limited;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let phase = *this.phase;
        let is_stopped = match phase {
            Phase::New if coop::is_spent() => {
                // Unless a peer has completed it, the operation is refused, or waits for nothing but that.
                let Poll::Ready(output) = this.operation.as_mut().poll(cx) else {
                    return coop::refuse(cx);
                };
                *this.phase = Phase::Finished;
                return Poll::Ready(this.operation.limited(Some(output)));
            }
            Phase::New => this.stop.as_mut().as_pin_mut().poll(cx).is_ready(),
            Phase::Begun => false,
            Phase::Finished => panic!("an `until` was polled again after it had completed"),
        };
        let output = if is_stopped && coop::MAY_REFUSE {
            // Else a loop over stops that are complete would never yield.
            coop::charge();
            // A batch may have begun.
            this.operation.as_mut().cancel()
        } else if is_stopped {
            None
        } else {
            *this.phase = Phase::Begun;
            match this.operation.as_mut().poll(cx) {
                Poll::Ready(output) => Some(output),
                Poll::Pending if phase == Phase::New => {
                    // Refused it has not begun: the stop comes first next time, too.
                    if coop::is_spent() {
                        *this.phase = Phase::New;
                    }
                    return Poll::Pending;
                }
                Poll::Pending => {
                    ready!(this.stop.as_pin_mut().poll(cx));
                    // A peer may have come in between.
                    this.operation.as_mut().cancel()
                }
            }
        };
        *this.phase = Phase::Finished;
        Poll::Ready(this.operation.limited(output))
    }
}

#[cfg(feature = "std")]
#[allow(
    private_bounds,
    reason = "sealed: only this crate knows how an operation is given up"
)]
impl<F: Wait, S: Future> Until<F, S> {
    /// Blocks the thread until the operation is done or given up.
    ///
    /// # Blocking
    ///
    /// Not for use in a task: it stalls the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = hchan::bounded::<u8>(1);
    /// let (stop, stopped) = hchan::bounded::<()>(0);
    /// std::thread::spawn(move || drop(stop));
    /// assert!(rx.recv().until(stopped.recv()).wait().unwrap_err().is_timeout());
    /// ```
    pub fn wait(self) -> F::Limited {
        wait(pin!(self))
    }

    /// As [`wait`](Self::wait); gives up also when `timeout` has passed. `Duration::MAX` means for ever.
    ///
    /// # Blocking
    ///
    /// Not for use in a task: it stalls the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{future, time::Duration};
    ///
    /// let (_tx, rx) = hchan::bounded::<u8>(1);
    /// let receive = rx.recv().until(future::pending::<()>());
    /// assert!(receive.wait_timeout(Duration::from_millis(1)).unwrap_err().is_timeout());
    /// ```
    pub fn wait_timeout(self, timeout: Duration) -> F::Limited {
        wait_timeout(pin!(self), timeout)
    }

    /// As [`wait`](Self::wait); gives up also when `deadline` has come.
    ///
    /// # Blocking
    ///
    /// Not for use in a task: it stalls the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{future, time::{Duration, Instant}};
    ///
    /// let (_tx, rx) = hchan::bounded::<u8>(1);
    /// let receive = rx.recv().until(future::pending::<()>());
    /// let soon = Instant::now() + Duration::from_millis(1);
    /// assert!(receive.wait_deadline(soon).unwrap_err().is_timeout());
    /// ```
    pub fn wait_deadline(self, deadline: Instant) -> F::Limited {
        wait_deadline(pin!(self), deadline)
    }
}

impl<F: Wait, S: Future> Limit for Until<F, S> {
    type Limited = F::Limited;
}

impl<F: Wait, S: Future> Wait for Until<F, S> {
    fn cancel(self: Pin<&mut Self>) -> Option<F::Limited> {
        let mut operation = self.project().operation;
        let output = operation.as_mut().cancel()?;
        Some(operation.limited(Some(output)))
    }

    fn limited(self: Pin<&mut Self>, output: Option<F::Limited>) -> F::Limited {
        output.unwrap_or_else(|| self.project().operation.limited(None))
    }
}

impl<F: Wait + FusedFuture, S: Future> FusedFuture for Until<F, S> {
    fn is_terminated(&self) -> bool {
        self.phase == Phase::Finished || self.operation.is_terminated()
    }
}

impl<F, S> fmt::Debug for Until<F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Until")
            .field("terminated", &(self.phase == Phase::Finished))
            .finish_non_exhaustive()
    }
}
