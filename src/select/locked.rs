//! The arms of a select, with all their channels locked.

use core::{pin::Pin, ptr::NonNull};

use super::{
    arm::{ArmRef, Arms},
    order::Order,
};
use crate::{
    chan::{Chan, Done},
    waiter::Claim,
    wake::WakeBatch,
};

/// The arms, with all their channels locked.
pub(super) struct Locked<'l> {
    arms: Pin<&'l mut (dyn Arms + 'l)>,
    /// The arms in the order of their channels' ranks, which is the order of locking.
    order: Order,
}

impl<'l> Locked<'l> {
    pub(super) fn new(mut arms: Pin<&'l mut (dyn Arms + 'l)>) -> Self {
        let mut order = Order::new(arms.count());
        order.sort_by_key(|number| rank(arms.as_mut(), number));
        let mut locked = Self { arms, order };
        locked.for_each_channel(|chan| chan.lock_by_hand());
        locked
    }

    /// Tries the idle operations in the order given; returns the number of the first that is done. `select`: theirs, if arms of it
    /// are parked.
    pub(super) fn attempt(
        &mut self,
        mut order: impl Iterator<Item = usize>,
        select: Option<NonNull<Claim>>,
    ) -> Option<(usize, Done)> {
        order.find_map(|number| {
            let operation = self.arms.as_mut().arm(number).idle()?;
            // SAFETY: its channel is locked.
            let done = unsafe { operation.attempt_locked(select) };
            Some((number, done?))
        })
    }

    /// Parks the idle operations.
    ///
    /// # Safety
    ///
    /// They have just been found unable to proceed. The claim stays where it is until all are unparked.
    pub(super) unsafe fn park(&mut self, claim: NonNull<Claim>) {
        for number in 0..self.arms.count() {
            if let Some(operation) = self.arms.as_mut().arm(number).idle() {
                // SAFETY: its channel is locked; the rest is the caller's promise.
                unsafe { operation.park_locked(claim) };
            }
        }
    }

    /// Lets those go ahead to whom the parked arms give room.
    pub(super) fn serve(&mut self, wakes: &mut WakeBatch) {
        for number in 0..self.arms.count() {
            if let ArmRef::Operation(operation) = self.arms.as_mut().arm(number) {
                // SAFETY: its channel is locked.
                unsafe { operation.promote_locked(wakes) };
            }
        }
    }

    /// Calls `f` with each channel once, in the order of their ranks.
    fn for_each_channel(&mut self, f: impl Fn(&Chan)) {
        let mut last = 0;
        for number in self.order.iter() {
            if let ArmRef::Operation(operation) = self.arms.as_mut().arm(number) {
                let chan = operation.chan();
                if chan.rank() != last {
                    f(chan);
                    last = chan.rank();
                }
            }
        }
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // SAFETY: each was locked once, by `new`.
        self.for_each_channel(|chan| unsafe { chan.unlock_by_hand() });
    }
}

/// The rank of an arm's channel; 0 for an arm that has none.
fn rank(arms: Pin<&mut dyn Arms>, number: usize) -> usize {
    match arms.arm(number) {
        ArmRef::Operation(operation) => operation.chan().rank(),
        _ => 0,
    }
}
