//! async-channel. It has no capacity 0 (`bounded(0)` panics).

use std::fmt::Debug;
use std::future::Future;

use async_channel::{Receiver, Sender};

use crate::message::Payload;
use crate::peer::{Adapter, AsyncRx, AsyncTx, BlockingRx, BlockingTx, InTasks, OnThreads};
use crate::shape::{Ends, Shape};

#[derive(Debug)]
pub(crate) struct AsyncChannel;

impl Adapter for AsyncChannel {
    fn on_threads<T: Payload, W: OnThreads<T>>(shape: Shape, work: W) -> Option<W::Output> {
        (shape.capacity != Some(0)).then(|| work.run(|| open(shape)))
    }

    fn in_tasks<T: Payload, W: InTasks<T>>(shape: Shape, work: W) -> Option<W::Output> {
        (shape.capacity != Some(0)).then(|| work.run(|| open(shape)))
    }
}

fn open<T>(shape: Shape) -> Ends<Sender<T>, Receiver<T>> {
    let pair = match shape.capacity {
        Some(capacity) => async_channel::bounded(capacity),
        None => async_channel::unbounded(),
    };
    Ends::many_to_many(pair, shape)
}

impl<T: Payload> BlockingTx<T> for Sender<T> {
    fn send(&mut self, message: T) -> Result<(), impl Debug> {
        self.send_blocking(message)
    }
}

impl<T: Payload> BlockingRx<T> for Receiver<T> {
    fn recv(&mut self) -> Result<T, impl Debug> {
        self.recv_blocking()
    }
}

impl<T: Payload> AsyncTx<T> for Sender<T> {
    fn send(&mut self, message: T) -> impl Future<Output = Result<(), impl Debug>> + Send {
        Sender::send(self, message)
    }
}

impl<T: Payload> AsyncRx<T> for Receiver<T> {
    fn recv(&mut self) -> impl Future<Output = Result<T, impl Debug>> + Send {
        Receiver::recv(self)
    }
}
