//! Map-reduce (scatter and gather, fan-out and fan-in) on real files: a thread reads them, some
//! tokio tasks count their words, and an async-std task adds the counts up.
//!
//! ```text
//! cargo run --release --example word_count -- [PATH]...
//!
//!     thread  ───── files ────▶  tokio tasks  ──── counts ────▶  async-std task
//!   finds and    bounded(0)       count the      bounded(16)      adds them up
//!     reads                         words
//! ```
//!
//! Without a PATH it counts this crate's own sources. A word is a run of letters and digits, in
//! lower case. Files that cannot be read or are not UTF-8 are skipped, and named on the standard
//! error.
//!
//! At the end one thread counts everything again; a different result makes the program fail. Look
//! at what Ctrl-C does: it stops the reader, and the others finish what is under way. The program
//! then reports what has been counted so far, and there is no second count.

use std::{
    collections::HashMap,
    env,
    fmt::Display,
    fs, future,
    io::{self, Write},
    num::NonZero,
    path::{Path, PathBuf},
    pin::{Pin, pin},
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use futures::{FutureExt, future::FusedFuture, select};
use hchan::{Receiver, Sender, blocking};
use tokio::task::JoinSet;
use walkdir::{DirEntry, WalkDir};

struct File {
    path: PathBuf,
    bytes: Vec<u8>,
}

/// What was counted in one file, or in several.
#[derive(Default, PartialEq, Eq)]
struct Counts {
    files: u64,
    skipped: u64,
    bytes: u64,
    words: u64,
    of_word: HashMap<String, u64>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut paths: Vec<_> = env::args_os().skip(1).map(PathBuf::from).collect();
    if paths.is_empty() {
        paths.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    }
    run(paths).await.unwrap_or_else(|error| {
        warn(format_args!("cannot write the report: {error}"));
        ExitCode::FAILURE
    })
}

async fn run(paths: Vec<PathBuf>) -> io::Result<ExitCode> {
    const INTERRUPTED: u8 = 130; // what a shell reports for a program that Ctrl-C ended

    let mut interrupted = pin!(ctrl_c().fuse());
    let mut out = io::stdout();
    let start = Instant::now();
    let (counts, is_partial) = count_together(&paths, interrupted.as_mut()).await;
    report(&mut out, &counts, start.elapsed())?;
    if is_partial {
        writeln!(
            out,
            "interrupted: this is a part, and the check was skipped"
        )?;
        return Ok(ExitCode::from(INTERRUPTED));
    }

    let start = Instant::now();
    let (check_tx, check_rx) = hchan::bounded(1);
    let checking = thread::spawn(move || {
        // Once the receiver is dropped, the thread stops after the file that it has begun.
        let files = files_of(&paths).take_while(|_| !check_tx.is_closed());
        let _ = check_tx.try_send(count_alone(files));
    });
    let check = select! {
        check = check_rx.recv() => Some(check),
        () = interrupted => None,
    };
    drop(check_rx);
    if checking.join().is_err() {
        warn("the thread that checks has died");
        return Ok(ExitCode::FAILURE);
    }
    let Some(Ok(check)) = check else {
        writeln!(out, "interrupted: the check was skipped")?;
        return Ok(ExitCode::from(INTERRUPTED));
    };
    if check != counts {
        warn(format_args!(
            "MISMATCH: {} words in {} files, but on one thread {} words in {} files (has one changed meanwhile?)",
            counts.words, counts.files, check.words, check.files,
        ));
        return Ok(ExitCode::FAILURE);
    }
    let seconds = start.elapsed().as_secs_f64();
    writeln!(
        out,
        "checked: one thread counts the same, in {seconds:.3} s"
    )?;
    if counts.files == 0 && counts.skipped > 0 {
        warn("there was nothing to count");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Counts through the channels. The flag says that it was interrupted and counted only a part.
async fn count_together(
    paths: &[PathBuf],
    mut interrupted: Pin<&mut impl FusedFuture<Output = ()>>,
) -> (Counts, bool) {
    let (files_tx, files_rx) = hchan::bounded(0);
    let (counts_tx, counts_rx) = hchan::bounded(16);
    let mut counting = JoinSet::new();
    for _ in 0..thread::available_parallelism().map_or(2, NonZero::get) {
        counting.spawn(count_files(files_rx.clone(), counts_tx.clone()));
    }
    // Weak, so that only the counting tasks keep this channel open: if they end, so does the
    // reader.
    let files = files_rx.downgrade();
    drop(files_rx);
    let paths = paths.to_vec();
    let (files_tx, counts_tx) = (files_tx.into_blocking(), counts_tx.into_blocking());
    let reading = thread::spawn(move || read_files(&paths, files_tx, counts_tx));
    let mut merged = async_std::task::spawn(merge(counts_rx)).fuse();

    let mut is_partial = false;
    let counts = loop {
        select! {
            counts = merged => break counts,
            () = interrupted => {
                // The reader's next send fails, so the reader ends. Then the counting tasks end,
                // and then the merging one, each when its channel is closed and empty. So every
                // file that was handed over is counted.
                is_partial = true;
                if let Some(files) = files.upgrade() {
                    files.close();
                }
            }
        }
    };
    // The merge has ended, so all these have dropped their handles and are about to end.
    counting.join_all().await;
    reading.join().expect("the reader does not panic");
    (counts, is_partial)
}

/// The thread: reads the files and hands each to a task that is free. At capacity 0 it is ahead by
/// at most one file. It uses the same channels as the tasks, through blocking handles.
fn read_files(paths: &[PathBuf], files: blocking::Sender<File>, counts: blocking::Sender<Counts>) {
    for file in files_of(paths) {
        let sent = match file {
            Ok(file) => files.send(file).is_ok(),
            Err(why) => counts.send(skip(why)).is_ok(),
        };
        if !sent || files.is_closed() {
            return;
        }
    }
}

/// A tokio task: counts the words of one file after another.
async fn count_files(files: Receiver<File>, counts: Sender<Counts>) {
    while let Ok(file) = files.recv().await {
        let counted = count(&file).unwrap_or_else(skip);
        if counts.send(counted).await.is_err() {
            return;
        }
        // If the reader is fast enough, none of the above ever has to wait. A task that never
        // waits keeps its executor from everything else, such as noticing Ctrl-C.
        tokio::task::yield_now().await;
    }
}

/// The async-std task: adds up the counts, until the reader and all counting tasks are done.
async fn merge(counts: Receiver<Counts>) -> Counts {
    let mut total = Counts::default();
    while let Ok(counts) = counts.recv().await {
        total.add(counts);
    }
    total
}

/// The same count without any channel.
fn count_alone(files: impl Iterator<Item = Result<File, String>>) -> Counts {
    let mut total = Counts::default();
    for file in files {
        let counted = file.and_then(|file| count(&file));
        total.add(counted.unwrap_or_else(|_| Counts::of_skipped()));
    }
    total
}

/// The contents of all files at and below `paths`, or why one could not be read.
fn files_of(paths: &[PathBuf]) -> impl Iterator<Item = Result<File, String>> {
    let entries = paths.iter().flat_map(WalkDir::new);
    entries.filter_map(|entry| match entry {
        Ok(entry) if is_file(&entry) => {
            let path = entry.into_path();
            let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()));
            Some(bytes.map(|bytes| File { path, bytes }))
        }
        Ok(_) => None,
        Err(error) => Some(Err(error.to_string())),
    })
}

/// A regular file; a link is followed only if it was named on the command line.
fn is_file(entry: &DirEntry) -> bool {
    entry.file_type().is_file() || entry.depth() == 0 && entry.path().is_file()
}

fn count(file: &File) -> Result<Counts, String> {
    let text = std::str::from_utf8(&file.bytes)
        .map_err(|error| format!("{}: not UTF-8: {error}", file.path.display()))?;
    let mut counts = Counts {
        files: 1,
        bytes: text.len() as u64,
        ..Counts::default()
    };
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        if !word.is_empty() {
            counts.words += 1;
            *counts.of_word.entry(word.to_lowercase()).or_default() += 1;
        }
    }
    Ok(counts)
}

