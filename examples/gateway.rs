//! Gateway (hedged requests, first answer wins, racing replicas, tail latency): one replica after
//! another is asked until one answers.
//!
//! A query carries a reply channel with room for one answer. When the gateway has its answer it
//! drops the receiver, and the close tells the stragglers to stop. Look at the assertions: how
//! long it took, how many replicas were asked, and that the stragglers were cancelled.
//!
//! ```text
//! cargo run --example gateway
//! ```

use std::{future::pending, time::Duration};

use futures::future::try_join_all;
use hchan::{Receiver, RecvTimeoutError, Sender};
use tokio::time::{Instant, sleep};

const HEDGE_AFTER: Duration = Duration::from_millis(20);

/// A key, and where the answer goes.
type Query = (u32, Sender<String>);

/// Serves queries, and returns what became of each. The disk of a stuck replica never answers.
async fn replica(number: usize, is_stuck: bool, queries: Receiver<Query>) -> Vec<&'static str> {
    let mut log = Vec::new();
    while let Ok((key, reply)) = queries.recv().await {
        let lookup = async {
            match is_stuck {
                true => pending().await,
                false => format!("key {key}, from replica {number}"),
            }
        };
        log.push(hchan::select! {
            biased; // A query that was cancelled in the queue is not looked up.
            future(reply.closed()) -> () => "cancelled",
            future(lookup) -> found => reply.try_send(found).map_or("too late", |()| "answered"),
        });
    }
    log
}

/// Asks one replica, and one more each time that `HEDGE_AFTER` passes without an answer.
async fn first_answer(replicas: &[Sender<Query>], key: u32) -> Option<String> {
    let (reply, answers) = hchan::bounded(1);
    for replica in replicas {
        let reply = reply.clone();
        if replica.try_send((key, reply)).is_err() {
            continue; // Its queue is full, or it has died.
        }
        match answers.recv().until(sleep(HEDGE_AFTER)).await {
            Err(RecvTimeoutError::Timeout) => println!("no answer yet: one more is asked"),
            answer => return answer.ok(),
        }
    }
    drop(reply); // So the receive fails if all replicas drop the query.
    answers.recv().await.ok()
}

// The clock is paused: a timer fires as soon as all tasks wait.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (mut replicas, mut tasks) = (Vec::new(), Vec::new());
    for (number, is_stuck) in [true, true, false, false].into_iter().enumerate() {
        let (queries, queue) = hchan::bounded(8);
        replicas.push(queries);
        tasks.push(tokio::spawn(replica(number, is_stuck, queue)));
    }

    let start = Instant::now();
    let answer = first_answer(&replicas, 7).await;
    println!("{answer:?} after {:?}", start.elapsed());
    assert_eq!(answer.as_deref(), Some("key 7, from replica 2"));
    assert_eq!(start.elapsed(), 2 * HEDGE_AFTER, "the first two were slow");

    drop(replicas);
    let logs = try_join_all(tasks).await.expect("no replica panics");
    println!("what the replicas did: {logs:?}");
    let expected: [&[_]; 4] = [&["cancelled"], &["cancelled"], &["answered"], &[]];
    assert_eq!(logs, expected);
}
