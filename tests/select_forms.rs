//! The forms of select: how its macros are written, in tasks and in threads, `Select`, `recv_any`, and the macros of others.

// Some of it is for the tests of threads alone.
#![cfg_attr(not(feature = "std"), allow(dead_code, unused_imports))]

mod support;

use std::{
    future::{pending, ready},
    mem,
    pin::{Pin, pin},
    rc::Rc,
    sync::{Mutex, atomic::AtomicPtr},
    task::Poll::{Pending, Ready},
    thread,
    time::{Duration, Instant},
};

use futures::{FutureExt, future::FusedFuture};
#[cfg(feature = "std")]
use hchan::select_blocking;
use hchan::{
    Receiver, RecvError, RecvFuture, Select, SendError, Sender, TryRecvError, bounded, never,
    recv_any, seed_select, select, unbounded,
};
#[cfg(not(feature = "std"))]
use support::blocking::*;
use support::{
    CountingWaker, Drops, no_deadlock, panic_of, poll, poll_with, scaled, two_workers, until,
};

const SHORT: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(600);

fn now<F: Future>(future: F) -> F::Output {
    match poll(&mut pin!(future)) {
        Ready(output) => output,
        Pending => panic!("it has to wait"),
    }
}

fn one<T>(message: T) -> (Sender<T>, Receiver<T>) {
    let (tx, rx) = bounded(1);
    assert!(tx.try_send(message).is_ok());
    (tx, rx)
}

/// Forgets a pinned future, and keeps it reachable, so that a leak check has nothing to say.
fn forget<F>(future: Pin<Box<F>>) {
    static FORGOTTEN: Mutex<Vec<AtomicPtr<()>>> = Mutex::new(Vec::new());

    let address: *const F = &*future;
    let address = AtomicPtr::new(address.cast_mut().cast());
    FORGOTTEN.lock().unwrap().push(address);
    mem::forget(future);
}

// How the macro is written.

struct Both {
    rx: Receiver<u8>,
    rxs: [Receiver<u8>; 2],
}

#[test]
fn handles_may_be_any_expressions() {
    let (tx, rx) = unbounded();
    let both = Both {
        rx: rx.clone(),
        rxs: [rx.clone(), rx.clone()],
    };
    let by_reference = &rx;
    let boxed = Box::new(rx.clone());
    let make = || rx.clone();
    (0..7).for_each(|n| tx.try_send(n).unwrap());
    now(async {
        select! { recv(rx) -> n => assert_eq!(n, Ok(0)) }
        select! { recv(&rx) -> n => assert_eq!(n, Ok(1)) }
        select! { recv(by_reference) -> n => assert_eq!(n, Ok(2)) }
        select! { recv(both.rx) -> n => assert_eq!(n, Ok(3)) }
        select! { recv(both.rxs[1]) -> n => assert_eq!(n, Ok(4)) }
        select! { recv(boxed) -> n => assert_eq!(n, Ok(5)) }
        // A temporary, which lives as long as it is needed.
        select! { recv(make()) -> n => assert_eq!(n, Ok(6)) }
        select! { send(tx.clone(), 7) -> s => assert_eq!(s, Ok(())) }
        select! { recv({ assert!(!rx.is_closed()); rx.clone() }) -> n => assert_eq!(n, Ok(7)) }
    });
    // All of them were borrowed only.
    drop((rx, both, boxed));
}

