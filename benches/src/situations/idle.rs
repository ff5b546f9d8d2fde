//! What a channel costs that has little to do: a message a millisecond, and the processor time that goes with each.

use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use super::findings::Findings;
use super::{Sampled, Situation, place};
use crate::cell::Place;
use crate::pace::{Nothing, cpu_time};
use crate::peer::{AsyncRx, AsyncTx, BlockingRx, BlockingTx, InTasks, OnThreads, Peer};
use crate::shape::{Ends, Shape};
use crate::target::{self, Target};

const INTERVAL: Duration = Duration::from_millis(1);
/// Messages before the time counts: who adapts to slow messages has adapted then.
const WARM_UP: u64 = 100;
const FLOOR: &str = "floor: sleeping without a channel";
/// By how much hchan's may be above the lowest.
const MOST: f64 = 1.1;
const SHAPE: Shape = Shape {
    senders: 1,
    receivers: 1,
    capacity: Some(64),
};

#[derive(Debug)]
pub(crate) struct Idle;

impl Situation for Idle {
    fn name(&self) -> &'static str {
        "idle"
    }

    fn variants(&self) -> Vec<String> {
        ["threads/64", "tokio2/64"].map(str::to_owned).to_vec()
    }

    fn candidates(&self) -> Vec<&'static str> {
        let peers = Peer::ALL.iter().map(|peer| peer.name());
        [FLOOR].into_iter().chain(peers).collect()
    }

    fn sample(&self, variant: &str, candidate: &str, quick: bool) -> Sampled {
        let work = Rare {
            messages: if quick { 1_000 } else { 2_000 },
        };
        let (place, _) = place(variant).ok_or(Nothing::Absent)?;
        let found = match (Peer::named(candidate), place) {
            (None, Place::Threads) => Some(Ok(work.sleep())),
            (None, Place::Tokio { workers }) => {
                let runtime = runtime(workers);
                let dozing = runtime.spawn(work.doze());
                Some(Ok(runtime.block_on(dozing).expect("no panic")))
            }
            (Some(peer), Place::Threads) => peer.on_threads(SHAPE, work),
            (Some(peer), Place::Tokio { workers }) => {
                peer.in_tasks(SHAPE, (work, &runtime(workers)))
            }
        };
        let time = found.ok_or(Nothing::Absent)?.map_err(Nothing::Lost)?;
        let messages = (work.messages - WARM_UP) as f64;
        Ok(vec![time.as_nanos() as f64 / 1e3 / messages])
    }

    fn section(&self, findings: &Findings) -> String {
        let head = format!(
            "A message every {INTERVAL:?}: processor time of the whole process, µs a message, {} samples.\n\n",
            findings.rounds
        );
        let target = |variant: &String| Target {
            what: format!("hchan / best other, idle, {variant}"),
            most: MOST,
            reached: findings.ratio(variant, 0),
        };
        let targets: Vec<_> = findings.variants.iter().map(target).collect();
        let times = findings.by_candidate("Processor time a message, µs", 0);
        head + &times + &target::table(&targets) + &findings.failures()
    }
}

/// With timers, which the others have no use for.
fn runtime(workers: usize) -> Runtime {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(workers).enable_time().build();
    runtime.expect("a runtime")
}

/// Messages a millisecond apart.
#[derive(Clone, Copy)]
struct Rare {
    messages: u64,
}

/// CPU time of all messages but those that warm up.
type Spent = Result<Duration, String>;

impl Rare {
    fn sleep(self) -> Duration {
        let mut start = Duration::ZERO;
        for number in 0..self.messages {
            thread::sleep(INTERVAL);
            if number + 1 == WARM_UP {
                start = cpu_time();
            }
        }
        cpu_time() - start
    }

    async fn doze(self) -> Duration {
        let mut start = Duration::ZERO;
        for number in 0..self.messages {
            tokio::time::sleep(INTERVAL).await;
            if number + 1 == WARM_UP {
                start = cpu_time();
            }
        }
        cpu_time() - start
    }

    fn check(self, received: u64, spent: Duration) -> Spent {
        match received == self.messages {
            true => Ok(spent),
            false => Err(format!("{received} of {} received", self.messages)),
        }
    }
}

impl OnThreads<u64> for Rare {
    type Output = Spent;

    fn run<Tx: BlockingTx<u64>, Rx: BlockingRx<u64>>(
        self,
        open: impl Fn() -> Ends<Tx, Rx>,
    ) -> Spent {
        let (mut tx, mut rx) = open().sole();
        let receiving = thread::spawn(move || {
            let mut received = 0;
            while rx.recv().is_ok() {
                received += 1;
            }
            received
        });
        let mut start = Duration::ZERO;
        for number in 0..self.messages {
            thread::sleep(INTERVAL);
            if tx.send(number).is_err() {
                break;
            }
            if number + 1 == WARM_UP {
                start = cpu_time();
            }
        }
        drop(tx);
        let received = receiving.join().expect("no panic");
        self.check(received, cpu_time() - start)
    }
}

impl InTasks<u64> for (Rare, &Runtime) {
    type Output = Spent;

    fn run<Tx: AsyncTx<u64>, Rx: AsyncRx<u64>>(self, open: impl Fn() -> Ends<Tx, Rx>) -> Spent {
        let (rare, runtime) = self;
        let (mut tx, mut rx) = open().sole();
        let receiving = runtime.spawn(async move {
            let mut received = 0;
            while rx.recv().await.is_ok() {
                received += 1;
            }
            received
        });
        let sending = runtime.spawn(async move {
            let mut start = Duration::ZERO;
            for number in 0..rare.messages {
                tokio::time::sleep(INTERVAL).await;
                if tx.send(number).await.is_err() {
                    break;
                }
                if number + 1 == WARM_UP {
                    start = cpu_time();
                }
            }
            start
        });
        runtime.block_on(async {
            let start = sending.await.expect("no panic");
            let received = receiving.await.expect("no panic");
            rare.check(received, cpu_time() - start)
        })
    }
}
