//! Panics of wakers that come at a bad moment: when the wait is over before it began, or with another panic on its way.

// Without `std` the second panic ends the process, as that of a drop always does.
#![cfg_attr(not(feature = "std"), allow(dead_code, unused_imports))]

mod support;

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll::Ready, Waker},
};

use futures::{Stream, future::FusedFuture};
use hchan::{RecvError, SendError, bounded};
use support::{Call, hooked_waker, panic_of, panicking_waker, poll, poll_with};

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
