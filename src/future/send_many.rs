//! A send of many messages.

#![forbid(unsafe_code)]

use core::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use super::batch::Batch;
use super::surface::surface;
use crate::{
    chan::SendOutcome,
    chan::TypedChan,
    coop::{self, Payer},
    error::{SendManyError, SendTimeoutError, TrySendError},
    op::{Polled, SendOp},
    probe::Site,
    thread::Wait,
};

pin_project! {
    /// A send of all messages of an iterator; made by [`Sender::send_many`](crate::Sender::send_many).
    ///
    /// It takes messages out of the iterator as there is room for them, at most one more, and parks with that one. If other
    /// senders take the room before the messages are sent, it keeps these and parks with the first. The iterator runs while the
    /// future is polled, and with no lock held. With the feature `tokio` it may [yield](crate#yielding) between two steps, when it
    /// is not parked.
    ///
    /// It allocates at most once, and its [`is_terminated`](FusedFuture::is_terminated) says whether it has returned
    /// `Ready`.
    ///
    /// # Panics
    ///
    /// When polled again after it has returned `Ready`. A poll also panics if the iterator does, or a waker, of this task
    /// (cloned or dropped) or of a peer (woken): it can be polled again then, and goes on where it was.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has completed, what was sent stays sent. What has been taken out of the iterator and not been sent is
    /// dropped with it; an iterator that was lent (`&mut iter`) keeps the rest.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(2);
    /// let sending = tx.send_many(1..=5);
    /// let receiving = async {
    ///     let mut received = Vec::new();
    ///     while received.len() < 5 {
    ///         rx.recv_many(&mut received, 10).await.unwrap();
    ///     }
    ///     received
    /// };
    /// let (sent, received) = futures::join!(sending, receiving);
    /// assert_eq!((sent.unwrap(), received), (5, vec![1, 2, 3, 4, 5]));
    /// # });
    /// ```
    #[must_use = "a future does nothing unless it is awaited: `.await` it in a task, call `.wait()` in a thread, or use `hchan::blocking`"]
    pub struct SendManyFuture<'a, I: Iterator> {
        chan: &'a TypedChan<I::Item>,
        // The send of the message for which there was no room; finished if there is none.
        #[pin]
        op: SendOp<&'a TypedChan<I::Item>, I::Item>,
        // `None` once it is all over.
        batch: Option<Batch<I>>,
    }
}

impl<'a, I: Iterator> SendManyFuture<'a, I> {
    pub(crate) fn new(chan: &'a TypedChan<I::Item>, iter: I, site: Site) -> Self {
        Self {
            chan,
            op: SendOp::empty(chan, site),
            batch: Some(Batch::new(iter)),
        }
    }

