//! Threads that end, threads that park for reasons of their own, and messages of odd alignments.

#![cfg(feature = "std")]
#![cfg(not(target_family = "wasm"))] // All of it needs threads.

mod support;

use std::{
    cell::RefCell,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use hchan::{Receiver, RecvError, bounded, unbounded};
use support::{ends_within, until};

/// A thread-local of the user's that blocks on a channel when the thread ends, initialized before and after the crate's own.
#[test]
fn thread_locals_may_block_when_their_thread_ends() {
    struct Last(Receiver<u8>, mpsc::Sender<Result<u8, RecvError>>);
    impl Drop for Last {
        fn drop(&mut self) {
            let Self(rx, result) = self;
            result.send(rx.recv_blocking()).unwrap();
            result.send(rx.recv_blocking()).unwrap();
        }
    }
    thread_local!(static LAST: RefCell<Option<Last>> = const { RefCell::new(None) });

    for crate_first in [false, true] {
        let (tx, rx) = bounded(0);
        let (result, results) = mpsc::channel();
        let counting = rx.clone();
        let ending = thread::spawn(move || {
            let block = || {
                assert!(
                    bounded::<u8>(0)
                        .1
                        .recv()
                        .wait_timeout(Duration::from_millis(1))
                        .is_err()
                )
            };
            let (_keep, never) = bounded::<u8>(0);
            let block_long =
                || assert!(never.recv().wait_timeout(Duration::from_millis(1)).is_err());
            if crate_first {
                block_long();
            }
            block();
            LAST.set(Some(Last(rx, result)));
            block_long();
        });
        until(|| counting.waiting_receivers() == 1);
        thread::sleep(Duration::from_millis(5));
        tx.send_blocking(1).unwrap();
        until(|| counting.waiting_receivers() == 1);
        drop(tx);
        ending.join().unwrap();
        assert_eq!(results.iter().collect::<Vec<_>>(), [Ok(1), Err(RecvError)]);
    }
}

/// What others do with `thread::park` is theirs.
#[test]
fn blocking_call_leaves_the_unpark_of_others_alone() {
    let (tx, rx) = bounded(0);
    let (ready, is_ready) = mpsc::channel();
    let parking = thread::spawn(move || {
        ready.send(()).unwrap();
        assert_eq!(rx.recv_blocking(), Ok(1));
        let start = Instant::now();
        thread::park_timeout(Duration::from_secs(3));
        start.elapsed()
    });
    is_ready.recv().unwrap();
    thread::sleep(Duration::from_millis(50));
    // For the user's own `park`, which comes after the receive.
    parking.thread().unpark();
    thread::sleep(Duration::from_millis(50));
    tx.send_blocking(1).unwrap();
    assert!(
        parking.join().unwrap() < Duration::from_secs(1),
        "the unpark was swallowed"
    );
}

#[test]
fn messages_of_every_alignment_lie_where_they_should() {
    #[repr(align(4096))]
    #[derive(Debug, PartialEq)]
    struct Page(u8);
    #[repr(align(64))]
    #[derive(Debug, PartialEq)]
    struct Nothing;
    fn check<T: PartialEq + std::fmt::Debug + Send>(make: impl Fn(u8) -> T) {
        for channel in [
            bounded(1),
            bounded(4),
            bounded(5),
            bounded(1000),
            bounded(usize::MAX),
            unbounded(),
        ] {
            let (tx, rx) = channel;
            for round in 0..3 {
                let mut sent = 0;
                while sent < 40 && tx.try_send(make(sent + round)).is_ok() {
                    sent += 1;
                }
                for n in 0..sent {
                    let message = rx.try_recv().unwrap();
                    assert_eq!(&raw const message as usize % align_of::<T>(), 0);
                    assert_eq!(message, make(n + round));
                }
                assert!(rx.is_empty());
            }
        }
    }
    check(Page);
    check(|_| Nothing);
    check(|n| [n; 10_000]);
    check(|_| ());
}

/// Sends and receives meet over every capacity around the edge between one lock and two, whoever is ahead.
#[test]
fn four_to_four_threads_over_capacities_around_the_edge() {
    const EACH: usize = if cfg!(miri) { 10 } else { 20_000 };
    for capacity in [3, 4, 5, 6] {
        let (tx, rx) = bounded(capacity);
        ends_within(Duration::from_secs(100), move || {
            let receiving: Vec<_> = (0..4)
                .map(|_| {
                    let rx = rx.clone();
                    thread::spawn(move || rx.iter_blocking().sum::<u64>())
                })
                .collect();
            let sending: Vec<_> = (0..4)
                .map(|_| {
                    let tx = tx.clone();
                    thread::spawn(move || {
                        (0..EACH as u64).for_each(|n| tx.send_blocking(n).unwrap())
                    })
                })
                .collect();
            drop(tx);
            sending.into_iter().for_each(|t| t.join().unwrap());
            let sum: u64 = receiving.into_iter().map(|t| t.join().unwrap()).sum();
            assert_eq!(sum, 4 * (0..EACH as u64).sum::<u64>());
        });
    }
}
