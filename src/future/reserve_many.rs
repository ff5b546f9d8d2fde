//! Several permits at once.

#![forbid(unsafe_code)]

use core::{
    fmt,
    iter::FusedIterator,
    pin::Pin,
    task::{Context, Poll, ready},
};
#[cfg(feature = "std")]
use {
    crate::chan::SpinTarget,
    crate::thread::{wait, wait_deadline, wait_timeout},
    core::{pin::pin, time::Duration},
    std::time::Instant,
};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use crate::{
    chan::{ReserveOutcome, TypedChan},
    error::{SendError, SendTimeoutError},
    future::Permit,
    future::Until,
    op::BareOp,
    sender::Sender,
    thread::{Limit, Wait},
    waiter::Kind,
    wake::Panics,
};

pin_project! {
    /// A request for several permits; made by [`Sender::reserve_many`](crate::Sender::reserve_many).
    ///
    /// It waits only while there is no room at all, in one line with the sends.
    ///
    /// It allocates nothing, and its [`is_terminated`](FusedFuture::is_terminated) says whether it has returned `Ready`.
    ///
    /// # Panics
    ///
    /// When polled again after it has returned `Ready`. A poll also panics if a waker of this task does (cloned or dropped):
    /// no permit is lost then.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has completed, it leaves the line. If it had been given a permit already, the room goes to the sender
    /// that has waited longest.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(2);
    /// let permits = tx.reserve_many(10).await?;
    /// assert_eq!(permits.len(), 2);
    /// for (permit, message) in permits.zip(["a", "b", "c"]) {
    ///     permit.send(message)?;
    /// }
    /// assert_eq!(rx.drain().collect::<String>(), "ab");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use = "a future does nothing unless it is awaited: `.await` it in a task, call `.wait()` in a thread, or use `hchan::blocking`"]
    pub struct ReserveManyFuture<'a, T> {
        sender: &'a Sender<T>,
        #[pin]
        op: BareOp<&'a TypedChan<T>, T>,
        limit: usize,
        terminated: bool,
    }
}

impl<'a, T> ReserveManyFuture<'a, T> {
    pub(crate) fn new(sender: &'a Sender<T>, limit: usize) -> Self {
        Self {
            sender,
            op: BareOp::new(sender.chan(), Kind::Reserve),
            limit,
            terminated: false,
        }
    }

    /// Gives up when `stop`, any future, completes.
    ///
    /// A `stop` that is complete at the first poll wins before anything was done. Later, permits that have been given out are
    /// returned, even if `stop` has completed, too.
    ///
    /// # Errors
    ///
    /// [`SendTimeoutError`]. With `Timeout` no place has been taken.
    ///
    /// # Cancel safety
    ///
    /// As for the future itself.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, _rx) = hchan::bounded::<u8>(1);
    /// assert!(tx.reserve_many(2).until(std::future::ready(())).await.unwrap_err().is_timeout());
    /// assert!(!tx.is_full());
    /// # });
    /// ```
    pub fn until<S: IntoFuture>(self, stop: S) -> Until<Self, S::IntoFuture> {
        Until::new(self, stop.into_future())
    }

    /// Adds the permits that can be had at once to the one for which it was parked.
    fn finish(
        self: Pin<&mut Self>,
        first: Result<(), SendError<()>>,
    ) -> Result<Permits<'a, T>, SendError<()>> {
        let this = self.project();
        *this.terminated = true;
        first?;
        let mut permits = Permits::none(this.sender);
        permits.count = 1;
        permits.reserve(*this.limit);
        Ok(permits)
    }

    /// A request for none is granted without looking at the channel.
    fn grant_none(self: Pin<&mut Self>) -> Permits<'a, T> {
        let this = self.project();
        *this.terminated = true;
        Permits::none(this.sender)
    }
}

#[cfg(feature = "std")]
impl<'a, T> ReserveManyFuture<'a, T> {
    /// Blocks the thread until there is room.
    ///
    /// # Errors
    ///
    /// [`SendError`], if the channel is or gets closed.
    ///
    /// # Blocking
    ///
    /// Not for use in a task: it would stall the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::bounded::<u8>(3);
    /// assert_eq!(tx.reserve_many(2).wait().unwrap().len(), 2);
    /// ```
    pub fn wait(self) -> Result<Permits<'a, T>, SendError<()>> {
        wait(pin!(self))
    }

    /// As [`wait`](Self::wait), for no longer than `timeout`; tries at least once. `Duration::MAX` means for ever.
    ///
    /// # Errors
    ///
    /// [`SendTimeoutError`]. With `Timeout` no place has been taken.
    ///
    /// # Blocking
    ///
    /// Not for use in a task: it would stall the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (tx, _rx) = hchan::bounded::<u8>(0);
    /// assert!(tx.reserve_many(2).wait_timeout(Duration::from_millis(1)).unwrap_err().is_timeout());
    /// ```
    pub fn wait_timeout(self, timeout: Duration) -> Result<Permits<'a, T>, SendTimeoutError<()>> {
        wait_timeout(pin!(self), timeout)
    }

    /// As [`wait`](Self::wait), until `deadline` at most; tries at least once.
    ///
    /// # Errors
    ///
    /// [`SendTimeoutError`]. With `Timeout` no place has been taken.
    ///
    /// # Blocking
    ///
    /// Not for use in a task: it would stall the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let (tx, _rx) = hchan::bounded::<u8>(0);
    /// let soon = Instant::now() + Duration::from_millis(1);
    /// assert!(tx.reserve_many(2).wait_deadline(soon).unwrap_err().is_timeout());
    /// ```
    pub fn wait_deadline(self, deadline: Instant) -> Result<Permits<'a, T>, SendTimeoutError<()>> {
        wait_deadline(pin!(self), deadline)
    }
}

