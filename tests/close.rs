//! Closing: by either end, by the last handle, with operations parked on either side.

mod support;

use std::{
    pin::pin,
    task::Poll::{Pending, Ready},
};

use hchan::{RecvError, SendError, TryRecvError, TrySendError, bounded, unbounded};
use support::{CountingWaker, Drops, poll, poll_with, scaled};

#[test]
fn close_says_whether_it_closed_and_does_so_once_for_both_ends() {
    let (tx, rx) = bounded::<u8>(1);
    assert!(!tx.is_closed() && !rx.is_closed());
    assert!(tx.close());
    assert!(!tx.close() && !rx.close());
    assert!(tx.is_closed() && rx.is_closed());

    let (tx, rx) = unbounded::<u8>();
    assert!(rx.close());
    assert!(!tx.close() && !rx.close());
}

#[test]
fn close_after_the_last_handle_of_the_other_end_says_it_was_closed() {
    let (tx, rx) = bounded::<u8>(1);
    drop(rx);
    assert!(!tx.close());
    let (tx, rx) = bounded::<u8>(1);
    drop(tx);
    assert!(!rx.close());
}

#[test]
fn close_wakes_parked_receivers_and_fails_them() {
    let (tx, rx) = bounded::<u8>(0);
    let counter = CountingWaker::new();
    let mut parked: Vec<_> = (0..100).map(|_| Box::pin(rx.recv())).collect();
    for recv in &mut parked {
        assert!(poll_with(recv, &counter.waker()).is_pending());
    }
    tx.close();
    assert_eq!(counter.wakes(), 100);
    assert_eq!(rx.waiting_receivers(), 0);
    for recv in &mut parked {
        assert_eq!(poll(recv), Ready(Err(RecvError)));
    }
}

#[test]
fn close_wakes_parked_senders_and_gives_each_its_own_message_back() {
    let (tx, rx) = bounded(1);
    tx.try_send(1_000).unwrap();
    let counter = CountingWaker::new();
    let mut parked: Vec<_> = (0..100).map(|message| Box::pin(tx.send(message))).collect();
    for send in &mut parked {
        assert!(poll_with(send, &counter.waker()).is_pending());
    }
    rx.close();
    assert_eq!(counter.wakes(), 100);
    assert_eq!(rx.waiting_senders(), 0);
    for (message, send) in parked.iter_mut().enumerate() {
        assert_eq!(poll(send), Ready(Err(SendError(message))));
    }
    assert_eq!(rx.try_recv(), Ok(1_000));
    assert_eq!(
        rx.try_recv(),
        Err(TryRecvError::Closed),
        "no parked message"
    );
}

/// Closes a channel on which 70 are parked, whose wakers may close it again; returns the order in which they are woken.
fn close_order(closes_again: bool) -> Vec<usize> {
    let (tx, rx) = bounded::<u8>(0);
    let order = std::sync::Arc::new(std::sync::Mutex::new(vec![]));
    let mut parked: Vec<_> = (0..70).map(|_| Box::pin(rx.recv())).collect();
    for (n, recv) in parked.iter_mut().enumerate() {
        let (order, tx) = (std::sync::Arc::clone(&order), tx.clone());
        let waker = support::hooked_waker(move |call| {
            if call == support::Call::Wake {
                order.lock().unwrap().push(n);
                assert!(!closes_again || !tx.close(), "it has been closed");
            }
        });
        assert!(poll_with(recv, &waker).is_pending());
    }
    tx.close();
    drop(parked);
    order.lock().unwrap().clone()
}

#[test]
fn close_wakes_in_the_order_they_parked() {
    assert_eq!(close_order(false), (0..70).collect::<Vec<_>>());
}

/// A waker that closes the channel again must not go on with the close within itself.
#[test]
fn close_within_a_close_leaves_the_order_alone() {
    assert_eq!(close_order(true), (0..70).collect::<Vec<_>>());
}

