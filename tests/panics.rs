//! Panics in the caller's code (wakers and message drops) leave the channel consistent and usable, and lose nothing.

#![cfg(panic = "unwind")] // All of it catches panics.

mod support;

use std::{
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{
        Context,
        Poll::{Pending, Ready},
        Waker,
    },
};

use futures::{Stream, future::FusedFuture};
use hchan::{Receiver, RecvError, Select, TryRecvError, bounded, select, unbounded};
#[cfg(not(feature = "std"))]
use support::blocking::*;
use support::{
    Call, Counted, CountingWaker, Drops, Stop, hooked_waker, panic_of, panicking_waker, poll,
    poll_with,
};

/// Whether one operation may meet more than one panic: without `std` the second ends the process.
const MANY: bool = cfg!(feature = "std");

#[test]
fn close_wakes_all_whatever_some_of_their_wakers_do_and_the_first_panic_goes_on() {
    let (tx, rx) = bounded::<u8>(0);
    let counter = CountingWaker::new();
    // More than are woken in one go.
    let mut parked: Vec<_> = (0..100).map(|_| Box::pin(rx.recv())).collect();
    for (n, recv) in parked.iter_mut().enumerate() {
        let waker = match n {
            10 => panicking_waker("the first"),
            11 | 40 | 99 if MANY => panicking_waker("a later one"),
            _ => counter.waker(),
        };
        assert!(poll_with(recv, &waker).is_pending());
    }
    assert_eq!(panic_of(|| tx.close()), "the first");
    assert_eq!(counter.wakes(), if MANY { 96 } else { 99 });
    assert!(tx.is_closed());
    for recv in &mut parked {
        assert_eq!(poll(recv), Ready(Err(RecvError)));
    }
}

#[test]
fn last_sender_dropped_wakes_all_whatever_some_of_their_wakers_do() {
    let (tx, rx) = bounded::<u8>(0);
    let counter = CountingWaker::new();
    let mut first = Box::pin(rx.recv());
    let mut second = Box::pin(rx.recv());
    assert!(poll_with(&mut first, &panicking_waker("woken")).is_pending());
    assert!(poll_with(&mut second, &counter.waker()).is_pending());
    assert_eq!(panic_of(|| drop(tx)), "woken");
    assert_eq!((counter.wakes(), rx.sender_count()), (1, 0));
    assert_eq!(poll(&mut first), Ready(Err(RecvError)));
    assert_eq!(poll(&mut second), Ready(Err(RecvError)));
}

