//! Panics of wakers that come at a bad moment: when the wait is over before it began, or with another panic on its way.

#![cfg(panic = "unwind")]
// All of it catches panics.

// Without `std` the second panic ends the process, as that of a drop always does.
#![cfg_attr(not(feature = "std"), allow(dead_code, unused_imports))]

mod support;

use std::{
    mem,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{
        Context,
        Poll::{self, Ready},
        Waker,
    },
};

#[cfg(feature = "sink")]
use futures::SinkExt;
use futures::{Stream, StreamExt, future::FusedFuture};
use hchan::{RecvError, SendError, bounded, recv_any, select, unbounded};
use support::{Call, Stop, hooked_waker, panic_of, panicking_waker, poll, poll_with};

/// At its first clone does something; the first drop after that panics.
fn trap(action: impl Fn() + Send + Sync + 'static) -> Waker {
    let armed = AtomicBool::new(false);
    let done = AtomicBool::new(false);
    hooked_waker(move |call| match call {
        Call::Clone if !done.swap(true, SeqCst) => {
            action();
            armed.store(true, SeqCst);
        }
        Call::Drop if armed.swap(false, SeqCst) => panic!("dropped"),
        _ => {}
    })
}

#[test]
fn stream_ends_though_the_drop_of_an_unused_waker_panicked_at_the_close() {
    let (tx, rx) = bounded::<u8>(1);
    let mut stream = rx.stream();
    let waker = trap(move || assert!(tx.close()));
    let mut cx = Context::from_waker(&waker);
    assert_eq!(
        panic_of(|| Pin::new(&mut stream).poll_next(&mut cx)),
        "dropped"
    );
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(Pin::new(&mut stream).poll_next(&mut cx), Ready(None));
}

#[test]
fn receive_fails_though_the_drop_of_an_unused_waker_panicked_at_the_close() {
    let (tx, rx) = bounded::<u8>(1);
    let waker = trap(move || assert!(tx.close()));
    let mut recv = Box::pin(rx.recv());
    assert_eq!(panic_of(|| poll_with(&mut recv, &waker)), "dropped");
    assert!(!recv.is_terminated(), "it has not returned `Ready`");
    assert_eq!(poll(&mut recv), Ready(Err(RecvError)));
}

#[test]
fn send_keeps_its_message_though_the_drop_of_an_unused_waker_panics_at_the_close() {
    let (tx, rx) = bounded(0);
    let waker = trap(move || assert!(rx.close()));
    let mut send = Box::pin(tx.send(1));
    assert_eq!(panic_of(|| poll_with(&mut send, &waker)), "dropped");
    assert!(!send.is_terminated(), "it has not returned `Ready`");
    assert_eq!(poll(&mut send), Ready(Err(SendError(1))));
}

/// Used to abort the process: a panic in a drop while another is on its way.
#[cfg(feature = "std")]
#[test]
fn send_survives_that_both_the_receivers_waker_and_its_own_unused_one_panic() {
    let (tx, rx) = bounded(0);
    let stream = Arc::new(Mutex::new(rx.into_stream()));
    let waker = trap({
        let stream = Arc::clone(&stream);
        move || {
            let waker = panicking_waker("woken");
            let mut cx = Context::from_waker(&waker);
            assert!(
                Pin::new(&mut *stream.lock().unwrap())
                    .poll_next(&mut cx)
                    .is_pending()
            );
        }
    });
    let mut send = Box::pin(tx.send(1));
    assert_eq!(panic_of(|| poll_with(&mut send, &waker)), "woken");
    assert!(send.is_terminated(), "it was sent");
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(
        Pin::new(&mut *stream.lock().unwrap()).poll_next(&mut cx),
        Ready(Some(1))
    );
}

/// The payload of a panic that is given up for another is user code to drop.
#[cfg(feature = "std")]
#[test]
fn message_is_given_back_though_the_next_receivers_waker_panics_with_a_payload_that_panics() {
    struct Grenade;
    impl Drop for Grenade {
        fn drop(&mut self) {
            panic!("payload dropped");
        }
    }
    let (tx, rx) = bounded(0);
    let stream = Arc::new(Mutex::new(rx.clone().into_stream()));
    let park_and_panic = hooked_waker({
        let stream = Arc::clone(&stream);
        move |call| {
            if call == Call::Wake {
                let waker = hooked_waker(|call| {
                    if call == Call::Wake {
                        std::panic::panic_any(Grenade);
                    }
                });
                let mut cx = Context::from_waker(&waker);
                assert!(
                    Pin::new(&mut *stream.lock().unwrap())
                        .poll_next(&mut cx)
                        .is_pending()
                );
                panic!("woken");
            }
        }
    });
    let mut send = Box::pin(tx.send(1));
    assert!(poll_with(&mut send, &park_and_panic).is_pending());
    assert_eq!(panic_of(|| rx.try_recv()), "woken");
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(
        Pin::new(&mut *stream.lock().unwrap()).poll_next(&mut cx),
        Ready(Some(1))
    );
}

