//! Without the feature `tokio`: a loop that is always ready yields where tokio's `cooperative` is around its operations.

mod support;

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use futures::StreamExt;
use hchan::{RecvTimeoutError, bounded, select};
use support::{no_deadlock, two_workers};
use tokio::{
    runtime::{Builder, Runtime},
    task::{coop::cooperative, yield_now},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

const SOON: Duration = Duration::from_millis(1);

/// Runs a loop until it ends. On a runtime of one thread that takes a loop that yields.
fn ends<F>(task: impl Fn() -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    fn current_thread() -> Runtime {
        let mut builder = Builder::new_current_thread();
        builder.enable_time().build().expect("a runtime")
    }

    no_deadlock(move || {
        for runtime in [current_thread(), two_workers()] {
            let running = runtime.spawn(task());
            runtime.block_on(running).expect("it does not panic");
        }
    });
}

#[test]
fn timer_stops_a_loop_of_cooperative_receives() {
    ends(|| async {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let mut stop = pin!(sleep(SOON));
        loop {
            match cooperative(rx.recv().until(&mut stop)).await {
                Ok(n) => tx.try_send(n).unwrap(),
                Err(error) => break assert_eq!(error, RecvTimeoutError::Timeout),
            }
        }
    });
}

#[test]
fn token_of_a_neighbour_stops_a_loop_of_cooperative_sends() {
    ends(|| async {
        let (tx, rx) = bounded(1);
        let token = CancellationToken::new();
        let neighbour = token.clone();
        tokio::spawn(async move { neighbour.cancel() });
        while cooperative(tx.send(1).until(token.cancelled()))
            .await
            .is_ok()
        {
            rx.try_recv().unwrap();
        }
    });
}

#[test]
fn timer_stops_a_loop_of_cooperative_selects() {
    ends(|| async {
        let (tx, rx) = bounded(1);
        let mut stop = pin!(sleep(SOON));
        let mut is_over = false;
        while !is_over {
            tx.try_send(1).unwrap_or_default();
            cooperative(async {
                select! {
                    recv(rx) -> message => assert_eq!(message, Ok(1)),
                    future(&mut stop) -> () => is_over = true,
                }
            })
            .await;
        }
    });
}

#[test]
fn neighbours_run_beside_a_stream_of_cooperative_items() {
    ends(|| async {
        let (tx, rx) = bounded(1);
        let has_run = Arc::new(AtomicBool::new(false));
        let setting = Arc::clone(&has_run);
        tokio::spawn(async move { setting.store(true, SeqCst) });
        let mut stream = rx.into_stream();
        while !has_run.load(SeqCst) {
            tx.try_send(1).unwrap();
            assert_eq!(cooperative(stream.next()).await, Some(1));
        }
    });
}

#[test]
fn timer_stops_a_loop_that_yields_every_so_often() {
    ends(|| async {
        let (tx, rx) = bounded(1);
        tx.try_send(0).unwrap();
        let mut stop = pin!(sleep(SOON));
        while let Ok(n) = rx.recv().until(&mut stop).await {
            tx.try_send(n + 1).unwrap();
            if n % 100 == 0 {
                yield_now().await;
            }
        }
    });
}
