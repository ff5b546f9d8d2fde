//! Batches: `send_many`, `recv_many`, their `try_` forms and `drain`, at every kind of capacity, with and without parked peers.

mod support;

use std::{
    iter,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{Arc, Mutex},
    task::{
        Poll::{Pending, Ready},
        Waker,
    },
    thread,
};

use futures::{FutureExt, future::FusedFuture};
use hchan::{
    Receiver, RecvError, SendManyError, Sender, TryRecvError, TrySendError, bounded, never,
    unbounded,
};
#[cfg(not(feature = "std"))]
use support::blocking::*;
use support::{
    Call, CountingWaker, Drops, hooked_waker, no_deadlock, panic_of, panicking_waker, poll,
    poll_with, scaled,
};

/// 5 is the first capacity with a lock at each end; the last has more than one block of large messages.
const CAPACITIES: [usize; 6] = [0, 1, 2, 5, 64, if cfg!(miri) { 100 } else { 1000 }];
/// More messages than twice the largest capacity.
const LONG: usize = if cfg!(miri) { 220 } else { 2_500 };
/// More parked peers than are woken in one go.
const MANY: usize = 100;
/// Whether one operation may meet more than one panic: without `std` the second ends the process.
const MANY_PANICS: bool = cfg!(feature = "std");

fn channels<T>() -> impl Iterator<Item = (Sender<T>, Receiver<T>)> {
    CAPACITIES
        .into_iter()
        .map(bounded)
        .chain(iter::once_with(unbounded))
}

/// Wakers that note the order in which they are woken.
#[derive(Default)]
struct Woken(Arc<Mutex<Vec<usize>>>);

impl Woken {
    fn waker(&self, n: usize) -> Waker {
        let woken = Arc::clone(&self.0);
        hooked_waker(move |call| {
            if call == Call::Wake {
                woken.lock().unwrap().push(n);
            }
        })
    }

    fn list(&self) -> Vec<usize> {
        self.0.lock().unwrap().clone()
    }
}

fn sent_and_rest<I: Iterator>(error: SendManyError<I>) -> (usize, Vec<I::Item>) {
    (error.sent, error.rest.collect())
}

/// Receives until there is nothing more at once.
fn received<T>(rx: &Receiver<T>) -> Vec<T> {
    rx.drain().collect()
}

// Order.

#[test]
fn batch_leaves_in_its_order_whatever_the_sizes_of_the_receives() {
    const COUNT: usize = if cfg!(miri) { 12 } else { LONG };
    for limit in [1, 3, 64, usize::MAX] {
        for (tx, rx) in channels() {
            let mut sending = pin!(tx.send_many(0..COUNT));
            let mut into = Vec::new();
            loop {
                let sent = poll(&mut sending);
                while rx.try_recv_many(&mut into, limit).is_ok() {}
                if let Ready(sent) = sent {
                    assert_eq!(sent.unwrap(), COUNT);
                    break;
                }
            }
            assert!(into.iter().copied().eq(0..COUNT), "{rx:?}, limit {limit}");
        }
    }
}

#[test]
fn batches_interleave_and_each_keeps_its_order() {
    const EACH: usize = if cfg!(miri) { 20 } else { 300 };
    for (tx, rx) in channels() {
        let mut sendings: Vec<_> = (0..3)
            .map(|batch| Box::pin(tx.send_many((0..EACH).map(move |n| (batch, n)))))
            .collect();
        let mut received = Vec::new();
        while received.len() < 3 * EACH {
            for sending in &mut sendings {
                if !sending.is_terminated() {
                    let _ = poll(sending);
                }
            }
            rx.try_recv_many(&mut received, 2).unwrap();
        }
        for batch in 0..3 {
            let own = received.iter().filter(|of| of.0 == batch).map(|of| of.1);
            assert!(own.eq(0..EACH), "batch {batch}, {rx:?}");
        }
        if rx.capacity() == Some(5) {
            assert!(!received.is_sorted(), "they took turns");
        }
    }
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn batches_of_threads_keep_their_order_and_nothing_is_lost() {
    const EACH: usize = if cfg!(miri) { 20 } else { 5_000 };
    for (tx, rx) in channels() {
        let received: Vec<Vec<(u8, usize)>> = thread::scope(|threads| {
            for batch in 0..2 {
                let tx = tx.clone();
                threads.spawn(move || {
                    let messages = (0..EACH).map(|n| (batch, n));
                    assert_eq!(tx.send_many(messages).wait().unwrap(), EACH);
                });
            }
            drop(tx);
            let receivings = [7, 100].map(|limit| {
                let rx = &rx;
                threads.spawn(move || {
                    let mut received = Vec::new();
                    while rx.recv_many(&mut received, limit).wait().is_ok() {}
                    received
                })
            });
            receivings.map(|thread| thread.join().unwrap()).into()
        });
        for own in &received {
            for batch in 0..2 {
                let numbers: Vec<_> = own.iter().filter(|of| of.0 == batch).collect();
                assert!(numbers.is_sorted(), "batch {batch}");
            }
        }
        let mut all = received.concat();
        all.sort();
        let sent = (0..2).flat_map(|batch| (0..EACH).map(move |n| (batch, n)));
        assert!(all.into_iter().eq(sent), "{rx:?}");
    }
}

#[test]
fn parked_batch_keeps_its_place_in_the_line_with_one_message() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        tx.try_send_many(iter::repeat_n("buffered", capacity))
            .unwrap();
        let mut first = pin!(tx.send("first"));
        let mut batch = pin!(tx.send_many(["batch 1", "batch 2"]));
        let mut last = pin!(tx.send("last"));
        assert!(poll(&mut first).is_pending());
        assert!(poll(&mut batch).is_pending());
        assert!(poll(&mut last).is_pending());
        assert_eq!(rx.waiting_senders(), 3);
        assert_eq!(received(&rx)[capacity..], ["first", "batch 1", "last"]);
        let sent = poll(&mut batch);
        assert_eq!(sent.is_ready(), capacity > 0);
        assert_eq!(received(&rx), ["batch 2"]);
    }
}

