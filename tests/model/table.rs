//! The model.

#![forbid(unsafe_code)]

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
    task::Poll,
};

use hchan::{RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError};

use crate::op::{Closed, Id, Observed, Op, Outcome, View, pick};

/// The channel as the tables have it.
pub(crate) struct Model {
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
    pub(crate) tasks: BTreeMap<Id, ModelTask>,
    next_task: Id,
    /// All handles, and those of them that are no task's.
    pub(crate) senders: usize,
    free_senders: usize,
    pub(crate) receivers: usize,
    free_receivers: usize,
    drops: Vec<usize>,
    left_in_options: Vec<Id>,
    wakers: usize,
    woken: Vec<Id>,
}

pub(crate) struct ModelTask {
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
    pub(crate) fn new(capacity: Option<usize>) -> Self {
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

    pub(crate) fn apply(&mut self, op: &Op) -> Outcome {
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

    pub(crate) fn observe(&mut self) -> Observed {
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
