//! crossfire, with the narrowest of its modules that the shape permits: `spsc` for one to one,
//! `mpsc` for many to one, `mpmc` otherwise. A capacity of 0 it would silently turn into 1.

use std::fmt::Debug;
use std::future::{Future, ready};

use crossfire::flavor::Flavor;
use crossfire::{
    AsyncRx as SoleAsyncRx, AsyncTx as SoleAsyncTx, MAsyncRx, MAsyncTx, MRx, MTx, Rx, Tx,
    detect_backoff_cfg, mpmc, mpsc, spsc,
};

use crate::message::Payload;
use crate::peer::{Adapter, AsyncRx, AsyncTx, BlockingRx, BlockingTx, InTasks, OnThreads};
use crate::shape::{Ends, Shape};

#[derive(Debug)]
pub(crate) struct Crossfire;

/// The ends of the channel that fits, from `$bounded` or `$unbounded` of the module that fits.
macro_rules! run {
    ($work:ident, $shape:ident, $bounded:ident, $unbounded:ident) => {{
        // Its documentation asks programs to do this once, for machines with a single core.
        detect_backoff_cfg();
        Some(match ($shape.senders, $shape.receivers, $shape.capacity) {
            (_, _, Some(0)) => return None,
            (1, 1, Some(n)) => $work.run(|| Ends::one_to_one(spsc::$bounded(n))),
            (1, 1, None) => $work.run(|| Ends::one_to_one(spsc::$unbounded())),
            (_, 1, Some(n)) => $work.run(|| Ends::many_to_one(mpsc::$bounded(n), $shape)),
            (_, 1, None) => $work.run(|| Ends::many_to_one(mpsc::$unbounded(), $shape)),
            (_, _, Some(n)) => $work.run(|| Ends::many_to_many(mpmc::$bounded(n), $shape)),
            (_, _, None) => $work.run(|| Ends::many_to_many(mpmc::$unbounded(), $shape)),
        })
    }};
}

impl Adapter for Crossfire {
    fn on_threads<T: Payload, W: OnThreads<T>>(shape: Shape, work: W) -> Option<W::Output> {
        run!(work, shape, bounded_blocking, unbounded_blocking)
    }

    fn in_tasks<T: Payload, W: InTasks<T>>(shape: Shape, work: W) -> Option<W::Output> {
        run!(work, shape, bounded_async, unbounded_async)
    }
}

impl<T: Payload, F: Flavor<Item = T>> BlockingTx<T> for Tx<F> {
    fn send(&mut self, message: T) -> Result<(), impl Debug> {
        Tx::send(self, message)
    }
}

impl<T: Payload, F: Flavor<Item = T>> BlockingTx<T> for MTx<F> {
    fn send(&mut self, message: T) -> Result<(), impl Debug> {
        Tx::send(self, message)
    }
}

impl<T: Payload, F: Flavor<Item = T>> BlockingRx<T> for Rx<F> {
    fn recv(&mut self) -> Result<T, impl Debug> {
        Rx::recv(self)
    }
}

impl<T: Payload, F: Flavor<Item = T>> BlockingRx<T> for MRx<F> {
    fn recv(&mut self) -> Result<T, impl Debug> {
        Rx::recv(self)
    }
}

impl<T: Payload, F: Flavor<Item = T>> AsyncTx<T> for SoleAsyncTx<F> {
    fn send(&mut self, message: T) -> impl Future<Output = Result<(), impl Debug>> + Send {
        SoleAsyncTx::send(self, message)
    }
}

impl<T: Payload, F: Flavor<Item = T>> AsyncTx<T> for MAsyncTx<F> {
    fn send(&mut self, message: T) -> impl Future<Output = Result<(), impl Debug>> + Send {
        SoleAsyncTx::send(self, message)
    }
}

/// The unbounded sender is the same for threads and tasks: it never waits.
impl<T: Payload> AsyncTx<T> for Tx<spsc::List<T>> {
    fn send(&mut self, message: T) -> impl Future<Output = Result<(), impl Debug>> + Send {
        ready(Tx::send(self, message))
    }
}

/// As the unbounded sender of `spsc`; `mpsc` and `mpmc` differ in the flavour's type only.
impl<T: Payload> AsyncTx<T> for MTx<mpsc::List<T>> {
    fn send(&mut self, message: T) -> impl Future<Output = Result<(), impl Debug>> + Send {
        ready(Tx::send(self, message))
    }
}

impl<T: Payload> AsyncTx<T> for MTx<mpmc::List<T>> {
    fn send(&mut self, message: T) -> impl Future<Output = Result<(), impl Debug>> + Send {
        ready(Tx::send(self, message))
    }
}

impl<T: Payload, F: Flavor<Item = T>> AsyncRx<T> for SoleAsyncRx<F> {
    fn recv(&mut self) -> impl Future<Output = Result<T, impl Debug>> + Send {
        SoleAsyncRx::recv(self)
    }
}

impl<T: Payload, F: Flavor<Item = T>> AsyncRx<T> for MAsyncRx<F> {
    fn recv(&mut self) -> impl Future<Output = Result<T, impl Debug>> + Send {
        SoleAsyncRx::recv(self)
    }
}
