//! What is done to the channel and to the model, and what is compared.

#![forbid(unsafe_code)]

use std::{collections::BTreeMap, task::Poll};

use hchan::{RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError};
use proptest::prelude::*;

/// What is done in one step. Where there is no such handle or task, nothing is.
///
/// A task is a future or a stream with a handle of its own. `Poll` and its like pick one of those there are. Some of the
/// futures are to last only until a stop, which completes when `Stop` says so.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    TrySend,
    ForceSend,
    SendWithinNoTime,
    TryRecv,
    TryIter,
    RecvWithinNoTime,
    TryReserve {
        then: Use,
    },
    UsePermit {
        then: Use,
    },
    /// Of an iterator that makes so many messages.
    TrySendMany {
        count: usize,
    },
    TryRecvMany {
        limit: usize,
    },
    Drain,
    NewSend {
        has_stop: bool,
        is_polled: bool,
    },
    NewSendFrom {
        has_stop: bool,
        is_polled: bool,
    },
    NewRecv {
        has_stop: bool,
        is_polled: bool,
    },
    NewStream {
        is_polled: bool,
    },
    NewReserve {
        has_stop: bool,
        is_polled: bool,
    },
    NewSendMany {
        count: usize,
        has_stop: bool,
        is_polled: bool,
    },
    NewRecvMany {
        limit: usize,
        has_stop: bool,
        is_polled: bool,
    },
    NewWatch {
        watch: Watch,
        from_sender: bool,
        has_stop: bool,
        is_polled: bool,
    },
    /// A sink is a task, too; to poll it is to ask whether it is ready.
    NewSink {
        is_polled: bool,
    },
    /// If it has said that it is ready.
    StartSend {
        pick: u8,
    },
    CloneSink {
        pick: u8,
    },
    CloseSink {
        pick: u8,
    },
    /// A biased select of two arms on the one channel, each of which sends (from an `Option`) or receives.
    NewSelect {
        sends: [bool; 2],
        is_polled: bool,
    },
    Poll {
        pick: u8,
        with_new_waker: bool,
    },
    Stop {
        pick: u8,
    },
    Drop {
        pick: u8,
    },
    /// Of all receives and streams: permits may have counted on several of them.
    DropReceives,
    Release {
        pick: u8,
    },
    CloneSender,
    DropSender,
    UpgradeSender,
    CloseFromSender,
    CloneReceiver,
    DropReceiver,
    UpgradeReceiver,
    CloseFromReceiver,
}

/// What is done with a permit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Use {
    /// It becomes an owned one, or stays one.
    Keep,
    Send,
    Drop,
    /// As `Drop`, and its sender stays.
    Release,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Watch {
    Closed,
    Drained,
}

/// What an operation returned, with numbers for messages.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    Skipped,
    Done,
    Closed(bool),
    Upgraded(bool),
    TrySend(Result<(), TrySendError<Id>>),
    ForceSend(Result<Option<Id>, TrySendError<Id>>),
    TimedSend(Result<(), SendTimeoutError<Id>>),
    TryRecv(Result<Id, TryRecvError>),
    TryIter(Vec<Id>),
    TimedRecv(Result<Id, RecvTimeoutError>),
    /// Without a stop an error is `Closed`, as with a `recv`.
    Send(Poll<Result<(), SendTimeoutError<Id>>>),
    SendFrom(Poll<Result<(), SendTimeoutError<()>>>),
    /// Which arm, and the message that it received, if it is one that receives.
    Select(Poll<(usize, Result<Option<Id>, Closed>)>),
    Recv(Poll<Result<Id, RecvTimeoutError>>),
    Item(Poll<Option<Id>>),
    /// The send is there if the permit was used for one.
    Permit(Option<Result<(), SendError<Id>>>),
    TryReserve(TrySendError<()>),
    Reserve(Poll<Result<(), SendTimeoutError<()>>>),
    TrySendMany(Result<usize, TrySendError<Unsent>>),
    SendMany(Poll<Result<usize, SendTimeoutError<Unsent>>>),
    TryRecvMany(Result<Vec<Id>, TryRecvError>),
    RecvMany(Poll<Result<Vec<Id>, RecvTimeoutError>>),
    /// Whether it is over, or stopped.
    Watch(Poll<bool>),
    SinkReady(Poll<Result<(), SendError<Option<Id>>>>),
    StartSend(Result<(), SendError<Option<Id>>>),
}

