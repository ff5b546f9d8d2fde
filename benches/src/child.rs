//! The process in which a sample is taken, seen from both of its sides.

use std::env;
use std::fmt;
use std::fs;
use std::io::Read;
use std::process::{self, Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use wait_timeout::ChildExt;

use crate::pace::{Measurement, Nothing, Verdict};

/// A sample takes half a second at most where all is well, on a machine that does something else
/// beside it. One that takes this long never ends.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// How a sample went.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Measured(Measurement),
    /// The peer has no such channel.
    Absent,
    /// It did not work, and how.
    Failure(Failure),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    pub(crate) story: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.kind.word(), self.story)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// It did not end in time.
    Hang,
    /// What was received is not what was sent.
    Lost,
    /// The process died.
    Crash,
}

impl FailureKind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            FailureKind::Hang => "hang",
            FailureKind::Lost => "lost",
            FailureKind::Crash => "crash",
        }
    }
}

/// This program, to be run once more.
pub(crate) fn this(args: &[&str]) -> Result<Command> {
    let mut command = Command::new(env::current_exe().context("where is this program?")?);
    command.args(args);
    Ok(command)
}

/// Takes one sample in a process of its own.
pub(crate) fn sample(command: Command) -> Result<Outcome> {
    Ok(match run(command, LIMIT)? {
        Ok(printed) => understand(&printed),
        Err(failure) => Outcome::Failure(failure),
    })
}

/// What a process prints. A process that has not ended by itself within the limit is killed.
pub(crate) fn run(mut command: Command, limit: Duration) -> Result<Result<String, Failure>> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    loop {
        let mut child = command.spawn().context("no process for a sample")?;
        let status = child.wait_timeout(limit)?;
        let is_stopped = status.is_none() && is_stopped(child.id());
        if status.is_none() {
            child.kill()?;
            child.wait()?;
        }
        // That was somebody else's doing, and says nothing about the sample.
        if !is_stopped {
            return what_it_said(child, status, limit);
        }
        eprintln!("stopped by a signal: once more");
    }
}

/// Whether a process does not run because it was told so; on Linux.
fn is_stopped(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = stat.rsplit(") ").next().unwrap_or_default();
    state.starts_with('T')
}

fn what_it_said(
    mut child: Child,
    status: Option<ExitStatus>,
    limit: Duration,
) -> Result<Result<String, Failure>> {
    // A few lines, less than a pipe holds: the child never waits for them to be read.
    let mut printed = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut printed)?;
    }
    let fail = |kind, what| Err(Failure::new(kind, what, &printed));
    Ok(match status {
        Some(status) if status.success() => Ok(printed),
        Some(status) => fail(FailureKind::Crash, status.to_string()),
        None => fail(FailureKind::Hang, format!("no end after {limit:?}")),
    })
}

fn understand(printed: &str) -> Outcome {
    match printed.lines().last().and_then(Verdict::read) {
        Some(Verdict(Ok(measurement))) => Outcome::Measured(measurement),
        Some(Verdict(Err(Nothing::Absent))) => Outcome::Absent,
        other => Outcome::Failure(Failure::of_verdict(other, printed)),
    }
}

impl Failure {
    fn new(kind: FailureKind, what: String, printed: &str) -> Failure {
        let lines: Vec<_> = printed.lines().collect();
        let last = lines[lines.len().saturating_sub(3)..].join(", ");
        let story = format!("{what} (last seen: {last})");
        Failure { kind, story }
    }

    /// Of a child that ended well, but without a result.
    pub(crate) fn of_verdict(verdict: Option<Verdict>, printed: &str) -> Failure {
        match verdict {
            Some(Verdict(Err(Nothing::Lost(how)))) => Failure::new(FailureKind::Lost, how, printed),
            _ => Failure::new(FailureKind::Crash, "no verdict".to_owned(), printed),
        }
    }
}

/// In the child: a parent that is killed cannot end its children, and one that hangs may spin.
pub(crate) fn abort_when_orphaned(limit: Duration) {
    thread::spawn(move || {
        thread::sleep(limit + Duration::from_secs(5));
        process::abort();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(printed: &str) -> Option<FailureKind> {
        match understand(printed) {
            Outcome::Failure(failure) => Some(failure.kind),
            _ => None,
        }
    }

    #[test]
    fn the_last_line_is_the_verdict() {
        let measured = Outcome::Measured(Measurement {
            time: 4.5,
            cpu: 9.0,
            allocations: 0.25,
        });
        assert_eq!(understand("9 messages\ntime 4.5 9 0.25\n"), measured);
        assert_eq!(understand("9 messages\nabsent\n"), Outcome::Absent);
        assert_eq!(kind("lost 3 of 4 received\n"), Some(FailureKind::Lost));
    }

    #[test]
    fn a_child_without_a_verdict_has_crashed() {
        assert_eq!(kind(""), Some(FailureKind::Crash));
        assert_eq!(kind("9 messages\n"), Some(FailureKind::Crash));
        assert_eq!(kind("time soon\n"), Some(FailureKind::Crash));
    }
}
