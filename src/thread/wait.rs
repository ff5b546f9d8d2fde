//! Waiting for a future from a thread, and what it takes to give up.

#![forbid(unsafe_code)]

use core::pin::Pin;

#[cfg(feature = "std")]
pub(crate) use blocking::{park, wait, wait_deadline, wait_timeout};

#[cfg(feature = "std")]
use {
    crate::{op::OpRef, sync::Blocking},
    blocking::park_future,
    std::time::Instant,
};

/// A future of this crate that can be given up.
///
/// It is `pub` for [`Until`](crate::Until), which returns the same as waiting with a limit. Users cannot name it. There is nothing
/// else in it, as they could call the methods of a `pub` trait through a bound that implies it.
pub trait Limit: Future {
    /// What waiting with a limit returns.
    type Limited;
}

/// What it takes to wait for a future of this crate in a thread, and to give it up.
#[cfg_attr(not(feature = "std"), allow(dead_code, reason = "for threads"))]
pub(crate) trait Wait: Limit + Sized {
    /// Blocks the thread until it is done; for a future that has not been polled.
    // codegen: a future with a message has its own, which leaves the message in its slot until the result is made.
    #[cfg(feature = "std")]
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn block(mut self: Pin<&mut Self>) -> Self::Output {
        let _blocking = Blocking::begin();
        match self.as_mut().attempt() {
            Some(output) => output,
            None => {
                park_future(self, None).expect("without a deadline, waiting ends when it is done")
            }
        }
    }

    /// As `block`; gives up at the deadline, which is asked for only if the thread has to wait.
    #[cfg(feature = "std")]
    fn block_until(
        mut self: Pin<&mut Self>,
        deadline: impl FnOnce() -> Option<Instant>,
    ) -> Self::Limited {
        let _blocking = Blocking::begin();
        let output = self.as_mut().attempt();
        let output = output.or_else(|| park_future(self.as_mut(), deadline()));
        self.limited(output)
    }

    /// Completes it if that can be done at once; for a future that has not been polled. One that has no attempt is polled instead.
    fn attempt(self: Pin<&mut Self>) -> Option<Self::Output> {
        None
    }

    /// The single operation for which a thread waits, if it is one, after an `attempt`; `cancel` takes its result.
    #[cfg(feature = "std")]
    fn waited(self: Pin<&Self>) -> Option<OpRef<'_>> {
        None
    }

    /// Stops waiting, if it does; what was done in the meantime stays done and is returned.
    fn cancel(self: Pin<&mut Self>) -> Option<Self::Output>;

    /// What it has come to. `None`: it was given up, and has not been polled or has been cancelled; it is not polled again.
    fn limited(self: Pin<&mut Self>, output: Option<Self::Output>) -> Self::Limited;
}

#[cfg(feature = "std")]
mod blocking {
    use core::{
        pin::Pin,
        task::{Context, Poll, Waker},
        time::Duration,
    };
    use std::time::Instant;

    use super::{OpRef, Wait};
    use crate::{chan::SpinTarget, coop, thread::parker::Parker};

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn wait<F: Wait>(future: Pin<&mut F>) -> F::Output {
        F::block(future)
    }

    /// A time too far away for an `Instant` never comes.
    #[inline]
    pub(crate) fn wait_timeout<F: Wait>(future: Pin<&mut F>, timeout: Duration) -> F::Limited {
        F::block_until(future, || Instant::now().checked_add(timeout))
    }

    #[inline]
    pub(crate) fn wait_deadline<F: Wait>(future: Pin<&mut F>, deadline: Instant) -> F::Limited {
        F::block_until(future, || Some(deadline))
    }

    /// Blocks the thread until the operation is over, whose result stays in its waiter, or until the deadline has come. `None`: an
    /// operation that never happens.
    #[cold]
    pub(crate) fn park(mut operation: Option<OpRef<'_>>, deadline: Option<Instant>) {
        park_erased(&mut operation, deadline);
    }

