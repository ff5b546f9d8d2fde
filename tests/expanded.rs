//! What the select macros expand to, called by hand in any order and with any arms. It may panic and choose oddly; but no message is
//! lost or doubled, and no arm stays linked.

// Without `std` a second panic ends the process.
#![cfg(feature = "std")]
#![cfg(panic = "unwind")] // it catches panics

mod support;

use std::{
    cell::Cell,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{
        Poll::{Pending, Ready},
        Waker,
    },
    thread,
    time::Duration,
};

use fastrand::Rng;
use hchan::{
    __private::{
        FutureArm, FutureArmRef, OperationArm, attempt, attempt_blocking, attempt_now_blocking,
        outcome, select, select_blocking_timeout,
    },
    Receiver, Sender, TryRecvError, TrySendError, bounded,
};
use support::{Call, forget, hooked_waker, panic_of, poll, poll_with};

/// A waker whose drop panics while `armed`.
fn waker_that_panics_in_drop(armed: &Arc<AtomicBool>) -> Waker {
    let armed = Arc::clone(armed);
    hooked_waker(move |call| {
        if call == Call::Drop && armed.load(Relaxed) && !thread::panicking() {
            panic!("waker dropped");
        }
    })
}

/// Two receives, of which the first is parked by itself, as arms of a parked select.
macro_rules! select_with_a_parked_arm {
    ($armed:ident, $tx:ident, $second_tx:ident, $first:ident, $racing:ident) => {
        let $armed = Arc::new(AtomicBool::new(false));
        let (($tx, rx), ($second_tx, second_rx)) = (bounded::<u8>(0), bounded::<u8>(0));
        let (mut $first, mut second) = (pin!(Some(rx.recv())), pin!(Some(second_rx.recv())));
        let waker = waker_that_panics_in_drop(&$armed);
        let mut receive = $first.as_mut().as_pin_mut().unwrap();
        assert_eq!(poll_with(&mut receive, &waker), Pending);
        drop(waker);
        let second_arm = OperationArm::new(second.as_mut());
        let mut arms = (OperationArm::new($first.as_mut()), (second_arm, ()));
        let Err(tried) = attempt_blocking(&mut arms, true) else {
            panic!("nothing is ready");
        };
        let mut $racing = Box::pin(select(arms, tried));
        assert_eq!(poll(&mut $racing), Pending);
        assert_eq!($second_tx.waiting_receivers(), 1);
        $armed.store(true, Relaxed);
    };
}

#[test]
fn dropped_select_unlinks_its_arms_whatever_an_arm_parked_by_itself_has_for_a_waker() {
    select_with_a_parked_arm!(armed, tx, second_tx, first, racing);
    drop(racing);
    assert_eq!(second_tx.waiting_receivers(), 0);
    assert_eq!(second_tx.try_send(1), Err(TrySendError::Full(1)));
    // The other one is as it was.
    assert_eq!(tx.waiting_receivers(), 1);
    assert_eq!(panic_of(|| first.set(None)), "waker dropped");
    assert_eq!(tx.waiting_receivers(), 0);
}

#[test]
fn claimed_select_unlinks_its_arms_whatever_an_arm_parked_by_itself_has_for_a_waker() {
    select_with_a_parked_arm!(armed, tx, second_tx, first, racing);
    assert_eq!(second_tx.try_send(1), Ok(()));
    assert_eq!(poll(&mut racing), Ready(1));
    drop(racing);
    assert_eq!(tx.waiting_receivers(), 1);
    armed.store(false, Relaxed);
    first.set(None);
    assert_eq!(tx.try_send(1), Err(TrySendError::Full(1)));
}

#[test]
fn outcome_of_a_parked_receive_is_none_and_unparks_it() {
    let (tx, rx) = bounded(0);
    let mut receive = pin!(rx.recv());
    assert_eq!(poll(&mut receive), Pending);
    assert_eq!(outcome(receive.as_mut()), None);
    assert_eq!(tx.waiting_receivers(), 0);
    assert_eq!(poll(&mut receive), Pending);
    assert_eq!(tx.try_send(1), Ok(()));
    assert_eq!(outcome(receive.as_mut()), Some(Ok(1)));
    assert_eq!(outcome(receive.as_mut()), None);
}