#[test]
fn bodies_and_patterns_have_many_forms() {
    #[derive(Debug)]
    struct Wrapped(u8);

    let (tx, rx) = unbounded();
    for n in 0..7 {
        tx.try_send(n).unwrap();
    }
    let n = now(async {
        let block_without_comma = select! {
            recv(rx) -> n => { n.unwrap() }
            default => { 100 }
        };
        let block_with_comma = select! {
            recv(rx) -> n => { n.unwrap() },
            default => { 100 },
        };
        let expressions = select! {
            recv(rx) -> n => n.unwrap(),
            default => 100
        };
        let last_without_comma = select! {
            default => 100,
            recv(rx) -> n => n.unwrap()
        };
        let mutable = select! {
            recv(rx) -> mut n => {
                n = n.map(|n| n + 10);
                n.unwrap()
            }
        };
        let nested = select! {
            recv(rx) -> first => select! { recv(rx) -> second => first.unwrap() + second.unwrap() }
        };
        [
            block_without_comma,
            block_with_comma,
            expressions,
            last_without_comma,
            mutable,
            nested,
        ]
    });
    assert_eq!(n, [0, 1, 2, 3, 14, 11]);
    let (tx, rx) = one(Wrapped(1));
    let Wrapped(n) = now(async {
        select! { recv(rx) -> message => message.unwrap() }
    });
    assert_eq!(n, 1);
    let tuple = now(async {
        select! { future(ready((1, 2))) -> (a, _) => a }
    });
    assert_eq!(tuple, 1);
    drop(tx);
}

#[test]
fn borrows_have_ended_when_a_body_runs() {
    let (mut tx, mut rx) = one(1);
    let mut slot = Some(2);
    let mut future = Box::pin(ready(3));
    for _ in 0..3 {
        now(async {
            select! {
                recv(rx) -> n => {
                    assert_eq!(n, Ok(1));
                    // Handles, the slot and the future may be changed, moved and dropped here.
                    (tx, rx) = bounded(1);
                    slot = slot.take().map(|n| n + 1);
                }
                send_from(tx, &mut slot) -> sent, if tx.is_empty() => {
                    sent.unwrap();
                    assert_eq!(slot, None);
                    assert_eq!(mem::replace(&mut rx, never()).try_recv(), Ok(3));
                }
                future(&mut future) -> n, if tx.is_closed() => {
                    assert_eq!(n, 3);
                    future = Box::pin(ready(4));
                }
            }
        });
    }
    assert_eq!(now(future), 4);
}

#[test]
fn bodies_return_break_continue_ask_and_await() {
    async fn returns(rx: &Receiver<u8>) -> u8 {
        for _ in 0..2 {
            select! { recv(rx) -> n => if n != Ok(0) { return n.unwrap() } }
        }
        unreachable!("it has returned")
    }

    async fn asks(rx: &Receiver<u8>) -> Result<u8, RecvError> {
        let n = select! { recv(rx) -> n => n? };
        Ok(n + 1)
    }

    let (tx, rx) = unbounded();
    (0..=6).for_each(|n| tx.try_send(n).unwrap());
    now(async {
        assert_eq!(returns(&rx).await, 1);
        let odd = 'outer: loop {
            for _ in 0..2 {
                select! {
                    recv(rx) -> n => match n.unwrap() {
                        2 => continue,
                        n => break 'outer n,
                    }
                }
            }
        };
        assert_eq!(odd, 3);
        select! {
            recv(rx) -> n => {
                assert_eq!(n, Ok(4));
                assert_eq!(rx.recv().await, Ok(5));
            }
        }
        rx.close();
        assert_eq!(asks(&rx).await, Ok(7));
        assert_eq!(asks(&rx).await, Err(RecvError));
    });
}

