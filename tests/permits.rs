//! Permits: room = capacity + parked receivers - messages - permits out, and who goes ahead when.

mod support;

use std::{
    future::poll_fn,
    mem,
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    task::Poll::{self, Pending, Ready},
    thread,
};

use hchan::{
    OwnedPermit, Permit, Permits, Receiver, RecvError, ReserveFuture, ReserveManyFuture, Select,
    SendError, Sender, TryRecvError, TrySendError, bounded, select, unbounded,
};
#[cfg(not(feature = "std"))]
use support::blocking::*;
use support::{
    Call, CountingWaker, Drops, forget, hooked_waker, no_deadlock, panic_of, panicking_waker, poll,
    poll_with, scaled,
};

/// Capacities with one lock and with two.
const CAPACITIES: [usize; 5] = [0, 1, 2, 5, 100];

/// What a future returns that does not have to wait.
fn now<F: Future>(future: F) -> F::Output {
    match poll(&mut pin!(future)) {
        Ready(output) => output,
        Pending => panic!("it has to wait"),
    }
}

fn parked<F: Future>(future: F) -> Pin<Box<F>> {
    parked_with(future, &CountingWaker::new())
}

fn parked_with<F: Future>(future: F, counter: &Arc<CountingWaker>) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    assert!(
        poll_with(&mut future, &counter.waker()).is_pending(),
        "it has to wait"
    );
    future
}

/// All the permits that can be had.
fn permits<T>(tx: &Sender<T>) -> Vec<Permit<'_, T>> {
    std::iter::from_fn(|| tx.try_reserve().ok()).collect()
}

fn assert_full(tx: &Sender<usize>) {
    assert!(tx.is_full());
    assert_eq!(tx.try_send(0), Err(TrySendError::Full(0)));
    assert_eq!(tx.try_reserve().unwrap_err(), TrySendError::Full(()));
}

/// Nobody is parked, and all of the capacity can be had.
fn assert_as_new<T>(tx: &Sender<T>) {
    assert_eq!((tx.waiting_senders(), tx.waiting_receivers()), (0, 0));
    assert_eq!((tx.len(), Some(permits(tx).len())), (0, tx.capacity()));
}

// Room.

#[test]
fn permits_and_messages_share_the_places() {
    for capacity in CAPACITIES {
        for messages in [0, capacity / 2, capacity] {
            let (tx, rx) = bounded(capacity);
            (0..messages).for_each(|n| tx.try_send(n).unwrap());
            let permits = permits(&tx);
            assert_eq!((permits.len(), tx.len()), (capacity - messages, messages));
            assert_full(&tx);
            for (n, permit) in permits.into_iter().enumerate() {
                assert_eq!(permit.send(messages + n), Ok(()));
                assert_full(&tx);
            }
            assert!(rx.try_iter().eq(0..capacity));
            assert_as_new(&tx);
        }
    }
}

#[test]
fn unbounded_channel_always_has_room() {
    const COUNT: usize = if cfg!(miri) { 100 } else { 1000 };
    let (tx, rx) = unbounded();
    let permits: Vec<_> = (0..COUNT).map(|_| now(tx.reserve()).unwrap()).collect();
    assert!(!tx.is_full());
    tx.try_send(0).unwrap();
    let sent = permits.into_iter().zip(1..);
    sent.for_each(|(permit, n)| permit.send(n).unwrap());
    assert!(rx.try_iter().eq(0..=COUNT));
}

#[test]
fn each_parked_receiver_is_room_for_one_permit() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        let mut receives: Vec<_> = (0..3).map(|_| parked(rx.recv())).collect();
        let permits = permits(&tx);
        assert_eq!(permits.len(), capacity + 3);
        assert_full(&tx);
        for (n, permit) in permits.into_iter().enumerate() {
            assert_eq!(permit.send(n), Ok(()));
            assert_full(&tx);
        }
        for (n, receive) in receives.iter_mut().enumerate() {
            assert_eq!(poll(receive), Ready(Ok(n)), "the oldest first");
        }
        assert!(rx.try_iter().eq(3..capacity + 3));
        assert_as_new(&tx);
    }
}

#[test]
fn receive_that_a_permit_counts_on_is_not_for_others() {
    let (tx, rx) = bounded(0);
    assert_full(&tx);
    let mut receive = parked(rx.recv());
    assert!(!tx.is_full());
    let permit = tx.try_reserve().unwrap();
    assert_full(&tx);
    let mut send = parked(tx.send(2));
    assert_eq!((tx.waiting_senders(), tx.waiting_receivers()), (1, 1));
    permit.send(1).unwrap();
    assert_eq!(poll(&mut receive), Ready(Ok(1)));
    assert_eq!(rx.try_recv(), Ok(2));
    assert_eq!(poll(&mut send), Ready(Ok(())));
}

#[test]
fn permit_that_counted_on_a_receiver_who_left_sends_beyond_the_capacity() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        let receives = [parked(rx.recv()), parked(rx.recv())];
        let permits = permits(&tx);
        assert_eq!(permits.len(), capacity + 2);
        drop(receives);
        let mut send = parked(tx.send(capacity + 2));
        for (n, permit) in permits.into_iter().enumerate() {
            assert_eq!(permit.send(n), Ok(()));
            assert_eq!(tx.len(), n + 1);
        }
        for n in 0..capacity + 2 {
            assert_eq!(
                tx.is_full(),
                tx.waiting_senders() == 1 || tx.len() >= capacity
            );
            assert_eq!(rx.try_recv(), Ok(n));
            let is_in = capacity > 0 && n >= 2;
            assert_eq!(tx.waiting_senders(), usize::from(!is_in), "{capacity}: {n}");
        }
        assert_eq!(rx.try_recv(), Ok(capacity + 2));
        assert_eq!(poll(&mut send), Ready(Ok(())));
        assert_as_new(&tx);
    }
}

#[test]
fn message_beyond_the_capacity_is_all_that_capacity_0_ever_buffers() {
    let (tx, rx) = bounded(0);
    let receive = parked(rx.recv());
    let permit = tx.try_reserve().unwrap();
    drop(receive);
    permit.send(1).unwrap();
    assert_eq!((tx.len(), tx.is_empty(), tx.is_full()), (1, false, true));
    assert_eq!(now(rx.recv()), Ok(1));
    assert_eq!((tx.len(), rx.try_recv()), (0, Err(TryRecvError::Empty)));
}

#[test]
fn message_of_a_permit_comes_before_those_of_parked_senders() {
    for capacity in [1, 2, 5] {
        let (tx, rx) = bounded(capacity);
        let permits = permits(&tx);
        let mut sends: Vec<_> = (10..13).map(|n| parked(tx.send(n))).collect();
        for (n, permit) in permits.into_iter().enumerate() {
            permit.send(n).unwrap();
        }
        assert!(rx.try_iter().eq((0..capacity).chain(10..13)));
        for send in &mut sends {
            assert_eq!(poll(send), Ready(Ok(())));
        }
    }
}

