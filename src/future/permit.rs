//! Room first, then the message: permits to send.

#![forbid(unsafe_code)]

use core::{
    fmt,
    mem::ManuallyDrop,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use super::surface::surface;
use crate::{
    chan::TypedChan,
    coop::within_budget,
    error::{SendError, SendTimeoutError},
    op::{BareOp, OpRef},
    probe::Site,
    select::AsOperation,
    sender::Sender,
    thread::Wait,
    waiter::Kind,
};

pin_project! {
    /// A request for the right to send one message; made by [`Sender::reserve`](crate::Sender::reserve).
    ///
    /// It waits in one line with the sends, in the order in which they came. Once it has parked it may be granted at any time, and
    /// that is a commitment: the room is held until it is polled or dropped. Do not keep a parked request unpolled while the same
    /// task, or others, wait for room in the channel: drop it.
    ///
    /// It allocates nothing, and its [`is_terminated`](FusedFuture::is_terminated) says whether it has returned `Ready`.
    ///
    /// # Panics
    ///
    /// When polled again after it has returned `Ready`. A poll also panics if a waker of this task does (cloned or dropped):
    /// no permit is lost then. Its drop panics if a waker does, its own (dropped) or that of an operation which gets the room
    /// (woken).
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has completed, it leaves the line. If it had been given its permit already, the room goes to
    /// the operation that has waited longest. That holds for the arm of a [`Select`](crate::Select), too.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// let first = tx.reserve().await?;
    /// let mut second = Box::pin(tx.reserve());
    /// assert!(futures::poll!(&mut second).is_pending());
    ///
    /// first.send("hello")?;
    /// assert_eq!(rx.recv().await, Ok("hello"));
    /// second.await?.send("again")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use = "a future does nothing unless it is awaited: `.await` it in a task, call `.wait()` in a thread, or use `hchan::blocking`"]
    pub struct ReserveFuture<'a, T> {
        sender: &'a Sender<T>,
        #[pin]
        op: BareOp<&'a TypedChan<T>, T>,
    }
}

impl<'a, T> ReserveFuture<'a, T> {
    pub(crate) fn new(sender: &'a Sender<T>, site: Site) -> Self {
        Self {
            sender,
            op: BareOp::new(sender.chan(), Kind::Reserve, site),
        }
    }

    /// Takes the permit, if it has been given out already; `None` if it has not, or if it was taken before.
    ///
    /// [`Select`](crate::Select) tells which of its arms has happened, and this is how a thread gets what that arm has come to. It
    /// never waits, parks or panics. `Some` counts as `Ready`, so the future is terminated then; `None` changes nothing.
    ///
    /// # Errors
    ///
    /// [`SendError`], if the channel was closed.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::pin::pin;
    ///
    /// let (tx, rx) = hchan::bounded(1);
    /// let mut reserve = pin!(tx.reserve());
    /// let mut select = hchan::Select::new();
    /// select.arm(reserve.as_mut());
    /// assert_eq!(select.try_now(), Some(0));
    ///
    /// let permit = reserve.take_output().expect("it has happened").unwrap();
    /// permit.send("hello").unwrap();
    /// assert_eq!(rx.try_recv(), Ok("hello"));
    /// ```
    pub fn take_output(self: Pin<&mut Self>) -> Option<Result<Permit<'a, T>, SendError<()>>> {
        let this = self.project();
        let reserved = this.op.take_output()?;
        Some(reserved.map(|()| Permit::new(this.sender)))
    }
}

surface! {
    impl['a, T] ReserveFuture<'a, T>;
    until "there is room";
    output Result<Permit<'a, T>, SendError<()>>, "[`SendError`], if the channel is or gets closed.";
    limited Result<Permit<'a, T>, SendTimeoutError<()>>,
        "[`SendTimeoutError`]. With `Timeout` no place has been taken.";
    until;
    wait "let (tx, rx) = hchan::bounded(1);
tx.reserve().wait().unwrap().send(7).unwrap();
assert_eq!(rx.try_recv(), Ok(7));";
    wait_timeout;
    wait_deadline;
    gives_up "let (tx, _rx) = hchan::bounded::<u8>(0);",
        "assert!(tx.reserve()", ".unwrap_err().is_timeout());";
}

impl<'a, T> Future for ReserveFuture<'a, T> {
    type Output = Result<Permit<'a, T>, SendError<()>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let reserved = ready!(within_budget!(cx, if this.op.is_idle() => this.op.poll(cx)));
        Poll::Ready(reserved.map(|()| Permit::new(this.sender)))
    }
}

