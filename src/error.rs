//! Every error of the crate. Those of sends carry the message back.

#![forbid(unsafe_code)]

use core::{error::Error, fmt};

use crate::future::Unsent;

/// The channel is closed; the message that was not sent is in here, if the operation had one.
///
/// From [`Sender::send`](crate::Sender::send), its other forms and those of permits. It is a `SendError<()>` where there is no
/// message ([`reserve`](crate::Sender::reserve)) or where the message is elsewhere
/// ([`send_from`](crate::Sender::send_from)), and a `SendError<Option<T>>` from a sink.
///
/// # Examples
///
/// ```
/// use hchan::SendError;
///
/// let (tx, rx) = hchan::bounded(1);
/// drop(rx);
/// let SendError(message) = tx.send_blocking("hello").unwrap_err();
/// assert_eq!(message, "hello");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SendError<T>(pub T);

/// A message could not be sent at once; it is in here.
///
/// From [`Sender::try_send`](crate::Sender::try_send) and [`Sender::force_send`](crate::Sender::force_send).
///
/// # Examples
///
/// ```
/// use hchan::TrySendError;
///
/// let (tx, _rx) = hchan::bounded(1);
/// tx.try_send(1)?;
/// assert_eq!(tx.try_send(2), Err(TrySendError::Full(2)));
/// tx.close();
/// assert_eq!(tx.try_send(3), Err(TrySendError::Closed(3)));
/// # Ok::<(), TrySendError<i32>>(())
/// ```
#[doc(alias = "Disconnected")]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum TrySendError<T> {
    /// There was no room: the buffer was full, or at capacity 0 no receiver was parked, but for what permits count on.
    Full(T),
    /// The channel is closed.
    Closed(T),
}

/// A message could not be sent in time, or before something else came; it is in here.
///
/// From [`SendFuture::wait_timeout`](crate::SendFuture::wait_timeout),
/// [`SendFuture::wait_deadline`](crate::SendFuture::wait_deadline) and [`SendFuture::until`](crate::SendFuture::until).
///
/// # Examples
///
/// ```
/// use hchan::SendTimeoutError;
/// use std::time::Duration;
///
/// let (tx, _rx) = hchan::bounded(0);
/// let result = tx.send("anyone?").wait_timeout(Duration::from_millis(1));
/// assert_eq!(result, Err(SendTimeoutError::Timeout("anyone?")));
/// ```
#[doc(alias = "Disconnected")]
#[doc(alias = "SendErrorTimeout")]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum SendTimeoutError<T> {
    /// The time was up, or what the send was to last [`until`](crate::SendFuture::until) had come, and the message had not
    /// been taken; it will not be.
    Timeout(T),
    /// The channel is closed.
    Closed(T),
}

/// Not all messages of a batch could be sent, and here are the others.
///
/// From [`Sender::send_many`](crate::Sender::send_many), when the channel is closed; within [`TrySendError`] and
/// [`SendTimeoutError`], which tell the reason, from its other forms.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded(2);
/// let error = tx.try_send_many(["a", "b", "c"]).unwrap_err();
/// assert!(error.is_full());
/// let hchan::SendManyError { sent, mut rest } = error.into_inner();
/// assert_eq!((sent, rest.next()), (2, Some("c")));
/// # drop(rx);
/// ```
pub struct SendManyError<I: Iterator> {
    /// How many messages were sent; `usize::MAX` also stands for more.
    pub sent: usize,
    /// The messages that were not.
    pub rest: Unsent<I>,
}

/// The channel is closed and there is nothing in it now.
///
/// From [`Receiver::recv`](crate::Receiver::recv) and its blocking forms. A message that another receive gives back
/// later is for whoever receives next.
///
/// # Examples
///
/// ```
/// use hchan::RecvError;
///
/// let (tx, rx) = hchan::unbounded();
/// tx.try_send(1).unwrap();
/// drop(tx);
/// assert_eq!(rx.recv_blocking(), Ok(1));
/// assert_eq!(rx.recv_blocking(), Err(RecvError));
/// ```
#[doc(alias = "ReceiveError")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecvError;

/// There is no message to receive at once.
///
/// From [`Receiver::try_recv`](crate::Receiver::try_recv).
///
/// # Examples
///
/// ```
/// use hchan::TryRecvError;
///
/// let (tx, rx) = hchan::bounded::<u8>(1);
/// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
/// drop(tx);
/// assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
/// ```
#[doc(alias = "Disconnected")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TryRecvError {
    /// There is no message that can be received now. (With permits, [sends may be parked](crate::Receiver::try_recv).)
    Empty,
    /// The channel is closed and there is nothing in it now.
    Closed,
}

