//! Taking the longest-parked waiters out of their queue. Only here do selects matter: an arm that cannot be committed to is unlinked on
//! the way, and left to its owner.

use super::{Claimed, Header, List, State, change};

/// Unlinks the oldest waiter that can be committed to, to be completed in this critical section.
#[inline(always)]
pub(crate) fn dequeue(queue: &mut List) -> Option<Claimed> {
    dequeue_if(queue, |_| true)
}

/// As `dequeue`, as long as the first is one that will do. An arm that will not do is unlinked, too, if it cannot be committed to:
/// it holds up nobody.
#[inline(always)]
pub(crate) fn dequeue_if(queue: &mut List, will_do: impl Fn(&Header) -> bool) -> Option<Claimed> {
    while let Some(first) = queue.front() {
        if will_do(first) {
            let first = dequeue_first(queue);
            if first.is_some() {
                return first;
            }
        } else if !pass_by_first(queue) {
            break;
        }
    }
    None
}

/// Unlinks the first if it is an arm that cannot be committed to; says whether it was.
#[cold]
#[inline(never)]
fn pass_by_first(queue: &mut List) -> bool {
    // SAFETY: a queue is reached with the receivers' lock held, so a linked waiter has a target, which is ours to look at (6). A select
    // unlinks all its arms before it goes, so its claim is alive.
    let is_passed = queue.front().is_some_and(|first| unsafe {
        let select = first.select();
        select.is_some_and(|claim| claim.as_ref().pass_by())
    });
    if is_passed {
        if let Some(waiter) = queue.pop_front() {
            // SAFETY: as above, and it has just been unlinked: it is ours until this, and its target is a pointer.
            unsafe { change(waiter, State::Idle) };
        }
    }
    is_passed
}

/// As `dequeue`, of the first or none.
#[inline(always)]
pub(crate) fn dequeue_first(queue: &mut List) -> Option<Claimed> {
    let waiter = queue.pop_front()?;
    // SAFETY: a queue is reached with the receivers' lock held, and the waiter has just been unlinked, so it is alive and ours (6).
    unsafe { Claimed::new(waiter) }
}
