//! What a message costs in a batch, and what alone: one thread, nobody else, so the channel's own work and no more.

use std::hint::black_box;
use std::time::Instant;

use hchan::{Receiver, Sender};

use crate::report::nanos;
use crate::stats::Summary;

/// How many messages are sent, and then received.
const BATCH: u64 = 64;
const TIMES: u64 = 5_000;

/// A way to take a batch through a channel and sum it up.
type Pass = fn(&Sender<u64>, &Receiver<u64>, &mut Vec<u64>) -> u64;

const CAPACITIES: [Option<usize>; 3] = [Some(64), Some(1024), None];

pub(crate) fn run(rounds: u32) {
    println!(
        "{BATCH} messages sent, then received, on one thread; {rounds} rounds, ns a message\n"
    );
    println!("| capacity | singles | batches | singles / batches |\n|---|---:|---:|---:|");
    for capacity in CAPACITIES {
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for (times, pass) in times.iter_mut().zip([singles as Pass, batches]) {
                times.push(measure(capacity, pass));
            }
        }
        let [Some(singles), Some(batches)] = times.map(|times| Summary::of(&times)) else {
            continue;
        };
        let name = capacity.map_or("unbounded".to_owned(), |capacity| capacity.to_string());
        println!(
            "| {name} | {} | {} | {:.1} |",
            show(singles),
            show(batches),
            singles.min / batches.min
        );
    }
}

fn show(Summary { median, min, max }: Summary) -> String {
    format!("{} ({}..{})", nanos(median), nanos(min), nanos(max))
}

fn singles(tx: &Sender<u64>, rx: &Receiver<u64>, _: &mut Vec<u64>) -> u64 {
    (0..BATCH).for_each(|n| tx.try_send(n).expect("there is room"));
    rx.try_iter().sum()
}

fn batches(tx: &Sender<u64>, rx: &Receiver<u64>, received: &mut Vec<u64>) -> u64 {
    tx.try_send_many(0..BATCH).expect("there is room");
    rx.try_recv_many(received, BATCH as usize)
        .expect("they are there");
    received.drain(..).sum()
}

fn measure(capacity: Option<usize>, pass: Pass) -> f64 {
    let (tx, rx) = match capacity {
        Some(capacity) => hchan::bounded(capacity),
        None => hchan::unbounded(),
    };
    let mut received = Vec::with_capacity(BATCH as usize);
    let mut run = |times| {
        for _ in 0..times {
            let sum = pass(black_box(&tx), black_box(&rx), &mut received);
            assert_eq!(sum, BATCH * (BATCH - 1) / 2);
        }
    };
    run(TIMES / 10);
    let began = Instant::now();
    run(TIMES);
    began.elapsed().as_nanos() as f64 / (TIMES * BATCH) as f64
}
