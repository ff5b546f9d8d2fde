//! Sync and async code on one channel (blocking and async handles, threads and tasks, two
//! runtimes): a thread, a tokio task and a smol task send, and three others of these kinds
//! receive.
//!
//! Look at the assertions: each message went to one receiver, and every receiver got the messages
//! of each sender in the order in which they were sent.
//!
//! ```text
//! cargo run --example blocking_bridge
//! ```

use std::thread;

use futures::StreamExt;
use hchan::{Sender, blocking};
use tokio::task::JoinError;

/// Which sender sent it, and how many it had sent before.
type Message = (usize, u32);

/// How many messages each sender sends.
const COUNT: u32 = 1000;

fn send_from_thread(id: usize, tx: blocking::Sender<Message>) {
    for n in 0..COUNT {
        tx.send((id, n)).expect("received to the end");
    }
}

async fn send_from_task(id: usize, tx: Sender<Message>) {
    for n in 0..COUNT {
        tx.send((id, n)).await.expect("received to the end");
    }
}

#[tokio::main]
async fn main() -> Result<(), JoinError> {
    let (tx, rx) = hchan::bounded(4);
    let (blocking_tx, blocking_rx) = (tx.clone().into_blocking(), rx.clone().into_blocking());
    // Each receives until all senders are dropped and the channel is empty.
    let receivers = (
        thread::spawn(|| blocking_rx.into_iter().collect::<Vec<_>>()),
        tokio::spawn(rx.clone().into_stream().collect::<Vec<_>>()),
        smol::spawn(rx.into_stream().collect::<Vec<_>>()),
    );
    let senders = (
        thread::spawn(|| send_from_thread(0, blocking_tx)),
        tokio::spawn(send_from_task(1, tx.clone())),
        smol::spawn(send_from_task(2, tx)),
    );
    let shares = [
        ("tokio task", receivers.1.await?),
        ("smol task", receivers.2.await),
        // The channel has ended, so the thread is about to end: this hardly blocks the task.
        ("thread", receivers.0.join().expect("it does not panic")),
    ];
    senders.0.join().expect("it does not panic");
    senders.1.await?;
    senders.2.await;

    let mut all = Vec::new();
    for (receiver, share) in shares {
        println!("{receiver}: {} messages", share.len());
        for sender in 0..3 {
            let from_one = share.iter().filter(|&&(id, _)| id == sender);
            assert!(from_one.is_sorted(), "in order");
        }
        all.extend(share);
    }
    all.sort();
    let sent = (0..3).flat_map(|id| (0..COUNT).map(move |n| (id, n)));
    assert!(all.into_iter().eq(sent), "each went to one receiver");
    Ok(())
}
