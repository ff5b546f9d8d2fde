//! loole, which promises the interface of flume.

use std::fmt::Debug;
use std::future::Future;

use loole::{Receiver, Sender};

use crate::message::Payload;
use crate::peer::{Adapter, AsyncRx, AsyncTx, BlockingRx, BlockingTx, InTasks, OnThreads};
use crate::shape::{Ends, Shape};

#[derive(Debug)]
pub(crate) struct Loole;

impl Adapter for Loole {
    fn on_threads<T: Payload, W: OnThreads<T>>(shape: Shape, work: W) -> Option<W::Output> {
        Some(work.run(|| open(shape)))
    }

    fn in_tasks<T: Payload, W: InTasks<T>>(shape: Shape, work: W) -> Option<W::Output> {
        Some(work.run(|| open(shape)))
    }
}

fn open<T>(shape: Shape) -> Ends<Sender<T>, Receiver<T>> {
    let pair = match shape.capacity {
        Some(capacity) => loole::bounded(capacity),
        None => loole::unbounded(),
    };
    Ends::many_to_many(pair, shape)
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

impl<T: Payload> AsyncTx<T> for Sender<T> {
    fn send(&mut self, message: T) -> impl Future<Output = Result<(), impl Debug>> + Send {
        self.send_async(message)
    }
}

impl<T: Payload> AsyncRx<T> for Receiver<T> {
    fn recv(&mut self) -> impl Future<Output = Result<T, impl Debug>> + Send {
        self.recv_async()
    }
}
