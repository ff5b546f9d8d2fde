//! What several test files use: futures are polled by hand, and wakes, panics and drops are counted.

// Every test file is a crate of its own and uses only some of this.
#![allow(dead_code)]

#[cfg(not(feature = "std"))]
pub(crate) mod blocking;
pub(crate) mod injected;

use std::{
    cell::{Cell, RefCell},
    future, mem,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicPtr, AtomicUsize, Ordering::SeqCst},
        mpsc::{self, RecvTimeoutError},
    },
    task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker},
    thread,
    time::Duration,
};

use tokio::runtime::{self, Runtime};
/// How often to do something: `count` times, but under Miri, which is some thousand times slower, only a 500th of that.
pub(crate) const fn scaled(count: usize) -> usize {
    if cfg!(miri) {
        count.div_ceil(500)
    } else {
        count
    }
}

/// Polls a future that nobody is to be woken for; takes what `pin!` and `Box::pin` return.
pub(crate) fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_with(future, Waker::noop())
}

pub(crate) fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Waits for a thread to get there; a thread that is going to block cannot say so itself.
pub(crate) fn until(reached: impl Fn() -> bool) {
    while !reached() {
        thread::yield_now();
    }
}

/// A runtime of tokio with two threads, or where there is but one, as in WebAssembly, with that.
pub(crate) fn two_workers() -> Runtime {
    #[cfg(not(target_family = "wasm"))]
    let mut builder = runtime::Builder::new_multi_thread();
    #[cfg(not(target_family = "wasm"))]
    builder.worker_threads(2);
    #[cfg(target_family = "wasm")]
    let mut builder = runtime::Builder::new_current_thread();
    builder.enable_time().build().expect("a runtime")
}

/// Counts its wakes and, by its `Arc`, its wakers.
#[derive(Default)]
pub(crate) struct CountingWaker(AtomicUsize);

impl CountingWaker {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }

    pub(crate) fn wakes(&self) -> usize {
        self.0.load(SeqCst)
    }

    /// How many wakers of it exist.
    pub(crate) fn wakers(self: &Arc<Self>) -> usize {
        Arc::strong_count(self) - 1
    }
}

impl Wake for CountingWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Completes when it is told to; a reference to it is the future.
#[derive(Default)]
pub(crate) struct Stop {
    is_complete: Cell<bool>,
    polls: Cell<usize>,
    waker: RefCell<Option<Waker>>,
}

impl Stop {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn complete(&self) {
        self.is_complete.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    pub(crate) fn polls(&self) -> usize {
        self.polls.get()
    }
}

impl Future for &Stop {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.polls.set(self.polls.get() + 1);
        if self.is_complete.get() {
            return Poll::Ready(());
        }
        self.waker.replace(Some(cx.waker().clone()));
        Poll::Pending
    }
}

/// A stop that acts as the peer when it is polled the second time, and is complete then.
pub(crate) fn stop_after(act: impl FnOnce()) -> impl Future<Output = ()> {
    let mut act = Some(act);
    let mut is_first = true;
    future::poll_fn(move |_| {
        if mem::take(&mut is_first) {
            return Poll::Pending;
        }
        act.take().expect("complete only once")();
        Poll::Ready(())
    })
}

/// Counts the drops of the messages it makes.
#[derive(Default)]
pub(crate) struct Drops(Arc<AtomicUsize>);

impl Drops {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn message(&self, id: usize) -> Counted {
        Counted {
            id,
            drops: Arc::clone(&self.0),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(SeqCst)
    }
}

/// A message whose drop is counted.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) id: usize,
    drops: Arc<AtomicUsize>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.drops.fetch_add(1, SeqCst);
    }
}

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// Runs `f`, which has to panic, and returns the panic's message.
pub(crate) fn panic_of<R>(f: impl FnOnce() -> R) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(f)) else {
        panic!("it was meant to panic and did not");
    };
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic
            .downcast::<&str>()
            .map_or_else(|_| "not a text".to_owned(), |message| (*message).to_owned()),
    }
}

