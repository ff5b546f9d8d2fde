//! A counting semaphore: permits of a channel on which nothing is ever sent. Its capacity is how many may work at a time, and who
//! has waited longest is next. To close it is to let nobody in any more.
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

/// Works, for as long as it has a permit; returns how many were at work then.
async fn work(permit: OwnedPermit<Infallible>) -> usize {
    let at_work = AT_WORK.fetch_add(1, Relaxed) + 1;
    for _ in 0..5 {
        yield_now().await;
    }
    AT_WORK.fetch_sub(1, Relaxed);
    drop(permit); // and the next one has it
    at_work
}

/// Waits until it may work. `None`: it may not, as the semaphore was closed.
async fn work_in_turn(semaphore: Sender<Infallible>) -> Option<usize> {
    let permit = semaphore.reserve().await.ok()?;
    Some(work(permit.into_owned()).await)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), JoinError> {
    // The receiver is kept, or the channel would be closed. `Infallible` has no values: nothing can be sent.
    let (semaphore, _open) = hchan::bounded::<Infallible>(LIMIT);

    let workers = (0..10).map(|_| tokio::spawn(work_in_turn(semaphore.clone())));
    let mut most = 0;
    for (n, at_work) in join_all(workers).await.into_iter().enumerate() {
        let at_work = at_work?.expect("it is open");
        println!("worker {n} was one of {at_work}");
        most = most.max(at_work);
    }
    assert_eq!(most, LIMIT);

    // Taken without waiting, or not at all; a wait for a permit can be given up as any other.
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
