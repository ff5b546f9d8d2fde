//! The select itself, after Go's `selectgo`.
//!
//! 1. **Try** (`try_arms.rs`). Each arm is tried by itself, in a random order (or from top to bottom): an operation that can
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
//!
//! All of this is compiled once: it sees the arms as a `dyn Arms`. Only the first try of a macro's arms knows their types.

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
    try_arms::{attempt_all_locked, attempt_erased, attempt_futures},
};
use crate::{
    chan::Done,
    coop::{self, Left},
    probe::{self, Task},
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
        #[pin]
        progress: Progress,
    }

    impl<P> PinnedDrop for SelectState<P>
    where
        P: Arms,
    {
        fn drop(this: Pin<&mut Self>) {
            if this.progress.phase == Phase::Parked {
                let _ = this.cancel();
            }
        }
    }
}

pin_project! {
    /// A select but for its arms.
    struct Progress {
        biased: bool,
        // Drawn by step 1.
        chance: Chance,
        phase: Phase,
        // Who waits, for `inspect`.
        task: Task,
        #[pin]
        claim: Claim,
    }
}

/// A select without the types of its arms.
pub(crate) struct ErasedSelect<'s> {
    arms: Pin<&'s mut (dyn Arms + 's)>,
    progress: Pin<&'s mut Progress>,
}

impl<P: Arms> SelectState<P> {
    pub(crate) fn new(arms: P, biased: bool) -> Self {
        let progress = Progress {
            biased,
            chance: Chance::TOP_TO_BOTTOM,
            phase: Phase::New,
            task: Task::of(Waker::noop()),
            claim: Claim::new(),
        };
        Self { arms, progress }
    }

    /// A select whose arms have been tried.
    pub(crate) fn tried(arms: P, chance: Chance) -> Self {
        let progress = Progress {
            biased: chance.is_biased(),
            chance,
            phase: Phase::Tried,
            task: Task::of(Waker::noop()),
            claim: Claim::new(),
        };
        Self { arms, progress }
    }

    pub(crate) fn is_biased(&self) -> bool {
        self.progress.biased
    }

    pub(crate) fn set_biased(&mut self) {
        self.progress.biased = true;
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.progress.phase == Phase::Finished
    }

    pub(super) fn erased(self: Pin<&mut Self>) -> ErasedSelect<'_> {
        let this = self.project();
        ErasedSelect {
            arms: this.arms,
            progress: this.progress,
        }
    }

    /// Whether anything can be done at once, with certainty; it is not used again then.
    pub(crate) fn try_now(self: Pin<&mut Self>) -> Option<usize> {
        self.erased().try_now()
    }
}

impl<P: Arms> Future for SelectState<P> {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        self.erased().poll_arms(cx)
    }
}

impl<P: Arms> Limit for SelectState<P> {
    type Limited = Option<usize>;
}

impl<P: Arms> Wait for SelectState<P> {
    fn attempt(self: Pin<&mut Self>) -> Option<usize> {
        self.erased().attempt_if_new()
    }

    fn cancel(self: Pin<&mut Self>) -> Option<usize> {
        self.erased().stop()
    }

    fn limited(self: Pin<&mut Self>, output: Option<usize>) -> Option<usize> {
        output
    }
}

