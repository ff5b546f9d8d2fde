//! A select that does not wait: its arms are tried, and that is all.

#![forbid(unsafe_code)]

use core::{
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    arm::{ArmRef, Arms},
    locked::Locked,
    order::{Chance, Order},
};
use crate::{
    chan::Done,
    coop::{self, Left},
    waiter::State,
};

/// Tries each arm by itself, in a random order or from top to bottom; returns the first that is done, or what the
/// order was drawn by.
// codegen: nearly always that is the arm tried first, so no more than that is inlined into the caller.
#[inline(always)]
pub(super) fn attempt<P: Arms>(
    mut arms: Pin<&mut P>,
    biased: bool,
    cx: &mut Context<'_>,
) -> Result<(usize, Done), Chance> {
    let (chance, first) = draw_first(biased, arms.count());
    match arms.as_mut().arm(first).attempt(cx) {
        Some(done) => Ok((first, done)),
        None => attempt_others(arms, chance, cx),
    }
}

/// As `attempt`, for arms of any types.
pub(super) fn attempt_erased(
    mut arms: Pin<&mut dyn Arms>,
    biased: bool,
    cx: &mut Context<'_>,
) -> Result<(usize, Done), Chance> {
    let (chance, first) = draw_first(biased, arms.count());
    match arms.as_mut().arm(first).attempt(cx) {
        Some(done) => Ok((first, done)),
        None => attempt_others(arms, chance, cx),
    }
}

#[inline(always)]
fn draw_first(biased: bool, count: usize) -> (Chance, usize) {
    // One arm is no choice.
    let chance = Chance::new(biased || count == 1);
    (chance, chance.first(count))
}

#[inline(never)]
fn attempt_others(
    mut arms: Pin<&mut dyn Arms>,
    chance: Chance,
    cx: &mut Context<'_>,
) -> Result<(usize, Done), Chance> {
    let count = arms.count();
    // Of two arms one is left to try, in whatever order.
    if count == 2 {
        let other = 1 - chance.first(count);
        let done = arms.as_mut().arm(other).attempt(cx);
        return done.map(|done| (other, done)).ok_or(chance);
    }
    let (mut order, mut draws) = (Order::new(count), chance.draws(count));
    for place in 0..count {
        let number = order.draw(place, &mut draws);
        // The first has been tried.
        if place > 0 {
            if let Some(done) = arms.as_mut().arm(number).attempt(cx) {
                return Ok((number, done));
            }
        }
    }
    Err(chance)
}

/// As `attempt`, for a task that has no more than one unit of its budget left: no operation is tried. An arm that a peer has completed
/// happens, and the last unit is for the other futures.
#[cold]
#[inline(never)]
pub(super) fn attempt_futures<'p>(
    mut arms: Pin<&'p mut (dyn Arms + 'p)>,
    biased: bool,
    left: Left,
    cx: &mut Context<'_>,
) -> Poll<(usize, Done)> {
    let may_poll = matches!(left, Left::LastUnit);
    let mut order = Order::drawn(arms.count(), Chance::new(biased));
    let number = order
        .iter()
        .find(|&number| match arms.as_mut().arm(number) {
            ArmRef::Disabled => false,
            ArmRef::Operation(operation) => {
                matches!(operation.state(), State::Done | State::Closed)
            }
            ArmRef::Future(future) => may_poll && future.is_done(cx),
        });
    match number {
        Some(number) => {
            coop::charge();
            Poll::Ready((number, Done::QUIETLY))
        }
        None => coop::refuse(cx),
    }
}

/// Tries the arms once more, after an `attempt`, and all at once: what one end of a channel says about the other may be
/// old, but with all channels locked it is certain that no operation can proceed.
#[inline(never)]
pub(super) fn attempt_all_locked<'p>(
    arms: Pin<&'p mut (dyn Arms + 'p)>,
    chance: Chance,
) -> Option<(usize, Done)> {
    let mut order = Order::drawn(arms.count(), chance);
    Locked::new(arms).attempt(order.iter(), None)
}
