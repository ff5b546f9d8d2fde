//! The channel beside a plain model of it: whatever is done to both, step by step, both do the same.
//!
//! The model is written after the tables in the crate's documentation ("What a send and a receive do", "With permits",
//! "Closing", "Cancelling"), with a `Vec` or a `VecDeque` for every queue, and knows nothing of how the channel does it.
//! Futures and sinks are polled by hand. After each step everything is compared that can be seen from outside: what the operation
//! returned, every count, which messages have been dropped, who was woken and in what order, and which wakers are held.
//!
//! The sequences of operations are the same in each run. `PROPTEST_RNG_SEED=n` tries others, `PROPTEST_CASES=n` more.

#![deny(unsafe_code)]

mod model;
mod op;
mod panics;
mod real;
mod rules;
mod sink;
mod state;
#[allow(unsafe_code)]
#[path = "../support/mod.rs"]
mod support;
mod tasks;

use std::{env, pin::pin, task::Poll};

use futures::{StreamExt, executor::block_on, poll};
use hchan::select;
use model::Model;
use op::{Op, Use, any_capacity, any_steps};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed},
};
use real::Real;

/// The configuration from the environment, where that says nothing with these defaults.
fn config() -> Config {
    let from_env = Config::default();
    Config {
        cases: match env::var_os("PROPTEST_CASES") {
            Some(_) => from_env.cases,
            None if cfg!(miri) => 5,
            None => 8_000,
        },
        rng_seed: match from_env.rng_seed {
            RngSeed::Random => RngSeed::Fixed(0),
            fixed => fixed,
        },
        failure_persistence: None,
        ..from_env
    }
}

/// Does it to both and compares.
fn step(real: &mut Real, model: &mut Model, op: &Op) -> Result<(), TestCaseError> {
    let (did, expected) = (real.apply(op), model.apply(op));
    prop_assert_eq!(did, expected, "what {:?} returned, and should have", op);
    let (is, expected) = (real.observe(), model.observe());
    prop_assert_eq!(is, expected, "what is seen after {:?}, and should be", op);
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn channel_does_what_the_model_does(
        capacity in any_capacity(),
        steps in any_steps(),
        closes_at_the_end: bool,
    ) {
        let (mut real, mut model) = (Real::new(capacity), Model::new(capacity));
        for op in &steps {
            step(&mut real, &mut model, op)?;
        }
        if closes_at_the_end {
            step(&mut real, &mut model, &Op::CloseFromSender)?;
        }
        while !model.tasks.is_empty() {
            step(&mut real, &mut model, &Op::Poll { pick: 0, with_new_waker: false })?;
            step(&mut real, &mut model, &Op::Drop { pick: 0 })?;
        }
        while model.free_permits > 0 {
            step(&mut real, &mut model, &Op::UsePermit { then: Use::Drop })?;
        }
        while model.senders > 0 {
            step(&mut real, &mut model, &Op::DropSender)?;
        }
        while model.receivers > 0 {
            step(&mut real, &mut model, &Op::DropReceiver)?;
        }
        prop_assert!(
            real.drops.borrow().iter().all(|&drops| drops == 1),
            "every message drops once: {:?}", real.drops
        );
    }
}

#[test]
fn stream_starts_anew_after_giving_a_handed_message_back() {
    block_on(async {
        let (tx, rx) = hchan::bounded(1);
        let mut stream = rx.stream();
        assert!(poll!(stream.next()).is_pending());
        tx.try_send(1).unwrap();
        stream.release();
        assert_eq!(
            poll!(stream.next()),
            Poll::Ready(Some(1)),
            "the message given back is the next to be received"
        );
    });
}

#[test]
fn stream_starts_anew_when_released_after_a_close() {
    block_on(async {
        let (tx, rx) = hchan::bounded::<u8>(1);
        let mut stream = rx.stream();
        assert!(poll!(stream.next()).is_pending());
        tx.close();
        stream.release();
        assert_eq!(
            poll!(stream.next()),
            Poll::Ready(None),
            "the channel is closed and empty"
        );
    });
}

#[test]
fn select_at_both_ends_has_the_place_of_a_permit_that_is_given_up() {
    block_on(async {
        let (tx, rx) = hchan::bounded(1);
        let permit = tx.try_reserve().unwrap();
        let mut message = Some(1);
        let mut selecting = Box::pin(async {
            select! {
                send_from(tx, &mut message) -> sent => sent.is_ok(),
                recv(rx) -> _ => false,
            }
        });
        assert!(poll!(&mut selecting).is_pending());
        drop(permit);
        assert_eq!(poll!(&mut selecting), Poll::Ready(true), "there is room");
        assert_eq!(rx.try_recv(), Ok(1));
    });
}

#[test]
fn select_at_both_ends_that_a_permit_was_sent_to_holds_no_send_back() {
    block_on(async {
        let (tx, rx) = hchan::bounded(2);
        let (first, _second) = (tx.try_reserve().unwrap(), tx.try_reserve().unwrap());
        let mut message = Some(1);
        let mut selecting = Box::pin(async {
            select! {
                send_from(tx, &mut message) -> _ => None,
                recv(rx) -> received => Some(received),
            }
        });
        assert!(poll!(&mut selecting).is_pending());
        first.send(2).unwrap();
        assert_eq!(tx.waiting_senders(), 0, "the select's send is lost");
        assert_eq!(
            poll!(pin!(tx.send(3))),
            Poll::Ready(Ok(())),
            "there is room"
        );
        assert_eq!(poll!(&mut selecting), Poll::Ready(Some(Ok(2))));
    });
}

#[test]
fn select_of_two_receives_beside_a_permit_makes_room_for_a_parked_send() {
    block_on(async {
        let (tx, rx) = hchan::bounded(0);
        let mut receiving = Box::pin(rx.recv());
        assert!(poll!(&mut receiving).is_pending());
        let _permit = tx.try_reserve().unwrap();
        let (mut first, mut second) = (Box::pin(tx.send(1)), Box::pin(tx.send(2)));
        assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());

        let mut selecting = Box::pin(async {
            select! {
                recv(rx) -> received => received,
                recv(rx) -> received => received,
            }
        });
        assert!(poll!(&mut selecting).is_pending());
        assert_eq!(poll!(&mut receiving), Poll::Ready(Ok(1)), "it came first");
        assert_eq!(poll!(&mut selecting), Poll::Ready(Ok(2)));
    });
}
