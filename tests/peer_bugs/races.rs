//! Rows about races, with real threads: what loom proves for a few steps is tried here over many.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use futures::FutureExt;
use hchan::{RecvTimeoutError, TryRecvError, bounded, unbounded};

#[cfg(not(feature = "std"))]
use crate::support::blocking::*;
use crate::support::{Drops, poll, scaled};

/// How often a race is run.
const ROUNDS: usize = scaled(if cfg!(debug_assertions) { 2_000 } else { 5_000 });

/// Rows 9 and 10: the last send and the drop of the last sender, against a receive.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn message_sent_before_the_last_sender_was_dropped_is_received_before_closed_is_reported() {
    let (rounds_tx, rounds_rx) = bounded(0);
    thread::scope(|threads| {
        threads.spawn(move || {
            for round in 0..ROUNDS {
                let (tx, rx) = unbounded();
                rounds_tx.send_blocking(rx).unwrap();
                tx.try_send(round).unwrap();
            }
        });
        for (round, rx) in rounds_rx.iter_blocking().enumerate() {
            let received = match round % 3 {
                0 => rx.recv_blocking().ok(),
                1 => loop {
                    match rx.try_recv() {
                        Err(TryRecvError::Empty) => thread::yield_now(),
                        received => break received.ok(),
                    }
                },
                _ => futures::executor::block_on(rx.recv()).ok(),
            };
            assert_eq!(received, Some(round), "closed before the last message");
        }
    });
}

/// Row 10: a send against the drop of the last receiver.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn message_of_a_successful_send_is_dropped_when_the_last_receiver_goes() {
    let drops = Drops::new();
    let (rounds_tx, rounds_rx) = bounded(0);
    thread::scope(|threads| {
        threads.spawn(move || {
            for _ in 0..ROUNDS {
                let (tx, rx) = unbounded();
                rounds_tx.send_blocking(tx).unwrap();
                drop(rx);
            }
        });
        for tx in rounds_rx.iter_blocking() {
            let before = drops.count();
            // If it does not go in, it drops here; if it does, as soon as the receiver is gone.
            let _ = tx.try_send(drops.message(0));
            while drops.count() == before {
                thread::yield_now();
            }
        }
    });
    assert_eq!(drops.count(), ROUNDS);
}

/// Row 15, CB#1187: a close and receives took the same messages.
#[cfg(feature = "std")]
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn messages_are_dropped_once_however_close_races_with_receives_and_sends() {
    for (round, close_by_drop) in [false, true]
        .into_iter()
        .cycle()
        .take(ROUNDS / 20)
        .enumerate()
    {
        let drops = Drops::new();
        let (tx, rx) = bounded(round % 4);
        let made = AtomicUsize::new(0);
        let start = Barrier::new(5);
        thread::scope(|threads| {
            for _ in 0..2 {
                let tx = tx.clone();
                let (drops, made, start) = (&drops, &made, &start);
                threads.spawn(move || {
                    start.wait();
                    loop {
                        made.fetch_add(1, SeqCst);
                        if tx.send_blocking(drops.message(0)).is_err() {
                            break;
                        }
                    }
                });
            }
            for _ in 0..2 {
                let rx = rx.clone();
                let start = &start;
                threads.spawn(move || {
                    start.wait();
                    if close_by_drop {
                        // Leaves some in the channel, for the last receiver to drop.
                        (0..20)
                            .for_each(|_| drop(rx.recv().wait_timeout(Duration::from_millis(1))));
                    } else {
                        while rx.recv_blocking().is_ok() {}
                    }
                });
            }
            start.wait();
            if close_by_drop {
                drop(rx);
            } else {
                rx.close();
            }
        });
        drop(tx);
        assert_eq!(drops.count(), made.load(SeqCst), "round {round}");
    }
}

/// Row 22, TK#6594, TK#8062: lengths were computed from counters read at different times.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn len_never_exceeds_the_capacity_while_threads_send_and_receive() {
    for capacity in [0, 1, 3] {
        let (tx, rx) = bounded(capacity);
        let received = AtomicUsize::new(0);
        thread::scope(|threads| {
            for _ in 0..2 {
                let tx = tx.clone();
                threads.spawn(move || {
                    for _ in 0..ROUNDS {
                        tx.send_blocking(()).unwrap();
                        let len = tx.len();
                        assert!(len <= capacity, "{len} of {capacity}");
                    }
                });
                threads.spawn(|| {
                    for () in rx.iter_blocking() {
                        received.fetch_add(1, SeqCst);
                        let len = rx.len();
                        assert!(len <= capacity, "{len} of {capacity}");
                    }
                });
            }
            drop(tx);
        });
        assert_eq!(received.into_inner(), 2 * ROUNDS);
        assert_eq!((rx.len(), rx.is_empty()), (0, true));
    }
}

