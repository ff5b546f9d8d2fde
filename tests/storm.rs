//! Storms: tasks and threads send and receive on one channel, cancel at random points, close it at random times; then
//! every message is accounted for.
//!
//! What is checked in all of them: a message whose send returned `Ok` is received once, or evicted once, or (only if
//! the receivers left first) dropped with the channel. A message whose send failed or was cancelled is never received.
//! Every message drops exactly once. And nobody waits for ever.
//!
//! Many of the sends and receives are arms of selects, with a second message, a second receive, other futures and a side
//! channel beside them. Through the side channel the selects of senders and of receivers hand each other tokens, in
//! both directions, so that selects pair with selects. A token that was sent is received once, or given back to the side
//! channel by a select that was cancelled; and no select has ever done two things. Some sends and receives are to last
//! only until a token comes: what is stopped has not happened, and what has happened is not stopped.
//!
//! Some senders take a permit first, and use it or do not; some are sinks (with the feature `sink`); some send batches from an
//! iterator that they lend, so that it tells what the batch has not taken. Some receives are of many messages. And there are those who
//! wait for the close and for the last message after it: all of them are told.
//!
//! What is checked about order depends on who receives:
//!
//! | receivers | their receives | order that can be relied on |
//! |---|---|---|
//! | one | cancelled at random | it gets of each sender just what that one sent, in that order |
//! | eight | awaited, or timed out in a thread | of each sender each of them gets a part, in order |
//! | eight | cancelled at random | none: a message given back may go to a receiver that has a later one already |
//!
//! (A receive that times out or is stopped gives nothing back: what it was handed meanwhile it returns. Nor does a receive
//! that loses in a select: it has not been handed anything.)
//!
//! In half of the storms whose receivers cancel, wakers panic at random when they are cloned, woken and dropped, and messages when
//! they drop. An operation that panicked has received nothing, but for the message that a receive of many had been handed; a
//! message has been sent unless it dropped within its sender's own operation. All the rest is checked as ever, but for the
//! tokens: whether an operation that panicked has sent or received one cannot be told.
//!
//! No two runs are the same. A failure tells the seed of its choices; what the scheduler did it cannot tell.
//!
//! | setting, from the environment | what it is | default |
//! |---|---|---|
//! | `HCHAN_STORM_SEED` | the seed of all choices | three of them, others each time |
//! | `HCHAN_STORM_MESSAGES` | how many messages each storm has | 40,000 |
//!
//! Big storms, 40 of a million messages each:
//!
//! ```text
//! HCHAN_STORM_SEED=1 HCHAN_STORM_MESSAGES=1000000 cargo test --release --test storm
//! ```

#![cfg(not(target_family = "wasm"))] // All of it needs threads.

// Some of it is for the tests of threads alone.
#![cfg_attr(not(feature = "std"), allow(dead_code, unused_imports))]
#![deny(unsafe_code)]

#[allow(unsafe_code)]
mod support;

use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    env,
    fmt::Debug,
    future::poll_fn,
    hash::{BuildHasher, RandomState},
    io::{self, Write},
    iter, mem,
    pin::{Pin, pin},
    process, slice,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering::Relaxed},
        mpsc,
    },
    task::{Context, Poll},
    thread,
    time::Duration,
    vec,
};

use fastrand::Rng;
#[cfg(feature = "sink")]
use futures::SinkExt;
use futures::{
    FutureExt, StreamExt,
    executor::block_on,
    future::{join_all, join3, pending},
    poll,
};
use hchan::{
    ClosedFuture, Permit, Receiver, RecvError, RecvTimeoutError, Select, SendError, SendManyError,
    SendTimeoutError, Sender, TryRecvError, TrySendError, recv_any, select,
};
use support::injected::{Peaceful, fragile_waker, message_drops, survive};
use tokio::runtime;
#[cfg(feature = "std")]
use {hchan::select_blocking, std::time::Instant};

#[cfg(not(miri))]
const CAPACITIES: [Option<usize>; 5] = [Some(0), Some(1), Some(2), Some(64), None];
#[cfg(miri)]
const CAPACITIES: [Option<usize>; 4] = [Some(0), Some(1), Some(5), None];
const SENDERS: usize = if cfg!(miri) { 3 } else { 8 };
/// How many receivers there are where there are several: eight, but for Miri's sake.
const RECEIVERS: usize = if cfg!(miri) { 2 } else { 8 };
/// How many of the senders, of the watchers and of several receivers are threads. The others are tasks.
const THREADS: usize = if cfg!(miri) { 1 } else { 2 };
const WATCHERS: usize = if cfg!(miri) { 2 } else { 4 };
/// How many messages a storm has. Miri takes some thousand times as long for each.
const MESSAGES: u64 = if cfg!(miri) { 15 } else { 40_000 };

#[test]
fn one_receiver_gets_all_in_order_though_it_cancels() {
    storms(
        &[Ending::SendersFinish, Ending::Close, Ending::ReceiversLeave],
        Receivers::OneThatCancels,
    );
}

#[test]
fn receivers_that_do_not_cancel_get_their_parts_in_order() {
    // Receivers do not leave: a stream that does may give a message back.
    storms(
        &[Ending::SendersFinish, Ending::Close],
        Receivers::EightThatDoNot,
    );
}

#[test]
fn receivers_that_cancel_get_each_message_once() {
    storms(
        &[Ending::SendersFinish, Ending::Close, Ending::ReceiversLeave],
        Receivers::EightThatCancel,
    );
}

/// How a storm ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    SendersFinish,
    /// Somebody closes the channel at some time.
    Close,
    /// Every receiver leaves at some time.
    ReceiversLeave,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Receivers {
    OneThatCancels,
    EightThatCancel,
    EightThatDoNot,
}

fn storms(endings: &[Ending], receivers: Receivers) {
    let seeds = match setting("HCHAN_STORM_SEED") {
        Some(seed) => vec![seed],
        // One for each seed of Miri's.
        None if cfg!(miri) => vec![RandomState::new().hash_one(0)],
        None => (0..3).map(|_| fastrand::u64(..)).collect(),
    };
    let messages = setting("HCHAN_STORM_MESSAGES").unwrap_or(MESSAGES) as usize;
    // Without `std` a second panic ends the process.
    let can_panic = cfg!(feature = "std") && receivers != Receivers::EightThatDoNot;
    let mut panics = false;
    #[cfg(feature = "inspect")]
    let _looking = looking::Looking::begin();
    for seed in seeds {
        let endings = match cfg!(miri) {
            true => slice::from_ref(&endings[seed as usize % endings.len()]),
            false => endings,
        };
        for capacity in CAPACITIES {
            for &ending in endings {
                panics = can_panic && !panics;
                storm(&Plan {
                    seed,
                    capacity,
                    receivers,
                    ending,
                    panics,
                    messages,
                });
            }
        }
    }
}

fn setting(name: &str) -> Option<u64> {
    let value = env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
    )
}

/// All that is chosen before a storm; also what its failure prints.
#[derive(Debug)]
struct Plan {
    seed: u64,
    capacity: Option<usize>,
    receivers: Receivers,
    ending: Ending,
    panics: bool,
    messages: usize,
}

