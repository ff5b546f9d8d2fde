//! Receives of many messages.

#![forbid(unsafe_code)]

use alloc::vec::{self, Vec};
use core::{
    fmt,
    iter::FusedIterator,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use super::surface::surface;
use crate::{
    chan::TypedChan,
    coop::within_budget,
    error::{RecvError, RecvTimeoutError, TryRecvError},
    op::RecvOp,
    probe::Site,
    receiver::Receiver,
    thread::Wait,
    wake::drop_each,
};

pin_project! {
    /// A receive of as many messages as there are; made by [`Receiver::recv_many`](crate::Receiver::recv_many).
    ///
    /// It waits only while there is none at all. Parked, it is handed one message, as any receive is; when it is polled it adds
    /// those that there are by then.
    ///
    /// It allocates only what the vector needs, and its [`is_terminated`](FusedFuture::is_terminated) says whether it has
    /// returned `Ready`.
    ///
    /// # Panics
    ///
    /// When polled again after it has returned `Ready`. A poll also panics if a waker does, of this task (cloned or dropped)
    /// or of a peer (woken): nothing is lost or left hanging then. The messages are back in the channel, but for one that
    /// had been handed to it, which is in the vector.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped: messages are put into the vector only when it returns `Ready`, and one that
    /// had been handed to it is given back.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::unbounded();
    /// tx.try_send_many(1..=5).unwrap();
    /// let mut received = vec![0];
    /// assert_eq!(rx.recv_many(&mut received, 3).await, Ok(3));
    /// assert_eq!(rx.recv_many(&mut received, 3).await, Ok(2));
    /// assert_eq!(received, [0, 1, 2, 3, 4, 5]);
    /// # });
    /// ```
    #[must_use = "a future does nothing unless it is awaited: `.await` it in a task, call `.wait()` in a thread, or use `hchan::blocking`"]
    pub struct RecvManyFuture<'a, T> {
        receiver: &'a Receiver<T>,
        // `None` for the receiver on which nothing ever happens.
        #[pin]
        op: Option<RecvOp<&'a TypedChan<T>, T>>,
        into: &'a mut Vec<T>,
        limit: usize,
        terminated: bool,
    }
}

impl<'a, T> RecvManyFuture<'a, T> {
    pub(crate) fn new(
        receiver: &'a Receiver<T>,
        into: &'a mut Vec<T>,
        limit: usize,
        site: Site,
    ) -> Self {
        let chan = receiver.chan().map(|chan| &**chan);
        Self {
            receiver,
            op: chan.map(|chan| RecvOp::new(chan, site)),
            into,
            limit,
            terminated: false,
        }
    }
}

surface! {
    impl['a, T] RecvManyFuture<'a, T>;
    until "there are messages";
    output Result<usize, RecvError>, "[`RecvError`], if the channel is or gets closed and there is nothing in it.";
    limited Result<usize, RecvTimeoutError>, "[`RecvTimeoutError`]. With `Timeout` no message has been taken.";
    until;
    wait "let (tx, rx) = hchan::bounded(0);
let sending = std::thread::spawn(move || tx.send_many([\"a\", \"b\"]).wait());
let mut received = Vec::new();
while rx.recv_many(&mut received, 10).wait().is_ok() {}
assert_eq!(received, [\"a\", \"b\"]);
# sending.join().unwrap().unwrap();";
    wait_timeout;
    wait_deadline;
    gives_up "let (_tx, rx) = hchan::bounded::<u8>(1);
let mut received = Vec::new();",
        "assert!(rx.recv_many(&mut received, 10)", ".unwrap_err().is_timeout());";
}

impl<T> RecvManyFuture<'_, T> {
    /// Receives what is there, if that is anything, or what can be told without waiting.
    fn receive(self: Pin<&mut Self>) -> Option<Result<usize, RecvError>> {
        let this = self.project();
        let received = match this.receiver.try_recv_many(this.into, *this.limit) {
            Ok(count) => Ok(count),
            Err(TryRecvError::Closed) => Err(RecvError),
            Err(TryRecvError::Empty) => return None,
        };
        *this.terminated = true;
        Some(received)
    }

    /// A poll within the budget.
    #[inline(always)]
    fn poll_receive(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<usize, RecvError>> {
        if self.op.as_ref().is_none_or(RecvOp::is_idle) {
            if let Some(received) = self.as_mut().receive() {
                return Poll::Ready(received);
            }
        }
        let this = self.as_mut().project();
        let Some(op) = this.op.as_pin_mut() else {
            return Poll::Pending;
        };
        // If that cannot be had, the message is still where it was.
        this.into.reserve(1);
        let first = ready!(op.poll(cx));
        Poll::Ready(self.receive_more(first))
    }

    /// Adds what is there to the message for which it was parked.
    fn receive_more(self: Pin<&mut Self>, first: Result<T, RecvError>) -> Result<usize, RecvError> {
        let this = self.project();
        *this.terminated = true;
        this.into.push(first?);
        let more = this.receiver.try_recv_many(this.into, *this.limit - 1);
        Ok(1 + more.unwrap_or(0))
    }
}

impl<T> Future for RecvManyFuture<'_, T> {
    type Output = Result<usize, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(
            !self.terminated,
            "a receive of many was polled again after it had completed"
        );
        within_budget!(cx, if self.op.as_ref().is_none_or(RecvOp::is_idle) => self.poll_receive(cx))
    }
}

impl<T> Wait for RecvManyFuture<'_, T> {
    fn attempt(self: Pin<&mut Self>) -> Option<Self::Output> {
        self.receive()
    }

    fn cancel(mut self: Pin<&mut Self>) -> Option<Self::Output> {
        let first = self.as_mut().project().op.as_pin_mut()?.cancel()?;
        Some(self.receive_more(first))
    }

    fn limited(self: Pin<&mut Self>, output: Option<Self::Output>) -> Self::Limited {
        match output {
            Some(received) => Ok(received?),
            None => Err(RecvTimeoutError::Timeout),
        }
    }
}

impl<T> FusedFuture for RecvManyFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.terminated
    }
}

/// The messages that could be had at once; made by [`Receiver::drain`](crate::Receiver::drain).
///
/// They have been received: those that are not taken out drop with it, all of them even if one of their drops panics.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::unbounded();
/// tx.try_send_many(1..=3).unwrap();
/// let messages = rx.drain();
/// assert_eq!((messages.len(), rx.len()), (3, 0));
/// assert_eq!(messages.sum::<i32>(), 6);
/// ```
#[must_use = "the messages drop unless they are taken out"]
pub struct Drain<T>(vec::IntoIter<T>);

impl<T> Drain<T> {
    pub(crate) fn new(messages: Vec<T>) -> Self {
        Self(messages.into_iter())
    }
}

impl<T> Drop for Drain<T> {
    fn drop(&mut self) {
        drop_each(&mut self.0);
    }
}

impl<T> Iterator for Drain<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

// No message is ever pinned.
impl<T> Unpin for Drain<T> {}
impl<T> ExactSizeIterator for Drain<T> {}
impl<T> FusedIterator for Drain<T> {}

impl<T> fmt::Debug for Drain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
