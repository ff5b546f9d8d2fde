//! A send that leaves the message with its caller if it does not happen.

#![forbid(unsafe_code)]

use core::{
    pin::Pin,
    task::{Context, Poll},
};
#[cfg(feature = "std")]
use std::time::Instant;

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use super::surface::surface;
use crate::{
    chan::TypedChan,
    coop::within_budget,
    error::{SendError, SendTimeoutError},
    op::{OpRef, Polled, SendOp},
    probe::Site,
    select::AsOperation,
    thread::Wait,
};

pin_project! {
    /// A send of the message in an `Option`; made by [`Sender::send_from`](crate::Sender::send_from).
    ///
    /// When it is polled it takes the message out; when it fails or is dropped without having sent it, it puts the message
    /// back. So after it is gone the `Option` tells whether the message was sent, which makes it the send for `select!`
    /// macros, timeouts, and loops over them.
    ///
    /// Its [`is_terminated`](FusedFuture::is_terminated) says whether it has returned `Ready`, or had no message from the
    /// start: `select!` macros skip it then.
    ///
    /// # Panics
    ///
    /// When polled without a message from the start, or again after it has returned `Ready`. A poll also panics if a waker
    /// does, of this task (cloned or dropped) or of the peer's (woken): nothing is lost or left hanging then, and the send
    /// may have taken place.
    ///
    /// # Cancel safety
    ///
    /// Dropped before the message has been taken, it puts it back into the `Option`. If a receiver has taken the message,
    /// it was sent, and the `Option` is empty. A future that is forgotten (`mem::forget`) while parked keeps the message.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, _rx) = hchan::bounded(0);
    /// let mut message = Some("anyone?");
    /// {
    ///     let mut send = Box::pin(tx.send_from(&mut message));
    ///     assert!(futures::poll!(&mut send).is_pending());
    /// }
    /// assert_eq!(message, Some("anyone?"));
    /// # });
    /// ```
    #[must_use = "a future does nothing unless it is awaited: `.await` it in a task, call `.wait()` in a thread, or use `hchan::blocking`"]
    pub struct SendFromFuture<'a, T> {
        #[pin]
        op: SendOp<&'a TypedChan<T>, T>,
        message: &'a mut Option<T>,
        terminated: bool,
    }

    impl<T> PinnedDrop for SendFromFuture<'_, T> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this;
            let _target = this.as_mut().project().op.give_up();
            this.put_back();
        }
    }
}

impl<'a, T> SendFromFuture<'a, T> {
    pub(crate) fn new(chan: &'a TypedChan<T>, message: &'a mut Option<T>, site: Site) -> Self {
        let terminated = message.is_none();
        Self {
            op: SendOp::empty(chan, site),
            message,
            terminated,
        }
    }

    /// Takes the message out of the `Option`, unless that has been done.
    fn load(self: Pin<&mut Self>) {
        let this = self.project();
        if !*this.terminated && this.op.is_finished() {
            if let Some(message) = this.message.take() {
                this.op.load(message);
            }
        }
    }

    /// Puts a message that is still in the operation, which is not parked, back.
    fn put_back(self: Pin<&mut Self>) {
        let this = self.project();
        if let Some(message) = this.op.take_unsent() {
            **this.message = Some(message);
        }
    }

    /// Notes the end, and puts a message that was not sent back.
    fn end(mut self: Pin<&mut Self>, polled: Polled) -> Result<(), SendError<()>> {
        *self.as_mut().project().terminated = true;
        match polled {
            Polled::Done => Ok(()),
            Polled::Closed | Polled::Pending => {
                self.put_back();
                Err(SendError(()))
            }
        }
    }

    /// As `end`; `None` if it is pending.
    fn output(self: Pin<&mut Self>, polled: Polled) -> Option<Result<(), SendError<()>>> {
        match polled {
            Polled::Pending => None,
            polled => Some(self.end(polled)),
        }
    }

