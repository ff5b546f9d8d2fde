//! What Go promises of its channels and `select`, after the programs in its `test/chan` and `runtime/chan_test.go`, written
//! anew. Where Go panics, at a send on a closed channel, there is an error here; its nil channel is `never()` to receive from
//! and a condition that does not hold to send on.

// Some of it is for the tests of threads alone.
#![cfg_attr(not(feature = "std"), allow(dead_code, unused_imports))]

mod support;

use std::{
    hint, mem,
    sync::{
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    task::Poll::{self, Pending, Ready},
    thread,
    time::Duration,
};

use futures::{FutureExt, executor::block_on, future::join_all};
#[cfg(feature = "std")]
use hchan::select_blocking;
use hchan::{
    Receiver, RecvError, SendError, Sender, TrySendError, bounded, never, seed_select, select,
    unbounded,
};
#[cfg(not(feature = "std"))]
use support::blocking::*;
use support::{CountingWaker, no_deadlock, poll, poll_with, scaled, two_workers};
use tokio::task::JoinSet;

fn assert_nobody_waits<T>(rx: &Receiver<T>) {
    assert_eq!(
        (rx.waiting_senders(), rx.waiting_receivers()),
        (0, 0),
        "waiting senders and receivers"
    );
}

// Which operations wait, and which do not: `select3.go`, and `nonblock.go` by way of `default`.

#[derive(Clone, Copy, Debug, PartialEq)]
enum Is {
    Nil,
    Empty,
    Full,
    Closed,
    ClosedWithOneLeft,
}

/// A channel in this state, the capacity as far as it can have it.
fn channel(is: Is, capacity: usize) -> (Sender<usize>, Receiver<usize>) {
    let (tx, rx) = bounded(capacity);
    let messages = match is {
        Is::Nil => return (tx, never()),
        Is::Empty | Is::Closed => 0,
        Is::Full => capacity,
        Is::ClosedWithOneLeft => 1,
    };
    (0..messages).for_each(|n| tx.try_send(n).unwrap());
    if matches!(is, Is::Closed | Is::ClosedWithOneLeft) {
        tx.close();
    }
    (tx, rx)
}

type Received = Poll<Result<usize, RecvError>>;
type Sent = Poll<Result<(), SendError<()>>>;

/// What each operation has to come to, by itself in a select; `Pending` is Go's blocking.
const OUTCOMES: [(Is, usize, Received, Sent); 10] = [
    (Is::Nil, 0, Pending, Pending),
    (Is::Empty, 0, Pending, Pending),
    (Is::Empty, 1, Pending, Ready(Ok(()))),
    (Is::Empty, 5, Pending, Ready(Ok(()))),
    (Is::Full, 1, Ready(Ok(0)), Pending),
    (Is::Full, 5, Ready(Ok(0)), Pending),
    (Is::Closed, 0, CLOSED, Ready(Err(SendError(())))),
    (Is::Closed, 5, CLOSED, Ready(Err(SendError(())))),
    (
        Is::ClosedWithOneLeft,
        1,
        Ready(Ok(0)),
        Ready(Err(SendError(()))),
    ),
    (
        Is::ClosedWithOneLeft,
        5,
        Ready(Ok(0)),
        Ready(Err(SendError(()))),
    ),
];
const CLOSED: Received = Ready(Err(RecvError));

#[test]
fn select_of_one_arm_waits_just_if_its_operation_would() {
    for (is, capacity, received, sent) in OUTCOMES {
        let (_tx, rx) = channel(is, capacity);
        let mut selecting = Box::pin(async {
            select! { recv(rx) -> n => n }
        });
        assert_eq!(poll(&mut selecting), received, "{is:?}, {capacity}");
        drop(selecting);
        assert_nobody_waits(&rx);

        let (tx, rx) = channel(is, capacity);
        let mut slot = Some(9);
        let mut selecting = Box::pin(async {
            select! { send_from(tx, &mut slot) -> sent, if is != Is::Nil => sent }
        });
        assert_eq!(poll(&mut selecting), sent, "{is:?}, {capacity}");
        drop(selecting);
        assert_eq!(slot.is_none(), sent == Ready(Ok(())), "{is:?}, {capacity}");
        assert_nobody_waits(&rx);
    }
}

#[test]
fn select_takes_its_default_just_if_the_operation_would_wait() {
    for (is, capacity, received, sent) in OUTCOMES {
        let (_tx, rx) = channel(is, capacity);
        let did = select_blocking! { recv(rx) -> n => Ready(n), default => Pending };
        assert_eq!(did, received, "{is:?}, {capacity}");

        let (tx, _rx) = channel(is, capacity);
        let mut slot = Some(9);
        let did = select_blocking! {
            default => Pending,
            send_from(tx, &mut slot) -> sent, if is != Is::Nil => Ready(sent),
        };
        assert_eq!(did, sent, "{is:?}, {capacity}");
        assert_eq!(slot.is_none(), sent == Ready(Ok(())), "{is:?}, {capacity}");
    }
}

/// In every pair of arms just those happen that would by themselves, and both of two that would get their turn.
#[test]
fn select_of_two_arms_does_what_either_would() {
    seed_select(1);
    for (a_is, a_capacity, received, _) in OUTCOMES {
        for (b_is, b_capacity, _, sent) in OUTCOMES {
            let mut happened = [false; 2];
            for _ in 0..40 {
                let (_a_tx, a_rx) = channel(a_is, a_capacity);
                let (b_tx, b_rx) = channel(b_is, b_capacity);
                let before = (a_rx.len(), b_rx.len());
                let mut slot = Some(9);
                let mut selecting = Box::pin(async {
                    select! {
                        recv(a_rx) -> n => { assert_eq!(Ready(n), received); 0 }
                        send_from(b_tx, &mut slot) -> s, if b_is != Is::Nil => {
                            assert_eq!(Ready(s), sent);
                            1
                        }
                    }
                });
                let chosen = poll(&mut selecting);
                drop(selecting);
                let arms =
                    format!("receive from {a_is:?}, {a_capacity}; send to {b_is:?}, {b_capacity}");
                assert_eq!(
                    chosen.is_pending(),
                    received.is_pending() && sent.is_pending(),
                    "{arms}"
                );
                // The other one had no effect.
                if chosen != Ready(0) {
                    assert_eq!(a_rx.len(), before.0, "{arms}");
                }
                if chosen != Ready(1) {
                    assert_eq!((b_rx.len(), slot), (before.1, Some(9)), "{arms}");
                }
                if let Ready(chosen) = chosen {
                    happened[chosen] = true;
                }
            }
            assert_eq!(happened, [received.is_ready(), sent.is_ready()]);
        }
    }
}

// Queues: `select6.go` and `TestSelectDuplicateChannel`.

/// Go's issue 2075: a select that left a queue as its last took others out of it, too.
#[test]
fn select_that_leaves_a_queue_leaves_the_others_in_it() {
    for capacity in [0, 4, 5] {
        // Before the select, behind it, on both sides of it.
        for (before, behind) in [(2, 0), (0, 2), (2, 2), (0, 0)] {
            let (tx, rx) = bounded(capacity);
            let (other_tx, other_rx) = bounded::<usize>(capacity);
            let mut receives: Vec<_> = (0..before + behind).map(|_| Box::pin(rx.recv())).collect();
            let (older, younger) = receives.split_at_mut(before);
            assert!(older.iter_mut().all(|receive| poll(receive).is_pending()));
            let mut selecting = Box::pin(async {
                select! { recv(rx) -> n => n, recv(other_rx) -> n => n, recv(rx) -> n => n }
            });
            assert!(poll(&mut selecting).is_pending());
            assert!(younger.iter_mut().all(|receive| poll(receive).is_pending()));

            other_tx.try_send(100).unwrap();
            assert_eq!(poll(&mut selecting), Ready(Ok(100)));
            assert_eq!(rx.waiting_receivers(), before + behind);
            for n in 0..before + behind {
                tx.try_send(n).unwrap();
            }
            for (n, receive) in receives.iter_mut().enumerate() {
                assert_eq!(
                    poll(receive),
                    Ready(Ok(n)),
                    "{before} before, {behind} behind"
                );
            }
            assert_eq!(tx.try_send(0).is_ok(), capacity > 0, "nobody is left");
        }
    }
}

#[test]
fn channel_in_two_arms_is_served_once_and_what_waits_behind_is_next() {
    let (tx, rx) = bounded(0);
    let (_never_sent, other) = bounded::<u8>(0);
    let counters = [(); 3].map(|()| CountingWaker::new());
    let mut selecting = counters.each_ref().map(|counter| {
        let mut selecting = Box::pin(async {
            select! { recv(rx) -> n => n, recv(other) -> n => n, recv(rx) -> n => n }
        });
        assert!(poll_with(&mut selecting, &counter.waker()).is_pending());
        selecting
    });
    for n in 0..3 {
        tx.try_send(n).unwrap();
        let wakes = counters.each_ref().map(|counter| counter.wakes());
        assert!(
            wakes
                .iter()
                .enumerate()
                .all(|(m, &wakes)| wakes == usize::from(m <= n.into()))
        );
    }
    assert_eq!(tx.try_send(3), Err(TrySendError::Full(3)));
    for (n, selecting) in (0..).zip(&mut selecting) {
        assert_eq!(poll(selecting), Ready(Ok(n)));
    }
}

// Default under load: `TestNonblockSelectRace` and the one after it.

/// Two threads that spin to meet in each round, so that the one looks while the other changes what it looks at.
fn default_does_not_happen(capacity: usize, then: impl Fn(&Sender<()>)) {
    const ROUNDS: usize = scaled(8_000);
    let (began, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let has_come = |place: &AtomicUsize, round| {
        let mut spins = 0;
        while place.load(SeqCst) <= round {
            spins += 1;
            match spins % 100 {
                0 => thread::yield_now(),
                _ => hint::spin_loop(),
            }
        }
    };
    // One of them has a message, or is closed, at all times.
    let channels: Vec<_> = (0..ROUNDS)
        .map(|_| [bounded(capacity), bounded(capacity)])
        .collect();
    for [(tx, _), _] in &channels {
        tx.try_send(()).unwrap();
    }
    let defaults = thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let mut defaults = 0;
            for (round, [(_, a), (_, b)]) in channels.iter().enumerate() {
                has_come(&began, round);
                select_blocking! { recv(a) -> _ => {}, recv(b) -> _ => {}, default => defaults += 1 }
                ended.store(round + 1, SeqCst);
            }
            defaults
        });
        for (round, [(_, a), (b_tx, _)]) in channels.iter().enumerate() {
            began.store(round + 1, SeqCst);
            // Not always at the same point of the look.
            (0..round % 100).for_each(|_| hint::spin_loop());
            then(b_tx);
            let _ = a.try_recv();
            has_come(&ended, round);
        }
        looking.join().unwrap()
    });
    assert_eq!(
        defaults, 0,
        "of {ROUNDS} looks at what is ready at all times"
    );
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn default_does_not_happen_while_a_message_moves_from_channel_to_channel() {
    for capacity in [1, 5] {
        no_deadlock(move || default_does_not_happen(capacity, |tx| tx.try_send(()).unwrap()));
    }
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn default_does_not_happen_while_a_channel_closes_before_another_is_emptied() {
    for capacity in [1, 5] {
        no_deadlock(move || default_does_not_happen(capacity, |tx| assert!(tx.close())));
    }
}

/// Threads that never wait: each try is a select with a default, of sends and of receives.
#[cfg(feature = "std")]
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn selects_with_a_default_deliver_each_message_once_under_load() {
    const EACH: usize = scaled(4_000);
    for capacity in [0, 1, 5] {
        // At capacity 0 two that never wait never meet.
        let patience = match capacity {
            0 => Duration::MAX,
            _ => Duration::ZERO,
        };
        no_deadlock(move || {
            let (channels, [a, b]) = {
                let channels = [bounded(capacity), bounded(capacity)];
                let receivers = channels.each_ref().map(|(_, rx)| rx.clone());
                (channels.map(|(tx, _)| tx), receivers)
            };
            thread::scope(|scope| {
                for number in 0..2 {
                    let [a, b] = channels.clone();
                    scope.spawn(move || {
                        for n in (number..2 * EACH).step_by(2) {
                            let mut is_sent = false;
                            while !is_sent {
                                is_sent = select_blocking! {
                                    send(a, n) -> sent => sent.is_ok(),
                                    default => { thread::yield_now(); false }
                                    send(b, n) -> sent => sent.is_ok(),
                                };
                            }
                        }
                    });
                }
                drop(channels);
                let receiving = [(); 2].map(|()| {
                    scope.spawn(|| {
                        let mut received = Vec::new();
                        let mut open = [true; 2];
                        while open != [false; 2] {
                            let (end, n) = select_blocking! {
                                recv(a) -> n, if open[0] => (0, n),
                                recv(b) -> n, if open[1] => (1, n),
                                default(patience) => { thread::yield_now(); continue }
                            };
                            match n {
                                Ok(n) => received.push(n),
                                Err(RecvError) => open[end] = false,
                            }
                        }
                        received
                    })
                });
                let mut received = receiving.map(|thread| thread.join().unwrap()).concat();
                received.sort_unstable();
                assert!(received.into_iter().eq(0..2 * EACH), "capacity {capacity}");
            });
        });
    }
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn select_with_a_default_never_waits_under_load() {
    const COUNT: usize = scaled(20_000);
    no_deadlock(|| {
        let (tx, rx) = bounded(1);
        let (progress, seen) = mpsc::channel();
        let sending = thread::spawn(move || {
            for n in 0..COUNT {
                tx.send_blocking(n).unwrap();
            }
        });
        let mut expected = 0;
        loop {
            let n: Poll<_> = select_blocking! {
                recv(rx) -> n => Ready(n),
                default => Pending,
            };
            match n {
                Ready(Ok(n)) => {
                    assert_eq!(n, expected);
                    expected += 1;
                }
                Ready(Err(RecvError)) => break,
                Pending => thread::yield_now(),
            }
        }
        progress.send(expected).unwrap();
        assert_eq!(seen.recv(), Ok(COUNT));
        sending.join().unwrap();
    });
}

// The same channel in selects on both its sides: `TestSelfSelect`.

/// Each of them sends its own number and receives on one channel; what it receives must be another's.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn selects_that_send_and_receive_on_one_channel_exchange_with_each_other_only() {
    const PEERS: usize = 4;
    const ROUNDS: usize = scaled(2_000);
    for as_tasks in [false, true] {
        no_deadlock(move || {
            let (tx, rx) = bounded(0);
            let (done_tx, done) = bounded::<()>(0);
            let peer = |number: usize| {
                let (tx, rx, done, done_tx) =
                    (tx.clone(), rx.clone(), done.clone(), done_tx.clone());
                async move {
                    let (mut sent, mut received) = (0, 0);
                    for _ in 0..ROUNDS {
                        select! {
                            send(tx, number) -> result => { result.unwrap(); sent += 1 }
                            recv(rx) -> other => { assert_ne!(other, Ok(number)); received += 1 }
                            recv(done) -> _ => break,
                        }
                    }
                    // Whoever is left alone would wait for ever.
                    done_tx.close();
                    (sent, received)
                }
            };
            let counts: Vec<_> = if as_tasks {
                let runtime = two_workers();
                let peers: Vec<_> = (0..PEERS)
                    .map(|number| runtime.spawn(peer(number)))
                    .collect();
                peers.into_iter().map(|it| block_on(it).unwrap()).collect()
            } else {
                let peers = (0..PEERS).map(|number| {
                    let peer = peer(number);
                    thread::spawn(move || block_on(peer))
                });
                let peers: Vec<_> = peers.collect();
                peers.into_iter().map(|it| it.join().unwrap()).collect()
            };
            let sent: usize = counts.iter().map(|(sent, _)| sent).sum();
            let received: usize = counts.iter().map(|(_, received)| received).sum();
            assert_eq!(sent, received);
            assert!(sent >= ROUNDS / 2, "at least one has done all its rounds");
            assert_nobody_waits(&rx);
        });
    }
}

/// As above, on a channel with a buffer, where a select may receive what it has sent itself.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn selects_that_send_and_receive_on_one_buffered_channel_lose_nothing() {
    const ROUNDS: usize = scaled(3_000);
    for capacity in [1, 5] {
        no_deadlock(move || {
            let (tx, rx) = bounded(capacity);
            let peers = [(); 3].map(|()| {
                let (tx, rx) = (tx.clone(), rx.clone());
                thread::spawn(move || {
                    let mut balance = 0;
                    for _ in 0..ROUNDS {
                        select_blocking! {
                            recv(rx) -> n => balance -= n.unwrap(),
                            send(tx, 1) -> sent => { sent.unwrap(); balance += 1 }
                        }
                    }
                    balance
                })
            });
            let balance: isize = peers.map(|peer| peer.join().unwrap()).iter().sum();
            assert_eq!(balance, rx.try_iter().sum(), "capacity {capacity}");
            assert_nobody_waits(&rx);
        });
    }
}

