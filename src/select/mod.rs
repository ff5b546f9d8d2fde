//! Several operations, exactly one of which happens.

mod any;
mod arm;
mod list;
mod macros;
mod order;
mod race;

pub use any::{RecvAny, recv_any};
pub use arm::{Arm, ForeignArm, FutureArm, OperationArm};
pub use list::Select;
pub use macros::{happened, select, select_now};
#[cfg(feature = "std")]
pub use macros::{select_try, select_wait, select_wait_timeout};
pub use order::seed_select;

pub(crate) use arm::{Channel, Done, Operates, Operation};

/// The result of the operation that happened; `None` if it is not complete.
pub fn outcome<A: Arm>(operation: core::pin::Pin<&mut A>) -> Option<A::Output> {
    let mut cx = core::task::Context::from_waker(core::task::Waker::noop());
    match operation.poll(&mut cx) {
        core::task::Poll::Ready(output) => Some(output),
        core::task::Poll::Pending => None,
    }
}
