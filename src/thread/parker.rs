//! A thread that waits, as a waker: how the blocking calls use the same waiters as tasks do.

#![forbid(unsafe_code)]

use alloc::{sync::Arc, task::Wake};
use core::{task::Waker, time::Duration};
use std::time::Instant;

use super::strategy::{WaitStrategy, is_past};
use crate::sync::{
    atomic::{AtomicU8, Ordering},
    thread,
};

/// The current thread, waiting.
pub(crate) struct Parker {
    unparker: Arc<Unparker>,
    waker: Waker,
    strategy: WaitStrategy,
}

struct Unparker {
    /// `EMPTY`, `ASLEEP` or `NOTIFIED`.
    state: AtomicU8,
    thread: thread::Thread,
}

const EMPTY: u8 = 0;
const ASLEEP: u8 = 1;
const NOTIFIED: u8 = 2;

impl Parker {
    /// Calls `f` with the thread's parker, which is made once and kept.
    pub(crate) fn with<R>(f: impl FnOnce(&Self) -> R) -> R {
        // Taken out while in use: a blocking call from within `f` (a poll may do that) gets one of its own.
        let parker = kept::take().unwrap_or_else(Self::new);
        parker.strategy.begin();
        let result = f(&parker);
        kept::put(parker);
        result
    }

    fn new() -> Self {
        let unparker = Arc::new(Unparker {
            state: AtomicU8::new(EMPTY),
            thread: thread::current(),
        });
        Self {
            waker: Waker::from(Arc::clone(&unparker)),
            unparker,
            strategy: WaitStrategy::new(),
        }
    }

    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Spins for so many hints before the thread parks, where that is of use; says whether it did.
    pub(crate) fn spin_before_parking(&self, hints: usize, deadline: Option<Instant>) -> bool {
        self.strategy.spin_before_parking(hints, deadline)
    }

    pub(crate) fn note_spun_before_parking(&self, was_of_use: bool) {
        self.strategy.note_spun_before_parking(was_of_use);
    }

    /// Blocks until the waker is woken; at once, if it has been since the last call. `false`: the deadline came first.
    pub(crate) fn park(&self, deadline: Option<Instant>) -> bool {
        if is_past(deadline) {
            return self.unparker.consume();
        }
        // It is not known what goes on in the channel, so every whole turn counts as lost. Better to sleep for nothing than to
        // wait for a stranger.
        let progress = || 0;
        self.wait_awake(|| self.unparker.consume(), progress, deadline) || self.sleep(deadline)
    }

    /// Whether the next wait begins awake.
    pub(crate) fn begins_awake(&self, deadline: Option<Instant>) -> bool {
        self.strategy.begins_awake(deadline)
    }

    /// Spins and yields, for a bounded time, until `is_over`; says whether it is. `progress` counts the messages of the channel.
    pub(crate) fn wait_awake(
        &self,
        is_over: impl Fn() -> bool,
        progress: impl Fn() -> usize,
        deadline: Option<Instant>,
    ) -> bool {
        self.strategy.wait_awake(is_over, progress, deadline)
    }

    /// As `park`, asleep from the start.
    pub(crate) fn sleep(&self, deadline: Option<Instant>) -> bool {
        let start = Instant::now();
        let is_woken = self.unparker.sleep(deadline);
        self.strategy.note_sleep(start.elapsed());
        is_woken
    }
}

impl Unparker {
    /// Takes the notification, if there is one.
    fn consume(&self) -> bool {
        // Relaxed: a hint for the loop above; the swap reads again. `Acquire` pairs with the waker's `Release`: what came
        // before the wake is seen after it.
        self.state.load(Ordering::Relaxed) == NOTIFIED
            && self.state.swap(EMPTY, Ordering::Acquire) == NOTIFIED
    }

