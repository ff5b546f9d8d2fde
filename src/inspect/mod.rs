//! Looking inside: which operation waits on which channel, for how long, and at which line.
//!
//! With the feature `inspect` a channel can be asked who waits in it. This module asks all of them. It is off until [`enable`] is called,
//! as any crate of a program may have asked for the feature: from then on, the channels that are made are tracked.
//!
//! | to find out | call |
//! |---|---|
//! | what one channel looks like now | `snapshot()` on a handle |
//! | what all of them look like | [`report`], [`channels`], [`for_each_channel`] |
//! | which operations have been waiting for too long, which messages nobody polls for | [`stuck`] |
//! | that a test leaves nothing behind | [`assert_idle`], or the method of that name on a handle |
//! | where the program spends its time waiting | [`profile`] |
//!
//! ```
//! use hchan::inspect;
//!
//! # futures::executor::block_on(async {
//! inspect::enable(inspect::Config::default());
//! let (tx, rx) = hchan::bounded(0);
//! tx.set_name("orders");
//!
//! // A receive that is polled once and then neither polled nor dropped ..
//! let mut forgotten = Box::pin(rx.recv());
//! assert!(futures::poll!(&mut forgotten).is_pending());
//! tx.send("an order").await.unwrap();
//!
//! // .. has the order: that is why nobody gets it.
//! let report = inspect::report().to_string();
//! assert!(report.contains("orders  bounded(0) of &str"));
//! assert!(report.contains("1  recv    handed over, not polled"));
//! # });
//! ```
//!
//! # What is noted
//!
//! An operation that parks, alone or as an arm of a select, is noted with its call site, its task and the time; one that does not have
//! to wait is only counted. Call sites are those of the futures, as `#[track_caller]` has them: an `async fn` around a `send`
//! is one call site. Under the feature every future is 16 bytes larger, and a stream or a sink 8.
//!
//! A task is known by the first of these that there is: the thread, if it is a blocking call; tokio's id of the task, with the feature
//! `tokio`; the number that [`Config::task_id`] gives; the address of the waker's data.
//!
//! Nothing here reads, prints or serializes a message. It knows names of types and paths, which [`Config::rename`] may rewrite.
//!
//! # What it costs
//!
//! Without the feature, nothing: not an instruction and not a byte. With it, in instructions:
//!
//! | | without | compiled in, off | on |
//! |---|---:|---:|---:|
//! | `try_send` and `try_recv` through the buffer | 67 | 67 | 67 |
//! | `send` and `recv` that need not wait | 83 | 89 | 89 |
//! | a receive parks and is handed the message, capacity 0 | 259 | 295 | 1301 |
//! | a send parks and moves into the buffer | 303 | 337 | 1350 |
//! | a receive parks and is dropped | 221 | 237 | 1044 |
//! | a select of two ready receives | 320 | 341 | 341 |
//! | a select of two receives parks and is sent to | 1252 | 1378 | 3145 |
//!
//! On, an operation that parks reads the clock twice and enters two short critical sections of its channel's own, when it parks and when
//! it is over, and a peer reads the clock once as it wakes it. (These counts are of rustc 1.95.0 on x86_64, by
//! `cargo run --release --features inspect --manifest-path tests/instructions/Cargo.toml -- show`, and by `-- show on`.)
//!
//! Memory is bounded by [`Config`]: so many channels and so many call sites. What is beyond is counted, and printed with every report.
//! A channel keeps at most 1 KiB of wait times, and those of 16 call sites, from the first wait on; and about 100 bytes
//! for each operation that is parked at the same time. When it loses its last handle, all that is added to what is known of the
//! line that made it, so channels made by the thousand take no more than one.

#![forbid(unsafe_code)]

mod display;
mod handles;
mod names;
mod profile;
mod report;
mod snapshot;
mod stuck;

use alloc::vec::Vec;
use core::{fmt, time::Duration};
use std::string::String;

