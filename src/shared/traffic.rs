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
        let [left, entered] = self.ends.positions();
        // With a bound, messages enter only until it is reached: what counts is that they leave.
        let sent = if self.capacity.is_none() { entered } else { 0 };
        numbered.wrapping_add(left).wrapping_add(sent)
    }
}

impl<T> Shared<T> {
    /// Whether a message could be sent into the ring at once, as far as the senders' end can see; not of a coupled channel.
    pub(crate) fn has_room_to_send(&self) -> bool {
        !self.is_coupled() && self.ends.send.lock.lock().has_room(&self.ends)
    }

    /// Whether a message could be received from the ring at once, as far as the receivers' end can see; not of a coupled channel.
    pub(crate) fn has_messages(&self) -> bool {
        !self.is_coupled() && self.ends.recv.lock.lock().can_take(&self.ends)
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
    fn buffer_is_short_from_5_to_256_places() {
        let is_short = |capacity| bounded::<u8>(capacity).0.shared().is_short();
        assert_eq!([4, 5, 256, 257].map(is_short), [false, true, true, false]);
        assert!(!crate::unbounded::<u8>().0.shared().is_short());
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
