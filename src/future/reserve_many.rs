//! Several permits at once.

#![forbid(unsafe_code)]

use core::{
    fmt,
    iter::FusedIterator,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use super::surface::surface;
#[cfg(feature = "std")]
use crate::op::OpRef;
use crate::{
    chan::{ReserveOutcome, TypedChan},
    coop::within_budget,
    error::{SendError, SendTimeoutError},
    future::Permit,
    op::BareOp,
    probe::Site,
    sender::Sender,
    thread::Wait,
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
    pub(crate) fn new(sender: &'a Sender<T>, limit: usize, site: Site) -> Self {
        Self {
            sender,
            op: BareOp::new(sender.chan(), Kind::Reserve, site),
            limit,
            terminated: false,
        }
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

surface! {
    impl['a, T] ReserveManyFuture<'a, T>;
    until "there is room";
    output Result<Permits<'a, T>, SendError<()>>, "[`SendError`], if the channel is or gets closed.";
    limited Result<Permits<'a, T>, SendTimeoutError<()>>,
        "[`SendTimeoutError`]. With `Timeout` no place has been taken.";
    until;
    wait "let (tx, _rx) = hchan::bounded::<u8>(3);
assert_eq!(tx.reserve_many(2).wait().unwrap().len(), 2);";
    wait_timeout;
    wait_deadline;
    gives_up "let (tx, _rx) = hchan::bounded::<u8>(0);",
        "assert!(tx.reserve_many(2)", ".unwrap_err().is_timeout());";
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
        let op = self.as_mut().project().op;
        let first = ready!(within_budget!(cx, if op.is_idle() => op.poll(cx)));
        Poll::Ready(self.finish(first))
    }
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
    fn waited(self: Pin<&Self>) -> Option<OpRef<'_>> {
        Some(self.project_ref().op.erased())
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
