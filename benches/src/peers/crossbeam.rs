//! crossbeam-channel. It has no async side.

use std::fmt::Debug;

use crossbeam_channel::{Receiver, Sender};

use crate::message::Payload;
use crate::peer::{Adapter, BlockingRx, BlockingTx, OnThreads};
use crate::shape::{Ends, Shape};

#[derive(Debug)]
pub(crate) struct Crossbeam;

impl Adapter for Crossbeam {
    fn on_threads<T: Payload, W: OnThreads<T>>(shape: Shape, work: W) -> Option<W::Output> {
        Some(work.run(|| open(shape)))
    }
}

fn open<T>(shape: Shape) -> Ends<Sender<T>, Receiver<T>> {
    let pair = match shape.capacity {
        Some(capacity) => crossbeam_channel::bounded(capacity),
        None => crossbeam_channel::unbounded(),
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
