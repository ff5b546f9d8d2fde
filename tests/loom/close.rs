//! A channel closed at every moment.

use std::task::Poll;

use hchan::{RecvError, SendError, TryRecvError, bounded};
use loom::thread;

use super::{Bell, Mark, assert_idle, block_on, explore, number, output, parked, poll, poll_with};

/// The number of the message that a closed channel returned.
fn returned(sent: Result<(), SendError<super::Message>>) -> Result<(), usize> {
    sent.map_err(|error| number(error.into_inner()))
}

#[test]
fn close_against_send() {
    explore(|ledger| {
        let (tx, rx) = bounded(1);
        let message = ledger.message();
        let sending = thread::spawn({
            let tx = tx.clone();
            move || returned(block_on(tx.send(message)))
        });
        assert!(rx.close());
        match sending.join().unwrap() {
            Ok(()) => assert_eq!(rx.try_recv().map(number), Ok(1), "what was sent is there"),
            Err(returned) => assert_eq!(returned, 1),
        }
        assert_eq!(rx.try_recv().map(number), Err(TryRecvError::Closed));
    });
}

/// Nobody receives, so the send fails, at once or after it has parked.
#[test]
fn close_against_send_that_has_to_wait() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let message = ledger.message();
        let sending = thread::spawn(move || returned(block_on(tx.send(message))));
        assert!(rx.close());
        assert_eq!(sending.join().unwrap(), Err(1));
        assert_idle(&rx);
    });
}

#[test]
fn close_against_recv() {
    explore(|_| {
        let (tx, rx) = bounded(1);
        let receiving = thread::spawn(move || block_on(rx.recv()).map(number));
        assert!(tx.close());
        assert_eq!(receiving.join().unwrap(), Err(RecvError));
        assert_eq!((tx.waiting_receivers(), tx.len()), (0, 0));
    });
}

/// Row 9 of the peers' bugs, with a `close` by hand: the end comes after the last message.
#[test]
fn send_and_close_against_recv() {
    explore(|ledger| {
        let (tx, rx) = bounded(1);
        let message = ledger.message();
        let sending = thread::spawn(move || {
            assert!(tx.try_send(message).is_ok());
            assert!(tx.close());
            tx
        });
        assert_eq!(block_on(rx.recv()).map(number), Ok(1));
        assert_eq!(block_on(rx.recv()).map(number), Err(RecvError));
        drop(sending.join().unwrap());
        assert_idle(&rx);
    });
}

/// Each with its own message, whether it is polled before, while or after the channel closes.
#[test]
fn close_completes_parked_sends() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let mut sends = [(); 2].map(|()| Box::pin(tx.send(ledger.message())));
        let bells = [(); 2].map(|()| Bell::new());
        for (send, (_, waker)) in sends.iter_mut().zip(&bells) {
            assert!(poll_with(send, waker).is_pending());
        }
        let closing = thread::spawn({
            let rx = rx.clone();
            move || assert!(rx.close())
        });
        let early = poll_with(&mut sends[0], &bells[0].1);
        closing.join().unwrap();
        let first = match early {
            Poll::Ready(sent) => sent,
            Poll::Pending => output(&mut sends[0]),
        };
        assert_eq!(returned(first), Err(1));
        assert_eq!(returned(output(&mut sends[1])), Err(2));
        assert_eq!(bells.map(|(bell, _)| bell.rings()), [1, 1]);
        drop(sends);
        assert_idle(&rx);
    });
}

#[test]
fn close_completes_parked_receives() {
    explore(|_| {
        let (tx, rx) = bounded(0);
        let mut receives = [(); 2].map(|()| Box::pin(rx.recv()));
        let bells = [(); 2].map(|()| Bell::new());
        for (receive, (_, waker)) in receives.iter_mut().zip(&bells) {
            assert!(poll_with(receive, waker).is_pending());
        }
        let closing = thread::spawn(move || {
            assert!(tx.close());
            tx
        });
        let early = poll_with(&mut receives[0], &bells[0].1);
        let _tx = closing.join().unwrap();
        let first = match early {
            Poll::Ready(received) => received,
            Poll::Pending => output(&mut receives[0]),
        };
        assert_eq!(first.map(number), Err(RecvError));
        assert_eq!(output(&mut receives[1]).map(number), Err(RecvError));
        assert_eq!(bells.map(|(bell, _)| bell.rings()), [1, 1]);
        drop(receives);
        assert_idle(&rx);
    });
}

/// A receive that returns because of the close comes after what the closing thread did before.
#[test]
fn what_comes_before_a_close_is_seen_after_it() {
    explore(|_| {
        let (tx, rx) = bounded::<super::Message>(0);
        let mark = Mark::new();
        let mut receive = parked(rx.recv());
        let closing = thread::spawn({
            let mark = mark.clone();
            move || {
                mark.set();
                tx.close();
                tx
            }
        });
        // Nobody has woken this thread, so the waiter's state is all that orders it.
        if poll(&mut receive).is_ready() {
            assert!(mark.is_set());
        }
        drop(closing.join().unwrap());
    });
}

