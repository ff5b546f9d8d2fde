//! Several operations, exactly one of which happens.

mod any;
mod arm;
mod attempt;
mod expanded;
mod list;
mod locked;
mod macros;
mod order;
mod race;

pub use any::{RecvAny, recv_any};
pub use arm::{Arm, ForeignArm, FutureArm, OperationArm};
pub use expanded::{attempt, attempt_now, happened, select};
#[cfg(feature = "std")]
pub use expanded::{
    attempt_blocking, attempt_now_blocking, select_blocking, select_blocking_timeout,
};
pub use list::Select;
pub use order::seed_select;

pub(crate) use arm::Operates;

use core::pin::Pin;

use crate::wait::Wait;

/// The result of the operation that happened; `None` if it is not complete.
#[allow(private_bounds, reason = "for the macros alone")]
#[inline]
pub fn outcome<A: Arm + Wait>(operation: Pin<&mut A>) -> Option<A::Output> {
    operation.cancel()
}
