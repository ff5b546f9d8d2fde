//! What is done to the channel and to the model, and what is compared.

#![forbid(unsafe_code)]

use std::{collections::BTreeMap, task::Poll};

use hchan::{RecvTimeoutError, SendTimeoutError, TryRecvError, TrySendError};
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
}

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
    let count = tasks.len().max(1);
    tasks.keys().nth(usize::from(pick) % count).copied()
}

/// Up to `most` steps, in which there are so many sends for so many receives.
fn steps(sends: u32, receives: u32, most: usize) -> impl Strategy<Value = Vec<Op>> {
    let rarely = 1;
    // A table and a number, because the strategies made for such a choice take longer than the test.
    type Choice = (u32, fn(u8) -> Op);
    let table: [Choice; 28] = [
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
        (2 * receives, |pick| Op::Release { pick }),
        (sends, |_| Op::ForceSend),
        (sends, |_| Op::SendWithinNoTime),
        (receives, |_| Op::RecvWithinNoTime),
        (rarely, |_| Op::TryIter),
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
    // As many of both, then more of one, then crowds of parked senders and of parked receivers.
    prop_oneof![
        3 => steps(8, 8, 160),
        1 => steps(12, 4, 160),
        1 => steps(4, 12, 160),
        1 => steps(24, 1, 300),
        1 => steps(1, 24, 300),
    ]
}

pub(crate) fn any_capacity() -> impl Strategy<Value = Option<usize>> {
    prop::sample::select(vec![Some(0), Some(1), Some(2), Some(5), None])
}
