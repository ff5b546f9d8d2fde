//! A waker that uses the channel, as one does that runs the woken task in place.
//!
//! A crate that wakes while it holds its lock never returns from that. Each story runs on a thread of its own, which is left
//! behind if it does not end.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use super::Plan;
use super::book::Book;
use super::ends::{Op, Pair, Rx, Tx};
use super::hand::{Hand, HandSend, drain, number, try_send};
use super::ledger::{End, Ledger, Message};
use super::peers::{Peer, Place};

/// How long a story may take that has nothing to wait for.
const LIMIT: Duration = Duration::from_secs(1);

type Story = fn(Pair, &'static Ledger) -> Option<()>;

const WAKES: [(&str, Story); 8] = [
    ("a receive's waker sends", receive_wakes_send),
    ("a receive's waker receives", receive_wakes_receive),
    (
        "a receive's waker drops another receive",
        receive_wakes_drop,
    ),
    ("a send's waker sends", send_wakes_send),
    ("a send's waker receives", send_wakes_receive),
    ("a send's waker drops another send", send_wakes_drop),
    (
        "the last sender goes, a receive's waker receives",
        end_wakes_receive,
    ),
    (
        "the last receiver goes, a send's waker sends",
        end_wakes_send,
    ),
];

const DROPS: [(&str, Story); 2] = [
    (
        "a receive's waker is replaced, and sends as it drops",
        replaced_waker_sends,
    ),
    (
        "a send's waker is replaced, and sends as it drops",
        replaced_waker_of_a_send_sends,
    ),
];

/// Wakers that use the channel as they are woken.
pub(crate) fn wakes(peer: &Peer, _: &Plan, book: &Book) -> Option<()> {
    tell(&WAKES, peer, book)
}

/// Wakers that use the channel as they are dropped.
pub(crate) fn drops(peer: &Peer, _: &Plan, book: &Book) -> Option<()> {
    tell(&DROPS, peer, book)
}

fn tell(stories: &[(&str, Story)], peer: &Peer, book: &Book) -> Option<()> {
    (peer.open)(Place::Tasks, 1)?;
    for &(name, story) in stories {
        for capacity in [0, 1] {
            let Some(pair) = (peer.open)(Place::Tasks, capacity) else {
                continue;
            };
            book.begin(name);
            let ledger = book.open(8);
            let (done, ended) = channel();
            thread::spawn(move || {
                story(pair, ledger);
                done.send(())
            });
            match ended.recv_timeout(LIMIT) {
                Ok(()) => book.settle(End::Abandoned),
                Err(RecvTimeoutError::Timeout) => {
                    book.hung(name);
                    book.settle(End::Never);
                }
                Err(RecvTimeoutError::Disconnected) => {
                    book.hung(&format!("{name}: a panic"));
                    book.settle(End::Never);
                }
            }
        }
    }
    Some(())
}

/// A receive that owns its handle.
fn owned_recv(mut rx: Box<dyn Rx>) -> Op<'static, Option<Message>> {
    Box::pin(async move { rx.recv().await })
}

