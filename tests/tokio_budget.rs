//! The feature `tokio`: what a task awaits takes part in tokio's cooperative budget, and nothing else does.

#![cfg(not(target_family = "wasm"))] // Most of it needs threads.

mod support;

use std::{
    future::{pending, poll_fn, ready},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use futures::{FutureExt, SinkExt, StreamExt, join};
use hchan::{
    Receiver, RecvTimeoutError, Select, SendTimeoutError, Sender, bounded, recv_any, select,
    select_blocking, unbounded,
};
use support::{no_deadlock, scaled, until};
use tokio::{
    runtime::{Builder, Runtime},
    task::{
        block_in_place,
        coop::{has_budget_remaining, poll_proceed, unconstrained},
        spawn_blocking,
    },
    time::sleep,
};
use tokio_util::sync::CancellationToken;

/// More operations than one budget pays for.
const MANY: usize = if cfg!(miri) { 200 } else { 1_000 };
const SOON: Duration = Duration::from_millis(1);

fn current_thread() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().build().expect("a runtime")
}

fn workers(count: usize) -> Runtime {
    let mut builder = Builder::new_multi_thread();
    let builder = builder.worker_threads(count).enable_time();
    builder.build().expect("a runtime")
}

/// Runs it as a task of each kind of runtime.
fn in_a_task<F>(task: impl Fn() -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    no_deadlock(move || {
        for runtime in [current_thread(), workers(1), workers(2)] {
            let running = runtime.spawn(task());
            runtime.block_on(running).expect("it does not panic");
        }
    });
}

/// Takes a unit of the task's budget.
fn take_unit() {
    if let Poll::Ready(unit) = poll_proceed(&mut Context::from_waker(Waker::noop())) {
        unit.made_progress();
    }
}

/// Spends what is left of the task's budget.
fn spend() {
    while has_budget_remaining() {
        take_unit();
    }
}

/// How much is left of the task's budget, which is spent then.
fn left() -> usize {
    let mut left = 0;
    while has_budget_remaining() {
        take_unit();
        left += 1;
    }
    left
}

/// Lets the runtime have its turn: the task has a new budget then.
async fn new_budget() {
    tokio::task::yield_now().await;
}

/// Polls once, as the task itself.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx))).await
}

/// Polls once, past the budget.
async fn poll_past<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_once(&mut pin!(unconstrained(future))).await
}

/// Polls with the budget spent: `Pending`, with everything as it was. Polled again, which tokio sees to, it is complete.
async fn refused_once<F: Future>(future: F, state: impl Fn() -> [usize; 4]) -> F::Output {
    let mut future = pin!(future);
    let mut polls = 0;
    poll_fn(|cx| {
        polls += 1;
        if polls > 1 {
            let polled = future.as_mut().poll(cx);
            assert!(polled.is_ready(), "it has a new budget");
            return polled;
        }
        spend();
        let before = state();
        let polled = future.as_mut().poll(cx);
        assert!(polled.is_pending(), "the budget is spent");
        assert_eq!(state(), before, "nothing was done");
        polled
    })
    .await
}

/// What can be seen of a channel.
fn state<T>(tx: &Sender<T>, rx: &Receiver<T>) -> impl Fn() -> [usize; 4] + use<T> {
    let (tx, rx) = (tx.clone(), rx.clone());
    move || {
        let permits = tx.room().map_or(0, |room| room + tx.len());
        [
            tx.len(),
            tx.waiting_senders(),
            rx.waiting_receivers(),
            permits,
        ]
    }
}

