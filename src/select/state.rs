//! The select itself, after Go's `selectgo`.
//!
//! 1. **Try** (`attempt.rs`). Each arm is tried by itself, in a random order (or from top to bottom): an operation that can
//!    proceed does, another future is polled. The first that is done is the one that happens. The macros do this before they
//!    make the state.
//! 2. **Park.** If there is none, each operation in its turn is tried once more and, if it still cannot proceed, parked, with
//!    its channel locked. Nobody can claim the select yet; a peer that would have marks it and passes by, which unlinks the
//!    waiter. Unless it is marked, the claim is opened then. From there on a peer that meets one of the waiters commits the
//!    select by claiming it, and every other peer passes by.
//! 3. **Wake.** The owner takes the claim back. If that fails it has been claimed: one arm is completed. If not, it polls
//!    the other futures, while nobody can claim the select, as above. One of the futures is done: it is the one that
//!    happens. None is: the claim is opened again, unless it is marked; then back to 2.
//!
//! A marked select goes back to 2, for the arms that peers have unlinked. Two selects might pass each other by again and
//! again, and one with both ends of a channel always passes itself by. So the second time all channels are locked, in the
//! order of their addresses, all operations are tried, all are parked, and the claim is opened before they are unlocked.
//!
//! A peer that has another select's message or slot at hand cannot claim two selects in one step. It claims this one without
//! completing an arm, which only wakes it: it begins anew.
//!
//! In the end all waiters that are still parked are unlinked. An arm is chosen by the one change of the claim, or by the
//! owner while nobody can claim: exactly one arm happens.

use core::{
    pin::Pin,
    ptr::NonNull,
    task::{Context, Poll, Waker},
};

use pin_project_lite::pin_project;

use super::{
    arm::{ArmRef, Arms},
    locked::Locked,
    order::{Chance, Order},
    try_arms::{attempt, attempt_now},
};
use crate::{
    chan::Done,
    quiet_drop::QuietDrop,
    thread::{Limit, Wait},
    waiter::{Claim, State},
    wake::WakeBatch,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    New,
    /// Step 1 is done.
    Tried,
    Parked,
    Finished,
}

pin_project! {
    /// A select over some arms; it returns the number of the one that happened.
    pub(crate) struct SelectState<P>
    where
        P: Arms,
    {
        #[pin]
        pub(crate) arms: P,
        pub(crate) biased: bool,
        // Drawn by step 1.
        chance: Chance,
        phase: Phase,
        #[pin]
        claim: Claim,
    }

    impl<P> PinnedDrop for SelectState<P>
    where
        P: Arms,
    {
        fn drop(this: Pin<&mut Self>) {
            let _ = this.cancel();
        }
    }
}

impl<P: Arms> SelectState<P> {
    pub(crate) fn new(arms: P, biased: bool) -> Self {
        Self {
            arms,
            biased,
            chance: Chance::TOP_TO_BOTTOM,
            phase: Phase::New,
            claim: Claim::new(),
        }
    }

