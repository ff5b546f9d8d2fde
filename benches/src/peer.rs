//! What a channel crate has to offer to take part.

use std::fmt::Debug;
use std::future::Future;

use tokio::runtime::Runtime;

use crate::peers;
use crate::race::{Lap, Race};

/// A channel crate.
///
/// Each adapter opens the crate's best fitting channel and hands its ends to [`threads::run`] or
/// [`tasks::run`], which are generic, so that each race is compiled for the very types of the
/// crate. A dispatch per message would weigh as much as the message.
///
/// [`threads::run`]: crate::threads::run
/// [`tasks::run`]: crate::tasks::run
pub(crate) trait Peer: Debug + Sync {
    /// The crate's name on the registry.
    fn name(&self) -> &'static str;

    /// Races on threads. `None`: the crate has no such channel.
    fn on_threads(&self, race: &Race) -> Option<Lap>;

    /// Races in tasks of `runtime`. `None`: the crate has no such channel.
    fn in_tasks(&self, race: &Race, runtime: &Runtime) -> Option<Lap>;
}

/// A sending end used from a thread.
pub(crate) trait BlockingTx: Send {
    fn send(&mut self, message: u64) -> Result<(), impl Debug>;
}

/// A receiving end used from a thread.
pub(crate) trait BlockingRx: Send {
    fn recv(&mut self) -> Result<u64, impl Debug>;
}

/// A sending end used from a task. What it returns is the crate's own future.
pub(crate) trait AsyncTx: Send + 'static {
    fn send(&mut self, message: u64) -> impl Future<Output = Result<(), impl Debug>> + Send;
}

/// A receiving end used from a task. What it returns is the crate's own future.
pub(crate) trait AsyncRx: Send + 'static {
    fn recv(&mut self) -> impl Future<Output = Result<u64, impl Debug>> + Send;
}

/// hchan first, then in the order of the alphabet.
pub(crate) const ALL: [&dyn Peer; 7] = [
    &peers::hchan::Hchan,
    &peers::async_channel::AsyncChannel,
    &peers::crossbeam::Crossbeam,
    &peers::crossfire::Crossfire,
    &peers::flume::Flume,
    &peers::kanal::Kanal,
    &peers::tokio::Tokio,
];

pub(crate) fn named(name: &str) -> Option<&'static dyn Peer> {
    ALL.into_iter().find(|peer| peer.name() == name)
}
