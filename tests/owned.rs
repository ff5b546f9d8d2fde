//! `into_send` and `into_recv`: futures that own their handle and give it back.

mod support;

use std::{
    future::{pending, ready},
    pin::{Pin, pin},
    task::Poll::{self, Ready},
    thread,
};

use futures::{StreamExt, executor::block_on, future::FusedFuture, stream::FuturesUnordered};
use hchan::{
    IntoClosed, IntoRecv, IntoSend, RecvError, RecvTimeoutError, Select, SendError,
    SendTimeoutError, TryRecvError, bounded, never, unbounded,
};
#[cfg(not(feature = "std"))]
use support::blocking::*;
use support::{CountingWaker, Drops, Stop, panic_of, panicking_waker, poll, poll_with, stop_after};

// The result and the handle.

#[test]
fn owned_futures_give_their_handle_back() {
    let (tx, rx) = bounded(1);
    let (weak_tx, weak_rx) = (tx.downgrade(), rx.downgrade());
    let (tx, sent) = block_on(tx.into_send(1));
    let (rx, received) = block_on(rx.into_recv());
    assert_eq!((sent, received), (Ok(()), Ok(1)));
    assert_eq!((tx.sender_count(), tx.receiver_count()), (1, 1));
    drop(tx);
    assert!(weak_tx.upgrade().is_none(), "it was the only one");
    let (rx, received) = block_on(rx.into_recv());
    assert_eq!(received, Err(RecvError));
    drop(rx);
    assert!(weak_rx.upgrade().is_none(), "it was the only one");
}

#[test]
fn owned_send_into_a_closed_channel_returns_its_message_and_sender() {
    let (tx, rx) = bounded(1);
    rx.close();
    let (tx, sent) = block_on(tx.into_send(1));
    assert_eq!(sent, Err(SendError(1)));
    assert!(tx.is_closed());
}

#[test]
fn parked_owned_futures_are_completed_by_their_peers() {
    let (tx, rx) = bounded(0);
    let counter = CountingWaker::new();
    let (other_tx, other_rx) = (tx.clone(), rx.clone());

    let mut recv = pin!(rx.into_recv());
    assert!(poll_with(&mut recv, &counter.waker()).is_pending());
    assert!(!recv.is_terminated());
    other_tx.try_send(1).unwrap();
    assert_eq!(counter.wakes(), 1);
    let Ready((rx, Ok(1))) = poll(&mut recv) else {
        panic!("it was handed a message");
    };
    assert!(recv.is_terminated() && rx.same_channel(&other_rx));

    let mut send = pin!(tx.into_send(2));
    assert!(poll_with(&mut send, &counter.waker()).is_pending());
    assert!(!send.is_terminated());
    assert_eq!(rx.try_recv(), Ok(2));
    assert_eq!(counter.wakes(), 2);
    let Ready((tx, Ok(()))) = poll(&mut send) else {
        panic!("its message was taken");
    };
    assert!(send.is_terminated() && tx.same_channel(&other_tx));
}

