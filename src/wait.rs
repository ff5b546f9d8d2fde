//! Waiting for a future from a thread, and what it takes to give up.

#![forbid(unsafe_code)]

use core::pin::Pin;

#[cfg(feature = "std")]
pub(crate) use blocking::{wait, wait_deadline, wait_timeout};

/// A future of this crate, as those need it who wait for it in a thread or may give it up.
///
/// It is `pub` for [`Until`](crate::Until) alone; nobody else can name it.
pub trait Wait: Future {
    /// What waiting with a limit returns.
    type Limited;

    /// Completes it if that can be done at once; for a future that has not been polled.
    fn attempt(self: Pin<&mut Self>) -> Option<Self::Output>;

    /// Whether it is likely to find room or a message soon, as it has just missed it in a short buffer.
    fn is_near(&self) -> bool {
        false
    }

    /// Stops waiting, if it does; what was done in the meantime stays done and is returned.
    fn withdraw(self: Pin<&mut Self>) -> Option<Self::Output>;

    /// What it has come to. `None`: it was given up, and has not been polled or has been withdrawn; it is not polled again.
    fn limited(self: Pin<&mut Self>, output: Option<Self::Output>) -> Self::Limited;
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
    use crate::{park::Parker, sync::Blocking};

    #[inline]
    pub(crate) fn wait<F: Wait>(mut future: Pin<&mut F>) -> F::Output {
        let _blocking = Blocking::begin();
        match future.as_mut().attempt() {
            Some(output) => output,
            None => park(future, None).expect("without a deadline, waiting ends when it is done"),
        }
    }

    /// A time too far away for an `Instant` never comes.
    #[inline]
    pub(crate) fn wait_timeout<F: Wait>(mut future: Pin<&mut F>, timeout: Duration) -> F::Limited {
        let _blocking = Blocking::begin();
        let output = future.as_mut().attempt();
        let output = output.or_else(|| park(future.as_mut(), Instant::now().checked_add(timeout)));
        future.limited(output)
    }

    #[inline]
    pub(crate) fn wait_deadline<F: Wait>(mut future: Pin<&mut F>, deadline: Instant) -> F::Limited {
        let _blocking = Blocking::begin();
        let output = future.as_mut().attempt();
        let output = output.or_else(|| park(future.as_mut(), Some(deadline)));
        future.limited(output)
    }

    /// `None`: the deadline came and nothing had happened.
    #[cold]
    fn park<F: Wait>(mut future: Pin<&mut F>, deadline: Option<Instant>) -> Option<F::Output> {
        Parker::with(|parker| {
            let mut cx = Context::from_waker(parker.waker());
            let has_lingered = future.is_near() && parker.linger(deadline);
            let mut polled = future.as_mut().poll(&mut cx);
            if has_lingered {
                parker.note_lingered(polled.is_ready());
            }
            loop {
                if let Poll::Ready(output) = polled {
                    return Some(output);
                }
                if !parker.park(deadline) {
                    return future.withdraw();
                }
                polled = future.as_mut().poll(&mut cx);
            }
        })
    }
}
