//! `Select` and `LocalSelect`: what their arms have come to, requests for permits as arms, messages that stay in their thread.

mod support;

use std::{
    future::ready,
    pin::{Pin, pin},
    rc::Rc,
    task::Poll::Ready,
};

use futures::future::FusedFuture;
use hchan::{Arm, LocalSelect, RecvError, Select, SendError, Sender, TryRecvError, bounded, never};
use support::{
    Call, CountingWaker, assert_nobody_waits, full, hooked_waker, no_deadlock, poll, poll_with,
};

/// Channels with a single lock and such as have two, and those where sends park.
const CAPACITIES: [usize; 4] = [0, 1, 4, 5];

// What an arm of `Select` has come to.

/// A select of these futures, pinned.
macro_rules! select_of {
    ($($arm:ident),*) => {{
        let mut select = Select::new();
        $(select.arm($arm.as_mut());)*
        Box::pin(select)
    }};
}

#[test]
fn output_of_the_arm_that_happened_is_taken_without_an_executor() {
    let (tx, rx) = bounded(8);
    let mut slot = Some(2);
    {
        let mut send = pin!(tx.send(1));
        let mut send_from = pin!(tx.send_from(&mut slot));
        let mut into_send = pin!(tx.clone().into_send(3));
        let mut reserve = pin!(tx.reserve());
        let mut receive = pin!(rx.recv());
        let mut into_recv = pin!(rx.clone().into_recv());
        for happens in 0..6 {
            let mut select = Select::new().biased();
            // An arm whose output was taken never happens again, so each takes its turn.
            select.arm(send.as_mut());
            select.arm(send_from.as_mut());
            select.arm(into_send.as_mut());
            select.arm(reserve.as_mut());
            select.arm(receive.as_mut());
            select.arm(into_recv.as_mut());
            assert_eq!(select.try_now(), Some(happens));
            let sent = [
                send.as_mut().take_output().map(|sent| sent.is_ok()),
                send_from.as_mut().take_output().map(|sent| sent.is_ok()),
                into_send
                    .as_mut()
                    .take_output()
                    .map(|(_, sent)| sent.is_ok()),
                (reserve.as_mut().take_output()).map(|permit| permit.unwrap().send(4).is_ok()),
            ];
            let received = [
                receive.as_mut().take_output(),
                into_recv
                    .as_mut()
                    .take_output()
                    .map(|(_, received)| received),
            ];
            for (arm, sent) in sent.into_iter().enumerate() {
                assert_eq!(
                    sent,
                    (arm == happens).then_some(true),
                    "arm {arm} of {happens}"
                );
            }
            for (arm, received) in received.into_iter().enumerate() {
                assert_eq!(received, (arm + 4 == happens).then_some(Ok(arm + 1)));
            }
        }
    }
    assert_eq!(slot, None);
    assert!(rx.try_iter().eq([3, 4]));
}

#[test]
fn output_that_is_not_there_leaves_the_future_as_it_was() {
    for capacity in CAPACITIES {
        let (tx, rx) = full(capacity);
        let (_open, empty) = bounded::<usize>(capacity);
        let mut send = Box::pin(tx.send(capacity));
        let mut reserve = Box::pin(tx.reserve());
        let mut receive = Box::pin(empty.recv());
        for _ in 0..2 {
            // Before the first poll, and while they are parked.
            assert_eq!(send.as_mut().take_output(), None);
            assert!(reserve.as_mut().take_output().is_none());
            assert_eq!(receive.as_mut().take_output(), None);
            assert!(poll(&mut send).is_pending());
            assert!(poll(&mut reserve).is_pending());
            assert!(poll(&mut receive).is_pending());
        }
        assert_eq!((tx.waiting_senders(), empty.waiting_receivers()), (2, 1));
        drop(reserve);
        assert!((0..=capacity).all(|n| rx.try_recv() == Ok(n)));
        assert_eq!(poll(&mut send), Ready(Ok(())));
        // Nor is it there once the future has returned it.
        assert_eq!(send.as_mut().take_output(), None);
    }
    assert_eq!(pin!(never::<u8>().recv()).take_output(), None);
    let (tx, _rx) = bounded::<u8>(1);
    assert_eq!(pin!(tx.send_from(&mut None)).take_output(), None);
}

#[test]
fn future_whose_output_was_taken_is_terminated() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let mut receive = pin!(rx.recv());
    let mut select = Select::new();
    select.arm(receive.as_mut());
    assert_eq!(select.try_now(), Some(0));
    assert!(!receive.is_terminated());
    assert_eq!(receive.as_mut().take_output(), Some(Ok(1)));
    assert!(receive.is_terminated());
    assert_eq!(receive.as_mut().take_output(), None);
    tx.try_send(2).unwrap();
    let mut select = Select::new();
    select.arm(receive.as_mut());
    assert_eq!(select.try_now(), None, "it has returned its result");
}

