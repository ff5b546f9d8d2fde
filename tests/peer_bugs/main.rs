//! Bugs that other channel crates had, each with a test that fails if it comes up here.
//!
//! FL flume, KN kanal, AC async-channel, TK tokio, CB crossbeam-channel, CF crossfire, LO loole, FR futures-rs; `#n` is an
//! issue or pull request there.

// Some of it is for the tests of threads alone.
#![cfg_attr(not(feature = "std"), allow(dead_code, unused_imports))]

mod auto_traits;
mod forgotten;
mod load;
mod races;
mod reentry;
#[path = "../support/mod.rs"]
mod support;

use std::{
    future,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    task::Poll::{Pending, Ready},
    thread,
    time::Duration,
};

use futures::{FutureExt, StreamExt};
#[cfg(feature = "std")]
use hchan::select_blocking;
use hchan::{
    Receiver, RecvError, Select, SendError, SendManyError, Sender, TryRecvError, TrySendError,
    bounded, select, unbounded,
};
#[cfg(not(feature = "std"))]
use support::blocking::*;
use support::{
    Call, Counted, CountingWaker, Drops, hooked_waker, no_deadlock, panic_of, poll, poll_with,
    scaled, until,
};

type Receive = fn(&Receiver<u32>) -> Option<u32>;

/// Ways to receive what is there.
const RECEIVES: &[Receive] = &[
    |rx| rx.try_recv().ok(),
    |rx| rx.recv().now_or_never()?.ok(),
    |rx| rx.recv_blocking().ok(),
    #[cfg(feature = "std")]
    |rx| rx.recv().wait_timeout(Duration::ZERO).ok(),
    |rx| rx.stream().next().now_or_never()?,
];

/// Row 1, KN#50: handing over counted as sending, and the drop of the future dropped the message.
#[test]
fn message_handed_to_a_dropped_recv_is_received_by_the_next() {
    for receive in RECEIVES {
        for (tx, rx) in [bounded(0), bounded(1), unbounded()] {
            let mut recv = Box::pin(rx.recv());
            assert!(poll(&mut recv).is_pending());
            assert_eq!(tx.try_send(1), Ok(()), "a receiver is parked");
            drop(recv);
            assert_eq!(receive(&rx), Some(1), "{rx:?}");
        }
    }
}

/// Row 2, KN: the message was put back and nobody was woken for it.
#[test]
fn message_of_a_dropped_recv_goes_to_the_receiver_that_waits() {
    for (tx, rx) in [bounded(0), bounded(1), unbounded()] {
        let counter = CountingWaker::new();
        let mut filled = Box::pin(rx.recv());
        let mut waiting = pin!(rx.recv());
        assert!(poll(&mut filled).is_pending());
        assert!(poll_with(&mut waiting, &counter.waker()).is_pending());
        tx.try_send(1).unwrap();
        drop(filled);
        assert_eq!(counter.wakes(), 1, "it sleeps beside a message");
        assert_eq!(poll(&mut waiting), Ready(Ok(1)));
    }
}

/// Row 2, for a thread that waits.
#[cfg(feature = "std")]
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn message_of_a_dropped_recv_goes_to_the_thread_that_waits() {
    let (tx, rx) = bounded(0);
    let mut filled = Box::pin(rx.recv());
    assert!(poll(&mut filled).is_pending());
    thread::scope(|threads| {
        let waiting = threads.spawn(|| rx.recv().wait_timeout(Duration::from_secs(60)));
        until(|| rx.waiting_receivers() == 2);
        tx.try_send(1).unwrap();
        drop(filled);
        assert_eq!(waiting.join().unwrap(), Ok(1));
    });
}

/// Row 3, KN: each was pushed to the front.
#[test]
fn given_back_messages_keep_their_order_whichever_is_given_back_first() {
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let (tx, rx) = bounded(1);
        let mut filled: Vec<_> = (0..3).map(|_| Some(Box::pin(rx.recv()))).collect();
        for recv in filled.iter_mut().flatten() {
            assert!(poll(recv).is_pending());
        }
        (0..4).for_each(|message| tx.try_send(message).unwrap());
        for n in order {
            filled[n] = None;
        }
        let received: Vec<_> = rx.try_iter().collect();
        assert_eq!(received, [0, 1, 2, 3], "given back as {order:?}");
    }
}