/// Row 22: with messages given back all the time there are never more than those above the capacity, and the sum is right.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn messages_received_and_left_add_up_to_those_sent_though_receives_are_cancelled() {
    const CAPACITY: usize = 2;
    const CANCELLING: usize = 2;
    let (tx, rx) = bounded(CAPACITY);
    let (received, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|threads| {
        for _ in 0..CANCELLING {
            threads.spawn(|| {
                while !done.load(SeqCst) {
                    let mut recv = Box::pin(rx.recv());
                    let _ = poll(&mut recv).map(|_| received.fetch_add(1, SeqCst));
                    thread::yield_now();
                }
            });
        }
        for _ in 0..ROUNDS {
            tx.send_blocking(()).unwrap();
            let len = rx.len();
            // Each cancelled receive gives back one message, into an empty channel or to others like itself.
            assert!(len <= CAPACITY + CANCELLING, "{len}");
        }
        done.store(true, SeqCst);
    });
    let left = rx.len();
    assert_eq!(rx.try_iter().count(), left);
    assert_eq!(received.into_inner() + left, ROUNDS);
    assert_eq!((rx.waiting_receivers(), rx.waiting_senders()), (0, 0));
}

/// Rows 1 and 8, for threads: a wait that gives up just as its message comes returns it or leaves it, never both or neither.
#[cfg(feature = "std")]
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn timeouts_that_race_with_their_messages_lose_and_double_nothing() {
    for capacity in [0, 1] {
        let (tx, rx) = bounded(capacity);
        thread::scope(|threads| {
            threads.spawn(move || {
                for n in 0..ROUNDS {
                    let mut message = n;
                    // Ever again, with times around those that a handover takes.
                    while let Err(error) = tx
                        .send(message)
                        .wait_timeout(Duration::from_nanos((n % 64) as u64 * 500))
                    {
                        assert!(error.is_timeout());
                        message = error.into_inner();
                    }
                }
            });
            let mut received = Vec::with_capacity(ROUNDS);
            for n in 0_u64.. {
                match rx.recv().wait_timeout(Duration::from_nanos(n % 61 * 500)) {
                    Ok(message) => received.push(message),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Closed) => break,
                }
            }
            assert!(
                received.into_iter().eq(0..ROUNDS),
                "lost, doubled or out of order"
            );
        });
        assert_eq!((rx.waiting_receivers(), rx.waiting_senders()), (0, 0));
    }
}

/// Row 18, KN#4: owners free their waiters the moment they are done, while peers complete them.
#[cfg(feature = "std")]
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn waiters_are_freed_at_once_by_owners_that_race_with_their_peers() {
    let (tx, rx) = bounded(0);
    thread::scope(|threads| {
        for _ in 0..2 {
            let tx = tx.clone();
            threads.spawn(move || {
                for n in 0..ROUNDS {
                    // Freed parked, or done by a peer meanwhile, or sent at once.
                    let _ = Box::pin(tx.send(Box::new(n))).now_or_never();
                    let _ = tx.send(Box::new(n)).wait_timeout(Duration::ZERO);
                }
            });
        }
        drop(tx);
        for _ in 0..2 {
            threads.spawn(|| {
                loop {
                    let _ = Box::pin(rx.recv()).now_or_never();
                    match rx.recv().wait_timeout(Duration::ZERO) {
                        Err(RecvTimeoutError::Closed) => break,
                        received => drop(received),
                    }
                }
            });
        }
    });
    assert_eq!((rx.waiting_receivers(), rx.waiting_senders()), (0, 0));
}

/// Row 23, AC#60: an upgrade against the last drop. A sender that was got is one that works.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn upgraded_sender_works_however_late_it_was_upgraded() {
    let (rounds_tx, rounds_rx) = bounded(0);
    thread::scope(|threads| {
        threads.spawn(move || {
            for _ in 0..ROUNDS {
                let (tx, rx) = bounded(1);
                rounds_tx.send_blocking((tx.downgrade(), rx)).unwrap();
                drop(tx);
            }
        });
        for (weak, rx) in rounds_rx.iter_blocking() {
            if let Some(tx) = weak.upgrade() {
                assert_eq!(tx.try_send(1), Ok(()), "closed beside a sender");
                drop(tx);
                assert_eq!(rx.recv_blocking(), Ok(1));
            }
            assert!(rx.recv_blocking().is_err());
            assert!(weak.upgrade().is_none());
            assert_eq!(rx.sender_count(), 0);
        }
    });
}
