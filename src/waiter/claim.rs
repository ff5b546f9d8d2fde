//! The one thing that the waiters of a select share: which peer commits it. Go's `selectDone`.
//!
//! | state     | set by                 | meaning                                                   | the waker belongs to |
//! |-----------|------------------------|-----------------------------------------------------------|----------------------|
//! | `AWAKE`   | the owner              | the owner runs; nobody may claim                          | the owner            |
//! | `MARKED`  | a peer that passes by  | as `AWAKE`; the owner must try its arms before it waits   | the owner            |
//! | `OPEN`    | the owner              | the owner waits; the peer that changes this to `CLAIMED` commits it | that peer |
//! | `CLAIMED` | a peer that commits it | that peer completes one arm; the others are lost          | that peer            |
//! |           |                        | (or it completes none, and the owner begins anew)         |                      |

use core::{marker::PhantomPinned, mem, task::Waker};

use crate::sync::{
    UnsafeCell,
    atomic::{AtomicU8, Ordering},
};

const AWAKE: u8 = 0;
const MARKED: u8 = 1;
const OPEN: u8 = 2;
const CLAIMED: u8 = OPEN | MARKED;

pub(crate) struct Claim {
    state: AtomicU8,
    waker: UnsafeCell<Option<Waker>>,
    /// The waiters of the arms point here.
    _pinned: PhantomPinned,
}

// SAFETY: a waker is `Send` and `Sync`; the cell is reached by one thread at a time, by the table above.
unsafe impl Send for Claim {}
// SAFETY: as above.
unsafe impl Sync for Claim {}

/// What peers do, with the lock of the channel held on which they met an arm.
impl Claim {
    /// Commits the caller to the select, if its owner waits, and returns whom to wake; else marks it in passing by.
    pub(crate) fn try_claim(&self) -> Option<Waker> {
        // One step for both: `OPEN` becomes `CLAIMED`, `AWAKE` becomes `MARKED`, and these two stay as they are. `Acquire`
        // pairs with the `Release` of `reopen`: the waker is there.
        let before = self.state.fetch_or(MARKED, Ordering::Acquire);
        if before != OPEN {
            return None;
        }
        // SAFETY: it was open, so the waker is ours now.
        self.waker.with_mut(|waker| unsafe { (*waker).take() })
    }
}

impl Claim {
    /// As `try_claim`, for a peer that has no use for the arm: it never commits the select. `false`: the owner waits, and the arm
    /// keeps its place. `true`: the arm is to be unlinked. Either the select has been committed elsewhere, or it is marked, and
    /// its owner tries the arm again.
    pub(crate) fn pass_by(&self) -> bool {
        // Relaxed: the caller touches nothing of the owner's. The owner sees what the caller did before under the lock that the
        // caller holds.
        let marked =
            self.state
                .compare_exchange(AWAKE, MARKED, Ordering::Relaxed, Ordering::Relaxed);
        marked != Err(OPEN)
    }
}

/// What the owner does.
impl Claim {
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicU8::new(AWAKE),
            waker: UnsafeCell::new(None),
            _pinned: PhantomPinned,
        }
    }

    /// Lets peers claim the select from now on; to be called with all arms parked and all their channels locked.
    ///
    /// A mark is wiped: it was made before the locks were taken, and the arms have been tried since.
    ///
    /// # Safety
    ///
    /// The owner is awake.
    pub(crate) unsafe fn open(&self) {
        // Relaxed: a peer that claims holds one of these locks, after us, and finds the waker by that.
        self.state.store(OPEN, Ordering::Relaxed);
    }

    /// Takes the select back from the peers, or finds it taken back; `false` if one of them has claimed it.
    pub(crate) fn recall(&self) -> bool {
        // Relaxed: what the claiming peer did is seen through the arm that it completes, and the owner's own writes are
        // the owner's.
        let recalled =
            self.state
                .compare_exchange(OPEN, AWAKE, Ordering::Relaxed, Ordering::Relaxed);
        recalled != Err(CLAIMED)
    }

    /// As `open`, without the locks. `false` if a peer has passed by since the arms were parked: they are to be tried again.
    pub(crate) fn reopen(&self) -> bool {
        // `Release` publishes the waker, which may be a new one. Relaxed on failure: what the peer did before it passed by is
        // seen under the lock that it held.
        self.state
            .compare_exchange(AWAKE, OPEN, Ordering::Release, Ordering::Relaxed)
            .is_ok()
    }

    /// Has the select try its arms before it waits, as a peer that passes by does.
    ///
    /// # Safety
    ///
    /// The owner is awake.
    pub(crate) unsafe fn mark(&self) {
        // Relaxed: for the owner itself. Awake, it is the only one to change anything but this.
        self.state.store(MARKED, Ordering::Relaxed);
    }

    /// Makes the claim as new, after a peer has claimed the select without completing an arm.
    ///
    /// # Safety
    ///
    /// No peer knows of the claim any more.
    pub(crate) unsafe fn renew(&self) {
        // Relaxed: the owner's note to itself, which peers see when it is opened.
        self.state.store(AWAKE, Ordering::Relaxed);
    }

    /// Changes the waker and returns the one that was there.
    ///
    /// # Safety
    ///
    /// The owner is awake.
    pub(crate) unsafe fn replace_waker(&self, waker: Option<Waker>) -> Option<Waker> {
        // SAFETY: while the owner is awake the cell is its own.
        self.waker
            .with_mut(|cell| unsafe { mem::replace(&mut *cell, waker) })
    }

    /// Whether the waker that is there wakes the same task.
    ///
    /// # Safety
    ///
    /// The owner is awake.
    pub(crate) unsafe fn will_wake(&self, waker: &Waker) -> bool {
        // SAFETY: while the owner is awake the cell is its own.
        self.waker.with_mut(|cell| unsafe {
            (*cell)
                .as_ref()
                .is_some_and(|parked| parked.will_wake(waker))
        })
    }
}
