//! Looking inside: who waits where, for how long, and what was done.
//!
//! What is inspected is the whole process, so only one of these tests runs at a time.

#![cfg(not(target_family = "wasm"))] // Much of it needs threads.

mod support;

use std::{
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Wake, Waker},
    thread,
    time::Duration,
};

use futures::StreamExt;
use hchan::{
    Receiver, Sender, blocking, bounded,
    inspect::{self, ChannelSnapshot, Config, Operation, TaskRef, Waiter, WaiterState},
    select, unbounded,
};
use support::{poll, poll_with, scaled, until};

static ALONE: Mutex<()> = Mutex::new(());

/// Nobody else is inspecting; the channels made from here on are tracked.
struct Inspecting(#[expect(dead_code, reason = "held")] MutexGuard<'static, ()>);

fn inspecting() -> Inspecting {
    inspecting_with(Config::default())
}

fn inspecting_with(config: Config) -> Inspecting {
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    inspect::enable(config);
    Inspecting(alone)
}

impl Drop for Inspecting {
    fn drop(&mut self) {
        inspect::disable();
    }
}

/// A task of its own.
struct Nobody;

impl Wake for Nobody {
    fn wake(self: Arc<Self>) {}
}

fn task() -> Waker {
    Waker::from(Arc::new(Nobody))
}

/// What is said of the only waiter, but for the times.
fn only(channel: &ChannelSnapshot) -> (Operation, Option<usize>, WaiterState, u32) {
    assert_eq!(channel.waiters.len(), 1, "{channel}");
    of(&channel.waiters[0])
}

fn of(waiter: &Waiter) -> (Operation, Option<usize>, WaiterState, u32) {
    assert!(waiter.call_site.file.ends_with("inspect.rs"), "{waiter:?}");
    let Waiter {
        operation,
        arm,
        state,
        ref call_site,
        ..
    } = *waiter;
    (operation, arm, state, call_site.line)
}

const PARKED: WaiterState = WaiterState::Parked;
const HANDED_OVER: WaiterState = WaiterState::HandedOver;

#[test]
fn parked_operation_is_there_until_it_is_dropped() {
    let _inspecting = inspecting();
    let (tx, rx) = bounded(0);
    let mut receive = Box::pin(rx.recv());
    let line = line!() - 1;
    assert!(rx.snapshot().waiters.is_empty(), "it has not been polled");
    assert!(poll(&mut receive).is_pending());
    let snapshot = tx.snapshot();
    assert_eq!(only(&snapshot), (Operation::Receive, None, PARKED, line));
    assert_eq!((snapshot.waiting_receivers, snapshot.totals.parked), (1, 1));
    drop(receive);
    let snapshot = tx.snapshot();
    assert!(snapshot.waiters.is_empty(), "{snapshot}");
    assert_eq!((snapshot.totals.parked, snapshot.totals.given_up), (1, 1));
    let mut send = Box::pin(tx.send(1));
    let line = line!() - 1;
    assert!(poll(&mut send).is_pending());
    assert_eq!(only(&tx.snapshot()), (Operation::Send, None, PARKED, line));
}

#[test]
fn message_that_was_handed_over_is_seen_until_it_is_polled_for() {
    let _inspecting = inspecting();
    let (tx, rx) = bounded(0);
    let mut receive = Box::pin(rx.recv());
    let line = line!() - 1;
    assert!(poll(&mut receive).is_pending());
    tx.try_send(1).unwrap();
    let snapshot = rx.snapshot();
    assert_eq!(
        only(&snapshot),
        (Operation::Receive, None, HANDED_OVER, line)
    );
    let waiter = &snapshot.waiters[0];
    assert!(
        waiter
            .handed_over
            .is_some_and(|since| since <= waiter.waiting)
    );
    assert_eq!(snapshot.totals.handed_over, 1);
    assert!(poll(&mut receive).is_ready());
    let snapshot = rx.snapshot();
    assert!(snapshot.waiters.is_empty(), "{snapshot}");
    assert_eq!(snapshot.waits.receive.count, 1);
    assert_eq!((snapshot.totals.parked, snapshot.totals.given_up), (1, 0));
}

#[test]
fn close_hands_over_to_all_that_wait() {
    let _inspecting = inspecting();
    let (tx, rx) = bounded(1);
    tx.try_send(0).unwrap();
    let mut sending = [tx.send(1), tx.send(2)].map(Box::pin);
    let (mut closed, mut drained) = (Box::pin(tx.closed()), Box::pin(rx.drained()));
    sending
        .iter_mut()
        .for_each(|send| assert!(poll(send).is_pending()));
    assert!(poll(&mut closed).is_pending());
    assert!(poll(&mut drained).is_pending());
    rx.close();
    let states = |rx: &Receiver<i32>| -> Vec<_> {
        let mut waiters = rx.snapshot().waiters;
        waiters.sort_by_key(|waiter| waiter.operation);
        waiters
            .iter()
            .map(|waiter| (waiter.operation, waiter.state))
            .collect()
    };
    let ended = [
        (Operation::Send, HANDED_OVER),
        (Operation::Send, HANDED_OVER),
        (Operation::Closed, HANDED_OVER),
    ];
    assert_eq!(states(&rx)[..3], ended);
    assert_eq!(states(&rx)[3], (Operation::Drained, PARKED));
    rx.try_recv().unwrap();
    assert_eq!(states(&rx)[3], (Operation::Drained, HANDED_OVER));
    drop((sending, closed, drained));
    rx.assert_idle();
}

/// Polls a future, and says what is known of it then.
fn parks<F: Future>(channel: &Receiver<u8>, future: F) -> (Operation, u32) {
    let mut future = pin!(future);
    assert!(poll(&mut future).is_pending());
    let (operation, arm, state, line) = only(&channel.snapshot());
    assert_eq!((arm, state), (None, PARKED));
    (operation, line)
}

#[test]
fn every_future_knows_its_line() {
    let _inspecting = inspecting();
    let (tx, rx) = bounded(1);
    let empty = &rx;
    let mut into = Vec::new();
    let receiving = [
        (parks(empty, rx.recv()), line!()),
        (parks(empty, rx.clone().into_recv()), line!()),
        (parks(empty, rx.recv_many(&mut into, 3)), line!()),
    ];
    for (parked, line) in receiving {
        assert_eq!(parked, (Operation::Receive, line));
    }
    let mut stream = rx.stream();
    let line = line!() - 1;
    assert_eq!(parks(empty, stream.next()), (Operation::Receive, line));
    drop(stream);
    let mut stream = rx.clone().into_stream();
    let line = line!() - 1;
    assert_eq!(parks(empty, stream.next()), (Operation::Receive, line));
    drop(stream);
    tx.try_send(0).unwrap();
    let full = &rx;
    let sending = [
        (parks(full, tx.send(1)), line!()),
        (parks(full, tx.send_from(&mut Some(1))), line!()),
        (parks(full, tx.clone().into_send(1)), line!()),
        (parks(full, tx.send_many([1, 2])), line!()),
    ];
    for (parked, line) in sending {
        assert_eq!(parked, (Operation::Send, line));
    }
    let reserving = [
        (parks(full, tx.reserve()), line!()),
        (parks(full, tx.reserve_many(2)), line!()),
    ];
    for (parked, line) in reserving {
        assert_eq!(parked, (Operation::Reserve, line));
    }
    let ending = [
        (parks(full, tx.closed()), (Operation::Closed, line!())),
        (parks(full, rx.closed()), (Operation::Closed, line!())),
        (parks(full, tx.drained()), (Operation::Drained, line!())),
        (parks(full, rx.drained()), (Operation::Drained, line!())),
    ];
    for (parked, expected) in ending {
        assert_eq!(parked, expected);
    }
    rx.assert_idle();
}

#[test]
fn arm_of_a_select_has_its_number_and_the_line_of_the_macro() {
    let _inspecting = inspecting();
    let ((tx, full), (_tx, rx)) = (bounded(1), bounded::<u8>(1));
    tx.try_send(0).unwrap();
    let line = line!() + 3;
    let mut select = Box::pin(async {
        let happened;
        select! {
            recv(rx) -> _ => happened = 0,
            send(tx, 1) -> _ => happened = 1,
        }
        happened
    });
    assert!(poll(&mut select).is_pending());
    assert_eq!(
        only(&rx.snapshot()),
        (Operation::Receive, Some(0), PARKED, line)
    );
    assert_eq!(
        only(&full.snapshot()),
        (Operation::Send, Some(1), PARKED, line)
    );
    full.try_recv().unwrap();
    let (_, _, state, _) = only(&full.snapshot());
    assert_eq!(state, HANDED_OVER);
    assert_eq!(only(&rx.snapshot()).2, PARKED, "it has not been polled");
    assert_eq!(poll(&mut select), std::task::Poll::Ready(1));
    full.assert_idle();
    rx.assert_idle();
    // The arm that happened stands for the wait.
    assert_eq!(full.snapshot().waits.send.count, 1);
    assert_eq!(rx.snapshot().waits.receive.count, 0);
}

#[test]
fn select_that_peers_have_passed_by_is_there_until_it_is_dropped() {
    let _inspecting = inspecting();
    let (tx, rx) = bounded::<u8>(0);
    // Both ends of one channel: it passes itself by, and parks again with all channels locked.
    let (mut sending, mut receiving) = (Box::pin(tx.send(1)), Box::pin(rx.recv()));
    let mut select = hchan::Select::new();
    select.arm(sending.as_mut());
    select.arm(receiving.as_mut());
    let mut select = Box::pin(select);
    assert!(poll(&mut select).is_pending());
    let arms: HashSet<_> = (rx.snapshot().waiters.iter())
        .map(|waiter| (waiter.operation, waiter.arm, waiter.state))
        .collect();
    let expected = [
        (Operation::Send, Some(0), PARKED),
        (Operation::Receive, Some(1), PARKED),
    ];
    assert_eq!(arms, expected.into());
    drop(select);
    rx.assert_idle();
    assert!(rx.snapshot().waiters.is_empty());
}

#[test]
fn receivers_of_recv_any_have_its_line() {
    let _inspecting = inspecting();
    let pairs: [_; 2] = std::array::from_fn(|_| bounded::<u8>(1));
    let receivers = pairs.each_ref().map(|(_, rx)| rx.clone());
    let mut any = Box::pin(hchan::recv_any(&receivers));
    let line = line!() - 1;
    assert!(poll(&mut any).is_pending());
    for (number, rx) in receivers.iter().enumerate() {
        let expected = (Operation::Receive, Some(number), PARKED, line);
        assert_eq!(only(&rx.snapshot()), expected);
    }
}

#[test]
fn messages_are_counted_by_path() {
    let _inspecting = inspecting();
    let (tx, rx) = bounded(2);
    let mut receive = Box::pin(rx.recv());
    assert!(poll(&mut receive).is_pending());
    tx.try_send(0).unwrap();
    drop(receive);
    (1..3).for_each(|n| tx.try_send(n).unwrap());
    let mut send = Box::pin(tx.send(3));
    assert!(poll(&mut send).is_pending());
    tx.try_send(4).unwrap_err();
    assert_eq!([(); 2].map(|()| rx.try_recv().unwrap()), [0, 1]);
    assert!(poll(&mut send).is_ready());
    assert_eq!(tx.force_send(5).unwrap(), Some(2));
    tx.close();
    tx.try_send(6).unwrap_err();
    let totals = rx.snapshot().totals;
    let counted = [
        totals.handed_over,
        totals.given_back,
        totals.buffered,
        totals.promoted,
        totals.evicted,
        totals.refused_as_full,
        totals.refused_as_closed,
    ];
    // 0; 0; 1, 2 and 5; 3; 2; 4; 6.
    assert_eq!(counted, [1, 1, 3, 1, 1, 1, 1]);
}

#[test]
fn message_sent_beyond_the_ring_counts_as_buffered_once() {
    let _inspecting = inspecting();
    for capacity in [0, 1] {
        let (tx, rx) = bounded(capacity);
        let mut receive = Box::pin(rx.recv());
        assert!(poll(&mut receive).is_pending());
        let permits: Vec<_> = (0..=capacity).map(|_| tx.try_reserve().unwrap()).collect();
        drop(receive);
        (permits.into_iter().zip(0..)).for_each(|(permit, n)| permit.send(n).unwrap());
        assert_eq!(rx.try_iter().count(), capacity + 1);
        assert_eq!(rx.snapshot().totals.buffered, capacity as u64 + 1);
    }
}

#[test]
fn rendezvous_counts_as_promoted_or_handed_over() {
    let _inspecting = inspecting();
    let (tx, rx) = bounded(0);
    let mut send = Box::pin(tx.send(0));
    assert!(poll(&mut send).is_pending());
    assert_eq!(rx.try_recv(), Ok(0));
    let totals = rx.snapshot().totals;
    assert_eq!(
        (totals.promoted, totals.handed_over, totals.buffered),
        (1, 0, 0)
    );
}

#[test]
fn channel_made_before_is_not_tracked() {
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (tx, rx) = bounded::<u8>(0);
    drop(alone);
    let _inspecting = inspecting();
    tx.set_name("of no use");
    let mut receive = Box::pin(rx.recv());
    assert!(poll(&mut receive).is_pending());
    let snapshot = rx.snapshot();
    assert_eq!(
        (snapshot.id, snapshot.name, snapshot.waiting_receivers),
        (None, None, 1)
    );
    assert!(snapshot.waiters.is_empty());
    let printed = tx.snapshot().to_string();
    assert!(
        printed.contains("unknown waiters: 0 to send, 1 to receive"),
        "{printed}"
    );
    assert!(catch_unwind(AssertUnwindSafe(|| rx.assert_idle())).is_err());
    tx.try_send(1).unwrap();
    assert!(poll(&mut receive).is_ready());
    assert_eq!(rx.snapshot().totals.handed_over, 1);
}

#[test]
fn share_of_channels_is_tracked() {
    let _inspecting = inspecting_with(Config {
        channel_share: 0.25,
        ..Config::default()
    });
    let untracked = inspect::report().untracked_channels;
    let pairs: Vec<_> = (0..12).map(|_| unbounded::<u8>()).collect();
    let tracked = pairs.iter().filter(|(tx, _)| tx.snapshot().id.is_some());
    assert_eq!(tracked.count(), 3);
    let report = inspect::report();
    assert_eq!(report.untracked_channels - untracked, 9);
    assert!(report.to_string().contains("that are not tracked"));
}

#[test]
fn no_more_channels_are_tracked_than_there_may_be() {
    let _inspecting = inspecting_with(Config {
        most_channels: 2,
        ..Config::default()
    });
    let mut pairs: Vec<_> = (0..3).map(|_| unbounded::<u8>()).collect();
    let ids = |pairs: &[(Sender<u8>, Receiver<u8>)]| -> Vec<bool> {
        let tracked = pairs.iter().map(|(tx, _)| tx.snapshot().id.is_some());
        tracked.collect()
    };
    assert_eq!(ids(&pairs), [true, true, false]);
    pairs.remove(0);
    pairs.push(unbounded());
    assert_eq!(ids(&pairs), [true, false, true]);
    assert_eq!(inspect::channels().len(), 2);
}

#[test]
fn every_live_channel_is_listed() {
    let _inspecting = inspecting();
    let before = inspect::channels().len();
    let (first, second) = (bounded::<u8>(1), blocking::unbounded::<String>());
    first.1.set_name("first");
    second.0.set_name(String::from("second"));
    let listed = inspect::channels();
    let names: Vec<_> = listed[before..]
        .iter()
        .map(|channel| channel.name.as_deref())
        .collect();
    assert_eq!(names, [Some("first"), Some("second")]);
    let weak = first.0.downgrade();
    drop(first.0);
    assert_eq!(inspect::channels().len(), before + 2, "a receiver is left");
    drop((first.1, second));
    assert_eq!(inspect::channels().len(), before);
    assert_eq!(weak.snapshot().name.as_deref(), Some("first"));
}

#[test]
fn channel_is_printed_in_groups() {
    let _inspecting = inspecting();
    let (tx, rx) = bounded::<Option<String>>(1);
    let line = line!() - 1;
    tx.set_name("jobs");
    tx.try_send(None).unwrap();
    let mut sends: Vec<_> = (0..12).map(|_| Box::pin(tx.send(None))).collect();
    let sent = line!() - 1;
    sends
        .iter_mut()
        .for_each(|send| assert!(poll(send).is_pending()));
    rx.try_recv().unwrap();
    let printed = rx.snapshot().to_string();
    let lines: Vec<_> = printed.lines().collect();
    let title = format!("jobs  bounded(1) of Option<String>, {}:{line}   ", file!());
    assert_eq!(lines[0], title + "len 1, open, 1 sender, 1 receiver");
    let site = format!("{}:{sent}", file!());
    assert!(
        lines[1].starts_with("    11  send    parked                  "),
        "{printed}"
    );
    assert!(
        lines[2].starts_with("     1  send    handed over, not polled "),
        "{printed}"
    );
    assert!(
        lines[1].ends_with(&site) && lines[2].ends_with(&site),
        "{printed}"
    );
    assert_eq!(lines.len(), 3, "{printed}");
    let more = format!("{:#}", rx.snapshot());
    assert!(
        more.contains("1 promoted") && more.contains("waits to send: none"),
        "{more}"
    );
}

#[test]
fn stuck_lists_the_oldest_first() {
    let _inspecting = inspecting();
    let ((tx, rx), (_other_tx, other)) = (bounded(0), bounded::<u8>(0));
    let mut first = Box::pin(rx.recv());
    assert!(poll(&mut first).is_pending());
    let mut second = Box::pin(other.recv());
    assert!(poll(&mut second).is_pending());
    let mut closed = Box::pin(other.closed());
    assert!(poll(&mut closed).is_pending());
    let ids = || -> Vec<_> {
        let stuck = inspect::stuck(Duration::ZERO);
        stuck.waiters.iter().map(|stuck| stuck.channel.id).collect()
    };
    let [rx_id, other_id] = [rx.snapshot().id, other.snapshot().id];
    assert_eq!(ids(), [rx_id, other_id]);
    tx.try_send(1).unwrap();
    // What was handed over is as old as the handover.
    assert_eq!(ids(), [other_id, rx_id]);
    assert!(
        inspect::stuck(Duration::from_secs(3_000))
            .waiters
            .is_empty()
    );
    let printed = inspect::stuck(Duration::ZERO).to_string();
    assert!(
        printed.contains("recv    handed over, not polled "),
        "{printed}"
    );
}

#[test]
fn futurelock_is_suspected() {
    let _inspecting = inspecting();
    let (tx, rx) = bounded(1);
    tx.try_send(0).unwrap();
    let [own, other] = [task(), task()];
    // A task requests a permit, no longer polls that, and sends: the place is the request's.
    let mut reserve = Box::pin(tx.reserve());
    let line = line!() - 1;
    assert!(poll_with(&mut reserve, &own).is_pending());
    let mut sends = [(tx.send(1), own), (tx.send(2), other)].map(|(send, task)| {
        let mut send = Box::pin(send);
        assert!(poll_with(&mut send, &task).is_pending());
        (send, task)
    });
    rx.try_recv().unwrap();
    let stuck = inspect::stuck(Duration::ZERO);
    let suspected: Vec<_> = (stuck.waiters.iter())
        .map(|stuck| stuck.suspected_futurelock.as_ref().map(|site| site.line))
        .collect();
    assert_eq!(suspected.iter().flatten().collect::<Vec<_>>(), [&line]);
    assert_eq!(suspected.len(), 3);
    assert!(
        stuck
            .to_string()
            .contains("suspected futurelock: it waits behind ")
    );
    // Polled, it is none.
    let permit = poll_with(&mut reserve, &sends[0].1);
    assert!(permit.is_ready());
    assert!(poll_with(&mut sends[0].0, &task()).is_pending());
    let stuck = inspect::stuck(Duration::ZERO);
    assert!(
        stuck
            .waiters
            .iter()
            .all(|stuck| stuck.suspected_futurelock.is_none())
    );
}

#[test]
fn assert_idle_panics_with_the_report() {
    let _inspecting = inspecting();
    let ((tx, rx), (other, _rx)) = (bounded::<u8>(0), bounded::<u8>(0));
    inspect::assert_idle();
    let mut receive = Box::pin(rx.recv());
    assert!(poll(&mut receive).is_pending());
    tx.try_send(1).unwrap();
    other.assert_idle();
    let report = support::panic_of(|| tx.assert_idle());
    assert!(report.contains("handed over, not polled"), "{report}");
    let report = support::panic_of(inspect::assert_idle);
    assert!(report.contains("handed over, not polled"), "{report}");
    drop(receive);
    inspect::assert_idle();
}

/// The rows of this file's lines.
fn rows(lines: &[u32]) -> Vec<(Operation, u64)> {
    let profile = inspect::profile();
    let of = |line: &u32| {
        let is_of =
            |site: &inspect::CallSite| site.line == *line && site.file.ends_with("inspect.rs");
        let row = profile
            .rows
            .iter()
            .find(|row| row.call_site.as_ref().is_some_and(is_of));
        row.map(|row| (row.operation, row.count))
    };
    lines.iter().filter_map(of).collect()
}

#[test]
fn profile_has_a_row_a_call_site_and_operation() {
    let _inspecting = inspecting();
    let mut lines = [0; 2];
    for _ in 0..3 {
        let (tx, rx) = bounded(1);
        let mut receive = Box::pin(rx.recv());
        lines[0] = line!() - 1;
        assert!(poll(&mut receive).is_pending());
        tx.try_send(0).unwrap();
        assert!(poll(&mut receive).is_ready());
        tx.try_send(0).unwrap();
        let mut send = Box::pin(tx.send(0));
        lines[1] = line!() - 1;
        assert!(poll(&mut send).is_pending());
    }
    // Those channels are gone.
    assert_eq!(
        rows(&lines),
        [(Operation::Receive, 3), (Operation::Send, 3)]
    );
    let (_tx, rx) = bounded::<u8>(1);
    let mut receive = Box::pin(rx.recv());
    let line = line!() - 1;
    assert!(poll(&mut receive).is_pending());
    assert_eq!(rows(&[line]), [(Operation::Receive, 1)], "it still waits");
    let folded = inspect::profile().folded();
    let site = format!("recv;{}:{line} ", file!());
    assert!(folded.lines().any(|row| row.starts_with(&site)), "{folded}");
}

#[test]
fn call_sites_beyond_those_that_a_channel_keeps_share_a_row() {
    let _inspecting = inspecting();
    let elsewhere = |profile: &inspect::Profile| -> u64 {
        let rows = profile.rows.iter().filter(|row| row.call_site.is_none());
        rows.map(|row| row.count).sum()
    };
    let before = elsewhere(&inspect::profile());
    let (_tx, rx) = bounded::<u8>(1);
    let mut receives: Vec<_> = Vec::new();
    type Receive = fn(&Receiver<u8>) -> hchan::RecvFuture<'_, u8>;
    #[rustfmt::skip]
    let sites: [Receive; 20] = [
        |rx| rx.recv(), |rx| rx.recv(), |rx| rx.recv(), |rx| rx.recv(), |rx| rx.recv(),
        |rx| rx.recv(), |rx| rx.recv(), |rx| rx.recv(), |rx| rx.recv(), |rx| rx.recv(),
        |rx| rx.recv(), |rx| rx.recv(), |rx| rx.recv(), |rx| rx.recv(), |rx| rx.recv(),
        |rx| rx.recv(), |rx| rx.recv(), |rx| rx.recv(), |rx| rx.recv(), |rx| rx.recv(),
    ];
    for site in sites {
        let mut receive = Box::pin(site(&rx));
        assert!(poll(&mut receive).is_pending());
        receives.push(receive);
    }
    assert_eq!(rx.snapshot().waiters.len(), 20);
    drop(receives);
    assert_eq!(rx.snapshot().waits.receive.count, 20);
    assert_eq!(elsewhere(&inspect::profile()) - before, 20 - 16);
}

#[test]
fn channels_that_are_gone_are_known_by_where_they_were_made() {
    let _inspecting = inspecting();
    let mut line = 0;
    for n in 0..5 {
        let (tx, rx) = bounded(4);
        line = line!() - 1;
        (0..n).for_each(|n| tx.try_send(n).unwrap());
        let mut receive = Box::pin(rx.recv());
        assert!(n > 0 || poll(&mut receive).is_pending());
    }
    let report = inspect::report();
    let is_of = |site: &inspect::CallSite| site.line == line;
    let gone = (report.gone.iter()).find(|gone| gone.created.as_ref().is_some_and(is_of));
    let gone = gone.expect("they are there");
    assert_eq!(
        (gone.channels, gone.messages, gone.waits.receive.count),
        (5, 10, 1)
    );
}

#[test]
fn thread_is_known_by_its_name() {
    let _inspecting = inspecting();
    let (tx, rx) = bounded::<u8>(0);
    let waiting = tx.clone();
    let name = "the sender".to_owned();
    let thread = thread::Builder::new().name(name.clone());
    let thread = thread.spawn(move || waiting.send_blocking(1)).unwrap();
    until(|| rx.waiting_senders() == 1);
    let task = rx.snapshot().waiters[0].task.clone();
    let expected = TaskRef::Thread {
        id: thread.thread().id(),
        name: Some(name),
    };
    assert_eq!(task, expected);
    assert_eq!(task.to_string(), "thread \"the sender\"");
    rx.recv_blocking().unwrap();
    thread.join().unwrap().unwrap();
    tx.assert_idle();
}

#[test]
fn blocking_handles_know_their_callers_line() {
    let _inspecting = inspecting();
    let (tx, rx) = blocking::bounded::<u8>(0);
    let (rx, line) = (&rx, line!() + 4);
    #[rustfmt::skip]
    thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(rx.recv(), Ok(1));
            assert_eq!(rx.iter().next(), Some(2));
            assert_eq!(rx.recv_timeout(Duration::MAX), Ok(3));
        });
        for (message, line) in (1..).zip(line..).take(3) {
            until(|| tx.waiting_receivers() == 1);
            assert_eq!(only(&tx.snapshot()).3, line);
            tx.send(message).unwrap();
        }
    });
    tx.assert_idle();
}