impl ErasedSelect<'_> {
    /// Step 1.
    fn attempt(&mut self, cx: &mut Context<'_>) -> Option<usize> {
        let this = self.progress.as_mut().project();
        match attempt_erased(self.arms.as_mut(), *this.biased, cx) {
            Ok((number, done)) => Some(self.happen(number, done)),
            Err(chance) => {
                *this.chance = chance;
                *this.phase = Phase::Tried;
                None
            }
        }
    }

    /// Step 1 for a thread, unless it is done.
    fn attempt_if_new(&mut self) -> Option<usize> {
        match self.progress.phase {
            Phase::New => self.attempt(&mut noop_context()),
            _ => None,
        }
    }

    /// Step 1 with no more than one unit of the budget left: no operation is tried.
    fn poll_futures_alone(&mut self, left: Left, cx: &mut Context<'_>) -> Poll<usize> {
        let is_biased = self.progress.biased;
        let done = attempt_futures(self.arms.as_mut(), is_biased, left, cx);
        done.map(|(number, done)| self.happen(number, done))
    }

    fn try_now(&mut self) -> Option<usize> {
        if let Some(number) = self.attempt(&mut noop_context()) {
            return Some(number);
        }
        let (number, done) = attempt_all_locked(self.arms.as_mut(), self.progress.chance)?;
        Some(self.happen(number, done))
    }

    fn poll_arms(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        match self.progress.phase {
            Phase::New => match coop::left(cx) {
                Left::More => charged(match self.attempt(cx) {
                    Some(chosen) => Poll::Ready(chosen),
                    None => self.park(cx.waker().clone()),
                }),
                left => self.poll_futures_alone(left, cx),
            },
            Phase::Tried => charged(self.park(cx.waker().clone())),
            Phase::Parked => self.poll_parked(cx),
            Phase::Finished => panic!("a select was polled again after it had completed"),
        }
    }

    /// Step 2, of a select that is awake and has not parked yet.
    fn park(&mut self, waker: Waker) -> Poll<usize> {
        let mut order = self.order();
        let this = self.progress.as_mut().project();
        let task = Task::of(&waker);
        *this.task = task;
        // SAFETY: we are awake. There was no waker.
        unsafe { this.claim.replace_waker(Some(waker)) };
        *this.phase = Phase::Parked;
        let claim = NonNull::from(this.claim.as_ref().get_ref());
        let chosen = order.iter().find_map(|number| {
            let operation = self.arms.as_mut().arm(number).idle()?;
            operation.begin_record(Some(number), task);
            // SAFETY: the claim is pinned, and the drop of the select unparks the arms before it goes.
            let done = unsafe { operation.attempt_or_park(claim) };
            Some((number, done?))
        });
        match chosen {
            Some((number, done)) => Poll::Ready(self.happen(number, done)),
            None if this.claim.reopen() => Poll::Pending,
            None => self.park_all(),
        }
    }

    /// Step 2, of a select that is awake and marked, with all channels locked.
    fn park_all(&mut self) -> Poll<usize> {
        let mut order = self.order();
        let task = self.progress.task;
        let claim = self.progress.as_mut().project().claim;
        let pinned = NonNull::from(claim.as_ref().get_ref());
        begin_records(self.arms.as_mut(), task);
        let mut locked = Locked::new(self.arms.as_mut());
        if let Some((number, done)) = locked.attempt(order.iter(), Some(pinned)) {
            drop(locked);
            return Poll::Ready(self.happen(number, done));
        }
        // SAFETY: they have just been found unable to proceed. The claim is pinned, and the drop of the select unparks the
        // arms before it goes.
        unsafe { locked.park(pinned) };
        // SAFETY: we are awake, and all channels are locked.
        unsafe { claim.open() };
        let mut wakes = WakeBatch::new();
        locked.serve(&mut wakes);
        drop(locked);
        wakes.run();
        Poll::Pending
    }

    /// Step 3.
    fn poll_parked(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        let claim = self.progress.as_mut().project().claim;
        if !claim.recall() {
            return match self.finish_claimed() {
                Some(chosen) => Poll::Ready(chosen),
                None => self.poll_arms(cx),
            };
        }
        // SAFETY: recalled, so we are awake.
        if !unsafe { claim.will_wake(cx.waker()) } {
            let waker = cx.waker().clone();
            // SAFETY: as above.
            drop(unsafe { claim.replace_waker(Some(waker)) });
        }
        if let Some(number) = self.poll_futures(cx) {
            self.finish();
            coop::charge();
            return Poll::Ready(number);
        }
        match self.progress.claim.reopen() {
            true => Poll::Pending,
            // It stays marked.
            false if coop::is_spent() => coop::refuse(cx),
            false => charged(self.park_all()),
        }
    }

    fn poll_futures(&mut self, cx: &mut Context<'_>) -> Option<usize> {
        if coop::MAY_REFUSE {
            // One of the futures may spend the budget at each poll: it must not always come before the same others.
            let progress = self.progress.as_mut().project();
            *progress.chance = Chance::new(*progress.biased);
        }
        let mut order = self.order();
        order
            .iter()
            .find(|&number| match self.arms.as_mut().arm(number) {
                ArmRef::Future(future) => future.is_done(cx),
                _ => false,
            })
    }

    /// The order in which the arms are tried.
    #[inline(always)]
    fn order(&self) -> Order {
        Order::drawn(self.arms.count(), self.progress.chance)
    }

    /// Ends the select with an operation that has just been done, and wakes whom that completed.
    fn happen(&mut self, number: usize, done: Done) -> usize {
        let own = self.finish();
        // It may panic: the arm has happened.
        done.tell(self.arms.as_mut(), number, own);
        number
    }

    /// Ends the select while nobody can claim it. Its waker is to be dropped.
    fn finish(&mut self) -> Option<Waker> {
        let this = self.progress.as_mut().project();
        let is_parked = *this.phase == Phase::Parked;
        *this.phase = Phase::Finished;
        if !is_parked {
            return None;
        }
        // SAFETY: nobody can claim, so we are awake.
        let waker = unsafe { this.claim.replace_waker(None) };
        for number in 0..self.arms.count() {
            if let ArmRef::Operation(operation) = self.arms.as_mut().arm(number) {
                operation.leave_select();
            }
        }
        waker
    }

    /// Ends the select that a peer has claimed. `None`: it did so only to have the arms tried again, and the select is as new.
    fn finish_claimed(&mut self) -> Option<usize> {
        let this = self.progress.as_mut().project();
        *this.phase = Phase::Finished;
        let mut chosen = None;
        for number in 0..self.arms.count() {
            if let ArmRef::Operation(operation) = self.arms.as_mut().arm(number) {
                operation.leave_select();
                if matches!(operation.state(), State::Done | State::Closed) {
                    chosen = Some(number);
                }
            }
        }
        if chosen.is_none() {
            *this.phase = Phase::New;
            // SAFETY: all arms are unlinked, so nobody else knows of the claim.
            unsafe { this.claim.renew() };
        }
        chosen
    }

    /// Stops waiting: unlinks what is parked. `Some`: a peer had committed this arm, which stays completed.
    fn stop(&mut self) -> Option<usize> {
        if self.progress.phase != Phase::Parked {
            None
        } else if self.progress.claim.recall() {
            // Perhaps in a drop.
            let _own = self.finish().map(QuietDrop::new);
            None
        } else {
            self.finish_claimed()
        }
    }
}