// As many as fit.

#[test]
fn one_poll_sends_as_many_as_there_is_room_for_and_parks_with_one() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        let mut messages = 0..LONG;
        let mut sending = Box::pin(tx.send_many(&mut messages));
        assert!(poll(&mut sending).is_pending());
        assert_eq!((rx.len(), rx.waiting_senders()), (capacity, 1));
        assert_eq!(rx.drain().len(), capacity + 1, "and that of the parked one");
        assert!(poll(&mut sending).is_pending());
        drop(sending);
        let taken = LONG - messages.len();
        assert_eq!(taken, 2 * capacity + 2, "one more than were sent");
        assert_eq!(rx.len(), capacity);
    }
}

#[test]
fn one_call_sends_any_number_into_an_unbounded_channel() {
    let (tx, rx) = unbounded();
    const MANY: usize = scaled(100_000);
    assert_eq!(tx.try_send_many(0..MANY).unwrap(), MANY);
    let sent = tx.send_many(MANY..2 * MANY).now_or_never().unwrap();
    assert_eq!(sent.unwrap(), MANY);
    assert!(rx.drain().eq(0..2 * MANY));
}

#[test]
fn try_send_many_counts_parked_receivers_as_room() {
    for (tx, rx) in channels() {
        let mut receivings: Vec<_> = (0..3).map(|_| Box::pin(rx.recv())).collect();
        for receiving in &mut receivings {
            assert!(poll(receiving).is_pending());
        }
        let fit = tx.capacity().map_or(LONG, |capacity| capacity + 3);
        match tx.try_send_many(0..LONG) {
            Ok(sent) => assert_eq!((sent, fit), (LONG, LONG)),
            Err(TrySendError::Full(unsent)) => {
                let (sent, rest) = sent_and_rest(unsent);
                assert_eq!(sent, fit);
                assert!(rest.into_iter().eq(fit..LONG));
            }
            Err(TrySendError::Closed(_)) => panic!("it is open"),
        }
        for (n, receiving) in receivings.iter_mut().enumerate() {
            assert_eq!(poll(receiving), Ready(Ok(n)));
        }
        assert!(rx.drain().eq(3..fit));
    }
}

#[test]
fn empty_batch_is_sent_at_once_even_into_a_full_or_closed_channel() {
    for (tx, _rx) in channels::<u8>() {
        let _ = tx.try_send_many(iter::repeat_n(0, LONG));
        assert_eq!(tx.try_send_many([]).unwrap(), 0);
        assert_eq!(tx.send_many([]).now_or_never().unwrap().unwrap(), 0);
        tx.close();
        assert_eq!(tx.try_send_many([]).unwrap(), 0);
        assert_eq!(tx.send_many([]).now_or_never().unwrap().unwrap(), 0);
    }
}

// Parked peers.

#[test]
fn parked_receivers_are_served_in_order_and_woken_once_each() {
    for (tx, rx) in channels() {
        let woken = Woken::default();
        let mut receivings: Vec<_> = (0..MANY).map(|_| Box::pin(rx.recv())).collect();
        for (n, receiving) in receivings.iter_mut().enumerate() {
            assert!(poll_with(receiving, &woken.waker(n)).is_pending());
        }
        let sent = tx.send_many(0..MANY).now_or_never().unwrap();
        assert_eq!(sent.unwrap(), MANY);
        assert!(woken.list().into_iter().eq(0..MANY));
        for (n, receiving) in receivings.iter_mut().enumerate() {
            assert_eq!(poll(receiving), Ready(Ok(n)));
        }
        assert_eq!((rx.waiting_receivers(), rx.len()), (0, 0));
    }
}

#[test]
fn parked_receives_of_many_get_one_each_before_anybody_gets_more() {
    for (tx, rx) in channels() {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let fit;
        {
            let mut receiving = pin!(rx.recv_many(&mut first, 10));
            let mut waiting = pin!(rx.recv_many(&mut second, 10));
            assert!(poll(&mut receiving).is_pending());
            assert!(poll(&mut waiting).is_pending());
            let _ = tx.try_send_many(1..=4);
            let more = tx.capacity().map_or(2, |capacity| capacity.min(2));
            assert_eq!(poll(&mut receiving), Ready(Ok(1 + more)));
            assert_eq!(poll(&mut waiting), Ready(Ok(1)));
            fit = more;
        }
        assert_eq!((first.remove(0), second), (1, vec![2]));
        assert!(first.into_iter().eq(3..3 + fit));
    }
}

