//! Go's channel for async Rust.
//!
//! Draft.

mod core;
mod count;
mod error;
mod future;
mod iter;
mod list;
mod operation;
mod park;
mod receiver;
mod ring;
mod sender;
mod shared;
mod stream;
mod sync;
mod wait;
mod waiter;
mod wake;

use sync::Arc;

pub use error::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
};
pub use future::{RecvFuture, SendFuture};
pub use iter::{IterBlocking, TryIter};
pub use receiver::{Receiver, WeakReceiver};
pub use sender::{Sender, WeakSender};
pub use stream::RecvStream;

/// Makes a channel whose buffer holds up to `capacity` messages; with `capacity` 0 there is none, and sender and receiver
/// have to meet.
///
/// At capacity 0 a send completes only when a receiver has its message: taken by a receive, or handed to a receive that
/// was parked.
///
/// A small buffer (up to 64 KiB or 32 messages) is allocated now. A larger one is allocated in blocks as it fills, and
/// freed again as it empties: any capacity is harmless, `usize::MAX` too.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded(2);
/// tx.try_send(1).unwrap();
/// tx.try_send(2).unwrap();
/// assert!(tx.try_send(3).unwrap_err().is_full());
/// assert_eq!(rx.try_recv(), Ok(1));
/// ```
#[doc(alias = "sync_channel")]
#[doc(alias = "channel")]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    new(Some(capacity))
}

/// Makes a channel whose buffer grows as needed: no send ever waits.
///
/// The buffer takes memory in blocks as it fills and frees them as it empties. Nothing holds back senders that are faster
/// than the receivers: where that can be, prefer [`bounded`].
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::unbounded();
/// for n in 0..1_000 {
///     tx.try_send(n).unwrap();
/// }
/// assert_eq!((rx.len(), rx.capacity()), (1_000, None));
/// ```
#[doc(alias = "unbounded_channel")]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    new(None)
}

/// Makes a receiver on which nothing ever happens, as on Go's nil channel: for a select arm that is switched off.
///
/// It has no senders and never closes: receives wait for ever, `try_recv` is `Empty`, `close` does nothing and returns
/// `false`. It allocates nothing.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// let rx = hchan::never::<u8>();
/// assert!(rx.recv().wait_timeout(Duration::from_millis(1)).unwrap_err().is_timeout());
/// assert!(!rx.close());
/// assert_eq!((rx.len(), rx.capacity(), rx.sender_count()), (0, Some(0), 0));
/// ```
pub const fn never<T>() -> Receiver<T> {
    Receiver::new(None)
}

fn new<T>(capacity: Option<usize>) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(shared::Shared::new(capacity));
    (
        Sender::new(Arc::clone(&shared)),
        Receiver::new(Some(shared)),
    )
}
