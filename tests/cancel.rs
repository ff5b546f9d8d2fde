//! Dropping a future at any time: what was not done is not done later, what was done is not lost.

mod support;

use std::{
    pin::pin,
    task::Poll::{Pending, Ready},
};

use hchan::{RecvError, TryRecvError, TrySendError, bounded, unbounded};
#[cfg(not(feature = "std"))]
use support::blocking::*;
use support::{CountingWaker, Drops, poll, poll_with};

#[test]
fn cancelled_parked_recv_leaves_no_trace() {
    for (tx, rx) in [bounded(1), unbounded()] {
        let counter = CountingWaker::new();
        let mut recv = Box::pin(rx.recv());
        assert!(poll_with(&mut recv, &counter.waker()).is_pending());
        drop(recv);
        assert_eq!((rx.waiting_receivers(), counter.wakers()), (0, 0));
        tx.try_send(1).unwrap();
        assert_eq!((rx.len(), counter.wakes()), (1, 0));
    }
}

#[test]
fn cancelled_parked_recv_takes_nobody_elses_turn() {
    // Wherever in the line it stands.
    for cancelled in 0..3 {
        let (tx, rx) = bounded(0);
        let mut parked: Vec<_> = (0..3).map(|_| Box::pin(rx.recv())).collect();
        for recv in &mut parked {
            assert!(poll(recv).is_pending());
        }
        drop(parked.remove(cancelled));
        assert_eq!(rx.waiting_receivers(), 2);
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        assert_eq!(tx.try_send(3), Err(TrySendError::Full(3)));
        assert_eq!(poll(&mut parked[0]), Ready(Ok(1)), "without {cancelled}");
        assert_eq!(poll(&mut parked[1]), Ready(Ok(2)), "without {cancelled}");
    }
}

#[test]
fn cancelled_parked_send_takes_nobody_elses_turn() {
    for cancelled in 0..3 {
        let (tx, rx) = bounded(0);
        let mut parked: Vec<_> = (0..3).map(|message| Box::pin(tx.send(message))).collect();
        for send in &mut parked {
            assert!(poll(send).is_pending());
        }
        drop(parked.remove(cancelled));
        assert_eq!(rx.waiting_senders(), 2);
        let left: Vec<_> = (0..3).filter(|&message| message != cancelled).collect();
        assert_eq!(rx.try_iter().collect::<Vec<_>>(), left);
    }
}

#[test]
fn waiters_cancelled_in_any_order_leave_the_line_intact() {
    let (tx, rx) = bounded(0);
    let mut parked: Vec<_> = (0..8).map(|_| Some(Box::pin(rx.recv()))).collect();
    for recv in parked.iter_mut().flatten() {
        assert!(poll(recv).is_pending());
    }
    // Neighbours, both ends, and in between.
    for (gone, n) in [3, 4, 0, 7, 1, 6].into_iter().enumerate() {
        parked[n] = None;
        assert_eq!(rx.waiting_receivers(), 7 - gone);
    }
    let mut late = pin!(rx.recv());
    assert!(poll(&mut late).is_pending());
    (1..=3).for_each(|message| tx.try_send(message).unwrap());
    let mut left: Vec<_> = parked.into_iter().flatten().collect();
    assert_eq!(poll(&mut left[0]), Ready(Ok(1)));
    assert_eq!(poll(&mut left[1]), Ready(Ok(2)));
    assert_eq!(poll(&mut late), Ready(Ok(3)));
}

#[test]
fn cancelled_recv_hands_its_message_on_to_the_oldest_parked_receiver_and_wakes_it() {
    let (tx, rx) = bounded(0);
    let (second, third) = (CountingWaker::new(), CountingWaker::new());
    let mut filled = Box::pin(rx.recv());
    let mut oldest = pin!(rx.recv());
    let mut newest = pin!(rx.recv());
    assert!(poll(&mut filled).is_pending());
    assert!(poll_with(&mut oldest, &second.waker()).is_pending());
    assert!(poll_with(&mut newest, &third.waker()).is_pending());
    tx.try_send(1).unwrap();

    drop(filled);
    assert_eq!((rx.len(), rx.waiting_receivers()), (0, 1));
    assert_eq!((second.wakes(), third.wakes()), (1, 0));
    assert_eq!(poll(&mut newest), Pending);
    assert_eq!(poll(&mut oldest), Ready(Ok(1)));
}

