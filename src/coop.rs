//! The cooperative budget of tokio's tasks, which the feature `tokio` has every operation of a task take part in. Without the
//! feature nothing here does anything: `within_budget!` is the poll that it is given, and [`is_spent`] is `false`.
//!
//! A runtime of tokio gives a task a budget each time it polls the task. An operation that a task awaits takes one unit of it; once
//! it is spent, operations return `Pending` although they could go on, and so the task yields. In a task of tokio only: elsewhere the
//! budget is without bound.
//!
//! - The budget is asked before anything is done. A future that is refused is as it was: neither linked nor parked. tokio wakes
//!   the task itself, once the runtime has had its turn.
//! - Only an operation that has not begun asks. One that is parked has nothing to do, and one that a peer has completed has
//!   to return what it was given.
//! - A unit is taken for good once the operation is ready. No unit is held while futures of the caller's are polled: to put it back
//!   then would put back what they have spent, too.
//! - A select keeps the last unit for futures that are no operations: with one unit left it tries no operation and polls these. So
//!   a timer fires beside channels that are always ready, at the bottom of a biased select, too. With none left nothing is polled, as
//!   what is polled without a budget may never return.
//! - A thread that waits must not be refused: tokio would wake it when the runtime has its turn, for which it may be waiting with
//!   this very thread. [`unconstrained`] lifts the budget for its polls, with all that they poll in turn: a stop of
//!   [`Until`](crate::Until) may be an operation, too. An inner poll beside each `Future::poll` would not reach that one.

#![forbid(unsafe_code)]

pub(crate) use budget::{MAY_REFUSE, Payer, charge, is_spent, left, refuse};

/// What is left of the budget.
#[cfg_attr(
    not(all(feature = "tokio", not(hchan_loom))),
    allow(dead_code, reason = "there is no budget")
)]
pub(crate) enum Left {
    More,
    LastUnit,
    Nothing,
}

#[cfg(feature = "std")]
pub(crate) use budget::unconstrained;

#[cfg(all(feature = "tokio", not(hchan_loom)))]
mod budget {
    use core::{
        pin::{Pin, pin},
        task::{Context, Poll, Waker},
    };

    use tokio::task::coop::{self, RestoreOnPending, has_budget_remaining, poll_proceed};

    use super::Left;

    pub(crate) const MAY_REFUSE: bool = true;

    /// A unit of the budget, which goes back unless it is settled.
    #[must_use]
    pub(crate) struct Unit(Option<RestoreOnPending>);

    impl Unit {
        #[inline]
        pub(crate) fn ask(cx: &mut Context<'_>, asks: bool) -> Poll<Self> {
            match asks {
                true => poll_proceed(cx).map(|unit| Self(Some(unit))),
                false => Poll::Ready(Self(None)),
            }
        }

        #[inline]
        pub(crate) fn settle(self, is_ready: bool) {
            if let (Self(Some(unit)), true) = (&self, is_ready) {
                unit.made_progress();
            }
        }
    }

    /// Polls an operation. If the condition holds it has not begun, and asks the budget.
    macro_rules! within_budget {
        ($cx:expr, if $asks:expr => $poll:expr) => {{
            let asks = $asks;
            let unit = core::task::ready!($crate::coop::Unit::ask($cx, asks));
            let polled = $poll;
            unit.settle(polled.is_ready());
            polled
        }};
    }

    /// Whether operations are refused.
    #[inline]
    pub(crate) fn is_spent() -> bool {
        !has_budget_remaining()
    }

    /// Takes a unit, if there is one, for what has been done.
    #[inline]
    pub(crate) fn charge() {
        // Nobody is to be woken if there is none.
        if let Poll::Ready(unit) = poll_proceed(&mut Context::from_waker(Waker::noop())) {
            unit.made_progress();
        }
    }

