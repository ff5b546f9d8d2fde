//! Letting senders go ahead when room came otherwise than by a message that left: a permit was given back, or a receiver that a permit
//! counted on has come.

use core::ptr::NonNull;

use super::transition::LockedChan;
use crate::{
    waiter::{Claim, Kind, List, dequeue, dequeue_first},
    wake::WakeBatch,
};

impl LockedChan<'_> {
    /// Lets those in `sendq` go ahead while there is room.
    #[inline(never)]
    pub(crate) fn promote_waiters(&mut self, wakes: &mut WakeBatch) {
        let mut passed_over = List::new();
        while self.has_room() {
            let Some(first) = self.recv.sendq.front() else {
                break;
            };
            // SAFETY: it is linked, and we hold the lock.
            let (kind, select) = (first.kind(), unsafe { first.select() });
            match select {
                Some(select) if self.has_only_receives_of(select) => {
                    self.recv.sendq.move_front_to(&mut passed_over);
                }
                _ if self.recv.recvq.is_empty() || kind == Kind::Reserve => {
                    if let Some(sender) = dequeue_first(&mut self.recv.sendq) {
                        wakes.push(self.admit(sender));
                    }
                }
                None => self.pair(wakes),
                Some(_) => self.pair_select(wakes),
            }
        }
        self.recv.sendq.prepend(&mut passed_over);
    }

    /// Whether the select's own receives are all the room there is: a select never pairs with itself.
    pub(super) fn has_only_receives_of(&mut self, select: NonNull<Claim>) -> bool {
        let has_place = self.room() > self.recv.recvq.len();
        !has_place && is_alone(&mut self.recv.recvq, select)
    }

    /// Hands the message of the first in `sendq`, which is no arm of a select, to the oldest parked receiver, if that can be had.
    fn pair(&mut self, wakes: &mut WakeBatch) {
        // The receiver is claimed first: the send is there to be taken.
        let Some(receiver) = dequeue_first(&mut self.recv.recvq) else {
            return;
        };
        let sender = self.dequeue_send();
        let sender = sender.expect("the first in `sendq` is no arm of a select");
        let seq = self.recv.number();
        self.recv.paths.handed_over();
        // SAFETY: a send and a receive, just dequeued from the queues of this channel.
        unsafe { sender.hand_to(receiver, self.message(), seq) }
            .into_iter()
            .for_each(|wake| wakes.push(wake));
    }

    /// As `pair`, of an arm of a select, if that can be had, and the oldest receiver that is not of the same select, or a place in
    /// the ring. Two selects cannot be claimed in one step: if there is neither, the one that has been claimed is only woken, and
    /// tries anew.
    fn pair_select(&mut self, wakes: &mut WakeBatch) {
        let Some(sender) = dequeue_first(&mut self.recv.sendq) else {
            return;
        };
        match dequeue(&mut self.recv.recvq) {
            Some(receiver) => {
                let seq = self.recv.number();
                self.recv.paths.handed_over();
                // SAFETY: as in `pair`.
                let [receiver, sender] = unsafe { sender.hand_to(receiver, self.message(), seq) };
                wakes.push(sender);
                wakes.push(receiver);
            }
            // Its own receives were all there were, and are lost now.
            None if self.has_room() => wakes.push(self.admit(sender)),
            None => wakes.push(sender.unpark()),
        }
    }
}

/// Whether all those in the queue are arms of that select.
fn is_alone(queue: &mut List, select: NonNull<Claim>) -> bool {
    queue.iter().all(|waiter| {
        // SAFETY: the caller has borrowed the queue from a locked channel, so it holds the lock, and its waiters are linked.
        unsafe { waiter.select() == Some(select) }
    })
}
