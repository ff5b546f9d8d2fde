//! Streams of messages: order, end, parking between items, release.

mod support;

use std::{
    pin::Pin,
    task::{
        Context,
        Poll::{self, Pending, Ready},
        Waker,
    },
};

use futures::{FutureExt, Stream, StreamExt, stream::FusedStream};
use hchan::{IntoStream, TryRecvError, bounded, never, unbounded};
use support::{CountingWaker, Drops, poll, poll_with};

fn poll_next<S: Stream + Unpin>(stream: &mut S) -> Poll<Option<S::Item>> {
    poll_next_with(stream, Waker::noop())
}

fn poll_next_with<S: Stream + Unpin>(stream: &mut S, waker: &Waker) -> Poll<Option<S::Item>> {
    Pin::new(stream).poll_next(&mut Context::from_waker(waker))
}

#[test]
fn stream_yields_what_was_sent_in_order_and_ends_when_closed_and_empty() {
    let (tx, rx) = bounded(3);
    let mut stream = rx.stream();
    for message in 1..=3 {
        tx.try_send(message).unwrap();
    }
    drop(tx);
    let items: Vec<_> = (0..4).map(|_| poll_next(&mut stream)).collect();
    assert_eq!(
        items,
        [Ready(Some(1)), Ready(Some(2)), Ready(Some(3)), Ready(None)]
    );
}

#[test]
fn parked_stream_is_woken_and_handed_message_after_message() {
    let (tx, rx) = bounded(0);
    let mut stream = rx.stream();
    let counter = CountingWaker::new();
    for round in 1..=3 {
        assert_eq!(poll_next_with(&mut stream, &counter.waker()), Pending);
        assert_eq!(rx.waiting_receivers(), 1);
        tx.try_send(round).expect("the stream is parked");
        assert_eq!(counter.wakes(), round, "one wake a message");
        assert_eq!(poll_next(&mut stream), Ready(Some(round)));
    }
    assert_eq!(counter.wakers(), 0, "a waker is kept after its wake");
}

#[test]
fn parked_stream_is_woken_by_close_and_ends() {
    let (tx, rx) = bounded::<u8>(0);
    let mut stream = rx.stream();
    let counter = CountingWaker::new();
    assert_eq!(poll_next_with(&mut stream, &counter.waker()), Pending);
    drop(tx);
    assert_eq!(counter.wakes(), 1);
    assert_eq!(poll_next(&mut stream), Ready(None));
}

#[test]
fn stream_polled_with_another_waker_wakes_the_newer_one() {
    let (tx, rx) = bounded(0);
    let mut stream = rx.stream();
    let (old, new) = (CountingWaker::new(), CountingWaker::new());
    assert_eq!(poll_next_with(&mut stream, &old.waker()), Pending);
    assert_eq!(poll_next_with(&mut stream, &new.waker()), Pending);
    assert_eq!(rx.waiting_receivers(), 1, "it parked twice");
    tx.try_send(1).unwrap();
    assert_eq!((old.wakes(), new.wakes()), (0, 1));
}

#[test]
fn ended_stream_stays_ended_though_a_message_is_given_back_later() {
    let (tx, rx) = bounded(0);
    let mut holder = Box::pin(rx.recv());
    assert!(poll(&mut holder).is_pending());
    tx.try_send(1).unwrap();
    drop(tx);

    let mut stream = rx.stream();
    assert!(!stream.is_terminated());
    assert_eq!(poll_next(&mut stream), Ready(None));
    assert!(stream.is_terminated());

    drop(holder);
    assert_eq!(rx.len(), 1, "the message was given back");
    assert_eq!(poll_next(&mut stream), Ready(None));
    assert!(stream.is_terminated());
    assert_eq!(rx.try_recv(), Ok(1));
}

#[test]
fn stream_of_a_closed_channel_is_terminated_only_once_it_said_so() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    drop(tx);
    let mut stream = rx.stream();
    assert!(!stream.is_terminated(), "a message is left");
    assert_eq!(poll_next(&mut stream), Ready(Some(1)));
    assert!(!stream.is_terminated(), "it has not returned `None`");
    assert_eq!(poll_next(&mut stream), Ready(None));
    assert!(stream.is_terminated());
}

