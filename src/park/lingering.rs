//! Whether a thread pauses before it parks.

#![forbid(unsafe_code)]

use core::cell::Cell;

/// After a pause that was in vain so many waits come without one, and twice as many after each further one, up to a number.
const FIRST_INTERVAL: u32 = 16;
const LONGEST_INTERVAL: u32 = 1024;

/// What has come of the pauses that a thread made before it parked.
///
/// Where they are of use every wait begins with one. Where they are not, as with a peer that sends one message and waits for the
/// answer, they are seldom tried.
pub(super) struct Lingering {
    /// One wait in so many begins with a pause.
    interval: Cell<u32>,
    /// How many waits there have been since the last that did.
    waits: Cell<u32>,
}

impl Lingering {
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
            false => (self.interval.get() * 2).clamp(FIRST_INTERVAL, LONGEST_INTERVAL),
        });
    }
}

#[cfg(all(test, not(hchan_loom)))]
mod tests {
    use super::*;

    /// The number of the next wait that begins with a pause.
    fn next(lingering: &Lingering) -> usize {
        1 + (0..10_000).take_while(|_| !lingering.is_due()).count()
    }

    #[test]
    fn pauses_in_vain_become_rarer() {
        let lingering = Lingering::new();
        assert_eq!(next(&lingering), 1);
        for interval in [16, 32, 64, 128, 256, 512, 1024, 1024] {
            lingering.note(false);
            assert_eq!(next(&lingering), interval);
        }
    }

    #[test]
    fn every_wait_begins_with_a_pause_after_one_that_was_of_use() {
        let lingering = Lingering::new();
        lingering.note(false);
        lingering.note(false);
        assert_eq!(next(&lingering), 32);
        lingering.note(true);
        assert_eq!([next(&lingering), next(&lingering)], [1, 1]);
        lingering.note(false);
        assert_eq!(next(&lingering), 16);
    }
}