#[cfg(feature = "tokio")]
#[test]
fn task_of_tokio_is_known_by_its_id() {
    let _inspecting = inspecting();
    let runtime = support::two_workers();
    let (tx, rx) = bounded::<u8>(0);
    let receiving = rx.clone();
    let task = runtime.spawn(async move { receiving.recv().await });
    until(|| tx.waiting_receivers() == 1);
    let shown = tx.snapshot().waiters[0].task.to_string();
    assert_eq!(shown, format!("tokio task {}", task.id()));
    tx.send_blocking(1).unwrap();
    assert_eq!(runtime.block_on(task).unwrap(), Ok(1));
}

#[test]
fn task_is_known_by_the_number_of_a_hook() {
    let _inspecting = inspecting_with(Config {
        task_id: Some(|| Some(7)),
        ..Config::default()
    });
    let (_tx, rx) = bounded::<u8>(0);
    let mut receive = Box::pin(rx.recv());
    assert!(poll(&mut receive).is_pending());
    assert_eq!(rx.snapshot().waiters[0].task, TaskRef::Custom(7));
}

#[test]
fn operation_whose_hook_panics_does_not_park() {
    let _inspecting = inspecting_with(Config {
        task_id: Some(|| panic!("the hook panics")),
        ..Config::default()
    });
    let (tx, rx) = bounded::<u8>(0);
    let mut receive = Box::pin(rx.recv());
    assert_eq!(support::panic_of(|| poll(&mut receive)), "the hook panics");
    assert_eq!(tx.waiting_receivers(), 0);
    drop(receive);
    tx.assert_idle();
    // Of a select, no arm stays parked.
    let mut select = Box::pin(async {
        select! { recv(rx) -> _ => (), send(tx, 1) -> _ => () }
    });
    assert_eq!(support::panic_of(|| poll(&mut select)), "the hook panics");
    drop(select);
    tx.assert_idle();
}

