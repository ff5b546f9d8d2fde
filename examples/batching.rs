//! Batching by size or time (bulk processing, buffering, chunks with a timeout): messages are
//! collected until there are enough, or until the first of them has waited long enough.
//!
//! Look at the assertions: ten messages make two full batches at once, and time completes the
//! third, to the millisecond, as the clock is paused. The end of the channel completes the last.
//!
//! ```text
//! cargo run --example batching
//! ```

use std::{pin::pin, time::Duration};

use hchan::{Receiver, Sender};
use tokio::task::{JoinError, yield_now};
use tokio::time::{Instant, sleep};

const FULL: usize = 4;
const LONG_ENOUGH: Duration = Duration::from_millis(10);

/// The next batch. It is empty if there are no more messages.
async fn next_batch(messages: &Receiver<u32>) -> Vec<u32> {
    let mut batch = Vec::with_capacity(FULL);
    // The first message may take its time. Those that are in the channel already come with it.
    if messages.recv_many(&mut batch, FULL).await.is_err() {
        return batch;
    }
    let mut time_is_up = pin!(sleep(LONG_ENOUGH));
    while batch.len() < FULL {
        // A receive that gives up has taken nothing: messages are in the batch or in the channel.
        let missing = FULL - batch.len();
        let more = messages.recv_many(&mut batch, missing);
        if more.until(time_is_up.as_mut()).await.is_err() {
            break;
        }
    }
    batch
}

/// Passes on all messages, in batches.
async fn collect(messages: Receiver<u32>, batches: Sender<Vec<u32>>) {
    loop {
        let batch = next_batch(&messages).await;
        if batch.is_empty() || batches.send(batch).await.is_err() {
            return;
        }
    }
}

// The clock is paused: a timer fires as soon as all tasks wait.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), JoinError> {
    let ((tx, messages), (output, batches)) = (hchan::bounded(100), hchan::bounded(8));
    let collecting = tokio::spawn(collect(messages, output));
    let (start, next) = (Instant::now(), async || {
        let batch = batches.recv().await.expect("there is one more");
        println!("{batch:?}");
        batch
    });

    for numbers in [0..2, 2..10] {
        tx.send_many(numbers).await.expect("open");
        yield_now().await; // The first two are taken before the others come.
    }
    assert_eq!(next().await, [0, 1, 2, 3]);
    assert_eq!(next().await, [4, 5, 6, 7]);
    assert_eq!(start.elapsed(), Duration::ZERO, "no waiting for time");
    assert_eq!(next().await, [8, 9]);
    assert_eq!(start.elapsed(), LONG_ENOUGH);

    tx.send_many(10..12).await.expect("open");
    drop(tx);
    assert_eq!(next().await, [10, 11]);
    assert_eq!(
        start.elapsed(),
        LONG_ENOUGH,
        "the end does not wait for time"
    );
    assert!(batches.recv().await.is_err());
    collecting.await
}