/// Row 4, CF#22, CF#23: a woken waiter was dropped and nobody else was woken.
#[test]
fn wake_of_a_dropped_receiver_is_passed_on_from_one_to_the_next() {
    let (tx, rx) = bounded(1);
    let counters: Vec<_> = (0..4).map(|_| CountingWaker::new()).collect();
    let mut parked: Vec<_> = counters.iter().map(|_| Box::pin(rx.recv())).collect();
    for (recv, counter) in parked.iter_mut().zip(&counters) {
        assert!(poll_with(recv, &counter.waker()).is_pending());
    }
    tx.try_send(1).unwrap();
    for (woken, counter) in counters.iter().enumerate() {
        assert_eq!(counter.wakes(), 1, "nobody passed the wake on to {woken}");
        drop(parked.remove(0));
    }
    assert_eq!(rx.try_recv(), Ok(1));
}

/// Row 4, for senders: one that was woken and dropped does not keep the next from its turn.
#[test]
fn wake_of_a_dropped_sender_does_not_hold_up_the_next() {
    for capacity in [0, 1] {
        let (tx, rx) = bounded(capacity);
        (0..capacity).for_each(|_| tx.try_send(0).unwrap());
        let counter = CountingWaker::new();
        let mut first = Box::pin(tx.send(1));
        let mut second = pin!(tx.send(2));
        assert!(poll(&mut first).is_pending());
        assert!(poll_with(&mut second, &counter.waker()).is_pending());
        rx.try_recv().unwrap();
        drop(first);
        rx.try_recv().unwrap();
        assert_eq!(counter.wakes(), 1);
        assert_eq!(poll(&mut second), Ready(Ok(())));
    }
}

/// Row 5, async-std#452: a second notification was dropped because the first was still on its way.
#[test]
fn two_sends_complete_two_parked_receivers_before_either_has_run() {
    for (tx, rx) in [bounded(0), bounded(1), unbounded()] {
        let (first, second) = (CountingWaker::new(), CountingWaker::new());
        let mut oldest = pin!(rx.recv());
        let mut newest = pin!(rx.recv());
        assert!(poll_with(&mut oldest, &first.waker()).is_pending());
        assert!(poll_with(&mut newest, &second.waker()).is_pending());
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        assert_eq!((first.wakes(), second.wakes()), (1, 1));
        assert_eq!(poll(&mut oldest), Ready(Ok(1)));
        assert_eq!(poll(&mut newest), Ready(Ok(2)));
    }
}

/// Row 5, for senders.
#[test]
fn two_receives_complete_two_parked_senders_before_either_has_run() {
    let (tx, rx) = bounded(0);
    let (first, second) = (CountingWaker::new(), CountingWaker::new());
    let mut oldest = pin!(tx.send(1));
    let mut newest = pin!(tx.send(2));
    assert!(poll_with(&mut oldest, &first.waker()).is_pending());
    assert!(poll_with(&mut newest, &second.waker()).is_pending());
    assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(1), Ok(2)));
    assert_eq!((first.wakes(), second.wakes()), (1, 1));
    assert_eq!(poll(&mut oldest), Ready(Ok(())));
    assert_eq!(poll(&mut newest), Ready(Ok(())));
}

/// Row 7, KN, LO: the waker was not refreshed, and a future that had moved to another task never finished.
#[test]
fn repolled_future_wakes_its_newest_waker() {
    let (old, new) = (CountingWaker::new(), CountingWaker::new());
    let (tx, rx) = bounded(0);
    let mut recv = pin!(rx.recv());
    assert!(poll_with(&mut recv, &old.waker()).is_pending());
    assert!(poll_with(&mut recv, &new.waker()).is_pending());
    tx.try_send(1).unwrap();
    assert_eq!((old.wakes(), new.wakes()), (0, 1));

    let mut send = pin!(tx.send(2));
    assert!(poll_with(&mut send, &old.waker()).is_pending());
    assert!(poll_with(&mut send, &new.waker()).is_pending());
    rx.try_recv().unwrap();
    assert_eq!((old.wakes(), new.wakes()), (0, 2));
}

