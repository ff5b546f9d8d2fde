//! How long one message takes while the channel is quiet.
//!
//! - `round trip`: a message goes there through one channel and back through another, one at a time.
//! - `paced`: a message every 20 µs; from the moment it was due to be sent until it is received. A sender that is late does not
//!   make it look faster.
//!
//! The floor has no channel. What it shows at the far end is not a channel's: that the machine was away.

use std::hint::spin_loop;
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::runtime::Runtime;
use tokio::task::yield_now;

use super::findings::Findings;
use super::{Sampled, Situation, place};
use crate::cell::{PLACES, Place};
use crate::pace::Nothing;
use crate::peer::{AsyncRx, AsyncTx, BlockingRx, BlockingTx, InTasks, OnThreads, Peer};
use crate::sample::runtime;
use crate::shape::{Ends, Shape};
use crate::stats::Summary;
use crate::target::{self, Target};

const FLOOR: &str = "floor: no channel";
/// So many times a number goes through a ring and back again in a trip of the floor: so it takes about as long as one through
/// the fastest channels, and is interrupted as often. It is the floor of the far end alone.
const FLOOR_PASSES: u32 = 2;
const INTERVAL: Duration = Duration::from_micros(20);
/// A sample is made of so many windows, each with a channel of its own, and of each percentile their median counts: where
/// something else takes a core for a turn of milliseconds, it decides on the tail of one window, not on that of the sample.
const WINDOWS: usize = 7;
const QUICK_WINDOWS: usize = 3;
const WINDOW: Duration = Duration::from_millis(40);
/// Apart from the median.
const PERCENTILES: [f64; 3] = [50.0, 99.0, 99.9];
/// The index of the percentile in the target, and by how much hchan's may be above the best.
const LAST: usize = 2;
const MOST: f64 = 1.1;

#[derive(Debug)]
pub(crate) struct Latency;

impl Situation for Latency {
    fn name(&self) -> &'static str {
        "latency"
    }

    fn variants(&self) -> Vec<String> {
        let kinds = ["round trip/1", "round trip/64", "round trip/0", "paced/64"];
        let of_place = |place: Place| kinds.map(|kind| format!("{place}/{kind}"));
        PLACES.into_iter().flat_map(of_place).collect()
    }

    fn candidates(&self) -> Vec<&'static str> {
        let peers = Peer::ALL.iter().map(|peer| peer.name());
        [FLOOR].into_iter().chain(peers).collect()
    }

    fn rounds(&self) -> u32 {
        9
    }

    fn sample(&self, variant: &str, candidate: &str, quick: bool) -> Sampled {
        let (place, kind, shape) = understand(variant).ok_or(Nothing::Absent)?;
        let mut windows = [const { Vec::new() }; PERCENTILES.len()];
        for _ in 0..if quick { QUICK_WINDOWS } else { WINDOWS } {
            let found = match Peer::named(candidate) {
                Some(peer) => window(place, kind, peer, shape),
                None if candidate == FLOOR => floor(place, kind),
                None => None,
            };
            let times = found.ok_or(Nothing::Absent)?.map_err(Nothing::Lost)?;
            for (times_at, percentile) in windows.iter_mut().zip(PERCENTILES) {
                times_at.push(times.value_at_percentile(percentile) as f64);
            }
        }
        let median = |times: Vec<f64>| Summary::of(&times).expect("there is a window").median;
        Ok(windows.map(median).to_vec())
    }

    fn section(&self, findings: &Findings) -> String {
        let mut markdown = format!(
            "µs of a message on a quiet channel: median / 99 % / 99.9 %, each the median of {} samples, and in them of windows of {WINDOW:?}; \
             in brackets the least and most of the samples' 99.9 %. \
             `round trip` is there and back again through two channels; `paced` is one way, a message every {INTERVAL:?}. \
             The number is the capacity; the last line is of the 99.9 %.\n\n\
             *{FLOOR}*: of `round trip` on threads, {FLOOR_PASSES} times there and back through rtrb, its users spinning, then yielding; \
             of `paced`, by how much the sender misses the time itself. Its far end is the machine's.\n\n",
            findings.rounds
        );
        for place in PLACES {
            let cell = |variant: &str, candidate: &str| percentiles(findings, variant, candidate);
            markdown += &findings.group(&place.to_string(), cell, LAST);
        }
        let target = |variant: &String| Target {
            what: format!("hchan / best other at 99.9 %, {variant}"),
            most: MOST,
            reached: findings.ratio(variant, LAST),
        };
        let targets: Vec<_> = findings.variants.iter().map(target).collect();
        markdown + &target::table(&targets) + &findings.failures()
    }
}

