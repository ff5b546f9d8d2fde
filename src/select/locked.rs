//! The arms of a select, with all their channels locked.

use std::{pin::Pin, ptr::NonNull};

use super::{
    arm::{Channel, Done, Place, Places},
    order::Order,
};
use crate::{claim::Claim, wake::WakeBatch};

/// The arms, with all their channels locked.
pub(super) struct Locked<'l, P: Places> {
    arms: Pin<&'l mut P>,
    /// The arms in the order of their channels' ranks, which is the order of locking.
    order: Order,
}

impl<'l, P: Places> Locked<'l, P> {
    pub(super) fn new(mut arms: Pin<&'l mut P>) -> Self {
        let mut order = Order::new(arms.count());
        order.sort_by_key(|number| rank(arms.as_mut(), number));
        let mut locked = Self { arms, order };
        locked.for_each_channel(|channel| channel.lock());
        locked
    }

    /// Tries the idle operations in the order given; returns the number of the first that is done.
    pub(super) fn attempt(
        &mut self,
        mut order: impl Iterator<Item = usize>,
    ) -> Option<(usize, Done)> {
        order.find_map(|number| {
            let done = self.arms.as_mut().visit(number, |place| {
                // SAFETY: its channel is locked.
                unsafe { place.idle()?.attempt_locked() }
            });
            Some((number, done?))
        })
    }

    /// Parks the idle operations.
    ///
    /// # Safety
    ///
    /// They have just been found unable to proceed. The caller calls `serve` before the channels are unlocked. The claim stays
    /// where it is until all are unparked.
    pub(super) unsafe fn park(&mut self, claim: NonNull<Claim>) {
        for number in 0..self.arms.count() {
            self.arms.as_mut().visit(number, |place| {
                if let Some(operation) = place.idle() {
                    // SAFETY: its channel is locked; the rest is the caller's promise.
                    unsafe { operation.park_locked(claim) };
                }
            });
        }
    }

    /// Lets those go ahead to whom the parked arms give room.
    pub(super) fn serve(&mut self, wakes: &mut WakeBatch) {
        for number in 0..self.arms.count() {
            self.arms.as_mut().visit(number, |place| {
                if let Place::Operation(operation) = place {
                    // SAFETY: its channel is locked.
                    unsafe { operation.serve_locked(wakes) };
                }
            });
        }
    }

    /// Calls `f` with each channel once, in the order of their ranks.
    fn for_each_channel(&mut self, f: impl Fn(&dyn Channel)) {
        let mut last = 0;
        for number in self.order.iter() {
            self.arms.as_mut().visit(number, |place| {
                if let Place::Operation(operation) = place {
                    let channel = operation.channel();
                    if channel.rank() != last {
                        f(channel);
                        last = channel.rank();
                    }
                }
            });
        }
    }
}

impl<P: Places> Drop for Locked<'_, P> {
    fn drop(&mut self) {
        // SAFETY: each was locked once, by `new`.
        self.for_each_channel(|channel| unsafe { channel.unlock() });
    }
}

/// The rank of an arm's channel; 0 for an arm that has none.
fn rank<P: Places>(arms: Pin<&mut P>, number: usize) -> usize {
    arms.visit(number, |place| match place {
        Place::Operation(operation) => operation.channel().rank(),
        _ => 0,
    })
}
