//! What a send and a receive do, row by row of the tables in the crate's documentation, and in which order.

// Some of it is for the tests of threads alone.
#![cfg_attr(not(feature = "std"), allow(dead_code, unused_imports))]

mod support;

use std::{
    pin::{Pin, pin},
    task::{
        Context,
        Poll::{Pending, Ready},
        Waker,
    },
    time::Duration,
};

use futures::Stream;
use hchan::{Receiver, Sender, TryRecvError, TrySendError, bounded, never, unbounded};
#[cfg(not(feature = "std"))]
use support::blocking::*;
use support::{CountingWaker, Drops, poll, poll_with, scaled};

type Send = fn(&Sender<u32>, u32) -> Result<(), TrySendError<u32>>;
type Recv = fn(&Receiver<u32>) -> Result<u32, TryRecvError>;

/// Every way to send. Those that would wait are cancelled then and say `Full`.
const SENDS: [(&str, Send); 5] = [
    ("try_send", |tx, message| tx.try_send(message)),
    ("send", |tx, message| {
        match poll(&mut pin!(tx.send(message))) {
            Ready(sent) => Ok(sent?),
            Pending => Err(TrySendError::Full(message)),
        }
    }),
    ("send, waited for", |tx, message| {
        Ok(tx.send(message).wait()?)
    }),
    (
        "send_blocking",
        |tx, message| Ok(tx.send_blocking(message)?),
    ),
    ("force_send", |tx, message| {
        assert_eq!(tx.force_send(message)?, None, "it evicts nothing here");
        Ok(())
    }),
];

/// Every way to receive. Those that would wait are cancelled then and say `Empty`.
const RECVS: [(&str, Recv); 7] = [
    ("try_recv", Receiver::try_recv),
    ("recv", |rx| match poll(&mut pin!(rx.recv())) {
        Ready(received) => Ok(received?),
        Pending => Err(TryRecvError::Empty),
    }),
    ("recv, waited for", |rx| Ok(rx.recv().wait()?)),
    ("recv_blocking", |rx| Ok(rx.recv_blocking()?)),
    ("stream", |rx| {
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(&mut rx.stream()).poll_next(&mut cx) {
            Ready(item) => item.ok_or(TryRecvError::Closed),
            Pending => Err(TryRecvError::Empty),
        }
    }),
    ("iter_blocking", |rx| {
        rx.iter_blocking().next().ok_or(TryRecvError::Closed)
    }),
    ("try_iter", |rx| {
        rx.try_iter().next().ok_or(TryRecvError::Closed)
    }),
];

#[test]
fn send_on_a_closed_channel_returns_the_message_though_there_is_room() {
    for (name, send) in SENDS {
        let (tx, rx) = bounded(1);
        rx.close();
        assert_eq!(send(&tx, 7), Err(TrySendError::Closed(7)), "{name}");
        assert_eq!(rx.len(), 0, "{name}");
    }
}

#[test]
fn send_hands_its_message_to_the_receiver_parked_longest_and_wakes_only_that_one() {
    for (name, send) in SENDS {
        for capacity in [0, 1] {
            let (tx, rx) = bounded(capacity);
            let (first, second) = (CountingWaker::new(), CountingWaker::new());
            let mut oldest = pin!(rx.recv());
            let mut newest = pin!(rx.recv());
            assert!(poll_with(&mut oldest, &first.waker()).is_pending());
            assert!(poll_with(&mut newest, &second.waker()).is_pending());

            assert_eq!(send(&tx, 7), Ok(()), "{name}, {capacity}");
            assert_eq!(rx.len(), 0, "{name}, {capacity}: it went past the buffer");
            assert_eq!((first.wakes(), second.wakes()), (1, 0), "{name}");
            assert_eq!(poll(&mut newest), Pending, "{name}, {capacity}");
            assert_eq!(poll(&mut oldest), Ready(Ok(7)), "{name}, {capacity}");
        }
    }
}

