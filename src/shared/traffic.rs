//! What a waiting thread sees of the channel.

#![forbid(unsafe_code)]

use super::Shared;
use crate::wait::Traffic;

/// Up to this capacity a buffer is short: two threads that use it wait again and again.
const LONGEST_SHORT: usize = 256;

impl<T> Traffic for Shared<T> {
    fn is_short(&self) -> bool {
        !self.is_coupled() && self.ends.blocks.capacity() <= LONGEST_SHORT
    }

    fn passed(&self) -> usize {
        let numbered = self.recv_end_locked(|recv_end| recv_end.next_seq as usize);
        numbered.wrapping_add(self.ends.ring_head())
    }
}

impl<T> Shared<T> {
    /// Whether there is no message in the ring; a guess, as no lock is held.
    pub(crate) fn is_ring_empty(&self) -> bool {
        self.ends.ring_len() == 0
    }

    /// Whether there is no place in the ring; a guess, as no lock is held.
    pub(crate) fn is_ring_full(&self) -> bool {
        self.ends.ring_len() >= self.ends.blocks.capacity()
    }
}

#[cfg(all(test, not(hchan_loom)))]
mod tests {
    use super::*;
    use crate::bounded;

    #[test]
    fn buffer_is_short_from_5_to_256_places() {
        let is_short = |capacity| bounded::<u8>(capacity).0.shared().is_short();
        assert_eq!([4, 5, 256, 257].map(is_short), [false, true, true, false]);
        assert!(!crate::unbounded::<u8>().0.shared().is_short());
    }

    #[test]
    fn ring_is_empty_or_full_or_neither() {
        let (tx, rx) = bounded(5);
        let state = || [tx.shared().is_ring_empty(), tx.shared().is_ring_full()];
        assert_eq!(state(), [true, false]);
        tx.try_send(0).unwrap();
        assert_eq!(state(), [false, false]);
        (1..5).for_each(|message| tx.try_send(message).unwrap());
        assert_eq!(state(), [false, true]);
        assert_eq!(rx.try_recv(), Ok(0));
        assert_eq!(state(), [false, false]);
    }

    #[test]
    fn each_message_has_passed_once_it_was_received() {
        for capacity in [1, 5] {
            let (tx, rx) = bounded(capacity);
            for message in 0..10 {
                let before = tx.shared().passed();
                tx.try_send(message).unwrap();
                assert_eq!(tx.shared().passed(), before);
                assert_eq!(rx.try_recv(), Ok(message));
                assert_ne!(tx.shared().passed(), before);
            }
        }
    }
}
