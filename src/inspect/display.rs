//! Snapshots printed for people, waiters in groups.

#![forbid(unsafe_code)]

use alloc::{borrow::Cow, collections::BTreeMap, format, string::String, vec::Vec};
use core::{
    fmt::{self, Display, Formatter},
    time::Duration,
};

use super::snapshot::{
    CallSite, ChannelSnapshot, Distribution, Operation, TaskRef, Totals, Waiter, WaiterState,
};

impl Display for Operation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Send => "send",
            Self::Receive => "recv",
            Self::Reserve => "reserve",
            Self::Closed => "closed",
            Self::Drained => "drained",
        })
    }
}

impl Display for WaiterState {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Parked => "parked",
            Self::HandedOver => "handed over, not polled",
        })
    }
}

impl Display for CallSite {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Display for TaskRef {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thread {
                name: Some(name), ..
            } => write!(f, "thread {name:?}"),
            Self::Thread { id, name: None } => write!(f, "thread {id:?}"),
            Self::Tokio(id) => write!(f, "tokio task {id}"),
            Self::Custom(id) => write!(f, "task {id}"),
            Self::Waker(address) => write!(f, "waker {address:#x}"),
        }
    }
}

/// A time with two or three digits.
pub(super) fn time(time: Duration) -> impl Display {
    let nanos = time.as_nanos();
    let (unit, name) = match nanos {
        0..1_000 => return format!("{nanos} ns"),
        1_000..1_000_000 => (1e3, "µs"),
        1_000_000..1_000_000_000 => (1e6, "ms"),
        1_000_000_000..600_000_000_000 => (1e9, "s"),
        _ => (60e9, "min"),
    };
    let value = nanos as f64 / unit;
    match value {
        ..9.95 => format!("{value:.1} {name}"),
        _ => format!("{value:.0} {name}"),
    }
}

pub(super) fn counted(count: usize, one: &str) -> impl Display {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {one}s"),
    }
}

/// The name of a type without the paths in it.
pub(super) fn short_type(name: &str) -> Cow<'_, str> {
    if !name.contains("::") {
        return Cow::Borrowed(name);
    }
    let mut short = String::with_capacity(name.len());
    // Where the last word begins that may turn out to be a path.
    let mut word = 0;
    let mut rest = name.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            ':' if rest.peek() == Some(&':') => {
                rest.next();
                short.truncate(word);
            }
            _ => {
                short.push(next);
                if !(next.is_alphanumeric() || "_{}".contains(next)) {
                    word = short.len();
                }
            }
        }
    }
    Cow::Owned(short)
}

impl ChannelSnapshot {
    /// Its name or, without one, its number.
    pub(super) fn title(&self) -> Cow<'_, str> {
        match (&self.name, self.id) {
            (Some(name), _) => Cow::Borrowed(name),
            (None, Some(id)) => Cow::Owned(format!("channel {id}")),
            (None, None) => Cow::Borrowed("a channel that is not tracked"),
        }
    }
}

/// A line about the channel, and a line for each group of waiters.
impl Display for ChannelSnapshot {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}  ", self.title())?;
        match self.capacity {
            Some(capacity) => write!(f, "bounded({capacity})")?,
            None => write!(f, "unbounded")?,
        }
        write!(f, " of {}", short_type(&self.message))?;
        if let Some(created) = &self.created {
            write!(f, ", {created}")?;
        }
        let state = if self.is_closed { "closed" } else { "open" };
        write!(
            f,
            "   len {}, {state}, {}, {}",
            self.len,
            counted(self.senders, "sender"),
            counted(self.receivers, "receiver"),
        )?;
        if self.permits > 0 {
            write!(f, ", {}", counted(self.permits, "permit"))?;
        }
        writeln!(f)?;
        if self.id.is_none() && !self.is_idle() {
            writeln!(
                f,
                "   unknown waiters: {} to send, {} to receive",
                self.waiting_senders, self.waiting_receivers
            )?;
        }
        Groups::of(&self.waiters).fmt(f)?;
        if self.is_read_in_steps {
            writeln!(f, "   (read in steps, not at one moment)")?;
        }
        if f.alternate() {
            writeln!(f, "   {}", self.totals)?;
            writeln!(f, "   waits to send: {}", self.waits.send)?;
            writeln!(f, "   waits to receive: {}", self.waits.receive)?;
        }
        Ok(())
    }
}

