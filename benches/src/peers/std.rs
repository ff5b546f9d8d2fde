//! The standard library's channels: `sync_channel` and, unbounded, `channel`. They have a single receiver and no async side.

use std::fmt::Debug;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use crate::message::Payload;
use crate::peer::{Adapter, BlockingRx, BlockingTx, OnThreads};
use crate::shape::{Ends, Shape};

#[derive(Debug)]
pub(crate) struct Std;

impl Adapter for Std {
    fn on_threads<T: Payload, W: OnThreads<T>>(shape: Shape, work: W) -> Option<W::Output> {
        Some(match (shape.receivers, shape.capacity) {
            (1, None) => work.run(|| Ends::many_to_one(channel(), shape)),
            (1, Some(n)) => work.run(|| Ends::many_to_one(sync_channel(n), shape)),
            _ => return None,
        })
    }
}

impl<T: Payload> BlockingTx<T> for SyncSender<T> {
    fn send(&mut self, message: T) -> Result<(), impl Debug> {
        SyncSender::send(self, message)
    }
}

impl<T: Payload> BlockingTx<T> for Sender<T> {
    fn send(&mut self, message: T) -> Result<(), impl Debug> {
        Sender::send(self, message)
    }
}

impl<T: Payload> BlockingRx<T> for Receiver<T> {
    fn recv(&mut self) -> Result<T, impl Debug> {
        Receiver::recv(self)
    }
}