#[test]
fn receiver_that_keeps_a_permit_of_its_own_channel_locks_itself_out_at_capacity_0() {
    let (tx, rx) = bounded(0);
    let receive = parked(rx.recv());
    let permit = tx.try_reserve().unwrap();
    drop(receive);
    let mut send = parked(tx.send(1));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    assert_eq!((rx.drain().count(), rx.waiting_senders()), (0, 1));
    let found = now(async {
        select! {
            recv(rx) -> message => message,
            default => Err(RecvError),
        }
    });
    assert_eq!(found, Err(RecvError));
    let mut receive = parked(rx.recv());
    assert!(poll(&mut receive).is_pending(), "it waits for itself");
    drop(permit);
    assert_eq!(poll(&mut receive), Ready(Ok(1)));
    assert_eq!(poll(&mut send), Ready(Ok(())));
}

#[test]
fn receiver_that_keeps_the_only_place_finds_nothing_behind_a_reserve_unless_it_waits() {
    let (tx, rx) = bounded(1);
    let permit = tx.try_reserve().unwrap();
    let mut reserve = parked(tx.reserve());
    let mut send = parked(tx.send(2));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    assert_eq!((rx.drain().count(), rx.waiting_senders()), (0, 2));
    let mut receive = parked(rx.recv());
    let Ready(Ok(granted)) = poll(&mut reserve) else {
        panic!("a receive that waits is room for it");
    };
    granted.send(1).unwrap();
    assert_eq!(poll(&mut receive), Ready(Ok(1)));
    assert!(poll(&mut send).is_pending());
    drop(permit);
    assert_eq!(poll(&mut send), Ready(Ok(())));
    assert_eq!(rx.try_recv(), Ok(2));
}

#[test]
fn reserve_that_was_granted_and_is_not_polled_holds_its_room() {
    let (tx, rx) = bounded(0);
    let reserve = parked(tx.reserve());
    let mut receive = parked(rx.recv());
    let mut send = parked(tx.send(1));
    assert!(poll(&mut send).is_pending() && poll(&mut receive).is_pending());
    drop(reserve);
    assert_eq!(poll(&mut receive), Ready(Ok(1)));
    assert_eq!(poll(&mut send), Ready(Ok(())));
}

// The line.

#[test]
fn sends_and_reserves_go_ahead_in_the_order_in_which_they_came() {
    for capacity in [5, 100] {
        let (tx, rx) = bounded(capacity);
        (0..capacity).for_each(|n| tx.try_send(n).unwrap());
        let counters = [(); 4].map(|()| CountingWaker::new());
        let mut first = parked_with(tx.send(1000), &counters[0]);
        let mut second = parked_with(tx.reserve(), &counters[1]);
        let third = parked_with(tx.reserve(), &counters[2]);
        let mut fourth = parked_with(tx.send(1001), &counters[3]);
        for nth in 0..4 {
            assert_eq!((tx.waiting_senders(), rx.try_recv()), (4 - nth, Ok(nth)));
            let woken = counters.each_ref().map(|counter| counter.wakes());
            assert_eq!(woken, [0, 1, 2, 3].map(|other| usize::from(other <= nth)));
            assert_full(&tx);
        }
        assert_eq!(poll(&mut first), Ready(Ok(())));
        assert_eq!(poll(&mut fourth), Ready(Ok(())));
        let Ready(Ok(permit)) = poll(&mut second) else {
            panic!("it was woken");
        };
        permit.send(1002).unwrap();
        drop(third);
        assert!(rx.try_iter().eq((4..capacity).chain(1000..1003)));
        assert_as_new(&tx);
    }
}

#[test]
fn receive_that_parks_serves_the_first_in_line_and_no_other() {
    let (tx, rx) = bounded(0);
    let counter = CountingWaker::new();
    let mut reserve = parked_with(tx.reserve(), &counter);
    let mut send = parked(tx.send(2));
    assert_eq!(tx.waiting_senders(), 2);

    assert_eq!(
        rx.try_recv(),
        Err(TryRecvError::Empty),
        "it never overtakes"
    );
    let mut receive = parked(rx.recv());
    assert_eq!((counter.wakes(), counter.wakers()), (1, 0));
    assert_eq!((tx.waiting_senders(), tx.waiting_receivers()), (1, 1));
    let Ready(Ok(permit)) = poll(&mut reserve) else {
        panic!("it was woken");
    };
    assert_full(&tx);
    permit.send(1).unwrap();
    assert_eq!(poll(&mut receive), Ready(Ok(1)));
    assert!(poll(&mut send).is_pending());
    assert_eq!(now(rx.recv()), Ok(2));
}

#[test]
fn send_before_a_reserve_is_received_at_once() {
    let (tx, rx) = bounded(0);
    let mut send = parked(tx.send(1));
    let mut reserve = parked(tx.reserve());
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(poll(&mut send), Ready(Ok(())));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    assert!(poll(&mut reserve).is_pending());
    let receive = parked(rx.recv());
    assert!(poll(&mut reserve).is_ready());
    drop(receive);
    drop(reserve);
    assert_as_new(&tx);
}

#[test]
fn receive_takes_the_message_of_a_parked_send_though_permits_take_all_places() {
    for capacity in [1, 2, 5] {
        let (tx, rx) = bounded(capacity);
        let permits = permits(&tx);
        let mut send = parked(tx.send(7));
        let behind = parked(tx.reserve());
        assert_eq!(rx.try_recv(), Ok(7), "a receive is room for one more");
        assert_eq!(poll(&mut send), Ready(Ok(())));
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        assert_eq!((tx.waiting_senders(), tx.len()), (1, 0));
        drop((permits, behind));
        assert_as_new(&tx);
    }
}

#[test]
fn receive_leaves_a_parked_send_alone_while_there_are_more_permits_than_places() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        drop_receive_under(&tx, &rx, |mut permits| {
            let mut send = parked(tx.send(9));
            let mut receive = parked(rx.recv());
            assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
            permits.pop().unwrap().send(1).unwrap();
            assert_eq!(poll(&mut receive), Ready(Ok(1)));
            assert!(poll(&mut send).is_pending());
            assert_eq!(now(rx.recv()), Ok(9), "room for it again");
        });
        assert_as_new(&tx);
    }
}