impl Display for Totals {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            handed_over,
            buffered,
            promoted,
            given_back,
            evicted,
            parked,
            given_up,
            refused_as_full,
            refused_as_closed,
        } = self;
        write!(
            f,
            "messages: {handed_over} handed over, {buffered} buffered, {promoted} promoted, {given_back} given back, \
             {evicted} evicted, {refused_as_full} refused as full, {refused_as_closed} as closed; operations: {parked} parked, \
             {given_up} of them given up"
        )
    }
}

impl Display for Distribution {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (Some(mean), Some(half), Some(most)) =
            (self.mean(), self.quantile(0.5), self.quantile(0.99))
        else {
            return f.write_str("none");
        };
        write!(
            f,
            "{}, mean {}, half within {}, 99 % within {}, longest {}",
            self.count,
            time(mean),
            time(half),
            time(most),
            time(self.longest),
        )
    }
}

impl fmt::Debug for Distribution {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Distribution")
            .field("count", &self.count)
            .field("total", &self.total)
            .field("longest", &self.longest)
            .finish_non_exhaustive()
    }
}

/// Waiters of the same operation, state and line are one group, as in pprof.
struct Groups<'w>(Vec<(GroupKey<'w>, Group)>);

type GroupKey<'w> = (Operation, WaiterState, &'w CallSite, Option<usize>);

struct Group {
    count: usize,
    shortest: Duration,
    longest: Duration,
}

impl<'w> Groups<'w> {
    fn of(waiters: &'w [Waiter]) -> Self {
        let mut groups: BTreeMap<GroupKey<'w>, Group> = BTreeMap::new();
        for waiter in waiters {
            let key = (
                waiter.operation,
                waiter.state,
                &waiter.call_site,
                waiter.arm,
            );
            let age = waiter.age();
            let group = groups.entry(key).or_insert(Group {
                count: 0,
                shortest: age,
                longest: age,
            });
            group.count += 1;
            group.shortest = group.shortest.min(age);
            group.longest = group.longest.max(age);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(_, group)| core::cmp::Reverse(group.count));
        Self(groups)
    }
}

impl Display for Groups<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for ((operation, state, site, arm), group) in &self.0 {
            let Group {
                count,
                shortest,
                longest,
            } = group;
            let (shortest, longest) = (
                format!("{}", time(*shortest)),
                format!("{}", time(*longest)),
            );
            let ages = match shortest == longest {
                true => longest,
                false => format!("{shortest} .. {longest}"),
            };
            write!(f, "{count:>6}  {operation:<8}{state:<24}{ages:<19}{site}")?;
            match arm {
                Some(arm) => writeln!(f, ", arm {arm} of a select")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_is_printed_without_paths() {
        let shown = [
            ("u8", "u8"),
            ("my::jobs::Job", "Job"),
            (
                "alloc::vec::Vec<(my::Job, core::option::Option<&str>)>",
                "Vec<(Job, Option<&str>)>",
            ),
            (
                "alloc::boxed::Box<dyn core::ops::FnOnce()>",
                "Box<dyn FnOnce()>",
            ),
        ];
        for (name, short) in shown {
            assert_eq!(short_type(name), short);
        }
    }

    #[test]
    fn time_has_two_or_three_digits() {
        let shown = |nanos| format!("{}", time(Duration::from_nanos(nanos)));
        let times = [
            640,
            1_500,
            31_400,
            9_960_000,
            4_040_000_000,
            660_000_000_000,
        ];
        assert_eq!(
            times.map(shown),
            ["640 ns", "1.5 µs", "31 µs", "10 ms", "4.0 s", "11 min"]
        );
    }
}
