//! The short ways, with one lock: against each other, and against all that needs both locks.
//!
//! In a model a channel of capacity 0 or 1 has one lock for both ends; those here have two. Capacity 2 is a ring of two
//! places; capacity 3 and unlimited channels are chains of blocks of two. A send is short while there is room and nobody
//! is parked, a receive while there are messages.

use std::{task::Poll, time::Duration};

use futures::StreamExt;
use hchan::{Receiver, RecvError, Sender, TryRecvError, bounded, unbounded};
use loom::thread;

use super::{
    Bell, Ledger, Mark, Message, assert_idle, block_on, explore, explore_bounded, join_all, number,
    output, parked, poll, poll_with,
};

/// A channel through which `passed` messages have gone, and in which `left` more are. They were sent before any was
/// received, as far as there was room.
fn channel(
    capacity: Option<usize>,
    ledger: &Ledger,
    passed: usize,
    left: usize,
) -> (Sender<Message>, Receiver<Message>) {
    let (tx, rx) = capacity.map_or_else(unbounded, bounded);
    let mut received = 0;
    for message in messages(ledger, passed + left) {
        if tx.is_full() {
            received += take(&rx, 1).len();
        }
        assert!(tx.try_send(message).is_ok(), "there is room");
    }
    take(&rx, passed - received);
    assert_eq!(rx.len(), left);
    (tx, rx)
}

/// The numbers of the next `count` messages, or of as many as there are.
fn take(rx: &Receiver<Message>, count: usize) -> Vec<usize> {
    rx.try_iter().take(count).map(number).collect()
}

/// Sends as many of the messages as there is room for; returns how many were sent.
fn send_all(tx: &Sender<Message>, messages: Vec<Message>) -> usize {
    let sent = messages.into_iter().map(|message| tx.try_send(message));
    sent.take_while(Result::is_ok).count()
}

fn messages(ledger: &Ledger, count: usize) -> Vec<Message> {
    (0..count).map(|_| ledger.message()).collect()
}

#[test]
fn short_send_against_short_recv_at_capacity_2() {
    sends_against_receives(Some(2), 0, 1, 1, 2);
}

#[test]
fn short_sends_against_short_recv_when_full_at_capacity_2() {
    sends_against_receives(Some(2), 1, 2, 2, 1);
}

#[test]
fn short_send_against_short_recvs_when_full_at_capacity_2() {
    sends_against_receives(Some(2), 0, 2, 1, 3);
}

/// The first send that finds room goes on to the next block, the second receive leaves the first one.
#[test]
fn blocks_of_a_limited_chain_go_round() {
    sends_against_receives(Some(3), 1, 3, 2, 3);
}

/// Nothing has been sent: the consumer has still to be told of the first block.
#[test]
fn first_block_of_a_chain() {
    sends_against_receives(None, 0, 0, 2, 1);
}

/// Each end goes on by a block while the other may be at it.
#[test]
fn next_block_of_a_chain() {
    sends_against_receives(None, 1, 1, 1, 2);
}

/// The consumer leaves two blocks, which the producer may take for the two that it needs.
#[test]
fn drained_blocks_of_a_chain_go_round() {
    sends_against_receives(None, 2, 2, 3, 3);
}

/// Two drained blocks are kept already. The consumer leaves a third, which is freed if the producer has not taken one.
#[test]
fn third_drained_block_of_a_chain_is_freed_or_kept() {
    sends_against_receives(None, 6, 2, 3, 2);
}

/// From a channel through which `passed` messages have gone and in which `left` are, `received` are received, or tried to
/// be, while `sent` are sent, or tried to be: what is sent arrives, in order.
fn sends_against_receives(
    capacity: Option<usize>,
    passed: usize,
    left: usize,
    sent: usize,
    received: usize,
) {
    explore(move |ledger| {
        let (tx, rx) = channel(capacity, ledger, passed, left);
        let messages = messages(ledger, sent);
        let sending = thread::spawn(move || {
            let sent = send_all(&tx, messages);
            (tx, sent)
        });
        let mut numbers = take(&rx, received);
        assert!(numbers.len() >= left.min(received), "these were there");
        let (_tx, sent) = sending.join().unwrap();
        numbers.extend(take(&rx, usize::MAX));
        let first = passed + 1;
        assert_eq!(numbers, (first..first + left + sent).collect::<Vec<_>>());
        assert_idle(&rx);
    });
}

