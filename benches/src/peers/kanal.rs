//! kanal, with its sync handles on threads and its async handles in tasks.

use std::fmt::Debug;
use std::future::Future;

use kanal::{AsyncReceiver, AsyncSender, Receiver, Sender};
use tokio::runtime::Runtime;

use crate::peer::{AsyncRx, AsyncTx, BlockingRx, BlockingTx, Peer};
use crate::race::{Ends, Lap, Race};
use crate::{tasks, threads};

#[derive(Debug)]
pub(crate) struct Kanal;

impl Peer for Kanal {
    fn name(&self) -> &'static str {
        "kanal"
    }

    fn on_threads(&self, race: &Race) -> Option<Lap> {
        let pair = match race.capacity {
            Some(capacity) => kanal::bounded(capacity),
            None => kanal::unbounded(),
        };
        Some(threads::run(race, Ends::many_to_many(pair, race)))
    }

    fn in_tasks(&self, race: &Race, runtime: &Runtime) -> Option<Lap> {
        let pair = match race.capacity {
            Some(capacity) => kanal::bounded_async(capacity),
            None => kanal::unbounded_async(),
        };
        Some(tasks::run(race, Ends::many_to_many(pair, race), runtime))
    }
}

impl BlockingTx for Sender<u64> {
    fn send(&mut self, message: u64) -> Result<(), impl Debug> {
        Sender::send(self, message)
    }
}

impl BlockingRx for Receiver<u64> {
    fn recv(&mut self) -> Result<u64, impl Debug> {
        Receiver::recv(self)
    }
}

impl AsyncTx for AsyncSender<u64> {
    fn send(&mut self, message: u64) -> impl Future<Output = Result<(), impl Debug>> + Send {
        AsyncSender::send(self, message)
    }
}

impl AsyncRx for AsyncReceiver<u64> {
    fn recv(&mut self) -> impl Future<Output = Result<u64, impl Debug>> + Send {
        AsyncReceiver::recv(self)
    }
}
