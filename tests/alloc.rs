//! What the channel allocates: in steady state nothing, whatever is done, parked or not, in tasks and in threads.
//!
//! Allocations are counted for each thread apart, so the tests do not see each other's, nor the harness's.

// Left out under Miri: tests/alloc.rs, which shows by many repetitions that nothing is allocated; other tests take the same ways.
#![cfg(all(feature = "std", not(miri)))]

mod support;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    array,
    cell::Cell,
    future::{pending, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Duration,
};

#[cfg(feature = "sink")]
use futures::SinkExt;
use futures::{FutureExt, StreamExt};
use hchan::{Receiver, Sender};
use support::{CountingWaker, ends_within, poll, poll_with, scaled};

const TIMES: usize = scaled(100_000);
/// How often before it counts.
const WARM_UP: usize = scaled(1_000);
/// A large backlog: more blocks than are kept, or under Miri at least two.
const LARGE: usize = if cfg!(miri) { 500 } else { 10_000 };
/// How often two threads may try it.
const ROUNDS: usize = 4;

// Counting.

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a thread has allocated so far.
#[derive(Clone, Copy)]
struct Counts {
    allocations: usize,
    /// Allocated and not freed. Negative in a thread that frees what others allocated.
    live_bytes: isize,
    /// The largest that was asked for.
    alignment: usize,
}

thread_local! {
    // Needs neither an allocation nor a destructor, so the allocator can use it at any time.
    static COUNTS: Cell<Counts> = const { Cell::new(Counts { allocations: 0, live_bytes: 0, alignment: 0 }) };
}

impl Counting {
    fn count(allocations: usize, bytes: isize) {
        let counts = COUNTS.get();
        COUNTS.set(Counts {
            allocations: counts.allocations + allocations,
            live_bytes: counts.live_bytes + bytes,
            ..counts
        });
    }
}

// SAFETY: all is left to the system's allocator; the counts are this thread's own numbers. Growing an allocation is, by
// default, a new one and a free.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count(1, layout.size() as isize);
        let counts = COUNTS.get();
        COUNTS.set(Counts {
            alignment: counts.alignment.max(layout.align()),
            ..counts
        });
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        Self::count(0, -(layout.size() as isize));
        // SAFETY: the caller's promise is passed on; the pointer came from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// How many allocations `f` makes on this thread.
fn allocations<R>(f: impl FnOnce() -> R) -> usize {
    let before = COUNTS.get().allocations;
    f();
    COUNTS.get().allocations - before
}

fn live_bytes() -> isize {
    COUNTS.get().live_bytes
}

/// Does it a few times to warm up and then many times, in which it must not allocate.
#[track_caller]
fn assert_steady(what: &str, mut operation: impl FnMut()) {
    (0..WARM_UP).for_each(|_| operation());
    let allocations = allocations(|| (0..TIMES).for_each(|_| operation()));
    assert_eq!(allocations, 0, "allocations in {TIMES} times {what}");
}

fn channels() -> [(Sender<usize>, Receiver<usize>); 5] {
    [
        hchan::bounded(0),
        hchan::bounded(1),
        hchan::bounded(64),
        hchan::bounded(usize::MAX),
        hchan::unbounded(),
    ]
}

/// The bounded ones of a size that can be filled, filled.
fn full_channels() -> [(Sender<usize>, Receiver<usize>); 3] {
    let channels = [0, 1, 64].map(hchan::bounded);
    for (tx, _) in &channels {
        while tx.try_send(0).is_ok() {}
    }
    channels
}

#[test]
fn channel_with_a_small_buffer_is_two_allocations() {
    for (capacity, expected) in [(0, 1), (1, 2), (64, 2)] {
        let made = allocations(|| hchan::bounded::<usize>(capacity));
        assert_eq!(made, expected, "capacity {capacity}");
    }
}

/// What glibc has in quick lists is aligned to 16 bytes and has up to 1032.
#[test]
fn channel_is_no_unusual_allocation() {
    COUNTS.set(Counts {
        alignment: 0,
        ..COUNTS.get()
    });
    let before = live_bytes();
    let channel = hchan::bounded::<usize>(0);
    assert!(live_bytes() - before <= 1032, "{}", live_bytes() - before);
    assert!(COUNTS.get().alignment <= 2 * size_of::<usize>());
    drop(channel);
}

// Polled by hand.

#[test]
fn parked_receive_allocates_nothing() {
    for (tx, rx) in channels() {
        assert_steady("a parked receive", || {
            let mut recv = pin!(rx.recv());
            assert!(poll(&mut recv).is_pending());
            tx.try_send(1).unwrap();
            assert_eq!(poll(&mut recv), Poll::Ready(Ok(1)));
        });
    }
}

#[test]
fn parked_send_allocates_nothing() {
    for (tx, rx) in full_channels() {
        assert_steady("a parked send", || {
            let mut send = pin!(tx.send(1));
            assert!(poll(&mut send).is_pending());
            rx.try_recv().unwrap();
            assert_eq!(poll(&mut send), Poll::Ready(Ok(())));
        });
    }
}

#[test]
fn repoll_allocates_nothing() {
    let wakers = [CountingWaker::new().waker(), CountingWaker::new().waker()];
    let (tx, rx) = hchan::bounded(0);

    let mut recv = Box::pin(rx.recv());
    let mut turn = (0..).map(|n| &wakers[n / 2 % 2]);
    assert_steady(
        "a re-poll of a receive, with the same and with another waker",
        || {
            assert!(poll_with(&mut recv, turn.next().unwrap()).is_pending());
        },
    );
    drop(recv);

    let mut send = Box::pin(tx.send(1));
    let mut turn = (0..).map(|n| &wakers[n / 2 % 2]);
    assert_steady(
        "a re-poll of a send, with the same and with another waker",
        || {
            assert!(poll_with(&mut send, turn.next().unwrap()).is_pending());
        },
    );
}

