//! Futures dropped at every moment.

use futures::{FutureExt, StreamExt};
use hchan::{IntoStream, Receiver, bounded};
use loom::thread;

use super::{
    Message, assert_idle, block_on, explore, explore_bounded, join_all, number, output, parked,
    poll,
};

#[test]
fn cancelled_recv_loses_nothing_at_capacity_0() {
    cancelled_recv_loses_nothing(0);
}

#[test]
fn cancelled_recv_loses_nothing_at_capacity_1() {
    cancelled_recv_loses_nothing(1);
}

/// The receive is dropped before it parks, while it is parked, or with a message in it.
fn cancelled_recv_loses_nothing(capacity: usize) {
    explore(move |ledger| {
        let (tx, rx) = bounded(capacity);
        let message = ledger.message();
        let sending = thread::spawn(move || {
            let sent = tx.try_send(message).is_ok();
            (tx, sent)
        });
        let mut receive = Box::pin(rx.recv());
        let received = poll(&mut receive).is_ready();
        drop(receive);
        let (_tx, sent) = sending.join().unwrap();
        assert_eq!(
            rx.try_recv().is_ok(),
            sent && !received,
            "what was sent and not received is still there"
        );
        assert_idle(&rx);
    });
}

/// The receive is certainly parked, so that the send succeeds also with no room.
#[test]
fn cancelled_recv_gives_back_what_a_send_has_just_handed_over() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let receive = parked(rx.recv());
        let message = ledger.message();
        let sending = thread::spawn(move || {
            let sent = tx.try_send(message).is_ok();
            (tx, sent)
        });
        drop(receive);
        let (_tx, sent) = sending.join().unwrap();
        assert_eq!(rx.len(), usize::from(sent));
        assert_eq!(rx.try_recv().is_ok(), sent);
        assert_idle(&rx);
    });
}

/// Rows 2 and 4 of the peers' bugs: a message must not lie in the channel while a receiver sleeps.
#[test]
fn cancelled_filled_recv_hands_its_message_to_the_next_receiver() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let first = parked(rx.recv());
        let next = thread::spawn({
            let rx = rx.clone();
            move || block_on(rx.recv()).map(number)
        });
        assert!(tx.try_send(ledger.message()).is_ok(), "a receive is parked");
        drop(first);
        assert_eq!(next.join().unwrap(), Ok(1));
        assert_idle(&rx);
    });
}

/// As above, with the sender a third party: the message goes to the first and on, or straight to the next.
#[test]
fn recv_cancelled_against_a_send_does_not_stop_the_next_receiver() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let first = parked(rx.recv());
        let next = thread::spawn({
            let rx = rx.clone();
            move || block_on(rx.recv()).map(number)
        });
        let message = ledger.message();
        let sending = thread::spawn(move || {
            block_on(tx.send(message)).unwrap();
            tx
        });
        drop(first);
        assert_eq!(next.join().unwrap(), Ok(1));
        drop(sending.join().unwrap());
        assert_idle(&rx);
    });
}

/// The second was next in line for the message, and is dropped, too, perhaps with the message in it.
#[test]
fn message_given_back_twice_reaches_a_sleeping_receiver() {
    explore_bounded(|ledger| {
        let (tx, rx) = bounded(0);
        // Streams, because they can be sent to a thread with their receiver; the operation in them is the same.
        let streams = parked_streams(&rx);
        assert!(tx.try_send(ledger.message()).is_ok(), "a stream is parked");
        let dropping = streams.map(|stream| thread::spawn(move || drop(stream)));
        assert_eq!(block_on(rx.recv()).map(number), Ok(1));
        join_all(dropping);
        assert_idle(&rx);
    });
}

fn parked_streams(rx: &Receiver<Message>) -> [IntoStream<Message>; 2] {
    [(); 2].map(|()| {
        let mut stream = rx.clone().into_stream();
        assert!(stream.next().now_or_never().is_none(), "it has to wait");
        stream
    })
}

#[test]
fn messages_given_back_at_once_come_out_in_their_old_order() {
    explore(|ledger| {
        let (tx, rx) = bounded(1);
        let [first, second] = parked_streams(&rx);
        for _ in 0..3 {
            assert!(
                tx.try_send(ledger.message()).is_ok(),
                "two are parked and there is room for one"
            );
        }
        let dropping = thread::spawn(move || drop(first));
        drop(second);
        dropping.join().unwrap();
        assert_eq!(rx.len(), 3, "messages given back take no place");
        assert_eq!(rx.try_iter().map(number).collect::<Vec<_>>(), [1, 2, 3]);
        assert_idle(&rx);
    });
}

