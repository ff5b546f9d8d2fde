//! Panics at random in wakers and in the drops of messages, for tests that count what is left after them.
//!
//! They happen only in a thread that runs something that is meant to survive them, so that no executor meets one.

use std::{
    cell::Cell,
    ops::{Deref, DerefMut},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    task::Waker,
    thread,
};

use super::{Call, hooked_waker};

/// One call in so many panics.
const ODDS: u32 = 16;

struct Injected;

thread_local! {
    static IS_ARMED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f`, in which wakers and messages may panic: `None`, if one did. Other panics go on.
pub(crate) fn survive<R>(f: impl FnOnce() -> R) -> Option<R> {
    struct Disarming(bool);
    impl Drop for Disarming {
        fn drop(&mut self) {
            IS_ARMED.set(self.0);
        }
    }
    let survived = catch_unwind(AssertUnwindSafe(|| {
        let _disarming = Disarming(IS_ARMED.replace(true));
        f()
    }));
    match survived {
        Ok(result) => Some(result),
        Err(panic) if panic.is::<Injected>() => None,
        Err(panic) => resume_unwind(panic),
    }
}

/// Runs `f`, in which nothing panics.
pub(crate) fn in_peace<R>(f: impl FnOnce() -> R) -> R {
    let was_armed = IS_ARMED.replace(false);
    let result = f();
    IS_ARMED.set(was_armed);
    result
}

/// A value that drops in peace. The compiler leaks what a function returns if a local panics as it drops after that, and what an
/// `async` block returns if what it has captured does.
pub(crate) struct Peaceful<T>(Option<T>);

impl<T> Peaceful<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T> Deref for Peaceful<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("there until it drops")
    }
}

impl<T> DerefMut for Peaceful<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("there until it drops")
    }
}

impl<T> Drop for Peaceful<T> {
    fn drop(&mut self) {
        in_peace(|| drop(self.0.take()));
    }
}

fn may_panic() {
    if IS_ARMED.get() && fastrand::u32(..ODDS) == 0 {
        // Without a word: there are thousands of them.
        resume_unwind(Box::new(Injected));
    }
}

/// To be called where a message drops. Of several messages that a collection of the test's own drops only one panics: a second
/// one would abort the process.
pub(crate) fn message_drops() {
    if !thread::panicking() {
        may_panic();
    }
}

/// A waker that does what `waker` does, and may panic at each clone, wake and drop, even while another panic unwinds.
pub(crate) fn fragile_waker(waker: &Waker, note: impl Fn(Call) + Send + Sync + 'static) -> Waker {
    let waker = waker.clone();
    hooked_waker(move |call| {
        note(call);
        if call == Call::Wake {
            waker.wake_by_ref();
        }
        may_panic();
    })
}
