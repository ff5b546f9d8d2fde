//! What comes of the turns a waiting thread gives to others on its core.

#![forbid(unsafe_code)]

use core::{cell::Cell, time::Duration};
use std::time::Instant;

use crate::tuning::{
    LONGEST_FIRST_YIELD_PAUSE, LONGEST_YIELD_PAUSE, SLOW_MESSAGE, SOON, WHOLE_TURN,
};

/// The turns that a thread has given.
///
/// After one that was lost none is given for as long as it took; if the next is lost soon after that, for twice as long, and so on.
/// So if all are lost, that is half of the time at first, and soon less than a hundredth; if one is now and then, it is no more
/// than a tenth, and the others are not given up for it.
pub(super) struct YieldBackoff {
    pause: Cell<Duration>,
    /// None is given before then.
    pause_end: Cell<Option<Instant>>,
}

impl YieldBackoff {
    pub(super) fn new() -> Self {
        Self {
            pause: Cell::new(Duration::ZERO),
            pause_end: Cell::new(None),
        }
    }

    pub(super) fn is_pausing(&self, now: Instant) -> bool {
        self.pause_end.get().is_some_and(|end| now < end)
    }

    /// Notes a turn that was given and has just ended; says whether it was lost. `progress` tells how many messages have passed the
    /// channel, since the thread began to yield.
    pub(super) fn was_lost(
        &self,
        now: Instant,
        taken: Duration,
        progress: impl FnOnce() -> usize,
    ) -> bool {
        let is_lost = taken > WHOLE_TURN && is_standstill(taken, progress());
        if is_lost {
            self.pause(now, taken);
        }
        is_lost
    }

    fn pause(&self, now: Instant, taken: Duration) {
        let last = self.pause.get();
        let is_soon = |end| now.saturating_duration_since(end) < last * SOON;
        let pause = match self.pause_end.get().is_some_and(is_soon) {
            true => LONGEST_YIELD_PAUSE.min(last * 2),
            false => LONGEST_FIRST_YIELD_PAUSE.min(taken),
        };
        self.pause.set(pause);
        self.pause_end.set(Some(now + pause));
    }
}

fn is_standstill(taken: Duration, progress: usize) -> bool {
    taken.as_nanos() / SLOW_MESSAGE.as_nanos() > progress as u128
}

#[cfg(all(test, not(hchan_loom)))]
mod tests {
    use super::*;

    const TURN: Duration = Duration::from_millis(3);

    /// Loses a turn that ends then; returns for how many milliseconds none is given.
    fn lose(backoff: &YieldBackoff, now: Instant) -> usize {
        assert!(backoff.was_lost(now, TURN, || 0));
        let is_in_pause = |after: &u64| backoff.is_pausing(now + Duration::from_millis(*after));
        (0..2000).take_while(is_in_pause).count()
    }

    #[test]
    fn pause_doubles_as_long_as_turns_are_lost_at_once() {
        let backoff = YieldBackoff::new();
        let mut now = Instant::now();
        assert!(!backoff.is_pausing(now));
        for pause in [3, 6, 12, 24, 48, 96, 192, 384, 768, 1000, 1000] {
            assert_eq!(lose(&backoff, now), pause);
            now += Duration::from_millis(pause as u64) + TURN;
        }
    }

    #[test]
    fn turn_lost_long_after_the_last_counts_as_the_first() {
        let backoff = YieldBackoff::new();
        let now = Instant::now();
        assert_eq!(lose(&backoff, now), 3);
        let almost = now + TURN + SOON * TURN - Duration::from_nanos(1);
        assert_eq!(lose(&backoff, almost), 6);
        assert_eq!(lose(&backoff, almost + 2 * TURN + SOON * 2 * TURN), 3);
    }

    #[test]
    fn turn_in_which_messages_passed_is_not_lost() {
        let backoff = YieldBackoff::new();
        assert!(!backoff.was_lost(Instant::now(), TURN, || 150));
        assert!(!backoff.is_pausing(Instant::now()));
        assert!(backoff.was_lost(Instant::now(), TURN, || 149));
    }

    #[test]
    fn short_turn_is_not_lost() {
        let backoff = YieldBackoff::new();
        let counted = || panic!("it counted the messages");
        assert!(!backoff.was_lost(Instant::now(), WHOLE_TURN, counted));
    }

    #[test]
    fn process_that_was_stopped_does_not_pause_as_long() {
        let backoff = YieldBackoff::new();
        let now = Instant::now();
        assert!(backoff.was_lost(now, Duration::from_secs(3600), || 0));
        assert!(!backoff.is_pausing(now + LONGEST_FIRST_YIELD_PAUSE));
    }
}
