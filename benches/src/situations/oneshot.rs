//! A channel for one message: made, used once, dropped; beside channels that can do no more than that.

use std::fmt::Debug;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::findings::Findings;
use super::{Sampled, Situation};
use crate::pace::Nothing;
use crate::peer::{AsyncRx, AsyncTx};

const SENT_FIRST: &str = "sent, then received";
const AWAITED: &str = "awaited, then sent";

/// The smallest buffer that a crate has; the oneshots have none to choose.
const CAPACITY: usize = 1;
const TIMES: u64 = 200_000;

/// One message, to be taken through a channel made for it; what came out is returned.
type Use = fn(Once) -> u64;

const CANDIDATES: [(&str, Use); 12] = [
    ("hchan", |once| once.through(hchan::bounded(CAPACITY))),
    ("tokio::sync::oneshot", |once| {
        let (tx, rx) = tokio::sync::oneshot::channel();
        once.by(|message| tx.send(message), rx)
    }),
    ("futures::channel::oneshot", |once| {
        let (tx, rx) = futures::channel::oneshot::channel();
        once.by(|message| tx.send(message), rx)
    }),
    ("crossfire::oneshot", |once| {
        let (tx, rx) = crossfire::oneshot::oneshot();
        // It does not tell whether the receiver is there.
        let send = |message| {
            tx.send(message);
            Ok::<_, u64>(())
        };
        once.by(send, rx)
    }),
    ("async-channel", |once| {
        once.through(async_channel::bounded(CAPACITY))
    }),
    ("crossfire", |once| {
        once.through(crossfire::spsc::bounded_async(CAPACITY))
    }),
    ("flume", |once| once.through(flume::bounded(CAPACITY))),
    ("kanal", |once| once.through(kanal::bounded_async(CAPACITY))),
    ("loole", |once| once.through(loole::bounded(CAPACITY))),
    ("tachyonix", |once| {
        once.through(tachyonix::channel(CAPACITY))
    }),
    ("thingbuf", |once| {
        once.through(thingbuf::mpsc::channel(CAPACITY))
    }),
    ("tokio", |once| {
        once.through(tokio::sync::mpsc::channel(CAPACITY))
    }),
];

pub(super) fn candidates() -> impl Iterator<Item = &'static str> {
    CANDIDATES.iter().map(|(name, _)| *name)
}

#[derive(Debug)]
pub(crate) struct Oneshot;

impl Situation for Oneshot {
    fn name(&self) -> &'static str {
        "oneshot"
    }

    fn variants(&self) -> Vec<String> {
        [SENT_FIRST, AWAITED].map(str::to_owned).to_vec()
    }

    fn candidates(&self) -> Vec<&'static str> {
        candidates().collect()
    }

    fn sample(&self, variant: &str, candidate: &str, _: bool) -> Sampled {
        let once = once(candidate, variant == AWAITED).ok_or(Nothing::Absent)?;
        (0..TIMES / 10).for_each(&once);
        let began = Instant::now();
        (0..TIMES).for_each(&once);
        let time = began.elapsed().as_nanos() as f64 / TIMES as f64;
        let (counted, ()) = counting_alloc::count(|| once(7));
        Ok(vec![time, counted.allocations as f64, counted.bytes as f64])
    }

    fn section(&self, findings: &Findings) -> String {
        let head = format!(
            "A channel made (of capacity {CAPACITY}, where that can be chosen), one message through it, the channel dropped; on \
             one thread, {} samples.\n\n",
            findings.rounds
        );
        let times = findings.by_candidate("Once, ns", 0);
        let memory = [
            findings.by_candidate("Allocations", 1),
            findings.by_candidate("Allocated, bytes", 2),
        ];
        head + &times + &memory.concat() + &findings.failures()
    }
}

/// Takes a message through a channel of the candidate's, made for it.
pub(super) fn once(candidate: &str, is_awaited: bool) -> Option<impl Fn(u64)> {
    let (_, take) = CANDIDATES.iter().find(|(name, _)| *name == candidate)?;
    Some(move |message| {
        let received = take(black_box(Once {
            message,
            is_awaited,
        }));
        assert_eq!(received, message);
    })
}

#[derive(Clone, Copy)]
struct Once {
    message: u64,
    /// The receive waits before the message is sent.
    is_awaited: bool,
}

impl Once {
    fn through<Tx: AsyncTx<u64>, Rx: AsyncRx<u64>>(self, (mut tx, mut rx): (Tx, Rx)) -> u64 {
        let send = |message| ready(pin!(async move { tx.send(message).await.map_err(drop) }));
        self.by(send, async move { rx.recv().await.map_err(drop) })
    }

    fn by<S: Debug, R: Debug>(
        self,
        send: impl FnOnce(u64) -> Result<(), S>,
        receive: impl Future<Output = Result<u64, R>>,
    ) -> u64 {
        let mut receive = pin!(receive);
        if self.is_awaited {
            assert!(poll(receive.as_mut()).is_pending(), "nothing has been sent");
        }
        send(self.message).expect("the receiver is there");
        ready(receive).expect("it has been sent")
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn ready<F: Future>(future: Pin<&mut F>) -> F::Output {
    match poll(future) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("there is room, and there is a message"),
    }
}
