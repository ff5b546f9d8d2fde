//! The crates that take part, each used as its documentation says.

use std::sync::mpsc as std_mpsc;

use thingbuf::Recycle;
use tokio::sync::mpsc;

use super::ends::{Pair, Receiving, Sending, pair};
use super::ledger::Message;

/// Where a channel is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// With the crate's futures.
    Tasks,
    /// With the crate's blocking calls.
    Threads,
}

/// A channel crate.
#[derive(Debug)]
pub(crate) struct Peer {
    /// Its name on the registry.
    pub(crate) name: &'static str,
    /// Opens a channel of this capacity. `None`: the crate has no such channel.
    pub(crate) open: fn(Place, usize) -> Option<Pair>,
}

/// hchan first, then in the order of the alphabet.
pub(crate) static ALL: [Peer; 11] = [
    peer("hchan", hchan),
    peer("async-channel", async_channel),
    peer("crossbeam-channel", crossbeam_channel),
    peer("crossfire", crossfire),
    peer("flume", flume),
    peer("kanal", kanal),
    peer("loole", loole),
    peer("std", std_channel),
    peer("tachyonix", tachyonix),
    peer("thingbuf", thingbuf),
    peer("tokio", tokio),
];

const fn peer(name: &'static str, open: fn(Place, usize) -> Option<Pair>) -> Peer {
    Peer { name, open }
}

pub(crate) fn named(name: &str) -> Option<&'static Peer> {
    ALL.iter().find(|peer| peer.name == name)
}

fn hchan(place: Place, capacity: usize) -> Option<Pair> {
    let (tx, rx) = hchan::bounded(capacity);
    let mut tx = Sending {
        handle: tx,
        another: Clone::clone,
        send: |tx, message| Box::pin(async move { tx.send(message).await.is_ok() }),
        try_send: |tx, message| tx.try_send(message).is_ok(),
        close: Some(|tx| _ = tx.close()),
    };
    let mut rx = Receiving {
        handle: rx,
        another: Some(Clone::clone),
        recv: |rx| Box::pin(async move { rx.recv().await.ok() }),
        try_recv: |rx| rx.try_recv().ok(),
        close: Some(|rx| _ = rx.close()),
    };
    if place == Place::Threads {
        tx.send = |tx, message| Box::pin(async move { tx.send_blocking(message).is_ok() });
        rx.recv = |rx| Box::pin(async move { rx.recv_blocking().ok() });
    }
    Some(pair(tx, rx))
}

/// It has no capacity 0: `bounded(0)` panics.
fn async_channel(place: Place, capacity: usize) -> Option<Pair> {
    if capacity == 0 {
        return None;
    }
    let (tx, rx) = async_channel::bounded(capacity);
    let mut tx = Sending {
        handle: tx,
        another: Clone::clone,
        send: |tx, message| Box::pin(async move { tx.send(message).await.is_ok() }),
        try_send: |tx, message| tx.try_send(message).is_ok(),
        close: Some(|tx| _ = tx.close()),
    };
    let mut rx = Receiving {
        handle: rx,
        another: Some(Clone::clone),
        recv: |rx| Box::pin(async move { rx.recv().await.ok() }),
        try_recv: |rx| rx.try_recv().ok(),
        close: Some(|rx| _ = rx.close()),
    };
    if place == Place::Threads {
        tx.send = |tx, message| Box::pin(async move { tx.send_blocking(message).is_ok() });
        rx.recv = |rx| Box::pin(async move { rx.recv_blocking().ok() });
    }
    Some(pair(tx, rx))
}

fn crossbeam_channel(place: Place, capacity: usize) -> Option<Pair> {
    if place == Place::Tasks {
        return None;
    }
    let (tx, rx) = crossbeam_channel::bounded(capacity);
    let tx = Sending {
        handle: tx,
        another: Clone::clone,
        send: |tx, message| Box::pin(async move { tx.send(message).is_ok() }),
        try_send: |tx, message| tx.try_send(message).is_ok(),
        close: None,
    };
    let rx = Receiving {
        handle: rx,
        another: Some(Clone::clone),
        recv: |rx| Box::pin(async move { rx.recv().ok() }),
        try_recv: |rx| rx.try_recv().ok(),
        close: None,
    };
    Some(pair(tx, rx))
}

