//! Graceful shutdown (drain, SIGTERM, finish what was accepted): the tasks that accept requests
//! are told to stop, the queue runs empty, and then everything has ended.
//!
//! Look at the assertion: the requests that were accepted have been done, each once, also those
//! that were in the queue or in a task's hands at the stop. The client knows which they are.
//!
//! ```text
//! cargo run --example graceful_shutdown
//! ```

use std::convert::Infallible;

use futures::future::try_join_all;
use hchan::{Receiver, Sender};
use tokio::task::JoinError;

/// So many requests are done before the stop.
const ENOUGH: usize = 100;

/// Sends requests 0, 1, 2.. until they are no longer accepted. Returns how many were.
async fn ask(requests: Sender<u64>) -> u64 {
    let mut accepted = 0;
    while requests.send(accepted).await.is_ok() {
        accepted += 1;
    }
    accepted
}

/// Accepts requests until the stop. Returns how many.
async fn accept(requests: Receiver<u64>, jobs: Sender<u64>, stopped: Receiver<Infallible>) -> u64 {
    let mut accepted = 0;
    while let Ok(request) = requests.recv().until(stopped.recv()).await {
        // Only the wait for a request is given up. One that was accepted must get into the queue.
        jobs.send(request)
            .await
            .expect("the worker goes on to the end");
        accepted += 1;
    }
    accepted // Here `jobs` is dropped. When all are, the queue closes.
}

/// Does the jobs until there are no more, those that come after the stop, too. Returns them all.
async fn work(jobs: Receiver<u64>, stop: Sender<Infallible>) -> Vec<u64> {
    let mut done = Vec::new();
    while let Ok(job) = jobs.recv().await {
        done.push(job);
        if done.len() == ENOUGH {
            println!("stop, after {ENOUGH} jobs; {} are in the queue", jobs.len());
            stop.close(); // Tells all tasks at once.
        }
    }
    done
}

#[tokio::main]
async fn main() -> Result<(), JoinError> {
    // Without a buffer, a request that was sent is in the hands of a task that accepts it.
    let (requests, incoming) = hchan::bounded(0);
    let ((jobs, queue), (stop, stopped)) = (hchan::bounded(8), hchan::bounded(0));
    let asking = tokio::spawn(ask(requests));
    let accepting = [incoming.clone(), incoming.clone(), incoming]
        .map(|incoming| tokio::spawn(accept(incoming, jobs.clone(), stopped.clone())));
    drop(jobs); // Or the queue would stay open.

    let mut done = tokio::spawn(work(queue, stop)).await?;
    let by_task = try_join_all(accepting).await?;
    let accepted = asking.await?;
    println!(
        "{accepted} accepted, by task: {by_task:?}; {} done",
        done.len()
    );
    done.sort();
    assert!(
        done.into_iter().eq(0..accepted),
        "every accepted request is done"
    );
    assert_eq!(by_task.iter().sum::<u64>(), accepted);
    Ok(())
}
