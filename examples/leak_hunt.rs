//! A message that was sent and never arrives: `inspect::stuck` finds the future that has it.
//!
//! A worker waits for a job beside a tick. On each tick it looks after something else, for which it needs a job, too. It keeps its first
//! receive, which is parked and is not polled meanwhile: the next job is handed to that one.
//!
//! ```text
//! cargo run --example leak_hunt --features inspect
//! ```

use std::{pin::pin, time::Duration};

use hchan::{
    Receiver, bounded,
    inspect::{self, WaiterState},
};
use tokio::time::{sleep, timeout};

const LONG: Duration = Duration::from_millis(50);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    inspect::enable(inspect::Config::default());
    let (jobs, queue) = bounded(4);
    jobs.set_name("jobs");

    let mut worker = tokio::spawn(work(queue));
    // The worker has its two receives parked by then.
    sleep(Duration::from_millis(10)).await;
    jobs.send("the job that nobody does").await.unwrap();

    // The symptom: the job was sent, the channel is empty, and the worker still waits.
    assert!(timeout(LONG, &mut worker).await.is_err());
    assert_eq!(jobs.len(), 0);

    let stuck = inspect::stuck(LONG / 2);
    print!("{stuck}");
    let culprit = (stuck.waiters.iter())
        .find(|stuck| stuck.waiter.state == WaiterState::HandedOver)
        .expect("a message was handed over and not polled for");
    assert_eq!(culprit.channel.name.as_deref(), Some("jobs"));
    println!(
        "\nThe job is in the future made at {}.",
        culprit.waiter.call_site
    );

    // The one behind it is the worker's other receive.
    let behind = (stuck.waiters.iter())
        .find_map(|stuck| stuck.suspected_futurelock.as_ref())
        .expect("the worker waits behind a future of its own");
    assert_eq!(*behind, culprit.waiter.call_site);

    // The cure: dropped before the worker waits again, it gives the job back.
    worker.abort();
    assert!(worker.await.unwrap_err().is_cancelled());
    let (jobs, queue) = bounded(4);
    let worker = tokio::spawn(work_without_keeping(queue));
    sleep(Duration::from_millis(10)).await;
    jobs.send("the job that is done").await.unwrap();
    assert_eq!(worker.await.unwrap(), Some("the job that is done"));
    inspect::assert_idle();
    println!("Nothing is left waiting.");
}

async fn work(queue: Receiver<&'static str>) -> Option<&'static str> {
    let mut next = pin!(queue.recv());
    tokio::select! {
        job = &mut next => job.ok(),
        // The mistake: `next` stays parked, and is first in the line.
        () = tick() => queue.recv().await.ok(),
    }
}

async fn work_without_keeping(queue: Receiver<&'static str>) -> Option<&'static str> {
    let job = tokio::select! {
        job = queue.recv() => Some(job),
        () = tick() => None,
    };
    // The receive above has been dropped by now.
    match job {
        Some(job) => job.ok(),
        None => queue.recv().await.ok(),
    }
}

/// Something else that is due.
async fn tick() {
    sleep(Duration::from_millis(1)).await;
}
