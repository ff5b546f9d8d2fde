//! A sender as a sink.

#![forbid(unsafe_code)]

use alloc::boxed::Box;
use core::{
    fmt, mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_sink::Sink;

use crate::{
    error::SendError,
    operation::ReserveOp,
    sender::Sender,
    shared::{Shared, wake},
    step::{ReserveStep, SendStep},
    sync::Arc,
};

/// A sender as a [`Sink`]; made by [`Sender::sink`] and [`Sender::into_sink`].
///
/// It is ready when it holds a permit (see [`Permit`](crate::Permit)), which the next message uses. So a sink fills the channel
/// beyond its capacity only if the permit counted on a receiver who has left since, and it waits in one line with the sends.
/// What it has been given is in the channel at once: there is nothing to flush. At capacity 0, too, `send` of a sink does not wait
/// until a receiver has the message.
///
/// Closing it (`close`, and `forward` when its stream ends) gives its sender and its permit up. It never closes the channel,
/// unless that was the last sender.
///
/// A sink that is ready keeps its permit until it is used, closed or dropped: do not keep one unused while others wait for
/// room, the same task among them (see [what a permit holds up](crate::Permit#what-a-permit-holds-up)). The same holds for a sink
/// that was polled and not ready, as it may be granted a permit at any time. A clone starts without a permit: services that are
/// polled for readiness, cloned and called, as tower's are, work.
///
/// It is `Unpin`. It allocates once in its life, when it has to wait for the first time.
///
/// # Errors
///
/// [`SendError`] with the message, from `start_send`, if the channel is closed; without one, from `poll_ready`, if the channel or
/// the sink is.
///
/// `send`, `feed` and `send_all` of [`SinkExt`](https://docs.rs/futures/latest/futures/sink/trait.SinkExt.html), and `forward`,
/// own the item while they wait until the sink is ready. If it never will be, because the channel is closed, they drop the item
/// and return an error without it. Where an item must not be lost, use [`Sender::send`], whose error has the message;
/// [`Sender::send_from`], which leaves it in its `Option`; [`Sender::reserve`], which takes the message only once there is
/// room; or wait until `poll_ready` has returned `Ready(Ok(()))` and call `start_send`, whose error has the message.
///
/// # Panics
///
/// `start_send` panics if it does not come after a `poll_ready` that returned `Ready(Ok(()))`. It also panics if the waker of
/// the receiver that gets the message does; the message is sent then.
///
/// # Cancel safety
///
/// Dropping a future that borrows the sink (`send`, `feed`) before it has completed drops its message, unless that was sent. The
/// sink keeps its place in the line, or its permit.
///
/// # Examples
///
/// ```
/// use futures::{SinkExt, StreamExt, stream};
///
/// # futures::executor::block_on(async {
/// let (tx, rx) = hchan::bounded(1);
/// let forwarding = stream::iter(1..=3).map(Ok).forward(tx.into_sink());
/// let receiving = rx.stream().collect::<Vec<_>>();
/// let (forwarded, received) = futures::join!(forwarding, receiving);
/// forwarded.unwrap();
/// assert_eq!(received, [1, 2, 3]);
/// # });
/// ```
#[must_use = "sinks do nothing unless polled"]
pub struct SendSink<'a, T> {
    op: Option<Pin<Box<OwnedReserveOp<T>>>>,
    has_permit: bool,
    /// `None` once the sink is closed.
    sender: Option<Handle<'a, T>>,
}

type OwnedReserveOp<T> = ReserveOp<Arc<Shared<T>>, T>;

enum Handle<'a, T> {
    Borrowed(&'a Sender<T>),
    Owned(Sender<T>),
}

impl<T> Handle<'_, T> {
    fn shared(&self) -> &Arc<Shared<T>> {
        match self {
            Self::Borrowed(sender) => sender.shared(),
            Self::Owned(sender) => sender.shared(),
        }
    }
}

impl<'a, T> SendSink<'a, T> {
    pub(crate) fn borrowed(sender: &'a Sender<T>) -> Self {
        Self::new(Some(Handle::Borrowed(sender)))
    }

    pub(crate) fn owned(sender: Sender<T>) -> Self {
        Self::new(Some(Handle::Owned(sender)))
    }

    fn new(sender: Option<Handle<'a, T>>) -> Self {
        Self {
            op: None,
            has_permit: false,
            sender,
        }
    }

    fn poll_permit(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError<()>>> {
        let Some(sender) = &self.sender else {
            return Poll::Ready(Err(SendError(())));
        };
        if self.has_permit {
            return Poll::Ready(Ok(()));
        }
        if self.op.is_none() {
            // Without an operation yet, so that a sink that never waits never allocates.
            match sender.shared().reserve() {
                ReserveStep::Reserved => {
                    self.has_permit = true;
                    return Poll::Ready(Ok(()));
                }
                ReserveStep::Closed => return Poll::Ready(Err(SendError(()))),
                ReserveStep::Full => {}
            }
        }
        let op = self
            .op
            .get_or_insert_with(|| Box::pin(ReserveOp::new(Arc::clone(sender.shared()))));
        let reserved = ready!(op.as_mut().poll(cx));
        op.as_mut().renew();
        self.has_permit = reserved.is_ok();
        Poll::Ready(reserved)
    }

    /// Leaves the line, and gives up the permit if it has one.
    fn give_up(&mut self) {
        self.op = None;
        if let (true, Some(sender)) = (mem::take(&mut self.has_permit), &self.sender) {
            sender.shared().release_permit();
        }
    }
}

/// Gives up its place in the line, or its permit. Panics if a waker does, unless the thread is panicking already.
impl<T> Drop for SendSink<'_, T> {
    fn drop(&mut self) {
        self.give_up();
    }
}

impl<T> Sink<T> for SendSink<'_, T> {
    type Error = SendError<Option<T>>;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let ready = self.get_mut().poll_permit(cx);
        ready.map_err(|SendError(())| SendError(None))
    }

    fn start_send(self: Pin<&mut Self>, message: T) -> Result<(), Self::Error> {
        let this = self.get_mut();
        assert!(
            mem::take(&mut this.has_permit),
            "`start_send` comes after `poll_ready` has said that the sink is ready"
        );
        let sender = this.sender.as_ref();
        let shared = sender.expect("a closed sink has no permit").shared();
        let mut slot = Some(message);
        match shared.send_permitted(|| slot.take().expect("a message is sent once")) {
            SendStep::Sent(waker) => {
                wake(waker);
                Ok(())
            }
            SendStep::Full | SendStep::Closed => Err(SendError(slot)),
        }
    }

    /// Always ready: what was sent is in the channel.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    /// Always ready: gives up the permit and the sender.
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let this = self.get_mut();
        this.give_up();
        this.sender = None;
        Poll::Ready(Ok(()))
    }
}

/// A sink of the same channel, without a permit; of a closed sink, a closed one.
impl<T> Clone for SendSink<'_, T> {
    fn clone(&self) -> Self {
        Self::new(self.sender.as_ref().map(|sender| match sender {
            Handle::Borrowed(sender) => Handle::Borrowed(sender),
            Handle::Owned(sender) => Handle::Owned(sender.clone()),
        }))
    }
}

impl<T> fmt::Debug for SendSink<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendSink")
            .field("closed", &self.sender.is_none())
            .field("has_permit", &self.has_permit)
            .finish_non_exhaustive()
    }
}