#[test]
fn send_appends_its_message_where_there_is_room() {
    for (name, send) in SENDS {
        let (tx, rx) = bounded(2);
        assert_eq!(send(&tx, 1), Ok(()), "{name}");
        assert_eq!(send(&tx, 2), Ok(()), "{name}");
        assert_eq!(rx.try_iter().collect::<Vec<_>>(), [1, 2], "{name}");
    }
}

#[test]
fn try_send_returns_the_message_when_the_channel_is_full() {
    for capacity in 0..3 {
        let (tx, rx) = bounded(capacity);
        (0..capacity).for_each(|n| tx.try_send(n).unwrap());
        assert_eq!(tx.try_send(7), Err(TrySendError::Full(7)));
        assert_eq!(rx.len(), capacity);
    }
}

#[test]
fn send_parks_when_the_channel_is_full_and_keeps_its_message_out_of_it() {
    for capacity in 0..3 {
        let (tx, rx) = bounded(capacity);
        (0..capacity).for_each(|n| tx.try_send(n).unwrap());
        let mut send = pin!(tx.send(7));
        assert_eq!(poll(&mut send), Pending);
        assert_eq!((rx.len(), rx.waiting_senders()), (capacity, 1));
    }
}

#[test]
fn nothing_happens_before_the_first_poll() {
    let (tx, rx) = bounded(1);
    let send = tx.send(1);
    assert_eq!((rx.len(), rx.waiting_senders()), (0, 0));
    drop(send);

    tx.try_send(2).unwrap();
    let recv = rx.recv();
    let stream = rx.stream();
    assert_eq!((rx.len(), rx.waiting_receivers()), (1, 0));
    drop((recv, stream));
    assert_eq!(rx.try_recv(), Ok(2));
}

#[test]
fn receive_takes_messages_given_back_before_buffered_ones() {
    for (name, recv) in RECVS {
        let (tx, rx) = bounded(1);
        let mut holder = Box::pin(rx.recv());
        assert!(poll(&mut holder).is_pending());
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        drop(holder);
        assert_eq!((recv(&rx), recv(&rx)), (Ok(1), Ok(2)), "{name}");
    }
}

#[test]
fn receive_of_a_message_given_back_lets_no_parked_sender_in() {
    for capacity in [0, 1] {
        let (tx, rx) = bounded(capacity);
        let mut holder = Box::pin(rx.recv());
        assert!(poll(&mut holder).is_pending());
        tx.try_send(0).unwrap();
        (0..capacity).for_each(|_| tx.try_send(1).unwrap());
        let mut send = pin!(tx.send(2));
        assert_eq!(poll(&mut send), Pending);
        drop(holder);

        assert_eq!(rx.try_recv(), Ok(0));
        assert_eq!(poll(&mut send), Pending, "no place was freed");
        assert_eq!(rx.len(), capacity);
    }
}

#[test]
fn receive_takes_the_oldest_buffered_message() {
    for (name, recv) in RECVS {
        let (tx, rx) = bounded(3);
        (1..=3).for_each(|message| tx.try_send(message).unwrap());
        for message in 1..=3 {
            assert_eq!(recv(&rx), Ok(message), "{name}");
        }
    }
}

#[test]
fn receive_moves_the_oldest_parked_senders_message_into_the_freed_place_and_wakes_it() {
    for (name, recv) in RECVS {
        let (tx, rx) = bounded(2);
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        let (third, fourth) = (CountingWaker::new(), CountingWaker::new());
        let mut oldest = pin!(tx.send(3));
        let mut newest = pin!(tx.send(4));
        assert!(poll_with(&mut oldest, &third.waker()).is_pending());
        assert!(poll_with(&mut newest, &fourth.waker()).is_pending());

        assert_eq!(recv(&rx), Ok(1), "{name}");
        assert_eq!((rx.len(), rx.waiting_senders()), (2, 1), "{name}");
        assert_eq!((third.wakes(), fourth.wakes()), (1, 0), "{name}");
        assert_eq!(poll(&mut newest), Pending, "{name}");
        assert_eq!(poll(&mut oldest), Ready(Ok(())), "{name}");
        assert_eq!(rx.try_iter().collect::<Vec<_>>(), [2, 3, 4], "{name}");
    }
}

