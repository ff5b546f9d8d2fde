//! What the futures, streams and sinks of the model do.

#![forbid(unsafe_code)]

use std::task::Poll;

use hchan::{RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError};

use crate::{
    model::Model,
    op::{Closed, Id, Outcome, Unsent, Watch},
    state::{
        Batch, ModelStop, ModelTask, Phase, Receiving, Selecting, Sending, Sink, State, Waiting,
    },
};

impl Model {
    pub(crate) fn new_task(&mut self, state: State, has_stop: bool, is_polled: bool) -> Outcome {
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

    pub(crate) fn poll(&mut self, id: Id, with_new_waker: bool) -> Outcome {
        let state = {
            let task = self.tasks.get_mut(&id).expect("picked among them");
            if with_new_waker || task.waker.is_none() {
                task.waker = Some(self.wakers);
                self.wakers += 1;
            }
            task.state
        };
        // A stop comes first with what is new, and last with what has begun and has to wait.
        if state.is_new() && self.is_stopped(id) {
            return self.give_up(id);
        }
        let outcome = self.poll_operation(id, state);
        let is_parked_again = !state.is_new() && self.tasks.contains_key(&id);
        if is_parked_again && self.is_stopped(id) {
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
        if let State::SendMany(batch) = state {
            self.leave_queues(id);
            self.tasks.remove(&id);
            let unsent = self.end_batch(batch);
            self.drop_sender();
            return Outcome::SendMany(Poll::Ready(Err(SendTimeoutError::Timeout(unsent))));
        }
        self.cancel(id);
        match state {
            State::Send(Sending::New(message) | Sending::Parked(message)) => {
                Outcome::Send(Poll::Ready(Err(SendTimeoutError::Timeout(message))))
            }
            State::SendFrom(_) => {
                Outcome::SendFrom(Poll::Ready(Err(SendTimeoutError::Timeout(()))))
            }
            State::Recv(_) => Outcome::Recv(Poll::Ready(Err(RecvTimeoutError::Timeout))),
            State::RecvMany { .. } => {
                Outcome::RecvMany(Poll::Ready(Err(RecvTimeoutError::Timeout)))
            }
            State::Reserve(_) => Outcome::Reserve(Poll::Ready(Err(SendTimeoutError::Timeout(())))),
            State::Watch { .. } => Outcome::Watch(Poll::Ready(false)),
            other => panic!("{other:?} is not to be stopped"),
        }
    }

    pub(crate) fn complete_stop(&mut self, id: Id) -> Outcome {
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
            State::SendMany(batch) => Outcome::SendMany(self.poll_batch(id, batch)),
            State::RecvMany { receiving, limit } => {
                let received = self.poll_recv_many(id, receiving, limit);
                if received.is_ready() {
                    self.tasks.remove(&id);
                    self.drop_receiver();
                }
                Outcome::RecvMany(received.map_err(RecvTimeoutError::from))
            }
            State::Reserve(waiting) => {
                let reserved = self.poll_reserve(id, waiting);
                match reserved {
                    Poll::Ready(Ok(())) => {
                        // The permit has a sender, and the task has none any more.
                        self.tasks.remove(&id);
                        self.free_permits += 1;
                    }
                    Poll::Ready(Err(_)) => {
                        self.tasks.remove(&id);
                        self.drop_sender();
                    }
                    Poll::Pending => {}
                }
                Outcome::Reserve(reserved.map_err(SendTimeoutError::from))
            }
            State::Sink(sink) => Outcome::SinkReady(self.poll_ready(id, sink)),
            State::Watch {
                watch,
                from_sender,
                waiting,
            } => {
                let is_over = self.poll_watch(id, watch, waiting);
                if is_over.is_ready() {
                    self.tasks.remove(&id);
                    self.drop_watcher(from_sender);
                }
                Outcome::Watch(is_over)
            }
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
                    self.park_receiver(task, state(Receiving::Parked));
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

    /// Parks a receive, which makes room.
    fn park_receiver(&mut self, task: Id, state: State) {
        self.set_state(task, state);
        self.recvq.push_back((task, 0));
        self.serve();
    }

    /// A receive that parks and leaves again: those to whom it gave room meanwhile have gone ahead.
    pub(crate) fn park_for_no_time(&mut self) -> Result<Id, RecvTimeoutError> {
        let id = Id::MAX;
        let state = State::Recv(Receiving::New);
        let task = ModelTask {
            state,
            stop: None,
            waker: None,
        };
        self.tasks.insert(id, task);
        self.park_receiver(id, State::Recv(Receiving::Parked));
        self.leave_queues(id);
        match self.tasks.remove(&id).map(|task| task.state) {
            Some(State::Recv(Receiving::Handed(message))) => Ok(message),
            _ => Err(RecvTimeoutError::Timeout),
        }
    }

    fn poll_recv_many(
        &mut self,
        task: Id,
        receiving: Receiving,
        limit: usize,
    ) -> Poll<Result<Vec<Id>, RecvError>> {
        match receiving {
            Receiving::New => match self.recv_up_to(limit) {
                Ok(received) => Poll::Ready(Ok(received)),
                Err(TryRecvError::Closed) => Poll::Ready(Err(RecvError)),
                Err(TryRecvError::Empty) => {
                    let receiving = Receiving::Parked;
                    self.park_receiver(task, State::RecvMany { receiving, limit });
                    Poll::Pending
                }
            },
            Receiving::Parked => Poll::Pending,
            Receiving::Handed(first) => {
                self.drop_message(first);
                let more = self.recv_up_to(limit - 1).unwrap_or_default();
                Poll::Ready(Ok([vec![first], more].concat()))
            }
            Receiving::Refused => Poll::Ready(Err(RecvError)),
        }
    }

    /// Sends what there is room for. Messages are made as there is room for them, or one to wait with.
    pub(crate) fn send_batch(&mut self, batch: &mut Batch) -> Result<(), TrySendError<()>> {
        loop {
            while batch.made.0 < batch.made.1 {
                self.send(batch.made.0).map_err(|error| match error {
                    TrySendError::Full(_) => TrySendError::Full(()),
                    TrySendError::Closed(_) => TrySendError::Closed(()),
                })?;
                batch.made.0 += 1;
                batch.sent += 1;
            }
            if batch.left == 0 {
                return Ok(());
            }
            self.make(batch, self.room().max(1));
        }
    }

    fn make(&mut self, batch: &mut Batch, most: usize) {
        let count = most.min(batch.left);
        let messages: Vec<_> = (0..count).map(|_| self.new_message()).collect();
        batch.made = (messages[0], messages[0] + count);
        batch.left -= count;
    }

    /// The caller gets the messages that were not sent, those still in the iterator, too, and drops them.
    pub(crate) fn end_batch(&mut self, mut batch: Batch) -> Unsent {
        let mut unsent: Vec<_> = (batch.made.0..batch.made.1).collect();
        if batch.left > 0 {
            self.make(&mut batch, usize::MAX);
            unsent.extend(batch.made.0..batch.made.1);
        }
        unsent
            .iter()
            .for_each(|&message| self.drop_message(message));
        self.left_in_iterators.push(0);
        (batch.sent, unsent)
    }

    fn poll_batch(
        &mut self,
        id: Id,
        mut batch: Batch,
    ) -> Poll<Result<usize, SendTimeoutError<Unsent>>> {
        let mut step = Ok(());
        match batch.waiting {
            Waiting::Parked => return Poll::Pending,
            Waiting::Granted => {
                batch.made.0 += 1;
                batch.sent += 1;
            }
            Waiting::Refused => step = Err(TrySendError::Closed(())),
            Waiting::New => {}
        }
        match step.and_then(|()| self.send_batch(&mut batch)) {
            Err(TrySendError::Full(())) => {
                let waiting = Waiting::Parked;
                self.set_state(id, State::SendMany(Batch { waiting, ..batch }));
                self.sendq.push_back((id, 0));
                return Poll::Pending;
            }
            done => step = done,
        }
        self.tasks.remove(&id);
        let unsent = self.end_batch(batch);
        self.drop_sender();
        Poll::Ready(match step {
            Ok(()) => Ok(batch.sent),
            Err(_) => Err(SendTimeoutError::Closed(unsent)),
        })
    }

    fn poll_reserve(&mut self, id: Id, waiting: Waiting) -> Poll<Result<(), SendError<()>>> {
        match waiting {
            Waiting::New => match self.reserve() {
                Ok(()) => Poll::Ready(Ok(())),
                Err(TrySendError::Closed(())) => Poll::Ready(Err(SendError(()))),
                Err(TrySendError::Full(())) => {
                    self.set_state(id, self.tasks[&id].state.now(Waiting::Parked));
                    self.sendq.push_back((id, 0));
                    Poll::Pending
                }
            },
            Waiting::Parked => Poll::Pending,
            Waiting::Granted => Poll::Ready(Ok(())),
            Waiting::Refused => Poll::Ready(Err(SendError(()))),
        }
    }

    fn poll_ready(&mut self, id: Id, sink: Sink) -> Poll<Result<(), SendError<Option<Id>>>> {
        if sink.is_closed {
            return Poll::Ready(Err(SendError(None)));
        }
        if sink.has_permit {
            return Poll::Ready(Ok(()));
        }
        let reserved = self.poll_reserve(id, sink.waiting);
        if let Poll::Ready(reserved) = reserved {
            let has_permit = reserved.is_ok();
            let ready = Sink {
                has_permit,
                ..Sink::NEW
            };
            self.set_state(id, State::Sink(ready));
        }
        reserved.map_err(|SendError(())| SendError(None))
    }

    pub(crate) fn start_send(&mut self, id: Id, sink: Sink) -> Outcome {
        if !sink.has_permit {
            return Outcome::Skipped;
        }
        self.set_state(id, State::Sink(Sink::NEW));
        let message = self.new_message();
        let sent = self.send_permitted(message);
        Outcome::StartSend(sent.map_err(|SendError(message)| {
            self.drop_message(message);
            SendError(Some(message))
        }))
    }

    pub(crate) fn close_sink(&mut self, id: Id, sink: Sink) {
        let closed = Sink {
            is_closed: true,
            ..Sink::NEW
        };
        self.set_state(id, State::Sink(closed));
        self.leave_queues(id);
        if sink.has_permit || sink.waiting == Waiting::Granted {
            self.release_permit();
        }
        if !sink.is_closed {
            self.drop_sender();
        }
    }

    fn poll_watch(&mut self, id: Id, watch: Watch, waiting: Waiting) -> Poll<bool> {
        match waiting {
            Waiting::New if !self.is_over(watch) => {
                self.set_state(id, self.tasks[&id].state.now(Waiting::Parked));
                let queue = match watch {
                    Watch::Closed => &mut self.closeq,
                    Watch::Drained => &mut self.drainq,
                };
                queue.push_back((id, 0));
                Poll::Pending
            }
            Waiting::Parked => Poll::Pending,
            _ => Poll::Ready(true),
        }
    }

    fn drop_watcher(&mut self, from_sender: bool) {
        match from_sender {
            true => self.drop_sender(),
            false => self.drop_receiver(),
        }
    }

    fn poll_select(
        &mut self,
        task: Id,
        selecting: Selecting,
    ) -> Poll<(usize, Result<Option<Id>, Closed>)> {
        match selecting.phase {
            Phase::New => {}
            // The arms that nobody has met are still where they were.
            Phase::Woken => self.leave_queues(task),
            Phase::Parked => return Poll::Pending,
            Phase::Happened(arm, result) => return Poll::Ready((arm, result)),
            Phase::Parking { .. } => panic!("it is polled within a poll"),
        }
        for arm in 0..2 {
            if let Some(result) = self.try_arm(selecting.messages[arm]) {
                return Poll::Ready((arm, result));
            }
        }
        let is_passed_by = false;
        self.set_phase(task, Phase::Parking { is_passed_by });
        for arm in 0..2 {
            if let Some(result) = self.try_arm(selecting.messages[arm]) {
                return Poll::Ready((arm, result));
            }
            if selecting.messages[arm].is_none() && !self.sendq.is_empty() {
                // It makes room, so it parks only when the select can be committed.
                let is_passed_by = true;
                self.set_phase(task, Phase::Parking { is_passed_by });
            } else {
                self.park_arm(task, arm, selecting);
            }
        }
        let State::Select(Selecting { phase, .. }) = self.tasks[&task].state else {
            panic!("it is a select");
        };
        let is_passed_by = phase != Phase::Parking { is_passed_by };
        if is_passed_by {
            return self.park_all_arms(task, selecting);
        }
        self.set_phase(task, Phase::Parked);
        Poll::Pending
    }

    /// Parks the arms that a peer has passed by, all in one step.
    fn park_all_arms(
        &mut self,
        task: Id,
        selecting: Selecting,
    ) -> Poll<(usize, Result<Option<Id>, Closed>)> {
        for arm in 0..2 {
            if !self.is_in_queue((task, arm)) {
                if let Some(result) = self.try_arm(selecting.messages[arm]) {
                    return Poll::Ready((arm, result));
                }
            }
        }
        for arm in 0..2 {
            if !self.is_in_queue((task, arm)) {
                self.park_arm(task, arm, selecting);
            }
        }
        self.set_phase(task, Phase::Parked);
        self.serve();
        Poll::Pending
    }

    fn try_arm(&mut self, message: Option<Id>) -> Option<Result<Option<Id>, Closed>> {
        match message {
            Some(message) => match self.send(message) {
                Ok(()) => Some(Ok(None)),
                Err(TrySendError::Full(_)) => None,
                Err(TrySendError::Closed(_)) => Some(Err(Closed)),
            },
            None => match self.recv() {
                Ok(message) => Some(Ok(Some(message))),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Closed) => Some(Err(Closed)),
            },
        }
    }

    fn park_arm(&mut self, task: Id, arm: usize, selecting: Selecting) {
        match selecting.messages[arm] {
            Some(_) => self.sendq.push_back((task, arm)),
            None => self.recvq.push_back((task, arm)),
        }
    }

    fn is_in_queue(&self, arm: (Id, usize)) -> bool {
        self.sendq.contains(&arm) || self.recvq.contains(&arm)
    }

    fn set_phase(&mut self, task: Id, phase: Phase) {
        if let State::Select(selecting) = self.tasks[&task].state {
            self.set_state(task, State::Select(Selecting { phase, ..selecting }));
        }
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
        self.closeq.retain(|&(parked, _)| parked != task);
        self.drainq.retain(|&(parked, _)| parked != task);
    }

    fn set_state(&mut self, task: Id, state: State) {
        self.tasks.get_mut(&task).expect("it exists").state = state;
    }

    pub(crate) fn cancel(&mut self, id: Id) {
        if let State::Sink(sink) = self.tasks[&id].state {
            self.close_sink(id, sink);
        }
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
                    Phase::New | Phase::Parking { .. } | Phase::Parked | Phase::Woken => None,
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
            State::SendMany(batch) => {
                let first_left = batch.made.0 + usize::from(batch.waiting == Waiting::Granted);
                (first_left..batch.made.1).for_each(|message| self.drop_message(message));
                self.left_in_iterators.push(batch.left);
                self.drop_sender();
            }
            State::Reserve(waiting) => {
                if waiting == Waiting::Granted {
                    self.release_permit();
                }
                self.drop_sender();
            }
            State::Watch { from_sender, .. } => self.drop_watcher(from_sender),
            State::Recv(receiving)
            | State::RecvMany { receiving, .. }
            | State::Stream(receiving) => {
                self.stop_receiving(id, receiving);
                self.drop_receiver();
            }
            State::EndedStream => self.drop_receiver(),
            // It has been closed.
            State::Sink(_) => {}
        }
    }

    pub(crate) fn release(&mut self, id: Id) -> Outcome {
        match self.tasks[&id].state {
            State::Stream(receiving) => {
                self.stop_receiving(id, receiving);
                self.set_state(id, State::Stream(Receiving::New));
                Outcome::Done
            }
            State::EndedStream => Outcome::Done,
            _ => Outcome::Skipped,
        }
    }

    fn stop_receiving(&mut self, task: Id, receiving: Receiving) {
        self.leave_queues(task);
        if let Receiving::Handed(message) = receiving {
            self.give_back(message);
        }
    }
}
