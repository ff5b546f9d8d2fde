//! crossbeam-channel. It has no async side.

use std::fmt::Debug;

use crossbeam_channel::{Receiver, Sender};
use tokio::runtime::Runtime;

use crate::peer::{BlockingRx, BlockingTx, Peer};
use crate::race::{Ends, Lap, Race};
use crate::threads;

#[derive(Debug)]
pub(crate) struct Crossbeam;

impl Peer for Crossbeam {
    fn name(&self) -> &'static str {
        "crossbeam-channel"
    }

    fn on_threads(&self, race: &Race) -> Option<Lap> {
        let pair = match race.capacity {
            Some(capacity) => crossbeam_channel::bounded(capacity),
            None => crossbeam_channel::unbounded(),
        };
        Some(threads::run(race, Ends::many_to_many(pair, race)))
    }

    fn in_tasks(&self, _: &Race, _: &Runtime) -> Option<Lap> {
        None
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
