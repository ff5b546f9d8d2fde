//! Waiting for the close of a channel.

#![forbid(unsafe_code)]

use core::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use crate::{
    chan::TypedChan, coop::within_budget, future::surface::surface, op::BareOp, probe::Site,
    thread::Wait, waiter::Kind,
};

pin_project! {
    /// A wait for the close of a channel; made by [`Sender::closed`](crate::Sender::closed),
    /// [`Receiver::closed`](crate::Receiver::closed), [`Sender::drained`](crate::Sender::drained) and
    /// [`Receiver::drained`](crate::Receiver::drained), the latter two for the last message after it, too. A message that was
    /// handed to a parked receive is not waited for.
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
    #[doc(alias = "Closed")]
    #[must_use = "a future does nothing unless it is awaited: `.await` it in a task, call `.wait()` in a thread, or use `hchan::blocking`"]
    pub struct ClosedFuture<'a, T> {
        // `None` for the receiver on which nothing ever happens.
        #[pin]
        op: Option<BareOp<&'a TypedChan<T>, T>>,
    }
}

impl<'a, T> ClosedFuture<'a, T> {
    pub(crate) fn closed(chan: Option<&'a TypedChan<T>>, site: Site) -> Self {
        Self {
            op: chan.map(|chan| BareOp::new(chan, Kind::Closed, site)),
        }
    }

    pub(crate) fn drained(chan: Option<&'a TypedChan<T>>, site: Site) -> Self {
        Self {
            op: chan.map(|chan| BareOp::new(chan, Kind::Drained, site)),
        }
    }
}

surface! {
    impl['a, T] ClosedFuture<'a, T>;
    until "it is over: the channel is closed or, for `drained`, closed and empty";
    output (), "None.";
    limited bool, "None: `true` says that it is over, `false` that it gave up.";
    until;
    wait "let (tx, rx) = hchan::bounded::<u8>(1);
std::thread::spawn(move || drop(rx));
tx.closed().wait();
assert!(tx.is_closed());";
    wait_timeout;
    wait_deadline;
    gives_up "let (tx, _rx) = hchan::bounded::<u8>(1);", "assert!(!tx.closed()", ");";
}

impl<T> Future for ClosedFuture<'_, T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        within_budget!(cx, if self.op.as_ref().is_some_and(BareOp::is_idle) => {
            match self.project().op.as_pin_mut() {
                Some(op) => op.poll(cx).map(drop),
                None => Poll::Pending,
            }
        })
    }
}

impl<T> Wait for ClosedFuture<'_, T> {
    fn attempt(self: Pin<&mut Self>) -> Option<()> {
        self.project().op.as_pin_mut()?.attempt().map(drop)
    }

    fn cancel(self: Pin<&mut Self>) -> Option<()> {
        self.project().op.as_pin_mut()?.cancel().map(drop)
    }

    fn limited(self: Pin<&mut Self>, output: Option<()>) -> bool {
        output.is_some()
    }
}

impl<T> FusedFuture for ClosedFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.op.as_ref().is_some_and(BareOp::is_finished)
    }
}
