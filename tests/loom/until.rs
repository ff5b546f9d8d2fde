//! Operations that are stopped while a peer arrives: either they have happened or they were given up, and nothing is lost.

use std::{future::poll_fn, task::Poll};

use hchan::{RecvTimeoutError, SendTimeoutError, bounded};
use loom::{future::block_on, thread};

use super::{Message, assert_idle, explore, explore_bounded, number, output, parked};

/// Completes at its second poll.
fn second_poll() -> impl Future<Output = ()> {
    let mut polls = 0;
    poll_fn(move |_| {
        polls += 1;
        match polls {
            1 => Poll::Pending,
            _ => Poll::Ready(()),
        }
    })
}

#[test]
fn stopped_send_against_a_recv() {
    for capacity in [0, 1, 2] {
        explore(move |ledger| {
            let (tx, rx) = bounded(capacity);
            for _ in 0..capacity {
                assert!(tx.try_send(ledger.message()).is_ok());
            }
            let mut send = parked(tx.send(ledger.message()).until(second_poll()));
            let receiving = thread::spawn({
                let rx = rx.clone();
                move || rx.try_recv().map(number)
            });
            let is_sent = match output(&mut send) {
                Ok(()) => true,
                Err(SendTimeoutError::Timeout(message)) => {
                    assert_eq!(number(message), capacity + 1);
                    false
                }
                Err(SendTimeoutError::Closed(_)) => panic!("nobody closes"),
            };
            let received = receiving.join().unwrap();
            assert!(capacity == 0 || received == Ok(1));
            assert!(is_sent || capacity > 0 || received.is_err());
            let received = received.into_iter().chain(rx.try_iter().map(number));
            let all: Vec<_> = (1..=capacity + usize::from(is_sent)).collect();
            assert_eq!(received.collect::<Vec<_>>(), all, "capacity {capacity}");
            assert_idle(&rx);
        });
    }
}

#[test]
fn stopped_send_from_against_a_recv() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let mut slot = Some(ledger.message());
        let mut send = parked(tx.send_from(&mut slot).until(second_poll()));
        let receiving = thread::spawn({
            let rx = rx.clone();
            move || rx.try_recv().is_ok()
        });
        let is_sent = output(&mut send).is_ok();
        drop(send);
        assert_eq!(receiving.join().unwrap(), is_sent);
        assert_eq!(slot.is_none(), is_sent);
        assert_idle(&rx);
    });
}

#[test]
fn stopped_recv_against_a_send() {
    for capacity in [0, 1, 2] {
        explore(move |ledger| {
            let (tx, rx) = bounded(capacity);
            let mut recv = parked(rx.recv().until(second_poll()));
            let message = ledger.message();
            let sending = thread::spawn(move || {
                let is_sent = tx.try_send(message).is_ok();
                (tx, is_sent)
            });
            let received = output(&mut recv).map(number);
            let (_tx, is_sent) = sending.join().unwrap();
            match received {
                Ok(_) => assert!(is_sent && rx.try_recv().is_err()),
                Err(error) => {
                    assert_eq!(error, RecvTimeoutError::Timeout);
                    assert_eq!(is_sent, capacity > 0);
                    assert_eq!(rx.try_recv().is_ok(), is_sent);
                }
            }
            assert_idle(&rx);
        });
    }
}

#[test]
fn stopped_recv_against_a_close() {
    explore(|_| {
        let (tx, rx) = bounded::<Message>(0);
        let mut recv = parked(rx.recv().until(second_poll()));
        let closing = thread::spawn(move || drop(tx));
        assert!(output(&mut recv).is_err());
        closing.join().unwrap();
        assert_idle(&rx);
    });
}

/// Both wake the task, from another thread; it sees one or both.
///
/// By loom's executor: its `park` forgets an `unpark` that comes while the thread, awake, waits for a lock.
#[test]
fn send_sleeps_until_a_recv_or_a_stop() {
    for stops_first in [true, false] {
        explore_bounded(move |ledger| {
            let (tx, rx) = bounded(0);
            let (stop, stopped) = bounded::<Message>(0);
            let waking = thread::spawn({
                let rx = rx.clone();
                move || {
                    stops_first.then(|| stop.close());
                    let is_received = rx.try_recv().is_ok();
                    stop.close();
                    is_received
                }
            });
            let sent = block_on(tx.send(ledger.message()).until(stopped.recv()));
            assert_eq!(sent.is_ok(), waking.join().unwrap());
            assert_idle(&rx);
            assert_idle(&stopped);
        });
    }
}

/// As above.
#[test]
fn recv_sleeps_until_a_send_or_a_stop() {
    for stops_first in [true, false] {
        explore_bounded(move |ledger| {
            let (tx, rx) = bounded(0);
            let (stop, stopped) = bounded::<Message>(0);
            let message = ledger.message();
            let waking = thread::spawn(move || {
                stops_first.then(|| stop.close());
                let is_sent = tx.try_send(message).is_ok();
                stop.close();
                (tx, is_sent)
            });
            let received = block_on(rx.recv().until(stopped.recv()));
            let (_tx, is_sent) = waking.join().unwrap();
            assert_eq!(received.is_ok(), is_sent);
            assert_idle(&rx);
            assert_idle(&stopped);
        });
    }
}