#[test]
fn send_is_refused_once_and_then_done() {
    in_a_task(|| async {
        let (tx, rx) = bounded(100);
        let state = state(&tx, &rx);
        refused_once(tx.send(0), &state).await.unwrap();
        let mut slot = Some(1);
        refused_once(tx.send_from(&mut slot), &state).await.unwrap();
        assert_eq!(slot, None);
        let (tx, sent) = refused_once(tx.into_send(2), &state).await;
        sent.unwrap();
        assert_eq!(refused_once(tx.send_many(3..6), &state).await.unwrap(), 3);
        let permit = refused_once(tx.reserve(), &state).await.unwrap();
        permit.send(6).unwrap();
        let permits = refused_once(tx.reserve_many(2), &state).await.unwrap();
        for (permit, message) in permits.zip(7..) {
            permit.send(message).unwrap();
        }
        let mut sink = tx.sink();
        let reserved = refused_once(poll_fn(|cx| sink.poll_reserve(cx)), &state).await;
        reserved.unwrap();
        sink.send_item(9).unwrap();
        refused_once(sink.send(10), &state).await.unwrap();
        refused_once(tx.clone().into_sink().send(11), &state)
            .await
            .unwrap();
        let sent = refused_once(tx.send(12).until(sleep(Duration::MAX)), &state).await;
        sent.unwrap();
        assert_eq!(rx.drain().collect::<Vec<_>>(), (0..13).collect::<Vec<_>>());
    });
}

#[test]
fn receive_is_refused_once_and_then_done() {
    in_a_task(|| async {
        let (tx, rx) = unbounded();
        tx.try_send_many(0..10).unwrap();
        let state = state(&tx, &rx);
        assert_eq!(refused_once(rx.recv(), &state).await, Ok(0));
        let (rx, received) = refused_once(rx.into_recv(), &state).await;
        assert_eq!(received, Ok(1));
        let mut many = Vec::new();
        let count = refused_once(rx.recv_many(&mut many, 2), &state).await;
        assert_eq!((count, many), (Ok(2), vec![2, 3]));
        let mut stream = rx.stream();
        assert_eq!(refused_once(stream.next(), &state).await, Some(4));
        let item = refused_once(poll_fn(|cx| stream.poll_recv(cx)), &state).await;
        assert_eq!(item, Some(5));
        let mut stream = rx.clone().into_stream();
        assert_eq!(refused_once(stream.next(), &state).await, Some(6));
        let receive = rx.recv().until(sleep(Duration::MAX));
        assert_eq!(refused_once(receive, &state).await, Ok(7));
        let rxs = [rx.clone()];
        assert_eq!(refused_once(recv_any(&rxs), &state).await, (0, Ok(8)));
        let mut receive = pin!(rx.recv());
        let mut select = Select::new();
        select.arm(receive.as_mut());
        assert_eq!(refused_once(select, &state).await, 0);
        assert_eq!(receive.await, Ok(9));
    });
}

#[test]
fn close_is_seen_after_one_refusal() {
    in_a_task(|| async {
        let (tx, rx) = bounded::<u8>(1);
        let state = state(&tx, &rx);
        rx.close();
        refused_once(tx.closed(), &state).await;
        refused_once(rx.drained(), &state).await;
        refused_once(tx.clone().into_closed(), &state).await;
        assert!(refused_once(rx.recv(), &state).await.is_err());
        assert!(refused_once(tx.send(1), &state).await.is_err());
        assert_eq!(refused_once(rx.stream().next(), &state).await, None);
    });
}

#[test]
fn select_macro_is_refused_once_and_then_done() {
    in_a_task(|| async {
        let (tx, rx) = bounded(3);
        let state = state(&tx, &rx);
        let sent = async {
            select! { send(tx, 1) -> sent => sent.unwrap() }
        };
        refused_once(sent, &state).await;
        let mut slot = Some(2);
        let sent = async {
            select! { send_from(tx, &mut slot) -> sent => sent.unwrap() }
        };
        refused_once(sent, &state).await;
        let received = async {
            select! {
                recv(rx) -> message => message,
                future(sleep(Duration::MAX)) -> () => panic!("it takes longer"),
            }
        };
        assert_eq!(refused_once(received, &state).await, Ok(1));
        // It never waits.
        spend();
        select! {
            recv(rx) -> message => assert_eq!(message, Ok(2)),
            default => panic!("there is one"),
        }
    });
}

