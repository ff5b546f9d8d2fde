//! Pages of documentation: how to move a program from another channel, and how to design one with channels.
//!
//! # Coming from
//!
//! Each page has a table from the old calls to the new ones, says what behaves differently and what has no counterpart, and
//! ends with one program before and after.
//!
//! | page | for a program that uses |
//! |---|---|
//! | [`from_go`] | Go's channels, construct by construct |
//! | [`from_std`] | `std::sync::mpsc` |
//! | [`from_tokio`] | `tokio::sync::mpsc` |
//! | [`from_async_channel`] | async-channel |
//! | [`from_flume`] | flume |
//! | [`from_crossbeam`] | crossbeam-channel |
//! | [`from_kanal`] | kanal |
//!
//! # Designing with channels
//!
//! | page | about |
//! |---|---|
//! | [`capacity`] | how large a buffer should be |
//! | [`overflow`] | what a sender does when there is no room: it waits, refuses, drops the newest or drops the oldest |
//! | [`shutdown`] | how a program stops without losing messages |
//! | [`testing`] | how code that uses channels is tested |
//! | [`pitfalls`] | mistakes by symptom, with cause and cure |
//! | `looking_inside` | how to find the operation that hangs, with the feature `inspect` |
//! | [`patterns`] | the examples by the names that people search for |
//! | [`across_machines`] | what it takes to pass messages between processes, and when a broker does it |

#![forbid(unsafe_code)]

// Each page imports the crate, so that its links name items as a user of the crate does.

pub mod from_async_channel {
    #![doc = include_str!("from_async_channel.md")]

    #[allow(unused_imports)]
    use crate::*;
}
pub mod from_crossbeam {
    #![doc = include_str!("from_crossbeam.md")]

    #[allow(unused_imports)]
    use crate::*;
}
pub mod from_flume {
    #![doc = include_str!("from_flume.md")]

    #[allow(unused_imports)]
    use crate::*;
}
pub mod from_go {
    #![doc = include_str!("from_go.md")]

    #[allow(unused_imports)]
    use crate::*;
}
pub mod from_kanal {
    #![doc = include_str!("from_kanal.md")]

    #[allow(unused_imports)]
    use crate::*;
}
pub mod from_std {
    #![doc = include_str!("from_std.md")]

    #[allow(unused_imports)]
    use crate::*;
}
pub mod from_tokio {
    #![doc = include_str!("from_tokio.md")]

    #[allow(unused_imports)]
    use crate::*;
}
pub mod capacity {
    // Not for the doc tests, which would be numbered by other lines.
    #![cfg_attr(
        not(doctest),
        doc = "How to choose the capacity of a channel, and what each choice costs.\n\n",
        doc = include_str!("pictures/capacity.svg"),
        doc = "\n"
    )]
    #![doc = include_str!("capacity.md")]

    #[allow(unused_imports)]
    use crate::*;
}
pub mod overflow {
    #![doc = include_str!("overflow.md")]

    #[allow(unused_imports)]
    use crate::*;
}
pub mod shutdown {
    #![doc = include_str!("shutdown.md")]

    #[allow(unused_imports)]
    use crate::*;
}
pub mod testing {
    #![doc = include_str!("testing.md")]

    #[allow(unused_imports)]
    use crate::*;
}
pub mod pitfalls {
    #![doc = include_str!("pitfalls.md")]

    #[allow(unused_imports)]
    use crate::*;
}
#[cfg(feature = "inspect")]
pub mod looking_inside {
    #![doc = include_str!("looking_inside.md")]

    #[allow(unused_imports)]
    use crate::*;
}
#[doc(alias("worker pool", "thread pool", "fan-in", "fan-out", "merge"))]
#[doc(alias("pipeline", "or-done", "event bus", "publish", "subscribe"))]
#[doc(alias("load shedding", "hedged request", "errgroup", "actor"))]
#[doc(alias("structured concurrency", "rate limit", "batching"))]
pub mod patterns {
    #![doc = include_str!("patterns.md")]

    #[allow(unused_imports)]
    use crate::*;
}
pub mod across_machines {
    #![doc = include_str!("across_machines.md")]

    #[allow(unused_imports)]
    use crate::*;
}