#[test]
fn task_that_takes_over_is_the_one_that_waits() {
    let _inspecting = inspecting();
    let (_tx, rx) = bounded::<u8>(0);
    let [first, second] = [task(), task()];
    let mut receive = Box::pin(rx.recv());
    for waker in [first, second] {
        assert!(poll_with(&mut receive, &waker).is_pending());
        let address = waker.data().addr();
        assert_eq!(rx.snapshot().waiters[0].task, TaskRef::Waker(address));
    }
}

#[test]
fn names_of_types_and_paths_are_rewritten() {
    let _inspecting = inspecting_with(Config {
        rename: Some(|kind, _| format!("{kind:?}")),
        ..Config::default()
    });
    let (_tx, rx) = bounded::<u8>(0);
    let mut receive = Box::pin(rx.recv());
    assert!(poll(&mut receive).is_pending());
    let snapshot = rx.snapshot();
    assert_eq!(snapshot.message, "Type");
    assert_eq!(snapshot.created.unwrap().file, "Path");
    assert_eq!(snapshot.waiters[0].call_site.file, "Path");
}

#[test]
fn forgotten_future_waits_as_long_as_its_channel_is_there() {
    let _inspecting = inspecting();
    let (tx, rx) = bounded::<u8>(0);
    let mut receive = Box::pin(rx.recv());
    assert!(poll(&mut receive).is_pending());
    support::forget(receive);
    assert_eq!(only(&tx.snapshot()).2, PARKED);
    tx.try_send(1).unwrap();
    assert_eq!(only(&tx.snapshot()).2, HANDED_OVER);
    let before = inspect::channels().len();
    drop((tx, rx));
    assert_eq!(inspect::channels().len(), before - 1);
}

