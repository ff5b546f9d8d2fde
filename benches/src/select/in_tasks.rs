//! Selects in tasks.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::consumers::{eight, two};
use super::{CAPACITY, Candidates, check, stages};
use crate::peer::{AsyncRx, AsyncTx};

const TOKIO_OVER_HCHAN: &str = "tokio::select! over hchan";
const TOKIO_OVER_ASYNC_CHANNEL: &str = "tokio::select! over async-channel";
const FUTURES_OVER_ASYNC_CHANNEL: &str = "futures::select! over async-channel";
const TOKIO_OVER_TOKIO: &str = "tokio::select! over tokio";
const FUTURES_OVER_TOKIO: &str = "futures::select! over tokio";

macro_rules! candidates {
    ($run:ident, $consumers:ident) => {
        &[
            ("hchan::select!", |runtime, n| {
                $run(runtime, n, ::hchan::bounded, $consumers::hchan)
            }),
            (TOKIO_OVER_HCHAN, |runtime, n| {
                $run(runtime, n, ::hchan::bounded, $consumers::tokio_over_hchan)
            }),
            (TOKIO_OVER_ASYNC_CHANNEL, |runtime, n| {
                $run(
                    runtime,
                    n,
                    async_channel::bounded,
                    $consumers::tokio_over_async_channel,
                )
            }),
            (FUTURES_OVER_ASYNC_CHANNEL, |runtime, n| {
                $run(
                    runtime,
                    n,
                    async_channel::bounded,
                    $consumers::futures_over_async_channel,
                )
            }),
            (TOKIO_OVER_TOKIO, |runtime, n| {
                $run(runtime, n, mpsc::channel, $consumers::tokio_over_tokio)
            }),
            (FUTURES_OVER_TOKIO, |runtime, n| {
                $run(runtime, n, mpsc::channel, $consumers::futures_over_tokio)
            }),
        ]
    };
}

pub(super) const TWO: Candidates = candidates!(fan_in, two);
pub(super) const EIGHT: Candidates = candidates!(fan_in, eight);
pub(super) const TWO_READY: Candidates = candidates!(ready, two);
pub(super) const EIGHT_READY: Candidates = candidates!(ready, eight);

pub(super) const MIXED: Candidates = &[
    ("hchan::select!", |runtime, n| {
        mixed(runtime, n, ::hchan::bounded, stages::hchan)
    }),
    (TOKIO_OVER_HCHAN, |runtime, n| {
        mixed(runtime, n, ::hchan::bounded, stages::tokio_over_hchan)
    }),
    (TOKIO_OVER_ASYNC_CHANNEL, |runtime, n| {
        mixed(
            runtime,
            n,
            async_channel::bounded,
            stages::tokio_over_async_channel,
        )
    }),
    (FUTURES_OVER_ASYNC_CHANNEL, |runtime, n| {
        mixed(
            runtime,
            n,
            async_channel::bounded,
            stages::futures_over_async_channel,
        )
    }),
    (TOKIO_OVER_TOKIO, |runtime, n| {
        mixed(runtime, n, mpsc::channel, stages::tokio_over_tokio)
    }),
];

/// Each sender has a task of its own, and the consumer one.
fn fan_in<const ARMS: usize, Tx: AsyncTx<u64> + Clone, Rx, F>(
    runtime: &Runtime,
    messages: u64,
    open: impl Fn(usize) -> (Tx, Rx),
    consume: impl FnOnce([Rx; ARMS], u64) -> F,
) -> Duration
where
    F: Future<Output = u64> + Send + 'static,
{
    let (txs, rxs) = super::channels(|| open(CAPACITY));
    let began = Instant::now();
    let consumer = runtime.spawn(consume(rxs, messages));
    for (place, mut tx) in txs.iter().cloned().enumerate() {
        runtime.spawn(async move {
            for message in (0..messages).skip(place).step_by(ARMS) {
                tx.send(message).await.expect("open");
            }
        });
    }
    // The senders here keep the channels open until all has arrived.
    let sum = runtime.block_on(consumer).expect("no panic");
    let time = began.elapsed();
    drop(txs);
    check(sum, messages);
    time
}

/// All messages are in the channels before the consumer starts.
fn ready<const ARMS: usize, Tx: AsyncTx<u64>, Rx, F>(
    runtime: &Runtime,
    messages: u64,
    open: impl Fn(usize) -> (Tx, Rx),
    consume: impl FnOnce([Rx; ARMS], u64) -> F,
) -> Duration
where
    F: Future<Output = u64> + Send + 'static,
{
    let (mut txs, rxs) = super::channels(|| open(messages as usize));
    for (message, place) in (0..messages).zip((0..ARMS).cycle()) {
        runtime.block_on(txs[place].send(message)).expect("open");
    }
    let began = Instant::now();
    let sum = runtime
        .block_on(runtime.spawn(consume(rxs, messages)))
        .expect("no panic");
    let time = began.elapsed();
    check(sum, messages);
    time
}

/// A task that sends, a stage that passes all on, a task that receives.
fn mixed<Tx, Rx, F>(
    runtime: &Runtime,
    messages: u64,
    open: impl Fn(usize) -> (Tx, Rx),
    stage: impl FnOnce(Rx, Tx, u64) -> F,
) -> Duration
where
    Tx: AsyncTx<u64>,
    Rx: AsyncRx<u64>,
    F: Future<Output = ()> + Send + 'static,
{
    let ((mut source, input), (output, mut sink)) = (open(CAPACITY), open(CAPACITY));
    let began = Instant::now();
    let receiving = runtime.spawn(async move {
        let mut sum = 0;
        for _ in 0..messages {
            sum += sink.recv().await.expect("open");
        }
        sum
    });
    runtime.spawn(stage(input, output, messages));
    let sending = runtime.spawn(async move {
        for message in 0..messages {
            source.send(message).await.expect("open");
        }
        source
    });
    // The source lives until all has arrived.
    let (source, sum) = runtime.block_on(async { (sending.await, receiving.await) });
    let time = began.elapsed();
    drop(source);
    check(sum.expect("no panic"), messages);
    time
}
