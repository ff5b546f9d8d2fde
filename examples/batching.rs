//! Messages are collected into batches: one is complete when it is full, or when some time has passed since its first message.
//!
//! ```text
//! cargo run --example batching
//! ```

use std::{pin::pin, time::Duration};

use hchan::{Receiver, Sender};
use tokio::{task::JoinError, time::sleep};

const FULL: usize = 4;
const LONG_ENOUGH: Duration = Duration::from_millis(10);

/// The next batch; empty when there are no more messages.
async fn next_batch(messages: &Receiver<u32>) -> Vec<u32> {
    let mut batch = Vec::with_capacity(FULL);
    // For the first message there is no hurry. As many as are there come with it.
    if messages.recv_many(&mut batch, FULL).await.is_err() {
        return batch;
    }
    let mut time_is_up = pin!(sleep(LONG_ENOUGH));
    while batch.len() < FULL {
        // What is stopped has taken nothing: the messages are in the batch or in the channel.
        let missing = FULL - batch.len();
        let more = messages.recv_many(&mut batch, missing);
        if more.until(time_is_up.as_mut()).await.is_err() {
            break;
        }
    }
    batch
}

/// Writes down all messages, batch by batch.
async fn write(messages: Receiver<u32>, written: Sender<Vec<u32>>) {
    loop {
        let batch = next_batch(&messages).await;
        println!("{batch:?}");
        if batch.is_empty() || written.send(batch).await.is_err() {
            break;
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), JoinError> {
    let (tx, messages) = hchan::bounded(100);
    let (written, batches) = hchan::unbounded();
    let writing = tokio::spawn(write(messages, written));

    // Ten at once: two full batches, and the rest, which nothing but time completes.
    tx.send_many(0..10).await.expect("open");
    let first: Vec<_> = [
        batches.recv().await,
        batches.recv().await,
        batches.recv().await,
    ]
    .into();
    assert_eq!(
        first,
        [Ok(vec![0, 1, 2, 3]), Ok(vec![4, 5, 6, 7]), Ok(vec![8, 9])]
    );

    // The end completes a batch, too.
    tx.send_many(10..12).await.expect("open");
    drop(tx);
    assert_eq!(batches.recv().await, Ok(vec![10, 11]));
    assert!(batches.recv().await.is_err());
    writing.await
}
