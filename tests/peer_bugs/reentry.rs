//! Row 13, TK#5429, TK#4129, TK#5578, KN: wakers and messages ran under the lock, and used the channel again.
//!
//! A waker's clone, wake and drop and a message's drop are the caller's code. Each of them uses the channel here, on every
//! path that runs one: with the lock held that would be a deadlock.

use std::{
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    task::{
        Context,
        Poll::{self, Ready},
        Waker,
    },
};

use futures::{FutureExt, Stream};
use hchan::{Receiver, RecvError, SendError, Sender, WeakReceiver, WeakSender, bounded};

#[cfg(not(feature = "std"))]
use crate::support::blocking::*;
use crate::support::{Call, hooked_waker, no_deadlock, poll, poll_with};

/// Takes the channel's lock in many ways; what is in it, and who waits, is afterwards as before.
struct Visitor<T> {
    tx: WeakSender<T>,
    rx: WeakReceiver<T>,
}

impl<T> Visitor<T> {
    fn new(tx: &Sender<T>, rx: &Receiver<T>) -> Self {
        Self {
            tx: tx.downgrade(),
            rx: rx.downgrade(),
        }
    }

    fn visit(&self) {
        if let Some(tx) = self.tx.upgrade() {
            let _ = (tx.len(), tx.is_full(), tx.waiting_senders(), tx.is_closed());
            let _ = format!("{tx:?}");
        }
        if let Some(rx) = self.rx.upgrade() {
            let _ = (rx.len(), rx.is_full(), rx.waiting_receivers());
            if rx.is_empty() && rx.waiting_senders() == 0 {
                // Parks and unparks, at the end of the line.
                let _ = rx.recv().now_or_never();
            }
        }
    }
}

/// How often a waker was cloned, woken and dropped.
#[derive(Default)]
struct Calls([AtomicU32; 3]);

impl Calls {
    fn of(&self, call: Call) -> u32 {
        self.0[call as usize].load(SeqCst)
    }
}

/// A waker that visits the channel at every clone, wake and drop.
fn visiting_waker<T>(tx: &Sender<T>, rx: &Receiver<T>) -> (Waker, Arc<Calls>)
where
    T: Send + 'static,
{
    let calls = Arc::new(Calls::default());
    let visitor = Visitor::new(tx, rx);
    let counts = Arc::clone(&calls);
    let waker = hooked_waker(move |call| {
        counts.0[call as usize].fetch_add(1, SeqCst);
        visitor.visit();
    });
    (waker, calls)
}

fn poll_next<S: Stream + Unpin>(stream: &mut S, waker: &Waker) -> Poll<Option<S::Item>> {
    Pin::new(stream).poll_next(&mut Context::from_waker(waker))
}

/// Parks a receive with a visiting waker, which is cloned for that, and lets `wake` wake it.
fn visit_while_a_receive_is_woken(wake: impl Fn(&Sender<u32>, &Receiver<u32>) + Send + 'static) {
    no_deadlock(move || {
        let (tx, rx) = bounded(0);
        let (waker, calls) = visiting_waker(&tx, &rx);
        let mut recv = pin!(rx.recv());
        assert!(poll_with(&mut recv, &waker).is_pending());
        assert_eq!((calls.of(Call::Clone), calls.of(Call::Wake)), (1, 0));
        wake(&tx, &rx);
        assert_eq!(calls.of(Call::Wake), 1);
        assert!(poll(&mut recv).is_ready());
    });
}

/// The same for a send, parked in a full channel.
fn visit_while_a_send_is_woken(
    capacity: usize,
    wake: impl Fn(&Sender<u32>, &Receiver<u32>) + Send + 'static,
) {
    no_deadlock(move || {
        let (tx, rx) = bounded(capacity);
        (0..capacity).for_each(|_| tx.try_send(0).unwrap());
        let (waker, calls) = visiting_waker(&tx, &rx);
        let mut send = pin!(tx.send(1));
        assert!(poll_with(&mut send, &waker).is_pending());
        assert_eq!((calls.of(Call::Clone), calls.of(Call::Wake)), (1, 0));
        wake(&tx, &rx);
        assert_eq!(calls.of(Call::Wake), 1);
        assert!(poll(&mut send).is_ready());
    });
}

