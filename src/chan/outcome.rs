//! What a transition of the channel comes to, and what it leaves to do after the lock.

#![forbid(unsafe_code)]

use crate::wake::Wake;

/// How a send ended, for now.
pub(crate) enum SendOutcome {
    /// The message has been taken; if that completed a parked receive, here is whom to wake.
    Sent(Option<Wake>),
    /// No room.
    Full,
    Closed,
}

/// How a receive ended, for now.
pub(crate) enum RecvOutcome {
    /// A message is in the slot that the receive came with.
    Received(Received),
    Empty,
    Closed,
}

/// What a message leaves behind in the channel that it has left.
pub(crate) struct Received {
    /// Its place among all that have left: where it belongs if it is given back.
    pub(crate) seq: u64,
    /// The sender that its leaving completed, to be woken.
    pub(crate) wake: Option<Wake>,
    /// Whether it was the last of a closed channel, and parked waits for that are to be completed.
    pub(crate) has_drained: bool,
}

/// How a request for a permit ended, for now.
pub(crate) enum ReserveOutcome {
    Reserved,
    /// No room.
    Full,
    Closed,
}

/// How a forced send ended.
pub(crate) enum ForceOutcome {
    /// As [`SendOutcome::Sent`].
    Sent(Option<Wake>),
    /// The message took the place of the oldest, which is in the slot for it.
    Evicted,
    /// Nothing could be evicted.
    Full,
    Closed,
}
