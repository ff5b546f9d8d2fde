//! Blocking handles that do not keep their channel open.

#![forbid(unsafe_code)]

use core::fmt;

use super::{Receiver, Sender};

/// A sender that does not keep its channel open and upgrades to a blocking [`Sender`]; made by [`Sender::downgrade`].
///
/// In everything else it is a [`hchan::WeakSender`](crate::WeakSender).
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::blocking::bounded(8);
/// let weak = tx.downgrade();
/// weak.upgrade().unwrap().send(1).unwrap();
/// drop(tx);
/// assert!(weak.upgrade().is_none());
/// assert_eq!(rx.recv(), Ok(1));
/// assert!(rx.recv().is_err());
/// ```
#[repr(transparent)]
pub struct WeakSender<T>(crate::WeakSender<T>);

impl<T> WeakSender<T> {
    pub(super) fn new(sender: crate::WeakSender<T>) -> Self {
        Self(sender)
    }

    #[cfg(feature = "inspect")]
    pub(crate) fn as_async_weak(&self) -> &crate::WeakSender<T> {
        &self.0
    }

    /// Makes a sender of it, unless the last one has been dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::blocking::bounded(1);
    /// let weak = tx.downgrade();
    /// let second = weak.upgrade().expect("a sender is there");
    /// drop(tx);
    /// second.send(1).unwrap();
    /// ```
    pub fn upgrade(&self) -> Option<Sender<T>> {
        self.0.upgrade().map(crate::Sender::into_blocking)
    }

    /// Whether both are of the same channel.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::blocking::bounded::<u8>(1);
    /// let weak = tx.downgrade();
    /// assert!(weak.same_channel(&tx.clone().downgrade()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }

    /// How many senders the channel has, weak ones not counted.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::blocking::bounded::<u8>(1);
    /// let weak = tx.downgrade();
    /// assert_eq!(weak.sender_count(), 1);
    /// drop(tx);
    /// assert_eq!(weak.sender_count(), 0);
    /// ```
    #[doc(alias = "strong_count")]
    pub fn sender_count(&self) -> usize {
        self.0.sender_count()
    }

    /// How many receivers the channel has, weak ones not counted.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded::<u8>(1);
    /// let weak = tx.downgrade();
    /// assert_eq!(weak.receiver_count(), 1);
    /// drop(rx);
    /// assert_eq!(weak.receiver_count(), 0);
    /// ```
    pub fn receiver_count(&self) -> usize {
        self.0.receiver_count()
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A receiver that does not keep its channel open and upgrades to a blocking [`Receiver`]; made by [`Receiver::downgrade`].
///
/// In everything else it is a [`hchan::WeakReceiver`](crate::WeakReceiver).
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::blocking::bounded(8);
/// let weak = rx.downgrade();
/// tx.send(1).unwrap();
/// assert_eq!(weak.upgrade().map(|rx| rx.recv()), Some(Ok(1)));
/// drop(rx);
/// assert!(weak.upgrade().is_none());
/// ```
#[repr(transparent)]
pub struct WeakReceiver<T>(crate::WeakReceiver<T>);

impl<T> WeakReceiver<T> {
    pub(super) fn new(receiver: crate::WeakReceiver<T>) -> Self {
        Self(receiver)
    }

    #[cfg(feature = "inspect")]
    pub(crate) fn as_async_weak(&self) -> &crate::WeakReceiver<T> {
        &self.0
    }

    /// Makes a receiver of it, unless the last one has been dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded(1);
    /// let weak = rx.downgrade();
    /// let second = weak.upgrade().expect("a receiver is there");
    /// drop(rx);
    /// tx.send(1).unwrap();
    /// assert_eq!(second.recv(), Ok(1));
    /// ```
    pub fn upgrade(&self) -> Option<Receiver<T>> {
        self.0.upgrade().map(crate::Receiver::into_blocking)
    }

    /// Whether both are of the same channel.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = hchan::blocking::bounded::<u8>(1);
    /// let weak = rx.downgrade();
    /// assert!(weak.same_channel(&rx.clone().downgrade()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }

    /// How many senders the channel has, weak ones not counted.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::blocking::bounded::<u8>(1);
    /// let weak = rx.downgrade();
    /// assert_eq!(weak.sender_count(), 1);
    /// drop(tx);
    /// assert_eq!(weak.sender_count(), 0);
    /// ```
    pub fn sender_count(&self) -> usize {
        self.0.sender_count()
    }

    /// How many receivers the channel has, weak ones not counted.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_tx, rx) = hchan::blocking::bounded::<u8>(1);
    /// let weak = rx.downgrade();
    /// assert_eq!(weak.receiver_count(), 1);
    /// drop(rx);
    /// assert_eq!(weak.receiver_count(), 0);
    /// ```
    pub fn receiver_count(&self) -> usize {
        self.0.receiver_count()
    }
}

impl<T> Clone for WeakReceiver<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for WeakReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