fn storm(plan: &Plan) {
    let mut rng = Rng::with_seed(plan.seed);
    let (tx, rx) = match plan.capacity {
        Some(capacity) => hchan::bounded(capacity),
        None => hchan::unbounded(),
    };
    let ledger = Arc::new(Ledger::new(plan, &mut rng));
    let weak = (tx.downgrade(), rx.downgrade());
    let _watchdog = Watchdog::new(plan, weak, Arc::clone(&ledger));

    let (alive, others) = hchan::bounded(0);
    let watchers = watchers(plan, &tx, &rx, &others, &mut rng);
    let senders = senders(tx, alive, &ledger, &mut rng);
    let receivers = receivers(plan, &rx, &ledger, &mut rng);
    // The others may end while a message is on its way back into the channel: that one is found there afterwards.
    let rx = (plan.ending != Ending::ReceiversLeave).then_some(rx);
    #[cfg(feature = "inspect")]
    let inspected = receivers[0].rx.downgrade();
    let (sent, mut received) = run(senders, receivers, watchers, &mut rng);
    // Nobody is left, and no record of anybody.
    #[cfg(feature = "inspect")]
    inspected.assert_idle();
    if let Some(rx) = rx {
        received.push(rx.try_iter().map(|message| message.id).collect());
    }
    check(plan, &ledger, &sent, &received);
    ledger.tokens.check(plan);
}

/// Snapshots are taken all the time.
#[cfg(feature = "inspect")]
mod looking {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering::Relaxed},
        },
        thread::{self, JoinHandle},
        time::Duration,
    };

    use hchan::inspect;

    pub(crate) struct Looking {
        is_over: Arc<AtomicBool>,
        thread: Option<JoinHandle<()>>,
    }

    impl Looking {
        pub(crate) fn begin() -> Self {
            inspect::enable(inspect::Config::default());
            let is_over = Arc::new(AtomicBool::new(false));
            let told = Arc::clone(&is_over);
            let thread = thread::spawn(move || {
                while !told.load(Relaxed) {
                    inspect::for_each_channel(|channel| {
                        assert!(
                            !channel.is_closed || channel.waiting_senders == 0,
                            "{channel}"
                        );
                    });
                    _ = (inspect::stuck(Duration::ZERO), inspect::profile());
                    thread::sleep(Duration::from_micros(100));
                }
            });
            Self {
                is_over,
                thread: Some(thread),
            }
        }
    }

    impl Drop for Looking {
        fn drop(&mut self) {
            self.is_over.store(true, Relaxed);
            let ended = self.thread.take().expect("it ends once").join();
            assert!(ended.is_ok() || thread::panicking());
        }
    }
}

fn senders(
    tx: Sender<Message>,
    alive: Sender<Infallible>,
    ledger: &Arc<Ledger>,
    rng: &mut Rng,
) -> Vec<Sending> {
    (0..SENDERS)
        .map(|number| Sending {
            tx: tx.clone(),
            _alive: alive.clone(),
            number,
            rng: rng.fork(),
            report: SenderReport::default(),
            ledger: Arc::clone(ledger),
        })
        .collect()
}

fn receivers(
    plan: &Plan,
    rx: &Receiver<Message>,
    ledger: &Arc<Ledger>,
    rng: &mut Rng,
) -> Vec<Receiving> {
    let count = match plan.receivers {
        Receivers::OneThatCancels => 1,
        Receivers::EightThatCancel | Receivers::EightThatDoNot => RECEIVERS,
    };
    (0..count)
        .map(|_| Receiving {
            rx: rx.clone(),
            stays_for: match plan.ending {
                Ending::ReceiversLeave => rng.usize(..=plan.messages / count),
                Ending::SendersFinish | Ending::Close => usize::MAX,
            },
            cancels: plan.receivers != Receivers::EightThatDoNot,
            rng: rng.fork(),
            received: Vec::new(),
            unwound: Arc::default(),
            ledger: Arc::clone(ledger),
        })
        .collect()
}

/// Those of the receivers' end would keep the channel open if it is to end by the receivers' leaving.
fn watchers(
    plan: &Plan,
    tx: &Sender<Message>,
    rx: &Receiver<Message>,
    others: &Receiver<Infallible>,
    rng: &mut Rng,
) -> Vec<Watching> {
    (0..WATCHERS)
        .map(|number| Watching {
            handle: match plan.ending {
                Ending::ReceiversLeave => Watched::Sender(tx.clone(), others.clone()),
                Ending::SendersFinish | Ending::Close => Watched::Receiver(rx.clone()),
            },
            waits_for_the_last: number % 2 == 0,
            rng: rng.fork(),
        })
        .collect()
}

/// Runs some as threads and the others as tasks, until all have ended.
fn run(
    mut senders: Vec<Sending>,
    mut receivers: Vec<Receiving>,
    mut watchers: Vec<Watching>,
    rng: &mut Rng,
) -> (Vec<SenderReport>, Vec<Vec<Id>>) {
    let sending_tasks = senders.split_off(THREADS);
    let receiving_tasks = receivers.split_off(match receivers.len() {
        1 => rng.usize(..=1),
        _ => THREADS,
    });
    let runtime = match rng.bool() {
        true => runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build(),
        false => runtime::Builder::new_current_thread().build(),
    }
    .expect("a runtime");
    let watching_tasks = watchers.split_off(THREADS);
    thread::scope(|scope| {
        for it in watchers {
            scope.spawn(|| block_on(it.run()));
        }
        let sending = senders
            .into_iter()
            .map(|it| scope.spawn(|| it.run_in_thread()));
        let sending: Vec<_> = sending.collect();
        let receiving = receivers
            .into_iter()
            .map(|it| scope.spawn(|| it.run_in_thread()));
        let receiving: Vec<_> = receiving.collect();
        let (sent_by_tasks, received_by_tasks) = runtime.block_on(async {
            let sending = sending_tasks
                .into_iter()
                .map(|it| tokio::spawn(it.run_in_task()));
            let receiving = receiving_tasks
                .into_iter()
                .map(|it| tokio::spawn(it.run_in_task()));
            let watching = watching_tasks.into_iter().map(|it| tokio::spawn(it.run()));
            let (sent, received, told) =
                join3(join_all(sending), join_all(receiving), join_all(watching)).await;
            told.into_iter().for_each(Result::unwrap);
            (sent, received)
        });
        // In the order of their numbers.
        let mut sent: Vec<_> = sending.into_iter().map(|it| it.join().unwrap()).collect();
        sent.extend(sent_by_tasks.into_iter().map(Result::unwrap));
        let mut received: Vec<_> = receiving.into_iter().map(|it| it.join().unwrap()).collect();
        received.extend(received_by_tasks.into_iter().map(Result::unwrap));
        (sent, received)
    })
}

// Messages.

/// Which sender's message, and the how many-th of that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Id {
    sender: u32,
    number: u32,
}

struct Message {
    id: Id,
    ledger: Arc<Ledger>,
}

thread_local! {
    /// The messages that have dropped in this thread while it cancels a send.
    static DROPPED: RefCell<Option<Vec<Id>>> = const { RefCell::new(None) };
    /// Whose operation this thread runs, of the senders.
    static SENDER: Cell<Option<u32>> = const { Cell::new(None) };
}

impl Drop for Message {
    fn drop(&mut self) {
        let index = self.ledger.index(self.id);
        self.ledger.drops[index].fetch_add(1, Relaxed);
        if SENDER.get() == Some(self.id.sender) {
            self.ledger.dropped_by_sender[index].store(true, Relaxed);
        }
        DROPPED.with_borrow_mut(|dropped| {
            if let Some(dropped) = dropped {
                dropped.push(self.id);
            }
        });
        message_drops();
    }
}

/// Runs a part of an operation of that sender, or of a receiver, in which wakers and messages may panic; `None`: one did.
fn survive_as<R>(sender: Option<u32>, f: impl FnOnce() -> R) -> Option<R> {
    let before = SENDER.replace(sender);
    let survived = survive(f);
    SENDER.set(before);
    survived
}