/// What one of them sends stays in order, whatever the other puts between.
#[test]
fn two_senders_and_a_receiver_in_order() {
    explore_bounded(|ledger| {
        let (tx, rx) = channel(Some(2), ledger, 0, 0);
        let sending = [messages(ledger, 2), messages(ledger, 1)].map(|messages| {
            let tx = tx.clone();
            thread::spawn(move || send_all(&tx, messages))
        });
        let mut numbers = vec![block_on(rx.recv()).map(number).unwrap()];
        numbers.extend(take(&rx, 1));
        let [of_pair, others] = join_all(sending);
        numbers.extend(take(&rx, 2));
        let (pair, other): (Vec<usize>, Vec<usize>) =
            numbers.into_iter().partition(|&number| number <= 2);
        assert_eq!(pair, [1, 2][..of_pair]);
        assert_eq!(other, [3][..others]);
        assert_idle(&rx);
    });
}

#[test]
fn two_receivers_share_out_what_a_sender_sends() {
    explore_bounded(|ledger| {
        let (tx, rx) = channel(None, ledger, 1, 1);
        let receiving = [rx.clone(), rx.clone()]
            .map(|rx| thread::spawn(move || block_on(rx.recv()).map(number).unwrap()));
        assert!(tx.try_send(ledger.message()).is_ok());
        let mut numbers = join_all(receiving);
        numbers.sort_unstable();
        assert_eq!(numbers, [2, 3]);
        assert_idle(&rx);
    });
}

/// Row 6, EL#138, CF: a fast path that looks without a lock missed whoever was just about to wait.
#[test]
fn short_send_misses_no_recv_that_parks_at_capacity_2() {
    short_send_misses_no_recv_that_parks(Some(2));
}

#[test]
fn short_send_misses_no_recv_that_parks_unbounded() {
    short_send_misses_no_recv_that_parks(None);
}

/// The first message is handed over or buffered; the second may be the one while the first was the other.
fn short_send_misses_no_recv_that_parks(capacity: Option<usize>) {
    explore(move |ledger| {
        let (tx, rx) = channel(capacity, ledger, 0, 0);
        let messages = messages(ledger, 2);
        let sending = thread::spawn(move || {
            assert_eq!(send_all(&tx, messages), 2, "there is room for two");
            tx
        });
        assert_eq!(block_on(rx.recv()).map(number), Ok(1));
        assert_eq!(block_on(rx.recv()).map(number), Ok(2));
        drop(sending.join().unwrap());
        assert_idle(&rx);
    });
}

/// Row 6, EL#138, CF: a fast path that looks without a lock missed whoever was just about to wait.
#[test]
fn short_recv_misses_no_send_that_parks_at_capacity_2() {
    short_recv_misses_no_send_that_parks(Some(2));
}

#[test]
fn short_recv_misses_no_send_that_parks_in_a_limited_chain() {
    short_recv_misses_no_send_that_parks(Some(3));
}

fn short_recv_misses_no_send_that_parks(capacity: Option<usize>) {
    explore(move |ledger| {
        let full = capacity.unwrap();
        let (tx, rx) = channel(capacity, ledger, 0, full);
        let message = ledger.message();
        let sending = thread::spawn(move || {
            block_on(tx.send(message)).unwrap();
            tx
        });
        assert_eq!(take(&rx, 2), [1, 2]);
        let _tx = sending.join().unwrap();
        assert_eq!(take(&rx, usize::MAX), (3..=full + 1).collect::<Vec<_>>());
        assert_idle(&rx);
    });
}

/// Both promoted, one after the other, and the receives after that are short again.
#[test]
fn two_parked_sends_are_promoted_in_order() {
    explore(|ledger| {
        let (tx, rx) = channel(Some(2), ledger, 0, 2);
        let mut sends = [(); 2].map(|()| Box::pin(tx.send(ledger.message())));
        let bells = [(); 2].map(|()| Bell::new());
        for (send, (_, waker)) in sends.iter_mut().zip(&bells) {
            assert!(poll_with(send, waker).is_pending());
        }
        let receiving = thread::spawn({
            let rx = rx.clone();
            move || take(&rx, 1)
        });
        let here = take(&rx, 2);
        let there = receiving.join().unwrap();
        assert!(
            [([2, 3], [1]), ([1, 3], [2]), ([1, 2], [3])]
                .contains(&(here.try_into().unwrap(), there.try_into().unwrap()))
        );
        assert!(sends.each_mut().map(output).iter().all(Result::is_ok));
        assert_eq!(bells.map(|(bell, _)| bell.rings()), [1, 1]);
        assert_eq!(take(&rx, usize::MAX), [4]);
        assert_idle(&rx);
    });
}

