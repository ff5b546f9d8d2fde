//! Rows that need many repetitions, many threads or large messages.

use std::{
    cell::Cell,
    pin::Pin,
    rc::Rc,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    task::{Context, Poll},
    thread,
    time::Duration,
};

use futures::{executor::LocalPool, task::LocalSpawnExt};
use hchan::{Receiver, Sender, bounded, unbounded};

#[cfg(not(feature = "std"))]
use crate::support::blocking::*;
use crate::support::{CountingWaker, ends_within, no_deadlock, poll, poll_with, scaled};

const MILLION: usize = if cfg!(miri) { 300 } else { 1_000_000 };

/// Row 8, FL#88, FL#182, LO#4, TK#2637: each poll queued the future again.
#[test]
fn million_repolls_leave_one_waiter_and_then_none() {
    let wakers = [CountingWaker::new(), CountingWaker::new()];
    let (tx, rx) = bounded(0);
    // Both kinds of repoll: with the waker of the last poll, and with another.
    let repoll = |n: usize| wakers[n / 2 % 2].waker();

    let mut recv = Box::pin(rx.recv());
    for n in 0..MILLION {
        assert!(poll_with(&mut recv, &repoll(n)).is_pending());
    }
    assert_eq!(rx.waiting_receivers(), 1);
    assert_eq!(wakers[0].wakers() + wakers[1].wakers(), 1);
    tx.try_send(1).unwrap();
    assert!(tx.try_send(2).is_err(), "it was parked once");
    drop(recv);
    assert_eq!((rx.waiting_receivers(), rx.try_recv()), (0, Ok(1)));

    let mut send = Box::pin(tx.send(3));
    for n in 0..MILLION {
        assert!(poll_with(&mut send, &repoll(n)).is_pending());
    }
    assert_eq!(rx.waiting_senders(), 1);
    drop(send);
    assert_eq!(rx.waiting_senders(), 0);
    assert_eq!(wakers[0].wakers() + wakers[1].wakers(), 0);
}

/// Row 8: a wait that had timed out stayed in the queue.
#[cfg(feature = "std")]
#[test]
fn million_timeouts_leave_no_waiter() {
    let (tx, rx) = bounded(0);
    for n in 0..MILLION / 2 {
        assert!(rx.recv().wait_timeout(Duration::ZERO).is_err());
        assert!(tx.send(n).wait_timeout(Duration::ZERO).is_err());
    }
    assert_eq!((rx.waiting_receivers(), rx.waiting_senders()), (0, 0));
    assert!(tx.try_send(1).is_err());
}

/// Row 8, for those who leave: each walked the queue to find itself.
#[test]
fn cancelling_one_of_many_parked_futures_does_not_walk_past_the_others() {
    // A walk for each would be ten thousand million steps.
    const PARKED: usize = scaled(200_000);
    no_deadlock(|| {
        let (_tx, rx) = bounded::<u8>(0);
        let mut parked: Vec<_> = (0..PARKED).map(|_| Some(Box::pin(rx.recv()))).collect();
        for recv in parked.iter_mut().flatten() {
            assert!(poll(recv).is_pending());
        }
        // A stride without a common divisor visits all.
        let mut n = 0;
        for _ in 0..PARKED {
            parked[n] = None;
            n = (n + 61_803) % PARKED;
        }
        assert_eq!(rx.waiting_receivers(), 0);
    });
}

/// Row 19, CB#821, KN#11, KN#12, KN#53, FL#74: those who spun kept the one they waited for from running.
#[cfg(target_os = "linux")]
#[test]
fn threads_pinned_to_one_processor_still_stream() {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    fn pin_to_one_processor() {
        let allowed = sched_getaffinity(None).unwrap();
        let first = (0..CpuSet::MAX_CPU).find(|&n| allowed.is_set(n)).unwrap();
        let mut one = CpuSet::new();
        one.set(first);
        sched_setaffinity(None, &one).unwrap();
    }

    for capacity in [0, 1, 64] {
        // In a thread of its own, for the threads that it starts inherit where it may run.
        no_deadlock(move || {
            pin_to_one_processor();
            stream_through(bounded(capacity), 4, scaled(20_000));
        });
    }
}

