//! `until`: operations that are given up when another future completes.

mod support;

use std::{
    cell::RefCell,
    future::{IntoFuture, pending, poll_fn, ready},
    pin::pin,
    task::Poll::{self, Ready},
    thread,
    time::Duration,
};

use futures::{executor::block_on, future::FusedFuture};
use hchan::{
    RecvError, RecvTimeoutError, SendTimeoutError, TryRecvError, Until, bounded, never, unbounded,
};
#[cfg(not(feature = "std"))]
use support::blocking::*;
use support::{
    CountingWaker, Drops, Stop, forget, panic_of, panicking_waker, poll, poll_with, scaled,
    stop_after, two_workers,
};

// A stop that is complete at the first poll.

#[test]
fn stop_that_is_complete_wins_over_a_send_with_room() {
    let (tx, rx) = bounded(1);
    let mut send = pin!(tx.send(1).until(ready(())));
    assert_eq!(poll(&mut send), Ready(Err(SendTimeoutError::Timeout(1))));
    assert!(send.is_terminated());
    assert!(rx.is_empty(), "nothing was sent");
}

#[test]
fn stop_that_is_complete_wins_over_a_send_from_with_room() {
    let (tx, rx) = bounded(1);
    let mut message = Some(1);
    {
        let mut send = pin!(tx.send_from(&mut message).until(ready(())));
        assert_eq!(poll(&mut send), Ready(Err(SendTimeoutError::Timeout(()))));
        assert!(send.is_terminated());
    }
    assert_eq!((message, rx.len()), (Some(1), 0));
}

#[test]
fn stop_that_is_complete_wins_over_a_receive_with_a_message() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let mut recv = pin!(rx.recv().until(ready(())));
    assert_eq!(poll(&mut recv), Ready(Err(RecvTimeoutError::Timeout)));
    assert!(recv.is_terminated());
    assert_eq!(rx.try_recv(), Ok(1), "the message stays");
}

#[test]
fn stop_that_is_complete_wins_over_a_close() {
    let (tx, rx) = bounded(1);
    tx.close();
    let sent = block_on(tx.send(1).until(ready(())));
    assert_eq!(sent, Err(SendTimeoutError::Timeout(1)));
    let received = block_on(rx.recv().until(ready(())));
    assert_eq!(received, Err(RecvTimeoutError::Timeout));
}

#[test]
fn loop_on_a_saturated_channel_sees_its_stop() {
    let (tx, rx) = unbounded();
    let stop = Stop::new();
    let sent = (0..20).take_while(|&n| {
        if n == 10 {
            stop.complete();
        }
        block_on(tx.send(n).until(&stop)).is_ok()
    });
    assert_eq!((sent.count(), rx.len()), (10, 10));

    let stop = Stop::new();
    let received = (0..10).take_while(|&n| {
        if n == 5 {
            stop.complete();
        }
        block_on(rx.recv().until(&stop)).is_ok()
    });
    assert_eq!((received.count(), rx.len()), (5, 5));
}

/// In tokio's runtime of one thread other tasks run, and timers are driven, when this one yields. (Without a budget, which the
/// feature `tokio` would give it.)
#[test]
fn loop_that_never_yields_is_not_stopped_by_a_task_or_timer_of_its_own_thread() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(tokio::task::unconstrained(async {
        let (tx, rx) = bounded(1);
        let (stop, stopped) = bounded::<()>(0);
        tokio::spawn(async move { drop(stop) });
        let mut timer = pin!(tokio::time::sleep(Duration::from_millis(1)));
        for n in 0..if cfg!(miri) { 20 } else { 1_000 } {
            tx.try_send(n).unwrap();
            assert_eq!(rx.recv().until(&mut timer).await, Ok(n));
            tx.try_send(n).unwrap();
            assert_eq!(rx.recv().until(stopped.recv()).await, Ok(n));
            if n == 10 {
                // The time is up, and nobody says so.
                thread::sleep(Duration::from_millis(5));
            }
        }

        tx.try_send(0).unwrap();
        while rx.recv().until(&mut timer).await.is_ok() {
            tx.try_send(0).unwrap();
            tokio::task::yield_now().await;
        }
        while rx.recv().until(stopped.recv()).await.is_ok() {
            tx.try_send(0).unwrap();
            tokio::task::yield_now().await;
        }
        assert_eq!(rx.len(), 1);
    }));
}

// A stop that completes while the operation is parked.

