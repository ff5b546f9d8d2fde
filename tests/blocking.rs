//! Waiting in threads: with and without an end to it, alone and next to tasks.

#![cfg(feature = "std")]
#![cfg(not(target_family = "wasm"))] // All of it needs threads.

mod support;

use std::{
    pin::pin,
    task::Poll::{Pending, Ready},
    thread,
    time::{Duration, Instant},
};

use hchan::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, bounded, never,
    unbounded,
};
use support::{Drops, poll, until};

const MOMENT: Duration = Duration::from_millis(5);
/// Never comes while a test runs.
const LONG: Duration = Duration::from_secs(3_600);

#[test]
fn blocked_recv_gets_the_message_sent_to_it() {
    let (tx, rx) = bounded(0);
    thread::scope(|threads| {
        let receiving = threads.spawn(|| rx.recv_blocking());
        until(|| rx.waiting_receivers() == 1);
        assert_eq!(tx.try_send(1), Ok(()));
        assert_eq!(receiving.join().unwrap(), Ok(1));
    });
}

#[test]
fn blocked_send_is_done_when_its_message_is_taken() {
    let (tx, rx) = bounded(0);
    thread::scope(|threads| {
        let sending = threads.spawn(|| tx.send_blocking(1));
        until(|| rx.waiting_senders() == 1);
        assert_eq!(rx.try_recv(), Ok(1));
        assert_eq!(sending.join().unwrap(), Ok(()));
    });
}

#[test]
fn blocked_threads_are_served_in_the_order_they_parked_along_with_tasks() {
    let (tx, rx) = bounded(0);
    thread::scope(|threads| {
        let first = threads.spawn(|| rx.recv_blocking());
        until(|| rx.waiting_receivers() == 1);
        let mut second = pin!(rx.recv());
        assert_eq!(poll(&mut second), Pending);
        let third = threads.spawn(|| rx.recv().wait_timeout(LONG));
        until(|| rx.waiting_receivers() == 3);
        (1..=3).for_each(|message| tx.try_send(message).unwrap());
        assert_eq!(first.join().unwrap(), Ok(1));
        assert_eq!(poll(&mut second), Ready(Ok(2)));
        assert_eq!(third.join().unwrap(), Ok(3));
    });
}

#[test]
fn close_ends_blocked_threads_and_returns_the_messages() {
    let (tx, rx) = bounded::<u8>(0);
    thread::scope(|threads| {
        let blocked = threads.spawn(|| rx.recv_blocking());
        let timed = threads.spawn(|| rx.recv().wait_timeout(LONG));
        until(|| rx.waiting_receivers() == 2);
        tx.close();
        assert_eq!(blocked.join().unwrap(), Err(RecvError));
        assert_eq!(timed.join().unwrap(), Err(RecvTimeoutError::Closed));
    });

    let (tx, rx) = bounded(0);
    thread::scope(|threads| {
        let blocked = threads.spawn(|| tx.send_blocking(1));
        let timed = threads.spawn(|| tx.send(2).wait_timeout(LONG));
        until(|| rx.waiting_senders() == 2);
        drop(rx);
        assert_eq!(blocked.join().unwrap(), Err(SendError(1)));
        assert_eq!(timed.join().unwrap(), Err(SendTimeoutError::Closed(2)));
    });
}

#[test]
fn timed_recv_takes_what_is_there_whatever_the_time() {
    let (tx, rx) = unbounded();
    (1..=4).for_each(|message| tx.try_send(message).unwrap());
    let past = Instant::now();
    assert_eq!(rx.recv().wait_timeout(Duration::ZERO), Ok(1));
    assert_eq!(rx.recv().wait_deadline(past), Ok(2));
    assert_eq!(rx.recv().wait_timeout(Duration::MAX), Ok(3));
    assert_eq!(rx.recv().wait_deadline(Instant::now() + LONG), Ok(4));
}

