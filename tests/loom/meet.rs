//! Senders and receivers that meet, with nobody giving up.

use std::task::Poll;

use hchan::{TryRecvError, bounded};
use loom::thread;

use super::{
    Bell, Mark, assert_idle, block_on, explore, explore_bounded, join_all, number, output, parked,
    poll, poll_with,
};

#[test]
fn send_meets_recv_at_capacity_0() {
    send_meets_recv(0);
}

#[test]
fn send_meets_recv_at_capacity_1() {
    send_meets_recv(1);
}

fn send_meets_recv(capacity: usize) {
    explore(move |ledger| {
        let (tx, rx) = bounded(capacity);
        let message = ledger.message();
        let sending = thread::spawn(move || {
            block_on(tx.send(message)).unwrap();
            tx
        });
        assert_eq!(block_on(rx.recv()).map(number), Ok(1));
        let tx = sending.join().unwrap();
        assert_idle(&rx);
        drop(tx);
        assert_eq!(rx.sender_count(), 0);
    });
}

#[test]
fn two_messages_arrive_in_order_at_capacity_0() {
    two_messages_arrive_in_order(0);
}

/// The second send is promoted if it came before the first receive.
#[test]
fn two_messages_arrive_in_order_at_capacity_1() {
    two_messages_arrive_in_order(1);
}

fn two_messages_arrive_in_order(capacity: usize) {
    explore(move |ledger| {
        let (tx, rx) = bounded(capacity);
        let messages = [ledger.message(), ledger.message()];
        let sending = thread::spawn(move || {
            for message in messages {
                block_on(tx.send(message)).unwrap();
            }
        });
        assert_eq!(block_on(rx.recv()).map(number), Ok(1));
        assert_eq!(block_on(rx.recv()).map(number), Ok(2));
        sending.join().unwrap();
        assert_idle(&rx);
    });
}

#[test]
fn try_send_wakes_a_receiver() {
    explore(|ledger| {
        let (tx, rx) = bounded(1);
        let message = ledger.message();
        let sending = thread::spawn(move || {
            assert!(tx.try_send(message).is_ok(), "there is room");
            tx
        });
        assert_eq!(block_on(rx.recv()).map(number), Ok(1));
        drop(sending.join().unwrap());
        assert_idle(&rx);
    });
}

#[test]
fn try_recv_wakes_the_sender_that_it_promotes() {
    explore(|ledger| {
        let (tx, rx) = bounded(1);
        assert!(tx.try_send(ledger.message()).is_ok());
        let message = ledger.message();
        let sending = thread::spawn(move || block_on(tx.send(message)).is_ok());
        assert_eq!(rx.try_recv().map(number), Ok(1));
        assert!(sending.join().unwrap());
        assert_eq!(rx.try_recv().map(number), Ok(2));
        assert_idle(&rx);
    });
}

/// What is evicted has not been received, and what has been received is not evicted.
#[test]
fn forced_send_and_recv_share_the_messages_out() {
    explore(|ledger| {
        let (tx, rx) = bounded(1);
        assert!(tx.try_send(ledger.message()).is_ok());
        let message = ledger.message();
        let forcing = thread::spawn(move || match tx.force_send(message) {
            Ok(evicted) => evicted.map(number),
            Err(_) => panic!("there was a message to evict, or room"),
        });
        let first = block_on(rx.recv()).map(number).unwrap();
        match forcing.join().unwrap() {
            Some(evicted) => assert_eq!((evicted, first), (1, 2)),
            None => {
                assert_eq!(first, 1);
                assert_eq!(rx.try_recv().map(number), Ok(2));
            }
        }
        assert_idle(&rx);
    });
}

#[test]
fn forced_send_wakes_a_receiver() {
    explore(|ledger| {
        let (tx, rx) = bounded(1);
        let message = ledger.message();
        let forcing = thread::spawn(move || matches!(tx.force_send(message), Ok(None)));
        assert_eq!(block_on(rx.recv()).map(number), Ok(1));
        assert!(forcing.join().unwrap());
        assert_idle(&rx);
    });
}

#[test]
fn two_senders_and_a_receiver_at_capacity_0() {
    two_senders_and_a_receiver(0);
}

#[test]
fn two_senders_and_a_receiver_at_capacity_1() {
    two_senders_and_a_receiver(1);
}

fn two_senders_and_a_receiver(capacity: usize) {
    explore_bounded(move |ledger| {
        let (tx, rx) = bounded(capacity);
        let sending = [tx.clone(), tx].map(|tx| {
            let message = ledger.message();
            thread::spawn(move || block_on(tx.send(message)).is_ok())
        });
        let first = block_on(rx.recv()).map(number).unwrap();
        let second = block_on(rx.recv()).map(number).unwrap();
        assert_eq!(first + second, 1 + 2, "each message arrives once");
        assert!(
            sending
                .map(|sent| sent.join().unwrap())
                .iter()
                .all(|&sent| sent)
        );
        assert_idle(&rx);
    });
}