/// Calls `f` with one permit more than there are places, the receive it counted on having left.
fn drop_receive_under<T>(tx: &Sender<T>, rx: &Receiver<T>, f: impl FnOnce(Vec<Permit<'_, T>>)) {
    let receive = parked(rx.recv());
    let permits = permits(tx);
    drop(receive);
    f(permits);
}

// Permits that are not used.

#[test]
fn dropped_permit_lets_the_next_in_line_go_ahead_and_no_other() {
    for capacity in [1, 2, 5, 100] {
        let (tx, rx) = bounded(capacity);
        let mut permits = permits(&tx);
        let counters = [(); 2].map(|()| CountingWaker::new());
        let mut send = parked_with(tx.send(1), &counters[0]);
        let mut reserve = parked_with(tx.reserve(), &counters[1]);
        permits.pop();
        assert_eq!(counters.each_ref().map(|counter| counter.wakes()), [1, 0]);
        assert_eq!((tx.len(), tx.waiting_senders()), (1, 1));
        assert_eq!(poll(&mut send), Ready(Ok(())));
        if permits.pop().is_none() {
            assert_eq!(rx.try_recv(), Ok(1));
        }
        assert_eq!(counters.each_ref().map(|counter| counter.wakes()), [1, 1]);
        assert!(poll(&mut reserve).is_ready());
        drop((permits, rx.try_recv()));
        assert_as_new(&tx);
    }
}

#[test]
fn dropped_permit_pairs_a_parked_send_with_a_parked_receive() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        let mut receive = parked(rx.recv());
        let mut permits = permits(&tx);
        let counter = CountingWaker::new();
        let mut send = parked_with(tx.send(1), &counter);
        let mut behind = parked(tx.send(2));
        permits.pop();
        assert_eq!(counter.wakes(), 1);
        assert_eq!(poll(&mut send), Ready(Ok(())));
        assert_eq!(poll(&mut receive), Ready(Ok(1)));
        assert!(poll(&mut behind).is_pending());
        permits.pop();
        assert_eq!(poll(&mut behind).is_ready(), capacity > 0);
        drop((permits, behind, rx.try_recv()));
        assert_as_new(&tx);
    }
}

#[test]
fn reserve_dropped_with_its_permit_hands_it_on() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded::<usize>(capacity);
        let held = permits(&tx);
        let granted = parked(tx.reserve());
        let counter = CountingWaker::new();
        let mut next = parked_with(tx.reserve(), &counter);
        let receive = parked(rx.recv());
        assert_eq!((tx.waiting_senders(), counter.wakes()), (1, 0));
        drop(granted);
        assert_eq!((tx.waiting_senders(), counter.wakes()), (0, 1));
        assert!(poll(&mut next).is_ready());
        drop((held, receive));
        assert_as_new(&tx);
    }
}

#[test]
fn parked_reserve_leaves_the_line_when_dropped() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let counter = CountingWaker::new();
    let first = parked_with(tx.reserve(), &counter);
    let mut second = parked(tx.reserve());
    drop(first);
    assert_eq!((tx.waiting_senders(), counter.wakers()), (1, 0));
    assert_eq!(rx.try_recv(), Ok(1));
    assert!(poll(&mut second).is_ready());
    assert_as_new(&tx);
}

#[test]
fn forgotten_permit_keeps_its_place_and_nothing_worse_happens() {
    let (tx, rx) = bounded(5);
    mem::forget(tx.try_reserve().unwrap());
    forget(Box::pin(tx.try_reserve().unwrap().into_owned()));
    assert_eq!(permits(&tx).len(), 3);
    (0..3).for_each(|n| tx.try_send(n).unwrap());
    assert_full(&tx);
    assert!(rx.try_iter().eq(0..3));
    let (receive, held) = (parked(rx.recv()), permits(&tx));
    assert_eq!(held.len(), 4);
    drop((receive, held));

    // A request that nobody polls again has its permit all the same.
    let held = permits(&tx);
    forget(parked(tx.reserve()));
    drop(held);
    assert_eq!((tx.waiting_senders(), permits(&tx).len()), (0, 2));
    assert!(tx.close());
}

// The close.

#[test]
fn close_with_permits_out_gives_their_messages_back() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        let mut receive = parked(rx.recv());
        let mut held = permits(&tx);
        let counter = CountingWaker::new();
        let mut reserve = parked_with(tx.reserve(), &counter);
        assert!(rx.close());
        assert_eq!(counter.wakes(), 1);
        assert_eq!(
            poll(&mut reserve).map(Result::err),
            Ready(Some(SendError(())))
        );
        assert_eq!(poll(&mut receive), Ready(Err(RecvError)));
        assert_eq!(held.pop().unwrap().send(1), Err(SendError(1)));
        drop(held);
        assert_eq!(tx.try_reserve().unwrap_err(), TrySendError::Closed(()));
        assert_eq!(now(tx.reserve()).unwrap_err(), SendError(()));
        assert_eq!((tx.len(), rx.try_recv()), (0, Err(TryRecvError::Closed)));
    }
}

#[test]
fn message_beyond_the_capacity_is_received_after_the_close_or_dropped_with_the_last_receiver() {
    for is_received in [true, false] {
        for capacity in [0, 2, 5] {
            let drops = Drops::new();
            let (tx, rx) = bounded(capacity);
            drop_receive_under(&tx, &rx, |permits| {
                for (n, permit) in permits.into_iter().enumerate() {
                    permit.send(drops.message(n)).unwrap();
                }
            });
            tx.close();
            assert_eq!((tx.len(), drops.count()), (capacity + 1, 0));
            let mut drained = parked(tx.drained());
            if is_received {
                assert!(rx.try_iter().map(|message| message.id).eq(0..=capacity));
            }
            assert_eq!(poll(&mut drained).is_ready(), is_received);
            drop(rx);
            assert_eq!(drops.count(), capacity + 1);
            assert!(is_received || poll(&mut drained).is_ready());
        }
    }
}

#[test]
fn last_receiver_gone_gives_the_message_of_a_permit_back() {
    let (tx, rx) = bounded(2);
    let permit = tx.try_reserve().unwrap();
    let owned = tx.try_reserve().unwrap().into_owned();
    drop(rx);
    assert_eq!(permit.send(1), Err(SendError(1)));
    let (tx, sent) = owned.send(2);
    assert_eq!((sent, tx.sender_count()), (Err(SendError(2)), 2));
}

// Beside everything else.

#[test]
fn forced_send_evicts_though_permits_take_the_places() {
    for capacity in [2, 5] {
        let (tx, rx) = bounded(capacity);
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        let held = permits(&tx);
        assert_eq!(tx.force_send(3), Ok(Some(1)));
        assert_eq!((tx.len(), held.len()), (2, capacity - 2));
        held.into_iter().for_each(|permit| permit.send(4).unwrap());
        assert!(
            rx.try_iter().eq([2, 3]
                .into_iter()
                .chain([4; 3].into_iter().take(capacity - 2)))
        );

        let held = permits(&tx);
        assert_eq!(
            tx.force_send(5),
            Err(TrySendError::Full(5)),
            "nothing to evict"
        );
        drop(held);
        assert_as_new(&tx);
    }
}

