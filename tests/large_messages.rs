//! How much stack one operation needs for a message by value: so many times the message's size, and some space for frames. It is no
//! more than documented, and no more than the same operation of std's and tokio's channels needs on the machine at hand.
//!
//! A stack overflow ends the process, so every case runs in a process of its own.

// Miri has no stack of its own to overflow and cannot start processes, nor can WebAssembly.
#![cfg(all(feature = "std", not(any(miri, target_family = "wasm", hchan_loom))))]

use std::{
    env,
    pin::Pin,
    process::Command,
    sync::mpsc as std_mpsc,
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use hchan::{Receiver, Sender};
use tokio::sync::mpsc as tokio_mpsc;

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

/// An operation, for a channel of that capacity on a stack of that size.
type Run = fn(Capacity, usize);

struct Case {
    name: &'static str,
    /// How many messages the stack has room for, in an optimized build and in a debug build.
    room: (usize, usize),
    capacities: &'static [Capacity],
    /// Those of [`PEERS`] that do the same.
    peers: &'static [&'static str],
    run: Run,
}

const fn case(
    name: &'static str,
    room: (usize, usize),
    capacities: &'static [Capacity],
    peers: &'static [&'static str],
    run: Run,
) -> Case {
    Case {
        name,
        room,
        capacities,
        peers,
        run,
    }
}

const TRY_SEND: &[&str] = &["std's try_send", "tokio's try_send"];
const TRY_RECV: &[&str] = &["std's try_recv", "tokio's try_recv"];
const STD_RENDEZVOUS: &str = "std's send at capacity 0";
const SEND_BLOCKING: &[&str] = &["std's send", STD_RENDEZVOUS, "tokio's blocking_send"];
const RECV_BLOCKING: &[&str] = &["std's recv", "tokio's blocking_recv"];
const SEND: &[&str] = &["tokio's send"];
const RECV: &[&str] = &["tokio's recv"];
const NO_PEER: &[&str] = &[];