/// No message came in time, or before something else came.
///
/// From [`RecvFuture::wait_timeout`](crate::RecvFuture::wait_timeout),
/// [`RecvFuture::wait_deadline`](crate::RecvFuture::wait_deadline) and [`RecvFuture::until`](crate::RecvFuture::until).
///
/// # Examples
///
/// ```
/// use hchan::RecvTimeoutError;
/// use std::time::Duration;
///
/// let (tx, rx) = hchan::bounded::<u8>(1);
/// let result = rx.recv().wait_timeout(Duration::from_millis(1));
/// assert_eq!(result, Err(RecvTimeoutError::Timeout));
/// # drop(tx);
/// ```
#[doc(alias = "Disconnected")]
#[doc(alias = "ReceiveErrorTimeout")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecvTimeoutError {
    /// The time was up, or what the receive was to last [`until`](crate::RecvFuture::until) had come, and no message; none
    /// was taken from the channel.
    Timeout,
    /// The channel is closed and there is nothing in it now.
    Closed,
}

impl<T> SendError<T> {
    /// The message that was not sent.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(hchan::SendError(7).into_inner(), 7);
    /// ```
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl TrySendError<()> {
    /// The same error, with the message.
    pub(crate) fn with<T>(self, message: impl FnOnce() -> T) -> TrySendError<T> {
        match self {
            Self::Full(()) => TrySendError::Full(message()),
            Self::Closed(()) => TrySendError::Closed(message()),
        }
    }
}

impl<T> TrySendError<T> {
    /// The message that was not sent.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(hchan::TrySendError::Full(7).into_inner(), 7);
    /// ```
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(message) | Self::Closed(message) => message,
        }
    }

    /// Whether there was no room.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(hchan::TrySendError::Full(7).is_full());
    /// ```
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Whether the channel was closed.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(hchan::TrySendError::Closed(7).is_closed());
    /// ```
    #[doc(alias = "is_disconnected")]
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

impl<T> SendTimeoutError<T> {
    /// The message that was not sent.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(hchan::SendTimeoutError::Timeout(7).into_inner(), 7);
    /// ```
    pub fn into_inner(self) -> T {
        match self {
            Self::Timeout(message) | Self::Closed(message) => message,
        }
    }

    /// Whether the time was up, or the `stop` of an `until` had come.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(hchan::SendTimeoutError::Timeout(7).is_timeout());
    /// ```
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout(_))
    }

    /// Whether the channel was closed.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(hchan::SendTimeoutError::Closed(7).is_closed());
    /// ```
    #[doc(alias = "is_disconnected")]
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

impl TryRecvError {
    /// Whether there was no message.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(hchan::TryRecvError::Empty.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// Whether the channel was closed, with nothing in it.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(hchan::TryRecvError::Closed.is_closed());
    /// ```
    #[doc(alias = "is_disconnected")]
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }
}

impl RecvTimeoutError {
    /// Whether the time was up, or the `stop` of an `until` had come.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(hchan::RecvTimeoutError::Timeout.is_timeout());
    /// ```
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout)
    }

    /// Whether the channel was closed, with nothing in it.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(hchan::RecvTimeoutError::Closed.is_closed());
    /// ```
    #[doc(alias = "is_disconnected")]
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }
}

impl<T> From<SendError<T>> for TrySendError<T> {
    fn from(SendError(message): SendError<T>) -> Self {
        Self::Closed(message)
    }
}

impl<T> From<SendError<T>> for SendTimeoutError<T> {
    fn from(SendError(message): SendError<T>) -> Self {
        Self::Closed(message)
    }
}

impl From<RecvError> for TryRecvError {
    fn from(RecvError: RecvError) -> Self {
        Self::Closed
    }
}

impl From<RecvError> for RecvTimeoutError {
    fn from(RecvError: RecvError) -> Self {
        Self::Closed
    }
}

impl<I: Iterator + Clone> Clone for SendManyError<I>
where
    I::Item: Clone,
{
    fn clone(&self) -> Self {
        Self {
            sent: self.sent,
            rest: self.rest.clone(),
        }
    }
}

// `Debug` without `T: Debug`, so that `unwrap` and `?` work for every message.

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError(..)")
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Debug for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout(_) => "Timeout(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<I: Iterator> fmt::Debug for SendManyError<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendManyError")
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sending on a closed channel")
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "sending on a full channel",
            Self::Closed(_) => "sending on a closed channel",
        })
    }
}

impl<T> fmt::Display for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout(_) => "timed out or stopped while waiting to send",
            Self::Closed(_) => "sending on a closed channel",
        })
    }
}

impl<I: Iterator> fmt::Display for SendManyError<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "sending on a closed channel after {} messages of a batch",
            self.sent
        )
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("receiving on a closed and empty channel")
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "receiving on an empty channel",
            Self::Closed => "receiving on a closed and empty channel",
        })
    }
}

impl fmt::Display for RecvTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "timed out or stopped while waiting to receive",
            Self::Closed => "receiving on a closed and empty channel",
        })
    }
}

impl<T> Error for SendError<T> {}
impl<T> Error for TrySendError<T> {}
impl<T> Error for SendTimeoutError<T> {}
impl<I: Iterator> Error for SendManyError<I> {}
impl Error for RecvError {}
impl Error for TryRecvError {}
impl Error for RecvTimeoutError {}
