//! Who is woken, and how threads wait: wakers replaced, blocking calls, timeouts, streams.

use std::{sync::Arc, task::Poll, time::Duration};

use futures::{FutureExt, StreamExt};
use hchan::{Sender, bounded};
use loom::thread;

use super::{
    Bell, Message, assert_idle, block_on, explore, explore_bounded, join_all, number, output,
    poll_with,
};

/// Row 7 of the peers' bugs: polls a parked future with a second waker while `complete` runs in a thread. It must have
/// been seen by that poll or ring the second bell, and once the future has returned `Ready` it keeps neither.
fn replace_waker<F: Future>(future: F, complete: impl FnOnce() + 'static) -> F::Output {
    let mut future = Box::pin(future);
    let ((first, first_waker), (second, second_waker)) = (Bell::new(), Bell::new());
    assert!(poll_with(&mut future, &first_waker).is_pending());
    let completing = thread::spawn(complete);
    let replaced = poll_with(&mut future, &second_waker);
    completing.join().unwrap();
    let result = match replaced {
        Poll::Ready(result) => result,
        Poll::Pending => {
            assert_eq!(
                (first.rings(), second.rings()),
                (0, 1),
                "the newest is woken"
            );
            output(&mut future)
        }
    };
    assert_eq!(first.rings() + second.rings(), 1, "one of the two is woken");
    drop((first_waker, second_waker));
    assert_eq!(
        (Arc::strong_count(&first), Arc::strong_count(&second)),
        (1, 1),
        "a future that has completed keeps no waker"
    );
    result
}

#[test]
fn waker_replaced_while_a_send_completes_the_receive() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let message = ledger.message();
        let received = replace_waker(rx.recv(), move || assert!(tx.try_send(message).is_ok()));
        assert_eq!(received.map(number), Ok(1));
        assert_idle(&rx);
    });
}

#[test]
fn waker_replaced_while_a_recv_completes_the_send() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let sent = replace_waker(tx.send(ledger.message()), move || {
            assert_eq!(rx.try_recv().map(number), Ok(1));
        });
        assert!(sent.is_ok());
    });
}

#[test]
fn waker_replaced_while_a_close_completes_the_receive() {
    explore(|_| {
        let (tx, rx) = bounded::<Message>(0);
        let received = replace_waker(rx.recv(), move || assert!(tx.close()));
        assert!(received.is_err());
    });
}

#[test]
fn waker_replaced_while_a_message_is_given_back() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let mut first = rx.clone().into_stream();
        assert!(first.next().now_or_never().is_none());
        assert!(
            tx.try_send(ledger.message()).is_ok(),
            "the stream is parked"
        );
        let received = replace_waker(rx.recv(), move || drop(first));
        assert_eq!(received.map(number), Ok(1));
        assert_idle(&rx);
    });
}

#[test]
fn blocking_send_meets_blocking_recv_at_capacity_0() {
    blocking_send_meets_blocking_recv(0);
}

#[test]
fn blocking_send_meets_blocking_recv_at_capacity_1() {
    blocking_send_meets_blocking_recv(1);
}

fn blocking_send_meets_blocking_recv(capacity: usize) {
    explore(move |ledger| {
        let (tx, rx) = bounded(capacity);
        let message = ledger.message();
        let sending = thread::spawn(move || {
            tx.send(message).wait().unwrap();
            tx
        });
        assert_eq!(rx.recv().wait().map(number), Ok(1));
        drop(sending.join().unwrap());
        assert_idle(&rx);
    });
}

#[test]
fn two_blocking_sends_meet_two_blocking_recvs() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let messages = [ledger.message(), ledger.message()];
        let sending = thread::spawn(move || {
            for message in messages {
                tx.send(message).wait().unwrap();
            }
        });
        assert_eq!(rx.recv().wait().map(number), Ok(1));
        assert_eq!(rx.recv().wait().map(number), Ok(2));
        sending.join().unwrap();
        assert_idle(&rx);
    });
}

#[test]
fn close_ends_blocking_recv() {
    explore(|_| {
        let (tx, rx) = bounded::<Message>(0);
        let closing = thread::spawn(move || drop(tx));
        assert!(rx.recv().wait().is_err());
        closing.join().unwrap();
        assert_idle(&rx);
    });
}

#[test]
fn thread_meets_task() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let message = ledger.message();
        let sending = thread::spawn(move || tx.send(message).wait().is_ok());
        assert_eq!(block_on(rx.recv()).map(number), Ok(1));
        assert!(sending.join().unwrap());
        assert_idle(&rx);
    });
}

/// Gives up at once: a message handed over in that moment is received, and no other send has succeeded.
#[test]
fn recv_times_out_against_a_handoff() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let message = ledger.message();
        let sending = thread::spawn(move || {
            let sent = tx.try_send(message).is_ok();
            (tx, sent)
        });
        let received = rx.recv().wait_timeout(Duration::ZERO).is_ok();
        let (_tx, sent) = sending.join().unwrap();
        assert_eq!(received, sent);
        assert_idle(&rx);
    });
}