#[test]
fn stopped_send_leaves_the_queue_with_its_message() {
    let drops = Drops::new();
    let (tx, rx) = bounded(0);
    let (stop, counter) = (Stop::new(), CountingWaker::new());
    let mut send = pin!(tx.send(drops.message(1)).until(&stop));
    assert!(poll_with(&mut send, &counter.waker()).is_pending());
    assert!(!send.is_terminated());
    assert_eq!((tx.waiting_senders(), counter.wakers()), (1, 2));

    stop.complete();
    assert_eq!(counter.wakes(), 1);
    let Ready(Err(SendTimeoutError::Timeout(message))) = poll(&mut send) else {
        panic!("it was stopped");
    };
    assert_eq!((message.id, drops.count()), (1, 0));
    assert_eq!((tx.waiting_senders(), counter.wakers()), (0, 0));
    assert!(matches!(rx.try_recv(), Err(TryRecvError::Empty)));
}

#[test]
fn stopped_send_from_leaves_the_queue_and_its_message_in_the_option() {
    let (tx, rx) = bounded(0);
    let (stop, counter) = (Stop::new(), CountingWaker::new());
    let mut message = Some(1);
    {
        let mut send = pin!(tx.send_from(&mut message).until(&stop));
        assert!(poll_with(&mut send, &counter.waker()).is_pending());
        stop.complete();
        assert_eq!(counter.wakes(), 1);
        assert_eq!(poll(&mut send), Ready(Err(SendTimeoutError::Timeout(()))));
        assert_eq!((tx.waiting_senders(), counter.wakers()), (0, 0));
    }
    assert_eq!(message, Some(1));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn message_of_a_stopped_send_from_is_back_even_if_the_future_is_forgotten() {
    let (tx, _rx) = bounded(0);
    let stop = Stop::new();
    let mut message = Some(1);
    let mut send = Box::pin(tx.send_from(&mut message).until(&stop));
    assert!(poll(&mut send).is_pending());
    stop.complete();
    assert!(poll(&mut send).is_ready());
    forget(send);
    assert_eq!(message, Some(1));
}

#[test]
fn stopped_receive_leaves_the_queue() {
    let (tx, rx) = bounded(1);
    let (stop, counter) = (Stop::new(), CountingWaker::new());
    let mut recv = pin!(rx.recv().until(&stop));
    assert!(poll_with(&mut recv, &counter.waker()).is_pending());
    assert_eq!((tx.waiting_receivers(), counter.wakers()), (1, 2));
    stop.complete();
    assert_eq!(counter.wakes(), 1);
    assert_eq!(poll(&mut recv), Ready(Err(RecvTimeoutError::Timeout)));
    assert_eq!((tx.waiting_receivers(), counter.wakers()), (0, 0));
    tx.try_send(1).unwrap();
    assert_eq!(rx.len(), 1, "it is not handed to one that has given up");
}

#[test]
fn receive_of_never_ends_by_its_stop() {
    let rx = never::<u8>();
    let stop = Stop::new();
    let mut recv = pin!(rx.recv().until(&stop));
    assert!(poll(&mut recv).is_pending());
    stop.complete();
    assert_eq!(poll(&mut recv), Ready(Err(RecvTimeoutError::Timeout)));
}

// Ties.

#[test]
fn parked_send_wins_a_tie_with_its_stop() {
    let (tx, rx) = bounded(0);
    let stop = Stop::new();
    let mut send = pin!(tx.send(1).until(&stop));
    assert!(poll(&mut send).is_pending());
    stop.complete();
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(poll(&mut send), Ready(Ok(())));
    assert_eq!(stop.polls(), 1, "not asked again");
}

#[test]
fn parked_send_from_wins_a_tie_with_its_stop() {
    let (tx, rx) = bounded(0);
    let stop = Stop::new();
    let mut message = Some(1);
    {
        let mut send = pin!(tx.send_from(&mut message).until(&stop));
        assert!(poll(&mut send).is_pending());
        stop.complete();
        assert_eq!(rx.try_recv(), Ok(1));
        assert_eq!(poll(&mut send), Ready(Ok(())));
    }
    assert_eq!(message, None);
}

#[test]
fn parked_receive_wins_a_tie_with_its_stop() {
    let (tx, rx) = bounded(0);
    let stop = Stop::new();
    let mut recv = pin!(rx.recv().until(&stop));
    assert!(poll(&mut recv).is_pending());
    stop.complete();
    tx.try_send(1).unwrap();
    assert_eq!(poll(&mut recv), Ready(Ok(1)));
    assert_eq!(stop.polls(), 1, "not asked again");
}

#[test]
fn parked_operation_that_fails_wins_a_tie_with_its_stop() {
    let (tx, rx) = bounded(0);
    let stop = Stop::new();
    let mut send = pin!(tx.send(1).until(&stop));
    assert!(poll(&mut send).is_pending());
    stop.complete();
    rx.close();
    assert_eq!(poll(&mut send), Ready(Err(SendTimeoutError::Closed(1))));
}

#[test]
fn send_taken_while_its_stop_completes_is_sent() {
    let (tx, rx) = bounded(0);
    let stop = stop_after(|| assert_eq!(rx.try_recv(), Ok(1)));
    let mut send = pin!(tx.send(1).until(stop));
    assert!(poll(&mut send).is_pending());
    assert_eq!(poll(&mut send), Ready(Ok(())));
}

#[test]
fn send_from_taken_while_its_stop_completes_is_sent() {
    let (tx, rx) = bounded(0);
    let mut message = Some(1);
    {
        let stop = stop_after(|| assert_eq!(rx.try_recv(), Ok(1)));
        let mut send = pin!(tx.send_from(&mut message).until(stop));
        assert!(poll(&mut send).is_pending());
        assert_eq!(poll(&mut send), Ready(Ok(())));
    }
    assert_eq!(message, None);
}

#[test]
fn receive_handed_a_message_while_its_stop_completes_returns_it() {
    let (tx, rx) = bounded(0);
    let mut recv = pin!(rx.recv().until(stop_after(|| tx.try_send(1).unwrap())));
    assert!(poll(&mut recv).is_pending());
    assert_eq!(poll(&mut recv), Ready(Ok(1)));
}

#[test]
fn receive_closed_while_its_stop_completes_is_closed() {
    let (tx, rx) = bounded::<u8>(0);
    let mut recv = pin!(rx.recv().until(stop_after(|| assert!(tx.close()))));
    assert!(poll(&mut recv).is_pending());
    assert_eq!(poll(&mut recv), Ready(Err(RecvTimeoutError::Closed)));
}

// Without a stop.

#[test]
fn operation_that_is_not_stopped_returns_what_it_does_by_itself() {
    let (tx, rx) = bounded(1);
    let mut message = Some(2);
    assert_eq!(block_on(tx.send(1).until(pending::<()>())), Ok(()));
    assert_eq!(block_on(rx.recv().until(pending::<()>())), Ok(1));
    let sent = block_on(tx.send_from(&mut message).until(pending::<()>()));
    assert_eq!((sent, message), (Ok(()), None));
    drop(rx);
    let mut message = Some(3);
    let sent = block_on(tx.send_from(&mut message).until(pending::<()>()));
    assert_eq!(sent, Err(SendTimeoutError::Closed(())));
    assert_eq!(message, Some(3));
    let sent = block_on(tx.send(4).until(pending::<()>()));
    assert_eq!(sent, Err(SendTimeoutError::Closed(4)));

    let (tx, rx) = bounded::<u8>(1);
    drop(tx);
    let received = block_on(rx.recv().until(pending::<()>()));
    assert_eq!(received, Err(RecvTimeoutError::Closed));
}

#[test]
fn close_ends_a_parked_operation_with_a_stop() {
    let (tx, rx) = bounded(0);
    let counter = CountingWaker::new();
    let mut send = pin!(tx.send(1).until(pending::<()>()));
    assert!(poll_with(&mut send, &counter.waker()).is_pending());
    rx.close();
    assert_eq!(counter.wakes(), 1);
    assert_eq!(poll(&mut send), Ready(Err(SendTimeoutError::Closed(1))));
}

#[test]
fn anything_that_becomes_a_future_is_a_stop() {
    struct Token;
    impl IntoFuture for Token {
        type Output = u8;
        type IntoFuture = std::future::Ready<u8>;

        fn into_future(self) -> Self::IntoFuture {
            ready(7)
        }
    }
    let (_tx, rx) = bounded::<u8>(0);
    let received = block_on(rx.recv().until(Token));
    assert_eq!(received, Err(RecvTimeoutError::Timeout));
}

// Polling, ending, dropping.

#[test]
fn peer_and_stop_wake_the_newest_waker() {
    let (tx, rx) = bounded(0);
    for stops in [false, true] {
        let stop = Stop::new();
        let [old, new] = [CountingWaker::new(), CountingWaker::new()];
        let mut recv = pin!(rx.recv().until(&stop));
        assert!(poll_with(&mut recv, &old.waker()).is_pending());
        assert!(poll_with(&mut recv, &new.waker()).is_pending());
        assert_eq!(rx.waiting_receivers(), 1);
        match stops {
            true => stop.complete(),
            false => tx.try_send(1).unwrap(),
        }
        assert_eq!((old.wakes(), new.wakes()), (0, 1), "stops: {stops}");
        assert!(poll(&mut recv).is_ready());
    }
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn until_that_has_completed_is_not_polled_again() {
    let (tx, rx) = bounded(1);
    let mut send = pin!(tx.send(1).until(pending::<()>()));
    let mut recv = pin!(rx.recv().until(pending::<()>()));
    let mut stopped = pin!(rx.recv().until(ready(())));
    assert!(!send.is_terminated() && !recv.is_terminated() && !stopped.is_terminated());
    assert!(poll(&mut send).is_ready() && poll(&mut recv).is_ready());
    assert!(poll(&mut stopped).is_ready());
    assert!(send.is_terminated() && recv.is_terminated() && stopped.is_terminated());
    let message = "an `until` was polled again after it had completed";
    assert_eq!(panic_of(|| poll(&mut send)), message);
    assert_eq!(panic_of(|| poll(&mut recv)), message);
    assert_eq!(panic_of(|| poll(&mut stopped)), message);
    assert_eq!(rx.len(), 0, "nothing was sent twice");
}

#[test]
fn until_of_an_empty_option_is_terminated_from_the_start() {
    let (tx, _rx) = bounded::<u8>(1);
    let mut none = None;
    let send = tx.send_from(&mut none).until(pending::<()>());
    assert!(send.is_terminated());
    assert!(!tx.send(1).until(pending::<()>()).is_terminated());
}

#[test]
fn futures_select_skips_an_until_that_has_completed() {
    let (tx, rx) = bounded(1);
    let run = async {
        let mut send = pin!(tx.send(1).until(pending::<()>()));
        let mut recv = pin!(rx.recv().until(pending::<()>()));
        let mut ready = vec![];
        loop {
            futures::select! {
                sent = send => ready.push(sent.is_ok()),
                received = recv => ready.push(received == Ok(1)),
                complete => break ready,
            }
        }
    };
    assert_eq!(block_on(run), [true, true]);
}

/// Writes down its drop.
struct Noted<'a>(&'static str, &'a RefCell<Vec<&'static str>>);

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

#[test]
fn dropped_until_leaves_the_queue_and_then_drops_its_stop() {
    let drops = RefCell::default();
    let (tx, _rx) = bounded(0);
    let noted = Noted("stop", &drops);
    let stop = async move {
        let _noted = noted;
        pending::<()>().await;
    };
    let mut send = Box::pin(tx.send(Noted("message", &drops)).until(stop));
    assert!(poll(&mut send).is_pending());
    assert_eq!(tx.waiting_senders(), 1);
    drop(send);
    assert_eq!(tx.waiting_senders(), 0);
    assert_eq!(*drops.borrow(), ["message", "stop"]);
}

#[test]
fn dropped_until_gives_a_message_back() {
    let (tx, rx) = bounded(0);
    let mut recv = Box::pin(rx.recv().until(pending::<()>()));
    assert!(poll(&mut recv).is_pending());
    tx.try_send(1).unwrap();
    drop(recv);
    assert_eq!(rx.try_recv(), Ok(1));

    let mut message = Some(2);
    {
        let mut send = pin!(tx.send_from(&mut message).until(pending::<()>()));
        assert!(poll(&mut send).is_pending());
    }
    assert_eq!((message, tx.waiting_senders()), (Some(2), 0));
}

// Panics.

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn stop_that_panics_leaves_the_operation_parked() {
    let drops = Drops::new();
    let (tx, rx) = bounded(0);
    let stop = stop_after(|| panic!("the stop"));
    let mut send = Box::pin(tx.send(drops.message(1)).until(stop));
    assert!(poll(&mut send).is_pending());
    assert_eq!(panic_of(|| poll(&mut send)), "the stop");
    assert_eq!((tx.waiting_senders(), drops.count()), (1, 0));
    assert!(!send.is_terminated());
    drop(send);
    assert_eq!((tx.waiting_senders(), drops.count()), (0, 1));

    let stop = stop_after(|| panic!("the stop"));
    let mut send = Box::pin(tx.send(drops.message(2)).until(stop));
    assert!(poll(&mut send).is_pending());
    assert_eq!(panic_of(|| poll(&mut send)), "the stop");
    assert_eq!(rx.try_recv().ok().map(|message| message.id), Some(2));
    assert!(matches!(poll(&mut send), Ready(Ok(()))));
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn stop_that_panics_at_the_first_poll_leaves_the_message() {
    let drops = Drops::new();
    let (tx, rx) = bounded(1);
    let stop = poll_fn(|_| -> Poll<()> { panic!("the stop") });
    let mut send = Box::pin(tx.send(drops.message(1)).until(stop));
    assert_eq!(panic_of(|| poll(&mut send)), "the stop");
    assert_eq!((rx.len(), drops.count()), (0, 0));
    drop(send);
    assert_eq!(drops.count(), 1);
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn send_whose_wake_panics_has_ended_with_its_until() {
    let (tx, rx) = bounded(0);
    let mut recv = pin!(rx.recv());
    assert!(poll_with(&mut recv, &panicking_waker("the wake")).is_pending());
    let mut send = pin!(tx.send(1).until(pending::<()>()));
    assert_eq!(panic_of(|| poll(&mut send)), "the wake");
    assert!(send.is_terminated(), "it has sent");
    assert_eq!(poll(&mut recv), Ready(Ok(1)));
}

// Several tasks and threads.

#[test]
fn one_close_stops_many_tasks() {
    let runtime = two_workers();
    let (tx, rx) = bounded(0);
    let idle = never();
    let (stop, stopped) = bounded::<()>(0);
    runtime.block_on(async {
        let tasks = (0..10).map(|n| {
            let (tx, idle, stopped) = (tx.clone(), idle.clone(), stopped.clone());
            tokio::spawn(async move {
                match n % 2 {
                    0 => {
                        tx.send(n).until(stopped.recv()).await == Err(SendTimeoutError::Timeout(n))
                    }
                    _ => {
                        idle.recv().until(stopped.recv()).await
                            == Err::<u8, _>(RecvTimeoutError::Timeout)
                    }
                }
            })
        });
        let tasks: Vec<_> = tasks.collect();
        while (tx.waiting_senders(), stopped.waiting_receivers()) != (5, 10) {
            tokio::task::yield_now().await;
        }
        stop.close();
        for task in tasks {
            assert!(task.await.unwrap(), "stopped, its message back");
        }
    });
    assert_eq!(rx.waiting_senders(), 0);
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn what_a_stopped_sender_has_sent_arrives_and_nothing_else() {
    const COUNT: usize = scaled(1_000);
    let (tx, rx) = bounded(2);
    let (stop, stopped) = bounded::<()>(0);
    let sending = thread::spawn(move || {
        block_on(async {
            for n in 0.. {
                match tx.send(n).until(stopped.recv()).await {
                    Ok(()) => {}
                    Err(error) => return error.into_inner(),
                }
            }
            unreachable!("numbers do not end")
        })
    });
    for n in 0..COUNT {
        assert_eq!(rx.recv_blocking(), Ok(n));
    }
    stop.close();
    let unsent = sending.join().unwrap();
    assert_eq!(
        rx.try_iter().collect::<Vec<_>>(),
        (COUNT..unsent).collect::<Vec<_>>()
    );
    assert_eq!(rx.recv_blocking(), Err(RecvError));
}

// What it is.

#[test]
fn until_takes_hardly_more_room_than_its_two_futures() {
    fn size_of_until<F, S>(_: &Until<F, S>) -> (usize, usize) {
        let most = size_of::<F>() + size_of::<S>() + align_of::<F>();
        (size_of::<Until<F, S>>(), most)
    }
    let (tx, rx) = bounded(1);
    let sizes = [
        size_of_until(&rx.recv().until(pending::<()>())),
        size_of_until(&tx.send(1_u64).until(rx.recv())),
    ];
    for (until, most) in sizes {
        assert!(until <= most, "{until} of {most}");
    }
}

#[test]
fn debug_of_until_says_whether_it_is_terminated() {
    let (_tx, rx) = bounded::<u8>(1);
    let mut recv = Box::pin(rx.recv().until(pending::<()>()));
    assert_eq!(format!("{recv:?}"), "Until { terminated: false, .. }");
    rx.close();
    assert!(poll(&mut recv).is_ready());
    assert_eq!(format!("{recv:?}"), "Until { terminated: true, .. }");
}
