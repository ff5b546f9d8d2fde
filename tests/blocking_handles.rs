//! The handles of `hchan::blocking`: their calls wait in place, and nothing of the async handles is reached through them.

#![cfg(feature = "std")]
#![cfg(not(target_family = "wasm"))] // it needs threads

mod support;

use std::{
    borrow::Borrow,
    fmt::Debug,
    ops::{Deref, DerefMut},
    panic::{RefUnwindSafe, UnwindSafe},
    pin::pin,
    ptr,
    task::Poll::Ready,
    thread,
    time::{Duration, Instant},
};

use hchan::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
    blocking::{self, bounded, never, unbounded},
};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use support::{Drops, poll, until};

const MOMENT: Duration = Duration::from_millis(5);
/// Never comes while a test runs.
const LONG: Duration = Duration::from_secs(3_600);

#[test]
fn discarded_result_of_a_send_does_not_undo_the_send() {
    let (tx, rx) = unbounded();
    let _ = tx.send(1);
    tx.send(2).ok();
    drop(tx.send_many([3, 4]));
    assert_eq!(rx.try_iter().collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn discarded_result_of_a_receive_does_not_undo_the_wait() {
    let (stop, stopped) = bounded::<()>(0);
    thread::scope(|threads| {
        let worker = threads.spawn(|| {
            let _ = stopped.recv();
        });
        until(|| stop.waiting_receivers() == 1);
        assert!(!worker.is_finished());
        assert_eq!(stop.send(()), Ok(()));
    });
}

#[test]
fn send_and_recv_wait_for_each_other() {
    let (tx, rx) = bounded(0);
    thread::scope(|threads| {
        let receiving = threads.spawn(|| rx.recv());
        until(|| tx.waiting_receivers() == 1);
        assert_eq!(tx.send(1), Ok(()));
        assert_eq!(receiving.join().unwrap(), Ok(1));

        let sending = threads.spawn(|| tx.send(2));
        until(|| rx.waiting_senders() == 1);
        assert_eq!(rx.recv(), Ok(2));
        assert_eq!(sending.join().unwrap(), Ok(()));
    });
    rx.close();
    assert_eq!(tx.send(3), Err(SendError(3)));
    assert_eq!(rx.recv(), Err(RecvError));
}

#[test]
fn timed_calls_give_up_when_the_time_is_up_and_return_the_message() {
    let (tx, rx) = bounded(1);
    let start = Instant::now();
    assert_eq!(rx.recv_timeout(MOMENT), Err(RecvTimeoutError::Timeout));
    let deadline = Instant::now() + MOMENT;
    assert_eq!(rx.recv_deadline(deadline), Err(RecvTimeoutError::Timeout));
    assert!(start.elapsed() >= 2 * MOMENT);

    assert_eq!(tx.send_timeout(1, LONG), Ok(()));
    let start = Instant::now();
    assert_eq!(
        tx.send_timeout(2, MOMENT),
        Err(SendTimeoutError::Timeout(2))
    );
    let deadline = Instant::now() + MOMENT;
    assert_eq!(
        tx.send_deadline(3, deadline),
        Err(SendTimeoutError::Timeout(3))
    );
    assert!(start.elapsed() >= 2 * MOMENT);
    assert_eq!((rx.len(), tx.waiting_senders()), (1, 0));
}

#[test]
fn timed_calls_act_at_once_where_they_can() {
    let (tx, rx) = bounded(2);
    let past = Instant::now();
    assert_eq!(tx.send_deadline(1, past), Ok(()));
    assert_eq!(tx.send_timeout(2, Duration::ZERO), Ok(()));
    assert_eq!(rx.recv_deadline(past), Ok(1));
    assert_eq!(rx.recv_timeout(Duration::ZERO), Ok(2));
}

#[test]
fn calls_that_never_wait_say_full_empty_and_closed() {
    let (tx, rx) = bounded(1);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(tx.try_send(1), Ok(()));
    assert_eq!(tx.try_send(2), Err(TrySendError::Full(2)));
    assert_eq!(tx.force_send(3), Ok(Some(1)));
    assert_eq!(rx.try_recv(), Ok(3));
    let unsent = tx.try_send_many([4, 5, 6]).unwrap_err();
    assert!(unsent.is_full() && unsent.into_inner().sent == 1);
    assert!(tx.close() && !rx.close() && tx.is_closed() && rx.is_closed());
    assert_eq!(tx.try_send(7), Err(TrySendError::Closed(7)));
    assert_eq!(rx.try_recv(), Ok(4));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn send_many_waits_for_room_and_recv_many_for_a_message() {
    let (tx, rx) = bounded(1);
    thread::scope(|threads| {
        let sending = threads.spawn(|| tx.send_many(0..5).map_err(|error| error.sent));
        let mut received = Vec::new();
        while received.len() < 5 {
            rx.recv_many(&mut received, 2).unwrap();
        }
        assert_eq!(received, [0, 1, 2, 3, 4]);
        assert_eq!(sending.join().unwrap(), Ok(5));

        let receiving = threads.spawn(|| {
            let mut received = Vec::new();
            (rx.recv_many(&mut received, 2), received)
        });
        until(|| rx.waiting_receivers() == 1);
        tx.send(5).unwrap();
        assert_eq!(receiving.join().unwrap(), (Ok(1), vec![5]));
    });
    tx.send(6).unwrap();
    assert_eq!(rx.try_recv_many(&mut Vec::new(), 9), Ok(1));
    tx.send(7).unwrap();
    assert_eq!(rx.drain().collect::<Vec<_>>(), [7]);
}

#[test]
fn reserve_waits_for_room_and_returns_the_permit() {
    let (tx, rx) = bounded(1);
    tx.send(1).unwrap();
    assert!(tx.try_reserve().is_err());
    thread::scope(|threads| {
        let reserving = threads.spawn(|| tx.reserve().unwrap().send(2));
        until(|| rx.waiting_senders() == 1);
        assert_eq!(rx.recv(), Ok(1));
        assert_eq!(reserving.join().unwrap(), Ok(()));
    });
    assert_eq!(rx.recv(), Ok(2));
    let permit = tx.try_reserve().unwrap();
    assert!(tx.is_full());
    drop(permit);
    assert_eq!((tx.room(), rx.room()), (Some(1), Some(1)));
    let permits = tx.try_reserve_many(2).unwrap();
    assert_eq!((tx.permit_count(), rx.permit_count()), (1, 1));
    drop(permits);
    assert_eq!(tx.reserve_many(2).unwrap().len(), 1);
    rx.close();
    assert_eq!(tx.reserve().unwrap_err(), SendError(()));
    assert_eq!(tx.reserve_many(2).unwrap_err(), SendError(()));
}

#[test]
fn wait_closed_ends_with_the_close_and_wait_drained_with_the_last_message() {
    // A call that returned early would most likely do so while the other thread sleeps.
    let (tx, rx) = bounded(1);
    tx.send(1).unwrap();
    thread::scope(|threads| {
        threads.spawn(|| {
            thread::sleep(MOMENT);
            tx.close();
        });
        rx.wait_closed();
        assert!(rx.is_closed());
    });
    thread::scope(|threads| {
        threads.spawn(|| {
            thread::sleep(MOMENT);
            rx.recv().unwrap();
        });
        tx.wait_drained();
        assert!(tx.is_empty());
    });
    tx.wait_closed();
    rx.wait_drained();

    let (tx, rx) = bounded(1);
    tx.send(1).unwrap();
    thread::scope(|threads| {
        threads.spawn(|| {
            thread::sleep(MOMENT);
            rx.close();
        });
        tx.wait_closed();
        assert!(tx.is_closed());
    });
    thread::scope(|threads| {
        threads.spawn(|| {
            thread::sleep(MOMENT);
            drop(rx.drain());
        });
        rx.wait_drained();
        assert!(rx.is_empty());
    });
}

#[test]
fn receivers_iterate_by_value_and_by_reference_until_the_channel_ends() {
    let (tx, rx) = bounded(0);
    thread::scope(|threads| {
        let sending = threads.spawn(move || (0..6).try_for_each(|n| tx.send(n)));
        assert_eq!(rx.iter().next(), Some(0));
        assert_eq!((&rx).into_iter().next(), Some(1));
        let mut rest = vec![];
        for message in rx {
            rest.push(message);
        }
        assert_eq!(rest, [2, 3, 4, 5]);
        assert_eq!(sending.join().unwrap(), Ok(()));
    });
}

#[test]
fn owned_iterator_stays_ended_though_a_message_is_given_back_later() {
    let (tx, rx) = bounded(0);
    let mut holder = Box::pin(rx.as_async().recv());
    assert!(poll(&mut holder).is_pending());
    tx.try_send(1).unwrap();
    drop(tx);
    let mut messages = rx.clone().into_iter();
    assert_eq!(messages.next(), None);
    drop(holder);
    assert_eq!((rx.len(), messages.next()), (1, None));
    assert_eq!(rx.try_recv(), Ok(1));
}

#[test]
fn dropped_owned_iterator_closes_and_drops_what_is_left() {
    let drops = Drops::new();
    let (tx, rx) = unbounded();
    (0..3).for_each(|n| tx.send(drops.message(n)).unwrap());
    let mut messages = rx.into_iter();
    assert!(messages.next().is_some());
    drop(messages);
    assert_eq!((drops.count(), tx.is_closed()), (3, true));
}

#[test]
fn blocking_handles_count_as_the_handles_that_they_wrap() {
    let (tx, rx) = hchan::bounded::<u8>(3);
    let (tx, rx) = (tx.into_blocking(), rx.into_blocking());
    let (tx2, rx2) = (tx.clone(), rx.clone());
    let _third = rx.clone();
    assert_eq!((tx.sender_count(), tx.receiver_count()), (2, 3));
    assert_eq!((rx.sender_count(), rx.receiver_count()), (2, 3));
    assert!(tx.same_channel(&tx2) && rx.same_channel(&rx2));
    assert!(!tx.same_channel(&bounded(1).0) && !rx.same_channel(&bounded(1).1));
    assert_eq!((tx.capacity(), rx.capacity()), (Some(3), Some(3)));
    tx.send(1).unwrap();
    assert_eq!((tx.len(), rx.len()), (1, 1));
    assert!(!tx.is_empty() && !rx.is_empty() && !tx.is_full() && !rx.is_full());
    drop((tx, tx2));
    assert!(rx.is_closed());
    assert_eq!(format!("{rx:?}"), format!("{:?}", rx.as_async()));
}

#[test]
fn weak_handles_upgrade_to_blocking_ones() {
    let (tx, rx) = bounded(1);
    let (weak_tx, weak_rx) = (tx.downgrade(), rx.downgrade());
    let again: Option<blocking::Sender<_>> = weak_tx.clone().upgrade();
    again.unwrap().send(1).unwrap();
    let again: Option<blocking::Receiver<_>> = weak_rx.clone().upgrade();
    assert_eq!(again.unwrap().recv(), Ok(1));
    assert_eq!((weak_tx.sender_count(), weak_tx.receiver_count()), (1, 1));
    assert_eq!((weak_rx.sender_count(), weak_rx.receiver_count()), (1, 1));
    assert!(weak_tx.same_channel(&tx.downgrade()) && weak_rx.same_channel(&rx.downgrade()));
    let other = bounded(1);
    assert!(!weak_tx.same_channel(&other.0.downgrade()));
    assert!(!weak_rx.same_channel(&other.1.downgrade()));
    drop(tx);
    assert!(rx.is_closed(), "a weak sender keeps it open");
    assert!(weak_tx.upgrade().is_none());
    drop(rx);
    assert!(weak_rx.upgrade().is_none());
}

#[test]
fn conversions_lead_to_the_same_handle_and_back() {
    let (tx, rx) = hchan::bounded(2);
    let (blocking_tx, blocking_rx) = (tx.as_blocking(), rx.as_blocking());
    assert!(ptr::addr_eq(blocking_tx, &tx) && ptr::addr_eq(blocking_rx, &rx));
    assert!(ptr::eq(blocking_tx.as_async(), &tx) && ptr::eq(blocking_rx.as_async(), &rx));
    blocking_tx.send(1).unwrap();
    assert_eq!(rx.try_recv(), Ok(1));

    let (tx, rx) = (tx.into_blocking(), rx.into_blocking());
    assert_eq!((tx.sender_count(), rx.receiver_count()), (1, 1));
    tx.send(2).unwrap();
    let (tx, rx) = (tx.into_async(), rx.into_async());
    assert_eq!((tx.sender_count(), rx.receiver_count()), (1, 1));
    assert_eq!(poll(&mut pin!(rx.recv())), Ready(Ok(2)));
    assert_eq!(poll(&mut pin!(tx.send(3))), Ready(Ok(())));
}

#[test]
fn nothing_happens_on_never() {
    let rx = never::<u8>();
    assert_eq!(rx.recv_timeout(MOMENT), Err(RecvTimeoutError::Timeout));
    assert_eq!(rx.try_iter().next(), None);
    assert!(!rx.close());
    assert!(rx.downgrade().upgrade().is_some());
    assert!(rx.into_async().as_blocking().is_empty());
}

#[test]
fn handles_have_the_layout_and_the_auto_traits_of_those_that_they_wrap() {
    assert_eq!(
        size_of::<blocking::Sender<u64>>(),
        size_of::<hchan::Sender<u64>>()
    );
    assert_eq!(
        size_of::<Option<blocking::Receiver<u64>>>(),
        size_of::<Option<hchan::Receiver<u64>>>()
    );
    type Sent = std::cell::Cell<u8>;
    type Local = std::rc::Rc<u8>;
    assert_impl_all!(blocking::Sender<Sent>: Send, Sync, Unpin, Clone, Debug);
    assert_impl_all!(blocking::Receiver<Sent>: Send, Sync, Unpin, Clone, Debug);
    assert_impl_all!(blocking::WeakSender<Sent>: Send, Sync, Unpin, Clone, Debug);
    assert_impl_all!(blocking::WeakReceiver<Sent>: Send, Sync, Unpin, Clone, Debug);
    assert_impl_all!(blocking::IntoIter<Sent>: Send, Sync, Unpin, Debug);
    assert_impl_all!(blocking::Sender<Sent>: UnwindSafe, RefUnwindSafe);
    assert_impl_all!(blocking::Receiver<Sent>: UnwindSafe, RefUnwindSafe);
    assert_not_impl_any!(blocking::Sender<Local>: Send, Sync);
    assert_not_impl_any!(blocking::Receiver<Local>: Send, Sync);
    assert_not_impl_any!(blocking::WeakSender<Local>: Send, Sync);
    assert_not_impl_any!(blocking::WeakReceiver<Local>: Send, Sync);
    assert_not_impl_any!(blocking::IntoIter<Local>: Send, Sync);
}

#[test]
fn nothing_leads_to_the_async_handles_unseen() {
    type Tx = hchan::Sender<u8>;
    type Rx = hchan::Receiver<u8>;
    assert_not_impl_any!(blocking::Sender<u8>: Deref, DerefMut, AsRef<Tx>, Borrow<Tx>, Into<Tx>);
    assert_not_impl_any!(blocking::Receiver<u8>: Deref, DerefMut, AsRef<Rx>, Borrow<Rx>, Into<Rx>);
    assert_not_impl_any!(blocking::Receiver<u8>: futures::Stream, Future);
}