// `TestSelectStress`, and `select.go`: an arm is switched off once it has had its share.

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn selects_and_single_operations_share_four_channels() {
    const EACH: usize = scaled(2_000);
    no_deadlock(|| {
        let (txs, rxs): (Vec<_>, Vec<_>) = [0, 0, 2, 3].map(bounded::<usize>).into_iter().unzip();
        // Each channel gets `EACH` messages from a thread and as many from a task of selects.
        let senders: Vec<_> = txs
            .iter()
            .map(|tx| {
                let tx = tx.clone();
                thread::spawn(move || (0..EACH).for_each(|n| tx.send_blocking(n).unwrap()))
            })
            .collect();
        let receivers: Vec<_> = rxs
            .iter()
            .map(|rx| {
                let rx = rx.clone();
                thread::spawn(move || rx.iter_blocking().take(EACH).count())
            })
            .collect();
        let runtime = two_workers();
        let sending = runtime.spawn(async move {
            let mut left = [EACH; 4];
            while left != [0; 4] {
                let sent = select! {
                    send(txs[0], 0) -> sent, if left[0] > 0 => sent.map(|()| 0),
                    send(txs[1], 0) -> sent, if left[1] > 0 => sent.map(|()| 1),
                    send(txs[2], 0) -> sent, if left[2] > 0 => sent.map(|()| 2),
                    send(txs[3], 0) -> sent, if left[3] > 0 => sent.map(|()| 3),
                };
                left[sent.unwrap()] -= 1;
            }
        });
        let receiving = runtime.spawn(async move {
            let mut left = [EACH; 4];
            while left != [0; 4] {
                let received = select! {
                    recv(rxs[0]) -> n, if left[0] > 0 => n.map(|_| 0),
                    recv(rxs[1]) -> n, if left[1] > 0 => n.map(|_| 1),
                    recv(rxs[2]) -> n, if left[2] > 0 => n.map(|_| 2),
                    recv(rxs[3]) -> n, if left[3] > 0 => n.map(|_| 3),
                };
                left[received.unwrap()] -= 1;
            }
            rxs
        });
        block_on(sending).unwrap();
        senders.into_iter().for_each(|it| it.join().unwrap());
        let rxs = block_on(receiving).unwrap();
        for receiver in receivers {
            assert_eq!(receiver.join().unwrap(), EACH);
        }
        for rx in rxs {
            assert_eq!(rx.len(), 0);
            assert_nobody_waits(&rx);
        }
    });
}