fn skip(why: String) -> Counts {
    warn(format_args!("skipped: {why}"));
    Counts::of_skipped()
}

impl Counts {
    fn of_skipped() -> Self {
        Self {
            skipped: 1,
            ..Self::default()
        }
    }

    fn add(&mut self, other: Self) {
        self.files += other.files;
        self.skipped += other.skipped;
        self.bytes += other.bytes;
        self.words += other.words;
        for (word, n) in other.of_word {
            *self.of_word.entry(word).or_default() += n;
        }
    }
}

fn report(out: &mut impl Write, counts: &Counts, elapsed: Duration) -> io::Result<()> {
    let mut words: Vec<_> = counts.of_word.iter().collect();
    words.sort_by(|(a, n), (b, m)| m.cmp(n).then(a.cmp(b)));
    for (word, n) in words.iter().take(10) {
        writeln!(out, "{n:>10}  {word}")?;
    }
    let seconds = elapsed.as_secs_f64();
    let megabytes = counts.bytes as f64 / 1e6;
    writeln!(
        out,
        "{} words, {} different ones, in {} files of {megabytes:.1} MB; {} skipped\n\
         {seconds:.3} s: {:.0} files/s, {:.1} MB/s, {:.0} words/s",
        counts.words,
        words.len(),
        counts.files,
        counts.skipped,
        counts.files as f64 / seconds,
        megabytes / seconds,
        counts.words as f64 / seconds,
    )
}

async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        // The signal cannot be listened to, so here it never comes.
        future::pending().await
    }
}

/// Unlike `eprintln!`, does not panic if the standard error was closed.
fn warn(message: impl Display) {
    let _ = writeln!(io::stderr(), "{message}");
}
