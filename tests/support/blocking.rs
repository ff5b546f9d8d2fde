//! Without the feature `std` the crate has no blocking calls, and the tests have these. `.await` is what they test then.

#![allow(unused_macros, unused_imports)]

use hchan::{Receiver, RecvError, SendError, Sender};

/// For arms whose bodies do not leave the select, and without a `default(timeout)`.
macro_rules! select_blocking {
    ($($arms:tt)*) => {
        smol::block_on(async { hchan::select! { $($arms)* } })
    };
}
pub(crate) use select_blocking;

pub(crate) trait Wait: Future + Sized {
    fn wait(self) -> Self::Output {
        smol::block_on(self)
    }
}

impl<F: Future> Wait for F {}

pub(crate) trait SendBlocking<T> {
    fn send_blocking(&self, message: T) -> Result<(), SendError<T>>;
}

impl<T> SendBlocking<T> for Sender<T> {
    fn send_blocking(&self, message: T) -> Result<(), SendError<T>> {
        self.send(message).wait()
    }
}

pub(crate) trait RecvBlocking<T> {
    fn recv_blocking(&self) -> Result<T, RecvError>;

    fn iter_blocking(&self) -> impl Iterator<Item = T>;
}

impl<T> RecvBlocking<T> for Receiver<T> {
    fn recv_blocking(&self) -> Result<T, RecvError> {
        self.recv().wait()
    }

    fn iter_blocking(&self) -> impl Iterator<Item = T> {
        std::iter::from_fn(|| self.recv_blocking().ok())
    }
}