/// As `survive_as`, of an operation that is awaited.
async fn survive_task<F: Future>(sender: Option<u32>, operation: F) -> Option<F::Output> {
    let mut operation = Some(Box::pin(operation));
    poll_fn(|cx| {
        let waker = fragile_waker(cx.waker(), |_| {});
        let mut cx = Context::from_waker(&waker);
        let pinned = operation.as_mut().expect("it has not ended");
        let polled = survive_as(sender, || pinned.as_mut().poll(&mut cx));
        if !matches!(polled, Some(Poll::Pending)) {
            let ended = operation.take();
            survive_as(sender, || drop(ended));
        }
        match polled {
            Some(polled) => polled.map(Some),
            None => Poll::Ready(None),
        }
    })
    .await
}

/// Drops a send's future, and returns the messages that dropped with it: they had not been taken before.
fn cancel<F>(send: Pin<Box<F>>) -> Vec<Id> {
    DROPPED.set(Some(Vec::new()));
    drop(send);
    DROPPED.take().expect("it is being cancelled")
}

fn is_sent_though_cancelled<F>(id: Id, send: Pin<Box<F>>) -> bool {
    !cancel(send).contains(&id)
}

/// What is counted while the storm goes on.
struct Ledger {
    messages_each: usize,
    panics: bool,
    drops: Vec<AtomicU8>,
    /// Whether it dropped within an operation of its sender.
    dropped_by_sender: Vec<AtomicBool>,
    /// How many operations there have been, and after which one of them its doer closes the channel.
    operations: AtomicUsize,
    close_after: Option<usize>,
    tokens: Tokens,
}

impl Ledger {
    fn new(plan: &Plan, rng: &mut Rng) -> Self {
        let messages_each = plan.messages / SENDERS;
        Self {
            messages_each,
            panics: plan.panics,
            drops: (0..SENDERS * messages_each)
                .map(|_| AtomicU8::new(0))
                .collect(),
            dropped_by_sender: (0..SENDERS * messages_each)
                .map(|_| AtomicBool::new(false))
                .collect(),
            operations: AtomicUsize::new(0),
            close_after: (plan.ending == Ending::Close).then(|| rng.usize(..plan.messages)),
            tokens: Tokens::new(rng.usize(..3)),
        }
    }

    fn index(&self, id: Id) -> usize {
        id.sender as usize * self.messages_each + id.number as usize
    }

    /// Counts an operation; says whether it is time to close.
    fn count(&self) -> bool {
        Some(self.operations.fetch_add(1, Relaxed)) == self.close_after
    }
}

/// The side channel of the selects.
struct Tokens {
    tx: Sender<()>,
    rx: Receiver<()>,
    sent: AtomicUsize,
    received: AtomicUsize,
}

impl Tokens {
    fn new(capacity: usize) -> Self {
        let (tx, rx) = hchan::bounded(capacity);
        let [sent, received] = [(); 2].map(|()| AtomicUsize::new(0));
        Self {
            tx,
            rx,
            sent,
            received,
        }
    }

    /// Receives a token, if one comes; for what is to last only until then, and then drops it while it returns something.
    async fn receive(&self) {
        let mut recv = Peaceful::new(Box::pin(self.rx.recv()));
        (&mut *recv).await.expect("open");
        self.count_received();
    }

    fn count_received(&self) {
        self.received.fetch_add(1, Relaxed);
    }

    /// Looks whether the token is gone; says so, in numbers.
    fn count_sent(&self, token: Option<()>) -> usize {
        let sent = usize::from(token.is_none());
        self.sent.fetch_add(sent, Relaxed);
        sent
    }

    fn check(&self, plan: &Plan) {
        let Self { tx, rx, .. } = self;
        assert_eq!(
            (tx.waiting_senders(), tx.waiting_receivers()),
            (0, 0),
            "selects that are over still wait; {plan:?}"
        );
        let (sent, received) = (self.sent.load(Relaxed), self.received.load(Relaxed));
        assert!(
            plan.panics || sent == received + rx.try_iter().count(),
            "a token that was sent is received once; {plan:?}"
        );
    }
}

// Senders.

struct Sending {
    tx: Sender<Message>,
    /// Tells the watchers when the last sender is gone.
    _alive: Sender<Infallible>,
    number: usize,
    rng: Rng,
    report: SenderReport,
    ledger: Arc<Ledger>,
}

#[derive(Default)]
struct SenderReport {
    /// How many messages it made.
    made: usize,
    /// Those that it sent, in order.
    sent: Vec<Id>,
    /// Those, of anyone, that it evicted.
    evicted: Vec<Id>,
}

/// What a sender's select has to choose from, and what it has done.
struct Offer {
    first: Option<Message>,
    second: Option<Message>,
    second_id: Option<Id>,
    /// To send with a permit.
    third: Option<Message>,
    third_id: Option<Id>,
    token: Option<()>,
    receives_token: bool,
    /// A send of a message has found the channel closed.
    fails: bool,
}

impl Offer {
    fn new(first: Message, second: Option<Message>) -> Self {
        Self {
            first: Some(first),
            second_id: second.as_ref().map(|message| message.id),
            second,
            third: None,
            third_id: None,
            token: Some(()),
            receives_token: false,
            fails: false,
        }
    }
}

/// What a send came to.
enum Sent {
    Yes,
    No,
    Closed,
}

/// The result of a send with a limit; a message that comes back drops here.
fn sent_if_not_stopped<T>(sent: Result<(), SendTimeoutError<T>>) -> Sent {
    match sent {
        Ok(()) => Sent::Yes,
        Err(SendTimeoutError::Timeout(_)) => Sent::No,
        Err(SendTimeoutError::Closed(_)) => Sent::Closed,
    }
}

/// Messages on their way, and all their ids.
struct Batch {
    messages: vec::IntoIter<Message>,
    ids: Vec<Id>,
}

/// The messages that came back from a batch, those still in the iterator among them, and what it came to otherwise.
fn left_of_batch<I: Iterator<Item = Message>>(
    sent: Result<usize, SendTimeoutError<SendManyError<I>>>,
) -> (Vec<Id>, Sent) {
    let ids = |unsent: SendManyError<I>| unsent.rest.map(|message| message.id).collect();
    match sent {
        Ok(_) => (Vec::new(), Sent::No),
        Err(SendTimeoutError::Timeout(unsent)) => (ids(unsent), Sent::No),
        Err(SendTimeoutError::Closed(unsent)) => (ids(unsent), Sent::Closed),
    }
}

impl Sending {
    async fn run_in_task(mut self) -> SenderReport {
        while let Some(message) = self.next_message() {
            let id = message.id;
            let before = self.report.sent.len();
            let sent = match self.ledger.panics {
                true => {
                    let sending = self.send_in_task(message);
                    let survived = survive_task(Some(id.sender), sending).await;
                    survived.unwrap_or_else(|| self.settle(id, before))
                }
                false => self.send_in_task(message).await,
            };
            if self.is_over(id, sent) {
                break;
            }
        }
        self.leave()
    }

    /// Leaves the channel. Wakers may panic then.
    fn leave(self) -> SenderReport {
        let Self { tx, report, .. } = self;
        survive(|| drop(tx));
        report
    }

    /// After a panic: writes down what was made from that message on and has been sent, as it has not dropped here.
    fn settle(&mut self, first: Id, before: usize) -> Sent {
        for number in first.number..self.report.made as u32 {
            let id = Id { number, ..first };
            let dropped = self.ledger.dropped_by_sender[self.ledger.index(id)].load(Relaxed);
            if !dropped && !self.report.sent[before..].contains(&id) {
                self.report.sent.push(id);
            }
        }
        self.report.sent[before..].sort();
        Sent::No
    }

