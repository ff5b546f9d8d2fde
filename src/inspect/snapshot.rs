//! What a channel looks like at one moment.

use alloc::{borrow::Cow, string::String, string::ToString, sync::Arc, vec::Vec};
use core::time::Duration;
use std::thread::ThreadId;

use super::names::{self, NameKind};
use crate::{
    chan::Chan,
    probe::{BUCKETS, Gauges, Histogram, Info, Live, Site, TaskId, Times, WaiterView, end_of},
    waiter::Kind,
};

/// A channel, as it was at one moment: what it holds, who waits, what it has done.
///
/// Its counts are of one moment. Its `waiters` are of about the same moment: an operation may end between the two.
///
/// Printed (`{}`), it is a line about the channel and a line for each group of waiters; `{:#}` adds the totals and the wait times.
///
/// # Examples
///
/// ```
/// use hchan::inspect;
///
/// inspect::enable(inspect::Config::default());
/// let (tx, rx) = hchan::bounded(2);
/// tx.set_name("jobs");
/// tx.try_send("a job").unwrap();
///
/// let snapshot = rx.snapshot();
/// assert_eq!((snapshot.len, snapshot.capacity), (1, Some(2)));
/// assert!(snapshot.to_string().starts_with("jobs  bounded(2) of &str, "));
/// assert!(snapshot.to_string().ends_with("len 1, open, 1 sender, 1 receiver\n"));
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ChannelSnapshot {
    /// Its number among the channels that were tracked; `None`: it is not tracked. Then its `waiters` are unknown, and so is all
    /// that is counted as operations park.
    pub id: Option<u64>,
    /// The name that `set_name` has given it.
    pub name: Option<Cow<'static, str>>,
    /// The type of its messages.
    pub message: Cow<'static, str>,
    /// Where it was made; `None`: it is not tracked.
    pub created: Option<CallSite>,
    /// How long ago it was made; `None`: it is not tracked.
    pub age: Option<Duration>,
    /// As [`Receiver::capacity`](crate::Receiver::capacity).
    pub capacity: Option<usize>,
    /// As [`Receiver::len`](crate::Receiver::len).
    pub len: usize,
    /// Whether it is closed.
    pub is_closed: bool,
    /// How many senders there are.
    pub senders: usize,
    /// How many receivers there are.
    pub receivers: usize,
    /// How many permits are out.
    pub permits: usize,
    /// How many sends and requests for permits are parked, arms of selects among them.
    pub waiting_senders: usize,
    /// How many receives are parked, arms of selects among them.
    pub waiting_receivers: usize,
    /// The operations that are parked, or were completed by a peer and have not been polled since; the longest first.
    pub waiters: Vec<Waiter>,
    /// Whether the `waiters` were so many, more than a thousand, that they were read in steps: they are not of one moment then.
    pub is_read_in_steps: bool,
    /// What it has done until now.
    pub totals: Totals,
    /// How long its operations waited.
    pub waits: WaitTimes,
}

/// A place in the source code.
///
/// Printed, it is `file:line`.
///
/// # Examples
///
/// ```
/// use hchan::inspect;
///
/// inspect::enable(inspect::Config::default());
/// let (tx, _rx) = hchan::bounded::<u8>(2);
/// let created = tx.snapshot().created.unwrap();
/// assert!(created.line > 0 && created.column > 0);
/// assert_eq!(created.to_string(), format!("{}:{}", created.file, created.line));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CallSite {
    /// The path as the compiler has it.
    pub file: Cow<'static, str>,
    /// From 1 on.
    pub line: u32,
    /// From 1 on.
    pub column: u32,
}

/// An operation that is parked, or was completed by a peer and has not been polled since.
///
/// # Examples
///
/// ```
/// use hchan::inspect::{self, Operation, WaiterState};
///
/// # futures::executor::block_on(async {
/// inspect::enable(inspect::Config::default());
/// let (tx, rx) = hchan::bounded(0);
/// let mut receive = Box::pin(rx.recv());
/// assert!(futures::poll!(&mut receive).is_pending());
///
/// let waiter = &rx.snapshot().waiters[0];
/// assert_eq!((waiter.operation, waiter.state), (Operation::Receive, WaiterState::Parked));
///
/// tx.try_send("a message that is not polled for").unwrap();
/// let waiter = &rx.snapshot().waiters[0];
/// assert_eq!(waiter.state, WaiterState::HandedOver);
/// # });
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Waiter {
    /// What it waits for.
    pub operation: Operation,
    /// Which arm of a select it is, from 0 on in the order of the arms; `None`: it waits by itself.
    pub arm: Option<usize>,
    /// Whether it is still parked.
    pub state: WaiterState,
    /// How long ago it parked.
    pub waiting: Duration,
    /// How long ago a peer completed it; `None`: it is parked.
    pub handed_over: Option<Duration>,
    /// Where the future was made: the line of a `send` or a `recv`, of the macro for an arm of a `select!`, of `stream` or `sink` for
    /// theirs.
    pub call_site: CallSite,
    /// The task or thread that it belongs to, as far as that is known.
    pub task: TaskRef,
    /// When it got into its state, on the clock of the records: ages of waiters of two channels are of two moments.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(super) since: u64,
}

