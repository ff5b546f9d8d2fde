//! Operations that are cancelled at a known moment, by hand.

use super::Plan;
use super::book::Book;
use super::ends::{Pair, Rx, Tx};
use super::hand::{Hand, HandSend, drain, number, try_send};
use super::ledger::{End, Ledger};
use super::peers::{Peer, Place};

const CAPACITIES: [usize; 2] = [0, 1];

/// Messages cancelled one after the other in a loop of selects.
const LOSING: usize = 100;

type Story = fn(&mut Box<dyn Tx>, &mut Box<dyn Rx>, &'static Ledger, &Book);

/// A receive that was woken for a message, and is dropped before it is polled again.
pub(crate) fn receives(peer: &Peer, _: &Plan, book: &Book) -> Option<()> {
    for_each_capacity(peer, book, cancel_a_delivered_receive)?;
    for_each_capacity(peer, book, cancel_it_beside_another)?;
    Some(())
}

/// A send that waits, and is dropped.
pub(crate) fn sends(peer: &Peer, _: &Plan, book: &Book) -> Option<()> {
    for_each_capacity(peer, book, cancel_a_parked_send)?;
    for_each_capacity(peer, book, cancel_the_first_of_two_sends)?;
    for_each_capacity(peer, book, cancel_a_woken_send_beside_another)?;
    for_each_capacity(peer, book, lose_in_a_loop_of_selects)?;
    Some(())
}

/// Runs a story on each kind of channel that the crate has. What a story leaves is received at its end.
fn for_each_capacity(peer: &Peer, book: &Book, story: Story) -> Option<()> {
    let channels: Vec<Pair> = CAPACITIES
        .iter()
        .filter_map(|&capacity| (peer.open)(Place::Tasks, capacity))
        .collect();
    if channels.is_empty() {
        return None;
    }
    for (mut tx, mut rx) in channels {
        let ledger = book.open(LOSING + 4);
        story(&mut tx, &mut rx, ledger, book);
        drain(&mut rx);
        drop((tx, rx));
        book.settle(End::Drained);
    }
    Some(())
}

fn cancel_a_delivered_receive(
    tx: &mut Box<dyn Tx>,
    rx: &mut Box<dyn Rx>,
    ledger: &'static Ledger,
    _: &Book,
) {
    let mut recv = Hand::new(rx.recv());
    number(recv.poll());
    let mut send = HandSend::new(tx, ledger);
    send.poll();
    recv.cancel();
    drop(recv);
    drain(rx);
    send.poll();
}

fn cancel_it_beside_another(
    tx: &mut Box<dyn Tx>,
    rx: &mut Box<dyn Rx>,
    ledger: &'static Ledger,
    book: &Book,
) {
    let Some(mut second_rx) = rx.another() else {
        return;
    };
    let mut first = Hand::new(rx.recv());
    let mut second = Hand::new(second_rx.recv());
    number(first.poll());
    number(second.poll());
    let mut send = HandSend::new(tx, ledger);
    send.poll();
    first.cancel();
    drop(first);
    number(second.run());
    send.run();
    number(second.run());
    if second.pending() && (drain(rx) > 0 || number(second.poll()).is_some()) {
        book.hung("a message is there; the receive that waits for it was not woken");
    }
    send.poll();
}

/// Fills the channel, so that a send has to wait.
fn fill(tx: &mut Box<dyn Tx>, ledger: &'static Ledger) {
    while try_send(tx, ledger) {}
}

fn cancel_a_parked_send(
    tx: &mut Box<dyn Tx>,
    rx: &mut Box<dyn Rx>,
    ledger: &'static Ledger,
    _: &Book,
) {
    fill(tx, ledger);
    let mut send = HandSend::new(tx, ledger);
    send.poll();
    send.cancel();
    // By a receive that waits, too: to take nothing is not to offer nothing.
    let mut recv = Hand::new(rx.recv());
    number(recv.poll());
    number(recv.run());
}

fn cancel_the_first_of_two_sends(
    tx: &mut Box<dyn Tx>,
    rx: &mut Box<dyn Rx>,
    ledger: &'static Ledger,
    book: &Book,
) {
    fill(tx, ledger);
    let mut second_tx = tx.another();
    let mut first = HandSend::new(tx, ledger);
    let mut second = HandSend::new(&mut second_tx, ledger);
    first.poll();
    second.poll();
    first.cancel();
    receive_until(&mut second, rx, book);
}

/// A send woken for the room that there is, and dropped: the room is for the next.
fn cancel_a_woken_send_beside_another(
    tx: &mut Box<dyn Tx>,
    rx: &mut Box<dyn Rx>,
    ledger: &'static Ledger,
    book: &Book,
) {
    fill(tx, ledger);
    let mut second_tx = tx.another();
    let mut first = HandSend::new(tx, ledger);
    let mut second = HandSend::new(&mut second_tx, ledger);
    first.poll();
    second.poll();
    if let Some(message) = rx.try_recv() {
        message.receive();
    }
    first.cancel();
    receive_until(&mut second, rx, book);
}

/// Receives until nothing comes and nobody is woken; by then the send must have gone.
fn receive_until(send: &mut HandSend<'_>, rx: &mut Box<dyn Rx>, book: &Book) {
    let mut recv = Hand::new(rx.recv());
    let mut received = number(recv.poll());
    for _ in 0..4 {
        send.run();
        received = received.or_else(|| number(recv.run()));
        if received.take().is_some() {
            drop(recv);
            recv = Hand::new(rx.recv());
            received = number(recv.poll());
        }
    }
    if send.pending() && recv.pending() {
        book.hung("a send and a receive wait for each other");
    }
}

fn lose_in_a_loop_of_selects(
    tx: &mut Box<dyn Tx>,
    _: &mut Box<dyn Rx>,
    ledger: &'static Ledger,
    _: &Book,
) {
    fill(tx, ledger);
    for _ in 0..LOSING {
        let mut send = HandSend::new(tx, ledger);
        send.poll();
        // Another arm was ready.
        send.cancel();
    }
}
