//! What a channel crate has to offer to take part, and those that do.

use std::fmt::Debug;
use std::future::Future;

use crate::message::Payload;
use crate::peers;
use crate::shape::{Ends, Shape};

/// A channel crate's adapter: which of its channels fits a shape.
///
/// It opens the channel and leaves to the work what is done with it, so that any work runs over any crate, compiled for the
/// crate's very types. (A dispatch per message would weigh as much as the message.) `None`: there is no such channel.
pub(crate) trait Adapter {
    fn on_threads<T: Payload, W: OnThreads<T>>(_: Shape, _: W) -> Option<W::Output> {
        None
    }

    fn in_tasks<T: Payload, W: InTasks<T>>(_: Shape, _: W) -> Option<W::Output> {
        None
    }
}

/// Something to be done on threads with the channels of one crate.
pub(crate) trait OnThreads<T> {
    type Output;

    /// Each call of `open` opens another channel of the shape that was asked for.
    fn run<Tx: BlockingTx<T>, Rx: BlockingRx<T>>(
        self,
        open: impl Fn() -> Ends<Tx, Rx>,
    ) -> Self::Output;
}

/// Something to be done in tasks with the channels of one crate.
pub(crate) trait InTasks<T> {
    type Output;

    /// Each call of `open` opens another channel of the shape that was asked for.
    fn run<Tx: AsyncTx<T>, Rx: AsyncRx<T>>(self, open: impl Fn() -> Ends<Tx, Rx>) -> Self::Output;
}

/// A sending end used from a thread.
pub(crate) trait BlockingTx<T>: Send + 'static {
    fn send(&mut self, message: T) -> Result<(), impl Debug>;
}

/// A receiving end used from a thread.
pub(crate) trait BlockingRx<T>: Send + 'static {
    fn recv(&mut self) -> Result<T, impl Debug>;
}

/// A sending end used from a task. What it returns is the crate's own future.
pub(crate) trait AsyncTx<T>: Send + 'static {
    fn send(&mut self, message: T) -> impl Future<Output = Result<(), impl Debug>> + Send;
}

/// A receiving end used from a task. What it returns is the crate's own future.
pub(crate) trait AsyncRx<T>: Send + 'static {
    fn recv(&mut self) -> impl Future<Output = Result<T, impl Debug>> + Send;
}

/// The crates, each with its name on the registry and its adapter.
macro_rules! peers {
    ($($peer:ident = $name:literal, $adapter:ident;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Peer {
            $($peer,)*
        }

        impl Peer {
            pub(crate) const ALL: &[Peer] = &[$(Peer::$peer,)*];

            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Peer::$peer => $name,)*
                }
            }

            /// Does the work on threads. `None`: the crate has no such channel.
            pub(crate) fn on_threads<T: Payload, W: OnThreads<T>>(
                self,
                shape: Shape,
                work: W,
            ) -> Option<W::Output> {
                match self {
                    $(Peer::$peer => peers::$adapter::$peer::on_threads(shape, work),)*
                }
            }

            /// Does the work in tasks. `None`: the crate has no such channel.
            pub(crate) fn in_tasks<T: Payload, W: InTasks<T>>(
                self,
                shape: Shape,
                work: W,
            ) -> Option<W::Output> {
                match self {
                    $(Peer::$peer => peers::$adapter::$peer::in_tasks(shape, work),)*
                }
            }
        }
    };
}

// hchan first, then in the order of the alphabet.
peers! {
    Hchan = "hchan", hchan;
    AsyncChannel = "async-channel", async_channel;
    Crossbeam = "crossbeam-channel", crossbeam;
    Crossfire = "crossfire", crossfire;
    Flume = "flume", flume;
    Kanal = "kanal", kanal;
    Loole = "loole", loole;
    Std = "std", std;
    Tachyonix = "tachyonix", tachyonix;
    Thingbuf = "thingbuf", thingbuf;
    Tokio = "tokio", tokio;
}

impl Peer {
    pub(crate) fn named(name: &str) -> Option<Peer> {
        Peer::ALL.iter().copied().find(|peer| peer.name() == name)
    }
}