#[test]
fn receivers_waker_uses_the_channel_while_a_send_wakes_it() {
    visit_while_a_receive_is_woken(|tx, _| tx.try_send(1).unwrap());
    visit_while_a_receive_is_woken(|tx, _| assert_eq!(tx.force_send(1), Ok(None)));
    visit_while_a_receive_is_woken(|tx, _| tx.send_blocking(1).unwrap());
    visit_while_a_receive_is_woken(|tx, _| {
        assert_eq!(poll(&mut pin!(tx.send(1))), Ready(Ok(())));
    });
}

#[test]
fn senders_waker_uses_the_channel_while_a_receive_wakes_it() {
    for capacity in [0, 1] {
        visit_while_a_send_is_woken(capacity, |_, rx| assert!(rx.try_recv().is_ok()));
        visit_while_a_send_is_woken(capacity, |_, rx| assert!(rx.recv_blocking().is_ok()));
        visit_while_a_send_is_woken(capacity, |_, rx| {
            assert!(poll(&mut pin!(rx.recv())).is_ready());
        });
        visit_while_a_send_is_woken(capacity, |_, rx| {
            assert!(poll_next(&mut rx.stream(), Waker::noop()).is_ready());
        });
    }
}

#[test]
fn wakers_use_the_channel_while_it_is_closed() {
    visit_while_a_receive_is_woken(|tx, _| assert!(tx.close()));
    visit_while_a_receive_is_woken(|_, rx| assert!(rx.close()));
    visit_while_a_send_is_woken(1, |tx, _| assert!(tx.close()));
    visit_while_a_send_is_woken(1, |_, rx| assert!(rx.close()));
}

#[test]
fn wakers_use_the_channel_while_its_last_handles_are_dropped() {
    no_deadlock(|| {
        let (tx, rx) = bounded::<u32>(0);
        let (waker, calls) = visiting_waker(&tx, &rx);
        let mut recv = pin!(rx.recv());
        assert!(poll_with(&mut recv, &waker).is_pending());
        drop(tx);
        assert_eq!(calls.of(Call::Wake), 1);
        assert_eq!(poll(&mut recv), Ready(Err(RecvError)));

        let (tx, rx) = bounded(0);
        let (waker, calls) = visiting_waker(&tx, &rx);
        let mut send = pin!(tx.send(1));
        assert!(poll_with(&mut send, &waker).is_pending());
        drop(rx);
        assert_eq!(calls.of(Call::Wake), 1);
        assert_eq!(poll(&mut send), Ready(Err(SendError(1))));
    });
}

#[test]
fn receivers_waker_uses_the_channel_while_a_message_is_given_back_to_it() {
    no_deadlock(|| {
        let (tx, rx) = bounded(0);
        let (waker, calls) = visiting_waker(&tx, &rx);
        let mut filled = Box::pin(rx.recv());
        let mut waiting = pin!(rx.recv());
        assert!(poll(&mut filled).is_pending());
        assert!(poll_with(&mut waiting, &waker).is_pending());
        tx.try_send(1).unwrap();
        drop(filled);
        assert_eq!(calls.of(Call::Wake), 1);
        assert_eq!(poll(&mut waiting), Ready(Ok(1)));

        let (waker, calls) = visiting_waker(&tx, &rx);
        let mut stream = rx.stream();
        let mut waiting = pin!(rx.recv());
        assert!(poll_next(&mut stream, Waker::noop()).is_pending());
        assert!(poll_with(&mut waiting, &waker).is_pending());
        tx.try_send(2).unwrap();
        stream.release();
        assert_eq!(calls.of(Call::Wake), 1);
        assert_eq!(poll(&mut waiting), Ready(Ok(2)));
    });
}

#[test]
fn waker_uses_the_channel_while_another_replaces_it() {
    no_deadlock(|| {
        let (tx, rx) = bounded(0);
        let (first, first_calls) = visiting_waker(&tx, &rx);
        let (second, second_calls) = visiting_waker(&tx, &rx);

        let mut recv = Box::pin(rx.recv());
        assert!(poll_with(&mut recv, &first).is_pending());
        assert!(poll_with(&mut recv, &second).is_pending());
        assert_eq!(
            (first_calls.of(Call::Drop), second_calls.of(Call::Clone)),
            (1, 1)
        );
        drop(recv);

        let mut send = Box::pin(tx.send(1));
        assert!(poll_with(&mut send, &first).is_pending());
        assert!(poll_with(&mut send, &second).is_pending());
        assert_eq!(
            (first_calls.of(Call::Drop), second_calls.of(Call::Clone)),
            (2, 2)
        );
        drop(send);

        let mut stream = rx.stream();
        assert!(poll_next(&mut stream, &first).is_pending());
        assert!(poll_next(&mut stream, &second).is_pending());
        assert_eq!(
            (first_calls.of(Call::Drop), second_calls.of(Call::Clone)),
            (3, 3)
        );
    });
}