/// Row 20, AC#13: tasks were woken again and again with nothing to do.
#[test]
fn tasks_are_polled_once_or_twice_a_message() {
    const TASKS: usize = 10;
    const MESSAGES: usize = scaled(10_000);
    for capacity in [0, 1, 64] {
        let mut pool = LocalPool::new();
        let (tx, rx) = bounded(capacity);
        let polls = Rc::new(Cell::new(0));
        for _ in 0..TASKS {
            let (tx, rx) = (tx.clone(), rx.clone());
            let sending = async move {
                for message in 0..MESSAGES / TASKS {
                    tx.send(message).await.unwrap();
                }
            };
            let receiving = async move { while rx.recv().await.is_ok() {} };
            let (sending, receiving) = (
                CountPolls(Box::pin(sending), Rc::clone(&polls)),
                CountPolls(Box::pin(receiving), Rc::clone(&polls)),
            );
            pool.spawner().spawn_local(sending).unwrap();
            pool.spawner().spawn_local(receiving).unwrap();
        }
        drop((tx, rx));
        pool.run();
        let polls = polls.get();
        let most = 2 * MESSAGES + 4 * TASKS;
        assert!(polls <= most, "{polls} polls for {MESSAGES} messages");
    }
}

struct CountPolls<F>(Pin<Box<F>>, Rc<Cell<usize>>);

impl<F: Future> Future for CountPolls<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.1.set(self.1.get() + 1);
        self.0.as_mut().poll(cx)
    }
}

/// Row 27, CB#1146: a block of messages was built on the stack and overflowed it.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn large_messages_fit_on_a_stack_that_could_not_hold_the_buffer() {
    const STACK: usize = if cfg!(miri) { 1 << 20 } else { 32 << 20 };
    // Code that is not optimized copies a message into every frame that it passes.
    const SIZE: usize = if cfg!(miri) {
        16 << 10
    } else if cfg!(debug_assertions) {
        512 << 10
    } else {
        1 << 20
    };
    const CAPACITY: usize = 64;
    const { assert!(CAPACITY * SIZE >= STACK) };
    type Large = [u8; SIZE];

    fn fill(tx: &Sender<Large>) {
        (0..CAPACITY).for_each(|n| tx.try_send([n as u8; SIZE]).unwrap());
    }
    fn drain(rx: &Receiver<Large>, messages: usize) {
        (0..messages).for_each(|n| assert_eq!(rx.try_recv().unwrap()[SIZE - 1], n as u8));
    }
    fn meet(tx: &Sender<Large>, rx: &Receiver<Large>) {
        thread::scope(|threads| {
            let sending = thread::Builder::new().stack_size(STACK);
            let sending = sending.spawn_scoped(threads, || tx.send_blocking([7; SIZE]).unwrap());
            assert_eq!(rx.recv_blocking().unwrap()[0], 7);
            sending.unwrap().join().unwrap();
        });
    }
    fn give_back(tx: &Sender<Large>, rx: &Receiver<Large>) {
        let mut recv = Box::pin(rx.recv());
        assert!(poll(&mut recv).is_pending());
        tx.try_send([8; SIZE]).unwrap();
        drop(recv);
        assert_eq!(rx.try_recv().unwrap()[0], 8);
    }
    let running = thread::Builder::new().stack_size(STACK).spawn(|| {
        for (tx, rx) in [bounded(CAPACITY), bounded(usize::MAX), unbounded()] {
            fill(&tx);
            drain(&rx, CAPACITY / 2);
            // The other half drops with the receiver.
        }
        let (tx, rx) = bounded(0);
        meet(&tx, &rx);
        give_back(&tx, &rx);
    });
    running.unwrap().join().unwrap();
}

/// Row 31, CF 3.1.22: a ring of one place came to a halt between many threads.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn four_threads_stream_a_million_messages_to_four_over_capacity_1() {
    ends_within(Duration::from_secs(600), || {
        stream_through(bounded(1), 4, MILLION)
    });
}

/// Sends `0..messages` by so many threads to as many others, and checks that all arrive, each sender's in order.
fn stream_through((tx, rx): (Sender<usize>, Receiver<usize>), pairs: usize, messages: usize) {
    let sum = AtomicUsize::new(0);
    thread::scope(|threads| {
        for sender in 0..pairs {
            let tx = tx.clone();
            threads.spawn(move || {
                for message in (sender..messages).step_by(pairs) {
                    tx.send_blocking(message).unwrap();
                }
            });
        }
        drop(tx);
        for _ in 0..pairs {
            threads.spawn(|| {
                let mut last = vec![None; pairs];
                for message in rx.iter_blocking() {
                    let last = &mut last[message % pairs];
                    assert!(*last < Some(message), "{message} after {last:?}");
                    *last = Some(message);
                    sum.fetch_add(message, SeqCst);
                }
            });
        }
    });
    let sent = (0..messages).fold(0, usize::wrapping_add);
    assert_eq!(sum.into_inner(), sent, "lost or doubled");
}