#[test]
fn two_receivers_and_a_sender_at_capacity_0() {
    two_receivers_and_a_sender(0);
}

#[test]
fn two_receivers_and_a_sender_at_capacity_1() {
    two_receivers_and_a_sender(1);
}

fn two_receivers_and_a_sender(capacity: usize) {
    explore_bounded(move |ledger| {
        let (tx, rx) = bounded(capacity);
        let receiving = [rx.clone(), rx.clone()]
            .map(|rx| thread::spawn(move || block_on(rx.recv()).map(number).unwrap()));
        for message in [ledger.message(), ledger.message()] {
            block_on(tx.send(message)).unwrap();
        }
        let [first, second] = receiving.map(|received| received.join().unwrap());
        assert_eq!(first + second, 1 + 2, "each message arrives once");
        assert_idle(&rx);
    });
}

/// Two wakes at the same time are two wakes (async-std#452).
#[test]
fn two_sends_at_once_complete_two_parked_receives() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let mut receives = [Box::pin(rx.recv()), Box::pin(rx.recv())];
        let bells = [Bell::new(), Bell::new()];
        for (receive, (_, waker)) in receives.iter_mut().zip(&bells) {
            assert!(poll_with(receive, waker).is_pending());
        }
        let sending = [tx.clone(), tx].map(|tx| {
            let message = ledger.message();
            thread::spawn(move || assert!(tx.try_send(message).is_ok(), "a receive is parked"))
        });
        join_all(sending);
        let received = receives
            .each_mut()
            .map(output)
            .map(|received| received.map(number).unwrap());
        assert_eq!(
            received.iter().sum::<usize>(),
            1 + 2,
            "each message arrives once"
        );
        assert_eq!(bells.map(|(bell, _)| bell.rings()), [1, 1]);
        assert_idle(&rx);
    });
}

/// Go's memory model at capacity 0: a receive starts before the send that it takes from completes.
#[test]
fn receive_starts_before_its_send_completes() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let mark = Mark::new();
        let mut send = parked(tx.send(ledger.message()));
        let receiving = thread::spawn({
            let (rx, mark) = (rx.clone(), mark.clone());
            move || {
                mark.set();
                rx.try_recv().map(number).unwrap()
            }
        });
        // Nobody has woken this thread, so the waiter's state is all that orders it.
        if poll(&mut send).is_ready() {
            assert!(mark.is_set());
        }
        assert_eq!(receiving.join().unwrap(), 1);
        drop(send);
        assert_idle(&rx);
    });
}

/// Go's memory model at capacity 1: the first receive starts before the second send completes.
#[test]
fn first_receive_starts_before_the_second_send_completes() {
    explore(|ledger| {
        let (tx, rx) = bounded(1);
        let mark = Mark::new();
        assert!(tx.try_send(ledger.message()).is_ok());
        let mut send = Box::pin(tx.send(ledger.message()));
        let receiving = thread::spawn({
            let (rx, mark) = (rx.clone(), mark.clone());
            move || {
                mark.set();
                rx.try_recv().map(number).unwrap()
            }
        });
        if poll(&mut send).is_ready() || poll(&mut send).is_ready() {
            assert!(mark.is_set());
        }
        assert_eq!(receiving.join().unwrap(), 1);
        drop(send);
        // Either the send completed or it was cancelled.
        drop(rx.try_recv());
        assert_idle(&rx);
    });
}

/// Row 18 of the peers' bugs: a poll that nobody asked for finds the operation parked or done, never half done; and once
/// it is done its memory is the owner's, who frees it while the sender is perhaps still at it.
#[test]
fn receive_is_freed_as_soon_as_it_is_done() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let mut receive = parked(rx.recv());
        let message = ledger.message();
        let sending = thread::spawn(move || assert!(tx.try_send(message).is_ok()));
        match poll(&mut receive) {
            Poll::Ready(received) => {
                drop(receive);
                assert_eq!(received.map(number), Ok(1));
                sending.join().unwrap();
            }
            Poll::Pending => {
                sending.join().unwrap();
                assert_eq!(output(&mut receive).map(number), Ok(1));
                drop(receive);
            }
        }
        assert_idle(&rx);
    });
}

#[test]
fn send_is_freed_as_soon_as_it_is_done() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let mut send = parked(tx.send(ledger.message()));
        let receiving = thread::spawn({
            let rx = rx.clone();
            move || rx.try_recv().map(number)
        });
        let _ = poll(&mut send);
        drop(send);
        // Received if the send was done; else it may have been cancelled before.
        let received = receiving.join().unwrap();
        assert!([Ok(1), Err(TryRecvError::Empty)].contains(&received));
        assert_idle(&rx);
    });
}
