//! tachyonix. It has no capacity 0 (`channel(0)` panics), no unbounded channel, a single receiver and no blocking side.

use std::fmt::Debug;
use std::future::Future;

use tachyonix::{Receiver, Sender, channel};

use crate::message::Payload;
use crate::peer::{Adapter, AsyncRx, AsyncTx, InTasks};
use crate::shape::{Ends, Shape};

#[derive(Debug)]
pub(crate) struct Tachyonix;

impl Adapter for Tachyonix {
    fn in_tasks<T: Payload, W: InTasks<T>>(shape: Shape, work: W) -> Option<W::Output> {
        match (shape.receivers, shape.capacity) {
            (1, Some(n @ 1..)) => Some(work.run(|| Ends::many_to_one(channel(n), shape))),
            _ => None,
        }
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
