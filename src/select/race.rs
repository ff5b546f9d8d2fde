//! The select itself, after Go's `selectgo`.
//!
//! 1. **Try.** Each arm is tried by itself, in a random order (or from top to bottom): an operation that can proceed does,
//!    another future is polled. The first that is done is the one that happens.
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
    arm::{Channel, Done, Operation, Place, Places},
    order::Order,
};
use crate::{
    claim::Claim,
    shared::wake_and_drop,
    waiter::State,
    wake::{Panics, WakeBatch},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    New,
    Parked,
    Finished,
}

pin_project! {
    /// A select over some arms; it returns the number of the one that happened.
    pub(crate) struct Race<P>
    where
        P: Places,
    {
        #[pin]
        pub(crate) arms: P,
        pub(crate) biased: bool,
        phase: Phase,
        #[pin]
        claim: Claim,
    }

    impl<P> PinnedDrop for Race<P>
    where
        P: Places,
    {
        fn drop(this: Pin<&mut Self>) {
            let _ = this.withdraw();
        }
    }
}

impl<P: Places> Race<P> {
    pub(crate) fn new(arms: P, biased: bool) -> Self {
        Self {
            arms,
            biased,
            phase: Phase::New,
            claim: Claim::new(),
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.phase == Phase::Finished
    }

    pub(crate) fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        match self.phase {
            Phase::New => match self.as_mut().attempt(cx) {
                Some(chosen) => Poll::Ready(chosen),
                None => self.park(cx.waker().clone()),
            },
            Phase::Parked => self.poll_parked(cx),
            Phase::Finished => panic!("a select was polled again after it had completed"),
        }
    }