    /// `None`: the deadline came and nothing had happened.
    #[cold]
    #[inline(never)]
    pub(super) fn park_future<F: Wait>(
        future: Pin<&mut F>,
        deadline: Option<Instant>,
    ) -> Option<F::Output> {
        if let Some(operation) = future.as_ref().waited() {
            park(Some(operation), deadline);
            return future.cancel();
        }
        let mut waiting = Waiting {
            future,
            output: None,
        };
        park_erased(&mut waiting, deadline);
        waiting.output
    }

    /// A future that a thread waits for, and what it has come to.
    struct Waiting<'f, F: Future> {
        future: Pin<&'f mut F>,
        output: Option<F::Output>,
    }

    /// What a thread waits for, without its type.
    pub(super) trait WaitingErased {
        /// Whether it is over.
        fn poll(&mut self, waker: &Waker) -> bool;
        fn cancel(&mut self) {}
        /// If it is `Some`, it is always the same, and parked whenever a poll has returned `false`.
        fn spin_target(&self) -> Option<SpinTarget<'_>> {
            None
        }
    }

    impl WaitingErased for Option<OpRef<'_>> {
        fn poll(&mut self, waker: &Waker) -> bool {
            self.is_some_and(|operation| operation.poll_in_place(waker))
        }

        fn spin_target(&self) -> Option<SpinTarget<'_>> {
            self.map(OpRef::spin_target)
        }
    }

    impl<F: Wait> WaitingErased for Waiting<'_, F> {
        fn poll(&mut self, waker: &Waker) -> bool {
            let polled = coop::unconstrained(self.future.as_mut(), &mut Context::from_waker(waker));
            if let Poll::Ready(output) = polled {
                self.output = Some(output);
            }
            self.output.is_some()
        }

        fn cancel(&mut self) {
            self.output = self.future.as_mut().cancel();
        }
    }

    pub(super) fn park_erased(waiting: &mut dyn WaitingErased, deadline: Option<Instant>) {
        Parker::with(|parker| park_with(parker, waiting, deadline));
    }

    fn park_with(parker: &Parker, waiting: &mut dyn WaitingErased, deadline: Option<Instant>) {
        let target = waiting.spin_target();
        let refill_spins = target.and_then(|target| target.refill_spins());
        let has_spun =
            refill_spins.is_some_and(|spins| parker.spin_before_parking(spins, deadline));
        let is_watched = target.is_some() && parker.begins_awake(deadline);
        // A thread that watches need not be woken: that would be one more cache line that goes to the peer and comes back.
        let waker = match is_watched {
            true => Waker::noop(),
            false => parker.waker(),
        };
        let mut is_over = waiting.poll(waker);
        if has_spun {
            // A peer that has sent one message, or made one place, and waits then, needs no time for more.
            let has_more = || {
                waiting
                    .spin_target()
                    .is_some_and(|target| target.has_more())
            };
            parker.note_spun_before_parking(is_over && has_more());
        }
        if let (true, Some(target), false) = (is_watched, waiting.spin_target(), is_over) {
            parker.wait_awake(|| !target.is_parked(), || target.progress(), deadline);
            is_over = waiting.poll(parker.waker());
        }
        while !is_over {
            let is_woken = match is_watched {
                true => parker.sleep(deadline),
                false => parker.park(deadline),
            };
            if !is_woken {
                return waiting.cancel();
            }
            is_over = waiting.poll(parker.waker());
        }
    }
}

#[cfg(all(test, feature = "std", not(hchan_loom)))]
mod tests {
    use alloc::vec::Vec;
    use core::{
        cell::Cell,
        pin::{Pin, pin},
        task::{Context, Waker},
    };

    use super::blocking::{WaitingErased, park_erased};
    use crate::{
        chan::{FakeTarget, SpinTarget},
        select::Arm,
        thread::parker::Parker,
    };

    /// What a peer completes after so many looks, or its third poll does.
    struct Parked {
        looks_left: Cell<u32>,
        /// Of each poll, whether it could be woken.
        polls: Vec<bool>,
        refill_spins: Option<usize>,
        has_more: bool,
    }

