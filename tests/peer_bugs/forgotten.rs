//! Row 16, CB, tachyonix#2: soundness rested on the drop of a future that its owner forgot instead.
//!
//! A forgotten future ends its borrows but stays in the channel's queues. All that peers reach of it is memory that it
//! owns and that is never freed, which these tests keep reachable so that a leak check has nothing to say.

use std::task::{Poll::Ready, Waker};

use futures::{FutureExt, Stream, StreamExt};
use hchan::{Receiver, Sender, TryRecvError, TrySendError, bounded};

use crate::support::{CountingWaker, Drops, forget, poll, poll_with};

fn forget_parked_recv<T>(rx: &Receiver<T>, waker: &Waker) {
    let mut recv = Box::pin(rx.recv());
    assert!(poll_with(&mut recv, waker).is_pending());
    forget(recv);
}

fn forget_parked_send<T>(tx: &Sender<T>, message: T, waker: &Waker) {
    let mut send = Box::pin(tx.send(message));
    assert!(poll_with(&mut send, waker).is_pending());
    forget(send);
}

/// Uses all of the channel and drops it, the given end first.
fn use_and_drop(tx: Sender<Box<u32>>, rx: Receiver<Box<u32>>, sender_first: bool) {
    let _ = tx.try_send(Box::new(100));
    let _ = tx.send(Box::new(101)).now_or_never();
    let _ = tx.force_send(Box::new(102));
    let _ = rx.recv().now_or_never();
    let _ = rx.try_recv();
    let _ = format!("{tx:?}");
    if sender_first {
        drop(tx);
        while rx.try_recv().is_ok() {}
    } else {
        drop(rx);
        assert!(tx.try_send(Box::new(103)).is_err());
    }
}

fn forget_parked_waits<T>(tx: &Sender<T>, rx: &Receiver<T>, waker: &Waker) {
    for mut wait in [tx.closed(), rx.drained()].map(Box::pin) {
        assert!(poll_with(&mut wait, waker).is_pending());
        forget(wait);
    }
}

#[test]
fn channel_works_and_drops_after_waits_for_its_end_were_forgotten() {
    for capacity in [1, 5] {
        for sender_first in [false, true] {
            let counter = CountingWaker::new();
            let (tx, rx) = bounded(capacity);
            forget_parked_waits(&tx, &rx, &counter.waker());
            tx.try_send(Box::new(1)).unwrap();
            tx.close();
            assert_eq!(counter.wakes(), 1, "one waits for the last message");
            use_and_drop(tx, rx, sender_first);
            assert_eq!((counter.wakes(), counter.wakers()), (2, 0));
        }
    }
}

#[test]
fn channel_works_and_drops_after_batches_were_forgotten() {
    for capacity in [0, 1, 5] {
        for sender_first in [false, true] {
            let counter = CountingWaker::new();
            let (tx, rx) = bounded(capacity);
            let mut receiving = Box::pin(into_forgotten(&rx));
            assert!(poll_with(&mut receiving, &counter.waker()).is_pending());
            forget(receiving);
            // The first is handed to the forgotten receive and leaks with it.
            let mut sending = Box::pin(tx.send_many((0..20).map(Box::new)));
            assert!(poll_with(&mut sending, &counter.waker()).is_pending());
            forget(sending);
            assert_eq!((counter.wakes(), rx.len()), (1, capacity));
            assert_eq!(rx.try_recv(), Ok(Box::new(1)));
            use_and_drop(tx, rx, sender_first);
        }
    }
}

/// A receive into a vector that is forgotten with it.
async fn into_forgotten<T>(rx: &Receiver<T>) {
    let mut into = Vec::new();
    let _ = rx.recv_many(&mut into, 10).await;
}

#[test]
fn channel_works_and_drops_after_a_receive_was_forgotten_in_any_state() {
    for capacity in [0, 1] {
        for sender_first in [false, true] {
            let waker = Waker::noop();

            let (tx, rx) = bounded(capacity);
            forget(Box::pin(rx.recv()));
            use_and_drop(tx, rx, sender_first);

            let (tx, rx) = bounded(capacity);
            forget_parked_recv(&rx, waker);
            forget_parked_recv(&rx, waker);
            use_and_drop(tx, rx, sender_first);

            let (tx, rx) = bounded(capacity);
            forget_parked_recv(&rx, waker);
            tx.try_send(Box::new(1)).expect("it is parked");
            use_and_drop(tx, rx, sender_first);

            let (tx, rx) = bounded(capacity);
            forget_parked_recv(&rx, waker);
            tx.close();
            use_and_drop(tx, rx, sender_first);

            let (tx, rx) = bounded(capacity);
            let mut recv = Box::pin(rx.recv());
            assert!(poll(&mut recv).is_pending());
            tx.try_send(Box::new(1)).unwrap();
            assert!(poll(&mut recv).is_ready());
            forget(recv);
            use_and_drop(tx, rx, sender_first);
        }
    }
}

