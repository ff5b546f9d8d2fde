//! The same work under every executor, in plain threads, and everywhere at once on one channel.

#![cfg(not(target_family = "wasm"))] // All of it needs threads.

mod support;

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Duration,
};

use futures::{
    FutureExt, StreamExt,
    executor::LocalPool,
    future::{BoxFuture, join_all},
    poll,
    task::LocalSpawnExt,
};
use hchan::{Receiver, Sender};
#[cfg(not(feature = "std"))]
use support::blocking::*;
use support::{ends_within, scaled};
use tokio::runtime;

const CAPACITIES: [Option<usize>; 4] = [Some(0), Some(1), Some(16), None];
const MESSAGES_EACH: usize = scaled(1_000);
/// How long it may take, on a slow machine that does other things, too.
const LIMIT: Duration = Duration::from_secs(30);

/// A part of the work: returns the messages it received.
enum Job {
    Send(Sender<usize>, Vec<usize>),
    Receive(Receiver<usize>),
}

impl Job {
    async fn run(self) -> Vec<usize> {
        match self {
            Self::Send(tx, messages) => {
                for message in messages {
                    tx.send(message).await.expect("the receivers stay");
                }
                Vec::new()
            }
            Self::Receive(rx) => {
                let mut received = Vec::new();
                while let Ok(message) = rx.recv().await {
                    received.push(message);
                }
                received
            }
        }
    }

    fn run_blocking(self) -> Vec<usize> {
        match self {
            Self::Send(tx, messages) => {
                for message in messages {
                    tx.send_blocking(message).expect("the receivers stay");
                }
                Vec::new()
            }
            Self::Receive(rx) => rx.iter_blocking().collect(),
        }
    }
}

/// Runs jobs side by side, and returns what each received.
type Runner = fn(Vec<Job>) -> Vec<Vec<usize>>;

/// Under Miri without those whose reactor needs `timerfd_create`.
const RUNNERS: [Runner; if cfg!(miri) { 5 } else { 7 }] = [
    tokio_multi_thread,
    tokio_current_thread,
    #[cfg(not(miri))]
    async_std,
    #[cfg(not(miri))]
    smol,
    futures_executor,
    hand_written_executor,
    plain_threads,
];

fn tokio_multi_thread(jobs: Vec<Job>) -> Vec<Vec<usize>> {
    tokio_runtime(runtime::Builder::new_multi_thread().worker_threads(2), jobs)
}

fn tokio_current_thread(jobs: Vec<Job>) -> Vec<Vec<usize>> {
    tokio_runtime(&mut runtime::Builder::new_current_thread(), jobs)
}

fn tokio_runtime(builder: &mut runtime::Builder, jobs: Vec<Job>) -> Vec<Vec<usize>> {
    builder.build().unwrap().block_on(async {
        let tasks = jobs.into_iter().map(|job| tokio::spawn(job.run()));
        let results = join_all(tasks).await;
        results.into_iter().map(Result::unwrap).collect()
    })
}

fn async_std(jobs: Vec<Job>) -> Vec<Vec<usize>> {
    let tasks = jobs
        .into_iter()
        .map(|job| async_std::task::spawn(job.run()));
    async_std::task::block_on(join_all(tasks))
}

fn smol(jobs: Vec<Job>) -> Vec<Vec<usize>> {
    let tasks = jobs.into_iter().map(|job| smol::spawn(job.run()));
    smol::block_on(join_all(tasks))
}

fn futures_executor(jobs: Vec<Job>) -> Vec<Vec<usize>> {
    let mut pool = LocalPool::new();
    let spawner = pool.spawner();
    let tasks = jobs
        .into_iter()
        .map(|job| spawner.spawn_local_with_handle(job.run()).unwrap());
    pool.run_until(join_all(tasks))
}

fn hand_written_executor(jobs: Vec<Job>) -> Vec<Vec<usize>> {
    in_threads(jobs, |job| block_on(job.run()))
}

fn plain_threads(jobs: Vec<Job>) -> Vec<Vec<usize>> {
    in_threads(jobs, Job::run_blocking)
}

fn in_threads<T: Send, R: Send>(jobs: Vec<T>, run: impl Fn(T) -> R + Sync) -> Vec<R> {
    let run = &run;
    thread::scope(|scope| {
        let threads = jobs.into_iter().map(|job| scope.spawn(move || run(job)));
        let threads: Vec<_> = threads.collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

/// The smallest executor: polls one future, and parks the thread until it is woken.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread, AtomicBool);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.1.store(true, SeqCst);
            self.0.unpark();
        }
    }

    let unpark = Arc::new(Unpark(thread::current(), AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&unpark));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        while !unpark.1.swap(false, SeqCst) {
            thread::park();
        }
    }
}

fn channel(capacity: Option<usize>) -> (Sender<usize>, Receiver<usize>) {
    match capacity {
        Some(capacity) => hchan::bounded(capacity),
        None => hchan::unbounded(),
    }
}

/// Two that send and two that receive for each of so many runners; every message is sent once.
fn jobs(capacity: Option<usize>, runners: usize) -> Vec<Vec<Job>> {
    let (tx, rx) = channel(capacity);
    let send = |number| {
        let first = number * MESSAGES_EACH;
        Job::Send(tx.clone(), (first..first + MESSAGES_EACH).collect())
    };
    let receive = || Job::Receive(rx.clone());
    (0..runners)
        .map(|runner| vec![send(2 * runner), receive(), send(2 * runner + 1), receive()])
        .collect()
}

