//! crossfire, with the narrowest of its modules that the shape permits: `spsc` for one to one,
//! `mpsc` for many to one, `mpmc` otherwise. A capacity of 0 it would silently turn into 1.

use std::fmt::Debug;
use std::future::{Future, ready};

use crossfire::flavor::Flavor;
use crossfire::{
    AsyncRx as SoleAsyncRx, AsyncTx as SoleAsyncTx, MAsyncRx, MAsyncTx, MRx, MTx, Rx, Tx,
    detect_backoff_cfg, mpmc, mpsc, spsc,
};
use tokio::runtime::Runtime;

use crate::peer::{AsyncRx, AsyncTx, BlockingRx, BlockingTx, Peer};
use crate::race::{Ends, Lap, Race};
use crate::{tasks, threads};

#[derive(Debug)]
pub(crate) struct Crossfire;

impl Peer for Crossfire {
    fn name(&self) -> &'static str {
        "crossfire"
    }

    fn on_threads(&self, race: &Race) -> Option<Lap> {
        // Its documentation asks programs to do this once, for machines with a single core.
        detect_backoff_cfg();
        Some(match (race.senders, race.receivers, race.capacity) {
            (_, _, Some(0)) => return None,
            (1, 1, Some(capacity)) => {
                threads::run(race, Ends::one_to_one(spsc::bounded_blocking(capacity)))
            }
            (1, 1, None) => threads::run(race, Ends::one_to_one(spsc::unbounded_blocking())),
            (_, 1, Some(capacity)) => threads::run(
                race,
                Ends::many_to_one(mpsc::bounded_blocking(capacity), race),
            ),
            (_, 1, None) => threads::run(race, Ends::many_to_one(mpsc::unbounded_blocking(), race)),
            (_, _, Some(capacity)) => threads::run(
                race,
                Ends::many_to_many(mpmc::bounded_blocking(capacity), race),
            ),
            (_, _, None) => {
                threads::run(race, Ends::many_to_many(mpmc::unbounded_blocking(), race))
            }
        })
    }

    fn in_tasks(&self, race: &Race, runtime: &Runtime) -> Option<Lap> {
        detect_backoff_cfg();
        Some(match (race.senders, race.receivers, race.capacity) {
            (_, _, Some(0)) => return None,
            (1, 1, Some(capacity)) => tasks::run(
                race,
                Ends::one_to_one(spsc::bounded_async(capacity)),
                runtime,
            ),
            (1, 1, None) => tasks::run(race, Ends::one_to_one(spsc::unbounded_async()), runtime),
            (_, 1, Some(capacity)) => tasks::run(
                race,
                Ends::many_to_one(mpsc::bounded_async(capacity), race),
                runtime,
            ),
            (_, 1, None) => tasks::run(
                race,
                Ends::many_to_one(mpsc::unbounded_async(), race),
                runtime,
            ),
            (_, _, Some(capacity)) => tasks::run(
                race,
                Ends::many_to_many(mpmc::bounded_async(capacity), race),
                runtime,
            ),
            (_, _, None) => tasks::run(
                race,
                Ends::many_to_many(mpmc::unbounded_async(), race),
                runtime,
            ),
        })
    }
}

impl<F: Flavor<Item = u64>> BlockingTx for Tx<F> {
    fn send(&mut self, message: u64) -> Result<(), impl Debug> {
        Tx::send(self, message)
    }
}

impl<F: Flavor<Item = u64>> BlockingTx for MTx<F> {
    fn send(&mut self, message: u64) -> Result<(), impl Debug> {
        Tx::send(self, message)
    }
}

impl<F: Flavor<Item = u64>> BlockingRx for Rx<F> {
    fn recv(&mut self) -> Result<u64, impl Debug> {
        Rx::recv(self)
    }
}

impl<F: Flavor<Item = u64>> BlockingRx for MRx<F> {
    fn recv(&mut self) -> Result<u64, impl Debug> {
        Rx::recv(self)
    }
}

impl<F: Flavor<Item = u64> + 'static> AsyncTx for SoleAsyncTx<F> {
    fn send(&mut self, message: u64) -> impl Future<Output = Result<(), impl Debug>> + Send {
        SoleAsyncTx::send(self, message)
    }
}

impl<F: Flavor<Item = u64> + 'static> AsyncTx for MAsyncTx<F> {
    fn send(&mut self, message: u64) -> impl Future<Output = Result<(), impl Debug>> + Send {
        SoleAsyncTx::send(self, message)
    }
}

/// The unbounded sender is the same for threads and tasks: it never waits.
impl AsyncTx for Tx<spsc::List<u64>> {
    fn send(&mut self, message: u64) -> impl Future<Output = Result<(), impl Debug>> + Send {
        ready(Tx::send(self, message))
    }
}

/// As the unbounded sender of `spsc`; `mpsc` and `mpmc` differ in the flavour's type only.
impl AsyncTx for MTx<mpsc::List<u64>> {
    fn send(&mut self, message: u64) -> impl Future<Output = Result<(), impl Debug>> + Send {
        ready(Tx::send(self, message))
    }
}

impl AsyncTx for MTx<mpmc::List<u64>> {
    fn send(&mut self, message: u64) -> impl Future<Output = Result<(), impl Debug>> + Send {
        ready(Tx::send(self, message))
    }
}

impl<F: Flavor<Item = u64> + 'static> AsyncRx for SoleAsyncRx<F> {
    fn recv(&mut self) -> impl Future<Output = Result<u64, impl Debug>> + Send {
        SoleAsyncRx::recv(self)
    }
}

impl<F: Flavor<Item = u64> + 'static> AsyncRx for MAsyncRx<F> {
    fn recv(&mut self) -> impl Future<Output = Result<u64, impl Debug>> + Send {
        SoleAsyncRx::recv(self)
    }
}
