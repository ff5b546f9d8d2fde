//! What a select costs: hchan's own beside those of others, in nanoseconds a message.
//!
//! A cell is a place and a situation:
//!
//! - `2 arms`, `8 arms`: so many senders, each with a channel of its own, and one consumer that selects over all of them.
//! - `2 ready`, `8 ready`: the same, but all messages are there before the clock starts, so that nobody ever waits.
//! - `mixed`: a stage between two channels selects between receiving from one and sending to the other.
//!
//! Every message is counted, and summed.

mod blocking;
mod consumers;
mod in_tasks;
mod stages;

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::report::nanos;
use crate::stats::Summary;

const MESSAGES: u64 = 200_000;
/// Of the channels in all cells but the ready ones.
const CAPACITY: usize = 64;

/// Brings so many messages through a select and says how long that took.
type Measure = fn(&Runtime, u64) -> Duration;

/// The ways to select in one situation, hchan's first.
type Candidates = &'static [(&'static str, Measure)];

const IN_TASKS: [(&str, Candidates); 5] = [
    ("2 ready", in_tasks::TWO_READY),
    ("8 ready", in_tasks::EIGHT_READY),
    ("2 arms", in_tasks::TWO),
    ("8 arms", in_tasks::EIGHT),
    ("mixed", in_tasks::MIXED),
];

const ON_THREADS: [(&str, Candidates); 5] = [
    ("2 ready", blocking::TWO_READY),
    ("8 ready", blocking::EIGHT_READY),
    ("2 arms", blocking::TWO),
    ("8 arms", blocking::EIGHT),
    ("mixed", blocking::MIXED),
];

/// Times the cells whose name contains the filter.
pub(crate) fn run(rounds: u32, filter: &str) {
    println!("{rounds} rounds, ns a message\n");
    println!("| cell | select | time | hchan's / this |\n|---|---|---:|---:|");
    let survey = |place: &str, runtime: &Runtime, situations: &[(&str, Candidates)]| {
        for (situation, candidates) in situations {
            let cell = format!("{place}/{situation}");
            if cell.contains(filter) {
                survey_cell(&cell, candidates, runtime, rounds);
            }
        }
    };
    for workers in [2, 1] {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(workers).build().expect("a runtime");
        survey(&format!("tokio{workers}"), &runtime, &IN_TASKS);
    }
    let unused = Builder::new_current_thread().build().expect("a runtime");
    survey("threads", &unused, &ON_THREADS);
}

/// The ways to select over two channels in tasks.
pub(crate) fn of_two() -> impl Iterator<Item = &'static str> {
    in_tasks::TWO.iter().map(|(name, _)| *name)
}

/// Brings so many messages through a select over two channels. `None`: there is no such way to select.
pub(crate) fn through_two(name: &str, runtime: &Runtime, messages: u64) -> Option<Duration> {
    let (_, measure) = in_tasks::TWO.iter().find(|(other, _)| *other == name)?;
    Some(measure(runtime, messages))
}

fn survey_cell(cell: &str, candidates: Candidates, runtime: &Runtime, rounds: u32) {
    let mut times = vec![Vec::new(); candidates.len()];
    // The first round warms up.
    for round in 0..=rounds {
        for ((_, measure), times) in candidates.iter().zip(&mut times) {
            let time = measure(runtime, MESSAGES);
            if round > 0 {
                times.push(time.as_nanos() as f64 / MESSAGES as f64);
            }
        }
    }
    let summaries: Vec<_> = times
        .iter()
        .filter_map(|times| Summary::of(times))
        .collect();
    let ours = summaries[0].median;
    for ((name, _), Summary { median, min, max }) in candidates.iter().zip(&summaries) {
        let [shown, least, most] = [median, min, max].map(|&time| nanos(time));
        let ratio = ours / median;
        println!("| {cell} | {name} | {shown} ({least}..{most}) | {ratio:.2} |");
    }
}

/// Panics unless the numbers below `messages` were received, each once, as far as their sum tells.
fn check(sum: u64, messages: u64) {
    assert_eq!(
        sum,
        messages * (messages - 1) / 2,
        "all that was sent came, once"
    );
}

/// A channel for each arm.
fn channels<const ARMS: usize, Tx, Rx>(open: impl Fn() -> (Tx, Rx)) -> (Vec<Tx>, [Rx; ARMS]) {
    let mut txs = Vec::new();
    let rxs = std::array::from_fn(|_| {
        let (tx, rx) = open();
        txs.push(tx);
        rx
    });
    (txs, rxs)
}