/// `select.go`: one value goes to two channels, once to each, in whichever order they take it.
#[test]
fn tee_sends_to_each_of_two_once() {
    for first in [0, 1] {
        let channels = [bounded(0), bounded(0)];
        let mut slots = [Some(7), Some(7)];
        let mut sending = Box::pin(async {
            let [a, b] = &mut slots;
            while a.is_some() || b.is_some() {
                select! {
                    send_from(channels[0].0, a) -> sent => sent.unwrap(),
                    send_from(channels[1].0, b) -> sent => sent.unwrap(),
                }
            }
        });
        assert!(poll(&mut sending).is_pending());
        assert_eq!(channels[first].1.try_recv(), Ok(7));
        assert!(channels[first].1.try_recv().is_err(), "not twice");
        assert!(poll(&mut sending).is_pending());
        assert!(channels[first].1.try_recv().is_err(), "switched off");
        assert_eq!(channels[1 - first].1.try_recv(), Ok(7));
        assert!(poll(&mut sending).is_ready());
    }
}

// Closed arms.

/// Go's idiom: an arm whose channel has ended is switched off, and the others go on until there is none left.
#[test]
fn channels_that_end_are_switched_off_one_by_one() {
    const EACH: usize = if cfg!(miri) { 10 } else { 100 };
    let runtime = two_workers();
    let sums = runtime.block_on(async {
        let mut tasks = JoinSet::new();
        let mut rxs = [0, 1, 5].map(|capacity| {
            let (tx, rx) = bounded(capacity);
            tasks.spawn(async move {
                for n in 0..=EACH * capacity {
                    tx.send(n).await.unwrap();
                }
            });
            rx
        });
        let mut sums = [0; 3];
        let mut open = 3;
        while open > 0 {
            let (arm, n) = select! {
                recv(rxs[0]) -> n => (0, n),
                recv(rxs[1]) -> n => (1, n),
                recv(rxs[2]) -> n => (2, n),
            };
            match n {
                Ok(n) => sums[arm] += n,
                Err(RecvError) => {
                    rxs[arm] = never();
                    open -= 1;
                }
            }
        }
        while let Some(task) = tasks.join_next().await {
            task.unwrap();
        }
        sums
    });
    let sum = |last| last * (last + 1) / 2;
    assert_eq!(sums, [0, sum(EACH), sum(5 * EACH)]);
}

