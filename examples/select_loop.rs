//! Selecting in a loop, with `tokio::select!` and with `futures::select!`: arms lose all the time, and nothing gets lost.
//!
//! ```text
//! cargo run --example select_loop
//! ```

use std::pin::pin;

use hchan::Receiver;

const COUNT: u32 = 10_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let given_back = new_receives_each_round(numbers(), numbers()).await;
    println!("tokio::select!: all received, {given_back} of them given back before");
    kept_receives(numbers(), numbers()).await;
    println!("futures::select!: all received");
}

/// 0, 1, 2 .. from a task.
fn numbers() -> Receiver<u32> {
    let (tx, rx) = hchan::bounded(0);
    tokio::spawn(async move {
        let mut n = 0;
        while n < COUNT && tx.send(n).await.is_ok() {
            n += 1;
        }
    });
    rx
}

/// Each round drops the receives that have lost. One that had been handed a message gives it back, for the next receive.
async fn new_receives_each_round(a: Receiver<u32>, b: Receiver<u32>) -> usize {
    let (mut next_a, mut next_b, mut given_back) = (0, 0, 0);
    loop {
        tokio::select! {
            Ok(n) = a.recv() => take(n, &mut next_a),
            Ok(n) = b.recv() => take(n, &mut next_b),
            // Lets the senders run, and cancels both receives. What a channel of capacity 0 holds now, they gave back.
            () = tokio::task::yield_now(), if !(a.is_closed() && b.is_closed()) => {
                given_back += a.len() + b.len();
            }
            // A receive fails once its channel is closed and empty. Here both have, and the third arm is off.
            else => break,
        }
    }
    assert_eq!((next_a, next_b), (COUNT, COUNT));
    given_back
}

/// The receives live outside the loop: one that loses keeps its place in the line, only one that wins is made anew.
async fn kept_receives(a: Receiver<u32>, b: Receiver<u32>) {
    let (mut next_a, mut next_b) = (0, 0);
    let (mut from_a, mut from_b) = (pin!(a.recv()), pin!(b.recv()));
    loop {
        futures::select! {
            n = from_a => if let Ok(n) = n { take(n, &mut next_a); from_a.set(a.recv()); },
            n = from_b => if let Ok(n) = n { take(n, &mut next_b); from_b.set(b.recv()); },
            // Both have failed and were not made anew.
            complete => break,
        }
    }
    assert_eq!((next_a, next_b), (COUNT, COUNT));
}

fn take(n: u32, next: &mut u32) {
    assert_eq!(n, *next, "in order, none missing, none twice");
    *next += 1;
}
