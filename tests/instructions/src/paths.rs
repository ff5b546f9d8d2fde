//! The paths: one thread, futures polled by hand, wakers that do nothing.

use std::{
    hint::black_box,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use hchan::{bounded, seed_select, select, unbounded};

use crate::counted;

pub(crate) struct Path {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) run: fn(),
}

pub(crate) const PATHS: [Path; 14] = [
    path("try", "try_send, try_recv, capacity 64", || at_once(64)),
    path("try-unbounded", "the same, unbounded", at_once_unbounded),
    path(
        "poll",
        "send and recv polled, capacity 64",
        through_the_buffer,
    ),
    path("handoff", "a parked recv is sent to, capacity 64", || {
        handoff(64)
    }),
    path("handoff-0", "the same, capacity 0", || handoff(0)),
    path("promote", "a parked send moves into the buffer", promote),
    path(
        "park-0",
        "a parked send is received from, capacity 0",
        park_send,
    ),
    path("cancel", "recv parks, and is dropped", cancel),
    path(
        "select",
        "select! of two receives, both ready",
        select_ready,
    ),
    path(
        "select-parked",
        "select! of two receives parks, and is sent to",
        select_parked,
    ),
    path(
        "batch",
        "64 messages by try_send_many and try_recv_many",
        batch,
    ),
    path(
        "batch-polled",
        "the same by send_many and recv_many",
        batch_polled,
    ),
    path("permit", "try_reserve, Permit::send, try_recv", permit),
    path(
        "blocking",
        "send_blocking, recv_blocking, capacity 64",
        blocking,
    ),
];

const fn path(name: &'static str, what: &'static str, run: fn()) -> Path {
    Path { name, what, run }
}

/// Takes the path before it is counted: what happens once in the life of a channel or a thread is over then.
fn take(mut path: impl FnMut(u64)) {
    (0..100).for_each(&mut path);
    counted(path);
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn ready<F: Future>(future: F) -> F::Output {
    match poll(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("has to wait"),
    }
}

fn at_once(capacity: usize) {
    let (tx, rx) = bounded(capacity);
    take(|n| {
        tx.try_send(black_box(n)).unwrap();
        black_box(rx.try_recv().unwrap());
    });
}

fn at_once_unbounded() {
    let (tx, rx) = unbounded();
    take(|n| {
        tx.try_send(black_box(n)).unwrap();
        black_box(rx.try_recv().unwrap());
    });
}

fn through_the_buffer() {
    let (tx, rx) = bounded(64);
    take(|n| {
        ready(tx.send(black_box(n))).unwrap();
        black_box(ready(rx.recv()).unwrap());
    });
}

fn handoff(capacity: usize) {
    let (tx, rx) = bounded(capacity);
    take(|n| {
        let mut receive = pin!(rx.recv());
        assert!(poll(receive.as_mut()).is_pending());
        tx.try_send(black_box(n)).unwrap();
        assert!(black_box(poll(receive)).is_ready());
    });
}

fn promote() {
    let (tx, rx) = bounded(1);
    tx.try_send(0).unwrap();
    take(|n| {
        let mut send = pin!(tx.send(black_box(n)));
        assert!(poll(send.as_mut()).is_pending());
        black_box(rx.try_recv().unwrap());
        assert!(poll(send).is_ready());
    });
}

fn park_send() {
    let (tx, rx) = bounded(0);
    take(|n| {
        let mut send = pin!(tx.send(black_box(n)));
        assert!(poll(send.as_mut()).is_pending());
        black_box(rx.try_recv().unwrap());
        assert!(poll(send).is_ready());
    });
}

fn cancel() {
    let (_tx, rx) = bounded::<u64>(64);
    take(|_| assert!(poll(pin!(rx.recv())).is_pending()));
}

fn select_ready() {
    seed_select(1);
    let (a, b) = (bounded(64), bounded(64));
    a.0.try_send(0).unwrap();
    b.0.try_send(0).unwrap();
    take(|n| {
        let received = async {
            select! {
                recv(a.1) -> received => (&a.0, received),
                recv(b.1) -> received => (&b.0, received),
            }
        };
        let (tx, received) = ready(received);
        black_box(received.unwrap());
        tx.try_send(black_box(n)).unwrap();
    });
}

fn select_parked() {
    seed_select(1);
    let (a, b) = (bounded(64), bounded(64));
    take(|n| {
        let mut received = pin!(async {
            select! {
                recv(a.1) -> received => received,
                recv(b.1) -> received => received,
            }
        });
        assert!(poll(received.as_mut()).is_pending());
        let tx = if n.is_multiple_of(2) { &a.0 } else { &b.0 };
        tx.try_send(black_box(n)).unwrap();
        assert!(black_box(poll(received)).is_ready());
    });
}

fn batch() {
    let (tx, rx) = bounded(64);
    let mut received = Vec::with_capacity(64);
    take(|n| {
        tx.try_send_many(black_box(n)..n + 64).unwrap();
        rx.try_recv_many(&mut received, 64).unwrap();
        black_box(&mut received).clear();
    });
}

fn batch_polled() {
    let (tx, rx) = bounded(64);
    let mut received = Vec::with_capacity(64);
    take(|n| {
        ready(tx.send_many(black_box(n)..n + 64)).unwrap();
        ready(rx.recv_many(&mut received, 64)).unwrap();
        black_box(&mut received).clear();
    });
}

fn permit() {
    let (tx, rx) = bounded(64);
    take(|n| {
        tx.try_reserve().unwrap().send(black_box(n)).unwrap();
        black_box(rx.try_recv().unwrap());
    });
}

fn blocking() {
    let (tx, rx) = bounded(64);
    take(|n| {
        tx.send_blocking(black_box(n)).unwrap();
        black_box(rx.recv_blocking().unwrap());
    });
}
