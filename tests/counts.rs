//! What can be asked of a channel: counts of messages, handles and waiters, and its `Debug` form.

mod support;

use std::{
    pin::pin,
    task::Poll::{Pending, Ready},
    thread,
};

use hchan::{Receiver, Sender, TrySendError, bounded, select, unbounded};
#[cfg(not(feature = "std"))]
use support::blocking::*;
use support::{poll, scaled, until};

/// What both ends say, which has to be the same.
fn len_empty_full<T>(tx: &Sender<T>, rx: &Receiver<T>) -> (usize, bool, bool) {
    let sender_says = (tx.len(), tx.is_empty(), tx.is_full());
    let receiver_says = (rx.len(), rx.is_empty(), rx.is_full());
    assert_eq!(sender_says, receiver_says);
    sender_says
}

fn waiting<T>(tx: &Sender<T>, rx: &Receiver<T>) -> (usize, usize) {
    let sender_says = (tx.waiting_senders(), tx.waiting_receivers());
    let receiver_says = (rx.waiting_senders(), rx.waiting_receivers());
    assert_eq!(sender_says, receiver_says);
    sender_says
}

#[test]
fn len_counts_what_is_buffered_and_full_means_no_room() {
    let (tx, rx) = bounded(2);
    assert_eq!(len_empty_full(&tx, &rx), (0, true, false));
    tx.try_send(1).unwrap();
    assert_eq!(len_empty_full(&tx, &rx), (1, false, false));
    tx.try_send(2).unwrap();
    assert_eq!(len_empty_full(&tx, &rx), (2, false, true));
    rx.try_recv().unwrap();
    assert_eq!(len_empty_full(&tx, &rx), (1, false, false));
    rx.try_recv().unwrap();
    assert_eq!(len_empty_full(&tx, &rx), (0, true, false));
}

#[test]
fn rendezvous_channel_is_empty_always_and_full_unless_a_receiver_is_parked() {
    let (tx, rx) = bounded(0);
    assert_eq!(len_empty_full(&tx, &rx), (0, true, true));
    let mut send = Box::pin(tx.send(1));
    assert_eq!(poll(&mut send), Pending);
    assert_eq!(
        len_empty_full(&tx, &rx),
        (0, true, true),
        "a sender is parked"
    );
    drop(send);
    let mut recv = Box::pin(rx.recv());
    assert_eq!(poll(&mut recv), Pending);
    assert_eq!(len_empty_full(&tx, &rx), (0, true, false), "a receiver is");
    tx.try_send(2).unwrap();
    assert_eq!(len_empty_full(&tx, &rx), (0, true, true), "it was served");
}

#[test]
fn message_handed_to_a_parked_receive_is_in_no_count_so_capacity_1_takes_two() {
    let (tx, rx) = bounded(1);
    let mut recv = Box::pin(rx.recv());
    assert_eq!(poll(&mut recv), Pending);
    tx.try_send(1).unwrap();
    assert_eq!(len_empty_full(&tx, &rx), (0, true, false));
    assert_eq!(waiting(&tx, &rx), (0, 0));
    tx.try_send(2).unwrap();
    assert_eq!(len_empty_full(&tx, &rx), (1, false, true));
    assert_eq!(tx.try_send(3), Err(TrySendError::Full(3)));
    assert_eq!((poll(&mut recv), rx.try_recv()), (Ready(Ok(1)), Ok(2)));
}

#[test]
fn closed_channel_with_room_is_not_full() {
    let (tx, rx) = bounded(1);
    tx.close();
    assert_eq!(len_empty_full(&tx, &rx), (0, true, false));
    assert_eq!(tx.try_send(1), Err(TrySendError::Closed(1)));
}

#[test]
fn permit_takes_a_place_and_is_not_in_len() {
    let (tx, rx) = bounded(1);
    let permit = tx.try_reserve().unwrap();
    assert_eq!(len_empty_full(&tx, &rx), (0, true, true));
    permit.send(1).unwrap();
    assert_eq!(len_empty_full(&tx, &rx), (1, false, true));
}

#[test]
fn unbounded_channel_is_never_full() {
    let (tx, rx) = unbounded();
    for n in 0..scaled(10_000) {
        assert_eq!(len_empty_full(&tx, &rx), (n, n == 0, false));
        tx.try_send(n).unwrap();
    }
}

