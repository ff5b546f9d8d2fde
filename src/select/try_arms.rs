//! A select that does not wait: its arms are tried, and that is all.

use core::{pin::Pin, task::Context};

use super::{
    arm::Arms,
    locked::Locked,
    order::{Chance, Order},
};
use crate::chan::Done;

/// Tries each arm by itself, in a random order or from top to bottom; returns the first that is done, or what the
/// order was drawn by.
///
/// Nearly always that is the one tried first, so no more than that is inlined into the caller.
#[inline(always)]
pub(super) fn attempt<P: Arms>(
    mut arms: Pin<&mut P>,
    biased: bool,
    cx: &mut Context<'_>,
) -> Result<(usize, Done), Chance> {
    let count = arms.count();
    // One arm is no choice.
    let chance = Chance::new(biased || count == 1);
    let first = chance.first(count);
    match arms.as_mut().visit(first, |arm| arm.attempt(cx)) {
        Some(done) => Ok((first, done)),
        None => attempt_others(arms, chance, cx),
    }
}

#[inline(never)]
fn attempt_others<P: Arms>(
    mut arms: Pin<&mut P>,
    chance: Chance,
    cx: &mut Context<'_>,
) -> Result<(usize, Done), Chance> {
    let count = arms.count();
    let (mut order, mut draws) = (Order::new(count), chance.draws(count));
    for place in 0..count {
        let number = order.draw(place, &mut draws);
        // The first has been tried.
        if place > 0 {
            if let Some(done) = arms.as_mut().visit(number, |arm| arm.attempt(cx)) {
                return Ok((number, done));
            }
        }
    }
    Err(chance)
}

/// As `attempt`, and then all at once: what one end of a channel says about the other may be old, but with all channels
/// locked it is certain that no operation can proceed.
pub(super) fn attempt_now<P: Arms>(
    mut arms: Pin<&mut P>,
    biased: bool,
    cx: &mut Context<'_>,
) -> Option<(usize, Done)> {
    match attempt(arms.as_mut(), biased, cx) {
        Ok(done) => Some(done),
        Err(chance) => {
            let mut order = Order::drawn(arms.count(), chance);
            Locked::new(arms).attempt(order.iter())
        }
    }
}
