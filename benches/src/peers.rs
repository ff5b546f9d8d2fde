//! The adapters, one file a crate.

pub(crate) mod async_channel;
pub(crate) mod crossbeam;
pub(crate) mod crossfire;
pub(crate) mod flume;
pub(crate) mod hchan;
pub(crate) mod kanal;
pub(crate) mod loole;
pub(crate) mod std;
pub(crate) mod tachyonix;
pub(crate) mod thingbuf;
pub(crate) mod tokio;