pub use names::NameKind;
pub use profile::{Profile, ProfileRow};
pub use report::{GoneChannels, Report};
pub use snapshot::{
    CallSite, ChannelSnapshot, Distribution, Operation, TaskRef, Totals, WaitTimes, Waiter,
    WaiterState,
};
pub use stuck::{ChannelRef, Stuck, StuckWaiter};

use crate::probe::{Settings, registry};

/// What is tracked, and how much of it at most.
///
/// Write `..Config::default()` at its end: it may get more fields.
///
/// # Examples
///
/// ```
/// use hchan::inspect::{self, Config};
///
/// inspect::enable(Config {
///     channel_share: 0.1,
///     ..Config::default()
/// });
/// ```
#[derive(Clone, Copy)]
pub struct Config {
    /// The share of channels that are tracked, between 0 and 1: each n-th of those that are made. By default all.
    pub channel_share: f64,
    /// How many channels are tracked at one time. By default 10,000.
    pub most_channels: usize,
    /// For how many call sites the waits of channels that are gone are kept apart, and how many lines that made channels. By
    /// default 1,000.
    pub most_call_sites: usize,
    /// A number for the task that is being polled, where neither a thread nor tokio has one.
    ///
    /// It is called as an operation is about to park, with no lock held. If it panics the poll does, and nothing has happened.
    pub task_id: Option<fn() -> Option<u64>>,
    /// What is shown instead of a type or a path.
    ///
    /// It is called as a snapshot is made, with no lock held.
    pub rename: Option<fn(NameKind, &str) -> String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            channel_share: 1.0,
            most_channels: 10_000,
            most_call_sites: 1_000,
            task_id: None,
            rename: None,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("channel_share", &self.channel_share)
            .field("most_channels", &self.most_channels)
            .field("most_call_sites", &self.most_call_sites)
            .finish_non_exhaustive()
    }
}

/// Tracks the channels that are made from now on, or changes what is tracked from now on.
///
/// A channel that was made before is not tracked: its snapshots have its counts, but no waiters. Memory for the channels and call
/// sites is allocated now.
///
/// # Examples
///
/// ```
/// use hchan::inspect;
///
/// let (before, _rx) = hchan::bounded::<u8>(1);
/// inspect::enable(inspect::Config::default());
/// let (after, _rx) = hchan::bounded::<u8>(1);
/// assert_eq!((before.snapshot().id, after.snapshot().id), (None, Some(1)));
/// ```
pub fn enable(config: Config) {
    names::set(config.rename);
    registry::enable(Settings {
        channel_share: config.channel_share,
        most_channels: config.most_channels,
        most_call_sites: config.most_call_sites,
        task_id: config.task_id,
    });
}

/// Tracks no channel that is made from now on. Those that are tracked stay so.
///
/// # Examples
///
/// ```
/// use hchan::inspect;
///
/// inspect::enable(inspect::Config::default());
/// inspect::disable();
/// let (tx, _rx) = hchan::bounded::<u8>(1);
/// assert_eq!(tx.snapshot().id, None);
/// ```
pub fn disable() {
    registry::disable();
}

/// Every tracked channel that has a handle, in the order in which they were made.
///
/// Each is looked at for itself, so they are not all of one moment.
///
/// # Examples
///
/// ```
/// use hchan::inspect;
///
/// inspect::enable(inspect::Config::default());
/// let (tx, rx) = hchan::bounded::<u8>(1);
/// tx.set_name("jobs");
/// assert_eq!(inspect::channels()[0].name.as_deref(), Some("jobs"));
/// drop((tx, rx));
/// assert!(inspect::channels().is_empty());
/// ```
pub fn channels() -> Vec<ChannelSnapshot> {
    let mut channels = Vec::new();
    for_each_channel(|channel| channels.push(channel));
    channels
}