#[test]
fn refused_future_has_no_place_in_the_line() {
    in_a_task(|| async {
        let (tx, rx) = bounded(0);
        let (mut first, mut second) = (pin!(rx.recv()), pin!(rx.recv()));
        spend();
        assert!(poll_once(&mut first).await.is_pending());
        assert!(poll_past(&mut second).await.is_pending());
        assert_eq!(tx.waiting_receivers(), 1);
        assert!(poll_once(&mut first).await.is_pending());
        new_budget().await;
        assert!(poll_once(&mut first).await.is_pending());
        assert_eq!(tx.waiting_receivers(), 2);
        tx.try_send("to the second").unwrap();
        tx.try_send("to the first").unwrap();
        assert_eq!(
            poll_once(&mut second).await,
            Poll::Ready(Ok("to the second"))
        );
        assert_eq!(poll_once(&mut first).await, Poll::Ready(Ok("to the first")));
    });
}

#[test]
fn dropping_a_refused_future_does_nothing() {
    in_a_task(|| async {
        let (tx, rx) = bounded(1);
        spend();
        let mut slot = Some(0);
        assert!(
            poll_once(&mut pin!(tx.send_from(&mut slot)))
                .await
                .is_pending()
        );
        assert_eq!(slot, Some(0));
        let mut taken = 0..;
        let numbers = taken.by_ref().take(5);
        assert!(
            poll_once(&mut pin!(tx.send_many(numbers)))
                .await
                .is_pending()
        );
        assert_eq!((taken.next(), tx.len()), (Some(0), 0));
        tx.try_send(1).unwrap();
        assert!(poll_once(&mut pin!(rx.recv())).await.is_pending());
        assert_eq!(rx.try_recv(), Ok(1));
    });
}

#[test]
fn completed_operation_is_returned_though_the_budget_is_spent() {
    in_a_task(|| async {
        let (tx, rx) = bounded(0);
        let mut receive = pin!(rx.recv());
        assert!(poll_once(&mut receive).await.is_pending());
        tx.try_send(1).unwrap();
        spend();
        assert_eq!(poll_once(&mut receive).await, Poll::Ready(Ok(1)));
        new_budget().await;

        let mut send = pin!(tx.send(2));
        assert!(poll_once(&mut send).await.is_pending());
        assert_eq!(rx.try_recv(), Ok(2));
        spend();
        assert_eq!(poll_once(&mut send).await, Poll::Ready(Ok(())));
        new_budget().await;

        let mut stream = rx.stream();
        assert!(poll_once(&mut stream.next()).await.is_pending());
        tx.try_send(3).unwrap();
        spend();
        assert_eq!(poll_once(&mut stream.next()).await, Poll::Ready(Some(3)));
        new_budget().await;

        let mut received = Vec::new();
        {
            let mut receive = pin!(rx.recv_many(&mut received, 2).until(pending::<()>()));
            assert!(poll_once(&mut receive).await.is_pending());
            tx.try_send(4).unwrap();
            spend();
            assert_eq!(poll_once(&mut receive).await, Poll::Ready(Ok(1)));
        }
        assert_eq!(received, [4]);
        new_budget().await;

        let mut reserve = pin!(tx.reserve());
        assert!(poll_once(&mut reserve).await.is_pending());
        let mut receive = pin!(rx.recv());
        assert!(poll_once(&mut receive).await.is_pending());
        spend();
        let Poll::Ready(Ok(permit)) = poll_once(&mut reserve).await else {
            panic!("the receive granted a permit")
        };
        permit.send(5).unwrap();
        assert_eq!(poll_once(&mut receive).await, Poll::Ready(Ok(5)));
    });
}

