//! tokio's mpsc. It has no capacity 0 (`channel(0)` panics) and a single receiver.

use std::fmt::Debug;
use std::future::{Future, ready};

use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::mpsc::{
    Receiver, Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel,
};

use crate::message::Payload;
use crate::peer::{Adapter, AsyncRx, AsyncTx, BlockingRx, BlockingTx, InTasks, OnThreads};
use crate::shape::{Ends, Shape};

#[derive(Debug)]
pub(crate) struct Tokio;

impl Adapter for Tokio {
    fn on_threads<T: Payload, W: OnThreads<T>>(shape: Shape, work: W) -> Option<W::Output> {
        Some(match (shape.receivers, shape.capacity) {
            (1, None) => work.run(|| Ends::many_to_one(unbounded_channel(), shape)),
            (1, Some(capacity @ 1..)) => work.run(|| Ends::many_to_one(channel(capacity), shape)),
            _ => return None,
        })
    }

    fn in_tasks<T: Payload, W: InTasks<T>>(shape: Shape, work: W) -> Option<W::Output> {
        Some(match (shape.receivers, shape.capacity) {
            (1, None) => work.run(|| Ends::many_to_one(unbounded_channel(), shape)),
            (1, Some(capacity @ 1..)) => work.run(|| Ends::many_to_one(channel(capacity), shape)),
            _ => return None,
        })
    }
}

impl<T: Payload> BlockingTx<T> for Sender<T> {
    fn send(&mut self, message: T) -> Result<(), impl Debug> {
        self.blocking_send(message).map_err(drop)
    }
}

impl<T: Payload> BlockingRx<T> for Receiver<T> {
    fn recv(&mut self) -> Result<T, impl Debug> {
        self.blocking_recv().ok_or(TryRecvError::Disconnected)
    }
}

impl<T: Payload> BlockingTx<T> for UnboundedSender<T> {
    fn send(&mut self, message: T) -> Result<(), impl Debug> {
        UnboundedSender::send(self, message).map_err(drop)
    }
}

impl<T: Payload> BlockingRx<T> for UnboundedReceiver<T> {
    fn recv(&mut self) -> Result<T, impl Debug> {
        self.blocking_recv().ok_or(TryRecvError::Disconnected)
    }
}

impl<T: Payload> AsyncTx<T> for Sender<T> {
    fn send(&mut self, message: T) -> impl Future<Output = Result<(), impl Debug>> + Send {
        Sender::send(self, message)
    }
}

impl<T: Payload> AsyncRx<T> for Receiver<T> {
    async fn recv(&mut self) -> Result<T, impl Debug> {
        Receiver::recv(self).await.ok_or(TryRecvError::Disconnected)
    }
}

/// The unbounded sender never waits, so it has no future.
impl<T: Payload> AsyncTx<T> for UnboundedSender<T> {
    fn send(&mut self, message: T) -> impl Future<Output = Result<(), impl Debug>> + Send {
        ready(UnboundedSender::send(self, message))
    }
}

impl<T: Payload> AsyncRx<T> for UnboundedReceiver<T> {
    async fn recv(&mut self) -> Result<T, impl Debug> {
        let message = UnboundedReceiver::recv(self).await;
        message.ok_or(TryRecvError::Disconnected)
    }
}