#[test]
#[cfg_attr(miri, ignore = "takes too many waiters")]
fn many_waiters_are_read_in_steps() {
    let _inspecting = inspecting();
    let (_tx, rx) = bounded::<u8>(0);
    let count = 2_500;
    let mut receives: Vec<_> = (0..count).map(|_| Box::pin(rx.recv())).collect();
    (receives.iter_mut()).for_each(|receive| assert!(poll(receive).is_pending()));
    let snapshot = rx.snapshot();
    assert_eq!(
        (snapshot.waiters.len(), snapshot.is_read_in_steps),
        (count, true)
    );
    let ages = snapshot.waiters.iter().map(|waiter| waiter.waiting);
    assert!(ages.is_sorted_by_key(std::cmp::Reverse), "the oldest first");
    receives.truncate(10);
    let snapshot = rx.snapshot();
    assert_eq!(
        (snapshot.waiters.len(), snapshot.is_read_in_steps),
        (10, false)
    );
}

#[test]
fn channels_are_looked_at_while_they_are_used_and_die() {
    let _inspecting = inspecting();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let mut looks = 0;
            while !over.load(Ordering::Relaxed) {
                inspect::for_each_channel(|channel| {
                    let parked = channel
                        .waiters
                        .iter()
                        .filter(|waiter| waiter.state == PARKED);
                    assert!(parked.count() <= 4, "{channel}");
                    assert!(
                        channel
                            .capacity
                            .is_none_or(|capacity| channel.len <= capacity + 2)
                    );
                });
                _ = (inspect::stuck(Duration::ZERO), inspect::profile());
                looks += 1;
                thread::yield_now();
            }
            looks
        });
        for round in 0..scaled(200) {
            let (tx, rx) = bounded(round % 3);
            let (also_tx, also_rx) = (tx.clone(), rx.clone());
            let sending = [tx, also_tx].map(|tx| {
                scope.spawn(move || (0..5).filter(|&n| tx.send_blocking(n).is_ok()).count())
            });
            let receiving = [rx, also_rx].map(|rx| scope.spawn(move || rx.iter_blocking().count()));
            let sent: usize = sending
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum();
            let received: usize = receiving
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum();
            assert_eq!((sent, received), (10, 10));
        }
        over.store(true, Ordering::Relaxed);
        assert!(looking.join().unwrap() > 0);
    });
    inspect::assert_idle();
}

