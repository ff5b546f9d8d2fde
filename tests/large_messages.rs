//! How much stack one operation needs for a message by value: so many times the message's size, and some space for frames.
//!
//! A stack overflow ends the process, so every case runs in a process of its own.

// Miri has no stack of its own to overflow and cannot start processes, nor can WebAssembly.
#![cfg(all(feature = "std", not(any(miri, target_family = "wasm", hchan_loom))))]

use std::{
    env,
    pin::Pin,
    process::Command,
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use hchan::{Receiver, Sender};

const LEN: usize = 128 << 10;
type Message = [u8; LEN];

/// For the frames that are not the message's: the thread's start, its parker, the channel's core.
const FRAMES: usize = 96 << 10;
const AMPLE: usize = 64 << 20;
const CASE: &str = "HCHAN_TEST_LARGE_MESSAGE";

type Capacity = Option<usize>;
const ROOM: &[Capacity] = &[Some(1), Some(64), None];
const BOUNDED: &[Capacity] = &[Some(0), Some(1), Some(64)];
const ALL: &[Capacity] = &[Some(0), Some(1), Some(64), None];

struct Case {
    name: &'static str,
    /// How many messages the stack has room for, in an optimized build and in a debug build.
    room: (usize, usize),
    capacities: &'static [Capacity],
    run: fn(Capacity, usize),
}

const fn case(
    name: &'static str,
    room: (usize, usize),
    capacities: &'static [Capacity],
    run: fn(Capacity, usize),
) -> Case {
    Case {
        name,
        room,
        capacities,
        run,
    }
}

const CASES: &[Case] = &[
    case("try_send", (3, 14), ROOM, |capacity, stack| {
        let (tx, _rx) = channel(capacity);
        on_stack(stack, move || tx.try_send(*made()).unwrap());
    }),
    case("try_recv", (4, 9), ROOM, |capacity, stack| {
        let (_tx, rx) = filled(capacity);
        on_stack(stack, move || assert_eq!(rx.try_recv().unwrap()[0], 7));
    }),
    case("force_send", (4, 24), ROOM, |capacity, stack| {
        let (tx, _rx) = filled(capacity);
        on_stack(stack, move || assert!(tx.force_send(*made()).is_ok()));
    }),
    case("send_blocking", (4, 20), ROOM, |capacity, stack| {
        let (tx, _rx) = channel(capacity);
        on_stack(stack, move || tx.send_blocking(*made()).unwrap());
    }),
    case("recv_blocking", (4, 12), ROOM, |capacity, stack| {
        let (_tx, rx) = filled(capacity);
        on_stack(stack, move || assert_eq!(rx.recv_blocking().unwrap()[0], 7));
    }),
    case(
        "send_blocking that waits",
        (4, 20),
        BOUNDED,
        |capacity, stack| {
            let (tx, rx) = full(capacity);
            let receiving = thread::spawn(move || {
                until(|| rx.waiting_senders() > 0);
                take(&rx);
                rx
            });
            on_stack(stack, move || tx.send_blocking(*made()).unwrap());
            receiving.join().unwrap();
        },
    ),
    case(
        "recv_blocking that waits",
        (4, 12),
        ALL,
        |capacity, stack| {
            let (tx, rx) = channel(capacity);
            let sending = thread::Builder::new().stack_size(AMPLE).spawn(move || {
                until(|| tx.waiting_receivers() > 0);
                put(&tx);
            });
            on_stack(stack, move || assert_eq!(rx.recv_blocking().unwrap()[0], 7));
            sending.unwrap().join().unwrap();
        },
    ),
    case(
        "send that times out",
        (4, 20),
        BOUNDED,
        |capacity, stack| {
            let (tx, _rx) = full(capacity);
            on_stack(stack, move || {
                assert!(
                    tx.send(*made())
                        .wait_timeout(Duration::from_millis(1))
                        .is_err()
                );
            });
        },
    ),
    case("send awaited", (4, 24), ROOM, |capacity, stack| {
        let (tx, _rx) = channel(capacity);
        let mut sending = Box::pin(async move { tx.send(*made()).await.unwrap() });
        on_stack(stack, move || assert!(poll(sending.as_mut()).is_ready()));
    }),
    case("recv awaited", (4, 18), ROOM, |capacity, stack| {
        let (_tx, rx) = filled(capacity);
        let mut receiving = Box::pin(async move { rx.recv().await.unwrap()[0] });
        on_stack(stack, move || {
            assert_eq!(poll(receiving.as_mut()), Poll::Ready(7))
        });
    }),
    case(
        "send awaited, polled again",
        (4, 12),
        BOUNDED,
        |capacity, stack| {
            let (tx, rx) = full(capacity);
            let mut sending = Box::pin(async move { tx.send(*made()).await.unwrap() });
            assert!(poll(sending.as_mut()).is_pending());
            take(&rx);
            on_stack(stack, move || assert!(poll(sending.as_mut()).is_ready()));
        },
    ),
    case(
        "recv awaited, polled again",
        (4, 18),
        ALL,
        |capacity, stack| {
            let (tx, rx) = channel(capacity);
            let mut receiving = Box::pin(async move { rx.recv().await.unwrap()[0] });
            assert!(poll(receiving.as_mut()).is_pending());
            put(&tx);
            on_stack(stack, move || {
                assert_eq!(poll(receiving.as_mut()), Poll::Ready(7))
            });
        },
    ),
    case("select of a send", (4, 26), ROOM, |capacity, stack| {
        let (tx, _rx) = channel(capacity);
        on_stack(stack, move || {
            hchan::select_blocking! { send(tx, *made()) -> sent => sent.unwrap(), }
        });
    }),
    case("select of a recv", (4, 19), ROOM, |capacity, stack| {
        let (_tx, rx) = filled(capacity);
        on_stack(stack, move || {
            hchan::select_blocking! { recv(rx) -> got => assert_eq!(got.unwrap()[0], 7), }
        });
    }),
];

#[inline(never)]
fn made() -> Box<Message> {
    vec![7; LEN].into_boxed_slice().try_into().unwrap()
}

#[inline(never)]
fn put(tx: &Sender<Message>) {
    tx.try_send(*made()).unwrap();
}

#[inline(never)]
fn take(rx: &Receiver<Message>) {
    rx.try_recv().unwrap();
}

fn channel(capacity: Capacity) -> (Sender<Message>, Receiver<Message>) {
    capacity.map_or_else(hchan::unbounded, hchan::bounded)
}

fn filled(capacity: Capacity) -> (Sender<Message>, Receiver<Message>) {
    let (tx, rx) = channel(capacity);
    put(&tx);
    (tx, rx)
}

fn full(capacity: Capacity) -> (Sender<Message>, Receiver<Message>) {
    let (tx, rx) = channel(capacity);
    (0..capacity.unwrap()).for_each(|_| put(&tx));
    (tx, rx)
}

fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        thread::yield_now();
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn on_stack(size: usize, f: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(size).spawn(f);
    thread.unwrap().join().unwrap();
}

fn run_child(wanted: &str) {
    for case in CASES {
        for &capacity in case.capacities {
            if wanted == format!("{} {capacity:?}", case.name) {
                let room = if cfg!(debug_assertions) {
                    case.room.1
                } else {
                    case.room.0
                };
                let stack = room * LEN + FRAMES;
                return on_stack(AMPLE, move || (case.run)(capacity, stack));
            }
        }
    }
    panic!("no such case: {wanted}");
}

#[test]
fn message_by_value_needs_no_more_stack_than_documented() {
    if let Ok(wanted) = env::var(CASE) {
        return run_child(&wanted);
    }
    let mut overflows = Vec::new();
    for case in CASES {
        for capacity in case.capacities {
            let name = format!("{} {capacity:?}", case.name);
            let child = Command::new(env::current_exe().unwrap())
                .args([
                    "--exact",
                    "message_by_value_needs_no_more_stack_than_documented",
                ])
                .env(CASE, &name)
                .output()
                .unwrap();
            if !child.status.success() {
                overflows.push(name);
            }
        }
    }
    assert!(overflows.is_empty(), "{overflows:#?}");
}
