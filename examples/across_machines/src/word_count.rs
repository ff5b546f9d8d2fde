//! The job of the crate's example `word_count`, done by several processes.
//!
//! ```text
//!   coordinator: a thread      JetStream            each worker process
//!     reads files ── jobs ──▶ words-jobs ─────────▶ counts the words
//!     adds up ◀─────────────  words-reports ◀── a report for each job
//! ```
//!
//! A worker publishes its report under the job's id, waits until the server has confirmed it, and then
//! acknowledges the job. So a job is lost at no time, but it may be done twice: the coordinator adds up
//! the first report of each job. JetStream has no close, so the coordinator also publishes how many jobs
//! there are.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::PathBuf,
};

use futures::StreamExt;
use hchan::{Receiver, Sender, blocking};
use serde::{Deserialize, Serialize};
use tokio::task::{JoinSet, spawn_blocking};
use walkdir::WalkDir;

use crate::{
    bridge::{Bridge, Error},
    config::Source,
    message::{Delivery, Outgoing},
};

const JOBS: &str = "words-jobs";
const REPORTS: &str = "words-reports";

#[derive(Debug, Serialize, Deserialize)]
pub struct Job {
    /// Whose job it is.
    pub run: String,
    pub number: u64,
    pub text: String,
}

#[derive(Debug, Serialize, Deserialize)]
enum Report {
    Counted {
        job: u64,
        counts: Counts,
    },
    /// How many jobs there are.
    Jobs(u64),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub words: u64,
    pub of_word: HashMap<String, u64>,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.words += other.words;
        for (word, n) in &other.of_word {
            *self.of_word.entry(word.clone()).or_default() += n;
        }
    }
}

/// What a run has come to.
#[derive(Debug, Default)]
pub struct Total {
    pub counts: Counts,
    pub jobs: u64,
    /// Reports of jobs that had been reported before.
    pub repeated: u64,
}

/// Counts the words of a text: runs of letters and digits, in lower case.
pub fn count(text: &str) -> Counts {
    let mut counts = Counts::default();
    for word in text.split(is_separator).filter(|word| !word.is_empty()) {
        counts.words += 1;
        *counts.of_word.entry(word.to_lowercase()).or_default() += 1;
    }
    counts
}

/// The same without any bridge.
pub fn count_alone(paths: &[PathBuf]) -> Counts {
    let mut total = Counts::default();
    for text in texts(paths) {
        total.add(&count(&text));
    }
    total
}

fn is_separator(c: char) -> bool {
    !c.is_alphanumeric()
}

/// The contents of all files at and below `paths` that can be read and are UTF-8.
fn texts(paths: &[PathBuf]) -> impl Iterator<Item = String> {
    let entries = paths.iter().flat_map(WalkDir::new).filter_map(Result::ok);
    let files = entries.filter(|entry| entry.file_type().is_file());
    files.filter_map(|entry| fs::read_to_string(entry.path()).ok())
}

/// Parts of at most `limit` bytes; longer only where a word is.
fn chunks(mut text: &str, limit: usize) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        if text.is_empty() {
            return None;
        }
        let first = text.chars().next().map_or(0, char::len_utf8);
        let fits = text.floor_char_boundary(limit).max(first);
        let end = match text[first..fits].rfind(is_separator) {
            _ if fits == text.len() => fits,
            Some(n) => first + n,
            None => text[fits..]
                .find(is_separator)
                .map_or(text.len(), |n| fits + n),
        };
        let (chunk, rest) = text.split_at(end);
        text = rest;
        Some(chunk)
    })
}

/// The jobs' consumer. `Source::processes` has to be the same in all worker processes.
pub fn jobs() -> Source {
    Source {
        processes: 4,
        capacity: 4,
        workers: 2,
        ..Source::new(JOBS, "counters", "words.jobs")
    }
}

async fn make_streams(bridge: &Bridge) -> Result<(), Error> {
    bridge.stream(JOBS, "words.jobs").await?;
    bridge.stream(REPORTS, "words.reports.*").await?;
    bridge.stream("dead", "dead.>").await?;
    Ok(())
}

/// Works on jobs until `stop` is done, and then finishes those that it has.
pub async fn work(bridge: &Bridge, jobs: Source, stop: impl Future) -> Result<(), Error> {
    make_streams(bridge).await?;
    let dead_letters = bridge.dead_letters(jobs.clone()).await?;
    let (reports, outgoing) = hchan::bounded(jobs.workers);
    let published = bridge.outgoing(outgoing);
    let mut workers = JoinSet::new();
    let (deliveries, incoming) = bridge.incoming(jobs.clone()).await?;
    for _ in 0..jobs.workers {
        workers.spawn(work_on(deliveries.clone(), reports.clone()));
    }
    drop((deliveries, reports));
    tokio::select! {
        _ = stop => {}
        // Only if the bridge has failed; `shutdown` tells why.
        _ = workers.join_next() => {}
    }
    incoming.shutdown().await?;
    workers.join_all().await;
    published.await?;
    dead_letters.shutdown().await
}

