//! A race with a thread for each participant.

use std::ops::Range;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use crate::peer::{BlockingRx, BlockingTx};
use crate::race::{Ends, Lap, Leg, Race, Tally};

pub(crate) fn run<Tx: BlockingTx, Rx: BlockingRx>(race: &Race, ends: Ends<Tx, Rx>) -> Lap {
    let start = &Barrier::new(race.participants());
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for rx in ends.receivers {
            threads.push(scope.spawn(move || receive(rx, start)));
        }
        for (place, tx) in ends.senders.into_iter().enumerate() {
            let share = race.share(place);
            threads.push(scope.spawn(move || send(tx, share, start)));
        }
        let join = |thread: thread::ScopedJoinHandle<'_, Leg>| thread.join().expect("no panic");
        Lap::of(&threads.into_iter().map(join).collect::<Vec<_>>())
    })
}

fn send<Tx: BlockingTx>(mut tx: Tx, share: Range<u64>, start: &Barrier) -> Leg {
    start.wait();
    let began = Instant::now();
    for message in share {
        // A channel that refuses a message while its receivers live shows as lost messages.
        if tx.send(message).is_err() {
            break;
        }
    }
    Leg::since(began, Tally::default())
}

fn receive<Rx: BlockingRx>(mut rx: Rx, start: &Barrier) -> Leg {
    start.wait();
    let began = Instant::now();
    let mut received = Tally::default();
    while let Ok(message) = rx.recv() {
        received.add(message);
    }
    Leg::since(began, received)
}