#[test]
fn output_of_an_arm_of_a_closed_channel_is_an_error_with_the_message() {
    let (tx, rx) = bounded::<u8>(1);
    rx.close();
    let mut slot = Some(2);
    let mut send = Box::pin(tx.send(1));
    let mut send_from = Box::pin(tx.send_from(&mut slot));
    let mut reserve = Box::pin(tx.reserve());
    let mut receive = Box::pin(rx.recv());
    fn closed<A: Arm + Send>(arm: Pin<&mut A>) {
        let mut select = Select::new();
        select.arm(arm);
        assert_eq!(select.try_now(), Some(0));
    }
    closed(send.as_mut());
    assert_eq!(send.as_mut().take_output(), Some(Err(SendError(1))));
    closed(send_from.as_mut());
    assert_eq!(send_from.as_mut().take_output(), Some(Err(SendError(()))));
    closed(reserve.as_mut());
    assert!(matches!(
        reserve.as_mut().take_output(),
        Some(Err(SendError(())))
    ));
    closed(receive.as_mut());
    assert_eq!(receive.as_mut().take_output(), Some(Err(RecvError)));
    drop(send_from);
    assert_eq!(slot, Some(2));
}

#[test]
fn output_of_a_future_that_parked_by_itself_is_taken_once_a_peer_has_completed_it() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        let mut receive = Box::pin(rx.recv());
        assert!(poll(&mut receive).is_pending());
        tx.try_send(1).unwrap();
        assert_eq!(receive.as_mut().take_output(), Some(Ok(1)));
        drop(receive);
        assert_eq!(
            rx.try_recv(),
            Err(TryRecvError::Empty),
            "not given back, too"
        );
    }
}

// `reserve` as an arm.

#[test]
fn messages_of_arms_whose_output_is_not_taken_go_back_in_their_order() {
    for capacity in [1, 4, 5, 64] {
        for is_first_dropped_first in [true, false] {
            let (tx, rx) = bounded(capacity);
            let mut receives = [rx.recv(), rx.recv()].map(Box::pin);
            for (n, recv) in receives.iter_mut().enumerate() {
                tx.try_send(n).unwrap();
                let mut select = Select::new();
                select.arm(recv.as_mut());
                assert_eq!(select.try_now(), Some(0));
            }
            if !is_first_dropped_first {
                receives.reverse();
            }
            receives.into_iter().for_each(drop);
            let received: Vec<_> = rx.try_iter().collect();
            assert_eq!(received, [0, 1], "capacity {capacity}");
        }
    }
}

/// The places that can be had.
fn places<T>(tx: &Sender<T>) -> usize {
    std::iter::from_fn(|| tx.try_reserve().ok())
        .collect::<Vec<_>>()
        .len()
}

#[test]
fn reserve_that_loses_holds_no_room() {
    for capacity in CAPACITIES {
        let (tx, rx) = full(capacity);
        let (other_tx, other_rx) = bounded::<usize>(0);
        let mut reserve = Box::pin(tx.reserve());
        let mut receive = Box::pin(other_rx.recv());
        let counter = CountingWaker::new();
        let mut select = select_of!(reserve, receive);
        assert!(poll_with(&mut select, &counter.waker()).is_pending());
        assert_eq!((tx.waiting_senders(), tx.permit_count()), (1, 0));
        other_tx.try_send(7).unwrap();
        // The room that comes now is not for it any more.
        (0..capacity).for_each(|n| assert_eq!(rx.try_recv(), Ok(n)));
        assert_eq!((counter.wakes(), poll(&mut select)), (1, Ready(1)));
        drop(select);
        assert_eq!(receive.as_mut().take_output(), Some(Ok(7)));
        assert!(reserve.as_mut().take_output().is_none());
        assert_eq!((tx.waiting_senders(), tx.permit_count()), (0, 0));
        assert_eq!(places(&tx), capacity);
        drop(reserve);
        assert_eq!(places(&tx), capacity, "there is nothing to give up");
    }
}

