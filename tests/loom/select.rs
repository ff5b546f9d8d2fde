//! Selects against each other and against everything else: exactly one arm happens, whoever comes when.
//!
//! In a model the random choice is always the same one, so that a run can be repeated.

use std::{cell::Cell, future::poll_fn, task::Poll};

use hchan::{Receiver, Sender, bounded, select, select_blocking};
use loom::thread;

use super::{
    Bell, Message, assert_idle, block_on, explore, explore_bounded, join_all, number, output,
    parked, poll, poll_with,
};

type Channel = (Sender<Message>, Receiver<Message>);

/// Receives from whichever has a message.
async fn either(a: &Receiver<Message>, b: &Receiver<Message>) -> Option<usize> {
    select! {
        recv(a) -> message => message.ok().map(number),
        recv(b) -> message => message.ok().map(number),
    }
}

#[test]
fn select_against_sends_on_both_channels_at_capacity_0() {
    select_against_sends_on_both_channels(0);
}

#[test]
fn select_against_sends_on_both_channels_at_capacity_5() {
    select_against_sends_on_both_channels(5);
}

/// One of them is received by the select, the other stays where it is.
fn select_against_sends_on_both_channels(capacity: usize) {
    explore_bounded(move |ledger| {
        let (a_tx, a_rx) = bounded(capacity);
        let (b_tx, b_rx) = bounded(capacity);
        let sending = [(a_tx, ledger.message()), (b_tx, ledger.message())].map(|(tx, message)| {
            thread::spawn(move || {
                let is_sent = tx.try_send(message).is_ok();
                (tx, is_sent)
            })
        });
        let mut selecting = Box::pin(either(&a_rx, &b_rx));
        let selected = poll(&mut selecting);
        let [(a_tx, a_sent), (b_tx, b_sent)] = join_all(sending);
        let sent = usize::from(a_sent) + usize::from(b_sent);
        let selected = match (selected, sent) {
            (Poll::Pending, 0) => None,
            (Poll::Pending, _) => output(&mut selecting),
            (Poll::Ready(number), _) => number,
        };
        assert_eq!(selected.is_some(), sent > 0, "capacity {capacity}");
        drop(selecting);
        let left = [&a_rx, &b_rx].map(|rx| rx.try_recv().map(number));
        assert_eq!(
            left.iter().flatten().count() + selected.iter().count(),
            sent
        );
        assert!(left.iter().flatten().all(|&left| Some(left) != selected));
        assert_idle(&a_rx);
        assert_idle(&b_rx);
        drop((a_tx, b_tx));
    });
}

/// A parked select, so that each of the two could commit it.
#[test]
fn two_sends_commit_a_parked_select_once() {
    for capacity in [0, 5] {
        explore(move |ledger| {
            let (a_tx, a_rx) = bounded(capacity);
            let (b_tx, b_rx) = bounded(capacity);
            let (bell, waker) = Bell::new();
            let mut selecting = Box::pin(either(&a_rx, &b_rx));
            assert!(poll_with(&mut selecting, &waker).is_pending());
            let message = ledger.message();
            let sending = thread::spawn(move || {
                let is_sent = a_tx.try_send(message).is_ok();
                (a_tx, is_sent)
            });
            let b_sent = b_tx.try_send(ledger.message()).is_ok();
            let (_a_tx, a_sent) = sending.join().unwrap();
            assert!(capacity > 0 || a_sent != b_sent, "one is taken");
            assert_eq!(bell.rings(), 1);
            assert!(output(&mut selecting).is_some());
            assert_eq!(a_rx.len() + b_rx.len(), usize::from(capacity > 0));
            assert_eq!(a_rx.waiting_receivers() + b_rx.waiting_receivers(), 0);
            drop((a_rx.try_recv(), b_rx.try_recv()));
        });
    }
}

