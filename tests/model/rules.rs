//! The rules of the model: the tables of the crate's documentation, the one rule of room, and the close.

#![forbid(unsafe_code)]

use std::{
    collections::{BTreeMap, VecDeque},
    iter, mem,
};

use hchan::{SendError, TryRecvError, TrySendError};

use crate::{
    model::Model,
    op::{Id, Watch},
    state::{ModelTask, Phase, Selecting, State},
};

/// Who is parked, with which arm.
pub(crate) type Parked = (Id, usize);

impl Model {
    /// The one rule: sends and permits go ahead only while this is more than 0, in the order in which they came.
    pub(crate) fn room(&self) -> usize {
        let capacity = self.capacity.unwrap_or(usize::MAX);
        let places = capacity.saturating_add(self.recvq.len());
        places.saturating_sub(self.buffer.len() + self.permits)
    }

    pub(crate) fn send(&mut self, message: Id) -> Result<(), TrySendError<Id>> {
        if self.closed {
            return Err(TrySendError::Closed(message));
        }
        while self.room() > 0 {
            let Some(receiver) = self.recvq.pop_front() else {
                self.buffer.push_back(message);
                return Ok(());
            };
            // If that one is not parked any more there is less room now.
            if is_committed(receiver, &mut self.tasks) {
                self.leave(message, receiver);
                return Ok(());
            }
        }
        Err(TrySendError::Full(message))
    }

    pub(crate) fn reserve(&mut self) -> Result<(), TrySendError<()>> {
        if self.closed {
            Err(TrySendError::Closed(()))
        } else if self.room() > 0 {
            self.permits += 1;
            Ok(())
        } else {
            Err(TrySendError::Full(()))
        }
    }

    /// To the oldest parked receiver, whoever counts on it, or behind all messages, be there room or not.
    pub(crate) fn send_permitted(&mut self, message: Id) -> Result<(), SendError<Id>> {
        self.permits -= 1;
        if self.closed {
            return Err(SendError(message));
        }
        match next_parked(&mut self.recvq, &mut self.tasks) {
            Some(receiver) => {
                self.leave(message, receiver);
                // The receiver may have been a select beside whose own send there was room: that is lost now, and met.
                self.serve();
            }
            None => self.buffer.push_back(message),
        }
        Ok(())
    }

    pub(crate) fn release_permit(&mut self) {
        self.permits -= 1;
        self.serve();
    }

    pub(crate) fn recv(&mut self) -> Result<Id, TryRecvError> {
        let message = if !self.given_back.is_empty() {
            self.given_back.remove(0)
        } else if let Some(message) = self.buffer.pop_front() {
            self.left.push(message);
            if self.room() > 0 {
                self.admit();
            }
            message
        } else if let Some(message) = self.take_from_first_sender() {
            self.left.push(message);
            message
        } else if self.closed {
            return Err(TryRecvError::Closed);
        } else {
            return Err(TryRecvError::Empty);
        };
        self.tell_drained();
        Ok(message)
    }

    /// A receive that finds no message makes room for the first in `sendq`, and gets that one's message; unless there are more
    /// permits than places, or it is not for a message that the first waits.
    fn take_from_first_sender(&mut self) -> Option<Id> {
        if self
            .capacity
            .is_some_and(|capacity| self.permits > capacity)
        {
            return None;
        }
        while let Some(&first) = self.sendq.front() {
            if self.tasks[&first.0].state.is_for_permit() {
                return None;
            }
            self.sendq.pop_front();
            if is_committed(first, &mut self.tasks) {
                return self.grant(first);
            }
        }
        None
    }

    /// Lets those in `sendq` go ahead while there is room: after a receiver has parked or a permit has been given up.
    pub(crate) fn serve(&mut self) {
        let mut passed_over = VecDeque::new();
        while self.room() > 0 {
            let Some(&first) = self.sendq.front() else {
                break;
            };
            let state = self.tasks[&first.0].state;
            if self.recvq.is_empty() || state.is_for_permit() {
                self.admit();
            } else if !matches!(state, State::Select(_)) {
                self.pair(first);
            } else if self.room() <= self.recvq.len()
                && self.recvq.iter().all(|(task, _)| *task == first.0)
            {
                // A select does not pair with itself: its own receives are all the room there is.
                passed_over.extend(self.sendq.pop_front());
            } else {
                self.pair_select(first);
            }
        }
        passed_over.append(&mut self.sendq);
        self.sendq = passed_over;
    }