    /// Step 1.
    pub(crate) fn attempt(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Option<usize> {
        let count = self.arms.count();
        let mut order = Order::new(count);
        for place in 0..count {
            let number = self.next(&mut order, place);
            let done = match self.as_mut().project().arms.place(number) {
                Place::Disabled => None,
                Place::Future(future) => future.is_done(cx).then_some(Done::QUIETLY),
                Place::Operation(operation) => match operation.state() {
                    State::Idle => operation.attempt(),
                    // By a peer, before it became an arm of this select.
                    State::Done | State::Closed => Some(Done::QUIETLY),
                    State::Parked | State::Finished => None,
                },
            };
            if let Some(done) = done {
                return Some(self.happen(number, done));
            }
        }
        None
    }

    /// Step 1, and step 2 without parking: what one end of a channel says about the other may be old, but with all channels
    /// locked it is certain that no operation can proceed.
    pub(crate) fn try_now(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Option<usize> {
        if let Some(number) = self.as_mut().attempt(cx) {
            return Some(number);
        }
        let mut order = self.order();
        let mut locked = Locked::new(self.as_mut().project().arms);
        let (number, done) = locked.attempt(order.iter())?;
        drop(locked);
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
        let chosen = order
            .iter()
            .find_map(|number| match arms.as_mut().place(number) {
                Place::Operation(operation) if operation.state() == State::Idle => {
                    // SAFETY: the claim is pinned, and our drop unparks the arms before it goes.
                    let done = unsafe { operation.attempt_or_park(claim) };
                    Some((number, done?))
                }
                _ => None,
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
        wakes.wake();
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
            self.finish(Some(number));
            return Poll::Ready(number);
        }
        match self.claim.reopen() {
            true => Poll::Pending,
            false => self.park_all(),
        }
    }

    fn poll_futures(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Option<usize> {
        let mut order = self.order();
        let mut arms = self.as_mut().project().arms;
        order
            .iter()
            .find(|&number| match arms.as_mut().place(number) {
                Place::Future(future) => future.is_done(cx),
                _ => false,
            })
    }

    /// The order in which the arms are tried, drawn as far as it is needed.
    #[inline]
    fn next(&self, order: &mut Order, place: usize) -> usize {
        if self.biased {
            place
        } else {
            order.draw(place)
        }
    }

    fn order(&self) -> Order {
        let count = self.arms.count();
        let mut order = Order::new(count);
        (0..count).for_each(|place| _ = self.next(&mut order, place));
        order
    }

    /// Ends the select with an operation that has just been done, and wakes whom that completed.
    fn happen(mut self: Pin<&mut Self>, number: usize, done: Done) -> usize {
        let own = self.as_mut().finish(Some(number));
        // All of this may panic: the arm has happened.
        if !done.has_drained {
            wake_and_drop(done.waker, own);
            return number;
        }
        let mut panics = Panics::default();
        if let Place::Operation(operation) = self.project().arms.place(number) {
            panics.catch(|| operation.channel().tell_drained());
        }
        // There is nobody else to wake: no sender is parked in a closed channel.
        panics.catch(|| wake_and_drop(done.waker, own));
        panics.resume();
        number
    }

    /// Ends the select while nobody can claim it, with the arm that the owner has chosen, if any. Its waker is to be dropped.
    fn finish(self: Pin<&mut Self>, chosen: Option<usize>) -> Option<Waker> {
        let mut this = self.project();
        let is_parked = *this.phase == Phase::Parked;
        *this.phase = Phase::Finished;
        if !is_parked {
            return None;
        }
        // SAFETY: nobody can claim, so we are awake.
        let waker = unsafe { this.claim.replace_waker(None) };
        for number in (0..this.arms.count()).filter(|&number| Some(number) != chosen) {
            if let Place::Operation(operation) = this.arms.as_mut().place(number) {
                operation.unpark();
            }
        }
        waker
    }

    /// Ends the select that a peer has claimed. `None`: it did so only to have the arms tried again, and the select is as new.
    fn finish_claimed(self: Pin<&mut Self>) -> Option<usize> {
        let mut this = self.project();
        *this.phase = Phase::Finished;
        let mut chosen = None;
        for number in 0..this.arms.count() {
            if let Place::Operation(mut operation) = this.arms.as_mut().place(number) {
                operation.as_mut().unpark();
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
    pub(crate) fn withdraw(self: Pin<&mut Self>) -> Option<usize> {
        if self.phase != Phase::Parked {
            None
        } else if self.claim.recall() {
            self.finish(None);
            None
        } else {
            self.finish_claimed()
        }
    }
}

/// The arms, with all their channels locked.
struct Locked<'l, P: Places> {
    arms: Pin<&'l mut P>,
    /// The arms in the order of their channels' ranks, which is the order of locking.
    order: Order,
}

impl<'l, P: Places> Locked<'l, P> {
    fn new(mut arms: Pin<&'l mut P>) -> Self {
        let mut order = Order::new(arms.count());
        order.sort_by_key(|number| rank(arms.as_mut(), number));
        let mut locked = Self { arms, order };
        locked.for_each_channel(|channel| channel.lock());
        locked
    }

    /// Tries the idle operations in the order given; returns the number of the first that is done.
    fn attempt(&mut self, mut order: impl Iterator<Item = usize>) -> Option<(usize, Done)> {
        order.find_map(|number| {
            // SAFETY: its channel is locked.
            let done = unsafe { self.idle(number)?.attempt_locked() }?;
            Some((number, done))
        })
    }

    /// Parks the idle operations.
    ///
    /// # Safety
    ///
    /// They have just been found unable to proceed. The claim stays where it is until all are unparked.
    unsafe fn park(&mut self, claim: NonNull<Claim>) {
        for number in 0..self.arms.count() {
            if let Some(operation) = self.idle(number) {
                // SAFETY: its channel is locked; the rest is the caller's promise.
                unsafe { operation.park_locked(claim) };
            }
        }
    }

    /// Lets those go ahead to whom the parked arms give room.
    fn serve(&mut self, wakes: &mut WakeBatch) {
        for number in 0..self.arms.count() {
            if let Place::Operation(operation) = self.arms.as_mut().place(number) {
                // SAFETY: its channel is locked.
                unsafe { operation.serve_locked(wakes) };
            }
        }
    }

    fn idle(&mut self, number: usize) -> Option<Pin<&mut dyn Operation>> {
        match self.arms.as_mut().place(number) {
            Place::Operation(operation) if operation.state() == State::Idle => Some(operation),
            _ => None,
        }
    }

    /// Calls `f` with each channel once, in the order of their ranks.
    fn for_each_channel(&mut self, f: impl Fn(&dyn Channel)) {
        let mut last = 0;
        for number in self.order.iter() {
            if let Place::Operation(operation) = self.arms.as_mut().place(number) {
                let channel = operation.channel();
                if channel.rank() != last {
                    f(channel);
                    last = channel.rank();
                }
            }
        }
    }
}

impl<P: Places> Drop for Locked<'_, P> {
    fn drop(&mut self) {
        // SAFETY: each was locked once, by `new`.
        self.for_each_channel(|channel| unsafe { channel.unlock() });
    }
}

/// The rank of an arm's channel; 0 for an arm that has none.
fn rank<P: Places>(arms: Pin<&mut P>, number: usize) -> usize {
    match arms.place(number) {
        Place::Operation(operation) => operation.channel().rank(),
        _ => 0,
    }
}