#[test]
fn threads_meet_at_capacity_2() {
    explore(|ledger| {
        let (tx, rx) = channel(Some(2), ledger, 1, 1);
        let messages = messages(ledger, 2);
        let sending = thread::spawn(move || {
            for message in messages {
                tx.send(message).wait().unwrap();
            }
        });
        for expected in 2..=4 {
            assert_eq!(rx.recv().wait().map(number), Ok(expected));
        }
        sending.join().unwrap();
        assert_idle(&rx);
    });
}

#[test]
fn recv_times_out_against_a_short_send() {
    explore(|ledger| {
        let (tx, rx) = channel(Some(2), ledger, 0, 0);
        let message = ledger.message();
        let sending = thread::spawn(move || {
            assert!(tx.try_send(message).is_ok());
            tx
        });
        let received = rx.recv().wait_timeout(Duration::ZERO).is_ok();
        let _tx = sending.join().unwrap();
        assert_eq!(
            rx.try_recv().is_ok(),
            !received,
            "it is still there if not received"
        );
        assert_idle(&rx);
    });
}

/// Each end of it is used the short way or the long one, as the other leaves it.
#[test]
fn stream_gets_messages_and_end() {
    explore(|ledger| {
        let (tx, rx) = channel(None, ledger, 1, 1);
        let messages = messages(ledger, 1);
        let sending = thread::spawn(move || assert_eq!(send_all(&tx, messages), 1));
        let numbers = block_on(rx.stream().map(number).collect::<Vec<_>>());
        assert_eq!(numbers, [2, 3]);
        sending.join().unwrap();
        assert_idle(&rx);
    });
}

#[test]
fn short_send_against_close_at_capacity_2() {
    short_send_against_close(Some(2));
}

#[test]
fn short_send_against_close_unbounded() {
    short_send_against_close(None);
}

/// What was sent before the close is there; nothing comes in after it.
fn short_send_against_close(capacity: Option<usize>) {
    explore(move |ledger| {
        let (tx, rx) = channel(capacity, ledger, 1, 1);
        let message = ledger.message();
        let sending = thread::spawn({
            let tx = tx.clone();
            move || tx.try_send(message).is_ok()
        });
        assert!(rx.close());
        let len = rx.len();
        let sent = sending.join().unwrap();
        assert_eq!(rx.len(), len, "the channel is closed");
        assert_eq!(len, 1 + usize::from(sent));
        assert!(
            tx.try_send(ledger.message())
                .is_err_and(|error| error.is_closed())
        );
        assert_eq!(take(&rx, usize::MAX), (2..2 + len).collect::<Vec<_>>());
        assert_eq!(rx.try_recv().map(number), Err(TryRecvError::Closed));
    });
}

#[test]
fn short_recv_against_close() {
    explore(|ledger| {
        let (tx, rx) = channel(Some(2), ledger, 1, 1);
        let closing = thread::spawn(move || {
            assert!(tx.close());
            tx
        });
        assert_eq!(rx.try_recv().map(number), Ok(2), "closed or not");
        let early = rx.try_recv().map(number).unwrap_err();
        assert!([TryRecvError::Empty, TryRecvError::Closed].contains(&early));
        let _tx = closing.join().unwrap();
        assert_eq!(rx.try_recv().map(number), Err(TryRecvError::Closed));
    });
}

/// The message given back left the channel before those that are buffered, so it comes before those still there.
#[test]
fn short_recv_against_a_receive_that_gives_back() {
    explore(|ledger| {
        let (tx, rx) = channel(None, ledger, 0, 0);
        let mut stream = rx.clone().into_stream();
        assert!(poll(&mut Box::pin(stream.next())).is_pending());
        assert_eq!(send_all(&tx, messages(ledger, 3)), 3);
        let dropping = thread::spawn(move || drop(stream));
        let mut numbers = take(&rx, 1);
        dropping.join().unwrap();
        numbers.extend(take(&rx, usize::MAX));
        assert!(numbers == [1, 2, 3] || numbers == [2, 1, 3], "{numbers:?}");
        assert_idle(&rx);
    });
}

#[test]
fn cancelled_recv_against_a_short_send_at_capacity_2() {
    cancelled_recv_against_a_short_send(Some(2));
}

#[test]
fn cancelled_recv_against_a_short_send_unbounded() {
    cancelled_recv_against_a_short_send(None);
}

