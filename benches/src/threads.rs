//! A race with a thread for each participant.

use std::ops::Range;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use crate::message::Message;
use crate::peer::{BlockingRx, BlockingTx, OnThreads};
use crate::race::{Lap, Leg, Race, Tally};
use crate::shape::Ends;

#[derive(Debug)]
pub(crate) struct InThreads(pub(crate) Race);

impl<T: Message> OnThreads<T> for InThreads {
    type Output = Lap;

    fn run<Tx: BlockingTx<T>, Rx: BlockingRx<T>>(self, open: impl Fn() -> Ends<Tx, Rx>) -> Lap {
        let InThreads(race) = self;
        let ends = open();
        let start = &Barrier::new(race.shape.participants());
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
}

pub(crate) fn send<T: Message>(
    mut tx: impl BlockingTx<T>,
    share: Range<u64>,
    start: &Barrier,
) -> Leg {
    start.wait();
    let began = Instant::now();
    for number in share {
        // A channel that refuses a message while its receivers live shows as lost messages.
        if tx.send(T::numbered(number)).is_err() {
            break;
        }
    }
    Leg::since(began, Tally::default())
}

pub(crate) fn receive<T: Message>(mut rx: impl BlockingRx<T>, start: &Barrier) -> Leg {
    start.wait();
    let began = Instant::now();
    let mut received = Tally::default();
    while let Ok(message) = rx.recv() {
        received.add(&message);
    }
    Leg::since(began, received)
}