#[test]
fn only_one_of_two_closes_closes() {
    explore(|_| {
        let (tx, rx) = bounded::<super::Message>(0);
        let mut receive = parked(rx.recv());
        let closing = thread::spawn(move || {
            let closed = tx.close();
            (tx, closed)
        });
        let closed_here = rx.close();
        let (_tx, closed_there) = closing.join().unwrap();
        assert_ne!(closed_here, closed_there);
        assert_eq!(output(&mut receive).map(number), Err(RecvError));
        drop(receive);
        assert_idle(&rx);
    });
}

/// Row 15 of the peers' bugs: the parked sender's message goes to the receiver or back to the sender.
#[test]
fn close_against_recv_from_a_parked_sender() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let mut send = parked(tx.send(ledger.message()));
        let closing = thread::spawn({
            let rx = rx.clone();
            move || assert!(rx.close())
        });
        let received = rx.try_recv();
        closing.join().unwrap();
        match received {
            Ok(message) => {
                assert_eq!(number(message), 1);
                assert_eq!(returned(output(&mut send)), Ok(()));
            }
            Err(error) => {
                assert_eq!(error, TryRecvError::Closed);
                assert_eq!(returned(output(&mut send)), Err(1));
            }
        }
        drop(send);
        assert_idle(&rx);
    });
}

/// At the time of the drop the waiter is in its queue, among those to be told of the close, or told.
#[test]
fn close_against_cancelled_receives() {
    explore(|_| {
        let (tx, rx) = bounded::<super::Message>(0);
        let first = parked(rx.recv());
        let mut second = parked(rx.recv());
        let third = parked(rx.recv());
        let closing = thread::spawn(move || {
            assert!(tx.close());
            tx
        });
        drop(first);
        drop(third);
        let _tx = closing.join().unwrap();
        assert_eq!(output(&mut second).map(number), Err(RecvError));
        drop(second);
        assert_idle(&rx);
    });
}

#[test]
fn close_against_cancelled_sends() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let first = parked(tx.send(ledger.message()));
        let mut second = parked(tx.send(ledger.message()));
        let third = parked(tx.send(ledger.message()));
        let closing = thread::spawn({
            let rx = rx.clone();
            move || assert!(rx.close())
        });
        drop(first);
        drop(third);
        closing.join().unwrap();
        assert_eq!(returned(output(&mut second)), Err(2));
        drop(second);
        assert_idle(&rx);
    });
}

/// A message given back to a closed channel is for the next receive, or drops with the last receiver.
#[test]
fn close_against_a_receive_that_gives_back() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let first = parked(rx.recv());
        let mut second = parked(rx.recv());
        assert!(tx.try_send(ledger.message()).is_ok());
        let closing = thread::spawn(move || {
            assert!(tx.close());
            tx
        });
        drop(first);
        let _tx = closing.join().unwrap();
        match output(&mut second).map(number) {
            Ok(received) => assert_eq!(received, 1),
            Err(RecvError) => assert_eq!(rx.len(), 1, "nobody was waiting for it any more"),
        }
    });
}

/// Handed over before the close or not at all; given back before or after it.
#[test]
fn close_and_send_against_a_cancelled_receive() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let receive = parked(rx.recv());
        let message = ledger.message();
        let sending = thread::spawn(move || {
            let sent = tx.try_send(message).is_ok();
            (tx, sent)
        });
        let closing = thread::spawn({
            let rx = rx.clone();
            move || assert!(rx.close())
        });
        drop(receive);
        let (_tx, sent) = sending.join().unwrap();
        closing.join().unwrap();
        assert_eq!(rx.len(), usize::from(sent));
        assert_eq!(rx.try_recv().is_ok(), sent);
        assert_eq!(rx.try_recv().map(number), Err(TryRecvError::Closed));
        assert_idle(&rx);
    });
}

/// More waiters than are told of a close at a time, so that the lock is free between two batches.
#[test]
fn close_in_batches_leaves_nobody_behind() {
    const WAITERS: usize = 70;
    explore(|_| {
        let (tx, rx) = bounded::<super::Message>(0);
        let mut receives: Vec<_> = (0..WAITERS).map(|_| parked(rx.recv())).collect();
        let closing = thread::spawn(move || {
            assert!(tx.close());
            tx
        });
        drop(receives.swap_remove(40));
        let _tx = closing.join().unwrap();
        for receive in &mut receives {
            assert_eq!(output(receive).map(number), Err(RecvError));
        }
        drop(receives);
        assert_idle(&rx);
    });
}