#[test]
fn parked_senders_are_promoted_in_order_and_woken_once_each() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        tx.try_send_many(0..capacity).unwrap();
        let woken = Woken::default();
        let mut sendings: Vec<_> = (0..MANY).map(|n| Box::pin(tx.send(capacity + n))).collect();
        for (n, sending) in sendings.iter_mut().enumerate() {
            assert!(poll_with(sending, &woken.waker(n)).is_pending());
        }
        let mut received = Vec::new();
        assert_eq!(rx.try_recv_many(&mut received, 40), Ok(40));
        assert!(woken.list().into_iter().eq(0..40));
        let rest = capacity + MANY - 40;
        let more = rx.recv_many(&mut received, usize::MAX).now_or_never();
        assert_eq!(more, Some(Ok(rest)));
        assert!(received.into_iter().eq(0..capacity + MANY));
        assert!(woken.list().into_iter().eq(0..MANY));
        for sending in &mut sendings {
            assert_eq!(poll(sending), Ready(Ok(())));
        }
        assert_eq!((rx.waiting_senders(), rx.len()), (0, 0));
    }
}

#[test]
fn woken_batch_sends_all_that_fits_by_then() {
    let (tx, rx) = bounded(5);
    let counter = CountingWaker::new();
    let mut sending = pin!(tx.send_many(0..16));
    assert!(poll_with(&mut sending, &counter.waker()).is_pending());
    assert!(rx.drain().eq(0..6));
    assert_eq!(counter.wakes(), 1);
    assert!(poll_with(&mut sending, &counter.waker()).is_pending());
    assert!(rx.drain().eq(6..12));
    assert_eq!(counter.wakes(), 2);
    let sent = poll(&mut sending).map(Result::unwrap);
    assert_eq!(sent, Ready(16));
    assert!(rx.drain().eq(12..16));
    assert_eq!(counter.wakers(), 0);
}

// Closed half-way.

#[test]
fn close_fails_a_parked_batch_with_the_count_and_the_rest() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        let counter = CountingWaker::new();
        let mut sending = pin!(tx.send_many(0..LONG));
        assert!(poll_with(&mut sending, &counter.waker()).is_pending());
        let first = rx.try_recv().unwrap();
        assert_eq!(first, 0);
        assert!(poll_with(&mut sending, &counter.waker()).is_pending());
        tx.close();
        assert_eq!(counter.wakes(), 2, "for room, and for the close");
        let Ready(Err(error)) = poll(&mut sending) else {
            panic!("it was closed")
        };
        assert!(sending.is_terminated());
        let sent = capacity + 1;
        assert_eq!(error.sent, sent);
        assert_eq!(error.rest.size_hint(), (LONG - sent, Some(LONG - sent)));
        let mut rest = error.rest.clone();
        assert!(rest.by_ref().eq(sent..LONG));
        assert_eq!((rest.next(), rest.size_hint()), (None, (0, Some(0))));
        assert!(error.rest.eq(sent..LONG));
        assert!(received(&rx).into_iter().eq(1..sent));
    }
}

#[test]
fn batch_into_a_closed_channel_takes_one_message_out_of_the_iterator() {
    for (tx, _rx) in channels() {
        tx.close();
        let mut messages = 0..10;
        let error = tx.try_send_many(&mut messages).unwrap_err();
        assert!(error.is_closed());
        let mut unsent = error.into_inner();
        assert_eq!((unsent.sent, unsent.rest.next()), (0, Some(0)));
        drop(unsent);
        assert_eq!(messages, 1..10);
        let error = tx.send_many(&mut messages).now_or_never().unwrap();
        let (sent, rest) = sent_and_rest(error.unwrap_err());
        assert_eq!((sent, rest), (0, (1..10).collect()));
    }
}

/// The iterator takes up the room that was counted, so that more messages than one have been taken and have to wait.
fn crowded<'a>(tx: &'a Sender<u32>, messages: &'a mut u32) -> impl Iterator<Item = u32> + 'a {
    iter::from_fn(move || {
        while *messages == 1 && tx.try_send(1_000).is_ok() {}
        *messages += 1;
        (*messages <= 8).then_some(*messages)
    })
}

#[test]
fn rest_has_what_was_taken_already_and_then_what_the_iterator_has() {
    for goes_on in [false, true] {
        let (tx, rx) = bounded(5);
        let mut count = 0;
        let mut sending = Box::pin(tx.send_many(crowded(&tx, &mut count)));
        assert!(poll(&mut sending).is_pending());
        if goes_on {
            assert_eq!(rx.try_recv(), Ok(1_000));
        }
        rx.close();
        let Ready(Err(error)) = poll(&mut sending) else {
            panic!("it was closed")
        };
        let sent = u32::from(goes_on);
        let (told, rest) = sent_and_rest(error);
        assert_eq!(told, sent as usize);
        assert!(rest.into_iter().eq(sent + 1..=8));
        drop(sending);
        assert_eq!(count, 9, "asked until it ended, and no more");
        assert!(rx.drain().skip(5 - sent as usize).eq(1..=sent));
    }
}

#[test]
fn messages_that_were_taken_and_had_to_wait_are_sent_in_order() {
    let (tx, rx) = bounded(5);
    let mut count = 0;
    let mut sending = pin!(tx.send_many(crowded(&tx, &mut count)));
    assert!(poll(&mut sending).is_pending());
    assert_eq!(received(&rx), [1_000, 1_000, 1_000, 1_000, 1_000, 1]);
    assert!(poll(&mut sending).is_pending());
    assert_eq!(received(&rx), [2, 3, 4, 5, 6, 7]);
    assert_eq!(poll(&mut sending).map(Result::unwrap), Ready(8));
    assert_eq!(received(&rx), [8]);
}