#[test]
fn cancel_of_a_parked_future_allocates_nothing() {
    for (_tx, rx) in channels() {
        assert_steady("a cancelled receive", || {
            assert!(poll(&mut pin!(rx.recv())).is_pending());
        });
    }
    for (tx, _rx) in full_channels() {
        assert_steady("a cancelled send", || {
            assert!(poll(&mut pin!(tx.send(1))).is_pending());
        });
    }
}

#[test]
fn message_given_back_to_a_parked_receive_allocates_nothing() {
    let (tx, rx) = hchan::bounded(0);
    assert_steady("a message handed on", || {
        let mut second = pin!(rx.recv());
        {
            let mut first = pin!(rx.recv());
            assert!(poll(&mut first).is_pending());
            assert!(poll(&mut second).is_pending());
            tx.try_send(1).unwrap();
        }
        assert_eq!(poll(&mut second), Poll::Ready(Ok(1)));
    });
}

#[test]
fn close_allocates_nothing_whoever_is_parked() {
    let (_tx, rx) = hchan::bounded::<u8>(0);
    let mut parked: Vec<_> = (0..TIMES / 100).map(|_| Box::pin(rx.recv())).collect();
    for recv in &mut parked {
        assert!(poll(recv).is_pending());
    }
    assert_eq!(allocations(|| rx.close()), 0, "allocations in a close");
}

// At once, or nearly.

#[test]
fn operations_that_do_not_wait_allocate_nothing() {
    for (tx, rx) in channels().into_iter().skip(1) {
        assert_steady("try_send, try_recv", || {
            tx.try_send(1).unwrap();
            rx.try_recv().unwrap();
        });
        assert_steady("a send and a receive that are ready at once", || {
            assert!(poll(&mut pin!(tx.send(1))).is_ready());
            assert!(poll(&mut pin!(rx.recv())).is_ready());
        });
        assert_steady("a blocking send and receive that are ready at once", || {
            tx.send_blocking(1).unwrap();
            rx.recv_blocking().unwrap();
        });
    }
    for (tx, rx) in full_channels() {
        assert_steady("a failing try_send", || {
            tx.try_send(1).unwrap_err();
        });
        assert_steady("a force_send", || {
            let _ = tx.force_send(1);
        });
        rx.try_iter().count();
        assert_steady("a failing try_recv", || {
            rx.try_recv().unwrap_err();
        });
    }
}

#[test]
fn backlog_of_any_constant_length_allocates_nothing() {
    for backlog in [1, 100, 129, 1_000, 3_000, LARGE] {
        let (tx, rx) = hchan::unbounded();
        (0..backlog).for_each(|n| tx.try_send(n).unwrap());
        let mut numbers = backlog..;
        let mut pass_one_message = || {
            tx.try_send(numbers.next().unwrap()).unwrap();
            rx.try_recv().unwrap();
        };
        // The blocks with which the buffer began, which are smaller, have to go first.
        (0..10 * backlog).for_each(|_| pass_one_message());
        let what = format!("try_send and try_recv behind a backlog of {backlog}");
        assert_steady(&what, pass_one_message);
    }
}

#[test]
fn backlog_around_the_edge_of_a_block_allocates_nothing() {
    for edge in [128, 2_048, LARGE] {
        let (tx, rx) = hchan::unbounded();
        (0..edge - 5).for_each(|n| tx.try_send(n).unwrap());
        let swing = || {
            (0..10).for_each(|n| tx.try_send(n).unwrap());
            (0..10).for_each(|_| {
                rx.try_recv().unwrap();
            });
        };
        (0..10 * edge).for_each(|_| swing());
        assert_steady(&format!("a backlog of {edge}, some more, some less"), swing);
    }
}

/// As between two tasks that take turns.
#[test]
fn short_buffer_of_large_messages_that_is_filled_and_emptied_allocates_nothing() {
    let (tx, rx) = hchan::bounded(64);
    let swing = || {
        (0..64).for_each(|n| tx.try_send([n; 512]).unwrap());
        (0..64_u64).for_each(|n| assert_eq!(rx.try_recv().unwrap()[511], n));
    };
    swing();
    assert_eq!(allocations(|| (0..100).for_each(|_| swing())), 0);
}