#[test]
fn outcome_of_a_send_is_had_once() {
    let (tx, rx) = bounded(1);
    let mut send = pin!(tx.send(String::from("once")));
    assert_eq!(outcome(send.as_mut()), None);
    assert_eq!(poll(&mut send), Ready(Ok(())));
    assert_eq!(outcome(send.as_mut()), None);
    assert_eq!(rx.try_recv().as_deref(), Ok("once"));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn arms_of_a_forgotten_select_can_be_used_again() {
    let (tx, rx) = bounded(0);
    let mut receive = pin!(Some(rx.recv()));
    for _ in 0..2 {
        let mut arms = (OperationArm::new(receive.as_mut()), ());
        let Err(tried) = attempt_blocking(&mut arms, false) else {
            panic!("nothing is ready");
        };
        let mut racing = Box::pin(select(arms, tried));
        assert_eq!(poll(&mut racing), Pending);
        forget(racing);
    }
    assert_eq!(tx.waiting_receivers(), 1);
    receive.set(None);
    assert_eq!(tx.try_send(1), Err(TrySendError::Full(1)));
}

#[test]
fn arms_tried_for_another_select_are_tried_again() {
    let ((tx, rx), (_other_tx, other_rx)) = (bounded(1), bounded::<u8>(1));
    let mut other = pin!(Some(other_rx.recv()));
    let mut other = (OperationArm::new(other.as_mut()), ());
    let Err(tried) = attempt_blocking(&mut other, true) else {
        panic!("nothing is ready");
    };
    tx.try_send(1).unwrap();
    let mut receive = pin!(Some(rx.recv()));
    let arms = (OperationArm::new(receive.as_mut()), ());
    assert_eq!(poll(&mut pin!(select(arms, tried))), Ready(0));
    let receive = receive.as_pin_mut().unwrap();
    assert_eq!(outcome(receive), Some(Ok(1)));
}

/// Random calls, in random order, with wakers whose drop panics at random.
#[test]
fn whatever_is_called_no_message_is_lost_or_doubled() {
    let seeds = if cfg!(miri) { 0..20 } else { 0..10_000 };
    for seed in seeds {
        let messages = Arc::new(());
        let hostile = Hostile {
            seed,
            rng: Rng::with_seed(seed),
            armed: Arc::default(),
            message: Arc::clone(&messages),
        };
        hostile.run();
        assert_eq!(Arc::strong_count(&messages), 1, "seed {seed}");
    }
}

type Message = Arc<()>;

struct Hostile {
    seed: u64,
    rng: Rng,
    armed: Arc<AtomicBool>,
    message: Message,
}

impl Hostile {
    fn run(mut self) {
        let channels = [(); 3].map(|()| bounded::<Message>(self.rng.usize(0..2)));
        let [(tx, rx), (sent_tx, _), (other_tx, other_rx)] = &channels;
        let mut slot = Some(self.message.clone());
        let mut receive = Box::pin(Some(rx.recv()));
        let mut send = Box::pin(Some(sent_tx.send(self.message.clone())));
        let mut send_from = Box::pin(Some(other_tx.send_from(&mut slot)));
        let mut into_recv = Box::pin(Some(other_rx.clone().into_recv()));
        for _ in 0..self.rng.usize(1..30) {
            self.armed.store(self.rng.bool(), Relaxed);
            match self.rng.u8(0..10) {
                0 | 1 => peer(&mut self.rng, &channels, &self.message),
                2 => self.alone(&mut receive, outcome),
                3 => self.alone(&mut send, outcome),
                4 => self.alone(&mut send_from, outcome),
                5 => self.alone(&mut into_recv, outcome),
                6 => {
                    let renewed = self.rng.bool().then(|| rx.recv());
                    let _ = quietly(|| receive.set(renewed));
                }
                _ => {
                    let polls = Cell::new(self.rng.u8(0..9));
                    let sends = self.rng.u8(0..4) == 0;
                    let mut foreign = pin!(Some(FutureArm::new(poll_fn(|_| {
                        let left = polls.get().saturating_sub(1);
                        polls.set(left);
                        if sends {
                            let _ = tx.try_send(self.message.clone());
                        }
                        if left == 0 { Ready(()) } else { Pending }
                    }))));
                    let mut rng = self.rng.fork();
                    let parked = parked(&channels);
                    let mut is_forgotten = false;
                    let waker = waker_that_panics_in_drop(&self.armed);
                    let mut arms = (
                        OperationArm::new(receive.as_mut()),
                        (
                            OperationArm::new(send_from.as_mut()),
                            (
                                FutureArmRef::new(foreign.as_mut()),
                                (
                                    OperationArm::new(into_recv.as_mut()),
                                    (OperationArm::new(send.as_mut()), ()),
                                ),
                            ),
                        ),
                    );
                    let _ = quietly(|| {
                        let mut tried = None;
                        for _ in 0..rng.u8(0..3) {
                            match rng.u8(0..3) {
                                0 => _ = attempt_now_blocking(&mut arms, rng.bool()),
                                1 => tried = attempt_blocking(&mut arms, rng.bool()).err(),
                                _ => {
                                    let mut attempt = pin!(attempt(&mut arms, rng.bool()));
                                    if let Ready(Err(chance)) = poll_with(&mut attempt, &waker) {
                                        tried = Some(chance);
                                    }
                                }
                            }
                        }
                        let Some(tried) = tried else {
                            let _ = select_blocking_timeout(arms, rng.bool(), Duration::ZERO);
                            return;
                        };
                        let mut racing = Box::pin(select(arms, tried));
                        for _ in 0..rng.u8(0..4) {
                            let polled = quietly(|| poll_with(&mut racing, &waker));
                            if !matches!(polled, Some(Pending)) {
                                break;
                            }
                            peer(&mut rng, &channels, &self.message);
                        }
                        is_forgotten = rng.u8(0..4) == 0;
                        if is_forgotten {
                            forget(racing);
                        }
                    });
                    let has_left = is_forgotten || self::parked(&channels) <= parked;
                    assert!(has_left, "seed {}", self.seed);
                    let _ = quietly(|| drop(waker));
                }
            }
        }
        self.armed.store(self.rng.bool(), Relaxed);
        let _ = quietly(|| receive.set(None));
        let _ = quietly(|| send.set(None));
        let _ = quietly(|| send_from.set(None));
        let _ = quietly(|| into_recv.set(None));
        self.armed.store(false, Relaxed);
        assert_eq!(parked(&channels), 0, "seed {}", self.seed);
    }

    /// Something that is done with a future by itself.
    fn alone<A: hchan::Arm>(
        &mut self,
        future: &mut Pin<Box<Option<A>>>,
        outcome: impl Fn(Pin<&mut A>) -> Option<A::Output>,
    ) {
        let waker = waker_that_panics_in_drop(&self.armed);
        if let Some(mut future) = future.as_mut().as_pin_mut() {
            let _ = quietly(|| match self.rng.bool() {
                true => drop(poll_with(&mut future, &waker)),
                false => drop(outcome(future)),
            });
        }
        let _ = quietly(|| drop(waker));
    }
}

type Channel = (Sender<Message>, Receiver<Message>);

/// How many operations are parked.
fn parked(channels: &[Channel]) -> usize {
    let parked = |(tx, rx): &Channel| tx.waiting_senders() + rx.waiting_receivers();
    channels.iter().map(parked).sum()
}

/// Something that a peer does.
fn peer(rng: &mut Rng, channels: &[Channel], message: &Message) {
    let (tx, rx) = &channels[rng.usize(0..channels.len())];
    let _ = quietly(|| match rng.u8(0..20) {
        0 => _ = tx.close(),
        1..10 => _ = tx.try_send(message.clone()),
        _ => _ = rx.try_recv(),
    });
}

/// What `f` returns, unless it panics.
fn quietly<R>(f: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(f)).ok()
}