    async fn send_in_task(&mut self, message: Message) -> Sent {
        let id = message.id;
        match self.rng.u8(..32) {
            22..26 => self.send_permitted_in_task(message).await,
            26..29 => self.send_batch_in_task(message).await,
            29..32 => self.send_into_sink(message).await,
            0 => self.try_send(message),
            1 => self.force_send(message),
            2 => self.drop_unpolled(message),
            3 => self.select_one_in_task(message).await,
            4..7 => self.select_in_task(message).await,
            7..9 => self.select_at_run_time(message, true).await,
            9..12 => self.send_until_in_task(message).await,
            12..15 => {
                let mut send = Box::pin(self.tx.send(message));
                match give_up_soon(&mut send, &mut self.rng).await {
                    Some(Ok(())) => Sent::Yes,
                    Some(Err(_)) => Sent::Closed,
                    None if is_sent_though_cancelled(id, send) => Sent::Yes,
                    None => Sent::No,
                }
            }
            _ => match self.tx.send(message).await {
                Ok(()) => Sent::Yes,
                Err(_) => Sent::Closed,
            },
        }
    }

    /// Without `std` a thread runs a task.
    #[cfg(not(feature = "std"))]
    fn run_in_thread(self) -> SenderReport {
        block_on(self.run_in_task())
    }

    #[cfg(feature = "std")]
    fn run_in_thread(mut self) -> SenderReport {
        while let Some(message) = self.next_message() {
            let id = message.id;
            let before = self.report.sent.len();
            let sent = match self.ledger.panics {
                true => {
                    let survived = survive_as(Some(id.sender), || self.send_in_thread(message));
                    survived.unwrap_or_else(|| self.settle(id, before))
                }
                false => self.send_in_thread(message),
            };
            if self.is_over(id, sent) {
                break;
            }
        }
        self.leave()
    }

    #[cfg(feature = "std")]
    fn send_in_thread(&mut self, message: Message) -> Sent {
        match self.rng.u8(..32) {
            22..26 => self.send_permitted_in_thread(message),
            26..29 => self.send_batch_in_thread(message),
            29..32 => block_on(self.send_into_sink(message)),
            0 => self.try_send(message),
            1 => self.force_send(message),
            2 => self.drop_unpolled(message),
            3..6 => self.select_in_thread(message),
            6..8 => block_on(self.select_at_run_time(message, false)),
            14..16 => {
                let stop = self.ledger.tokens.receive();
                sent_if_not_stopped(block_on(self.tx.send(message).until(stop)))
            }
            choice @ 8..14 => {
                let timeout = short_time(&mut self.rng);
                let send = self.tx.send(message);
                let sent = match choice {
                    8 => send.wait_deadline(Instant::now() + timeout),
                    _ => send.wait_timeout(timeout),
                };
                sent_if_not_stopped(sent)
            }
            _ => match self.tx.send_blocking(message) {
                Ok(()) => Sent::Yes,
                Err(_) => Sent::Closed,
            },
        }
    }

    fn next_message(&mut self) -> Option<Message> {
        let number = self.report.made;
        (number < self.ledger.messages_each).then(|| {
            self.report.made += 1;
            Message {
                id: Id {
                    sender: self.number as u32,
                    number: number as u32,
                },
                ledger: Arc::clone(&self.ledger),
            }
        })
    }

    fn try_send(&self, message: Message) -> Sent {
        match self.tx.try_send(message) {
            Ok(()) => Sent::Yes,
            Err(TrySendError::Full(_)) => Sent::No,
            Err(TrySendError::Closed(_)) => Sent::Closed,
        }
    }

    fn force_send(&mut self, message: Message) -> Sent {
        match self.tx.force_send(message) {
            Ok(evicted) => {
                let ids = evicted.as_ref().map(|message| message.id);
                self.report.evicted.extend(ids);
                Sent::Yes
            }
            Err(TrySendError::Full(_)) => Sent::No,
            Err(TrySendError::Closed(_)) => Sent::Closed,
        }
    }

    fn drop_unpolled(&self, message: Message) -> Sent {
        drop(self.tx.send(message));
        Sent::No
    }

    /// Sends a message, unless something else comes first, and gives up at times.
    async fn send_until_in_task(&mut self, message: Message) -> Sent {
        let id = message.id;
        let token = self.ledger.tokens.receive();
        match self.rng.u8(..3) {
            0 => {
                let turns = turns_of_the_executor((self.rng.u8(..4), self.rng.bool()));
                sent_if_not_stopped(self.tx.send(message).until(turns).await)
            }
            1 => {
                let mut slot = Some(message);
                let sent = self.tx.send_from(&mut slot).until(token).await;
                assert_eq!(sent.is_ok(), slot.is_none(), "the `Option` tells");
                sent_if_not_stopped(sent)
            }
            _ => {
                let mut send = Box::pin(self.tx.send(message).until(token));
                match give_up_soon(&mut send, &mut self.rng).await {
                    Some(sent) => sent_if_not_stopped(sent),
                    None if is_sent_though_cancelled(id, send) => Sent::Yes,
                    None => Sent::No,
                }
            }
        }
    }

    /// Waits for a permit first, and gives up at times.
    async fn send_permitted_in_task(&mut self, message: Message) -> Sent {
        let tx = self.tx.clone();
        let reserved = match self.rng.u8(..4) {
            0 => match tx.try_reserve() {
                Ok(permit) => Ok(permit),
                Err(TrySendError::Full(())) => return Sent::No,
                Err(TrySendError::Closed(())) => return Sent::Closed,
            },
            1 => match give_up_soon(&mut Box::pin(tx.reserve()), &mut self.rng).await {
                Some(reserved) => reserved.map_err(SendTimeoutError::from),
                None => return Sent::No,
            },
            2 => tx.reserve().until(self.ledger.tokens.receive()).await,
            _ => tx.reserve().await.map_err(SendTimeoutError::from),
        };
        if let (Ok(_), true) = (&reserved, self.rng.bool()) {
            yield_now().await;
        }
        self.use_permit(reserved, message)
    }

    #[cfg(feature = "std")]
    fn send_permitted_in_thread(&mut self, message: Message) -> Sent {
        let tx = self.tx.clone();
        let reserved = match self.rng.bool() {
            true => tx.reserve().wait_timeout(short_time(&mut self.rng)),
            false => tx.reserve().wait().map_err(SendTimeoutError::from),
        };
        self.use_permit(reserved, message)
    }

    fn use_permit(
        &mut self,
        reserved: Result<Permit<'_, Message>, SendTimeoutError<()>>,
        message: Message,
    ) -> Sent {
        let permit = match reserved {
            Ok(permit) => permit,
            Err(error) => return sent_if_not_stopped::<()>(Err(error)),
        };
        let sent = match self.rng.u8(..8) {
            0 => {
                drop(permit);
                return Sent::No;
            }
            1 => {
                drop(permit.into_owned());
                return Sent::No;
            }
            2 => permit.into_owned().send(message).1,
            _ => permit.send(message),
        };
        match sent {
            Ok(()) => Sent::Yes,
            Err(_) => Sent::Closed,
        }
    }

