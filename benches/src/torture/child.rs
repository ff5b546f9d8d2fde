//! The process in which a trial runs, seen from both of its sides.

use std::io::Read;
use std::panic;
use std::process::{self, Stdio};
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use wait_timeout::ChildExt;

use super::book::{Book, say};
use super::ledger::PROGRESS;
use super::peers::Peer;
use super::verdict::Verdict;
use super::{Choice, Plan, Trial, order};
use crate::child;

/// A trial in which no message has moved for so long stands still.
const STANDSTILL: Duration = Duration::from_secs(4);
/// A trial that moves, but does not end.
const ENDLESS: Duration = Duration::from_secs(30);
/// A process that cannot even say so.
const LIMIT: Duration = Duration::from_secs(40);

/// Runs one trial of one crate in a process of its own.
pub(crate) fn run(peer: &str, trial: &str, choice: &Choice) -> Result<Verdict> {
    let mut command = child::this(&["torture", "--child", "--peer", peer, "--trial", trial])?;
    command.args(["--seed", &choice.seed.to_string()]);
    command.args(["--rounds", &choice.rounds.to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().context("no process for a trial")?;
    let status = child.wait_timeout(LIMIT)?;
    if status.is_none() {
        child.kill()?;
        child.wait()?;
    }
    // A few lines, less than a pipe holds: the child never waits for them to be read.
    let mut printed = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut printed)?;
    }
    let end = match status {
        Some(status) => status.to_string(),
        None => format!("killed after {LIMIT:?}"),
    };
    Ok(Verdict::of(&printed, &end))
}

/// In the child: runs a trial and prints the verdict.
pub(crate) fn trial(peer: &Peer, trial: &Trial, plan: &Plan) {
    // Some trials panic on purpose.
    panic::set_hook(Box::new(|_| {}));
    let book: &'static Book = Box::leak(Box::default());
    thread::spawn(|| watch(book));
    match (trial.run)(peer, plan, book) {
        Some(()) => end(book),
        None => say(&Verdict::Absent.to_lines()),
    }
}

pub(crate) fn order(peer: &Peer) {
    let verdict = order::answers(peer).map_or(Verdict::Absent, Verdict::Order);
    say(&verdict.to_lines());
}

/// Ends a trial that does not end by itself, and its process.
fn watch(book: &Book) {
    let began = Instant::now();
    let mut last = (PROGRESS.load(SeqCst), began);
    loop {
        thread::sleep(Duration::from_millis(100));
        let progress = PROGRESS.load(SeqCst);
        if progress != last.0 {
            last = (progress, Instant::now());
        }
        if last.1.elapsed() > STANDSTILL {
            book.hung("standstill: no message moved any more");
            end(book);
        }
        if began.elapsed() > ENDLESS {
            book.hung("not done after 30 s, though messages move");
            end(book);
        }
    }
}

/// Says what is known, and ends the process with whatever stands still in it.
fn end(book: &Book) -> ! {
    let verdict = Verdict::Counts {
        counts: book.counts(),
        notes: book.notes(),
    };
    say(&verdict.to_lines());
    process::exit(0);
}