#[test]
fn parked_reserve_arm_gets_its_permit_in_its_turn() {
    for capacity in CAPACITIES {
        let (tx, rx) = full(capacity);
        let mut before = Box::pin(tx.send(capacity));
        assert!(poll(&mut before).is_pending());
        let mut reserve = Box::pin(tx.reserve());
        let counter = CountingWaker::new();
        let mut select = select_of!(reserve);
        assert!(poll_with(&mut select, &counter.waker()).is_pending());
        let mut behind = Box::pin(tx.send(capacity + 1));
        assert!(poll(&mut behind).is_pending());

        let mut received = Vec::new();
        let mut receive = Box::pin(rx.recv());
        while counter.wakes() == 0 {
            assert!(
                received.len() <= capacity + 1,
                "the next is the permit's turn"
            );
            match poll(&mut receive) {
                Ready(message) => {
                    received.push(message.unwrap());
                    receive = Box::pin(rx.recv());
                }
                _ => assert_eq!(counter.wakes(), 1, "it counts on the parked receive"),
            }
        }
        assert!(poll(&mut behind).is_pending());
        assert_eq!((poll(&mut select), tx.permit_count()), (Ready(0), 1));
        drop(select);
        let permit = reserve.as_mut().take_output().unwrap().unwrap();
        permit.send(9).unwrap();
        received.extend(std::iter::from_fn(|| match poll(&mut receive) {
            Ready(message) => {
                receive = Box::pin(rx.recv());
                Some(message.unwrap())
            }
            _ => None,
        }));
        let expected = (0..=capacity).chain([9, capacity + 1]);
        assert!(received.iter().copied().eq(expected), "{received:?}");
    }
}

#[test]
fn reserve_arm_granted_to_a_select_that_is_dropped_keeps_its_permit_until_it_drops_too() {
    for capacity in [1, 4, 5] {
        let (tx, rx) = full(capacity);
        let mut reserve = Box::pin(tx.reserve());
        let mut select = select_of!(reserve);
        assert!(poll(&mut select).is_pending());
        rx.try_recv().unwrap();
        drop(select);
        assert_eq!((tx.permit_count(), places(&tx)), (1, 0));
        drop(reserve);
        assert_eq!((tx.permit_count(), places(&tx)), (0, 1));
    }
}

#[test]
fn close_ends_a_parked_reserve_arm_with_an_error() {
    for capacity in CAPACITIES {
        let (tx, rx) = full(capacity);
        let mut reserve = Box::pin(tx.reserve());
        let counter = CountingWaker::new();
        let mut select = select_of!(reserve);
        assert!(poll_with(&mut select, &counter.waker()).is_pending());
        rx.close();
        assert_eq!((counter.wakes(), poll(&mut select)), (1, Ready(0)));
        drop(select);
        assert!(matches!(
            reserve.as_mut().take_output(),
            Some(Err(SendError(())))
        ));
    }
}

/// Its own receive would be a receiver that leaves as soon as the permit is given out.
#[test]
fn reserve_arm_never_counts_on_a_receive_of_its_own_select() {
    for receives_first in [false, true] {
        let (tx, rx) = bounded::<usize>(0);
        let mut reserve = Box::pin(tx.reserve());
        let mut receive = Box::pin(rx.recv());
        let mut select = match receives_first {
            true => select_of!(receive, reserve),
            false => select_of!(reserve, receive),
        };
        for _ in 0..3 {
            assert!(poll(&mut select).is_pending());
            assert_eq!((tx.permit_count(), rx.waiting_receivers()), (0, 1));
        }
        // Somebody else's permit may count on it, and is given up: the room is still the select's own.
        drop(tx.try_reserve().unwrap());
        assert_eq!((tx.permit_count(), tx.waiting_senders()), (0, 1));
        assert!(poll(&mut select).is_pending());

        let mut other = Box::pin(rx.recv());
        assert!(poll(&mut other).is_pending());
        assert_eq!(tx.permit_count(), 1, "it counts on the other receive");
        assert_eq!(poll(&mut select), Ready(usize::from(receives_first)));
        drop(select);
        let permit = reserve.as_mut().take_output().unwrap().unwrap();
        permit.send(5).unwrap();
        assert_eq!(poll(&mut other), Ready(Ok(5)));
    }
}

#[test]
fn select_with_a_reserve_and_a_receive_of_one_channel_receives_from_others() {
    for receives_first in [false, true] {
        let (tx, rx) = bounded::<usize>(0);
        let mut reserve = Box::pin(tx.reserve());
        let mut receive = Box::pin(rx.recv());
        let mut select = match receives_first {
            true => select_of!(receive, reserve),
            false => select_of!(reserve, receive),
        };
        assert!(poll(&mut select).is_pending());
        let mut send = Box::pin(tx.send(5));
        assert_eq!(poll(&mut send), Ready(Ok(())));
        assert_eq!(poll(&mut select), Ready(usize::from(!receives_first)));
        drop(select);
        assert_eq!(receive.as_mut().take_output(), Some(Ok(5)));
        assert_nobody_waits(&rx);
        assert_eq!(tx.permit_count(), 0);
    }
}