/// A task that panics drops its futures. Used to abort the process, as the next two did.
#[cfg(feature = "std")]
#[test]
fn receive_dropped_by_a_panic_gives_back_though_the_next_waker_panics() {
    let (tx, rx) = bounded(0);
    let mut first = Box::pin(rx.recv());
    let mut second = Box::pin(rx.recv());
    assert!(poll(&mut first).is_pending());
    assert!(poll_with(&mut second, &panicking_waker("woken")).is_pending());
    tx.try_send(1).unwrap();
    assert_eq!(
        panic_of(move || {
            let _first = first;
            panic!("task");
        }),
        "task"
    );
    assert_eq!(poll(&mut second), Ready(Ok(1)));
}

#[cfg(feature = "std")]
#[test]
fn last_sender_dropped_by_a_panic_closes_though_a_waker_panics() {
    let (tx, rx) = bounded::<u8>(0);
    let mut recv = Box::pin(rx.recv());
    assert!(poll_with(&mut recv, &panicking_waker("woken")).is_pending());
    assert_eq!(
        panic_of(move || {
            let _tx = tx;
            panic!("task");
        }),
        "task"
    );
    assert_eq!(poll(&mut recv), Ready(Err(RecvError)));
}

/// What dropped, in order: the drop of each of these is noted, then it panics.
struct Bomb(&'static str, Option<Arc<Mutex<Vec<&'static str>>>>);

impl Bomb {
    /// Drops it without a note and a panic.
    fn defuse(mut self) {
        self.1 = None;
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        if let Some(dropped) = self.1.take() {
            dropped.lock().unwrap().push(self.0);
            panic!("{}", self.0);
        }
    }
}

/// Bombs that share a list.
#[derive(Clone, Default)]
struct Bombs(Arc<Mutex<Vec<&'static str>>>);

impl Bombs {
    fn bomb(&self, name: &'static str) -> Bomb {
        Bomb(name, Some(Arc::clone(&self.0)))
    }

    /// A waker that panics when `armed` and dropped.
    fn waker(&self, armed: &Arc<AtomicBool>) -> Waker {
        let (dropped, armed) = (Arc::clone(&self.0), Arc::clone(armed));
        hooked_waker(move |call| {
            if call == Call::Drop && armed.swap(false, SeqCst) {
                dropped.lock().unwrap().push("waker");
                panic!("waker");
            }
        })
    }

    /// Drops something that has to panic: returns what dropped, in order; the first panic has to be the one that goes on.
    fn dropped_with<F>(&self, droppable: F) -> Vec<&'static str> {
        let panic = panic_of(move || drop(droppable));
        let dropped = mem::take(&mut *self.0.lock().unwrap());
        assert_eq!(dropped.first(), Some(&&*panic), "the first panic goes on");
        dropped
    }
}

/// Parks it with a waker that panics when it is dropped with what was parked.
fn park<F: Future>(bombs: &Bombs, future: Pin<Box<F>>) -> Pin<Box<F>> {
    let armed = Arc::new(AtomicBool::new(false));
    let mut future = future;
    assert!(poll_with(&mut future, &bombs.waker(&armed)).is_pending());
    armed.store(true, SeqCst);
    future
}

#[cfg(feature = "std")]
#[test]
fn cancelled_send_survives_that_both_its_message_and_its_waker_panic() {
    let bombs = Bombs::default();
    let (tx, rx) = bounded(0);
    let send = park(&bombs, Box::pin(tx.send(bombs.bomb("message"))));
    assert_eq!(bombs.dropped_with(send), ["message", "waker"]);
    let send = park(
        &bombs,
        Box::pin(tx.clone().into_send(bombs.bomb("message"))),
    );
    assert_eq!(bombs.dropped_with(send), ["message", "waker"]);
    assert_eq!(rx.waiting_senders(), 0);
}

#[cfg(feature = "std")]
#[test]
fn batch_survives_that_several_of_its_messages_panic() {
    let bombs = Bombs::default();
    let (tx, rx) = unbounded();
    let messages = ["1", "2", "3"].into_iter();
    assert!(
        tx.try_send_many(messages.map(|name| bombs.bomb(name)))
            .is_ok()
    );
    assert_eq!(bombs.dropped_with(rx.drain()), ["1", "2", "3"]);

    let (tx, rx) = bounded(3);
    // Three are taken out of it, as there is room for so many, and then there is none.
    let messages = || {
        ["1", "2", "3"].into_iter().map(|name| {
            let fill = || {
                tx.try_send(bombs.bomb(""))
                    .map_err(|full| full.into_inner().defuse())
            };
            while name == "3" && fill().is_ok() {}
            bombs.bomb(name)
        })
    };
    let empty = || rx.drain().for_each(Bomb::defuse);
    let unsent = tx.try_send_many(messages());
    assert_eq!(bombs.dropped_with(unsent), ["1", "2", "3"]);
    empty();
    let send = park(&bombs, Box::pin(tx.send_many(messages())));
    assert_eq!(bombs.dropped_with(send), ["1", "waker", "2", "3"]);
    empty();
}

