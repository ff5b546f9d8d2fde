//! Select in a loop (`tokio::select!`, `futures::select!`, cancel safety): arms lose all the time,
//! and no message is lost.
//!
//! Look at how each loop keeps its receives, and at the assertions: a receive that was handed a
//! message and then lost has given it back, and the next one gets it, in order.
//!
//! ```text
//! cargo run --example select_loop
//! ```

use std::pin::pin;

use hchan::Receiver;
use tokio::task::JoinSet;

const COUNT: u32 = 2_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut tasks = JoinSet::new();
    let given_back = new_receives_each_round(numbers(&mut tasks), numbers(&mut tasks)).await;
    println!("tokio::select!: all received, {given_back} of them given back before");
    assert!(given_back > 0);
    kept_receives(numbers(&mut tasks), numbers(&mut tasks)).await;
    println!("futures::select!: all received");
    tasks.join_all().await; // Panics if a task did.
}

/// 0, 1, 2.. from a task.
fn numbers(tasks: &mut JoinSet<()>) -> Receiver<u32> {
    let (tx, rx) = hchan::bounded(0);
    tasks.spawn(async move {
        for n in 0..COUNT {
            tx.send(n).await.expect("received to the end");
        }
    });
    rx
}

/// Each round drops the receives that have lost. One that had been handed a message gives it back,
/// for the next receive.
async fn new_receives_each_round(a: Receiver<u32>, b: Receiver<u32>) -> usize {
    let (mut next_a, mut next_b, mut given_back) = (0, 0, 0);
    loop {
        tokio::select! {
            Ok(n) = a.recv() => take(n, &mut next_a),
            Ok(n) = b.recv() => take(n, &mut next_b),
            // Lets the senders run, and cancels both receives. A channel of capacity 0 holds a
            // message only if they gave it back.
            () = tokio::task::yield_now(), if !(a.is_closed() && b.is_closed()) => {
                given_back += a.len() + b.len();
            }
            // Both receives have failed, and the third arm is off.
            else => break,
        }
    }
    assert_eq!((next_a, next_b), (COUNT, COUNT));
    given_back
}

/// The receives live outside the loop. One that loses keeps its place in the line, and only one
/// that wins is made anew.
async fn kept_receives(a: Receiver<u32>, b: Receiver<u32>) {
    let (mut next_a, mut next_b) = (0, 0);
    let (mut from_a, mut from_b) = (pin!(a.recv()), pin!(b.recv()));
    loop {
        futures::select! {
            n = from_a => if let Ok(n) = n { take(n, &mut next_a); from_a.set(a.recv()); },
            n = from_b => if let Ok(n) = n { take(n, &mut next_b); from_b.set(b.recv()); },
            // Both have failed, and were not made anew.
            complete => break,
        }
    }
    assert_eq!((next_a, next_b), (COUNT, COUNT));
}

fn take(n: u32, next: &mut u32) {
    assert_eq!(n, *next, "in order, none missing, none twice");
    *next += 1;
}
