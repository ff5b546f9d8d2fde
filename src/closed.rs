//! Waiting for the close of a channel.

#![forbid(unsafe_code)]

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use crate::{end::Side, operation::WatchOp, shared::Shared};

pin_project! {
    /// A wait for the close of a channel; made by [`Sender::closed`](crate::Sender::closed),
    /// [`Receiver::closed`](crate::Receiver::closed), [`Sender::drained`](crate::Sender::drained) and
    /// [`Receiver::drained`](crate::Receiver::drained), the latter two for the last message after it, too.
    ///
    /// Any number of them may wait. It allocates nothing, and its [`is_terminated`](FusedFuture::is_terminated) says whether
    /// it has returned `Ready`.
    ///
    /// # Panics
    ///
    /// When polled again after it has returned `Ready`. A poll also panics if a waker of this task does (cloned or dropped).
    ///
    /// # Cancel safety
    ///
    /// Dropping it has no effect on the channel.
    ///
    /// # Examples
    ///
    /// A producer that stops as soon as nobody listens any more, in the middle of its work:
    ///
    /// ```
    /// use std::{pin::pin, time::Duration};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, rx) = hchan::bounded::<u32>(8);
    /// tokio::spawn(async move {
    ///     drop(rx);
    /// });
    ///
    /// let work = async {
    ///     tokio::time::sleep(Duration::from_secs(3600)).await;
    /// };
    /// hchan::select! {
    ///     future(work) -> () => panic!("took an hour"),
    ///     future(tx.closed()) -> () => {}
    /// }
    /// # }
    /// ```
    #[must_use = "futures do nothing unless you `.await` or `.wait()` for them"]
    pub struct ClosedFuture<'a, T> {
        // `None` for the receiver on which nothing ever happens.
        #[pin]
        op: Option<WatchOp<&'a Shared<T>, T>>,
    }
}

impl<'a, T> ClosedFuture<'a, T> {
    pub(crate) fn closed(shared: Option<&'a Shared<T>>) -> Self {
        Self {
            op: shared.map(|shared| WatchOp::new(shared, Side::Close)),
        }
    }

    pub(crate) fn drained(shared: Option<&'a Shared<T>>) -> Self {
        Self {
            op: shared.map(|shared| WatchOp::new(shared, Side::Drain)),
        }
    }
}

impl<T> Future for ClosedFuture<'_, T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.project().op.as_pin_mut() {
            Some(op) => op.poll(cx),
            None => Poll::Pending,
        }
    }
}

impl<T> FusedFuture for ClosedFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.op.as_ref().is_some_and(WatchOp::is_finished)
    }
}

impl<T> fmt::Debug for ClosedFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClosedFuture")
            .field("terminated", &self.is_terminated())
            .finish_non_exhaustive()
    }
}