/// Row 7: the first task is gone when the message comes.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn future_moved_from_one_task_to_another_finishes() {
    let (tx, rx) = bounded(0);
    let mut recv = Box::pin(rx.recv());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let polled = runtime.block_on(async { futures::poll!(&mut recv) });
    assert!(polled.is_pending());
    drop(runtime);
    let polls = AtomicU32::new(0);
    thread::scope(|threads| {
        let finishing = threads.spawn(|| {
            futures::executor::block_on(future::poll_fn(|cx| {
                let polled = recv.poll_unpin(cx);
                polls.fetch_add(1, SeqCst);
                polled
            }))
        });
        // Only once it has been polled by the second task does that one have to be woken.
        until(|| polls.load(SeqCst) > 0);
        tx.try_send(1).unwrap();
        assert_eq!(finishing.join().unwrap(), Ok(1));
    });
}

/// Row 9, FL#120, CF 3.0.6: the queue and the closed flag were read one after the other. Loom looks at the race.
#[test]
fn closed_is_reported_only_after_the_last_message() {
    for receive in RECEIVES {
        let (tx, rx) = unbounded();
        (0..3).for_each(|message| tx.try_send(message).unwrap());
        drop(tx);
        let received: Vec<_> = (0..4).map(|_| receive(&rx)).collect();
        assert_eq!(received, [Some(0), Some(1), Some(2), None]);
    }
}

/// Row 10, FR#909: a send was `Ok` and its message neither received nor dropped. Loom looks at the race.
#[test]
fn message_sent_and_never_received_lets_its_reply_channel_close() {
    let (tx, rx) = unbounded();
    let (reply_tx, reply_rx) = bounded::<u8>(1);
    assert!(tx.try_send(reply_tx).is_ok());
    drop(rx);
    assert_eq!(reply_rx.try_recv(), Err(TryRecvError::Closed));
}

/// Row 11, FL#140: a send at capacity 0 was `Ok` though no receiver had the message.
#[test]
fn rendezvous_send_is_not_done_while_nobody_receives() {
    let (tx, rx) = bounded(0);
    assert_eq!(tx.try_send(1), Err(TrySendError::Full(1)));
    assert_eq!(tx.force_send(2), Err(TrySendError::Full(2)));
    #[cfg(feature = "std")]
    {
        let timed_out = tx.send(3).wait_timeout(Duration::from_millis(1));
        assert_eq!(timed_out.unwrap_err().into_inner(), 3);
    }
    let mut send = pin!(tx.send(4));
    for _ in 0..3 {
        assert_eq!(poll(&mut send), Pending);
        assert_eq!((rx.len(), rx.waiting_senders()), (0, 1));
    }
    assert_eq!(rx.try_recv(), Ok(4));
    assert_eq!((rx.len(), rx.waiting_senders()), (0, 0));
    assert_eq!(poll(&mut send), Ready(Ok(())));
}

/// Row 11: a receiver that was parked and is gone takes nothing.
#[test]
fn rendezvous_send_is_not_done_by_a_receiver_that_has_gone() {
    let (tx, rx) = bounded(0);
    let mut recv = Box::pin(rx.recv());
    assert!(poll(&mut recv).is_pending());
    drop(recv);
    assert_eq!(tx.try_send(1), Err(TrySendError::Full(1)));
}

/// Row 12, LO: being polled twice was taken for being done.
#[test]
fn spurious_polls_complete_nothing() {
    let (tx, rx) = bounded(0);
    let mut send = pin!(tx.send(1));
    for _ in 0..10 {
        assert_eq!(poll(&mut send), Pending, "nobody has received");
    }
    rx.close();
    assert_eq!(poll(&mut send), Ready(Err(SendError(1))));

    let (tx, rx) = bounded::<u8>(0);
    let mut recv = pin!(rx.recv());
    for _ in 0..10 {
        assert_eq!(poll(&mut recv), Pending, "nobody has sent");
    }
    tx.close();
    assert_eq!(poll(&mut recv), Ready(Err(RecvError)));
}

/// Row 12, LO: senders were removed by their position, and an error carried another one's message.
#[test]
fn close_gives_each_parked_sender_its_own_message_though_some_have_gone() {
    let (tx, rx) = bounded(0);
    let mut parked: Vec<_> = (0..50).map(|n| (n, Box::pin(tx.send(n)))).collect();
    for (_, send) in &mut parked {
        assert!(poll(send).is_pending());
    }
    // Some were served and some cancelled, from all over the queue.
    assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(0), Ok(1)));
    let mut parked: Vec<_> = parked.drain(2..).collect();
    parked.retain(|(n, _)| n % 3 != 0);
    drop(rx);
    for (n, mut send) in parked {
        assert_eq!(poll(&mut send), Ready(Err(SendError(n))));
    }
}