#[test]
fn select_may_have_many_arms() {
    let (tx, rx) = unbounded();
    tx.try_send(1).unwrap();
    let nothing = never::<u8>();
    let n = now(async {
        select! {
            recv(nothing) -> n => n, recv(nothing) -> n => n, recv(nothing) -> n => n, recv(nothing) -> n => n,
            recv(nothing) -> n => n, recv(nothing) -> n => n, recv(nothing) -> n => n, recv(nothing) -> n => n,
            recv(nothing) -> n => n, recv(nothing) -> n => n, recv(nothing) -> n => n, recv(nothing) -> n => n,
            recv(nothing) -> n => n, recv(nothing) -> n => n, recv(nothing) -> n => n, recv(nothing) -> n => n,
            recv(nothing) -> n => n, recv(nothing) -> n => n, recv(nothing) -> n => n, recv(nothing) -> n => n,
            recv(nothing) -> n => n, recv(nothing) -> n => n, recv(nothing) -> n => n, recv(nothing) -> n => n,
            recv(nothing) -> n => n, recv(nothing) -> n => n, recv(nothing) -> n => n, recv(nothing) -> n => n,
            recv(nothing) -> n => n, recv(nothing) -> n => n, recv(nothing) -> n => n, recv(rx) -> n => n,
        }
    });
    assert_eq!(n, Ok(1));
}

#[test]
fn select_can_be_spawned_and_takes_messages_that_cannot() {
    fn assert_send<F: Future + Send>(future: F) -> F {
        future
    }

    let (tx, rx) = one(1);
    let spawned = assert_send(async move {
        select! {
            recv(rx) -> n => n.unwrap(),
            send(tx, 2) -> _ => 2,
            future(pending::<u8>()) -> n => n,
        }
    });
    assert_eq!(now(spawned), 1);
    fn any(rxs: &[Receiver<u8>]) -> impl Future + Send {
        recv_any(rxs)
    }
    drop(any(&[]));
    drop(assert_send(Select::new()));

    let (_tx, rx) = one(Rc::new(1));
    assert_eq!(
        now(async {
            select! { recv(rx) -> n => *n.unwrap() }
        }),
        1
    );
}

// In tasks of an executor.

#[test]
fn tasks_of_tokio_meet_in_selects() {
    let runtime = two_workers();
    for capacity in [0, 1, 5] {
        runtime.block_on(async move {
            let (tx, rx) = bounded(capacity);
            let (stop, stopped) = bounded::<()>(0);
            let sending: Vec<_> = (0..4)
                .map(|_| {
                    let (tx, stopped) = (tx.clone(), stopped.clone());
                    tokio::spawn(async move {
                        let mut sent = 0;
                        loop {
                            let mut slot = Some(1);
                            select! {
                                send_from(tx, &mut slot) -> result => {
                                    result.unwrap();
                                    sent += 1;
                                }
                                recv(stopped) -> _ => break sent,
                                future(tokio::time::sleep(LONG)) -> () => panic!("too late"),
                            }
                        }
                    })
                })
                .collect();
            let receiving: Vec<_> = (0..4)
                .map(|_| {
                    let rx = rx.clone();
                    tokio::spawn(async move {
                        let mut received = 0;
                        loop {
                            select! {
                                recv(rx) -> n => match n {
                                    Ok(n) => received += n,
                                    Err(RecvError) => break received,
                                },
                                future(tokio::task::yield_now()) -> () => {}
                            }
                        }
                    })
                })
                .collect();
            tokio::time::sleep(Duration::from_millis(30)).await;
            drop(stop);
            let mut sent = 0;
            for task in sending {
                sent += task.await.unwrap();
            }
            drop(tx);
            let mut received = 0;
            for task in receiving {
                received += task.await.unwrap();
            }
            assert_eq!((sent, rx.len()), (received, 0), "capacity {capacity}");
            assert!(received > 0);
        });
    }
}

// In the macros of others.

#[test]
fn send_from_serves_the_macros_of_others() {
    futures::executor::block_on(async {
        let (tx, rx) = bounded(0);
        let mut slot = Some(1);
        futures::select_biased! {
            sent = tx.send_from(&mut slot) => unreachable!("{sent:?}"),
            () = ready(()).fuse() => {}
        }
        assert_eq!(slot, Some(1));
        {
            let mut receive = Box::pin(rx.recv());
            assert!(poll(&mut receive).is_pending());
            futures::select! { sent = tx.send_from(&mut slot) => assert_eq!(sent, Ok(())) }
            assert_eq!(poll(&mut receive), Ready(Ok(1)));
        }
        assert_eq!(slot, None);
        // It has nothing to send, and is skipped.
        futures::select! {
            sent = tx.send_from(&mut slot) => unreachable!("{sent:?}"),
            complete => {}
        }
        tokio::select! {
            biased;
            sent = tx.send_from(&mut slot), if slot_is_some(&slot) => unreachable!("{sent:?}"),
            () = ready(()) => {}
        }
    });
    fn slot_is_some(_: &Option<i32>) -> bool {
        false
    }
}