/// The iterator is the caller's, too.
#[cfg(feature = "std")]
#[test]
fn batch_survives_that_both_its_messages_and_its_iterator_panic() {
    struct Source(Vec<Bomb>, #[expect(dead_code, reason = "dropped")] Bomb);
    impl Iterator for Source {
        type Item = Bomb;
        fn next(&mut self) -> Option<Bomb> {
            self.0.pop()
        }
    }
    let bombs = Bombs::default();
    let source = || Source(vec![bombs.bomb("message")], bombs.bomb("iterator"));
    let (tx, _rx) = bounded(0);
    let send = park(&bombs, Box::pin(tx.send_many(source())));
    assert_eq!(bombs.dropped_with(send), ["message", "waker", "iterator"]);
    let unsent = tx.try_send_many(source());
    assert_eq!(bombs.dropped_with(unsent), ["message", "iterator"]);
}

#[cfg(feature = "std")]
#[test]
fn until_survives_that_its_message_its_waker_and_its_stop_panic() {
    struct Never(#[expect(dead_code, reason = "dropped")] Bomb);
    impl Future for Never {
        type Output = ();
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            Poll::Pending
        }
    }
    let bombs = Bombs::default();
    let (tx, _rx) = bounded(0);
    let stop = Never(bombs.bomb("stop"));
    let send = tx.send(bombs.bomb("message")).until(stop);
    let send = park(&bombs, Box::pin(send));
    assert_eq!(bombs.dropped_with(send), ["message", "waker", "stop"]);
}

#[cfg(feature = "std")]
#[test]
fn select_survives_that_its_waker_and_the_output_of_its_future_panic() {
    let bombs = Bombs::default();
    let (_tx, rx) = bounded::<u8>(0);
    let stop = Stop::new();
    let armed = Arc::new(AtomicBool::new(false));
    let waker = bombs.waker(&armed);
    let mut selecting = Box::pin(async {
        let work = async {
            (&stop).await;
            bombs.bomb("output")
        };
        select! {
            recv(rx) -> _ => {}
            future(work) -> _ => {}
        }
    });
    assert!(poll_with(&mut selecting, &waker).is_pending());
    stop.complete();
    armed.store(true, SeqCst);
    assert_eq!(panic_of(|| poll_with(&mut selecting, &waker)), "waker");
    assert_eq!(*bombs.0.lock().unwrap(), ["waker", "output"]);
    assert_eq!(rx.waiting_receivers(), 0);
}

/// Whatever was parked; a task that panics drops its futures.
#[cfg(feature = "std")]
#[test]
fn operation_dropped_by_a_panic_survives_that_its_waker_panics() {
    fn survives<F: Future>(bombs: &Bombs, future: F) {
        let future = park(bombs, Box::pin(future));
        let panic = panic_of(move || {
            let _future = future;
            panic!("task");
        });
        let dropped = mem::take(&mut *bombs.0.lock().unwrap());
        assert_eq!((&*panic, dropped), ("task", vec!["waker"]));
    }
    let bombs = Bombs::default();
    let (tx, rx) = &bounded(0);
    survives(&bombs, rx.recv());
    survives(&bombs, rx.clone().into_recv());
    survives(&bombs, rx.recv_many(&mut Vec::new(), 2));
    survives(&bombs, tx.send(1));
    survives(&bombs, tx.send_many([1, 2]));
    survives(&bombs, tx.clone().into_send(1));
    survives(&bombs, tx.reserve());
    survives(&bombs, tx.closed());
    survives(&bombs, rx.drained());
    survives(&bombs, recv_any(&[rx.clone(), rx.clone()]));
    survives(&bombs, rx.stream().into_future());
    #[cfg(feature = "sink")]
    {
        let mut sink = tx.sink();
        survives(&bombs, async move { sink.feed(1).await });
    }
    let mut message = Some(1);
    survives(&bombs, tx.send_from(&mut message));
    assert_eq!(message, Some(1));
    survives(&bombs, async {
        select! {
            send_from(tx, &mut message) -> _ => {}
            recv(rx) -> _ => {}
        }
    });
    assert_eq!(message, Some(1));
    assert_eq!((tx.waiting_senders(), tx.waiting_receivers()), (0, 0));
}

#[cfg(feature = "std")]
#[test]
fn send_dropped_by_a_panic_survives_that_its_message_panics() {
    let bombs = Bombs::default();
    let (tx, _rx) = bounded(0);
    let send = park(&bombs, Box::pin(tx.send(bombs.bomb("message"))));
    assert_eq!(
        panic_of(move || {
            let _send = send;
            panic!("task");
        }),
        "task"
    );
    assert_eq!(*bombs.0.lock().unwrap(), ["message", "waker"]);
}
