//! The sequence numbers of messages that were received together.

#![forbid(unsafe_code)]

use alloc::vec::Vec;

use crate::no_unwind::no_unwind;

/// Numbers in the order in which they were added, as runs of numbers that follow each other.
///
/// There is one run unless the messages had been given back before, or others received in between: only a second run allocates.
#[derive(Debug)]
pub(crate) struct Numbers {
    first: Run,
    more: Vec<Run>,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    start: u64,
    len: usize,
}

impl Numbers {
    pub(crate) const fn new() -> Self {
        Self {
            first: Run { start: 0, len: 0 },
            more: Vec::new(),
        }
    }

    /// Adds so many numbers, from `start` on.
    pub(crate) fn add(&mut self, start: u64, len: usize) {
        if self.first.len == 0 {
            self.first = Run { start, len };
            return;
        }
        let last = self.more.last_mut().unwrap_or(&mut self.first);
        if last.start.wrapping_add(last.len as u64) == start {
            last.len += len;
        } else {
            no_unwind(|| self.more.push(Run { start, len }));
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> {
        let runs = [self.first].into_iter().chain(self.more.iter().copied());
        runs.flat_map(|run| (0..run.len as u64).map(move |nth| run.start.wrapping_add(nth)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_out_in_the_order_in_which_they_went_in() {
        let mut numbers = Numbers::new();
        assert_eq!(numbers.iter().next(), None);
        for (start, len) in [
            (7, 1),
            (3, 1),
            (4, 2),
            (10, 3),
            (u64::MAX, 1),
            (0, 1),
            (1, 0),
        ] {
            numbers.add(start, len);
        }
        let all: Vec<_> = numbers.iter().collect();
        assert_eq!(all, [7, 3, 4, 5, 10, 11, 12, u64::MAX, 0]);
        assert_eq!(
            numbers.more.len(),
            3,
            "those that follow each other are one run"
        );
    }
}
