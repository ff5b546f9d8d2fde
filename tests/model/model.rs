//! The model: what it consists of, its operations, and what is seen of it.

#![forbid(unsafe_code)]

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
};

use hchan::{RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError};

use crate::{
    op::{Id, Observed, Op, Outcome, Use, View, pick, pick_among},
    rules::Parked,
    state::{Batch, ModelTask, Phase, Receiving, Selecting, Sending, Sink, State, Waiting},
};

/// The channel as the tables have it.
pub(crate) struct Model {
    pub(crate) capacity: Option<usize>,
    pub(crate) closed: bool,
    /// Whether somebody has been told that it is closed and empty.
    pub(crate) drained: bool,
    /// The messages of the ring, and those beyond it.
    pub(crate) buffer: VecDeque<Id>,
    /// In the order in which they once left.
    pub(crate) given_back: Vec<Id>,
    /// Every message that has left the channel for a receiver, in the order in which they did so first.
    pub(crate) left: Vec<Id>,
    /// All permits, and those of them that are no sink's.
    pub(crate) permits: usize,
    pub(crate) free_permits: usize,
    /// When a select has happened, an arm of it that has not stays until somebody meets it. In `sendq` there are also those
    /// who wait for a permit.
    pub(crate) sendq: VecDeque<Parked>,
    pub(crate) recvq: VecDeque<Parked>,
    pub(crate) closeq: VecDeque<Parked>,
    pub(crate) drainq: VecDeque<Parked>,
    pub(crate) tasks: BTreeMap<Id, ModelTask>,
    pub(crate) next_task: Id,
    /// All handles, and those of them that are no task's.
    pub(crate) senders: usize,
    pub(crate) free_senders: usize,
    pub(crate) receivers: usize,
    pub(crate) free_receivers: usize,
    drops: Vec<usize>,
    pub(crate) left_in_options: Vec<Id>,
    pub(crate) left_in_iterators: Vec<usize>,
    pub(crate) wakers: usize,
    pub(crate) woken: Vec<Id>,
}

