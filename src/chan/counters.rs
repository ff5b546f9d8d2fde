//! Tests of what a channel does once its counters have wrapped around.

use alloc::{boxed::Box, collections::VecDeque, vec::Vec};
use core::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use crate::{Receiver, Sender, TryRecvError, TrySendError, bounded, unbounded};

/// One more than half of all counts.
const HALF: usize = usize::MAX / 2 + 1;

fn poll<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    let cx = &mut Context::from_waker(Waker::noop());
    future.as_mut().poll(cx)
}

/// A channel that counts half of all counts more messages than it holds. No more than those may be received.
fn pretended_backlog(real: usize) -> (Sender<()>, Receiver<()>) {
    let (tx, rx) = unbounded();
    (0..real).for_each(|_| tx.try_send(()).unwrap());
    tx.chan().locked(|chan| chan.pretend(0, HALF));
    (tx, rx)
}

/// A chain in which senders are always parked, so that nobody looks at the other end's position, through so many messages that
/// their count comes round.
#[test]
fn full_chain_is_full_after_the_count_has_come_round() {
    // Messages too large for a ring of so many.
    const CAPACITY: usize = 2_000;
    const SIZE: usize = 256;

    let (tx, rx) = bounded(CAPACITY);
    let mut sent = (0_u32..).map(|n| [n as u8; SIZE]);
    let mut received = sent.clone();
    for message in sent.by_ref().take(CAPACITY) {
        tx.try_send(message).unwrap();
    }
    let mut parked: VecDeque<_> = (0..2)
        .map(|_| Box::pin(tx.send(sent.next().unwrap())))
        .collect();
    for send in &mut parked {
        assert!(poll(send).is_pending());
    }
    // After these, 1.5 capacities fewer than 2ˢⁱᶻᵉ messages have entered since the last look.
    let passed = 0_usize.wrapping_sub(5 * CAPACITY / 2);
    tx.chan().locked(|chan| chan.pretend(passed, passed));
    for _ in 0..2 * CAPACITY {
        assert_eq!(rx.try_recv(), Ok(received.next().unwrap()));
        let mut send = parked.pop_front().unwrap();
        assert_eq!(poll(&mut send), Poll::Ready(Ok(())));
        send.set(tx.send(sent.next().unwrap()));
        assert!(poll(&mut send).is_pending());
        parked.push_back(send);
    }
    assert_eq!((tx.len(), tx.waiting_senders()), (CAPACITY, 2));
    assert!(tx.is_full() && tx.try_reserve().is_err());
    assert!(matches!(tx.try_send([0; SIZE]), Err(TrySendError::Full(_))));
    assert!(tx.try_send_many([[0; SIZE]]).is_err());
    for send in &mut parked {
        assert_eq!(rx.try_recv(), Ok(received.next().unwrap()));
        assert_eq!(poll(send), Poll::Ready(Ok(())));
    }
    // Nobody is parked now, so a fast path may decide.
    assert!(matches!(tx.try_send([0; SIZE]), Err(TrySendError::Full(_))));
    assert_eq!(rx.drain().len(), CAPACITY);
}

#[test]
fn batches_come_from_a_backlog_of_more_than_half_of_all_counts() {
    let (tx, rx) = pretended_backlog(5);
    assert_eq!((tx.len(), rx.is_empty()), (HALF + 5, false));
    let mut messages = Vec::new();
    assert_eq!(rx.try_recv_many(&mut messages, 2), Ok(2));
    assert_eq!(rx.try_recv_many(&mut messages, 3), Ok(3));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn permits_and_batches_go_behind_a_backlog_of_more_than_half_of_all_counts() {
    let (tx, rx) = pretended_backlog(1);
    let permits = [tx.try_reserve().unwrap(), tx.try_reserve().unwrap()];
    assert_eq!(tx.try_send_many([(); 70]).unwrap(), 70);
    for permit in permits {
        permit.send(()).unwrap();
    }
    assert_eq!(rx.len(), HALF + 73);
    assert_eq!(rx.try_recv_many(&mut Vec::new(), 73), Ok(73));
}

/// More permits are out than half of all counts.
#[test]
fn permits_leave_the_rest_of_the_room() {
    const LEFT: usize = 3;
    for capacity in [Some(usize::MAX), Some(usize::MAX - 1), None] {
        let (tx, rx) = capacity.map_or_else(unbounded, bounded);
        tx.try_send(()).unwrap();
        let chan = tx.chan();
        let permits = capacity.unwrap_or(usize::MAX) - 1 - LEFT;
        chan.locked(|chan| chan.pretend_permits(permits));
        let mut owned: Vec<_> = (0..LEFT).map(|_| tx.try_reserve().unwrap()).collect();
        assert!(tx.is_full() && tx.try_reserve().is_err() && tx.try_send(()).is_err());
        drop(owned.pop());
        assert_eq!(tx.try_send_many([(); 2]).unwrap_err().into_inner().sent, 1);
        drop(owned);
        chan.locked(|chan| chan.pretend_permits(0));
        assert_eq!(rx.drain().len(), 2);
    }
}

/// From the first number to well after the last.
#[test]
fn messages_given_back_keep_their_order_where_numbers_wrap_around() {
    let (tx, rx) = bounded(0);
    for round in 0..20 {
        let mut parked: Vec<_> = (0..12).map(|_| Some(Box::pin(rx.recv()))).collect();
        for recv in parked.iter_mut().flatten() {
            assert!(poll(recv).is_pending());
        }
        (0..12).for_each(|n| tx.try_send((round, n)).unwrap());
        for n in 0..12 {
            parked[n * 7 % 12] = None;
        }
        assert!(rx.try_iter().eq((0..12).map(|n| (round, n))));
    }
}
