//! Waits for the end of a channel: `closed`, messages left or not, and `drained`, when nothing is left to receive.

// Some of it is for the tests of threads alone.
#![cfg_attr(not(feature = "std"), allow(dead_code, unused_imports))]

mod support;

use std::{
    iter, mem,
    pin::{Pin, pin},
    sync::{Arc, LazyLock, Mutex},
    task::{
        Poll::{Pending, Ready},
        Waker,
    },
    thread,
    time::{Duration, Instant},
};

use futures::{FutureExt, StreamExt, future::FusedFuture};
use hchan::{ClosedFuture, Receiver, RecvError, Sender, bounded, never, select, unbounded};
#[cfg(not(feature = "std"))]
use support::blocking::*;
use support::{
    Call, CountingWaker, hooked_waker, no_deadlock, panic_of, panicking_waker, poll, poll_with,
    scaled,
};

/// Whether one operation may meet more than one panic: without `std` the second ends the process.
const MANY_PANICS: bool = cfg!(feature = "std");

/// Capacity 4 is the last with one lock for both ends, 5 the first with two.
fn channels<T>() -> impl Iterator<Item = (Sender<T>, Receiver<T>)> {
    [0, 1, 4, 5, 64]
        .into_iter()
        .map(bounded)
        .chain(iter::once_with(unbounded))
}

/// Those that can buffer three messages, with as many in them.
fn filled() -> impl Iterator<Item = (Sender<u32>, Receiver<u32>)> {
    channels().skip(2).inspect(|(tx, _)| {
        tx.try_send_many(0..3).unwrap();
    })
}

type Boxed<'a, T> = Pin<Box<ClosedFuture<'a, T>>>;

/// The four ways to ask, each parked.
fn parked<'a, T>(tx: &'a Sender<T>, rx: &'a Receiver<T>, waker: &Waker) -> [Boxed<'a, T>; 4] {
    [tx.closed(), rx.closed(), tx.drained(), rx.drained()].map(|future| {
        let mut future = Box::pin(future);
        assert!(poll_with(&mut future, waker).is_pending());
        future
    })
}