    /// How much is left; nothing is taken.
    #[inline]
    pub(crate) fn left(cx: &mut Context<'_>) -> Left {
        if is_spent() {
            return Left::Nothing;
        }
        let unit = poll_proceed(cx);
        let is_last = is_spent();
        // It goes back.
        drop(unit);
        match is_last {
            true => Left::LastUnit,
            false => Left::More,
        }
    }

    /// Spends what is left. `Pending`, and the task is woken when the runtime has had its turn.
    #[cold]
    pub(crate) fn refuse<R>(cx: &mut Context<'_>) -> Poll<R> {
        while let Poll::Ready(unit) = poll_proceed(cx) {
            unit.made_progress();
            // Outside a task of tokio, or where the budget was lifted meanwhile, it is without bound.
            if !is_spent() {
                cx.waker().wake_by_ref();
                break;
            }
        }
        Poll::Pending
    }

    /// Polls a future that no budget refuses, neither it nor what it polls.
    pub(crate) fn unconstrained<F: Future>(
        future: Pin<&mut F>,
        cx: &mut Context<'_>,
    ) -> Poll<F::Output> {
        pin!(coop::unconstrained(future)).poll(cx)
    }

    /// Whose budget pays for the rounds of a batch, if anybody's.
    pub(crate) struct Payer<'a, 'w>(Option<&'a mut Context<'w>>);

    impl<'a, 'w> Payer<'a, 'w> {
        pub(crate) fn task(cx: &'a mut Context<'w>) -> Self {
            Self(Some(cx))
        }

        /// Of a call that does not wait.
        pub(crate) fn nobody() -> Self {
            Self(None)
        }

        /// Whether there may be another round. If not, the task is woken when the runtime has had its turn.
        pub(crate) fn may_go_on(&mut self) -> bool {
            let Some(cx) = &mut self.0 else { return true };
            poll_proceed(cx).is_ready()
        }

        /// Pays for a round.
        pub(crate) fn pay(&self) {
            if self.0.is_some() {
                charge();
            }
        }
    }

    pub(crate) use within_budget;
}

#[cfg(all(feature = "tokio", not(hchan_loom)))]
pub(crate) use budget::Unit;

#[cfg(not(all(feature = "tokio", not(hchan_loom))))]
mod budget {
    #[cfg(feature = "std")]
    use core::pin::Pin;
    use core::{
        marker::PhantomData,
        task::{Context, Poll},
    };

    use super::Left;

    pub(crate) const MAY_REFUSE: bool = false;

    macro_rules! within_budget {
        ($cx:expr, if $asks:expr => $poll:expr) => {
            $poll
        };
    }

    #[inline(always)]
    pub(crate) fn is_spent() -> bool {
        false
    }

    #[inline(always)]
    pub(crate) fn charge() {}

    pub(crate) fn refuse<R>(_: &mut Context<'_>) -> Poll<R> {
        Poll::Pending
    }

    #[inline(always)]
    pub(crate) fn left(_: &mut Context<'_>) -> Left {
        Left::More
    }

    #[cfg(feature = "std")]
    #[inline(always)]
    pub(crate) fn unconstrained<F: Future>(
        future: Pin<&mut F>,
        cx: &mut Context<'_>,
    ) -> Poll<F::Output> {
        future.poll(cx)
    }

    pub(crate) struct Payer<'a, 'w>(PhantomData<&'a mut Context<'w>>);

    impl<'a, 'w> Payer<'a, 'w> {
        #[inline(always)]
        pub(crate) fn task(_: &'a mut Context<'w>) -> Self {
            Self(PhantomData)
        }

        #[inline(always)]
        pub(crate) fn nobody() -> Self {
            Self(PhantomData)
        }

        #[inline(always)]
        pub(crate) fn may_go_on(&mut self) -> bool {
            true
        }

        #[inline(always)]
        pub(crate) fn pay(&self) {}
    }

    pub(crate) use within_budget;
}

pub(crate) use budget::within_budget;
