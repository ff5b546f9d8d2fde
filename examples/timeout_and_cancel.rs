//! Timeout and cancellation (deadline, context, Go's `ctx.Done()`): a send is given up after a
//! while, or when the task is told to stop.
//!
//! Look at the outcomes: wherever a message was not sent, its sender has it back.
//!
//! ```text
//! cargo run --example timeout_and_cancel
//! ```

use std::{convert::Infallible, time::Duration};

use hchan::{Receiver, Sender};

/// Nothing is ever sent on it. Dropping its sender closes it, and that says stop.
type Cancelled = Receiver<Infallible>;

#[derive(Debug, PartialEq)]
enum Outcome {
    Sent,
    // The others have the message: it was not sent, and will not be.
    TimedOut(String),
    Cancelled(String),
    Closed(String),
}

async fn send(
    tx: &Sender<String>,
    message: String,
    limit: Duration,
    cancelled: &Cancelled,
) -> Outcome {
    let mut message = Some(message);
    // `send_from` takes the message out of the `Option` if the arm wins. If it loses, the message
    // is in there as before.
    let give_up = hchan::select! {
        send_from(tx, &mut message) -> sent => match sent {
            Ok(()) => return Outcome::Sent,
            Err(_) => Outcome::Closed,
        },
        recv(cancelled) -> _ => Outcome::Cancelled,
        future(tokio::time::sleep(limit)) -> () => Outcome::TimedOut,
    };
    give_up(message.unwrap_or_default())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (tx, rx) = hchan::bounded(1);
    let (cancel, cancelled) = hchan::bounded(0);
    let (short, long) = (Duration::from_millis(10), Duration::from_secs(600));
    let message = |text: &str| text.to_string();

    let outcome = send(&tx, message("first"), long, &cancelled).await;
    println!("there is room:      {outcome:?}");
    assert_eq!(outcome, Outcome::Sent);

    let outcome = send(&tx, message("second"), short, &cancelled).await;
    println!("there is none:      {outcome:?}");
    assert_eq!(outcome, Outcome::TimedOut(message("second")));

    let cancelling = tokio::spawn(async move { drop(cancel) });
    let outcome = send(&tx, message("third"), long, &cancelled).await;
    cancelling.await.expect("it does not panic");
    println!("told to stop:       {outcome:?}");
    assert_eq!(outcome, Outcome::Cancelled(message("third")));

    // From now on the cancelled arm is always ready. What was sent is still there, and nothing
    // else.
    assert_eq!(rx.try_recv(), Ok(message("first")));
    assert!(rx.try_recv().is_err());
    rx.close();
    let outcome = send(&tx, message("fourth"), long, &hchan::never()).await;
    println!("nobody to receive:  {outcome:?}");
    assert_eq!(outcome, Outcome::Closed(message("fourth")));
}