    /// Sends a message and a few more, and gives up at times.
    async fn send_batch_in_task(&mut self, first: Message) -> Sent {
        let mut batch = self.batch(first);
        let tx = self.tx.clone();
        let messages = &mut batch.messages;
        let left = match self.rng.u8(..4) {
            0 => {
                let sent = tx.try_send_many(messages);
                left_of_batch(sent.map_err(|error| match error {
                    TrySendError::Full(unsent) => SendTimeoutError::Timeout(unsent),
                    TrySendError::Closed(unsent) => SendTimeoutError::Closed(unsent),
                }))
            }
            1 => {
                let mut send = Box::pin(tx.send_many(messages));
                match give_up_soon(&mut send, &mut self.rng).await {
                    Some(sent) => left_of_batch(sent.map_err(SendTimeoutError::Closed)),
                    None => (cancel(send), Sent::No),
                }
            }
            2 => left_of_batch(
                tx.send_many(messages)
                    .until(self.ledger.tokens.receive())
                    .await,
            ),
            _ => {
                let sent = tx.send_many(messages).await;
                left_of_batch(sent.map_err(SendTimeoutError::Closed))
            }
        };
        self.conclude_batch(batch, left)
    }

    #[cfg(feature = "std")]
    fn send_batch_in_thread(&mut self, first: Message) -> Sent {
        let mut batch = self.batch(first);
        let tx = self.tx.clone();
        let send = tx.send_many(&mut batch.messages);
        let sent = match self.rng.bool() {
            true => send.wait_timeout(short_time(&mut self.rng)),
            false => send.wait().map_err(SendTimeoutError::Closed),
        };
        let left = left_of_batch(sent);
        self.conclude_batch(batch, left)
    }

    fn batch(&mut self, first: Message) -> Batch {
        let more = self.rng.usize(..8);
        let mut messages = vec![first];
        messages.extend(iter::from_fn(|| self.next_message()).take(more));
        Batch {
            ids: messages.iter().map(|message| message.id).collect(),
            messages: messages.into_iter(),
        }
    }

    /// Writes down what was sent of a batch: all but what is left, in what came back or was dropped, and in the iterator.
    fn conclude_batch(&mut self, batch: Batch, (mut left, sent): (Vec<Id>, Sent)) -> Sent {
        left.extend(batch.messages.map(|message| message.id));
        let sent_count = batch.ids.len() - left.len();
        assert_eq!(left, batch.ids[sent_count..], "what is left is the end");
        self.report.sent.extend(&batch.ids[..sent_count]);
        sent
    }

    /// Sends a message, and perhaps another, as a sink; gives up at times.
    #[cfg(feature = "sink")]
    async fn send_into_sink(&mut self, message: Message) -> Sent {
        let mut sink = self.tx.clone().into_sink();
        let mut message = Some(message);
        for _ in 0..self.rng.u8(1..4) {
            let Some(next) = message.take().or_else(|| self.next_message()) else {
                break;
            };
            let id = next.id;
            let mut send = Box::pin(sink.feed(next));
            let sent = match give_up_soon(&mut send, &mut self.rng).await {
                Some(sent) => sent.is_ok(),
                None if self.rng.bool() => send.await.is_ok(),
                None => {
                    cancel(send);
                    continue;
                }
            };
            if !sent {
                return Sent::Closed;
            }
            self.report.sent.push(id);
        }
        if self.rng.bool() {
            // With a permit, perhaps, that goes when the sink does.
            let _ = give_up_at_once(&mut poll_fn(|cx| sink.poll_ready_unpin(cx))).await;
        }
        Sent::No
    }

    #[cfg(not(feature = "sink"))]
    async fn send_into_sink(&mut self, message: Message) -> Sent {
        self.try_send(message)
    }

    /// Sends a message, or receives a token, or gives up.
    async fn select_one_in_task(&mut self, message: Message) -> Sent {
        let id = message.id;
        let (tx, tokens) = (&self.tx, &self.ledger.tokens);
        let mut selecting = Box::pin(async {
            select! {
                recv(tokens.rx) -> _ => {
                    tokens.count_received();
                    Sent::No
                }
                send(tx, message) -> sent => match sent {
                    Ok(()) => Sent::Yes,
                    Err(_) => Sent::Closed,
                }
            }
        });
        match give_up_soon(&mut selecting, &mut self.rng).await {
            Some(sent) => sent,
            None if is_sent_though_cancelled(id, selecting) => Sent::Yes,
            None => Sent::No,
        }
    }

    /// Sends one of two messages, or a token, or receives a token, or does nothing.
    async fn select_in_task(&mut self, message: Message) -> Sent {
        let mut offer = Offer::new(message, self.next_message());
        let turns = (self.rng.u8(..4), self.rng.bool());
        let cancels = self.rng.bool();
        let (tx, tokens) = (&self.tx, &self.ledger.tokens);
        let mut selecting = Box::pin(async {
            select! {
                send_from(tx, &mut offer.first) -> sent => offer.fails = sent.is_err(),
                recv(tokens.rx) -> _ => offer.receives_token = true,
                send_from(tx, &mut offer.second) -> sent => offer.fails = sent.is_err(),
                send_from(tokens.tx, &mut offer.token) -> _ => {}
                future(turns_of_the_executor(turns)) -> (), if turns.0 > 0 => {}
            }
        });
        match cancels {
            true => _ = give_up_soon(&mut selecting, &mut self.rng).await,
            false => (&mut selecting).await,
        }
        drop(selecting);
        self.conclude(offer)
    }

    /// As `select_in_task`.
    #[cfg(feature = "std")]
    fn select_in_thread(&mut self, message: Message) -> Sent {
        let mut offer = Offer::new(message, self.next_message());
        let timeout = match self.rng.bool() {
            true => short_time(&mut self.rng),
            false => Duration::MAX,
        };
        let (tx, tokens) = (&self.tx, &self.ledger.tokens);
        select_blocking! {
            send_from(tx, &mut offer.first) -> sent => offer.fails = sent.is_err(),
            recv(tokens.rx) -> _ => offer.receives_token = true,
            send_from(tx, &mut offer.second) -> sent => offer.fails = sent.is_err(),
            send_from(tokens.tx, &mut offer.token) -> _ => {}
            default(timeout) => {}
        }
        self.conclude(offer)
    }

    /// As `select_in_task`, with a random number of arms.
    async fn select_at_run_time(&mut self, message: Message, in_task: bool) -> Sent {
        let mut offer = Offer::new(message, self.next_message());
        offer.third = self.next_message();
        offer.third_id = offer.third.as_ref().map(|message| message.id);
        {
            let (tx, tokens) = (&self.tx, &self.ledger.tokens);
            let receives = (0..self.rng.u8(..8)).map(|_| Box::pin(tokens.rx.recv()));
            let mut receives: Vec<_> = receives.collect();
            let mut first = pin!(tx.send_from(&mut offer.first));
            let mut second = pin!(tx.send_from(&mut offer.second));
            let mut token = pin!(tokens.tx.send_from(&mut offer.token));
            let mut reserve = pin!(tx.reserve());
            let mut select = Select::new();
            for receive in &mut receives {
                select.arm(receive.as_mut());
            }
            let arms = (
                select.arm(first.as_mut()),
                select.arm(second.as_mut()),
                select.arm(token.as_mut()),
            );
            let reserving = self.rng.bool().then(|| select.arm(reserve.as_mut()));
            if self.rng.bool() {
                select = select.biased();
            }
            let happened = match in_task {
                true => give_up_soon(&mut Box::pin(select), &mut self.rng).await,
                #[cfg(feature = "std")]
                false => select.wait_timeout(short_time(&mut self.rng)),
                #[cfg(not(feature = "std"))]
                false => unreachable!("without `std` all are tasks"),
            };
            match happened {
                Some(arm) if arm == arms.0 => offer.fails = result(first).is_err(),
                Some(arm) if arm == arms.1 => offer.fails = result(second).is_err(),
                Some(arm) if arm == arms.2 => result(token).expect("open"),
                Some(arm) if Some(arm) == reserving => {
                    match reserve.take_output().expect("it has happened") {
                        Ok(permit) => {
                            let unsent = offer
                                .third
                                .take()
                                .and_then(|third| permit.send(third).err());
                            offer.fails = unsent.is_some();
                            offer.third = unsent.map(SendError::into_inner);
                        }
                        Err(SendError(())) => offer.fails = true,
                    }
                }
                Some(arm) => {
                    result(receives[arm].as_mut()).expect("open");
                    offer.receives_token = true;
                }
                // It may have sent all the same; the `Option`s will tell.
                None => {}
            }
        }
        self.conclude(offer)
    }

