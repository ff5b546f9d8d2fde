//! What it costs to drop one of many parked receives.
//!
//! Not a race: one thread parks the receives, polling each once with a waker that does nothing,
//! and drops them one after the other. The channel is empty and bounded all the while.

use std::future::{Future, pending};
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Instant;

use crate::report::nanos;
use crate::stats::Summary;

const PARKED: usize = 20_000;
const CAPACITY: usize = 64;

/// Which receive goes first.
#[derive(Clone, Copy, Debug)]
enum Order {
    OldestFirst,
    NewestFirst,
    Random,
}

const ORDERS: [Order; 3] = [Order::OldestFirst, Order::NewestFirst, Order::Random];

/// A crate's way to park the receives and cancel them, in nanoseconds a cancel.
type Measure = fn(Order) -> f64;

const CANDIDATES: [(&str, Measure); 6] = [
    ("a future that only waits", |order| measure(order, wait)),
    ("hchan", |order| {
        let (_tx, rx) = hchan::bounded::<u64>(CAPACITY);
        measure(order, || rx.recv())
    }),
    ("async-channel", |order| {
        let (_tx, rx) = async_channel::bounded::<u64>(CAPACITY);
        measure(order, || rx.recv())
    }),
    ("crossfire", |order| {
        let (_tx, rx) = crossfire::mpmc::bounded_async::<u64>(CAPACITY);
        measure(order, || rx.recv())
    }),
    ("flume", |order| {
        let (_tx, rx) = flume::bounded::<u64>(CAPACITY);
        measure(order, || rx.recv_async())
    }),
    ("kanal", |order| {
        let (_tx, rx) = kanal::bounded_async::<u64>(CAPACITY);
        measure(order, || rx.recv())
    }),
];

pub(crate) fn run(rounds: u32) {
    println!(
        "{PARKED} parked receives, {rounds} rounds, ns to drop one, freeing its box included\n"
    );
    println!("| | oldest first | newest first | random |\n|---|---:|---:|---:|");
    let mut times = vec![[const { Vec::new() }; ORDERS.len()]; CANDIDATES.len()];
    for _ in 0..rounds {
        for ((_, measure), times) in CANDIDATES.iter().zip(&mut times) {
            for (order, times) in ORDERS.into_iter().zip(times) {
                times.push(measure(order));
            }
        }
    }
    for ((name, _), times) in CANDIDATES.iter().zip(&times) {
        let shown = times.each_ref().map(|times| show(times));
        println!("| {name} | {} |", shown.join(" | "));
    }
}

fn show(times: &[f64]) -> String {
    let Some(Summary { median, min, max }) = Summary::of(times) else {
        return "–".to_owned();
    };
    format!("{} ({}..{})", nanos(median), nanos(min), nanos(max))
}

fn measure<F: Future>(order: Order, recv: impl Fn() -> F) -> f64 {
    let mut parked: Vec<_> = (0..PARKED).map(|_| Some(park(recv()))).collect();
    let sequence = sequence(order);
    let began = Instant::now();
    for place in sequence {
        parked[place] = None;
    }
    let time = began.elapsed();
    black_box(parked);
    time.as_nanos() as f64 / PARKED as f64
}

/// The floor: nothing is parked, but there is a box to free.
async fn wait() {
    let held = [0_u64; 8];
    pending::<()>().await;
    black_box(held);
}

fn park<F: Future>(future: F) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    let polled = future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending(), "an empty channel has no message");
    future
}

fn sequence(order: Order) -> Vec<usize> {
    let mut sequence: Vec<_> = (0..PARKED).collect();
    match order {
        Order::OldestFirst => {}
        Order::NewestFirst => sequence.reverse(),
        // The same order for everyone.
        Order::Random => fastrand::Rng::with_seed(0).shuffle(&mut sequence),
    }
    sequence
}