// Dropped.

#[test]
fn dropped_batch_has_sent_what_was_sent_and_drops_what_it_had_taken() {
    for capacity in CAPACITIES {
        for rounds in 0..4 {
            let (tx, rx) = bounded(capacity);
            let drops = Drops::new();
            let mut messages = (0..4 * LONG).map(|n| drops.message(n));
            let mut sending = Box::pin(tx.send_many(&mut messages));
            let mut received = 0;
            for round in 0..rounds {
                assert!(poll(&mut sending).is_pending());
                if round + 1 < rounds {
                    received += rx.drain().len();
                }
            }
            let parked = usize::from(rounds > 0);
            assert_eq!((drops.count(), rx.waiting_senders()), (received, parked));
            drop(sending);
            assert_eq!(drops.count(), received + parked, "one at the most");
            assert_eq!(rx.waiting_senders(), 0);
            let first = received;
            let left = rx.drain().enumerate().map(|(n, message)| {
                assert_eq!(message.id, first + n);
            });
            received += left.count();
            let next = messages.next().unwrap();
            assert_eq!(next.id, received + parked, "the iterator has the rest");
        }
    }
}

#[test]
fn dropped_batch_drops_all_that_it_had_taken_if_others_took_the_room() {
    let (tx, rx) = bounded(5);
    let drops = Drops::new();
    let mut count = 0;
    let messages = iter::from_fn(|| {
        count += 1;
        if count == 5 {
            // The room for which these were taken is gone.
            (0..5).for_each(|n| tx.try_send(drops.message(1_000 + n)).unwrap());
        }
        (count <= 8).then(|| drops.message(count))
    });
    let mut sending = Box::pin(tx.send_many(messages));
    assert!(poll(&mut sending).is_pending());
    drop(sending);
    assert_eq!((drops.count(), count), (5, 5));
    assert_eq!(rx.len(), 5);
}

#[test]
fn dropped_batch_that_was_completed_by_a_peer_has_sent_its_message() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        let mut messages = 0..LONG;
        let mut sending = Box::pin(tx.send_many(&mut messages));
        assert!(poll(&mut sending).is_pending());
        assert!(rx.try_recv().is_ok());
        drop(sending);
        assert_eq!(messages.start, capacity + 1);
        assert!(received(&rx).into_iter().eq(1..capacity + 1));
    }
}

#[test]
fn dropped_batch_lets_those_behind_it_go_ahead() {
    let (tx, rx) = bounded(5);
    let mut batch = Box::pin(tx.send_many(0..20));
    assert!(poll(&mut batch).is_pending());
    let mut behind = pin!(tx.send(100));
    assert!(poll(&mut behind).is_pending());
    drop(batch);
    assert_eq!(received(&rx), [0, 1, 2, 3, 4, 100]);
    assert_eq!(poll(&mut behind), Ready(Ok(())));
}

// Receives of many.

#[test]
fn recv_many_of_none_is_ready_on_any_channel() {
    for (tx, rx) in channels::<u8>() {
        let mut into = vec![9];
        let mut of_none = || {
            let now = rx.recv_many(&mut into, 0).now_or_never();
            assert_eq!((now, rx.try_recv_many(&mut into, 0)), (Some(Ok(0)), Ok(0)));
        };
        of_none();
        let _ = tx.try_send(1);
        of_none();
        tx.close();
        of_none();
        assert_eq!(into, [9]);
    }
    let of_none = never::<u8>().recv_many(&mut Vec::new(), 0).now_or_never();
    assert_eq!(of_none, Some(Ok(0)));
}