#[test]
fn forced_send_does_not_take_a_receive_that_a_permit_counts_on() {
    let (tx, rx) = bounded(0);
    let mut receive = parked(rx.recv());
    let permit = tx.try_reserve().unwrap();
    assert_eq!(tx.force_send(1), Err(TrySendError::Full(1)));
    permit.send(2).unwrap();
    assert_eq!(poll(&mut receive), Ready(Ok(2)));
}

#[test]
fn forced_send_into_a_ring_with_messages_beyond_it_keeps_the_order() {
    let (tx, rx) = bounded(5);
    drop_receive_under(&tx, &rx, |permits| {
        for (n, permit) in permits.into_iter().enumerate() {
            permit.send(n).unwrap();
        }
    });
    assert_eq!(tx.force_send(6), Ok(Some(0)));
    assert_eq!(tx.len(), 6);
    assert!(rx.try_iter().eq(1..7));
}

#[test]
fn given_back_message_takes_no_place_from_permits() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        let receive = parked(rx.recv());
        tx.try_send(0).unwrap();
        drop(receive);
        let held = permits(&tx);
        assert_eq!((held.len(), tx.len()), (capacity, 1));
        for (n, permit) in held.into_iter().enumerate() {
            permit.send(n + 1).unwrap();
        }
        assert!(rx.try_iter().eq(0..=capacity), "it comes first");
        assert_as_new(&tx);
    }
}

#[test]
fn message_given_back_to_the_receiver_that_a_permit_counted_on_leaves_the_permit_good() {
    let (tx, rx) = bounded(0);
    let filled = parked(rx.recv());
    tx.try_send(1).unwrap();
    let mut waiting = parked(rx.recv());
    let permit = tx.try_reserve().unwrap();
    drop(filled);
    assert_eq!(poll(&mut waiting), Ready(Ok(1)));
    permit.send(2).unwrap();
    assert_eq!((tx.len(), rx.try_recv()), (1, Ok(2)));
    assert_as_new(&tx);
}

#[test]
fn receive_dropped_with_the_message_of_a_permit_gives_it_back() {
    let (tx, rx) = bounded(0);
    let receive = parked(rx.recv());
    tx.try_reserve().unwrap().send(1).unwrap();
    drop(receive);
    assert_eq!((rx.len(), rx.try_recv()), (1, Ok(1)));
    assert_as_new(&tx);
}

#[test]
fn batches_send_and_receive_around_permits() {
    for capacity in [1, 2, 5, 100] {
        let (tx, rx) = bounded(capacity);
        let permit = tx.try_reserve().unwrap();
        let Err(TrySendError::Full(unsent)) = tx.try_send_many(0..1000) else {
            panic!("there are not so many places");
        };
        assert_eq!((unsent.sent, tx.len()), (capacity - 1, capacity - 1));
        permit.send(2000).unwrap();
        let mut received = Vec::new();
        assert_eq!(rx.try_recv_many(&mut received, 1000), Ok(capacity));
        assert!(received.into_iter().eq((0..capacity - 1).chain([2000])));

        drop_receive_under(&tx, &rx, |permits| {
            permits
                .into_iter()
                .for_each(|permit| permit.send(1).unwrap());
        });
        assert_eq!(rx.try_recv_many(&mut Vec::new(), 1000), Ok(capacity + 1));
        assert_as_new(&tx);
    }
}

// Wakers.

#[test]
fn reserve_wakes_the_waker_of_its_last_poll_once_and_keeps_none() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let [first, second] = [(); 2].map(|()| CountingWaker::new());
    let mut reserve = parked_with(tx.reserve(), &first);
    assert!(poll_with(&mut reserve, &first.waker()).is_pending());
    assert_eq!(first.wakers(), 1);
    assert!(poll_with(&mut reserve, &second.waker()).is_pending());
    assert_eq!((first.wakers(), second.wakers()), (0, 1));
    assert_eq!(tx.waiting_senders(), 1);
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!((first.wakes(), second.wakes(), second.wakers()), (0, 1, 0));
    assert!(poll_with(&mut reserve, &second.waker()).is_ready());
    assert_eq!(second.wakers(), 0);
    assert_as_new(&tx);
}

/// The receive, the dropped permit or the receive that parks: each goes on with the panic, and the permit is there.
#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn panicking_waker_of_a_reserve_loses_neither_message_nor_room() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let mut reserve = Box::pin(tx.reserve());
    assert!(poll_with(&mut reserve, &panicking_waker("woken")).is_pending());
    assert_eq!(panic_of(|| rx.try_recv()), "woken");
    assert_eq!((tx.len(), rx.try_recv()), (1, Ok(1)), "given back");
    assert!(poll(&mut reserve).is_ready());
    assert_as_new(&tx);

    let permit = tx.try_reserve().unwrap();
    let mut reserve = Box::pin(tx.reserve());
    assert!(poll_with(&mut reserve, &panicking_waker("woken")).is_pending());
    assert_eq!(panic_of(|| drop(permit)), "woken");
    assert!(poll(&mut reserve).is_ready());
    assert_as_new(&tx);

    let (tx, rx) = bounded(0);
    let mut reserve = Box::pin(tx.reserve());
    assert!(poll_with(&mut reserve, &panicking_waker("woken")).is_pending());
    let mut receive = Box::pin(rx.recv());
    assert_eq!(panic_of(|| poll(&mut receive)), "woken");
    let Ready(Ok(permit)) = poll(&mut reserve) else {
        panic!("it was woken");
    };
    permit.send(1).unwrap();
    assert_eq!(poll(&mut receive), Ready(Ok(1)), "it was parked");
    assert_as_new(&tx);
}

#[cfg(feature = "std")]
#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn permit_dropped_by_a_panic_wakes_all_whatever_their_wakers_do() {
    let (tx, rx) = bounded(0);
    let mut receive = Box::pin(rx.recv());
    assert!(poll_with(&mut receive, &panicking_waker("of the receive")).is_pending());
    let permit = tx.try_reserve().unwrap();
    let mut send = Box::pin(tx.send(1));
    assert!(poll_with(&mut send, &panicking_waker("of the send")).is_pending());
    let panic = panic_of(move || {
        let _permit = permit;
        panic!("on its way");
    });
    assert_eq!(panic, "on its way");
    assert_eq!(poll(&mut send), Ready(Ok(())));
    assert_eq!(poll(&mut receive), Ready(Ok(1)));
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn permit_whose_message_wakes_a_panicking_waker_has_sent_it() {
    let (tx, rx) = bounded(0);
    let mut receive = Box::pin(rx.recv());
    assert!(poll_with(&mut receive, &panicking_waker("woken")).is_pending());
    let permit = tx.try_reserve().unwrap();
    assert_eq!(panic_of(|| permit.send(1)), "woken");
    assert_eq!(poll(&mut receive), Ready(Ok(1)));
    assert_as_new(&tx);

    let mut receive = Box::pin(rx.recv());
    assert!(poll_with(&mut receive, &panicking_waker("woken")).is_pending());
    let permit = tx.try_reserve().unwrap().into_owned();
    assert_eq!(panic_of(|| permit.send(2)), "woken");
    assert_eq!(poll(&mut receive), Ready(Ok(2)));
    assert_eq!(tx.sender_count(), 1);
    assert_as_new(&tx);
}

