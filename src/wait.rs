//! Waiting for a future from a thread, and what it takes to give up.

#![forbid(unsafe_code)]

use core::pin::Pin;

#[cfg(feature = "std")]
pub(crate) use blocking::{wait, wait_deadline, wait_timeout};

/// A future of this crate that can be given up.
///
/// It is `pub` for [`Until`](crate::Until), which returns the same as waiting with a limit. Users cannot name it. There is nothing
/// else in it, as they could call the methods of a `pub` trait through a bound that implies it.
pub trait Limit: Future {
    /// What waiting with a limit returns.
    type Limited;
}

/// A future of this crate, as those need it who wait for it in a thread or may give it up.
#[cfg_attr(not(feature = "std"), allow(dead_code, reason = "for threads"))]
pub(crate) trait Wait: Limit {
    /// Completes it if that can be done at once; for a future that has not been polled.
    fn attempt(self: Pin<&mut Self>) -> Option<Self::Output>;

    /// The operation that it is, if it is one: a thread can watch that while it is parked, and need not be woken. It is always
    /// the same one, and parked whenever a poll has returned `Pending`.
    fn watched(&self) -> Option<&dyn Watched> {
        None
    }

    /// Stops waiting, if it does; what was done in the meantime stays done and is returned.
    fn withdraw(self: Pin<&mut Self>) -> Option<Self::Output>;

    /// What it has come to. `None`: it was given up, and has not been polled or has been withdrawn; it is not polled again.
    fn limited(self: Pin<&mut Self>, output: Option<Self::Output>) -> Self::Limited;
}

/// What a thread sees that waits awake for an operation.
#[cfg_attr(not(feature = "std"), allow(dead_code, reason = "for threads"))]
pub(crate) trait Watched {
    /// Whether it is parked and no peer has completed it.
    fn is_parked(&self) -> bool;

    /// Whether one more of its kind could go ahead at once, as far as its end of an uncoupled channel can see.
    fn has_more(&self) -> bool;

    fn traffic(&self) -> &dyn Traffic;
}

/// What goes on in the channel of an operation.
#[cfg_attr(not(feature = "std"), allow(dead_code, reason = "for threads"))]
pub(crate) trait Traffic {
    /// About how long a peer takes to fill or empty half of the buffer, in spin hints. `None`: it is not worth pausing for, as there
    /// is next to none, or one that takes long.
    fn turnover(&self) -> Option<usize>;

    /// How many messages have been received, or sent without bound, modulo 2ˢⁱᶻᵉ; some count twice.
    fn passed(&self) -> usize;
}

#[cfg(feature = "std")]
mod blocking {
    use core::{
        pin::Pin,
        task::{Context, Poll, Waker},
        time::Duration,
    };
    use std::time::Instant;

    use super::Wait;
    use crate::{park::Parker, sync::Blocking};

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn wait<F: Wait>(mut future: Pin<&mut F>) -> F::Output {
        let _blocking = Blocking::begin();
        match future.as_mut().attempt() {
            Some(output) => output,
            None => park(future, None).expect("without a deadline, waiting ends when it is done"),
        }
    }

    /// A time too far away for an `Instant` never comes.
    #[inline]
    pub(crate) fn wait_timeout<F: Wait>(mut future: Pin<&mut F>, timeout: Duration) -> F::Limited {
        let _blocking = Blocking::begin();
        let output = future.as_mut().attempt();
        let output = output.or_else(|| park(future.as_mut(), Instant::now().checked_add(timeout)));
        future.limited(output)
    }

    #[inline]
    pub(crate) fn wait_deadline<F: Wait>(mut future: Pin<&mut F>, deadline: Instant) -> F::Limited {
        let _blocking = Blocking::begin();
        let output = future.as_mut().attempt();
        let output = output.or_else(|| park(future.as_mut(), Some(deadline)));
        future.limited(output)
    }

    /// `None`: the deadline came and nothing had happened.
    #[cold]
    fn park<F: Wait>(mut future: Pin<&mut F>, deadline: Option<Instant>) -> Option<F::Output> {
        Parker::with(|parker| {
            let watched = future.watched();
            let turnover = watched.and_then(|watched| watched.traffic().turnover());
            let has_lingered = turnover.is_some_and(|hints| parker.linger(hints, deadline));
            let is_watched = watched.is_some() && parker.is_to_watch(deadline);
            // Who watches is not to be woken: that would be one more cache line that goes to the peer and comes back.
            let waker = match is_watched {
                true => Waker::noop(),
                false => parker.waker(),
            };
            let mut polled = future.as_mut().poll(&mut Context::from_waker(waker));
            if has_lingered {
                // A peer that has sent one message, or made one place, and waits then, needs no time for more.
                let has_more = || future.watched().is_some_and(|op| op.has_more());
                parker.note_lingered(polled.is_ready() && has_more());
            }
            if let (true, Some(watched), Poll::Pending) = (is_watched, future.watched(), &polled) {
                let passed = || watched.traffic().passed();
                parker.watch(|| !watched.is_parked(), passed, deadline);
                polled = future
                    .as_mut()
                    .poll(&mut Context::from_waker(parker.waker()));
            }
            loop {
                if let Poll::Ready(output) = polled {
                    return Some(output);
                }
                let is_woken = match is_watched {
                    true => parker.sleep(deadline),
                    false => parker.park(deadline),
                };
                if !is_woken {
                    return future.withdraw();
                }
                polled = future
                    .as_mut()
                    .poll(&mut Context::from_waker(parker.waker()));
            }
        })
    }
}