#[cfg(feature = "std")]
#[test]
fn wakes_go_on_though_a_later_panics_payload_panics_when_dropped() {
    struct Grenade;
    impl Drop for Grenade {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    let (tx, rx) = bounded::<u8>(0);
    let counter = CountingWaker::new();
    let explode = hooked_waker(|call| {
        if call == Call::Wake {
            std::panic::panic_any(Grenade);
        }
    });
    let mut parked: Vec<_> = (0..3).map(|_| Box::pin(rx.recv())).collect();
    assert!(poll_with(&mut parked[0], &panicking_waker("the first")).is_pending());
    assert!(poll_with(&mut parked[1], &explode).is_pending());
    assert!(poll_with(&mut parked[2], &counter.waker()).is_pending());
    let message = panic_of(|| tx.close());
    assert_eq!((counter.wakes(), &*message), (1, "the first"));
}

#[test]
fn try_recv_gives_its_message_back_when_waking_the_sender_panics() {
    for capacity in [0, 1] {
        let (tx, rx) = bounded(capacity);
        (0..capacity).for_each(|n| tx.try_send(n).unwrap());
        let mut send = Box::pin(tx.send(capacity));
        assert!(poll_with(&mut send, &panicking_waker("woken")).is_pending());

        assert_eq!(panic_of(|| rx.try_recv()), "woken");
        assert_eq!(poll(&mut send), Ready(Ok(())), "it was completed");
        let received: Vec<_> = rx.try_iter().collect();
        assert_eq!(received, (0..=capacity).collect::<Vec<_>>());
    }
}

#[test]
fn recv_gives_its_message_back_when_waking_the_sender_panics_and_can_be_polled_again() {
    for capacity in [0, 1] {
        let (tx, rx) = bounded(capacity);
        (0..capacity).for_each(|n| tx.try_send(n).unwrap());
        let mut send = Box::pin(tx.send(capacity));
        assert!(poll_with(&mut send, &panicking_waker("woken")).is_pending());

        let mut recv = Box::pin(rx.recv());
        assert_eq!(panic_of(|| poll(&mut recv)), "woken");
        assert!(!recv.is_terminated(), "it has not returned `Ready`");
        assert_eq!(rx.len(), capacity + 1, "the message is back");
        assert_eq!(poll(&mut recv), Ready(Ok(0)));
    }
}

#[test]
fn blocking_recv_gives_its_message_back_when_waking_the_sender_panics() {
    let (tx, rx) = bounded(0);
    let mut send = Box::pin(tx.send(1));
    assert!(poll_with(&mut send, &panicking_waker("woken")).is_pending());
    assert_eq!(panic_of(|| rx.recv_blocking()), "woken");
    assert_eq!(rx.recv_blocking(), Ok(1));
}

#[test]
fn stream_gives_its_message_back_when_waking_the_sender_panics_and_can_be_polled_again() {
    let (tx, rx) = bounded(0);
    let mut stream = rx.stream();
    // Both ways it can go: without an operation of its own yet, and with one.
    for message in 1..=2 {
        let mut send = Box::pin(tx.send(message));
        assert!(poll_with(&mut send, &panicking_waker("woken")).is_pending());
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(
            panic_of(|| Pin::new(&mut stream).poll_next(&mut cx)),
            "woken"
        );
        assert_eq!(
            Pin::new(&mut stream).poll_next(&mut cx),
            Ready(Some(message))
        );
        assert_eq!(Pin::new(&mut stream).poll_next(&mut cx), Pending);
        stream.release();
    }
}

#[test]
fn message_given_back_after_a_panicking_wake_goes_to_the_receiver_that_parked_meanwhile() {
    let (tx, rx) = bounded(0);
    let waiting = Arc::new(Mutex::new(Box::pin(rx.clone().into_stream())));
    let counter = CountingWaker::new();
    let park_and_panic = hooked_waker({
        let (waiting, counter) = (Arc::clone(&waiting), Arc::clone(&counter));
        move |call| {
            if call == Call::Wake {
                let waker = counter.waker();
                let mut stream = waiting.lock().unwrap();
                let polled = stream.as_mut().poll_next(&mut Context::from_waker(&waker));
                assert_eq!(polled, Pending);
                drop(stream);
                panic!("woken");
            }
        }
    });
    let mut send = Box::pin(tx.send(1));
    assert!(poll_with(&mut send, &park_and_panic).is_pending());
    assert_eq!(panic_of(|| rx.try_recv()), "woken");
    assert_eq!((rx.len(), counter.wakes()), (0, 1));
    let mut cx = Context::from_waker(Waker::noop());
    let mut stream = waiting.lock().unwrap();
    assert_eq!(stream.as_mut().poll_next(&mut cx), Ready(Some(1)));
}

#[test]
fn message_is_sent_though_waking_the_receiver_panics() {
    let (tx, rx) = bounded(0);
    let mut recv = Box::pin(rx.recv());
    assert!(poll_with(&mut recv, &panicking_waker("woken")).is_pending());
    assert_eq!(panic_of(|| tx.try_send(1)), "woken");
    assert_eq!(poll(&mut recv), Ready(Ok(1)));

    let mut recv = Box::pin(rx.recv());
    assert!(poll_with(&mut recv, &panicking_waker("woken")).is_pending());
    let mut send = Box::pin(tx.send(2));
    assert_eq!(panic_of(|| poll(&mut send)), "woken");
    drop(send);
    assert_eq!(poll(&mut recv), Ready(Ok(2)));

    let mut recv = Box::pin(rx.recv());
    assert!(poll_with(&mut recv, &panicking_waker("woken")).is_pending());
    assert_eq!(panic_of(|| tx.force_send(3)), "woken");
    assert_eq!(poll(&mut recv), Ready(Ok(3)));
}

#[test]
fn message_is_given_back_though_waking_its_next_receiver_panics() {
    let (tx, rx) = bounded(0);
    let mut first = Box::pin(rx.recv());
    let mut second = Box::pin(rx.recv());
    assert!(poll(&mut first).is_pending());
    assert!(poll_with(&mut second, &panicking_waker("woken")).is_pending());
    tx.try_send(1).unwrap();
    assert_eq!(panic_of(|| drop(first)), "woken");
    assert_eq!(poll(&mut second), Ready(Ok(1)));
}

#[test]
fn panicking_waker_clone_parks_nothing_and_loses_nothing() {
    let (tx, rx) = bounded(0);
    let waker = hooked_waker(|call| {
        if call == Call::Clone {
            panic!("cloned");
        }
    });
    let mut recv = Box::pin(rx.recv());
    assert_eq!(panic_of(|| poll_with(&mut recv, &waker)), "cloned");
    assert_eq!(rx.waiting_receivers(), 0);
    assert!(poll(&mut recv).is_pending());
    // Parked now; the waker that cannot be cloned does not replace the one that is there.
    assert_eq!(panic_of(|| poll_with(&mut recv, &waker)), "cloned");
    assert_eq!(rx.waiting_receivers(), 1);
    drop(recv);

    let mut send = Box::pin(tx.send(1));
    assert_eq!(panic_of(|| poll_with(&mut send, &waker)), "cloned");
    assert_eq!(rx.waiting_senders(), 0);
    assert!(poll(&mut send).is_pending());
    assert_eq!(rx.try_recv(), Ok(1));
}

#[test]
fn panicking_drop_of_a_replaced_waker_leaves_the_newer_one_in_place() {
    let (tx, rx) = bounded(0);
    let armed = Arc::new(AtomicBool::new(false));
    let waker = waker_that_panics_when_dropped(&armed);
    let counter = CountingWaker::new();
    let mut recv = Box::pin(rx.recv());
    assert!(poll_with(&mut recv, &waker).is_pending());
    armed.store(true, SeqCst);
    assert_eq!(
        panic_of(|| poll_with(&mut recv, &counter.waker())),
        "dropped"
    );
    tx.try_send(1).unwrap();
    assert_eq!(counter.wakes(), 1);
    assert_eq!(poll(&mut recv), Ready(Ok(1)));
}

#[test]
fn panicking_drop_of_a_cancelled_receives_waker_leaves_it_unparked() {
    let (tx, rx) = bounded::<u8>(0);
    let armed = Arc::new(AtomicBool::new(false));
    let waker = waker_that_panics_when_dropped(&armed);
    let mut recv = Box::pin(rx.recv());
    assert!(poll_with(&mut recv, &waker).is_pending());
    armed.store(true, SeqCst);
    assert_eq!(panic_of(|| drop(recv)), "dropped");
    assert_eq!(tx.waiting_receivers(), 0);
}

#[test]
fn panicking_drop_of_a_cancelled_sends_waker_still_drops_the_message() {
    let drops = Drops::new();
    let (tx, rx) = bounded(0);
    let armed = Arc::new(AtomicBool::new(false));
    let waker = waker_that_panics_when_dropped(&armed);
    let mut send = Box::pin(tx.send(drops.message(1)));
    assert!(poll_with(&mut send, &waker).is_pending());
    armed.store(true, SeqCst);
    assert_eq!(panic_of(|| drop(send)), "dropped");
    assert_eq!((rx.waiting_senders(), drops.count()), (0, 1));
}

#[test]
fn panicking_drop_of_a_send_froms_waker_leaves_the_message_in_the_option() {
    let (tx, rx) = bounded(0);
    let armed = Arc::new(AtomicBool::new(false));
    let waker = waker_that_panics_when_dropped(&armed);

    let mut message = Some(1);
    let mut send = Box::pin(tx.send_from(&mut message));
    assert!(poll_with(&mut send, &waker).is_pending());
    armed.store(true, SeqCst);
    assert_eq!(panic_of(|| drop(send)), "dropped");
    assert_eq!((rx.waiting_senders(), message), (0, Some(1)));

    let stop = Stop::new();
    let mut send = Box::pin(tx.send_from(&mut message).until(&stop));
    assert!(poll_with(&mut send, &waker).is_pending());
    stop.complete();
    armed.store(true, SeqCst);
    assert_eq!(panic_of(|| poll_with(&mut send, &waker)), "dropped");
    drop(send);
    assert_eq!((rx.waiting_senders(), message), (0, Some(1)));
}

/// A message that arrives while the waker is being cloned makes the clone superfluous.
#[test]
fn panicking_drop_of_an_unused_waker_does_not_lose_the_received_message() {
    let (tx, rx) = bounded(1);
    let armed = Arc::new(AtomicBool::new(false));
    let waker = hooked_waker({
        let armed = Arc::clone(&armed);
        move |call| match call {
            Call::Clone => {
                tx.try_send(1).unwrap();
                armed.store(true, SeqCst);
            }
            Call::Drop if armed.swap(false, SeqCst) => panic!("dropped"),
            _ => {}
        }
    });
    let mut recv = Box::pin(rx.recv());
    assert_eq!(panic_of(|| poll_with(&mut recv, &waker)), "dropped");
    assert_eq!(rx.len(), 1, "the message is lost");
    assert_eq!(poll(&mut recv), Ready(Ok(1)));
}

#[test]
fn wait_for_a_close_is_not_over_when_its_unused_waker_panics() {
    let (tx, _rx) = bounded::<u8>(1);
    let tx = Arc::new(tx);
    let armed = Arc::new(AtomicBool::new(false));
    let waker = hooked_waker({
        let (tx, armed) = (Arc::clone(&tx), Arc::clone(&armed));
        move |call| match call {
            Call::Clone => armed.store(tx.close(), SeqCst),
            Call::Drop if armed.swap(false, SeqCst) => panic!("dropped"),
            _ => {}
        }
    });
    let mut closed = Box::pin(tx.closed());
    assert_eq!(panic_of(|| poll_with(&mut closed, &waker)), "dropped");
    assert!(!closed.is_terminated());
    assert_eq!(poll(&mut closed), Ready(()));
}

#[test]
fn dropping_the_last_receiver_drops_all_messages_though_several_drops_panic() {
    let drops = Drops::new();
    let (tx, rx) = unbounded();
    for id in 0..10 {
        tx.try_send(Fragile(drops.message(id))).unwrap();
    }
    let message = panic_of(|| drop(rx));
    assert_eq!(drops.count(), 10, "messages leaked");
    assert_eq!(message, "message 3", "the first panic goes on");
    assert!(tx.is_closed());
}

#[test]
fn dropping_the_last_receiver_wakes_parked_senders_and_drops_messages_though_both_panic() {
    let drops = Drops::new();
    let (tx, rx) = bounded(4);
    for id in 0..4 {
        let id = if MANY { id } else { 0 };
        tx.try_send(Fragile(drops.message(id))).unwrap();
    }
    let counter = CountingWaker::new();
    let mut first = Box::pin(tx.send(Fragile(drops.message(10))));
    let mut second = Box::pin(tx.send(Fragile(drops.message(11))));
    assert!(poll_with(&mut first, &panicking_waker("woken")).is_pending());
    assert!(poll_with(&mut second, &counter.waker()).is_pending());
    let message = panic_of(|| drop(rx));
    assert_eq!((counter.wakes(), drops.count()), (1, 4));
    assert_eq!(message, "woken", "the first panic goes on");
    assert!(matches!(poll(&mut first), Ready(Err(error)) if error.0.0.id == 10));
    assert!(matches!(poll(&mut second), Ready(Err(error)) if error.0.0.id == 11));
}

#[test]
fn select_gives_back_what_it_received_when_the_message_of_an_arm_that_lost_panics() {
    let drops = Drops::new();
    let (full_tx, _full_rx) = bounded(0);
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let mut selecting = Box::pin(async {
        select! {
            recv(rx) -> received => received,
            send(full_tx, Fragile(drops.message(3))) -> _ => unreachable!("there is no room"),
        }
    });
    assert_eq!(panic_of(|| poll(&mut selecting)), "message 3");
    drop(selecting);
    assert_eq!(rx.try_recv(), Ok(1));
}

#[test]
fn last_message_is_given_back_and_all_are_told_of_it_though_one_of_their_wakers_panics() {
    // By a receive, by a batch, and by a select.
    let receives: [fn(&Receiver<u8>); 3] = [
        |rx| _ = rx.try_recv(),
        |rx| _ = rx.drain(),
        |rx| {
            let mut recv = pin!(rx.recv());
            let mut select = Select::new();
            select.arm(recv.as_mut());
            select.try_now();
        },
    ];
    for (number, receive) in receives.iter().enumerate() {
        let (tx, rx) = bounded(1);
        let counter = CountingWaker::new();
        // More than are woken in one go.
        let mut watches: Vec<_> = (0..100).map(|_| Box::pin(tx.drained())).collect();
        for (n, watch) in watches.iter_mut().enumerate() {
            let waker = match n {
                10 => panicking_waker("told"),
                _ => counter.waker(),
            };
            assert!(poll_with(watch, &waker).is_pending());
        }
        tx.try_send(1).unwrap();
        tx.close();
        assert_eq!(panic_of(|| receive(&rx)), "told");
        assert_eq!(counter.wakes(), 99, "of receive {number}");
        assert_eq!(rx.try_recv(), Ok(1), "of receive {number}");
    }
}

#[test]
fn batch_that_gives_back_what_had_been_given_back_keeps_its_order() {
    let (tx, rx) = bounded(1);
    let mut first = Box::pin(rx.recv());
    let mut second = Box::pin(rx.recv());
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    (0..3).for_each(|n| tx.try_send(n).unwrap());
    let mut send = Box::pin(tx.send(3));
    assert!(poll_with(&mut send, &panicking_waker("woken")).is_pending());
    drop(first);
    let mut into = Vec::new();
    // 0, which had been given back, and 2, whose place the sender of 3 gets.
    assert_eq!(panic_of(|| rx.try_recv_many(&mut into, 2)), "woken");
    drop(second);
    assert_eq!(into, []);
    assert_eq!(rx.try_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
}

/// A batch takes in several rounds what wakes more than a few senders. Between two rounds others receive, too.
#[test]
fn batch_that_gives_back_keeps_its_order_though_another_receives_meanwhile() {
    let (tx, rx) = bounded(0);
    let mut sends: Vec<_> = (0..40).map(|n| Box::pin(tx.send(n))).collect();
    let stream = Arc::new(Mutex::new(rx.clone().into_stream()));
    let meanwhile = hooked_waker({
        let (tx, rx, stream) = (tx.clone(), rx.clone(), Arc::clone(&stream));
        let last = Mutex::new(Box::pin(tx.clone().into_send(41)));
        move |call| {
            if call == Call::Wake {
                assert_eq!(rx.drain().collect::<Vec<_>>(), (32..40).collect::<Vec<_>>());
                let mut cx = Context::from_waker(Waker::noop());
                assert_eq!(
                    Pin::new(&mut *stream.lock().unwrap()).poll_next(&mut cx),
                    Pending
                );
                tx.try_send(40).unwrap();
                assert!(poll(&mut *last.lock().unwrap()).is_pending());
                panic!("woken");
            }
        }
    });
    for (n, send) in sends.iter_mut().enumerate() {
        let waker = if n == 31 { &meanwhile } else { Waker::noop() };
        assert!(poll_with(send, waker).is_pending());
    }
    assert_eq!(panic_of(|| rx.drain()), "woken");
    stream.lock().unwrap().release();
    let received: Vec<_> = rx.try_iter().collect();
    assert_eq!(received, (0..32).chain([40, 41]).collect::<Vec<_>>());
}

/// The first waker that a batch wakes receives a batch itself, whose waker panics, too.
#[cfg(feature = "std")]
#[test]
fn two_batches_that_give_back_keep_the_order() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    for capacity in [0, 1, 2, 5] {
        let (tx, rx) = bounded(capacity);
        let mut handed = [(); 2].map(|()| Box::pin(rx.recv()));
        handed
            .iter_mut()
            .for_each(|recv| assert!(poll(recv).is_pending()));
        let second = hooked_waker({
            let rx = rx.clone();
            move |call| {
                if call == Call::Wake {
                    let mut into = Vec::new();
                    let received = panic_of(|| rx.try_recv_many(&mut into, 2));
                    assert_eq!((&*received, into.len()), ("the second", 0));
                    panic!("the first");
                }
            }
        });
        (0..2 + capacity).for_each(|n| tx.try_send(n).unwrap());
        let [first, third] = handed;
        drop(first);
        let mut sends: Vec<_> = (2 + capacity..10 + capacity)
            .map(|n| Box::pin(tx.send(n)))
            .collect();
        for (n, send) in sends.iter_mut().enumerate() {
            let waker = match n {
                0 => second.clone(),
                _ => panicking_waker("the second"),
            };
            assert!(poll_with(send, &waker).is_pending());
        }
        let mut into = Vec::new();
        assert_eq!(panic_of(|| rx.try_recv_many(&mut into, 2)), "the first");
        drop(third);
        let all: Vec<_> = (0..10 + capacity).collect();
        // Where a wake panics, what was taken is back, so it is tried again.
        let try_recv = || rx.try_recv().ok();
        let received: Vec<_> = std::iter::from_fn(|| {
            let mut tries = std::iter::repeat_with(|| catch_unwind(AssertUnwindSafe(try_recv)));
            tries.find_map(Result::ok).flatten()
        })
        .collect();
        assert_eq!(received, all, "capacity {capacity}");
    }
}

#[test]
fn channel_works_on_after_panics() {
    let (tx, rx) = bounded(1);
    let mut recv = Box::pin(rx.recv());
    assert!(poll_with(&mut recv, &panicking_waker("woken")).is_pending());
    panic_of(|| tx.try_send(1));
    drop(recv);
    tx.try_send(2).unwrap();
    let mut send = Box::pin(tx.send(3));
    assert!(poll(&mut send).is_pending());
    assert_eq!(rx.try_iter().collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(poll(&mut send), Ready(Ok(())));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
}

/// A message whose drop panics if its number is 3 or, where one panic may follow another, 5.
struct Fragile(Counted);

impl Drop for Fragile {
    fn drop(&mut self) {
        if self.0.id == 3 || (MANY && self.0.id == 5) {
            panic!("message {}", self.0.id);
        }
    }
}

/// Panics at the first drop of it while `armed`.
fn waker_that_panics_when_dropped(armed: &Arc<AtomicBool>) -> Waker {
    let armed = Arc::clone(armed);
    hooked_waker(move |call| {
        if call == Call::Drop && armed.swap(false, SeqCst) {
            panic!("dropped");
        }
    })
}
