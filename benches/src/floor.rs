//! What the machine itself takes for parts of a channel's work: nothing that does this work is faster.

use std::fmt;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::cell::{Cell, TOKIO_1};
use crate::message::Message;
use crate::pace::{Measurement, Nothing, Pace};
use crate::peer::OnThreads;
use crate::race::{Race, Tally};
use crate::sample;
use crate::shape::{Ends, Shape};
use crate::threads::InThreads;

mod ring;
mod wakes;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Floor {
    /// A message put into a place under one lock and taken out under another, by one thread.
    Locks,
    /// A cache line to the other core and back.
    Line,
    /// Two tasks that wake each other, a wake and a poll.
    Wakes { workers: usize },
    /// The same, with what tasks that meet over a lock need for it: to leave a waker of their own there, and to find the other's.
    Meetings,
    /// Two threads of one processor that yield to each other.
    Switch,
    /// A ring for one producer and one consumer, neither of whom ever sleeps: rtrb.
    Ring { capacity: usize },
}

impl Floor {
    pub(crate) const ALL: [Floor; 8] = [
        Floor::Locks,
        Floor::Line,
        Floor::Wakes { workers: 1 },
        Floor::Wakes { workers: 2 },
        Floor::Meetings,
        Floor::Switch,
        Floor::Ring { capacity: 64 },
        Floor::Ring { capacity: 1024 },
    ];

    pub(crate) fn named(name: &str) -> Option<Floor> {
        let is_named = |floor: &Floor| floor.to_string() == name;
        Floor::ALL.into_iter().find(is_named)
    }

    pub(crate) fn explained(self) -> &'static str {
        match self {
            Floor::Locks => "two uncontended locks, each a swap and a release store, and a copy",
            Floor::Line => "a cache line to the other core and back",
            Floor::Wakes { .. } => "two tasks that wake each other: a wake and a poll",
            Floor::Meetings => "the same, each wake with a waker cloned and two uncontended locks",
            Floor::Switch => "two threads of one processor that yield to each other",
            Floor::Ring { .. } => "rtrb from thread to thread, its users spinning, then yielding",
        }
    }

    /// The cell whose channel has to do at least this.
    pub(crate) fn beneath(self) -> &'static str {
        match self {
            Floor::Locks => "tokio1/1-1/64",
            Floor::Line | Floor::Switch => "threads/1-1/0",
            Floor::Wakes { workers: 1 } | Floor::Meetings => "tokio1/1-1/0",
            Floor::Wakes { .. } => "tokio2/1-1/0",
            Floor::Ring { capacity: 64 } => "threads/1-1/64",
            Floor::Ring { .. } => "threads/1-1/1024",
        }
    }

    /// What a channel of locks has to do for a message on one worker.
    pub(crate) fn on_one_worker(cell: Cell) -> Option<Floor> {
        let capacity = cell.shape.capacity;
        match (cell.place == TOKIO_1 && cell.is_small(), capacity) {
            (false, _) | (_, Some(1)) => None,
            (_, Some(0)) => Some(Floor::Meetings),
            (_, Some(_) | None) => Some(Floor::Locks),
        }
    }

    pub(crate) fn measure(self, lasting: Duration) -> Result<Measurement, Nothing> {
        let pace = Pace {
            lasting,
            fixed: None,
        };
        let kept = match self {
            Floor::Locks => pace.keep(|messages| Ok(locks(messages))),
            Floor::Line => pace.keep(|trips| Ok(line(trips))),
            Floor::Wakes { workers } => {
                let runtime = sample::runtime(workers);
                pace.keep(|wakes| Ok(wakes::run(&runtime, wakes, Waker::wake_by_ref)))
            }
            Floor::Meetings => {
                let runtime = sample::runtime(1);
                pace.keep(|wakes| Ok(meetings(&runtime, wakes)))
            }
            Floor::Switch => pace.keep(|switches| Ok(switch(switches))),
            Floor::Ring { capacity } => pace.keep(|messages| through_ring(capacity, messages)),
        };
        kept.map(|(measurement, _)| measurement)
    }
}