// `send_from` by itself.

#[test]
fn send_from_leaves_its_message_or_sends_it() {
    for capacity in [0, 1, 5] {
        let (tx, rx) = bounded(capacity);
        (0..capacity).for_each(|n| tx.try_send(n).unwrap());
        let mut slot = Some(7);
        let mut send = Box::pin(tx.send_from(&mut slot));
        assert!(poll(&mut send).is_pending());
        assert!(!send.is_terminated());
        drop(send);
        assert_eq!((slot, rx.waiting_senders()), (Some(7), 0));

        let mut send = Box::pin(tx.send_from(&mut slot));
        assert!(poll(&mut send).is_pending());
        assert!(rx.try_recv().is_ok());
        drop(send);
        assert_eq!(
            (slot, rx.try_iter().last()),
            (None, (capacity > 0).then_some(7))
        );

        #[cfg(feature = "std")]
        {
            slot = Some(8);
            assert_eq!(
                tx.send_from(&mut slot).wait_timeout(SHORT).is_ok(),
                capacity > 0
            );
            assert_eq!(slot.is_none(), capacity > 0);
        }
        drop(rx);
        slot = Some(9);
        assert_eq!(tx.send_from(&mut slot).wait(), Err(SendError(())));
        assert_eq!(slot, Some(9));
    }
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn send_from_of_nothing_is_terminated_and_panics_when_polled() {
    let (tx, _rx) = bounded::<u8>(1);
    let mut nothing = None;
    let mut send = Box::pin(tx.send_from(&mut nothing));
    assert!(send.is_terminated());
    assert!(!panic_of(|| poll(&mut send)).is_empty());
    drop(send);
    assert!(!panic_of(|| tx.send_from(&mut nothing).wait()).is_empty());
}

#[test]
fn send_from_is_terminated_once_it_has_returned() {
    let (tx, rx) = bounded(1);
    let mut slot = Some(1);
    let mut send = Box::pin(tx.send_from(&mut slot));
    assert!(!send.is_terminated());
    assert!(poll(&mut send).is_ready());
    assert!(send.is_terminated());
    drop((rx, send));
    slot = Some(2);
    let mut send = Box::pin(tx.send_from(&mut slot));
    assert_eq!(poll(&mut send), Ready(Err(SendError(()))));
    assert!(send.is_terminated(), "though the message is back");
    drop(send);
    assert_eq!(slot, Some(2));
}

#[test]
fn forgotten_send_from_ends_its_borrow() {
    let drops = Drops::new();
    let (tx, rx) = bounded(0);
    let mut slot = Some(drops.message(1));
    let mut send = Box::pin(tx.send_from(&mut slot));
    assert!(poll(&mut send).is_pending());
    forget(send);
    assert_eq!(slot, None);
    slot = Some(drops.message(2));
    assert_eq!(rx.try_recv().map(|message| message.id), Ok(1));
    assert_eq!(slot.map(|message| message.id), Some(2));
}

// In threads.

#[cfg(feature = "std")]
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn threads_select_and_wait() {
    const COUNT: usize = scaled(1_000);
    no_deadlock(|| {
        for capacity in [0, 1, 5] {
            let (tx, rx) = bounded(capacity);
            let (done_tx, done) = bounded::<()>(0);
            let receiving = thread::spawn(move || {
                let mut sum = 0;
                loop {
                    select_blocking! {
                        recv(rx) -> n => sum += n.unwrap(),
                        recv(done) -> _ => break,
                    }
                }
                sum + rx.try_iter().sum::<usize>()
            });
            for n in 0..COUNT {
                select_blocking! {
                    send(tx, n) -> sent => sent.unwrap(),
                    default(Duration::MAX) => unreachable!("for ever"),
                }
            }
            drop(done_tx);
            assert_eq!(receiving.join().unwrap(), (0..COUNT).sum());
        }
    });
}

#[cfg(feature = "std")]
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn thread_waits_for_a_time() {
    let (tx, rx) = bounded(0);
    let before = Instant::now();
    let mut slot = Some(1);
    let timed_out = select_blocking! {
        recv(rx) -> _ => false,
        recv(never::<u8>()) -> _ => false,
        default(SHORT) => true,
    };
    assert!(timed_out && before.elapsed() >= SHORT);
    select_blocking! {
        send_from(tx, &mut slot) -> _ => unreachable!("nobody receives"),
        default(SHORT) => assert_eq!(slot, Some(1)),
    }
    assert_eq!((rx.waiting_senders(), rx.waiting_receivers()), (0, 0));
    select_blocking! {
        send_from(tx, &mut slot) -> _ => unreachable!("nobody receives"),
        default => assert_eq!(slot, Some(1)),
    }

    let receiving = thread::spawn(move || {
        select_blocking! {
            biased;
            default(LONG) => panic!("too late"),
            recv(rx) -> n => n,
        }
    });
    until(|| tx.waiting_receivers() == 1);
    tx.try_send(5).unwrap();
    assert_eq!(receiving.join().unwrap(), Ok(5));
}

// `Select`.

/// The result of the future that happened.
fn result<F: Future>(future: Pin<&mut F>) -> F::Output {
    future.now_or_never().expect("it happened")
}

#[test]
fn select_names_the_arm_that_happened() {
    let (numbers_tx, numbers) = bounded(0);
    let (words_tx, words) = bounded(0);
    let (flags_tx, flags) = bounded::<bool>(0);
    let mut slot = Some(false);
    let mut number = Box::pin(numbers.recv());
    let mut word = Box::pin(words.recv());
    let mut flag = Box::pin(flags_tx.send_from(&mut slot));
    for happens in 0..3 {
        let mut select = Select::new();
        let arms = [
            select.arm(number.as_mut()),
            select.arm(word.as_mut()),
            select.arm(flag.as_mut()),
        ];
        assert_eq!(arms, [0, 1, 2]);
        let mut select = Box::pin(select);
        assert!(poll(&mut select).is_pending());
        match happens {
            0 => numbers_tx.try_send(1).unwrap(),
            1 => words_tx.try_send("one").unwrap(),
            _ => assert_eq!(flags.try_recv(), Ok(false)),
        }
        assert_eq!(poll(&mut select), Ready(happens));
        assert!(select.is_terminated());
        drop(select);
        match happens {
            0 => assert_eq!(result(number.as_mut()), Ok(1)),
            1 => assert_eq!(result(word.as_mut()), Ok("one")),
            _ => assert_eq!(result(flag.as_mut()), Ok(())),
        }
        number.set(numbers.recv());
        word.set(words.recv());
    }
    drop(flag);
    assert_eq!(slot, None);
}

#[test]
fn select_of_many_arms_finds_the_one_that_is_ready() {
    const ARMS: usize = 20;
    let channels: Vec<_> = (0..ARMS).map(|n| bounded(n % 6)).collect();
    for ready in 0..ARMS {
        for parked in [false, true] {
            let mut receives: Vec<_> = channels.iter().map(|(_, rx)| Box::pin(rx.recv())).collect();
            let mut select = Select::new();
            for (n, receive) in receives.iter_mut().enumerate() {
                assert_eq!(select.arm(receive.as_mut()), n);
            }
            let mut select = Box::pin(select);
            let tx = &channels[ready].0;
            if parked || ready % 6 == 0 {
                assert!(poll(&mut select).is_pending());
            }
            tx.try_send(ready).unwrap();
            assert_eq!(poll(&mut select), Ready(ready));
            drop(select);
            for (n, receive) in receives.iter_mut().enumerate() {
                assert_eq!(poll(receive).is_ready(), n == ready);
            }
        }
    }
    for (_, rx) in &channels {
        assert_eq!((rx.waiting_receivers(), rx.len()), (0, 0));
    }
}

#[test]
fn select_skips_arms_that_can_never_happen() {
    let (tx, rx) = one(1);
    let nothing = never::<u8>();
    let mut never = pin!(nothing.recv());
    let mut over = pin!(rx.recv());
    assert!(poll(&mut over).is_ready());
    let mut empty = None;
    let mut unsent = pin!(tx.send_from(&mut empty));
    let mut alive = pin!(rx.recv());
    let mut select = Select::new();
    select.arm(never.as_mut());
    select.arm(over.as_mut());
    select.arm(unsent.as_mut());
    let alive = select.arm(alive.as_mut());
    let mut select = Box::pin(select);
    assert!(poll(&mut select).is_pending());
    tx.try_send(2).unwrap();
    assert_eq!(poll(&mut select), Ready(alive));
}

#[test]
fn select_without_arms_waits_for_ever() {
    assert_eq!(Select::new().try_now(), None);
    let mut select = Box::pin(Select::new());
    assert!(poll(&mut select).is_pending());
    assert!(!select.is_terminated());
    assert!(poll(&mut pin!(recv_any::<u8>(&[]))).is_pending());
    #[cfg(feature = "std")]
    {
        assert_eq!(Select::new().wait_timeout(SHORT), None);
        assert_eq!(recv_any::<u8>(&[]).wait_timeout(SHORT), None);
    }
    let nothing = never::<u8>();
    let mut selecting = Box::pin(async {
        select! { recv(nothing) -> _ => {} }
    });
    assert!(poll(&mut selecting).is_pending());
}

#[test]
fn select_takes_futures_that_were_polled_before() {
    let (tx, rx) = bounded(0);
    let counter = CountingWaker::new();
    let mut parked = Box::pin(rx.recv());
    assert!(poll_with(&mut parked, &counter.waker()).is_pending());
    let mut select = Select::new();
    select.arm(parked.as_mut());
    assert_eq!((rx.waiting_receivers(), counter.wakers()), (0, 0));
    assert_eq!(select.try_now(), None);

    // Completed by a peer: that is ready.
    assert!(poll(&mut parked).is_pending());
    tx.try_send(1).unwrap();
    let mut select = Select::new();
    select.arm(parked.as_mut());
    assert_eq!(select.wait(), 0);
    assert_eq!(result(parked.as_mut()), Ok(1));
}

#[test]
fn dropped_select_leaves_what_happened_in_its_future() {
    let (tx, rx) = bounded(0);
    let mut receive = Box::pin(rx.recv());
    let mut select = Select::new();
    select.arm(receive.as_mut());
    let mut select = Box::pin(select);
    assert!(poll(&mut select).is_pending());
    tx.try_send(1).unwrap();
    drop(select);
    assert_eq!(result(receive.as_mut()), Ok(1));

    let mut receive = Box::pin(rx.recv());
    let mut select = Select::new();
    select.arm(receive.as_mut());
    let mut select = Box::pin(select);
    assert!(poll(&mut select).is_pending());
    tx.try_send(2).unwrap();
    drop(select);
    drop(receive);
    assert_eq!(rx.try_recv(), Ok(2), "given back");
}

#[test]
fn futures_of_a_forgotten_select_go_on_by_themselves() {
    for capacity in [0, 5] {
        let (tx, rx) = bounded(capacity);
        (0..capacity).for_each(|n| tx.try_send(n).unwrap());
        let (_other_tx, other_rx) = bounded::<usize>(0);
        let (mut send, mut receive) = (Box::pin(tx.send(9)), Box::pin(other_rx.recv()));
        let mut both = Box::pin(rx.recv());
        let mut select = Select::new();
        select.arm(send.as_mut());
        select.arm(receive.as_mut());
        if capacity == 0 {
            select.arm(both.as_mut());
        }
        let mut select = Box::pin(select);
        assert!(poll(&mut select).is_pending());
        forget(select);
        if capacity == 0 {
            // The two arms on one channel meet now that they are no select's.
            assert_eq!(poll(&mut both), Ready(Ok(9)));
            assert_eq!(poll(&mut send), Ready(Ok(())));
        } else {
            assert!(poll(&mut send).is_pending());
            assert_eq!(rx.try_recv(), Ok(0));
            assert_eq!(poll(&mut send), Ready(Ok(())));
        }
        assert!(poll(&mut receive).is_pending());
        drop(receive);
        assert_eq!(other_rx.waiting_receivers(), 0);
    }
}

#[test]
fn biased_select_prefers_the_first_and_others_are_fair() {
    const ROUNDS: usize = scaled(30_000);
    let (tx, rx) = unbounded();
    let mut counts = [[0; 3]; 2];
    seed_select(3);
    for (biased, counts) in [false, true].into_iter().zip(&mut counts) {
        for _ in 0..ROUNDS {
            tx.try_send(()).unwrap();
            let mut receives = [(); 3].map(|()| Box::pin(rx.recv()));
            let mut select = Select::new();
            if biased {
                select = select.biased();
            }
            for receive in &mut receives {
                select.arm(receive.as_mut());
            }
            counts[now(select)] += 1;
        }
    }
    let most_off = if cfg!(miri) { ROUNDS / 3 } else { 500 };
    assert_eq!(counts[1], [ROUNDS, 0, 0]);
    assert!(
        counts[0]
            .iter()
            .all(|count| count.abs_diff(ROUNDS / 3) < most_off),
        "{counts:?}"
    );
}

#[cfg(feature = "std")]
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn select_is_waited_for_in_a_thread() {
    no_deadlock(|| {
        let (tx, rx) = bounded(0);
        let mut receive = pin!(rx.recv());
        let select = |receive: &mut Pin<&mut RecvFuture<'_, _>>,
                      wait: fn(Select<'_>) -> Option<usize>| {
            let mut select = Select::new();
            select.arm(receive.as_mut());
            wait(select)
        };
        assert_eq!(select(&mut receive, |s| s.wait_timeout(SHORT)), None);
        assert_eq!(
            select(&mut receive, |s| s.wait_deadline(Instant::now() + SHORT)),
            None
        );
        assert_eq!(
            select(&mut receive, |s| s.wait_deadline(Instant::now())),
            None
        );
        assert_eq!(select(&mut receive, |s| s.try_now()), None);
        assert_eq!(rx.waiting_receivers(), 0);
        let sending = thread::spawn(move || tx.send_blocking(1));
        assert_eq!(
            select(&mut receive, |s| s.wait_timeout(Duration::MAX)),
            Some(0)
        );
        assert_eq!(result(receive), Ok(1));
        sending.join().unwrap().unwrap();
    });
}

// `until`.

#[test]
fn stop_that_is_complete_wins_before_anything_is_done() {
    let (tx, rx) = one(1);
    let mut receive = pin!(rx.recv());
    let mut select = Select::new();
    select.arm(receive.as_mut());
    assert_eq!(now(select.until(ready(()))), None);
    assert_eq!((rx.len(), tx.waiting_receivers()), (1, 0));
}

#[test]
fn parked_select_wins_a_tie_with_stop_and_is_never_undone() {
    let (tx, rx) = bounded(0);
    let (stop, stopped) = bounded(1);
    let mut receive = pin!(rx.recv());
    let mut select = Select::new();
    select.arm(receive.as_mut());
    let mut waiting = Box::pin(select.until(stopped.recv()));
    assert!(poll(&mut waiting).is_pending());
    stop.try_send(()).unwrap();
    tx.try_send(1).unwrap();
    assert_eq!(poll(&mut waiting), Ready(Some(0)));
    assert!(waiting.is_terminated());
    drop(waiting);
    assert_eq!(result(receive), Ok(1));
}

#[test]
fn what_happens_while_stop_is_polled_counts() {
    let (tx, rx) = bounded(0);
    let mut polls = 0;
    let stop = std::future::poll_fn(|_| {
        polls += 1;
        if polls == 1 {
            return Pending;
        }
        tx.try_send(1).unwrap();
        Ready(())
    });
    let receivers = [rx];
    let mut waiting = Box::pin(recv_any(&receivers).until(stop));
    assert!(poll(&mut waiting).is_pending());
    assert_eq!(poll(&mut waiting), Ready(Some((0, Ok(1)))));
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn stopped_select_unlinks_its_arms() {
    let (tx, rx) = bounded::<u8>(0);
    let (stop, stopped) = bounded::<()>(0);
    let counter = CountingWaker::new();
    let receivers = [rx];
    let mut waiting = Box::pin(recv_any(&receivers).until(stopped.recv()));
    assert!(poll_with(&mut waiting, &counter.waker()).is_pending());
    drop(stop);
    assert_eq!(counter.wakes(), 1);
    assert_eq!(poll(&mut waiting), Ready(None));
    assert_eq!(tx.waiting_receivers(), 0);
    assert!(panic_of(|| poll(&mut waiting)).contains("polled again"));
}

// `recv_any`.

#[test]
fn recv_any_receives_from_each_of_many() {
    for count in [1, 8, 9, 20] {
        let (txs, rxs): (Vec<_>, Vec<_>) = (0..count).map(|n| bounded(n % 6)).unzip();
        for (n, tx) in txs.iter().enumerate() {
            let mut receive = Box::pin(recv_any(&rxs));
            assert!(poll(&mut receive).is_pending());
            assert_eq!(tx.waiting_receivers(), 1);
            tx.try_send(n).unwrap();
            assert_eq!(poll(&mut receive), Ready((n, Ok(n))));
            assert!(receive.is_terminated());
        }
        assert!(rxs.iter().all(|rx| rx.waiting_receivers() == 0));
        drop(txs);
        assert!(matches!(now(recv_any(&rxs)), (_, Err(RecvError))));
    }
    let mut none = Box::pin(recv_any::<u8>(&[]));
    assert!(poll(&mut none).is_pending());
}

#[test]
fn dropped_recv_any_gives_back() {
    let (tx, rx) = bounded(0);
    let receivers = [never(), rx];
    let mut receive = Box::pin(recv_any(&receivers));
    assert!(poll(&mut receive).is_pending());
    tx.try_send(1).unwrap();
    drop(receive);
    assert_eq!(receivers[1].try_recv(), Ok(1));
    assert_eq!(receivers[1].try_recv(), Err(TryRecvError::Empty));
}

#[cfg(feature = "std")]
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn recv_any_is_waited_for_in_a_thread() {
    let (txs, rxs): (Vec<_>, Vec<_>) = (0..3).map(|_| bounded(0)).unzip();
    assert_eq!(recv_any(&rxs).wait_timeout(SHORT), None);
    assert_eq!(recv_any(&rxs).wait_deadline(Instant::now() + SHORT), None);
    let sending = thread::spawn(move || txs[1].send_blocking(7));
    assert_eq!(recv_any(&rxs).wait(), (1, Ok(7)));
    sending.join().unwrap().unwrap();
}
