//! tokio's mpsc. It has no capacity 0 (`channel(0)` panics) and a single receiver.

use std::fmt::Debug;
use std::future::{Future, ready};

use tokio::runtime::Runtime;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::mpsc::{
    Receiver, Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel,
};

use crate::peer::{AsyncRx, AsyncTx, BlockingRx, BlockingTx, Peer};
use crate::race::{Ends, Lap, Race};
use crate::{tasks, threads};

#[derive(Debug)]
pub(crate) struct Tokio;

impl Peer for Tokio {
    fn name(&self) -> &'static str {
        "tokio"
    }

    fn on_threads(&self, race: &Race) -> Option<Lap> {
        Some(match (race.receivers, race.capacity) {
            (1, None) => threads::run(race, Ends::many_to_one(unbounded_channel(), race)),
            (1, Some(capacity @ 1..)) => {
                threads::run(race, Ends::many_to_one(channel(capacity), race))
            }
            _ => return None,
        })
    }

    fn in_tasks(&self, race: &Race, runtime: &Runtime) -> Option<Lap> {
        Some(match (race.receivers, race.capacity) {
            (1, None) => tasks::run(race, Ends::many_to_one(unbounded_channel(), race), runtime),
            (1, Some(capacity @ 1..)) => {
                tasks::run(race, Ends::many_to_one(channel(capacity), race), runtime)
            }
            _ => return None,
        })
    }
}

impl BlockingTx for Sender<u64> {
    fn send(&mut self, message: u64) -> Result<(), impl Debug> {
        self.blocking_send(message)
    }
}

impl BlockingRx for Receiver<u64> {
    fn recv(&mut self) -> Result<u64, impl Debug> {
        self.blocking_recv().ok_or(TryRecvError::Disconnected)
    }
}

impl BlockingTx for UnboundedSender<u64> {
    fn send(&mut self, message: u64) -> Result<(), impl Debug> {
        UnboundedSender::send(self, message)
    }
}

impl BlockingRx for UnboundedReceiver<u64> {
    fn recv(&mut self) -> Result<u64, impl Debug> {
        self.blocking_recv().ok_or(TryRecvError::Disconnected)
    }
}

impl AsyncTx for Sender<u64> {
    fn send(&mut self, message: u64) -> impl Future<Output = Result<(), impl Debug>> + Send {
        Sender::send(self, message)
    }
}

impl AsyncRx for Receiver<u64> {
    async fn recv(&mut self) -> Result<u64, impl Debug> {
        Receiver::recv(self).await.ok_or(TryRecvError::Disconnected)
    }
}

/// The unbounded sender never waits, so it has no future.
impl AsyncTx for UnboundedSender<u64> {
    fn send(&mut self, message: u64) -> impl Future<Output = Result<(), impl Debug>> + Send {
        ready(UnboundedSender::send(self, message))
    }
}

impl AsyncRx for UnboundedReceiver<u64> {
    async fn recv(&mut self) -> Result<u64, impl Debug> {
        let message = UnboundedReceiver::recv(self).await;
        message.ok_or(TryRecvError::Disconnected)
    }
}