const CASES: &[Case] = &[
    case("try_send", (3, 14), ROOM, TRY_SEND, |capacity, stack| {
        let (tx, _rx) = channel(capacity);
        on_stack(stack, move || tx.try_send(*made()).unwrap());
    }),
    case("try_recv", (4, 9), ROOM, TRY_RECV, |capacity, stack| {
        let (_tx, rx) = filled(capacity);
        on_stack(stack, move || assert_eq!(rx.try_recv().unwrap()[0], 7));
    }),
    case("force_send", (4, 22), ROOM, NO_PEER, |capacity, stack| {
        let (tx, _rx) = filled(capacity);
        on_stack(stack, move || assert!(tx.force_send(*made()).is_ok()));
    }),
    case(
        "send_blocking",
        (4, 16),
        ROOM,
        SEND_BLOCKING,
        |capacity, stack| {
            let (tx, _rx) = channel(capacity);
            on_stack(stack, move || tx.send_blocking(*made()).unwrap());
        },
    ),
    case(
        "recv_blocking",
        (4, 8),
        ROOM,
        RECV_BLOCKING,
        |capacity, stack| {
            let (_tx, rx) = filled(capacity);
            on_stack(stack, move || assert_eq!(rx.recv_blocking().unwrap()[0], 7));
        },
    ),
    case(
        "send_blocking that waits",
        (4, 16),
        BOUNDED,
        SEND_BLOCKING,
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
        (4, 8),
        ALL,
        RECV_BLOCKING,
        |capacity, stack| {
            let (tx, rx) = channel(capacity);
            let sending = on_ample_stack(move || {
                until(|| tx.waiting_receivers() > 0);
                put(&tx);
            });
            on_stack(stack, move || assert_eq!(rx.recv_blocking().unwrap()[0], 7));
            sending.join().unwrap();
        },
    ),
    case(
        "send_blocking that meets a receive",
        (4, 16),
        &[Some(0)],
        SEND_BLOCKING,
        |capacity, stack| {
            let (tx, rx) = channel(capacity);
            let receiving = on_ample_stack(move || assert_eq!(rx.recv_blocking().unwrap()[0], 7));
            until(|| tx.waiting_receivers() > 0);
            on_stack(stack, move || tx.send_blocking(*made()).unwrap());
            receiving.join().unwrap();
        },
    ),
    case(
        "recv_blocking that meets a send",
        (4, 8),
        &[Some(0)],
        RECV_BLOCKING,
        |capacity, stack| {
            let (tx, rx) = channel(capacity);
            let sending = on_ample_stack(move || tx.send_blocking(*made()).unwrap());
            until(|| rx.waiting_senders() > 0);
            on_stack(stack, move || assert_eq!(rx.recv_blocking().unwrap()[0], 7));
            sending.join().unwrap();
        },
    ),
    case(
        "blocking::Sender::send",
        (4, 16),
        ROOM,
        SEND_BLOCKING,
        |capacity, stack| {
            let (tx, _rx) = channel(capacity);
            let tx = tx.into_blocking();
            on_stack(stack, move || tx.send(*made()).unwrap());
        },
    ),
    case(
        "blocking::Receiver::recv",
        (4, 8),
        ROOM,
        RECV_BLOCKING,
        |capacity, stack| {
            let (_tx, rx) = filled(capacity);
            let rx = rx.into_blocking();
            on_stack(stack, move || assert_eq!(rx.recv().unwrap()[0], 7));
        },
    ),
    case(
        "send that times out",
        (4, 14),
        BOUNDED,
        NO_PEER,
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
    case("send awaited", (4, 21), ROOM, SEND, |capacity, stack| {
        let (tx, _rx) = channel(capacity);
        let mut sending = Box::pin(async move { tx.send(*made()).await.unwrap() });
        on_stack(stack, move || assert!(poll(sending.as_mut()).is_ready()));
    }),
    case("recv awaited", (4, 12), ROOM, RECV, |capacity, stack| {
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
        SEND,
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
        (4, 12),
        ALL,
        RECV,
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
    case(
        "select of a send",
        (4, 22),
        ROOM,
        NO_PEER,
        |capacity, stack| {
            let (tx, _rx) = channel(capacity);
            on_stack(stack, move || {
                hchan::select_blocking! { send(tx, *made()) -> sent => sent.unwrap(), }
            });
        },
    ),
    case(
        "select of a recv",
        (4, 16),
        ROOM,
        NO_PEER,
        |capacity, stack| {
            let (_tx, rx) = filled(capacity);
            on_stack(stack, move || {
                hchan::select_blocking! { recv(rx) -> got => assert_eq!(got.unwrap()[0], 7), }
            });
        },
    ),
];

/// Operations of other channels, none of which has to wait: that may take more.
const PEERS: &[(&str, Run)] = &[
    ("std's try_send", |_, stack| {
        let (tx, _rx) = std_mpsc::sync_channel::<Message>(1);
        on_stack(stack, move || tx.try_send(*made()).unwrap());
    }),
    ("std's try_recv", |_, stack| {
        let (tx, rx) = std_mpsc::sync_channel::<Message>(1);
        tx.send(*made()).unwrap();
        on_stack(stack, move || assert_eq!(rx.try_recv().unwrap()[0], 7));
    }),
    ("std's send", |_, stack| {
        let (tx, _rx) = std_mpsc::sync_channel::<Message>(1);
        on_stack(stack, move || tx.send(*made()).unwrap());
    }),
    ("std's recv", |_, stack| {
        let (tx, rx) = std_mpsc::sync_channel::<Message>(1);
        tx.send(*made()).unwrap();
        on_stack(stack, move || assert_eq!(rx.recv().unwrap()[0], 7));
    }),
    // The receiver is started first. If it comes second all the same the send takes more: then the bound is only less tight.
    (STD_RENDEZVOUS, |_, stack| {
        let (tx, rx) = std_mpsc::sync_channel::<Message>(0);
        let receiving = on_ample_stack(move || assert_eq!(rx.recv().unwrap()[0], 7));
        on_stack(stack, move || tx.send(*made()).unwrap());
        receiving.join().unwrap();
    }),
    ("tokio's try_send", |_, stack| {
        let (tx, _rx) = tokio_mpsc::channel::<Message>(1);
        on_stack(stack, move || tx.try_send(*made()).unwrap());
    }),
    ("tokio's try_recv", |_, stack| {
        let (tx, mut rx) = tokio_mpsc::channel::<Message>(1);
        tx.try_send(*made()).unwrap();
        on_stack(stack, move || assert_eq!(rx.try_recv().unwrap()[0], 7));
    }),
    ("tokio's blocking_send", |_, stack| {
        let (tx, _rx) = tokio_mpsc::channel::<Message>(1);
        on_stack(stack, move || tx.blocking_send(*made()).unwrap());
    }),
    ("tokio's blocking_recv", |_, stack| {
        let (tx, mut rx) = tokio_mpsc::channel::<Message>(1);
        tx.try_send(*made()).unwrap();
        on_stack(stack, move || assert_eq!(rx.blocking_recv().unwrap()[0], 7));
    }),
    ("tokio's send", |_, stack| {
        let (tx, _rx) = tokio_mpsc::channel::<Message>(1);
        let mut sending = Box::pin(async move { tx.send(*made()).await.unwrap() });
        on_stack(stack, move || assert!(poll(sending.as_mut()).is_ready()));
    }),
    ("tokio's recv", |_, stack| {
        let (tx, mut rx) = tokio_mpsc::channel::<Message>(1);
        tx.try_send(*made()).unwrap();
        let mut receiving = Box::pin(async move { rx.recv().await.unwrap()[0] });
        on_stack(stack, move || {
            assert_eq!(poll(receiving.as_mut()), Poll::Ready(7))
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

fn on_ample_stack(f: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    let thread = thread::Builder::new().stack_size(AMPLE).spawn(f);
    thread.unwrap()
}

/// Does what another process has asked this one for, if one has.
fn is_child() -> bool {
    let Ok(wanted) = env::var(CASE) else {
        return false;
    };
    let [name, capacity, room]: [&str; 3] = (wanted.split('|').collect::<Vec<_>>())
        .try_into()
        .expect("a name, a capacity, a number of messages");
    let ours = CASES.iter().map(|case| (case.name, case.run));
    let mut all = ours.chain(PEERS.iter().copied());
    let (_, run) = all.find(|&(other, _)| other == name).expect("such a case");
    let stack = room.parse::<usize>().unwrap() * LEN + FRAMES;
    let capacity = capacity.parse().ok();
    on_ample_stack(move || run(capacity, stack)).join().unwrap();
    true
}

/// Whether an operation needs no more stack than for so many messages. `test` is the test that calls it.
fn fits(test: &str, name: &str, capacity: Capacity, room: usize) -> bool {
    let capacity = capacity.map_or("none".into(), |capacity| capacity.to_string());
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", test])
        .env(CASE, format!("{name}|{capacity}|{room}"))
        .output()
        .unwrap();
    child.status.success()
}

#[test]
fn message_by_value_needs_no_more_stack_than_documented() {
    if is_child() {
        return;
    }
    let test = "message_by_value_needs_no_more_stack_than_documented";
    let mut overflows = Vec::new();
    for case in CASES {
        let room = match cfg!(debug_assertions) {
            true => case.room.1,
            false => case.room.0,
        };
        for &capacity in case.capacities {
            if !fits(test, case.name, capacity, room) {
                overflows.push(format!("{} {capacity:?}", case.name));
            }
        }
    }
    assert!(overflows.is_empty(), "{overflows:#?}");
}

#[test]
fn message_by_value_needs_no_more_stack_than_in_the_channels_of_std_and_tokio() {
    if is_child() {
        return;
    }
    let test = "message_by_value_needs_no_more_stack_than_in_the_channels_of_std_and_tokio";
    let mut overflows = Vec::new();
    for &(peer, _) in PEERS {
        let needed = least(|room| fits(test, peer, None, room));
        for case in CASES.iter().filter(|case| case.peers.contains(&peer)) {
            // The peer's rendezvous is compared to ours alone.
            let is_alike = |capacity| peer != STD_RENDEZVOUS || capacity == Some(0);
            for &capacity in case
                .capacities
                .iter()
                .filter(|capacity| is_alike(**capacity))
            {
                if !fits(test, case.name, capacity, needed) {
                    overflows.push(format!("{} {capacity:?}: {peer} needs {needed}", case.name));
                }
            }
        }
    }
    assert!(overflows.is_empty(), "{overflows:#?}");
}

/// The least number that fits, if all above it do, too.
fn least(fits: impl Fn(usize) -> bool) -> usize {
    let (mut too_little, mut enough) = (0, 64);
    while enough - too_little > 1 {
        let middle = usize::midpoint(too_little, enough);
        match fits(middle) {
            true => enough = middle,
            false => too_little = middle,
        }
    }
    enough
}
