//! Waiters that have been waiting for too long.

#![forbid(unsafe_code)]

use alloc::{borrow::Cow, vec::Vec};
use core::{
    fmt::{self, Display, Formatter},
    time::Duration,
};

use super::{
    display::time,
    snapshot::{CallSite, ChannelSnapshot, Operation, TaskRef, Waiter, WaiterState},
};

/// Operations that have been in their state for too long, the oldest first; returned by [`stuck`](super::stuck).
///
/// Printed, it is a line for each.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use hchan::inspect::{self, WaiterState};
///
/// # futures::executor::block_on(async {
/// inspect::enable(inspect::Config::default());
/// let (tx, rx) = hchan::bounded(0);
/// let mut forgotten = Box::pin(rx.recv());
/// assert!(futures::poll!(&mut forgotten).is_pending());
/// tx.try_send("a message that waits to be polled for").unwrap();
///
/// let stuck = inspect::stuck(Duration::ZERO);
/// assert_eq!(stuck.waiters[0].waiter.state, WaiterState::HandedOver);
/// println!("{stuck}");
/// # });
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Stuck {
    /// The waiters.
    pub waiters: Vec<StuckWaiter>,
    /// How many channels there may be that are not tracked: none of them is here.
    pub untracked_channels: u64,
}

/// An operation that has been in its state for too long.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// for stuck in hchan::inspect::stuck(Duration::from_secs(10)).waiters {
///     println!("{} at {} on {}", stuck.waiter.operation, stuck.waiter.call_site, stuck.channel);
/// }
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct StuckWaiter {
    /// On which channel.
    pub channel: ChannelRef,
    /// The operation.
    pub waiter: Waiter,
    /// Another operation on the same channel of what seems to be the same task: a peer completed that one before `older_than`, and
    /// the task has not polled it since, but waits for this one behind it. This is suspected to be a *futurelock*, in which a task keeps
    /// a future by `&mut` that it no longer polls. Tasks are compared by what [`TaskRef`](super::TaskRef) knows of them, so it
    /// may be wrong where that is a waker's address.
    pub suspected_futurelock: Option<CallSite>,
}

/// Which channel something is about.
///
/// Printed, it is the name and where the channel was made.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// let stuck = hchan::inspect::stuck(Duration::from_secs(10));
/// let on_jobs = |waiter: &&hchan::inspect::StuckWaiter| waiter.channel.name.as_deref() == Some("jobs");
/// assert_eq!(stuck.waiters.iter().filter(on_jobs).count(), 0);
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ChannelRef {
    /// As [`ChannelSnapshot::id`].
    pub id: Option<u64>,
    /// As [`ChannelSnapshot::name`].
    pub name: Option<Cow<'static, str>>,
    /// As [`ChannelSnapshot::created`].
    pub created: Option<CallSite>,
}

impl ChannelRef {
    fn of(channel: &ChannelSnapshot) -> Self {
        Self {
            id: channel.id,
            name: channel.name.clone(),
            created: channel.created.clone(),
        }
    }
}

impl Stuck {
    pub(super) fn new(untracked_channels: u64) -> Self {
        Self {
            waiters: Vec::new(),
            untracked_channels,
        }
    }

    /// Adds the waiters of a channel.
    pub(super) fn add(&mut self, channel: ChannelSnapshot, older_than: Duration) {
        let is_old = |waiter: &&Waiter| waiter.age() >= older_than;
        let (handed_over, parked): (Vec<_>, Vec<_>) =
            (channel.waiters.iter()).partition(|waiter| waiter.state == WaiterState::HandedOver);
        for &waiter in handed_over.iter().filter(|waiter| is_old(waiter)) {
            self.push(&channel, waiter, None);
        }
        for &waiter in parked.iter().filter(|waiter| is_old(waiter)) {
            // To wait for the end of a channel is no sign of anything.
            if matches!(waiter.operation, Operation::Closed | Operation::Drained) {
                continue;
            }
            let unpolled = (handed_over.iter().filter(|other| is_old(other))).find(|other| {
                other.waiting >= waiter.waiting && is_same(&other.task, &waiter.task)
            });
            let lock = unpolled.map(|other| other.call_site.clone());
            self.push(&channel, waiter, lock);
        }
    }

    fn push(&mut self, channel: &ChannelSnapshot, waiter: &Waiter, lock: Option<CallSite>) {
        self.waiters.push(StuckWaiter {
            channel: ChannelRef::of(channel),
            waiter: waiter.clone(),
            suspected_futurelock: lock,
        });
    }

    pub(super) fn sort(&mut self) {
        self.waiters.sort_by_key(|stuck| stuck.waiter.since);
    }
}

/// A waker without data may be anybody's.
fn is_same(one: &TaskRef, other: &TaskRef) -> bool {
    one == other && *one != TaskRef::Waker(0)
}

impl Display for ChannelRef {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (&self.name, self.id) {
            (Some(name), _) => write!(f, "{name}")?,
            (None, Some(id)) => write!(f, "channel {id}")?,
            (None, None) => write!(f, "a channel that is not tracked")?,
        }
        match &self.created {
            Some(created) => write!(f, " ({created})"),
            None => Ok(()),
        }
    }
}

impl Display for Stuck {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for StuckWaiter {
            channel,
            waiter,
            suspected_futurelock,
        } in &self.waiters
        {
            let age = alloc::format!("{}", time(waiter.age()));
            write!(
                f,
                "{age:>8}  {:<8}{:<24}{}",
                waiter.operation, waiter.state, waiter.call_site
            )?;
            if let Some(arm) = waiter.arm {
                write!(f, ", arm {arm} of a select")?;
            }
            writeln!(f, "  on {channel}, {}", waiter.task)?;
            if let Some(site) = suspected_futurelock {
                writeln!(
                    f,
                    "          suspected futurelock: it waits behind {site}, which its task no longer polls"
                )?;
            }
        }
        untracked(self.untracked_channels, f)
    }
}

/// The line about what is not shown.
pub(super) fn untracked(channels: u64, f: &mut Formatter<'_>) -> fmt::Result {
    match channels {
        0 => Ok(()),
        _ => writeln!(f, "({channels} channels were made that are not tracked)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{bounded, inspect};

    /// The second channel was looked at so late that its waiter, which parked later, had waited for longer by then.
    #[test]
    fn oldest_is_first_whenever_its_channel_was_looked_at() {
        inspect::enable(inspect::Config::default());
        let (_tx, rx) = bounded::<u8>(0);
        let mut receive = core::pin::pin!(rx.recv());
        let cx = &mut core::task::Context::from_waker(core::task::Waker::noop());
        assert!(receive.as_mut().poll(cx).is_pending());
        let snapshot = rx.snapshot();
        let mut stuck = Stuck::new(0);
        for (since, waiting) in [(2, 9), (1, 3)] {
            let waiting = Duration::from_secs(waiting);
            let mut waiter = snapshot.waiters[0].clone();
            (waiter.since, waiter.waiting) = (since, waiting);
            stuck.push(&snapshot, &waiter, None);
        }
        stuck.sort();
        let order: Vec<_> = stuck
            .waiters
            .iter()
            .map(|stuck| stuck.waiter.since)
            .collect();
        assert_eq!(order, [1, 2]);
    }
}
