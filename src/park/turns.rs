//! What comes of the turns a waiting thread gives to others on its core.

#![forbid(unsafe_code)]

use core::{cell::Cell, time::Duration};
use std::time::Instant;

/// Who is given a turn and takes longer than this has used it up.
const WHOLE_TURN: Duration = Duration::from_millis(1);

/// A channel whose threads all sleep passes at least one message on in so long. One that has done less in a turn stood still:
/// a stranger took it, and who sleeps is sooner back than who yields to that. (One that has done more was being used: there
/// are more of its threads than cores.)
const SLOWEST_MESSAGE: Duration = Duration::from_micros(10);

/// No turn counts for more than this: the process may have been stopped.
const LONGEST_TURN: Duration = Duration::from_millis(10);

/// How often the pause doubles, at the most, while turn after turn is lost.
const MOST_DOUBLINGS: u32 = 7;

/// So many turns that were not lost take one doubling back.
const TURNS_TO_FORGIVE: u32 = 128;

/// The turns that a thread has given.
///
/// After one that was lost none is given for as long as it took, then for twice as long, and so on: so half of the time
/// is lost at first, and soon less than a hundredth.
pub(super) struct Turns {
    doublings: Cell<u32>,
    /// How many were not lost since one was, or was forgiven.
    kept: Cell<u32>,
    /// None is given before then.
    pause_end: Cell<Option<Instant>>,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self {
            doublings: Cell::new(0),
            kept: Cell::new(0),
            pause_end: Cell::new(None),
        }
    }

    pub(super) fn are_not_given(&self, now: Instant) -> bool {
        self.pause_end.get().is_some_and(|end| now < end)
    }

    /// Notes a turn that was given and has just ended; says whether it was lost. `passed` tells how many messages passed the
    /// channel in it, or in all of this wait.
    pub(super) fn was_lost(
        &self,
        now: Instant,
        taken: Duration,
        passed: impl FnOnce() -> usize,
    ) -> bool {
        let is_lost = taken > WHOLE_TURN && is_standstill(taken, passed());
        match is_lost {
            true => self.lose(now, taken.min(LONGEST_TURN)),
            false => self.keep(),
        }
        is_lost
    }

    fn lose(&self, now: Instant, taken: Duration) {
        let doublings = self.doublings.get();
        self.pause_end.set(Some(now + taken * (1 << doublings)));
        self.doublings.set(MOST_DOUBLINGS.min(doublings + 1));
        self.kept.set(0);
    }

    fn keep(&self) {
        let kept = (self.kept.get() + 1) % TURNS_TO_FORGIVE;
        self.kept.set(kept);
        if kept == 0 {
            self.doublings.set(self.doublings.get().saturating_sub(1));
        }
    }
}

fn is_standstill(taken: Duration, passed: usize) -> bool {
    taken.as_nanos() / SLOWEST_MESSAGE.as_nanos() > passed as u128
}

#[cfg(all(test, not(hchan_loom)))]
mod tests {
    use super::*;

    const TURN: Duration = Duration::from_millis(3);

    /// Loses so many turns in a row; returns for how many turns each is paused.
    fn lose(turns: &Turns, count: usize) -> impl Iterator<Item = u32> {
        let now = Instant::now();
        (0..count).map(move |_| {
            assert!(turns.was_lost(now, TURN, || 0));
            let is_in_pause = |after: &u32| turns.are_not_given(now + TURN * *after);
            (0..1000).take_while(is_in_pause).count() as u32
        })
    }

    #[test]
    fn each_lost_turn_doubles_the_pause() {
        let turns = Turns::new();
        assert!(!turns.are_not_given(Instant::now()));
        assert!(lose(&turns, 10).eq([1, 2, 4, 8, 16, 32, 64, 128, 128, 128]));
    }

    #[test]
    fn turns_that_are_not_lost_take_a_doubling_back() {
        let turns = Turns::new();
        assert!(lose(&turns, 3).eq([1, 2, 4]));
        for _ in 0..2 * TURNS_TO_FORGIVE {
            assert!(!turns.was_lost(Instant::now(), Duration::ZERO, || 0));
        }
        assert!(lose(&turns, 1).eq([2]));
    }

    #[test]
    fn turn_in_which_messages_passed_is_not_lost() {
        let turns = Turns::new();
        assert!(!turns.was_lost(Instant::now(), TURN, || 300));
        assert!(!turns.are_not_given(Instant::now()));
        assert!(turns.was_lost(Instant::now(), TURN, || 299));
    }

    #[test]
    fn short_turn_is_not_lost() {
        let turns = Turns::new();
        let counted = || panic!("it counted the messages");
        assert!(!turns.was_lost(Instant::now(), WHOLE_TURN, counted));
    }

    #[test]
    fn process_that_was_stopped_does_not_pause_as_long() {
        let turns = Turns::new();
        let now = Instant::now();
        assert!(turns.was_lost(now, Duration::from_secs(3600), || 0));
        assert!(!turns.are_not_given(now + LONGEST_TURN));
    }
}
