//! Pages of documentation: how to move a program from another channel.
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