#[track_caller]
fn assert_all_arrived(received: Vec<Vec<usize>>, runners: usize, capacity: Option<usize>) {
    for received in &received {
        let mut by_sender = received.clone();
        by_sender.sort_by_key(|message| message / MESSAGES_EACH);
        assert!(
            by_sender.is_sorted(),
            "each sender's messages arrive in order, capacity {capacity:?}"
        );
    }
    let mut all = received.concat();
    all.sort();
    assert!(
        all.iter().copied().eq(0..runners * 2 * MESSAGES_EACH),
        "each message arrives once, capacity {capacity:?}: {} arrived",
        all.len()
    );
}

#[track_caller]
fn assert_messages_arrive(runner: Runner) {
    for capacity in CAPACITIES {
        let jobs = jobs(capacity, 1).remove(0);
        let received = ends_within(LIMIT, move || runner(jobs));
        assert_all_arrived(received, 1, capacity);
    }
}

#[test]
fn messages_arrive_in_tokio_multi_thread() {
    assert_messages_arrive(tokio_multi_thread);
}

#[test]
fn messages_arrive_in_tokio_current_thread() {
    assert_messages_arrive(tokio_current_thread);
}

#[test]
#[cfg_attr(
    miri,
    ignore = "its reactor needs `timerfd_create`, which Miri has not"
)]
fn messages_arrive_in_async_std() {
    assert_messages_arrive(async_std);
}

#[test]
#[cfg_attr(
    miri,
    ignore = "its reactor needs `timerfd_create`, which Miri has not"
)]
fn messages_arrive_in_smol() {
    assert_messages_arrive(smol);
}

#[test]
fn messages_arrive_in_futures_executor() {
    assert_messages_arrive(futures_executor);
}

#[test]
fn messages_arrive_in_a_hand_written_executor() {
    assert_messages_arrive(hand_written_executor);
}

#[test]
fn messages_arrive_in_plain_threads() {
    assert_messages_arrive(plain_threads);
}

#[test]
fn messages_arrive_from_everywhere_on_one_channel() {
    for capacity in CAPACITIES {
        let work = RUNNERS
            .into_iter()
            .zip(jobs(capacity, RUNNERS.len()))
            .collect();
        let received = ends_within(LIMIT, || in_threads(work, |(runner, jobs)| runner(jobs)));
        assert_all_arrived(received.concat(), RUNNERS.len(), capacity);
    }
}

// A future that moves.

type BlockOn = fn(BoxFuture<'static, ()>);

/// As `RUNNERS`.
const EXECUTORS: [BlockOn; if cfg!(miri) { 4 } else { 6 }] = [
    |future| {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        runtime.block_on(runtime.spawn(future)).unwrap();
    },
    |future| {
        runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    },
    #[cfg(not(miri))]
    |future| async_std::task::block_on(async_std::task::spawn(future)),
    #[cfg(not(miri))]
    |future| smol::block_on(smol::spawn(future)),
    |future| futures::executor::block_on(future),
    |future| block_on(future),
];

/// Polls a future in one executor, where it has to wait, and then in another, where it waits again until `peer` comes.
fn moved<T: Send + 'static>(
    mut future: BoxFuture<'static, T>,
    [first, second]: [BlockOn; 2],
    peer: impl FnOnce(),
) -> T {
    let (here, there) = mpsc::channel();
    first(
        async move {
            assert!(poll!(&mut future).is_pending(), "nothing to be had yet");
            here.send(future).unwrap();
        }
        .boxed(),
    );
    let mut future = there.recv().unwrap();

    let (parked, is_parked) = mpsc::channel();
    let (done, result) = mpsc::channel();
    let waiting = poll_fn(move |cx| {
        let polled = future.poll_unpin(cx);
        let _ = parked.send(());
        polled
    });
    let thread = thread::spawn(move || {
        second(async move { done.send(waiting.await).unwrap() }.boxed());
    });
    is_parked.recv().unwrap();
    peer();
    let result = result
        .recv_timeout(LIMIT)
        .expect("the future is woken where it is now");
    thread.join().unwrap();
    result
}

fn pairs() -> impl Iterator<Item = [BlockOn; 2]> {
    EXECUTORS
        .into_iter()
        .flat_map(|first| EXECUTORS.map(|second| [first, second]))
}

#[test]
fn receive_finishes_in_the_executor_it_was_moved_to() {
    for executors in pairs() {
        let (tx, rx) = hchan::bounded(0);
        let recv = async move { rx.recv().await }.boxed();
        let received = moved(recv, executors, || tx.try_send(1).unwrap());
        assert_eq!(received, Ok(1));
    }
}

#[test]
fn send_finishes_in_the_executor_it_was_moved_to() {
    for executors in pairs() {
        let (tx, rx) = hchan::bounded(0);
        let send = async move { tx.send(1).await }.boxed();
        let sent = moved(send, executors, || assert_eq!(rx.try_recv(), Ok(1)));
        assert_eq!(sent, Ok(()));
    }
}

#[test]
fn stream_finishes_in_the_executor_it_was_moved_to() {
    for executors in pairs() {
        let (tx, rx) = hchan::bounded(1);
        let collect = rx.into_stream().collect::<Vec<_>>().boxed();
        let collected = moved(collect, executors, || {
            tx.try_send(1).unwrap();
            tx.try_send(2).unwrap();
            drop(tx);
        });
        assert_eq!(collected, [1, 2]);
    }
}
