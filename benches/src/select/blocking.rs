//! Selects on threads.

use std::thread;
use std::time::{Duration, Instant};

use super::consumers::{eight, two};
use super::{CAPACITY, Candidates, check, stages};
use crate::peer::{BlockingRx, BlockingTx};

macro_rules! candidates {
    ($run:ident, $consumers:ident) => {
        &[
            ("hchan::select_blocking!", |_, n| {
                $run(n, ::hchan::bounded, $consumers::hchan_blocking)
            }),
            ("crossbeam_channel::select!", |_, n| {
                $run(
                    n,
                    crossbeam_channel::bounded,
                    $consumers::crossbeam_blocking,
                )
            }),
        ]
    };
}

pub(super) const TWO: Candidates = candidates!(fan_in, two);
pub(super) const EIGHT: Candidates = candidates!(fan_in, eight);
pub(super) const TWO_READY: Candidates = candidates!(ready, two);
pub(super) const EIGHT_READY: Candidates = candidates!(ready, eight);
pub(super) const MIXED: Candidates = candidates!(mixed, stages);

/// Each sender has a thread of its own; the consumer has this one.
fn fan_in<const ARMS: usize, Tx: BlockingTx<u64> + Clone, Rx>(
    messages: u64,
    open: impl Fn(usize) -> (Tx, Rx),
    consume: impl FnOnce([Rx; ARMS], u64) -> u64,
) -> Duration {
    let (txs, rxs) = super::channels(|| open(CAPACITY));
    let began = Instant::now();
    let sum = thread::scope(|scope| {
        for (place, mut tx) in txs.iter().cloned().enumerate() {
            scope.spawn(move || {
                for message in (0..messages).skip(place).step_by(ARMS) {
                    tx.send(message).expect("open");
                }
            });
        }
        // The senders out here keep the channels open until all has arrived.
        consume(rxs, messages)
    });
    let time = began.elapsed();
    drop(txs);
    check(sum, messages);
    time
}

/// All messages are in the channels before the consumer starts.
fn ready<const ARMS: usize, Tx: BlockingTx<u64>, Rx>(
    messages: u64,
    open: impl Fn(usize) -> (Tx, Rx),
    consume: impl FnOnce([Rx; ARMS], u64) -> u64,
) -> Duration {
    let (mut txs, rxs) = super::channels(|| open(messages as usize));
    for (message, place) in (0..messages).zip((0..ARMS).cycle()) {
        txs[place].send(message).expect("open");
    }
    let began = Instant::now();
    let sum = consume(rxs, messages);
    let time = began.elapsed();
    check(sum, messages);
    time
}

/// A thread that sends, a stage that passes all on, and this thread, which receives.
fn mixed<Tx: BlockingTx<u64>, Rx: BlockingRx<u64>>(
    messages: u64,
    open: impl Fn(usize) -> (Tx, Rx),
    stage: impl FnOnce(Rx, Tx, u64) + Send,
) -> Duration {
    let ((mut source, input), (output, mut sink)) = (open(CAPACITY), open(CAPACITY));
    let began = Instant::now();
    let sum = thread::scope(|scope| {
        scope.spawn(move || stage(input, output, messages));
        let sending = scope.spawn(move || {
            for message in 0..messages {
                source.send(message).expect("open");
            }
            source
        });
        let sum = (0..messages).map(|_| sink.recv().expect("open")).sum();
        // The source lives until all has arrived.
        drop(sending.join());
        sum
    });
    let time = began.elapsed();
    check(sum, messages);
    time
}