type Times = Result<Histogram<u64>, String>;

fn window(place: Place, kind: &str, peer: Peer, shape: Shape) -> Option<Times> {
    match (place, kind) {
        (Place::Threads, "paced") => peer.on_threads(shape, Paced { lasting: WINDOW }),
        (Place::Threads, _) => peer.on_threads(shape, RoundTrips::lasting(WINDOW)),
        (Place::Tokio { workers }, kind) => {
            let runtime = &runtime(workers);
            match kind {
                "paced" => peer.in_tasks(shape, (Paced { lasting: WINDOW }, runtime)),
                _ => peer.in_tasks(shape, (RoundTrips::lasting(WINDOW), runtime)),
            }
        }
    }
}

/// `None`: there is none of that kind.
fn floor(place: Place, kind: &str) -> Option<Times> {
    let paced = Paced { lasting: WINDOW };
    match (place, kind) {
        (Place::Threads, "paced") => Some(paced.lateness()),
        (Place::Tokio { workers }, "paced") => {
            let runtime = runtime(workers);
            let lateness = runtime.spawn(paced.lateness_in_task());
            Some(runtime.block_on(lateness).expect("no panic"))
        }
        (Place::Threads, _) => {
            let trips = RoundTrips {
                passes: FLOOR_PASSES,
                ..RoundTrips::lasting(WINDOW)
            };
            let open = || Ends::one_to_one(rtrb::RingBuffer::<u64>::new(1));
            Some(OnThreads::<u64>::run(trips, open))
        }
        (Place::Tokio { .. }, _) => None,
    }
}

fn understand(variant: &str) -> Option<(Place, &str, Shape)> {
    let (place, rest) = place(variant)?;
    let (kind, capacity) = rest.split_once('/')?;
    let shape = Shape {
        senders: 1,
        receivers: 1,
        capacity: Some(capacity.parse().ok()?),
    };
    Some((place, kind, shape))
}