/// A send and a receive on two channels: the select pairs with one, the other waits for somebody else.
#[test]
fn select_against_a_send_and_a_recv() {
    explore_bounded(|ledger| {
        let (a_tx, a_rx) = bounded(0);
        let (b_tx, b_rx) = bounded(0);
        let (message, ours) = (ledger.message(), ledger.message());
        let sending = thread::spawn({
            let a_tx = a_tx.clone();
            move || block_on(a_tx.send(message)).is_ok()
        });
        let receiving = thread::spawn({
            let b_rx = b_rx.clone();
            move || block_on(b_rx.recv()).is_ok()
        });
        let mut slot = Some(ours);
        let has_received = block_on(async {
            select! {
                recv(a_rx) -> message => message.is_ok(),
                send_from(b_tx, &mut slot) -> sent => { assert!(sent.is_ok()); false }
            }
        });
        assert_eq!(slot.is_some(), has_received);
        a_rx.close();
        b_rx.close();
        assert_eq!(sending.join().unwrap(), has_received);
        assert_eq!(receiving.join().unwrap(), !has_received);
        drop((a_tx, slot));
        assert_idle(&a_rx);
        assert_idle(&b_rx);
    });
}

#[test]
fn two_selects_pair_by_one_of_two_channels_at_capacity_0() {
    two_selects_pair(0);
}

#[test]
fn two_selects_pair_by_one_of_two_channels_at_capacity_1() {
    two_selects_pair(1);
}

fn two_selects_pair(capacity: usize) {
    explore_bounded(move |ledger| {
        let (a, b): (Channel, Channel) = (bounded(capacity), bounded(capacity));
        let messages = [ledger.message(), ledger.message()];
        let (a_tx, b_tx) = (a.0.clone(), b.0.clone());
        let sending = thread::spawn(move || {
            let [first, second] = messages;
            select_blocking! {
                send(a_tx, first) -> sent => { assert!(sent.is_ok()); 1 }
                send(b_tx, second) -> sent => { assert!(sent.is_ok()); 2 }
            }
        });
        let received = block_on(either(&a.1, &b.1));
        assert_eq!(received, Some(sending.join().unwrap()));
        assert_idle(&a.1);
        assert_idle(&b.1);
    });
}

/// Each sends and receives, so neither is the first: they pair in one direction, and then in the other.
#[test]
fn two_selects_with_both_ends_of_one_channel_pair() {
    explore_bounded(|ledger| {
        let (tx, rx): Channel = bounded(0);
        let both = |message: Message, tx: Sender<Message>, rx: Receiver<Message>| async move {
            let mut slot = Some(message);
            select! {
                recv(rx) -> message => message.map(number).unwrap(),
                send_from(tx, &mut slot) -> sent => { assert!(sent.is_ok()); 0 }
            }
        };
        let theirs = both(ledger.message(), tx.clone(), rx.clone());
        let ours = both(ledger.message(), tx.clone(), rx.clone());
        let selecting = thread::spawn(move || block_on(theirs));
        let ours = block_on(ours);
        let theirs = selecting.join().unwrap();
        assert!(
            matches!((theirs, ours), (0, 1) | (2, 0)),
            "{theirs}, {ours}"
        );
        assert_idle(&rx);
    });
}

#[test]
fn close_against_a_select_that_parks() {
    for capacity in [0, 5] {
        explore(move |_| {
            let (a_tx, a_rx) = bounded::<Message>(capacity);
            let (_b_tx, b_rx) = bounded::<Message>(capacity);
            let closing = thread::spawn(move || drop(a_tx));
            assert_eq!(block_on(either(&a_rx, &b_rx)), None);
            closing.join().unwrap();
            assert_idle(&a_rx);
            assert_idle(&b_rx);
        });
    }
}

/// Both closes find the select parked; one ends it.
#[test]
fn two_closes_against_a_parked_select() {
    explore(|_| {
        let (a_tx, a_rx) = bounded::<Message>(0);
        let (b_tx, b_rx) = bounded::<Message>(5);
        let (bell, waker) = Bell::new();
        let mut selecting = Box::pin(either(&a_rx, &b_rx));
        assert!(poll_with(&mut selecting, &waker).is_pending());
        let closing = thread::spawn(move || drop(a_tx));
        drop(b_tx);
        closing.join().unwrap();
        assert_eq!(bell.rings(), 1);
        assert_eq!(output(&mut selecting), None);
        assert_idle(&a_rx);
        assert_idle(&b_rx);
    });
}

