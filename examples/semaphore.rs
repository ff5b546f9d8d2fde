//! Semaphore (concurrency limit, bulkhead): permits of a channel on which nothing is ever sent.
//! Its capacity is the limit, and the task that has waited longest is next.
//!
//! Look at the assertions: how many tasks were at work together, what a full semaphore answers,
//! and that a closed one lets nobody in.
//!
//! ```text
//! cargo run --example semaphore
//! ```

use std::{
    convert::Infallible,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use futures::future::join_all;
use hchan::{OwnedPermit, Sender};
use tokio::{
    task::{JoinError, yield_now},
    time::{Duration, sleep},
};

const LIMIT: usize = 3;
static AT_WORK: AtomicUsize = AtomicUsize::new(0);

/// Works while it has a permit, and returns how many tasks were at work then.
async fn work(permit: OwnedPermit<Infallible>) -> usize {
    let at_work = AT_WORK.fetch_add(1, Relaxed) + 1;
    for _ in 0..5 {
        yield_now().await;
    }
    AT_WORK.fetch_sub(1, Relaxed);
    drop(permit); // Now the task that has waited longest has it.
    at_work
}

/// Waits for a permit, and works. Returns `None` if the semaphore is closed.
async fn work_in_turn(semaphore: Sender<Infallible>) -> Option<usize> {
    let permit = semaphore.reserve().await.ok()?;
    Some(work(permit.into_owned()).await)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), JoinError> {
    // The receiver is kept, or the channel would close. `Infallible` has no values, so nothing can
    // be sent.
    let (semaphore, _open) = hchan::bounded::<Infallible>(LIMIT);

    let workers = (0..10).map(|_| tokio::spawn(work_in_turn(semaphore.clone())));
    let mut most = 0;
    for (n, at_work) in join_all(workers).await.into_iter().enumerate() {
        let at_work = at_work?.expect("it is open");
        println!("worker {n} was one of {at_work}");
        most = most.max(at_work);
    }
    assert_eq!(most, LIMIT);

    // Permits can be taken without waiting, and a wait for a permit can be given up.
    let all: Vec<_> = (0..LIMIT)
        .map_while(|_| semaphore.try_reserve().ok())
        .collect();
    assert!(semaphore.try_reserve().unwrap_err().is_full());
    let soon = sleep(Duration::from_millis(1));
    assert!(
        semaphore
            .reserve()
            .until(soon)
            .await
            .unwrap_err()
            .is_timeout()
    );
    drop(all);

    semaphore.close();
    assert_eq!(work_in_turn(semaphore).await, None);
    Ok(())
}