#[test]
fn cancelled_recv_gives_back_ahead_of_all_that_was_sent_later() {
    let (tx, rx) = bounded(2);
    let mut filled = Box::pin(rx.recv());
    assert!(poll(&mut filled).is_pending());
    for message in 1..=3 {
        tx.try_send(message).unwrap();
    }
    let mut parked = pin!(tx.send(4));
    assert!(poll(&mut parked).is_pending());
    drop(filled);
    assert_eq!(rx.len(), 3, "above capacity by the one given back");
    assert_eq!(rx.try_iter().collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn receiver_may_see_a_given_back_message_after_a_later_one() {
    for capacity in [0, 1, 64] {
        let (tx, rx) = bounded(capacity);
        let mut cancelled = Box::pin(rx.recv());
        let mut kept = pin!(rx.recv());
        assert!(poll(&mut cancelled).is_pending());
        assert!(poll(&mut kept).is_pending());
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        assert_eq!(poll(&mut kept), Ready(Ok(2)), "capacity {capacity}");
        drop(cancelled);
        assert_eq!(rx.try_recv(), Ok(1), "capacity {capacity}");
    }
}

#[test]
fn message_handed_on_keeps_its_number_when_it_is_given_back_again() {
    let (tx, rx) = bounded(0);
    let mut first = Box::pin(rx.recv());
    let mut second = Box::pin(rx.recv());
    let mut third = Box::pin(rx.recv());
    for recv in [&mut first, &mut second, &mut third] {
        assert!(poll(recv).is_pending());
    }
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    drop(first); // 1 goes on to the third
    drop(second); // 2 is given back
    drop(third); // 1 too, and later
    assert_eq!(rx.try_iter().collect::<Vec<_>>(), [1, 2]);
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn message_received_and_given_back_by_a_failed_receive_keeps_its_place() {
    let (tx, rx) = bounded(2);
    let mut filled = Box::pin(rx.recv());
    assert!(poll(&mut filled).is_pending());
    tx.try_send(1).unwrap();
    // 2 leaves after 1 did, by a receive whose wake of a sender panics.
    tx.try_send(2).unwrap();
    tx.try_send(3).unwrap();
    let mut parked = pin!(tx.send(4));
    assert!(poll_with(&mut parked, &support::panicking_waker("woken")).is_pending());
    support::panic_of(|| rx.try_recv());
    drop(filled);
    assert_eq!(rx.try_iter().collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn message_given_back_after_the_close_can_still_be_received() {
    let (tx, rx) = bounded(0);
    let mut filled = Box::pin(rx.recv());
    assert!(poll(&mut filled).is_pending());
    tx.try_send(1).unwrap();
    tx.close();
    assert_eq!(
        rx.try_recv(),
        Err(TryRecvError::Closed),
        "nothing there now"
    );
    drop(filled);
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn message_given_back_that_nobody_receives_drops_with_the_last_receiver() {
    let drops = Drops::new();
    let (tx, rx) = bounded(0);
    let mut filled = Box::pin(rx.recv());
    assert!(poll(&mut filled).is_pending());
    tx.try_send(drops.message(1)).unwrap();
    drop(filled);
    assert_eq!((drops.count(), rx.len()), (0, 1));
    drop(rx);
    assert_eq!((drops.count(), tx.len()), (1, 0));
}

#[test]
fn cancelled_parked_send_drops_its_message_at_once_and_delivers_nothing() {
    for capacity in [0, 1] {
        let drops = Drops::new();
        let counter = CountingWaker::new();
        let (tx, rx) = bounded(capacity);
        (0..capacity).for_each(|id| tx.try_send(drops.message(id)).unwrap());
        let mut send = Box::pin(tx.send(drops.message(9)));
        assert!(poll_with(&mut send, &counter.waker()).is_pending());
        drop(send);
        assert_eq!((drops.count(), rx.waiting_senders()), (1, 0));
        assert_eq!((counter.wakes(), counter.wakers()), (0, 0));
        assert_eq!(rx.try_iter().count(), capacity);
    }
}

#[test]
fn send_cancelled_after_its_message_was_taken_has_sent_it() {
    let drops = Drops::new();
    let (tx, rx) = bounded(0);
    let mut send = Box::pin(tx.send(drops.message(1)));
    assert!(poll(&mut send).is_pending());
    let message = rx.try_recv().unwrap();
    drop(send);
    assert_eq!((message.id, drops.count()), (1, 0));
}

#[test]
fn send_cancelled_after_its_message_was_promoted_has_sent_it() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let mut send = Box::pin(tx.send(2));
    assert!(poll(&mut send).is_pending());
    assert_eq!(rx.try_recv(), Ok(1));
    drop(send);
    assert_eq!(rx.try_recv(), Ok(2));
}

#[test]
fn send_cancelled_after_the_close_drops_its_message_once() {
    let drops = Drops::new();
    let (tx, rx) = bounded(0);
    let mut send = Box::pin(tx.send(drops.message(1)));
    assert!(poll(&mut send).is_pending());
    rx.close();
    assert_eq!(drops.count(), 0, "it is the sender's");
    drop(send);
    assert_eq!(drops.count(), 1);
}

#[test]
fn future_dropped_before_its_first_poll_does_nothing_but_drop_its_message() {
    let drops = Drops::new();
    let (tx, rx) = bounded(1);
    drop(tx.send(drops.message(1)));
    assert_eq!((drops.count(), rx.len()), (1, 0));
    tx.try_send(drops.message(2)).unwrap();
    drop(rx.recv());
    assert_eq!((drops.count(), rx.len()), (1, 1));
}

#[test]
fn completed_futures_drop_without_effect() {
    let drops = Drops::new();
    let (tx, rx) = bounded(1);
    let mut send = Box::pin(tx.send(drops.message(1)));
    assert_eq!(poll(&mut send), Ready(Ok(())));
    drop(send);
    let mut recv = Box::pin(rx.recv());
    let received = poll(&mut recv);
    drop(recv);
    assert_eq!((drops.count(), rx.len()), (0, 0));
    assert!(matches!(received, Ready(Ok(message)) if message.id == 1));
}

#[test]
fn message_handed_to_a_future_that_nobody_polls_waits_there_for_it() {
    let (tx, rx) = bounded(1);
    let mut idle = pin!(rx.recv());
    assert!(poll(&mut idle).is_pending());
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    drop(tx);
    assert_eq!(rx.recv_blocking(), Ok(2), "the next one");
    assert_eq!(rx.recv_blocking(), Err(RecvError));
    assert_eq!(poll(&mut idle), Ready(Ok(1)));
}
