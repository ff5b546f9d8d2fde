//! Channels whose two ends stand behind a lock each. Capacities 0 and 1 have one lock for both, so the models of most other
//! files say nothing about these: the positions that the ends read of each other, the blocks of the ring and their
//! way back to the producer, and the long way that needs both locks.

use std::task::{Context, Poll, Waker};

use futures::Stream;
use hchan::{Receiver, Sender, TryRecvError, TrySendError, bounded, unbounded};
use loom::thread;

use super::{
    Ledger, Mark, Message, assert_idle, block_on, explore_bounded, join_all, number, output,
    parked, poll,
};

/// A capacity with two locks. In a model it takes a chain of blocks; `short` has the ring.
const CAPACITY: usize = 5;
/// So many messages make a block in a model.
const BLOCK: usize = 2;

/// A message so large that the fewest fit into a block.
struct Large(Message, #[expect(dead_code)] [u8; 600]);

fn large(ledger: &Ledger) -> Large {
    Large(ledger.message(), [0; 600])
}

/// A channel with so many messages in it, numbered from 1.
fn filled(
    ledger: &Ledger,
    capacity: usize,
    messages: usize,
) -> (Sender<Message>, Receiver<Message>) {
    let (tx, rx) = bounded(capacity);
    for _ in 0..messages {
        assert!(tx.try_send(ledger.message()).is_ok());
    }
    (tx, rx)
}

/// The numbers of what can be received at once.
fn numbers(rx: &Receiver<Message>) -> Vec<usize> {
    rx.try_iter().map(number).collect()
}

/// Each end goes on to a block that the other has not seen yet.
fn blocks_are_handed_over(before: usize, taken: usize, sent: usize, tries: usize) {
    explore_bounded(move |ledger| {
        let (tx, rx) = unbounded();
        for _ in 0..before {
            assert!(tx.try_send(large(ledger)).is_ok());
        }
        for next in 1..=taken {
            assert_eq!(rx.try_recv().map(|message| number(message.0)), Ok(next));
        }
        let ledger = ledger.clone();
        let sending = thread::spawn(move || {
            for _ in 0..sent {
                assert!(tx.try_send(large(&ledger)).is_ok());
            }
        });
        let mut next = taken + 1;
        for _ in 0..tries {
            if let Ok(message) = rx.try_recv() {
                assert_eq!(number(message.0), next);
                next += 1;
            }
        }
        sending.join().unwrap();
        for message in rx.try_iter() {
            assert_eq!(number(message.0), next);
            next += 1;
        }
        assert_eq!(next, before + sent + 1);
    });
}

#[test]
fn first_block_is_handed_over() {
    blocks_are_handed_over(0, 0, 2, 2);
}

#[test]
fn next_block_is_handed_over() {
    blocks_are_handed_over(BLOCK - 1, BLOCK - 2, 3, 4);
}

/// The consumer drains a block while the producer looks for one, which then writes where the consumer has just read.
#[test]
fn drained_block_is_used_again() {
    blocks_are_handed_over(2 * BLOCK, BLOCK - 1, BLOCK, 2);
}

/// Three drained in a row: two are kept, one is freed.
#[test]
fn drained_blocks_are_used_again_or_freed() {
    blocks_are_handed_over(4 * BLOCK, 3 * BLOCK - 1, 2, 5);
}

/// The producer writes a place again that the consumer has just left.
#[test]
fn places_of_a_ring_are_used_again() {
    explore_bounded(|ledger| {
        let (tx, rx) = filled(ledger, CAPACITY, CAPACITY);
        let ledger = ledger.clone();
        let sending = thread::spawn(move || {
            (0..2)
                .filter(|_| match tx.try_send(ledger.message()) {
                    Ok(()) => true,
                    Err(TrySendError::Full(message)) => {
                        drop(message);
                        false
                    }
                    Err(TrySendError::Closed(_)) => panic!("nobody closes"),
                })
                .count()
        });
        assert_eq!(rx.try_recv().map(number), Ok(1));
        assert_eq!(rx.try_recv().map(number), Ok(2));
        let sent = sending.join().unwrap();
        assert_eq!(numbers(&rx).len(), CAPACITY - 2 + sent);
        assert_idle(&rx);
    });
}

#[test]
fn send_waits_for_room_and_gets_it() {
    explore_bounded(|ledger| {
        let (tx, rx) = filled(ledger, CAPACITY, CAPACITY);
        let last = ledger.message();
        let sending = thread::spawn(move || assert!(block_on(tx.send(last)).is_ok()));
        assert_eq!(rx.try_recv().map(number), Ok(1));
        sending.join().unwrap();
        assert_eq!(numbers(&rx), [2, 3, 4, 5, 6]);
    });
}

#[test]
fn receive_waits_for_a_message_and_gets_it() {
    explore_bounded(|ledger| {
        let (tx, rx) = filled(ledger, CAPACITY, 0);
        let message = ledger.message();
        let receiving = thread::spawn(move || block_on(rx.recv()).map(number));
        assert!(tx.try_send(message).is_ok());
        assert_eq!(receiving.join().unwrap(), Ok(1));
    });
}

#[test]
fn two_receivers_wait_for_two_sends_at_once() {
    explore_bounded(|ledger| {
        let (tx, rx) = filled(ledger, CAPACITY, 0);
        let receiving = [rx.clone(), rx.clone()]
            .map(|rx| thread::spawn(move || block_on(rx.recv()).map(number).unwrap()));
        assert!(tx.try_send(ledger.message()).is_ok());
        assert!(tx.try_send(ledger.message()).is_ok());
        let mut received = join_all(receiving);
        received.sort();
        assert_eq!(received, [1, 2]);
        assert_idle(&rx);
    });
}

#[test]
fn two_senders_wait_for_two_receives() {
    explore_bounded(|ledger| {
        let (tx, rx) = filled(ledger, CAPACITY, CAPACITY);
        let sending = [ledger.message(), ledger.message()].map(|message| {
            let tx = tx.clone();
            thread::spawn(move || assert!(block_on(tx.send(message)).is_ok()))
        });
        assert_eq!(rx.try_recv().map(number), Ok(1));
        assert_eq!(rx.try_recv().map(number), Ok(2));
        join_all(sending);
        assert_eq!(numbers(&rx).len(), CAPACITY);
    });
}

/// A receive that begins after a send has completed finds something: it does not say "empty" because the short way was
/// looked at too early.
#[test]
fn receive_after_a_send_is_not_empty() {
    explore_bounded(|ledger| {
        let (tx, rx) = filled(ledger, CAPACITY, 0);
        let (mark, message) = (Mark::new(), ledger.message());
        let sending = thread::spawn({
            let (tx, mark) = (tx.clone(), mark.clone());
            move || {
                mark.set();
                assert!(tx.try_send(message).is_ok());
            }
        });
        match rx.try_recv() {
            Ok(message) => {
                assert!(
                    mark.is_set(),
                    "what comes before a send comes before its receive"
                );
                assert_eq!(number(message), 1);
                sending.join().unwrap();
            }
            Err(TryRecvError::Empty) => {
                sending.join().unwrap();
                assert_eq!(rx.try_recv().map(number), Ok(1));
            }
            Err(TryRecvError::Closed) => panic!("nobody closes"),
        }
    });
}

/// The k-th receive begins before the (k + C)-th send completes.
#[test]
fn receive_begins_before_the_send_into_its_place_completes() {
    explore_bounded(|ledger| {
        let (tx, rx) = filled(ledger, CAPACITY, CAPACITY);
        let (mark, message) = (Mark::new(), ledger.message());
        let receiving = thread::spawn({
            let (rx, mark) = (rx.clone(), mark.clone());
            move || {
                mark.set();
                assert_eq!(rx.try_recv().map(number), Ok(1));
            }
        });
        if tx.try_send(message).is_ok() {
            assert!(mark.is_set());
        }
        receiving.join().unwrap();
        drop(rx);
    });
}

#[test]
fn message_and_last_sender_dropped_against_recv() {
    explore_bounded(|ledger| {
        let (tx, rx) = filled(ledger, CAPACITY, 0);
        let message = ledger.message();
        let sending = thread::spawn(move || {
            assert!(tx.try_send(message).is_ok());
            drop(tx);
        });
        assert_eq!(block_on(rx.recv()).map(number), Ok(1));
        assert!(block_on(rx.recv()).is_err());
        sending.join().unwrap();
    });
}

#[test]
fn last_receiver_dropped_against_send() {
    explore_bounded(|ledger| {
        let (tx, rx) = filled(ledger, CAPACITY, 1);
        let receiving = thread::spawn(move || drop(rx));
        let message = ledger.message();
        let sent = tx.try_send(message);
        receiving.join().unwrap();
        assert_eq!(ledger.drops_of(1), 1);
        assert_eq!(
            ledger.drops_of(2),
            u32::from(sent.is_ok()),
            "`Ok`, and dropped with the receiver"
        );
    });
}

/// A parked receive is dropped, handed a message or not, while another waits.
#[test]
fn cancelled_receive_against_send() {
    explore_bounded(|ledger| {
        let (tx, rx) = filled(ledger, CAPACITY, 0);
        let message = ledger.message();
        let mut stream = Box::pin(rx.clone().into_stream());
        let mut cx = Context::from_waker(Waker::noop());
        assert!(stream.as_mut().poll_next(&mut cx).is_pending());
        let cancelling = thread::spawn(move || drop(stream));
        let sending = thread::spawn(move || {
            assert!(tx.try_send(message).is_ok());
            tx
        });
        assert_eq!(block_on(rx.recv()).map(number), Ok(1));
        cancelling.join().unwrap();
        drop(sending.join().unwrap());
        assert_idle(&rx);
    });
}

#[test]
fn given_back_message_comes_before_those_sent_later() {
    explore_bounded(|ledger| {
        let (tx, rx) = filled(ledger, CAPACITY, 0);
        let recv_owner = rx.clone();
        let recv = parked(recv_owner.recv());
        let first = ledger.message();
        let second = ledger.message();
        assert!(tx.try_send(first).is_ok());
        let sending = thread::spawn(move || assert!(tx.try_send(second).is_ok()));
        let received = thread::spawn({
            let rx = rx.clone();
            move || rx.try_recv().map(number).ok()
        });
        // It has been handed the first, which it gives back.
        drop(recv);
        sending.join().unwrap();
        let received = received.join().unwrap();
        let left = numbers(&rx);
        assert!(left.is_sorted());
        let mut all: Vec<_> = received.into_iter().chain(left).collect();
        all.sort();
        assert_eq!(all, [1, 2]);
    });
}

#[test]
fn cancelled_send_against_recv() {
    explore_bounded(|ledger| {
        let (tx, rx) = filled(ledger, CAPACITY, CAPACITY);
        let send_owner = tx.clone();
        let send = parked(send_owner.send(ledger.message()));
        let receiving = thread::spawn({
            let rx = rx.clone();
            move || assert_eq!(rx.try_recv().map(number), Ok(1))
        });
        drop(send);
        receiving.join().unwrap();
        let left = numbers(&rx);
        assert!(left == [2, 3, 4, 5] || left == [2, 3, 4, 5, 6]);
        drop(tx);
    });
}

#[test]
fn forced_send_against_recv() {
    explore_bounded(|ledger| {
        let (tx, rx) = filled(ledger, CAPACITY, CAPACITY);
        let receiving = thread::spawn({
            let rx = rx.clone();
            move || rx.try_recv().map(number)
        });
        let evicted = tx
            .force_send(ledger.message())
            .map(|evicted| evicted.map(number))
            .ok();
        let received = receiving.join().unwrap();
        match evicted {
            Some(Some(1)) => assert_eq!(received, Ok(2)),
            Some(None) => assert_eq!(received, Ok(1)),
            _ => panic!("evicted {evicted:?}"),
        }
        assert_eq!(*numbers(&rx).last().unwrap(), 6);
    });
}

#[test]
fn close_against_send_and_recv() {
    explore_bounded(|ledger| {
        let (tx, rx) = filled(ledger, CAPACITY, 0);
        let message = ledger.message();
        let closing = thread::spawn({
            let rx = rx.clone();
            move || assert!(rx.close())
        });
        let receiving = thread::spawn({
            let rx = rx.clone();
            move || block_on(rx.recv()).map(number).is_ok()
        });
        let is_sent = tx.try_send(message).is_ok();
        closing.join().unwrap();
        let is_received = receiving.join().unwrap();
        let left = numbers(&rx).len();
        assert_eq!(usize::from(is_received) + left, usize::from(is_sent));
        assert_idle(&rx);
    });
}

#[test]
fn len_never_exceeds_the_capacity() {
    explore_bounded(|ledger| {
        let (tx, rx) = filled(ledger, CAPACITY, CAPACITY - 1);
        let ledger = ledger.clone();
        let sending = thread::spawn(move || {
            for _ in 0..2 {
                drop(tx.try_send(ledger.message()));
            }
        });
        assert_eq!(rx.try_recv().map(number), Ok(1));
        assert!(rx.len() <= CAPACITY);
        sending.join().unwrap();
    });
}

/// Freed by its owner as soon as it is done, while the peer is still in the long way.
#[test]
fn receive_is_freed_as_soon_as_it_is_done() {
    explore_bounded(|ledger| {
        let (tx, rx) = filled(ledger, CAPACITY, 0);
        let message = ledger.message();
        let recv_owner = rx.clone();
        let mut recv = parked(recv_owner.recv());
        let sending = thread::spawn(move || assert!(tx.try_send(message).is_ok()));
        let received = match poll(&mut recv) {
            Poll::Ready(received) => received,
            Poll::Pending => {
                sending.join().unwrap();
                assert_eq!(output(&mut recv).map(number), Ok(1));
                return;
            }
        };
        drop(recv);
        assert_eq!(received.map(number), Ok(1));
        sending.join().unwrap();
    });
}

/// Each of two threads sends on one channel and then looks into the other's: one of them comes second, and finds something.
#[test]
fn two_receives_after_two_sends_are_not_both_empty() {
    explore_bounded(|ledger| {
        let (tx1, rx1) = filled(ledger, CAPACITY, 0);
        let (tx2, rx2) = filled(ledger, CAPACITY, 0);
        let (first, second) = (ledger.message(), ledger.message());
        let other = thread::spawn({
            let rx1 = rx1.clone();
            move || {
                assert!(tx2.try_send(second).is_ok());
                rx1.try_recv().is_ok()
            }
        });
        assert!(tx1.try_send(first).is_ok());
        let found_here = rx2.try_recv().is_ok();
        let found_there = other.join().unwrap();
        assert!(found_here || found_there, "both came first");
    });
}

/// On one channel: full at one end after a message went in, and empty at the other after all but that came out, cannot be.
#[test]
fn channel_is_not_full_at_one_end_and_empty_at_the_other() {
    explore_bounded(|ledger| {
        let (tx, rx) = filled(ledger, CAPACITY, CAPACITY - 1);
        for _ in 0..CAPACITY - 2 {
            assert!(rx.try_recv().is_ok());
            assert!(tx.try_send(ledger.message()).is_ok());
        }
        let (last, one_more) = (ledger.message(), ledger.message());
        let sending = thread::spawn(move || {
            assert!(tx.try_send(last).is_ok());
            matches!(tx.try_send(one_more), Err(TrySendError::Full(_)))
        });
        for _ in 0..CAPACITY - 1 {
            assert!(rx.try_recv().is_ok());
        }
        let is_empty = matches!(
            rx.try_recv(),
            Err(TryRecvError::Empty | TryRecvError::Closed)
        );
        let is_full = sending.join().unwrap();
        assert!(!(is_full && is_empty));
    });
}