#[test]
fn receive_at_capacity_0_takes_the_oldest_parked_senders_message_and_wakes_it() {
    for (name, recv) in RECVS {
        let (tx, rx) = bounded(0);
        let (first, second) = (CountingWaker::new(), CountingWaker::new());
        let mut oldest = pin!(tx.send(1));
        let mut newest = pin!(tx.send(2));
        assert!(poll_with(&mut oldest, &first.waker()).is_pending());
        assert!(poll_with(&mut newest, &second.waker()).is_pending());

        assert_eq!(recv(&rx), Ok(1), "{name}");
        assert_eq!((first.wakes(), second.wakes()), (1, 0), "{name}");
        assert_eq!((rx.len(), rx.waiting_senders()), (0, 1), "{name}");
        assert_eq!(poll(&mut oldest), Ready(Ok(())), "{name}");
        assert_eq!(poll(&mut newest), Pending, "{name}");
    }
}

#[test]
fn receive_on_a_closed_channel_takes_what_is_left_and_then_fails() {
    for (name, recv) in RECVS {
        let (tx, rx) = bounded(2);
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        tx.close();
        assert_eq!((recv(&rx), recv(&rx)), (Ok(1), Ok(2)), "{name}");
        assert_eq!(recv(&rx), Err(TryRecvError::Closed), "{name}");
        assert_eq!(recv(&rx), Err(TryRecvError::Closed), "{name}, again");
    }
}

#[test]
fn try_recv_says_empty_when_there_is_nothing_yet() {
    for (tx, rx) in [bounded::<u8>(0), bounded(1), unbounded()] {
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(rx.try_iter().next(), None);
        drop(tx);
    }
}

#[test]
fn receive_parks_when_there_is_nothing_yet() {
    for (_tx, rx) in [bounded::<u8>(0), bounded(1), unbounded()] {
        let mut recv = pin!(rx.recv());
        assert_eq!(poll(&mut recv), Pending);
        assert_eq!(rx.waiting_receivers(), 1);
    }
}

#[test]
fn messages_leave_in_the_order_their_sends_entered_whether_buffered_or_parked() {
    for capacity in 0..4 {
        let (tx, rx) = bounded(capacity);
        let mut sends: Vec<_> = (0..10).map(|message| Box::pin(tx.send(message))).collect();
        for send in &mut sends {
            let _ = poll(send);
        }
        assert_eq!(
            rx.try_iter().collect::<Vec<_>>(),
            (0..10).collect::<Vec<_>>()
        );
        for mut send in sends.into_iter().skip(capacity) {
            assert_eq!(poll(&mut send), Ready(Ok(())));
        }
    }
}

#[test]
fn newcomer_never_overtakes_a_parked_sender() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let mut parked = pin!(tx.send(2));
    assert_eq!(poll(&mut parked), Pending);
    assert_eq!(rx.try_recv(), Ok(1));
    // The parked one's message has the place, though its task has not run yet.
    assert_eq!(tx.try_send(3), Err(TrySendError::Full(3)));
    assert_eq!(rx.try_recv(), Ok(2));
}

#[test]
fn newcomer_never_overtakes_a_parked_receiver() {
    let (tx, rx) = bounded(1);
    let mut parked = pin!(rx.recv());
    assert_eq!(poll(&mut parked), Pending);
    tx.try_send(1).unwrap();
    // The message is the parked one's, though its task has not run yet.
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(poll(&mut parked), Ready(Ok(1)));
}

#[test]
fn parked_receivers_are_served_in_the_order_they_parked_though_repolled_in_another() {
    let (tx, rx) = bounded(0);
    let mut parked: Vec<_> = (0..5).map(|_| Box::pin(rx.recv())).collect();
    for recv in &mut parked {
        assert!(poll(recv).is_pending());
    }
    for recv in parked.iter_mut().rev() {
        assert!(poll_with(recv, &CountingWaker::new().waker()).is_pending());
    }
    (0..5).for_each(|message| tx.try_send(message).unwrap());
    for (message, recv) in parked.iter_mut().enumerate() {
        assert_eq!(poll(recv), Ready(Ok(message)));
    }
}