fn are_ready<T>(futures: &mut [Boxed<'_, T>]) -> bool {
    futures.iter_mut().all(|future| {
        let is_ready = poll(future).is_ready();
        assert_eq!(future.is_terminated(), is_ready);
        is_ready
    })
}

// Closed.

#[test]
fn closed_and_drained_come_with_the_close_of_an_empty_channel() {
    let closes: [fn(Sender<u8>, Receiver<u8>); 2] = [
        |tx, _| assert!(tx.close()),
        |_, rx| assert!(rx.close()), //
    ];
    for close in closes {
        for (tx, rx) in channels() {
            let counter = CountingWaker::new();
            let mut futures = parked(&tx, &rx, &counter.waker());
            assert_eq!((rx.waiting_senders(), rx.waiting_receivers()), (0, 0));
            close(tx.clone(), rx.clone());
            assert_eq!(counter.wakes(), 4);
            assert!(are_ready(&mut futures));
            assert_eq!(counter.wakers(), 0);
        }
    }
}

#[test]
fn last_handle_of_the_other_end_dropped_ends_the_wait() {
    for (tx, rx) in channels::<u8>() {
        let counter = CountingWaker::new();
        let mut closed = pin!(tx.closed());
        let mut drained = pin!(tx.drained());
        assert!(poll_with(&mut closed, &counter.waker()).is_pending());
        assert!(poll_with(&mut drained, &counter.waker()).is_pending());
        let second = rx.clone();
        drop(rx);
        assert_eq!(counter.wakes(), 0);
        drop(second);
        assert_eq!(counter.wakes(), 2);
        assert_eq!(
            (poll(&mut closed), poll(&mut drained)),
            (Ready(()), Ready(()))
        );
    }
    for (tx, rx) in channels::<u8>() {
        let mut closed = pin!(rx.closed());
        assert!(poll(&mut closed).is_pending());
        drop(tx);
        assert_eq!(poll(&mut closed), Ready(()));
    }
}

#[test]
fn closed_comes_with_the_close_whatever_is_left_and_drained_does_not() {
    for (tx, rx) in filled() {
        let [closes, drains] = [CountingWaker::new(), CountingWaker::new()];
        let mut closed = [tx.closed(), rx.closed()].map(Box::pin);
        let mut drained = [tx.drained(), rx.drained()].map(Box::pin);
        for (future, counter) in closed.iter_mut().zip(iter::repeat(&closes)) {
            assert!(poll_with(future, &counter.waker()).is_pending());
        }
        for (future, counter) in drained.iter_mut().zip(iter::repeat(&drains)) {
            assert!(poll_with(future, &counter.waker()).is_pending());
        }
        tx.close();
        assert_eq!((closes.wakes(), drains.wakes()), (2, 0));
        assert!(are_ready(&mut closed));
        assert!(tx.closed().now_or_never().is_some());
        assert!(tx.drained().now_or_never().is_none());
        assert_eq!(rx.drain().len(), 3);
        assert_eq!(drains.wakes(), 2);
        assert!(are_ready(&mut drained));
        assert!(rx.drained().now_or_never().is_some());
    }
}

#[test]
fn empty_channel_that_is_open_is_not_drained() {
    for (tx, rx) in filled() {
        let counter = CountingWaker::new();
        let mut drained = pin!(tx.drained());
        assert!(poll_with(&mut drained, &counter.waker()).is_pending());
        assert_eq!(rx.drain().len(), 3);
        assert!(poll_with(&mut drained, &counter.waker()).is_pending());
        tx.try_send(1).unwrap();
        tx.close();
        assert_eq!(counter.wakes(), 0);
        assert_eq!(rx.try_recv(), Ok(1));
        assert_eq!(counter.wakes(), 1);
        assert_eq!(poll(&mut drained), Ready(()));
    }
}

// The last message, received in every way.

#[test]
fn last_message_received_in_any_way_ends_the_wait() {
    let receives: &[fn(Receiver<u32>)] = &[
        |rx| _ = rx.try_recv().unwrap(),
        |rx| _ = rx.recv().now_or_never().unwrap().unwrap(),
        |rx| _ = rx.recv_blocking().unwrap(),
        #[cfg(feature = "std")]
        |rx| _ = rx.recv().wait_timeout(Duration::ZERO).unwrap(),
        |rx| _ = rx.drain(),
        |rx| _ = rx.try_recv_many(&mut Vec::new(), 1).unwrap(),
        |rx| _ = rx.stream().next().now_or_never().unwrap().unwrap(),
        |rx| _ = rx.try_iter().next().unwrap(),
        |rx| {
            let select = async {
                select! { recv(rx) -> message => message.unwrap() }
            };
            select.now_or_never().unwrap();
        },
    ];
    for (way, receive) in receives.iter().enumerate() {
        for is_closed_first in [false, true] {
            for (tx, rx) in filled() {
                let counter = CountingWaker::new();
                let mut drained = [tx.drained(), rx.drained()].map(Box::pin);
                if is_closed_first {
                    tx.close();
                }
                for future in &mut drained {
                    assert!(poll_with(future, &counter.waker()).is_pending());
                }
                tx.close();
                for left in (0..3).rev() {
                    assert_eq!(counter.wakes(), 0, "{left} left");
                    match left {
                        0 => receive(rx.clone()),
                        _ => _ = rx.try_recv().unwrap(),
                    }
                }
                assert_eq!(counter.wakes(), 2, "way {way}, {rx:?}");
                assert!(are_ready(&mut drained));
            }
        }
    }
}

#[test]
fn last_receiver_dropped_with_messages_left_ends_the_wait() {
    for (tx, rx) in filled() {
        let counter = CountingWaker::new();
        let mut drained = pin!(tx.drained());
        assert!(poll_with(&mut drained, &counter.waker()).is_pending());
        tx.close();
        assert_eq!(counter.wakes(), 0);
        drop(rx);
        assert_eq!(counter.wakes(), 1);
        assert_eq!(poll(&mut drained), Ready(()));
    }
}

/// At every capacity: what is given back takes no place.
#[test]
fn message_given_back_has_to_be_received_before_the_channel_is_drained() {
    for (tx, rx) in channels() {
        let counter = CountingWaker::new();
        let mut handed = Box::pin(rx.recv());
        assert!(poll(&mut handed).is_pending());
        let mut drained = pin!(tx.drained());
        assert!(poll_with(&mut drained, &counter.waker()).is_pending());
        tx.try_send(1).unwrap();
        drop(handed);
        tx.close();
        assert_eq!((rx.len(), counter.wakes()), (1, 0));
        assert_eq!(rx.try_recv(), Ok(1));
        assert_eq!(counter.wakes(), 1);
        assert_eq!(poll(&mut drained), Ready(()));
    }
}

/// A message in the hands of a receive that has been handed it is not in the channel.
#[test]
fn channel_was_drained_even_if_a_message_is_given_back_later() {
    for (tx, rx) in channels() {
        let mut handed = Box::pin(rx.recv());
        assert!(poll(&mut handed).is_pending());
        tx.try_send(1).unwrap();
        let counter = CountingWaker::new();
        let mut drained = pin!(tx.drained());
        assert!(poll_with(&mut drained, &counter.waker()).is_pending());
        tx.close();
        assert_eq!(counter.wakes(), 1);
        drop(handed);
        assert_eq!(poll(&mut drained), Ready(()), "it was when it was woken");
        assert!(
            tx.drained().now_or_never().is_some(),
            "and so it was for all"
        );
        assert_eq!(rx.try_recv(), Ok(1));
        assert!(rx.drained().now_or_never().is_some());
    }
}

/// Nobody was waiting when it was empty, so whoever comes now waits for this message, too.
#[test]
fn message_given_back_to_a_closed_channel_is_waited_for() {
    for (tx, rx) in channels() {
        let mut handed = Box::pin(rx.recv());
        assert!(poll(&mut handed).is_pending());
        tx.try_send(1).unwrap();
        tx.close();
        drop(handed);
        let counter = CountingWaker::new();
        let mut drained = pin!(tx.drained());
        assert!(poll_with(&mut drained, &counter.waker()).is_pending());
        assert_eq!(rx.drain().len(), 1);
        assert_eq!(counter.wakes(), 1);
        assert_eq!(poll(&mut drained), Ready(()));
    }
}

#[test]
fn close_of_a_channel_with_parked_senders_drains_it() {
    let (tx, rx) = bounded(0);
    let mut sending = pin!(tx.send(1));
    let mut drained = pin!(rx.drained());
    assert!(poll(&mut sending).is_pending());
    assert!(poll(&mut drained).is_pending());
    rx.close();
    assert_eq!(poll(&mut drained), Ready(()), "their messages are theirs");
    assert!(poll(&mut sending).is_ready());
}

// Any number of waiters.

#[test]
fn any_number_of_waiters_are_woken_in_order_all_of_them() {
    const MANY: usize = if cfg!(miri) { 20 } else { 200 };
    for drained in [false, true] {
        for (tx, rx) in filled() {
            let woken = Arc::new(Mutex::new(Vec::new()));
            let mut waiting: Vec<_> = (0..MANY)
                .map(|n| match (drained, n % 2) {
                    (false, 0) => tx.closed(),
                    (false, _) => rx.closed(),
                    (true, 0) => tx.drained(),
                    (true, _) => rx.drained(),
                })
                .map(Box::pin)
                .collect();
            for (n, future) in waiting.iter_mut().enumerate() {
                let woken = Arc::clone(&woken);
                let waker = hooked_waker(move |call| {
                    if call == Call::Wake {
                        woken.lock().unwrap().push(n);
                    }
                });
                assert!(poll_with(future, &waker).is_pending());
            }
            tx.close();
            assert_eq!(woken.lock().unwrap().len(), if drained { 0 } else { MANY });
            let _ = rx.drain();
            assert!(woken.lock().unwrap().iter().copied().eq(0..MANY));
            assert!(are_ready(&mut waiting));
        }
    }
}

#[test]
fn close_wakes_those_who_wait_for_it_after_the_receives_and_sends() {
    let (tx, rx) = bounded(5);
    let woken = Arc::new(Mutex::new(Vec::new()));
    let note = |name| {
        let woken = Arc::clone(&woken);
        hooked_waker(move |call| {
            if call == Call::Wake {
                woken.lock().unwrap().push(name);
            }
        })
    };
    let mut drained = pin!(tx.drained());
    let mut closed = pin!(tx.closed());
    let mut receiving = pin!(rx.recv());
    assert!(poll_with(&mut drained, &note("drained")).is_pending());
    assert!(poll_with(&mut closed, &note("closed")).is_pending());
    assert!(poll_with(&mut receiving, &note("recv")).is_pending());
    tx.close();
    assert_eq!(*woken.lock().unwrap(), ["recv", "closed", "drained"]);
    assert_eq!(poll(&mut receiving), Ready(Err::<u8, _>(RecvError)));
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn panicking_wakers_do_not_keep_the_others_from_being_woken() {
    for (tx, rx) in filled() {
        let counter = CountingWaker::new();
        let mut waiting: Vec<_> = (0..100).map(|_| Box::pin(tx.closed())).collect();
        waiting.extend((0..100).map(|_| Box::pin(rx.drained())));
        for (n, future) in waiting.iter_mut().enumerate() {
            let waker = match n {
                5 => panicking_waker("closed"),
                40 | 142 if MANY_PANICS => panicking_waker("a later one"),
                140 => panicking_waker("drained"),
                _ => counter.waker(),
            };
            assert!(poll_with(future, &waker).is_pending());
        }
        assert_eq!(panic_of(|| tx.close()), "closed");
        let woken = if MANY_PANICS { 98 } else { 99 };
        assert_eq!(counter.wakes(), woken);
        rx.try_recv().unwrap();
        rx.try_recv().unwrap();
        assert_eq!(panic_of(|| rx.try_recv()), "drained");
        assert_eq!(counter.wakes(), 2 * woken);
        assert!(are_ready(&mut waiting));
        assert_eq!(rx.try_recv(), Ok(2), "it went back, as nobody had it");
    }
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn panicking_wakers_do_not_keep_the_last_receiver_from_dropping_all() {
    for (tx, rx) in filled() {
        let mut drained = [tx.drained(), tx.drained()].map(Box::pin);
        assert!(poll_with(&mut drained[0], &panicking_waker("drained")).is_pending());
        assert!(poll(&mut drained[1]).is_pending());
        tx.close();
        assert_eq!(panic_of(|| drop(rx)), "drained");
        assert_eq!(tx.len(), 0);
        assert!(are_ready(&mut drained));
    }
}

#[test]
fn wakers_may_use_the_channel() {
    no_deadlock(|| {
        for (tx, rx) in filled() {
            let (own_tx, own_rx) = (tx.clone(), rx.clone());
            let waker = hooked_waker(move |_| {
                let _ = (own_tx.len(), own_tx.is_closed(), own_rx.close());
                let _ = own_tx.closed().now_or_never();
                let _ = poll(&mut pin!(own_rx.drained()));
            });
            let mut waiting = parked_late(&tx, &rx, &waker);
            drop(waiting.pop());
            let _ = rx.drain();
            assert!(are_ready(&mut waiting));
        }
    });
}

/// Parked until the last message is gone; the waker closes the channel.
fn parked_late<'a>(
    tx: &'a Sender<u32>,
    rx: &'a Receiver<u32>,
    waker: &Waker,
) -> Vec<Boxed<'a, u32>> {
    let mut waiting: Vec<_> = [tx.drained(), rx.drained(), tx.drained()]
        .map(Box::pin)
        .into();
    for future in &mut waiting {
        assert!(poll_with(future, waker).is_pending());
    }
    waiting
}

// Cancelled.

#[test]
fn dropped_waiters_leave_the_line_from_anywhere_in_it() {
    for (tx, rx) in filled() {
        let counter = CountingWaker::new();
        let mut waiting: Vec<_> = (0..20)
            .flat_map(|_| parked(&tx, &rx, &counter.waker()))
            .map(Some)
            .collect();
        for n in [0, 1, 2, 3, 40, 41, 42, 43, 76, 77, 78, 79] {
            waiting[n] = None;
        }
        assert_eq!(counter.wakers(), 68);
        tx.close();
        // Those who wait for the last message, now that the channel is closed.
        for n in [6, 7, 74, 75] {
            waiting[n] = None;
        }
        assert_eq!(rx.drain().len(), 3);
        assert_eq!(counter.wakes(), 64);
        let mut left: Vec<_> = waiting.into_iter().flatten().collect();
        assert!(are_ready(&mut left));
    }
}

/// From a waker that runs while the others still wait to be told.
#[test]
fn waiters_dropped_while_others_are_told_are_not_told() {
    // What a waker holds borrows nothing.
    static CHANNELS: LazyLock<Vec<(Sender<u32>, Receiver<u32>)>> =
        LazyLock::new(|| filled().chain(filled()).collect());

    for (n, (tx, rx)) in CHANNELS.iter().enumerate() {
        let is_drained = n % 2 == 1;
        let make = || {
            Box::pin(if is_drained {
                rx.drained()
            } else {
                tx.closed()
            })
        };
        let counter = CountingWaker::new();
        let late = Arc::new(Mutex::new(Vec::new()));
        let first_waker = hooked_waker({
            let late = Arc::clone(&late);
            move |call| {
                if call == Call::Wake {
                    let dropped: Vec<Boxed<'_, u32>> = mem::take(&mut *late.lock().unwrap());
                    drop(dropped);
                }
            }
        });
        // More than are told in one go, and then more.
        let mut early: Vec<_> = (0..40).map(|_| make()).collect();
        assert!(poll_with(&mut early[0], &first_waker).is_pending());
        for future in &mut early[1..] {
            assert!(poll(future).is_pending());
        }
        for _ in 0..40 {
            let mut future = make();
            assert!(poll_with(&mut future, &counter.waker()).is_pending());
            late.lock().unwrap().push(future);
        }
        tx.close();
        let _ = rx.drain();
        assert_eq!((counter.wakes(), counter.wakers()), (0, 0));
        assert!(are_ready(&mut early));
    }
}

/// They would take hours if each had to look for its own place in the line.
#[test]
fn cancel_takes_no_longer_with_many_others_parked() {
    const MANY: usize = scaled(50_000);
    let (tx, rx) = bounded::<u8>(5);
    let mut waiting: Vec<_> = (0..MANY)
        .flat_map(|_| parked(&tx, &rx, Waker::noop()))
        .collect();
    let began = Instant::now();
    // From the middle of both lines.
    let mut turn = waiting.len() / 2;
    while waiting.len() > 2 * MANY {
        turn = (turn + 7) % waiting.len();
        drop(waiting.swap_remove(turn));
    }
    assert!(began.elapsed() < Duration::from_secs(30));
    tx.close();
    assert!(are_ready(&mut waiting));
}

// Polled.

#[test]
fn repoll_wakes_the_newest_waker_only_and_parks_once() {
    for (tx, rx) in filled() {
        let [old, new] = [CountingWaker::new(), CountingWaker::new()];
        let mut waiting = parked(&tx, &rx, &old.waker());
        for future in &mut waiting {
            assert!(poll_with(future, &old.waker()).is_pending());
            assert!(poll_with(future, &new.waker()).is_pending());
        }
        assert_eq!((old.wakers(), new.wakers()), (0, 4));
        tx.close();
        let _ = rx.drain();
        assert_eq!((old.wakes(), new.wakes()), (0, 4));
        assert!(are_ready(&mut waiting));
    }
}

#[test]
fn nothing_happens_before_the_first_poll() {
    let (tx, rx) = bounded::<u8>(5);
    let closed = tx.closed();
    assert!(!closed.is_terminated());
    rx.close();
    assert_eq!(closed.now_or_never(), Some(()));
}

#[test]
fn closed_channel_is_closed_at_once_and_for_good() {
    for (tx, rx) in channels::<u8>() {
        tx.close();
        for _ in 0..2 {
            assert!(tx.closed().now_or_never().is_some());
            assert!(rx.closed().now_or_never().is_some());
            assert!(tx.drained().now_or_never().is_some());
            assert!(rx.drained().now_or_never().is_some());
        }
    }
}

#[test]
fn never_is_neither_closed_nor_drained() {
    let rx = never::<u8>();
    rx.close();
    for mut future in [rx.closed(), rx.drained()].map(Box::pin) {
        assert_eq!((poll(&mut future), poll(&mut future)), (Pending, Pending));
        assert!(!future.is_terminated());
    }
}

#[test]
#[should_panic(expected = "polled again after it had completed")]
fn poll_after_the_end_panics() {
    let (tx, _rx) = bounded::<u8>(5);
    tx.close();
    let mut closed = pin!(tx.closed());
    assert_eq!(poll(&mut closed), Ready(()));
    let _ = poll(&mut closed);
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn threads_wait_for_the_close_and_for_the_last_message() {
    for (tx, rx) in filled() {
        thread::scope(|threads| {
            let closed = threads.spawn(|| tx.closed().wait());
            let drained = threads.spawn(|| tx.drained().wait());
            #[cfg(feature = "std")]
            assert!(!rx.drained().wait_timeout(Duration::from_millis(1)));
            rx.close();
            closed.join().unwrap();
            assert!(!drained.is_finished());
            assert_eq!(rx.drain().len(), 3);
            drained.join().unwrap();
        });
    }
}
