//! Handles for threads: every call waits in place, and no call returns a future.
//!
//! They are the crate's own handles under other types: [`Sender<T>`](Sender) is a transparent wrapper of
//! [`hchan::Sender<T>`](crate::Sender), and [`Receiver<T>`](Receiver) of [`hchan::Receiver<T>`](crate::Receiver). The method names
//! are those of `std::sync::mpsc` and of crossbeam-channel. A method that waits returns when it is done:
//!
//! ```
//! use std::thread;
//!
//! let (tx, rx) = hchan::blocking::bounded(16);
//!
//! let summing = thread::spawn(move || rx.into_iter().sum::<u32>());
//! for n in 1..=100 {
//!     tx.send(n).unwrap();
//! }
//! drop(tx);
//! assert_eq!(summing.join().unwrap(), 5050);
//! ```
//!
//! Here `let _ = tx.send(message)` sends. With the async handles the same line makes a future and drops it, without a word
//! from the compiler. So code that runs in threads alone should use these handles and no others.
//!
//! # Threads and tasks on one channel
//!
//! A handle converts in both directions, by value and by reference, at no cost:
//!
//! | from | by value | by reference |
//! |---|---|---|
//! | [`hchan::Sender`](crate::Sender) | [`into_blocking`](crate::Sender::into_blocking) | [`as_blocking`](crate::Sender::as_blocking) |
//! | [`hchan::Receiver`](crate::Receiver) | [`into_blocking`](crate::Receiver::into_blocking) | [`as_blocking`](crate::Receiver::as_blocking) |
//! | [`blocking::Sender`](Sender) | [`into_async`](Sender::into_async) | [`as_async`](Sender::as_async) |
//! | [`blocking::Receiver`](Receiver) | [`into_async`](Receiver::into_async) | [`as_async`](Receiver::as_async) |
//!
//! ```
//! # futures::executor::block_on(async {
//! let (tx, rx) = hchan::bounded(16);
//! let tx = tx.into_blocking();
//! std::thread::spawn(move || tx.send("from a thread"));
//! assert_eq!(rx.recv().await, Ok("from a thread"));
//! # });
//! ```
//!
//! Threads and tasks park in the same queues and are served in the order in which they came.
//!
//! The blocking handles do not dereference to the async ones, and do not implement `AsRef` or `Borrow` to them. Otherwise a
//! method that is missing here would resolve to one that returns a future. Instead such a call does not compile:
//!
//! ```compile_fail,E0599
//! let (tx, _rx) = hchan::blocking::bounded(1);
//! tx.send_from(&mut Some(1));
//! ```
//!
//! ```compile_fail,E0599
//! let (_tx, rx) = hchan::blocking::bounded::<u8>(1);
//! let _ = rx.closed();
//! ```
//!
//! The select macros take either kind of handle:
//!
//! ```
//! let (tx, rx) = hchan::blocking::bounded(1);
//! tx.send(1).unwrap();
//! let received = hchan::select_blocking! {
//!     recv(rx) -> message => message,
//! };
//! assert_eq!(received, Ok(1));
//! ```
//!
//! # Blocking
//!
//! A method that waits blocks its thread. In a task that stalls the worker thread of the runtime, and with it every other task
//! on that thread; if one of those has to act before the wait can end, the program deadlocks. Tasks use the async handles.

mod into_iter;
mod receiver;
mod sender;
mod transparent;
mod weak;

pub use into_iter::IntoIter;
pub use receiver::Receiver;
pub use sender::Sender;
pub use weak::{WeakReceiver, WeakSender};

/// Makes a channel whose buffer holds up to `capacity` messages, as [`hchan::bounded`](crate::bounded) does, with blocking
/// handles. With `capacity` 0 a send waits until a receiver has the message.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::blocking::bounded(0);
/// std::thread::spawn(move || tx.send("met"));
/// assert_eq!(rx.recv(), Ok("met"));
/// ```
#[doc(alias = "sync_channel")]
#[doc(alias = "channel")]
#[doc(alias("bounded_blocking", "bounded_async_blocking", "bounded_blocking_async"))]
#[cfg_attr(feature = "inspect", track_caller)]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let (tx, rx) = crate::bounded(capacity);
    (tx.into_blocking(), rx.into_blocking())
}

/// Makes a channel whose buffer grows as needed, as [`hchan::unbounded`](crate::unbounded) does, with blocking handles. No
/// send ever waits.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::blocking::unbounded();
/// (0..1_000).for_each(|n| tx.send(n).unwrap());
/// assert_eq!((rx.len(), rx.recv()), (1_000, Ok(0)));
/// ```
#[doc(alias = "channel")]
#[doc(alias = "unbounded_blocking")]
#[cfg_attr(feature = "inspect", track_caller)]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    let (tx, rx) = crate::unbounded();
    (tx.into_blocking(), rx.into_blocking())
}

/// Makes a receiver on which nothing ever happens, as [`hchan::never`](crate::never) does.
///
/// # Examples
///
/// ```
/// use hchan::TryRecvError;
///
/// let rx = hchan::blocking::never::<u8>();
/// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
/// ```
pub const fn never<T>() -> Receiver<T> {
    Receiver::new(crate::never())
}