#[test]
fn unbounded_channel_never_makes_a_send_wait() {
    const MANY: u32 = scaled(10_000) as u32;
    let (tx, rx) = unbounded();
    for message in 0..MANY {
        assert_eq!(poll(&mut pin!(tx.send(message))), Ready(Ok(())));
    }
    assert_eq!(tx.force_send(MANY), Ok(None), "nothing is evicted");
    assert!(rx.try_iter().eq(0..=MANY));
}

#[test]
fn force_send_evicts_the_oldest_message_of_a_full_buffer() {
    let (tx, rx) = bounded(2);
    assert_eq!(tx.force_send(1), Ok(None));
    assert_eq!(tx.force_send(2), Ok(None));
    assert_eq!(tx.force_send(3), Ok(Some(1)));
    assert_eq!(tx.force_send(4), Ok(Some(2)));
    assert_eq!(rx.try_iter().collect::<Vec<_>>(), [3, 4]);
}

#[test]
fn force_send_enters_ahead_of_parked_senders() {
    let (tx, rx) = bounded(2);
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    let counter = CountingWaker::new();
    let mut parked = pin!(tx.send(3));
    assert!(poll_with(&mut parked, &counter.waker()).is_pending());
    assert_eq!(tx.force_send(4), Ok(Some(1)));
    assert_eq!((rx.waiting_senders(), counter.wakes()), (1, 0));
    assert_eq!(rx.try_iter().collect::<Vec<_>>(), [2, 4, 3]);
}

#[test]
fn force_send_hands_over_to_a_parked_receiver_and_evicts_nothing() {
    let (tx, rx) = bounded(0);
    let mut recv = pin!(rx.recv());
    assert_eq!(poll(&mut recv), Pending);
    assert_eq!(tx.force_send(1), Ok(None));
    assert_eq!(poll(&mut recv), Ready(Ok(1)));
}