/// `close(done)` ends all that wait for it, whatever else they wait for.
#[test]
fn close_ends_every_select_that_waits_for_it() {
    const TASKS: usize = 100;
    let (stop, stopped) = bounded::<()>(0);
    let (_quiet, rx) = bounded::<usize>(0);
    let (tx, unread) = bounded(0);
    let counter = CountingWaker::new();
    let mut selecting: Vec<_> = (0..TASKS)
        .map(|n| {
            let (tx, rx, stopped) = (&tx, &rx, &stopped);
            Box::pin(async move {
                select! {
                    recv(rx) -> _ => unreachable!("nobody sends"),
                    send(tx, n) -> _, if n % 2 == 0 => unreachable!("nobody receives"),
                    recv(stopped) -> ended => assert_eq!(ended, Err(RecvError)),
                }
            })
        })
        .collect();
    for selecting in &mut selecting {
        assert!(poll_with(selecting, &counter.waker()).is_pending());
    }
    drop(stop);
    assert_eq!((counter.wakes(), counter.wakers()), (TASKS, 0));
    assert!(selecting.iter_mut().all(|it| poll(it).is_ready()));
    assert_nobody_waits(&rx);
    assert_nobody_waits(&unread);
}

// Programs.

/// Go's `doubleselect.go`: the same channels in two arms each, on both sides.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn double_select_delivers_every_message_once() {
    const COUNT: usize = scaled(20_000);
    for capacity in [0, 1, 5] {
        no_deadlock(move || {
            let channels: Vec<_> = (0..4).map(|_| bounded::<usize>(capacity)).collect();
            let (txs, rxs): (Vec<_>, Vec<_>) = channels.into_iter().unzip();
            let sending = thread::spawn(move || {
                for n in 0..COUNT {
                    select_blocking! {
                        send(txs[0], n) -> s => s.unwrap(),
                        send(txs[1], n) -> s => s.unwrap(),
                        send(txs[2], n) -> s => s.unwrap(),
                        send(txs[3], n) -> s => s.unwrap(),
                    }
                }
            });
            let (merged_tx, merged) = bounded(capacity);
            let merging: Vec<_> = [0, 1]
                .map(|half| {
                    let (rxs, merged_tx) = (rxs.clone(), merged_tx.clone());
                    thread::spawn(move || {
                        loop {
                            let n = select_blocking! {
                                recv(rxs[half]) -> n => n,
                                recv(rxs[half + 1]) -> n => n,
                                recv(rxs[half + 2]) -> n => n,
                            };
                            match n {
                                Ok(n) => merged_tx.send_blocking(n).unwrap(),
                                Err(RecvError) => break,
                            }
                        }
                        // The arms of closed channels are ready before the rest is received.
                        for rx in rxs {
                            rx.iter_blocking()
                                .for_each(|n| merged_tx.send_blocking(n).unwrap());
                        }
                    })
                })
                .into();
            drop(merged_tx);
            let mut seen = vec![false; COUNT];
            for n in merged.iter_blocking() {
                assert!(!mem::replace(&mut seen[n], true), "{n} came twice");
            }
            assert_eq!(seen.iter().position(|seen| !seen), None, "lost");
            sending.join().unwrap();
            merging
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
        });
    }
}