    fn poll_sends(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<usize, SendManyError<I>>> {
        let mut this = self.project();
        let batch = this.batch.as_mut();
        let batch = batch.expect("a send of many was polled again after it had completed");
        loop {
            if !this.op.is_finished() {
                match this.op.as_mut().poll(cx) {
                    Polled::Pending => return Poll::Pending,
                    Polled::Done => {}
                    Polled::Closed => batch.pulled().extend(this.op.as_mut().take_unsent()),
                }
            }
            match send(this.chan, batch, Payer::task(cx)) {
                SendOutcome::Full => {
                    let first = batch.pulled().pop();
                    this.op
                        .as_mut()
                        .load(first.expect("a send fails with its message"));
                }
                SendOutcome::Sent(_) if coop::is_spent() && !batch.is_over() => {
                    return Poll::Pending;
                }
                SendOutcome::Sent(_) => {
                    let sent = batch.passed_on();
                    *this.batch = None;
                    return Poll::Ready(Ok(sent));
                }
                SendOutcome::Closed => {
                    return Poll::Ready(Err(unsent(this.batch).expect("it is not over")));
                }
            }
        }
    }
}

surface! {
    impl['a, I: Iterator] SendManyFuture<'a, I>;
    until "all messages are sent";
    output Result<usize, SendManyError<I>>, "[`SendManyError`], if the channel is or gets closed.";
    limited Result<usize, SendTimeoutError<SendManyError<I>>>,
        "[`SendTimeoutError`] with a [`SendManyError`], which has the messages that have not been sent.";
    until;
    wait "let (tx, rx) = hchan::bounded(1);
let receiving = std::thread::spawn(move || rx.iter_blocking().sum::<u32>());
assert_eq!(tx.send_many(1..=100).wait().unwrap(), 100);
drop(tx);
assert_eq!(receiving.join().unwrap(), 5050);";
    wait_timeout;
    wait_deadline;
    gives_up "let (tx, _rx) = hchan::bounded(0);",
        "let error = tx.send_many(1..=3)", ".unwrap_err();
assert!(error.is_timeout());
assert_eq!(error.into_inner().rest.collect::<Vec<_>>(), [1, 2, 3]);";
}

/// Sends the messages of a batch while there is room; `Sent`: that was all, or all that the budget allows.
fn send<I: Iterator>(
    chan: &TypedChan<I::Item>,
    batch: &mut Batch<I>,
    mut payer: Payer<'_, '_>,
) -> SendOutcome {
    while payer.may_go_on() && batch.pull(|| chan.room()) {
        payer.pay();
        match chan.send_many(batch.pulled()) {
            SendOutcome::Sent(_) => {}
            end => return end,
        }
    }
    SendOutcome::Sent(None)
}

fn unsent<I: Iterator>(batch: &mut Option<Batch<I>>) -> Option<SendManyError<I>> {
    let batch = batch.take()?;
    Some(SendManyError {
        sent: batch.passed_on(),
        rest: batch.into_unsent(),
    })
}

pub(crate) fn try_send_many<I: Iterator>(
    chan: &TypedChan<I::Item>,
    iter: I,
) -> Result<usize, TrySendError<SendManyError<I>>> {
    let mut batch = Some(Batch::new(iter));
    let step = batch
        .as_mut()
        .map(|batch| send(chan, batch, Payer::nobody()));
    match (step, unsent(&mut batch)) {
        (Some(SendOutcome::Full), Some(unsent)) => Err(TrySendError::Full(unsent)),
        (Some(SendOutcome::Closed), Some(unsent)) => Err(TrySendError::Closed(unsent)),
        (_, unsent) => Ok(unsent.map_or(0, |unsent| unsent.sent)),
    }
}

impl<I: Iterator> Future for SendManyFuture<'_, I> {
    type Output = Result<usize, SendManyError<I>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_sends(cx)
    }
}

impl<I: Iterator> Wait for SendManyFuture<'_, I> {
    fn cancel(self: Pin<&mut Self>) -> Option<Self::Output> {
        let mut this = self.project();
        let withdrawn = this.op.as_mut().cancel();
        let batch = this.batch.as_mut()?;
        if withdrawn != Polled::Done {
            batch.pulled().extend(this.op.take_unsent());
        }
        if withdrawn == Polled::Closed {
            return unsent(this.batch).map(Err);
        }
        // Its last message may have been sent, and the iterator not been asked again.
        if batch.passed_on() == 0 || batch.pull(|| 1) {
            return None;
        }
        let sent = batch.passed_on();
        *this.batch = None;
        Some(Ok(sent))
    }

    fn limited(self: Pin<&mut Self>, output: Option<Self::Output>) -> Self::Limited {
        match output {
            Some(Ok(sent)) => Ok(sent),
            Some(Err(unsent)) => Err(SendTimeoutError::Closed(unsent)),
            None => {
                let unsent = unsent(self.project().batch);
                Err(SendTimeoutError::Timeout(unsent.expect("it is not over")))
            }
        }
    }
}

impl<I: Iterator> FusedFuture for SendManyFuture<'_, I> {
    fn is_terminated(&self) -> bool {
        self.batch.is_none()
    }
}
