//! The channel beside a plain model of it: whatever is done to both, step by step, both do the same.
//!
//! The model is written after the tables in the crate's documentation ("What a send and a receive do", "Closing",
//! "Cancelling"), with a `Vec` or a `VecDeque` for every queue, and knows nothing of how the channel does it. Futures
//! are polled by hand. After each step everything is compared that can be seen from outside: what the operation
//! returned, every count, which messages have been dropped, who was woken and in what order, and which wakers are held.
//!
//! The sequences of operations are the same in each run. `PROPTEST_RNG_SEED=n` tries others, `PROPTEST_CASES=n` more.

#![forbid(unsafe_code)]

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    env,
    future::poll_fn,
    mem,
    pin::{Pin, pin},
    rc::Rc,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
};

use futures::{
    FutureExt, StreamExt,
    executor::block_on,
    future::{FusedFuture, LocalBoxFuture},
    poll,
    stream::FusedStream,
};
use hchan::{
    Receiver, RecvError, RecvStream, RecvTimeoutError, SendError, SendTimeoutError, Sender,
    TryRecvError, TrySendError, WeakReceiver, WeakSender, select,
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed},
};

/// What is done in one step. Where there is no such handle or task, nothing is.
///
/// A task is a future or a stream with a handle of its own. `Poll` and its like pick one of those there are. Some of the
/// futures are to last only until a stop, which completes when `Stop` says so.
#[derive(Clone, Debug)]
enum Op {
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
enum Outcome {
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
struct Closed;

/// All that can be seen after a step.
#[derive(Debug, PartialEq)]
struct Observed {
    from_sender: Option<View>,
    from_receiver: Option<View>,
    /// How often each message has been dropped.
    drops: Vec<usize>,
    /// The messages that this step left in the `Option`s of sends.
    left_in_options: Vec<Id>,
    /// The wakers that this step woke, in order.
    woken: Vec<usize>,
    /// How often each waker is held.
    held: Vec<usize>,
}

/// What a handle tells of its channel.
#[derive(Clone, Debug, PartialEq)]
struct View {
    len: usize,
    capacity: Option<usize>,
    is_empty: bool,
    is_full: bool,
    is_closed: bool,
    senders: usize,
    receivers: usize,
    waiting_senders: usize,
    waiting_receivers: usize,
}

/// A message, a task, a waker: numbered in the order in which they are made.
type Id = usize;

/// The task that `pick` stands for.
fn pick<T>(tasks: &BTreeMap<Id, T>, pick: u8) -> Option<Id> {
    let count = tasks.len().max(1);
    tasks.keys().nth(usize::from(pick) % count).copied()
}

/// The channel as the tables have it.
struct Model {
    capacity: Option<usize>,
    closed: bool,
    buffer: VecDeque<Id>,
    /// In the order in which they once left.
    given_back: Vec<Id>,
    /// Every message that has left the channel for a receiver, in the order in which they did so first.
    left: Vec<Id>,
    /// Who is parked, with which arm. When a select has happened, an arm of it that has not stays until somebody meets it.
    sendq: VecDeque<(Id, usize)>,
    recvq: VecDeque<(Id, usize)>,
    tasks: BTreeMap<Id, ModelTask>,
    next_task: Id,
    /// All handles, and those of them that are no task's.
    senders: usize,
    free_senders: usize,
    receivers: usize,
    free_receivers: usize,
    drops: Vec<usize>,
    left_in_options: Vec<Id>,
    wakers: usize,
    woken: Vec<Id>,
}

struct ModelTask {
    state: State,
    stop: Option<ModelStop>,
    waker: Option<Id>,
}

#[derive(Default)]
struct ModelStop {
    is_complete: bool,
    waker: Option<Id>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Send(Sending),
    SendFrom(Sending),
    Select(Selecting),
    Recv(Receiving),
    Stream(Receiving),
    EndedStream,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Sending {
    New(Id),
    Parked(Id),
    Taken,
    Refused(Id),
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Selecting {
    /// The messages of the arms that send.
    messages: [Option<Id>; 2],
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    New,
    Parked,
    /// This arm has happened, with the message received, if it is one that receives.
    Happened(usize, Result<Option<Id>, Closed>),
}

impl State {
    fn is_new(self) -> bool {
        match self {
            Self::Send(sending) | Self::SendFrom(sending) => matches!(sending, Sending::New(_)),
            Self::Select(selecting) => selecting.phase == Phase::New,
            Self::Recv(receiving) | Self::Stream(receiving) => receiving == Receiving::New,
            Self::EndedStream => false,
        }
    }

    fn is_parked(self) -> bool {
        match self {
            Self::Send(sending) | Self::SendFrom(sending) => {
                matches!(sending, Sending::Parked(_))
            }
            Self::Select(selecting) => selecting.phase == Phase::Parked,
            Self::Recv(receiving) | Self::Stream(receiving) => receiving == Receiving::Parked,
            Self::EndedStream => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Receiving {
    New,
    Parked,
    Handed(Id),
    Refused,
}

impl Model {
    fn new(capacity: Option<usize>) -> Self {
        Self {
            capacity,
            closed: false,
            buffer: VecDeque::new(),
            given_back: Vec::new(),
            left: Vec::new(),
            sendq: VecDeque::new(),
            recvq: VecDeque::new(),
            tasks: BTreeMap::new(),
            next_task: 0,
            senders: 1,
            free_senders: 1,
            receivers: 1,
            free_receivers: 1,
            drops: Vec::new(),
            left_in_options: Vec::new(),
            wakers: 0,
            woken: Vec::new(),
        }
    }

    fn apply(&mut self, op: &Op) -> Outcome {
        let has_handle = match op {
            Op::TrySend
            | Op::ForceSend
            | Op::SendWithinNoTime
            | Op::NewSend { .. }
            | Op::NewSendFrom { .. }
            | Op::CloneSender
            | Op::DropSender
            | Op::CloseFromSender => self.free_senders > 0,
            Op::TryRecv
            | Op::TryIter
            | Op::RecvWithinNoTime
            | Op::NewRecv { .. }
            | Op::NewStream { .. }
            | Op::CloneReceiver
            | Op::DropReceiver
            | Op::CloseFromReceiver => self.free_receivers > 0,
            Op::NewSelect { .. } => self.free_senders > 0 && self.free_receivers > 0,
            _ => true,
        };
        if !has_handle {
            return Outcome::Skipped;
        }
        match *op {
            Op::TrySend => {
                let message = self.new_message();
                let sent = self.send(message);
                Outcome::TrySend(sent.map_err(|error| self.returned(error)))
            }
            Op::ForceSend => {
                let message = self.new_message();
                let sent = match self.send(message) {
                    Err(TrySendError::Full(_)) if !self.buffer.is_empty() => {
                        let evicted = self.buffer.pop_front();
                        self.buffer.push_back(message);
                        Ok(evicted.inspect(|&message| self.drop_message(message)))
                    }
                    sent => sent.map(|()| None),
                };
                Outcome::ForceSend(sent.map_err(|error| self.returned(error)))
            }
            Op::SendWithinNoTime => {
                let message = self.new_message();
                let sent = self.send(message);
                Outcome::TimedSend(sent.map_err(|error| match self.returned(error) {
                    TrySendError::Full(message) => SendTimeoutError::Timeout(message),
                    TrySendError::Closed(message) => SendTimeoutError::Closed(message),
                }))
            }
            Op::TryRecv => Outcome::TryRecv(self.recv_and_drop()),
            Op::TryIter => {
                let messages = std::iter::from_fn(|| self.recv_and_drop().ok());
                Outcome::TryIter(messages.collect())
            }
            Op::RecvWithinNoTime => {
                Outcome::TimedRecv(self.recv_and_drop().map_err(|error| match error {
                    TryRecvError::Empty => RecvTimeoutError::Timeout,
                    TryRecvError::Closed => RecvTimeoutError::Closed,
                }))
            }
            Op::NewSend {
                has_stop,
                is_polled,
            } => {
                let message = self.new_message();
                self.senders += 1;
                self.new_task(State::Send(Sending::New(message)), has_stop, is_polled)
            }
            Op::NewSendFrom {
                has_stop,
                is_polled,
            } => {
                let message = self.new_message();
                self.senders += 1;
                self.new_task(State::SendFrom(Sending::New(message)), has_stop, is_polled)
            }
            Op::NewSelect { sends, is_polled } => {
                let messages = sends.map(|sends| sends.then(|| self.new_message()));
                self.senders += 1;
                self.receivers += 1;
                let phase = Phase::New;
                let state = State::Select(Selecting { messages, phase });
                self.new_task(state, false, is_polled)
            }
            Op::NewRecv {
                has_stop,
                is_polled,
            } => {
                self.receivers += 1;
                self.new_task(State::Recv(Receiving::New), has_stop, is_polled)
            }
            Op::NewStream { is_polled } => {
                self.receivers += 1;
                self.new_task(State::Stream(Receiving::New), false, is_polled)
            }
            Op::Poll {
                pick: task,
                with_new_waker,
            } => match pick(&self.tasks, task) {
                Some(task) => self.poll(task, with_new_waker),
                None => Outcome::Skipped,
            },
            Op::Stop { pick: task } => match pick(&self.tasks, task) {
                Some(task) => self.complete_stop(task),
                None => Outcome::Skipped,
            },
            Op::Drop { pick: task } => match pick(&self.tasks, task) {
                Some(task) => {
                    self.cancel(task);
                    Outcome::Done
                }
                None => Outcome::Skipped,
            },
            Op::Release { pick: task } => match pick(&self.tasks, task) {
                Some(task) => self.release(task),
                None => Outcome::Skipped,
            },
            Op::CloneSender => {
                self.senders += 1;
                self.free_senders += 1;
                Outcome::Done
            }
            Op::DropSender => {
                self.free_senders -= 1;
                self.drop_sender();
                Outcome::Done
            }
            Op::UpgradeSender => {
                let alive = self.senders > 0;
                self.senders += usize::from(alive);
                self.free_senders += usize::from(alive);
                Outcome::Upgraded(alive)
            }
            Op::CloneReceiver => {
                self.receivers += 1;
                self.free_receivers += 1;
                Outcome::Done
            }
            Op::DropReceiver => {
                self.free_receivers -= 1;
                self.drop_receiver();
                Outcome::Done
            }
            Op::UpgradeReceiver => {
                let alive = self.receivers > 0;
                self.receivers += usize::from(alive);
                self.free_receivers += usize::from(alive);
                Outcome::Upgraded(alive)
            }
            Op::CloseFromSender | Op::CloseFromReceiver => Outcome::Closed(self.close()),
        }
    }

    // The two tables.

    fn send(&mut self, message: Id) -> Result<(), TrySendError<Id>> {
        if self.closed {
            Err(TrySendError::Closed(message))
        } else if let Some(receiver) = next_parked(&mut self.recvq, &self.tasks) {
            self.left.push(message);
            self.hand(receiver, message);
            Ok(())
        } else if self.has_room() {
            self.buffer.push_back(message);
            Ok(())
        } else {
            Err(TrySendError::Full(message))
        }
    }

    fn recv(&mut self) -> Result<Id, TryRecvError> {
        if !self.given_back.is_empty() {
            Ok(self.given_back.remove(0))
        } else if let Some(message) = self.buffer.pop_front() {
            self.left.push(message);
            if let Some(promoted) = self.take_from_parked_sender() {
                self.buffer.push_back(promoted);
            }
            Ok(message)
        } else if let Some(message) = self.take_from_parked_sender() {
            self.left.push(message);
            Ok(message)
        } else if self.closed {
            Err(TryRecvError::Closed)
        } else {
            Err(TryRecvError::Empty)
        }
    }

    fn has_room(&self) -> bool {
        self.capacity
            .is_none_or(|capacity| self.buffer.len() < capacity)
    }

    fn hand(&mut self, (receiver, arm): (Id, usize), message: Id) {
        let handed = Receiving::Handed(message);
        self.wake(receiver, |state| match state {
            State::Select(selecting) => selecting.happened(arm, Ok(Some(message))),
            State::Recv(Receiving::Parked) => State::Recv(handed),
            State::Stream(Receiving::Parked) => State::Stream(handed),
            other => panic!("{other:?} was in the queue of receivers"),
        });
    }

    fn take_from_parked_sender(&mut self) -> Option<Id> {
        let (sender, arm) = next_parked(&mut self.sendq, &self.tasks)?;
        let mut taken = None;
        self.wake(sender, |state| match state {
            State::Send(Sending::Parked(message)) => {
                taken = Some(message);
                State::Send(Sending::Taken)
            }
            State::SendFrom(Sending::Parked(message)) => {
                taken = Some(message);
                State::SendFrom(Sending::Taken)
            }
            State::Select(selecting) => {
                taken = selecting.messages[arm];
                selecting.happened(arm, Ok(None))
            }
            other => panic!("{other:?} was in the queue of senders"),
        });
        taken
    }

    fn close(&mut self) -> bool {
        if self.closed {
            return false;
        }
        self.closed = true;
        let mut parked = mem::take(&mut self.recvq);
        parked.append(&mut self.sendq);
        while let Some((task, arm)) = next_parked(&mut parked, &self.tasks) {
            self.wake(task, |state| match state {
                State::Select(selecting) => selecting.happened(arm, Err(Closed)),
                State::SendFrom(Sending::Parked(message)) => {
                    State::SendFrom(Sending::Refused(message))
                }
                State::Send(Sending::Parked(message)) => State::Send(Sending::Refused(message)),
                State::Recv(Receiving::Parked) => State::Recv(Receiving::Refused),
                State::Stream(Receiving::Parked) => State::Stream(Receiving::Refused),
                other => panic!("{other:?} was in a queue"),
            });
        }
        true
    }

    /// Ends the wait of a task that has left its queue.
    fn wake(&mut self, task: Id, change: impl FnOnce(State) -> State) {
        let task = self
            .tasks
            .get_mut(&task)
            .expect("tasks leave their queue before they go");
        task.state = change(task.state);
        self.woken.extend(task.waker);
    }

    fn give_back(&mut self, message: Id) {
        if let Some(receiver) = next_parked(&mut self.recvq, &self.tasks) {
            self.hand(receiver, message);
            return;
        }
        let place = |message| self.left.iter().position(|&left| left == message);
        let behind = self
            .given_back
            .iter()
            .position(|&other| place(other) > place(message));
        let index = behind.unwrap_or(self.given_back.len());
        self.given_back.insert(index, message);
    }

    // Tasks.

    fn new_task(&mut self, state: State, has_stop: bool, is_polled: bool) -> Outcome {
        let id = self.next_task;
        self.next_task += 1;
        let task = ModelTask {
            state,
            stop: has_stop.then(ModelStop::default),
            waker: None,
        };
        self.tasks.insert(id, task);
        match is_polled {
            true => self.poll(id, true),
            false => Outcome::Done,
        }
    }

    fn poll(&mut self, id: Id, with_new_waker: bool) -> Outcome {
        let state = {
            let task = self.tasks.get_mut(&id).expect("picked among them");
            if with_new_waker || task.waker.is_none() {
                task.waker = Some(self.wakers);
                self.wakers += 1;
            }
            task.state
        };
        // A stop comes first with what is new, and last with what is parked and stays so.
        if state.is_new() && self.is_stopped(id) {
            return self.give_up(id);
        }
        let outcome = self.poll_operation(id, state);
        let is_parked_still = state.is_parked() && self.tasks.contains_key(&id);
        if is_parked_still && self.is_stopped(id) {
            return self.give_up(id);
        }
        outcome
    }

    /// Polls the task's stop, if it has one; says whether it is complete.
    fn is_stopped(&mut self, id: Id) -> bool {
        let task = self.tasks.get_mut(&id).expect("it exists");
        let waker = task.waker;
        task.stop.as_mut().is_some_and(|stop| {
            stop.waker = waker.filter(|_| !stop.is_complete);
            stop.is_complete
        })
    }

    /// Ends a task that has been stopped: nothing has happened, and its caller drops the message.
    fn give_up(&mut self, id: Id) -> Outcome {
        let state = self.tasks[&id].state;
        self.cancel(id);
        match state {
            State::Send(Sending::New(message) | Sending::Parked(message)) => {
                Outcome::Send(Poll::Ready(Err(SendTimeoutError::Timeout(message))))
            }
            State::SendFrom(_) => {
                Outcome::SendFrom(Poll::Ready(Err(SendTimeoutError::Timeout(()))))
            }
            State::Recv(_) => Outcome::Recv(Poll::Ready(Err(RecvTimeoutError::Timeout))),
            other => panic!("{other:?} is not to be stopped"),
        }
    }

    fn complete_stop(&mut self, id: Id) -> Outcome {
        let task = self.tasks.get_mut(&id).expect("picked among them");
        let Some(stop) = &mut task.stop else {
            return Outcome::Skipped;
        };
        stop.is_complete = true;
        self.woken.extend(stop.waker.take());
        Outcome::Done
    }

    fn poll_operation(&mut self, id: Id, state: State) -> Outcome {
        match state {
            State::Send(sending) => {
                let sent = self.poll_send(id, sending);
                if sent.is_ready() {
                    self.tasks.remove(&id);
                    self.drop_sender();
                }
                Outcome::Send(sent.map_err(SendTimeoutError::from))
            }
            State::SendFrom(sending) => {
                let sent = self.poll_send(id, sending);
                if sent.is_ready() {
                    self.tasks.remove(&id);
                    self.drop_sender();
                }
                Outcome::SendFrom(sent.map_err(|SendError(message)| {
                    self.left_in_options.push(message);
                    SendTimeoutError::Closed(())
                }))
            }
            State::Select(selecting) => {
                let happened = self.poll_select(id, selecting);
                if let Poll::Ready(happened) = happened {
                    self.leave_queues(id);
                    self.tasks.remove(&id);
                    self.end_select(selecting, Some(happened));
                }
                Outcome::Select(happened)
            }
            State::Recv(receiving) => {
                let received = self.poll_recv(id, receiving, State::Recv);
                if received.is_ready() {
                    self.tasks.remove(&id);
                    self.drop_receiver();
                }
                Outcome::Recv(received.map_err(RecvTimeoutError::from))
            }
            State::Stream(receiving) => {
                let received = self.poll_recv(id, receiving, State::Stream);
                if let Poll::Ready(received) = received {
                    self.set_state(
                        id,
                        match received {
                            Ok(_) => State::Stream(Receiving::New),
                            Err(RecvError) => State::EndedStream,
                        },
                    );
                }
                Outcome::Item(received.map(Result::ok))
            }
            State::EndedStream => Outcome::Item(Poll::Ready(None)),
        }
    }

    fn poll_send(&mut self, task: Id, sending: Sending) -> Poll<Result<(), SendError<Id>>> {
        let sent = match sending {
            Sending::New(message) => match self.send(message) {
                Err(TrySendError::Full(_)) => {
                    self.sendq.push_back((task, 0));
                    let parked = Sending::Parked(message);
                    let state = match self.tasks[&task].state {
                        State::SendFrom(_) => State::SendFrom(parked),
                        _ => State::Send(parked),
                    };
                    self.set_state(task, state);
                    return Poll::Pending;
                }
                Err(TrySendError::Closed(_)) => Err(SendError(message)),
                Ok(()) => Ok(()),
            },
            Sending::Parked(_) => return Poll::Pending,
            Sending::Taken => Ok(()),
            Sending::Refused(message) => Err(SendError(message)),
        };
        if let Err(SendError(message)) = sent {
            self.drop_message(message);
        }
        Poll::Ready(sent)
    }

    fn poll_recv(
        &mut self,
        task: Id,
        receiving: Receiving,
        state: fn(Receiving) -> State,
    ) -> Poll<Result<Id, RecvError>> {
        let received = match receiving {
            Receiving::New => match self.recv() {
                Err(TryRecvError::Empty) => {
                    self.recvq.push_back((task, 0));
                    self.set_state(task, state(Receiving::Parked));
                    return Poll::Pending;
                }
                Err(TryRecvError::Closed) => Err(RecvError),
                Ok(message) => Ok(message),
            },
            Receiving::Parked => return Poll::Pending,
            Receiving::Handed(message) => Ok(message),
            Receiving::Refused => Err(RecvError),
        };
        if let Ok(message) = received {
            self.drop_message(message);
        }
        Poll::Ready(received)
    }

    fn poll_select(
        &mut self,
        task: Id,
        selecting: Selecting,
    ) -> Poll<(usize, Result<Option<Id>, Closed>)> {
        match selecting.phase {
            Phase::New => {}
            Phase::Parked => return Poll::Pending,
            Phase::Happened(arm, result) => return Poll::Ready((arm, result)),
        }
        for (arm, message) in selecting.messages.into_iter().enumerate() {
            let result = match message {
                Some(message) => match self.send(message) {
                    Ok(()) => Ok(None),
                    Err(TrySendError::Full(_)) => continue,
                    Err(TrySendError::Closed(_)) => Err(Closed),
                },
                None => match self.recv() {
                    Ok(message) => Ok(Some(message)),
                    Err(TryRecvError::Empty) => continue,
                    Err(TryRecvError::Closed) => Err(Closed),
                },
            };
            return Poll::Ready((arm, result));
        }
        for (arm, message) in selecting.messages.into_iter().enumerate() {
            match message {
                Some(_) => self.sendq.push_back((task, arm)),
                None => self.recvq.push_back((task, arm)),
            }
        }
        let phase = Phase::Parked;
        self.set_state(task, State::Select(Selecting { phase, ..selecting }));
        Poll::Pending
    }

    /// What a select received drops, and what it has not sent is in its `Option`s and drops with them.
    fn end_select(
        &mut self,
        selecting: Selecting,
        happened: Option<(usize, Result<Option<Id>, Closed>)>,
    ) {
        if let Some((_, Ok(Some(message)))) = happened {
            self.drop_message(message);
        }
        for (arm, message) in selecting.messages.into_iter().enumerate() {
            let is_sent = happened == Some((arm, Ok(None)));
            if let Some(message) = message.filter(|_| !is_sent) {
                self.left_in_options.push(message);
                self.drop_message(message);
            }
        }
        self.drop_sender();
        self.drop_receiver();
    }

    fn leave_queues(&mut self, task: Id) {
        self.sendq.retain(|&(parked, _)| parked != task);
        self.recvq.retain(|&(parked, _)| parked != task);
    }

    fn set_state(&mut self, task: Id, state: State) {
        self.tasks.get_mut(&task).expect("it exists").state = state;
    }

    fn cancel(&mut self, id: Id) {
        let task = self.tasks.remove(&id).expect("picked among them");
        self.leave_queues(id);
        match task.state {
            State::Select(selecting) => {
                let happened = match selecting.phase {
                    Phase::Happened(_, Ok(Some(message))) => {
                        self.give_back(message);
                        None
                    }
                    Phase::Happened(arm, result) => Some((arm, result)),
                    Phase::New | Phase::Parked => None,
                };
                self.end_select(selecting, happened);
            }
            State::Send(sending) | State::SendFrom(sending) => {
                let is_kept = matches!(task.state, State::SendFrom(_));
                match sending {
                    Sending::New(message)
                    | Sending::Parked(message)
                    | Sending::Refused(message)
                        if is_kept =>
                    {
                        self.left_in_options.push(message);
                        self.drop_message(message);
                    }
                    Sending::New(message)
                    | Sending::Parked(message)
                    | Sending::Refused(message) => self.drop_message(message),
                    Sending::Taken => {}
                }
                self.drop_sender();
            }
            State::Recv(receiving) | State::Stream(receiving) => {
                self.stop_receiving(id, receiving);
                self.drop_receiver();
            }
            State::EndedStream => self.drop_receiver(),
        }
    }

    fn release(&mut self, id: Id) -> Outcome {
        match self.tasks[&id].state {
            State::Stream(receiving) => {
                self.stop_receiving(id, receiving);
                self.set_state(id, State::Stream(Receiving::New));
                Outcome::Done
            }
            State::EndedStream => Outcome::Done,
            State::Send(_) | State::SendFrom(_) | State::Select(_) | State::Recv(_) => {
                Outcome::Skipped
            }
        }
    }

    fn stop_receiving(&mut self, task: Id, receiving: Receiving) {
        self.leave_queues(task);
        if let Receiving::Handed(message) = receiving {
            self.give_back(message);
        }
    }

    // Handles and messages.

    fn drop_sender(&mut self) {
        self.senders -= 1;
        if self.senders == 0 {
            self.close();
        }
    }

    fn drop_receiver(&mut self) {
        self.receivers -= 1;
        if self.receivers == 0 {
            self.close();
            let given_back = mem::take(&mut self.given_back);
            let buffered = mem::take(&mut self.buffer);
            given_back
                .into_iter()
                .chain(buffered)
                .for_each(|message| self.drop_message(message));
        }
    }

    fn new_message(&mut self) -> Id {
        self.drops.push(0);
        self.drops.len() - 1
    }

    fn drop_message(&mut self, message: Id) {
        self.drops[message] += 1;
    }

    /// The caller of the operation gets the message and drops it.
    fn returned(&mut self, error: TrySendError<Id>) -> TrySendError<Id> {
        self.drop_message(error.into_inner());
        error
    }

    fn recv_and_drop(&mut self) -> Result<Id, TryRecvError> {
        let received = self.recv();
        if let Ok(message) = received {
            self.drop_message(message);
        }
        received
    }

    fn observe(&mut self) -> Observed {
        let view = View {
            len: self.given_back.len() + self.buffer.len(),
            capacity: self.capacity,
            is_empty: self.given_back.is_empty() && self.buffer.is_empty(),
            is_full: self.recvq.is_empty() && !self.has_room(),
            is_closed: self.closed,
            senders: self.senders,
            receivers: self.receivers,
            waiting_senders: self.sendq.len(),
            waiting_receivers: self.recvq.len(),
        };
        let mut held = vec![0; self.wakers];
        for task in self.tasks.values().filter(|task| task.state.is_parked()) {
            held[task.waker.expect("it was polled")] += 1;
        }
        let stops = self.tasks.values().filter_map(|task| task.stop.as_ref());
        for waker in stops.filter_map(|stop| stop.waker) {
            held[waker] += 1;
        }
        Observed {
            from_sender: (self.senders > 0).then(|| view.clone()),
            from_receiver: (self.receivers > 0).then_some(view),
            drops: self.drops.clone(),
            left_in_options: mem::take(&mut self.left_in_options),
            woken: mem::take(&mut self.woken),
            held,
        }
    }
}

impl Selecting {
    fn happened(self, arm: usize, result: Result<Option<Id>, Closed>) -> State {
        let phase = Phase::Happened(arm, result);
        State::Select(Self { phase, ..self })
    }
}

/// Takes those that are not parked any more out of a queue, and the first that is.
fn next_parked(
    queue: &mut VecDeque<(Id, usize)>,
    tasks: &BTreeMap<Id, ModelTask>,
) -> Option<(Id, usize)> {
    std::iter::from_fn(|| queue.pop_front()).find(|(task, _)| tasks[task].state.is_parked())
}

/// The channel as it is, under the same operations.
struct Real {
    senders: Vec<Sender<Message>>,
    receivers: Vec<Receiver<Message>>,
    weak_sender: WeakSender<Message>,
    weak_receiver: WeakReceiver<Message>,
    tasks: BTreeMap<Id, RealTask>,
    next_task: Id,
    drops: Rc<RefCell<Vec<usize>>>,
    left_in_options: Rc<RefCell<Vec<Id>>>,
    wakers: Vec<Arc<Bell>>,
    woken: Arc<Mutex<Vec<Id>>>,
}

struct RealTask {
    work: Work,
    stop: Option<Stop>,
    waker: Option<Id>,
}

enum Work {
    Send(LocalBoxFuture<'static, Result<(), SendTimeoutError<Message>>>),
    SendFrom(LocalBoxFuture<'static, Result<(), SendTimeoutError<()>>>),
    Select(LocalBoxFuture<'static, (usize, Result<Option<Message>, Closed>)>),
    Recv(LocalBoxFuture<'static, Result<Message, RecvTimeoutError>>),
    Stream(RecvStream<'static, Message>),
}

/// What a task gives up for.
#[derive(Clone, Default)]
struct Stop(Rc<RefCell<RealStop>>);

#[derive(Default)]
struct RealStop {
    is_complete: bool,
    waker: Option<Waker>,
}

impl Stop {
    fn complete(&self) {
        let mut stop = self.0.borrow_mut();
        stop.is_complete = true;
        stop.waker.take().into_iter().for_each(Waker::wake);
    }
}

impl Future for Stop {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut stop = self.0.borrow_mut();
        if stop.is_complete {
            return Poll::Ready(());
        }
        stop.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

struct Message {
    id: Id,
    drops: Rc<RefCell<Vec<usize>>>,
}

impl Drop for Message {
    fn drop(&mut self) {
        self.drops.borrow_mut()[self.id] += 1;
    }
}

/// The `Option`s of one send or two. Writes down what is in them when they drop.
struct Options {
    messages: [Option<Message>; 2],
    left: Rc<RefCell<Vec<Id>>>,
}

impl Drop for Options {
    fn drop(&mut self) {
        let left = self.messages.iter().flatten().map(|message| message.id);
        self.left.borrow_mut().extend(left);
    }
}

/// Writes down when it is woken.
struct Bell {
    id: Id,
    woken: Arc<Mutex<Vec<Id>>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.woken.lock().unwrap().push(self.id);
    }
}

macro_rules! view {
    ($handle:expr) => {
        View {
            len: $handle.len(),
            capacity: $handle.capacity(),
            is_empty: $handle.is_empty(),
            is_full: $handle.is_full(),
            is_closed: $handle.is_closed(),
            senders: $handle.sender_count(),
            receivers: $handle.receiver_count(),
            waiting_senders: $handle.waiting_senders(),
            waiting_receivers: $handle.waiting_receivers(),
        }
    };
}

impl Real {
    fn new(capacity: Option<usize>) -> Self {
        let (tx, rx) = match capacity {
            Some(capacity) => hchan::bounded(capacity),
            None => hchan::unbounded(),
        };
        Self {
            weak_sender: tx.downgrade(),
            weak_receiver: rx.downgrade(),
            senders: vec![tx],
            receivers: vec![rx],
            tasks: BTreeMap::new(),
            next_task: 0,
            drops: Rc::default(),
            left_in_options: Rc::default(),
            wakers: Vec::new(),
            woken: Arc::default(),
        }
    }

    fn apply(&mut self, op: &Op) -> Outcome {
        self.try_apply(op).unwrap_or(Outcome::Skipped)
    }

    fn try_apply(&mut self, op: &Op) -> Option<Outcome> {
        Some(match *op {
            Op::TrySend => {
                let tx = self.senders.last()?;
                Outcome::TrySend(tx.try_send(self.new_message()).map_err(try_send_error_id))
            }
            Op::ForceSend => {
                let tx = self.senders.last()?;
                let sent = tx.force_send(self.new_message());
                Outcome::ForceSend(
                    sent.map(|evicted| evicted.map(id))
                        .map_err(try_send_error_id),
                )
            }
            Op::SendWithinNoTime => {
                let tx = self.senders.last()?;
                let sent = send_within_no_time(tx, self.new_message());
                Outcome::TimedSend(sent.map_err(send_error_id))
            }
            Op::TryRecv => Outcome::TryRecv(self.receivers.last()?.try_recv().map(id)),
            Op::TryIter => Outcome::TryIter(self.receivers.last()?.try_iter().map(id).collect()),
            Op::RecvWithinNoTime => {
                Outcome::TimedRecv(recv_within_no_time(self.receivers.last()?).map(id))
            }
            Op::NewSend {
                has_stop,
                is_polled,
            } => {
                let tx = self.senders.last()?.clone();
                let message = self.new_message();
                self.new_task_until(has_stop, is_polled, |stop| {
                    let send = async move {
                        match stop {
                            Some(stop) => checked(tx.send(message).until(stop)).await,
                            None => Ok(checked(tx.send(message)).await?),
                        }
                    };
                    Work::Send(send.boxed_local())
                })
            }
            Op::NewSendFrom {
                has_stop,
                is_polled,
            } => {
                let tx = self.senders.last()?.clone();
                let options = self.options([Some(self.new_message()), None]);
                self.new_task_until(has_stop, is_polled, |stop| {
                    let send = async move {
                        // The handle drops last, however this ends.
                        let tx = tx;
                        let mut options = options;
                        let send = tx.send_from(&mut options.messages[0]);
                        match stop {
                            Some(stop) => checked(send.until(stop)).await,
                            None => Ok(checked(send).await?),
                        }
                    };
                    Work::SendFrom(send.boxed_local())
                })
            }
            Op::NewSelect { sends, is_polled } => {
                let (tx, rx) = (self.senders.last()?.clone(), self.receivers.last()?.clone());
                let options = self.options(sends.map(|sends| sends.then(|| self.new_message())));
                let select = async move {
                    // They drop from the bottom up, however this ends.
                    let rx = rx;
                    let tx = tx;
                    let mut options = options;
                    let [first, second] = &mut options.messages;
                    let received =
                        |result: Result<_, _>| result.map(Some).map_err(|RecvError| Closed);
                    let sent = |result: Result<_, _>| {
                        result.map(|()| None).map_err(|SendError(())| Closed)
                    };
                    select! {
                        biased;
                        send_from(tx, first) -> result, if sends[0] => (0, sent(result)),
                        recv(rx) -> result, if !sends[0] => (0, received(result)),
                        send_from(tx, second) -> result, if sends[1] => (1, sent(result)),
                        recv(rx) -> result, if !sends[1] => (1, received(result)),
                    }
                };
                self.new_task(Work::Select(select.boxed_local()), None, is_polled)
            }
            Op::NewRecv {
                has_stop,
                is_polled,
            } => {
                let rx = self.receivers.last()?.clone();
                self.new_task_until(has_stop, is_polled, |stop| {
                    let recv = async move {
                        match stop {
                            Some(stop) => checked(rx.recv().until(stop)).await,
                            None => Ok(checked(rx.recv()).await?),
                        }
                    };
                    Work::Recv(recv.boxed_local())
                })
            }
            Op::NewStream { is_polled } => {
                let rx = self.receivers.last()?.clone();
                self.new_task(Work::Stream(rx.into_stream()), None, is_polled)
            }
            Op::Poll {
                pick: task,
                with_new_waker,
            } => self.poll(pick(&self.tasks, task)?, with_new_waker),
            Op::Stop { pick: task } => {
                let task = pick(&self.tasks, task)?;
                self.tasks[&task].stop.as_ref()?.complete();
                Outcome::Done
            }
            Op::Drop { pick: task } => {
                let task = pick(&self.tasks, task)?;
                self.tasks.remove(&task);
                Outcome::Done
            }
            Op::Release { pick: task } => {
                let task = pick(&self.tasks, task)?;
                let Work::Stream(stream) = &mut self.tasks.get_mut(&task)?.work else {
                    return None;
                };
                stream.release();
                Outcome::Done
            }
            Op::CloneSender => {
                self.senders.push(self.senders.last()?.clone());
                Outcome::Done
            }
            Op::DropSender => {
                drop(self.senders.pop()?);
                Outcome::Done
            }
            Op::UpgradeSender => {
                let upgraded = self.weak_sender.upgrade();
                let alive = upgraded.is_some();
                self.senders.extend(upgraded);
                Outcome::Upgraded(alive)
            }
            Op::CloneReceiver => {
                self.receivers.push(self.receivers.last()?.clone());
                Outcome::Done
            }
            Op::DropReceiver => {
                drop(self.receivers.pop()?);
                Outcome::Done
            }
            Op::UpgradeReceiver => {
                let upgraded = self.weak_receiver.upgrade();
                let alive = upgraded.is_some();
                self.receivers.extend(upgraded);
                Outcome::Upgraded(alive)
            }
            Op::CloseFromSender => Outcome::Closed(self.senders.last()?.close()),
            Op::CloseFromReceiver => Outcome::Closed(self.receivers.last()?.close()),
        })
    }

    fn poll(&mut self, id_of_task: Id, with_new_waker: bool) -> Outcome {
        let task = self.tasks.get_mut(&id_of_task).expect("picked among them");
        if with_new_waker || task.waker.is_none() {
            task.waker = Some(self.wakers.len());
            self.wakers.push(Arc::new(Bell {
                id: self.wakers.len(),
                woken: Arc::clone(&self.woken),
            }));
        }
        let bell = &self.wakers[task.waker.expect("it has one now")];
        let waker = Waker::from(Arc::clone(bell));
        let mut cx = Context::from_waker(&waker);
        let (outcome, done) = match &mut task.work {
            Work::Send(send) => {
                let sent = send.as_mut().poll(&mut cx);
                let done = sent.is_ready();
                (Outcome::Send(sent.map_err(send_error_id)), done)
            }
            Work::SendFrom(send) => {
                let sent = send.as_mut().poll(&mut cx);
                (Outcome::SendFrom(sent), sent.is_ready())
            }
            Work::Select(select) => {
                let happened = select.as_mut().poll(&mut cx);
                let done = happened.is_ready();
                let happened = happened.map(|(arm, result)| (arm, result.map(|it| it.map(id))));
                (Outcome::Select(happened), done)
            }
            Work::Recv(recv) => {
                let received = recv.as_mut().poll(&mut cx);
                let done = received.is_ready();
                (Outcome::Recv(received.map_ok(id)), done)
            }
            Work::Stream(stream) => {
                let item = stream.poll_next_unpin(&mut cx);
                assert!(
                    item.is_pending()
                        || stream.is_terminated() == matches!(item, Poll::Ready(None)),
                    "a stream is terminated when it has returned `None`"
                );
                (Outcome::Item(item.map(|item| item.map(id))), false)
            }
        };
        if done {
            self.tasks.remove(&id_of_task);
        }
        outcome
    }

    fn new_task_until(
        &mut self,
        has_stop: bool,
        is_polled: bool,
        work: impl FnOnce(Option<Stop>) -> Work,
    ) -> Outcome {
        let stop = has_stop.then(Stop::default);
        self.new_task(work(stop.clone()), stop, is_polled)
    }

    fn new_task(&mut self, work: Work, stop: Option<Stop>, is_polled: bool) -> Outcome {
        let id = self.next_task;
        self.next_task += 1;
        let waker = None;
        self.tasks.insert(id, RealTask { work, stop, waker });
        match is_polled {
            true => self.poll(id, true),
            false => Outcome::Done,
        }
    }

    fn options(&self, messages: [Option<Message>; 2]) -> Options {
        Options {
            messages,
            left: Rc::clone(&self.left_in_options),
        }
    }

    fn new_message(&self) -> Message {
        let mut drops = self.drops.borrow_mut();
        drops.push(0);
        Message {
            id: drops.len() - 1,
            drops: Rc::clone(&self.drops),
        }
    }

    fn observe(&mut self) -> Observed {
        // Looked at through handles made for it, which must not count, because the test may have none left.
        let from_sender = self.weak_sender.upgrade().map(|tx| View {
            senders: tx.sender_count() - 1,
            ..view!(tx)
        });
        let from_receiver = self.weak_receiver.upgrade().map(|rx| View {
            receivers: rx.receiver_count() - 1,
            ..view!(rx)
        });
        let wakers_of = |bell: &Arc<Bell>| Arc::strong_count(bell) - 1;
        Observed {
            from_sender,
            from_receiver,
            drops: self.drops.borrow().clone(),
            left_in_options: self.left_in_options.take(),
            woken: mem::take(&mut self.woken.lock().unwrap()),
            held: self.wakers.iter().map(wakers_of).collect(),
        }
    }
}

/// A future that says "terminated" from its `Ready` on, and not before.
async fn checked<F: FusedFuture>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut output = None;
    poll_fn(|cx| {
        assert!(!future.is_terminated(), "terminated before it was ready");
        future.as_mut().poll(cx).map(|ready| output = Some(ready))
    })
    .await;
    assert!(future.is_terminated(), "ready and not terminated");
    output.expect("it was ready")
}

/// The number of a message that came out, which drops here.
fn id(message: Message) -> Id {
    message.id
}

#[cfg(feature = "std")]
fn send_within_no_time(
    tx: &Sender<Message>,
    message: Message,
) -> Result<(), SendTimeoutError<Message>> {
    tx.send(message).wait_timeout(std::time::Duration::ZERO)
}

#[cfg(feature = "std")]
fn recv_within_no_time(rx: &Receiver<Message>) -> Result<Message, RecvTimeoutError> {
    rx.recv().wait_timeout(std::time::Duration::ZERO)
}

#[cfg(not(feature = "std"))]
fn send_within_no_time(
    tx: &Sender<Message>,
    message: Message,
) -> Result<(), SendTimeoutError<Message>> {
    tx.try_send(message).map_err(|error| match error {
        TrySendError::Full(message) => SendTimeoutError::Timeout(message),
        TrySendError::Closed(message) => SendTimeoutError::Closed(message),
    })
}

#[cfg(not(feature = "std"))]
fn recv_within_no_time(rx: &Receiver<Message>) -> Result<Message, RecvTimeoutError> {
    rx.try_recv().map_err(|error| match error {
        TryRecvError::Empty => RecvTimeoutError::Timeout,
        TryRecvError::Closed => RecvTimeoutError::Closed,
    })
}

fn send_error_id(error: SendTimeoutError<Message>) -> SendTimeoutError<Id> {
    match error {
        SendTimeoutError::Timeout(message) => SendTimeoutError::Timeout(id(message)),
        SendTimeoutError::Closed(message) => SendTimeoutError::Closed(id(message)),
    }
}

fn try_send_error_id(error: TrySendError<Message>) -> TrySendError<Id> {
    match error {
        TrySendError::Full(message) => TrySendError::Full(id(message)),
        TrySendError::Closed(message) => TrySendError::Closed(id(message)),
    }
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

fn any_steps() -> impl Strategy<Value = Vec<Op>> {
    // As many of both, then more of one, then crowds of parked senders and of parked receivers.
    prop_oneof![
        3 => steps(8, 8, 160),
        1 => steps(12, 4, 160),
        1 => steps(4, 12, 160),
        1 => steps(24, 1, 300),
        1 => steps(1, 24, 300),
    ]
}

fn any_capacity() -> impl Strategy<Value = Option<usize>> {
    prop::sample::select(vec![Some(0), Some(1), Some(2), Some(5), None])
}

/// The configuration from the environment, where that says nothing with these defaults.
fn config() -> Config {
    let from_env = Config::default();
    Config {
        cases: match env::var_os("PROPTEST_CASES") {
            Some(_) => from_env.cases,
            None => 8_000,
        },
        rng_seed: match from_env.rng_seed {
            RngSeed::Random => RngSeed::Fixed(0),
            fixed => fixed,
        },
        failure_persistence: None,
        ..from_env
    }
}

/// Does it to both and compares.
fn step(real: &mut Real, model: &mut Model, op: &Op) -> Result<(), TestCaseError> {
    let (did, expected) = (real.apply(op), model.apply(op));
    prop_assert_eq!(did, expected, "what {:?} returned, and should have", op);
    let (is, expected) = (real.observe(), model.observe());
    prop_assert_eq!(is, expected, "what is seen after {:?}, and should be", op);
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn channel_does_what_the_model_does(
        capacity in any_capacity(),
        steps in any_steps(),
        closes_at_the_end: bool,
    ) {
        let (mut real, mut model) = (Real::new(capacity), Model::new(capacity));
        for op in &steps {
            step(&mut real, &mut model, op)?;
        }
        if closes_at_the_end {
            step(&mut real, &mut model, &Op::CloseFromSender)?;
        }
        while !model.tasks.is_empty() {
            step(&mut real, &mut model, &Op::Poll { pick: 0, with_new_waker: false })?;
            step(&mut real, &mut model, &Op::Drop { pick: 0 })?;
        }
        while model.senders > 0 {
            step(&mut real, &mut model, &Op::DropSender)?;
        }
        while model.receivers > 0 {
            step(&mut real, &mut model, &Op::DropReceiver)?;
        }
        prop_assert!(
            real.drops.borrow().iter().all(|&drops| drops == 1),
            "every message drops once: {:?}", real.drops
        );
    }
}

#[test]
fn stream_starts_anew_after_giving_a_handed_message_back() {
    block_on(async {
        let (tx, rx) = hchan::bounded(1);
        let mut stream = rx.stream();
        assert!(poll!(stream.next()).is_pending());
        tx.try_send(1).unwrap();
        stream.release();
        assert_eq!(
            poll!(stream.next()),
            Poll::Ready(Some(1)),
            "the message given back is the next to be received"
        );
    });
}

#[test]
fn stream_starts_anew_when_released_after_a_close() {
    block_on(async {
        let (tx, rx) = hchan::bounded::<u8>(1);
        let mut stream = rx.stream();
        assert!(poll!(stream.next()).is_pending());
        tx.close();
        stream.release();
        assert_eq!(
            poll!(stream.next()),
            Poll::Ready(None),
            "the channel is closed and empty"
        );
    });
}
