//! Or-done channel (done channel, cancellable range loop): a stream that ends with its channel, or
//! earlier when it is told to stop.
//!
//! Look at the assertions: the stop comes before messages that are ready, it reaches a stream
//! whose channel is silent, and what a stopped stream has not taken is there for the next.
//!
//! ```text
//! cargo run --example or_done
//! ```

use std::{convert::Infallible, pin::pin};

use futures::{Stream, StreamExt, stream::unfold};
use hchan::Receiver;
use tokio::task::JoinError;

/// The messages of `input` until it ends, or until `stopped` closes. Nothing is ever sent on that.
fn or_done<T>(input: Receiver<T>, stopped: Receiver<Infallible>) -> impl Stream<Item = T> {
    unfold((input, stopped), async |(input, stopped)| {
        let message = input.recv().until(stopped.recv()).await.ok()?;
        Some((message, (input, stopped)))
    })
}

#[tokio::main]
async fn main() -> Result<(), JoinError> {
    let (tx, numbers) = hchan::bounded(16);
    let (stop, stopped) = hchan::bounded(0);
    tx.try_send_many(0..16).expect("there is room");

    // Here nothing is sent, and the channel stays open.
    let (_open, silent) = hchan::bounded::<u32>(1);
    let listening = tokio::spawn(or_done(silent, stopped.clone()).count());

    let mut first = Vec::new();
    let mut stream = pin!(or_done(numbers.clone(), stopped));
    while let Some(n) = stream.next().await {
        first.push(n);
        if n == 9 {
            stop.close();
        }
    }
    println!("until the stop: {first:?}");
    assert!(first.into_iter().eq(0..10), "none after the stop");
    assert_eq!(listening.await?, 0, "the silent one was stopped, too");

    // Without a stop: until the channel ends.
    drop(tx);
    let rest: Vec<_> = or_done(numbers, hchan::never()).collect().await;
    println!("until the end: {rest:?}");
    assert!(rest.into_iter().eq(10..16), "none was lost");
    Ok(())
}