    impl Parked {
        fn new(looks_left: u32) -> Self {
            Self {
                looks_left: Cell::new(looks_left),
                polls: Vec::new(),
                refill_spins: None,
                has_more: false,
            }
        }
    }

    impl WaitingErased for Parked {
        fn poll(&mut self, waker: &Waker) -> bool {
            let can_wake = !waker.will_wake(Waker::noop());
            self.polls.push(can_wake);
            waker.wake_by_ref();
            self.polls.len() >= 3 || self.looks_left.get() == 0
        }

        fn spin_target(&self) -> Option<SpinTarget<'_>> {
            Some(SpinTarget::fake(self))
        }
    }

    impl FakeTarget for Parked {
        fn is_parked(&self) -> bool {
            let looks_left = self.looks_left.get().saturating_sub(1);
            self.looks_left.set(looks_left);
            looks_left > 0
        }

        fn has_more(&self) -> bool {
            self.has_more
        }

        fn refill_spins(&self) -> Option<usize> {
            self.refill_spins
        }
    }

    #[test]
    fn thread_that_watches_need_not_be_woken() {
        let mut parked = Parked::new(10);
        park_erased(&mut parked, None);
        // Nobody was to wake it before the second poll, which ended the wait.
        assert_eq!(parked.polls, [false, true]);
    }

    #[test]
    fn thread_that_has_watched_in_vain_is_woken() {
        let mut parked = Parked::new(u32::MAX);
        park_erased(&mut parked, None);
        assert_eq!(parked.polls, [false, true, true]);
    }

    /// Whether a thread goes on spinning before it parks after a wait that was over at once and left more behind, or not.
    fn goes_on_spinning(has_more: bool) -> bool {
        let mut parked = Parked {
            refill_spins: Some(5),
            has_more,
            ..Parked::new(0)
        };
        park_erased(&mut parked, None);
        Parker::with(|parker| parker.spin_before_parking(5, None))
    }

    #[test]
    fn thread_spins_before_it_parks_where_that_brings_more_than_one() {
        assert!(goes_on_spinning(true));
        assert!(!goes_on_spinning(false));
    }

    /// Whether it can be watched once a poll has left it pending, and is not over then.
    fn is_watched<F: Arm>(future: F) -> bool {
        let mut future = pin!(future);
        let polled = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        polled.is_pending() && spin_target(future).is_some_and(|target| target.is_parked())
    }

    fn spin_target<F: Arm>(future: Pin<&mut F>) -> Option<SpinTarget<'_>> {
        Some(future.operation()?.spin_target())
    }

    #[test]
    fn each_single_operation_can_be_watched_while_it_is_parked() {
        let (tx, rx) = crate::bounded(1);
        assert!(is_watched(rx.recv()));
        assert!(is_watched(rx.clone().into_recv()));
        tx.try_send(0).unwrap();
        assert!(is_watched(tx.send(1)));
        assert!(is_watched(tx.clone().into_send(1)));
        assert!(is_watched(tx.send_from(&mut Some(1))));
        assert!(is_watched(tx.reserve()));
    }

    fn has_more<F: Arm>(future: F) -> bool {
        spin_target(pin!(future)).unwrap().has_more()
    }

    #[test]
    fn one_more_can_go_ahead_where_there_is_room_or_a_message() {
        let (tx, rx) = crate::bounded(5);
        (0..3).for_each(|_| tx.try_send(0).unwrap());
        drop(rx.drain());
        let both = || [has_more(rx.recv()), has_more(tx.send(0))];
        assert_eq!(both(), [false, true]);
        tx.try_send(0).unwrap();
        assert_eq!(both(), [true, true]);
        let permits: Vec<_> = (0..4).map(|_| tx.try_reserve().unwrap()).collect();
        assert!(!has_more(tx.reserve()));
        assert_eq!(both(), [true, false]);
        drop(permits);
        assert!(has_more(tx.reserve()));
        (0..4).for_each(|_| tx.try_send(0).unwrap());
        let mut send = pin!(tx.send(0));
        assert!(
            send.as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
        assert_eq!(both(), [true, false]);
    }
}