/// The prime sieve, with a select in every filter.
#[test]
fn sieve_finds_primes() {
    const PRIMES: usize = if cfg!(miri) { 5 } else { 30 };
    async fn filter(from: Receiver<u32>, to: Sender<u32>, prime: u32, stop: Receiver<()>) {
        loop {
            let n = select! { recv(from) -> n => n, recv(stop) -> _ => return };
            let Ok(n) = n else { return };
            if n % prime != 0 {
                select! {
                    send(to, n) -> sent => if sent.is_err() { return },
                    recv(stop) -> _ => return,
                }
            }
        }
    }

    let primes = two_workers().block_on(async {
        let (stop, stopped) = bounded::<()>(0);
        let (tx, mut rx) = bounded(0);
        tokio::spawn(async move {
            let mut n = 2;
            while tx.send(n).await.is_ok() {
                n += 1;
            }
        });
        let mut primes = Vec::new();
        for _ in 0..PRIMES {
            let prime = rx.recv().await.unwrap();
            primes.push(prime);
            let (tx, next) = bounded(0);
            tokio::spawn(filter(
                mem::replace(&mut rx, next),
                tx,
                prime,
                stopped.clone(),
            ));
        }
        drop(stop);
        primes
    });
    assert_eq!((primes[0], primes[4]), (2, 11));
    assert_eq!(primes[PRIMES - 1], if cfg!(miri) { 11 } else { 113 });
}