impl<'a, T> Wait for ReserveFuture<'a, T> {
    fn attempt(self: Pin<&mut Self>) -> Option<Self::Output> {
        let this = self.project();
        let reserved = this.op.attempt()?;
        Some(reserved.map(|()| Permit::new(this.sender)))
    }

    #[cfg(feature = "std")]
    fn waited(self: Pin<&Self>) -> Option<OpRef<'_>> {
        Some(self.project_ref().op.erased())
    }

    fn cancel(self: Pin<&mut Self>) -> Option<Self::Output> {
        let this = self.project();
        let reserved = this.op.cancel()?;
        Some(reserved.map(|()| Permit::new(this.sender)))
    }

    fn limited(self: Pin<&mut Self>, output: Option<Self::Output>) -> Self::Limited {
        match output {
            Some(reserved) => Ok(reserved?),
            None => Err(SendTimeoutError::Timeout(())),
        }
    }
}

impl<T> AsOperation for ReserveFuture<'_, T> {
    fn operation(self: Pin<&mut Self>) -> Option<OpRef<'_>> {
        Some(self.into_ref().project_ref().op.erased())
    }
}

impl<T> FusedFuture for ReserveFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.op.is_finished()
    }
}

/// The right to send one message without waiting; made by [`Sender::reserve`](crate::Sender::reserve) and
/// [`Sender::try_reserve`](crate::Sender::try_reserve).
///
/// A permit takes a place, as the message will: no send and no other permit can take it. At capacity 0, or when the buffer
/// is full of messages and permits, it counts on a parked receiver instead. If that one leaves before the message is sent, the
/// message waits in the channel for the next, beyond its capacity.
///
/// A permit is good until it is used or dropped, or the channel closes: then its send fails, with the message. (tokio's `mpsc`
/// lets permits send after a `close`; here a closed channel takes no more messages.)
///
/// Dropping a permit gives the place on, to the operation that has waited longest. Forgetting it (`mem::forget`) takes the place
/// for ever.
///
/// # What a permit holds up
///
/// As long as a permit is out its room is nobody else's, whether the permit is used soon or not. That holds for a permit in a
/// variable, for one that was granted to a [`reserve`](crate::Sender::reserve) which is not polled, and for that of a
/// [sink](crate#features) which is ready. In a small channel this can lock the program out:
///
/// - While more permits are out than the capacity, the surplus permits count on receives, and as many receives leave parked
///   sends alone: [`try_recv`](crate::Receiver::try_recv), [`drain`](crate::Receiver::drain) and a select's `default` find
///   nothing, and [`recv`](crate::Receiver::recv) waits for the message of a permit. At capacity 0 that takes one permit,
///   whose receiver has left.
/// - So a receiver that keeps a permit of its own channel, and waits for a message before it uses the permit, can wait for
///   ever at capacity 0. At capacity 1, where its permit takes the only place, its `try_recv` finds nothing as long as a
///   request for a permit is the first in the line.
/// - A task that keeps a request or a sink that has been granted room, and sends to the channel by other means, can wait for
///   itself.
///
/// Use a permit, or drop it, before you wait for anything else that has to do with its channel.
///
/// # Examples
///
/// What is costly to make, or cannot be put back, is made only when there is room for it:
///
/// ```
/// let (tx, rx) = hchan::bounded(1);
/// let mut queue = vec!["a", "b"];
/// while let Ok(permit) = tx.try_reserve() {
///     permit.send(queue.remove(0)).unwrap();
/// }
/// assert_eq!((rx.try_recv(), queue), (Ok("a"), vec!["b"]));
/// ```
#[must_use = "a permit that is dropped gives its place to somebody else"]
pub struct Permit<'a, T> {
    sender: &'a Sender<T>,
}

impl<'a, T> Permit<'a, T> {
    /// One that the channel has given out.
    pub(crate) fn new(sender: &'a Sender<T>) -> Self {
        Self { sender }
    }

    /// Sends a message: to the receiver that has been parked longest, or behind all messages of the channel. It never waits for
    /// a peer. At capacity 0 the message may have to wait in the channel, if the receiver has left on which the permit counted.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the message, if the channel is closed, also if it was closed after the permit was given out.
    ///
    /// # Panics
    ///
    /// If the waker of the receiver that gets the message panics; the message is sent then.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// let permit = tx.try_reserve().unwrap();
    /// assert!(tx.try_send("no room").is_err());
    /// permit.send("reserved").unwrap();
    /// assert_eq!(rx.try_recv(), Ok("reserved"));
    /// ```
    pub fn send(self, message: T) -> Result<(), SendError<T>> {
        let this = ManuallyDrop::new(self);
        this.sender.chan().send_permitted(message)
    }

