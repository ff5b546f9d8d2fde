//! How many races, and how long ones, make a sample.

use std::fmt;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// So few messages that the slowest peer is through in a blink.
const FIRST_RACE: u64 = 1_000;

/// A race is no more than this many times longer than the one before it: a short race foretells
/// little, and a channel that changes its pace under way must not be taken for one that hangs.
const GROWTH: u64 = 4;

/// A sample is made of about so many races, less where one takes longer than foretold.
const RACES: u32 = 8;

/// What a message took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measurement {
    /// Nanoseconds, by the clock on the wall.
    pub(crate) time: f64,
    /// Nanoseconds of all processors together, the kernel's part included.
    pub(crate) cpu: f64,
    /// Allocations and reallocations.
    pub(crate) allocations: f64,
}

/// Why there is no measurement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Nothing {
    /// The peer has no such channel.
    Absent,
    /// What was received is not what was sent; how so.
    Lost(String),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) lasting: Duration,
    /// So many messages in every race, if it is given.
    pub(crate) fixed: Option<u64>,
}

impl Pace {
    /// Races with growing numbers of messages, until caches, predictors and the allocator have seen the channel and it is
    /// known how many make a race of the wanted length; then races with that number, which count. `race` tells how long it
    /// took. Also returns that number.
    pub(crate) fn keep(
        self,
        mut race: impl FnMut(u64) -> Result<Duration, Nothing>,
    ) -> Result<(Measurement, u64), Nothing> {
        let mut messages = self.fixed.unwrap_or(FIRST_RACE);
        while race(messages)? < self.lasting / RACES && self.fixed.is_none() {
            messages *= GROWTH;
        }
        let mut races = 0;
        let mut time = Duration::ZERO;
        let cpu = cpu_time();
        while time < self.lasting {
            time += race(messages)?;
            races += 1;
        }
        let cpu = cpu_time() - cpu;
        let each = |total: Duration| total.as_nanos() as f64 / (messages * races) as f64;
        let measurement = Measurement {
            time: each(time),
            cpu: each(cpu),
            allocations: 0.0,
        };
        Ok((measurement, messages))
    }
}

/// What this process has used of all processors.
pub(crate) fn cpu_time() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(used).expect("it is not negative")
}

/// The last line that a child prints.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict(pub(crate) Result<Measurement, Nothing>);

const TIME: &str = "time";
const ABSENT: &str = "absent";
const LOST: &str = "lost";

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(Measurement {
                time,
                cpu,
                allocations,
            }) => write!(f, "{TIME} {time} {cpu} {allocations}"),
            Err(Nothing::Absent) => f.write_str(ABSENT),
            Err(Nothing::Lost(how)) => write!(f, "{LOST} {how}"),
        }
    }
}

impl Verdict {
    /// `None`: this is no verdict.
    pub(crate) fn read(line: &str) -> Option<Verdict> {
        let read = match line.split_once(' ').unwrap_or((line, "")) {
            (TIME, figures) => Ok(measurement(figures)?),
            (ABSENT, "") => Err(Nothing::Absent),
            (LOST, how) => Err(Nothing::Lost(how.to_owned())),
            _ => return None,
        };
        Some(Verdict(read))
    }
}

fn measurement(figures: &str) -> Option<Measurement> {
    let figures: Vec<f64> = figures
        .split(' ')
        .map(|figure| figure.parse().ok())
        .collect::<Option<_>>()?;
    let [time, cpu, allocations] = figures.try_into().ok()?;
    Some(Measurement {
        time,
        cpu,
        allocations,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read() {
        let measurement = Measurement {
            time: 1.0 / 3.0,
            cpu: 1e-9,
            allocations: 12_345_678.9,
        };
        let lost = Nothing::Lost("3 of 4 received".to_owned());
        for verdict in [Ok(measurement), Err(Nothing::Absent), Err(lost)].map(Verdict) {
            assert_eq!(Verdict::read(&verdict.to_string()), Some(verdict));
        }
    }

    #[test]
    fn half_a_verdict_is_none() {
        for line in [
            "",
            "time",
            "time soon",
            "time 4.5 9",
            "time 4.5 9 0 1",
            "9 messages",
        ] {
            assert_eq!(Verdict::read(line), None, "{line}");
        }
    }

    #[test]
    fn races_grow_until_they_are_long_enough() {
        let lasting = Duration::from_micros(160);
        let mut raced = Vec::new();
        let pace = Pace {
            lasting,
            fixed: None,
        };
        let kept = pace.keep(|messages| {
            raced.push(messages);
            Ok(Duration::from_nanos(5 * messages))
        });
        let (measurement, messages) = kept.expect("nothing is lost");
        assert_eq!(raced[..2], [1_000, 4_000]);
        assert!(raced[2..].len() == 8 && raced[2..].iter().all(|&race| race == 4_000));
        assert_eq!((measurement.time, messages), (5.0, 4_000));
    }
}