#[test]
fn closed_channel_keeps_its_messages_for_receivers() {
    let (tx, rx) = bounded(2);
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    tx.close();
    assert_eq!(tx.try_send(3), Err(TrySendError::Closed(3)));
    assert_eq!(rx.len(), 2);
    assert_eq!(rx.try_iter().collect::<Vec<_>>(), [1, 2]);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn room_made_after_the_close_lets_nobody_in() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let mut parked = pin!(tx.send(2));
    assert_eq!(poll(&mut parked), Pending);
    tx.close();
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(poll(&mut parked), Ready(Err(SendError(2))));
    assert_eq!(tx.force_send(3), Err(TrySendError::Closed(3)));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn only_the_last_sender_dropped_closes() {
    let (tx, rx) = bounded(1);
    let second = tx.clone();
    let counter = CountingWaker::new();
    let mut recv = pin!(rx.recv());
    assert!(poll_with(&mut recv, &counter.waker()).is_pending());
    drop(tx);
    assert!(!rx.is_closed());
    assert_eq!(counter.wakes(), 0);
    assert_eq!(second.try_send(1), Ok(()));
    drop(second);
    assert!(rx.is_closed());
    assert_eq!(
        poll(&mut recv),
        Ready(Ok(1)),
        "handed over before the close"
    );
}

#[test]
fn only_the_last_receiver_dropped_closes() {
    let (tx, rx) = bounded(0);
    let second = rx.clone();
    let counter = CountingWaker::new();
    let mut send = pin!(tx.send(1));
    assert!(poll_with(&mut send, &counter.waker()).is_pending());
    drop(rx);
    assert!(!tx.is_closed());
    assert_eq!(counter.wakes(), 0);
    drop(second);
    assert!(tx.is_closed());
    assert_eq!(counter.wakes(), 1);
    assert_eq!(poll(&mut send), Ready(Err(SendError(1))));
}

#[test]
fn message_handed_over_before_the_close_is_received_after_it() {
    let (tx, rx) = bounded(0);
    let mut recv = pin!(rx.recv());
    assert_eq!(poll(&mut recv), Pending);
    tx.try_send(1).unwrap();
    drop(tx);
    assert_eq!(poll(&mut recv), Ready(Ok(1)));
}

#[test]
fn message_taken_before_the_close_was_sent() {
    let (tx, rx) = bounded(0);
    let mut send = pin!(tx.send(1));
    assert_eq!(poll(&mut send), Pending);
    assert_eq!(rx.try_recv(), Ok(1));
    drop(rx);
    assert_eq!(poll(&mut send), Ready(Ok(())));
}

#[test]
fn operation_first_polled_after_the_close_fails() {
    let (tx, rx) = bounded(1);
    let mut send = pin!(tx.send(1));
    let mut recv = pin!(rx.recv());
    tx.close();
    assert_eq!(poll(&mut send), Ready(Err(SendError(1))));
    assert_eq!(poll(&mut recv), Ready(Err(RecvError)));
}

#[test]
fn last_receiver_dropped_drops_buffered_and_given_back_messages_but_no_parked_ones() {
    let drops = Drops::new();
    let (tx, rx) = bounded(2);
    let second = rx.clone();
    let mut holder = Box::pin(rx.recv());
    assert!(poll(&mut holder).is_pending());
    for id in 0..3 {
        tx.try_send(drops.message(id)).unwrap();
    }
    drop(holder);
    let mut parked = pin!(tx.send(drops.message(3)));
    assert!(poll(&mut parked).is_pending());

    drop(rx);
    assert_eq!(drops.count(), 0, "a receiver is left");
    drop(second);
    assert_eq!((drops.count(), tx.len()), (3, 0));
    let returned = poll(&mut parked);
    assert!(matches!(returned, Ready(Err(SendError(message))) if message.id == 3));
}

#[test]
fn last_receiver_dropped_after_the_close_still_drops_what_is_left() {
    let drops = Drops::new();
    let (tx, rx) = bounded(2);
    tx.try_send(drops.message(1)).unwrap();
    tx.close();
    assert_eq!(drops.count(), 0);
    drop(rx);
    assert_eq!((drops.count(), tx.len()), (1, 0));
}

#[test]
fn large_backlog_is_dropped_with_the_last_receiver() {
    const COUNT: usize = scaled(10_000);
    let drops = Drops::new();
    let (tx, rx) = unbounded();
    (0..COUNT).for_each(|id| tx.try_send(drops.message(id)).unwrap());
    drop(rx);
    assert_eq!(drops.count(), COUNT);
}

#[test]
fn parked_futures_cancelled_while_the_close_wakes_them_are_left_alone() {
    use std::sync::{Arc, Mutex};
    // The first one woken drops all the others, woken or not.
    let (tx, rx) = bounded::<u8>(0);
    let others = Arc::new(Mutex::new(vec![]));
    let counter = CountingWaker::new();
    let mut first = rx.clone().into_stream();
    let dropping = support::hooked_waker({
        let others = Arc::clone(&others);
        move |call| {
            if call == support::Call::Wake {
                drop(std::mem::take(&mut *others.lock().unwrap()));
            }
        }
    });
    let poll_stream = |stream: &mut hchan::IntoStream<u8>, waker: &std::task::Waker| {
        use futures::Stream;
        std::pin::Pin::new(stream).poll_next(&mut std::task::Context::from_waker(waker))
    };
    assert_eq!(poll_stream(&mut first, &dropping), Pending);
    for _ in 0..100 {
        let mut stream = rx.clone().into_stream();
        assert_eq!(poll_stream(&mut stream, &counter.waker()), Pending);
        others.lock().unwrap().push(stream);
    }
    support::no_deadlock(move || tx.close());
    assert_eq!(counter.wakers(), 0);
    // The wakes of one batch were decided together, before the first of them ran.
    assert!(counter.wakes() < 100, "nobody was cancelled in time");
    assert_eq!(
        poll_stream(&mut first, std::task::Waker::noop()),
        Ready(None)
    );
    assert_eq!(rx.receiver_count(), 2);
}
