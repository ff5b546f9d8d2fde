//! The three paths of a message (direct handoff, buffer, parked send): what a channel does, step
//! by step.
//!
//! The futures are polled by hand. Look at the table that is printed: who waits, what is in the
//! buffer, and how many wakes there were.
//!
//! ```text
//! cargo run --example three_paths
//! ```

use std::{
    pin::pin,
    sync::Arc,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, Wake, Waker},
};

/// A waker that counts how often it is woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn main() {
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    let mut cx = Context::from_waker(&waker);

    let (tx, rx) = hchan::bounded(1);
    let show = |what, expected| {
        let woken = wakes.0.load(Ordering::Relaxed);
        let state = [
            rx.waiting_receivers(),
            rx.len(),
            rx.waiting_senders(),
            woken,
        ];
        let [receivers, buffered, senders, woken] = state;
        println!("{what:38}{receivers:^16}{buffered:^10}{senders:^14}{woken:^6}");
        assert_eq!(state, expected, "{what}");
    };
    println!("{:38}waiting: recv    in buffer    send    wakes", "");

    // Handoff: the message is written straight into the parked receive, and never into the buffer.
    let mut receive = pin!(rx.recv());
    assert!(receive.as_mut().poll(&mut cx).is_pending());
    show("recv: nothing there, it parks", [1, 0, 0, 0]);
    assert_eq!(tx.try_send('a'), Ok(()));
    show("send a: handed to the parked recv", [0, 0, 0, 1]);
    assert_eq!(receive.as_mut().poll(&mut cx), Poll::Ready(Ok('a')));

    // Buffer hop: no receive is parked, but there is room.
    assert_eq!(tx.try_send('b'), Ok(()));
    show("send b: into the buffer", [0, 1, 0, 1]);

    // Park: no room, so the send waits, with its message.
    let mut send = pin!(tx.send('c'));
    assert!(send.as_mut().poll(&mut cx).is_pending());
    show("send c: no room, it parks", [0, 1, 1, 1]);

    // As b leaves, c moves into the buffer, and its send is complete.
    assert_eq!(rx.try_recv(), Ok('b'));
    show("recv b: the parked c takes its place", [0, 1, 0, 2]);
    assert_eq!(send.as_mut().poll(&mut cx), Poll::Ready(Ok(())));
    assert_eq!(rx.try_recv(), Ok('c'));
    show("recv c: from the buffer", [0, 0, 0, 2]);
}