#[test]
fn weak_handle_keeps_what_is_known_of_the_channel() {
    let _inspecting = inspecting();
    let (tx, rx) = bounded(1);
    let (of_sender, of_receiver) = (tx.downgrade(), rx.downgrade());
    let mut receive = Box::pin(rx.recv());
    assert!(poll(&mut receive).is_pending());
    tx.try_send(0).unwrap();
    assert!(poll(&mut receive).is_ready());
    drop(receive);
    drop((tx, rx));
    for snapshot in [of_sender.snapshot(), of_receiver.snapshot()] {
        assert!(snapshot.is_closed && snapshot.senders + snapshot.receivers == 0);
        assert_eq!(
            (snapshot.totals.handed_over, snapshot.waits.receive.count),
            (1, 1)
        );
    }
}

#[cfg(feature = "sink")]
#[test]
fn sink_has_the_line_where_it_was_made() {
    let _inspecting = inspecting();
    let (tx, rx) = bounded(1);
    tx.try_send(0).unwrap();
    let mut sink = tx.sink();
    let line = line!() - 1;
    let ready = std::future::poll_fn(|cx| sink.poll_reserve(cx));
    assert_eq!(parks(&rx, ready), (Operation::Reserve, line));
    let mut sink = tx.clone().into_sink();
    let line = line!() - 1;
    let ready = std::future::poll_fn(|cx| sink.poll_reserve(cx));
    // The other one is parked as long as it is not dropped.
    let mut ready = pin!(ready);
    assert!(poll(&mut ready).is_pending());
    let lines = rx.snapshot().waiters;
    assert_eq!(
        lines.iter().map(|waiter| waiter.call_site.line).max(),
        Some(line)
    );
}

