//! A receive from whichever of several receivers has a message.

use alloc::boxed::Box;
use core::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};
#[cfg(feature = "std")]
use {
    crate::thread::{wait, wait_deadline, wait_timeout},
    core::{pin::pin, time::Duration},
    std::time::Instant,
};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use super::{
    arm::{ArmRef, Arms, AsOperation},
    order::FEW,
    state::SelectState,
};
use crate::{
    error::RecvError,
    future::RecvFuture,
    future::Until,
    probe::Site,
    receiver::Receiver,
    thread::{Limit, Wait},
};

/// Receives from any one of `receivers`, and returns which: the select for receivers of one type.
///
/// Of several that are ready, one is chosen at random. With no receivers at all it waits for ever, and so does its
/// [`wait`](RecvAny::wait).
///
/// Up to eight receivers take no allocation, more take some.
///
/// # Errors
///
/// The result beside the number is [`RecvError`], if that channel is closed and there is nothing in it: such a channel is
/// ready, always.
///
/// # Panics
///
/// If a waker does, of this task (cloned or dropped) or of a peer (woken): nothing is lost or left hanging then.
///
/// # Cancel safety
///
/// Nothing is lost when the future is dropped: a message that had been handed to it is given back to its channel.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
/// let (_quiet, first) = hchan::bounded::<u8>(1);
/// let (tx, second) = hchan::bounded(1);
/// tx.try_send(7).unwrap();
/// assert_eq!(hchan::recv_any(&[first, second]).await, (1, Ok(7)));
/// # });
/// ```
#[doc(alias = "Multiplex")]
#[cfg_attr(feature = "inspect", track_caller)]
pub fn recv_any<T>(receivers: &[Receiver<T>]) -> RecvAny<'_, T> {
    RecvAny {
        state: SelectState::new(Receives::new(receivers, Site::here()), false),
    }
}

pin_project! {
    /// A receive from any of several receivers; made by [`recv_any`].
    ///
    /// # Panics
    ///
    /// When polled again after it has returned `Ready`. A poll also panics if a waker does, of this task (cloned or dropped)
    /// or of a peer (woken): nothing is lost or left hanging then.
    ///
    /// # Cancel safety
    ///
    /// As for [`recv_any`].
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(0);
    /// std::thread::spawn(move || tx.send_blocking("hello"));
    /// assert_eq!(hchan::recv_any(&[rx]).wait(), (0, Ok("hello")));
    /// ```
    #[must_use = "a future does nothing unless it is awaited: `.await` it in a task, call `.wait()` in a thread, or use `hchan::blocking`"]
    pub struct RecvAny<'a, T> {
        #[pin]
        state: SelectState<Receives<'a, T>>,
    }
}

pin_project! {
    struct Receives<'a, T> {
        #[pin]
        // Those that are not needed never happen.
        few: [RecvFuture<'a, T>; FEW],
        more: Pin<Box<[RecvFuture<'a, T>]>>,
        count: usize,
    }
}

impl<'a, T> Receives<'a, T> {
    fn new(receivers: &'a [Receiver<T>], site: Site) -> Self {
        let receive = |receiver: &'a Receiver<T>| RecvFuture::new(receiver.typed_chan(), site);
        let mut receives = receivers.iter().map(receive);
        let never = || RecvFuture::new(None, site);
        let few = core::array::from_fn(|_| receives.next().unwrap_or_else(never));
        let more = Box::into_pin(receives.collect::<Box<[_]>>());
        Self {
            few,
            more,
            count: receivers.len(),
        }
    }

    fn get(self: Pin<&mut Self>, number: usize) -> Option<Pin<&mut RecvFuture<'a, T>>> {
        let this = self.project();
        if number < FEW {
            // SAFETY: an element of a pinned array is pinned: the array does not move it and drops it in place.
            Some(unsafe { this.few.map_unchecked_mut(|few| &mut few[number]) })
        } else {
            let more = this.more.as_mut();
            // SAFETY: as above, for a boxed slice.
            (number - FEW < more.len())
                .then(|| unsafe { more.map_unchecked_mut(|more| &mut more[number - FEW]) })
        }
    }
}

impl<T> Arms for Receives<'_, T> {
    fn count(&self) -> usize {
        self.count
    }

    fn arm(self: Pin<&mut Self>, number: usize) -> ArmRef<'_> {
        ArmRef::of(self.get(number).and_then(RecvFuture::operation))
    }
}

