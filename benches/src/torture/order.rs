//! Who is served first: properties, which a crate may choose as it likes.

use super::ends::{Rx, Tx};
use super::hand::{Hand, HandSend, drain, number, try_send};
use super::ledger::Ledger;
use super::peers::{Peer, Place};

/// What is asked; the answers are in the same order.
pub(crate) const PROPERTIES: [&str; 6] = [
    "receives are served in the order in which they parked",
    "sends are served in the order in which they parked",
    "no newcomer's `try_recv` overtakes a parked receive",
    "no newcomer's `try_send` overtakes a parked send",
    "messages of two cancelled receives keep their order",
    "what is buffered drops with the last receiver",
];

/// `None`: the crate has no such situation.
pub(crate) type Answers = [Option<bool>; PROPERTIES.len()];

const CAPACITY: usize = 2;
const WAITING: usize = 3;

pub(crate) fn answers(peer: &Peer) -> Option<Answers> {
    let ask = |question: fn(_, _, _) -> Option<bool>| {
        let (tx, rx) = (peer.open)(Place::Tasks, CAPACITY)?;
        question(tx, rx, Ledger::of(16))
    };
    Some([
        ask(receives_in_order),
        ask(sends_in_order),
        ask(no_receive_overtakes),
        ask(no_send_overtakes),
        ask(given_back_in_order),
        ask(buffered_drops).or_else(|| {
            let (tx, rx) = (peer.open)(Place::Threads, CAPACITY)?;
            buffered_drops(tx, rx, Ledger::of(16))
        }),
    ])
}

fn receives_in_order(
    mut tx: Box<dyn Tx>,
    rx: Box<dyn Rx>,
    ledger: &'static Ledger,
) -> Option<bool> {
    let handles: Option<Vec<_>> = (0..WAITING).map(|_| rx.another()).collect();
    let mut handles = handles?;
    let mut waiting: Vec<_> = handles.iter_mut().map(|rx| Hand::new(rx.recv())).collect();
    for recv in &mut waiting {
        number(recv.poll());
    }
    let mut in_order = true;
    for turn in 0..WAITING {
        try_send(&mut tx, ledger);
        for (index, recv) in waiting.iter_mut().enumerate() {
            if number(recv.run()).is_some() {
                in_order &= index == turn;
            }
        }
    }
    Some(in_order)
}

fn sends_in_order(
    mut tx: Box<dyn Tx>,
    mut rx: Box<dyn Rx>,
    ledger: &'static Ledger,
) -> Option<bool> {
    for _ in 0..CAPACITY {
        try_send(&mut tx, ledger);
    }
    let mut handles: Vec<_> = (0..WAITING).map(|_| tx.another()).collect();
    let mut waiting: Vec<_> = handles
        .iter_mut()
        .map(|tx| HandSend::new(tx, ledger))
        .collect();
    for send in &mut waiting {
        send.poll();
    }
    let mut received = Vec::new();
    for _ in 0..CAPACITY + WAITING {
        received.extend(rx.try_recv().map(|message| message.receive()));
        for send in &mut waiting {
            send.run();
        }
    }
    Some(received.is_sorted())
}

fn no_receive_overtakes(
    mut tx: Box<dyn Tx>,
    mut rx: Box<dyn Rx>,
    ledger: &'static Ledger,
) -> Option<bool> {
    let mut newcomer = rx.another()?;
    let mut recv = Hand::new(rx.recv());
    number(recv.poll());
    try_send(&mut tx, ledger);
    Some(drain(&mut newcomer) == 0)
}

fn no_send_overtakes(
    mut tx: Box<dyn Tx>,
    mut rx: Box<dyn Rx>,
    ledger: &'static Ledger,
) -> Option<bool> {
    while try_send(&mut tx, ledger) {}
    let mut newcomer = tx.another();
    let mut send = HandSend::new(&mut tx, ledger);
    send.poll();
    rx.try_recv()?.receive();
    Some(!try_send(&mut newcomer, ledger))
}

fn given_back_in_order(
    mut tx: Box<dyn Tx>,
    mut rx: Box<dyn Rx>,
    ledger: &'static Ledger,
) -> Option<bool> {
    for oldest_first in [true, false] {
        let (mut a, mut b) = (rx.another()?, rx.another()?);
        let mut first = Hand::new(a.recv());
        let mut second = Hand::new(b.recv());
        number(first.poll());
        number(second.poll());
        let sent = (try_send(&mut tx, ledger), try_send(&mut tx, ledger));
        assert_eq!(sent, (true, true), "there is room");
        if oldest_first {
            first.cancel();
            second.cancel();
        } else {
            second.cancel();
            first.cancel();
        }
        let received: Vec<_> = std::iter::from_fn(|| Some(rx.try_recv()?.receive())).collect();
        // What was lost has no order.
        if received.len() < 2 {
            return None;
        }
        if !received.is_sorted() {
            return Some(false);
        }
    }
    Some(true)
}

fn buffered_drops(mut tx: Box<dyn Tx>, rx: Box<dyn Rx>, ledger: &'static Ledger) -> Option<bool> {
    try_send(&mut tx, ledger);
    drop(rx);
    Some(ledger.under_way() == 0)
}