#[cfg(feature = "serde")]
#[test]
fn snapshot_is_serialized_without_its_messages() {
    let _inspecting = inspecting();
    let (tx, rx) = bounded(1);
    tx.set_name("jobs");
    tx.try_send("a secret").unwrap();
    let mut send = Box::pin(tx.send("another secret"));
    assert!(poll(&mut send).is_pending());
    let json = serde_json::to_value(rx.snapshot()).unwrap();
    assert_eq!((&json["name"], &json["len"]), (&"jobs".into(), &1.into()));
    assert_eq!(json["waiters"][0]["operation"], "Send");
    assert!(!json.to_string().contains("secret"), "{json}");
    let stuck = inspect::stuck(Duration::ZERO);
    let json = serde_json::to_value((stuck, inspect::profile(), inspect::report())).unwrap();
    assert!(!json.to_string().contains("secret"), "{json}");
}

#[test]
fn nothing_that_is_printed_has_a_message_in_it() {
    let _inspecting = inspecting();
    let (tx, rx) = bounded(1);
    tx.try_send("a secret").unwrap();
    let mut send = Box::pin(tx.send("another secret"));
    assert!(poll(&mut send).is_pending());
    let printed = [
        format!("{0:#} {0:?}", rx.snapshot()),
        format!("{0:#} {0:?}", inspect::report()),
        format!("{0} {0:?}", inspect::stuck(Duration::ZERO)),
        format!("{0} {0:?}", inspect::profile()),
    ];
    assert!(
        printed.iter().all(|printed| !printed.contains("secret")),
        "{printed:?}"
    );
}

