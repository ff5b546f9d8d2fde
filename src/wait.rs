//! Waiting for a future from a thread.

#![forbid(unsafe_code)]

use core::pin::Pin;

#[cfg(feature = "std")]
pub(crate) use blocking::{wait, wait_deadline, wait_timeout};

/// A future of this crate, as a thread that waits for it needs it.
pub(crate) trait Wait: Future {
    /// Completes it if that can be done at once; for a future that has not been polled.
    #[cfg_attr(not(feature = "std"), allow(dead_code, reason = "for threads"))]
    fn attempt(self: Pin<&mut Self>) -> Option<Self::Output>;

    /// Stops waiting; what was done in the meantime stays done and is returned.
    fn withdraw(self: Pin<&mut Self>) -> Option<Self::Output>;
}

#[cfg(feature = "std")]
mod blocking {
    use core::{
        pin::Pin,
        task::{Context, Poll},
        time::Duration,
    };
    use std::time::Instant;

    use super::Wait;
    use crate::park::Parker;

    #[inline]
    pub(crate) fn wait<F: Wait>(mut future: Pin<&mut F>) -> F::Output {
        match future.as_mut().attempt() {
            Some(output) => output,
            None => park(future, None).expect("without a deadline, waiting ends when it is done"),
        }
    }

    /// `None`: the time was up and nothing happened. A time too far away for an `Instant` never comes.
    #[inline]
    pub(crate) fn wait_timeout<F: Wait>(
        mut future: Pin<&mut F>,
        timeout: Duration,
    ) -> Option<F::Output> {
        let output = future.as_mut().attempt();
        output.or_else(|| park(future, Instant::now().checked_add(timeout)))
    }

    /// `None`: the deadline came and nothing had happened.
    #[inline]
    pub(crate) fn wait_deadline<F: Wait>(
        mut future: Pin<&mut F>,
        deadline: Instant,
    ) -> Option<F::Output> {
        let output = future.as_mut().attempt();
        output.or_else(|| park(future, Some(deadline)))
    }

    #[cold]
    fn park<F: Wait>(mut future: Pin<&mut F>, deadline: Option<Instant>) -> Option<F::Output> {
        Parker::with(|parker| {
            let mut cx = Context::from_waker(parker.waker());
            loop {
                if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                    return Some(output);
                }
                if !parker.park(deadline) {
                    return future.withdraw();
                }
            }
        })
    }
}