#[test]
fn completed_select_is_returned_though_the_budget_is_spent() {
    in_a_task(|| async {
        let ((tx, rx), (_tx2, rx2)) = (bounded(0), bounded(0));
        let mut selecting = pin!(async {
            select! {
                recv(rx) -> message => message,
                recv(rx2) -> message => message,
            }
        });
        assert!(poll_once(&mut selecting).await.is_pending());
        tx.try_send(1).unwrap();
        spend();
        assert_eq!(poll_once(&mut selecting).await, Poll::Ready(Ok(1)));
        new_budget().await;

        let rxs = [rx.clone(), rx2.clone()];
        let mut receiving = pin!(recv_any(&rxs));
        assert!(poll_once(&mut receiving).await.is_pending());
        tx.try_send(2).unwrap();
        spend();
        assert_eq!(poll_once(&mut receiving).await, Poll::Ready((0, Ok(2))));
        new_budget().await;

        // An arm that was completed before it became one.
        let mut receive = pin!(rx.recv());
        assert!(poll_once(&mut receive).await.is_pending());
        tx.try_send(3).unwrap();
        let mut select = Select::new();
        select.arm(receive.as_mut());
        spend();
        assert_eq!(poll_once(&mut Box::pin(select)).await, Poll::Ready(0));
        assert_eq!(poll_once(&mut receive).await, Poll::Ready(Ok(3)));
    });
}

/// The thread of a task waits for a peer, with the task's budget spent.
fn wait_for_peers() {
    let (tx, rx) = bounded(0);
    let peer = {
        let (tx, rx) = (tx.clone(), rx.clone());
        thread::spawn(move || {
            until(|| tx.waiting_receivers() == 1);
            tx.try_send(1).unwrap();
            until(|| rx.waiting_senders() == 1);
            assert_eq!(rx.try_recv(), Ok(2));
            until(|| tx.waiting_receivers() == 2);
            rx.close();
        })
    };
    let (_stop, stopped) = bounded::<()>(0);
    assert_eq!(rx.recv().wait(), Ok(1));
    tx.send(2).wait().unwrap();
    select_blocking! {
        recv(rx) -> message => assert!(message.is_err()),
        recv(rx) -> message => assert!(message.is_err()),
        recv(stopped) -> _ => panic!("nothing stops it"),
    }
    peer.join().unwrap();

    // A stop is an operation, too.
    let (_tx, rx) = bounded::<()>(0);
    let (stop, stopped) = bounded::<()>(0);
    let peer = thread::spawn(move || {
        until(|| stop.waiting_receivers() == 1);
        stop.close();
    });
    assert_eq!(
        rx.recv().until(stopped.recv()).wait(),
        Err(RecvTimeoutError::Timeout)
    );
    peer.join().unwrap();
}

#[test]
fn thread_that_waits_in_a_task_is_not_refused() {
    in_a_task(|| async {
        spend();
        wait_for_peers();
        assert!(!has_budget_remaining());
        spawn_blocking(wait_for_peers).await.unwrap();
    });
    no_deadlock(|| {
        let blocking = async {
            spend();
            block_in_place(wait_for_peers);
        };
        workers(1).block_on(async { tokio::spawn(blocking).await.unwrap() });
    });
}

#[test]
fn waiting_thread_takes_nothing_of_the_budget() {
    in_a_task(|| async {
        let (tx, rx) = bounded(1);
        new_budget().await;
        let whole = left();
        new_budget().await;
        for n in 0..MANY {
            tx.send(n).wait().unwrap();
            assert_eq!(rx.recv().wait_timeout(SOON), Ok(n));
            tx.try_send(n).unwrap();
            select_blocking! { recv(rx) -> message => assert_eq!(message, Ok(n)) }
        }
        assert_eq!(left(), whole);
    });
}

/// A message of which a batch takes only a few at a time from its iterator.
fn large(n: usize) -> (usize, [u8; 20_000]) {
    (n, [0; 20_000])
}

/// How many units an operation takes.
async fn price<F: Future>(operation: F) -> (usize, F::Output) {
    new_budget().await;
    let whole = left();
    new_budget().await;
    let output = operation.await;
    (whole - left(), output)
}

