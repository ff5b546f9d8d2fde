//! All that is known, to be printed.

#![forbid(unsafe_code)]

use alloc::vec::Vec;
use core::{
    cmp::Reverse,
    fmt::{self, Display, Formatter},
};

use super::{
    display::counted,
    snapshot::{CallSite, ChannelSnapshot, WaitTimes},
    stuck::untracked,
};
use crate::probe::registry;

/// Every tracked channel, and what is left of those that are gone; returned by [`report`](super::report).
///
/// Printed (`{}`), it is the channels as [`ChannelSnapshot`] has them, and a line for each place in the code whose channels are gone;
/// `{:#}` has more of each.
///
/// # Examples
///
/// ```
/// use hchan::inspect;
///
/// inspect::enable(inspect::Config::default());
/// for n in 0..3 {
///     let (tx, _rx) = hchan::bounded(1);
///     tx.try_send(n).unwrap();
/// }
/// let report = inspect::report();
/// assert_eq!((report.gone[0].channels, report.gone[0].messages), (3, 3));
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Report {
    /// The channels that have a handle, in the order in which they were made.
    pub channels: Vec<ChannelSnapshot>,
    /// Those that have none any more, by where they were made, the most first.
    pub gone: Vec<GoneChannels>,
    /// How many channels were made since it was enabled first and are not tracked: left out by the share, or beyond the limit.
    pub untracked_channels: u64,
}

/// What is left of the channels that one place in the code has made and that have no handle any more.
///
/// # Examples
///
/// ```
/// for gone in hchan::inspect::report().gone {
///     println!("{} channels, {} messages", gone.channels, gone.messages);
/// }
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct GoneChannels {
    /// Where they were made; `None`: at all the places that were too many.
    pub created: Option<CallSite>,
    /// How many they were.
    pub channels: u64,
    /// How many messages were sent.
    pub messages: u64,
    /// How long their operations waited.
    pub waits: WaitTimes,
}

impl Report {
    pub(super) fn take() -> Self {
        let mut gone: Vec<_> = (registry::gone().0.into_iter())
            .map(|(site, gone)| GoneChannels {
                created: site.map(CallSite::of),
                channels: gone.channels,
                messages: gone.messages,
                waits: gone.times.as_deref().map(WaitTimes::of).unwrap_or_default(),
            })
            .collect();
        gone.sort_by_key(|gone| Reverse(gone.channels));
        Self {
            channels: super::channels(),
            gone,
            untracked_channels: registry::untracked(),
        }
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for channel in &self.channels {
            channel.fmt(f)?;
        }
        for gone in &self.gone {
            match &gone.created {
                Some(created) => write!(f, "gone  {created}")?,
                None => write!(f, "gone  elsewhere")?,
            }
            let [channels, messages] = [gone.channels, gone.messages].map(|count| count as usize);
            writeln!(
                f,
                "   {}, {}",
                counted(channels, "channel"),
                counted(messages, "message")
            )?;
            if f.alternate() {
                writeln!(f, "   waits to send: {}", gone.waits.send)?;
                writeln!(f, "   waits to receive: {}", gone.waits.receive)?;
            }
        }
        untracked(self.untracked_channels, f)
    }
}
