//! Bridge (channel of channels, flatten, ordered parallel map): several tasks write the parts of a
//! book at the same time, and one stream reads them in order.
//!
//! Each task has a channel of its own, and a channel of these channels says in which order they
//! are read. Look at the assertion: the contents stand first, although they are written last.
//!
//! ```text
//! cargo run --example bridge
//! ```

use futures::{Stream, StreamExt};
use hchan::{Receiver, Sender};
use tokio::task::JoinSet;

const CHAPTERS: usize = 3;
/// Room for the longest chapter. With less, the writers would wait to be read, the reader for the
/// contents, and the contents for the writers.
const LINES: usize = 4;

/// Receives from each channel until it ends, then from the next.
fn bridge<T>(channels: Receiver<Receiver<T>>) -> impl Stream<Item = T> {
    channels.into_stream().flat_map(Receiver::into_stream)
}

/// Writes a chapter and reports its length. (Later chapters are shorter.)
async fn write_chapter(chapter: usize, lines: Sender<String>, lengths: Sender<(usize, usize)>) {
    let length = LINES - chapter;
    for line in 1..=length {
        let text = format!("chapter {chapter}, line {line}");
        lines.send(text).await.expect("it is read to the end");
    }
    let report = lengths.send((chapter, length)).await;
    report.expect("the contents list every chapter");
}

/// Writes the contents, once all chapters are written: their length is on the page.
async fn write_contents(lines: Sender<String>, lengths: Receiver<(usize, usize)>) {
    let mut lengths: Vec<_> = lengths.stream().collect().await;
    lengths.sort();
    for (chapter, length) in lengths {
        let text = format!("contents: chapter {chapter} has {length} lines");
        lines.send(text).await.expect("it is read to the end");
    }
}

#[tokio::main]
async fn main() {
    let (parts, book) = hchan::bounded(1 + CHAPTERS);
    let (lengths, reported) = hchan::bounded(CHAPTERS);
    let mut writers = JoinSet::new();
    for part in 0..=CHAPTERS {
        let (lines, written) = hchan::bounded(LINES);
        parts.send(written).await.expect("`book` is open");
        match part {
            0 => writers.spawn(write_contents(lines, reported.clone())),
            chapter => writers.spawn(write_chapter(chapter, lines, lengths.clone())),
        };
    }
    drop((parts, lengths)); // The writers have their own; with these, nothing would end.

    let lines: Vec<_> = bridge(book)
        .inspect(|line| println!("{line}"))
        .collect()
        .await;
    while let Some(ended) = writers.join_next().await {
        ended.expect("no writer panics");
    }

    let length = |chapter| LINES - chapter;
    let contents = (1..=CHAPTERS)
        .map(|chapter| format!("contents: chapter {chapter} has {} lines", length(chapter)));
    let chapters = (1..=CHAPTERS).flat_map(|chapter| {
        (1..=length(chapter)).map(move |line| format!("chapter {chapter}, line {line}"))
    });
    assert!(lines.into_iter().eq(contents.chain(chapters)));
}
