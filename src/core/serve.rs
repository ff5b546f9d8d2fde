//! Letting senders go ahead when room came otherwise than by a message that left: a permit was given back, or a receiver that one
//! counted on has come.

use core::{pin::Pin, ptr::NonNull};

use super::Core;
use crate::{
    claim::Claim,
    end::RecvEnd,
    list::List,
    queue::{dequeue, dequeue_first},
    waiter::Waiter,
    wake::WakeBatch,
};

impl<T> Core<'_, T> {
    /// Lets those in `sendq` go ahead while there is room.
    #[inline(never)]
    pub(crate) fn serve(&mut self, wakes: &mut WakeBatch) {
        let mut passed_over = List::new();
        while self.has_room() {
            let has_place = self.room() > self.recv_end.recvq.len();
            let RecvEnd { sendq, recvq, .. } = &mut *self.recv_end;
            let Some(first) = sendq.front() else { break };
            if recvq.is_empty() || first.is_reserve() {
                if let Some((sender, waker)) = dequeue(sendq) {
                    self.admit(sender);
                    wakes.push(waker);
                }
                continue;
            }
            // SAFETY: it is linked, and we hold the lock.
            match unsafe { first.select() } {
                None => self.pair(wakes),
                // Its own receives are all the room there is.
                Some(select) if !has_place && is_alone(recvq, select) => {
                    let first = sendq.pop_front().expect("it was there");
                    // SAFETY: just unlinked, still parked, and back in `sendq` before the lock is released: nothing here unwinds.
                    unsafe { passed_over.push_back(Pin::new_unchecked(first.as_ref())) };
                }
                Some(_) => self.pair_select(wakes),
            }
        }
        self.recv_end.sendq.prepend(&mut passed_over);
    }

    /// Hands the message of the first in `sendq`, which is no arm of a select, to the oldest parked receiver, if that can be had.
    fn pair(&mut self, wakes: &mut WakeBatch) {
        // The receiver is claimed first: the send is there to be taken.
        let Some((receiver, woken_receiver)) = dequeue_first(&mut self.recv_end.recvq) else {
            return;
        };
        let sent = self.take_first();
        let (message, woken_sender) = sent.expect("the first in `sendq` has a message");
        self.hand_over(receiver, message);
        wakes.push(woken_receiver);
        wakes.push(woken_sender);
    }

    /// As `pair`, of an arm of a select, if that can be had, and the oldest receiver that is not of the same select, or a place in
    /// the ring. Two selects cannot be claimed in one step: if there is neither, the one that has been claimed is only woken, and
    /// tries anew.
    fn pair_select(&mut self, wakes: &mut WakeBatch) {
        let Some((sender, woken_sender)) = dequeue_first(&mut self.recv_end.sendq) else {
            return;
        };
        wakes.push(woken_sender);
        match dequeue(&mut self.recv_end.recvq) {
            Some((receiver, woken_receiver)) => {
                // SAFETY: just dequeued from `sendq`, so it is alive and ours (6).
                let message = unsafe { Waiter::drain(sender) };
                self.hand_over(receiver, message.expect("a send has a message"));
                wakes.push(woken_receiver);
            }
            // Its own receives were all there were, and are lost now.
            None if self.has_room() => self.admit(sender),
            // SAFETY: as above.
            None => unsafe { Waiter::unpark(sender) },
        }
    }
}

/// Whether all those in the queue are arms of that select.
fn is_alone<T>(queue: &mut List<Waiter<T>>, select: NonNull<Claim>) -> bool {
    queue.iter().all(|waiter| {
        // SAFETY: the caller has borrowed the queue from the core, so it holds the lock, and who is in it is linked.
        unsafe { waiter.select() == Some(select) }
    })
}