#[test]
fn waker_uses_the_channel_while_a_cancelled_future_drops_it() {
    no_deadlock(|| {
        let (tx, rx) = bounded(0);
        let (waker, calls) = visiting_waker(&tx, &rx);
        let mut recv = Box::pin(rx.recv());
        assert!(poll_with(&mut recv, &waker).is_pending());
        drop(recv);
        assert_eq!(calls.of(Call::Drop), 1);

        let mut send = Box::pin(tx.send(1));
        assert!(poll_with(&mut send, &waker).is_pending());
        drop(send);
        assert_eq!(calls.of(Call::Drop), 2);

        let mut stream = rx.stream();
        assert!(poll_next(&mut stream, &waker).is_pending());
        stream.release();
        assert_eq!(calls.of(Call::Drop), 3);
        assert!(poll_next(&mut stream, &waker).is_pending());
        drop(stream);
        assert_eq!(calls.of(Call::Drop), 4);
    });
}

/// A waker that runs `action` at its first clone, which is before its future parks.
fn waker_with_a_first_clone(action: impl FnOnce() + Send + 'static) -> Waker {
    let action = std::sync::Mutex::new(Some(action));
    hooked_waker(move |call| {
        if call == Call::Clone {
            let action = action.lock().unwrap().take();
            action.into_iter().for_each(|action| action());
        }
    })
}

#[test]
fn receive_takes_what_comes_while_its_waker_is_cloned() {
    no_deadlock(|| {
        let (tx, rx) = bounded(1);
        let waker = waker_with_a_first_clone(move || {
            tx.try_send(1).unwrap();
        });
        let mut recv = pin!(rx.recv());
        assert_eq!(
            poll_with(&mut recv, &waker),
            Ready(Ok(1)),
            "not parked beside it"
        );

        // The clone above took the last sender along.
        let (tx, rx) = bounded::<u8>(1);
        let waker = waker_with_a_first_clone(move || drop(tx));
        let mut recv = pin!(rx.recv());
        assert_eq!(poll_with(&mut recv, &waker), Ready(Err(RecvError)));
    });
}

#[test]
fn send_uses_the_room_that_comes_while_its_waker_is_cloned() {
    no_deadlock(|| {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let waker = waker_with_a_first_clone({
            let rx = rx.clone();
            move || assert_eq!(rx.try_recv(), Ok(1))
        });
        let mut send = pin!(tx.send(2));
        assert_eq!(
            poll_with(&mut send, &waker),
            Ready(Ok(())),
            "not parked beside it"
        );
        assert_eq!(rx.try_recv(), Ok(2));

        let (tx, rx) = bounded(0);
        let waker = waker_with_a_first_clone(move || drop(rx));
        let mut send = pin!(tx.send(3));
        assert_eq!(poll_with(&mut send, &waker), Ready(Err(SendError(3))));
    });
}

#[test]
fn repolled_future_notices_that_it_was_completed_while_its_waker_was_cloned() {
    no_deadlock(|| {
        let (tx, rx) = bounded(0);
        let mut recv = pin!(rx.recv());
        assert!(poll(&mut recv).is_pending());
        let waker = waker_with_a_first_clone({
            let tx = tx.clone();
            move || tx.try_send(1).unwrap()
        });
        assert_eq!(poll_with(&mut recv, &waker), Ready(Ok(1)));

        let mut send = pin!(tx.send(2));
        assert!(poll(&mut send).is_pending());
        let waker = waker_with_a_first_clone({
            let rx = rx.clone();
            move || assert_eq!(rx.try_recv(), Ok(2))
        });
        assert_eq!(poll_with(&mut send, &waker), Ready(Ok(())));
    });
}