/// Row 14, TK#7094: a panic in one message's drop kept the others from dropping.
#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn panic_in_one_messages_drop_leaves_none_of_the_others_undropped() {
    struct PanicsIfFirst(Counted);
    impl Drop for PanicsIfFirst {
        fn drop(&mut self) {
            assert_ne!(self.0.id, 0, "the first");
        }
    }
    for (tx, rx) in [bounded(3), unbounded()] {
        let drops = Drops::new();
        for id in 0..3 {
            assert!(tx.try_send(PanicsIfFirst(drops.message(id))).is_ok());
        }
        assert!(panic_of(|| drop(rx)).contains("the first"));
        assert_eq!(drops.count(), 3);
    }
}

/// Row 18, KN#4: the peer used a waiter that its owner had freed. Here the owner frees it inside its own wake.
#[test]
fn waiter_freed_inside_its_own_wake_is_not_touched_again() {
    type Parked = Arc<Mutex<Option<hchan::IntoStream<Box<u32>>>>>;

    /// Parks a stream that is freed when it is woken.
    fn park(rx: &Receiver<Box<u32>>) -> Parked {
        let parked = Parked::default();
        let freeing = hooked_waker({
            let parked = Arc::clone(&parked);
            move |call| {
                if call == Call::Wake {
                    let stream = parked.lock().unwrap().take();
                    drop(stream);
                }
            }
        });
        let mut stream = rx.clone().into_stream();
        assert!(poll_with(&mut stream.next(), &freeing).is_pending());
        *parked.lock().unwrap() = Some(stream);
        parked
    }

    // Woken by a handover: the message goes on to the second, which is freed as well, and back to the channel.
    let (tx, rx) = bounded(0);
    let parked = [park(&rx), park(&rx)];
    tx.try_send(Box::new(1)).unwrap();
    assert!(parked.iter().all(|stream| stream.lock().unwrap().is_none()));
    assert_eq!(rx.try_recv().as_deref(), Ok(&1));

    // Woken by the close, more of them than are woken in one go.
    let parked: Vec<_> = (0..100).map(|_| park(&rx)).collect();
    tx.close();
    assert!(parked.iter().all(|stream| stream.lock().unwrap().is_none()));
    assert_eq!(rx.receiver_count(), 1);
}

/// Row 19, CB#821, KN#11: whoever waited kept the processor busy.
#[cfg(all(target_os = "linux", feature = "std"))]
#[test]
#[cfg_attr(miri, ignore = "Miri has no clock for a thread's processor time")]
fn blocked_receive_costs_next_to_no_processor_time() {
    use rustix::time::{ClockId, clock_gettime};

    /// What of the time of `wait` its thread was busy.
    fn busy<R>(wait: impl FnOnce() -> R) -> Duration {
        let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
        let start = now();
        wait();
        now() - start
    }
    const IDLE: Duration = Duration::from_millis(200);

    let (tx, rx) = bounded(0);
    thread::scope(|threads| {
        let timed = threads.spawn(|| busy(|| rx.recv().wait_timeout(IDLE).unwrap_err()));
        let endless = threads.spawn(|| busy(|| rx.recv_blocking().unwrap()));
        timed
            .join()
            .map(|busy| assert!(busy < IDLE / 4, "{busy:?} of {IDLE:?}"))
            .unwrap();
        thread::sleep(IDLE);
        tx.send_blocking(()).unwrap();
        let busy = endless.join().unwrap();
        assert!(busy < IDLE / 2, "{busy:?} of twice {IDLE:?}");
    });
}

/// Row 20, AC#13: a receiver that had been woken for nothing woke the next one, and so on.
#[test]
fn each_message_wakes_one_receiver_and_each_receive_one_sender() {
    let (tx, rx) = bounded(1);
    let counter = CountingWaker::new();
    let mut recvs: Vec<_> = (0..10).map(|_| Box::pin(rx.recv())).collect();
    for recv in &mut recvs {
        assert!(poll_with(recv, &counter.waker()).is_pending());
    }
    for sent in 1..=5 {
        tx.try_send(sent).unwrap();
        assert_eq!(counter.wakes(), sent);
    }
    // Nor does anything that was woken for nothing, or gone, wake others.
    for recv in recvs.iter_mut().skip(5) {
        assert!(poll_with(recv, &counter.waker()).is_pending());
    }
    assert_eq!(counter.wakes(), 5);
    recvs.truncate(5);
    for (n, recv) in recvs.iter_mut().enumerate() {
        assert_eq!(poll(recv), Ready(Ok(n + 1)));
    }
    assert_eq!(counter.wakes(), 5);

    let counter = CountingWaker::new();
    tx.try_send(0).unwrap();
    let mut sends: Vec<_> = (1..=10).map(|message| Box::pin(tx.send(message))).collect();
    for send in &mut sends {
        assert!(poll_with(send, &counter.waker()).is_pending());
    }
    for received in 1..=5 {
        rx.try_recv().unwrap();
        assert_eq!(counter.wakes(), received);
    }
}

