//! What users await: the futures of all operations, permits, batches, streams and sinks.
//!
//! Each of them wraps an operation of [`op`](crate::op). A thread waits for one by [`thread`](crate::thread).

#![forbid(unsafe_code)]

mod batch;
mod closed;
mod owned;
mod permit;
mod recv;
mod recv_many;
mod reserve_many;
mod send;
mod send_from;
mod send_many;
#[cfg(feature = "sink")]
mod sink;
mod stream;
mod surface;
mod until;

pub use batch::Unsent;
pub use closed::ClosedFuture;
pub use owned::{IntoClosed, IntoRecv, IntoSend};
pub use permit::{OwnedPermit, Permit, ReserveFuture};
pub use recv::RecvFuture;
pub use recv_many::{Drain, RecvManyFuture};
pub use reserve_many::{Permits, ReserveManyFuture};
pub use send::SendFuture;
pub use send_from::SendFromFuture;
pub use send_many::SendManyFuture;
#[cfg(feature = "sink")]
pub use sink::{IntoSink, SendSink};
pub use stream::{IntoStream, RecvStream};
pub use until::Until;

pub(crate) use send_many::try_send_many;