#[test]
fn select_dropped_while_a_send_claims_it() {
    for capacity in [0, 5] {
        explore(move |ledger| {
            let (tx, rx) = bounded(capacity);
            let (_other_tx, other_rx) = bounded(0);
            let selecting = parked(async { either(&rx, &other_rx).await });
            let message = ledger.message();
            let sending = thread::spawn(move || {
                let is_sent = tx.try_send(message).is_ok();
                (tx, is_sent)
            });
            drop(selecting);
            let (_tx, is_sent) = sending.join().unwrap();
            assert!(is_sent || capacity == 0);
            assert_eq!(rx.try_recv().is_ok(), is_sent, "given back");
            assert_idle(&rx);
            assert_idle(&other_rx);
        });
    }
}

#[test]
fn select_of_a_send_dropped_while_a_recv_claims_it() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let (_other_tx, other_rx) = bounded::<Message>(0);
        let mut slot = Some(ledger.message());
        let selecting = parked(async {
            select! {
                send_from(tx, &mut slot) -> _ => (),
                recv(other_rx) -> _ => (),
            }
        });
        let receiving = thread::spawn({
            let rx = rx.clone();
            move || rx.try_recv().is_ok()
        });
        drop(selecting);
        let is_received = receiving.join().unwrap();
        assert_eq!(slot.is_none(), is_received, "sent or back");
        assert_idle(&rx);
        assert_idle(&other_rx);
    });
}

/// While the select polls the other future it cannot be claimed: the message is received later, or the select tries again.
#[test]
fn peer_against_the_poll_of_another_future() {
    for is_ready in [false, true] {
        for capacity in [0, 5] {
            explore(move |ledger| {
                let (tx, rx) = bounded(capacity);
                let (bell, waker) = Bell::new();
                let polls = Cell::new(0);
                let other = poll_fn(|_| {
                    polls.set(polls.get() + 1);
                    if is_ready && polls.get() == 2 {
                        Poll::Ready(())
                    } else {
                        Poll::Pending
                    }
                });
                let mut selecting = Box::pin(async {
                    select! {
                        recv(rx) -> message => message.map(number).ok(),
                        future(other) -> () => None,
                    }
                });
                assert!(poll_with(&mut selecting, &waker).is_pending());
                let message = ledger.message();
                let sending = thread::spawn(move || {
                    let is_sent = tx.try_send(message).is_ok();
                    (tx, is_sent)
                });
                let polled = poll_with(&mut selecting, &waker);
                let (_tx, is_sent) = sending.join().unwrap();
                assert!(is_sent || capacity == 0);
                match polled {
                    Poll::Ready(Some(number)) => assert_eq!(number, 1),
                    Poll::Ready(None) => assert!(is_ready, "its output counts"),
                    Poll::Pending if is_sent => {
                        assert_eq!(bell.rings(), 1, "whoever comes later wakes it");
                        assert_eq!(output(&mut selecting), Some(1));
                    }
                    Poll::Pending => assert!(!is_ready),
                }
                drop(selecting);
                let received = matches!(polled, Poll::Ready(None)) && is_sent;
                assert_eq!(rx.try_recv().is_ok(), received);
                assert_idle(&rx);
            });
        }
    }
}

/// The select is passed by and parks again: the next send must see that it has.
#[test]
fn send_after_a_select_that_was_passed_by_wakes_it() {
    for capacity in [0, 1, 5] {
        explore(move |ledger| {
            let (tx, rx) = bounded(capacity);
            let (bell, waker) = Bell::new();
            let polls = Cell::new(0);
            let other = poll_fn(|_| {
                polls.set(polls.get() + 1);
                // The message is gone before the select looks for it.
                if polls.get() == 2 && tx.try_send(ledger.message()).is_ok() {
                    assert_eq!(rx.try_recv().map(number), Ok(1));
                }
                Poll::<()>::Pending
            });
            let mut selecting = Box::pin(async {
                select! {
                    recv(rx) -> message => message.map(number).ok(),
                    future(other) -> () => None,
                }
            });
            assert!(poll_with(&mut selecting, &waker).is_pending());
            assert!(poll_with(&mut selecting, &waker).is_pending());
            let message = ledger.message();
            let last = message.number;
            let sending = thread::spawn({
                let tx = tx.clone();
                move || tx.try_send(message).is_ok()
            });
            assert!(sending.join().unwrap());
            assert_eq!(bell.rings(), 1);
            assert_eq!(output(&mut selecting), Some(last));
            drop(selecting);
            assert_idle(&rx);
        });
    }
}

