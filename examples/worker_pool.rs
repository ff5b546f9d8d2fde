//! Worker pool (thread pool, job queue): a few threads take jobs from one channel and send results
//! to another.
//!
//! The job queue is short, so the feeder waits while all workers are busy. Look at the first
//! assertion: a pool that is held up accepts as many jobs as it has workers and places, no more.
//!
//! ```text
//! cargo run --example worker_pool
//! ```

use std::{collections::BTreeMap, convert::Infallible, ops::RangeInclusive, thread};

use hchan::blocking::{self, Receiver, Sender};

const WORKERS: usize = 4;
const QUEUE: usize = 2;
/// As many jobs as the pool accepts before the first is done.
const ACCEPTED: u64 = (WORKERS + QUEUE) as u64;
const JOBS: RangeInclusive<u64> = 1..=200;

/// A job: how many steps of the Collatz sequence lead from `n` to 1.
fn steps(n: u64) -> usize {
    let next = |&n: &u64| (n > 1).then(|| if n % 2 == 0 { n / 2 } else { 3 * n + 1 });
    std::iter::successors(Some(n), next).count() - 1
}

/// Sends all jobs, and sees on the way that the pool holds it back. At its end it drops `jobs`, so
/// the workers end when the queue is empty.
fn feed(jobs: Sender<u64>, gate: Sender<Infallible>) {
    let mut numbers = JOBS;
    for n in numbers.by_ref().take(ACCEPTED as usize) {
        jobs.send(n).expect("workers receive until the end");
    }
    // Each worker has one job and waits at the gate, and the queue is full.
    let refused = jobs.try_send(0);
    assert!(refused.is_err_and(|error| error.is_full()), "held back");
    println!("{ACCEPTED} jobs accepted, one refused, none done yet");
    gate.close();
    for n in numbers {
        jobs.send(n).expect("workers receive until the end");
    }
}

fn main() {
    let (jobs, queue) = blocking::bounded(QUEUE);
    let (results, answers): (_, Receiver<(usize, u64, usize)>) = blocking::bounded(QUEUE);
    let (gate, opened) = blocking::bounded(0);

    let (mut by_worker, mut all) = ([0; WORKERS], BTreeMap::new());
    // The scope joins all threads, and panics if one of them did.
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (queue, results, opened) = (queue.clone(), results.clone(), opened.clone());
            scope.spawn(move || {
                for n in queue {
                    opened.wait_closed(); // Holds up each worker's first job only.
                    let result = (worker, n, steps(n));
                    results.send(result).expect("main receives until the end");
                }
            });
        }
        drop((queue, results, opened)); // The workers have their own.
        scope.spawn(|| feed(jobs, gate));

        for (worker, n, steps) in answers {
            by_worker[worker] += 1;
            assert!(all.insert(n, steps).is_none(), "job {n} was done twice");
        }
    });
    println!("jobs by worker: {by_worker:?}");
    assert!(by_worker.iter().all(|&jobs| jobs > 0), "all took part");
    assert!(all.into_iter().eq(JOBS.map(|n| (n, steps(n)))), "every job");
}