#[test]
fn dropped_next_leaves_the_stream_parked_and_its_message_is_the_next_item() {
    let (tx, rx) = bounded(0);
    let mut stream = rx.stream();
    assert!(poll(&mut stream.next()).is_pending());
    assert_eq!(rx.waiting_receivers(), 1);
    tx.try_send(1).unwrap();
    assert_eq!(
        rx.try_recv(),
        Err(TryRecvError::Empty),
        "it is the stream's"
    );
    assert_eq!(poll_next(&mut stream), Ready(Some(1)));
}

#[test]
fn dropped_stream_is_unparked() {
    let (tx, rx) = bounded::<u8>(0);
    let counter = CountingWaker::new();
    let mut stream = rx.stream();
    assert_eq!(poll_next_with(&mut stream, &counter.waker()), Pending);
    drop(stream);
    assert_eq!((tx.waiting_receivers(), counter.wakers()), (0, 0));
    assert!(tx.try_send(1).is_err(), "nobody is there to take it");
}

#[test]
fn dropped_stream_gives_its_message_back_to_the_next_receive() {
    let (tx, rx) = bounded(0);
    let mut stream = rx.clone().into_stream();
    assert_eq!(poll_next(&mut stream), Pending);
    tx.try_send(1).unwrap();
    drop(stream);
    assert_eq!(rx.try_recv(), Ok(1));
}

#[test]
fn dropped_stream_that_owns_the_last_receiver_drops_its_message_and_closes() {
    let drops = Drops::new();
    let (tx, rx) = bounded(1);
    let mut stream = rx.into_stream();
    assert_eq!(poll_next(&mut stream), Pending);
    tx.try_send(drops.message(1)).unwrap();
    tx.try_send(drops.message(2)).unwrap();
    drop(stream);
    assert_eq!(drops.count(), 2, "one handed to the stream, one buffered");
    assert!(tx.is_closed());
}

#[test]
fn release_unparks() {
    let (tx, rx) = bounded::<u8>(0);
    let counter = CountingWaker::new();
    let mut stream = rx.stream();
    assert_eq!(poll_next_with(&mut stream, &counter.waker()), Pending);
    stream.release();
    assert_eq!((rx.waiting_receivers(), counter.wakers()), (0, 0));
    assert!(tx.try_send(1).is_err(), "nobody is there to take it");
}

#[test]
fn release_gives_the_message_to_the_oldest_parked_receiver_and_wakes_it() {
    let (tx, rx) = bounded(0);
    let counter = CountingWaker::new();
    let mut stream = rx.stream();
    assert_eq!(poll_next(&mut stream), Pending);
    let mut first = Box::pin(rx.recv());
    let mut second = Box::pin(rx.recv());
    assert!(poll_with(&mut first, &counter.waker()).is_pending());
    assert!(poll(&mut second).is_pending());
    tx.try_send(1).unwrap();

    stream.release();
    assert_eq!(counter.wakes(), 1);
    assert_eq!(poll(&mut second), Pending);
    assert_eq!(poll(&mut first), Ready(Ok(1)));
}

#[test]
fn release_before_the_first_poll_and_after_the_end_does_nothing() {
    let (tx, rx) = bounded::<u8>(1);
    let mut stream = rx.stream();
    stream.release();
    drop(tx);
    assert_eq!(poll_next(&mut stream), Ready(None));
    stream.release();
    assert_eq!(poll_next(&mut stream), Ready(None));
}

#[test]
fn released_stream_starts_anew_at_the_end_of_the_line() {
    let (tx, rx) = bounded(0);
    let mut stream = rx.stream();
    assert_eq!(poll_next(&mut stream), Pending);
    let mut other = Box::pin(rx.recv());
    assert!(poll(&mut other).is_pending());
    stream.release();
    assert_eq!(poll_next(&mut stream), Pending);
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    assert_eq!(poll(&mut other), Ready(Ok(1)));
    assert_eq!(poll_next(&mut stream), Ready(Some(2)));
}

#[test]
fn stream_that_released_a_message_goes_on_with_it() {
    let (tx, rx) = bounded(0);
    let mut stream = rx.stream();
    assert_eq!(poll_next(&mut stream), Pending);
    tx.try_send(1).unwrap();
    stream.release();
    assert_eq!(rx.len(), 1, "the message was given back");
    assert_eq!(poll_next(&mut stream), Ready(Some(1)));
    assert_eq!(poll_next(&mut stream), Pending);
    tx.try_send(2).unwrap();
    assert_eq!(poll_next(&mut stream), Ready(Some(2)));
}