impl Waiter {
    /// For how long it has been in its state.
    ///
    /// # Examples
    ///
    /// ```
    /// use hchan::inspect;
    ///
    /// # futures::executor::block_on(async {
    /// inspect::enable(inspect::Config::default());
    /// let (_tx, rx) = hchan::bounded::<u8>(0);
    /// let mut receive = Box::pin(rx.recv());
    /// assert!(futures::poll!(&mut receive).is_pending());
    /// let waiter = &rx.snapshot().waiters[0];
    /// assert_eq!(waiter.age(), waiter.waiting, "it is parked");
    /// # });
    /// ```
    pub fn age(&self) -> Duration {
        self.handed_over.unwrap_or(self.waiting)
    }
}

/// What a waiter waits for.
///
/// # Examples
///
/// ```
/// use hchan::inspect::Operation;
///
/// assert_eq!(Operation::Receive.to_string(), "recv");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Operation {
    /// To send a message.
    Send,
    /// To receive a message.
    Receive,
    /// For a permit.
    Reserve,
    /// For the channel to be closed.
    Closed,
    /// For the channel to be closed and empty.
    Drained,
}

/// Whether a waiter is still parked.
///
/// # Examples
///
/// ```
/// use hchan::inspect::WaiterState;
///
/// assert_eq!(WaiterState::HandedOver.to_string(), "handed over, not polled");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum WaiterState {
    /// It waits.
    Parked,
    /// A peer has completed it, and it has not been polled since: a receive has its message in it, a send has been sent, a request has
    /// its permit, or the channel was closed.
    HandedOver,
}

/// Who waits.
///
/// # Examples
///
/// ```
/// use hchan::inspect::TaskRef;
///
/// assert_eq!(TaskRef::Tokio(7).to_string(), "tokio task 7");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum TaskRef {
    /// A thread in a blocking call.
    Thread {
        /// Its id.
        #[cfg_attr(feature = "serde", serde(serialize_with = "as_debug"))]
        id: ThreadId,
        /// Its name, if it has one.
        name: Option<String>,
    },
    /// A task of tokio, by its id; with the feature `tokio`.
    Tokio(u64),
    /// The number that [`Config::task_id`](super::Config::task_id) has given.
    Custom(u64),
    /// The address of the waker's data: tasks that are there at the same time differ in it, unless their wakers have no data.
    Waker(usize),
}

#[cfg(feature = "serde")]
fn as_debug<S: serde::Serializer>(id: &ThreadId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&core::format_args!("{id:?}"))
}

/// What a channel has done since it was made.
///
/// On a 32-bit machine `buffered` is correct modulo 2³².
///
/// # Examples
///
/// ```
/// use hchan::inspect;
///
/// inspect::enable(inspect::Config::default());
/// let (tx, rx) = hchan::bounded(1);
/// tx.try_send(1).unwrap();
/// tx.try_send(2).unwrap_err();
/// let totals = rx.snapshot().totals;
/// assert_eq!((totals.buffered, totals.refused_as_full), (1, 1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Totals {
    /// Messages that were handed to a receive that was parked.
    pub handed_over: u64,
    /// Messages that went into the buffer at once.
    pub buffered: u64,
    /// Messages that were taken from a parked send: into the buffer or, at capacity 0, by a receive.
    pub promoted: u64,
    /// Messages that cancelled receives gave back.
    pub given_back: u64,
    /// Messages that [`force_send`](crate::Sender::force_send) took out again.
    pub evicted: u64,
    /// Operations that parked, each arm of a select for itself.
    pub parked: u64,
    /// Operations that parked and were dropped, or lost in a select, before a peer completed them.
    pub given_up: u64,
    /// Messages that `try_send` and its like did not send, for want of room.
    pub refused_as_full: u64,
    /// Messages that `try_send` and its like did not send, as the channel was closed.
    pub refused_as_closed: u64,
}

