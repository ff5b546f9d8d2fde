//! Taking those who have waited longest out of their queue. Only here do selects matter: an arm that cannot be committed to is
//! unlinked on the way, and left to its owner.
//!
//! The numbers in brackets are those of the invariants in [`core`](crate::core).

use core::{ptr::NonNull, task::Waker};

use crate::{list::List, waiter::Waiter};

/// Unlinks the oldest waiter that can be committed to, to be completed in this critical section, and says whom to wake
/// then.
#[inline]
pub(crate) fn dequeue<T>(queue: &mut List<Waiter<T>>) -> Option<(NonNull<Waiter<T>>, Waker)> {
    dequeue_if(queue, |_| true)
}

/// As `dequeue`, as long as the first is one that will do.
#[inline]
pub(crate) fn dequeue_if<T>(
    queue: &mut List<Waiter<T>>,
    will_do: impl Fn(&Waiter<T>) -> bool,
) -> Option<(NonNull<Waiter<T>>, Waker)> {
    while queue.front().is_some_and(&will_do) {
        let first = dequeue_first(queue);
        if first.is_some() {
            return first;
        }
    }
    None
}

/// As `dequeue`, of the first or nobody.
#[inline]
pub(crate) fn dequeue_first<T>(queue: &mut List<Waiter<T>>) -> Option<(NonNull<Waiter<T>>, Waker)> {
    let waiter = queue.pop_front()?;
    // SAFETY: just unlinked under the lock, so it is alive and ours (6).
    let waker = unsafe { Waiter::claim(waiter) }?;
    Some((waiter, waker))
}