#[test]
fn stream_that_was_told_of_the_close_and_released_still_ends() {
    let (tx, rx) = bounded::<u8>(0);
    let mut stream = rx.stream();
    assert_eq!(poll_next(&mut stream), Pending);
    tx.close();
    stream.release();
    assert_eq!(poll_next(&mut stream), Ready(None));
    assert!(stream.is_terminated());
}

#[test]
fn stream_of_the_receiver_on_which_nothing_happens_stays_pending() {
    let mut stream = never::<u8>().into_stream();
    assert_eq!(poll_next(&mut stream), Pending);
    assert_eq!(poll_next(&mut stream), Pending);
    stream.release();
    assert_eq!(poll_next(&mut stream), Pending);
    assert!(!stream.is_terminated());
}

#[test]
fn two_streams_share_the_messages_in_the_order_they_parked() {
    let (tx, rx) = bounded(0);
    let mut first = rx.stream();
    let mut second = rx.stream();
    assert_eq!(poll_next(&mut first), Pending);
    assert_eq!(poll_next(&mut second), Pending);
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    assert_eq!(poll_next(&mut second), Ready(Some(2)));
    assert_eq!(poll_next(&mut first), Ready(Some(1)));
}

#[test]
fn futures_select_takes_streams_and_completes_when_all_have_ended() {
    let (tx, rx) = unbounded();
    let (ended, nothing) = unbounded::<u8>();
    drop(ended);
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    drop(tx);
    let (mut some, mut none) = (rx.stream(), nothing.stream());
    let mut received = vec![];
    let all = async {
        loop {
            futures::select! {
                item = some.next() => received.extend(item),
                item = none.next() => assert_eq!(item, None),
                complete => break,
            }
        }
    };
    assert_eq!(all.now_or_never(), Some(()), "all was ready");
    assert_eq!(received, [1, 2]);
}

#[test]
fn owned_stream_receives_messages_that_borrow() {
    let text = String::from("a b c");
    let (tx, rx) = unbounded();
    text.split(' ').for_each(|word| tx.try_send(word).unwrap());
    drop(tx);
    let stream: IntoStream<&str> = rx.into_stream();
    let words = stream.collect::<Vec<_>>().now_or_never();
    assert_eq!(words, Some(vec!["a", "b", "c"]));
}

#[test]
fn streams_are_polled_by_a_method_of_their_own() {
    let (tx, rx) = bounded(1);
    let counter = CountingWaker::new();
    let waker = counter.waker();
    let mut cx = Context::from_waker(&waker);
    let mut borrowed = rx.stream();
    assert_eq!(borrowed.poll_recv(&mut cx), Pending);
    tx.try_send(1).unwrap();
    assert_eq!(counter.wakes(), 1);
    assert_eq!(borrowed.poll_recv(&mut cx), Ready(Some(1)));
    let mut owned = rx.clone().into_stream();
    tx.try_send(2).unwrap();
    assert_eq!(owned.poll_recv(&mut cx), Ready(Some(2)));
    drop(tx);
    assert_eq!(owned.poll_recv(&mut cx), Ready(None));
    assert!(owned.is_terminated() && !borrowed.is_terminated());
}

#[test]
fn streams_show_their_receiver_and_owned_ones_give_it_back() {
    let (tx, rx) = bounded(1);
    assert!(rx.stream().receiver().same_channel(&rx));
    let mut stream = rx.into_stream();
    assert_eq!(poll_next(&mut stream), Pending);
    tx.try_send(1).unwrap();
    assert_eq!(stream.receiver().receiver_count(), 1);
    let rx = stream.into_receiver();
    assert_eq!((tx.receiver_count(), rx.waiting_receivers()), (1, 0));
    assert_eq!(rx.try_recv(), Ok(1), "the stream gave it back");
}

#[test]
fn clone_of_a_stream_starts_unparked_and_ends_where_it_has_ended() {
    let (tx, rx) = bounded::<u8>(0);
    let (mut owned, mut borrowed) = (rx.clone().into_stream(), rx.stream());
    assert_eq!(poll_next(&mut owned), Pending);
    assert_eq!(poll_next(&mut borrowed), Pending);
    let (mut owned_clone, borrowed_clone) = (owned.clone(), borrowed.clone());
    assert_eq!((tx.receiver_count(), tx.waiting_receivers()), (3, 2));
    assert_eq!(poll_next(&mut owned_clone), Pending);
    assert_eq!(tx.waiting_receivers(), 3);
    drop(tx);
    assert_eq!(poll_next(&mut owned), Ready(None));
    assert!(owned.clone().is_terminated() && !borrowed_clone.is_terminated());
}
