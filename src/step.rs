//! What a transition of the channel comes to, and what it leaves to do after the lock.

#![forbid(unsafe_code)]

use core::task::Waker;

use crate::error::TryRecvError;

/// How a send ended, for now.
pub(crate) enum SendStep {
    /// The message has been taken; if that completed a parked receive, here is whom to wake.
    Sent(Option<Waker>),
    /// No room.
    Full,
    Closed,
}

/// How a receive ended, for now.
pub(crate) enum RecvStep<T> {
    Received(Taken<T>),
    /// It was the last of a closed channel, and those who have waited for that are to be told.
    ReceivedLast(Taken<T>),
    Empty,
    Closed,
}

/// A message that has left the channel.
pub(crate) struct Taken<T> {
    pub(crate) message: T,
    /// Its place among all that have left: where it belongs if it is given back.
    pub(crate) seq: u64,
    /// The sender that its leaving completed, to be woken.
    pub(crate) waker: Option<Waker>,
}

impl<T> Taken<T> {
    /// A message that changed nothing by leaving.
    pub(crate) fn quietly(message: T, seq: u64) -> Self {
        Self {
            message,
            seq,
            waker: None,
        }
    }
}

/// What several messages that have left the channel leave behind.
pub(crate) struct TakenMany {
    /// Why there are no more.
    pub(crate) end: Option<TryRecvError>,
    /// As [`RecvStep::ReceivedLast`] says of one.
    pub(crate) has_drained: bool,
}

/// How a request for a permit ended, for now.
pub(crate) enum ReserveStep {
    Reserved,
    /// No room.
    Full,
    Closed,
}
