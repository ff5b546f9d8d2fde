//! One channel with threads and tasks at both ends, the tasks on two executors.
//!
//! ```text
//! cargo run --example blocking_bridge
//! ```

use std::{ops::Range, thread};

use futures::StreamExt;
use hchan::{Receiver, SendError, Sender, blocking};

/// What one of the receivers got.
type Share = (&'static str, Vec<u32>);

#[tokio::main]
async fn main() {
    let (tx, rx) = hchan::bounded(4);
    send_from_thread(0..1_000, tx.clone().into_blocking());
    tokio::spawn(send_from_task(1_000..2_000, tx.clone()));
    smol::spawn(send_from_task(2_000..3_000, tx)).detach();

    let (shares_tx, shares_rx) = hchan::bounded(0);
    receive_in_thread(
        rx.clone().into_blocking(),
        shares_tx.clone().into_blocking(),
    );
    tokio::spawn(receive_in_task("tokio task", rx.clone(), shares_tx.clone()));
    smol::spawn(receive_in_task("smol task", rx, shares_tx)).detach();

    let mut all = Vec::new();
    while let Ok((receiver, share)) = shares_rx.recv().await {
        println!("{receiver}: {} messages", share.len());
        all.extend(share);
    }
    all.sort();
    assert!(
        all.into_iter().eq(0..3_000),
        "each message went to one of the three"
    );
}

/// Sends the numbers; ends early if nobody receives any more.
fn send_from_thread(numbers: Range<u32>, tx: blocking::Sender<u32>) {
    thread::spawn(move || numbers.into_iter().try_for_each(|n| tx.send(n)));
}

async fn send_from_task(numbers: Range<u32>, tx: Sender<u32>) -> Result<(), SendError<u32>> {
    for n in numbers {
        tx.send(n).await?;
    }
    Ok(())
}

/// Receives until all senders are dropped and the channel is empty.
fn receive_in_thread(rx: blocking::Receiver<u32>, shares: blocking::Sender<Share>) {
    thread::spawn(move || shares.send(("thread", rx.into_iter().collect())));
}

async fn receive_in_task(
    name: &'static str,
    rx: Receiver<u32>,
    shares: Sender<Share>,
) -> Result<(), SendError<Share>> {
    shares.send((name, rx.stream().collect().await)).await
}
