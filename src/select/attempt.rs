//! A select that does not wait: its arms are tried, and that is all.

use std::{pin::Pin, task::Context};

use super::{
    arm::{Done, Places},
    locked::Locked,
    order::{Order, below},
};

/// Tries each arm by itself, in a random order or from top to bottom; returns the first that is done.
///
/// Nearly always that is the one tried first, so no more than that is inlined into the caller.
#[inline(always)]
pub(super) fn attempt<P: Places>(
    mut arms: Pin<&mut P>,
    biased: bool,
    cx: &mut Context<'_>,
) -> Option<(usize, Done)> {
    let count = arms.count();
    let first = match count {
        0 => return None,
        1 => 0,
        _ if biased => 0,
        _ => below(count),
    };
    match arms.as_mut().attempt(first, cx) {
        Some(done) => Some((first, done)),
        None => attempt_others(arms, first, biased, cx),
    }
}

#[inline(never)]
fn attempt_others<P: Places>(
    mut arms: Pin<&mut P>,
    first: usize,
    biased: bool,
    cx: &mut Context<'_>,
) -> Option<(usize, Done)> {
    let count = arms.count();
    let mut order = Order::from(first, count);
    (1..count).find_map(|place| {
        let number = order.next(place, biased);
        Some((number, arms.as_mut().attempt(number, cx)?))
    })
}

/// As `attempt`, and then all at once: what one end of a channel says about the other may be old, but with all channels
/// locked it is certain that no operation can proceed.
pub(super) fn attempt_now<P: Places>(
    mut arms: Pin<&mut P>,
    biased: bool,
    cx: &mut Context<'_>,
) -> Option<(usize, Done)> {
    attempt(arms.as_mut(), biased, cx).or_else(|| {
        let mut order = Order::drawn(arms.count(), biased);
        Locked::new(arms).attempt(order.iter())
    })
}