/// Tells `inspect` that the idle operations are about to park.
#[inline(always)]
fn begin_records(mut arms: Pin<&mut dyn Arms>, task: Task) {
    if probe::IS_ON {
        for number in 0..arms.count() {
            if let Some(operation) = arms.as_mut().arm(number).idle() {
                operation.begin_record(Some(number), task);
            }
        }
    }
}

/// A select takes a unit of its task's budget when it is ready: at no time is one held while its futures are polled.
#[inline(always)]
fn charged(polled: Poll<usize>) -> Poll<usize> {
    if polled.is_ready() {
        coop::charge();
    }
    polled
}

impl Future for ErasedSelect<'_> {
    type Output = usize;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        self.poll_arms(cx)
    }
}

impl Limit for ErasedSelect<'_> {
    type Limited = Option<usize>;
}

impl Wait for ErasedSelect<'_> {
    fn attempt(mut self: Pin<&mut Self>) -> Option<usize> {
        self.attempt_if_new()
    }

    fn cancel(mut self: Pin<&mut Self>) -> Option<usize> {
        self.stop()
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

        fn arm(self: Pin<&mut Self>, number: usize) -> ArmRef<'_> {
            ArmRef::of(self.get_mut().0[number].as_mut().operation())
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
        let mut select = Box::pin(SelectState::new(arms, true));
        assert!(select.as_mut().poll(&mut noop_context()).is_pending());
        assert!(catch_unwind(AssertUnwindSafe(|| drop(select))).is_ok());
        assert_eq!((rx1.waiting_receivers(), tx2.waiting_receivers()), (1, 0));
        let unpark = || first.operation().expect("it is one").unpark();
        assert!(catch_unwind(AssertUnwindSafe(unpark)).is_err());
        assert_eq!(rx1.waiting_receivers(), 0);
    }
}
