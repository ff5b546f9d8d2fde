//! Waits for the end of a channel, against the close and the last receive.

use hchan::{Receiver, Sender, bounded};
use loom::thread;

use super::{
    Bell, Ledger, Mark, Message, assert_idle, block_on, explore, explore_bounded, join_all, number,
    output, parked, poll, poll_with,
};

/// A closed channel with that many messages left, and two locks if the capacity is above 1.
fn left(ledger: &Ledger, capacity: usize, messages: usize) -> (Sender<Message>, Receiver<Message>) {
    let (tx, rx) = bounded(capacity);
    for _ in 0..messages {
        assert!(tx.try_send(ledger.message()).is_ok());
    }
    assert!(tx.close());
    (tx, rx)
}

/// It is told, whether it parks before the close or comes after; and sees what came before the close.
#[test]
fn closed_against_close() {
    explore(|_| {
        let (tx, rx) = bounded::<Message>(2);
        let mark = Mark::new();
        let closing = thread::spawn({
            let mark = mark.clone();
            move || {
                mark.set();
                assert!(rx.close());
                rx
            }
        });
        block_on(tx.closed());
        assert!(mark.is_set());
        closing.join().unwrap();
    });
}

#[test]
fn closed_against_the_drop_of_the_last_receiver() {
    explore(|_| {
        let (tx, rx) = bounded::<Message>(1);
        let dropping = thread::spawn(move || drop(rx));
        block_on(tx.closed());
        block_on(tx.drained());
        dropping.join().unwrap();
    });
}

/// At the time of the drop it is in its line, among those to be told, or told.
#[test]
fn closed_dropped_against_close() {
    explore(|_| {
        let (tx, rx) = bounded::<Message>(2);
        let (bell, waker) = Bell::new();
        let leaving = parked(tx.closed());
        let mut staying = Box::pin(tx.closed());
        assert!(poll_with(&mut staying, &waker).is_pending());
        let also_leaving = parked(tx.drained());
        let closing = thread::spawn(move || {
            assert!(rx.close());
            rx
        });
        drop(leaving);
        drop(also_leaving);
        closing.join().unwrap();
        assert_eq!(bell.rings(), 1);
        output(&mut staying);
    });
}

/// The receive needs one lock as long as nobody waits for the last message, and both from then on.
fn drained_against_the_last_receive(capacity: usize, messages: usize) {
    explore_bounded(move |ledger| {
        let (tx, rx) = left(ledger, capacity, messages);
        let mark = Mark::new();
        let receiving = thread::spawn({
            let mark = mark.clone();
            move || {
                for next in 1..=messages {
                    mark.set();
                    assert_eq!(rx.try_recv().map(number), Ok(next));
                }
                rx
            }
        });
        block_on(tx.drained());
        assert_eq!(tx.len(), 0);
        assert!(mark.is_set());
        assert_idle(&receiving.join().unwrap());
    });
}

#[test]
fn drained_against_the_last_receive_with_one_lock() {
    drained_against_the_last_receive(1, 1);
}

#[test]
fn drained_against_the_last_receive_with_two_locks() {
    drained_against_the_last_receive(2, 1);
}

#[test]
fn drained_against_the_last_of_two_receives() {
    drained_against_the_last_receive(2, 2);
}

/// Two receivers, each with one of the last two messages: one of them tells.
#[test]
fn drained_against_two_receives() {
    explore_bounded(|ledger| {
        let (tx, rx) = left(ledger, 2, 2);
        let (bell, waker) = Bell::new();
        let mut drained = Box::pin(tx.drained());
        assert!(poll_with(&mut drained, &waker).is_pending());
        let receives = [rx.clone(), rx.clone()]
            .map(|rx| thread::spawn(move || rx.try_recv().map(number).is_ok()));
        assert_eq!(join_all(receives), [true, true]);
        assert_eq!(bell.rings(), 1);
        output(&mut drained);
    });
}

#[test]
fn drained_against_a_receive_of_many() {
    explore_bounded(|ledger| {
        let (tx, rx) = left(ledger, 3, 3);
        let receiving = thread::spawn(move || {
            assert_eq!(rx.drain().len(), 3);
            rx
        });
        block_on(tx.drained());
        receiving.join().unwrap();
    });
}

#[test]
fn drained_dropped_against_the_last_receive() {
    explore_bounded(|ledger| {
        let (tx, rx) = left(ledger, 2, 1);
        let leaving = parked(tx.drained());
        let mut staying = parked(tx.drained());
        let receiving = thread::spawn(move || {
            assert_eq!(rx.try_recv().map(number), Ok(1));
            rx
        });
        drop(leaving);
        receiving.join().unwrap();
        output(&mut staying);
    });
}

/// The last message is given back by a receive that leaves, before or after the close.
#[test]
fn drained_against_a_message_given_back() {
    explore_bounded(|ledger| {
        let (tx, rx) = bounded(2);
        let receive = parked(rx.recv());
        assert!(tx.try_send(ledger.message()).is_ok());
        let mut drained = parked(tx.drained());
        let closing = thread::spawn({
            let tx = tx.clone();
            move || assert!(tx.close())
        });
        drop(receive);
        closing.join().unwrap();
        // Closed first, it had nothing left.
        let is_early = poll(&mut drained).is_ready();
        assert_eq!(rx.try_recv().map(number), Ok(1));
        if !is_early {
            output(&mut drained);
        }
        drop(drained);
        assert_idle(&rx);
    });
}