/// A plain send parks instead of passing on: then the marked select takes its message.
#[test]
fn parking_send_against_the_poll_of_another_future() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let (bell, waker) = Bell::new();
        let mut selecting = Box::pin(async {
            select! {
                recv(rx) -> message => message.map(number).ok(),
                future(std::future::pending::<()>()) -> () => None,
            }
        });
        assert!(poll_with(&mut selecting, &waker).is_pending());
        let message = ledger.message();
        let sending = thread::spawn(move || block_on(tx.send(message)).is_ok());
        let received = match poll_with(&mut selecting, &waker) {
            Poll::Ready(received) => received,
            Poll::Pending => {
                // It waits with the waker that it has; so the send has it, or will.
                while bell.rings() == 0 {
                    thread::yield_now();
                }
                output(&mut selecting)
            }
        };
        assert_eq!(received, Some(1));
        assert!(sending.join().unwrap());
        drop(selecting);
        assert_idle(&rx);
    });
}

/// There is a message in one of the channels all the time, though who looks at one after the other may find neither.
#[test]
fn default_does_not_happen_if_there_was_always_something_ready() {
    for capacity in [1, 2] {
        explore(move |ledger| {
            let (a_tx, a_rx) = bounded(capacity);
            let (b_tx, b_rx) = bounded(capacity);
            assert!(b_tx.try_send(ledger.message()).is_ok());
            let message = ledger.message();
            let moving = thread::spawn({
                let b_rx = b_rx.clone();
                move || {
                    assert!(a_tx.try_send(message).is_ok());
                    let taken = b_rx.try_recv().map(number);
                    (a_tx, taken)
                }
            });
            let received = select_blocking! {
                biased;
                recv(a_rx) -> message => message.map(number).unwrap(),
                recv(b_rx) -> message => message.map(number).unwrap(),
                default => 0,
            };
            let (_a_tx, _) = moving.join().unwrap();
            assert_ne!(received, 0, "capacity {capacity}");
            drop((a_rx.try_recv(), b_rx.try_recv()));
        });
    }
}

/// Both lock all their channels, to be certain.
#[test]
fn two_selects_that_name_their_channels_in_opposite_orders_do_not_block_each_other() {
    explore(|_| {
        let (_a_tx, a_rx): Channel = bounded(0);
        let (_b_tx, b_rx): Channel = bounded(0);
        let (a, b) = (a_rx.clone(), b_rx.clone());
        let trying = thread::spawn(move || {
            select_blocking! {
                recv(b) -> _ => true,
                recv(a) -> _ => true,
                default => false,
            }
        });
        let is_received = select_blocking! {
            recv(a_rx) -> _ => true,
            recv(b_rx) -> _ => true,
            default => false,
        };
        assert!(!is_received && !trying.join().unwrap());
    });
}

#[test]
fn waker_replaced_while_a_send_claims_the_select() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let ((first, first_waker), (second, second_waker)) = (Bell::new(), Bell::new());
        let mut selecting = Box::pin(async {
            select! { recv(rx) -> message => message.is_ok() }
        });
        assert!(poll_with(&mut selecting, &first_waker).is_pending());
        let message = ledger.message();
        let sending = thread::spawn(move || {
            let is_sent = tx.try_send(message).is_ok();
            (tx, is_sent)
        });
        let polled = poll_with(&mut selecting, &second_waker);
        let (_tx, is_sent) = sending.join().unwrap();
        match polled {
            Poll::Ready(received) => assert!(received && is_sent),
            Poll::Pending if is_sent => {
                assert_eq!((first.rings(), second.rings()), (0, 1));
                assert!(output(&mut selecting));
            }
            // The send passed by while the waker was replaced.
            Poll::Pending => assert_eq!(first.rings() + second.rings(), 0),
        }
    });
}

#[test]
fn select_that_times_out_against_a_send() {
    use std::time::Duration;

    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let message = ledger.message();
        let sending = thread::spawn(move || {
            let is_sent = tx.try_send(message).is_ok();
            (tx, is_sent)
        });
        let received = select_blocking! {
            recv(rx) -> message => message.is_ok(),
            default(Duration::ZERO) => false,
        };
        let (_tx, is_sent) = sending.join().unwrap();
        assert_eq!(received, is_sent);
        assert_idle(&rx);
    });
}
