//! Snapshots taken at every moment of an operation. What they read is not loom's, so a model shows the order of events, not what the
//! orderings let a load return.

use std::sync::Once;

use hchan::{
    WeakReceiver, bounded,
    inspect::{self, ChannelSnapshot, WaiterState},
};
use loom::thread::{self, JoinHandle};

use super::{Message, explore, parked, poll};

fn enable() {
    static ENABLED: Once = Once::new();
    ENABLED.call_once(|| inspect::enable(inspect::Config::default()));
}

/// Looks at the channel while the others act. The queues are looked at first: a receive that has left its queue is not parked.
fn looking(rx: WeakReceiver<Message>) -> JoinHandle<ChannelSnapshot> {
    thread::spawn(move || rx.snapshot())
}

fn is_parked(snapshot: &ChannelSnapshot) -> bool {
    let mut waiters = snapshot.waiters.iter();
    waiters.any(|waiter| waiter.state == WaiterState::Parked)
}

#[test]
fn snapshot_beside_a_receive_that_parks_and_is_dropped() {
    explore(|_| {
        enable();
        let (_tx, rx) = bounded::<Message>(0);
        let looking = looking(rx.downgrade());
        let mut receive = Box::pin(rx.recv());
        assert!(poll(&mut receive).is_pending());
        drop(receive);
        let seen = looking.join().unwrap();
        assert!(seen.waiters.len() <= 1 && seen.waiting_receivers <= 1);
        assert!(
            is_parked(&seen) || seen.waiters.is_empty(),
            "nobody has completed it"
        );
        let snapshot = rx.snapshot();
        assert!(snapshot.waiters.is_empty());
        assert_eq!((snapshot.totals.parked, snapshot.totals.given_up), (1, 1));
    });
}

#[test]
fn snapshot_beside_a_send_to_a_parked_receive() {
    explore(|ledger| {
        enable();
        let (tx, rx) = bounded(0);
        let mut receive = parked(rx.recv());
        let looking = looking(rx.downgrade());
        tx.try_send(ledger.message()).unwrap();
        let seen = looking.join().unwrap();
        assert_eq!(seen.waiters.len(), 1);
        assert!(seen.waiting_receivers == 1 || !is_parked(&seen));
        assert!(!is_parked(&rx.snapshot()) && rx.snapshot().waiters.len() == 1);
        assert!(poll(&mut receive).is_ready());
        assert!(rx.snapshot().waiters.is_empty());
    });
}

/// The message was handed over before the receive is dropped, or the send has failed.
#[test]
fn snapshot_beside_a_send_to_a_receive_that_is_dropped() {
    explore(|ledger| {
        enable();
        let (tx, rx) = bounded(0);
        let receive = parked(rx.recv());
        let message = ledger.message();
        let sending = thread::spawn(move || tx.try_send(message).is_ok());
        let before = rx.snapshot();
        assert!(before.waiting_receivers == 1 || !is_parked(&before));
        drop(receive);
        let after = rx.snapshot();
        assert!(after.waiters.is_empty());
        let sent = sending.join().unwrap();
        assert_eq!(after.totals.parked, 1);
        assert_eq!(rx.snapshot().totals.given_back, u64::from(sent));
    });
}

#[test]
fn snapshot_beside_a_close() {
    explore(|_| {
        enable();
        let (tx, rx) = bounded::<Message>(0);
        let receive = parked(rx.recv());
        let looking = looking(rx.downgrade());
        drop(tx);
        let seen = looking.join().unwrap();
        assert!(!seen.is_closed || seen.waiting_receivers == 0);
        let snapshot = rx.snapshot();
        assert!(snapshot.is_closed && !is_parked(&snapshot));
        drop(receive);
        assert!(rx.snapshot().waiters.is_empty());
    });
}
