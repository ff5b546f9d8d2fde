//! What a channel tells `inspect` of its state.

#![forbid(unsafe_code)]

use super::Chan;
use crate::probe::{Gauges, Live};

impl Live for Chan {
    fn gauges(&self) -> Gauges {
        let (senders, receivers) = (self.senders.get(), self.receivers.get());
        self.locked(|chan| {
            let (len, permits) = (chan.len(), chan.permits());
            let entered = chan.sides.entered() as u64;
            let recv = chan.recv_side();
            Gauges {
                capacity: self.capacity,
                len,
                closed: recv.is_closed(),
                permits,
                senders,
                receivers,
                waiting_senders: recv.sendq.len(),
                waiting_receivers: recv.recvq.len(),
                entered,
                paths: recv.paths,
            }
        })
    }
}
