//! Models of the channel: loom runs each of them through every interleaving of its threads, and through every value
//! that the orderings let a load return, on the code that users get.
//!
//! ```text
//! RUSTFLAGS="--cfg hchan_loom" cargo test --release --lib --test loom
//! ```
//!
//! With `--features inspect` there are models of snapshots, too.
//!
//! `--lib` adds the models of the parts that are replaced or hidden here, each in its own file: the channel lock (loom's
//! mutex stands in for it) and the parker.
//!
//! What makes a model fail:
//!
//! - a wake that does not come: the thread that waits for it never ends, which loom reports as a deadlock;
//! - an ordering that is too weak: the contents of a [`Message`], of a waiter are loom's cells, which report an access
//!   that does not happen after the one before it, and a [`Mark`] is seen only where something else orders it;
//! - a message lost, doubled or kept: the [`Ledger`] counts the drops of each;
//! - a channel that is never freed: loom reports a leaked `Arc`;
//! - a broken invariant: the core asserts them at every unlock.
//!
//! A future polled by hand gets a [`Bell`] for a waker, or none: both order nothing in loom's eyes, so what such a poll
//! sees it sees by the channel's own doing. Models are explored in full, but for a few of three threads: those up to
//! [`PREEMPTIONS`] in one run.
//!
//! "Row n" is a row of `peer_bugs`. `loom/MUTANTS.md` lists what has been taken out of the crate, and which models noticed.

#![cfg(hchan_loom)]

#[path = "loom/batches.rs"]
mod batches;
#[path = "loom/cancel.rs"]
mod cancel;
#[path = "loom/close.rs"]
mod close;
#[path = "loom/closed.rs"]
mod closed;
#[path = "loom/ends.rs"]
mod ends;
#[path = "loom/handles.rs"]
mod handles;
#[cfg(feature = "inspect")]
#[path = "loom/inspect.rs"]
mod inspect;
#[path = "loom/last_message.rs"]
mod last_message;
#[path = "loom/meet.rs"]
mod meet;
#[path = "loom/permits.rs"]
mod permits;
#[path = "loom/select.rs"]
mod select;
#[path = "loom/short.rs"]
mod short;
#[path = "loom/until.rs"]
mod until;
#[path = "loom/wake.rs"]
mod wake;

use std::{
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use hchan::Receiver;
use loom::{cell::UnsafeCell, model::Builder, thread};

/// How many preemptions are explored of models that would take half a minute each to explore in full.
const PREEMPTIONS: usize = 5;

/// Runs a model through all interleavings; each must leave no message behind.
fn explore(model: impl Fn(&Ledger) + Send + Sync + 'static) {
    check(Builder::new(), model);
}

/// As [`explore`], but with no more than [`PREEMPTIONS`] in one run.
fn explore_bounded(model: impl Fn(&Ledger) + Send + Sync + 'static) {
    let mut builder = Builder::new();
    // Unless `LOOM_MAX_PREEMPTIONS` has set another bound, for all models.
    builder.preemption_bound.get_or_insert(PREEMPTIONS);
    check(builder, model);
}

fn check(mut builder: Builder, model: impl Fn(&Ledger) + Send + Sync + 'static) {
    // Loom's own limit is too low for the model with the most waiters.
    builder.max_branches = 5_000;
    builder.check(move || {
        let ledger = Ledger::default();
        model(&ledger);
        ledger.assert_settled();
    });
}

/// How often each message has been dropped. Nothing of loom's: counting adds no interleavings and orders nothing.
#[derive(Clone, Default)]
struct Ledger(Arc<Mutex<Vec<u32>>>);

impl Ledger {
    /// Makes a message with the next number, from 1.
    fn message(&self) -> Message {
        let mut drops = self.0.lock().unwrap();
        drops.push(0);
        let number = drops.len();
        let contents = UnsafeCell::new(0);
        // SAFETY: nobody else has the message yet.
        contents.with_mut(|contents| unsafe { *contents = number });
        Message {
            number,
            contents,
            ledger: self.clone(),
        }
    }

    fn drops_of(&self, number: usize) -> u32 {
        self.0.lock().unwrap()[number - 1]
    }

    fn assert_settled(&self) {
        for (index, &drops) in self.0.lock().unwrap().iter().enumerate() {
            assert_eq!(drops, 1, "drops of message {}", index + 1);
        }
    }
}

/// A message that has to be passed on by the rules: whoever has it has it alone, and after the one before.
struct Message {
    number: usize,
    contents: UnsafeCell<usize>,
    ledger: Ledger,
}

impl Drop for Message {
    fn drop(&mut self) {
        // A second panic would only hide the first.
        if std::thread::panicking() {
            return;
        }
        // SAFETY: the message is being dropped, so it is nobody else's; loom checks just that.
        let contents = self.contents.with_mut(|contents| unsafe { *contents });
        assert_eq!(contents, self.number, "contents of the message");
        self.ledger.0.lock().unwrap()[self.number - 1] += 1;
    }
}

/// The number of a message, which ends here.
fn number(message: Message) -> usize {
    message.number
}

/// Something that a thread does outside of the channel, and that others must see when the channel says so. It orders
/// nothing itself.
#[derive(Clone)]
struct Mark(Arc<loom::sync::atomic::AtomicBool>);

impl Mark {
    fn new() -> Self {
        Self(Arc::new(loom::sync::atomic::AtomicBool::new(false)))
    }

    fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A waker that counts how often it is woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Bell {
    fn new() -> (Arc<Self>, Waker) {
        let bell = Arc::<Self>::default();
        (Arc::clone(&bell), Waker::from(bell))
    }

    fn rings(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Polls once, with a waker that does nothing.
fn poll<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    poll_with(future, Waker::noop())
}

fn poll_with<F: Future>(future: &mut Pin<Box<F>>, waker: &Waker) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(waker))
}

/// Parks a future that nobody else can complete yet.
fn parked<F: Future>(future: F) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    assert!(poll(&mut future).is_pending(), "it has to wait");
    future
}

/// What a future that has been completed returns.
fn output<F: Future>(future: &mut Pin<Box<F>>) -> F::Output {
    match poll(future) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future should have completed"),
    }
}

/// Waits for a future as an executor does: it is polled again only when its waker has been woken.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

fn join_all<T, const N: usize>(threads: [thread::JoinHandle<T>; N]) -> [T; N] {
    threads.map(|thread| thread.join().unwrap())
}

/// Nobody is parked on the channel and nothing is in it.
fn assert_idle(rx: &Receiver<Message>) {
    let counts = (rx.waiting_senders(), rx.waiting_receivers(), rx.len());
    assert_eq!(
        counts,
        (0, 0, 0),
        "waiting senders and receivers, messages left"
    );
}
