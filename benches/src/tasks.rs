//! A race with a task for each participant.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Runtime;
use tokio::sync::Barrier;

use crate::message::Message;
use crate::peer::{AsyncRx, AsyncTx, InTasks};
use crate::race::{Lap, Leg, Race, Tally};
use crate::shape::Ends;

/// The calling thread only waits for the tasks: none of them runs on it.
#[derive(Debug)]
pub(crate) struct OnRuntime<'r>(pub(crate) Race, pub(crate) &'r Runtime);

impl<T: Message> InTasks<T> for OnRuntime<'_> {
    type Output = Lap;

    fn run<Tx: AsyncTx<T>, Rx: AsyncRx<T>>(self, open: impl Fn() -> Ends<Tx, Rx>) -> Lap {
        let OnRuntime(race, runtime) = self;
        let ends = open();
        let start = Arc::new(Barrier::new(race.shape.participants()));
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
}

pub(crate) async fn send<T: Message>(
    mut tx: impl AsyncTx<T>,
    share: Range<u64>,
    start: Arc<Barrier>,
) -> Leg {
    start.wait().await;
    let began = Instant::now();
    for number in share {
        // A channel that refuses a message while its receivers live shows as lost messages.
        if tx.send(T::numbered(number)).await.is_err() {
            break;
        }
    }
    Leg::since(began, Tally::default())
}

pub(crate) async fn receive<T: Message>(mut rx: impl AsyncRx<T>, start: Arc<Barrier>) -> Leg {
    start.wait().await;
    let began = Instant::now();
    let mut received = Tally::default();
    while let Ok(message) = rx.recv().await {
        received.add(&message);
    }
    Leg::since(began, received)
}