#[test]
fn wait_that_times_out_allocates_nothing() {
    let (_tx, rx) = hchan::bounded::<u8>(0);
    assert_steady("a receive within no time", || {
        rx.recv().wait_timeout(Duration::ZERO).unwrap_err();
    });
    let (tx, _rx) = hchan::bounded(0);
    assert_steady("a send within no time", || {
        tx.send(1).wait_timeout(Duration::ZERO).unwrap_err();
    });
    // Long enough to sleep.
    let allocations = allocations(|| {
        for _ in 0..100 {
            tx.send(1)
                .wait_timeout(Duration::from_micros(200))
                .unwrap_err();
        }
    });
    assert_eq!(allocations, 0, "allocations in sends that time out");
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn first_wait_of_a_thread_allocates_once_and_so_does_each_wait_within_a_poll_of_another() {
    let waits = || {
        let (tx, rx) = hchan::bounded::<usize>(1);
        let wait = || _ = rx.recv().wait_timeout(Duration::ZERO);
        let within_a_poll = || {
            let stop = poll_fn(|_| {
                wait();
                Poll::Ready(())
            });
            _ = rx.recv().until(stop).wait();
        };
        tx.try_send(0).unwrap();
        let counts = [wait, wait, wait].map(allocations);
        (counts, [within_a_poll, within_a_poll].map(allocations))
    };
    let waited = thread::spawn(waits).join().unwrap();
    assert_eq!(waited, ([0, 1, 0], [1, 1]));
}

#[test]
fn drain_allocates_its_vector_and_nothing_if_there_is_nothing() {
    let (tx, rx) = hchan::bounded::<usize>(8);
    assert_eq!(allocations(|| rx.drain().count()), 0);
    (0..8).for_each(|n| tx.try_send(n).unwrap());
    assert_eq!(allocations(|| rx.drain().count()), 1);
}

#[test]
fn select_of_more_than_eight_arms_allocates() {
    let (tx, rx) = hchan::unbounded::<usize>();
    tx.try_send(0).unwrap();
    let mut receives: Vec<_> = (0..9).map(|_| Box::pin(rx.recv())).collect();
    let mut select_of = |arms| {
        allocations(|| {
            let mut select = hchan::Select::new();
            for receive in &mut receives[..arms] {
                select.arm(receive.as_mut());
            }
            select.try_now()
        })
    };
    assert_eq!(select_of(8), 0);
    assert!(select_of(9) > 0);
}

#[test]
fn handles_allocate_nothing() {
    let (tx, rx) = hchan::bounded::<u8>(0);
    assert_steady("handles, cloned, downgraded and upgraded", || {
        let weak = (tx.clone().downgrade(), rx.clone().downgrade());
        assert!(weak.0.upgrade().is_some() && weak.1.upgrade().is_some());
    });
}

// Selects.

/// What allocated now and then would still show, and a select takes its time.
const SELECTS: usize = scaled(5_000);

#[track_caller]
fn assert_steady_select(what: &str, mut select: impl FnMut()) {
    (0..WARM_UP).for_each(|_| select());
    let allocations = allocations(|| (0..SELECTS).for_each(|_| select()));
    assert_eq!(allocations, 0, "allocations in {SELECTS} times {what}");
}

#[test]
fn select_with_an_arm_that_is_ready_allocates_nothing() {
    for (tx, rx) in channels().into_iter().skip(1) {
        assert_steady_select("a select with an arm that is ready", || {
            let mut slot = Some(1);
            let mut sending = pin!(async {
                hchan::select! { send_from(tx, &mut slot) -> sent => sent, future(pending()) -> sent => sent }
            });
            assert_eq!(poll(&mut sending), Poll::Ready(Ok(())));
            assert_eq!(hchan::select_blocking! { recv(rx) -> n => n }, Ok(1));
        });
    }
}

#[test]
fn parked_select_of_eight_arms_on_one_channel_allocates_nothing() {
    for (tx, rx) in channels().into_iter().step_by(2) {
        assert_steady_select("a parked select of eight arms", || {
            let mut selecting = pin!(async {
                hchan::select! {
                    recv(rx) -> n => n, recv(rx) -> n => n, recv(rx) -> n => n, recv(rx) -> n => n,
                    recv(rx) -> n => n, recv(rx) -> n => n, recv(rx) -> n => n, recv(rx) -> n => n,
                }
            });
            assert!(poll(&mut selecting).is_pending());
            tx.try_send(1).unwrap();
            assert_eq!(poll(&mut selecting), Poll::Ready(Ok(1)));
        });
    }
}

/// Eight channels, on which receives 0 to 3, send 4 and sends 5 to 7 from an `Option` are the arms of a select.
struct Eight {
    channels: [(Sender<usize>, Receiver<usize>); 8],
}

impl Eight {
    /// No arm can proceed: it is empty where the arm receives and full where it sends.
    fn new() -> Self {
        let channels = array::from_fn(|n| {
            let (tx, rx) = hchan::bounded([0, 1, 5, 64][n % 4]);
            while n >= 4 && tx.try_send(0).is_ok() {}
            (tx, rx)
        });
        Self { channels }
    }

    async fn select(&self) -> usize {
        let [a, b, c, d, e, f, g, h] = &self.channels;
        let [mut x, mut y, mut z] = [Some(5), Some(6), Some(7)];
        hchan::select! {
            recv(a.1) -> n => n.unwrap(), recv(b.1) -> n => n.unwrap(), recv(c.1) -> n => n.unwrap(),
            recv(d.1) -> n => n.unwrap(), send(e.0, 4) -> sent => { sent.unwrap(); 4 }
            send_from(f.0, &mut x) -> sent => { sent.unwrap(); 5 }
            send_from(g.0, &mut y) -> sent => { sent.unwrap(); 6 }
            send_from(h.0, &mut z) -> sent => { sent.unwrap(); 7 }
        }
    }

    /// As `select`, of a thread that gives up at once: `None`.
    fn select_blocking(&self) -> Option<usize> {
        let [a, b, c, d, e, f, g, h] = &self.channels;
        let [mut x, mut y, mut z] = [Some(5), Some(6), Some(7)];
        hchan::select_blocking! {
            recv(a.1) -> n => n.ok(), recv(b.1) -> n => n.ok(), recv(c.1) -> n => n.ok(), recv(d.1) -> n => n.ok(),
            send(e.0, 4) -> sent => sent.ok().map(|()| 4),
            send_from(f.0, &mut x) -> sent => sent.ok().map(|()| 5),
            send_from(g.0, &mut y) -> sent => sent.ok().map(|()| 6),
            send_from(h.0, &mut z) -> sent => sent.ok().map(|()| 7),
            default(Duration::ZERO) => None,
        }
    }

    /// As `select`, by a `Select`, which `run` runs; returns what it returns.
    fn select_at_run_time<R>(&self, run: impl FnOnce(hchan::Select<'_>) -> R) -> R {
        let [a, b, c, d, e, f, g, h] = &self.channels;
        let [mut x, mut y, mut z] = [Some(5), Some(6), Some(7)];
        let mut receives = (
            pin!(a.1.recv()),
            pin!(b.1.recv()),
            pin!(c.1.recv()),
            pin!(d.1.recv()),
        );
        let mut send = pin!(e.0.send(4));
        let mut sends = (
            pin!(f.0.send_from(&mut x)),
            pin!(g.0.send_from(&mut y)),
            pin!(h.0.send_from(&mut z)),
        );
        let mut select = hchan::Select::new();
        select.arm(receives.0.as_mut());
        select.arm(receives.1.as_mut());
        select.arm(receives.2.as_mut());
        select.arm(receives.3.as_mut());
        select.arm(send.as_mut());
        select.arm(sends.0.as_mut());
        select.arm(sends.1.as_mut());
        select.arm(sends.2.as_mut());
        let returned = run(select);
        // One that has happened would give its message back, which may allocate.
        let (a, b, c, d) = &mut receives;
        let _ = (poll(a), poll(b), poll(c), poll(d));
        returned
    }

    /// Is the peer with which this arm can proceed.
    fn meet(&self, arm: usize) {
        let (tx, rx) = &self.channels[arm];
        match arm {
            0..4 => tx.try_send(arm).unwrap(),
            _ => _ = rx.try_recv().unwrap(),
        }
    }
}

#[test]
fn select_of_eight_channels_allocates_nothing() {
    let eight = Eight::new();
    let mut arms = (0..8).cycle();
    assert_steady_select("a parked select of eight channels", || {
        let arm = arms.next().unwrap();
        let mut selecting = pin!(eight.select());
        assert!(poll(&mut selecting).is_pending());
        eight.meet(arm);
        assert_eq!(poll(&mut selecting), Poll::Ready(arm));
    });
    assert_steady_select("a select of eight channels, dropped while parked", || {
        assert!(poll(&mut pin!(eight.select())).is_pending());
    });
    // At capacity 0 there is nobody to be ready.
    let mut arms = [1, 2, 3, 5, 6, 7].into_iter().cycle();
    assert_steady_select("a select of eight channels, one of them ready", || {
        let arm = arms.next().unwrap();
        eight.meet(arm);
        assert_eq!(poll(&mut pin!(eight.select())), Poll::Ready(arm));
        eight.meet(arm);
        assert_eq!(eight.select_blocking(), Some(arm));
    });
    assert_steady_select("a blocking select of eight channels within no time", || {
        assert_eq!(eight.select_blocking(), None);
    });
}

#[test]
fn select_of_eight_channels_known_at_run_time_allocates_nothing() {
    let eight = Eight::new();
    let mut arms = (0..8).cycle();
    assert_steady_select("a parked `Select` of eight", || {
        let arm = arms.next().unwrap();
        eight.select_at_run_time(|select| {
            let mut select = pin!(select);
            assert!(poll(&mut select).is_pending());
            eight.meet(arm);
            assert_eq!(poll(&mut select), Poll::Ready(arm));
        });
    });
    let mut arms = [1, 2, 3, 5, 6, 7].into_iter().cycle();
    assert_steady_select("a `Select` of eight, one of them ready", || {
        let arm = arms.next().unwrap();
        eight.meet(arm);
        assert_eq!(eight.select_at_run_time(|select| select.wait()), arm);
        eight.meet(arm);
        let ready = eight.select_at_run_time(|select| poll(&mut pin!(select)));
        assert_eq!(ready, Poll::Ready(arm));
    });
    assert_steady_select("a `Select` of eight, given up", || {
        eight.select_at_run_time(|select| assert!(poll(&mut pin!(select)).is_pending()));
        let timed_out = eight.select_at_run_time(|select| select.wait_timeout(Duration::ZERO));
        assert_eq!(timed_out, None);
        assert_eq!(eight.select_at_run_time(|select| select.try_now()), None);
    });
}

#[test]
fn receive_from_any_of_eight_allocates_nothing() {
    let (txs, rxs): (Vec<_>, Vec<_>) = (0..8).map(hchan::bounded).unzip();
    let mut arms = (0..8).cycle();
    assert_steady_select("a parked receive from any of eight", || {
        let arm = arms.next().unwrap();
        let mut receive = pin!(hchan::recv_any(&rxs));
        assert!(poll(&mut receive).is_pending());
        txs[arm].try_send(1).unwrap();
        assert_eq!(poll(&mut receive), Poll::Ready((arm, Ok(1))));
    });
    let mut arms = (1..8).cycle();
    assert_steady_select("a receive from any of eight, one of them ready", || {
        let arm = arms.next().unwrap();
        txs[arm].try_send(1).unwrap();
        assert_eq!(hchan::recv_any(&rxs).wait(), (arm, Ok(1)));
        txs[arm].try_send(2).unwrap();
        assert!(poll(&mut pin!(hchan::recv_any(&rxs))).is_ready());
    });
    assert_steady_select("a receive from any of eight, given up", || {
        assert!(poll(&mut pin!(hchan::recv_any(&rxs))).is_pending());
        let timed_out = hchan::recv_any(&rxs).wait_timeout(Duration::ZERO);
        assert_eq!(timed_out, None);
    });
}

#[test]
fn send_from_allocates_nothing() {
    for (tx, rx) in channels().into_iter().skip(1) {
        assert_steady("a `send_from` that is ready at once", || {
            let mut slot = Some(1);
            assert!(poll(&mut pin!(tx.send_from(&mut slot))).is_ready());
            slot = rx.try_recv().ok();
            tx.send_from(&mut slot).wait().unwrap();
            rx.try_recv().unwrap();
        });
    }
    for (tx, rx) in full_channels() {
        assert_steady("a parked `send_from`", || {
            let mut slot = Some(1);
            let mut send = pin!(tx.send_from(&mut slot));
            assert!(poll(&mut send).is_pending());
            rx.try_recv().unwrap();
            assert_eq!(poll(&mut send), Poll::Ready(Ok(())));
        });
        let mut slot = Some(1);
        assert_steady("a `send_from` that is given up", || {
            assert!(poll(&mut pin!(tx.send_from(&mut slot))).is_pending());
            let timed_out = tx.send_from(&mut slot).wait_timeout(Duration::ZERO);
            assert!(timed_out.is_err() && slot == Some(1));
        });
    }
}

// Given up, and owned.

#[test]
fn until_allocates_nothing() {
    for (tx, rx) in channels().into_iter().skip(1) {
        assert_steady("a send and a receive that nothing stops", || {
            assert!(poll(&mut pin!(tx.send(1).until(pending::<()>()))).is_ready());
            assert!(poll(&mut pin!(rx.recv().until(pending::<()>()))).is_ready());
        });
    }
    let (stop, stopped) = hchan::bounded(1);
    for (tx, rx) in full_channels() {
        let mut slot = Some(1);
        assert_steady("sends that are stopped while parked", || {
            let mut send = pin!(tx.send(1).until(stopped.recv()));
            assert!(poll(&mut send).is_pending());
            stop.try_send(()).unwrap();
            assert!(matches!(poll(&mut send), Poll::Ready(Err(_))));
            let mut send = pin!(tx.send_from(&mut slot).until(stopped.recv()));
            assert!(poll(&mut send).is_pending());
            stop.try_send(()).unwrap();
            assert!(matches!(poll(&mut send), Poll::Ready(Err(_))));
        });
        rx.try_iter().count();
        assert_steady("a receive that is stopped while parked", || {
            let mut recv = pin!(rx.recv().until(stopped.recv()));
            assert!(poll(&mut recv).is_pending());
            stop.try_send(()).unwrap();
            assert!(matches!(poll(&mut recv), Poll::Ready(Err(_))));
        });
    }
}

#[test]
fn owned_futures_allocate_nothing() {
    for (tx, rx) in channels() {
        let mut handles = Some((tx, rx));
        assert_steady("an owned receive, parked, and an owned send", || {
            let (tx, rx) = handles.take().unwrap();
            let mut recv = pin!(rx.into_recv());
            assert!(poll(&mut recv).is_pending());
            let (tx, sent) = tx.into_send(1).wait();
            sent.unwrap();
            let Poll::Ready((rx, Ok(1))) = poll(&mut recv) else {
                panic!("it was handed a message");
            };
            let (rx, received) = rx.into_recv().wait_timeout(Duration::ZERO);
            received.unwrap_err();
            handles = Some((tx, rx));
        });
    }
}

// Streams.

#[test]
fn stream_allocates_once_in_its_life() {
    for (tx, rx) in channels() {
        let allocations = allocations(|| {
            let mut stream = rx.stream();
            for n in 0..TIMES {
                assert!(poll(&mut stream.next()).is_pending());
                tx.try_send(n).unwrap();
                assert_eq!(poll(&mut stream.next()), Poll::Ready(Some(n)));
                assert!(poll(&mut stream.next()).is_pending());
                stream.release();
            }
        });
        assert_eq!(allocations, 1, "allocations in the life of a stream");
    }
}

#[test]
fn stream_that_never_waits_allocates_nothing() {
    let (tx, rx) = hchan::bounded(1);
    let mut stream = rx.stream();
    assert_steady("an item that is there already", || {
        tx.try_send(1).unwrap();
        assert_eq!(poll(&mut stream.next()), Poll::Ready(Some(1)));
    });
}

// Permits.

#[test]
fn permits_allocate_nothing() {
    for (tx, rx) in channels() {
        assert_steady("a permit that counts on a parked receiver", || {
            let mut receive = pin!(rx.recv());
            assert!(poll(&mut receive).is_pending());
            tx.try_reserve().unwrap().send(1).unwrap();
            assert_eq!(poll(&mut receive), Poll::Ready(Ok(1)));
        });
    }
    for (tx, rx) in full_channels() {
        let capacity = tx.capacity().unwrap();
        assert_steady(
            "a permit that was waited for, made owned and given up",
            || {
                let mut reserve = pin!(tx.reserve());
                assert!(poll(&mut reserve).is_pending());
                let mut receive = pin!(rx.recv());
                // At capacity 0 it parks, and gives room so; else it takes a message.
                assert_eq!(poll(&mut receive).is_pending(), capacity == 0);
                let Poll::Ready(Ok(permit)) = poll(&mut reserve) else {
                    panic!("there is room");
                };
                drop(permit.into_owned());
                tx.try_send(0).unwrap();
                if capacity == 0 {
                    assert_eq!(poll(&mut receive), Poll::Ready(Ok(0)));
                }
            },
        );
    }
}

// Batches, and waits for the end.

#[test]
fn batch_sent_allocates_once_at_the_most() {
    for (tx, rx) in channels().into_iter().skip(2) {
        // The blocks of the buffer come first, where it grows.
        (0..LARGE).for_each(|n| {
            tx.try_send(n).unwrap();
            rx.try_recv().unwrap();
        });
        for len in (0..=64).cycle().take(TIMES.min(1_000)) {
            let of_batch = allocations(|| tx.try_send_many(0..len).unwrap());
            assert!(of_batch <= 1, "{of_batch} in a batch of {len}");
            while rx.try_recv().is_ok() {}
        }
    }
    for (tx, rx) in full_channels() {
        let mut into = Vec::with_capacity(1_000);
        let of_batch = allocations(|| {
            let mut sending = pin!(tx.send_many(0..LARGE / 2));
            while poll(&mut sending).is_pending() {
                rx.try_recv_many(&mut into, 500).unwrap();
                into.clear();
            }
        });
        assert_eq!(of_batch, 1, "of {tx:?}");
    }
}

#[test]
fn batch_received_into_a_vector_with_room_allocates_nothing() {
    for (tx, rx) in channels().into_iter().skip(2) {
        let mut into = Vec::with_capacity(64);
        assert_steady("a batch of all there is", || {
            (0..64).for_each(|n| tx.try_send(n).unwrap());
            let received = rx.recv_many(&mut into, usize::MAX).now_or_never();
            assert_eq!(received, Some(Ok(64)));
            into.clear();
        });
    }
    for (tx, rx) in channels() {
        let mut into = Vec::with_capacity(1);
        assert_steady("a parked receive of many", || {
            {
                let mut receiving = pin!(rx.recv_many(&mut into, 64));
                assert!(poll(&mut receiving).is_pending());
                tx.try_send(1).unwrap();
                assert_eq!(poll(&mut receiving), Poll::Ready(Ok(1)));
            }
            into.clear();
        });
        let mut into = Vec::new();
        assert_steady("a receive of many from an empty channel", || {
            assert!(rx.try_recv_many(&mut into, 64).is_err());
            assert_eq!(rx.drain().len(), 0);
        });
    }
}

#[test]
fn wait_for_the_end_allocates_nothing() {
    let wakers = [CountingWaker::new().waker(), CountingWaker::new().waker()];
    for (tx, rx) in channels() {
        assert_steady("a wait for the end, polled anew and given up", || {
            let mut closed = pin!(tx.closed());
            let mut drained = pin!(rx.drained());
            for waker in &wakers {
                assert!(poll_with(&mut closed, waker).is_pending());
                assert!(poll_with(&mut drained, waker).is_pending());
            }
        });
        let mut waiting: Vec<_> = (0..1_000)
            .flat_map(|_| [tx.closed(), rx.drained()])
            .map(Box::pin)
            .collect();
        let allocations = allocations(|| {
            for future in &mut waiting {
                assert!(poll(future).is_pending());
            }
            tx.close();
            for future in &mut waiting {
                assert!(poll(future).is_ready());
            }
        });
        assert_eq!(allocations, 0, "allocations of 2000 waits for a close");
    }
}

// Channels.

#[cfg(feature = "sink")]
#[test]
fn sink_allocates_once_in_its_life_and_only_if_it_waits() {
    let mut cx = Context::from_waker(Waker::noop());
    for (tx, rx) in full_channels() {
        let capacity = tx.capacity().unwrap();
        let mut sink = tx.sink();
        for round in 0..TIMES {
            let allocated = allocations(|| {
                assert!(sink.poll_ready_unpin(&mut cx).is_pending());
                sink.release();
                assert!(sink.poll_ready_unpin(&mut cx).is_pending());
                rx.try_recv().ok();
                let mut receive = pin!(rx.recv());
                if capacity == 0 {
                    assert!(poll(&mut receive).is_pending());
                }
                assert!(sink.poll_ready_unpin(&mut cx).is_ready());
                sink.start_send_unpin(round).unwrap();
                if capacity == 0 {
                    assert!(poll(&mut receive).is_ready());
                }
            });
            let expected = usize::from(round == 0);
            assert_eq!(allocated, expected, "capacity {capacity}, round {round}");
        }
    }
    let (tx, rx) = hchan::bounded(1);
    assert_steady("a sink that does not wait", || {
        let mut sink = tx.sink();
        assert!(sink.poll_ready_unpin(&mut cx).is_ready());
        sink.start_send_unpin(0).unwrap();
        assert_eq!(rx.try_recv(), Ok(0));
        let clone = sink.clone();
        drop((sink, clone));
    });
}

#[test]
fn never_allocates_nothing() {
    // A wait makes the thread's parker.
    let _ = hchan::never::<u8>().recv().wait_timeout(Duration::ZERO);
    let allocations = allocations(|| {
        let rx = hchan::never::<[u64; 100]>();
        let second = rx.downgrade().upgrade().unwrap();
        let mut stream = second.stream();
        for _ in 0..TIMES {
            assert!(rx.clone().try_recv().is_err());
            assert!(poll(&mut pin!(rx.recv())).is_pending());
            assert!(poll(&mut stream.next()).is_pending());
            assert!(rx.recv().wait_timeout(Duration::ZERO).is_err());
            assert!(!rx.close());
        }
    });
    assert_eq!(allocations, 0, "allocations of a receiver of never()");
}

#[test]
fn huge_capacity_takes_no_memory_until_it_is_used() {
    for capacity in [usize::MAX / 2, usize::MAX] {
        let before = live_bytes();
        let (tx, rx) = hchan::bounded::<[u64; 16]>(capacity);
        let unused = live_bytes() - before;
        assert!(
            unused < 1_024,
            "{unused} bytes for an unused bounded({capacity})"
        );

        tx.try_send([1; 16]).unwrap();
        let used = live_bytes() - before;
        assert!(
            used < 4_096,
            "{used} bytes for one message in a bounded({capacity})"
        );
        assert_eq!(rx.try_recv(), Ok([1; 16]));
    }
}

/// What they take is their alignment.
#[test]
fn messages_of_no_size_take_no_more_memory_than_those_of_a_size() {
    #[repr(align(4096))]
    struct Page(#[expect(dead_code, reason = "for its size")] u8);
    #[repr(align(4096))]
    struct Nothing;

    fn bytes_of<T>(capacity: usize, message: T) -> isize {
        let before = live_bytes();
        let (tx, _rx) = hchan::bounded(capacity);
        assert!(tx.try_send(message).is_ok());
        live_bytes() - before
    }

    for capacity in [5, 100, 100_000, usize::MAX] {
        let [some, none] = [bytes_of(capacity, Page(1)), bytes_of(capacity, Nothing)];
        assert!(none <= some, "{capacity}: {none} bytes, {some} bytes");
    }
}

/// Of four such messages on its stack, a thread of two megabytes would die.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn channel_of_large_messages_is_made_in_its_memory() {
    const LARGE: usize = 512 * 1024;
    let made = std::thread::Builder::new().stack_size(4 * LARGE);
    let made = made.spawn(|| hchan::bounded::<[u8; LARGE]>(1)).unwrap();
    let (tx, _rx) = made.join().unwrap();
    assert_eq!(tx.capacity(), Some(1));
}

#[test]
fn memory_of_a_burst_is_returned() {
    const BURST: usize = scaled(1_000_000);
    // A place has a flag beside the message, and is aligned as that is.
    let places = (BURST * 2 * size_of::<usize>()) as isize;
    for (tx, rx) in [hchan::unbounded(), hchan::bounded(usize::MAX)] {
        let before = live_bytes();
        (0..BURST).for_each(|n| tx.try_send(n).unwrap());
        let full = live_bytes() - before;
        assert!(
            (places..places * 5 / 4).contains(&full),
            "{full} bytes for a backlog that takes {places}"
        );
        for n in 0..BURST {
            assert_eq!(rx.try_recv(), Ok(n));
        }
        let drained = live_bytes() - before;
        assert!(
            drained < 64 * 1_024,
            "{drained} bytes kept of a burst of {places}"
        );
    }
}

/// Row 32 of the peers' bugs, FL#146, KN#51, TK#4321: buffers never shrank.
#[test]
fn memory_of_a_million_messages_is_returned_however_they_went_through() {
    const MILLION: usize = scaled(1_000_000);
    type Send = fn(&Sender<usize>);
    type Receive = fn(&Receiver<usize>);
    let ways: [(Send, Receive); 3] = [
        (
            |tx| (0..MILLION).for_each(|n| tx.try_send(n).unwrap()),
            |rx| assert_eq!(rx.try_iter().count(), MILLION),
        ),
        (
            |tx| assert_eq!(tx.try_send_many(0..MILLION).unwrap(), MILLION),
            |rx| assert_eq!(rx.drain().len(), MILLION),
        ),
        (
            |tx| assert_eq!(tx.try_send_many(0..MILLION).unwrap(), MILLION),
            |rx| {
                let mut into = Vec::with_capacity(64);
                while rx.try_recv_many(&mut into, 64).is_ok() {
                    into.clear();
                }
            },
        ),
    ];
    for channel in [|| hchan::unbounded(), || hchan::bounded(2 * MILLION)] {
        for (send, receive) in ways {
            let before = live_bytes();
            let (tx, rx) = channel();
            send(&tx);
            let top = live_bytes() - before;
            assert!(top >= MILLION as isize * 8, "{top} bytes at the top");
            receive(&rx);
            assert!(rx.is_empty());
            let left = live_bytes() - before;
            assert!(left < 16 * 1024, "{left} bytes left of {top}");
        }
    }
}

#[test]
fn batches_around_a_steady_level_allocate_nothing() {
    for level in [0, 100, 1_000, LARGE] {
        let (tx, rx) = hchan::unbounded();
        tx.try_send_many(0..level).unwrap();
        let mut into = Vec::with_capacity(64);
        // Singles out, a batch in: the batch itself takes its one allocation.
        let mut swing = |sent: &mut usize| {
            *sent += allocations(|| tx.try_send_many(0..64).unwrap());
            assert_eq!(rx.try_recv_many(&mut into, 64), Ok(64));
            into.clear();
        };
        // The blocks with which the buffer began have to go first.
        (0..level / 16 + 10).for_each(|_| swing(&mut 0));
        let mut of_sends = 0;
        let all = allocations(|| (0..TIMES / 10).for_each(|_| swing(&mut of_sends)));
        assert_eq!((of_sends, all), (TIMES / 10, TIMES / 10), "level {level}");
    }
}

#[test]
fn dropped_channel_returns_all_memory() {
    let before = live_bytes();
    for (tx, rx) in channels() {
        {
            // A message given back, and a stream, take memory of their own.
            let mut recv = pin!(rx.recv());
            assert!(poll(&mut recv).is_pending());
            tx.try_send(1).unwrap();
        }
        assert!(poll(&mut rx.stream().next()).is_ready());
        assert!(poll(&mut rx.stream().next()).is_pending());
        // Until it is full, or for long enough that it has several blocks.
        (0..LARGE).all(|n| tx.try_send(n).is_ok());
    }
    let kept = live_bytes() - before;
    assert_eq!(kept, 0, "bytes kept after all was dropped");
}

// Waiting for real.

/// Wakes by a flag, and unparks its thread.
struct Flag {
    is_up: AtomicBool,
    thread: Thread,
}

impl Flag {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            is_up: AtomicBool::new(true),
            thread: thread::current(),
        })
    }

    fn take(&self) -> bool {
        self.is_up.swap(false, SeqCst)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_up.store(true, SeqCst);
        self.thread.unpark();
    }
}

