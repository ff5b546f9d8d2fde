//! How a thread waits: it spins, then it yields, then it sleeps. How long it does the first two depends on what came of them before.

#![forbid(unsafe_code)]

use core::{cell::Cell, hint, time::Duration};
use std::time::Instant;

use super::{pre_park_spin::PreParkSpin, yield_backoff::YieldBackoff};
use crate::{
    sync::thread,
    tuning::{
        LONGEST_YIELDING, MOST_SPINS, SHORT_YIELD, SHORTEST_YIELDING, SPIN_RETRY_INTERVAL,
        YIELDING_GAINED,
    },
};

/// What a thread has learned from its waits, of all channels.
pub(super) struct WaitStrategy {
    /// How often to look before yielding. A wait that spinning did not end halves it, and one that spinning ended restores it: on a
    /// core that both share, the peer cannot answer before the thread stops spinning.
    spin_budget: Cell<u32>,
    /// How long to yield before sleeping. A sleep of at least `LONGEST_YIELDING` halves it, and every other wait raises it a little: so a
    /// thread is awake for a stream of messages, and waiting for rare ones costs no more than sleeping.
    yield_budget: Cell<Duration>,
    /// What came of its yields.
    yield_backoff: YieldBackoff,
    /// What came of its pauses before it parked.
    pre_park_spin: PreParkSpin,
    /// How many waits there have been.
    waits: Cell<u32>,
}

impl WaitStrategy {
    pub(super) fn new() -> Self {
        Self {
            spin_budget: Cell::new(MOST_SPINS),
            yield_budget: Cell::new(LONGEST_YIELDING),
            yield_backoff: YieldBackoff::new(),
            pre_park_spin: PreParkSpin::new(),
            waits: Cell::new(0),
        }
    }

    /// A wait begins.
    pub(super) fn begin(&self) {
        self.waits.set(self.waits.get().wrapping_add(1));
    }

    /// Spins for so many hints before the thread parks, and says whether it did. Where such spins brought nothing, most are left out.
    ///
    /// A thread that parks at the first message that is not there is woken by the next, and so on: each message is handed over
    /// then, which takes many times longer than the buffer does. While the thread spins, several messages come.
    pub(super) fn spin_before_parking(&self, hints: usize, deadline: Option<Instant>) -> bool {
        let spins = !is_past(deadline) && self.pre_park_spin.is_due();
        if spins {
            for _ in 0..hints {
                hint::spin_loop();
            }
        }
        spins
    }

    pub(super) fn note_spun_before_parking(&self, was_of_use: bool) {
        self.pre_park_spin.note(was_of_use);
    }

    /// Whether the wait begins awake.
    pub(super) fn begins_awake(&self, deadline: Option<Instant>) -> bool {
        (self.spins() > 0 || self.may_yield()) && !is_past(deadline)
    }

    /// Spins and yields, for a bounded time, until `is_over`; says whether it is. `progress` counts the messages of the channel.
    pub(super) fn wait_awake(
        &self,
        is_over: impl Fn() -> bool,
        progress: impl Fn() -> usize,
        deadline: Option<Instant>,
    ) -> bool {
        self.spin(&is_over) || self.yield_until(is_over, progress, deadline)
    }

    /// A sleep is over.
    pub(super) fn note_sleep(&self, lasted: Duration) {
        if lasted < LONGEST_YIELDING {
            self.raise_yield_budget();
        } else {
            self.yield_budget.set(self.yield_budget.get() / 2);
        }
    }

    fn spins(&self) -> u32 {
        let is_retry = self.waits.get() % SPIN_RETRY_INTERVAL == 0;
        if is_retry {
            MOST_SPINS
        } else {
            self.spin_budget.get()
        }
    }

    fn spin(&self, is_over: impl Fn() -> bool) -> bool {
        for _ in 0..self.spins() {
            if is_over() {
                self.spin_budget.set(MOST_SPINS);
                self.raise_yield_budget();
                return true;
            }
            hint::spin_loop();
        }
        self.spin_budget.set(self.spin_budget.get() / 2);
        false
    }

    fn yield_until(
        &self,
        is_over: impl Fn() -> bool,
        progress: impl Fn() -> usize,
        deadline: Option<Instant>,
    ) -> bool {
        if !self.may_yield() {
            return false;
        }
        let progress_before = progress();
        let (mut last, mut in_vain) = (Instant::now(), Duration::ZERO);
        while in_vain < self.yield_budget.get() && deadline.is_none_or(|deadline| last < deadline) {
            if is_over() {
                self.raise_yield_budget();
                return true;
            }
            thread::yield_now();
            let now = Instant::now();
            let taken = now - last;
            let progress = || progress().wrapping_sub(progress_before);
            if self.yield_backoff.was_lost(now, taken, progress) {
                break;
            }
            in_vain += taken.min(SHORT_YIELD);
            last = now;
        }
        is_over()
    }

    fn may_yield(&self) -> bool {
        self.yield_budget.get() >= SHORTEST_YIELDING
            && !self.yield_backoff.is_pausing(Instant::now())
    }

    fn raise_yield_budget(&self) {
        let budget = self.yield_budget.get() + YIELDING_GAINED;
        self.yield_budget.set(LONGEST_YIELDING.min(budget));
    }
}

pub(super) fn is_past(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}

#[cfg(all(test, not(hchan_loom)))]
mod tests {
    use super::*;

    #[test]
    fn spinning_in_vain_is_tried_again_in_one_of_sixteen_waits() {
        let strategy = WaitStrategy::new();
        let spins = || {
            strategy.begin();
            let spins = strategy.spins() > 0;
            assert!(!strategy.spin(|| false));
            spins
        };
        (0..SPIN_RETRY_INTERVAL).for_each(|_| _ = spins());
        assert_eq!((0..4 * SPIN_RETRY_INTERVAL).filter(|_| spins()).count(), 4);
    }

    #[test]
    fn long_sleeps_end_the_yielding_and_a_short_one_begins_it() {
        let strategy = WaitStrategy::new();
        assert!(strategy.may_yield());
        (0..8).for_each(|_| strategy.note_sleep(LONGEST_YIELDING));
        assert!(!strategy.may_yield());
        assert!(!strategy.yield_until(|| panic!("it looked"), || 0, None));
        strategy.note_sleep(LONGEST_YIELDING - Duration::from_nanos(1));
        assert!(strategy.yield_until(|| true, || 0, None));
    }

    #[test]
    fn thread_does_not_yield_after_a_turn_was_lost() {
        let strategy = WaitStrategy::new();
        let later = Instant::now() + Duration::from_secs(600);
        let yield_backoff = &strategy.yield_backoff;
        assert!(yield_backoff.was_lost(later, Duration::from_secs(1), || 0));
        assert!(!strategy.yield_until(|| panic!("it looked"), || 0, None));
    }

    #[test]
    fn wait_that_has_no_time_does_not_spin_before_parking() {
        let strategy = WaitStrategy::new();
        assert!(!strategy.spin_before_parking(5, Some(Instant::now())));
        assert!(strategy.spin_before_parking(5, None));
    }

    #[test]
    fn spinning_that_was_of_use_is_tried_at_once() {
        let strategy = WaitStrategy::new();
        strategy.spin_budget.set(0);
        strategy.waits.set(SPIN_RETRY_INTERVAL);
        assert!(strategy.spin(|| true), "a retry");
        assert_eq!(strategy.spin_budget.get(), MOST_SPINS);
    }
}