#[test]
fn wake_sends_and_receives_on_the_channel_that_wakes_it() {
    no_deadlock(|| {
        // Woken by one message, it sends the next, which wakes the next, and so on.
        let (tx, rx) = bounded(0);
        let mut recvs: Vec<_> = (0..10).map(|_| Box::pin(rx.recv())).collect();
        for (n, recv) in recvs.iter_mut().enumerate() {
            let tx = tx.clone();
            let waker = hooked_waker(move |call| {
                if call == Call::Wake && n < 9 {
                    tx.try_send(n + 1).expect("the next one is parked");
                }
            });
            assert!(poll_with(recv, &waker).is_pending());
        }
        tx.try_send(0).unwrap();
        for (n, recv) in recvs.iter_mut().enumerate() {
            assert_eq!(poll(recv), Ready(Ok(n)));
        }

        // Woken because its message was taken, it takes the next one's.
        let mut sends: Vec<_> = (0..10).map(|n| Box::pin(tx.send(n))).collect();
        let taken = Arc::new(AtomicU32::new(0));
        for send in &mut sends {
            let (rx, taken) = (rx.clone(), Arc::clone(&taken));
            let waker = hooked_waker(move |call| {
                if call == Call::Wake {
                    taken.fetch_add(u32::from(rx.try_recv().is_ok()), SeqCst);
                }
            });
            assert!(poll_with(send, &waker).is_pending());
        }
        assert_eq!(rx.try_recv(), Ok(0));
        assert_eq!(taken.load(SeqCst), 9);
    });
}

/// A message that visits the channel it was sent to when it drops.
struct Visiting(Visitor<Visiting>, Arc<AtomicU32>);

impl Drop for Visiting {
    fn drop(&mut self) {
        self.1.fetch_add(1, SeqCst);
        self.0.visit();
    }
}

#[test]
fn messages_use_the_channel_while_they_are_dropped() {
    no_deadlock(|| {
        let drops = Arc::new(AtomicU32::new(0));
        let (tx, rx) = bounded(1);
        let message = || Visiting(Visitor::new(&tx, &rx), Arc::clone(&drops));

        drop(tx.send(message()));
        assert_eq!(drops.load(SeqCst), 1, "never polled");

        assert!(tx.try_send(message()).is_ok());
        let mut parked = Box::pin(tx.send(message()));
        assert!(poll(&mut parked).is_pending());
        drop(parked);
        assert_eq!(drops.load(SeqCst), 2, "parked");

        drop(tx.try_send(message()));
        assert_eq!(drops.load(SeqCst), 3, "in an error");

        drop(tx.force_send(message()));
        assert_eq!(drops.load(SeqCst), 4, "evicted");

        let mut closed = Box::pin(tx.send(message()));
        assert!(poll(&mut closed).is_pending());
        tx.close();
        drop(closed);
        assert_eq!(drops.load(SeqCst), 5, "parked at the close");
        drop(rx.try_recv());
        assert_eq!(drops.load(SeqCst), 6, "received");
    });
}

#[test]
fn messages_use_the_channel_while_the_last_receiver_drops_them() {
    no_deadlock(|| {
        let drops = Arc::new(AtomicU32::new(0));
        let (tx, rx) = bounded(2);
        let mut holder = Box::pin(rx.recv());
        assert!(poll(&mut holder).is_pending());
        for _ in 0..3 {
            let message = Visiting(Visitor::new(&tx, &rx), Arc::clone(&drops));
            assert!(tx.try_send(message).is_ok());
        }
        drop(holder);
        drop(rx);
        assert_eq!(drops.load(SeqCst), 3, "one given back and two buffered");

        // The last receiver, in a stream that was handed a message.
        let (tx, rx) = bounded(0);
        let message = Visiting(Visitor::new(&tx, &rx), Arc::clone(&drops));
        let mut stream = rx.into_stream();
        assert!(poll_next(&mut stream, Waker::noop()).is_pending());
        assert!(tx.try_send(message).is_ok());
        drop(stream);
        assert_eq!(drops.load(SeqCst), 4);
    });
}

#[test]
fn messages_may_own_handles_of_the_channel_they_are_in() {
    struct Owning(#[allow(dead_code)] Sender<Owning>);
    no_deadlock(|| {
        let (tx, rx) = bounded(2);
        assert!(tx.try_send(Owning(tx.clone())).is_ok());
        assert!(tx.try_send(Owning(tx.clone())).is_ok());
        let weak = tx.downgrade();
        drop(tx);
        assert!(!rx.is_closed(), "the messages keep it open");
        drop(rx);
        assert!(
            weak.upgrade().is_none(),
            "they are gone and their handles, too"
        );
    });
}