#[test]
fn close_ends_parked_owned_futures_with_their_handles() {
    let (tx, rx) = bounded(0);
    let (parked_tx, parked_rx) = (tx.clone(), never::<u8>());
    let mut send = pin!(parked_tx.into_send(1));
    assert!(poll(&mut send).is_pending());
    rx.close();
    let Ready((parked_tx, Err(SendError(1)))) = poll(&mut send) else {
        panic!("the channel was closed");
    };
    assert_eq!(parked_tx.sender_count(), 2);

    let mut recv = pin!(parked_rx.into_recv());
    assert!(poll(&mut recv).is_pending());
    assert!(!recv.is_terminated());
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn completed_owned_futures_are_not_polled_again() {
    let (tx, rx) = bounded(1);
    let (mut send, mut recv) = (pin!(tx.into_send(1)), pin!(rx.into_recv()));
    let handles = (poll(&mut send), poll(&mut recv));
    assert_eq!(
        panic_of(|| poll(&mut send)),
        "a send was polled again after it had completed"
    );
    assert_eq!(
        panic_of(|| poll(&mut recv)),
        "a receive was polled again after it had completed"
    );
    drop(handles);
}

// Owning.

#[test]
fn owned_futures_keep_their_channel_open() {
    let (tx, rx) = bounded::<u8>(1);
    let send = tx.into_send(1);
    assert!(!rx.is_closed());
    assert_eq!(rx.sender_count(), 1);
    drop(send);
    assert!(rx.is_closed(), "that was the last sender");

    let (tx, rx) = bounded::<u8>(1);
    let mut recv = Box::pin(rx.into_recv());
    assert!(poll(&mut recv).is_pending());
    assert!(!tx.is_closed());
    drop(recv);
    assert!(tx.is_closed(), "that was the last receiver");
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn owned_futures_live_in_structs_and_go_to_other_threads() {
    struct Both {
        send: Pin<Box<IntoSend<u8>>>,
        recv: Pin<Box<IntoRecv<u8>>>,
    }
    let (tx, rx) = bounded(0);
    let mut both = Both {
        send: Box::pin(tx.into_send(1)),
        recv: Box::pin(rx.into_recv()),
    };
    assert!(poll(&mut both.recv).is_pending());
    let sending = thread::spawn(move || block_on(both.send).1);
    assert_eq!(block_on(both.recv).1, Ok(1));
    assert_eq!(sending.join().unwrap(), Ok(()));
}

#[test]
fn many_owned_futures_wait_in_one_place() {
    let (tx, rx) = unbounded();
    let receives: FuturesUnordered<_> = (0..10).map(|_| rx.clone().into_recv()).collect();
    let mut received = receives.map(|(_rx, received)| received.unwrap());
    assert!(poll(&mut received.next()).is_pending());
    assert_eq!(rx.waiting_receivers(), 10);
    (0..10).for_each(|n| tx.try_send(n).unwrap());
    assert_eq!(
        block_on(received.collect::<Vec<_>>()),
        (0..10).collect::<Vec<_>>()
    );
}

#[test]
fn owned_futures_show_their_handle_until_they_return_it() {
    let (tx, rx) = bounded(1);
    let (mut send, mut recv) = (pin!(tx.into_send(1)), pin!(rx.into_recv()));
    let shown = (send.sender().unwrap(), recv.receiver().unwrap());
    assert_eq!((shown.0.receiver_count(), shown.1.sender_count()), (1, 1));
    let handles = (poll(&mut send), poll(&mut recv));
    assert!(send.sender().is_none() && recv.receiver().is_none());
    drop(handles);
    assert!(never::<u8>().into_recv().receiver().is_some());
}

// The wait for the close.

#[test]
fn owned_wait_for_the_close_ends_with_it_and_gives_its_sender_back() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let counter = CountingWaker::new();
    let mut closed = pin!(tx.into_closed());
    assert!(poll_with(&mut closed, &counter.waker()).is_pending());
    assert_eq!(closed.sender().unwrap().sender_count(), 1);
    assert!(!closed.is_terminated());
    rx.close();
    assert_eq!(counter.wakes(), 1);
    let Ready(tx) = poll(&mut closed) else {
        panic!("it was closed");
    };
    assert!(closed.is_terminated() && closed.sender().is_none());
    assert_eq!((tx.sender_count(), rx.len()), (1, 1));
    let tx = block_on(tx.into_closed());
    assert!(tx.is_closed());
}

#[test]
fn dropped_owned_wait_for_the_close_closes_with_its_sender_and_wakes_nobody() {
    let (tx, rx) = bounded::<u8>(1);
    let counter = CountingWaker::new();
    let mut closed = Box::pin(tx.into_closed());
    assert!(poll_with(&mut closed, &counter.waker()).is_pending());
    assert!(!rx.is_closed());
    drop(closed);
    assert!(rx.is_closed());
    assert_eq!((counter.wakes(), counter.wakers()), (0, 0));
}

#[test]
fn stopped_owned_wait_for_the_close_gives_its_sender_back() {
    let (tx, rx) = bounded::<u8>(1);
    let (tx, is_closed) = block_on(tx.into_closed().until(ready(())));
    assert!(!is_closed);
    let (stop, counter) = (Stop::new(), CountingWaker::new());
    let mut closed = pin!(tx.into_closed().until(&stop));
    assert!(poll_with(&mut closed, &counter.waker()).is_pending());
    stop.complete();
    let Ready((tx, false)) = poll(&mut closed) else {
        panic!("it was stopped");
    };
    assert_eq!(counter.wakers(), 0);
    drop(rx);
    assert!(block_on(tx.into_closed().until(pending::<()>())).1);
}

#[cfg(feature = "std")]
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn thread_waits_for_the_close_and_gets_its_sender_back() {
    use std::time::{Duration, Instant};

    let (tx, rx) = bounded::<u8>(1);
    let moment = Duration::from_millis(1);
    let (tx, is_closed) = tx.into_closed().wait_timeout(moment);
    assert!(!is_closed);
    let (tx, is_closed) = tx.into_closed().wait_deadline(Instant::now() + moment);
    assert!(!is_closed);
    let waiting = thread::spawn(move || tx.into_closed().wait());
    drop(rx);
    assert!(waiting.join().unwrap().is_closed());
}

#[test]
fn owned_wait_for_the_close_goes_between_threads_exactly_if_the_messages_may() {
    use static_assertions::{assert_impl_all, assert_not_impl_any};

    assert_impl_all!(IntoClosed<std::cell::Cell<u8>>: Send, Sync);
    assert_not_impl_any!(IntoClosed<std::rc::Rc<u8>>: Send, Sync);
}

// Dropped.

#[test]
fn dropped_owned_send_drops_its_message_before_it_closes() {
    let drops = Drops::new();
    let (tx, rx) = bounded(0);
    let counter = CountingWaker::new();
    let mut send = Box::pin(tx.into_send(drops.message(1)));
    assert!(poll_with(&mut send, &counter.waker()).is_pending());
    assert_eq!(rx.waiting_senders(), 1);
    drop(send);
    assert_eq!((drops.count(), rx.waiting_senders()), (1, 0));
    assert_eq!(counter.wakes(), 0, "its own close does not wake it");
    assert!(matches!(rx.try_recv(), Err(TryRecvError::Closed)));
}

#[test]
fn dropped_owned_receive_gives_its_message_back() {
    let (tx, rx) = bounded(0);
    let mut recv = Box::pin(rx.clone().into_recv());
    assert!(poll(&mut recv).is_pending());
    tx.try_send(1).unwrap();
    drop(recv);
    assert_eq!(rx.try_recv(), Ok(1));
}

#[test]
fn dropped_owned_receive_that_is_the_last_drops_its_message() {
    let drops = Drops::new();
    let (tx, rx) = bounded(0);
    let mut recv = Box::pin(rx.into_recv());
    assert!(poll(&mut recv).is_pending());
    tx.try_send(drops.message(1)).unwrap();
    drop(recv);
    assert_eq!((drops.count(), tx.len()), (1, 0));
    assert!(tx.is_closed());
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn owned_send_whose_wake_panics_has_sent_and_still_has_its_sender() {
    let (tx, rx) = bounded(0);
    let mut recv = pin!(rx.recv());
    assert!(poll_with(&mut recv, &panicking_waker("the wake")).is_pending());
    let mut send = Box::pin(tx.into_send(1));
    assert_eq!(panic_of(|| poll(&mut send)), "the wake");
    assert!(send.is_terminated());
    assert!(!rx.is_closed());
    drop(send);
    assert!(rx.is_closed());
    assert_eq!(poll(&mut recv), Ready(Ok(1)));
}

// Giving up.

#[test]
fn stopped_owned_futures_give_everything_back() {
    let (tx, rx) = bounded(0);
    let (stop, counter) = (Stop::new(), CountingWaker::new());
    let mut send = pin!(tx.into_send(1).until(&stop));
    assert!(poll_with(&mut send, &counter.waker()).is_pending());
    stop.complete();
    assert_eq!(counter.wakes(), 1);
    let Ready((tx, Err(SendTimeoutError::Timeout(1)))) = poll(&mut send) else {
        panic!("it was stopped");
    };
    assert!(send.is_terminated());
    assert_eq!((tx.waiting_senders(), counter.wakers()), (0, 0));

    let stop = Stop::new();
    let mut recv = pin!(rx.into_recv().until(&stop));
    assert!(poll_with(&mut recv, &counter.waker()).is_pending());
    stop.complete();
    let Ready((rx, Err(RecvTimeoutError::Timeout))) = poll(&mut recv) else {
        panic!("it was stopped");
    };
    assert!(recv.is_terminated());
    assert_eq!((rx.waiting_receivers(), counter.wakers()), (0, 0));
    assert_eq!((tx.sender_count(), tx.receiver_count()), (1, 1));
}

#[test]
fn stop_that_is_complete_gives_everything_back_before_anything_is_done() {
    let (tx, rx) = bounded(2);
    let (tx, sent) = block_on(tx.into_send(1).until(ready(())));
    assert_eq!((sent, rx.len()), (Err(SendTimeoutError::Timeout(1)), 0));
    tx.try_send(2).unwrap();
    let (rx, received) = block_on(rx.into_recv().until(ready(())));
    assert_eq!((received, rx.len()), (Err(RecvTimeoutError::Timeout), 1));
    let (_rx, received) = block_on(never::<u8>().into_recv().until(ready(())));
    assert_eq!(received, Err(RecvTimeoutError::Timeout));
}

#[test]
fn owned_futures_that_are_not_stopped_return_what_they_do_by_themselves() {
    let (tx, rx) = bounded(1);
    let (tx, sent) = block_on(tx.into_send(1).until(pending::<()>()));
    let (rx, received) = block_on(rx.into_recv().until(pending::<()>()));
    assert_eq!((sent, received), (Ok(()), Ok(1)));
    tx.close();
    let (_tx, sent) = block_on(tx.into_send(2).until(pending::<()>()));
    assert_eq!(sent, Err(SendTimeoutError::Closed(2)));
    let (_rx, received) = block_on(rx.into_recv().until(pending::<()>()));
    assert_eq!(received, Err(RecvTimeoutError::Closed));
}

#[test]
fn parked_owned_futures_win_a_tie_with_their_stop() {
    let (tx, rx) = bounded(0);
    let peer = rx.clone();
    let stop = Stop::new();
    let mut send = pin!(tx.into_send(1).until(&stop));
    assert!(poll(&mut send).is_pending());
    stop.complete();
    assert_eq!(peer.try_recv(), Ok(1));
    let Ready((tx, Ok(()))) = poll(&mut send) else {
        panic!("it was sent");
    };

    let stop = Stop::new();
    let mut recv = pin!(rx.into_recv().until(&stop));
    assert!(poll(&mut recv).is_pending());
    stop.complete();
    tx.try_send(2).unwrap();
    assert!(matches!(poll(&mut recv), Ready((_, Ok(2)))));
}

#[test]
fn what_an_owned_future_does_while_its_stop_completes_counts() {
    let (tx, rx) = bounded(0);
    let peer = rx.clone();
    let stop = stop_after(|| assert_eq!(peer.try_recv(), Ok(1)));
    let mut send = pin!(tx.into_send(1).until(stop));
    assert!(poll(&mut send).is_pending());
    let Ready((tx, Ok(()))) = poll(&mut send) else {
        panic!("it was sent");
    };

    let mut recv = pin!(rx.into_recv().until(stop_after(|| tx.try_send(2).unwrap())));
    assert!(poll(&mut recv).is_pending());
    assert!(matches!(poll(&mut recv), Ready((_, Ok(2)))));
}

// In threads.

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn owned_futures_are_waited_for_in_threads() {
    let (tx, rx) = bounded(0);
    let sending = thread::spawn(move || (0..100).fold(tx, |tx, n| tx.into_send(n).wait().0));
    let rx = (0..100).fold(rx, |rx, n| {
        let (rx, received) = rx.into_recv().wait();
        assert_eq!(received, Ok(n));
        rx
    });
    drop(sending.join().unwrap());
    assert_eq!(rx.into_recv().wait().1, Err(RecvError));
}

#[cfg(feature = "std")]
#[test]
fn owned_futures_that_time_out_give_everything_back() {
    use std::time::{Duration, Instant};

    let (tx, rx) = bounded(0);
    let long_ago = Instant::now();
    let (tx, sent) = tx.into_send(1).wait_timeout(Duration::ZERO);
    assert_eq!(sent, Err(SendTimeoutError::Timeout(1)));
    let (tx, sent) = tx.into_send(2).wait_deadline(long_ago);
    assert_eq!(sent, Err(SendTimeoutError::Timeout(2)));
    let (rx, received) = rx.into_recv().wait_timeout(Duration::ZERO);
    assert_eq!(received, Err(RecvTimeoutError::Timeout));
    let (rx, received) = rx.into_recv().wait_deadline(long_ago);
    assert_eq!(received, Err(RecvTimeoutError::Timeout));
    assert_eq!((tx.waiting_senders(), rx.waiting_receivers()), (0, 0));
    let (_never, received) = never::<u8>().into_recv().wait_timeout(Duration::ZERO);
    assert_eq!(received, Err(RecvTimeoutError::Timeout));

    tx.close();
    let (_tx, sent) = tx.into_send(3).wait_timeout(Duration::MAX);
    assert_eq!(sent, Err(SendTimeoutError::Closed(3)));
    let (_rx, received) = rx.into_recv().wait_timeout(Duration::MAX);
    assert_eq!(received, Err(RecvTimeoutError::Closed));
}

// In a select.

/// The arm that happens, of a select of the two that is parked when the peer comes.
fn happened(
    recv: &mut Pin<Box<IntoRecv<u8>>>,
    send: &mut Pin<Box<IntoSend<u8>>>,
    peer: impl FnOnce(),
) -> Poll<usize> {
    let mut select = Select::new();
    assert_eq!(select.arm(recv.as_mut()), 0);
    assert_eq!(select.arm(send.as_mut()), 1);
    let mut select = pin!(select);
    assert!(poll(&mut select).is_pending());
    peer();
    poll(&mut select)
}

#[test]
fn owned_futures_are_arms_of_a_select() {
    let (tx, rx) = bounded(0);
    let (other_tx, other_rx) = bounded(0);
    let (peer, other_peer) = (tx.clone(), other_rx.clone());
    let mut recv = Box::pin(rx.into_recv());
    let mut send = Box::pin(other_tx.into_send(2));
    let take = || assert_eq!(other_peer.try_recv(), Ok(2));
    assert_eq!(happened(&mut recv, &mut send, take), Ready(1));
    let Ready((other_tx, Ok(()))) = poll(&mut send) else {
        panic!("it was sent");
    };
    assert_eq!(
        (other_tx.sender_count(), other_tx.waiting_senders()),
        (1, 0)
    );

    let give = || peer.try_send(1).unwrap();
    assert_eq!(happened(&mut recv, &mut send, give), Ready(0));
    let Ready((rx, Ok(1))) = poll(&mut recv) else {
        panic!("it has received");
    };
    assert_eq!((rx.receiver_count(), rx.waiting_receivers()), (1, 0));
}

#[test]
fn debug_of_an_owned_future_says_whether_it_is_terminated() {
    let (tx, rx) = bounded(1);
    let (mut send, mut recv) = (pin!(tx.into_send(1)), pin!(rx.into_recv()));
    assert_eq!(format!("{send:?}"), "IntoSend { terminated: false, .. }");
    assert_eq!(format!("{recv:?}"), "IntoRecv { terminated: false, .. }");
    let _handles = (poll(&mut send), poll(&mut recv));
    assert_eq!(format!("{send:?}"), "IntoSend { terminated: true, .. }");
    assert_eq!(format!("{recv:?}"), "IntoRecv { terminated: true, .. }");
}