    /// Tells by what is left what a select has done: at most one thing.
    fn conclude(&mut self, offer: Offer) -> Sent {
        let tokens = &self.ledger.tokens;
        let sends_first = offer.first.is_none();
        let sent_second = offer.second_id.filter(|_| offer.second.is_none());
        let sent_third = offer.third_id.filter(|_| offer.third.is_none());
        let things = [
            sends_first,
            sent_second.is_some(),
            sent_third.is_some(),
            tokens.count_sent(offer.token) > 0,
            offer.receives_token,
            offer.fails,
        ];
        assert!(
            things.into_iter().filter(|&happened| happened).count() <= 1,
            "one arm happens: {things:?}"
        );
        if offer.receives_token {
            tokens.count_received();
        }
        self.report.sent.extend(sent_second.or(sent_third));
        match things {
            [true, ..] => Sent::Yes,
            [.., true] => Sent::Closed,
            _ => Sent::No,
        }
    }

    /// Writes down what became of a message; says whether it was the last.
    fn is_over(&mut self, id: Id, sent: Sent) -> bool {
        match sent {
            Sent::Yes => self.report.sent.push(id),
            Sent::No => {}
            Sent::Closed => return true,
        }
        if self.ledger.count() {
            self.tx.close();
        }
        false
    }
}

// Receivers.

/// What a receiver's select has done.
struct Demand {
    message: Option<Result<Message, RecvError>>,
    token: Option<()>,
    receives_token: bool,
}

impl Demand {
    fn new() -> Self {
        Self {
            message: None,
            token: Some(()),
            receives_token: false,
        }
    }
}

struct Receiving {
    rx: Receiver<Message>,
    /// How many messages it wants.
    stays_for: usize,
    cancels: bool,
    rng: Rng,
    received: Vec<Id>,
    /// What was in the vectors of receives that panicked.
    unwound: Arc<Mutex<Vec<Id>>>,
    ledger: Arc<Ledger>,
}

/// The vector of a receive of many. What is in it when it drops has been received.
struct Inbox {
    messages: Vec<Message>,
    unwound: Arc<Mutex<Vec<Id>>>,
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let ids = self.messages.iter().map(|message| message.id);
        self.unwound.lock().unwrap().extend(ids);
    }
}

impl Receiving {
    async fn run_in_task(mut self) -> Vec<Id> {
        let rx = self.rx.clone();
        if !self.cancels && self.rng.bool() {
            let mut stream = rx.stream();
            while let Some(message) = stream.next().await {
                self.keep(message);
            }
        }
        while self.received.len() < self.stays_for {
            let has_ended = match self.ledger.panics {
                true => {
                    let receiving = self.receive_in_task(&rx);
                    let survived = survive_task(None, receiving).await;
                    survived.unwrap_or_else(|| self.settle())
                }
                false => self.receive_in_task(&rx).await,
            };
            if has_ended {
                break;
            }
        }
        self.leave(rx)
    }

    /// Leaves the channel. Wakers and messages may panic then.
    fn leave(self, clone: Receiver<Message>) -> Vec<Id> {
        let Self { rx, received, .. } = self;
        survive_as(None, || drop(rx));
        survive_as(None, || drop(clone));
        received
    }

    /// After a panic: nothing has been received but what is in a vector.
    fn settle(&mut self) -> bool {
        self.received.append(&mut self.unwound.lock().unwrap());
        false
    }

    /// Receives something, perhaps; says whether the channel has ended.
    async fn receive_in_task(&mut self, rx: &Receiver<Message>) -> bool {
        match self.rng.u8(..26) {
            22..26 => return self.recv_many_in_task(rx).await,
            16..19 => return self.select_in_task(rx).await,
            19..21 => return self.select_at_run_time(rx, true).await,
            21 => return self.recv_any_in_task(rx).await,
            0 => match rx.try_recv() {
                Ok(message) => self.keep(message),
                Err(TryRecvError::Empty) => yield_now().await,
                Err(TryRecvError::Closed) => return true,
            },
            1..8 if self.cancels => {
                let mut recv = Box::pin(rx.recv());
                match give_up_soon(&mut recv, &mut self.rng).await {
                    Some(Ok(message)) => self.keep(message),
                    Some(Err(_)) => return true,
                    None => {}
                }
            }
            8..10 if self.cancels => return self.keep_some_of_a_stream(rx).await,
            10..13 => return self.recv_until_in_task(rx).await,
            _ => match rx.recv().await {
                Ok(message) => self.keep(message),
                Err(_) => return true,
            },
        }
        false
    }

    /// Says whether the stream has ended.
    async fn keep_some_of_a_stream(&mut self, rx: &Receiver<Message>) -> bool {
        let mut stream = rx.stream();
        for _ in 0..self.rng.u8(1..8) {
            match give_up_soon(&mut stream.next(), &mut self.rng).await {
                Some(Some(message)) => self.keep(message),
                Some(None) => return true,
                None if self.rng.bool() => stream.release(),
                None => {}
            }
        }
        false
    }

    /// Receives a message, unless something else comes first; says whether the channel has ended.
    async fn recv_until_in_task(&mut self, rx: &Receiver<Message>) -> bool {
        let turns = turns_of_the_executor((self.rng.u8(..4), true));
        let received = match self.rng.u8(..3) {
            0 => rx.recv().until(turns).await,
            1 if self.cancels => {
                let ledger = Arc::clone(&self.ledger);
                let mut recv = Box::pin(rx.recv().until(ledger.tokens.receive()));
                let received = give_up_soon(&mut recv, &mut self.rng).await;
                received.unwrap_or(Err(RecvTimeoutError::Timeout))
            }
            _ => rx.recv().until(self.ledger.tokens.receive()).await,
        };
        self.keep_if_not_stopped(received)
    }

    /// Receives some messages at once; says whether the channel has ended.
    async fn recv_many_in_task(&mut self, rx: &Receiver<Message>) -> bool {
        let mut inbox = self.inbox();
        let messages = &mut inbox.messages;
        let limit = self.rng.usize(1..9);
        let received = match self.rng.u8(..5) {
            0 => self.recv_many_now(rx, messages, limit),
            1 if self.cancels => {
                let mut recv = Box::pin(rx.recv_many(messages, limit));
                let received = give_up_soon(&mut recv, &mut self.rng).await;
                received.map_or(Ok(0), |received| received.map_err(RecvTimeoutError::from))
            }
            2 => {
                let token = self.ledger.tokens.receive();
                rx.recv_many(messages, limit).until(token).await
            }
            _ => {
                let received = rx.recv_many(messages, limit).await;
                received.map_err(RecvTimeoutError::from)
            }
        };
        self.keep_many(received, inbox)
    }