#[test]
fn channel_works_and_drops_after_a_send_was_forgotten_in_any_state() {
    for capacity in [0, 1] {
        for sender_first in [false, true] {
            let waker = Waker::noop();
            let full = || {
                let (tx, rx) = bounded(capacity);
                (0..capacity).for_each(|_| tx.try_send(Box::new(0)).unwrap());
                (tx, rx)
            };

            let (tx, rx) = full();
            forget(Box::pin(tx.send(Box::new(1))));
            use_and_drop(tx, rx, sender_first);

            let (tx, rx) = full();
            forget_parked_send(&tx, Box::new(1), waker);
            forget_parked_send(&tx, Box::new(2), waker);
            use_and_drop(tx, rx, sender_first);

            let (tx, rx) = full();
            forget_parked_send(&tx, Box::new(1), waker);
            rx.try_recv().expect("a message is there");
            use_and_drop(tx, rx, sender_first);

            let (tx, rx) = full();
            forget_parked_send(&tx, Box::new(1), waker);
            rx.close();
            use_and_drop(tx, rx, sender_first);

            let (tx, rx) = full();
            let mut send = Box::pin(tx.send(Box::new(1)));
            assert!(poll(&mut send).is_pending());
            rx.try_recv().unwrap();
            assert!(poll(&mut send).is_ready());
            forget(send);
            use_and_drop(tx, rx, sender_first);
        }
    }
}

#[test]
fn forgotten_parked_receive_is_served_in_its_turn_and_keeps_its_message() {
    let drops = Drops::new();
    let counter = CountingWaker::new();
    let (tx, rx) = bounded(0);
    forget_parked_recv(&rx, &counter.waker());
    let mut next = Box::pin(rx.recv());
    assert!(poll(&mut next).is_pending());
    tx.try_send(drops.message(1)).unwrap();
    tx.try_send(drops.message(2)).unwrap();
    assert_eq!((counter.wakes(), counter.wakers()), (1, 0));
    assert!(matches!(poll(&mut next), Ready(Ok(message)) if message.id == 2));
    drop(next);
    drop((tx, rx));
    assert_eq!(
        drops.count(),
        1,
        "the other one is leaked, not dropped twice"
    );
}

#[test]
fn forgotten_parked_send_still_delivers_its_message() {
    let counter = CountingWaker::new();
    let (tx, rx) = bounded(0);
    forget_parked_send(&tx, 1, &counter.waker());
    assert_eq!(tx.waiting_senders(), 1);
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!((counter.wakes(), counter.wakers()), (1, 0));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn forgotten_waiters_are_told_of_the_close_and_let_go() {
    let counter = CountingWaker::new();
    let (tx, rx) = bounded::<u8>(0);
    forget_parked_recv(&rx, &counter.waker());
    forget_parked_recv(&rx, &counter.waker());
    drop(rx);
    assert_eq!((counter.wakes(), counter.wakers()), (2, 0));
    drop(tx);

    let counter = CountingWaker::new();
    let (tx, rx) = bounded(0);
    forget_parked_send(&tx, 1, &counter.waker());
    drop(tx);
    assert_eq!((counter.wakes(), counter.wakers()), (1, 0));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed), "not sent in time");
}

#[test]
fn neighbours_of_a_forgotten_waiter_come_and_go_as_ever() {
    let (tx, rx) = bounded(0);
    let mut before = Box::pin(rx.recv());
    assert!(poll(&mut before).is_pending());
    forget_parked_recv(&rx, Waker::noop());
    let mut after = Box::pin(rx.recv());
    assert!(poll(&mut after).is_pending());
    drop(before);
    assert_eq!(rx.waiting_receivers(), 2);
    drop(after);
    assert_eq!(rx.waiting_receivers(), 1);
    tx.try_send(1).unwrap();
    assert_eq!(tx.try_send(2), Err(TrySendError::Full(2)));
}

#[test]
fn forgotten_stream_keeps_its_channel_and_the_message_it_was_handed() {
    fn forget_parked(stream: impl Stream<Item = Box<u32>>) {
        let mut stream = Box::pin(stream);
        assert!(poll(&mut stream.next()).is_pending());
        forget(stream);
    }
    let (tx, rx) = bounded(0);
    forget_parked(rx.stream());
    forget_parked(rx.clone().into_stream());
    tx.try_send(Box::new(1)).unwrap();
    drop(rx);
    assert_eq!(tx.receiver_count(), 1, "the forgotten one");
    assert_eq!(tx.try_send(Box::new(2)), Ok(()), "it is parked still");
    assert!(tx.try_send(Box::new(3)).unwrap_err().is_full());
}
