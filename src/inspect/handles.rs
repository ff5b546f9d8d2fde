//! `snapshot` and `assert_idle` of every handle.

#![forbid(unsafe_code)]

use core::any::type_name;
use std::string::String;

use super::{ChannelSnapshot, note_busy};
use crate::{Receiver, Sender, WeakReceiver, WeakSender, blocking, chan::TypedChan};

/// The channel, or the receiver on which nothing ever happens.
fn snapshot<T>(chan: Option<&TypedChan<T>>) -> ChannelSnapshot {
    let message = type_name::<T>();
    match chan {
        Some(chan) => ChannelSnapshot::of(chan, message),
        None => ChannelSnapshot::of_never(message),
    }
}

#[track_caller]
fn assert_idle<T>(chan: Option<&TypedChan<T>>) {
    let mut busy = String::new();
    note_busy(&snapshot(chan), &mut busy);
    assert!(busy.is_empty(), "operations are left waiting:\n{busy}");
}

/// The methods of a handle; `$setup` makes one that is called `handle`.
macro_rules! handle {
    ($Handle:ty, $setup:literal, $chan:expr) => {
        impl<T> $Handle {
            /// What the channel looks like now: what it holds, who waits in it, what it has done.
            ///
            /// With the feature `inspect`. Of a channel that was made before [`inspect::enable`](crate::inspect::enable) was called it has
            /// the counts alone.
            ///
            /// # Examples
            ///
            /// ```
            /// hchan::inspect::enable(hchan::inspect::Config::default());
            #[doc = $setup]
            /// let snapshot = handle.snapshot();
            /// assert_eq!((snapshot.len, snapshot.message), (0, "u8".into()));
            /// ```
            pub fn snapshot(&self) -> ChannelSnapshot {
                let chan: fn(&Self) -> Option<&TypedChan<T>> = $chan;
                snapshot(chan(self))
            }

            /// Panics with a report if anything waits in the channel: for the end of a test that runs beside others.
            ///
            /// With the feature `inspect`. Of a channel that was made before [`inspect::enable`](crate::inspect::enable) was called it
            /// sees what is parked, and not what was completed by a peer and has not been polled since.
            ///
            /// # Panics
            ///
            /// If an operation is parked, or was completed by a peer and has not been polled since.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $setup]
            /// handle.assert_idle();
            /// ```
            #[track_caller]
            pub fn assert_idle(&self) {
                let chan: fn(&Self) -> Option<&TypedChan<T>> = $chan;
                assert_idle(chan(self));
            }
        }
    };
}

handle!(
    Sender<T>,
    "let (handle, _rx) = hchan::bounded::<u8>(1);",
    |sender| Some(sender.chan())
);
handle!(
    Receiver<T>,
    "let (_tx, handle) = hchan::bounded::<u8>(1);",
    |receiver| receiver.typed_chan()
);
handle!(
    WeakSender<T>,
    "let (tx, _rx) = hchan::bounded::<u8>(1);\nlet handle = tx.downgrade();",
    |sender| Some(sender.chan())
);
handle!(
    WeakReceiver<T>,
    "let (_tx, rx) = hchan::bounded::<u8>(1);\nlet handle = rx.downgrade();",
    |receiver| receiver.chan()
);
handle!(
    blocking::Sender<T>,
    "let (handle, _rx) = hchan::blocking::bounded::<u8>(1);",
    |sender| Some(sender.as_async().chan())
);
handle!(
    blocking::Receiver<T>,
    "let (_tx, handle) = hchan::blocking::bounded::<u8>(1);",
    |receiver| receiver.as_async().typed_chan()
);
handle!(
    blocking::WeakSender<T>,
    "let (tx, _rx) = hchan::blocking::bounded::<u8>(1);\nlet handle = tx.downgrade();",
    |sender| Some(sender.as_async_weak().chan())
);
handle!(
    blocking::WeakReceiver<T>,
    "let (_tx, rx) = hchan::blocking::bounded::<u8>(1);\nlet handle = rx.downgrade();",
    |receiver| receiver.as_async_weak().chan()
);