    /// Lets the oldest in `sendq` have the room that there is.
    fn admit(&mut self) {
        if let Some(sender) = next_parked(&mut self.sendq, &mut self.tasks) {
            match self.grant(sender) {
                Some(message) => self.buffer.push_back(message),
                None => self.permits += 1,
            }
        }
    }

    /// Hands the message of the first in `sendq` to the oldest in `recvq`, unless that one is not parked any more: there is less
    /// room then.
    fn pair(&mut self, first: Parked) {
        let receiver = self.recvq.pop_front().expect("there is one");
        if is_committed(receiver, &mut self.tasks) {
            self.sendq.pop_front();
            let (message, _) = self.tasks[&first.0].state.granted(first.1);
            self.leave(message.expect("it sends"), receiver);
            self.grant(first);
        }
    }

    /// Hands the message of the first in `sendq`, an arm of a select, to the oldest receiver parked elsewhere, or puts it into a
    /// place that there is. The select is committed before that is known; with neither it has only been woken.
    fn pair_select(&mut self, first: Parked) {
        self.sendq.pop_front();
        let State::Select(selecting) = self.tasks[&first.0].state else {
            unreachable!("it is an arm of a select");
        };
        if !is_committed(first, &mut self.tasks) {
            return;
        }
        let message = self.grant(first).expect("it sends");
        match next_parked(&mut self.recvq, &mut self.tasks) {
            Some(receiver) => self.leave(message, receiver),
            None if self.room() > 0 => self.buffer.push_back(message),
            None => {
                let phase = Phase::Woken;
                let sender = self.tasks.get_mut(&first.0).expect("it was there");
                sender.state = State::Select(Selecting { phase, ..selecting });
            }
        }
    }

    /// A message leaves the channel into the hands of a receiver.
    fn leave(&mut self, message: Id, receiver: Parked) {
        self.left.push(message);
        self.hand(receiver, message);
    }

    fn hand(&mut self, (receiver, arm): Parked, message: Id) {
        self.wake(receiver, self.tasks[&receiver].state.handed(arm, message));
    }

    /// Completes a send, whose message that is, or a request for a permit.
    fn grant(&mut self, (sender, arm): Parked) -> Option<Id> {
        let (message, state) = self.tasks[&sender].state.granted(arm);
        self.wake(sender, state);
        message
    }

    pub(crate) fn close(&mut self) -> bool {
        if self.closed {
            return false;
        }
        self.closed = true;
        let mut parked = mem::take(&mut self.recvq);
        parked.append(&mut self.sendq);
        parked.append(&mut self.closeq);
        self.refuse(parked);
        self.tell_drained();
        true
    }

    fn refuse(&mut self, mut parked: VecDeque<Parked>) {
        while let Some((task, arm)) = next_parked(&mut parked, &mut self.tasks) {
            self.wake(task, self.tasks[&task].state.refused(arm));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.given_back.len() + self.buffer.len()
    }

    /// That the channel has been closed and empty counts from when somebody who waited was told.
    pub(crate) fn tell_drained(&mut self) {
        if self.closed && self.len() == 0 && !self.drainq.is_empty() {
            self.drained = true;
            let waiting = mem::take(&mut self.drainq);
            self.refuse(waiting);
        }
    }

    pub(crate) fn is_over(&self, watch: Watch) -> bool {
        match watch {
            Watch::Closed => self.closed,
            Watch::Drained => self.drained || self.closed && self.len() == 0,
        }
    }

    /// Ends the wait of a task that has left its queue.
    fn wake(&mut self, task: Id, state: State) {
        let task = self.tasks.get_mut(&task);
        let task = task.expect("tasks leave their queue before they go");
        task.state = state;
        self.woken.extend(task.waker);
    }

    pub(crate) fn give_back(&mut self, message: Id) {
        if let Some(receiver) = next_parked(&mut self.recvq, &mut self.tasks) {
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
}

/// Takes those that are not parked any more out of a queue, and the first that is.
fn next_parked(
    queue: &mut VecDeque<Parked>,
    tasks: &mut BTreeMap<Id, ModelTask>,
) -> Option<Parked> {
    iter::from_fn(|| queue.pop_front()).find(|&parked| is_committed(parked, tasks))
}

/// Whether one that has just left its queue can be completed; else, and if it is about to park, it learns of it.
fn is_committed((task, _): Parked, tasks: &mut BTreeMap<Id, ModelTask>) -> bool {
    let state = &mut tasks.get_mut(&task).expect("it is in a queue").state;
    if let State::Select(Selecting {
        phase: Phase::Parking { is_passed_by },
        ..
    }) = state
    {
        *is_passed_by = true;
    }
    state.is_parked()
}
