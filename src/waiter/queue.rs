//! Taking the longest-parked waiters out of their queue. Only here do selects matter: an arm that cannot be committed to is unlinked on
//! the way, and left to its owner.

use super::{Claimed, Header, List};

/// Unlinks the oldest waiter that can be committed to, to be completed in this critical section.
#[inline(always)]
pub(crate) fn dequeue(queue: &mut List) -> Option<Claimed> {
    dequeue_if(queue, |_| true)
}

/// As `dequeue`, as long as the first is one that will do.
#[inline(always)]
pub(crate) fn dequeue_if(queue: &mut List, will_do: impl Fn(&Header) -> bool) -> Option<Claimed> {
    while queue.front().is_some_and(&will_do) {
        let first = dequeue_first(queue);
        if first.is_some() {
            return first;
        }
    }
    None
}

/// As `dequeue`, of the first or none.
#[inline(always)]
pub(crate) fn dequeue_first(queue: &mut List) -> Option<Claimed> {
    let waiter = queue.pop_front()?;
    // SAFETY: a queue is reached with the receivers' lock held, and the waiter has just been unlinked, so it is alive and ours (6).
    unsafe { Claimed::new(waiter) }
}
