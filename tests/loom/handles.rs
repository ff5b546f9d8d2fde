//! Handles cloned, dropped and upgraded.

use std::task::Poll;

use hchan::{RecvError, Sender, TryRecvError, bounded};
use loom::thread;

use super::{
    Bell, Mark, Message, assert_idle, block_on, explore, explore_bounded, join_all, number, output,
    poll, poll_with,
};

/// Row 9 of the peers' bugs: the end comes after the last message.
#[test]
fn send_and_last_sender_dropped_against_recv() {
    explore(|ledger| {
        let (tx, rx) = bounded(1);
        let message = ledger.message();
        let sending = thread::spawn(move || assert!(tx.try_send(message).is_ok()));
        assert_eq!(block_on(rx.recv()).map(number), Ok(1));
        assert_eq!(block_on(rx.recv()).map(number), Err(RecvError));
        sending.join().unwrap();
        assert_eq!(rx.sender_count(), 0);
        assert_idle(&rx);
    });
}

/// One of them gets the message, the other the end.
#[test]
fn send_and_last_sender_dropped_against_two_receivers() {
    explore_bounded(|ledger| {
        let (tx, rx) = bounded(0);
        let receiving = [rx.clone(), rx.clone()]
            .map(|rx| thread::spawn(move || block_on(rx.recv()).map(number)));
        block_on(tx.send(ledger.message())).unwrap();
        drop(tx);
        let mut received = join_all(receiving);
        received.sort_by_key(Result::is_err);
        assert_eq!(received, [Ok(1), Err(RecvError)]);
        assert_idle(&rx);
    });
}

#[test]
fn last_sender_dropped_against_try_recv() {
    explore(|ledger| {
        let (tx, rx) = bounded(1);
        let message = ledger.message();
        let sending = thread::spawn(move || assert!(tx.try_send(message).is_ok()));
        // In the channel until here or not yet, but never skipped.
        let early = rx.try_recv().map(number);
        assert!(
            [Ok(1), Err(TryRecvError::Empty)].contains(&early),
            "{early:?}"
        );
        sending.join().unwrap();
        if early.is_err() {
            assert_eq!(rx.try_recv().map(number), Ok(1));
        }
        assert_eq!(rx.try_recv().map(number), Err(TryRecvError::Closed));
    });
}

#[test]
fn last_receiver_dropped_against_send_at_capacity_0() {
    last_receiver_dropped_against_send(0);
}

/// Row 10 of the peers' bugs: a message sent while the last receiver goes is not stranded.
#[test]
fn last_receiver_dropped_against_send_at_capacity_1() {
    last_receiver_dropped_against_send(1);
}

fn last_receiver_dropped_against_send(capacity: usize) {
    explore(move |ledger| {
        let (tx, rx) = bounded(capacity);
        let dropping = thread::spawn(move || drop(rx));
        let sent = block_on(tx.send(ledger.message()));
        dropping.join().unwrap();
        assert_eq!(
            ledger.drops_of(1),
            u32::from(sent.is_ok()),
            "dropped with the channel if it was sent, and here again if not"
        );
        assert!(tx.is_closed());
        assert_eq!(
            (tx.waiting_senders(), tx.len(), tx.receiver_count()),
            (0, 0, 0)
        );
    });
}

/// As above, as users notice it: the handle in the message is gone, so nobody waits for an answer in vain.
#[test]
fn reply_handle_in_a_message_goes_with_the_last_receiver() {
    explore(|_| {
        let (tx, rx) = bounded::<Sender<Message>>(1);
        let (reply, answer) = bounded(1);
        let dropping = thread::spawn(move || drop(rx));
        let _ = block_on(tx.send(reply));
        assert_eq!(block_on(answer.recv()).map(number), Err(RecvError));
        dropping.join().unwrap();
    });
}

/// The receive is parked or filled when it is dropped, and right after it the last receiver.
#[test]
fn cancelled_recv_and_last_receiver_dropped_against_send() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let dropping = thread::spawn(move || {
            let mut receive = Box::pin(rx.recv());
            poll(&mut receive).is_ready()
        });
        let sent = block_on(tx.send(ledger.message()));
        dropping.join().unwrap();
        assert_eq!(ledger.drops_of(1), u32::from(sent.is_ok()));
        assert_eq!((tx.waiting_senders(), tx.len()), (0, 0));
    });
}

#[test]
fn last_sender_dropped_completes_a_parked_receive() {
    explore(|_| {
        let (tx, rx) = bounded::<Message>(0);
        let mut receive = Box::pin(rx.recv());
        let (bell, waker) = Bell::new();
        assert!(poll_with(&mut receive, &waker).is_pending());
        let dropping = thread::spawn(move || drop(tx));
        let early = poll_with(&mut receive, &waker);
        dropping.join().unwrap();
        let received = match early {
            Poll::Ready(received) => received,
            Poll::Pending => output(&mut receive),
        };
        assert_eq!(received.map(number), Err(RecvError));
        assert_eq!(bell.rings(), 1);
        drop(receive);
        assert_idle(&rx);
    });
}