#[test]
fn timed_send_sends_where_there_is_room_whatever_the_time() {
    let (tx, rx) = bounded(4);
    let past = Instant::now();
    assert_eq!(tx.send(1).wait_timeout(Duration::ZERO), Ok(()));
    assert_eq!(tx.send(2).wait_deadline(past), Ok(()));
    assert_eq!(tx.send(3).wait_timeout(Duration::MAX), Ok(()));
    assert_eq!(tx.send(4).wait_deadline(Instant::now() + LONG), Ok(()));
    assert_eq!(rx.try_iter().collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn timed_recv_gives_up_when_the_time_is_up_and_not_before() {
    for rx in [bounded::<u8>(0), unbounded()].iter().map(|(_, rx)| rx) {
        let start = Instant::now();
        let result = rx.recv().wait_timeout(MOMENT);
        assert_eq!(result, Err(RecvTimeoutError::Timeout));
        assert!(start.elapsed() >= MOMENT);

        let deadline = Instant::now() + MOMENT;
        let result = rx.recv().wait_deadline(deadline);
        assert_eq!(result, Err(RecvTimeoutError::Timeout));
        assert!(Instant::now() >= deadline);
        assert_eq!(rx.waiting_receivers(), 0);
    }
    let start = Instant::now();
    let result = never::<u8>().recv().wait_timeout(MOMENT);
    assert_eq!(result, Err(RecvTimeoutError::Timeout));
    assert!(start.elapsed() >= MOMENT);
}

#[test]
fn timed_send_gives_up_when_the_time_is_up_and_returns_its_message() {
    let drops = Drops::new();
    let (tx, rx) = bounded(1);
    tx.try_send(drops.message(0)).unwrap();
    let start = Instant::now();
    let result = tx.send(drops.message(1)).wait_timeout(MOMENT);
    assert!(start.elapsed() >= MOMENT);
    assert!(matches!(&result, Err(SendTimeoutError::Timeout(message)) if message.id == 1));
    assert_eq!(drops.count(), 0);

    let deadline = Instant::now() + MOMENT;
    let result = tx.send(drops.message(2)).wait_deadline(deadline);
    assert!(Instant::now() >= deadline);
    assert!(matches!(&result, Err(SendTimeoutError::Timeout(message)) if message.id == 2));
    assert_eq!(
        (rx.len(), rx.waiting_senders()),
        (1, 0),
        "it will not be sent"
    );
}

#[test]
fn wait_that_gave_up_takes_nobody_elses_turn() {
    let (tx, rx) = bounded(0);
    let mut parked = pin!(rx.recv());
    assert_eq!(poll(&mut parked), Pending);
    assert!(rx.recv().wait_timeout(MOMENT).is_err());
    let mut late = pin!(rx.recv());
    assert_eq!(poll(&mut late), Pending);
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    assert_eq!(poll(&mut parked), Ready(Ok(1)));
    assert_eq!(poll(&mut late), Ready(Ok(2)));
}

#[test]
fn timed_waits_on_a_closed_channel_say_closed_and_not_timeout() {
    let (tx, rx) = bounded(1);
    tx.close();
    let (past, none) = (Instant::now(), Duration::ZERO);
    assert_eq!(rx.recv().wait_timeout(none), Err(RecvTimeoutError::Closed));
    assert_eq!(rx.recv().wait_deadline(past), Err(RecvTimeoutError::Closed));
    assert_eq!(
        tx.send(1).wait_timeout(none),
        Err(SendTimeoutError::Closed(1))
    );
    assert_eq!(
        tx.send(2).wait_deadline(past),
        Err(SendTimeoutError::Closed(2))
    );
}

#[test]
fn waiting_again_and_again_in_one_thread_confuses_no_wake_with_another() {
    const COUNT: usize = if cfg!(miri) { 30 } else { 300 };
    // Every third receive gives up, perhaps just as it is woken: the wake must not end a later wait.
    let (tx, rx) = bounded(0);
    thread::scope(|threads| {
        let sending = threads.spawn(move || (0..COUNT).try_for_each(|n| tx.send_blocking(n)));
        let mut received = vec![];
        for round in 0_u64.. {
            let message = match round % 3 {
                0 => rx.recv().wait_timeout(Duration::from_nanos(round * 100)),
                _ => rx.recv_blocking().map_err(RecvTimeoutError::from),
            };
            match message {
                Ok(message) => received.push(message),
                Err(RecvTimeoutError::Timeout) => assert_eq!(round % 3, 0),
                Err(RecvTimeoutError::Closed) => break,
            }
        }
        assert_eq!(received, (0..COUNT).collect::<Vec<_>>());
        assert_eq!(sending.join().unwrap(), Ok(()));
    });
}

#[test]
fn iter_blocking_waits_for_each_message_and_ends_with_the_channel() {
    let (tx, rx) = bounded(0);
    thread::scope(|threads| {
        let receiving = threads.spawn(|| rx.iter_blocking().collect::<Vec<_>>());
        for message in 0..10 {
            until(|| rx.waiting_receivers() == 1);
            tx.try_send(message).unwrap();
        }
        drop(tx);
        assert_eq!(receiving.join().unwrap(), (0..10).collect::<Vec<_>>());
    });
}

#[test]
fn iter_blocking_stays_ended_though_a_message_is_given_back_later() {
    let (tx, rx) = bounded(0);
    let mut holder = Box::pin(rx.recv());
    assert!(poll(&mut holder).is_pending());
    tx.try_send(1).unwrap();
    drop(tx);
    let mut messages = rx.iter_blocking();
    assert_eq!(messages.next(), None);
    drop(holder);
    assert_eq!(rx.len(), 1);
    assert_eq!(messages.next(), None, "it is fused");
    assert_eq!(rx.try_recv(), Ok(1));
}

#[test]
fn try_iter_ends_without_waiting_and_goes_on_later() {
    let (tx, rx) = unbounded();
    let mut messages = rx.try_iter();
    assert_eq!(messages.next(), None);
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    assert_eq!(messages.next(), Some(1));
    drop(tx);
    assert_eq!(messages.next(), Some(2));
    assert_eq!(messages.next(), None);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn iterators_dropped_half_way_leave_the_rest() {
    let (tx, rx) = unbounded();
    (0..4).for_each(|message| tx.try_send(message).unwrap());
    assert_eq!(rx.iter_blocking().next(), Some(0));
    assert_eq!(rx.try_iter().next(), Some(1));
    assert_eq!(rx.try_iter().collect::<Vec<_>>(), [2, 3]);
}