#[test]
fn result_that_is_taken_ends_the_wait() {
    let _inspecting = inspecting();
    let (tx, rx) = bounded(0);
    let mut receive = pin!(rx.recv());
    assert!(poll(&mut receive).is_pending());
    tx.try_send(1).unwrap();
    assert_eq!(receive.as_mut().take_output(), Some(Ok(1)));
    rx.assert_idle();
    let mut reserve = pin!(tx.reserve());
    assert!(poll(&mut reserve).is_pending());
    rx.close();
    assert!(
        reserve
            .as_mut()
            .take_output()
            .is_some_and(|permit| permit.is_err())
    );
    rx.assert_idle();
}

#[test]
fn send_that_was_taken_is_over_once_it_is_polled() {
    let _inspecting = inspecting();
    for capacity in [0, 1] {
        let (tx, rx) = bounded(capacity);
        (0..capacity).for_each(|n| tx.try_send(n).unwrap());
        let mut send = Box::pin(tx.send(7));
        assert!(poll(&mut send).is_pending());
        rx.try_recv().unwrap();
        assert_eq!(only(&rx.snapshot()).2, HANDED_OVER);
        assert!(poll(&mut send).is_ready());
        rx.assert_idle();
        assert_eq!(rx.snapshot().waits.send.count, 1);
    }
}
