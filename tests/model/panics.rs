//! The channel with wakers and messages that panic at random: nothing is lost, doubled or out of order.
//!
//! The steps are those of the model, which does not take part: what an operation that panics comes to depends on which of its
//! calls did. What holds whichever did is checked after each step: a message drops out of sight only if its sender gave it up in
//! this step or there are no receivers. In the end, what is left is in order, every message has dropped once, and no waker is held.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::{
    op::{Op, any_capacity, any_steps},
    real::Real,
    support::injected::survive,
};

/// Messages that enter in the order in which they are made: others may wait before they enter, or go ahead of those that wait.
fn enters_at_once(op: &Op) -> bool {
    matches!(
        op,
        Op::TrySend
            | Op::TrySendMany { .. }
            | Op::SendWithinNoTime
            | Op::NewSend {
                is_polled: true,
                ..
            }
            | Op::NewSendMany { .. }
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: crate::config().cases.div_ceil(4), ..crate::config() })]

    #[cfg_attr(not(feature = "std"), ignore = "a second panic ends the process")]
    #[test]
    #[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
    fn channel_keeps_count_whatever_panics(
        capacity in any_capacity(),
        steps in any_steps(),
        seed: u64,
    ) {
        fastrand::seed(seed);
        let mut real = Real::new(capacity);
        real.is_fragile = true;
        real.came_out();
        // Of each message, which task made it, and whether it is one of those whose order is known.
        let mut makers: Vec<(Option<usize>, bool)> = Vec::new();
        let mut dropped = BTreeSet::new();
        for op in &steps {
            let made_before = makers.len();
            if survive(|| real.apply(op)).is_none() {
                survive(|| real.remove_panicked());
            }
            let actor = real.actor;
            let drops = real.drops.borrow().clone();
            makers.resize(drops.len(), (actor, enters_at_once(op)));
            let came_out = real.came_out();
            for (message, &drops) in drops.iter().enumerate() {
                prop_assert!(drops <= 1, "{} dropped twice in {:?}", message, op);
                if drops == 1 && dropped.insert(message) {
                    let is_given_up = message >= made_before || actor.is_some() && makers[message].0 == actor;
                    prop_assert!(
                        came_out.contains(&message) || is_given_up || !real.has_receivers(),
                        "{} is lost in {:?}", message, op
                    );
                }
            }
            real.observe();
        }
        let mut left = real.end_tasks();
        left.retain(|&message| makers[message].1);
        prop_assert!(left.is_sorted(), "out of order: {:?}", left);
        let held = real.end();
        prop_assert!(held.iter().all(|&held| held == 0), "wakers are held: {:?}", held);
        let drops = real.drops.borrow();
        prop_assert!(drops.iter().all(|&drops| drops == 1), "every message drops once: {:?}", drops);
    }
}
