//! Several messages in one critical section, against everything that another thread may do meanwhile.

use hchan::{Receiver, bounded};
use loom::thread;

use super::{
    Bell, Ledger, Message, assert_idle, block_on, explore_bounded, join_all, number, output,
    parked, poll_with,
};

fn batch(ledger: &Ledger, len: usize) -> Vec<Message> {
    (0..len).map(|_| ledger.message()).collect()
}

/// The numbers of what can be received at once, in one batch.
fn drained(rx: &Receiver<Message>) -> Vec<usize> {
    rx.drain().map(number).collect()
}

/// The messages go into two blocks, and are seen all at once or not at all.
#[test]
fn batch_against_receives() {
    explore_bounded(|ledger| {
        let (tx, rx) = bounded(5);
        let messages = batch(ledger, 3);
        let sending = thread::spawn(move || {
            assert!(tx.try_send_many(messages).is_ok());
            tx
        });
        let mut received: Vec<_> = rx.try_recv().map(number).into_iter().collect();
        received.extend(drained(&rx));
        let _tx = sending.join().unwrap();
        received.extend(drained(&rx));
        assert_eq!(received, [1, 2, 3]);
        assert_idle(&rx);
    });
}

/// The other receive takes a message that the batch has counted on.
#[test]
fn batch_received_against_a_receive() {
    explore_bounded(|ledger| {
        let (tx, rx) = bounded(5);
        assert!(tx.try_send_many(batch(ledger, 3)).is_ok());
        let receiving = thread::spawn({
            let rx = rx.clone();
            move || rx.try_recv().map(number).ok()
        });
        let mut received = drained(&rx);
        assert!(received.is_sorted(), "out of order: {received:?}");
        received.extend(receiving.join().unwrap());
        received.sort();
        assert_eq!(received, [1, 2, 3]);
        assert_idle(&rx);
    });
}

fn full_channel_drained_against_a_send(capacity: usize) {
    explore_bounded(move |ledger| {
        let (tx, rx) = bounded(capacity);
        assert!(tx.try_send_many(batch(ledger, capacity)).is_ok());
        let message = ledger.message();
        let sending = thread::spawn(move || {
            assert!(block_on(tx.send(message)).is_ok());
            tx
        });
        let mut received = drained(&rx);
        let _tx = sending.join().unwrap();
        received.extend(drained(&rx));
        assert!(received.into_iter().eq(1..=capacity + 1));
        assert_idle(&rx);
    });
}

/// The send writes where the batch has just been read.
#[test]
fn full_ring_drained_against_a_send() {
    full_channel_drained_against_a_send(2);
}

#[test]
fn full_blocks_drained_against_a_send() {
    full_channel_drained_against_a_send(3);
}

/// The sender is promoted, or finds room by itself.
#[test]
fn batch_received_against_a_parked_sender_that_leaves() {
    explore_bounded(|ledger| {
        let (tx, rx) = bounded(2);
        assert!(tx.try_send_many(batch(ledger, 2)).is_ok());
        let leaving = parked(tx.send(ledger.message()));
        let mut staying = parked(tx.send(ledger.message()));
        let receiving = thread::spawn(move || {
            let received = drained(&rx);
            (rx, received)
        });
        drop(leaving);
        let (rx, received) = receiving.join().unwrap();
        assert!(output(&mut staying).is_ok());
        match &received[..] {
            [1, 2, 3, 4] | [1, 2, 4] => {}
            other => panic!("received {other:?}"),
        }
        drop(staying);
        assert_idle(&rx);
    });
}

/// A batch is sent up to where the channel closes; what it was told was sent is there, and the rest comes back.
#[test]
fn batch_against_a_close() {
    explore_bounded(|ledger| {
        let (tx, rx) = bounded(2);
        let messages = batch(ledger, 3);
        let sending = thread::spawn({
            let tx = tx.clone();
            move || match block_on(tx.send_many(messages)) {
                Ok(sent) => (sent, vec![]),
                Err(error) => (error.sent, error.rest.map(number).collect()),
            }
        });
        let mut received: Vec<_> = rx.try_recv().map(number).into_iter().collect();
        assert!(rx.close());
        let (sent, rest) = sending.join().unwrap();
        received.extend(drained(&rx));
        assert_eq!(received, (1..=sent).collect::<Vec<_>>());
        assert_eq!(rest, (sent + 1..=3).collect::<Vec<_>>());
        assert_idle(&rx);
    });
}

#[test]
fn two_batches_keep_their_orders() {
    explore_bounded(|ledger| {
        let (tx, rx) = bounded(5);
        let batches = [batch(ledger, 2), batch(ledger, 2)];
        let [one, two] = batches.map(|messages| {
            let tx = tx.clone();
            thread::spawn(move || assert!(tx.try_send_many(messages).is_ok()))
        });
        join_all([one, two]);
        let received = drained(&rx);
        assert!(
            matches!(received[..], [1, 2, 3, 4] | [3, 4, 1, 2]),
            "there was room for each at once: {received:?}"
        );
        assert_idle(&rx);
    });
}

/// Each of those parked gets one, in their order, and is woken for it; whoever parks meanwhile comes after them.
#[test]
fn batch_into_parked_receives_against_another() {
    explore_bounded(|ledger| {
        let (tx, rx) = bounded(2);
        let mut first = Box::pin(rx.recv());
        let (bell, waker) = Bell::new();
        assert!(poll_with(&mut first, &waker).is_pending());
        let messages = batch(ledger, 2);
        let receiving = thread::spawn({
            let rx = rx.clone();
            move || block_on(rx.recv()).map(number)
        });
        assert!(tx.try_send_many(messages).is_ok());
        assert_eq!(bell.rings(), 1);
        assert_eq!(output(&mut first).map(number), Ok(1));
        assert_eq!(receiving.join().unwrap(), Ok(2));
        drop(first);
        assert_idle(&rx);
    });
}

/// The first to be handed one leaves, and gives it back before or after the batch goes on.
#[test]
fn batch_into_parked_receives_against_one_that_leaves() {
    explore_bounded(|ledger| {
        let (tx, rx) = bounded(2);
        let leaving = parked(rx.recv());
        let mut staying = parked(rx.recv());
        let messages = batch(ledger, 2);
        let sending = thread::spawn(move || {
            assert!(tx.try_send_many(messages).is_ok());
            tx
        });
        drop(leaving);
        let _tx = sending.join().unwrap();
        let received = output(&mut staying).map(number).unwrap();
        let left = drained(&rx);
        assert!(
            matches!((received, &left[..]), (1, [2]) | (2, [1])),
            "received {received}, left {left:?}"
        );
        drop(staying);
        assert_idle(&rx);
    });
}

/// Parked for one message, it takes what has come with it.
#[test]
fn receive_of_many_that_waits_against_a_batch() {
    explore_bounded(|ledger| {
        let (tx, rx) = bounded(2);
        let messages = batch(ledger, 2);
        let sending = thread::spawn(move || assert!(tx.try_send_many(messages).is_ok()));
        let mut received = Vec::new();
        while received.len() < 2 {
            assert!(block_on(rx.recv_many(&mut received, 5)).is_ok());
        }
        assert!(block_on(rx.recv_many(&mut received, 5)).is_err());
        sending.join().unwrap();
        assert_eq!(received.into_iter().map(number).collect::<Vec<_>>(), [1, 2]);
        assert_idle(&rx);
    });
}
