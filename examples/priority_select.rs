//! Priority queue (biased select, starvation): one worker serves two queues, the urgent one first,
//! and yet the other is not forgotten.
//!
//! Look at the assertions: after so many urgent jobs in a row comes one that is not urgent.
//!
//! ```text
//! cargo run --example priority_select
//! ```

use hchan::Receiver;

/// So many urgent jobs in a row are done before a normal one.
const PATIENCE: u32 = 5;

/// Does the jobs of both queues until both are closed and empty, and returns the order in which
/// it did them.
async fn work(urgent: Receiver<u32>, normal: Receiver<u32>) -> Vec<(&'static str, u32)> {
    let mut done = Vec::new();
    let (mut urgent_open, mut normal_open, mut in_a_row) = (true, true, 0);
    while urgent_open || normal_open {
        // `biased` takes the topmost arm that is ready. A condition that does not hold switches
        // its arm off: that of a queue that has ended, and at times the urgent one.
        let is_fair = in_a_row < PATIENCE || !normal_open || normal.is_empty();
        hchan::select! {
            biased;
            recv(urgent) -> job, if urgent_open && is_fair => match job {
                Ok(job) => { in_a_row += 1; done.push(("urgent", job)) }
                Err(_) => urgent_open = false,
            },
            recv(normal) -> job, if normal_open => match job {
                Ok(job) => { in_a_row = 0; done.push(("normal", job)) }
                Err(_) => normal_open = false,
            },
        }
    }
    done
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (urgent, urgent_jobs) = hchan::bounded(16);
    let (normal, normal_jobs) = hchan::bounded(16);
    for job in 0..12 {
        // Neither queue fills up: each has room for 16.
        let _ = urgent.try_send(job);
    }
    for job in 0..4 {
        let _ = normal.try_send(job);
    }
    drop((urgent, normal));

    let done = work(urgent_jobs, normal_jobs).await;
    for (queue, job) in &done {
        println!("{queue} job {job}");
    }

    let places = |queue| {
        done.iter()
            .enumerate()
            .filter(move |(_, done)| done.0 == queue)
            .map(|(place, _)| place)
    };
    assert!(places("urgent").eq([0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 12, 13]));
    assert!(places("normal").eq([5, 11, 14, 15]));
}
