//! A sender as a sink: it is ready when it holds a permit.

#![cfg(feature = "sink")]

mod support;

use std::{
    cell::Cell,
    pin::pin,
    rc::Rc,
    task::{
        Context,
        Poll::{self, Pending, Ready},
        Waker,
    },
};

use futures::{Sink, SinkExt, StreamExt, executor::block_on, future::join, stream};
use hchan::{IntoSink, RecvError, SendError, SendSink, TrySendError, bounded, unbounded};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use support::{CountingWaker, Drops, panic_of, poll};

type Polled<T> = Poll<Result<(), SendError<Option<T>>>>;

/// A sink, whether it owns its sender or not.
trait AnySink<T>: Sink<T, Error = SendError<Option<T>>> + Unpin {}
impl<T, S: Sink<T, Error = SendError<Option<T>>> + Unpin> AnySink<T> for S {}

fn poll_ready<T>(sink: &mut impl AnySink<T>) -> Polled<T> {
    poll_ready_with(sink, Waker::noop())
}

fn poll_ready_with<T>(sink: &mut impl AnySink<T>, waker: &Waker) -> Polled<T> {
    sink.poll_ready_unpin(&mut Context::from_waker(waker))
}

fn poll_flush<T>(sink: &mut impl AnySink<T>) -> Polled<T> {
    sink.poll_flush_unpin(&mut Context::from_waker(Waker::noop()))
}

fn poll_close<T>(sink: &mut impl AnySink<T>) -> Polled<T> {
    sink.poll_close_unpin(&mut Context::from_waker(Waker::noop()))
}

/// Sends a message for which there is room.
fn send_now<T>(sink: &mut impl AnySink<T>, message: T) {
    assert!(
        matches!(poll_ready(sink), Ready(Ok(()))),
        "there is no room"
    );
    assert!(sink.start_send_unpin(message).is_ok());
}

#[test]
fn two_sinks_and_a_send_never_overfill_the_channel() {
    let (tx, rx) = bounded(1);
    let (mut first, mut second) = (tx.sink(), tx.sink());
    assert_eq!(poll_ready(&mut first), Ready(Ok(())));
    assert_eq!(poll_ready(&mut second), Pending);
    assert_eq!(tx.try_send(3), Err(TrySendError::Full(3)));

    first.start_send_unpin(1).unwrap();
    assert_eq!(poll_ready(&mut second), Pending, "the place is taken");
    assert_eq!((rx.len(), rx.try_recv()), (1, Ok(1)));
    assert_eq!(poll_ready(&mut second), Ready(Ok(())));
    assert_eq!(tx.try_send(3), Err(TrySendError::Full(3)));
    second.start_send_unpin(2).unwrap();
    assert_eq!((rx.len(), rx.try_recv()), (1, Ok(2)));
}

#[test]
fn sink_that_is_ready_stays_so_and_takes_one_place() {
    let (tx, _rx) = bounded::<u8>(2);
    let mut sink = tx.sink();
    assert_eq!(poll_ready(&mut sink), Ready(Ok(())));
    assert_eq!(poll_ready(&mut sink), Ready(Ok(())));
    assert!(!tx.is_full(), "it has taken a second place");
    drop(sink);
    assert_eq!(tx.try_send_many([1, 2]).ok(), Some(2));
}

#[test]
fn sink_of_a_rendezvous_is_ready_while_a_receiver_waits() {
    let (tx, rx) = bounded(0);
    let mut sink = tx.sink();
    let counter = CountingWaker::new();
    assert_eq!(poll_ready_with(&mut sink, &counter.waker()), Pending);
    let mut receive = pin!(rx.recv());
    assert!(poll(&mut receive).is_pending());
    assert_eq!(counter.wakes(), 1, "the receiver makes room");
    assert_eq!(poll_ready(&mut sink), Ready(Ok(())));
    sink.start_send_unpin(1).unwrap();
    assert_eq!(poll(&mut receive), Ready(Ok(1)));
}

#[test]
fn sinks_and_sends_wait_in_one_line() {
    let (tx, rx) = bounded(1);
    tx.try_send(0).unwrap();
    let mut sink = tx.sink();
    assert_eq!(poll_ready(&mut sink), Pending);
    let mut send = pin!(tx.send(2));
    assert!(poll(&mut send).is_pending());
    assert_eq!(tx.waiting_senders(), 2);

    assert_eq!(rx.try_recv(), Ok(0));
    assert!(poll(&mut send).is_pending(), "it overtook the sink");
    send_now(&mut sink, 1);
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(poll(&mut send), Ready(Ok(())));
}

