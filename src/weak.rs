//! Handles that do not keep their channel open.

#![forbid(unsafe_code)]

use core::{
    fmt,
    panic::{RefUnwindSafe, UnwindSafe},
};

#[cfg(feature = "inspect")]
use crate::chan::TypedChan;
use crate::{
    chan::SharedChan,
    receiver::{Receiver, fmt_receiver, receiver_count, same_channel, sender_count},
    sender::Sender,
};

/// A sender that does not keep its channel open; made by [`Sender::downgrade`].
///
/// It keeps the channel's memory, though not its messages: those drop with the last [`Receiver`].
///
/// # Examples
///
/// A source of messages that stops when nobody else sends any more:
///
/// ```
/// let (tx, rx) = hchan::bounded(8);
/// let ticker = tx.downgrade();
/// ticker.upgrade().unwrap().try_send("tick").unwrap();
/// drop(tx);
/// assert!(ticker.upgrade().is_none());
/// assert_eq!(rx.recv_blocking(), Ok("tick"));
/// assert!(rx.recv_blocking().is_err());
/// ```
#[doc(alias("WeakUnboundedSender", "WeakTx"))]
pub struct WeakSender<T> {
    chan: SharedChan<T>,
}

impl<T> WeakSender<T> {
    pub(crate) fn new(chan: SharedChan<T>) -> Self {
        Self { chan }
    }

    #[cfg(feature = "inspect")]
    pub(crate) fn chan(&self) -> &SharedChan<T> {
        &self.chan
    }

    /// Makes a sender of it, unless the last one has been dropped.
    ///
    /// A channel that was closed by `close` but still has senders yields one, too; its sends fail.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::bounded(1);
    /// let weak = tx.downgrade();
    /// let second = weak.upgrade().expect("a sender is there");
    /// drop(tx);
    /// second.try_send(1).unwrap();
    /// ```
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let counted = self.chan.senders.add_unless_zero();
        counted.then(|| Sender::new(SharedChan::clone(&self.chan)))
    }

    /// Whether both are of the same channel.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::bounded::<u8>(1);
    /// let weak = tx.downgrade();
    /// assert!(weak.same_channel(&tx.clone().downgrade()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        SharedChan::ptr_eq(&self.chan, &other.chan)
    }

    /// How many senders the channel has, weak ones not counted.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::bounded::<u8>(1);
    /// let weak = tx.downgrade();
    /// assert_eq!(weak.sender_count(), 1);
    /// drop(tx);
    /// assert_eq!(weak.sender_count(), 0);
    /// ```
    #[doc(alias = "strong_count")]
    pub fn sender_count(&self) -> usize {
        self.chan.senders.get()
    }

    /// How many receivers the channel has, weak ones not counted.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded::<u8>(1);
    /// let weak = tx.downgrade();
    /// assert_eq!(weak.receiver_count(), 1);
    /// drop(rx);
    /// assert_eq!(weak.receiver_count(), 0);
    /// ```
    pub fn receiver_count(&self) -> usize {
        self.chan.receivers.get()
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self {
            chan: SharedChan::clone(&self.chan),
        }
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chan.fmt("WeakSender", f)
    }
}

impl<T> UnwindSafe for WeakSender<T> {}
impl<T> RefUnwindSafe for WeakSender<T> {}

/// A receiver that does not keep its channel open; made by [`Receiver::downgrade`].
///
/// It keeps the channel's memory, though not its messages: those drop with the last [`Receiver`].
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded(8);
/// let weak = rx.downgrade();
/// tx.try_send(1).unwrap();
/// assert_eq!(weak.upgrade().map(|rx| rx.try_recv()), Some(Ok(1)));
/// drop(rx);
/// assert!(weak.upgrade().is_none());
/// ```
pub struct WeakReceiver<T> {
    /// `None` for [`never`](crate::never).
    chan: Option<SharedChan<T>>,
}

impl<T> WeakReceiver<T> {
    pub(crate) fn new(chan: Option<SharedChan<T>>) -> Self {
        Self { chan }
    }

    #[cfg(feature = "inspect")]
    pub(crate) fn chan(&self) -> Option<&TypedChan<T>> {
        self.chan.as_deref()
    }

    /// Makes a receiver of it, unless the last one has been dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// let weak = rx.downgrade();
    /// let second = weak.upgrade().expect("a receiver is there");
    /// drop(rx);
    /// tx.try_send(1).unwrap();
    /// assert_eq!(second.try_recv(), Ok(1));
    /// ```
    pub fn upgrade(&self) -> Option<Receiver<T>> {
        let counted = self
            .chan
            .as_ref()
            .is_none_or(|chan| chan.receivers.add_unless_zero());
        counted.then(|| Receiver::new(self.chan.clone()))
    }

    /// Whether both are of the same channel.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = hchan::bounded::<u8>(1);
    /// let weak = rx.downgrade();
    /// assert!(weak.same_channel(&rx.clone().downgrade()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        same_channel(&self.chan, &other.chan)
    }

    /// How many senders the channel has, weak ones not counted.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded::<u8>(1);
    /// let weak = rx.downgrade();
    /// assert_eq!(weak.sender_count(), 1);
    /// drop(tx);
    /// assert_eq!(weak.sender_count(), 0);
    /// ```
    pub fn sender_count(&self) -> usize {
        sender_count(&self.chan)
    }

    /// How many receivers the channel has, weak ones not counted.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = hchan::bounded::<u8>(1);
    /// let weak = rx.downgrade();
    /// assert_eq!(weak.receiver_count(), 1);
    /// drop(rx);
    /// assert_eq!(weak.receiver_count(), 0);
    /// ```
    pub fn receiver_count(&self) -> usize {
        receiver_count(&self.chan)
    }
}

impl<T> Clone for WeakReceiver<T> {
    fn clone(&self) -> Self {
        Self {
            chan: self.chan.clone(),
        }
    }
}

impl<T> fmt::Debug for WeakReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_receiver(self.chan.as_deref(), "WeakReceiver", f)
    }
}

impl<T> UnwindSafe for WeakReceiver<T> {}
impl<T> RefUnwindSafe for WeakReceiver<T> {}
