//! async-channel. It has no capacity 0 (`bounded(0)` panics).

use std::fmt::Debug;
use std::future::Future;

use async_channel::{Receiver, Sender};
use tokio::runtime::Runtime;

use crate::peer::{AsyncRx, AsyncTx, BlockingRx, BlockingTx, Peer};
use crate::race::{Ends, Lap, Race};
use crate::{tasks, threads};

#[derive(Debug)]
pub(crate) struct AsyncChannel;

impl Peer for AsyncChannel {
    fn name(&self) -> &'static str {
        "async-channel"
    }

    fn on_threads(&self, race: &Race) -> Option<Lap> {
        Some(threads::run(race, open(race)?))
    }

    fn in_tasks(&self, race: &Race, runtime: &Runtime) -> Option<Lap> {
        Some(tasks::run(race, open(race)?, runtime))
    }
}

fn open(race: &Race) -> Option<Ends<Sender<u64>, Receiver<u64>>> {
    let pair = match race.capacity {
        Some(0) => return None,
        Some(capacity) => async_channel::bounded(capacity),
        None => async_channel::unbounded(),
    };
    Some(Ends::many_to_many(pair, race))
}

impl BlockingTx for Sender<u64> {
    fn send(&mut self, message: u64) -> Result<(), impl Debug> {
        self.send_blocking(message)
    }
}

impl BlockingRx for Receiver<u64> {
    fn recv(&mut self) -> Result<u64, impl Debug> {
        self.recv_blocking()
    }
}

impl AsyncTx for Sender<u64> {
    fn send(&mut self, message: u64) -> impl Future<Output = Result<(), impl Debug>> + Send {
        Sender::send(self, message)
    }
}

impl AsyncRx for Receiver<u64> {
    fn recv(&mut self) -> impl Future<Output = Result<u64, impl Debug>> + Send {
        Receiver::recv(self)
    }
}