/// It has no capacity 0: it takes 1 instead. Its handles for tasks and for threads are of different types.
fn crossfire(place: Place, capacity: usize) -> Option<Pair> {
    // Its documentation asks programs to do this once, for machines with a single core.
    crossfire::detect_backoff_cfg();
    if capacity == 0 {
        return None;
    }
    if place == Place::Threads {
        let (tx, rx) = crossfire::mpmc::bounded_blocking(capacity);
        let tx = Sending {
            handle: tx,
            another: Clone::clone,
            send: |tx, message| Box::pin(async move { tx.send(message).is_ok() }),
            try_send: |tx, message| tx.try_send(message).is_ok(),
            close: None,
        };
        let rx = Receiving {
            handle: rx,
            another: Some(Clone::clone),
            recv: |rx| Box::pin(async move { rx.recv().ok() }),
            try_recv: |rx| rx.try_recv().ok(),
            close: None,
        };
        return Some(pair(tx, rx));
    }
    let (tx, rx) = crossfire::mpmc::bounded_async(capacity);
    let tx = Sending {
        handle: tx,
        another: Clone::clone,
        send: |tx, message| Box::pin(async move { tx.send(message).await.is_ok() }),
        try_send: |tx, message| tx.try_send(message).is_ok(),
        close: None,
    };
    let rx = Receiving {
        handle: rx,
        another: Some(Clone::clone),
        recv: |rx| Box::pin(async move { rx.recv().await.ok() }),
        try_recv: |rx| rx.try_recv().ok(),
        close: None,
    };
    Some(pair(tx, rx))
}

fn flume(place: Place, capacity: usize) -> Option<Pair> {
    let (tx, rx) = flume::bounded(capacity);
    let mut tx = Sending {
        handle: tx,
        another: Clone::clone,
        send: |tx, message| Box::pin(async move { tx.send_async(message).await.is_ok() }),
        try_send: |tx, message| tx.try_send(message).is_ok(),
        close: None,
    };
    let mut rx = Receiving {
        handle: rx,
        another: Some(Clone::clone),
        recv: |rx| Box::pin(async move { rx.recv_async().await.ok() }),
        try_recv: |rx| rx.try_recv().ok(),
        close: None,
    };
    if place == Place::Threads {
        tx.send = |tx, message| Box::pin(async move { tx.send(message).is_ok() });
        rx.recv = |rx| Box::pin(async move { rx.recv().ok() });
    }
    Some(pair(tx, rx))
}

fn kanal(place: Place, capacity: usize) -> Option<Pair> {
    let (tx, rx) = kanal::bounded_async(capacity);
    let mut tx = Sending {
        handle: tx,
        another: Clone::clone,
        send: |tx, message| Box::pin(async move { tx.send(message).await.is_ok() }),
        try_send: |tx, message| tx.try_send(message) == Ok(true),
        close: Some(|tx| _ = tx.close()),
    };
    let mut rx = Receiving {
        handle: rx,
        another: Some(Clone::clone),
        recv: |rx| Box::pin(async move { rx.recv().await.ok() }),
        try_recv: |rx| rx.try_recv().ok().flatten(),
        close: Some(|rx| _ = rx.close()),
    };
    if place == Place::Threads {
        tx.send = |tx, message| Box::pin(async move { tx.as_sync().send(message).is_ok() });
        rx.recv = |rx| Box::pin(async move { rx.as_sync().recv().ok() });
    }
    Some(pair(tx, rx))
}

fn loole(place: Place, capacity: usize) -> Option<Pair> {
    let (tx, rx) = loole::bounded(capacity);
    let mut tx = Sending {
        handle: tx,
        another: Clone::clone,
        send: |tx, message| Box::pin(async move { tx.send_async(message).await.is_ok() }),
        try_send: |tx, message| tx.try_send(message).is_ok(),
        close: Some(|tx| _ = tx.close()),
    };
    let mut rx = Receiving {
        handle: rx,
        another: Some(Clone::clone),
        recv: |rx| Box::pin(async move { rx.recv_async().await.ok() }),
        try_recv: |rx| rx.try_recv().ok(),
        close: Some(|rx| _ = rx.close()),
    };
    if place == Place::Threads {
        tx.send = |tx, message| Box::pin(async move { tx.send(message).is_ok() });
        rx.recv = |rx| Box::pin(async move { rx.recv().ok() });
    }
    Some(pair(tx, rx))
}

