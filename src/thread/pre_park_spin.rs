//! Whether a thread spins before it parks.

#![forbid(unsafe_code)]

use core::cell::Cell;

use crate::tuning::{FIRST_PRE_PARK_INTERVAL, LONGEST_PRE_PARK_INTERVAL};

/// What has come of the pauses that a thread made before it parked.
///
/// Where they are of use every wait begins with one. Where they are not, as with a peer that sends one message and waits for the
/// answer, they are seldom tried.
pub(super) struct PreParkSpin {
    /// One wait in so many begins with a pause.
    interval: Cell<u32>,
    /// How many there have been since the last that did.
    waits: Cell<u32>,
}

impl PreParkSpin {
    pub(super) fn new() -> Self {
        Self {
            interval: Cell::new(1),
            waits: Cell::new(0),
        }
    }

    /// Whether the wait that begins now is to begin with a pause; what comes of that is noted then.
    pub(super) fn is_due(&self) -> bool {
        let waits = self.waits.get() + 1;
        let is_due = waits >= self.interval.get();
        self.waits.set(if is_due { 0 } else { waits });
        is_due
    }

    pub(super) fn note(&self, was_of_use: bool) {
        self.interval.set(match was_of_use {
            true => 1,
            false => (self.interval.get() * 2 + 1)
                .clamp(FIRST_PRE_PARK_INTERVAL, LONGEST_PRE_PARK_INTERVAL),
        });
    }
}

#[cfg(all(test, not(hchan_loom)))]
mod tests {
    use super::*;

    /// The number of the next wait that begins with a pause.
    fn next(spin: &PreParkSpin) -> usize {
        1 + (0..10_000).take_while(|_| !spin.is_due()).count()
    }

    #[test]
    fn pauses_in_vain_become_rarer() {
        let spin = PreParkSpin::new();
        assert_eq!(next(&spin), 1);
        for interval in [15, 31, 63, 127, 255, 511, 1023, 1023] {
            spin.note(false);
            assert_eq!(next(&spin), interval);
        }
    }

    #[test]
    fn every_wait_begins_with_a_pause_after_one_that_was_of_use() {
        let spin = PreParkSpin::new();
        spin.note(false);
        spin.note(false);
        assert_eq!(next(&spin), 31);
        spin.note(true);
        assert_eq!([next(&spin), next(&spin)], [1, 1]);
        spin.note(false);
        assert_eq!(next(&spin), 15);
    }

    /// Every second wait is for a stream, where a pause is of use, the others are for answers.
    #[test]
    fn pauses_are_tried_with_each_of_two_channels_in_turn() {
        let spin = PreParkSpin::new();
        let mut tried = [0; 2];
        for wait in 0..10_000 {
            if spin.is_due() {
                tried[wait % 2] += 1;
                spin.note(wait % 2 == 0);
            }
        }
        assert!(tried.iter().all(|&times| times > 500), "{tried:?}");
    }
}