    /// A select whose arms have been tried.
    pub(crate) fn tried(arms: P, chance: Chance) -> Self {
        Self {
            arms,
            biased: chance.is_biased(),
            chance,
            phase: Phase::Tried,
            claim: Claim::new(),
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.phase == Phase::Finished
    }

    /// Step 1, unless it is done.
    fn attempt_with(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Option<usize> {
        if self.phase == Phase::Tried {
            return None;
        }
        let this = self.as_mut().project();
        match attempt(this.arms, *this.biased, cx) {
            Ok((number, done)) => Some(self.happen(number, done)),
            Err(chance) => {
                *this.chance = chance;
                *this.phase = Phase::Tried;
                None
            }
        }
    }

    /// Whether anything can be done at once, with certainty; it is not used again then.
    pub(crate) fn try_now(mut self: Pin<&mut Self>) -> Option<usize> {
        let this = self.as_mut().project();
        let (number, done) = attempt_now(this.arms, *this.biased, &mut noop_context())?;
        Some(self.happen(number, done))
    }

    /// Step 2, of a select that is awake and has not parked yet.
    fn park(mut self: Pin<&mut Self>, waker: Waker) -> Poll<usize> {
        let mut order = self.order();
        let this = self.as_mut().project();
        // SAFETY: we are awake. There was no waker.
        unsafe { this.claim.replace_waker(Some(waker)) };
        *this.phase = Phase::Parked;
        let claim = NonNull::from(this.claim.as_ref().get_ref());
        let mut arms = this.arms;
        let chosen = order.iter().find_map(|number| {
            let done = arms.as_mut().visit(number, |arm| {
                // SAFETY: the claim is pinned, and our drop unparks the arms before it goes.
                unsafe { arm.idle()?.attempt_or_park(claim) }
            });
            Some((number, done?))
        });
        match chosen {
            Some((number, done)) => Poll::Ready(self.happen(number, done)),
            None if this.claim.reopen() => Poll::Pending,
            None => self.park_all(),
        }
    }

    /// Step 2, of a select that is awake and marked, with all channels locked.
    fn park_all(mut self: Pin<&mut Self>) -> Poll<usize> {
        let mut order = self.order();
        let this = self.as_mut().project();
        let mut locked = Locked::new(this.arms);
        if let Some((number, done)) = locked.attempt(order.iter()) {
            drop(locked);
            return Poll::Ready(self.happen(number, done));
        }
        // SAFETY: they have just been found unable to proceed. The claim is pinned, and our drop unparks the arms before it
        // goes.
        unsafe { locked.park(NonNull::from(this.claim.as_ref().get_ref())) };
        // SAFETY: we are awake, and all channels are locked.
        unsafe { this.claim.open() };
        let mut wakes = WakeBatch::new();
        locked.serve(&mut wakes);
        drop(locked);
        wakes.run();
        Poll::Pending
    }

    /// Step 3.
    fn poll_parked(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        if !self.claim.recall() {
            return match self.as_mut().finish_claimed() {
                Some(chosen) => Poll::Ready(chosen),
                None => self.poll(cx),
            };
        }
        // SAFETY: recalled, so we are awake.
        if !unsafe { self.claim.will_wake(cx.waker()) } {
            let waker = cx.waker().clone();
            // SAFETY: as above.
            drop(unsafe { self.claim.replace_waker(Some(waker)) });
        }
        if let Some(number) = self.as_mut().poll_futures(cx) {
            self.finish();
            return Poll::Ready(number);
        }
        match self.claim.reopen() {
            true => Poll::Pending,
            false => self.park_all(),
        }
    }

    fn poll_futures(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Option<usize> {
        let mut order = self.order();
        let mut this = self.as_mut().project();
        order.iter().find(|&number| {
            this.arms.as_mut().visit(number, |arm| match arm {
                ArmRef::Future(future) => future.is_done(cx),
                _ => false,
            })
        })
    }

    /// The order in which the arms are tried: one for the whole select.
    fn order(&self) -> Order {
        Order::drawn(self.arms.count(), self.chance)
    }

    /// Ends the select with an operation that has just been done, and wakes whom that completed.
    fn happen(mut self: Pin<&mut Self>, number: usize, done: Done) -> usize {
        let own = self.as_mut().finish();
        // It may panic: the arm has happened.
        done.tell(self.project().arms, number, own);
        number
    }

    /// Ends the select while nobody can claim it. Its waker is to be dropped.
    fn finish(self: Pin<&mut Self>) -> Option<Waker> {
        let mut this = self.project();
        let is_parked = *this.phase == Phase::Parked;
        *this.phase = Phase::Finished;
        if !is_parked {
            return None;
        }
        // SAFETY: nobody can claim, so we are awake.
        let waker = unsafe { this.claim.replace_waker(None) };
        for number in 0..this.arms.count() {
            this.arms.as_mut().visit(number, |arm| {
                if let ArmRef::Operation(operation) = arm {
                    operation.leave_select();
                }
            });
        }
        waker
    }

    /// Ends the select that a peer has claimed. `None`: it did so only to have the arms tried again, and the select is as new.
    fn finish_claimed(self: Pin<&mut Self>) -> Option<usize> {
        let mut this = self.project();
        *this.phase = Phase::Finished;
        let mut chosen = None;
        for number in 0..this.arms.count() {
            let is_done = this.arms.as_mut().visit(number, |arm| match arm {
                ArmRef::Operation(operation) => {
                    operation.leave_select();
                    matches!(operation.state(), State::Done | State::Closed)
                }
                _ => false,
            });
            if is_done {
                chosen = Some(number);
            }
        }
        if chosen.is_none() {
            *this.phase = Phase::New;
            // SAFETY: all arms are unlinked, so nobody else knows of the claim.
            unsafe { this.claim.renew() };
        }
        chosen
    }
}

impl<P: Arms> Future for SelectState<P> {
    type Output = usize;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        match self.phase {
            Phase::New | Phase::Tried => match self.as_mut().attempt_with(cx) {
                Some(chosen) => Poll::Ready(chosen),
                None => self.park(cx.waker().clone()),
            },
            Phase::Parked => self.poll_parked(cx),
            Phase::Finished => panic!("a select was polled again after it had completed"),
        }
    }
}

impl<P: Arms> Limit for SelectState<P> {
    type Limited = Option<usize>;
}

impl<P: Arms> Wait for SelectState<P> {
    fn attempt(self: Pin<&mut Self>) -> Option<usize> {
        self.attempt_with(&mut noop_context())
    }

    /// Stops waiting: unlinks what is parked. `Some`: a peer had committed this arm, which stays completed.
    fn cancel(self: Pin<&mut Self>) -> Option<usize> {
        if self.phase != Phase::Parked {
            None
        } else if self.claim.recall() {
            // Perhaps in a drop.
            let _own = self.finish().map(QuietDrop::new);
            None
        } else {
            self.finish_claimed()
        }
    }

    fn limited(self: Pin<&mut Self>, output: Option<usize>) -> Option<usize> {
        output
    }
}

/// For a thread: only `select!` has arms that would keep the waker.
pub(super) fn noop_context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

#[cfg(all(test, feature = "std", not(hchan_loom)))]
mod tests {
    use alloc::{boxed::Box, sync::Arc, task::Wake};
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        pin::pin,
    };

    use super::*;
    use crate::{bounded, future::RecvFuture, select::AsOperation};

    struct Two<'a, 'r>([Pin<&'a mut RecvFuture<'r, u8>>; 2]);

    impl Arms for Two<'_, '_> {
        fn count(&self) -> usize {
            2
        }

        fn visit<R>(self: Pin<&mut Self>, number: usize, f: impl FnOnce(ArmRef<'_>) -> R) -> R {
            f(ArmRef::of(self.get_mut().0[number].as_mut().operation()))
        }
    }

    struct PanicsWhenDropped;

    impl Wake for PanicsWhenDropped {
        fn wake(self: Arc<Self>) {}
    }

    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }

    /// A waiter that is parked by itself is no arm: its waker does not drop with the select.
    #[test]
    #[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
    fn all_arms_are_unlinked_before_code_of_the_callers_runs() {
        let ((_tx1, rx1), (tx2, rx2)) = (bounded::<u8>(0), bounded::<u8>(0));
        let mut first = pin!(rx1.recv());
        let mut second = pin!(rx2.recv());
        let waker = Waker::from(Arc::new(PanicsWhenDropped));
        let polled = first.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        drop(waker);
        let arms = Two([first.as_mut(), second.as_mut()]);
        let mut racing = Box::pin(SelectState::new(arms, true));
        assert!(racing.as_mut().poll(&mut noop_context()).is_pending());
        assert!(catch_unwind(AssertUnwindSafe(|| drop(racing))).is_ok());
        assert_eq!((rx1.waiting_receivers(), tx2.waiting_receivers()), (1, 0));
        let unpark = || first.operation().expect("it is one").unpark();
        assert!(catch_unwind(AssertUnwindSafe(unpark)).is_err());
        assert_eq!(rx1.waiting_receivers(), 0);
    }
}
