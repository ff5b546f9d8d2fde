//! The channel as it is.

#![forbid(unsafe_code)]

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    future::poll_fn,
    mem,
    pin::{Pin, pin},
    rc::Rc,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
};

#[cfg(not(feature = "std"))]
use futures::executor::block_on;
use futures::{
    FutureExt, StreamExt,
    future::{FusedFuture, LocalBoxFuture},
    stream::FusedStream,
};
use hchan::{
    ClosedFuture, IntoStream, OwnedPermit, Receiver, RecvError, RecvTimeoutError, SendError,
    SendManyError, SendTimeoutError, Sender, TrySendError, WeakReceiver, WeakSender, select,
};

use crate::{
    op::{Closed, Id, Observed, Op, Outcome, Unsent, Use, View, Watch, pick, pick_among},
    sink::{AnySink, sink},
    support::injected::{Peaceful, fragile_waker, in_peace, message_drops},
};

/// The channel as it is, under the same operations.
pub(crate) struct Real {
    senders: Vec<Sender<Message>>,
    receivers: Vec<Receiver<Message>>,
    permits: Vec<OwnedPermit<Message>>,
    weak_sender: WeakSender<Message>,
    weak_receiver: WeakReceiver<Message>,
    tasks: BTreeMap<Id, RealTask>,
    next_task: Id,
    pub(crate) drops: Rc<RefCell<Vec<usize>>>,
    left_in_options: Rc<RefCell<Vec<Id>>>,
    left_in_iterators: Rc<RefCell<Vec<usize>>>,
    wakers: Vec<Arc<Bell>>,
    woken: Arc<Mutex<Vec<Id>>>,
    /// Whether wakers may panic.
    pub(crate) is_fragile: bool,
    /// The task that the last operation was about, if there was one.
    pub(crate) actor: Option<Id>,
    /// The task that is being polled.
    polled: Option<Id>,
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
    Stream(IntoStream<Message>),
    Reserve(LocalBoxFuture<'static, Result<OwnedPermit<Message>, SendTimeoutError<()>>>),
    SendMany(LocalBoxFuture<'static, Result<usize, SendTimeoutError<Unsent>>>),
    RecvMany(LocalBoxFuture<'static, Result<Vec<Id>, RecvTimeoutError>>),
    Watch(LocalBoxFuture<'static, bool>),
    Sink(RealSink),
}

struct RealSink {
    sink: Box<dyn AnySink<Message>>,
    /// It has said so.
    is_ready: bool,
}

/// What a task gives up for.
#[derive(Clone, Default)]
struct Stop(Rc<RefCell<RealStop>>);

#[derive(Default)]
struct RealStop {
    is_complete: bool,
    waker: Option<Peaceful<Waker>>,
}

impl Stop {
    fn complete(&self) {
        let mut stop = self.0.borrow_mut();
        stop.is_complete = true;
        if let Some(waker) = stop.waker.take() {
            waker.wake_by_ref();
        }
    }
}

impl Future for Stop {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut stop = self.0.borrow_mut();
        if stop.is_complete {
            return Poll::Ready(());
        }
        stop.waker = Some(Peaceful::new(cx.waker().clone()));
        Poll::Pending
    }
}

struct Message {
    id: Id,
    drops: Rc<RefCell<Vec<usize>>>,
}

impl Message {
    fn new(drops: &Rc<RefCell<Vec<usize>>>) -> Self {
        let id = drops.borrow().len();
        drops.borrow_mut().push(0);
        Self {
            id,
            drops: Rc::clone(drops),
        }
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        self.drops.borrow_mut()[self.id] += 1;
        message_drops();
    }
}

thread_local! {
    /// The messages that came out of the channel or of a send.
    static CAME_OUT: RefCell<BTreeSet<Id>> = const { RefCell::new(BTreeSet::new()) };
}

fn note_came_out<'a>(messages: impl IntoIterator<Item = &'a Message>) {
    let ids = messages.into_iter().map(|message| message.id);
    CAME_OUT.with_borrow_mut(|came_out| came_out.extend(ids));
}

/// The vector of a receive of many; what is in it has come out.
#[derive(Default)]
struct Inbox(Vec<Message>);

impl Drop for Inbox {
    fn drop(&mut self) {
        note_came_out(&self.0);
    }
}

/// The `Option`s of one send or two. Writes down what is in them when they drop.
struct Options {
    messages: [Option<Message>; 2],
    left: Rc<RefCell<Vec<Id>>>,
}

impl Drop for Options {
    fn drop(&mut self) {
        note_came_out(self.messages.iter().flatten());
        let left = self.messages.iter().flatten().map(|message| message.id);
        self.left.borrow_mut().extend(left);
        in_peace(|| self.messages = [None, None]);
    }
}

/// The iterator of a batch: makes the messages. Writes down how many are left when it drops.
struct Source {
    left: usize,
    drops: Rc<RefCell<Vec<usize>>>,
    left_in_iterators: Rc<RefCell<Vec<usize>>>,
}

impl Iterator for Source {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        self.left = self.left.checked_sub(1)?;
        Some(Message::new(&self.drops))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.left_in_iterators.borrow_mut().push(self.left);
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
        #[cfg(feature = "inspect")]
        {
            static INSPECTING: std::sync::Once = std::sync::Once::new();
            INSPECTING.call_once(|| hchan::inspect::enable(hchan::inspect::Config::default()));
        }
        let (tx, rx) = match capacity {
            Some(capacity) => hchan::bounded(capacity),
            None => hchan::unbounded(),
        };
        Self {
            weak_sender: tx.downgrade(),
            weak_receiver: rx.downgrade(),
            senders: vec![tx],
            receivers: vec![rx],
            permits: Vec::new(),
            tasks: BTreeMap::new(),
            next_task: 0,
            drops: Rc::default(),
            left_in_options: Rc::default(),
            left_in_iterators: Rc::default(),
            wakers: Vec::new(),
            woken: Arc::default(),
            is_fragile: false,
            actor: None,
            polled: None,
        }
    }

    pub(crate) fn apply(&mut self, op: &Op) -> Outcome {
        self.actor = None;
        self.try_apply(op).unwrap_or(Outcome::Skipped)
    }

    /// Removes the task whose poll has panicked; a stream and a sink can be polled again.
    pub(crate) fn remove_panicked(&mut self) {
        let Some(id) = self.polled.take() else { return };
        if let Some(task) = self.tasks.get(&id) {
            if !matches!(task.work, Work::Stream(_) | Work::Sink(_)) {
                self.tasks.remove(&id);
            }
        }
    }

    pub(crate) fn has_receivers(&self) -> bool {
        self.weak_receiver.upgrade().is_some()
    }

    /// The messages that have come out since the last call.
    pub(crate) fn came_out(&self) -> BTreeSet<Id> {
        CAME_OUT.take()
    }

    /// Ends all tasks, and returns what is in the channel then.
    pub(crate) fn end_tasks(&mut self) -> Vec<Id> {
        self.tasks.clear();
        self.permits.clear();
        let rx = self.weak_receiver.upgrade();
        rx.map_or_else(Vec::new, |rx| rx.try_iter().map(id).collect())
    }

    /// Drops all handles; how often each waker is held then.
    pub(crate) fn end(&mut self) -> Vec<usize> {
        self.senders.clear();
        self.receivers.clear();
        self.observe().held
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
                let received = recv_within_no_time(self.receivers.last()?);
                Outcome::TimedRecv(received.map(id))
            }
            Op::NewSend {
                has_stop,
                is_polled,
            } => {
                let tx = Peaceful::new(self.senders.last()?.clone());
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
                let tx = Peaceful::new(self.senders.last()?.clone());
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
                let tx = Peaceful::new(self.senders.last()?.clone());
                let rx = Peaceful::new(self.receivers.last()?.clone());
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
                let rx = Peaceful::new(self.receivers.last()?.clone());
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
            Op::TryReserve { then } => {
                let tx = self.senders.last()?.clone();
                let permit = match tx.try_reserve() {
                    Ok(permit) => permit,
                    Err(error) => return Some(Outcome::TryReserve(error)),
                };
                match then {
                    Use::Keep => {
                        let permit = permit.into_owned();
                        self.use_permit(permit, then)
                    }
                    Use::Send => {
                        let sent = permit.send(self.new_message());
                        Outcome::Permit(Some(sent.map_err(closed_id)))
                    }
                    Use::Drop | Use::Release => {
                        drop(permit);
                        Outcome::Permit(None)
                    }
                }
            }
            Op::UsePermit { then } => {
                let permit = self.permits.pop()?;
                self.use_permit(permit, then)
            }
            Op::TrySendMany { count } => {
                let tx = self.senders.last()?;
                let sent = tx.try_send_many(self.source(count));
                Outcome::TrySendMany(sent.map_err(|error| match error {
                    TrySendError::Full(error) => TrySendError::Full(unsent(error)),
                    TrySendError::Closed(error) => TrySendError::Closed(unsent(error)),
                }))
            }
            Op::TryRecvMany { limit } => {
                let mut into = Inbox::default();
                let received = self.receivers.last()?.try_recv_many(&mut into.0, limit);
                Outcome::TryRecvMany(received.map(|count| ids(count, into.0.drain(..))))
            }
            Op::Drain => {
                let messages = self.receivers.last()?.drain();
                Outcome::TryIter(ids(messages.len(), messages))
            }
            Op::NewReserve {
                has_stop,
                is_polled,
            } => {
                let tx = Peaceful::new(self.senders.last()?.clone());
                self.new_task_until(has_stop, is_polled, |stop| {
                    let reserve = async move {
                        let permit = match stop {
                            Some(stop) => checked(tx.reserve().until(stop)).await?,
                            None => checked(tx.reserve()).await?,
                        };
                        Ok(permit.into_owned())
                    };
                    Work::Reserve(reserve.boxed_local())
                })
            }
            Op::NewSendMany {
                count,
                has_stop,
                is_polled,
            } => {
                let tx = Peaceful::new(self.senders.last()?.clone());
                let source = self.source(count);
                self.new_task_until(has_stop, is_polled, |stop| {
                    let send = async move {
                        // The handle drops last, however this ends.
                        let tx = tx;
                        let mut source = source;
                        let send = tx.send_many(&mut source);
                        let sent = match stop {
                            Some(stop) => checked(send.until(stop)).await,
                            None => checked(send).await.map_err(SendTimeoutError::Closed),
                        };
                        sent.map_err(|error| match error {
                            SendTimeoutError::Timeout(error) => {
                                SendTimeoutError::Timeout(unsent(error))
                            }
                            SendTimeoutError::Closed(error) => {
                                SendTimeoutError::Closed(unsent(error))
                            }
                        })
                    };
                    Work::SendMany(send.boxed_local())
                })
            }
            Op::NewRecvMany {
                limit,
                has_stop,
                is_polled,
            } => {
                let rx = Peaceful::new(self.receivers.last()?.clone());
                self.new_task_until(has_stop, is_polled, |stop| {
                    let recv = async move {
                        let mut into = Inbox::default();
                        let recv = rx.recv_many(&mut into.0, limit);
                        let count = match stop {
                            Some(stop) => checked(recv.until(stop)).await?,
                            None => checked(recv).await?,
                        };
                        Ok(ids(count, into.0.drain(..)))
                    };
                    Work::RecvMany(recv.boxed_local())
                })
            }
            Op::NewWatch {
                watch,
                from_sender,
                has_stop,
                is_polled,
            } => {
                if from_sender {
                    let tx = Peaceful::new(self.senders.last()?.clone());
                    self.new_task_until(has_stop, is_polled, |stop| {
                        let watching = async move {
                            let watching = match watch {
                                Watch::Closed => tx.closed(),
                                Watch::Drained => tx.drained(),
                            };
                            is_over(watching, stop).await
                        };
                        Work::Watch(watching.boxed_local())
                    })
                } else {
                    let rx = Peaceful::new(self.receivers.last()?.clone());
                    self.new_task_until(has_stop, is_polled, |stop| {
                        let watching = async move {
                            let watching = match watch {
                                Watch::Closed => rx.closed(),
                                Watch::Drained => rx.drained(),
                            };
                            is_over(watching, stop).await
                        };
                        Work::Watch(watching.boxed_local())
                    })
                }
            }
            Op::NewSink { is_polled } => {
                let sink = sink(self.senders.last()?.clone());
                let is_ready = false;
                self.new_task(Work::Sink(RealSink { sink, is_ready }), None, is_polled)
            }
            Op::StartSend { pick } => {
                let drops = Rc::clone(&self.drops);
                let RealSink { sink, is_ready } = self.pick_sink(pick)?;
                if !mem::take(is_ready) {
                    return None;
                }
                let sent = sink.start_send(Message::new(&drops));
                Outcome::StartSend(sent.map_err(maybe_id))
            }
            Op::CloneSink { pick } => {
                let sink = self.pick_sink(pick)?.sink.clone_box();
                let is_ready = false;
                self.new_task(Work::Sink(RealSink { sink, is_ready }), None, false)
            }
            Op::CloseSink { pick } => {
                let RealSink { sink, is_ready } = self.pick_sink(pick)?;
                *is_ready = false;
                let closed = sink.poll_close(&mut Context::from_waker(Waker::noop()));
                assert!(matches!(closed, Poll::Ready(Ok(()))));
                Outcome::Done
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
                self.actor = Some(task);
                self.tasks.remove(&task);
                Outcome::Done
            }
            Op::DropReceives => {
                let receives = |task: &RealTask| {
                    matches!(
                        task.work,
                        Work::Recv(_) | Work::RecvMany(_) | Work::Stream(_)
                    )
                };
                while let Some(id) = pick_among(&self.tasks, receives, 0) {
                    self.tasks.remove(&id);
                }
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
        (self.actor, self.polled) = (Some(id_of_task), Some(id_of_task));
        let task = self.tasks.get_mut(&id_of_task).expect("picked among them");
        if with_new_waker || task.waker.is_none() {
            task.waker = Some(self.wakers.len());
            self.wakers.push(Arc::new(Bell {
                id: self.wakers.len(),
                woken: Arc::clone(&self.woken),
            }));
        }
        let bell = &self.wakers[task.waker.expect("it has one now")];
        let waker = Peaceful::new(match self.is_fragile {
            true => fragile_waker(&Waker::from(Arc::clone(bell)), |_| {}),
            false => Waker::from(Arc::clone(bell)),
        });
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
            Work::Reserve(reserve) => match reserve.as_mut().poll(&mut cx) {
                Poll::Ready(Ok(permit)) => {
                    self.permits.push(permit);
                    (Outcome::Reserve(Poll::Ready(Ok(()))), true)
                }
                Poll::Ready(Err(error)) => (Outcome::Reserve(Poll::Ready(Err(error))), true),
                Poll::Pending => (Outcome::Reserve(Poll::Pending), false),
            },
            Work::SendMany(send) => {
                let sent = send.as_mut().poll(&mut cx);
                let done = sent.is_ready();
                (Outcome::SendMany(sent), done)
            }
            Work::RecvMany(recv) => {
                let received = recv.as_mut().poll(&mut cx);
                let done = received.is_ready();
                (Outcome::RecvMany(received), done)
            }
            Work::Watch(watching) => {
                let is_over = watching.as_mut().poll(&mut cx);
                (Outcome::Watch(is_over), is_over.is_ready())
            }
            Work::Sink(RealSink { sink, is_ready }) => {
                let ready = sink.poll_ready(&mut cx);
                *is_ready = matches!(ready, Poll::Ready(Ok(())));
                (Outcome::SinkReady(ready.map_err(maybe_id)), false)
            }
        };
        self.polled = None;
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
        self.actor = Some(id);
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
        Message::new(&self.drops)
    }

    fn source(&self, left: usize) -> Source {
        Source {
            left,
            drops: Rc::clone(&self.drops),
            left_in_iterators: Rc::clone(&self.left_in_iterators),
        }
    }

    fn use_permit(&mut self, permit: OwnedPermit<Message>, then: Use) -> Outcome {
        match then {
            Use::Keep => self.permits.push(permit),
            Use::Send => {
                let (_tx, sent) = permit.send(self.new_message());
                return Outcome::Permit(Some(sent.map_err(closed_id)));
            }
            Use::Drop => drop(permit),
            Use::Release => self.senders.push(permit.release()),
        }
        Outcome::Permit(None)
    }

    fn pick_sink(&mut self, pick: u8) -> Option<&mut RealSink> {
        let is_sink = |task: &RealTask| matches!(task.work, Work::Sink(_));
        let id = pick_among(&self.tasks, is_sink, pick)?;
        match &mut self.tasks.get_mut(&id)?.work {
            Work::Sink(sink) => Some(sink),
            _ => None,
        }
    }

    /// Those that a snapshot lists as parked are as many as the queues hold.
    #[cfg(feature = "inspect")]
    fn assert_that_inspect_knows_all_that_wait(&self) {
        use hchan::inspect::{Operation, WaiterState};

        let snapshot = self.weak_sender.snapshot();
        let parked = |is_of: fn(Operation) -> bool| {
            let waiters = snapshot.waiters.iter();
            let parked = waiters.filter(|waiter| waiter.state == WaiterState::Parked);
            parked.filter(|waiter| is_of(waiter.operation)).count()
        };
        let senders = parked(|operation| matches!(operation, Operation::Send | Operation::Reserve));
        let receivers = parked(|operation| operation == Operation::Receive);
        let queued = [snapshot.waiting_senders, snapshot.waiting_receivers];
        assert_eq!([senders, receivers], queued, "{snapshot}");
        if self.tasks.is_empty() {
            assert!(snapshot.waiters.is_empty(), "{snapshot}");
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
        #[cfg(feature = "inspect")]
        self.assert_that_inspect_knows_all_that_wait();
        let wakers_of = |bell: &Arc<Bell>| Arc::strong_count(bell) - 1;
        Observed {
            from_sender,
            from_receiver,
            drops: self.drops.borrow().clone(),
            left_in_options: self.left_in_options.take(),
            left_in_iterators: self.left_in_iterators.take(),
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

/// Whether it is over, or stopped.
async fn is_over(watching: ClosedFuture<'_, Message>, stop: Option<Stop>) -> bool {
    match stop {
        Some(stop) => checked(watching.until(stop)).await,
        None => {
            checked(watching).await;
            true
        }
    }
}

/// The number of a message that came out, which drops here.
fn id(message: Message) -> Id {
    note_came_out([&message]);
    let id = message.id;
    in_peace(|| drop(message));
    id
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

fn closed_id(SendError(message): SendError<Message>) -> SendError<Id> {
    SendError(id(message))
}

fn maybe_id(SendError(message): SendError<Option<Message>>) -> SendError<Option<Id>> {
    SendError(message.map(id))
}

/// Those that came out, as many as they were said to be.
fn ids(count: usize, messages: impl IntoIterator<Item = Message>) -> Vec<Id> {
    let ids: Vec<_> = messages.into_iter().map(id).collect();
    assert_eq!(count, ids.len(), "messages said to have been received");
    ids
}

fn unsent<I: Iterator<Item = Message>>(error: SendManyError<I>) -> Unsent {
    (error.sent, error.rest.map(id).collect())
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
    block_on(tx.send(message).until(no_time()))
}

#[cfg(not(feature = "std"))]
fn recv_within_no_time(rx: &Receiver<Message>) -> Result<Message, RecvTimeoutError> {
    block_on(rx.recv().until(no_time()))
}

/// Is over when it is polled for the second time.
#[cfg(not(feature = "std"))]
fn no_time() -> impl Future<Output = ()> {
    let mut polls = 0;
    poll_fn(move |cx| {
        polls += 1;
        cx.waker().wake_by_ref();
        if polls == 1 {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
}
