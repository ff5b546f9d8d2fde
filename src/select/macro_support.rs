//! What the macros expand to calls of.

#![forbid(unsafe_code)]

use core::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

#[cfg(feature = "std")]
pub use blocking::{
    attempt_blocking, attempt_now_blocking, select_blocking, select_blocking_timeout,
};

use super::{arm::Arms, order::Chance, state::SelectState, try_arms};
use crate::{chan::Done, coop};

/// What is left of a select that found nothing to do: what it drew.
#[allow(missing_debug_implementations, reason = "for the macros alone")]
pub struct Tried(Chance);

/// The number of an arm that happens at once; if there is none as far as each channel tells by itself, what `select` needs.
#[inline(always)]
pub fn attempt<P: ArmList>(
    arms: &mut P,
    biased: bool,
) -> impl Future<Output = Result<usize, Tried>> {
    poll_fn(move |cx| {
        if coop::is_spent() {
            let done = try_arms::attempt_while_spent(Pin::<&mut P>::new(arms), biased, cx);
            return done.map(|done| Ok(happen(arms, done)));
        }
        let attempted = attempt_with(arms, biased, cx);
        if attempted.is_ok() {
            coop::charge();
        }
        Poll::Ready(attempted)
    })
}

#[inline(always)]
fn attempt_with<P: ArmList>(
    arms: &mut P,
    biased: bool,
    cx: &mut Context<'_>,
) -> Result<usize, Tried> {
    match try_arms::attempt(Pin::new(&mut *arms), biased, cx) {
        Ok(done) => Ok(happen(arms, done)),
        Err(chance) => Err(Tried(chance)),
    }
}

/// The number of the arm that happens, after an `attempt`.
#[inline]
pub fn select<P: ArmList>(arms: P, Tried(chance): Tried) -> impl Future<Output = usize> {
    SelectState::tried(arms, chance)
}

/// The number of an arm that happens at once, `None` if there is none.
pub fn attempt_now<P: ArmList>(arms: &mut P, biased: bool) -> impl Future<Output = Option<usize>> {
    poll_fn(move |cx| Poll::Ready(attempt_now_with(arms, biased, cx)))
}

fn attempt_now_with<P: ArmList>(arms: &mut P, biased: bool, cx: &mut Context<'_>) -> Option<usize> {
    match attempt_with(arms, biased, cx) {
        Ok(number) => Some(number),
        Err(Tried(chance)) => {
            let done = try_arms::attempt_all_locked(Pin::<&mut P>::new(arms), chance)?;
            Some(happen(arms, done))
        }
    }
}

/// What threads call.
#[cfg(feature = "std")]
mod blocking {
    use core::{
        pin::{Pin, pin},
        time::Duration,
    };

    use super::{ArmList, SelectState, Tried, attempt_now_with, attempt_with};
    use crate::{
        select::state::{ErasedSelect, noop_context},
        thread::{wait, wait_timeout},
    };

    /// As `attempt`, for a thread.
    #[inline(always)]
    pub fn attempt_blocking<P: ArmList>(arms: &mut P, biased: bool) -> Result<usize, Tried> {
        attempt_with(arms, biased, &mut noop_context())
    }

    /// As `select`, for a thread.
    pub fn select_blocking<P: ArmList>(arms: P, Tried(chance): Tried) -> usize {
        let state = pin!(SelectState::tried(arms, chance));
        wait_for(state.erased())
    }

    /// As `attempt_now`, for a thread.
    pub fn attempt_now_blocking<P: ArmList>(arms: &mut P, biased: bool) -> Option<usize> {
        attempt_now_with(arms, biased, &mut noop_context())
    }

    /// `None`: the time was up.
    pub fn select_blocking_timeout<P: ArmList>(
        arms: P,
        biased: bool,
        timeout: Duration,
    ) -> Option<usize> {
        let state = pin!(SelectState::new(arms, biased));
        wait_for_timeout(state.erased(), timeout)
    }

    #[inline(never)]
    fn wait_for(mut select: ErasedSelect<'_>) -> usize {
        wait(Pin::new(&mut select))
    }

    #[inline(never)]
    fn wait_for_timeout(mut select: ErasedSelect<'_>, timeout: Duration) -> Option<usize> {
        wait_timeout(Pin::new(&mut select), timeout)
    }
}

/// Tells the peers of the arm that has happened.
#[inline(always)]
fn happen<P: ArmList>(arms: &mut P, (number, done): (usize, Done)) -> usize {
    done.tell(Pin::<&mut P>::new(arms), number, None);
    number
}

/// The result of the arm that happened.
#[inline]
pub fn happened<R>(result: Option<R>) -> R {
    result.expect("the arm that happened has a result")
}

/// The arms of a macro.
#[allow(private_bounds, reason = "for the macros alone")]
pub trait ArmList: Arms + Unpin {}

impl<P: Arms + Unpin> ArmList for P {}