async fn work_on(jobs: Receiver<Delivery<Job>>, reports: Sender<Outgoing<Report>>) {
    while let Ok(mut job) = jobs.recv().await {
        let counts = count(&job.text);
        let report = Report::Counted {
            job: job.number,
            counts,
        };
        if let Err(error) = report_on(&mut job, report, &reports).await {
            // The job is dropped, and so done again.
            eprintln!("job {}: {error}", job.number);
        }
    }
}

async fn report_on(
    job: &mut Delivery<Job>,
    report: Report,
    reports: &Sender<Outgoing<Report>>,
) -> Result<(), Error> {
    outgoing_report(&job.run, job.number, report)
        .confirmed(reports)
        .await?;
    // Only now: if this process dies before, another does the job again.
    job.ack().await?;
    Ok(())
}

fn outgoing_report(run: &str, number: impl std::fmt::Display, report: Report) -> Outgoing<Report> {
    Outgoing::new(
        format!("words.reports.{run}"),
        format!("{run}.{number}"),
        report,
    )
}

/// Has the words of all files counted by the worker processes. A run needs a name of its own.
pub async fn count_together(
    bridge: &Bridge,
    run: &str,
    paths: Vec<PathBuf>,
) -> Result<Total, Error> {
    make_streams(bridge).await?;
    let reports = bridge.jetstream.get_stream(REPORTS).await?;
    let mine = Source::new(REPORTS, run, &format!("words.reports.{run}"));
    let (deliveries, incoming) = bridge.incoming(mine).await?;
    let mut dead = bridge.client.subscribe(format!("dead.{JOBS}")).await?;

    let publish = async {
        let (to, from) = hchan::bounded(16);
        let published = bridge.outgoing(from);
        let (of_run, to) = (run.to_owned(), to.into_blocking());
        // In JSON a character takes up to six bytes.
        let limit = bridge.client.max_payload() / 8;
        let read = spawn_blocking(move || read(&of_run, &paths, limit, &to));
        let number = read.await?;
        let published = published.await?;
        if let Some(error) = published.first_error {
            return Err(Error::from(error));
        }
        let (to, from) = hchan::bounded(1);
        bridge.outgoing(from);
        outgoing_report(run, "jobs", Report::Jobs(number))
            .confirmed(&to)
            .await?;
        Ok(())
    };
    let add_up = async {
        let mut fold = Fold::default();
        while !fold.is_complete() {
            hchan::select! {
                recv(deliveries) -> report => fold.add(report?).await,
                future(dead.next()) -> letter => {
                    let letter = letter.ok_or("the connection is closed")?;
                    let job = serde_json::from_slice::<Job>(&letter.payload);
                    if job.is_ok_and(|job| job.run == run) {
                        return Err("a job has become a dead letter".into());
                    }
                }
            }
        }
        Ok(fold.total)
    };
    let ((), total) = tokio::try_join!(publish, add_up)?;
    incoming.shutdown().await?;
    reports.delete_consumer(run).await?;
    Ok(total)
}

/// Reads the files and sends their chunks as jobs; returns how many it sent.
fn read(run: &str, paths: &[PathBuf], limit: usize, to: &blocking::Sender<Outgoing<Job>>) -> u64 {
    let mut number = 0;
    for text in texts(paths) {
        for text in chunks(&text, limit) {
            let (run, text) = (run.to_owned(), text.to_owned());
            let id = format!("{run}.{number}");
            let job = Outgoing::new("words.jobs", id, Job { run, number, text });
            if to.send(job).is_err() {
                return number;
            }
            number += 1;
        }
    }
    number
}

/// The reports so far. It is the number of a job that makes a report count, and only once.
#[derive(Default)]
struct Fold {
    total: Total,
    done: HashSet<u64>,
    jobs: Option<u64>,
}

impl Fold {
    fn is_complete(&self) -> bool {
        self.jobs == Some(self.total.jobs)
    }

    async fn add(&mut self, mut report: Delivery<Report>) {
        match &*report {
            Report::Counted { job, counts } if self.done.insert(*job) => {
                self.total.jobs += 1;
                self.total.counts.add(counts);
            }
            Report::Counted { .. } => self.total.repeated += 1,
            Report::Jobs(number) => self.jobs = Some(*number),
        }
        // If this fails the report comes again, and is recognized.
        let _ = report.ack().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cut_no_word() {
        let text = "Ünder the bridge, a_channel; ends.\n  twice\u{1F980}twice ".repeat(20);
        for limit in 1..80 {
            let mut counts = Counts::default();
            let mut joined = String::new();
            for chunk in chunks(&text, limit) {
                counts.add(&count(chunk));
                joined += chunk;
            }
            assert_eq!(joined, text, "limit {limit}");
            assert_eq!(counts, count(&text), "limit {limit}");
        }
        assert_eq!(chunks(&text, usize::MAX).count(), 1);
        assert!(chunks(&text, 40).all(|chunk| chunk.len() <= 40));
    }
}
