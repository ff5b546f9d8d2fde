//! Waking and dropping, always with no lock held: the caller's code for which a transition left something to do runs here after it.

#![forbid(unsafe_code)]

use alloc::vec::Vec;
use core::{mem::needs_drop, task::Waker};

use crate::{no_unwind::no_unwind, probe::WakeTag, tuning::WAKE_BATCH};

#[cfg(feature = "std")]
pub(crate) use caught::{Panics, quietly};
#[cfg(not(feature = "std"))]
pub(crate) use uncaught::{Panics, quietly};

/// A wake that is owed to a waiter that was completed: to be run when no lock is held.
#[must_use = "the waiter that was completed is to be woken"]
pub(crate) struct Wake {
    waker: Waker,
    tag: WakeTag,
}

impl Wake {
    #[inline(always)]
    pub(crate) fn new(waker: Waker, tag: WakeTag) -> Self {
        Self { waker, tag }
    }

    /// User code.
    #[inline(always)]
    pub(crate) fn run(self) {
        self.tag.note_woken();
        self.waker.wake();
    }
}

/// A few wakers, collected under the lock and woken after it; more than a few take an allocation.
pub(crate) struct WakeBatch {
    wakes: [Option<Wake>; WAKE_BATCH],
    len: usize,
    more: Vec<Wake>,
}

impl WakeBatch {
    pub(crate) fn new() -> Self {
        Self {
            wakes: [const { None }; WAKE_BATCH],
            len: 0,
            more: Vec::new(),
        }
    }

    /// Whether the next one would take an allocation.
    pub(crate) fn is_full(&self) -> bool {
        self.len == WAKE_BATCH
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn push(&mut self, wake: Wake) {
        match self.wakes.get_mut(self.len) {
            Some(place) => {
                *place = Some(wake);
                self.len += 1;
            }
            None => no_unwind(|| self.more.push(wake)),
        }
    }

    /// Wakes all, in order, whatever some of them do; then the first panic goes on, if there was one.
    pub(crate) fn run(self) {
        let mut wakes = self.wakes.into_iter().flatten().chain(self.more);
        let mut panics = Panics::default();
        panics.catch_each(|| wakes.next().map(Wake::run).is_some());
        panics.resume();
    }
}

#[inline(always)]
pub(crate) fn run(wake: Option<Wake>) {
    if let Some(wake) = wake {
        wake.run();
    }
}

/// Wakes the peer that an operation completed, and drops a waker that the operation did not need, even if the wake panics.
#[inline(always)]
pub(crate) fn run_and_drop(wake: Option<Wake>, unused: Option<Waker>) {
    if unused.is_none() {
        return run(wake);
    }
    run_and_drop_slow(wake, unused);
}

#[inline(never)]
fn run_and_drop_slow(wake: Option<Wake>, unused: Option<Waker>) {
    let mut panics = Panics::default();
    panics.catch(|| run(wake));
    panics.catch(|| drop(unused));
    panics.resume();
}

#[cfg(feature = "std")]
mod caught {
    use alloc::boxed::Box;
    use core::{any::Any, panic::AssertUnwindSafe};
    use std::{
        panic::{catch_unwind, resume_unwind},
        thread,
    };

    /// The first panic of several pieces of user code, all of which had to run.
    #[derive(Default)]
    pub(crate) struct Panics(Option<Box<dyn Any + Send>>);

    impl Panics {
        pub(crate) fn catch(&mut self, user_code: impl FnOnce()) {
            // Unwind safe: the crate's own state is not touched within, and the panic goes on in `resume`.
            let Err(panic) = catch_unwind(AssertUnwindSafe(user_code)) else {
                return;
            };
            match self.0 {
                None => self.0 = Some(panic),
                Some(_) => discard(panic),
            }
        }

        /// Calls `step` until there is nothing left to do, whatever some of the calls do.
        pub(crate) fn catch_each(&mut self, mut step: impl FnMut() -> bool) {
            let mut is_more = true;
            while is_more {
                self.catch(|| is_more = step());
            }
        }

        /// Lets the first panic go on, if there was one; unless the thread is unwinding from another one already, in a drop,
        /// where a second would abort the process.
        pub(crate) fn resume(self) {
            match self.0 {
                None => {}
                Some(panic) if thread::panicking() => discard(panic),
                Some(panic) => resume_unwind(panic),
            }
        }
    }

    /// Runs user code in a drop: if the thread is unwinding from a panic already, that of the user code ends here.
    #[inline(always)]
    pub(crate) fn quietly(user_code: impl FnOnce()) {
        if thread::panicking() {
            quietly_while_panicking(user_code);
        } else {
            user_code();
        }
    }

    #[cold]
    fn quietly_while_panicking(user_code: impl FnOnce()) {
        let mut panics = Panics::default();
        panics.catch(user_code);
        panics.resume();
    }

    /// What a panic carries is user code to drop, too, and what a panic of that carries.
    fn discard(panic: Box<dyn Any + Send>) {
        let mut left = Some(panic);
        while let Some(panic) = left {
            left = catch_unwind(AssertUnwindSafe(|| drop(panic))).err();
        }
    }
}

/// Without the standard library nothing catches a panic: it goes on at once, and what is left to do is done by a drop on its
/// way. If that panics, too, the program ends.
#[cfg(not(feature = "std"))]
mod uncaught {
    #[derive(Default)]
    pub(crate) struct Panics(());

    impl Panics {
        pub(crate) fn catch(&mut self, user_code: impl FnOnce()) {
            user_code();
        }

        /// Calls `step` until there is nothing left to do, after a panic, too.
        pub(crate) fn catch_each(&mut self, step: impl FnMut() -> bool) {
            struct Steps<F: FnMut() -> bool>(F);
            impl<F: FnMut() -> bool> Drop for Steps<F> {
                fn drop(&mut self) {
                    while (self.0)() {}
                }
            }
            let mut steps = Steps(step);
            while (steps.0)() {}
            // The drop asks once more.
        }

        pub(crate) fn resume(self) {}
    }

    #[inline(always)]
    pub(crate) fn quietly(user_code: impl FnOnce()) {
        user_code();
    }
}

/// Drops all values, whatever some of the drops do; then the first panic goes on, if there was one.
pub(crate) fn drop_each<V>(mut values: impl Iterator<Item = V>) {
    if needs_drop::<V>() {
        let mut panics = Panics::default();
        panics.catch_each(|| values.next().map(drop).is_some());
        panics.resume();
    }
}