/// Row 21, FL, KN, CB#798: times and capacities were added up without a look at their size.
#[cfg(feature = "std")]
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn endless_timeouts_and_capacities_do_not_overflow() {
    let (tx, rx) = bounded(usize::MAX);
    tx.try_send(1).unwrap();
    assert_eq!(rx.recv().wait_timeout(Duration::MAX), Ok(1));
    assert_eq!(tx.send(2).wait_timeout(Duration::MAX), Ok(()));
    assert_eq!(
        (rx.len(), rx.is_full(), rx.capacity()),
        (1, false, Some(usize::MAX))
    );
    assert_eq!(rx.try_recv(), Ok(2));

    thread::scope(|threads| {
        let waiting = threads.spawn(|| rx.recv().wait_timeout(Duration::MAX));
        until(|| rx.waiting_receivers() == 1);
        tx.try_send(3).unwrap();
        assert_eq!(waiting.join().unwrap(), Ok(3));
    });

    let (tx, rx) = bounded(0);
    thread::scope(|threads| {
        let waiting = threads.spawn(|| tx.send(4).wait_timeout(Duration::MAX));
        until(|| rx.waiting_senders() == 1);
        assert_eq!(rx.try_recv(), Ok(4));
        assert_eq!(waiting.join().unwrap(), Ok(()));
    });
}

/// Row 21, CB#1300: nor do those of messages without a size.
#[test]
fn endless_capacity_holds_messages_without_a_size() {
    const MANY: usize = scaled(100_000);
    for (tx, rx) in [bounded(usize::MAX), bounded(usize::MAX - 1), unbounded()] {
        (0..MANY).for_each(|_| tx.try_send(()).unwrap());
        assert_eq!((rx.len(), rx.is_full()), (MANY, false));
        assert_eq!(rx.try_iter().count(), MANY);
    }
}

/// Row 23, AC#60: the upgrade of a weak handle opened a closed channel again. Loom looks at the race.
#[test]
fn weak_handle_does_not_bring_an_end_back_that_has_gone() {
    let (tx, rx) = bounded(2);
    let (weak_tx, weak_rx) = (tx.downgrade(), rx.downgrade());
    tx.try_send(1).unwrap();
    drop(tx);
    assert!(weak_tx.upgrade().is_none());
    assert_eq!((rx.sender_count(), rx.try_recv()), (0, Ok(1)));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    drop(rx);
    assert!(weak_rx.upgrade().is_none());
    assert!(weak_tx.upgrade().is_none());
}

/// Row 24, TK#8095: a waker stayed in a future that had completed, and with it all that the waker kept alive.
#[test]
fn no_waker_is_kept_after_completion() {
    /// Parks one side's future with a waker of its own, ends it, and looks whether the waker is gone.
    fn check(name: &str, capacity: usize, end: impl FnOnce(&Sender<u32>, &Receiver<u32>)) {
        let (tx, rx) = bounded(capacity);
        (0..capacity).for_each(|_| tx.try_send(0).unwrap());
        let (sender, receiver) = (CountingWaker::new(), CountingWaker::new());
        let mut send = pin!(tx.send(1));
        let mut recv = pin!(rx.recv());
        if name.starts_with("send") {
            assert!(poll_with(&mut send, &sender.waker()).is_pending());
        } else {
            assert!(poll_with(&mut recv, &receiver.waker()).is_pending());
        }
        assert_eq!(sender.wakers() + receiver.wakers(), 1, "{name}: it parked");
        end(&tx, &rx);
        assert_eq!(sender.wakers() + receiver.wakers(), 0, "{name}, unpolled");
        let _ = (poll(&mut send), poll(&mut recv));
        assert_eq!(sender.wakers() + receiver.wakers(), 0, "{name}, polled");
    }
    check("recv, handed a message", 0, |tx, _| tx.try_send(2).unwrap());
    check("recv, closed by the sender", 0, |tx, _| assert!(tx.close()));
    check("recv, closed by the receiver", 0, |_, rx| {
        assert!(rx.close())
    });
    check("send, taken", 0, |_, rx| assert!(rx.try_recv().is_ok()));
    check("send, promoted", 1, |_, rx| assert!(rx.try_recv().is_ok()));
    check("send, closed by the sender", 1, |tx, _| assert!(tx.close()));
    check("send, closed by the receiver", 1, |_, rx| {
        assert!(rx.close())
    });
}