impl fmt::Display for Floor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Floor::Locks => f.write_str("locks"),
            Floor::Line => f.write_str("line"),
            Floor::Wakes { workers } => write!(f, "wakes/tokio{workers}"),
            Floor::Meetings => f.write_str("meetings/tokio1"),
            Floor::Switch => f.write_str("switch"),
            Floor::Ring { capacity } => write!(f, "rtrb/{capacity}"),
        }
    }
}

/// Apart from its neighbour, as the ends of a channel are.
#[derive(Default)]
#[repr(align(128))]
struct Lock(AtomicBool);

impl Lock {
    #[inline]
    fn hold<R>(&self, work: impl FnOnce() -> R) -> R {
        while self.0.swap(true, Ordering::Acquire) {
            spin_loop();
        }
        let returned = work();
        self.0.store(false, Ordering::Release);
        returned
    }
}

fn locks(messages: u64) -> Duration {
    let (sending, receiving) = (Lock::default(), Lock::default());
    let places = [const { AtomicU64::new(0) }; 64];
    let mut received = Tally::default();
    let began = Instant::now();
    for number in 0..messages {
        let place = &places[number as usize % places.len()];
        sending.hold(|| place.store(u64::numbered(number), Ordering::Relaxed));
        let message = receiving.hold(|| place.load(Ordering::Relaxed));
        received.add(&message);
    }
    let time = began.elapsed();
    std::hint::black_box(received);
    time
}

fn line(trips: u64) -> Duration {
    let turn = AtomicU64::new(0);
    // One has the even turns, the other has the odd ones.
    let play = |first: u64| {
        let began = Instant::now();
        for mine in (first..2 * trips).step_by(2) {
            spin_until(|| (turn.load(Ordering::Acquire) == mine).then_some(()));
            turn.store(mine + 1, Ordering::Release);
        }
        began.elapsed()
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| play(1));
        play(0).max(other.join().expect("no panic"))
    })
}

fn meetings(runtime: &Runtime, meetings: u64) -> Duration {
    let lock = Lock::default();
    let meet = move |other: &Waker| {
        let other = lock.hold(|| other.clone());
        lock.hold(|| other).wake();
    };
    wakes::run(runtime, meetings, meet)
}

fn switch(switches: u64) -> Duration {
    let core = core_affinity::get_core_ids().and_then(|cores| cores.first().copied());
    let turn = AtomicU64::new(0);
    let play = |first: u64| {
        // Where that cannot be done there are two cores, and no switches.
        let _is_pinned = core.is_some_and(core_affinity::set_for_current);
        let began = Instant::now();
        for mine in (first..switches).step_by(2) {
            while turn.load(Ordering::Acquire) < mine {
                thread::yield_now();
            }
            turn.store(mine + 1, Ordering::Release);
        }
        began.elapsed()
    };
    thread::scope(|scope| {
        let others = [0, 1].map(|first| scope.spawn(move || play(first)));
        let times = others.map(|other| other.join().expect("no panic"));
        times[0].max(times[1])
    })
}

fn through_ring(capacity: usize, messages: u64) -> Result<Duration, Nothing> {
    let shape = Shape {
        senders: 1,
        receivers: 1,
        capacity: Some(capacity),
    };
    let race = Race { shape, messages };
    let open = || Ends::one_to_one(rtrb::RingBuffer::<u64>::new(capacity));
    let lap = OnThreads::<u64>::run(InThreads(race), open);
    lap.check(&race).map_err(Nothing::Lost)?;
    Ok(lap.time)
}

/// As nothing wakes it: soon in vain if the other has no core to run on.
#[inline]
fn spin_until<R>(mut done: impl FnMut() -> Option<R>) -> R {
    loop {
        for _ in 0..1_000 {
            if let Some(returned) = done() {
                return returned;
            }
            spin_loop();
        }
        thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_floor_is_found_by_its_name_and_measured() {
        for floor in Floor::ALL {
            assert_eq!(Floor::named(&floor.to_string()), Some(floor));
            assert!(Cell::named(floor.beneath()).is_some(), "{floor}");
            let measured = floor.measure(Duration::from_millis(1));
            assert!(measured.is_ok_and(|each| each.time > 0.0), "{floor}");
        }
    }
}