/// A request for a permit of a full channel of capacity 1. Before it parks the room comes, so its waker is not needed, and
/// the drop of that panics.
fn request_with_a_panic<'a>(
    tx: &'a Sender<i32>,
    rx: &Arc<Receiver<i32>>,
) -> Pin<Box<ReserveFuture<'a, i32>>> {
    tx.try_send(1).unwrap();
    let waker = hooked_waker({
        let rx = Arc::clone(rx);
        move |call| match call {
            Call::Clone => assert_eq!(rx.try_recv(), Ok(1)),
            Call::Drop if !thread::panicking() => panic!("dropped"),
            _ => {}
        }
    });
    let mut reserve = Box::pin(tx.reserve());
    assert_eq!(panic_of(|| poll_with(&mut reserve, &waker)), "dropped");
    forget(Box::pin(waker));
    reserve
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn panicking_drop_of_an_unused_waker_leaks_no_room() {
    let (tx, rx) = bounded(1);
    let reserve = request_with_a_panic(&tx, &Arc::new(rx));
    assert!(tx.is_full(), "the request has its permit");
    drop(reserve);
    assert_as_new(&tx);
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn request_is_still_good_after_its_unused_waker_panicked() {
    let (tx, rx) = bounded(1);
    let rx = Arc::new(rx);
    let Ready(Ok(permit)) = poll(&mut request_with_a_panic(&tx, &rx)) else {
        panic!("it has its permit");
    };
    permit.send(2).unwrap();
    assert_eq!(rx.try_recv(), Ok(2));
    assert_as_new(&tx);
}

#[test]
fn waker_of_a_reserve_may_use_the_channel() {
    no_deadlock(|| {
        for capacity in [1, 5] {
            let (tx, rx) = bounded(capacity);
            let (tx, rx) = (Arc::new(tx), Arc::new(rx));
            let mut held: Vec<_> = (0..capacity)
                .map(|_| tx.try_reserve().unwrap().into_owned())
                .collect();
            let permit = Mutex::new(held.pop());
            let mut reserve = Box::pin(tx.reserve());
            let mut next = Box::pin(tx.reserve());
            let waker = hooked_waker({
                let (tx, rx) = (Arc::clone(&tx), Arc::clone(&rx));
                move |call| {
                    if call == Call::Wake {
                        assert_eq!(tx.try_send(0), Err(TrySendError::Full(0)));
                        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
                        drop(permit.lock().unwrap().take());
                    }
                }
            });
            assert!(poll_with(&mut reserve, &waker).is_pending());
            assert!(poll(&mut next).is_pending());
            // Dropped by the waker of the one that got the room of the receive that parks.
            let receive = parked(rx.recv());
            assert!(poll(&mut next).is_ready());
            assert!(poll(&mut reserve).is_ready());
            drop((receive, held, reserve, next));
            assert_as_new(&tx);
        }
    });
}

// Owned permits, and threads.

#[test]
fn owned_permit_keeps_the_channel_open_and_gives_the_sender_back() {
    let (tx, rx) = bounded(2);
    let permits = [(); 2].map(|()| tx.try_reserve().unwrap().into_owned());
    drop(tx);
    assert_eq!(rx.sender_count(), 2);
    let [first, second] = permits;
    let (tx, sent) = first.send(1);
    assert!(sent.is_ok() && tx.is_full());
    assert!(second.release().same_channel(&tx));
    assert_eq!((rx.sender_count(), tx.is_full()), (1, false));
    let last = tx.try_reserve().unwrap().into_owned();
    drop(tx);
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    drop(last);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn room_of_an_owned_permit_is_free_before_its_sender_closes_the_channel() {
    let (tx, rx) = bounded(1);
    let permit = tx.try_reserve().unwrap().into_owned();
    let weak = tx.downgrade();
    let mut send = parked(tx.send(1));
    drop(permit);
    assert_eq!(poll(&mut send), Ready(Ok(())));
    drop(send);
    drop(tx);
    assert!(weak.upgrade().is_none());
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn permits_show_their_sender() {
    let (tx, _rx) = bounded::<u8>(2);
    let permit = tx.try_reserve().unwrap();
    assert!(permit.sender().same_channel(&tx));
    let owned = permit.into_owned();
    assert!(owned.sender().same_channel(&tx));
    assert_eq!(owned.sender().sender_count(), 2, "it has one of its own");
}

// Several at once.

#[test]
fn request_for_many_gets_as_many_as_there_is_room_for_up_to_its_limit() {
    for capacity in CAPACITIES {
        let (tx, _rx) = bounded::<usize>(capacity);
        for limit in [1, 2, capacity + 1] {
            let most = limit.min(capacity);
            let tried = tx.try_reserve_many(limit);
            if capacity == 0 {
                assert_eq!(tried.unwrap_err(), TrySendError::Full(()));
                continue;
            }
            assert_eq!(tried.unwrap().len(), most);
            assert_eq!(tx.permit_count(), 0, "they were dropped");
            let permits = now(tx.reserve_many(limit)).unwrap();
            assert_eq!((permits.len(), tx.permit_count()), (most, most));
        }
        assert_as_new(&tx);
    }
}

#[test]
fn permits_of_one_request_send_one_message_each_in_order() {
    let (tx, rx) = bounded(5);
    let mut permits = now(tx.reserve_many(9)).unwrap();
    assert_full(&tx);
    for n in 0..3 {
        let left = permits.len();
        permits.next().unwrap().send(n).unwrap();
        assert_eq!((permits.len(), permits.size_hint().0), (left - 1, left - 1));
    }
    assert!(permits.sender().same_channel(&tx));
    drop(permits);
    assert_eq!((tx.permit_count(), tx.room()), (0, Some(2)));
    assert!(rx.try_iter().eq(0..3));
}

#[test]
fn request_for_many_waits_in_the_line_while_there_is_no_room_at_all() {
    let (tx, rx) = bounded(2);
    (0..2).for_each(|n| tx.try_send(n).unwrap());
    let counter = CountingWaker::new();
    let mut many = parked_with(tx.reserve_many(2), &counter);
    let mut send = parked(tx.send(2));
    assert_eq!(tx.waiting_senders(), 2);
    assert_eq!((rx.try_recv(), counter.wakes()), (Ok(0), 1));
    let Ready(Ok(permits)) = poll(&mut many) else {
        panic!("there is room for one");
    };
    assert_eq!(permits.len(), 1, "the send behind it comes first");
    assert_eq!((rx.try_recv(), poll(&mut send)), (Ok(1), Ready(Ok(()))));
    drop(permits);
    assert_eq!(rx.try_recv(), Ok(2));
    assert_as_new(&tx);
}

#[test]
fn request_for_many_counts_on_parked_receivers() {
    let (tx, rx) = bounded(0);
    let mut many = parked(tx.reserve_many(5));
    let mut receives: Vec<_> = (0..2).map(|_| parked(rx.recv())).collect();
    let Ready(Ok(permits)) = poll(&mut many) else {
        panic!("receivers are parked");
    };
    assert_eq!(permits.len(), 2);
    permits
        .zip(0..)
        .for_each(|(permit, n)| permit.send(n).unwrap());
    for (n, receive) in receives.iter_mut().enumerate() {
        assert_eq!(poll(receive), Ready(Ok(n)));
    }
}

#[test]
fn request_for_none_is_granted_whatever_the_channel() {
    let (tx, rx) = bounded::<u8>(0);
    assert_eq!(now(tx.reserve_many(0)).unwrap().len(), 0);
    rx.close();
    assert_eq!(tx.try_reserve_many(0).unwrap().count(), 0);
    #[cfg(feature = "std")]
    assert_eq!(tx.reserve_many(0).wait().unwrap().count(), 0);
    assert_eq!(
        tx.try_reserve_many(1).unwrap_err(),
        TrySendError::Closed(())
    );
    assert_eq!(now(tx.reserve_many(1)).unwrap_err(), SendError(()));
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn close_ends_a_parked_request_for_many() {
    let (tx, rx) = bounded::<u8>(0);
    let mut many = parked(tx.reserve_many(2));
    assert!(!futures::future::FusedFuture::is_terminated(&*many));
    rx.close();
    assert!(matches!(poll(&mut many), Ready(Err(SendError(())))));
    assert!(futures::future::FusedFuture::is_terminated(&*many));
    let panic = panic_of(|| drop(poll(&mut many)));
    assert_eq!(
        panic,
        "a request for permits was polled again after it had completed"
    );
}

#[test]
fn dropped_request_for_many_leaves_nothing_behind() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let many = parked(tx.reserve_many(2));
    let mut send = parked(tx.send(2));
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(tx.permit_count(), 1, "it was granted");
    drop(many);
    assert_eq!(poll(&mut send), Ready(Ok(())));
    assert_eq!(rx.try_recv(), Ok(2));
    assert_as_new(&tx);
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn dropped_permits_are_all_given_up_though_a_wake_panics() {
    let (tx, rx) = bounded::<usize>(3);
    let permits = tx.try_reserve_many(3).unwrap();
    let mut first = Box::pin(tx.send(1));
    assert!(poll_with(&mut first, &panicking_waker("woken")).is_pending());
    let mut second = parked(tx.send(2));
    let dropped = panic_of(|| drop(permits));
    assert_eq!((dropped.as_str(), tx.permit_count()), ("woken", 0));
    assert_eq!(poll(&mut first), Ready(Ok(())));
    assert_eq!(poll(&mut second), Ready(Ok(())));
    assert!(rx.try_iter().eq([1, 2]));
}

#[cfg(feature = "std")]
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn thread_waits_for_many_permits_and_gives_up_in_time() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let moment = std::time::Duration::from_millis(1);
    let timed_out = tx.reserve_many(2).wait_timeout(moment).unwrap_err();
    assert!(timed_out.is_timeout());
    let soon = std::time::Instant::now() + moment;
    let timed_out = tx.reserve_many(2).wait_deadline(soon).unwrap_err();
    assert!(timed_out.is_timeout());
    assert_eq!((tx.waiting_senders(), tx.permit_count()), (0, 0));
    thread::scope(|threads| {
        let waiting = threads.spawn(|| tx.reserve_many(2).wait().unwrap().len());
        support::until(|| rx.waiting_senders() == 1);
        assert_eq!(rx.try_recv(), Ok(1));
        assert_eq!(waiting.join().unwrap(), 1);
    });
    assert_as_new(&tx);
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn permits_can_be_sent_and_shared_between_threads() {
    fn assert_send_and_sync<P: Send + Sync + Unpin>(_: &P) {}
    let (tx, rx) = bounded(2);
    let permit = tx.try_reserve().unwrap();
    let owned: OwnedPermit<usize> = tx.try_reserve().unwrap().into_owned();
    assert_send_and_sync(&permit);
    assert_send_and_sync(&owned);
    static_assertions::assert_impl_all!(Permits<'static, std::cell::Cell<u8>>: Send, Sync, Unpin);
    static_assertions::assert_not_impl_any!(Permits<'static, std::rc::Rc<u8>>: Send, Sync);
    static_assertions::assert_impl_all!(ReserveManyFuture<'static, std::cell::Cell<u8>>: Send, Sync);
    static_assertions::assert_not_impl_any!(ReserveManyFuture<'static, std::rc::Rc<u8>>: Send, Sync);
    thread::scope(|scope| {
        scope.spawn(move || permit.send(1).unwrap());
        scope.spawn(move || owned.send(2).1.unwrap());
    });
    assert_eq!(rx.try_iter().sum::<usize>(), 3);
}

/// Senders that reserve, receivers that give up, and permits that are not used: every message sent is received once.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn permits_of_many_threads_lose_nothing() {
    const EACH: usize = scaled(2000);
    for capacity in [0, 1, 5] {
        let total: usize = no_deadlock(move || {
            let (tx, rx) = bounded::<usize>(capacity);
            thread::scope(|scope| {
                for _ in 0..2 {
                    let tx = tx.clone();
                    scope.spawn(move || {
                        for n in 0..EACH {
                            let permit = futures::executor::block_on(tx.reserve()).unwrap();
                            if n % 3 == 0 {
                                drop(permit);
                                tx.send_blocking(1).unwrap();
                            } else {
                                permit.send(1).unwrap();
                            }
                        }
                    });
                }
                drop(tx);
                let receivers = [rx.clone(), rx].map(|rx| {
                    scope.spawn(move || {
                        let mut sum = 0;
                        for n in 0.. {
                            if n % 5 == 0 {
                                if let Ready(Ok(message)) = poll(&mut Box::pin(rx.recv())) {
                                    sum += message;
                                }
                            }
                            match rx.recv_blocking() {
                                Ok(message) => sum += message,
                                Err(RecvError) => break,
                            }
                        }
                        sum
                    })
                });
                receivers
                    .map(|receiver| receiver.join().unwrap())
                    .iter()
                    .sum()
            })
        });
        assert_eq!(total, 2 * EACH, "capacity {capacity}");
    }
}

// Selects.

#[test]
fn receive_arm_counts_as_a_parked_receiver() {
    let (tx, rx) = bounded(0);
    let (_other_tx, other_rx) = bounded::<usize>(0);
    let mut selecting = parked(async {
        select! {
            recv(rx) -> message => message,
            recv(other_rx) -> message => message,
        }
    });
    let permit = tx.try_reserve().unwrap();
    assert_full(&tx);
    permit.send(1).unwrap();
    assert_eq!(poll(&mut selecting), Ready(Ok(1)));
    drop(selecting);
    assert_as_new(&tx);
}

#[test]
fn select_that_was_counted_on_and_went_elsewhere_leaves_the_permit_good() {
    let (tx, rx) = bounded(0);
    let (other_tx, other_rx) = bounded::<usize>(0);
    let mut selecting = parked(async {
        select! {
            recv(rx) -> message => message,
            recv(other_rx) -> message => message,
        }
    });
    let permit = tx.try_reserve().unwrap();
    other_tx.try_send(2).unwrap();
    permit.send(1).unwrap();
    assert_eq!(poll(&mut selecting), Ready(Ok(2)));
    assert_eq!(rx.try_recv(), Ok(1));
    drop(selecting);
    assert_as_new(&tx);
}

#[test]
fn losing_receive_arm_may_have_let_a_reserve_go_ahead_so_that_capacity_0_holds_its_message() {
    let (tx, rx) = bounded(0);
    let (other_tx, other_rx) = bounded::<usize>(0);
    let mut reserve = parked(tx.reserve());
    let mut selecting = parked(async {
        select! {
            recv(rx) -> message => message,
            recv(other_rx) -> message => message,
        }
    });
    other_tx.try_send(2).unwrap();
    assert_eq!(poll(&mut selecting), Ready(Ok(2)));
    drop(selecting);
    let Ready(Ok(permit)) = poll(&mut reserve) else {
        panic!("it was granted while the select waited");
    };
    permit.send(1).unwrap();
    assert_eq!((rx.len(), rx.try_recv()), (1, Ok(1)));
    assert_as_new(&tx);
}

#[test]
fn arm_of_a_select_that_has_happened_elsewhere_is_no_room() {
    let (tx, rx) = bounded(0);
    let (other_tx, other_rx) = bounded::<usize>(0);
    let mut selecting = parked(async {
        select! {
            recv(rx) -> message => message,
            recv(other_rx) -> message => message,
        }
    });
    let mut receive = parked(rx.recv());
    let permit = tx.try_reserve().unwrap();
    other_tx.try_send(2).unwrap();
    assert_eq!(
        tx.try_send(9),
        Err(TrySendError::Full(9)),
        "one receiver, one permit"
    );
    permit.send(1).unwrap();
    assert_eq!(poll(&mut receive), Ready(Ok(1)));
    assert_eq!(poll(&mut selecting), Ready(Ok(2)));
}

#[test]
fn dropped_permit_pairs_two_parked_selects() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        let (_other_tx, other_rx) = bounded::<usize>(0);
        let (_third_tx, third_rx) = bounded::<usize>(0);
        let mut receiving = parked(async {
            select! {
                recv(rx) -> message => message.unwrap(),
                recv(other_rx) -> message => message.unwrap(),
            }
        });
        let mut held = permits(&tx);
        assert_eq!(held.len(), capacity + 1);
        let mut slot = Some(1);
        let mut full = parked(async {
            select! {
                send_from(tx, &mut slot) -> sent => sent.unwrap(),
                recv(third_rx) -> _ => panic!("nobody sends there"),
            }
        });
        held.pop();
        assert_eq!(poll(&mut full), Ready(()));
        assert_eq!(poll(&mut receiving), Ready(1));
        drop((full, receiving, held));
        assert_as_new(&tx);
        assert_eq!(
            (other_rx.waiting_receivers(), third_rx.waiting_receivers()),
            (0, 0)
        );
    }
}

/// A select with both ends of one channel.
async fn both_ends(tx: &Sender<usize>, rx: &Receiver<usize>, message: usize) -> Result<usize, ()> {
    let mut slot = Some(message);
    select! {
        recv(rx) -> message => Ok(message.unwrap()),
        send_from(tx, &mut slot) -> sent => { sent.unwrap(); Err(()) }
    }
}

#[test]
fn select_with_both_ends_never_pairs_with_itself_nor_spins_while_permits_come_and_go() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        let held = permits(&tx);
        let counter = CountingWaker::new();
        let mut selecting = parked_with(both_ends(&tx, &rx, 1), &counter);
        for _ in 0..3 {
            let permit = tx.try_reserve().unwrap();
            assert_full(&tx);
            drop(permit);
        }
        assert!(poll_with(&mut selecting, &counter.waker()).is_pending());
        assert!(counter.wakes() <= 1, "it is woken by nobody but who pairs");
        assert_eq!(rx.try_recv(), Ok(1), "the permits take the places only");
        assert_eq!(poll(&mut selecting), Ready(Err(())));
        drop((selecting, held));
        assert_as_new(&tx);
    }
}

#[test]
fn select_with_both_ends_sends_into_the_place_that_a_dropped_permit_leaves() {
    for capacity in [1, 2, 5, 100] {
        let (tx, rx) = bounded(capacity);
        let mut held = permits(&tx);
        let counter = CountingWaker::new();
        let mut selecting = parked_with(both_ends(&tx, &rx, 1), &counter);
        held.pop();
        assert_eq!(counter.wakes(), 1, "there is a place for its message");
        assert_eq!(poll(&mut selecting), Ready(Err(())));
        assert_eq!(rx.try_recv(), Ok(1));
        drop((selecting, held));
        assert_as_new(&tx);
    }
}

/// Each makes room for the other by its receive, which is gone as soon as it is woken: it is paired at once, or never.
#[test]
fn two_selects_with_both_ends_pair_beside_a_permit_whose_receiver_left() {
    for capacity in [0, 1, 2, 5] {
        let (tx, rx) = bounded(capacity);
        drop_receive_under(&tx, &rx, |held| {
            let [first, second] = [(); 2].map(|()| CountingWaker::new());
            let mut ours = parked_with(both_ends(&tx, &rx, 1), &first);
            let mut theirs = Box::pin(both_ends(&tx, &rx, 2));
            let mut outcome = [poll_with(&mut theirs, &second.waker()), Pending];
            for _ in 0..10 {
                if outcome[0].is_pending() && second.wakes() > 0 {
                    outcome[0] = poll_with(&mut theirs, &second.waker());
                }
                if outcome[1].is_pending() && first.wakes() > 0 {
                    outcome[1] = poll_with(&mut ours, &first.waker());
                }
            }
            assert!(
                matches!(
                    outcome,
                    [Ready(Ok(1)), Ready(Err(()))] | [Ready(Err(())), Ready(Ok(2))]
                ),
                "{outcome:?}"
            );
            assert!(
                first.wakes() + second.wakes() <= 4,
                "they wake each other in turn"
            );
            drop(held);
        });
        assert_as_new(&tx);
    }
}

/// Passed by while it polls its other future, a select parks with all its channels locked: beside a request for a permit.
#[test]
fn marked_select_that_parks_serves_who_waits_for_a_permit() {
    for capacity in [0, 1, 5] {
        let (tx, rx) = bounded(capacity);
        let held = permits(&tx);
        let counter = CountingWaker::new();
        let mut reserve = Box::pin(tx.reserve());
        let mut polls = 0;
        let other = poll_fn(|_| {
            polls += 1;
            if polls == 2 {
                assert_eq!(tx.try_send(9), Err(TrySendError::Full(9)), "it passes by");
                assert!(poll_with(&mut reserve, &counter.waker()).is_pending());
            }
            Poll::<()>::Pending
        });
        let mut selecting = parked(async {
            select! {
                recv(rx) -> message => message.unwrap(),
                future(other) -> () => unreachable!(),
            }
        });
        assert!(poll(&mut selecting).is_pending());
        assert_eq!(tx.waiting_receivers(), 1);
        assert_eq!(counter.wakes(), 1, "the receive is room");
        assert_full(&tx);
        drop((selecting, held));
        drop(reserve);
        assert_as_new(&tx);
    }
}

/// While one select polls its other future, nobody can pair another with it: that one is woken to try for itself.
#[test]
fn select_that_could_not_be_paired_is_woken_and_pairs_later() {
    for is_dropped in [false, true] {
        for capacity in CAPACITIES {
            let (tx, rx) = bounded(capacity);
            let (other_tx, other_rx) = bounded::<usize>(0);
            let permit = Mutex::new(None);
            let mut polls = 0;
            let receiving_other = poll_fn(|_| {
                polls += 1;
                drop(permit.lock().unwrap().take());
                Poll::<()>::Pending
            });
            let mut receiving = parked(async {
                select! {
                    recv(rx) -> message => message.unwrap(),
                    future(receiving_other) -> () => unreachable!(),
                }
            });
            let mut held = permits(&tx);
            let counter = CountingWaker::new();
            let (mut slot, mut their_polls) = (Some(1), 0);
            let sending_other = poll_fn(|_| {
                their_polls += 1;
                Poll::<()>::Pending
            });
            let mut sending = parked_with(
                async {
                    select! {
                        recv(other_rx) -> _ => panic!("nobody sends there"),
                        send_from(tx, &mut slot) -> sent => sent.unwrap(),
                        future(sending_other) -> () => unreachable!(),
                    }
                },
                &counter,
            );
            *permit.lock().unwrap() = held.pop();
            assert!(poll(&mut receiving).is_pending());
            assert_eq!(counter.wakes(), 1);
            assert_eq!((tx.waiting_senders(), tx.waiting_receivers()), (0, 1));
            if is_dropped {
                drop(sending);
                assert_eq!(slot, Some(1), "nothing happened");
                assert_eq!(tx.try_send(2), Ok(()));
                assert_eq!(poll(&mut receiving), Ready(2));
            } else {
                assert_eq!(poll(&mut sending), Ready(()));
                assert_eq!(poll(&mut receiving), Ready(1));
                drop(sending);
                assert!(their_polls >= 1 && slot.is_none());
            }
            drop((receiving, held));
            assert_as_new(&tx);
            assert_as_new(&other_tx);
        }
    }
}

#[test]
fn select_only_woken_polls_its_other_futures_on_and_parks_again() {
    let (tx, rx) = bounded(0);
    let permit = Mutex::new(None);
    let other = poll_fn(|_| {
        drop(permit.lock().unwrap().take());
        Poll::<()>::Pending
    });
    let mut receiving = parked(async {
        select! {
            recv(rx) -> message => message.unwrap(),
            future(other) -> () => unreachable!(),
        }
    });
    *permit.lock().unwrap() = tx.try_reserve().ok();
    let polls = Mutex::new(0);
    let ready = Mutex::new(false);
    let mut slot = Some(1);
    let counter = CountingWaker::new();
    let mut sending = parked_with(
        async {
            select! {
                send_from(tx, &mut slot) -> _ => "sent",
                future(poll_fn(|_| {
                    *polls.lock().unwrap() += 1;
                    if *ready.lock().unwrap() { Ready(()) } else { Pending }
                })) -> () => "other",
            }
        },
        &counter,
    );
    assert!(poll(&mut receiving).is_pending());
    assert_eq!(counter.wakes(), 1);
    // What it could have paired with goes before it tries.
    drop(receiving);
    assert!(poll_with(&mut sending, &counter.waker()).is_pending());
    assert_eq!((*polls.lock().unwrap(), tx.waiting_senders()), (2, 1));
    *ready.lock().unwrap() = true;
    assert_eq!(poll(&mut sending), Ready("other"));
    drop(sending);
    assert_eq!(slot, Some(1));
    assert_as_new(&tx);
}

/// A select that panics while it parks has to be parked on all its channels after that.
#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn select_that_panics_by_the_waker_of_a_reserve_waits_on_all_its_arms_when_polled_again() {
    for first in [true, false] {
        let (a_tx, a_rx) = bounded::<usize>(0);
        let (b_tx, b_rx) = bounded::<usize>(0);
        let (tx, other_tx) = if first {
            (&a_tx, &b_tx)
        } else {
            (&b_tx, &a_tx)
        };
        let mut reserve = Box::pin(tx.reserve());
        assert!(poll_with(&mut reserve, &panicking_waker("woken")).is_pending());
        let counter = CountingWaker::new();
        let (mut a, mut b) = (pin!(a_rx.recv()), pin!(b_rx.recv()));
        let mut select = Select::new();
        select.arm(a.as_mut());
        select.arm(b.as_mut());
        let mut selecting = Box::pin(select);
        let panic = panic_of(|| poll_with(&mut selecting, &counter.waker()));
        assert_eq!(panic, "woken");
        assert!(poll_with(&mut selecting, &counter.waker()).is_pending());
        assert_eq!((a_tx.waiting_receivers(), b_tx.waiting_receivers()), (1, 1));
        other_tx.try_send(3).unwrap();
        assert_eq!(counter.wakes(), 1);
        assert_eq!(poll(&mut selecting), Ready(usize::from(first)));
        drop((selecting, reserve));
        assert_eq!((a_tx.waiting_receivers(), b_tx.waiting_receivers()), (0, 0));
    }
}
