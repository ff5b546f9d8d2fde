//! What it costs to drop one of many parked receives.
//!
//! One thread parks them, with a waker that does nothing, and drops them one after the other. The channel is empty and
//! bounded all the while. Their memory is not freed, which would cost more than the cancel.

use std::future::pending;
use std::hint::black_box;
use std::mem;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::findings::Findings;
use super::parked::{COUNT, Parked, SHAPE, park};
use super::{Sampled, Situation};
use crate::pace::Nothing;
use crate::peer::{AsyncRx, AsyncTx, InTasks, Peer};
use crate::report::OURS;
use crate::shape::Ends;
use crate::target::{self, Target};

const FLOOR: &str = "floor: a future that only waits";
const NEWEST_FIRST: &str = "newest first";
/// Nanoseconds that hchan may take, newest first.
const MOST: f64 = 30.0;
/// The indices of what a sample tells beside the time.
const BESIDE: usize = 1;
const SIZE: usize = 2;
/// Who needs longer has cancelled fewer: some search all who are parked.
const LIMIT: Duration = Duration::from_secs(1);
/// How many are dropped between two looks at the clock.
const BETWEEN: usize = 100;

#[derive(Debug)]
pub(crate) struct Cancel;

impl Situation for Cancel {
    fn name(&self) -> &'static str {
        "cancel"
    }

    fn variants(&self) -> Vec<String> {
        [NEWEST_FIRST, "oldest first", "random"]
            .map(str::to_owned)
            .to_vec()
    }

    fn candidates(&self) -> Vec<&'static str> {
        let peers = Peer::ALL.iter().map(|peer| peer.name());
        [FLOOR].into_iter().chain(peers).collect()
    }

    fn sample(&self, variant: &str, candidate: &str, _: bool) -> Sampled {
        let order = Order(sequence(variant));
        let numbers = match Peer::named(candidate) {
            Some(peer) => peer.in_tasks::<u64, _>(SHAPE, order),
            None => Some(order.measure(park((0..COUNT).map(|_| wait()), no_waker))),
        };
        numbers.ok_or(Nothing::Absent)
    }

    fn section(&self, findings: &Findings) -> String {
        let head = format!(
            "{COUNT} parked receives of one channel, {} samples.\n\n",
            findings.rounds
        );
        let target = Target {
            what: format!("hchan, ns a cancel, {NEWEST_FIRST}"),
            most: MOST,
            reached: findings.median(NEWEST_FIRST, OURS, 0),
        };
        let times = findings.by_candidate("To drop one, ns", 0);
        let memory = findings.numbers_of(
            NEWEST_FIRST,
            "What a parked receive takes, bytes",
            &[("its future", SIZE), ("allocated beside it", BESIDE)],
        );
        head + &times + &target::table(&[target]) + &memory + &findings.failures()
    }
}

fn sequence(variant: &str) -> Vec<usize> {
    let mut sequence: Vec<_> = (0..COUNT).collect();
    match variant {
        NEWEST_FIRST => sequence.reverse(),
        // The same order for everyone.
        "random" => fastrand::Rng::with_seed(0).shuffle(&mut sequence),
        _ => {}
    }
    sequence
}

/// The floor: it lies in memory as the others do, and holds nothing but that.
async fn wait() {
    let held = [0_u64; 8];
    pending::<()>().await;
    black_box(held);
}

fn no_waker(_: usize) -> Waker {
    Waker::noop().clone()
}

/// Which receive goes first.
struct Order(Vec<usize>);

impl Order {
    /// The numbers of a sample.
    fn measure<F>(&self, (parked, allocated): (Vec<Parked<F>>, u64)) -> Vec<f64> {
        let each = [allocated as f64 / COUNT as f64, size_of::<F>() as f64];
        let time = self.time(parked);
        [time].into_iter().chain(each).collect()
    }

    /// Nanoseconds a cancel.
    fn time<F>(&self, mut parked: Vec<Parked<F>>) -> f64 {
        let mut dropped = 0;
        let began = Instant::now();
        for places in self.0.chunks(BETWEEN) {
            for &place in places {
                parked[place].set(None);
            }
            dropped += places.len();
            if began.elapsed() > LIMIT {
                break;
            }
        }
        let time = began.elapsed();
        // The rest would take as long.
        mem::forget(black_box(parked));
        time.as_nanos() as f64 / dropped as f64
    }
}

impl InTasks<u64> for Order {
    type Output = Vec<f64>;

    fn run<Tx: AsyncTx<u64>, Rx: AsyncRx<u64>>(self, open: impl Fn() -> Ends<Tx, Rx>) -> Vec<f64> {
        let Ends { senders, receivers } = open();
        let receives = receivers.leak().iter_mut().map(Rx::recv);
        let numbers = self.measure(park(receives, no_waker));
        mem::forget(senders);
        numbers
    }
}