#[test]
fn what_is_done_at_once_takes_one_unit_and_what_parks_none() {
    in_a_task(|| async {
        let (tx, rx) = bounded(100);
        assert_eq!(price(tx.send(0)).await.0, 1);
        assert_eq!(price(tx.send_many(0..10)).await.0, 1);
        assert_eq!(price(rx.recv()).await, (1, Ok(0)));
        assert_eq!(price(rx.recv().until(pending::<()>())).await, (1, Ok(0)));
        let mut received = Vec::new();
        assert_eq!(price(rx.recv_many(&mut received, 8)).await, (1, Ok(8)));
        let selecting = async {
            select! {
                recv(rx) -> message => message,
                recv(rx) -> message => message,
                future(pending()) -> message => message,
            }
        };
        assert_eq!(price(selecting).await, (1, Ok(9)));
        let mut receive = pin!(rx.recv());
        for _ in 0..2 {
            assert_eq!(price(poll_once(&mut receive)).await, (0, Poll::Pending));
        }
        let rxs = [rx.clone()];
        assert_eq!(price(poll_once(&mut pin!(recv_any(&rxs)))).await.0, 0);
        // An endless batch, too, takes one a round.
        let (endless, _rx) = unbounded();
        let mut sending = pin!(endless.send_many((0..).map(large)));
        assert!(price(poll_once(&mut sending)).await.1.is_pending());
        assert!(!endless.is_empty());
    });
}

#[test]
fn refused_batch_goes_on_where_it_was() {
    // Of such large messages a round has three.
    const LONG: usize = 1_000;
    in_a_task(|| async {
        let (tx, rx) = unbounded();
        let mut sending = pin!(tx.send_many((0..LONG).map(large)).until(pending::<()>()));
        assert!(poll_once(&mut sending).await.is_pending());
        assert!((1..LONG).contains(&rx.len()));
        assert_eq!(sending.await.unwrap(), LONG);
        let received: Vec<_> = rx.drain().map(|(n, _)| n).collect();
        assert_eq!(received, (0..LONG).collect::<Vec<_>>());
    });
}

#[test]
fn stop_gives_up_a_refused_batch_with_what_is_left() {
    in_a_task(|| async {
        let (tx, rx) = unbounded();
        let token = CancellationToken::new();
        let mut sending = pin!(tx.send_many((0..).map(large)).until(token.cancelled()));
        assert!(poll_once(&mut sending).await.is_pending());
        token.cancel();
        let Err(SendTimeoutError::Timeout(unsent)) = sending.await else {
            panic!("it is endless")
        };
        let unsent: Vec<_> = unsent.rest.take(3).map(|(n, _)| n).collect();
        let sent = rx.drain().count();
        assert_eq!(unsent, [sent, sent + 1, sent + 2]);
    });
}

#[test]
fn stop_that_completes_after_a_refusal_comes_first() {
    in_a_task(|| async {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let token = CancellationToken::new();
        let mut receive = pin!(rx.recv().until(token.cancelled()));
        spend();
        assert!(poll_once(&mut receive).await.is_pending());
        token.cancel();
        new_budget().await;
        let timeout = Err(RecvTimeoutError::Timeout);
        assert_eq!(poll_once(&mut receive).await, Poll::Ready(timeout));
        assert_eq!(rx.try_recv(), Ok(1));
    });
}

#[test]
fn stop_does_not_undo_a_batch_that_parked_with_the_last_unit() {
    in_a_task(|| async {
        new_budget().await;
        let whole = left();
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let token = CancellationToken::new();
        let mut sending = pin!(tx.send_many([2]).until(token.cancelled()));
        new_budget().await;
        (1..whole).for_each(|_| take_unit());
        assert!(poll_once(&mut sending).await.is_pending());
        assert_eq!(rx.waiting_senders(), 1);
        assert_eq!(rx.try_recv(), Ok(1));
        token.cancel();
        new_budget().await;
        let Poll::Ready(Ok(sent)) = poll_once(&mut sending).await else {
            panic!("all was sent")
        };
        assert_eq!((sent, rx.try_recv()), (1, Ok(2)));
    });
}

#[test]
fn foreign_futures_keep_what_they_spend_in_a_select() {
    in_a_task(|| async {
        let (_tx, rx) = bounded::<()>(0);
        let spender = poll_fn(|_| {
            take_unit();
            Poll::<()>::Pending
        });
        let mut selecting = pin!(async {
            select! {
                recv(rx) -> _ => panic!("there is none"),
                future(spender) -> () => panic!("it is pending"),
            }
        });
        assert_eq!(price(poll_once(&mut selecting)).await, (1, Poll::Pending));
    });
}

