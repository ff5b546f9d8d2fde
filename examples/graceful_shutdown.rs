//! An orderly end: the producers are told to stop, the channel runs empty, and all that was sent has been received.
//!
//! ```text
//! cargo run --example graceful_shutdown
//! ```

use std::{convert::Infallible, time::Duration};

use futures::future::try_join_all;
use hchan::{Receiver, Sender};
use tokio::task::JoinError;

const PRODUCERS: usize = 3;
const ENOUGH: u64 = 100;

/// Which producer sent it, and how many it had sent before.
type Message = (usize, u64);

/// Sends until it is told to stop, and returns how many messages it has sent.
async fn produce(id: usize, messages: Sender<Message>, stopped: Receiver<Infallible>) -> u64 {
    let mut sent = 0;
    loop {
        // Waiting for work is cancelled, sending is not: when a send loses in a select, a receiver may just have taken its
        // message, so it could not be counted. There is no need either, as the consumer goes on to the end.
        tokio::select! {
            // Nothing is ever sent there. When it is closed, all who receive are told, at once.
            _ = stopped.recv() => break,
            () = tokio::time::sleep(Duration::from_millis(1)) => {}
        }
        if messages.send((id, sent)).await.is_err() {
            break;
        }
        sent += 1;
    }
    println!("producer {id} has sent {sent} messages");
    sent // and its sender is dropped, which closes the channel if it is the last one
}

/// Receives until the channel is closed and empty, and returns how many messages of each producer came.
async fn consume(messages: Receiver<Message>, stop: Sender<Infallible>) -> [u64; PRODUCERS] {
    let mut received = [0; PRODUCERS];
    while let Ok((id, n)) = messages.recv().await {
        assert_eq!(n, received[id], "each producer's messages come in order");
        received[id] += 1;
        if received.iter().sum::<u64>() == ENOUGH {
            println!("the consumer has {ENOUGH} messages and says stop");
            stop.close();
        }
    }
    received
}

#[tokio::main]
async fn main() -> Result<(), JoinError> {
    let (messages_tx, messages_rx) = hchan::bounded(8);
    let (stop, stopped) = hchan::bounded(0);
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|id| tokio::spawn(produce(id, messages_tx.clone(), stopped.clone())))
        .collect();
    drop(messages_tx); // or the channel would stay open
    let received = tokio::spawn(consume(messages_rx, stop)).await?;
    println!("the consumer has received {received:?}");
    assert_eq!(try_join_all(producers).await?, received);
    Ok(())
}
