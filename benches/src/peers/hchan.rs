//! hchan.

use std::fmt::Debug;
use std::future::Future;

use hchan::{Receiver, Sender};
use tokio::runtime::Runtime;

use crate::peer::{AsyncRx, AsyncTx, BlockingRx, BlockingTx, Peer};
use crate::race::{Ends, Lap, Race};
use crate::{tasks, threads};

#[derive(Debug)]
pub(crate) struct Hchan;

impl Peer for Hchan {
    fn name(&self) -> &'static str {
        "hchan"
    }

    fn on_threads(&self, race: &Race) -> Option<Lap> {
        Some(threads::run(race, open(race)))
    }

    fn in_tasks(&self, race: &Race, runtime: &Runtime) -> Option<Lap> {
        Some(tasks::run(race, open(race), runtime))
    }
}

fn open(race: &Race) -> Ends<Sender<u64>, Receiver<u64>> {
    let pair = match race.capacity {
        Some(capacity) => hchan::bounded(capacity),
        None => hchan::unbounded(),
    };
    Ends::many_to_many(pair, race)
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
