//! Receives of many messages.

#![forbid(unsafe_code)]

use std::{
    fmt,
    iter::FusedIterator,
    pin::Pin,
    task::{Context, Poll, ready},
    vec,
};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use crate::{
    error::{RecvError, TryRecvError},
    operation::RecvOp,
    receiver::Receiver,
    shared::Shared,
};

pin_project! {
    /// A receive of as many messages as there are; made by [`Receiver::recv_many`](crate::Receiver::recv_many).
    ///
    /// It waits only while there is none at all.
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
    #[must_use = "futures do nothing unless you `.await` or `.wait()` for them"]
    pub struct RecvManyFuture<'a, T> {
        receiver: &'a Receiver<T>,
        // `None` for the receiver on which nothing ever happens.
        #[pin]
        op: Option<RecvOp<&'a Shared<T>, T>>,
        into: &'a mut Vec<T>,
        limit: usize,
        terminated: bool,
    }
}

impl<'a, T> RecvManyFuture<'a, T> {
    pub(crate) fn new(receiver: &'a Receiver<T>, into: &'a mut Vec<T>, limit: usize) -> Self {
        let shared = receiver.shared().map(|shared| &**shared);
        Self {
            receiver,
            op: shared.map(RecvOp::new),
            into,
            limit,
            terminated: false,
        }
    }

    fn poll_receives(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<usize, RecvError>> {
        let this = self.project();
        assert!(
            !*this.terminated,
            "a receive of many was polled again after it had completed"
        );
        let Some(mut op) = this.op.as_pin_mut() else {
            return if *this.limit == 0 {
                Poll::Ready(Ok(0))
            } else {
                Poll::Pending
            };
        };
        if op.is_idle() {
            match this.receiver.try_recv_many(this.into, *this.limit) {
                Ok(count) => return Poll::Ready(Ok(count)),
                Err(TryRecvError::Closed) => return Poll::Ready(Err(RecvError)),
                Err(TryRecvError::Empty) => {}
            }
        }
        // If that cannot be had, the message is still where it was.
        this.into.reserve(1);
        match ready!(op.as_mut().poll(cx)) {
            Ok(message) => {
                this.into.push(message);
                let more = this.receiver.try_recv_many(this.into, *this.limit - 1);
                Poll::Ready(Ok(1 + more.unwrap_or(0)))
            }
            Err(RecvError) => Poll::Ready(Err(RecvError)),
        }
    }
}

impl<T> Future for RecvManyFuture<'_, T> {
    type Output = Result<usize, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let received = ready!(self.as_mut().poll_receives(cx));
        *self.project().terminated = true;
        Poll::Ready(received)
    }
}

impl<T> FusedFuture for RecvManyFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.terminated
    }
}

impl<T> fmt::Debug for RecvManyFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvManyFuture")
            .field("terminated", &self.terminated)
            .finish_non_exhaustive()
    }
}

/// The messages that could be had at once; made by [`Receiver::drain`](crate::Receiver::drain).
///
/// They have been received: those that are not taken out drop with it.
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

impl<T> Iterator for Drain<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<T> ExactSizeIterator for Drain<T> {}
impl<T> FusedIterator for Drain<T> {}

impl<T> fmt::Debug for Drain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
