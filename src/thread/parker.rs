//! A thread that waits, as a waker: how the blocking calls use the same waiters as tasks do.

#![forbid(unsafe_code)]

use alloc::{sync::Arc, task::Wake};
use core::{cell::Cell, hint, task::Waker, time::Duration};
use std::time::Instant;

use super::{pre_park_spin::PreParkSpin, yield_backoff::YieldBackoff};
use crate::sync::{
    atomic::{AtomicU8, Ordering},
    thread,
};

/// How long a thread yields in vain, at the most, before it sleeps.
///
/// A thread that sleeps takes tens of microseconds to come back, a peer on another core often answers within one. On a
/// shared core, yielding is what lets the peer answer. It is long enough to outlast a peer that has to be woken: else one
/// that sleeps would send the other to sleep, again and again.
const MOST_PATIENCE: Duration = Duration::from_micros(if cfg!(hchan_loom) { 0 } else { 100 });

/// By how much a wait that was short enough lets a thread yield longer.
const MORE_PATIENCE: Duration = Duration::from_micros(10);

/// Less than this is none.
const LEAST_PATIENCE: Duration = Duration::from_micros(1);

/// More than this of a yield was of use to somebody.
const SHORT_YIELD: Duration = Duration::from_micros(1);

/// How often a thread looks, at the most, before it yields: for a microsecond or two, as a yield takes half of one, and where
/// there are more threads than cores it lets others go first.
const MOST_LOOKS: u32 = if cfg!(hchan_loom) { 0 } else { 100 };

/// Where looking is in vain, it is tried again once in so many waits.
const RARELY: u32 = 16;

/// The current thread, waiting.
pub(crate) struct Parker {
    unparker: Arc<Unparker>,
    waker: Waker,
    /// How long to yield before sleeping. Halved by every wait that takes longer than the most, a little more after every
    /// other: a stream of messages is met awake, and waiting for rare ones costs no more than sleeping.
    patience: Cell<Duration>,
    /// What has come of its yields.
    turns: YieldBackoff,
    /// How often to look before yielding. Halved by every wait that this does not end, back at the most after one that it
    /// does: on a shared core, the peer cannot answer as long as it is done.
    looks: Cell<u32>,
    /// How many waits there have been.
    waits: Cell<u32>,
    /// What has come of its pauses.
    lingering: PreParkSpin,
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
        parker.begin();
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
            patience: Cell::new(MOST_PATIENCE),
            turns: YieldBackoff::new(),
            looks: Cell::new(MOST_LOOKS),
            waits: Cell::new(0),
            lingering: PreParkSpin::new(),
        }
    }

    fn begin(&self) {
        self.waits.set(self.waits.get().wrapping_add(1));
    }

    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Pauses for so many spin hints, or, where that has been in vain, seldom; says whether it did.
    ///
    /// Who parks at the first message that is not there is woken by the next, and so on: each is handed over then, which takes
    /// many times longer than through the buffer. In a pause several come.
    pub(crate) fn linger(&self, hints: usize, deadline: Option<Instant>) -> bool {
        let lingers = !is_past(deadline) && self.lingering.is_due();
        if lingers {
            for _ in 0..hints {
                hint::spin_loop();
            }
        }
        lingers
    }

    pub(crate) fn note_lingered(&self, was_of_use: bool) {
        self.lingering.note(was_of_use);
    }

    /// Whether this wait looks though that has been in vain.
    fn is_retry(&self) -> bool {
        self.waits.get() % RARELY == 0
    }

    /// Blocks until the waker is woken; at once, if it has been since the last call. `false`: the deadline came first.
    pub(crate) fn park(&self, deadline: Option<Instant>) -> bool {
        if is_past(deadline) {
            return self.unparker.consume();
        }
        // Not known: then every whole turn is taken for lost. Better to sleep for nothing than to wait for a stranger.
        let passed = || 0;
        self.watch(|| self.unparker.consume(), passed, deadline) || self.sleep(deadline)
    }

    /// Whether the next wait begins awake.
    pub(crate) fn is_to_watch(&self, deadline: Option<Instant>) -> bool {
        (self.looks() > 0 || self.is_to_yield()) && !is_past(deadline)
    }

    /// Waits awake, for a bounded time, until that is over; says whether it is. `passed` counts the messages of the channel.
    pub(crate) fn watch(
        &self,
        is_over: impl Fn() -> bool,
        passed: impl Fn() -> usize,
        deadline: Option<Instant>,
    ) -> bool {
        self.look_a_while(&is_over) || self.yield_a_while(is_over, passed, deadline)
    }

    fn looks(&self) -> u32 {
        match self.is_retry() {
            true => MOST_LOOKS,
            false => self.looks.get(),
        }
    }

    fn look_a_while(&self, is_over: impl Fn() -> bool) -> bool {
        let looks = self.looks();
        for _ in 0..looks {
            if is_over() {
                self.looks.set(MOST_LOOKS);
                self.gain_patience();
                return true;
            }
            hint::spin_loop();
        }
        self.looks.set(self.looks.get() / 2);
        false
    }

    fn yield_a_while(
        &self,
        is_over: impl Fn() -> bool,
        passed: impl Fn() -> usize,
        deadline: Option<Instant>,
    ) -> bool {
        if !self.is_to_yield() {
            return false;
        }
        let passed_before = passed();
        let (mut last, mut in_vain) = (Instant::now(), Duration::ZERO);
        while in_vain < self.patience.get() && deadline.is_none_or(|deadline| last < deadline) {
            if is_over() {
                self.gain_patience();
                return true;
            }
            thread::yield_now();
            let now = Instant::now();
            let taken = now - last;
            if self
                .turns
                .was_lost(now, taken, || passed().wrapping_sub(passed_before))
            {
                break;
            }
            in_vain += taken.min(SHORT_YIELD);
            last = now;
        }
        is_over()
    }

    /// As `park`, asleep from the start.
    pub(crate) fn sleep(&self, deadline: Option<Instant>) -> bool {
        let start = Instant::now();
        let notified = self.unparker.sleep(deadline);
        match start.elapsed() < MOST_PATIENCE {
            true => self.gain_patience(),
            false => self.lose_patience(),
        }
        notified
    }

    fn is_to_yield(&self) -> bool {
        self.is_patient() && !self.turns.are_not_given(Instant::now())
    }

    fn is_patient(&self) -> bool {
        self.patience.get() >= LEAST_PATIENCE
    }

    fn gain_patience(&self) {
        self.patience
            .set(MOST_PATIENCE.min(self.patience.get() + MORE_PATIENCE));
    }

    fn lose_patience(&self) {
        self.patience.set(self.patience.get() / 2);
    }
}

