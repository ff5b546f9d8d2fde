//! What a waiting thread sees of the channel.

#![forbid(unsafe_code)]

use super::Shared;
use crate::wait::Traffic;

/// Up to this capacity a buffer is short: two threads that use it wait again and again. In a model none is: what is asked after a pause
/// would make the longest model eight times as long, and decides on the next pause only.
const LONGEST_SHORT: usize = if cfg!(hchan_loom) { 1 } else { 256 };

/// The longest pause, in spin hints: a few microseconds, in which a thread does not look.
const LONGEST_TURNOVER: usize = 256;

/// A peer takes as long as one spin hint for a message of up to so many bytes, and as long as four for a larger one: about, on the
/// machine of the report.
const CACHE_LINE: usize = 64;

/// In spin hints, how long the first of some small messages takes from one core to another.
const WAY: usize = 8;

impl<T> Traffic for Shared<T> {
    fn turnover(&self) -> Option<usize> {
        let places = self.ends.blocks.capacity();
        (!self.is_coupled() && places <= LONGEST_SHORT).then(|| match size_of::<T>() {
            ..=CACHE_LINE => WAY + places / 2,
            _ => LONGEST_TURNOVER.min(places * 2),
        })
    }

    fn passed(&self) -> usize {
        let numbered = self.recv_end_locked(|recv_end| recv_end.next_seq as usize);
        let [left, entered] = self.ends.positions();
        // With a bound, messages enter only until it is reached: what counts is that they leave.
        let sent = if self.capacity.is_none() { entered } else { 0 };
        numbered.wrapping_add(left).wrapping_add(sent)
    }
}

impl<T> Shared<T> {
    /// Whether there is room in the ring that no permit counts on, as far as the senders' end can see; not of a coupled channel.
    pub(crate) fn has_room_to_send(&self) -> bool {
        !self.is_coupled() && self.ends.send.lock.lock().has_room(&self.ends)
    }

    /// Whether there is a message in the ring, as far as the receivers' end can see; not of a coupled channel.
    pub(crate) fn has_messages(&self) -> bool {
        !self.is_coupled() && self.ends.recv.lock.lock().has_message(&self.ends)
    }
}

#[cfg(all(test, not(hchan_loom)))]
mod tests {
    use core::{
        pin::pin,
        task::{Context, Waker},
    };

    use super::*;
    use crate::bounded;

    #[test]
    fn buffer_of_5_to_256_places_is_soon_filled() {
        let turnover = |capacity| bounded::<u8>(capacity).0.shared().turnover();
        assert_eq!(
            [4, 5, 256, 257].map(turnover),
            [None, Some(10), Some(136), None]
        );
        assert_eq!(crate::unbounded::<u8>().0.shared().turnover(), None);
    }

    #[test]
    fn large_messages_take_longer() {
        let of_64 = |places| bounded::<[u8; 64]>(places).0.shared().turnover();
        let of_65 = |places| bounded::<[u8; 65]>(places).0.shared().turnover();
        assert_eq!([of_64(20), of_65(20)], [Some(18), Some(40)]);
        assert_eq!([of_64(256), of_65(256)], [Some(136), Some(256)]);
    }

    #[test]
    fn message_has_passed_once_it_was_handed_over() {
        let (tx, rx) = bounded(0);
        let mut receive = pin!(rx.recv());
        assert!(
            receive
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
        let before = tx.shared().passed();
        tx.try_send(0).unwrap();
        assert_ne!(tx.shared().passed(), before);
    }

    #[test]
    fn message_has_passed_once_it_was_sent_without_bound() {
        let (tx, _rx) = crate::unbounded();
        let before = tx.shared().passed();
        tx.try_send(0).unwrap();
        assert_ne!(tx.shared().passed(), before);
    }

    #[test]
    fn message_has_passed_once_it_was_received() {
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