impl<'a, T> Future for ReserveManyFuture<'a, T> {
    type Output = Result<Permits<'a, T>, SendError<()>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(
            !self.terminated,
            "a request for permits was polled again after it had completed"
        );
        if self.limit == 0 {
            return Poll::Ready(Ok(self.grant_none()));
        }
        let first = ready!(self.as_mut().project().op.poll(cx));
        Poll::Ready(self.finish(first))
    }
}

impl<'a, T> Limit for ReserveManyFuture<'a, T> {
    type Limited = Result<Permits<'a, T>, SendTimeoutError<()>>;
}

impl<'a, T> Wait for ReserveManyFuture<'a, T> {
    fn attempt(mut self: Pin<&mut Self>) -> Option<Self::Output> {
        if self.limit == 0 {
            return Some(Ok(self.grant_none()));
        }
        let first = self.as_mut().project().op.attempt()?;
        Some(self.finish(first))
    }

    #[cfg(feature = "std")]
    fn spin_target(self: Pin<&Self>) -> Option<SpinTarget<'_>> {
        Some(self.project_ref().op.erased().spin_target())
    }

    fn cancel(mut self: Pin<&mut Self>) -> Option<Self::Output> {
        let first = self.as_mut().project().op.cancel()?;
        Some(self.finish(first))
    }

    fn limited(self: Pin<&mut Self>, output: Option<Self::Output>) -> Self::Limited {
        match output {
            Some(reserved) => Ok(reserved?),
            None => Err(SendTimeoutError::Timeout(())),
        }
    }
}

impl<T> FusedFuture for ReserveManyFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.terminated
    }
}

impl<T> fmt::Debug for ReserveManyFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReserveManyFuture")
            .field("terminated", &self.terminated)
            .finish_non_exhaustive()
    }
}

/// Several permits, as an iterator; made by [`Sender::reserve_many`](crate::Sender::reserve_many) and
/// [`Sender::try_reserve_many`](crate::Sender::try_reserve_many).
///
/// Dropping it gives up the permits that were not taken out.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded(3);
/// let mut permits = tx.try_reserve_many(3).unwrap();
/// permits.next().unwrap().send("one is enough").unwrap();
/// assert_eq!((permits.len(), tx.room()), (2, Some(0)));
/// drop(permits);
/// assert_eq!((rx.len(), tx.room()), (1, Some(2)));
/// ```
#[doc(alias = "PermitIterator")]
#[must_use = "permits that are dropped give their places to other senders"]
pub struct Permits<'a, T> {
    sender: &'a Sender<T>,
    count: usize,
}

impl<'a, T> Permits<'a, T> {
    pub(crate) fn none(sender: &'a Sender<T>) -> Self {
        Self { sender, count: 0 }
    }

    /// Takes permits while there is room, until there are `limit`; says why there are no more.
    pub(crate) fn reserve(&mut self, limit: usize) -> ReserveOutcome {
        while self.count < limit {
            match self.sender.chan().reserve() {
                ReserveOutcome::Reserved => self.count += 1,
                end => return end,
            }
        }
        ReserveOutcome::Reserved
    }

    /// The sender whose permits they are.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::bounded::<u8>(3);
    /// let permits = tx.try_reserve_many(3).unwrap();
    /// assert!(permits.sender().same_channel(&tx));
    /// ```
    pub fn sender(&self) -> &'a Sender<T> {
        self.sender
    }
}

impl<'a, T> Iterator for Permits<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Permit<'a, T>> {
        self.count = self.count.checked_sub(1)?;
        Some(Permit::new(self.sender))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count, Some(self.count))
    }
}

impl<T> ExactSizeIterator for Permits<'_, T> {}
impl<T> FusedIterator for Permits<'_, T> {}

/// Gives all places up, whatever some of the wakers do. Panics if one of them did, unless the thread is panicking already.
impl<T> Drop for Permits<'_, T> {
    fn drop(&mut self) {
        let mut panics = Panics::default();
        panics.catch_each(|| self.next().map(drop).is_some());
        panics.resume();
    }
}

impl<T> fmt::Debug for Permits<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permits")
            .field("len", &self.count)
            .field("sender", self.sender)
            .finish()
    }
}
