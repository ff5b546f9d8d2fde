//! One sample: a peer in a cell, in the process that was made for it.

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::cell::{Cell, Place};
use crate::message::{Message, Words};
use crate::pace::{Measurement, Nothing, Pace};
use crate::peer::Peer;
use crate::race::{Lap, Race};
use crate::tasks::OnRuntime;
use crate::threads::InThreads;

/// The same for all peers where nothing bounds the backlog: a message costs more the longer the
/// backlog is, so a peer must not be measured with another backlog than its neighbour.
const UNBOUNDED_RACE: u64 = 1_000_000;

/// Prints a line for each race. What was printed before a race that never ends tells how the ones before it went.
pub(crate) fn take(peer: Peer, cell: Cell, lasting: Duration) -> Result<Measurement, Nothing> {
    let runner = Runner::new(cell.place);
    let sample = Sample {
        runner: &runner,
        peer,
        cell,
    };
    match cell.size {
        256 => sample.measure::<Words<32>>(lasting),
        4096 => sample.measure::<Words<512>>(lasting),
        _ => sample.measure::<u64>(lasting),
    }
}

/// One race of so many small messages.
pub(crate) fn race(peer: Peer, cell: Cell, messages: u64) -> Result<(), Nothing> {
    let runner = &Runner::new(cell.place);
    let sample = Sample { runner, peer, cell };
    sample.race::<u64>(messages).map(drop)
}

struct Sample<'r> {
    runner: &'r Runner,
    peer: Peer,
    cell: Cell,
}

impl Sample<'_> {
    fn measure<T: Message>(&self, lasting: Duration) -> Result<Measurement, Nothing> {
        let is_bounded = self.cell.shape.capacity.is_some();
        let pace = Pace {
            lasting,
            fixed: (!is_bounded).then_some(UNBOUNDED_RACE),
        };
        let (mut measurement, messages) = pace.keep(|messages| self.race::<T>(messages))?;
        measurement.allocations = self.allocations::<T>(messages)?;
        Ok(measurement)
    }

    fn race<T: Message>(&self, messages: u64) -> Result<Duration, Nothing> {
        println!("race of {messages}");
        let race = Race {
            shape: self.cell.shape,
            messages,
        };
        let lap = self.runner.lap::<T>(self.peer, race);
        let lap = lap.ok_or(Nothing::Absent)?;
        println!("{messages} in {:?}", lap.time);
        lap.check(&race).map_err(Nothing::Lost)?;
        Ok(lap.time)
    }

    /// A message's, in a race of its own; without what the channel, threads and tasks take for themselves, which a race
    /// without messages tells.
    fn allocations<T: Message>(&self, messages: u64) -> Result<f64, Nothing> {
        let count = |messages| {
            let (count, race) = counting_alloc::count(|| self.race::<T>(messages));
            race.map(|_| count.allocations)
        };
        let set_up = count(0)?;
        Ok(count(messages)?.saturating_sub(set_up) as f64 / messages as f64)
    }
}

/// Where the races of a sample take place.
enum Runner {
    Threads,
    Tasks(Runtime),
}

impl Runner {
    fn new(place: Place) -> Self {
        match place {
            Place::Threads => Runner::Threads,
            Place::Tokio { workers } => Runner::Tasks(runtime(workers)),
        }
    }

    fn lap<T: Message>(&self, peer: Peer, race: Race) -> Option<Lap> {
        match self {
            Runner::Threads => peer.on_threads::<T, _>(race.shape, InThreads(race)),
            Runner::Tasks(runtime) => peer.in_tasks::<T, _>(race.shape, OnRuntime(race, runtime)),
        }
    }
}

pub(crate) fn runtime(workers: usize) -> Runtime {
    let runtime = Builder::new_multi_thread().worker_threads(workers).build();
    runtime.expect("a runtime")
}
