//! Many tasks send and receive, and any operation may be dropped at any time.
//!
//! The same tasks run by hand and on a runtime. By hand every step is chosen by the seed, so whatever is found happens again;
//! and it is known at every step who could go on: senders always have something to send and receivers always want more, so
//! where nobody is woken while both are waiting, or while a receiver waits and messages are there, a wake was lost.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll, Wake, Waker};

use fastrand::Rng;
use tokio::runtime::Builder;

use super::Plan;
use super::book::Book;
use super::ends::{Op, Rx, Tx};
use super::ledger::{End, Fate, Ledger};
use super::peers::{Peer, Place};

const SENDERS: usize = 4;
const RECEIVERS: usize = 4;
/// Sends a sender, by hand.
const FEW: usize = 25;
/// Sends a sender, on the runtime.
const MANY: usize = 1000;
const CAPACITIES: [usize; 3] = [0, 1, 3];

/// Who decides when an operation is dropped.
trait Whim: Send {
    /// Whether the operation that waits now is to be dropped, and if so what its send's fate is.
    fn cancels(&mut self) -> Option<Fate>;

    /// The operation waits.
    fn waits(&mut self, cx: &mut Context<'_>);

    /// Goes away for a while, after an operation was dropped.
    fn nap(&mut self) -> impl Future<Output = ()> + Send;

    /// A new operation begins, a receive or a send.
    fn begin(&mut self, receive: bool);
}

/// An operation that is dropped if somebody has that whim.
struct Whimsical<'a, T, W> {
    op: Option<Op<'a, T>>,
    polled: bool,
    whim: &'a mut W,
}

impl<T, W: Whim> Future for Whimsical<'_, T, W> {
    type Output = Result<T, Fate>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.polled {
            if let Some(fate) = this.whim.cancels() {
                this.op = None;
                return Poll::Ready(Err(fate));
            }
        }
        this.polled = true;
        let op = this.op.as_mut().expect("polled after its end");
        let polled = op.as_mut().poll(cx);
        if polled.is_pending() {
            this.whim.waits(cx);
        }
        polled.map(Ok)
    }
}

async fn sender(mut tx: Box<dyn Tx>, sends: usize, ledger: &'static Ledger, mut whim: impl Whim) {
    for _ in 0..sends {
        let message = ledger.message();
        let ticket = message.ticket();
        whim.begin(false);
        let sending = Whimsical {
            op: Some(tx.send(message)),
            polled: false,
            whim: &mut whim,
        };
        match sending.await {
            Ok(sent) => ticket.ended(sent),
            Err(fate) => {
                ticket.fate(fate);
                whim.nap().await;
            }
        }
    }
}

async fn receiver(mut rx: Box<dyn Rx>, mut whim: impl Whim) {
    loop {
        whim.begin(true);
        let receiving = Whimsical {
            op: Some(rx.recv()),
            polled: false,
            whim: &mut whim,
        };
        match receiving.await {
            Ok(Some(message)) => _ = message.receive(),
            Ok(None) => return,
            Err(_) => whim.nap().await,
        }
    }
}

/// All of them that the crate allows.
fn receivers(rx: Box<dyn Rx>) -> Vec<Box<dyn Rx>> {
    let others = (1..RECEIVERS).map_while(|_| rx.another());
    let mut all: Vec<_> = others.collect();
    all.push(rx);
    all
}

/// By hand.
pub(crate) fn by_hand(peer: &Peer, plan: &Plan, book: &Book) -> Option<()> {
    (peer.open)(Place::Tasks, 1)?;
    for round in 0..plan.rounds {
        for capacity in CAPACITIES {
            let Some((tx, rx)) = (peer.open)(Place::Tasks, capacity) else {
                continue;
            };
            let mut rng = plan.rng(round);
            let ledger = book.open(SENDERS * FEW);
            let mut actors = Vec::new();
            for rx in receivers(rx) {
                actors.push(Actor::new(|whim| Box::pin(receiver(rx, whim))));
            }
            for _ in 0..SENDERS {
                let tx = tx.another();
                actors.push(Actor::new(|whim| Box::pin(sender(tx, FEW, ledger, whim))));
            }
            drop(tx);
            if let Some(stuck) = run(&mut actors, ledger, &mut rng) {
                book.hung(stuck);
                // Before the channel ends, and drops what is stuck there.
                book.settle(End::Never);
            }
            drop(actors);
            book.settle(End::Drained);
        }
    }
    Some(())
}

/// A task that is polled by hand, and what it shares with its whim.
struct Actor {
    task: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    mood: Arc<Mood>,
}

#[derive(Default)]
struct Mood {
    woken: AtomicBool,
    receives: AtomicBool,
    naps: AtomicBool,
    cancel: AtomicBool,
    /// Whether the operation to be cancelled had been woken.
    was_woken: AtomicBool,
}

impl Wake for Mood {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, SeqCst);
    }
}

impl Whim for Arc<Mood> {
    fn cancels(&mut self) -> Option<Fate> {
        let woken = self.was_woken.load(SeqCst);
        let cancels = self.cancel.swap(false, SeqCst);
        cancels.then_some(if woken {
            Fate::Unclear
        } else {
            Fate::Cancelled
        })
    }