#[test]
fn recv_many_takes_what_is_there_up_to_its_limit_behind_what_the_vector_has() {
    for (tx, rx) in channels().skip(4) {
        tx.try_send_many(0..10).unwrap();
        let mut into = vec![100, 101];
        assert_eq!(rx.recv_many(&mut into, 4).now_or_never(), Some(Ok(4)));
        assert_eq!(rx.len(), 6);
        assert_eq!(rx.recv_many(&mut into, 60).now_or_never(), Some(Ok(6)));
        assert_eq!(into, [100, 101, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(rx.recv_many(&mut into, 60).now_or_never(), None);
        tx.try_send(10).unwrap();
        tx.close();
        assert_eq!(rx.recv_many(&mut into, 60).now_or_never(), Some(Ok(1)));
        let end = rx.recv_many(&mut into, 60).now_or_never();
        assert_eq!(end, Some(Err(RecvError)));
        let end = rx.try_recv_many(&mut into, 60);
        assert_eq!((end, into.len()), (Err(TryRecvError::Closed), 13));
    }
}

#[test]
fn parked_recv_many_is_woken_once_and_takes_what_has_come_since() {
    for (tx, rx) in channels() {
        let counter = CountingWaker::new();
        let mut into = Vec::new();
        let mut receiving = Box::pin(rx.recv_many(&mut into, 3));
        assert!(poll_with(&mut receiving, &counter.waker()).is_pending());
        assert_eq!(rx.waiting_receivers(), 1);
        let fit = tx.capacity().map_or(5, |capacity| 5.min(capacity + 1));
        let _ = tx.try_send_many(0..5);
        assert_eq!((counter.wakes(), rx.len()), (1, fit - 1));
        assert_eq!(poll(&mut receiving), Ready(Ok(fit.min(3))));
        drop(receiving);
        assert!(into.into_iter().eq(0..fit.min(3)));
        assert!(received(&rx).into_iter().eq(fit.min(3)..fit));
    }
}

#[test]
fn parked_recv_many_takes_the_messages_of_parked_senders_too() {
    let (tx, rx) = bounded(0);
    let mut into = Vec::new();
    let mut receiving = Box::pin(rx.recv_many(&mut into, 10));
    assert!(poll(&mut receiving).is_pending());
    let mut sendings: Vec<_> = (0..4).map(|n| Box::pin(tx.send(n))).collect();
    assert_eq!(poll(&mut sendings[0]), Ready(Ok(())));
    for sending in &mut sendings[1..] {
        assert!(poll(sending).is_pending());
    }
    assert_eq!(poll(&mut receiving), Ready(Ok(4)));
    drop(receiving);
    assert_eq!(into, [0, 1, 2, 3]);
}

#[test]
fn close_fails_a_parked_recv_many_and_leaves_its_vector() {
    for (tx, rx) in channels::<u8>() {
        let mut into = vec![1, 2];
        let mut receiving = Box::pin(rx.recv_many(&mut into, 5));
        assert!(poll(&mut receiving).is_pending());
        tx.close();
        assert_eq!(poll(&mut receiving), Ready(Err(RecvError)));
        assert!(receiving.is_terminated());
        drop(receiving);
        assert_eq!(into, [1, 2]);
    }
}

#[test]
fn recv_many_cancelled_while_parked_leaves_the_line() {
    for (tx, rx) in channels() {
        let mut into = vec![7];
        let mut cancelled = Box::pin(rx.recv_many(&mut into, 5));
        let mut next = pin!(rx.recv());
        assert!(poll(&mut cancelled).is_pending());
        assert!(poll(&mut next).is_pending());
        drop(cancelled);
        tx.try_send(1).unwrap();
        assert_eq!(poll(&mut next), Ready(Ok(1)));
        assert_eq!(into, [7]);
    }
}

#[test]
fn message_handed_to_a_cancelled_recv_many_is_received_before_all_later_ones() {
    for (tx, rx) in channels() {
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let mut vectors = [const { Vec::new() }; 3];
            let mut handed: Vec<_> = vectors
                .iter_mut()
                .map(|into| Some(Box::pin(rx.recv_many(into, 5))))
                .collect();
            for receiving in handed.iter_mut().flatten() {
                assert!(poll(receiving).is_pending());
            }
            let sent = tx.try_send_many(0..5);
            let sent = sent.unwrap_or_else(|error| error.into_inner().sent);
            assert!(sent >= 3, "three are parked");
            for n in order {
                handed[n] = None;
            }
            let mut into = Vec::new();
            assert_eq!(rx.try_recv_many(&mut into, 10), Ok(sent));
            assert!(into.into_iter().eq(0..sent), "cancelled as {order:?}");
            drop(handed);
            assert!(vectors.iter().all(Vec::is_empty));
        }
    }
}

#[test]
fn message_handed_to_a_cancelled_recv_many_goes_to_the_one_parked_behind() {
    for (tx, rx) in channels() {
        let counter = CountingWaker::new();
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let mut cancelled = Box::pin(rx.recv_many(&mut first, 5));
        let mut next = Box::pin(rx.recv_many(&mut second, 5));
        assert!(poll(&mut cancelled).is_pending());
        assert!(poll_with(&mut next, &counter.waker()).is_pending());
        tx.try_send_many([1]).unwrap();
        drop(cancelled);
        assert_eq!(counter.wakes(), 1);
        assert_eq!(poll(&mut next), Ready(Ok(1)));
        drop(next);
        assert_eq!((first, second), (vec![], vec![1]));
    }
}

#[test]
fn recv_many_takes_given_back_messages_first() {
    let (tx, rx) = bounded(5);
    let mut handed: Vec<_> = (0..3).map(|_| Box::pin(rx.recv())).collect();
    for receiving in &mut handed {
        assert!(poll(receiving).is_pending());
    }
    tx.try_send_many(0..8).unwrap();
    let mut behind = pin!(tx.send_many(8..10));
    assert!(poll(&mut behind).is_pending());
    drop(handed);
    assert_eq!(rx.len(), 8);
    let mut into = Vec::new();
    assert_eq!(rx.try_recv_many(&mut into, 2), Ok(2));
    assert_eq!(rx.waiting_senders(), 1, "those took no place");
    assert_eq!(rx.try_recv_many(&mut into, 20), Ok(7));
    assert!(into.into_iter().eq(0..9));
    assert_eq!(poll(&mut behind).map(Result::unwrap), Ready(2));
}

#[test]
fn drain_takes_all_and_drops_what_is_not_taken_out_of_it() {
    for (tx, rx) in channels() {
        let drops = Drops::new();
        let buffered = tx.capacity().unwrap_or(LONG);
        tx.try_send_many((0..buffered).map(|n| drops.message(n)))
            .unwrap();
        let mut sendings: Vec<_> = (0..3)
            .map(|n| Box::pin(tx.send(drops.message(buffered + n))))
            .collect();
        for sending in &mut sendings {
            let _ = poll(sending);
        }
        let mut messages = rx.drain();
        assert_eq!((messages.len(), rx.len()), (buffered + 3, 0));
        assert_eq!(messages.next().unwrap().id, 0);
        assert_eq!(messages.next().unwrap().id, 1);
        assert_eq!(drops.count(), 2);
        drop(messages);
        assert_eq!(drops.count(), buffered + 3);
        assert_eq!(rx.drain().len(), 0);
    }
}

/// Each sender that is woken while it goes on sends once more.
#[test]
fn drain_takes_at_most_as_many_messages_as_there_were_when_it_began() {
    no_deadlock(|| {
        let (tx, rx) = bounded(0);
        let later = Arc::new(Mutex::new(Vec::new()));
        let mut sends: Vec<_> = (0..MANY).map(|n| Box::pin(tx.send(n))).collect();
        for send in &mut sends {
            let (tx, later) = (tx.clone(), Arc::clone(&later));
            let waker = hooked_waker(move |call| {
                if call == Call::Wake {
                    let mut send = Box::pin(tx.clone().into_send(1_000));
                    assert!(poll(&mut send).is_pending());
                    later.lock().unwrap().push(send);
                }
            });
            assert!(poll_with(send, &waker).is_pending());
        }
        assert!(received(&rx).into_iter().eq(0..MANY));
        assert_eq!(rx.waiting_senders(), MANY);
        later.lock().unwrap().clear();
    });
}

#[test]
fn never_has_nothing_for_a_batch() {
    let rx = never::<u8>();
    let mut into = vec![1];
    assert_eq!(rx.try_recv_many(&mut into, 5), Err(TryRecvError::Empty));
    assert_eq!(rx.drain().len(), 0);
    let mut receiving = Box::pin(rx.recv_many(&mut into, 5));
    assert!(poll(&mut receiving).is_pending() && poll(&mut receiving).is_pending());
    assert!(!receiving.is_terminated());
    drop(receiving);
    assert_eq!(into, [1]);
}

// Iterators of all kinds.

/// Panics when it is asked again after its end.
struct Once<I>(Option<I>);

impl<I: Iterator> Iterator for Once<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        let next = self.0.as_mut().expect("asked after its end").next();
        if next.is_none() {
            self.0 = None;
        }
        next
    }
}