/// Runs `f` in a thread of its own and panics if that does not end: a deadlock becomes a failed test.
pub(crate) fn no_deadlock<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> R {
    ends_within(Duration::from_secs(60), f)
}

/// As `no_deadlock`; `limit` is a large multiple of what `f` takes.
pub(crate) fn ends_within<R>(limit: Duration, f: impl FnOnce() -> R + Send + 'static) -> R
where
    R: Send + 'static,
{
    if cfg!(target_family = "wasm") {
        // There is no second thread; a test that blocks ends in a panic of the standard library.
        return f();
    }
    let (done, result) = mpsc::channel();
    let running = thread::spawn(move || drop(done.send(f())));
    match result.recv_timeout(limit) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => panic!("still running after {limit:?}"),
        Err(RecvTimeoutError::Disconnected) => match running.join() {
            Err(panic) => resume_unwind(panic),
            Ok(()) => unreachable!("it sends a result or panics"),
        },
    }
}

/// What is done with a waker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Clone,
    Wake,
    Drop,
}

/// A waker that runs `hook` at every clone, wake (which consumes it) and drop of it.
pub(crate) fn hooked_waker(hook: impl Fn(Call) + Send + Sync + 'static) -> Waker {
    // No `const`, of which there may be several copies, so that `will_wake` would not know it.
    static VTABLE: RawWakerVTable = RawWakerVTable::new(
        |hook| {
            // SAFETY: the waker that is cloned keeps the hook alive.
            unsafe {
                (*hook.cast::<Hook>())(Call::Clone);
                Arc::increment_strong_count(hook.cast::<Hook>());
            }
            RawWaker::new(hook, &VTABLE)
        },
        // SAFETY: a wake consumes the waker, so its share of the hook is ours, and is released whatever the hook does.
        |hook| unsafe { Arc::from_raw(hook.cast::<Hook>())(Call::Wake) },
        // SAFETY: the waker that is woken keeps the hook alive.
        |hook| unsafe { (*hook.cast::<Hook>())(Call::Wake) },
        // SAFETY: as for the wake that consumes.
        |hook| unsafe { Arc::from_raw(hook.cast::<Hook>())(Call::Drop) },
    );
    type Hook = Box<dyn Fn(Call) + Send + Sync>;

    let hook: Arc<Hook> = Arc::new(Box::new(hook));
    // SAFETY: the data is a share of an `Arc<Hook>`, which is what every function of the table takes it for; the hook
    // may be called from any thread.
    unsafe { Waker::new(Arc::into_raw(hook).cast(), &VTABLE) }
}

/// A waker that panics when woken.
pub(crate) fn panicking_waker(message: &'static str) -> Waker {
    hooked_waker(move |call| {
        if call == Call::Wake {
            panic!("{message}");
        }
    })
}

/// Forgets something pinned, and keeps it reachable, so that a leak check has nothing to say.
pub(crate) fn forget<T>(pinned: Pin<Box<T>>) {
    static FORGOTTEN: Mutex<Vec<AtomicPtr<()>>> = Mutex::new(Vec::new());

    let address: *const T = &*pinned;
    let address = AtomicPtr::new(address.cast_mut().cast());
    FORGOTTEN.lock().unwrap().push(address);
    mem::forget(pinned);
}

/// A channel that is full, with messages from 0.
pub(crate) fn full(capacity: usize) -> (hchan::Sender<usize>, hchan::Receiver<usize>) {
    let (tx, rx) = hchan::bounded(capacity);
    (0..capacity).for_each(|n| tx.try_send(n).unwrap());
    (tx, rx)
}

pub(crate) fn assert_nobody_waits<T>(rx: &hchan::Receiver<T>) {
    assert_eq!(
        (rx.waiting_senders(), rx.waiting_receivers()),
        (0, 0),
        "waiting senders and receivers"
    );
}
