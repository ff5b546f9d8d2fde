//! An operation with a time limit or any other reason to give up.

#![forbid(unsafe_code)]

use core::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use crate::wait::Wait;

pin_project! {
    /// An operation that gives up when another future completes; made by [`Select::until`](crate::Select::until) and
    /// [`RecvAny::until`](crate::RecvAny::until).
    ///
    /// It returns `Some` of what the operation returns, or `None`: it has given up, and nothing has happened.
    ///
    /// If the other future is complete at the first poll, that is the end, before anything was done. Later the operation
    /// comes first: where both are complete it is the operation that counts, and what it has done is never undone.
    ///
    /// # Panics
    ///
    /// When polled again after it has returned `Ready`, and whenever the operation or the other future does.
    ///
    /// # Cancel safety
    ///
    /// As for the operation.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{pin::pin, time::Duration};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (_tx, rx) = hchan::bounded::<u8>(1);
    /// let mut receive = pin!(rx.recv());
    /// let mut select = hchan::Select::new();
    /// select.arm(receive.as_mut());
    /// let timeout = tokio::time::sleep(Duration::from_millis(1));
    /// assert_eq!(select.until(timeout).await, None);
    /// # }
    /// ```
    #[must_use = "futures do nothing unless you `.await` them"]
    pub struct Until<F, S> {
        #[pin]
        operation: F,
        #[pin]
        stop: S,
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
            stop,
            phase: Phase::New,
        }
    }
}

impl<F: Wait, S: Future> Future for Until<F, S> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let output = match *this.phase {
            Phase::New if this.stop.as_mut().poll(cx).is_ready() => None,
            Phase::New => {
                *this.phase = Phase::Begun;
                Some(ready!(this.operation.poll(cx)))
            }
            Phase::Begun => match this.operation.as_mut().poll(cx) {
                Poll::Ready(output) => Some(output),
                Poll::Pending => {
                    ready!(this.stop.poll(cx));
                    // A peer may have come in between.
                    this.operation.withdraw()
                }
            },
            Phase::Finished => panic!("an `until` was polled again after it had completed"),
        };
        *this.phase = Phase::Finished;
        Poll::Ready(output)
    }
}

impl<F: Wait, S: Future> FusedFuture for Until<F, S> {
    fn is_terminated(&self) -> bool {
        self.phase == Phase::Finished
    }
}

impl<F, S> fmt::Debug for Until<F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Until")
            .field("terminated", &(self.phase == Phase::Finished))
            .finish_non_exhaustive()
    }
}
