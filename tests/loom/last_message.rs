//! A message and then the drop of the last sender, against every receive that does not wait: no such receive reports the
//! end before it has returned the message, and none reports "nothing there" of a message that was sent before it began.
//!
//! The receives that wait are in `ends.rs`, `handles.rs` and `short.rs`, as is `try_recv`.

use hchan::{Receiver, Select, Sender, TryRecvError, bounded, select_blocking, unbounded};
use loom::thread;

use super::{Mark, Message, assert_idle, block_on, explore, number, output};

/// A rendezvous, a channel with one lock, a ring, a limited and an unlimited chain.
const CAPACITIES: [Option<usize>; 5] = [Some(0), Some(1), Some(2), Some(3), None];

fn channel(capacity: Option<usize>) -> (Sender<Message>, Receiver<Message>) {
    capacity.map_or_else(unbounded, bounded)
}

/// What one receive that does not wait has come to.
type Received = Result<usize, TryRecvError>;

/// The receive runs at every moment of the other thread, and once more after all. A receive that does not tell whether the
/// channel is closed returns `Empty` then.
fn message_and_last_sender_dropped_against(
    receive: fn(&Receiver<Message>) -> Received,
    tells_whether_closed: bool,
) {
    for capacity in CAPACITIES {
        explore(move |ledger| {
            let (tx, rx) = channel(capacity);
            let (message, sent) = (ledger.message(), Mark::new());
            let sending = thread::spawn({
                let sent = sent.clone();
                move || {
                    assert!(block_on(tx.send(message)).is_ok());
                    sent.set();
                    drop(tx);
                }
            });
            let was_sent = sent.is_set();
            match receive(&rx) {
                Ok(received) => assert_eq!(received, 1),
                Err(error) => {
                    assert_eq!(error, TryRecvError::Empty, "capacity {capacity:?}");
                    assert!(!was_sent, "capacity {capacity:?}: it was there before");
                    assert_eq!(block_on(rx.recv()).map(number), Ok(1));
                }
            }
            sending.join().unwrap();
            let end = match tells_whether_closed {
                true => TryRecvError::Closed,
                false => TryRecvError::Empty,
            };
            assert_eq!(receive(&rx), Err(end), "capacity {capacity:?}");
            assert_idle(&rx);
        });
    }
}

#[test]
fn message_and_last_sender_dropped_against_try_recv_many() {
    message_and_last_sender_dropped_against(
        |rx| {
            let mut received = Vec::new();
            let count = rx.try_recv_many(&mut received, 5)?;
            assert_eq!(count, 1);
            Ok(number(received.remove(0)))
        },
        true,
    );
}

#[test]
fn message_and_last_sender_dropped_against_drain() {
    message_and_last_sender_dropped_against(
        |rx| rx.drain().next().map(number).ok_or(TryRecvError::Empty),
        false,
    );
}

#[test]
fn message_and_last_sender_dropped_against_default() {
    message_and_last_sender_dropped_against(
        |rx| {
            let nothing = hchan::never::<Message>();
            select_blocking! {
                recv(nothing) -> _ => unreachable!("never"),
                recv(rx) -> message => message.map(number).map_err(TryRecvError::from),
                default => Err(TryRecvError::Empty),
            }
        },
        true,
    );
}

#[test]
fn message_and_last_sender_dropped_against_a_select_that_tries() {
    message_and_last_sender_dropped_against(
        |rx| {
            let (mut first, mut second) = (Box::pin(rx.recv()), Box::pin(rx.recv()));
            let mut select = Select::new();
            select.arm(first.as_mut());
            select.arm(second.as_mut());
            let happened = select.try_now().ok_or(TryRecvError::Empty)?;
            let received = output([&mut first, &mut second][happened]);
            received.map(number).map_err(TryRecvError::from)
        },
        true,
    );
}
