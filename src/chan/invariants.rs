//! The invariants, as far as they can be checked at once.

use super::{state::RecvSide, transition::LockedChan};
use crate::waiter::List;

impl LockedChan<'_> {
    /// Panics if one does not hold.
    pub(super) fn assert_invariants(&self) {
        let RecvSide {
            overflow,
            sendq,
            recvq,
            closeq,
            drainq,
            closing,
            closed,
            ..
        } = &*self.recv;
        let (len, capacity) = (self.ring_len(), self.capacity());
        assert!(
            self.len() == 0 || recvq.is_empty(),
            "1: a receiver is parked beside a message"
        );
        assert!(
            !self.has_room()
                || sendq.is_empty()
                || *closed
                || self.room() <= recvq.len() && are_of_one_select(sendq, recvq),
            "2: a sender is parked beside room"
        );
        assert!(
            len == capacity || len < capacity && overflow.is_empty(),
            "4: more messages than places, or one beyond them though there is one"
        );
        assert!(
            self.sides.is_single_lock
                || self.send.is_slow() | !(*closed | !recvq.is_empty())
                    && self.recv.slow | !(self.recv.has_side_queue | !sendq.is_empty()),
            "8, 9: what concerns others goes unsaid"
        );
        if *closed {
            assert!(
                sendq.is_empty() && recvq.is_empty() && closeq.is_empty(),
                "5: parked in a closed channel"
            );
            assert!(
                drainq.is_empty() || self.len() > 0,
                "5: waiting for the last message of an empty channel"
            );
        } else {
            assert!(closing.is_empty(), "5: closing in an open channel");
        }
    }
}

/// Whether those parked first and last on both sides are arms of one select.
fn are_of_one_select(sendq: &List, recvq: &List) -> bool {
    // SAFETY: the caller has borrowed the queues from a locked channel, so it holds the lock, and their waiters are linked.
    let ends = [sendq.ends(), recvq.ends()].map(|ends| ends.map(|end| unsafe { end?.select() }));
    ends[0][0].is_some()
        && ends
            .into_iter()
            .flatten()
            .all(|select| select == ends[0][0])
}
