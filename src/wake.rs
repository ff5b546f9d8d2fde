//! Waking, always with no lock held: what a transition detached under the lock is run here after it.

#![forbid(unsafe_code)]

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    task::Waker,
    thread,
};

/// How many wakers are collected under the lock at a time.
const BATCH: usize = 32;

/// A few wakers, collected under the lock and woken after it; more than a few take an allocation.
pub(crate) struct WakeBatch {
    wakers: [Option<Waker>; BATCH],
    len: usize,
    more: Vec<Waker>,
}

impl WakeBatch {
    pub(crate) fn new() -> Self {
        Self {
            wakers: [const { None }; BATCH],
            len: 0,
            more: Vec::new(),
        }
    }

    /// Whether the next one would take an allocation.
    pub(crate) fn is_full(&self) -> bool {
        self.len == BATCH
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn push(&mut self, waker: Waker) {
        match self.wakers.get_mut(self.len) {
            Some(place) => {
                *place = Some(waker);
                self.len += 1;
            }
            None => self.more.push(waker),
        }
    }

    /// Wakes all, in order, whatever some of them do; then the first panic goes on, if there was one.
    pub(crate) fn wake(self) {
        let mut panics = Panics::default();
        self.wake_all(&mut panics);
        panics.resume();
    }

    /// Wakes all, in order, whatever some of them do; a panic is kept if it is the first.
    pub(crate) fn wake_all(self, panics: &mut Panics) {
        for waker in self.wakers.into_iter().flatten().chain(self.more) {
            panics.catch(|| waker.wake());
        }
    }
}

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

    pub(crate) fn any(&self) -> bool {
        self.0.is_some()
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

/// What a panic carries is user code to drop, too, and what a panic of that carries.
fn discard(panic: Box<dyn Any + Send>) {
    let mut left = Some(panic);
    while let Some(panic) = left {
        left = catch_unwind(AssertUnwindSafe(|| drop(panic))).err();
    }
}
