//! In which order the arms of a select are tried, and their channels locked.

#![forbid(unsafe_code)]

use alloc::vec::Vec;

pub(crate) use crate::tuning::ARMS_IN_PLACE as FEW;

/// The numbers of the arms, in some order.
pub(crate) struct Order {
    few: [u32; FEW],
    more: Vec<u32>,
    count: usize,
}

impl Order {
    /// From top to bottom.
    #[inline]
    pub(crate) fn new(count: usize) -> Self {
        Self {
            few: [0, 1, 2, 3, 4, 5, 6, 7],
            more: if count > FEW {
                (0..).take(count).collect()
            } else {
                Vec::new()
            },
            count,
        }
    }

    /// As that chance has it.
    // codegen: made where it is wanted.
    #[inline(always)]
    pub(crate) fn drawn(count: usize, chance: Chance) -> Self {
        let mut order = Self::new(count);
        order.shuffle(chance);
        order
    }

    #[inline(never)]
    fn shuffle(&mut self, chance: Chance) {
        let mut draws = chance.draws(self.count);
        let numbers = self.numbers();
        // For the last place one is left.
        for place in 0..numbers.len().saturating_sub(1) {
            numbers.swap(place, place + draws.draw(place));
        }
    }

    #[inline]
    fn numbers(&mut self) -> &mut [u32] {
        if self.count > FEW {
            &mut self.more
        } else {
            &mut self.few[..self.count]
        }
    }

    /// The numbers, one after the other.
    pub(crate) fn iter(&mut self) -> impl Iterator<Item = usize> {
        self.numbers().iter().map(|&number| number as usize)
    }

    pub(crate) fn sort_by_key(&mut self, mut key: impl FnMut(usize) -> usize) {
        self.numbers()
            .sort_unstable_by_key(|&number| key(number as usize));
    }

    /// The number at that place, drawn from those that have not been drawn for a place before it.
    #[inline]
    pub(crate) fn draw(&mut self, place: usize, draws: &mut Draws) -> usize {
        let left = &mut self.numbers()[place..];
        if left.len() > 1 {
            left.swap(0, draws.draw(place));
        }
        left[0] as usize
    }
}

/// Which order it is: a state of the generator, or `None` for the one from top to bottom.
#[derive(Clone, Copy)]
pub(crate) struct Chance(Option<u64>);

impl Chance {
    pub(crate) const TOP_TO_BOTTOM: Self = Self(None);

    #[inline]
    pub(crate) fn new(biased: bool) -> Self {
        Self((!biased).then(random))
    }

    pub(crate) fn is_biased(self) -> bool {
        self.0.is_none()
    }

    /// The number that is drawn for the first place.
    #[inline]
    pub(crate) fn first(self, count: usize) -> usize {
        self.draws(count).draw(0)
    }

    #[inline]
    pub(crate) fn draws(self, count: usize) -> Draws {
        Draws {
            chance: self,
            count,
            fraction: 0,
        }
    }
}

/// What the places of an order are drawn from, one after the other.
pub(crate) struct Draws {
    chance: Chance,
    count: usize,
    /// The part of a random number that has not been used, as a fraction of 2⁶⁴.
    fraction: u64,
}

/// So many draws are made from one random number: they are even up to 2⁻²⁴ with a thousand arms.
const DRAWS: usize = 4;

impl Draws {
    /// One of the numbers left, by its place among them: each is as likely as the others.
    #[inline]
    fn draw(&mut self, place: usize) -> usize {
        if place % DRAWS == 0 {
            self.fraction = match self.chance.0 {
                Some(state) => mix(state.wrapping_add(place as u64)),
                None => 0,
            };
        }
        let product = u128::from(self.fraction) * (self.count - place) as u128;
        self.fraction = product as u64;
        (product >> 64) as usize
    }
}

/// Makes the random choices of this thread's selects a function of `seed` from now on, so that a test can replay them.
///
/// Without a call the seed is random. A select chooses on the thread that polls it: on an executor with several threads,
/// seed each.
///
/// Without the feature `std` there is one sequence for all threads, and without a call its seed is where the program lies in
/// memory: on a machine where that is always the same, seed it from a source of randomness, if that matters.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
/// let (tx, rx) = hchan::unbounded();
/// (0..40).for_each(|n| tx.try_send(n).unwrap());
///
/// let mut choices = [vec![], vec![]];
/// for run in &mut choices {
///     hchan::seed_select(7);
///     for _ in 0..20 {
///         run.push(hchan::select! {
///             recv(rx) -> _ => "first",
///             recv(rx) -> _ => "second",
///         });
///     }
/// }
/// assert_eq!(choices[0], choices[1]);
/// # });
/// ```
pub fn seed_select(seed: u64) {
    state::set(seed);
}

/// The next state of this thread's generator, to be mixed.
fn random() -> u64 {
    // A model has to make the same choices in every run, and its threads are one.
    if cfg!(hchan_loom) {
        return 0;
    }
    state::step()
}

/// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
#[inline]
fn mix(state: u64) -> u64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// From one state to the next.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Each thread has a state of its own.
#[cfg(feature = "std")]
mod state {
    use core::{cell::Cell, hash::BuildHasher};
    use std::{hash::RandomState, thread_local};

    thread_local!(static STATE: Cell<Option<u64>> = const { Cell::new(None) });

    pub(super) fn set(seed: u64) {
        STATE.set(Some(seed));
    }

    pub(super) fn step() -> u64 {
        let before = STATE
            .get()
            .unwrap_or_else(|| RandomState::new().hash_one(0));
        let state = before.wrapping_add(super::STEP);
        STATE.set(Some(state));
        state
    }
}

/// Threads have nothing of their own here, so all have one state. It is kept as its distance from the address of where it is
/// kept: as long as nobody sets a seed, that address is the seed.
#[cfg(not(feature = "std"))]
mod state {
    use core::{
        ptr,
        sync::atomic::{AtomicUsize, Ordering::Relaxed},
    };

    static DISTANCE: AtomicUsize = AtomicUsize::new(0);

    fn origin() -> usize {
        ptr::from_ref(&DISTANCE).addr()
    }

    // Relaxed throughout: a number, by which nobody learns of anything else.

    pub(super) fn set(seed: u64) {
        // Mixed, as a word may be shorter than the seed.
        DISTANCE.store((super::mix(seed) as usize).wrapping_sub(origin()), Relaxed);
    }

    pub(super) fn step() -> u64 {
        // An odd step, of whatever width: all states have their turn.
        let distance = DISTANCE.fetch_add(super::STEP as usize, Relaxed);
        distance.wrapping_add(origin()) as u64
    }
}