    #[cfg(feature = "std")]
    fn recv_many_in_thread(&mut self, rx: &Receiver<Message>) -> bool {
        let mut inbox = self.inbox();
        let messages = &mut inbox.messages;
        let limit = self.rng.usize(1..9);
        let received = match self.rng.u8(..3) {
            0 => self.recv_many_now(rx, messages, limit),
            1 => {
                let timeout = short_time(&mut self.rng);
                rx.recv_many(messages, limit).wait_timeout(timeout)
            }
            _ => rx
                .recv_many(messages, limit)
                .wait()
                .map_err(RecvTimeoutError::from),
        };
        self.keep_many(received, inbox)
    }

    fn inbox(&self) -> Inbox {
        Inbox {
            messages: Vec::new(),
            unwound: Arc::clone(&self.unwound),
        }
    }

    /// Receives what there is.
    fn recv_many_now(
        &mut self,
        rx: &Receiver<Message>,
        into: &mut Vec<Message>,
        limit: usize,
    ) -> Result<usize, RecvTimeoutError> {
        if self.rng.bool() {
            into.extend(rx.drain());
            return Ok(into.len());
        }
        rx.try_recv_many(into, limit).map_err(|error| match error {
            TryRecvError::Empty => RecvTimeoutError::Timeout,
            TryRecvError::Closed => RecvTimeoutError::Closed,
        })
    }

    /// Keeps as many messages as were said to have come; says whether the channel has ended.
    fn keep_many(&mut self, received: Result<usize, RecvTimeoutError>, mut inbox: Inbox) -> bool {
        let messages = &mut inbox.messages;
        assert_eq!(received.unwrap_or(0), messages.len(), "{received:?}");
        while !messages.is_empty() {
            let message = messages.remove(0);
            self.keep(message);
        }
        received == Err(RecvTimeoutError::Closed)
    }

    /// Says whether the channel has ended.
    fn keep_if_not_stopped(&mut self, received: Result<Message, RecvTimeoutError>) -> bool {
        match received {
            Ok(message) => self.keep(message),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Closed) => return true,
        }
        false
    }

    /// Without `std` a thread runs a task.
    #[cfg(not(feature = "std"))]
    fn run_in_thread(self) -> Vec<Id> {
        block_on(self.run_in_task())
    }

    #[cfg(feature = "std")]
    fn run_in_thread(mut self) -> Vec<Id> {
        let rx = self.rx.clone();
        while self.received.len() < self.stays_for {
            let has_ended = match self.ledger.panics {
                true => {
                    let survived = survive_as(None, || self.receive_in_thread(&rx));
                    survived.unwrap_or_else(|| self.settle())
                }
                false => self.receive_in_thread(&rx),
            };
            if has_ended {
                break;
            }
        }
        self.leave(rx)
    }

    #[cfg(feature = "std")]
    fn receive_in_thread(&mut self, rx: &Receiver<Message>) -> bool {
        match self.rng.u8(..26) {
            22..26 => return self.recv_many_in_thread(rx),
            16..19 => return self.select_in_thread(rx),
            19..21 => return block_on(self.select_at_run_time(rx, false)),
            21 => return self.recv_any_in_thread(rx),
            0 => match rx.try_recv() {
                Ok(message) => self.keep(message),
                Err(TryRecvError::Empty) => thread::yield_now(),
                Err(TryRecvError::Closed) => return true,
            },
            choice @ 1..8 => {
                let timeout = short_time(&mut self.rng);
                let recv = rx.recv();
                let received = match choice {
                    1 => recv.wait_deadline(Instant::now() + timeout),
                    _ => recv.wait_timeout(timeout),
                };
                return self.keep_if_not_stopped(received);
            }
            10..13 => {
                let stop = self.ledger.tokens.receive();
                let received = block_on(rx.recv().until(stop));
                return self.keep_if_not_stopped(received);
            }
            8..10 if self.cancels => {
                // Parked, handed a message perhaps, dropped.
                let mut recv = Box::pin(rx.recv());
                if let Some(Ok(message)) = block_on(give_up_at_once(&mut recv)) {
                    self.keep(message);
                }
            }
            _ => match rx.recv_blocking() {
                Ok(message) => self.keep(message),
                Err(_) => return true,
            },
        }
        false
    }

    /// Receives a message or a token, or sends a token, or does nothing; says whether the channel has ended.
    async fn select_in_task(&mut self, rx: &Receiver<Message>) -> bool {
        let mut demand = Demand::new();
        let ledger = Arc::clone(&self.ledger);
        let tokens = &ledger.tokens;
        let turns = (self.rng.u8(..4), self.rng.bool());
        let mut selecting = Box::pin(async {
            select! {
                recv(rx) -> message => demand.message = Some(message),
                send_from(tokens.tx, &mut demand.token) -> _ => {}
                recv(rx) -> message => demand.message = Some(message),
                recv(tokens.rx) -> _ => demand.receives_token = true,
                future(turns_of_the_executor(turns)) -> (), if turns.0 > 0 => {}
            }
        });
        match self.cancels && self.rng.bool() {
            true => _ = give_up_soon(&mut selecting, &mut self.rng).await,
            false => (&mut selecting).await,
        }
        drop(selecting);
        self.conclude(demand)
    }

    /// As `select_in_task`.
    #[cfg(feature = "std")]
    fn select_in_thread(&mut self, rx: &Receiver<Message>) -> bool {
        let mut demand = Demand::new();
        let timeout = match self.rng.bool() {
            true => short_time(&mut self.rng),
            false => Duration::MAX,
        };
        let tokens = &self.ledger.tokens;
        select_blocking! {
            recv(rx) -> message => demand.message = Some(message),
            send_from(tokens.tx, &mut demand.token) -> _ => {}
            recv(rx) -> message => demand.message = Some(message),
            recv(tokens.rx) -> _ => demand.receives_token = true,
            default(timeout) => {}
        }
        self.conclude(demand)
    }

    /// As `select_in_task`, with a random number of arms.
    async fn select_at_run_time(&mut self, rx: &Receiver<Message>, in_task: bool) -> bool {
        let mut demand = Demand::new();
        let ledger = Arc::clone(&self.ledger);
        {
            let tokens = &ledger.tokens;
            let receives = (0..self.rng.u8(1..9)).map(|_| Box::pin(rx.recv()));
            let mut receives: Vec<_> = receives.collect();
            let mut receive_token = pin!(tokens.rx.recv());
            let mut send_token = pin!(tokens.tx.send_from(&mut demand.token));
            let mut select = Select::new();
            let arms = (
                select.arm(receive_token.as_mut()),
                select.arm(send_token.as_mut()),
            );
            for receive in &mut receives {
                select.arm(receive.as_mut());
            }
            if self.rng.bool() {
                select = select.biased();
            }
            let happened = match in_task {
                true if self.cancels => give_up_soon(&mut Box::pin(select), &mut self.rng).await,
                true => Some(select.await),
                #[cfg(feature = "std")]
                false => select.wait_timeout(short_time(&mut self.rng)),
                #[cfg(not(feature = "std"))]
                false => unreachable!("without `std` all are tasks"),
            };
            match happened {
                Some(arm) if arm == arms.0 => {
                    result(receive_token).expect("open");
                    demand.receives_token = true;
                }
                Some(arm) if arm == arms.1 => result(send_token).expect("open"),
                Some(arm) => demand.message = Some(result(receives[arm - 2].as_mut())),
                // What was handed over all the same goes back with the futures.
                None => {}
            }
        }
        self.conclude(demand)
    }

    async fn recv_any_in_task(&mut self, rx: &Receiver<Message>) -> bool {
        let receivers = [rx.clone(), hchan::never(), rx.clone()];
        let mut receiving = Box::pin(recv_any(&receivers));
        let received = match self.cancels {
            true => give_up_soon(&mut receiving, &mut self.rng).await,
            false => Some((&mut receiving).await),
        };
        self.keep_any(received)
    }

    #[cfg(feature = "std")]
    fn recv_any_in_thread(&mut self, rx: &Receiver<Message>) -> bool {
        let receivers = [rx.clone(), hchan::never(), rx.clone()];
        let receiving = recv_any(&receivers);
        let received = match self.rng.bool() {
            true => receiving.wait_timeout(short_time(&mut self.rng)),
            false => Some(receiving.wait()),
        };
        self.keep_any(received)
    }

    fn keep_any(&mut self, received: Option<(usize, Result<Message, RecvError>)>) -> bool {
        self.conclude(Demand {
            message: received.map(|(_, message)| message),
            ..Demand::new()
        })
    }

    /// Keeps what a select has received; says whether the channel has ended.
    fn conclude(&mut self, demand: Demand) -> bool {
        let tokens = &self.ledger.tokens;
        let things = [
            demand.message.is_some(),
            tokens.count_sent(demand.token) > 0,
            demand.receives_token,
        ];
        assert!(
            things.into_iter().filter(|&happened| happened).count() <= 1,
            "one arm happens: {things:?}"
        );
        if demand.receives_token {
            tokens.count_received();
        }
        match demand.message {
            Some(Ok(message)) => self.keep(message),
            Some(Err(RecvError)) => return true,
            None => {}
        }
        false
    }

    fn keep(&mut self, message: Message) {
        self.received.push(message.id);
        if self.ledger.count() {
            self.rx.close();
        }
    }
}