/// An executor of two tasks: polls in turn those whose flags are up until both are done.
fn run_both(tasks: [Pin<&mut dyn Future<Output = ()>>; 2]) {
    let mut tasks = tasks.map(|task| (task, Flag::new(), false));
    while tasks.iter().any(|(_, _, done)| !done) {
        let mut is_stuck = true;
        for (task, flag, done) in &mut tasks {
            if !*done && flag.take() {
                let waker = Waker::from(Arc::clone(flag));
                let mut cx = Context::from_waker(&waker);
                *done = task.as_mut().poll(&mut cx).is_ready();
                is_stuck = false;
            }
        }
        assert!(!is_stuck, "a task waits, and nothing wakes it");
    }
}

#[test]
fn tasks_that_wait_for_each_other_allocate_nothing() {
    for (tx, rx) in [hchan::bounded(0), hchan::bounded(1), hchan::bounded(16)] {
        let sending = pin!(async {
            for n in 0..WARM_UP + TIMES {
                tx.send(n).await.unwrap();
            }
        });
        let allocated = Cell::new(None);
        let receiving = pin!(async {
            let mut start = 0;
            for n in 0..WARM_UP + TIMES {
                if n == WARM_UP {
                    start = COUNTS.get().allocations;
                }
                assert_eq!(rx.recv().await, Ok(n));
            }
            allocated.set(Some(COUNTS.get().allocations - start));
        });
        run_both([sending, receiving]);
        assert_eq!(
            allocated.get(),
            Some(0),
            "allocations in {TIMES} messages from task to task"
        );
    }
}