/// A ring of tasks that pass a token, each in a select with a stop.
#[test]
fn token_goes_round_the_ring() {
    const TASKS: usize = if cfg!(miri) { 10 } else { 50 };
    const ROUNDS: usize = if cfg!(miri) { 5 } else { 100 };
    block_on(async {
        let (txs, rxs): (Vec<_>, Vec<_>) = (0..TASKS).map(|_| bounded::<usize>(0)).unzip();
        let tasks = (0..TASKS).map(|n| {
            let (rx, tx) = (&rxs[n], &txs[(n + 1) % TASKS]);
            async move {
                let mut passed = if n == 0 { Some(1) } else { None };
                loop {
                    select! {
                        recv(rx) -> token => match token {
                            Ok(token) if token < TASKS * ROUNDS => passed = Some(token + 1),
                            _ => { tx.close(); return }
                        },
                        send_from(tx, &mut passed) -> sent => if sent.is_err() { return },
                    }
                }
            }
        });
        join_all(tasks).await;
    });
}

/// The same ring of tasks and threads in turn. A second token goes round it the other way, so that at every place it may
/// meet the first.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn tokens_go_round_a_ring_of_tasks_and_threads_in_both_directions() {
    const PLACES: usize = 6;
    const PASSES: usize = scaled(3_000);

    struct Place {
        left: Channel,
        right: Channel,
    }
    #[derive(Clone)]
    struct Channel {
        tx: Sender<usize>,
        rx: Receiver<usize>,
    }

    /// Waits for a token from either side, and passes it on to the other side, until it is told that all is over.
    async fn pass_on(place: Place, over: Receiver<()>, has_ended: Sender<usize>) {
        let Place { left, right } = place;
        let (mut to_left, mut to_right) = (Vec::new(), Vec::new());
        loop {
            let (mut leftwards, mut rightwards) = (to_left.pop(), to_right.pop());
            select! {
                recv(left.rx) -> token => match token {
                    Ok(passes) => to_right.push(passes + 1),
                    Err(RecvError) => break,
                },
                recv(right.rx) -> token => match token {
                    Ok(passes) => to_left.push(passes + 1),
                    Err(RecvError) => break,
                },
                send_from(left.tx, &mut leftwards) -> sent => if sent.is_err() { break },
                send_from(right.tx, &mut rightwards) -> sent => if sent.is_err() { break },
                // Those that have left already have closed what stands above.
                recv(over) -> _ => break,
            }
            to_left.extend(leftwards);
            to_right.extend(rightwards);
            let passes = to_left.iter().chain(&to_right).max();
            if let Some(&passes) = passes.filter(|&&passes| passes >= PASSES) {
                let _ = has_ended.try_send(passes);
            }
        }
    }

    no_deadlock(|| {
        // Two channels between each two places, one for each direction.
        let (mut clockwise, mut counter): (Vec<_>, Vec<_>) = (0..PLACES)
            .map(|_| {
                [bounded(0), bounded(0)]
                    .map(|(tx, rx)| Channel { tx, rx })
                    .into()
            })
            .unzip();
        let (stop, over) = bounded(0);
        let (has_ended_tx, has_ended) = bounded(1);
        let starts = (clockwise[0].tx.clone(), counter[0].tx.clone());
        let runtime = two_workers();
        let places: Vec<_> = (0..PLACES)
            .map(|n| {
                let next = (n + 1) % PLACES;
                Place {
                    left: Channel {
                        tx: counter[n].tx.clone(),
                        rx: clockwise[n].rx.clone(),
                    },
                    right: Channel {
                        tx: clockwise[next].tx.clone(),
                        rx: counter[next].rx.clone(),
                    },
                }
            })
            .collect();
        clockwise.clear();
        counter.clear();
        let mut threads = Vec::new();
        let mut tasks = Vec::new();
        for (n, place) in places.into_iter().enumerate() {
            let passing = pass_on(place, over.clone(), has_ended_tx.clone());
            match n % 2 {
                0 => tasks.push(runtime.spawn(passing)),
                _ => threads.push(thread::spawn(move || block_on(passing))),
            }
        }
        starts.0.send_blocking(0).unwrap();
        starts.1.send_blocking(0).unwrap();
        assert!(has_ended.recv_blocking().unwrap() >= PASSES);
        drop(stop);
        threads.into_iter().for_each(|it| it.join().unwrap());
        tasks.into_iter().for_each(|it| block_on(it).unwrap());
    });
}