    fn waits(&mut self, _: &mut Context<'_>) {}

    async fn nap(&mut self) {
        self.naps.store(true, SeqCst);
        std::future::poll_fn(|_| match self.naps.load(SeqCst) {
            true => Poll::Pending,
            false => Poll::Ready(()),
        })
        .await;
    }

    fn begin(&mut self, receive: bool) {
        self.receives.store(receive, SeqCst);
    }
}

impl Actor {
    fn new(task: impl FnOnce(Arc<Mood>) -> Pin<Box<dyn Future<Output = ()> + Send>>) -> Actor {
        let mood = Arc::new(Mood::default());
        mood.woken.store(true, SeqCst);
        Actor {
            task: Some(task(Arc::clone(&mood))),
            mood,
        }
    }

    fn poll(&mut self) {
        let Some(task) = &mut self.task else { return };
        self.mood.woken.store(false, SeqCst);
        let waker = Waker::from(Arc::clone(&self.mood));
        let polled = task.as_mut().poll(&mut Context::from_waker(&waker));
        if polled.is_ready() {
            self.task = None;
        }
    }

    fn cancel(&mut self) {
        let woken = self.mood.woken.load(SeqCst);
        self.mood.was_woken.store(woken, SeqCst);
        self.mood.cancel.store(true, SeqCst);
        self.poll();
        self.mood.cancel.store(false, SeqCst);
    }

    fn rouse(&mut self) {
        self.mood.naps.store(false, SeqCst);
        self.mood.woken.store(true, SeqCst);
    }

    fn naps(&self) -> bool {
        self.task.is_some() && self.mood.naps.load(SeqCst)
    }

    fn awake(&self) -> bool {
        self.task.is_some() && !self.mood.naps.load(SeqCst)
    }

    fn ready(&self) -> bool {
        self.awake() && self.mood.woken.load(SeqCst)
    }

    fn parked(&self, receives: bool) -> bool {
        self.awake() && !self.ready() && self.mood.receives.load(SeqCst) == receives
    }
}

/// Runs all to their end, in an order that the generator chooses. What it returns stands still.
fn run(actors: &mut [Actor], ledger: &Ledger, rng: &mut Rng) -> Option<&'static str> {
    loop {
        if !actors.iter().any(Actor::ready) {
            let receives = actors.iter().any(|actor| actor.parked(true));
            let sends = actors.iter().any(|actor| actor.parked(false));
            if receives && sends {
                return Some("a send and a receive wait for each other");
            }
            if receives && ledger.under_way() > 0 {
                return Some("a receive waits though messages are there");
            }
            match choose(actors, rng, Actor::naps) {
                Some(napper) => napper.rouse(),
                None if receives => return Some("a receive waits though the senders are gone"),
                None if sends => return Some("a send waits though there is room"),
                None => return None,
            }
        }
        match rng.u8(..8) {
            0 => choose(actors, rng, Actor::naps).map(Actor::rouse),
            1 | 2 => choose(actors, rng, Actor::awake).map(Actor::cancel),
            _ => choose(actors, rng, Actor::ready).map(Actor::poll),
        };
    }
}

fn choose<'a>(
    actors: &'a mut [Actor],
    rng: &mut Rng,
    fits: impl Fn(&Actor) -> bool,
) -> Option<&'a mut Actor> {
    let fitting: Vec<_> = (0..actors.len()).filter(|&at| fits(&actors[at])).collect();
    let at = rng.choice(fitting)?;
    Some(&mut actors[at])
}

/// On tokio with two workers.
pub(crate) fn in_tasks(peer: &Peer, plan: &Plan, book: &Book) -> Option<()> {
    (peer.open)(Place::Tasks, 1)?;
    let runtime = Builder::new_multi_thread().worker_threads(2).build().ok()?;
    for round in 0..plan.rounds.div_ceil(10) {
        for capacity in CAPACITIES {
            let Some((tx, rx)) = (peer.open)(Place::Tasks, capacity) else {
                continue;
            };
            let mut rng = plan.rng(round);
            let ledger = book.open(SENDERS * MANY);
            let mut tasks = Vec::new();
            for rx in receivers(rx) {
                tasks.push(runtime.spawn(receiver(rx, Patience::new(rng.fork()))));
            }
            for _ in 0..SENDERS {
                let sending = sender(tx.another(), MANY, ledger, Patience::new(rng.fork()));
                tasks.push(runtime.spawn(sending));
            }
            drop(tx);
            for task in tasks {
                if runtime.block_on(task).is_err() {
                    book.hung("a task panicked");
                }
            }
            book.settle(End::Drained);
        }
    }
    Some(())
}

/// Half of the operations are dropped when they have been polled a few times.
struct Patience {
    rng: Rng,
    /// Polls that are left; `None` for ever.
    left: Option<u8>,
}

impl Patience {
    fn new(rng: Rng) -> Patience {
        Patience { rng, left: None }
    }
}

impl Whim for Patience {
    fn cancels(&mut self) -> Option<Fate> {
        let left = self.left.as_mut()?;
        let Some(less) = left.checked_sub(1) else {
            return Some(Fate::Unclear);
        };
        *left = less;
        None
    }

    /// Half of the time it is polled again at once, else when the channel has woken it.
    fn waits(&mut self, cx: &mut Context<'_>) {
        if self.left.is_some() && self.rng.bool() {
            cx.waker().wake_by_ref();
        }
    }

    async fn nap(&mut self) {
        for _ in 0..self.rng.u8(..3) {
            tokio::task::yield_now().await;
        }
    }

    fn begin(&mut self, _: bool) {
        self.left = self.rng.bool().then(|| self.rng.u8(..4));
    }
}