/// Sends many messages from one thread to another, until it has happened without an allocation in either.
///
/// At capacity 0 each message finds or makes one of the two parked. A few things are allocated once and at no certain
/// time: what the channel's lock needs when first a thread has to sleep for it, and what each of the two threads needs
/// then. Hence several rounds.
#[track_caller]
fn assert_threads_allocate_nothing(
    capacity: usize,
    send: impl Fn(&Sender<usize>, usize) + Send + Sync + 'static,
    recv: impl Fn(&Receiver<usize>) -> usize + Send + Sync + 'static,
) {
    let allocated = ends_within(Duration::from_secs(60), move || {
        allocations_of_two_threads(capacity, send, recv)
    });
    assert!(
        allocated.contains(&0),
        "allocations in each of {ROUNDS} rounds of {TIMES} messages at capacity {capacity}: {allocated:?}",
    );
}

/// How many allocations there were in each round; it ends after one that had none.
fn allocations_of_two_threads(
    capacity: usize,
    send: impl Fn(&Sender<usize>, usize) + Sync,
    recv: impl Fn(&Receiver<usize>) -> usize + Sync,
) -> Vec<usize> {
    let (tx, rx) = hchan::bounded(capacity);
    let allocated: [AtomicUsize; ROUNDS] = array::from_fn(|_| AtomicUsize::new(0));
    let both = Barrier::new(2);
    // Both do as many rounds, as both see the same sum.
    let rounds = |work: &dyn Fn(usize)| -> Vec<usize> {
        (0..WARM_UP).for_each(work);
        let mut sums = Vec::with_capacity(ROUNDS);
        for allocated in &allocated {
            allocated.fetch_add(allocations(|| (0..TIMES).for_each(work)), SeqCst);
            both.wait();
            sums.push(allocated.load(SeqCst));
            if sums.ends_with(&[0]) {
                break;
            }
        }
        sums
    };
    thread::scope(|scope| {
        scope.spawn(|| rounds(&|n| send(&tx, n)));
        rounds(&|n| assert_eq!(recv(&rx), n, "what was received"))
    })
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn threads_that_wait_for_each_other_allocate_nothing() {
    for capacity in [0, 1] {
        assert_threads_allocate_nothing(
            capacity,
            |tx, n| tx.send_blocking(n).unwrap(),
            |rx| rx.recv_blocking().unwrap(),
        );
    }
}

/// Waits for a future with a waker that the caller keeps.
fn block_on<F: Future>(future: F, flag: &Arc<Flag>) -> F::Output {
    let waker = Waker::from(Arc::clone(flag));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        while !flag.take() {
            thread::park();
        }
    }
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn tasks_in_two_threads_allocate_nothing() {
    thread_local!(static FLAG: Arc<Flag> = Flag::new());
    for capacity in [0, 1] {
        assert_threads_allocate_nothing(
            capacity,
            |tx, n| FLAG.with(|flag| block_on(tx.send(n), flag)).unwrap(),
            |rx| FLAG.with(|flag| block_on(rx.recv(), flag)).unwrap(),
        );
    }
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn thread_and_task_allocate_nothing() {
    thread_local!(static FLAG: Arc<Flag> = Flag::new());
    assert_threads_allocate_nothing(
        0,
        |tx, n| FLAG.with(|flag| block_on(tx.send(n), flag)).unwrap(),
        |rx| rx.recv_blocking().unwrap(),
    );
}

/// As `assert_threads_allocate_nothing`, in selects: whoever comes first is parked with all arms.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn threads_that_wait_in_selects_allocate_nothing() {
    assert_threads_allocate_nothing(
        0,
        |tx, n| {
            let mut slot = Some(n);
            let nothing = hchan::never::<u8>();
            hchan::select_blocking! {
                send_from(tx, &mut slot) -> sent => sent.unwrap(),
                send(tx, n) -> sent => sent.unwrap(),
                recv(nothing) -> _ => unreachable!("never"),
            }
        },
        |rx| {
            hchan::select_blocking! {
                recv(rx) -> n => n.unwrap(), recv(rx) -> n => n.unwrap(), recv(rx) -> n => n.unwrap(),
                recv(rx) -> n => n.unwrap(), recv(rx) -> n => n.unwrap(), recv(rx) -> n => n.unwrap(),
                recv(rx) -> n => n.unwrap(), recv(rx) -> n => n.unwrap(),
                default(Duration::MAX) => unreachable!("for ever"),
            }
        },
    );
}