/// A message handed on to the next in line keeps its place among those that have left the channel.
#[test]
fn message_given_back_twice_keeps_its_place() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let [first, second] = parked_streams(&rx);
        let third = parked(rx.recv());
        for _ in 0..2 {
            assert!(tx.try_send(ledger.message()).is_ok(), "a stream is parked");
        }
        let dropping = thread::spawn(move || drop(first));
        drop(second);
        dropping.join().unwrap();
        drop(third);
        assert_eq!(rx.try_iter().map(number).collect::<Vec<_>>(), [1, 2]);
        assert_idle(&rx);
    });
}

#[test]
fn messages_given_back_at_once_reach_a_sleeping_receiver() {
    explore_bounded(|ledger| {
        let (tx, rx) = bounded(0);
        let streams = parked_streams(&rx);
        for _ in &streams {
            assert!(tx.try_send(ledger.message()).is_ok(), "a stream is parked");
        }
        let dropping = streams.map(|stream| thread::spawn(move || drop(stream)));
        let first = block_on(rx.recv()).map(number).unwrap();
        let second = block_on(rx.recv()).map(number).unwrap();
        assert_eq!(first + second, 1 + 2, "each message arrives once");
        join_all(dropping);
        assert_idle(&rx);
    });
}

#[test]
fn cancelled_send_is_received_or_dropped_at_capacity_0() {
    cancelled_send_is_received_or_dropped(0);
}

#[test]
fn cancelled_send_is_received_or_dropped_at_capacity_1() {
    cancelled_send_is_received_or_dropped(1);
}

/// The send is parked when it is cancelled; one receive for each place and one for the send itself race with that.
fn cancelled_send_is_received_or_dropped(capacity: usize) {
    explore(move |ledger| {
        let (tx, rx) = bounded(capacity);
        for _ in 0..capacity {
            assert!(tx.try_send(ledger.message()).is_ok());
        }
        let send = parked(tx.send(ledger.message()));
        let receiving = thread::spawn({
            let rx = rx.clone();
            move || rx.try_iter().map(number).collect::<Vec<_>>()
        });
        drop(send);
        let received = receiving.join().unwrap();
        let all: Vec<_> = (1..=capacity + 1).collect();
        assert!(
            received == all || received == all[..capacity],
            "all, or all but the cancelled one: {received:?}"
        );
        assert_eq!(ledger.drops_of(capacity + 1), 1);
        assert_idle(&rx);
    });
}

/// The send is dropped while it is parked or when it is done; the receiver gets its message or the next.
#[test]
fn cancelled_send_leaves_a_sleeping_receiver_to_the_next() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let receiving = thread::spawn(move || block_on(rx.recv()).map(number).unwrap());
        let mut first = Box::pin(tx.send(ledger.message()));
        let _ = poll(&mut first);
        drop(first);
        let second = block_on(tx.send(ledger.message()));
        // The receiver goes after one message.
        assert_eq!(
            receiving.join().unwrap(),
            if second.is_ok() { 2 } else { 1 }
        );
    });
}

#[test]
fn cancelled_parked_send_lets_the_next_sender_through() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let first = parked(tx.send(ledger.message()));
        let message = ledger.message();
        let sending = thread::spawn({
            let tx = tx.clone();
            move || block_on(tx.send(message)).is_ok()
        });
        let receiving = thread::spawn(move || {
            while block_on(rx.recv()).map(number).unwrap() != 2 {}
            rx
        });
        drop(first);
        assert!(sending.join().unwrap());
        assert_idle(&receiving.join().unwrap());
    });
}

/// Row 4 of the peers' bugs, from the senders' side: the wake that a dropped sender has had is not missed by the next.
#[test]
fn dropping_a_completed_send_does_not_stop_the_next_sender() {
    explore(|ledger| {
        let (tx, rx) = bounded(1);
        assert!(tx.try_send(ledger.message()).is_ok());
        let second = parked(tx.send(ledger.message()));
        let message = ledger.message();
        let third = thread::spawn({
            let tx = tx.clone();
            move || block_on(tx.send(message)).is_ok()
        });
        assert_eq!(rx.try_recv().map(number), Ok(1), "it promotes the second");
        drop(second);
        assert_eq!(block_on(rx.recv()).map(number), Ok(2));
        assert_eq!(block_on(rx.recv()).map(number), Ok(3));
        assert!(third.join().unwrap());
        assert_idle(&rx);
    });
}

/// The neighbours of a waiter that unlinks itself keep their places.
#[test]
fn cancelling_the_middle_of_three_receives_keeps_the_others_in_line() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let mut first = parked(rx.recv());
        let second = parked(rx.recv());
        let mut third = parked(rx.recv());
        let messages = [ledger.message(), ledger.message()];
        let sending = thread::spawn(move || {
            for message in messages {
                assert!(tx.try_send(message).is_ok(), "a receive is parked");
            }
            tx
        });
        drop(second);
        let _tx = sending.join().unwrap();
        assert_eq!(output(&mut first).map(number), Ok(1));
        assert_eq!(output(&mut third).map(number), Ok(2));
        drop((first, third));
        assert_idle(&rx);
    });
}