#[test]
fn recv_times_out_against_a_buffered_send() {
    explore(|ledger| {
        let (tx, rx) = bounded(1);
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

#[test]
fn send_times_out_against_a_recv() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let receiving = thread::spawn(move || {
            let received = rx.try_recv().is_ok();
            (rx, received)
        });
        let sent = tx.send(ledger.message()).wait_timeout(Duration::ZERO);
        let (rx, received) = receiving.join().unwrap();
        assert_eq!(sent.is_ok(), received);
        drop(sent);
        assert_idle(&rx);
    });
}

#[test]
fn both_time_out_or_both_succeed() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let message = ledger.message();
        let sending = thread::spawn(move || {
            let sent = tx.send(message).wait_timeout(Duration::ZERO).is_ok();
            (tx, sent)
        });
        let received = rx.recv().wait_timeout(Duration::ZERO).is_ok();
        let (_tx, sent) = sending.join().unwrap();
        assert_eq!(received, sent);
        assert_idle(&rx);
    });
}

/// What the first was handed when it gave up is its own; it does not go to the second.
#[test]
fn two_recvs_time_out_against_one_send() {
    explore_bounded(|ledger| {
        let (tx, rx) = bounded(0);
        let receiving = [rx.clone(), rx.clone()]
            .map(|rx| thread::spawn(move || rx.recv().wait_timeout(Duration::ZERO).is_ok()));
        let sent = tx.try_send(ledger.message()).is_ok();
        let received = join_all(receiving).map(usize::from);
        assert_eq!(received.iter().sum::<usize>(), usize::from(sent));
        assert_idle(&rx);
    });
}

/// Loom has no clock: the timed park is left again and again until the wake has come.
#[test]
fn recv_with_time_left_gets_its_message() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let message = ledger.message();
        let sending = thread::spawn(move || tx.send(message).wait().is_ok());
        let received = rx.recv().wait_timeout(Duration::from_secs(3600));
        assert_eq!(received.map(number), Ok(1));
        assert!(sending.join().unwrap());
        assert_idle(&rx);
    });
}

fn send_and_close(tx: Sender<Message>, message: Message) -> thread::JoinHandle<()> {
    thread::spawn(move || block_on(tx.send(message)).unwrap())
}

#[test]
fn stream_parks_and_gets_message_and_end_at_capacity_0() {
    stream_parks_and_gets_message_and_end(0);
}

#[test]
fn stream_parks_and_gets_message_and_end_at_capacity_1() {
    stream_parks_and_gets_message_and_end(1);
}

fn stream_parks_and_gets_message_and_end(capacity: usize) {
    explore(move |ledger| {
        let (tx, rx) = bounded(capacity);
        let sending = send_and_close(tx, ledger.message());
        let mut stream = rx.stream();
        assert_eq!(block_on(stream.next()).map(number), Some(1));
        assert_eq!(block_on(stream.next()).map(number), None);
        sending.join().unwrap();
        drop(stream);
        assert_idle(&rx);
    });
}

/// The stream is parked while nobody looks; what it was handed then is its next item.
#[test]
fn parked_stream_keeps_its_message_between_two_items() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let mut stream = rx.stream();
        assert!(stream.next().now_or_never().is_none());
        let sending = send_and_close(tx, ledger.message());
        let (bell, waker) = Bell::new();
        let early = poll_with(&mut Box::pin(stream.next()), &waker);
        sending.join().unwrap();
        let item = match early {
            Poll::Ready(item) => item,
            Poll::Pending => {
                assert_eq!(bell.rings(), 1);
                stream
                    .next()
                    .now_or_never()
                    .expect("the send has completed")
            }
        };
        assert_eq!(item.map(number), Some(1));
        assert!(matches!(stream.next().now_or_never(), Some(None)));
        drop(stream);
        assert_idle(&rx);
    });
}

/// Released while a message comes, the stream leaves it to others, and can be polled again.
#[test]
fn released_stream_leaves_its_message_to_others() {
    explore(|ledger| {
        let (tx, rx) = bounded(1);
        let mut stream = rx.stream();
        assert!(stream.next().now_or_never().is_none());
        let message = ledger.message();
        let sending = thread::spawn(move || {
            assert!(tx.try_send(message).is_ok());
            tx
        });
        stream.release();
        let tx = sending.join().unwrap();
        assert_eq!(rx.try_recv().map(number), Ok(1));
        assert!(stream.next().now_or_never().is_none());
        assert!(tx.try_send(ledger.message()).is_ok());
        assert_eq!(stream.next().now_or_never().flatten().map(number), Some(2));
        drop(stream);
        assert_idle(&rx);
    });
}