#[test]
fn last_receiver_dropped_completes_a_parked_send() {
    explore(|ledger| {
        let (tx, rx) = bounded(1);
        assert!(tx.try_send(ledger.message()).is_ok());
        let mut send = Box::pin(tx.send(ledger.message()));
        let (bell, waker) = Bell::new();
        assert!(poll_with(&mut send, &waker).is_pending());
        let dropping = thread::spawn(move || drop(rx));
        let early = poll_with(&mut send, &waker);
        dropping.join().unwrap();
        let sent = match early {
            Poll::Ready(sent) => sent,
            Poll::Pending => output(&mut send),
        };
        assert_eq!(
            ledger.drops_of(1),
            1,
            "what was buffered is dropped at once"
        );
        assert_eq!(sent.map_err(|error| number(error.into_inner())), Err(2));
        assert_eq!(bell.rings(), 1);
    });
}

/// Both went, so one of them closed, after both had done what they did.
#[test]
fn two_last_senders_dropped_at_once_close_the_channel() {
    explore(|_| {
        let (tx, rx) = bounded::<Message>(0);
        let marks = [Mark::new(), Mark::new()];
        let mut handles = vec![tx.clone(), tx];
        let dropping = marks.clone().map(|mark| {
            let tx = handles.pop();
            thread::spawn(move || {
                mark.set();
                drop(tx);
            })
        });
        assert_eq!(block_on(rx.recv()).map(number), Err(RecvError));
        assert!(marks.iter().all(Mark::is_set));
        join_all(dropping);
        assert_eq!(rx.sender_count(), 0);
    });
}

#[test]
fn two_last_receivers_dropped_at_once_close_the_channel() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let marks = [Mark::new(), Mark::new()];
        let mut handles = vec![rx.clone(), rx];
        let dropping = marks.clone().map(|mark| {
            let rx = handles.pop();
            thread::spawn(move || {
                mark.set();
                drop(rx);
            })
        });
        let sent = block_on(tx.send(ledger.message()));
        assert_eq!(sent.map_err(|error| number(error.into_inner())), Err(1));
        assert!(marks.iter().all(Mark::is_set));
        join_all(dropping);
        assert_eq!(tx.receiver_count(), 0);
    });
}

#[test]
fn sender_cloned_while_another_goes_keeps_the_channel_open() {
    explore(|ledger| {
        let (tx, rx) = bounded(1);
        let other = tx.clone();
        let dropping = thread::spawn(move || drop(other));
        let clone = tx.clone();
        drop(tx);
        assert!(clone.try_send(ledger.message()).is_ok(), "a sender is left");
        dropping.join().unwrap();
        assert_eq!(rx.sender_count(), 1);
        drop(clone);
        assert_eq!(rx.try_recv().map(number), Ok(1));
        assert_eq!(rx.try_recv().map(number), Err(TryRecvError::Closed));
    });
}

/// Row 23 of the peers' bugs: what an upgrade returns is a sender of an open channel, or nothing.
#[test]
fn weak_sender_upgraded_while_the_last_sender_goes() {
    explore(|ledger| {
        let (tx, rx) = bounded(1);
        let weak = tx.downgrade();
        let dropping = thread::spawn(move || drop(tx));
        let upgraded = weak.upgrade();
        if let Some(tx) = &upgraded {
            assert!(
                tx.try_send(ledger.message()).is_ok(),
                "it keeps the channel open"
            );
        }
        dropping.join().unwrap();
        assert_eq!(rx.sender_count(), usize::from(upgraded.is_some()));
        assert_eq!(rx.is_closed(), upgraded.is_none());
        drop(upgraded);
        assert!(rx.is_closed());
        assert!(weak.upgrade().is_none());
    });
}

#[test]
fn weak_receiver_upgraded_while_the_last_receiver_goes() {
    explore(|ledger| {
        let (tx, rx) = bounded(1);
        assert!(tx.try_send(ledger.message()).is_ok());
        let weak = rx.downgrade();
        let dropping = thread::spawn(move || drop(rx));
        let upgraded = weak.upgrade();
        if let Some(rx) = &upgraded {
            assert_eq!(
                rx.try_recv().map(number),
                Ok(1),
                "it keeps what is buffered"
            );
        }
        dropping.join().unwrap();
        assert_eq!(ledger.drops_of(1), 1);
        assert_eq!(tx.receiver_count(), usize::from(upgraded.is_some()));
        assert_eq!(tx.is_closed(), upgraded.is_none());
        drop(upgraded);
        assert!(tx.is_closed());
        assert!(weak.upgrade().is_none());
    });
}
