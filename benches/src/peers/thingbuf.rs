//! thingbuf's mpsc, with values and not with its references to places, which no other crate has. It has no capacity 0, no
//! unbounded channel and a single receiver.

use std::fmt::Debug;

use thingbuf::mpsc::errors::TryRecvError;
use thingbuf::mpsc::{Receiver, Sender, blocking, channel};

use crate::message::Payload;
use crate::peer::{Adapter, AsyncRx, AsyncTx, BlockingRx, BlockingTx, InTasks, OnThreads};
use crate::shape::{Ends, Shape};

#[derive(Debug)]
pub(crate) struct Thingbuf;

impl Adapter for Thingbuf {
    fn on_threads<T: Payload, W: OnThreads<T>>(shape: Shape, work: W) -> Option<W::Output> {
        match (shape.receivers, shape.capacity) {
            (1, Some(n @ 1..)) => Some(work.run(|| Ends::many_to_one(blocking::channel(n), shape))),
            _ => None,
        }
    }

    fn in_tasks<T: Payload, W: InTasks<T>>(shape: Shape, work: W) -> Option<W::Output> {
        match (shape.receivers, shape.capacity) {
            (1, Some(n @ 1..)) => Some(work.run(|| Ends::many_to_one(channel(n), shape))),
            _ => None,
        }
    }
}

impl<T: Payload> BlockingTx<T> for blocking::Sender<T> {
    fn send(&mut self, message: T) -> Result<(), impl Debug> {
        blocking::Sender::send(self, message).map_err(drop)
    }
}

impl<T: Payload> BlockingRx<T> for blocking::Receiver<T> {
    fn recv(&mut self) -> Result<T, impl Debug> {
        blocking::Receiver::recv(self).ok_or(TryRecvError::Closed)
    }
}

impl<T: Payload> AsyncTx<T> for Sender<T> {
    async fn send(&mut self, message: T) -> Result<(), impl Debug> {
        Sender::send(self, message).await.map_err(drop)
    }
}

impl<T: Payload> AsyncRx<T> for Receiver<T> {
    async fn recv(&mut self) -> Result<T, impl Debug> {
        Receiver::recv(self).await.ok_or(TryRecvError::Closed)
    }
}
