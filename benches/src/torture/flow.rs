//! Many send to many, each in its own task or thread: through a single place, and into a channel that closes.

use futures::executor::block_on;
use tokio::runtime::Builder;

use fastrand::Rng;

use super::Plan;
use super::book::Book;
use super::ends::{Rx, Tx};
use super::ledger::{End, Ledger};
use super::peers::{Peer, Place};

const SENDERS: usize = 4;
const RECEIVERS: usize = 4;
const CAPACITIES: [usize; 3] = [0, 1, 4];

/// Messages a round and sender, through a single place.
const MESSAGES: usize = 50;
/// Messages a sender at most, into a channel that closes.
const FEW: usize = 16;

type Part = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// How a channel ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// The senders have sent all and go.
    SendersGo,
    /// The receivers go after some messages, while the senders send.
    ReceiversGo,
    /// One of the two ends is closed after some messages; the receivers receive until the end.
    Close,
}

/// Four threads send to four, or to one where there can be no more, over a capacity of 1.
pub(crate) fn narrow(peer: &Peer, plan: &Plan, book: &Book) -> Option<()> {
    let (tx, rx) = (peer.open)(plan.place, 1)?;
    let messages = MESSAGES * plan.rounds;
    let ledger = book.open(SENDERS * messages);
    let mut parts = Vec::new();
    for rx in receivers(rx) {
        parts.push(Box::pin(receive(rx, usize::MAX, false)) as Part);
    }
    for _ in 0..SENDERS {
        parts.push(Box::pin(send(tx.another(), messages, None, ledger)));
    }
    drop(tx);
    run(parts, plan.place, book)?;
    book.settle(End::Drained);
    Some(())
}

pub(crate) fn senders_go(peer: &Peer, plan: &Plan, book: &Book) -> Option<()> {
    rounds(peer, plan, book, Ending::SendersGo)
}

pub(crate) fn receivers_go(peer: &Peer, plan: &Plan, book: &Book) -> Option<()> {
    rounds(peer, plan, book, Ending::ReceiversGo)
}

pub(crate) fn close(peer: &Peer, plan: &Plan, book: &Book) -> Option<()> {
    let (mut tx, mut rx) = (peer.open)(plan.place, 1)?;
    // On either end is enough.
    tx.close().or_else(|| rx.close())?;
    rounds(peer, plan, book, Ending::Close)
}

fn rounds(peer: &Peer, plan: &Plan, book: &Book, ending: Ending) -> Option<()> {
    (peer.open)(plan.place, 1)?;
    for round in 0..plan.rounds {
        let mut rng = plan.rng(round);
        for capacity in CAPACITIES {
            if let Some((tx, rx)) = (peer.open)(plan.place, capacity) {
                let ledger = book.open(SENDERS * FEW);
                let parts = closing(tx, rx, ending, ledger, &mut rng);
                run(parts, plan.place, book)?;
                book.settle(match ending {
                    Ending::ReceiversGo => End::Abandoned,
                    Ending::SendersGo | Ending::Close => End::Drained,
                });
            }
        }
    }
    Some(())
}

fn closing(
    tx: Box<dyn Tx>,
    rx: Box<dyn Rx>,
    ending: Ending,
    ledger: &'static Ledger,
    rng: &mut Rng,
) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let closes = ending == Ending::Close;
    // The sender's end where the crate can, in every other round; else the receiver's.
    let by_sender = closes && rng.bool() && tx.can_close();
    for (index, rx) in receivers(rx).into_iter().enumerate() {
        let closer = closes && !by_sender && index == 0;
        let limit = if closer || ending == Ending::ReceiversGo {
            rng.usize(..FEW / 2)
        } else {
            usize::MAX
        };
        parts.push(Box::pin(receive(rx, limit, closer)));
    }
    for index in 0..SENDERS {
        let closer = (by_sender && index == 0).then(|| rng.usize(..FEW));
        parts.push(Box::pin(send(tx.another(), FEW, closer, ledger)));
    }
    rng.shuffle(&mut parts);
    parts
}

/// All of them that the crate allows.
fn receivers(rx: Box<dyn Rx>) -> Vec<Box<dyn Rx>> {
    let others = (1..RECEIVERS).map_while(|_| rx.another());
    let mut all: Vec<_> = others.collect();
    all.push(rx);
    all
}

/// Sends so many messages, or until the channel is closed; closes it itself before this one.
async fn send(
    mut tx: Box<dyn Tx>,
    messages: usize,
    closes_before: Option<usize>,
    ledger: &'static Ledger,
) {
    for n in 0..messages {
        if closes_before == Some(n) {
            tx.close();
        }
        let message = ledger.message();
        let ticket = message.ticket();
        let sent = tx.send(message).await;
        ticket.ended(sent);
        if !sent {
            return;
        }
    }
}

/// Receives so many messages, or until the end; or closes the channel then, and receives what is left.
async fn receive(mut rx: Box<dyn Rx>, limit: usize, closes: bool) {
    for _ in 0..limit {
        match rx.recv().await {
            Some(message) => _ = message.receive(),
            None => return,
        }
    }
    if closes {
        rx.close();
        while let Some(message) = rx.recv().await {
            message.receive();
        }
    }
}

/// Runs each part in its own task or thread, until all have ended.
fn run(parts: Vec<Part>, place: Place, book: &Book) -> Option<()> {
    let panicked = match place {
        Place::Tasks => {
            let runtime = Builder::new_multi_thread().worker_threads(2).build().ok()?;
            let tasks: Vec<_> = parts.into_iter().map(|part| runtime.spawn(part)).collect();
            let ended = tasks
                .into_iter()
                .map(|task| runtime.block_on(task).is_err());
            ended.filter(|&panicked| panicked).count()
        }
        Place::Threads => {
            let spawn = |part| std::thread::spawn(move || block_on(part));
            let threads: Vec<_> = parts.into_iter().map(spawn).collect();
            let ended = threads.into_iter().map(|thread| thread.join().is_err());
            ended.filter(|&panicked| panicked).count()
        }
    };
    if panicked > 0 {
        book.hung("a participant panicked");
    }
    Some(())
}
