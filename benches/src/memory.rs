//! A burst through an unbounded channel: what the longest send took, and what memory is left when it has been received.
//!
//! A queue that doubles its memory copies the backlog when it does, and one send waits for that. Each peer runs in a process of its
//! own, so that none gets the heap of another, and the shortest of the longest sends of some processes counts: a copy is made in each
//! of them, an interruption by something else is not.
//!
//! What a crate frees, the system's allocator may keep for the process. So as much memory is taken at the end for something else:
//! where it was freed, the process does not grow.

use std::env;
use std::fs;
use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

const MESSAGES: u64 = 10_000_000;
const MIB: f64 = 1024.0 * 1024.0;

/// A crate's unbounded channel, in and out.
type Burst = fn() -> Result<Report>;

const PEERS: [(&str, Burst); 7] = [
    ("hchan", || {
        let (tx, rx) = hchan::unbounded();
        burst(|n| tx.try_send(n).is_ok(), || rx.try_recv().ok())
    }),
    ("async-channel", || {
        let (tx, rx) = async_channel::unbounded();
        burst(|n| tx.try_send(n).is_ok(), || rx.try_recv().ok())
    }),
    ("crossbeam-channel", || {
        let (tx, rx) = crossbeam_channel::unbounded();
        burst(|n| tx.try_send(n).is_ok(), || rx.try_recv().ok())
    }),
    ("crossfire", || {
        let (tx, rx) = crossfire::mpmc::unbounded_blocking();
        burst(|n| tx.send(n).is_ok(), || rx.try_recv().ok())
    }),
    ("flume", || {
        let (tx, rx) = flume::unbounded();
        burst(|n| tx.try_send(n).is_ok(), || rx.try_recv().ok())
    }),
    ("kanal", || {
        let (tx, rx) = kanal::unbounded();
        burst(
            |n| tx.try_send(n) == Ok(true),
            || rx.try_recv().ok().flatten(),
        )
    }),
    ("tokio", || {
        let (tx, mut rx) = tokio::sync::mpsc::unbounded_channel();
        burst(|n| tx.send(n).is_ok(), || rx.try_recv().ok())
    }),
];

/// What a child prints: nanoseconds and bytes.
struct Report {
    median: u32,
    longest: u32,
    /// Resident before the first send, after the last, after the last receive, and with as much in use for something else.
    resident: [u64; 4],
}

pub(crate) fn run(rounds: u32) -> Result<()> {
    println!(
        "{MESSAGES} messages of 8 bytes sent one by one, then received, on one thread; {rounds} processes each\n"
    );
    println!(
        "| | median send, ns | longest send, µs | MiB before | all sent | all received | as much for something else |\n\
         |---|---:|---:|---:|---:|---:|---:|"
    );
    for (name, _) in PEERS {
        let reports: Vec<_> = (0..rounds).map(|_| in_child(name)).collect::<Result<_>>()?;
        let shortest = |of: fn(&Report) -> u32| reports.iter().map(of).min().unwrap_or_default();
        let (median, longest) = (
            shortest(|report| report.median),
            shortest(|report| report.longest),
        );
        let resident = reports.first().context("no rounds")?.resident;
        let [before, top, after, reused] = resident.map(|bytes| bytes as f64 / MIB);
        println!(
            "| {name} | {median} | {:.0} | {before:.0} | {top:.0} | {after:.0} | {reused:.0} |",
            f64::from(longest) / 1e3
        );
    }
    Ok(())
}

fn in_child(name: &str) -> Result<Report> {
    let child = Command::new(env::current_exe()?)
        .args(["memory", "--child", name])
        .output()?;
    let printed = String::from_utf8_lossy(&child.stdout);
    let numbers: Vec<u64> = printed
        .split_whitespace()
        .map_while(|number| number.parse().ok())
        .collect();
    let [median, longest, ref resident @ ..] = numbers[..] else {
        bail!("{name}: {}", String::from_utf8_lossy(&child.stderr));
    };
    Ok(Report {
        median: u32::try_from(median)?,
        longest: u32::try_from(longest)?,
        resident: resident.try_into()?,
    })
}

/// What the child process does.
pub(crate) fn child(name: &str) -> Result<()> {
    let found = PEERS.iter().find(|(peer, _)| *peer == name);
    let (_, burst) = found.context("no such peer")?;
    let Report {
        median,
        longest,
        resident: [before, top, after, reused],
    } = burst()?;
    println!("{median} {longest} {before} {top} {after} {reused}");
    Ok(())
}

fn burst(
    mut send: impl FnMut(u64) -> bool,
    mut recv: impl FnMut() -> Option<u64>,
) -> Result<Report> {
    // Written once, so that it is resident from the beginning.
    let mut times = vec![u32::MAX; MESSAGES as usize];
    let before = resident()?;
    let mut last = Instant::now();
    for (n, time) in (0..).zip(&mut times) {
        ensure!(send(n), "the channel takes any number");
        let now = Instant::now();
        *time = u32::try_from((now - last).as_nanos()).unwrap_or(u32::MAX);
        last = now;
    }
    let top = resident()?;
    for n in 0..MESSAGES {
        ensure!(recv() == Some(n), "{n} is not the message received");
    }
    let after = resident()?;
    let something_else: Vec<_> = (0..MESSAGES / 125).map(|_| vec![1_u8; 1_000]).collect();
    let reused = resident()?;
    black_box((&mut send, &mut recv, something_else));
    let longest = times.iter().copied().max().unwrap_or_default();
    let (_, &mut median, _) = times.select_nth_unstable(MESSAGES as usize / 2);
    Ok(Report {
        median,
        longest,
        resident: [before, top, after, reused],
    })
}

/// How many bytes of this process are in memory; on Linux.
fn resident() -> Result<u64> {
    const PAGE: u64 = 4096;
    let statm = fs::read_to_string("/proc/self/statm").context("no /proc, as on Linux")?;
    let pages = statm.split(' ').nth(1).context("no resident pages")?;
    Ok(pages.parse::<u64>()? * PAGE)
}