#[test]
fn forward_leaves_the_channel_open_while_there_are_other_senders() {
    let (tx, rx) = unbounded();
    let forwarding = stream::iter([1, 2]).map(Ok).forward(tx.clone().into_sink());
    block_on(forwarding).unwrap();
    assert!(!tx.is_closed());
    assert_eq!(tx.sender_count(), 1);
    tx.try_send(3).unwrap();
    assert_eq!(rx.drain().collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn two_streams_are_forwarded_into_one_channel() {
    let (tx, rx) = bounded(1);
    let sinks = [tx.clone().into_sink(), tx.into_sink()];
    let [odd, even] = sinks;
    let forwarding = join(
        stream::iter([1, 3, 5]).map(Ok).forward(odd),
        stream::iter([2, 4, 6]).map(Ok).forward(even),
    );
    let (_, mut received) = block_on(join(forwarding, rx.stream().collect::<Vec<_>>()));
    assert!(received.iter().filter(|&n| n % 2 == 1).is_sorted());
    received.sort_unstable();
    assert_eq!(received, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn close_of_a_sink_gives_its_permit_and_its_sender_up() {
    let (tx, rx) = bounded(1);
    let mut sink = tx.clone().into_sink();
    assert_eq!(poll_ready(&mut sink), Ready(Ok(())));
    let mut send = pin!(tx.send(1));
    assert!(poll(&mut send).is_pending());

    assert_eq!(poll_close(&mut sink), Ready(Ok(())));
    assert_eq!(poll(&mut send), Ready(Ok(())), "the permit is back");
    assert_eq!((tx.sender_count(), tx.is_closed()), (1, false));
    assert_eq!(rx.try_recv(), Ok(1));
}

#[test]
fn closed_sink_is_not_ready_again_and_its_clones_are_closed() {
    let (tx, _rx) = bounded::<u8>(1);
    let mut sink = tx.sink();
    assert_eq!(poll_close(&mut sink), Ready(Ok(())));
    assert_eq!(poll_close(&mut sink), Ready(Ok(())));
    assert_eq!(poll_ready(&mut sink), Ready(Err(SendError(None))));
    assert_eq!(poll_ready(&mut sink.clone()), Ready(Err(SendError(None))));
    assert_eq!(poll_flush(&mut sink), Ready(Ok(())));
}

#[test]
fn close_of_the_last_sender_as_a_sink_closes_the_channel() {
    let (tx, rx) = bounded::<u8>(1);
    let mut sink = tx.into_sink();
    assert_eq!(poll_close(&mut sink), Ready(Ok(())));
    assert!(rx.is_closed());
}

#[test]
fn drop_of_the_last_sender_as_a_sink_closes_the_channel() {
    let (tx, rx) = bounded::<u8>(1);
    let mut sink = tx.into_sink();
    let mut receive = pin!(rx.recv());
    assert!(poll(&mut receive).is_pending());
    assert_eq!(poll_ready(&mut sink), Ready(Ok(())));
    drop(sink);
    assert_eq!(poll(&mut receive), Ready(Err(RecvError)));
}

#[test]
fn error_has_the_message_only_if_there_was_one() {
    let (tx, rx) = bounded(1);
    let (mut ready, mut new) = (tx.sink(), tx.sink());
    assert_eq!(poll_ready(&mut ready), Ready(Ok(())));
    rx.close();
    assert_eq!(poll_ready(&mut new), Ready(Err(SendError(None))));
    assert_eq!(ready.start_send_unpin(7), Err(SendError(Some(7))));
    assert_eq!(poll_ready(&mut ready), Ready(Err(SendError(None))));
}

#[test]
fn send_of_a_sink_drops_its_item_if_the_channel_is_closed_and_send_returns_it() {
    for is_closed_before in [false, true] {
        let (tx, rx) = bounded(0);
        let drops = Drops::new();
        let mut sink = tx.sink();
        let mut sending = Box::pin(sink.send(drops.message(0)));
        if !is_closed_before {
            assert!(poll(&mut sending).is_pending());
        }
        rx.close();
        let Ready(Err(error)) = poll(&mut sending) else {
            panic!("it was closed");
        };
        assert_eq!(error, SendError(None));
        drop(sending);
        assert_eq!(drops.count(), 1);

        let Ready(Err(SendError(unsent))) = poll(&mut pin!(tx.send(drops.message(1)))) else {
            panic!("it is closed");
        };
        assert_eq!((unsent.id, drops.count()), (1, 1));
    }
}

#[test]
fn send_of_a_sink_at_capacity_0_does_not_wait_for_a_receiver_that_has_left() {
    let (tx, rx) = bounded(0);
    let mut receive = Box::pin(rx.recv());
    assert!(poll(&mut receive).is_pending());
    let mut sink = tx.sink();
    assert_eq!(poll_ready(&mut sink), Ready(Ok(())));
    drop(receive);
    assert_eq!(poll(&mut sink.send(1)), Ready(Ok(())));
    assert_eq!((rx.len(), rx.try_recv()), (1, Ok(1)));
}

#[test]
fn sink_that_was_granted_its_permit_and_is_not_polled_holds_the_room() {
    let (tx, rx) = bounded(0);
    let mut sink = tx.sink();
    assert_eq!(poll_ready(&mut sink), Pending);
    let mut receive = Box::pin(rx.recv());
    assert!(poll(&mut receive).is_pending());
    let mut send = Box::pin(tx.send(1));
    assert!(poll(&mut send).is_pending());
    assert!(poll(&mut receive).is_pending(), "it counts on the sink");
    drop(sink);
    assert_eq!(poll(&mut receive), Ready(Ok(1)));
    assert_eq!(poll(&mut send), Ready(Ok(())));
}

#[test]
fn parked_sink_is_told_of_the_close() {
    let (tx, rx) = bounded(0);
    let mut sink = tx.sink();
    let counter = CountingWaker::new();
    assert_eq!(poll_ready_with(&mut sink, &counter.waker()), Pending);
    drop(rx);
    assert_eq!(counter.wakes(), 1);
    assert_eq!(poll_ready(&mut sink), Ready(Err(SendError(None::<u8>))));
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn start_send_without_poll_ready_panics_and_drops_the_message() {
    let (tx, rx) = bounded(2);
    let drops = Drops::new();
    let mut sink = tx.sink();
    let panic = panic_of(|| sink.start_send_unpin(drops.message(0)));
    assert!(panic.contains("poll_ready"), "{panic}");
    assert_eq!((drops.count(), rx.len()), (1, 0));

    assert!(poll_ready(&mut sink).is_ready());
    assert!(sink.start_send_unpin(drops.message(1)).is_ok());
    panic_of(|| sink.start_send_unpin(drops.message(2)));
    assert_eq!(rx.len(), 1, "one permit is for one message");
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn clone_starts_without_a_permit() {
    let (tx, _rx) = bounded(2);
    let mut sink = tx.sink();
    assert_eq!(poll_ready(&mut sink), Ready(Ok(())));
    let mut clone = sink.clone();
    panic_of(|| clone.start_send_unpin(1));
    assert_eq!(poll_ready(&mut clone), Ready(Ok(())));
    assert!(tx.is_full(), "each has a permit");
    sink.start_send_unpin(1).unwrap();
    clone.start_send_unpin(2).unwrap();
}

#[test]
fn clone_of_a_parked_sink_is_not_parked() {
    let (tx, rx) = bounded(0);
    let mut sink = tx.sink();
    let counter = CountingWaker::new();
    assert_eq!(poll_ready_with(&mut sink, &counter.waker()), Pending);
    let clone = sink.clone();
    assert_eq!(tx.waiting_senders(), 1);
    drop(clone);
    let mut receive = pin!(rx.recv());
    assert!(poll(&mut receive).is_pending());
    assert_eq!(counter.wakes(), 1);
    send_now(&mut sink, 1);
    assert_eq!(poll(&mut receive), Ready(Ok(1)));
}

#[test]
fn there_is_never_anything_to_flush() {
    let (tx, rx) = bounded(1);
    let mut sink = tx.sink();
    assert_eq!(poll_flush(&mut sink), Ready(Ok(())));
    send_now(&mut sink, 1);
    assert_eq!(rx.len(), 1, "it is in the channel before a flush");
    assert_eq!(poll_flush(&mut sink), Ready(Ok(())));
    assert_eq!(poll_ready(&mut sink), Pending);
    assert_eq!(poll_flush(&mut sink), Ready(Ok(())), "though it is parked");
    rx.close();
    assert_eq!(poll_flush(&mut sink), Ready(Ok(())));
}

#[test]
fn dropped_parked_sink_leaves_the_line() {
    let (tx, rx) = bounded(0);
    let (mut first, mut second) = (tx.sink(), tx.sink());
    let (dropped, waiting) = (CountingWaker::new(), CountingWaker::new());
    assert_eq!(poll_ready_with(&mut first, &dropped.waker()), Pending);
    assert_eq!(poll_ready_with(&mut second, &waiting.waker()), Pending);
    drop(first);
    assert_eq!((tx.waiting_senders(), dropped.wakers()), (1, 0));
    let mut receive = pin!(rx.recv());
    assert!(poll(&mut receive).is_pending());
    assert_eq!((dropped.wakes(), waiting.wakes()), (0, 1));
    send_now(&mut second, 1);
}

#[test]
fn dropped_sink_gives_its_permit_to_the_next_in_the_line() {
    let (tx, rx) = bounded(1);
    let mut ready = tx.sink();
    assert_eq!(poll_ready(&mut ready), Ready(Ok(())));
    let mut granted = tx.sink();
    assert_eq!(poll_ready(&mut granted), Pending);
    let mut send = pin!(tx.send(1));
    assert!(poll(&mut send).is_pending());

    drop(ready);
    assert!(poll(&mut send).is_pending(), "the other sink comes first");
    // It has been given the permit, and does not know it yet.
    drop(granted);
    assert_eq!(poll(&mut send), Ready(Ok(())));
    assert_eq!(rx.try_recv(), Ok(1));
}

#[test]
fn parked_sink_polled_with_another_waker_wakes_the_newer_one() {
    let (tx, rx) = bounded(1);
    tx.try_send(0).unwrap();
    let mut sink = tx.sink();
    let (old, new) = (CountingWaker::new(), CountingWaker::new());
    assert_eq!(poll_ready_with(&mut sink, &old.waker()), Pending);
    assert_eq!(poll_ready_with(&mut sink, &new.waker()), Pending);
    assert_eq!(tx.waiting_senders(), 1, "it is in the line twice");
    assert_eq!(old.wakers(), 0);
    assert_eq!(rx.try_recv(), Ok(0));
    assert_eq!((old.wakes(), new.wakes()), (0, 1));
    send_now(&mut sink, 1);
}

#[test]
fn sink_keeps_its_place_when_a_send_of_it_is_dropped() {
    let (tx, rx) = bounded(1);
    tx.try_send(0).unwrap();
    let mut sink = tx.sink();
    assert!(poll(&mut sink.send(1)).is_pending());
    assert_eq!(tx.waiting_senders(), 1, "the sink waits, not the future");
    assert_eq!(rx.try_recv(), Ok(0));
    assert!(tx.is_full(), "the sink has the permit");
    send_now(&mut sink, 2);
    assert_eq!(rx.try_recv(), Ok(2));
}

#[test]
fn sink_may_go_where_its_messages_may_and_is_unpin() {
    /// May be sent but not shared.
    type Sent = Cell<u8>;
    type Local = Rc<u8>;
    assert_impl_all!(SendSink<'static, Sent>: Send, Sync, Unpin, Clone, Sink<Sent>);
    assert_not_impl_any!(SendSink<'static, Local>: Send, Sync);
    assert_impl_all!(SendSink<'static, Local>: Unpin);
    assert_impl_all!(SendSink<'static, std::marker::PhantomPinned>: Unpin);
    assert_impl_all!(IntoSink<Sent>: Send, Sync, Unpin, Clone, Sink<Sent>);
    assert_not_impl_any!(IntoSink<Local>: Send, Sync);
    assert_impl_all!(IntoSink<Local>: Unpin);
    assert_impl_all!(IntoSink<std::marker::PhantomPinned>: Unpin);
}

/// A service as tower has them: ready first, then called, and cloned in between.
#[derive(Clone)]
struct Requests {
    sink: IntoSink<&'static str>,
}

impl Requests {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError<()>>> {
        let ready = self.sink.poll_ready_unpin(cx);
        ready.map_err(|SendError(_)| SendError(()))
    }

    fn call(&mut self, request: &'static str) -> Result<(), SendError<Option<&'static str>>> {
        self.sink.start_send_unpin(request)
    }
}

#[test]
fn service_that_is_ready_is_called_whatever_its_clones_do() {
    let (tx, rx) = bounded(1);
    let mut service = Requests {
        sink: tx.into_sink(),
    };
    let counter = CountingWaker::new();
    let waker = counter.waker();
    let mut cx = Context::from_waker(&waker);
    assert_eq!(service.poll_ready(&mut cx), Ready(Ok(())));

    // As a middleware does: the clone stays, what was ready is moved into the call.
    let mut clone = service.clone();
    assert_eq!(clone.poll_ready(&mut cx), Pending);
    service.call("first").unwrap();
    drop(service);
    assert_eq!((counter.wakes(), rx.try_recv()), (0, Ok("first")));
    assert_eq!(counter.wakes(), 1);
    assert_eq!(clone.poll_ready(&mut cx), Ready(Ok(())));
    clone.call("second").unwrap();
    assert_eq!(rx.try_recv(), Ok("second"));
}

#[test]
fn owned_sink_sends_messages_that_borrow() {
    let text = String::from("a b c");
    let (tx, rx) = unbounded();
    let mut sink: IntoSink<&str> = tx.into_sink();
    text.split(' ').for_each(|word| send_now(&mut sink, word));
    assert_eq!(rx.drain().collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn sinks_are_polled_and_sent_with_by_methods_of_their_own() {
    let (tx, rx) = bounded(1);
    let mut owned = tx.clone().into_sink();
    let mut borrowed = tx.sink();
    let counter = CountingWaker::new();
    let waker = counter.waker();
    let mut cx = Context::from_waker(&waker);
    assert_eq!(owned.poll_reserve(&mut cx), Ready(Ok(())));
    assert_eq!(borrowed.poll_reserve(&mut cx), Pending);
    assert_eq!(owned.send_item(1), Ok(()));
    assert_eq!((rx.try_recv(), counter.wakes()), (Ok(1), 1));
    assert_eq!(borrowed.poll_reserve(&mut cx), Ready(Ok(())));
    assert!(panic_of(|| owned.send_item(2)).starts_with("a send comes after"));
    rx.close();
    assert_eq!(borrowed.send_item(3), Err(SendError(3)));
    assert_eq!(borrowed.poll_reserve(&mut cx), Ready(Err(SendError(()))));
}

#[test]
fn released_sink_leaves_its_permit_or_its_place_in_the_line_to_the_next() {
    let (tx, rx) = bounded(1);
    let counter = CountingWaker::new();
    let mut holder = tx.clone().into_sink();
    let (mut second, mut third) = (tx.sink(), tx.sink());
    assert_eq!(poll_ready(&mut holder), Ready(Ok(())));
    assert_eq!(poll_ready(&mut second), Pending);
    assert_eq!(poll_ready_with(&mut third, &counter.waker()), Pending);
    second.release();
    assert_eq!((tx.waiting_senders(), counter.wakes()), (1, 0));
    holder.release();
    assert_eq!(counter.wakes(), 1);
    send_now(&mut third, 1);
    assert_eq!(rx.try_recv(), Ok(1));
    // It starts anew.
    send_now(&mut holder, 2);
    assert_eq!(rx.try_recv(), Ok(2));
}

#[test]
fn sinks_show_their_sender_and_owned_ones_give_it_back() {
    let (tx, rx) = bounded::<u8>(1);
    assert!(tx.sink().sender().unwrap().same_channel(&tx));
    let mut sink = tx.into_sink();
    assert_eq!(poll_ready(&mut sink), Ready(Ok(())));
    assert_eq!(sink.sender().unwrap().sender_count(), 1);
    let tx = sink.into_sender().expect("it is not closed");
    assert_eq!((rx.sender_count(), tx.is_full()), (1, false));

    let mut sink = tx.into_sink();
    assert_eq!(poll_close(&mut sink), Ready(Ok(())));
    assert!(sink.sender().is_none() && sink.into_sender().is_none());
}
