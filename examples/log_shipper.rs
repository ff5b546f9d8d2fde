//! Log shipper (batching by size or time, write-behind, bulk insert): the lines of several threads
//! are written to files, one batch a file.
//!
//! A batch is complete when it is full, when its first line has waited long enough, or at the
//! end. Look at the assertions: which of the three completed each file, and that the lines of
//! each thread are all there, in order.
//!
//! ```text
//! cargo run --example log_shipper
//! ```

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, io, iter, process, thread};

use hchan::blocking::{self, Receiver, Sender};

/// A batch is complete with so many lines, or so long after its first.
type Limits = (usize, Duration);

/// Receives the next batch. It is empty if there are no more lines.
fn next_batch(lines: &Receiver<String>, (full, patience): Limits) -> Vec<String> {
    let mut batch: Vec<_> = lines.recv().into_iter().collect();
    let deadline = Instant::now() + patience;
    let more = iter::from_fn(|| lines.recv_deadline(deadline).ok());
    batch.extend(more.take(full - batch.len()));
    batch
}

/// Writes a file for each batch, and sends its path when it is complete.
fn ship(lines: Receiver<String>, limits: Limits, path: &Path, written: Sender<PathBuf>) {
    let batches = iter::repeat_with(|| next_batch(&lines, limits));
    for (number, batch) in batches.take_while(|batch| !batch.is_empty()).enumerate() {
        let file = path.with_extension(number.to_string());
        fs::write(&file, batch.join("\n") + "\n").expect("there is room on the disk");
        written.send(file).expect("main receives to the end");
    }
}

fn main() -> io::Result<()> {
    let folder = env::temp_dir().join(format!("hchan-log-shipper-{}", process::id()));
    fs::create_dir_all(&folder)?;
    thread::scope(|scope| {
        let start = |name, limits| {
            let ((log, lines), (written, files)) = (blocking::bounded(16), blocking::bounded(16));
            let path = folder.join(name);
            scope.spawn(move || ship(lines, limits, &path, written));
            (log, files)
        };

        // By size, and at the end: no batch waits for an hour.
        let (log, files) = start("by_size", (10, Duration::from_secs(3600)));
        for thread in ["a", "b"] {
            let log = log.clone();
            scope.spawn(move || (10..22).try_for_each(|n| log.send(format!("{thread}{n}"))));
        }
        drop(log); // The threads have their own.
        let texts: Vec<_> = files.iter().flat_map(fs::read_to_string).collect();
        println!("{texts:#?}");
        let sizes: Vec<_> = texts.iter().map(|text| text.lines().count()).collect();
        assert_eq!(sizes, [10, 10, 4]);
        for thread in ["a", "b"] {
            let text = texts.concat();
            let lines = text.lines().filter(|line| line.starts_with(thread));
            let sent = (10..22).map(|n| format!("{thread}{n}"));
            assert!(lines.eq(sent), "all, in order");
        }

        // By time: the batch is far from full, and the log is open.
        let (log, files) = start("by_time", (1000, Duration::from_millis(10)));
        log.send("c10".into()).expect("open");
        let file = files.recv().expect("there is one, after a while");
        assert_eq!(fs::read(file).expect("complete"), b"c10\n");
        drop(log);
    });
    fs::remove_dir_all(folder)
}
