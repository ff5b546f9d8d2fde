//! One channel that all share, beside a channel for each pair.

use std::sync::{Arc, Barrier};
use std::thread;

use tokio::runtime::Runtime;

use super::findings::Findings;
use super::{Sampled, Situation, place};
use crate::cell::{Cell, PLACES, Place};
use crate::pace::{Nothing, Pace};
use crate::peer::{AsyncRx, AsyncTx, BlockingRx, BlockingTx, InTasks, OnThreads, Peer};
use crate::race::{Lap, Race};
use crate::sample::{self, runtime};
use crate::shape::{Ends, Shape};
use crate::{tasks, threads};

const PAIRS: usize = 4;
const CAPACITY: usize = 64;
const SHARED: &str = "one channel";
const SHARDED: &str = "four channels";

#[derive(Debug)]
pub(crate) struct Sharding;

impl Situation for Sharding {
    fn name(&self) -> &'static str {
        "sharding"
    }

    fn variants(&self) -> Vec<String> {
        let of_place = |place| [SHARED, SHARDED].map(|kind| format!("{place}/{kind}"));
        places().flat_map(of_place).collect()
    }

    fn sample(&self, variant: &str, candidate: &str, quick: bool) -> Sampled {
        let (place, kind) = place(variant).ok_or(Nothing::Absent)?;
        let peer = Peer::named(candidate).ok_or(Nothing::Absent)?;
        let lasting = super::lasting(quick);
        let measurement = if kind == SHARED {
            let size = size_of::<u64>();
            let shape = pairs(PAIRS);
            sample::take(peer, Cell { place, shape, size }, lasting)?
        } else {
            let fixed = None;
            let runtime = match place {
                Place::Threads => None,
                Place::Tokio { workers } => Some(runtime(workers)),
            };
            let race = |messages| Shards::race(peer, runtime.as_ref(), messages);
            Pace { lasting, fixed }.keep(race)?.0
        };
        Ok(vec![measurement.time])
    }

    fn section(&self, findings: &Findings) -> String {
        let mut markdown = format!(
            "{PAIRS} senders and {PAIRS} receivers on {SHARED} of capacity {CAPACITY}, or in pairs on {SHARDED}: ns a \
             message, {} samples.\n\n",
            findings.rounds
        );
        for place in places() {
            let cell = |variant: &str, candidate: &str| findings.cell(variant, candidate, 0);
            markdown += &findings.group(&place.to_string(), cell, 0);
        }
        markdown + &findings.failures()
    }
}

fn places() -> impl Iterator<Item = Place> {
    let one_worker = Place::Tokio { workers: 1 };
    PLACES.into_iter().filter(move |&place| place != one_worker)
}

fn pairs(count: usize) -> Shape {
    Shape {
        senders: count,
        receivers: count,
        capacity: Some(CAPACITY),
    }
}

/// As a race on one channel, but each pair has its own.
struct Shards(Race);

impl Shards {
    fn race(
        peer: Peer,
        runtime: Option<&Runtime>,
        messages: u64,
    ) -> Result<std::time::Duration, Nothing> {
        println!("race of {messages}");
        let shape = pairs(PAIRS);
        let race = Race { shape, messages };
        let lap = match runtime {
            None => peer.on_threads::<u64, _>(pairs(1), Shards(race)),
            Some(runtime) => peer.in_tasks::<u64, _>(pairs(1), (Shards(race), runtime)),
        };
        let lap = lap.ok_or(Nothing::Absent)?;
        lap.check(&race).map_err(Nothing::Lost)?;
        Ok(lap.time)
    }
}

impl OnThreads<u64> for Shards {
    type Output = Lap;

    fn run<Tx: BlockingTx<u64>, Rx: BlockingRx<u64>>(self, open: impl Fn() -> Ends<Tx, Rx>) -> Lap {
        let start = &Barrier::new(self.0.shape.participants());
        thread::scope(|scope| {
            let mut threads = Vec::new();
            for place in 0..PAIRS {
                let ((tx, rx), share) = (open().sole(), self.0.share(place));
                threads.push(scope.spawn(move || threads::receive(rx, start)));
                threads.push(scope.spawn(move || threads::send(tx, share, start)));
            }
            let legs = threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic"));
            Lap::of(&legs.collect::<Vec<_>>())
        })
    }
}

impl InTasks<u64> for (Shards, &Runtime) {
    type Output = Lap;

    fn run<Tx: AsyncTx<u64>, Rx: AsyncRx<u64>>(self, open: impl Fn() -> Ends<Tx, Rx>) -> Lap {
        let (Shards(race), runtime) = self;
        let start = Arc::new(tokio::sync::Barrier::new(race.shape.participants()));
        let mut tasks = Vec::new();
        for place in 0..PAIRS {
            let (tx, rx) = open().sole();
            tasks.push(runtime.spawn(tasks::receive(rx, Arc::clone(&start))));
            tasks.push(runtime.spawn(tasks::send(tx, race.share(place), Arc::clone(&start))));
        }
        runtime.block_on(async {
            let mut legs = Vec::new();
            for task in tasks {
                legs.push(task.await.expect("no panic"));
            }
            Lap::of(&legs)
        })
    }
}