// Those who wait for the end.

/// Waits for the close, or for the last message after it.
struct Watching {
    handle: Watched,
    waits_for_the_last: bool,
    rng: Rng,
}

enum Watched {
    Receiver(Receiver<Message>),
    /// Until there are no other senders: then it has to go, for the channel to close.
    Sender(Sender<Message>, Receiver<Infallible>),
}

impl Watching {
    async fn run(mut self) {
        // Some come and go.
        for _ in 0..self.rng.u8(..4) {
            let turns = turns_of_the_executor((self.rng.u8(..8), true));
            self.wait().until(turns).await;
        }
        let is_closed = match &self.handle {
            Watched::Receiver(rx) => {
                self.wait().await;
                rx.is_closed()
            }
            Watched::Sender(tx, others) => {
                !self.wait().until(others.recv()).await || tx.is_closed()
            }
        };
        assert!(is_closed, "told before the close");
    }

    fn wait(&self) -> ClosedFuture<'_, Message> {
        match (&self.handle, self.waits_for_the_last) {
            (Watched::Receiver(rx), false) => rx.closed(),
            (Watched::Receiver(rx), true) => rx.drained(),
            (Watched::Sender(tx, _), false) => tx.closed(),
            (Watched::Sender(tx, _), true) => tx.drained(),
        }
    }
}

// Giving up.

/// Has its task polled again. The runtime's own gets no hold of its waker, which may panic.
async fn yield_now() {
    let mut has_yielded = false;
    poll_fn(|cx| match mem::replace(&mut has_yielded, true) {
        true => Poll::Ready(()),
        false => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}

/// Polls a future once and, while it is not ready, now and then again; gives up after a few turns of the executor.
async fn give_up_soon<F: Future + Unpin>(future: &mut F, rng: &mut Rng) -> Option<F::Output> {
    let mut output = give_up_at_once(future).await;
    for _ in 0..rng.u8(..4) {
        if output.is_some() {
            break;
        }
        yield_now().await;
        if rng.bool() {
            output = give_up_at_once(future).await;
        }
    }
    output
}

async fn give_up_at_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    match poll!(future) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Has its task polled a few times more; ends then, or never.
async fn turns_of_the_executor((turns, ends): (u8, bool)) {
    for _ in 0..turns {
        yield_now().await;
    }
    if !ends {
        pending().await
    }
}

/// The result of the arm that happened.
fn result<F: Future>(arm: Pin<&mut F>) -> F::Output {
    arm.now_or_never().expect("it has happened")
}

fn short_time(rng: &mut Rng) -> Duration {
    // On Miri's clock a step takes five microseconds, and an operation some thousand steps.
    Duration::from_micros(rng.u64(..if cfg!(miri) { 20_000 } else { 60 }))
}

// What must hold.

fn check(plan: &Plan, ledger: &Ledger, senders: &[SenderReport], receivers: &[Vec<Id>]) {
    let mut counts: Vec<_> = ledger.drops.iter().map(|_| Counts::default()).collect();
    for id in senders.iter().flat_map(|report| &report.sent) {
        counts[ledger.index(*id)].sent += 1;
    }
    for id in senders.iter().flat_map(|report| &report.evicted) {
        counts[ledger.index(*id)].evicted += 1;
    }
    for id in receivers.iter().flatten() {
        counts[ledger.index(*id)].received += 1;
    }
    let may_drop_with_channel = u8::from(plan.ending == Ending::ReceiversLeave);
    for (sender, report) in (0..).zip(senders) {
        for number in 0..report.made as u32 {
            let id = Id { sender, number };
            let counts = &counts[ledger.index(id)];
            let arrived = counts.received + counts.evicted;
            assert!(
                arrived <= counts.sent && counts.sent <= arrived + may_drop_with_channel,
                "{id:?} should arrive just if it was sent: {counts:?}; {plan:?}",
            );
            let drops = ledger.drops[ledger.index(id)].load(Relaxed);
            assert_eq!(drops, 1, "drops of {id:?}, {counts:?}; {plan:?}");
        }
    }
    match plan.receivers {
        Receivers::OneThatCancels => {
            let received = receivers.concat();
            for (sender, report) in (0..).zip(senders) {
                let theirs = received.iter().filter(|id| id.sender == sender);
                let arrive = report
                    .sent
                    .iter()
                    .filter(|&&id| counts[ledger.index(id)].evicted == 0);
                // What the receiver left in the channel was sent last.
                assert!(
                    arrive.take(theirs.clone().count()).eq(theirs),
                    "sender {sender}'s messages arrive in the order in which they were sent; {plan:?}",
                );
            }
        }
        Receivers::EightThatDoNot => {
            for (sender, received) in (0..SENDERS as u32)
                .flat_map(|sender| receivers.iter().map(move |received| (sender, received)))
            {
                let theirs = received.iter().filter(|id| id.sender == sender);
                assert!(
                    theirs.is_sorted(),
                    "each sender's messages arrive at each receiver in the order in which they were sent; {plan:?}",
                );
            }
        }
        Receivers::EightThatCancel => {}
    }
}

/// What became of a message.
#[derive(Debug, Default)]
struct Counts {
    sent: u8,
    received: u8,
    evicted: u8,
}

/// Ends the process, and says in which state the channel was, if a storm does not end.
struct Watchdog {
    _ends: mpsc::Sender<()>,
}

impl Watchdog {
    fn new(plan: &Plan, channel: impl Debug + Send + 'static, ledger: Arc<Ledger>) -> Self {
        let (ends, has_ended) = mpsc::channel();
        let plan_text = format!("{plan:?}");
        // A slow machine does some thousand messages in a second.
        let patience = Duration::from_secs(60 + plan.messages as u64 / 2_000);
        thread::spawn(move || {
            if has_ended.recv_timeout(patience) == Err(mpsc::RecvTimeoutError::Timeout) {
                let operations = ledger.operations.load(Relaxed);
                // Not by `eprintln`, which the harness captures and would not get to print.
                let _ = writeln!(
                    io::stderr(),
                    "a storm does not end, after {operations} operations: {plan_text}\n{channel:#?}"
                );
                process::abort();
            }
        });
        Self { _ends: ends }
    }
}
