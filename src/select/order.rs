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

    #[inline]
    fn numbers(&mut self) -> &mut [u32] {
        if self.count > FEW {
            &mut self.more
        } else {
            &mut self.few[..self.count]
        }
    }

    /// From top to bottom, but for that number, which comes first, and the one that has its place.
    #[inline]
    pub(crate) fn from(first: usize, count: usize) -> Self {
        let mut order = Self::new(count);
        order.numbers().swap(0, first);
        order
    }

    /// At random, or from top to bottom.
    pub(crate) fn drawn(count: usize, biased: bool) -> Self {
        let mut order = Self::new(count);
        (0..count).for_each(|place| _ = order.next(place, biased));
        order
    }

    /// The numbers, one after the other.
    pub(crate) fn iter(&mut self) -> impl Iterator<Item = usize> {
        self.numbers().iter().map(|&number| number as usize)
    }

    pub(crate) fn sort_by_key(&mut self, mut key: impl FnMut(usize) -> usize) {
        self.numbers()
            .sort_unstable_by_key(|&number| key(number as usize));
    }

    /// The number at that place: unless the select is biased it is drawn at random from those that have not been drawn for a
    /// place before it, each as likely as the others.
    #[inline]
    pub(crate) fn next(&mut self, place: usize, biased: bool) -> usize {
        let left = &mut self.numbers()[place..];
        // The last one is not drawn.
        if !biased && left.len() > 1 {
            left.swap(0, below(left.len()));
        }
        left[0] as usize
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

/// A random number below `bound`: even up to 2⁻⁶⁴ of `bound`.
#[inline]
pub(crate) fn below(bound: usize) -> usize {
    ((u128::from(random()) * bound as u128) >> 64) as usize
}

/// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
fn random() -> u64 {
    // A model has to make the same choices in every run, and its threads are one.
    if cfg!(hchan_loom) {
        return 0;
    }
    let seed = SEED.get().unwrap_or_else(|| RandomState::new().hash_one(0));
    let state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    SEED.set(Some(state));
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