fn is_past(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
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

#[cfg(all(test, not(hchan_loom)))]
mod tests {
    use super::*;

    #[test]
    fn looking_in_vain_is_tried_again_in_one_of_sixteen_waits() {
        let parker = Parker::new();
        let looks = || {
            parker.begin();
            let looks = parker.looks() > 0;
            assert!(!parker.look_a_while(|| parker.unparker.consume()));
            looks
        };
        (0..RARELY).for_each(|_| _ = looks());
        assert_eq!((0..4 * RARELY).filter(|_| looks()).count(), 4);
    }

    #[test]
    fn long_waits_end_the_patience_and_a_short_one_begins_it() {
        let parker = Parker::new();
        assert!(parker.is_patient());
        (0..8).for_each(|_| parker.lose_patience());
        assert!(!parker.is_patient());
        assert!(!parker.yield_a_while(|| panic!("it looked"), || 0, None));
        parker.gain_patience();
        assert!(parker.yield_a_while(|| true, || 0, None));
    }

    #[test]
    fn turn_is_not_given_after_one_was_lost() {
        let parker = Parker::new();
        let later = Instant::now() + Duration::from_secs(600);
        assert!(parker.turns.was_lost(later, Duration::from_secs(1), || 0));
        assert!(!parker.yield_a_while(|| panic!("it looked"), || 0, None));
    }

    #[test]
    fn wait_that_has_no_time_does_not_linger() {
        let parker = Parker::new();
        assert!(!parker.linger(5, Some(Instant::now())));
        assert!(parker.linger(5, None));
    }

    #[test]
    fn looking_that_was_of_use_is_tried_at_once() {
        let parker = Parker::new();
        parker.looks.set(0);
        parker.waits.set(RARELY);
        parker.waker().wake_by_ref();
        assert!(parker.look_a_while(|| parker.unparker.consume()), "a retry");
        assert_eq!(parker.looks.get(), MOST_LOOKS);
    }
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