/// Row 24: nor after a future has been cancelled, replaced its waker, or never parked.
#[test]
fn no_waker_is_kept_by_futures_that_do_not_wait() {
    let counter = CountingWaker::new();
    let (tx, rx) = bounded(1);
    let mut send = Box::pin(tx.send(1));
    assert!(poll_with(&mut send, &counter.waker()).is_ready());
    assert_eq!(counter.wakers(), 0, "it was done at once");
    let mut parked = Box::pin(tx.send(2));
    assert!(poll_with(&mut parked, &counter.waker()).is_pending());
    assert!(poll(&mut parked).is_pending());
    assert_eq!(counter.wakers(), 0, "replaced");
    assert!(poll_with(&mut parked, &counter.waker()).is_pending());
    drop(parked);
    assert_eq!(counter.wakers(), 0, "cancelled");

    let mut recv = Box::pin(rx.recv());
    assert!(poll_with(&mut recv, &counter.waker()).is_ready());
    assert_eq!(counter.wakers(), 0, "it was done at once");
    let mut parked = Box::pin(rx.recv());
    assert!(poll_with(&mut parked, &counter.waker()).is_pending());
    assert!(poll(&mut parked).is_pending());
    assert_eq!(counter.wakers(), 0, "replaced");
    assert!(poll_with(&mut parked, &counter.waker()).is_pending());
    drop(parked);
    assert_eq!(counter.wakers(), 0, "cancelled");
}

/// Row 25, TK#8075/#8260: the way by which a permit came back woke nobody.
#[test]
fn dropped_permit_wakes_the_sender_that_waits_for_its_room() {
    for capacity in [1, 5] {
        let (tx, rx) = bounded(capacity);
        let mut permits: Vec<_> = (0..capacity).map(|_| tx.try_reserve().unwrap()).collect();
        let counters = [(); 2].map(|()| CountingWaker::new());
        let mut send = Box::pin(tx.send(7));
        let mut reserve = Box::pin(tx.reserve());
        assert!(poll_with(&mut send, &counters[0].waker()).is_pending());
        assert!(poll_with(&mut reserve, &counters[1].waker()).is_pending());
        drop(permits.pop());
        assert_eq!(counters.each_ref().map(|counter| counter.wakes()), [1, 0]);
        assert_eq!(poll(&mut send), Ready(Ok(())));
        assert_eq!(rx.try_recv(), Ok(7));
        assert_eq!(counters[1].wakes(), 1);
        assert!(poll(&mut reserve).is_ready());
    }
}

/// Row 25: nor did one that came back with the future that it had been given to.
#[test]
fn permit_of_a_dropped_reserve_wakes_the_sender_that_waits_for_its_room() {
    for capacity in [1, 5] {
        let (tx, _rx) = bounded(capacity);
        let permits: Vec<_> = (0..capacity).map(|_| tx.try_reserve().unwrap()).collect();
        let mut granted: Vec<_> = permits.iter().map(|_| Box::pin(tx.reserve())).collect();
        for reserve in &mut granted {
            assert!(poll(reserve).is_pending());
        }
        let counter = CountingWaker::new();
        let mut send = Box::pin(tx.send(7));
        assert!(poll_with(&mut send, &counter.waker()).is_pending());
        drop(permits);
        assert_eq!(counter.wakes(), 0, "the requests came first");
        drop(granted);
        assert_eq!(counter.wakes(), 1);
        assert_eq!(poll(&mut send), Ready(Ok(())));
    }
}