/// Leaves one unit of a new budget.
async fn last_unit() {
    new_budget().await;
    let whole = left();
    new_budget().await;
    (1..whole).for_each(|_| take_unit());
}

#[test]
fn select_leaves_the_last_unit_to_its_futures() {
    in_a_task(|| async {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let mut polls = 0;
        let foreign = poll_fn(|_| {
            polls += 1;
            assert!(has_budget_remaining(), "it is not refused");
            Poll::<()>::Pending
        });
        {
            let mut selecting = pin!(async {
                select! {
                    biased;
                    recv(rx) -> message => message,
                    future(foreign) -> () => panic!("it is pending"),
                }
            });
            last_unit().await;
            assert!(poll_once(&mut selecting).await.is_pending());
            assert_eq!((tx.len(), rx.waiting_receivers()), (1, 0));
            assert!(!has_budget_remaining(), "the task is to yield");
            new_budget().await;
            assert_eq!(poll_once(&mut selecting).await, Poll::Ready(Ok(1)));
        }
        assert_eq!(polls, 1);
        // A future that is complete then is the arm that happens.
        last_unit().await;
        let mut selecting = pin!(async {
            select! {
                recv(rx) -> _ => panic!("it is not tried"),
                future(ready(7)) -> n => n,
            }
        });
        assert_eq!(poll_once(&mut selecting).await, Poll::Ready(7));
        assert!(!has_budget_remaining(), "it has paid");
    });
}

#[test]
fn select_without_a_budget_polls_nothing() {
    in_a_task(|| async {
        let (_tx, rx) = bounded::<()>(1);
        spend();
        let mut selecting = pin!(async {
            select! {
                recv(rx) -> _ => panic!("there is none"),
                future(async { panic!("it is not polled") }) -> () => {}
            }
        });
        assert!(poll_once(&mut selecting).await.is_pending());
    });
}

/// A loop over a channel that is always ready. Only the budget ends a poll of it.
async fn pump() {
    let (tx, rx) = bounded(1);
    tx.try_send(()).unwrap();
    while let Ok(message) = rx.recv().await {
        tx.try_send(message).unwrap();
    }
}

#[test]
fn loops_in_arms_and_stops_are_refused() {
    no_deadlock(|| {
        for runtime in [current_thread(), workers(1)] {
            let selecting = runtime.spawn(async {
                let (_tx, rx) = bounded::<()>(1);
                select! {
                    recv(rx) -> _ => {}
                    future(pump()) -> () => {}
                    future(pump()) -> () => {}
                    future(sleep(SOON)) -> () => {}
                }
                let until = async { rx.recv().until(pump()).await };
                tokio::select! { biased;
                    () = sleep(SOON) => {}
                    () = pump() => {}
                    _ = until => {}
                }
                let selecting = async {
                    select! { recv(rx) -> _ => {}, future(pump()) -> () => {} }
                };
                let both = futures::future::join(pump(), selecting);
                assert!(tokio::time::timeout(SOON, both).await.is_err());
            });
            runtime.block_on(selecting).unwrap();
        }
    });
}

#[test]
fn stop_of_a_parked_batch_is_seen_after_the_budget_is_spent() {
    in_a_task(|| async {
        let (tx, rx) = bounded(1);
        tx.try_send(9).unwrap();
        let token = CancellationToken::new();
        let mut sending = pin!(tx.send_many(0..10).until(token.cancelled()));
        // It parks with the last unit.
        last_unit().await;
        assert!(poll_once(&mut sending).await.is_pending());
        assert_eq!(rx.waiting_senders(), 1);
        token.cancel();
        // Whatever wakes the task by now is over after this.
        for _ in 0..3 {
            new_budget().await;
        }
        let mut polls = 0;
        let sent = poll_fn(|cx| {
            polls += 1;
            if polls == 1 {
                spend();
            }
            sending.as_mut().poll(cx)
        });
        assert!(sent.await.is_err());
    });
}

