//! What a task of the model is at.

#![forbid(unsafe_code)]

use crate::op::{Closed, Id, Watch};

pub(crate) struct ModelTask {
    pub(crate) state: State,
    pub(crate) stop: Option<ModelStop>,
    pub(crate) waker: Option<Id>,
}

#[derive(Default)]
pub(crate) struct ModelStop {
    pub(crate) is_complete: bool,
    pub(crate) waker: Option<Id>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum State {
    Send(Sending),
    SendFrom(Sending),
    SendMany(Batch),
    Reserve(Waiting),
    Sink(Sink),
    Select(Selecting),
    Recv(Receiving),
    RecvMany {
        receiving: Receiving,
        limit: usize,
    },
    Stream(Receiving),
    EndedStream,
    Watch {
        watch: Watch,
        from_sender: bool,
        waiting: Waiting,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sending {
    New(Id),
    Parked(Id),
    Taken,
    Refused(Id),
}

/// A wait without a message of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Waiting {
    New,
    Parked,
    /// It has been given what it waits for.
    Granted,
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Batch {
    /// How many messages the iterator has still to make.
    pub(crate) left: usize,
    /// The messages from this one to before that one are made and not sent; the first of them waits.
    pub(crate) made: (Id, Id),
    pub(crate) sent: usize,
    pub(crate) waiting: Waiting,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sink {
    pub(crate) waiting: Waiting,
    pub(crate) has_permit: bool,
    pub(crate) is_closed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Selecting {
    /// The messages of the arms that send.
    pub(crate) messages: [Option<Id>; 2],
    pub(crate) phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Phase {
    New,
    /// It parks one arm after the other. A peer that meets one meanwhile passes it by, and it tries again.
    Parking {
        is_passed_by: bool,
    },
    Parked,
    /// A peer that could not commit it has woken it to begin anew.
    Woken,
    /// This arm has happened, with the message received, if it is one that receives.
    Happened(usize, Result<Option<Id>, Closed>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Receiving {
    New,
    Parked,
    Handed(Id),
    Refused,
}

impl State {
    pub(crate) fn is_new(self) -> bool {
        match self {
            Self::Send(sending) | Self::SendFrom(sending) => matches!(sending, Sending::New(_)),
            Self::SendMany(batch) => batch.waiting == Waiting::New,
            Self::Select(selecting) => selecting.phase == Phase::New,
            Self::Recv(receiving) | Self::RecvMany { receiving, .. } | Self::Stream(receiving) => {
                receiving == Receiving::New
            }
            Self::Reserve(waiting) | Self::Watch { waiting, .. } => waiting == Waiting::New,
            Self::Sink(_) | Self::EndedStream => false,
        }
    }

    pub(crate) fn is_parked(self) -> bool {
        match self {
            Self::Send(sending) | Self::SendFrom(sending) => {
                matches!(sending, Sending::Parked(_))
            }
            Self::SendMany(batch) => batch.waiting == Waiting::Parked,
            Self::Select(selecting) => selecting.phase == Phase::Parked,
            Self::Recv(receiving) | Self::RecvMany { receiving, .. } | Self::Stream(receiving) => {
                receiving == Receiving::Parked
            }
            Self::Reserve(waiting) | Self::Watch { waiting, .. } => waiting == Waiting::Parked,
            Self::Sink(sink) => sink.waiting == Waiting::Parked,
            Self::EndedStream => false,
        }
    }

    /// Whether it waits for room, without a message.
    pub(crate) fn is_for_permit(self) -> bool {
        matches!(self, Self::Reserve(_) | Self::Sink(_))
    }

    pub(crate) fn is_receive(self) -> bool {
        matches!(
            self,
            Self::Recv(_) | Self::RecvMany { .. } | Self::Stream(_) | Self::EndedStream
        )
    }

    /// What becomes of one that is parked in a channel when that closes.
    pub(crate) fn refused(self, arm: usize) -> Self {
        match self {
            Self::Send(Sending::Parked(message)) => Self::Send(Sending::Refused(message)),
            Self::SendFrom(Sending::Parked(message)) => Self::SendFrom(Sending::Refused(message)),
            Self::Recv(_) => Self::Recv(Receiving::Refused),
            Self::Stream(_) => Self::Stream(Receiving::Refused),
            Self::RecvMany { limit, .. } => Self::RecvMany {
                receiving: Receiving::Refused,
                limit,
            },
            Self::Select(selecting) => selecting.happened(arm, Err(Closed)),
            Self::Watch { .. } => self.now(Waiting::Granted),
            other => other.now(Waiting::Refused),
        }
    }

    /// The message taken, or the permit given out, of one that waits for room.
    pub(crate) fn granted(self, arm: usize) -> (Option<Id>, Self) {
        match self {
            Self::Send(Sending::Parked(message)) => (Some(message), Self::Send(Sending::Taken)),
            Self::SendFrom(Sending::Parked(message)) => {
                (Some(message), Self::SendFrom(Sending::Taken))
            }
            Self::Select(selecting) => (selecting.messages[arm], selecting.happened(arm, Ok(None))),
            Self::SendMany(batch) => (Some(batch.made.0), self.now(Waiting::Granted)),
            other => (None, other.now(Waiting::Granted)),
        }
    }

    /// Handed a message.
    pub(crate) fn handed(self, arm: usize, message: Id) -> Self {
        let receiving = Receiving::Handed(message);
        match self {
            Self::Select(selecting) => selecting.happened(arm, Ok(Some(message))),
            Self::Recv(Receiving::Parked) => Self::Recv(receiving),
            Self::Stream(Receiving::Parked) => Self::Stream(receiving),
            Self::RecvMany {
                receiving: Receiving::Parked,
                limit,
            } => Self::RecvMany { receiving, limit },
            other => panic!("{other:?} was in the queue of receivers"),
        }
    }

    /// The same, as far as its wait has come now.
    pub(crate) fn now(self, waiting: Waiting) -> Self {
        match self {
            Self::SendMany(batch) => Self::SendMany(Batch { waiting, ..batch }),
            Self::Reserve(_) => Self::Reserve(waiting),
            Self::Sink(sink) => Self::Sink(Sink { waiting, ..sink }),
            Self::Watch {
                watch, from_sender, ..
            } => Self::Watch {
                watch,
                from_sender,
                waiting,
            },
            other => panic!("{other:?} was in a queue"),
        }
    }
}

impl Batch {
    pub(crate) fn new(count: usize) -> Self {
        Self {
            left: count,
            made: (0, 0),
            sent: 0,
            waiting: Waiting::New,
        }
    }
}

impl Sink {
    pub(crate) const NEW: Self = Self {
        waiting: Waiting::New,
        has_permit: false,
        is_closed: false,
    };
}

impl Selecting {
    fn happened(self, arm: usize, result: Result<Option<Id>, Closed>) -> State {
        let phase = Phase::Happened(arm, result);
        State::Select(Self { phase, ..self })
    }
}