/// Row 25: nor did a close find those who waited for a permit that was out.
#[test]
fn close_with_a_permit_out_wakes_all_and_gives_the_message_back() {
    for capacity in [1, 5] {
        let (tx, rx) = bounded(capacity);
        let mut permits: Vec<_> = (0..capacity).map(|_| tx.try_reserve().unwrap()).collect();
        let counter = CountingWaker::new();
        let mut send = Box::pin(tx.send(7));
        let mut reserve = Box::pin(tx.reserve());
        assert!(poll_with(&mut send, &counter.waker()).is_pending());
        assert!(poll_with(&mut reserve, &counter.waker()).is_pending());
        assert!(rx.close());
        assert_eq!(counter.wakes(), 2);
        assert_eq!(poll(&mut send), Ready(Err(SendError(7))));
        assert!(matches!(poll(&mut reserve), Ready(Err(SendError(())))));
        assert_eq!(permits.pop().unwrap().send(8), Err(SendError(8)));
        drop(permits);
        assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    }
}

/// The arms of the selects in the tests of row 28: clones of both ends of one channel.
struct Clones {
    txs: [Sender<u32>; 2],
    rxs: [Receiver<u32>; 2],
}

impl Clones {
    fn of(tx: &Sender<u32>, rx: &Receiver<u32>) -> Self {
        // One is as good as the other, however it came about.
        Self {
            txs: [tx.clone(), tx.downgrade().upgrade().unwrap()],
            rxs: [rx.downgrade().upgrade().unwrap(), rx.clone()],
        }
    }

    /// What was received; 0 for a send of 7 or 8.
    async fn select(&self) -> u32 {
        select! {
            send(self.txs[0], 7) -> sent => sent.map_or(100, |()| 0),
            recv(self.rxs[0]) -> n => n.unwrap(),
            send(self.txs[1], 8) -> sent => sent.map_or(100, |()| 0),
            recv(self.rxs[1]) -> n => n.unwrap(),
        }
    }

    /// As `select`, by a `Select`; the receives are its first arms.
    async fn select_at_run_time(&self) -> u32 {
        let mut receives = self.rxs.each_ref().map(|rx| Box::pin(rx.recv()));
        let mut sends = [pin!(self.txs[0].send(7)), pin!(self.txs[1].send(8))];
        let mut select = Select::new();
        for receive in &mut receives {
            select.arm(receive.as_mut());
        }
        for send in &mut sends {
            select.arm(send.as_mut());
        }
        match select.await {
            arm @ 0..2 => receives[arm].as_mut().await.unwrap(),
            arm => sends[arm - 2].as_mut().await.map_or(100, |()| 0),
        }
    }
}

/// Row 28, CB, FL, golang#16286: a select knew a channel by its handle. It locked clones twice, or sent to itself.
#[test]
fn select_of_clones_of_both_ends_locks_once_and_does_not_pair_with_itself() {
    no_deadlock(|| {
        let (tx, rx) = bounded(0);
        let clones = Clones::of(&tx, &rx);
        let counter = CountingWaker::new();
        for at_run_time in [false, true] {
            let select = || match at_run_time {
                false => clones.select().boxed_local(),
                true => clones.select_at_run_time().boxed_local(),
            };
            for peer_sends in [false, true] {
                let wakes = counter.wakes();
                let mut selecting = select();
                for _ in 0..3 {
                    assert!(poll_with(&mut selecting, &counter.waker()).is_pending());
                    assert_eq!((rx.waiting_senders(), rx.waiting_receivers()), (2, 2));
                }
                assert_eq!(counter.wakes(), wakes, "it has met itself");
                // One arm happens, whichever clone's; all four are over then.
                if peer_sends {
                    tx.try_send(9).unwrap();
                    assert_eq!(tx.try_send(10), Err(TrySendError::Full(10)));
                    assert_eq!(poll(&mut selecting), Ready(9));
                } else {
                    assert!(matches!(rx.try_recv(), Ok(7 | 8)));
                    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
                    assert_eq!(poll(&mut selecting), Ready(0));
                }
                assert_eq!(counter.wakes(), wakes + 1);
                assert_eq!((rx.waiting_senders(), rx.waiting_receivers()), (0, 0));
            }
            // Two of them do pair: one message goes from one to the other.
            let (mut first, mut second) = (select(), select());
            assert!(poll(&mut first).is_pending());
            let Ready(second) = poll(&mut second) else {
                panic!("the first is there");
            };
            let Ready(first) = poll(&mut first) else {
                panic!("the second has met it");
            };
            assert!(
                matches!((first, second), (0, 7 | 8) | (7 | 8, 0)),
                "one sends and one receives, not {first} and {second}"
            );
            assert_eq!((rx.waiting_senders(), rx.waiting_receivers()), (0, 0));
        }
    });
}

