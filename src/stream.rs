//! The messages of a channel as a stream.

#![forbid(unsafe_code)]

use alloc::boxed::Box;
use core::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::{FusedStream, Stream};

use crate::{
    error::TryRecvError, operation::RecvOp, receiver::Receiver, shared::Shared, sync::Arc,
};

/// The messages of a channel as a [`Stream`]; made by [`Receiver::stream`] and [`Receiver::into_stream`].
///
/// It ends when the channel is closed and empty, and stays ended: [`is_terminated`](FusedStream::is_terminated) says
/// whether it has returned `None`. It is `Unpin`. It allocates once in its life, at the first poll that finds no message,
/// and not at all if there is none such.
///
/// A stream that was polled and had no item stays parked, and that is a commitment: when its turn comes, a message is
/// handed to it, whether it is polled again or not. Where a stream is not going to be polled for a while, and others
/// receive from the same channel, call [`release`](Self::release).
///
/// A stream that always has an item never yields to its executor: see [stopping](crate#stopping).
///
/// # Cancel safety
///
/// Nothing is lost when it is dropped, or when a future that borrows it (`next()`) is: a message that had been handed to
/// the stream is given back when the stream is dropped, and is the next item if it is not.
///
/// # Examples
///
/// ```
/// use futures::StreamExt;
///
/// # futures::executor::block_on(async {
/// let (tx, rx) = hchan::bounded(0);
/// let sending = std::thread::spawn(move || (1..=3).try_for_each(|n| tx.send_blocking(n)));
///
/// let mut stream = rx.stream();
/// let mut sum = 0;
/// while let Some(n) = stream.next().await {
///     sum += n;
/// }
/// assert_eq!(sum, 6);
/// # sending.join().unwrap().unwrap();
/// # });
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct RecvStream<'a, T> {
    // Before the handle, so that it gives its message back before the last handle drops what is in the channel.
    op: Option<Pin<Box<OwnedRecvOp<T>>>>,
    receiver: Handle<'a, T>,
    ended: bool,
}

type OwnedRecvOp<T> = RecvOp<Arc<Shared<T>>, T>;

enum Handle<'a, T> {
    Borrowed(&'a Receiver<T>),
    Owned(Receiver<T>),
}

impl<'a, T> RecvStream<'a, T> {
    pub(crate) fn borrowed(receiver: &'a Receiver<T>) -> Self {
        Self {
            op: None,
            receiver: Handle::Borrowed(receiver),
            ended: false,
        }
    }

    pub(crate) fn owned(receiver: Receiver<T>) -> Self {
        Self {
            op: None,
            receiver: Handle::Owned(receiver),
            ended: false,
        }
    }

    fn receiver(&self) -> &Receiver<T> {
        match &self.receiver {
            Handle::Borrowed(receiver) => receiver,
            Handle::Owned(receiver) => receiver,
        }
    }

    /// Unparks the stream, and gives a message that was handed to it back to the channel: to the receiver parked
    /// longest or else to the next receive.
    ///
    /// The next poll starts anew, at the end of the line.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::StreamExt;
    ///
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// let mut stream = rx.stream();
    /// assert!(futures::poll!(stream.next()).is_pending());
    /// tx.try_send("handed to the stream").unwrap();
    ///
    /// stream.release();
    /// assert_eq!(rx.try_recv(), Ok("handed to the stream"));
    /// # });
    /// ```
    pub fn release(&mut self) {
        if let Some(op) = &mut self.op {
            op.as_mut().release();
        }
    }

    fn poll_op(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if self.op.is_none() {
            // Without an operation yet, so that a stream that never parks never allocates.
            match self.receiver().try_recv() {
                Ok(message) => return Poll::Ready(Some(message)),
                Err(TryRecvError::Closed) => return Poll::Ready(None),
                Err(TryRecvError::Empty) => {
                    self.op = self
                        .receiver()
                        .shared()
                        .map(|shared| Box::pin(RecvOp::new(Arc::clone(shared))));
                }
            }
        }
        // There is still none if nothing ever happens on this channel.
        let Some(op) = &mut self.op else {
            return Poll::Pending;
        };
        let received = op.as_mut().poll(cx);
        if received.is_ready() {
            op.as_mut().renew();
        }
        received.map(Result::ok)
    }
}

impl<T> Stream for RecvStream<'_, T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let item = self.poll_op(cx);
        self.ended = matches!(item, Poll::Ready(None));
        item
    }
}

impl<T> FusedStream for RecvStream<'_, T> {
    fn is_terminated(&self) -> bool {
        self.ended
    }
}

impl<T> fmt::Debug for RecvStream<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvStream")
            .field("receiver", self.receiver())
            .field("terminated", &self.ended)
            .finish_non_exhaustive()
    }
}