/// How long the operations of a channel waited that are over, given up ones among them.
///
/// It counts from the time an operation parked to the time a peer completed it. Of a select the arm that happened counts.
///
/// # Examples
///
/// ```
/// use hchan::inspect;
///
/// inspect::enable(inspect::Config::default());
/// let (tx, rx) = hchan::bounded(0);
/// let sending = std::thread::spawn(move || tx.send_blocking(1));
/// while rx.waiting_senders() == 0 {
///     std::thread::yield_now();
/// }
/// assert_eq!(rx.recv_blocking(), Ok(1));
/// sending.join().unwrap().unwrap();
/// assert_eq!(rx.snapshot().waits.send.count, 1);
/// ```
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct WaitTimes {
    /// Sends and requests for permits.
    pub send: Distribution,
    /// Receives.
    pub receive: Distribution,
}

/// How often something took how long.
///
/// Times are kept in buckets whose bounds are a factor of 1.33 or 1.5 apart, so a quantile is exact up to that.
///
/// # Examples
///
/// ```
/// use hchan::inspect;
///
/// let (_tx, rx) = hchan::bounded::<u8>(1);
/// let waits = rx.snapshot().waits.receive;
/// assert_eq!((waits.count, waits.mean(), waits.quantile(0.99)), (0, None, None));
/// ```
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Distribution {
    /// How many times.
    pub count: u64,
    /// All of them together.
    pub total: Duration,
    /// The longest of them.
    pub longest: Duration,
    #[cfg_attr(feature = "serde", serde(serialize_with = "as_slice"))]
    buckets: [u32; BUCKETS],
}

#[cfg(feature = "serde")]
fn as_slice<S: serde::Serializer>(
    buckets: &[u32; BUCKETS],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serde::Serialize::serialize(buckets.as_slice(), serializer)
}

impl Default for Distribution {
    fn default() -> Self {
        Self::of(&Histogram::EMPTY)
    }
}

impl Distribution {
    fn of(histogram: &Histogram) -> Self {
        Self {
            count: histogram.count,
            total: Duration::from_nanos(histogram.total),
            longest: Duration::from_nanos(histogram.longest),
            buckets: histogram.buckets,
        }
    }

    /// The mean; `None` if there is nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// let waits = hchan::never::<u8>().snapshot().waits;
    /// assert_eq!(waits.receive.mean(), None);
    /// ```
    pub fn mean(&self) -> Option<Duration> {
        let mean = self.total.as_nanos().checked_div(self.count.into())?;
        Some(Duration::from_nanos(mean as u64))
    }

    /// The time that this share of them, between 0 and 1, did not exceed, rounded up to a bucket's bound; `None` if there is nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// let waits = hchan::never::<u8>().snapshot().waits;
    /// assert_eq!(waits.receive.quantile(0.5), None);
    /// ```
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let all: u64 = self.buckets.iter().map(|&count| u64::from(count)).sum();
        if all == 0 {
            return None;
        }
        let rank = ((share.clamp(0.0, 1.0) * all as f64).ceil() as u64).max(1);
        let mut below = 0;
        for (bound, count) in self.buckets() {
            below += count;
            if below >= rank {
                return Some(bound.map_or(self.longest, |bound| bound.min(self.longest)));
            }
        }
        Some(self.longest)
    }

    /// The buckets, the shortest times first: the time that those in it did not reach (`None`: any), and how many they are.
    ///
    /// # Examples
    ///
    /// ```
    /// let waits = hchan::never::<u8>().snapshot().waits;
    /// assert!(waits.receive.buckets().all(|(_, count)| count == 0));
    /// assert_eq!(waits.receive.buckets().last().unwrap().0, None);
    /// ```
    pub fn buckets(&self) -> impl Iterator<Item = (Option<Duration>, u64)> {
        (0..).zip(&self.buckets).map(|(number, &count)| {
            let bound = end_of(number).map(Duration::from_nanos);
            (bound, count.into())
        })
    }
}

impl ChannelSnapshot {
    /// Of a channel that somebody has at hand.
    pub(crate) fn of(chan: &Chan, message: &'static str) -> Self {
        Self::new(chan.probe.info(), chan.gauges(), message)
    }

    /// Of a channel that the registry knows. `None`: it has no handle any more.
    pub(super) fn of_tracked(info: &Arc<Info>) -> Option<Self> {
        Some(Self::new(Some(info), info.gauges()?, info.message))
    }