/// How many messages of a batch were sent, and the others.
pub(crate) type Unsent = (usize, Vec<Id>);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Closed;

/// All that can be seen after a step.
#[derive(Debug, PartialEq)]
pub(crate) struct Observed {
    pub(crate) from_sender: Option<View>,
    pub(crate) from_receiver: Option<View>,
    /// How often each message has been dropped.
    pub(crate) drops: Vec<usize>,
    /// The messages that this step left in the `Option`s of sends.
    pub(crate) left_in_options: Vec<Id>,
    /// How many messages were left in each of the iterators of batches that this step ended.
    pub(crate) left_in_iterators: Vec<usize>,
    /// The wakers that this step woke, in order.
    pub(crate) woken: Vec<usize>,
    /// How often each waker is held.
    pub(crate) held: Vec<usize>,
}

/// What a handle tells of its channel.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    pub(crate) len: usize,
    pub(crate) capacity: Option<usize>,
    pub(crate) is_empty: bool,
    pub(crate) is_full: bool,
    pub(crate) is_closed: bool,
    pub(crate) senders: usize,
    pub(crate) receivers: usize,
    pub(crate) waiting_senders: usize,
    pub(crate) waiting_receivers: usize,
}

/// A message, a task, a waker: numbered in the order in which they are made.
pub(crate) type Id = usize;

/// The task that `pick` stands for.
pub(crate) fn pick<T>(tasks: &BTreeMap<Id, T>, pick: u8) -> Option<Id> {
    pick_among(tasks, |_| true, pick)
}

/// The one that `pick` stands for of those that will do.
pub(crate) fn pick_among<T>(
    tasks: &BTreeMap<Id, T>,
    will_do: impl Fn(&T) -> bool,
    pick: u8,
) -> Option<Id> {
    let those = || tasks.iter().filter(|(_, task)| will_do(task));
    let count = those().count().max(1);
    those()
        .nth(usize::from(pick) % count)
        .map(|(task, _)| *task)
}