#[test]
fn batch_that_is_all_sent_is_not_reported_as_given_up() {
    in_a_task(|| async {
        let (tx, rx) = unbounded();
        let token = CancellationToken::new();
        let mut sending = pin!(tx.send_many([1, 2, 3]).until(token.cancelled()));
        last_unit().await;
        assert!(poll_once(&mut sending).await.is_pending());
        assert_eq!(rx.len(), 3);
        token.cancel();
        new_budget().await;
        let Poll::Ready(Ok(sent)) = poll_once(&mut sending).await else {
            panic!("all was sent")
        };
        assert_eq!(sent, 3);
    });
}

#[test]
fn parked_select_that_is_polled_with_the_budget_spent_stays_served() {
    in_a_task(|| async {
        let (tx, rx) = bounded(0);
        // A peer comes while the future is polled, and passes the select by.
        let mut polls = 0;
        let peer = poll_fn(|_| {
            polls += 1;
            if polls == 2 {
                assert!(tx.try_send(0).unwrap_err().is_full());
            }
            Poll::<()>::Pending
        });
        let mut selecting = pin!(async {
            select! {
                recv(rx) -> message => message,
                future(peer) -> () => panic!("it is pending"),
            }
        });
        assert!(poll_once(&mut selecting).await.is_pending());
        let mut send = pin!(tx.send(1));
        spend();
        assert!(poll_once(&mut selecting).await.is_pending());
        assert!(poll_past(&mut send).await.is_pending());
        assert!(
            poll_once(&mut selecting).await.is_pending(),
            "it tries nothing"
        );
        new_budget().await;
        assert_eq!(poll_once(&mut selecting).await, Poll::Ready(Ok(1)));
        assert_eq!(poll_once(&mut send).await, Poll::Ready(Ok(())));
    });
}

/// A neighbour that sets it when it has run.
fn neighbour() -> Arc<AtomicBool> {
    let has_run = Arc::new(AtomicBool::new(false));
    let setting = Arc::clone(&has_run);
    tokio::spawn(async move { setting.store(true, SeqCst) });
    has_run
}

/// Runs a loop as the only task that a runtime of one thread polls, until a neighbour has run. Without the budget that is never.
macro_rules! loops_until_a_neighbour_runs {
    ($($name:ident: |$tx:ident, $rx:ident| $round:block)*) => { $(
        #[test]
        fn $name() {
            no_deadlock(|| {
                for runtime in [current_thread(), workers(1)] {
                    let running = runtime.spawn(async {
                        let ($tx, $rx) = bounded(4);
                        let has_run = neighbour();
                        while !has_run.load(SeqCst) $round
                    });
                    runtime.block_on(running).unwrap();
                }
            });
        }
    )* };
}

loops_until_a_neighbour_runs! {
    neighbours_run_beside_sends_and_receives: |tx, rx| {
        tx.send(1).await.unwrap();
        rx.recv().await.unwrap();
    }
    neighbours_run_beside_owned_futures: |tx, rx| {
        tx.clone().into_send(1).await.1.unwrap();
        rx.clone().into_recv().await.1.unwrap();
    }
    neighbours_run_beside_batches: |tx, rx| {
        tx.send_many(0..4).await.unwrap();
        rx.recv_many(&mut Vec::new(), 4).await.unwrap();
    }
    neighbours_run_beside_permits: |tx, rx| {
        tx.reserve().await.unwrap().send(1).unwrap();
        rx.try_recv().unwrap();
    }
    neighbours_run_beside_a_stream: |tx, rx| {
        tx.try_send(1).unwrap();
        rx.stream().next().await.unwrap();
    }
    neighbours_run_beside_a_sink: |tx, rx| {
        tx.sink().send(1).await.unwrap();
        rx.try_recv().unwrap();
    }
    neighbours_run_beside_selects: |tx, rx| {
        select! {
            send(tx, 1) -> sent => sent.unwrap(),
            recv(rx) -> message => assert_eq!(message, Ok(1)),
        }
    }
    neighbours_run_beside_selects_of_a_ready_future: |tx, rx| {
        select! {
            send(tx, 1) -> sent => sent.unwrap(),
            recv(rx) -> message => assert_eq!(message, Ok(1)),
            future(ready(())) -> () => {}
        }
    }
    neighbours_run_beside_a_stop_that_is_complete: |tx, rx| {
        tx.try_send(1).unwrap_or_default();
        let _ = rx.recv().until(rx.recv()).await;
    }
    neighbours_run_beside_a_stop_that_is_no_operation: |tx, rx| {
        tx.try_send(1).unwrap_or_default();
        rx.recv().until(ready(())).await.unwrap_err();
    }
}