/// Calls `visitor` with every tracked channel that has a handle, one after the other, so that only one snapshot is in memory at a time.
///
/// No lock is held while it is called.
///
/// # Examples
///
/// ```
/// use hchan::inspect;
///
/// inspect::enable(inspect::Config::default());
/// let (_tx, _rx) = hchan::bounded::<u8>(1);
/// let mut waiting = 0;
/// inspect::for_each_channel(|channel| waiting += channel.waiters.len());
/// assert_eq!(waiting, 0);
/// ```
pub fn for_each_channel(mut visitor: impl FnMut(ChannelSnapshot)) {
    for info in registry::channels() {
        if let Some(channel) = ChannelSnapshot::of_tracked(&info) {
            // It may be the last one to know of the channel, and the visitor may take long.
            drop(info);
            visitor(channel);
        }
    }
}

/// Every tracked channel, what is left of those that are gone, and how many are not tracked; to be printed.
///
/// # Examples
///
/// ```
/// use hchan::inspect;
///
/// inspect::enable(inspect::Config::default());
/// let (_tx, _rx) = hchan::bounded::<u8>(1);
/// print!("{}", inspect::report());
/// assert_eq!(inspect::report().channels.len(), 1);
/// ```
pub fn report() -> Report {
    Report::take()
}

/// The operations that have been parked for `older_than` or longer, and those that a peer completed so long ago and nobody has polled
/// since; the oldest first.
///
/// A message that was handed over and not polled for is lost to all others until the future that has it is polled or dropped.
/// Waits for the end of a channel, [`closed`](crate::Sender::closed) and [`drained`](crate::Sender::drained), may take the
/// program's whole life, so they are not here while they are parked.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use hchan::inspect;
///
/// # futures::executor::block_on(async {
/// inspect::enable(inspect::Config::default());
/// let (_tx, rx) = hchan::bounded::<u8>(1);
/// let mut receive = Box::pin(rx.recv());
/// assert!(futures::poll!(&mut receive).is_pending());
/// assert_eq!(inspect::stuck(Duration::ZERO).waiters.len(), 1);
/// assert_eq!(inspect::stuck(Duration::from_secs(3600)).waiters.len(), 0);
/// # });
/// ```
pub fn stuck(older_than: Duration) -> Stuck {
    let mut stuck = Stuck::new(registry::untracked());
    for_each_channel(|channel| stuck.add(channel, older_than));
    stuck.sort();
    stuck
}

/// How long the operations of each call site have waited since inspection was enabled.
///
/// # Examples
///
/// ```
/// print!("{}", hchan::inspect::profile());
/// ```
pub fn profile() -> Profile {
    Profile::take()
}

/// Panics with a report if anything waits in any tracked channel: for the end of a test, as Go's `goleak`.
///
/// It speaks of the whole program: for a test that runs beside others, there is a method of this name on each handle.
///
/// # Panics
///
/// If an operation is parked, or was completed by a peer and has not been polled since.
///
/// # Examples
///
/// ```
/// use hchan::inspect;
///
/// inspect::enable(inspect::Config::default());
/// let (tx, rx) = hchan::bounded(1);
/// tx.send_blocking(1).unwrap();
/// inspect::assert_idle();
///
/// let waiting = std::thread::spawn(move || rx.iter_blocking().count());
/// while tx.waiting_receivers() == 0 {
///     std::thread::yield_now();
/// }
/// assert!(std::panic::catch_unwind(inspect::assert_idle).is_err());
/// drop(tx);
/// waiting.join().unwrap();
/// inspect::assert_idle();
/// ```
#[track_caller]
pub fn assert_idle() {
    let mut busy = String::new();
    for_each_channel(|channel| note_busy(&channel, &mut busy));
    assert!(busy.is_empty(), "operations are left waiting:\n{busy}");
}

fn note_busy(channel: &ChannelSnapshot, busy: &mut String) {
    use fmt::Write;

    if !channel.is_idle() {
        // Writing to a string does not fail.
        let _ = write!(busy, "{channel}");
    }
}