#[test]
fn iterator_that_has_ended_is_not_asked_again() {
    for (tx, rx) in channels() {
        for len in [0, 1, 2, 5, 6, 64, 65] {
            let mut sending = pin!(tx.send_many(Once(Some(0..len))));
            let mut received = Vec::new();
            while poll(&mut sending).is_pending() {
                received.extend(rx.drain());
            }
            received.extend(rx.drain());
            assert!(received.into_iter().eq(0..len), "{rx:?}, {len}");

            let sent = match tx.try_send_many(Once(Some(0..len))) {
                Ok(sent) => sent,
                Err(error) => {
                    let (sent, rest) = sent_and_rest(error.into_inner());
                    assert!(rest.into_iter().eq(sent as i32..len));
                    sent
                }
            };
            assert_eq!(rx.drain().len(), sent);
        }
    }
}

/// An iterator with a size hint of one's own.
struct Hinting<I>(I, (usize, Option<usize>));

impl<I: Iterator> Iterator for Hinting<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.1
    }
}

#[test]
fn size_hints_that_are_wrong_do_no_harm() {
    const LENGTH: usize = if cfg!(miri) { 30 } else { 300 };
    let hints = [
        (0, Some(0)),
        (0, None),
        (5, Some(1)),
        (usize::MAX, Some(usize::MAX)),
        (usize::MAX, None),
    ];
    for hint in hints {
        for (tx, rx) in channels() {
            let mut received = Vec::new();
            {
                let mut sending = pin!(tx.send_many(Hinting(0..LENGTH, hint)));
                while poll(&mut sending).is_pending() {
                    received.extend(rx.drain());
                }
            }
            received.extend(rx.drain());
            assert!(received.into_iter().eq(0..LENGTH), "{hint:?}, {rx:?}");

            tx.close();
            let error = tx.try_send_many(Hinting(0..LENGTH, hint)).unwrap_err();
            // Not collected: that would believe the hint.
            let unsent = error.into_inner();
            let _ = unsent.rest.size_hint();
            assert_eq!((unsent.sent, unsent.rest.count()), (0, LENGTH), "{hint:?}");
        }
    }
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn panic_of_the_iterator_leaves_what_was_sent_and_drops_what_was_taken() {
    for (tx, rx) in channels() {
        let drops = Drops::new();
        let mut next = 0;
        let mut messages = iter::from_fn(|| {
            next += 1;
            assert_ne!(next, 4, "the fourth");
            Some(drops.message(next))
        });
        let capacity = tx.capacity().unwrap_or(usize::MAX);
        let outcome = catch_unwind(AssertUnwindSafe(|| tx.try_send_many(&mut messages).is_ok()));
        // With less room than that it does not get so far.
        assert_eq!(outcome.is_err(), capacity > 2);
        let sent = rx.len();
        assert_eq!(sent, if capacity > 2 { 0 } else { capacity });
        assert_eq!(drops.count(), 3.min(capacity.saturating_add(1)) - sent);
        assert!(rx.drain().map(|message| message.id).eq(1..=sent));
        assert_eq!(tx.try_send(drops.message(9)).is_ok(), capacity > 0);
    }
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn batch_goes_on_after_a_panic_of_its_iterator() {
    for (tx, rx) in channels() {
        let mut calls = 0;
        let mut numbers = 0..20;
        let messages = iter::from_fn(|| {
            calls += 1;
            assert_ne!(calls % 4, 0, "every fourth time");
            numbers.next()
        });
        let mut sending = Box::pin(tx.send_many(messages));
        let mut received = Vec::new();
        loop {
            let polled = catch_unwind(AssertUnwindSafe(|| poll(&mut sending)));
            received.extend(rx.drain());
            if let Ok(Ready(sent)) = polled {
                assert_eq!(sent.unwrap(), 20);
                break;
            }
        }
        assert!(received.into_iter().eq(0..20), "{rx:?}");
    }
}

#[test]
fn iterator_may_use_the_channel_it_sends_into() {
    let count = if cfg!(miri) { 10 } else { 100 };
    no_deadlock(move || {
        for (tx, rx) in channels::<u32>() {
            let mut received = Vec::new();
            let mut parked = Box::pin(rx.recv());
            assert!(poll(&mut parked).is_pending());
            let mut n = 0;
            let messages = iter::from_fn(|| {
                n += 1;
                let _ = (tx.len(), tx.is_full(), tx.is_closed(), format!("{tx:?}"));
                let _ = tx.try_send(1_000 + n);
                let _ = tx.try_send_many([2_000 + n]);
                let _ = poll(&mut Box::pin(tx.send(3_000 + n)));
                if n % 3 == 0 {
                    received.extend(rx.drain());
                }
                (n <= count).then_some(n)
            });
            let mut sending = Box::pin(tx.send_many(messages));
            let mut also = Vec::new();
            while poll(&mut sending).is_pending() {
                rx.try_recv_many(&mut also, usize::MAX).unwrap();
            }
            drop(sending);
            let handed = poll(&mut parked);
            received.extend(also.into_iter().chain(rx.drain()));
            let mut own: Vec<_> = received.into_iter().filter(|&n| n <= count).collect();
            own.sort();
            assert!(own.into_iter().eq(1..=count), "{rx:?}");
            assert_eq!(handed, Ready(Ok(1_001)));
        }
    });
}

#[test]
fn iterator_may_close_the_channel_it_sends_into() {
    for (tx, rx) in channels() {
        let mut n = 0;
        let messages = iter::from_fn(|| {
            n += 1;
            if n == 2 {
                rx.close();
            }
            (n <= 5).then_some(n)
        });
        let mut sending = Box::pin(tx.send_many(messages));
        let mut got = Vec::new();
        let error = loop {
            match poll(&mut sending) {
                Ready(sent) => break sent.unwrap_err(),
                Pending => got.extend(rx.drain()),
            }
        };
        got.extend(rx.drain());
        let (sent, rest) = sent_and_rest(error);
        assert!(sent <= 1, "the second closed it");
        assert!(got.into_iter().eq(1..=sent));
        assert!(rest.into_iter().eq(sent + 1..=5));
    }
}

// Wakers.

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn panicking_wakers_of_receivers_do_not_keep_a_batch_from_anybody() {
    for (tx, rx) in channels() {
        let counter = CountingWaker::new();
        let mut receivings: Vec<_> = (0..MANY).map(|_| Box::pin(rx.recv())).collect();
        for (n, receiving) in receivings.iter_mut().enumerate() {
            let waker = match n {
                10 => panicking_waker("the tenth"),
                11 if MANY_PANICS => panicking_waker("the eleventh"),
                50 => panicking_waker("the fiftieth"),
                _ => counter.waker(),
            };
            assert!(poll_with(receiving, &waker).is_pending());
        }
        let mut sending = Box::pin(tx.send_many(0..MANY));
        assert_eq!(panic_of(|| poll(&mut sending).is_ready()), "the tenth");
        assert!(!sending.is_terminated(), "it goes on when polled again");
        assert_eq!(panic_of(|| poll(&mut sending).is_ready()), "the fiftieth");
        assert_eq!(poll(&mut sending).map(Result::unwrap), Ready(MANY));
        assert_eq!(counter.wakes(), MANY - if MANY_PANICS { 3 } else { 2 });
        for (n, receiving) in receivings.iter_mut().enumerate() {
            assert_eq!(poll(receiving), Ready(Ok(n)));
        }
    }
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn panicking_waker_of_a_receiver_ends_try_send_many_with_nothing_doubled() {
    for (tx, rx) in channels() {
        let drops = Drops::new();
        let mut receivings: Vec<_> = (0..MANY).map(|_| Box::pin(rx.recv())).collect();
        for (n, receiving) in receivings.iter_mut().enumerate() {
            match n {
                3 => assert!(poll_with(receiving, &panicking_waker("woken")).is_pending()),
                _ => assert!(poll(receiving).is_pending()),
            }
        }
        let mut messages = (0..MANY).map(|n| drops.message(n));
        assert_eq!(
            panic_of(|| tx.try_send_many(&mut messages).is_ok()),
            "woken"
        );
        let handed = MANY - rx.waiting_receivers();
        assert!(handed > 3);
        let left = messages.count();
        assert_eq!(drops.count(), MANY - handed, "{left} by ourselves");
        for (n, receiving) in receivings.iter_mut().enumerate().take(handed) {
            assert_eq!(poll(receiving), Ready(Ok(drops.message(n))));
        }
    }
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn panicking_wakers_of_senders_leave_all_messages_in_the_channel_in_order() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        tx.try_send_many(0..capacity).unwrap();
        let counter = CountingWaker::new();
        let mut sendings: Vec<_> = (0..MANY).map(|n| Box::pin(tx.send(capacity + n))).collect();
        for (n, sending) in sendings.iter_mut().enumerate() {
            let waker = match n {
                10 => panicking_waker("the tenth"),
                60 if MANY_PANICS => panicking_waker("the sixtieth"),
                _ => counter.waker(),
            };
            assert!(poll_with(sending, &waker).is_pending());
        }
        let mut into = vec![9_999];
        let panic = panic_of(|| rx.try_recv_many(&mut into, usize::MAX));
        assert_eq!(panic, "the tenth");
        assert_eq!(into, [9_999], "none was received");
        let panicking = if MANY_PANICS { 2 } else { 1 };
        assert_eq!(counter.wakes(), MANY - panicking, "and yet they were sent");
        for sending in &mut sendings {
            assert_eq!(poll(sending), Ready(Ok(())));
        }
        assert_eq!(rx.len(), capacity + MANY);
        assert_eq!(tx.try_send(0).is_ok(), capacity > 0, "they take no place");
        let mut received: Vec<_> = iter::from_fn(|| rx.try_recv().ok()).collect();
        received.truncate(capacity + MANY);
        assert!(received.into_iter().eq(0..capacity + MANY));
    }
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn recv_many_that_panics_can_be_polled_again() {
    let (tx, rx) = bounded(5);
    tx.try_send_many(0..5).unwrap();
    let mut sending = Box::pin(tx.send(5));
    assert!(poll_with(&mut sending, &panicking_waker("woken")).is_pending());
    let mut into = Vec::new();
    let mut receiving = Box::pin(rx.recv_many(&mut into, 10));
    assert_eq!(panic_of(|| poll(&mut receiving)), "woken");
    assert!(!receiving.is_terminated());
    assert_eq!(poll(&mut receiving), Ready(Ok(6)));
    drop(receiving);
    assert!(into.into_iter().eq(0..6));
}

#[test]
fn wakers_may_use_the_channel_in_the_middle_of_a_batch() {
    no_deadlock(|| {
        for (tx, rx) in channels::<usize>() {
            let stolen = Arc::new(Mutex::new(Vec::new()));
            let mut receivings: Vec<_> = (0..MANY).map(|_| Box::pin(rx.recv())).collect();
            for receiving in &mut receivings {
                let (tx, rx, stolen) = (tx.clone(), rx.clone(), Arc::clone(&stolen));
                let waker = hooked_waker(move |call| {
                    if call == Call::Wake {
                        let _ = (tx.len(), rx.waiting_receivers());
                        let _ = tx.try_send_many([5_000]);
                        stolen.lock().unwrap().extend(rx.drain());
                    }
                });
                assert!(poll_with(receiving, &waker).is_pending());
            }
            let mut sending = Box::pin(tx.send_many(0..2 * MANY));
            let mut received = Vec::new();
            while poll(&mut sending).is_pending() {
                received.extend(rx.drain());
            }
            for receiving in &mut receivings {
                let Ready(Ok(message)) = poll(receiving) else {
                    panic!("all were served")
                };
                received.push(message);
            }
            received.extend(rx.drain());
            received.extend(&*stolen.lock().unwrap());
            received.retain(|&n| n < 5_000);
            received.sort();
            assert!(received.into_iter().eq(0..2 * MANY), "{rx:?}");
        }
    });
}

// Messages of all sizes.

#[test]
fn messages_without_a_size_are_counted_one_by_one() {
    for (tx, rx) in channels().chain([bounded(usize::MAX)]) {
        let count = if rx.capacity().is_some_and(|of| of <= 1_000) {
            LONG
        } else {
            scaled(100_000)
        };
        let mut sending = pin!(tx.send_many(iter::repeat_n((), count)));
        let mut received = 0;
        while poll(&mut sending).is_pending() {
            received += rx.drain().len();
        }
        let mut into = Vec::new();
        while let Ok(more) = rx.try_recv_many(&mut into, 10_000) {
            received += more;
        }
        assert_eq!(received, count);
    }
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn large_messages_are_moved_one_by_one() {
    const SIZE: usize = if cfg!(miri) { 1 << 14 } else { 1 << 20 };
    type Large = [u8; SIZE];
    let run = || {
        for capacity in [0, 5, 64] {
            let (tx, rx) = bounded(capacity);
            let mut sending = Box::pin(tx.send_many((0..70).map(|n| -> Large { [n; SIZE] })));
            let mut received = Vec::new();
            while poll(&mut sending).is_pending() {
                received.extend(rx.drain().map(|message| (message[0], message[SIZE / 2])));
            }
            received.extend(rx.drain().map(|message| (message[0], message[SIZE / 2])));
            assert!(received.into_iter().eq((0..70).map(|n| (n, n))));
        }
    };
    let stack = thread::Builder::new().stack_size(64 << 20);
    stack.spawn(run).unwrap().join().unwrap();
}

#[test]
#[should_panic(expected = "a send of many was polled again after it had completed")]
fn batch_polled_after_its_end_panics() {
    let (tx, _rx) = unbounded();
    let mut sending = pin!(tx.send_many([1]));
    assert!(poll(&mut sending).is_ready());
    let _ = poll(&mut sending);
}

#[test]
#[should_panic(expected = "a receive of many was polled again after it had completed")]
fn recv_many_polled_after_its_end_panics() {
    let (tx, rx) = unbounded();
    tx.try_send(1).unwrap();
    let mut into = Vec::new();
    let mut receiving = pin!(rx.recv_many(&mut into, 5));
    assert!(poll(&mut receiving).is_ready());
    let _ = poll(&mut receiving);
}
