//! A race with a task for each participant.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Runtime;
use tokio::sync::Barrier;

use crate::peer::{AsyncRx, AsyncTx};
use crate::race::{Ends, Lap, Leg, Race, Tally};

/// The calling thread only waits for the tasks: none of them runs on it.
pub(crate) fn run<Tx: AsyncTx, Rx: AsyncRx>(
    race: &Race,
    ends: Ends<Tx, Rx>,
    runtime: &Runtime,
) -> Lap {
    let start = Arc::new(Barrier::new(race.participants()));
    let mut tasks = Vec::new();
    for rx in ends.receivers {
        tasks.push(runtime.spawn(receive(rx, Arc::clone(&start))));
    }
    for (place, tx) in ends.senders.into_iter().enumerate() {
        tasks.push(runtime.spawn(send(tx, race.share(place), Arc::clone(&start))));
    }
    runtime.block_on(async {
        let mut legs = Vec::new();
        for task in tasks {
            legs.push(task.await.expect("no panic"));
        }
        Lap::of(&legs)
    })
}

async fn send<Tx: AsyncTx>(mut tx: Tx, share: Range<u64>, start: Arc<Barrier>) -> Leg {
    start.wait().await;
    let began = Instant::now();
    for message in share {
        // A channel that refuses a message while its receivers live shows as lost messages.
        if tx.send(message).await.is_err() {
            break;
        }
    }
    Leg::since(began, Tally::default())
}

async fn receive<Rx: AsyncRx>(mut rx: Rx, start: Arc<Barrier>) -> Leg {
    start.wait().await;
    let began = Instant::now();
    let mut received = Tally::default();
    while let Ok(message) = rx.recv().await {
        received.add(message);
    }
    Leg::since(began, received)
}