/// The first message is handed over and given back, or buffered; the second is buffered behind it.
fn cancelled_recv_against_a_short_send(capacity: Option<usize>) {
    explore(move |ledger| {
        let (tx, rx) = channel(capacity, ledger, 0, 0);
        let receive = parked(rx.recv());
        let messages = messages(ledger, 2);
        let sending = thread::spawn(move || {
            assert_eq!(send_all(&tx, messages), 2, "there is room for two");
            tx
        });
        drop(receive);
        let _tx = sending.join().unwrap();
        assert_eq!(rx.len(), 2);
        assert_eq!(take(&rx, usize::MAX), [1, 2]);
        assert_idle(&rx);
    });
}

/// The one that stays parked gets the message, whoever stood before it.
#[test]
fn short_send_against_one_of_two_parked_receives_cancelled() {
    explore(|ledger| {
        let (tx, rx) = channel(Some(2), ledger, 0, 0);
        let first = parked(rx.recv());
        let mut second = Box::pin(rx.recv());
        let (bell, waker) = Bell::new();
        assert!(poll_with(&mut second, &waker).is_pending());
        let message = ledger.message();
        let sending = thread::spawn(move || {
            assert!(tx.try_send(message).is_ok());
            tx
        });
        drop(first);
        let _tx = sending.join().unwrap();
        assert_eq!(output(&mut second).map(number), Ok(1));
        assert_eq!(bell.rings(), 1);
        drop(second);
        assert_idle(&rx);
    });
}

/// The send is parked when it is cancelled; the receives are long until it is gone, and short from then on.
#[test]
fn cancelled_send_against_short_recv() {
    explore(|ledger| {
        let (tx, rx) = channel(Some(2), ledger, 0, 2);
        let send = parked(tx.send(ledger.message()));
        let receiving = thread::spawn({
            let rx = rx.clone();
            move || take(&rx, usize::MAX)
        });
        drop(send);
        let received = receiving.join().unwrap();
        assert!(
            received == [1, 2, 3] || received == [1, 2],
            "all, or all but the cancelled one: {received:?}"
        );
        assert_eq!(ledger.drops_of(3), 1);
        assert_idle(&rx);
    });
}

/// What is evicted has not been received, and what has been received is not evicted.
#[test]
fn forced_send_against_short_recv() {
    explore(|ledger| {
        let (tx, rx) = channel(Some(2), ledger, 0, 2);
        let message = ledger.message();
        let forcing = thread::spawn(move || match tx.force_send(message) {
            Ok(evicted) => evicted.map(number),
            Err(_) => panic!("there was a message to evict, or room"),
        });
        let first = take(&rx, 1);
        match forcing.join().unwrap() {
            Some(evicted) => assert_eq!((evicted, first[0]), (1, 2)),
            None => assert_eq!(first, [1]),
        }
        assert_eq!(take(&rx, usize::MAX).last(), Some(&3));
        assert_idle(&rx);
    });
}

#[test]
fn last_receiver_dropped_against_short_send_at_capacity_2() {
    last_receiver_dropped_against_short_send(Some(2));
}

#[test]
fn last_receiver_dropped_against_short_send_unbounded() {
    last_receiver_dropped_against_short_send(None);
}

/// A message sent while the last receiver goes is not stranded, nor is what was there already.
fn last_receiver_dropped_against_short_send(capacity: Option<usize>) {
    explore(move |ledger| {
        let (tx, rx) = channel(capacity, ledger, 1, 1);
        let dropping = thread::spawn(move || drop(rx));
        let sent = tx.try_send(ledger.message());
        dropping.join().unwrap();
        assert_eq!(ledger.drops_of(2), 1);
        assert_eq!(
            ledger.drops_of(3),
            u32::from(sent.is_ok()),
            "dropped with the channel if it was sent, and here again if not"
        );
        assert_eq!((tx.is_closed(), tx.len()), (true, 0));
    });
}

/// Both are receivers, and whoever is the last drops what is in the channel, given back or not.
#[test]
fn last_receiver_dropped_against_a_receive_that_gives_back() {
    explore(|ledger| {
        let (tx, rx) = channel(Some(2), ledger, 0, 0);
        let mut stream = rx.clone().into_stream();
        assert!(poll(&mut Box::pin(stream.next())).is_pending());
        assert_eq!(send_all(&tx, messages(ledger, 2)), 2);
        let dropping = thread::spawn(move || drop(stream));
        drop(rx);
        dropping.join().unwrap();
        assert_eq!([1, 2].map(|number| ledger.drops_of(number)), [1, 1]);
        assert_eq!((tx.is_closed(), tx.len()), (true, 0));
    });
}