    fn sleep(&self, deadline: Option<Instant>) -> bool {
        // Fails only if a notification has come; the last line takes it.
        let asleep =
            self.state
                .compare_exchange(EMPTY, ASLEEP, Ordering::Relaxed, Ordering::Relaxed);
        // Relaxed loads: as in `consume`. A thread may also wake for no reason of ours, so look each time.
        let mut has_napped = false;
        while asleep.is_ok() && self.state.load(Ordering::Relaxed) == ASLEEP {
            has_napped = true;
            match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                None => thread::park(),
                Some(Duration::ZERO) => break,
                Some(remaining) => thread::park_timeout(remaining),
            }
        }
        if has_napped {
            // Somebody else's `unpark` ended a nap, perhaps, or came together with ours. It was meant for another `park` of
            // this thread, which must not wait for it for ever; one that comes for nothing does no harm.
            self.thread.unpark();
        }
        self.state.swap(EMPTY, Ordering::Acquire) == NOTIFIED
    }
}

impl Wake for Unparker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.swap(NOTIFIED, Ordering::Release) == ASLEEP {
            self.thread.unpark();
        }
    }
}

#[cfg(not(hchan_loom))]
mod kept {
    use core::cell::Cell;
    use std::thread_local;

    use super::Parker;

    thread_local!(static KEPT: Cell<Option<Parker>> = const { Cell::new(None) });

    /// The thread's parker, unless it is in use or the thread is ending.
    pub(super) fn take() -> Option<Parker> {
        KEPT.try_with(Cell::take).ok().flatten()
    }

    pub(super) fn put(parker: Parker) {
        // Fails only while the thread ends; the parker is dropped then.
        let _ = KEPT.try_with(|kept| kept.set(Some(parker)));
    }
}

/// A model starts from nothing every time: no thread keeps anything.
#[cfg(hchan_loom)]
mod kept {
    use super::Parker;

    pub(super) fn take() -> Option<Parker> {
        None
    }

    pub(super) fn put(_: Parker) {}
}

#[cfg(all(test, hchan_loom))]
mod model {
    use loom::sync::{Arc, atomic::AtomicBool};

    use super::*;

    /// Starts a thread that sets the mark and then wakes the parker. The mark is relaxed: only the wake orders it.
    fn mark_and_wake(parker: &Parker) -> (Arc<AtomicBool>, loom::thread::JoinHandle<()>) {
        let mark = Arc::new(AtomicBool::new(false));
        let (theirs, waker) = (Arc::clone(&mark), parker.waker().clone());
        let waking = loom::thread::spawn(move || {
            theirs.store(true, Ordering::Relaxed);
            waker.wake();
        });
        (mark, waking)
    }

    #[test]
    fn park_ends_with_a_wake_and_after_all_before_it() {
        loom::model(|| {
            Parker::with(|parker| {
                let (mark, waking) = mark_and_wake(parker);
                assert!(parker.park(None));
                assert!(mark.load(Ordering::Relaxed));
                waking.join().unwrap();
            });
        });
    }

    #[test]
    fn park_that_is_out_of_time_takes_a_wake_that_has_come() {
        loom::model(|| {
            Parker::with(|parker| {
                let (mark, waking) = mark_and_wake(parker);
                let woken = parker.park(Some(Instant::now()));
                assert!(!woken || mark.load(Ordering::Relaxed));
                waking.join().unwrap();
                assert!(woken || parker.park(Some(Instant::now())), "it has come");
            });
        });
    }

    /// An `unpark` that was meant for another wait of this thread ends that, too. Nobody is joined: in loom, an `unpark`
    /// too many would end that wait.
    #[test]
    fn park_leaves_the_unpark_of_others_alone() {
        loom::model(|| {
            Parker::with(|parker| {
                let thread = loom::thread::current();
                loom::thread::spawn(move || thread.unpark());
                mark_and_wake(parker);
                assert!(parker.park(None));
                loom::thread::park();
            });
        });
    }

    /// Two wakes may end one park, but then it comes after both.
    #[test]
    fn park_that_takes_the_last_of_two_wakes_comes_after_both() {
        loom::model(|| {
            Parker::with(|parker| {
                let (mark, waking) = mark_and_wake(parker);
                let (other_mark, other_waking) = mark_and_wake(parker);
                let marks = || [&mark, &other_mark].map(|mark| mark.load(Ordering::Relaxed));
                assert!(parker.park(None));
                if marks() != [true, true] {
                    assert!(parker.park(None), "one wake is still to come");
                    assert_eq!(marks(), [true, true]);
                }
                waking.join().unwrap();
                other_waking.join().unwrap();
            });
        });
    }
}
