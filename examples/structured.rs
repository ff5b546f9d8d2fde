//! Structured concurrency (errgroup, nursery, task group, scope): the first error stops the other
//! tasks, and no task outlives the function that started it.
//!
//! Tokio's `JoinSet` joins the tasks, and a `CancellationToken` tells them to stop. Look at the
//! assertions: the first failure is the cause, the other tasks were cancelled while they waited,
//! and none is left that could keep a channel open.
//!
//! ```text
//! cargo run --example structured
//! ```

use hchan::{Receiver, RecvTimeoutError, Sender};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

type Feed = Receiver<&'static str>;

/// Adds up the numbers of a feed until it ends.
async fn add_up(feed: Feed, stop: CancellationToken) -> Result<u64, String> {
    let mut sum = 0;
    loop {
        match feed.recv().until(stop.cancelled()).await {
            Ok(text) => {
                let malformed = |_| format!("{text} is no number");
                sum += text.parse::<u64>().map_err(malformed)?;
            }
            Err(RecvTimeoutError::Closed) => return Ok(sum),
            Err(RecvTimeoutError::Timeout) => return Err("cancelled".into()),
        }
    }
}

/// Adds up several feeds, each in a task. The error has all failures, in the order in which they
/// came. When this returns all tasks have ended; when it is dropped, the `JoinSet` aborts them.
async fn add_up_all(feeds: impl IntoIterator<Item = Feed>) -> Result<u64, Vec<String>> {
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    for feed in feeds {
        tasks.spawn(add_up(feed, stop.clone()));
    }
    let (mut total, mut failures) = (0, Vec::new());
    while let Some(ended) = tasks.join_next().await {
        // A task that has panicked counts as failed.
        match ended.unwrap_or_else(|panic| Err(panic.to_string())) {
            Ok(sum) => total += sum,
            Err(failure) => {
                stop.cancel();
                failures.push(failure);
            }
        }
    }
    failures.is_empty().then_some(total).ok_or(failures)
}

fn feed(numbers: [&'static str; 2]) -> (Sender<&'static str>, Feed) {
    let (tx, feed) = hchan::bounded(2);
    tx.try_send_many(numbers).expect("there is room");
    (tx, feed)
}

#[tokio::main]
async fn main() {
    // These feeds end, as their senders are dropped.
    let feeds = [["1", "2"], ["3", "4"], ["5", "6"]].map(|numbers| feed(numbers).1);
    let total = add_up_all(feeds).await;
    println!("{total:?}");
    assert_eq!(total, Ok(21));

    // These stay open, so without the error their tasks would wait for ever.
    let feeds = [["1", "2"], ["3", "four"], ["5", "6"]].map(feed);
    let (senders, feeds): (Vec<_>, Vec<_>) = feeds.into_iter().unzip();
    let total = add_up_all(feeds).await;
    println!("{total:?}");
    let expected = ["four is no number", "cancelled", "cancelled"];
    assert_eq!(total.unwrap_err(), expected, "the cause comes first");
    assert!(senders.iter().all(Sender::is_closed), "no task is left");
}