    /// Blocks the thread until the operation is over or given up.
    #[cfg(feature = "std")]
    fn wait_for_op(mut self: Pin<&mut Self>, deadline: impl FnOnce() -> Option<Instant>) -> Polled {
        assert!(
            !self.terminated,
            "a `send_from` was waited for without a message"
        );
        self.as_mut().load();
        self.project().op.wait(deadline)
    }

    /// Takes the result, if the send has happened already; `None` if it has not, or if its result was taken before.
    ///
    /// [`Select`](crate::Select) tells which of its arms has happened, and this is how a thread gets what that arm has come to. It
    /// never waits, parks or panics. `Some` counts as `Ready`, so the future is terminated then; `None` changes nothing.
    ///
    /// # Errors
    ///
    /// [`SendError`], if the channel was closed; the message is back in the `Option`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::pin::pin;
    ///
    /// let (tx, rx) = hchan::bounded(1);
    /// let mut message = Some("hello");
    /// let mut send = pin!(tx.send_from(&mut message));
    /// let mut select = hchan::Select::new();
    /// select.arm(send.as_mut());
    /// assert_eq!(select.try_now(), Some(0));
    /// assert_eq!(send.take_output(), Some(Ok(())));
    /// assert_eq!(rx.try_recv(), Ok("hello"));
    /// ```
    pub fn take_output(mut self: Pin<&mut Self>) -> Option<Result<(), SendError<()>>> {
        let polled = self.as_mut().project().op.take_output();
        self.output(polled)
    }
}

surface! {
    impl['a, T] SendFromFuture<'a, T>;
    until "the message is sent";
    output Result<(), SendError<()>>,
        "[`SendError`], if the channel is or gets closed; the message is back in the `Option`.";
    limited Result<(), SendTimeoutError<()>>, "[`SendTimeoutError`]; the message is back in the `Option`.";
    until;
    wait "let (tx, rx) = hchan::bounded(1);
let mut message = Some(1);
tx.send_from(&mut message).wait()?;
assert_eq!((message, rx.try_recv()), (None, Ok(1)));
# Ok::<(), hchan::SendError<()>>(())";
    wait_timeout;
    wait_deadline;
    gives_up "let (tx, _rx) = hchan::bounded(0);
let mut message = Some(1);",
        "assert!(tx.send_from(&mut message)", ".unwrap_err().is_timeout());
assert_eq!(message, Some(1));";
}

impl<T> Future for SendFromFuture<'_, T> {
    type Output = Result<(), SendError<()>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // One that has not taken its message yet is finished as it is.
        within_budget!(cx, if !self.terminated && (self.op.is_idle() || self.op.is_finished()) => {
            self.as_mut().load();
            match self.as_mut().project().op.poll(cx) {
                Polled::Pending => Poll::Pending,
                polled => Poll::Ready(self.end(polled)),
            }
        })
    }
}

impl<T> FusedFuture for SendFromFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.terminated
    }
}

impl<T> Wait for SendFromFuture<'_, T> {
    #[cfg(feature = "std")]
    fn block(mut self: Pin<&mut Self>) -> Self::Output {
        let polled = self.as_mut().wait_for_op(|| None);
        self.end(polled)
    }

    #[cfg(feature = "std")]
    fn block_until(
        mut self: Pin<&mut Self>,
        deadline: impl FnOnce() -> Option<Instant>,
    ) -> Self::Limited {
        let polled = self.as_mut().wait_for_op(deadline);
        let output = self.as_mut().output(polled);
        self.limited(output)
    }

    fn cancel(mut self: Pin<&mut Self>) -> Option<Self::Output> {
        let polled = self.as_mut().project().op.cancel();
        self.output(polled)
    }

    fn limited(self: Pin<&mut Self>, output: Option<Self::Output>) -> Self::Limited {
        match output {
            Some(result) => Ok(result?),
            None => {
                self.put_back();
                Err(SendTimeoutError::Timeout(()))
            }
        }
    }
}

impl<T> AsOperation for SendFromFuture<'_, T> {
    fn operation(self: Pin<&mut Self>) -> Option<OpRef<'_>> {
        Some(self.into_ref().project_ref().op.erased())
    }

    fn load(self: Pin<&mut Self>) {
        Self::load(self);
    }
}
