//! What can park: a channel and a waiter, pinned together, to [`send`], to [`recv`], to [`reserve`] or to [`watch`] for the end.
//!
//! All use of waiters from the owner's side is here and below; operations that are arms of a select are in [`arm`]. What makes it
//! sound: an operation is `!Unpin` and acts only through `Pin<&mut _>`, so whoever holds that is the waiter's owner; and its drop
//! unparks the waiter, so a parked waiter is never freed or moved. An operation that is forgotten leaks its memory with it, by the
//! rules of pinning.
//!
//! Peers have pointers to a parked waiter while its owner has that `Pin<&mut _>`. They may: of a type that is `!Unpin` the
//! compiler does not take a mutable reference for the only one, and all that changes in a waiter is in a cell.
//!
//! A send's message is taken out of its waiter under a lock, and the state that says so is set after it. Nothing panics in
//! between (an allocation that fails [ends the program](crate::no_unwind)), so the message cannot drop twice.

mod arm;
mod recv;
mod reserve;
mod send;
mod watch;

pub(crate) use recv::RecvOp;
pub(crate) use reserve::ReserveOp;
pub(crate) use send::SendOp;
pub(crate) use watch::WatchOp;

use core::{mem, pin::Pin, task::Waker};

use crate::{
    end::Side,
    quiet_drop::QuietDrop,
    shared::Shared,
    waiter::{Handle, State, Waiter},
};

/// Unparks a waiter, if it is parked and no peer has completed it. Its handle drops, which may panic: the waiter is `Idle` then.
#[inline(always)]
fn unpark<T>(shared: &Shared<T>, waiter: Pin<&Waiter<T>>, side: Side) {
    if waiter.state() == State::Parked {
        unpark_and_drop(shared, waiter, side);
    }
}

#[inline(never)]
fn unpark_and_drop<T>(shared: &Shared<T>, waiter: Pin<&Waiter<T>>, side: Side) {
    drop(detach(shared, waiter, side));
}

/// As `unpark`; returns the handle, for who has more to do before it drops.
#[inline]
fn detach<T>(shared: &Shared<T>, waiter: Pin<&Waiter<T>>, side: Side) -> Option<QuietDrop<Handle>> {
    shared.recv_end_locked(|recv_end| {
        // SAFETY: we hold the lock; it is still parked, on this side of this channel.
        let unpark = || QuietDrop::new(unsafe { recv_end.unpark(side, waiter) });
        (waiter.state() == State::Parked).then(unpark)
    })
}

/// Unparks a waiter that a select has parked, if no peer has completed it. One that was parked by itself stays: its waker is user
/// code to drop, and the other arms of the select may still be linked.
#[inline(always)]
fn leave_select<T>(shared: &Shared<T>, waiter: Pin<&Waiter<T>>, side: Side) {
    if waiter.state() == State::Parked {
        leave_select_locked(shared, waiter, side);
    }
}

#[inline(never)]
fn leave_select_locked<T>(shared: &Shared<T>, waiter: Pin<&Waiter<T>>, side: Side) {
    shared.recv_end_locked(|recv_end| {
        // SAFETY: we hold the lock; while it is still parked it has a handle, and is on this side of this channel.
        if waiter.state() == State::Parked && unsafe { waiter.select() }.is_some() {
            // SAFETY: as above.
            let handle = unsafe { recv_end.unpark(side, waiter) };
            // It points to a select: there is nothing to drop.
            mem::forget(handle);
        }
    });
}

/// Makes `waker` the one that a parked waiter wakes, unless a peer completes it meanwhile. One that a forgotten select has
/// left parked is unparked.
#[inline(never)]
fn renew_waker<T>(shared: &Shared<T>, waiter: Pin<&Waiter<T>>, side: Side, waker: &Waker) {
    let is_renewed = shared.recv_end_locked(|_| {
        // SAFETY: we hold the lock and the waiter is parked, so its contents are ours and it has a handle.
        waiter.state() != State::Parked || unsafe { waiter.will_wake(waker) }
    });
    if is_renewed {
        return;
    }
    // Cloned before the lock; what is in it after the lock, the old handle or an unused clone, drops here.
    let mut handle = Handle::Waker(waker.clone());
    let _unparked = shared.recv_end_locked(|recv_end| {
        if waiter.state() != State::Parked {
            return None;
        }
        // SAFETY: as above, and a parked waiter is in the queue of its side. What is put in takes the place of what was taken.
        unsafe {
            if waiter.select().is_some() {
                return Some(recv_end.unpark(side, waiter));
            }
            let old = waiter.take_handle();
            waiter.put_handle(mem::replace(&mut handle, old));
        }
        None
    });
}

fn is_completed<T>(waiter: Pin<&Waiter<T>>) -> bool {
    matches!(waiter.state(), State::Done | State::Closed)
}