#[test]
fn last_sender_dropped_against_short_recv_at_capacity_2() {
    last_sender_dropped_against_short_recv(Some(2));
}

#[test]
fn last_sender_dropped_against_short_recv_unbounded() {
    last_sender_dropped_against_short_recv(None);
}

/// The end comes after the last message.
fn last_sender_dropped_against_short_recv(capacity: Option<usize>) {
    explore(move |ledger| {
        let (tx, rx) = channel(capacity, ledger, 1, 1);
        let message = ledger.message();
        let sending = thread::spawn(move || assert!(tx.try_send(message).is_ok()));
        assert_eq!(block_on(rx.recv()).map(number), Ok(2));
        assert_eq!(block_on(rx.recv()).map(number), Ok(3));
        assert_eq!(block_on(rx.recv()).map(number), Err(RecvError));
        sending.join().unwrap();
        assert_idle(&rx);
    });
}

/// Go's memory model at capacity 2: the first receive starts before the third send completes. That send is short if the
/// receive is over by then; else it parks, and then it is polled again, by nobody's leave.
#[test]
fn first_receive_starts_before_the_third_send_completes() {
    explore(|ledger| {
        let (tx, rx) = channel(Some(2), ledger, 0, 2);
        let mark = Mark::new();
        let mut send = Box::pin(tx.send(ledger.message()));
        let receiving = thread::spawn({
            let (rx, mark) = (rx.clone(), mark.clone());
            move || {
                mark.set();
                take(&rx, 1)
            }
        });
        if poll(&mut send).is_ready() || poll(&mut send).is_ready() {
            assert!(mark.is_set());
        }
        assert_eq!(receiving.join().unwrap(), [1]);
        drop(send);
        // Either the send completed or it was cancelled.
        assert_eq!(take(&rx, 2)[0], 2);
        assert_idle(&rx);
    });
}

/// As above for the second receive and the fourth send, of which there is no parked one: what the producer remembers of
/// the consumer's position is never ahead of what it has seen of it.
#[test]
fn each_receive_starts_before_the_send_of_its_place_completes() {
    explore(|ledger| {
        let (tx, rx) = channel(Some(2), ledger, 0, 2);
        let marks = [Mark::new(), Mark::new()];
        let receiving = thread::spawn({
            let (rx, marks) = (rx.clone(), marks.clone());
            move || {
                marks.map(|mark| {
                    mark.set();
                    rx.try_recv().map(number).unwrap()
                })
            }
        });
        for mark in &marks {
            if tx.try_send(ledger.message()).is_ok() {
                assert!(mark.is_set());
            } else {
                break;
            }
        }
        assert_eq!(receiving.join().unwrap(), [1, 2]);
        drop(take(&rx, 2));
        assert_idle(&rx);
    });
}

/// Each of two threads receives from one channel and then sends into the other's place: one of them comes second, and
/// finds room.
#[test]
fn two_sends_after_two_receives_are_not_both_full() {
    explore(|ledger| {
        let (tx1, rx1) = channel(Some(2), ledger, 0, 2);
        let (tx2, rx2) = channel(Some(2), ledger, 0, 2);
        let (first, second) = (ledger.message(), ledger.message());
        let other = thread::spawn({
            let rx2 = rx2.clone();
            move || {
                assert!(rx2.try_recv().is_ok());
                tx1.try_send(first).is_ok()
            }
        });
        assert!(rx1.try_recv().is_ok());
        let has_room_here = tx2.try_send(second).is_ok();
        let has_room_there = other.join().unwrap();
        assert!(has_room_here || has_room_there, "both came first");
    });
}

/// A send happens before the receive of its message, also when neither takes the other's lock.
#[test]
fn send_starts_before_its_receive_completes() {
    explore(|ledger| {
        let (tx, rx) = channel(None, ledger, 1, 1);
        let (mark, message) = (Mark::new(), ledger.message());
        let sending = thread::spawn({
            let mark = mark.clone();
            move || {
                mark.set();
                assert!(tx.try_send(message).is_ok());
                tx
            }
        });
        assert_eq!(take(&rx, 1), [2]);
        let mut receive = Box::pin(rx.recv());
        if let Poll::Ready(received) = poll(&mut receive) {
            assert_eq!(received.map(number), Ok(3));
            assert!(mark.is_set());
        }
        let _tx = sending.join().unwrap();
        drop(receive);
        drop(take(&rx, 1));
        assert_idle(&rx);
    });
}