#[test]
fn force_send_leaves_messages_given_back_which_take_no_place() {
    let (tx, rx) = bounded(1);
    let mut holder = Box::pin(rx.recv());
    assert!(poll(&mut holder).is_pending());
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    drop(holder);
    assert_eq!(tx.force_send(3), Ok(Some(2)));
    assert_eq!(rx.try_iter().collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn force_send_is_full_at_capacity_0_with_nobody_parked_whatever_was_given_back() {
    let (tx, rx) = bounded(0);
    assert_eq!(tx.force_send(1), Err(TrySendError::Full(1)));
    let mut holder = Box::pin(rx.recv());
    assert!(poll(&mut holder).is_pending());
    tx.try_send(2).unwrap();
    drop(holder);
    assert_eq!(tx.force_send(3), Err(TrySendError::Full(3)));
    assert_eq!(rx.try_iter().collect::<Vec<_>>(), [2]);
}

#[test]
fn never_has_no_message_no_sender_no_end_and_no_room() {
    let rx = never::<u8>();
    assert_eq!((rx.len(), rx.capacity()), (0, Some(0)));
    assert!(rx.is_empty());
    assert!(rx.is_full());
    assert!(!rx.close());
    assert!(!rx.is_closed());
    assert_eq!(rx.sender_count(), 0);
    assert_eq!(rx.receiver_count(), 1);
    assert_eq!((rx.waiting_senders(), rx.waiting_receivers()), (0, 0));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(rx.try_iter().next(), None);
    drop(rx.clone());
    assert!(!rx.is_closed());
}

#[test]
fn never_keeps_receives_waiting() {
    let rx = never::<u8>();
    let counter = CountingWaker::new();
    let mut recv = pin!(rx.recv());
    for _ in 0..3 {
        assert_eq!(poll_with(&mut recv, &counter.waker()), Pending);
    }
    assert_eq!((rx.waiting_receivers(), counter.wakes()), (0, 0));
    #[cfg(feature = "std")]
    let soon = Duration::from_millis(1);
    #[cfg(feature = "std")]
    assert!(rx.recv().wait_timeout(soon).unwrap_err().is_timeout());
}

#[test]
fn never_is_made_at_compile_time_and_all_of_them_are_the_same() {
    static NEVER: Receiver<u8> = never();
    assert!(NEVER.same_channel(&never()));
    assert!(NEVER.same_channel(&NEVER.clone()));
    assert!(!NEVER.same_channel(&bounded(0).1));
    assert!(!bounded(0).1.same_channel(&NEVER));
    let weak = NEVER.downgrade();
    assert!(weak.clone().upgrade().unwrap().same_channel(&NEVER));
}

#[test]
fn same_channel_holds_for_clones_and_weak_ones_upgraded_and_for_no_others() {
    let (tx, rx) = bounded::<u8>(1);
    let (other_tx, other_rx) = bounded::<u8>(1);
    assert!(tx.same_channel(&tx.clone()) && rx.same_channel(&rx.clone()));
    assert!(tx.same_channel(&tx.downgrade().upgrade().unwrap()));
    assert!(rx.same_channel(&rx.downgrade().upgrade().unwrap()));
    assert!(!tx.same_channel(&other_tx) && !rx.same_channel(&other_rx));
}

#[test]
fn weak_handles_keep_no_channel_open() {
    let (tx, rx) = bounded::<u8>(1);
    let weak = tx.downgrade();
    assert_eq!(rx.sender_count(), 1);
    drop(tx);
    assert!(rx.is_closed());
    assert!(weak.upgrade().is_none());
    assert!(weak.clone().upgrade().is_none());

    let (tx, rx) = bounded::<u8>(1);
    let weak = rx.downgrade();
    assert_eq!(tx.receiver_count(), 1);
    drop(rx);
    assert!(tx.is_closed());
    assert!(weak.upgrade().is_none());
    assert!(weak.clone().upgrade().is_none());
}

#[test]
fn upgraded_handles_keep_the_channel_open() {
    let (tx, rx) = bounded(1);
    let second_tx = tx.downgrade().upgrade().unwrap();
    let second_rx = rx.downgrade().upgrade().unwrap();
    assert_eq!((tx.sender_count(), tx.receiver_count()), (2, 2));
    drop((tx, rx));
    assert_eq!(second_tx.try_send(1), Ok(()));
    assert_eq!(second_rx.try_recv(), Ok(1));
    assert!(!second_tx.is_closed());
}

#[test]
fn weak_handles_upgrade_on_a_closed_channel_as_long_as_a_strong_one_is_left() {
    let (tx, rx) = bounded(1);
    let (weak_tx, weak_rx) = (tx.downgrade(), rx.downgrade());
    tx.try_send(1).unwrap();
    tx.close();
    assert_eq!(
        weak_tx.upgrade().unwrap().try_send(2),
        Err(TrySendError::Closed(2))
    );
    assert_eq!(weak_rx.upgrade().unwrap().try_recv(), Ok(1));
}

#[test]
fn weak_handles_keep_no_messages() {
    let drops = Drops::new();
    let (tx, rx) = unbounded();
    let weak = (tx.downgrade(), rx.downgrade());
    tx.try_send(drops.message(1)).unwrap();
    drop(rx);
    assert_eq!(drops.count(), 1);
    drop((weak, tx));
}

#[test]
fn dropped_channel_drops_the_messages_in_it_whichever_end_goes_last() {
    let drops = Drops::new();
    let (tx, rx) = bounded(2);
    tx.try_send(drops.message(1)).unwrap();
    tx.try_send(drops.message(2)).unwrap();
    drop(tx);
    assert_eq!(drops.count(), 0, "they can still be received");
    drop(rx.try_recv());
    assert_eq!(drops.count(), 1);
    drop(rx);
    assert_eq!(drops.count(), 2);
}

#[test]
fn zero_sized_messages_are_counted_like_any_others() {
    for capacity in [0, 1, 3, usize::MAX] {
        let (tx, rx) = bounded(capacity);
        let sent = (0..5).filter(|_| tx.try_send(()).is_ok()).count();
        assert_eq!(sent, capacity.min(5));
        assert_eq!(rx.len(), sent);
        assert_eq!(rx.try_iter().count(), sent);
    }
}