/// A send that owns its handle.
fn owned_send(mut tx: Box<dyn Tx>, ledger: &'static Ledger) -> Op<'static, bool> {
    let message = ledger.message();
    let ticket = message.ticket();
    Box::pin(async move {
        let sent = tx.send(message).await;
        ticket.ended(sent);
        sent
    })
}

/// Sends at once or by a send that is polled once, as a rendezvous needs.
fn send_now(tx: &mut Box<dyn Tx>, ledger: &'static Ledger) {
    let mut send = HandSend::new(tx, ledger);
    send.poll();
    send.run();
    send.cancel();
}

fn receive_wakes_send((mut tx, mut rx): Pair, ledger: &'static Ledger) -> Option<()> {
    let mut other = tx.another();
    let mut recv = Hand::new(rx.recv());
    number(recv.poll());
    recv.bell().hook(move || _ = try_send(&mut other, ledger));
    send_now(&mut tx, ledger);
    number(recv.run());
    Some(())
}

fn receive_wakes_receive((mut tx, mut rx): Pair, ledger: &'static Ledger) -> Option<()> {
    let mut other = rx.another()?;
    let mut recv = Hand::new(rx.recv());
    number(recv.poll());
    recv.bell().hook(move || _ = drain(&mut other));
    send_now(&mut tx, ledger);
    number(recv.run());
    Some(())
}

fn receive_wakes_drop((mut tx, mut rx): Pair, ledger: &'static Ledger) -> Option<()> {
    let mut other = Hand::new(owned_recv(rx.another()?));
    let mut recv = Hand::new(rx.recv());
    number(recv.poll());
    number(other.poll());
    recv.bell().hook(move || drop(other));
    send_now(&mut tx, ledger);
    number(recv.run());
    Some(())
}

fn fill(tx: &mut Box<dyn Tx>, ledger: &'static Ledger) {
    while try_send(tx, ledger) {}
}

fn send_wakes_send((mut tx, mut rx): Pair, ledger: &'static Ledger) -> Option<()> {
    fill(&mut tx, ledger);
    let mut other = tx.another();
    let mut send = HandSend::new(&mut tx, ledger);
    send.poll();
    send.bell().hook(move || _ = try_send(&mut other, ledger));
    drain(&mut rx);
    send.run();
    Some(())
}

fn send_wakes_receive((mut tx, mut rx): Pair, ledger: &'static Ledger) -> Option<()> {
    fill(&mut tx, ledger);
    let mut other = rx.another()?;
    let mut send = HandSend::new(&mut tx, ledger);
    send.poll();
    send.bell().hook(move || _ = drain(&mut other));
    drain(&mut rx);
    send.run();
    Some(())
}

fn send_wakes_drop((mut tx, mut rx): Pair, ledger: &'static Ledger) -> Option<()> {
    fill(&mut tx, ledger);
    let mut other = Hand::new(owned_send(tx.another(), ledger));
    let mut send = HandSend::new(&mut tx, ledger);
    send.poll();
    other.poll();
    send.bell().hook(move || drop(other));
    drain(&mut rx);
    send.run();
    Some(())
}

fn end_wakes_receive((tx, mut rx): Pair, _: &'static Ledger) -> Option<()> {
    let mut other = rx.another()?;
    let mut recv = Hand::new(rx.recv());
    number(recv.poll());
    recv.bell().hook(move || _ = drain(&mut other));
    drop(tx);
    number(recv.run());
    Some(())
}

fn end_wakes_send((mut tx, rx): Pair, ledger: &'static Ledger) -> Option<()> {
    fill(&mut tx, ledger);
    let mut other = tx.another();
    let mut send = HandSend::new(&mut tx, ledger);
    send.poll();
    send.bell().hook(move || _ = try_send(&mut other, ledger));
    drop(rx);
    send.run();
    Some(())
}

/// Sends when it drops; a waker's last reference may be dropped by the channel.
struct SendsAtDrop(Mutex<Box<dyn Tx>>, &'static Ledger);

impl Drop for SendsAtDrop {
    fn drop(&mut self) {
        let tx = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        try_send(tx, self.1);
    }
}

impl Wake for SendsAtDrop {
    fn wake(self: Arc<Self>) {}
}

fn replaced_waker_sends((tx, mut rx): Pair, ledger: &'static Ledger) -> Option<()> {
    let received = poll_with_two_wakers(rx.recv(), tx, ledger);
    if let Some(Some(message)) = received {
        message.receive();
    }
    Some(())
}

fn replaced_waker_of_a_send_sends((mut tx, rx): Pair, ledger: &'static Ledger) -> Option<()> {
    fill(&mut tx, ledger);
    let other = tx.another();
    poll_with_two_wakers(owned_send(tx, ledger), other, ledger);
    drop(rx);
    Some(())
}

/// The channel is left with the last reference to the first waker, and drops it.
fn poll_with_two_wakers<T>(
    mut op: Op<'_, T>,
    tx: Box<dyn Tx>,
    ledger: &'static Ledger,
) -> Option<T> {
    let waker = Waker::from(Arc::new(SendsAtDrop(Mutex::new(tx), ledger)));
    let first = op.as_mut().poll(&mut Context::from_waker(&waker));
    drop(waker);
    if let Poll::Ready(output) = first {
        return Some(output);
    }
    match op.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
