//! A stage that passes so many messages on, through a queue of its own: whichever can be done next, a receive or a send.
//!
//! Those in tasks yield at times, as the consumers do.

use std::collections::VecDeque;
use std::pin::pin;

use futures::FutureExt;
use futures::future::Fuse;
use tokio::sync::mpsc;
use tokio::task::consume_budget;

/// How many messages a stage holds.
const ROOM: usize = 8;

pub(super) async fn hchan(rx: ::hchan::Receiver<u64>, tx: ::hchan::Sender<u64>, messages: u64) {
    let (mut queue, mut next, mut taken) = (VecDeque::new(), None, 0);
    while taken < messages || next.is_some() {
        consume_budget().await;
        ::hchan::select! {
            recv(rx) -> message, if taken < messages && queue.len() < ROOM => {
                queue.push_back(message.expect("open"));
                taken += 1;
            },
            send_from(tx, &mut next) -> sent => sent.expect("open"),
        }
        if next.is_none() {
            next = queue.pop_front();
        }
    }
}

pub(super) fn hchan_blocking(rx: ::hchan::Receiver<u64>, tx: ::hchan::Sender<u64>, messages: u64) {
    let (mut queue, mut next, mut taken) = (VecDeque::new(), None, 0);
    while taken < messages || next.is_some() {
        ::hchan::select_blocking! {
            recv(rx) -> message, if taken < messages && queue.len() < ROOM => {
                queue.push_back(message.expect("open"));
                taken += 1;
            },
            send_from(tx, &mut next) -> sent => sent.expect("open"),
        }
        if next.is_none() {
            next = queue.pop_front();
        }
    }
}

/// There are no conditions in this grammar: an arm that is off stands with a channel on which nothing happens.
pub(super) fn crossbeam_blocking(
    rx: crossbeam_channel::Receiver<u64>,
    tx: crossbeam_channel::Sender<u64>,
    messages: u64,
) {
    let (mut queue, mut taken) = (VecDeque::new(), 0);
    let (never_rx, (never_tx, _never)) =
        (crossbeam_channel::never(), crossbeam_channel::bounded(0));
    while taken < messages || !queue.is_empty() {
        let next = queue.front().copied();
        let rx = if taken < messages && queue.len() < ROOM {
            &rx
        } else {
            &never_rx
        };
        let tx = if next.is_some() { &tx } else { &never_tx };
        crossbeam_channel::select! {
            recv(rx) -> message => {
                queue.push_back(message.expect("open"));
                taken += 1;
            }
            send(tx, next.unwrap_or_default()) -> sent => {
                sent.expect("open");
                queue.pop_front();
            }
        }
    }
}

/// `send_from`, as a `send` that loses may have been sent.
pub(super) async fn tokio_over_hchan(
    rx: ::hchan::Receiver<u64>,
    tx: ::hchan::Sender<u64>,
    messages: u64,
) {
    let (mut queue, mut next, mut taken) = (VecDeque::new(), None, 0);
    while taken < messages || next.is_some() {
        consume_budget().await;
        tokio::select! {
            message = rx.recv(), if taken < messages && queue.len() < ROOM => {
                queue.push_back(message.expect("open"));
                taken += 1;
            }
            sent = tx.send_from(&mut next), if next.is_some() => sent.expect("open"),
        }
        if next.is_none() {
            next = queue.pop_front();
        }
    }
}

pub(super) async fn tokio_over_async_channel(
    rx: async_channel::Receiver<u64>,
    tx: async_channel::Sender<u64>,
    messages: u64,
) {
    let (mut queue, mut taken) = (VecDeque::new(), 0);
    while taken < messages || !queue.is_empty() {
        consume_budget().await;
        let next = queue.front().copied();
        tokio::select! {
            message = rx.recv(), if taken < messages && queue.len() < ROOM => {
                queue.push_back(message.expect("open"));
                taken += 1;
            }
            sent = tx.send(next.unwrap_or_default()), if next.is_some() => {
                sent.expect("open");
                queue.pop_front();
            }
        }
    }
}

pub(super) async fn futures_over_async_channel(
    rx: async_channel::Receiver<u64>,
    tx: async_channel::Sender<u64>,
    messages: u64,
) {
    let (mut queue, mut taken) = (VecDeque::new(), 0);
    while taken < messages || !queue.is_empty() {
        consume_budget().await;
        let next = queue.front().copied();
        let can_take = taken < messages && queue.len() < ROOM;
        // A finished future is an arm that is off.
        let mut receive = pin!(if can_take {
            rx.recv().fuse()
        } else {
            Fuse::terminated()
        });
        let mut send = pin!(next.map_or_else(Fuse::terminated, |next| tx.send(next).fuse()));
        futures::select! {
            message = receive => {
                queue.push_back(message.expect("open"));
                taken += 1;
            }
            sent = send => {
                sent.expect("open");
                queue.pop_front();
            }
        }
    }
}

/// A send that lost would have to queue anew; `reserve` is what its documentation advises.
pub(super) async fn tokio_over_tokio(
    mut rx: mpsc::Receiver<u64>,
    tx: mpsc::Sender<u64>,
    messages: u64,
) {
    let (mut queue, mut taken) = (VecDeque::new(), 0);
    while taken < messages || !queue.is_empty() {
        consume_budget().await;
        tokio::select! {
            message = rx.recv(), if taken < messages && queue.len() < ROOM => {
                queue.push_back(message.expect("open"));
                taken += 1;
            }
            permit = tx.reserve(), if !queue.is_empty() => {
                if let Some(next) = queue.pop_front() {
                    permit.expect("open").send(next);
                }
            }
        }
    }
}
