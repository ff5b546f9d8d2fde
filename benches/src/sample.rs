//! One sample: a peer in a cell, in the process that was made for it.

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::cell::{Cell, Place};
use crate::peer::Peer;
use crate::race::{Lap, Race};
use crate::tasks::OnRuntime;
use crate::threads::InThreads;

/// So few that the slowest peer is through in a blink.
const FIRST_RACE: u64 = 1_000;

/// A race is no more than this many times longer than the one before it: a short race foretells
/// little, and a channel that changes its pace under way must not be taken for one that hangs.
const GROWTH: u64 = 4;

/// A sample is made of about so many races, less where one takes longer than foretold.
const RACES: u32 = 8;

/// The same for all peers where nothing bounds the backlog: a message costs more the longer the
/// backlog is, so a peer must not be measured with another backlog than its neighbour.
const UNBOUNDED_RACE: u64 = 1_000_000;

/// Prints a line for each race, then the verdict. What was printed before a race that never ends
/// tells how the ones before it went.
pub(crate) fn take(peer: Peer, cell: Cell, lasting: Duration) {
    let verdict = match measure(peer, cell, lasting) {
        Ok(Some(nanos)) => format!("{TIME} {nanos}"),
        Ok(None) => ABSENT.to_owned(),
        Err(wrong) => format!("{LOST} {wrong}"),
    };
    println!("{verdict}");
}

/// The first words of the verdicts.
pub(crate) const TIME: &str = "time";
pub(crate) const ABSENT: &str = "absent";
pub(crate) const LOST: &str = "lost";

/// Nanoseconds a message. `None`: the peer has no such channel.
fn measure(peer: Peer, cell: Cell, lasting: Duration) -> Result<Option<f64>, String> {
    let runner = Runner::new(cell.place);
    let Some(messages) = warm_up(&runner, peer, cell, lasting / RACES)? else {
        return Ok(None);
    };
    let mut races = 0;
    let mut time = Duration::ZERO;
    while time < lasting {
        let Some(race) = runner.race(peer, cell, messages)? else {
            return Ok(None);
        };
        time += race;
        races += 1;
    }
    Ok(Some(time.as_nanos() as f64 / (messages * races) as f64))
}

/// Races until caches, predictors and the allocator have seen the channel, and until it is known
/// how many messages make a race of the wanted length.
fn warm_up(
    runner: &Runner,
    peer: Peer,
    cell: Cell,
    lasting: Duration,
) -> Result<Option<u64>, String> {
    let mut messages = match cell.shape.capacity {
        Some(_) => FIRST_RACE,
        None => UNBOUNDED_RACE,
    };
    loop {
        let Some(time) = runner.race(peer, cell, messages)? else {
            return Ok(None);
        };
        if time >= lasting || cell.shape.capacity.is_none() {
            return Ok(Some(messages));
        }
        messages *= GROWTH;
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
            Place::Tokio { workers } => {
                let runtime = Builder::new_multi_thread().worker_threads(workers).build();
                Runner::Tasks(runtime.expect("a runtime"))
            }
        }
    }

    fn race(&self, peer: Peer, cell: Cell, messages: u64) -> Result<Option<Duration>, String> {
        let race = Race {
            shape: cell.shape,
            messages,
        };
        println!("race of {messages}");
        let Some(lap) = self.lap(peer, &race) else {
            return Ok(None);
        };
        println!("{messages} in {:?}", lap.time);
        lap.check(&race)?;
        Ok(Some(lap.time))
    }

    fn lap(&self, peer: Peer, race: &Race) -> Option<Lap> {
        let Race { shape, .. } = *race;
        match self {
            Runner::Threads => peer.on_threads::<u64, _>(shape, InThreads(*race)),
            Runner::Tasks(runtime) => peer.in_tasks::<u64, _>(shape, OnRuntime(*race, runtime)),
        }
    }
}
