//! In which order the arms of a select are tried, and their channels locked.

#![forbid(unsafe_code)]

use std::{
    cell::Cell,
    hash::{BuildHasher, RandomState},
};

/// How many arms a select may have without allocating.
pub(crate) const FEW: usize = 8;

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
    pub(crate) fn drawn(count: usize, chance: Chance) -> Self {
        let mut order = Self::new(count);
        let mut draws = chance.draws(count);
        (0..count).for_each(|place| _ = order.draw(place, &mut draws));
        order
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
        left.swap(0, draws.draw(place));
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

thread_local!(static SEED: Cell<Option<u64>> = const { Cell::new(None) });

/// Makes the random choices of this thread's selects a function of `seed` from now on, so that a test can replay them.
///
/// Without a call the seed is random. A select chooses on the thread that polls it: on an executor with several threads,
/// seed each.
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
    SEED.set(Some(seed));
}

/// The next state of this thread's generator, to be mixed.
fn random() -> u64 {
    // A model has to make the same choices in every run, and its threads are one.
    if cfg!(hchan_loom) {
        return 0;
    }
    let seed = SEED.get().unwrap_or_else(|| RandomState::new().hash_one(0));
    let state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    SEED.set(Some(state));
    state
}

/// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
#[inline]
fn mix(state: u64) -> u64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
