//! What the macros expand to calls of.

#![forbid(unsafe_code)]

use core::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};
#[cfg(feature = "std")]
use std::time::{Duration, Instant};

#[cfg(feature = "std")]
pub use blocking::{
    attempt_blocking, attempt_now_blocking, select_blocking, select_blocking_timeout,
};

#[cfg(feature = "std")]
use super::state::ErasedSelect;
use super::{arm::Arms, order::Chance, state::SelectState, try_arms};
#[cfg(feature = "std")]
use crate::thread::{wait_deadline, wait_timeout};
use crate::{
    Receiver, Sender,
    chan::Done,
    coop::{self, Left},
};

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
        match coop::left(cx) {
            Left::More => {}
            left => {
                let arms_ref = Pin::<&mut P>::new(arms);
                let done = try_arms::attempt_futures(arms_ref, biased, left, cx);
                return done.map(|done| Ok(happen(arms, done)));
            }
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
    use core::pin::{Pin, pin};

    use super::{
        ArmList, ErasedSelect, SelectState, TimeLimit, Tried, attempt_now_with, attempt_with,
    };
    use crate::{select::state::noop_context, thread::wait};

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
    #[allow(private_bounds, reason = "for the macros alone")]
    pub fn select_blocking_timeout<P: ArmList>(
        arms: P,
        biased: bool,
        limit: impl TimeLimit,
    ) -> Option<usize> {
        limit.wait(pin!(SelectState::new(arms, biased)).erased())
    }

    #[inline(never)]
    fn wait_for(mut select: ErasedSelect<'_>) -> usize {
        wait(Pin::new(&mut select))
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

/// How long a thread waits at most, in `default(limit)`.
///
/// It is `pub(crate)`: users could call its method if they could name it in a bound.
#[cfg(feature = "std")]
#[diagnostic::on_unimplemented(
    message = "a select waits for a `Duration` or until an `Instant`",
    label = "neither a `Duration` nor an `Instant`"
)]
pub(crate) trait TimeLimit {
    fn wait(self, select: ErasedSelect<'_>) -> Option<usize>;
}

#[cfg(feature = "std")]
impl TimeLimit for Duration {
    fn wait(self, mut select: ErasedSelect<'_>) -> Option<usize> {
        wait_timeout(Pin::new(&mut select), self)
    }
}

#[cfg(feature = "std")]
impl TimeLimit for Instant {
    fn wait(self, mut select: ErasedSelect<'_>) -> Option<usize> {
        wait_deadline(Pin::new(&mut select), self)
    }
}

// The blocking handles have a method of this name, too: so the macros take either kind, through whatever dereferences to one.
impl<T> Sender<T> {
    /// This sender.
    #[doc(hidden)]
    #[inline]
    pub fn as_async(&self) -> &Self {
        self
    }
}

impl<T> Receiver<T> {
    /// This receiver.
    #[doc(hidden)]
    #[inline]
    pub fn as_async(&self) -> &Self {
        self
    }
}