/// High before low, by `biased`.
#[test]
fn high_comes_before_low() {
    let (high_tx, high) = unbounded();
    let (low_tx, low) = unbounded();
    for n in 0..100 {
        high_tx.try_send(n).unwrap();
        low_tx.try_send(1000 + n).unwrap();
    }
    drop((high_tx, low_tx));
    let mut received = Vec::new();
    let mut open = 2;
    while open > 0 {
        let n = select_blocking! {
            biased;
            recv(high) -> n, if open == 2 => n,
            recv(low) -> n => n,
        };
        match n {
            Ok(n) => received.push(n),
            Err(RecvError) => open -= 1,
        }
    }
    assert!(received.into_iter().eq((0..100).chain(1000..1100)));
}

/// High before low in Go's way, which has no `biased`: a select of the one with a default, and in that a select of both.
#[test]
fn high_comes_before_low_by_a_select_in_a_default() {
    async fn next(high: &Receiver<u32>, low: &Receiver<u32>) -> u32 {
        select! {
            recv(high) -> n => n.unwrap(),
            default => select! { recv(high) -> n => n.unwrap(), recv(low) -> n => n.unwrap() },
        }
    }

    let (high_tx, high) = unbounded();
    let (low_tx, low) = unbounded();
    for n in 0..100 {
        low_tx.try_send(1_000 + n).unwrap();
        high_tx.try_send(n).unwrap();
    }
    for n in 0..100 {
        assert_eq!(next(&high, &low).now_or_never(), Some(n));
    }
    for n in 0..50 {
        assert_eq!(next(&high, &low).now_or_never(), Some(1_000 + n));
    }
    high_tx.try_send(7).unwrap();
    assert_eq!(next(&high, &low).now_or_never(), Some(7));
    assert_eq!(low.try_iter().count(), 50);

    // Where both are empty it takes what comes, and after it the high one again.
    let mut waiting = Box::pin(next(&high, &low));
    assert!(poll(&mut waiting).is_pending());
    low_tx.try_send(2_000).unwrap();
    low_tx.try_send(2_001).unwrap();
    high_tx.try_send(8).unwrap();
    assert_eq!(poll(&mut waiting), Ready(2_000));
    assert_eq!(next(&high, &low).now_or_never(), Some(8));
    assert_eq!(next(&high, &low).now_or_never(), Some(2_001));
}

/// `TestPseudoRandomSend`: a select that sends 0 or 1 on one channel sends either.
#[test]
fn select_of_two_sends_on_one_channel_sends_either() {
    const MANY: usize = if cfg!(miri) { 20 } else { 200 };
    seed_select(5);
    for capacity in [0, 1, 5] {
        let (tx, rx) = bounded(capacity);
        let received: Vec<_> = (0..MANY)
            .map(|_| {
                let mut receive = Box::pin(rx.recv());
                assert!(poll(&mut receive).is_pending());
                let sending = async {
                    select! { send(tx, 0) -> s => s, send(tx, 1) -> s => s }
                };
                assert_eq!(sending.now_or_never(), Some(Ok(())));
                receive.now_or_never().unwrap().unwrap()
            })
            .collect();
        for n in [0, 1] {
            let count = received.iter().filter(|&&m| m == n).count();
            assert!(count > MANY / 10, "{n} is sent {count} times of {MANY}");
        }
    }
}
