//! What a waiting thread sees of the channel.

#![forbid(unsafe_code)]

use super::Chan;
use crate::{
    tuning::{CORE_TO_CORE_SPINS, LONGEST_REFILL_SPINS, LONGEST_SHORT_BUFFER, SMALL_MESSAGE},
    waiter::{Kind, State, WaiterRef},
};

/// A parked operation, as the thread sees it that waits for it without sleeping.
#[derive(Clone, Copy)]
pub(crate) struct SpinTarget<'a>(Target<'a>);

#[derive(Clone, Copy)]
enum Target<'a> {
    Operation(&'a Chan, WaiterRef<'a>),
    #[cfg(all(test, not(hchan_loom)))]
    Fake(&'a dyn FakeTarget),
}

/// A target of a test.
#[cfg(all(test, not(hchan_loom)))]
pub(crate) trait FakeTarget {
    fn is_parked(&self) -> bool;
    fn has_more(&self) -> bool;
    fn refill_spins(&self) -> Option<usize>;
}

impl<'a> SpinTarget<'a> {
    /// The waiter is of this channel.
    pub(crate) fn new(chan: &'a Chan, waiter: WaiterRef<'a>) -> Self {
        Self(Target::Operation(chan, waiter))
    }

    #[cfg(all(test, not(hchan_loom)))]
    pub(crate) fn fake(target: &'a dyn FakeTarget) -> Self {
        Self(Target::Fake(target))
    }

    /// Whether it is parked and no peer has completed it.
    pub(crate) fn is_parked(self) -> bool {
        match self.0 {
            Target::Operation(_, waiter) => waiter.state() == State::Parked,
            #[cfg(all(test, not(hchan_loom)))]
            Target::Fake(target) => target.is_parked(),
        }
    }

    /// Whether one more of its kind could go ahead at once, as far as its side of a channel with two locks can see.
    pub(crate) fn has_more(self) -> bool {
        match self.0 {
            Target::Operation(chan, waiter) => match waiter.kind() {
                Kind::Recv => chan.has_messages(),
                Kind::Send | Kind::Reserve => chan.has_room_to_send(),
                Kind::Closed | Kind::Drained => false,
            },
            #[cfg(all(test, not(hchan_loom)))]
            Target::Fake(target) => target.has_more(),
        }
    }

    /// About how long a peer takes to fill or empty half of the buffer, in spin hints. `None`: it is not worth pausing for, as
    /// there is next to none, or one that takes long.
    pub(crate) fn refill_spins(self) -> Option<usize> {
        match self.0 {
            Target::Operation(chan, _) => chan.refill_spins(),
            #[cfg(all(test, not(hchan_loom)))]
            Target::Fake(target) => target.refill_spins(),
        }
    }

    /// How many messages have been received, or sent without bound, modulo 2ˢⁱᶻᵉ; some count twice.
    pub(crate) fn progress(self) -> usize {
        match self.0 {
            Target::Operation(chan, _) => chan.progress(),
            #[cfg(all(test, not(hchan_loom)))]
            Target::Fake(_) => 0,
        }
    }
}

impl Chan {
    fn refill_spins(&self) -> Option<usize> {
        let places = self.sides.blocks.capacity();
        (!self.is_single_lock() && places <= LONGEST_SHORT_BUFFER).then(|| {
            match self.message().size() {
                ..=SMALL_MESSAGE => CORE_TO_CORE_SPINS + places / 2,
                _ => LONGEST_REFILL_SPINS.min(places * 2),
            }
        })
    }

    fn progress(&self) -> usize {
        let numbered = self.recv_side_locked(|recv| recv.next_seq as usize);
        let [left, entered] = self.sides.positions();
        // With a bound, messages enter only until it is reached: what counts is that they leave.
        let sent = if self.capacity.is_none() { entered } else { 0 };
        numbered.wrapping_add(left).wrapping_add(sent)
    }

    /// Whether there is room in the ring that no permit counts on, as far as the senders' side can see; not of a channel with a
    /// single lock.
    fn has_room_to_send(&self) -> bool {
        !self.is_single_lock() && (self.sides.send.lock.lock()).has_room(&self.sides)
    }

    /// Whether there is a message in the ring, as far as the receivers' side can see; not of a channel with a single lock.
    fn has_messages(&self) -> bool {
        !self.is_single_lock() && (self.sides.recv.lock.lock()).next(&self.sides).is_some()
    }
}

#[cfg(all(test, not(hchan_loom)))]
mod tests {
    use core::{
        pin::pin,
        task::{Context, Waker},
    };

    use crate::bounded;

    #[test]
    fn buffer_of_5_to_256_places_is_soon_filled() {
        let refill_spins = |capacity| bounded::<u8>(capacity).0.chan().refill_spins();
        assert_eq!(
            [4, 5, 256, 257].map(refill_spins),
            [None, Some(10), Some(136), None]
        );
        assert_eq!(crate::unbounded::<u8>().0.chan().refill_spins(), None);
    }

    #[test]
    fn large_messages_take_longer() {
        let of_64 = |places| bounded::<[u8; 64]>(places).0.chan().refill_spins();
        let of_65 = |places| bounded::<[u8; 65]>(places).0.chan().refill_spins();
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
        let before = tx.chan().progress();
        tx.try_send(0).unwrap();
        assert_ne!(tx.chan().progress(), before);
    }

    #[test]
    fn message_has_passed_once_it_was_sent_without_bound() {
        let (tx, _rx) = crate::unbounded();
        let before = tx.chan().progress();
        tx.try_send(0).unwrap();
        assert_ne!(tx.chan().progress(), before);
    }

    #[test]
    fn message_has_passed_once_it_was_received() {
        for capacity in [1, 5] {
            let (tx, rx) = bounded(capacity);
            for message in 0..10 {
                let before = tx.chan().progress();
                tx.try_send(message).unwrap();
                assert_eq!(tx.chan().progress(), before);
                assert_eq!(rx.try_recv(), Ok(message));
                assert_ne!(tx.chan().progress(), before);
            }
        }
    }
}