    /// Of a channel on which nothing ever happens.
    pub(crate) fn of_never(message: &'static str) -> Self {
        let gauges = Gauges {
            capacity: Some(0),
            receivers: 1,
            ..Gauges::default()
        };
        Self::new(None, gauges, message)
    }

    fn new(info: Option<&Arc<Info>>, gauges: Gauges, message: &'static str) -> Self {
        let view = info.map(|info| info.waiters()).unwrap_or_default();
        let count = |of: fn(&Info) -> u64| info.map_or(0, |info| of(info));
        Self {
            id: info.map(|info| info.id),
            name: info.and_then(|info| info.name()),
            message: names::shown(NameKind::Type, message),
            created: info.map(|info| CallSite::of(info.site)),
            age: info.map(|info| Duration::from_nanos(info.age())),
            capacity: gauges.capacity,
            len: gauges.len,
            is_closed: gauges.closed,
            senders: gauges.senders,
            receivers: gauges.receivers,
            permits: gauges.permits,
            waiting_senders: gauges.waiting_senders,
            waiting_receivers: gauges.waiting_receivers,
            waiters: view.waiters.into_iter().map(Waiter::of).collect(),
            is_read_in_steps: view.is_read_in_steps,
            totals: Totals {
                handed_over: gauges.paths.handed_over,
                buffered: gauges.paths.buffered(gauges.entered),
                promoted: gauges.paths.all_promoted(),
                given_back: gauges.paths.given_back,
                evicted: count(Info::evictions),
                parked: view.parked,
                given_up: view.given_up,
                refused_as_full: count(Info::refusals_as_full),
                refused_as_closed: count(Info::refusals_as_closed),
            },
            waits: (view.times.as_deref()).map_or_else(Default::default, WaitTimes::of),
        }
    }

    /// Whether nothing is parked in it, or was completed and has not been polled.
    pub(super) fn is_idle(&self) -> bool {
        self.waiters.is_empty() && self.waiting_senders == 0 && self.waiting_receivers == 0
    }
}

impl WaitTimes {
    pub(super) fn of(times: &Times) -> Self {
        Self {
            send: Distribution::of(&times.send),
            receive: Distribution::of(&times.recv),
        }
    }
}

impl CallSite {
    pub(super) fn of(Site(location): Site) -> Self {
        Self {
            file: names::shown(NameKind::Path, location.file()),
            line: location.line(),
            column: location.column(),
        }
    }
}

impl Operation {
    pub(super) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Send => Self::Send,
            Kind::Recv => Self::Receive,
            Kind::Reserve => Self::Reserve,
            Kind::Closed => Self::Closed,
            Kind::Drained => Self::Drained,
        }
    }
}

impl Waiter {
    fn of(view: WaiterView) -> Self {
        Self {
            operation: Operation::of(view.kind),
            arm: view.arm,
            state: match view.completed {
                None => WaiterState::Parked,
                Some(_) => WaiterState::HandedOver,
            },
            waiting: Duration::from_nanos(view.waiting),
            handed_over: view.completed.map(Duration::from_nanos),
            call_site: CallSite::of(view.site),
            task: TaskRef::of(view.task),
            since: view.since,
        }
    }
}

impl TaskRef {
    fn of(id: TaskId) -> Self {
        match id {
            TaskId::Thread(thread) => Self::Thread {
                id: thread.id(),
                name: thread.name().map(ToString::to_string),
            },
            #[cfg(feature = "tokio")]
            TaskId::Tokio(id) => Self::Tokio(id.to_string().parse().unwrap_or(0)),
            TaskId::Custom(number) => Self::Custom(number),
            TaskId::Waker(address) => Self::Waker(address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantile_is_a_bound_of_its_bucket_or_the_longest() {
        let mut histogram = Histogram::EMPTY;
        (0..99).for_each(|_| histogram.add(1_000));
        histogram.add(1_000_000);
        let times = Distribution::of(&histogram);
        let quantile = |share| times.quantile(share).unwrap().as_nanos();
        assert_eq!([0.0, 0.5, 0.99].map(quantile), [1_024; 3]);
        assert_eq!([0.995, 1.0, 2.0].map(quantile), [1_000_000; 3]);
        assert_eq!(times.mean(), Some(Duration::from_nanos(10_990)));
        assert_eq!(times.buckets().map(|(_, count)| count).sum::<u64>(), 100);
    }
}
