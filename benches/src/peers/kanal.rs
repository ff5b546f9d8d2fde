//! kanal, with its sync handles on threads and its async handles in tasks.

use std::fmt::Debug;
use std::future::Future;

use kanal::{AsyncReceiver, AsyncSender, Receiver, Sender};

use crate::message::Payload;
use crate::peer::{Adapter, AsyncRx, AsyncTx, BlockingRx, BlockingTx, InTasks, OnThreads};
use crate::shape::{Ends, Shape};

#[derive(Debug)]
pub(crate) struct Kanal;

impl Adapter for Kanal {
    fn on_threads<T: Payload, W: OnThreads<T>>(shape: Shape, work: W) -> Option<W::Output> {
        Some(work.run(|| {
            let pair = match shape.capacity {
                Some(capacity) => kanal::bounded(capacity),
                None => kanal::unbounded(),
            };
            Ends::many_to_many(pair, shape)
        }))
    }

    fn in_tasks<T: Payload, W: InTasks<T>>(shape: Shape, work: W) -> Option<W::Output> {
        Some(work.run(|| {
            let pair = match shape.capacity {
                Some(capacity) => kanal::bounded_async(capacity),
                None => kanal::unbounded_async(),
            };
            Ends::many_to_many(pair, shape)
        }))
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

impl<T: Payload> AsyncTx<T> for AsyncSender<T> {
    fn send(&mut self, message: T) -> impl Future<Output = Result<(), impl Debug>> + Send {
        AsyncSender::send(self, message)
    }
}

impl<T: Payload> AsyncRx<T> for AsyncReceiver<T> {
    fn recv(&mut self) -> impl Future<Output = Result<T, impl Debug>> + Send {
        AsyncReceiver::recv(self)
    }
}
