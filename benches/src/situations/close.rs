//! What it costs to close a channel on which many wait.
//!
//! One thread parks the receives and drops the only sender. Every waker counts; each receive has to have been woken, and
//! to end when it is polled then.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Wake, Waker};
use std::time::{Duration, Instant};

use super::findings::Findings;
use super::parked::{COUNT, SHAPE, park, poll};
use super::{Sampled, Situation};
use crate::pace::Nothing;
use crate::peer::{AsyncRx, AsyncTx, InTasks, Peer};
use crate::report::OURS;
use crate::shape::Ends;
use crate::target::{self, Target};

const SHARED: &str = "a waker for all";
const OWN: &str = "a waker each";
/// Nanoseconds that hchan may take.
const MOST: f64 = 150.0;
/// Who needs longer has fewer receives looked at: some search all others when one has ended.
const CHECKING: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Close;

impl Situation for Close {
    fn name(&self) -> &'static str {
        "close"
    }

    fn variants(&self) -> Vec<String> {
        [SHARED, OWN].map(str::to_owned).to_vec()
    }

    fn sample(&self, variant: &str, candidate: &str, _: bool) -> Sampled {
        let closing = Closing {
            wakers: if variant == OWN { COUNT } else { 1 },
        };
        let peer = Peer::named(candidate).ok_or(Nothing::Absent)?;
        let time = peer.in_tasks::<u64, _>(SHAPE, closing);
        Ok(vec![time.ok_or(Nothing::Absent)?.map_err(Nothing::Lost)?])
    }

    fn section(&self, findings: &Findings) -> String {
        let head = format!(
            "{COUNT} parked receives of one channel, whose last sender drops; {} samples.\n\n",
            findings.rounds
        );
        let target = |variant: &String| Target {
            what: format!("hchan, ns a receive, {variant}"),
            most: MOST,
            reached: findings.median(variant, OURS, 0),
        };
        let targets: Vec<_> = findings.variants.iter().map(target).collect();
        let times = findings.by_candidate("To close, ns a receive", 0);
        head + &times + &target::table(&targets) + &findings.failures()
    }
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

struct Closing {
    /// One for all, or as many as there are receives.
    wakers: usize,
}

impl InTasks<u64> for Closing {
    /// Nanoseconds a receive.
    type Output = Result<f64, String>;

    fn run<Tx: AsyncTx<u64>, Rx: AsyncRx<u64>>(
        self,
        open: impl Fn() -> Ends<Tx, Rx>,
    ) -> Self::Output {
        let counts: Vec<Arc<Count>> = (0..self.wakers).map(|_| Arc::default()).collect();
        let waker = |number| Waker::from(Arc::clone(&counts[number % self.wakers]));
        let Ends { senders, receivers } = open();
        let receivers = receivers.leak();
        let (mut parked, _) = park(receivers.iter_mut().map(Rx::recv), waker);
        let began = Instant::now();
        drop(senders);
        let time = began.elapsed();
        let wakes: usize = (counts.iter())
            .map(|count| count.0.load(Ordering::Relaxed))
            .sum();
        if wakes < COUNT {
            return Err(format!("{wakes} of {COUNT} woken"));
        }
        let polled = (parked.iter_mut())
            .take_while(|_| began.elapsed() < CHECKING)
            .map(|receive| poll(receive, Waker::noop()));
        let has_ended = |polled| matches!(polled, Poll::Ready(Err(_)));
        let all_ended = { polled }.all(has_ended);
        // To drop them may take as long.
        mem::forget(parked);
        match all_ended {
            true => Ok(time.as_nanos() as f64 / COUNT as f64),
            false => Err("woken, but not ended".to_owned()),
        }
    }
}
