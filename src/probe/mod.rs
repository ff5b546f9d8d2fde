//! What the channel notes for `inspect`: the only part of it that the channel knows.
//!
//! The feature `inspect` decides which of two modules this is. Without it every type here is zero-sized and every function empty, so a
//! build has not an instruction and not a byte of it. With it:
//!
//! - An operation knows its call site from the start ([`Tag`]). Before it takes a lock to park, its owner makes a **record** of
//!   it ([`Channel::begin`]); at the owner's next poll or drop the record goes ([`Channel::end`]), and what it says of the wait is added
//!   to the channel's times.
//! - Under the channel's lock only the record's **word** is stored to: "parked" by the owner, "handed over" by the peer that
//!   completes the waiter, before the peer stores the waiter's state and so lets go of it ([`Tag::complete`]). The words are never freed.
//! - After the lock, before it wakes the waiter's task, the peer adds to the word when that was ([`WakeTag::note_woken`]), unless
//!   the record has gone in the meantime: a word has a generation.
//! - Messages that do not go through the ring are counted by path, under the lock ([`Paths`]). The ring counts its own.
//!
//! A channel is tracked or not from the time when it is made: [`Channel`] is empty for one that is not, and all the above ends there.

#![cfg_attr(not(feature = "inspect"), forbid(unsafe_code))]

#[cfg(not(feature = "inspect"))]
mod off;
#[cfg(feature = "inspect")]
mod on;
#[cfg(feature = "inspect")]
pub(crate) mod registry;
#[cfg(feature = "inspect")]
mod times;
#[cfg(feature = "inspect")]
mod words;

#[cfg(not(feature = "inspect"))]
pub(crate) use off::{Channel, IS_ON, Paths, Site, Tag, Task, WakeTag};
#[cfg(feature = "inspect")]
pub(crate) use {
    on::{
        Channel, Gauges, IS_ON, Info, Live, Paths, Settings, Site, Tag, Task, TaskId, WaiterView,
        WakeTag,
    },
    times::{BUCKETS, Histogram, Row, Times, end_of},
};