fn std_channel(place: Place, capacity: usize) -> Option<Pair> {
    if place == Place::Tasks {
        return None;
    }
    let (tx, rx) = std_mpsc::sync_channel(capacity);
    let tx = Sending {
        handle: tx,
        another: Clone::clone,
        send: |tx, message| Box::pin(async move { tx.send(message).is_ok() }),
        try_send: |tx, message| tx.try_send(message).is_ok(),
        close: None,
    };
    let rx = Receiving {
        handle: rx,
        another: None,
        recv: |rx| Box::pin(async move { rx.recv().ok() }),
        try_recv: |rx| rx.try_recv().ok(),
        close: None,
    };
    Some(pair(tx, rx))
}

/// It has no capacity 0: `channel(0)` panics. It has no blocking calls; its documentation blocks threads on its futures, and
/// so does whoever runs an operation here.
fn tachyonix(_: Place, capacity: usize) -> Option<Pair> {
    if capacity == 0 {
        return None;
    }
    let (tx, rx) = tachyonix::channel(capacity);
    let tx = Sending {
        handle: tx,
        another: Clone::clone,
        send: |tx, message| Box::pin(async move { tx.send(message).await.is_ok() }),
        try_send: |tx, message| tx.try_send(message).is_ok(),
        close: Some(|tx| tx.close()),
    };
    let rx = Receiving {
        handle: rx,
        another: None,
        recv: |rx| Box::pin(async move { rx.recv().await.ok() }),
        try_recv: |rx| rx.try_recv().ok(),
        close: Some(|rx| rx.close()),
    };
    Some(pair(tx, rx))
}

/// An empty place of [`thingbuf`], which fills all its places at once and keeps them full.
#[derive(Debug)]
struct Nothing;

impl Recycle<Option<Message>> for Nothing {
    fn new_element(&self) -> Option<Message> {
        None
    }

    fn recycle(&self, element: &mut Option<Message>) {
        *element = None;
    }
}

/// It has no capacity 0: `channel(0)` panics.
fn thingbuf(place: Place, capacity: usize) -> Option<Pair> {
    if capacity == 0 {
        return None;
    }
    if place == Place::Threads {
        let (tx, rx) = thingbuf::mpsc::blocking::with_recycle(capacity, Nothing);
        let tx = Sending {
            handle: tx,
            another: Clone::clone,
            send: |tx, message| Box::pin(async move { tx.send(Some(message)).is_ok() }),
            try_send: |tx, message| tx.try_send(Some(message)).is_ok(),
            close: None,
        };
        let rx = Receiving {
            handle: rx,
            another: None,
            recv: |rx| Box::pin(async move { rx.recv().flatten() }),
            try_recv: |rx| rx.try_recv().ok().flatten(),
            close: None,
        };
        return Some(pair(tx, rx));
    }
    let (tx, rx) = thingbuf::mpsc::with_recycle(capacity, Nothing);
    let tx = Sending {
        handle: tx,
        another: Clone::clone,
        send: |tx, message| Box::pin(async move { tx.send(Some(message)).await.is_ok() }),
        try_send: |tx, message| tx.try_send(Some(message)).is_ok(),
        close: None,
    };
    let rx = Receiving {
        handle: rx,
        another: None,
        recv: |rx| Box::pin(async move { rx.recv().await.flatten() }),
        try_recv: |rx| rx.try_recv().ok().flatten(),
        close: None,
    };
    Some(pair(tx, rx))
}

/// It has no capacity 0: `channel(0)` panics.
fn tokio(place: Place, capacity: usize) -> Option<Pair> {
    if capacity == 0 {
        return None;
    }
    let (tx, rx) = mpsc::channel(capacity);
    let mut tx = Sending {
        handle: tx,
        another: Clone::clone,
        send: |tx, message| Box::pin(async move { tx.send(message).await.is_ok() }),
        try_send: |tx, message| tx.try_send(message).is_ok(),
        close: None,
    };
    let mut rx = Receiving {
        handle: rx,
        another: None,
        recv: |rx| Box::pin(async move { rx.recv().await }),
        try_recv: |rx| rx.try_recv().ok(),
        close: Some(|rx| rx.close()),
    };
    if place == Place::Threads {
        tx.send = |tx, message| Box::pin(async move { tx.blocking_send(message).is_ok() });
        rx.recv = |rx| Box::pin(async move { rx.blocking_recv() });
    }
    Some(pair(tx, rx))
}