/// Up to `most` steps, in which there are so many sends, and permits, for so many receives.
fn steps(
    (sends, permits): (u32, u32),
    receives: u32,
    most: usize,
) -> impl Strategy<Value = Vec<Op>> {
    let rarely = 1;
    let sinks = if cfg!(feature = "sink") { sends } else { 0 };
    // A table and a number, because the strategies made for such a choice take longer than the test.
    type Choice = (u32, fn(u8) -> Op);
    let table: [Choice; 42] = [
        (3 * sends, |_| Op::TrySend),
        (3 * receives, |_| Op::TryRecv),
        (6 * sends, |pick| Op::NewSend {
            has_stop: pick % 3 == 0,
            is_polled: true,
        }),
        (6 * receives, |pick| Op::NewRecv {
            has_stop: pick % 3 == 0,
            is_polled: true,
        }),
        (3 * sends, |pick| Op::NewSendFrom {
            has_stop: pick % 3 == 0,
            is_polled: pick % 8 > 0,
        }),
        (2 * sends, |pick| Op::NewSelect {
            sends: [true, pick % 2 == 0],
            is_polled: pick % 16 > 1,
        }),
        (2 * receives, |pick| Op::NewSelect {
            sends: [false, pick % 2 == 0],
            is_polled: pick % 16 > 1,
        }),
        (2 * receives, |_| Op::NewStream { is_polled: true }),
        (sends, |pick| Op::NewSend {
            has_stop: pick % 2 == 0,
            is_polled: false,
        }),
        (receives, |pick| Op::NewRecv {
            has_stop: pick % 2 == 0,
            is_polled: false,
        }),
        (receives, |_| Op::NewStream { is_polled: false }),
        (4 * (sends + receives), |pick| Op::Poll {
            pick,
            with_new_waker: false,
        }),
        (sends + receives, |pick| Op::Poll {
            pick,
            with_new_waker: true,
        }),
        (3 * (sends + receives), |pick| Op::Stop { pick }),
        (3 * (sends + receives), |pick| Op::Drop { pick }),
        (permits.div_ceil(2), |_| Op::DropReceives),
        (2 * receives, |pick| Op::Release { pick }),
        (sends, |_| Op::ForceSend),
        (sends, |_| Op::SendWithinNoTime),
        (receives, |_| Op::RecvWithinNoTime),
        (rarely, |_| Op::TryIter),
        (3 * permits, |pick| Op::TryReserve {
            then: [Use::Keep, Use::Keep, Use::Keep, Use::Send, Use::Drop][usize::from(pick % 5)],
        }),
        (4 * permits, |pick| Op::NewReserve {
            has_stop: pick % 3 == 0,
            is_polled: pick % 8 > 0,
        }),
        (6 * permits, |pick| Op::UsePermit {
            then: [Use::Send, Use::Drop, Use::Release][usize::from(pick % 3)],
        }),
        (sends, |pick| Op::TrySendMany {
            count: usize::from(pick % 7),
        }),
        (3 * sends, |pick| Op::NewSendMany {
            count: usize::from(pick % 7),
            has_stop: pick % 3 == 0,
            is_polled: pick % 16 > 0,
        }),
        (receives, |pick| Op::TryRecvMany {
            limit: usize::from(pick % 7),
        }),
        (3 * receives, |pick| Op::NewRecvMany {
            limit: usize::from(pick % 7),
            has_stop: pick % 3 == 0,
            is_polled: pick % 16 > 0,
        }),
        (rarely, |_| Op::Drain),
        (4 * rarely, |pick| Op::NewWatch {
            watch: [Watch::Closed, Watch::Drained][usize::from(pick % 2)],
            from_sender: pick % 4 > 1,
            has_stop: pick % 3 == 0,
            is_polled: pick % 16 > 0,
        }),
        (2 * sinks, |pick| Op::NewSink {
            is_polled: pick % 4 > 0,
        }),
        (2 * sinks, |pick| Op::StartSend { pick }),
        (sinks.div_ceil(4), |pick| Op::CloneSink { pick }),
        (sinks.div_ceil(4), |pick| Op::CloseSink { pick }),
        (4 * rarely, |_| Op::CloneSender),
        (4 * rarely, |_| Op::CloneReceiver),
        (2 * rarely, |_| Op::DropSender),
        (2 * rarely, |_| Op::DropReceiver),
        (rarely, |_| Op::UpgradeSender),
        (rarely, |_| Op::UpgradeReceiver),
        (rarely, |_| Op::CloseFromSender),
        (rarely, |_| Op::CloseFromReceiver),
    ];
    let sum = table.iter().map(|(weight, _)| weight).sum();
    let op = (0..sum, any::<u8>()).prop_map(move |(mut number, pick)| {
        let chosen = table.iter().find(|(weight, _)| {
            let is_here = number < *weight;
            number = number.saturating_sub(*weight);
            is_here
        });
        chosen.expect("the number is less than the sum").1(pick)
    });
    prop::collection::vec(op, 0..=most)
}

pub(crate) fn any_steps() -> impl Strategy<Value = Vec<Op>> {
    // As many of both, then more of one, then crowds of parked senders and of parked receivers, then permits and receives.
    prop_oneof![
        3 => steps((8, 8), 8, 160),
        1 => steps((12, 12), 4, 160),
        1 => steps((4, 4), 12, 160),
        1 => steps((24, 24), 1, 300),
        1 => steps((1, 1), 24, 300),
        1 => steps((1, 16), 16, 160),
    ]
}

pub(crate) fn any_capacity() -> impl Strategy<Value = Option<usize>> {
    prop::sample::select(vec![Some(0), Some(1), Some(2), Some(5), None])
}