/// Row 28, for a thread, and where there is nothing to wait for.
#[cfg(feature = "std")]
#[test]
fn blocking_select_of_clones_of_both_ends_does_not_pair_with_itself() {
    no_deadlock(|| {
        let (tx, rx) = bounded(0);
        let clones = Clones::of(&tx, &rx);
        for timeout in [Duration::ZERO, Duration::from_millis(2)] {
            select_blocking! {
                send(clones.txs[0], 7) -> _ => panic!("it has sent to itself"),
                recv(clones.rxs[0]) -> _ => panic!("it has received from itself"),
                recv(clones.rxs[1]) -> _ => panic!("it has received from itself"),
                send(clones.txs[1], 8) -> _ => panic!("it has sent to itself"),
                default(timeout) => {}
            }
            assert_eq!((rx.waiting_senders(), rx.waiting_receivers()), (0, 0));
        }
        select_blocking! {
            recv(clones.rxs[0]) -> _ => panic!("it has received from itself"),
            send(clones.txs[0], 7) -> _ => panic!("it has sent to itself"),
            default => {}
        }
    });
}

/// Row 26, KN#62, TK#7990: the error of a batch told nothing of what had not been sent, or there was none.
#[test]
fn batch_closed_half_way_tells_how_many_were_sent_and_has_the_rest() {
    for capacity in [0, 1, 5, 64] {
        let (tx, rx) = bounded(capacity);
        let mut sending = pin!(tx.send_many(0..100));
        assert!(poll(&mut sending).is_pending());
        rx.close();
        let Ready(Err(SendManyError { sent, rest })) = poll(&mut sending) else {
            panic!("a batch that was cut short is an error");
        };
        assert_eq!(sent, capacity);
        assert!(rest.eq(capacity..100));
        assert!(rx.drain().eq(0..capacity), "what was sent stays sent");

        let Err(TrySendError::Closed(unsent)) = tx.try_send_many(0..100) else {
            panic!("nothing can be sent into a closed channel");
        };
        assert_eq!(unsent.sent, 0);
        assert!(unsent.rest.eq(0..100));
    }
}

/// Row 26: what the vector had was overwritten, or what had been received was lost with the error.
#[test]
fn batch_received_from_a_closed_channel_is_put_behind_what_the_vector_has() {
    for (tx, rx) in [bounded(4), bounded(64), unbounded()] {
        tx.try_send_many(1..=3).unwrap();
        tx.close();
        let mut received = vec![0];
        let all = rx.recv_many(&mut received, 10).now_or_never();
        assert_eq!(all, Some(Ok(3)), "not an error: there were messages");
        let end = rx.recv_many(&mut received, 10).now_or_never();
        assert_eq!(end, Some(Err(RecvError)));
        assert_eq!(received, [0, 1, 2, 3]);
    }
}

/// Row 29, FL, LO: `is_terminated` spoke of the channel, so the arm was skipped and its error never seen.
#[test]
fn futures_select_yields_the_error_of_a_closed_channel() {
    let (tx, rx) = bounded::<u8>(1);
    let (other_tx, other_rx) = bounded::<u8>(0);
    drop((tx, other_rx));
    let receive = async {
        futures::select! {
            received = rx.recv() => Some(received),
            complete => None,
        }
    };
    assert_eq!(receive.now_or_never(), Some(Some(Err(RecvError))));
    let send = async {
        futures::select! {
            sent = other_tx.send(1) => Some(sent),
            complete => None,
        }
    };
    assert_eq!(send.now_or_never(), Some(Some(Err(SendError(1)))));
}

/// Row 30, FL#89, LO: messages lived on, with no receiver left, as long as there was a sender.
#[test]
fn last_receiver_dropped_drops_the_messages_at_once() {
    for (tx, rx) in [bounded(3), unbounded()] {
        let drops = Drops::new();
        let mut holder = Box::pin(rx.recv());
        assert!(poll(&mut holder).is_pending());
        (0..3).for_each(|id| tx.try_send(drops.message(id)).unwrap());
        drop(holder);
        let weak = rx.downgrade();
        drop(rx);
        assert_eq!(drops.count(), 3, "one given back and two buffered");
        assert_eq!((tx.len(), weak.upgrade().is_none()), (0, true));
    }
}