impl Model {
    pub(crate) fn new(capacity: Option<usize>) -> Self {
        Self {
            capacity,
            closed: false,
            drained: false,
            buffer: VecDeque::new(),
            given_back: Vec::new(),
            left: Vec::new(),
            permits: 0,
            free_permits: 0,
            sendq: VecDeque::new(),
            recvq: VecDeque::new(),
            closeq: VecDeque::new(),
            drainq: VecDeque::new(),
            tasks: BTreeMap::new(),
            next_task: 0,
            senders: 1,
            free_senders: 1,
            receivers: 1,
            free_receivers: 1,
            drops: Vec::new(),
            left_in_options: Vec::new(),
            left_in_iterators: Vec::new(),
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
            | Op::TrySendMany { .. }
            | Op::NewSendMany { .. }
            | Op::TryReserve { .. }
            | Op::NewReserve { .. }
            | Op::NewSink { .. }
            | Op::NewWatch {
                from_sender: true, ..
            }
            | Op::CloneSender
            | Op::DropSender
            | Op::CloseFromSender => self.free_senders > 0,
            Op::TryRecv
            | Op::TryIter
            | Op::RecvWithinNoTime
            | Op::NewRecv { .. }
            | Op::NewStream { .. }
            | Op::TryRecvMany { .. }
            | Op::Drain
            | Op::NewRecvMany { .. }
            | Op::NewWatch {
                from_sender: false, ..
            }
            | Op::CloneReceiver
            | Op::DropReceiver
            | Op::CloseFromReceiver => self.free_receivers > 0,
            Op::NewSelect { .. } => self.free_senders > 0 && self.free_receivers > 0,
            Op::UsePermit { .. } => self.free_permits > 0,
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
                let received = match self.recv() {
                    Ok(message) => Ok(message),
                    Err(TryRecvError::Empty) => self.park_for_no_time(),
                    Err(TryRecvError::Closed) => Err(RecvTimeoutError::Closed),
                };
                Outcome::TimedRecv(received.inspect(|&message| self.drop_message(message)))
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
            Op::TryReserve { then } => match self.reserve() {
                Ok(()) => {
                    self.senders += 1;
                    self.use_permit(then)
                }
                Err(error) => Outcome::TryReserve(error),
            },
            Op::UsePermit { then } => {
                self.free_permits -= 1;
                self.use_permit(then)
            }
            Op::TrySendMany { count } => {
                let mut batch = Batch::new(count);
                let step = self.send_batch(&mut batch);
                let unsent = self.end_batch(batch);
                Outcome::TrySendMany(match step {
                    Ok(()) => Ok(batch.sent),
                    Err(TrySendError::Full(())) => Err(TrySendError::Full(unsent)),
                    Err(TrySendError::Closed(())) => Err(TrySendError::Closed(unsent)),
                })
            }
            Op::TryRecvMany { limit } => Outcome::TryRecvMany(self.recv_up_to(limit)),
            Op::Drain => Outcome::TryIter(self.recv_up_to(usize::MAX).unwrap_or_default()),
            Op::NewReserve {
                has_stop,
                is_polled,
            } => {
                self.senders += 1;
                self.new_task(State::Reserve(Waiting::New), has_stop, is_polled)
            }
            Op::NewSendMany {
                count,
                has_stop,
                is_polled,
            } => {
                self.senders += 1;
                self.new_task(State::SendMany(Batch::new(count)), has_stop, is_polled)
            }
            Op::NewRecvMany {
                limit,
                has_stop,
                is_polled,
            } => {
                self.receivers += 1;
                let receiving = Receiving::New;
                self.new_task(State::RecvMany { receiving, limit }, has_stop, is_polled)
            }
            Op::NewWatch {
                watch,
                from_sender,
                has_stop,
                is_polled,
            } => {
                self.senders += usize::from(from_sender);
                self.receivers += usize::from(!from_sender);
                let state = State::Watch {
                    watch,
                    from_sender,
                    waiting: Waiting::New,
                };
                self.new_task(state, has_stop, is_polled)
            }
            Op::NewSink { is_polled } => {
                self.senders += 1;
                self.new_task(State::Sink(Sink::NEW), false, is_polled)
            }
            Op::StartSend { pick } => match self.pick_sink(pick) {
                Some((id, sink)) => self.start_send(id, sink),
                None => Outcome::Skipped,
            },
            Op::CloneSink { pick } => match self.pick_sink(pick) {
                Some((_, Sink { is_closed, .. })) => {
                    self.senders += usize::from(!is_closed);
                    let clone = Sink {
                        is_closed,
                        ..Sink::NEW
                    };
                    self.new_task(State::Sink(clone), false, false)
                }
                None => Outcome::Skipped,
            },
            Op::CloseSink { pick } => match self.pick_sink(pick) {
                Some((id, sink)) => {
                    self.close_sink(id, sink);
                    Outcome::Done
                }
                None => Outcome::Skipped,
            },
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
            Op::DropReceives => {
                let receives = |task: &ModelTask| task.state.is_receive();
                while let Some(id) = pick_among(&self.tasks, receives, 0) {
                    self.cancel(id);
                }
                Outcome::Done
            }
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

    // Handles and messages.

    pub(crate) fn drop_sender(&mut self) {
        self.senders -= 1;
        if self.senders == 0 {
            self.close();
        }
    }

    pub(crate) fn drop_receiver(&mut self) {
        self.receivers -= 1;
        if self.receivers == 0 {
            self.close();
            let given_back = mem::take(&mut self.given_back);
            let buffered = mem::take(&mut self.buffer);
            given_back
                .into_iter()
                .chain(buffered)
                .for_each(|message| self.drop_message(message));
            self.tell_drained();
        }
    }

    pub(crate) fn new_message(&mut self) -> Id {
        self.drops.push(0);
        self.drops.len() - 1
    }

    pub(crate) fn drop_message(&mut self, message: Id) {
        self.drops[message] += 1;
    }

    /// The caller of the operation gets the message and drops it.
    pub(crate) fn returned(&mut self, error: TrySendError<Id>) -> TrySendError<Id> {
        self.drop_message(error.into_inner());
        error
    }

    pub(crate) fn recv_and_drop(&mut self) -> Result<Id, TryRecvError> {
        let received = self.recv();
        if let Ok(message) = received {
            self.drop_message(message);
        }
        received
    }

    /// Receives up to so many messages, which drop; an error says that there is none.
    pub(crate) fn recv_up_to(&mut self, limit: usize) -> Result<Vec<Id>, TryRecvError> {
        let mut received = Vec::new();
        while received.len() < limit {
            match self.recv_and_drop() {
                Ok(message) => received.push(message),
                Err(_) if !received.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(received)
    }

    /// What is done with a permit that has a sender of its own.
    fn use_permit(&mut self, then: Use) -> Outcome {
        let mut sent = None;
        match then {
            Use::Keep => {
                self.free_permits += 1;
                return Outcome::Permit(None);
            }
            Use::Send => {
                let message = self.new_message();
                sent = Some(self.send_permitted(message));
                if let Some(Err(SendError(message))) = sent {
                    self.drop_message(message);
                }
            }
            Use::Drop => self.release_permit(),
            Use::Release => {
                self.release_permit();
                self.free_senders += 1;
                return Outcome::Permit(None);
            }
        }
        self.drop_sender();
        Outcome::Permit(sent)
    }

    fn pick_sink(&self, pick: u8) -> Option<(Id, Sink)> {
        let is_sink = |task: &ModelTask| matches!(task.state, State::Sink(_));
        let id = pick_among(&self.tasks, is_sink, pick)?;
        match self.tasks[&id].state {
            State::Sink(sink) => Some((id, sink)),
            _ => None,
        }
    }

    pub(crate) fn observe(&mut self) -> Observed {
        let view = View {
            len: self.len(),
            capacity: self.capacity,
            is_empty: self.len() == 0,
            is_full: self.room() == 0,
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
            left_in_iterators: mem::take(&mut self.left_in_iterators),
            woken: mem::take(&mut self.woken),
            held,
        }
    }
}