#[test]
fn timer_of_the_same_thread_stops_a_loop() {
    no_deadlock(|| {
        current_thread().block_on(async {
            let (tx, rx) = bounded(1);
            tx.try_send(1).unwrap();
            let mut stop = pin!(sleep(SOON));
            while rx.recv().until(&mut stop).await != Err(RecvTimeoutError::Timeout) {
                tx.try_send(1).unwrap_or_default();
                // Nothing of the budget may be left when the `until` comes.
                spend();
            }
            let mut stop = pin!(sleep(SOON));
            loop {
                tx.try_send(1).unwrap_or_default();
                select! {
                    biased;
                    recv(rx) -> message => assert_eq!(message, Ok(1)),
                    future(&mut stop) -> () => break,
                }
            }
        });
    });
}

#[test]
fn cancellation_token_of_a_neighbour_stops_a_loop() {
    no_deadlock(|| {
        for runtime in [current_thread(), workers(1), workers(2)] {
            runtime.block_on(async {
                let (tx, rx) = bounded(1);
                tx.try_send(1).unwrap();
                let token = CancellationToken::new();
                tokio::spawn({
                    let token = token.clone();
                    async move { token.cancel() }
                });
                while rx.recv().until(token.cancelled()).await.is_ok() {
                    tx.try_send(1).unwrap();
                }
            });
        }
    });
}

#[test]
fn messages_stay_in_order_when_the_budget_runs_out() {
    const MESSAGES: usize = scaled(10_000);

    async fn send(tx: Sender<usize>) {
        let mut next = 0;
        while next < MESSAGES {
            let mut slot = Some(next);
            match next % 5 {
                0 => tx.send(next).await.unwrap(),
                1 => tx.send_from(&mut slot).await.unwrap(),
                2 => tx.reserve().await.unwrap().send(next).unwrap(),
                3 => select! { send_from(tx, &mut slot) -> sent => sent.unwrap() },
                _ => {
                    tx.send_many(next..next + 3).await.unwrap();
                    next += 2;
                }
            }
            next += 1;
        }
    }

    async fn receive(rx: Receiver<usize>) {
        let mut received = Vec::new();
        let mut stream = rx.clone().into_stream();
        loop {
            match received.len() % 4 {
                0 => received.extend(rx.recv().await),
                1 => received.extend(stream.next().await),
                2 => drop(rx.recv_many(&mut received, 3).await),
                _ => select! { recv(rx) -> message => received.extend(message) },
            }
            if rx.is_closed() && rx.is_empty() {
                break;
            }
        }
        let sent: Vec<_> = (0..received.len()).collect();
        assert_eq!(received, sent);
        assert!(received.len() >= MESSAGES);
    }

    for capacity in [0, 1, 64] {
        in_a_task(move || async move {
            let (tx, rx) = bounded(capacity);
            let sending = tokio::spawn(send(tx));
            receive(rx).await;
            sending.await.unwrap();
        });
        // Both in one task, which has one budget.
        in_a_task(move || async move {
            let (tx, rx) = bounded(capacity);
            join!(send(tx), receive(rx));
        });
    }
}

#[test]
fn nothing_is_refused_outside_a_task() {
    let (tx, rx) = bounded(1);
    for n in 0..MANY {
        assert_eq!(tx.send(n).now_or_never(), Some(Ok(())));
        assert_eq!(rx.recv().now_or_never(), Some(Ok(n)));
    }
}