fn percentiles(findings: &Findings, variant: &str, candidate: &str) -> String {
    let micros = |index| Some(findings.median(variant, candidate, index)? / 1e3);
    let last = findings.summary(variant, candidate, LAST);
    match (0..PERCENTILES.len())
        .map(micros)
        .collect::<Option<Vec<_>>>()
    {
        Some(micros) => {
            let shown: Vec<_> = micros.iter().map(|time| format!("{time:.2}")).collect();
            let spread = last.map(|of| format!(" ({:.1}..{:.1})", of.min / 1e3, of.max / 1e3));
            shown.join(" / ") + &spread.unwrap_or_default()
        }
        None => findings.cell(variant, candidate, 0),
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three digits are possible")
}

fn note(times: &mut Histogram<u64>, time: Duration) {
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    times.record(nanos.max(1)).expect("it grows as needed");
}

/// Messages there and back again, one at a time.
struct RoundTrips {
    lasting: Duration,
    /// How often a trip of threads goes there and back.
    passes: u32,
}

impl RoundTrips {
    fn lasting(lasting: Duration) -> Self {
        let passes = 1;
        Self { lasting, passes }
    }
}

/// The trips of a while, of which the first quarter warms up. `$trip` sends the number and returns what came back.
macro_rules! round_trips {
    ($lasting:expr, $number:ident => $trip:expr) => {{
        let (began, mut times) = (Instant::now(), histogram());
        let mut last = began;
        for $number in 0.. {
            if $trip != Some($number) {
                return Err(format!("message {} did not come back", $number));
            }
            let now = Instant::now();
            if now - began > $lasting / 4 {
                note(&mut times, now - last);
            }
            last = now;
            if now - began > $lasting {
                break;
            }
        }
        Ok(times)
    }};
}

impl OnThreads<u64> for RoundTrips {
    type Output = Times;

    fn run<Tx: BlockingTx<u64>, Rx: BlockingRx<u64>>(
        self,
        open: impl Fn() -> Ends<Tx, Rx>,
    ) -> Times {
        let ((mut tx, mut there), (mut back, mut rx)) = (open().sole(), open().sole());
        let echo = move || {
            while let Ok(number) = there.recv() {
                if back.send(number).is_err() {
                    break;
                }
            }
        };
        thread::scope(|scope| {
            scope.spawn(echo);
            scope
                .spawn(move || {
                    round_trips!(self.lasting, number => {
                        let pass = |number, _| tx.send(number).ok().and_then(|()| rx.recv().ok());
                        (0..self.passes).try_fold(number, pass)
                    })
                })
                .join()
                .expect("no panic")
        })
    }
}

impl InTasks<u64> for (RoundTrips, &Runtime) {
    type Output = Times;

    fn run<Tx: AsyncTx<u64>, Rx: AsyncRx<u64>>(self, open: impl Fn() -> Ends<Tx, Rx>) -> Times {
        let (RoundTrips { lasting, .. }, runtime) = self;
        let ((mut tx, mut there), (mut back, mut rx)) = (open().sole(), open().sole());
        runtime.spawn(async move {
            loop {
                // What is left of the result is gone before the next wait: not every crate's error may change threads.
                let Ok(number) = there.recv().await else {
                    break;
                };
                if back.send(number).await.is_err() {
                    break;
                }
            }
        });
        let trips = runtime.spawn(async move {
            round_trips!(lasting, number => {
                if tx.send(number).await.is_ok() { rx.recv().await.ok() } else { None }
            })
        });
        runtime.block_on(trips).expect("no panic")
    }
}

/// A message at a time that was fixed beforehand. Its number is that time, in nanoseconds from the beginning.
struct Paced {
    lasting: Duration,
}

impl Paced {
    /// When each message is due.
    fn schedule(&self) -> impl Iterator<Item = Duration> + use<> {
        let count = (self.lasting.as_nanos() / INTERVAL.as_nanos()) as u32;
        (1..=count).map(|number| number * INTERVAL)
    }

    /// How late a thread is that sends nothing.
    fn lateness(&self) -> Times {
        let began = Instant::now();
        let mut arrivals = Arrivals::new(began, self.schedule().count());
        for due in self.schedule() {
            while began.elapsed() < due {
                spin_loop();
            }
            arrivals.add(due.as_nanos() as u64);
        }
        arrivals.end()
    }

    async fn lateness_in_task(self) -> Times {
        let began = Instant::now();
        let mut arrivals = Arrivals::new(began, self.schedule().count());
        for due in self.schedule() {
            while began.elapsed() < due {
                yield_now().await;
            }
            arrivals.add(due.as_nanos() as u64);
        }
        arrivals.end()
    }
}

/// What a receiver notes; the first quarter warms up.
struct Arrivals {
    began: Instant,
    times: Histogram<u64>,
    count: usize,
    expected: usize,
}

impl Arrivals {
    fn new(began: Instant, expected: usize) -> Self {
        let (times, count) = (histogram(), 0);
        Self {
            began,
            times,
            count,
            expected,
        }
    }

    fn add(&mut self, due: u64) {
        let now = self.began.elapsed();
        self.count += 1;
        if self.count > self.expected / 4 {
            note(
                &mut self.times,
                now.saturating_sub(Duration::from_nanos(due)),
            );
        }
    }

    fn end(self) -> Times {
        match self.count == self.expected {
            true => Ok(self.times),
            false => Err(format!("{} of {} received", self.count, self.expected)),
        }
    }
}

impl OnThreads<u64> for Paced {
    type Output = Times;

    fn run<Tx: BlockingTx<u64>, Rx: BlockingRx<u64>>(
        self,
        open: impl Fn() -> Ends<Tx, Rx>,
    ) -> Times {
        let ((mut tx, mut rx), began) = (open().sole(), Instant::now());
        let mut arrivals = Arrivals::new(began, self.schedule().count());
        let receiving = thread::spawn(move || {
            while let Ok(due) = rx.recv() {
                arrivals.add(due);
            }
            arrivals.end()
        });
        let sending = thread::spawn(move || {
            for due in self.schedule() {
                while began.elapsed() < due {
                    spin_loop();
                }
                if tx.send(due.as_nanos() as u64).is_err() {
                    break;
                }
            }
        });
        sending.join().expect("no panic");
        receiving.join().expect("no panic")
    }
}

impl InTasks<u64> for (Paced, &Runtime) {
    type Output = Times;

    fn run<Tx: AsyncTx<u64>, Rx: AsyncRx<u64>>(self, open: impl Fn() -> Ends<Tx, Rx>) -> Times {
        let (paced, runtime) = self;
        let ((mut tx, mut rx), began) = (open().sole(), Instant::now());
        let mut arrivals = Arrivals::new(began, paced.schedule().count());
        let receiving = runtime.spawn(async move {
            while let Ok(due) = rx.recv().await {
                arrivals.add(due);
            }
            arrivals.end()
        });
        runtime.spawn(async move {
            for due in paced.schedule() {
                // Not spinning: the task that a send wakes may be next on this very worker.
                while began.elapsed() < due {
                    yield_now().await;
                }
                if tx.send(due.as_nanos() as u64).await.is_err() {
                    break;
                }
            }
        });
        runtime.block_on(receiving).expect("no panic")
    }
}