impl<T> RecvAny<'_, T> {
    /// Gives up when `stop`, any future, completes: `None` then, and nothing was received.
    ///
    /// A `stop` that is complete at the first poll wins before anything was done. Later, if something was received, that
    /// counts, even if `stop` has completed, too.
    ///
    /// # Cancel safety
    ///
    /// As for [`recv_any`].
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (_tx, rx) = hchan::bounded::<u8>(1);
    /// assert_eq!(hchan::recv_any(&[rx]).until(std::future::ready(())).await, None);
    /// # });
    /// ```
    pub fn until<S: IntoFuture>(self, stop: S) -> Until<Self, S::IntoFuture> {
        Until::new(self, stop.into_future())
    }
}

#[cfg(feature = "std")]
impl<T> RecvAny<'_, T> {
    /// Blocks the thread until one of the receivers is ready.
    ///
    /// # Errors
    ///
    /// As for [`recv_any`].
    ///
    /// # Blocking
    ///
    /// Not for use in a task: it stalls the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// tx.try_send(1).unwrap();
    /// assert_eq!(hchan::recv_any(&[rx]).wait(), (0, Ok(1)));
    /// ```
    pub fn wait(self) -> (usize, Result<T, RecvError>) {
        wait(pin!(self))
    }

    /// As [`wait`](Self::wait), for no longer than `timeout`. `None`: nothing was received. `Duration::MAX` means for ever.
    ///
    /// # Errors
    ///
    /// As for [`recv_any`].
    ///
    /// # Blocking
    ///
    /// Not for use in a task: it stalls the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (_tx, rx) = hchan::bounded::<u8>(1);
    /// assert_eq!(hchan::recv_any(&[rx]).wait_timeout(Duration::from_millis(1)), None);
    /// ```
    pub fn wait_timeout(self, timeout: Duration) -> Option<(usize, Result<T, RecvError>)> {
        wait_timeout(pin!(self), timeout)
    }

    /// As [`wait`](Self::wait), until `deadline` at the longest. `None`: nothing was received.
    ///
    /// # Errors
    ///
    /// As for [`recv_any`].
    ///
    /// # Blocking
    ///
    /// Not for use in a task: it stalls the runtime's worker thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let (_tx, rx) = hchan::bounded::<u8>(1);
    /// let soon = Instant::now() + Duration::from_millis(1);
    /// assert_eq!(hchan::recv_any(&[rx]).wait_deadline(soon), None);
    /// ```
    pub fn wait_deadline(self, deadline: Instant) -> Option<(usize, Result<T, RecvError>)> {
        wait_deadline(pin!(self), deadline)
    }
}

impl<T> Future for RecvAny<'_, T> {
    type Output = (usize, Result<T, RecvError>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.as_mut()
            .project()
            .state
            .poll(cx)
            .map(|number| self.result(number))
    }
}

impl<T> RecvAny<'_, T> {
    /// What the receive that happened has got.
    fn result(self: Pin<&mut Self>, number: usize) -> (usize, Result<T, RecvError>) {
        let receive = self.project().state.project().arms.get(number);
        let result = receive.and_then(super::outcome);
        (
            number,
            result.expect("the receive that happened is complete"),
        )
    }
}

impl<T> FusedFuture for RecvAny<'_, T> {
    fn is_terminated(&self) -> bool {
        self.state.is_finished()
    }
}

impl<T> Limit for RecvAny<'_, T> {
    type Limited = Option<Self::Output>;
}

impl<T> Wait for RecvAny<'_, T> {
    fn attempt(mut self: Pin<&mut Self>) -> Option<Self::Output> {
        let number = self.as_mut().project().state.attempt()?;
        Some(self.result(number))
    }

    fn cancel(mut self: Pin<&mut Self>) -> Option<Self::Output> {
        let number = self.as_mut().project().state.cancel()?;
        Some(self.result(number))
    }

    fn limited(self: Pin<&mut Self>, output: Option<Self::Output>) -> Self::Limited {
        output
    }
}

impl<T> fmt::Debug for RecvAny<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvAny")
            .field("arms", &self.state.arms.count)
            .field("terminated", &self.state.is_finished())
            .finish_non_exhaustive()
    }
}