#[cfg(all(test, feature = "std", not(hchan_loom)))]
mod tests {
    use alloc::vec::Vec;
    use core::{
        cell::Cell,
        pin::{Pin, pin},
        task::{Context, Poll, Waker},
        time::Duration,
    };

    use super::{Limit, Traffic, Wait, Watched, wait_timeout};
    use crate::park::Parker;

    /// A future that a peer completes after so many looks, or that its third poll completes.
    struct Parked {
        looks_left: Cell<u32>,
        /// Of each poll, whether it could be woken.
        polls: Vec<bool>,
        turnover: Option<usize>,
        has_more: bool,
    }

    impl Parked {
        fn new(looks_left: u32) -> Self {
            Self {
                looks_left: Cell::new(looks_left),
                polls: Vec::new(),
                turnover: None,
                has_more: false,
            }
        }
    }

    impl Future for Parked {
        type Output = Vec<bool>;

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Vec<bool>> {
            let can_wake = !cx.waker().will_wake(Waker::noop());
            self.polls.push(can_wake);
            cx.waker().wake_by_ref();
            match self.polls.len() < 3 && self.looks_left.get() > 0 {
                true => Poll::Pending,
                false => Poll::Ready(self.polls.clone()),
            }
        }
    }

    impl Limit for Parked {
        type Limited = Option<Vec<bool>>;
    }

    impl Wait for Parked {
        fn attempt(self: Pin<&mut Self>) -> Option<Vec<bool>> {
            None
        }

        fn watched(&self) -> Option<&dyn Watched> {
            Some(self)
        }

        fn withdraw(self: Pin<&mut Self>) -> Option<Vec<bool>> {
            None
        }

        fn limited(self: Pin<&mut Self>, output: Option<Vec<bool>>) -> Option<Vec<bool>> {
            output
        }
    }

    impl Watched for Parked {
        fn is_parked(&self) -> bool {
            let looks_left = self.looks_left.get().saturating_sub(1);
            self.looks_left.set(looks_left);
            looks_left > 0
        }

        fn has_more(&self) -> bool {
            self.has_more
        }

        fn traffic(&self) -> &dyn Traffic {
            self
        }
    }

    impl Traffic for Parked {
        fn turnover(&self) -> Option<usize> {
            self.turnover
        }

        fn passed(&self) -> usize {
            0
        }
    }

    #[test]
    fn thread_that_watches_need_not_be_woken() {
        let future = Parked::new(10);
        let polls = wait_timeout(pin!(future), Duration::from_secs(60));
        // Nobody was to wake it before the second poll, which ended the wait.
        assert_eq!(polls, Some([false, true].to_vec()));
    }

    #[test]
    fn thread_that_has_watched_in_vain_is_woken() {
        let future = Parked::new(u32::MAX);
        let polls = wait_timeout(pin!(future), Duration::from_secs(60));
        assert_eq!(polls, Some([false, true, true].to_vec()));
    }

    /// Whether a thread goes on lingering after a wait that was over at once and left more behind, or not.
    fn goes_on_lingering(has_more: bool) -> bool {
        let future = Parked {
            turnover: Some(5),
            has_more,
            ..Parked::new(0)
        };
        assert!(wait_timeout(pin!(future), Duration::from_secs(60)).is_some());
        Parker::with(|parker| parker.linger(5, None))
    }

    #[test]
    fn thread_lingers_where_that_brings_more_than_one() {
        assert!(goes_on_lingering(true));
        assert!(!goes_on_lingering(false));
    }

    /// Whether it can be watched once a poll has left it pending, and is not over then.
    fn is_watched<F: Wait>(future: F) -> bool {
        let mut future = pin!(future);
        let polled = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        polled.is_pending() && future.watched().is_some_and(|op| op.is_parked())
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

    #[test]
    fn one_more_can_go_ahead_where_there_is_room_or_a_message() {
        let (tx, rx) = crate::bounded(5);
        (0..3).for_each(|_| tx.try_send(0).unwrap());
        drop(rx.drain());
        let has_more = |op: Option<&dyn Watched>| op.unwrap().has_more();
        let both = || {
            [
                has_more(rx.recv().watched()),
                has_more(tx.send(0).watched()),
            ]
        };
        assert_eq!(both(), [false, true]);
        tx.try_send(0).unwrap();
        assert_eq!(both(), [true, true]);
        let permits: Vec<_> = (0..4).map(|_| tx.try_reserve().unwrap()).collect();
        assert!(!has_more(tx.reserve().watched()));
        assert_eq!(both(), [true, false]);
        drop(permits);
        assert!(has_more(tx.reserve().watched()));
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