#[test]
fn given_back_messages_count_but_take_no_place() {
    let (tx, rx) = bounded(2);
    let mut holders: Vec<_> = (0..2).map(|_| Box::pin(rx.recv())).collect();
    for holder in &mut holders {
        assert!(poll(holder).is_pending());
    }
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    assert_eq!(len_empty_full(&tx, &rx), (0, true, false), "handed over");
    drop(holders);
    assert_eq!(len_empty_full(&tx, &rx), (2, false, false), "given back");
    tx.try_send(3).unwrap();
    assert_eq!(len_empty_full(&tx, &rx), (3, false, false));
    tx.try_send(4).unwrap();
    assert_eq!(len_empty_full(&tx, &rx), (4, false, true));
    assert_eq!(rx.try_iter().collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(len_empty_full(&tx, &rx), (0, true, false));
}

#[test]
fn given_back_messages_make_a_rendezvous_channel_not_empty_and_still_full() {
    let (tx, rx) = bounded(0);
    let mut holder = Box::pin(rx.recv());
    assert!(poll(&mut holder).is_pending());
    tx.try_send(1).unwrap();
    drop(holder);
    assert_eq!(len_empty_full(&tx, &rx), (1, false, true));
}

#[test]
fn capacity_is_what_was_asked_for() {
    for capacity in [0, 1, 1_000, usize::MAX] {
        let (tx, rx) = bounded::<u8>(capacity);
        assert_eq!(
            (tx.capacity(), rx.capacity()),
            (Some(capacity), Some(capacity))
        );
    }
    let (tx, rx) = unbounded::<u8>();
    assert_eq!((tx.capacity(), rx.capacity()), (None, None));
}

#[test]
fn handle_counts_follow_clones_and_drops() {
    let (tx, rx) = bounded::<u8>(1);
    let counts = |tx: &Sender<u8>| (tx.sender_count(), tx.receiver_count());
    assert_eq!(counts(&tx), (1, 1));
    let (tx2, rx2) = (tx.clone(), rx.clone());
    let rx3 = rx2.clone();
    assert_eq!(counts(&tx), (2, 3));
    assert_eq!((rx.sender_count(), rx.receiver_count()), (2, 3));
    let weak = (tx.downgrade(), rx.downgrade());
    assert_eq!(counts(&tx), (2, 3), "weak ones do not count");
    drop((tx2, rx2, rx3));
    assert_eq!(counts(&tx), (1, 1));
    drop(rx);
    assert_eq!(counts(&tx), (1, 0));
    drop(weak);
}

#[test]
fn stream_counts_as_the_receiver_it_is_made_of() {
    let (tx, rx) = bounded::<u8>(1);
    let mut borrowed = rx.stream();
    let _ = poll(&mut futures::StreamExt::next(&mut borrowed));
    assert_eq!(tx.receiver_count(), 1);
    drop(borrowed);
    let owned = rx.into_stream();
    assert_eq!(tx.receiver_count(), 1);
    drop(owned);
    assert_eq!(tx.receiver_count(), 0);
}

#[test]
fn waiting_counts_follow_parking_completion_cancelling_and_close() {
    let (tx, rx) = bounded(0);
    assert_eq!(waiting(&tx, &rx), (0, 0));
    let mut recvs: Vec<_> = (0..3).map(|_| Box::pin(rx.recv())).collect();
    for (n, recv) in recvs.iter_mut().enumerate() {
        assert!(poll(recv).is_pending());
        assert_eq!(waiting(&tx, &rx), (0, n + 1));
    }
    tx.try_send(0).unwrap();
    assert_eq!(waiting(&tx, &rx), (0, 2), "one was served");
    drop(recvs.pop());
    assert_eq!(waiting(&tx, &rx), (0, 1), "one was cancelled");
    drop(recvs);
    assert_eq!(rx.try_recv(), Ok(0));

    let mut sends: Vec<_> = (0..4).map(|message| Box::pin(tx.send(message))).collect();
    for (n, send) in sends.iter_mut().enumerate() {
        assert!(poll(send).is_pending());
        assert_eq!(waiting(&tx, &rx), (n + 1, 0));
    }
    rx.try_recv().unwrap();
    assert_eq!(waiting(&tx, &rx), (3, 0), "one was served");
    drop(sends.pop());
    assert_eq!(waiting(&tx, &rx), (2, 0), "one was cancelled");
    tx.close();
    assert_eq!(waiting(&tx, &rx), (0, 0));
}

#[test]
fn select_counts_once_for_each_of_its_arms() {
    let (tx, rx) = bounded::<u8>(0);
    let (full, _other) = bounded(0);
    let mut selecting = Box::pin(async {
        select! {
            recv(rx) -> _ => {}
            recv(rx) -> _ => {}
            send(full, 1) -> _ => {}
            send(full, 2) -> _ => {}
            send(full, 3) -> _ => {}
        }
    });
    assert_eq!(poll(&mut selecting), Pending);
    assert_eq!(waiting(&tx, &rx), (0, 2));
    assert_eq!(full.waiting_senders(), 3);
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn blocked_threads_count_as_waiting() {
    let (tx, rx) = bounded(0);
    thread::scope(|threads| {
        threads.spawn(|| rx.recv_blocking().unwrap());
        threads.spawn(|| rx.recv().wait().unwrap());
        until(|| rx.waiting_receivers() == 2);
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
    });
    thread::scope(|threads| {
        threads.spawn(|| tx.send_blocking(3).unwrap());
        until(|| rx.waiting_senders() == 1);
        assert_eq!(rx.try_recv(), Ok(3));
    });
    assert_eq!(waiting(&tx, &rx), (0, 0));
}

#[test]
fn room_is_what_messages_permits_and_parked_receivers_leave() {
    let (tx, rx) = bounded(3);
    let room = || {
        assert_eq!(tx.room(), rx.room());
        assert_eq!(tx.permit_count(), rx.permit_count());
        (tx.room(), tx.permit_count())
    };
    assert_eq!(room(), (Some(3), 0));
    tx.try_send(1).unwrap();
    let permit = tx.try_reserve().unwrap();
    assert_eq!(room(), (Some(1), 1));
    permit.send(2).unwrap();
    assert_eq!(room(), (Some(1), 0));
    assert_eq!(rx.drain().count(), 2);
    let mut receive = pin!(rx.recv());
    assert_eq!(poll(&mut receive), Pending);
    assert_eq!(room(), (Some(4), 0));
    tx.close();
    assert_eq!(room(), (Some(0), 0), "none in a closed channel");

    let (tx, rx) = unbounded::<u8>();
    let permit = tx.try_reserve().unwrap();
    assert_eq!((tx.room(), rx.room(), rx.permit_count()), (None, None, 1));
    drop(permit);
    let never = hchan::never::<u8>();
    assert_eq!((never.room(), never.permit_count()), (Some(0), 0));
}

#[test]
fn weak_handles_count_and_compare_without_being_upgraded() {
    let (tx, rx) = bounded::<u8>(1);
    let (weak_tx, weak_rx) = (tx.downgrade(), rx.downgrade());
    let _second = rx.clone();
    let counts = || {
        let from_sender = (weak_tx.sender_count(), weak_tx.receiver_count());
        let from_receiver = (weak_rx.sender_count(), weak_rx.receiver_count());
        assert_eq!(from_sender, from_receiver);
        from_sender
    };
    assert_eq!(counts(), (1, 2));
    drop(tx);
    assert_eq!(counts(), (0, 2));
    assert!(weak_tx.same_channel(&weak_tx.clone()) && weak_rx.same_channel(&rx.downgrade()));
    let (other_tx, other_rx) = bounded(1);
    assert!(!weak_tx.same_channel(&other_tx.downgrade()));
    assert!(!weak_rx.same_channel(&other_rx.downgrade()));

    let never = hchan::never::<u8>().downgrade();
    assert_eq!((never.sender_count(), never.receiver_count()), (0, 1));
    assert!(never.same_channel(&never.clone()) && !never.same_channel(&weak_rx));
}

#[test]
fn debug_shows_the_channel_at_that_moment_on_every_handle() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let mut parked = pin!(tx.send(2));
    assert_eq!(poll(&mut parked), Pending);
    let state = "{ len: 1, capacity: Some(1), closed: false, permits: 0, waiting_senders: 1, waiting_receivers: 0, .. }";
    assert_eq!(format!("{tx:?}"), format!("Sender {state}"));
    assert_eq!(format!("{rx:?}"), format!("Receiver {state}"));
    assert_eq!(
        format!("{:?}", tx.downgrade()),
        format!("WeakSender {state}")
    );
    assert_eq!(
        format!("{:?}", rx.downgrade()),
        format!("WeakReceiver {state}")
    );
    tx.close();
    let state = "{ len: 1, capacity: Some(1), closed: true, permits: 0, waiting_senders: 0, waiting_receivers: 0, .. }";
    assert_eq!(format!("{rx:?}"), format!("Receiver {state}"));

    let (tx, _rx) = unbounded::<u8>();
    assert!(format!("{tx:?}").contains("capacity: None"), "{tx:?}");
    let never = hchan::never::<u8>();
    assert_eq!(format!("{never:?}"), "Receiver(never)");
    assert_eq!(format!("{:?}", never.downgrade()), "WeakReceiver(never)");
}
