//! The words of the records: one for each waiter that is or was parked in a tracked channel.
//!
//! A word is reached by its number from wherever that got to, so it is never freed: the numbers of records that are gone are used
//! again, and there are as many words as there have been records at one time.
//!
//! A word says in which state a waiter is and, once it was completed, since when. It has a generation, so that a peer that is late
//! with that notices that the record has gone.

#![forbid(unsafe_code)]

use alloc::boxed::Box;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Not the number of any word.
pub(crate) const NONE: u32 = 0;

const FIRST_CHUNK: u32 = 64;
const CHUNKS: usize = 24;

const STATE_BITS: u32 = 2;
const STAMP_BITS: u32 = 46;
const STAMP_MASK: u64 = (1 << STAMP_BITS) - 1;
const GENERATION: u64 = 1 << (STAMP_BITS + STATE_BITS);
/// So many nanoseconds are one unit of a stamp, which wraps around after 52 days.
const UNIT_SHIFT: u32 = 6;

/// What a record's waiter is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It is about to park, has just been unparked, or has no record.
    Away,
    Parked,
    /// Completed by a peer, and not polled since.
    Completed,
}

const AWAY: u64 = 0;
const PARKED: u64 = 1;
const COMPLETED: u64 = 2;

pub(crate) struct Word {
    /// Generation, state, stamp, from the highest bit on.
    ///
    /// Relaxed throughout: the owner of a waiter finds what the peer stored by the waiter's state, which the peer stores after it
    /// (`Release`) and the owner reads before it (`Acquire`); for everybody else it is a number that may be old.
    bits: AtomicU64,
    /// The owner's place in its channel's records; of a free word, the number of the next free one.
    pub(crate) link: AtomicU32,
}

impl Word {
    fn new() -> Self {
        Self {
            bits: AtomicU64::new(0),
            link: AtomicU32::new(NONE),
        }
    }

    fn generation(&self) -> u64 {
        self.bits.load(Ordering::Relaxed) & !(GENERATION - 1)
    }

    fn store(&self, generation: u64, state: u64) {
        let bits = generation | state << STAMP_BITS;
        self.bits.store(bits, Ordering::Relaxed);
    }

    pub(crate) fn note_away(&self) {
        self.store(self.generation(), AWAY);
    }

    pub(crate) fn note_parked(&self) {
        self.store(self.generation(), PARKED);
    }

    /// Returns the generation, for `stamp`.
    pub(crate) fn note_completed(&self) -> u64 {
        let generation = self.generation();
        self.store(generation, COMPLETED);
        generation
    }

    /// Notes when the waiter was completed, if its record is still there.
    pub(crate) fn stamp(&self, generation: u64, now: u64) {
        let unstamped = generation | COMPLETED << STAMP_BITS;
        // An old value is one that differs in generation, state or stamp: then this is not the record, or it has been polled.
        let _ = (self.bits).compare_exchange(
            unstamped,
            unstamped | stamp_of(now),
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
    }

    /// The state, and for how long the waiter has been completed, if that was noted.
    pub(crate) fn read(&self, now: u64) -> (Phase, Option<u64>) {
        let bits = self.bits.load(Ordering::Relaxed);
        let phase = match bits >> STAMP_BITS & ((1 << STATE_BITS) - 1) {
            PARKED => Phase::Parked,
            COMPLETED => Phase::Completed,
            _ => Phase::Away,
        };
        let stamp = bits & STAMP_MASK;
        let since = (stamp_of(now).wrapping_sub(stamp) & STAMP_MASK) << UNIT_SHIFT;
        // A clock that was read before the stamp was made seems to be nearly a whole round after it.
        let since = if since >> (STAMP_BITS + UNIT_SHIFT - 1) == 0 {
            since
        } else {
            0
        };
        (phase, (stamp != 0).then_some(since))
    }

    /// The record is gone: whoever still knows its generation is too late.
    pub(crate) fn retire(&self) {
        self.store(self.generation().wrapping_add(GENERATION), AWAY);
    }
}

/// A stamp is never 0, which stands for none.
fn stamp_of(now: u64) -> u64 {
    (now >> UNIT_SHIFT & STAMP_MASK).max(1)
}

/// Each chunk has twice as many words as the one before.
static WORDS: [OnceLock<Box<[Word]>>; CHUNKS] = [const { OnceLock::new() }; CHUNKS];

static FREE: Mutex<Free> = Mutex::new(Free {
    first: NONE,
    made: 0,
});

struct Free {
    /// The words that are free are linked to each other, so to free one takes no memory.
    first: u32,
    made: u32,
}

/// The word of that number, if there is one.
pub(crate) fn word(number: u32) -> Option<&'static Word> {
    let place = number.checked_sub(1)? + FIRST_CHUNK;
    let chunk = place.ilog2() - FIRST_CHUNK.ilog2();
    let words = WORDS[chunk as usize].get()?;
    words.get((place - (FIRST_CHUNK << chunk)) as usize)
}

/// The number of a free word. `None`: there are as many as there can be.
pub(crate) fn take() -> Option<u32> {
    let number = {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(word) = word(free.first) {
            let number = free.first;
            free.first = word.link.load(Ordering::Relaxed);
            return Some(number);
        }
        if free.made == FIRST_CHUNK * ((1 << CHUNKS) - 1) {
            return None;
        }
        free.made += 1;
        free.made
    };
    // Without the lock, as it allocates.
    let chunk = (number - 1 + FIRST_CHUNK).ilog2() - FIRST_CHUNK.ilog2();
    WORDS[chunk as usize].get_or_init(|| {
        core::iter::repeat_with(Word::new)
            .take((FIRST_CHUNK << chunk) as usize)
            .collect()
    });
    Some(number)
}

/// Gives back words that no waiter has.
pub(crate) fn give_back(numbers: impl Iterator<Item = u32>) {
    let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    for number in numbers {
        if let Some(word) = word(number) {
            word.link.store(free.first, Ordering::Relaxed);
            free.first = number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_numbers_of_their_own() {
        let numbers: alloc::vec::Vec<_> = (0..200).map(|_| take().unwrap()).collect();
        for (place, &number) in numbers.iter().enumerate() {
            word(number)
                .unwrap()
                .link
                .store(place as u32, Ordering::Relaxed);
        }
        for (place, &number) in numbers.iter().enumerate() {
            let link = &word(number).unwrap().link;
            assert_eq!(link.load(Ordering::Relaxed), place as u32);
        }
        give_back(numbers.into_iter());
        assert!(word(NONE).is_none());
    }

    #[test]
    fn stamp_that_comes_after_the_record_has_gone_is_ignored() {
        let word = Word::new();
        word.note_parked();
        let generation = word.note_completed();
        word.retire();
        word.note_parked();
        word.stamp(generation, 1_000_000);
        assert_eq!(word.read(2_000_000), (Phase::Parked, None));
        // The next one of the same word, completed but not stamped yet, is not that one, either.
        word.note_completed();
        word.stamp(generation, 1_000_000);
        assert_eq!(word.read(2_000_000), (Phase::Completed, None));
    }

    #[test]
    fn completed_waiter_tells_since_when() {
        let word = Word::new();
        word.note_parked();
        assert_eq!(word.read(500), (Phase::Parked, None));
        let generation = word.note_completed();
        word.stamp(generation, 64_000);
        assert_eq!(word.read(128_000), (Phase::Completed, Some(64_000)));
        assert_eq!(word.read(0), (Phase::Completed, Some(0)));
    }
}