    /// The sender whose permit it is.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::bounded::<u8>(1);
    /// let permit = tx.try_reserve().unwrap();
    /// assert_eq!(permit.sender().permit_count(), 1);
    /// ```
    #[doc(alias = "same_channel_as_sender")]
    pub fn sender(&self) -> &'a Sender<T> {
        self.sender
    }

    /// Makes it a permit that borrows nothing, with a sender of its own.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// let permit = tx.try_reserve().unwrap().into_owned();
    /// drop(tx);
    /// std::thread::spawn(move || permit.send("from elsewhere"));
    /// assert_eq!(rx.recv_blocking(), Ok("from elsewhere"));
    /// ```
    #[doc(alias("reserve_owned", "try_reserve_owned"))]
    pub fn into_owned(self) -> OwnedPermit<T> {
        let this = ManuallyDrop::new(self);
        OwnedPermit {
            sender: Some(this.sender.clone()),
        }
    }
}

/// Gives the place on. Panics if a waker does, unless the thread is panicking already.
impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        self.sender.chan().release_permit();
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("sender", self.sender)
            .finish()
    }
}

/// A [`Permit`] with a sender of its own; made by [`Permit::into_owned`].
///
/// It keeps the channel open, as every sender does.
///
/// # Examples
///
/// A request takes its place with it, through whichever tasks it passes:
///
/// ```
/// struct Request {
///     reply: hchan::OwnedPermit<u32>,
/// }
///
/// # futures::executor::block_on(async {
/// let (tx, rx) = hchan::bounded(8);
/// let request = Request { reply: tx.reserve().await?.into_owned() };
/// let (_tx, sent) = request.reply.send(42);
/// sent.unwrap();
/// assert_eq!(rx.recv().await, Ok(42));
/// # Ok::<(), hchan::SendError<()>>(())
/// # }).unwrap();
/// ```
#[must_use = "a permit that is dropped gives its place to somebody else"]
pub struct OwnedPermit<T> {
    /// `None` once the permit is used.
    sender: Option<Sender<T>>,
}

impl<T> OwnedPermit<T> {
    /// As [`Permit::send`]; gives the sender back with the result, as [`Sender::into_send`] does.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the message, if the channel is closed.
    ///
    /// # Panics
    ///
    /// If the waker of the receiver that gets the message panics; the message is sent then.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// let permit = tx.try_reserve().unwrap().into_owned();
    /// let (tx, sent) = permit.send(1);
    /// assert_eq!((sent, tx.len()), (Ok(()), 1));
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// ```
    #[must_use = "a send may fail, and its sender keeps the channel open only as long as it is kept"]
    pub fn send(mut self, message: T) -> (Sender<T>, Result<(), SendError<T>>) {
        let sender = self.take();
        let sent = sender.chan().send_permitted(message);
        (sender, sent)
    }

    /// The sender that it has.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::bounded::<u8>(1);
    /// let permit = tx.try_reserve().unwrap().into_owned();
    /// assert!(permit.sender().same_channel(&tx));
    /// ```
    #[doc(alias = "same_channel_as_sender")]
    pub fn sender(&self) -> &Sender<T> {
        self.sender.as_ref().expect("a permit is used once")
    }

    /// Gives the place on, and the sender back.
    ///
    /// # Panics
    ///
    /// If the waker of who gets the place panics.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, _rx) = hchan::bounded::<u8>(1);
    /// let permit = tx.try_reserve().unwrap().into_owned();
    /// assert!(tx.is_full());
    /// let tx = permit.release();
    /// assert!(!tx.is_full());
    /// ```
    pub fn release(mut self) -> Sender<T> {
        let sender = self.take();
        sender.chan().release_permit();
        sender
    }

    fn take(&mut self) -> Sender<T> {
        self.sender.take().expect("a permit is used once")
    }
}

/// Gives the place on. Panics if a waker does, unless the thread is panicking already.
impl<T> Drop for OwnedPermit<T> {
    fn drop(&mut self) {
        if let Some(sender) = self.sender.take() {
            sender.chan().release_permit();
        }
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPermit")
            .field("sender", &self.sender)
            .finish()
    }
}
