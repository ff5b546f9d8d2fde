//! A waker that panics, and a message whose drop panics: are the others still served?

use std::panic::{self, AssertUnwindSafe};

use super::Plan;
use super::book::Book;
use super::ends::{Pair, Rx};
use super::hand::{Hand, HandSend, drain, number, try_send};
use super::ledger::{End, Ledger};
use super::peers::{Peer, Place};

const CAPACITIES: [usize; 3] = [0, 1, 3];

type Story = fn(Pair, &'static Ledger, &Book) -> Option<()>;

pub(crate) fn wakers(peer: &Peer, _: &Plan, book: &Book) -> Option<()> {
    (peer.open)(Place::Tasks, 1)?;
    let stories = [
        (
            "a receive's waker panics",
            send_goes_on as Story,
            End::Drained,
        ),
        ("a send's waker panics", receive_goes_on, End::Drained),
        (
            "a receive's waker panics at the end",
            end_wakes_receives,
            End::Drained,
        ),
        (
            "a send's waker panics at the end",
            end_wakes_sends,
            End::Abandoned,
        ),
    ];
    for (name, story, end) in stories {
        for capacity in CAPACITIES {
            if let Some(pair) = (peer.open)(Place::Tasks, capacity) {
                tell(name, || story(pair, book.open(16), book), end, book);
            }
        }
    }
    Some(())
}

pub(crate) fn drops(peer: &Peer, plan: &Plan, book: &Book) -> Option<()> {
    const BUFFERED: usize = 4;
    let pair = (peer.open)(plan.place, BUFFERED)?;
    tell(
        "a message's drop panics as the last receiver goes",
        || buffer_drops(pair, book.open(16)),
        End::Abandoned,
        book,
    );
    if let Some(pair) = (peer.open)(Place::Tasks, BUFFERED) {
        tell(
            "a message's drop panics as the last receiver goes, a send waits",
            || buffer_drops_beside_a_send(pair, book.open(16), book),
            End::Abandoned,
            book,
        );
    }
    Some(())
}

/// Runs a story; a panic that it does not catch comes from a channel that no longer works.
fn tell(name: &str, story: impl FnOnce() -> Option<()>, end: End, book: &Book) {
    book.begin(name);
    if panic::catch_unwind(AssertUnwindSafe(story)).is_err() {
        book.hung(&format!("{name}: later calls panic, too"));
    }
    book.settle(end);
}

fn catch<T>(call: impl FnOnce() -> T) -> Option<T> {
    panic::catch_unwind(AssertUnwindSafe(call)).ok()
}

fn panics() {
    panic!("a waker that panics");
}

/// Runs a receive beside the others until nothing comes any more.
fn receive_all(rx: &mut Box<dyn Rx>) {
    loop {
        let mut recv = Hand::new(rx.recv());
        if number(recv.poll()).is_none() {
            return;
        }
    }
}

/// Sends to two parked receives, the first with a waker that panics; then to the second.
fn send_goes_on((mut tx, mut rx): Pair, ledger: &'static Ledger, book: &Book) -> Option<()> {
    let mut second_rx = rx.another()?;
    let mut first = Hand::new(rx.recv());
    let mut second = Hand::new(second_rx.recv());
    number(first.poll());
    number(second.poll());
    first.bell().hook(panics);
    // What the sender learns of a message whose send has panicked is nothing.
    catch(|| try_send(&mut tx, ledger));
    number(first.run());
    first.cancel();
    drop(first);
    let mut send = HandSend::new(&mut tx, ledger);
    send.poll();
    number(second.run());
    send.run();
    number(second.run());
    if second.pending() && drain(&mut rx) > 0 {
        book.hung("after a receive's waker has panicked the next receive is not woken");
    }
    drop(second);
    receive_all(&mut rx);
    send.run();
    Some(())
}

/// Receives from two parked sends, the first with a waker that panics; then from the second.
fn receive_goes_on((mut tx, mut rx): Pair, ledger: &'static Ledger, book: &Book) -> Option<()> {
    while try_send(&mut tx, ledger) {}
    let mut second_tx = tx.another();
    let mut first = HandSend::new(&mut tx, ledger);
    let mut second = HandSend::new(&mut second_tx, ledger);
    first.poll();
    second.poll();
    first.bell().hook(panics);
    catch(|| Some(rx.try_recv()?.receive()));
    first.run();
    first.cancel();
    for _ in 0..8 {
        drain(&mut rx);
        second.run();
    }
    if second.pending() {
        book.hung("after a send's waker has panicked the next send is not woken");
    }
    drain(&mut rx);
    Some(())
}

fn end_wakes_receives((tx, mut rx): Pair, _: &'static Ledger, book: &Book) -> Option<()> {
    let (mut second_rx, mut third_rx) = (rx.another()?, rx.another()?);
    let mut first = Hand::new(rx.recv());
    let mut second = Hand::new(second_rx.recv());
    let mut third = Hand::new(third_rx.recv());
    number(first.poll());
    number(second.poll());
    number(third.poll());
    first.bell().hook(panics);
    catch(|| drop(tx));
    if !(second.woken() && third.woken()) {
        book.hung("the last sender goes, a waker panics: other receives are not woken");
    }
    Some(())
}

fn end_wakes_sends((mut tx, rx): Pair, ledger: &'static Ledger, book: &Book) -> Option<()> {
    while try_send(&mut tx, ledger) {}
    let (mut second_tx, mut third_tx) = (tx.another(), tx.another());
    let mut first = HandSend::new(&mut tx, ledger);
    let mut second = HandSend::new(&mut second_tx, ledger);
    let mut third = HandSend::new(&mut third_tx, ledger);
    first.poll();
    second.poll();
    third.poll();
    first.bell().hook(panics);
    catch(|| drop(rx));
    if !(second.woken() && third.woken()) {
        book.hung("the last receiver goes, a waker panics: other sends are not woken");
    }
    Some(())
}

/// Buffers four messages, the second of which panics.
fn explode(tx: &mut Box<dyn super::ends::Tx>, ledger: &'static Ledger) {
    try_send(tx, ledger);
    let explosive = ledger.explosive();
    let ticket = explosive.ticket();
    ticket.ended(tx.try_send(explosive));
    try_send(tx, ledger);
    try_send(tx, ledger);
}

fn buffer_drops((mut tx, rx): Pair, ledger: &'static Ledger) -> Option<()> {
    explode(&mut tx, ledger);
    catch(|| drop(rx));
    // A crate may leave it to the last handle.
    catch(|| drop(tx));
    Some(())
}

fn buffer_drops_beside_a_send(
    (mut tx, rx): Pair,
    ledger: &'static Ledger,
    book: &Book,
) -> Option<()> {
    explode(&mut tx, ledger);
    let mut other = tx.another();
    let mut send = HandSend::new(&mut other, ledger);
    send.poll();
    catch(|| drop(rx));
    if !send.woken() {
        book.hung(
            "a message's drop panics as the last receiver goes: a send that waits is not woken",
        );
    }
    drop(send);
    catch(|| drop((tx, other)));
    Some(())
}
