//! The channel as it is.

#![forbid(unsafe_code)]

use std::{
    cell::RefCell,
    collections::BTreeMap,
    future::poll_fn,
    mem,
    pin::{Pin, pin},
    rc::Rc,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use futures::{
    FutureExt, StreamExt,
    future::{FusedFuture, LocalBoxFuture},
    stream::FusedStream,
};
use hchan::{
    Receiver, RecvError, RecvStream, RecvTimeoutError, SendError, SendTimeoutError, Sender,
    TrySendError, WeakReceiver, WeakSender, select,
};

use crate::op::{Closed, Id, Observed, Op, Outcome, View, pick};

/// The channel as it is, under the same operations.
pub(crate) struct Real {
    senders: Vec<Sender<Message>>,
    receivers: Vec<Receiver<Message>>,
    weak_sender: WeakSender<Message>,
    weak_receiver: WeakReceiver<Message>,
    tasks: BTreeMap<Id, RealTask>,
    next_task: Id,
    pub(crate) drops: Rc<RefCell<Vec<usize>>>,
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
    pub(crate) fn new(capacity: Option<usize>) -> Self {
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

    pub(crate) fn apply(&mut self, op: &Op) -> Outcome {
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
                let sent = tx.send(self.new_message()).wait_timeout(Duration::ZERO);
                Outcome::TimedSend(sent.map_err(send_error_id))
            }
            Op::TryRecv => Outcome::TryRecv(self.receivers.last()?.try_recv().map(id)),
            Op::TryIter => Outcome::TryIter(self.receivers.last()?.try_iter().map(id).collect()),
            Op::RecvWithinNoTime => {
                let received = self.receivers.last()?.recv().wait_timeout(Duration::ZERO);
                Outcome::TimedRecv(received.map(id))
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

    pub(crate) fn observe(&mut self) -> Observed {
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