/// A request that waits comes before the sends behind it, but not if it is the arm of a select that has been committed elsewhere.
#[test]
fn lost_reserve_arm_does_not_hide_the_send_behind_it() {
    let (tx, rx) = bounded(0);
    let (other_tx, other_rx) = bounded(0);
    let mut reserve = Box::pin(tx.reserve());
    let mut receive = Box::pin(other_rx.recv());
    let mut select = select_of!(reserve, receive);
    assert!(poll(&mut select).is_pending());
    let mut send = Box::pin(tx.send(1));
    assert!(poll(&mut send).is_pending());
    assert_eq!(
        rx.try_recv(),
        Err(TryRecvError::Empty),
        "the request comes first"
    );
    other_tx.try_send(()).unwrap();
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(poll(&mut select), Ready(1));
    assert_nobody_waits(&rx);
}

/// Nor if its owner is awake: then the select tries its arms again before it waits.
#[test]
fn reserve_arm_of_a_select_that_is_being_polled_is_passed_by() {
    no_deadlock(|| {
        let (tx, rx) = bounded(0);
        let mut reserve = Box::pin(tx.reserve());
        let mut select = select_of!(reserve);
        assert!(poll(&mut select).is_pending());
        let mut send = Box::pin(tx.send(1));
        assert!(poll(&mut send).is_pending());
        let waker = hooked_waker({
            let rx = rx.clone();
            // While the select puts a new waker in.
            move |call| {
                if call == Call::Clone {
                    let _ = rx.try_recv().map(|received| assert_eq!(received, 1));
                }
            }
        });
        let counter = CountingWaker::new();
        assert!(poll_with(&mut select, &waker).is_pending());
        assert_eq!(poll(&mut send), Ready(Ok(())), "it was received");
        // It has parked again, and waits as before.
        assert!(poll_with(&mut select, &counter.waker()).is_pending());
        let mut receive = Box::pin(rx.recv());
        assert!(poll(&mut receive).is_pending());
        assert_eq!((counter.wakes(), poll(&mut select)), (1, Ready(0)));
        drop(select);
        reserve
            .as_mut()
            .take_output()
            .unwrap()
            .unwrap()
            .send(2)
            .unwrap();
        assert_eq!(poll(&mut receive), Ready(Ok(2)));
    });
}

#[test]
fn lost_reserve_arm_is_passed_over_for_those_behind() {
    for capacity in [1, 4, 5] {
        let (tx, rx) = full(capacity);
        let (other_tx, other_rx) = bounded(0);
        let mut reserve = Box::pin(tx.reserve());
        let mut receive = Box::pin(other_rx.recv());
        let mut select = select_of!(reserve, receive);
        assert!(poll(&mut select).is_pending());
        let mut behind = Box::pin(tx.reserve());
        assert!(poll(&mut behind).is_pending());
        other_tx.try_send(()).unwrap();
        rx.try_recv().unwrap();
        let Ready(Ok(permit)) = poll(&mut behind) else {
            panic!("there is room for it");
        };
        assert_eq!((tx.permit_count(), poll(&mut select)), (1, Ready(1)));
        permit.send(9).unwrap();
    }
}

// Messages that stay in their thread.

#[test]
fn local_select_takes_messages_that_are_not_send() {
    let (tx, rx) = bounded(1);
    let (other_tx, other_rx) = full(1);
    let mut receive = Box::pin(rx.recv());
    let mut send = Box::pin(other_tx.send(1));
    let counter = CountingWaker::new();
    let mut select = LocalSelect::new();
    assert_eq!(
        (select.arm(receive.as_mut()), select.arm(send.as_mut())),
        (0, 1)
    );
    let mut select = Box::pin(select);
    assert!(poll_with(&mut select, &counter.waker()).is_pending());
    tx.try_send(Rc::new(7)).unwrap();
    assert_eq!((counter.wakes(), poll(&mut select)), (1, Ready(0)));
    assert!(select.is_terminated());
    drop(select);
    assert_eq!(receive.as_mut().take_output(), Some(Ok(Rc::new(7))));
    assert_eq!(other_rx.waiting_senders(), 0);

    let mut again = Box::pin(rx.recv());
    let mut select = LocalSelect::default().biased();
    select.arm(again.as_mut());
    select.arm(send.as_mut());
    assert_eq!(
        format!("{select:?}"),
        "LocalSelect { arms: 2, biased: true, terminated: false, .. }"
    );
    other_rx.try_recv().unwrap();
    tx.try_send(Rc::new(8)).unwrap();
    assert_eq!(select.try_now(), Some(0), "the topmost");
    let given_up = LocalSelect::new().until(ready(()));
    assert_eq!(poll(&mut Box::pin(given_up)), Ready(None));
}
