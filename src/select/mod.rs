//! Several operations, exactly one of which happens.

mod arm;
mod dynamic;
mod locked;
mod macro_support;
mod macros;
mod order;
mod recv_any;
mod state;
mod try_arms;

pub use arm::{Arm, FutureArm, FutureArmRef, OperationArm};
pub use dynamic::{LocalSelect, Select};
pub use macro_support::{attempt, attempt_now, happened, select};
#[cfg(feature = "std")]
pub use macro_support::{
    attempt_blocking, attempt_now_blocking, select_blocking, select_blocking_timeout,
};
pub use order::seed_select;
pub use recv_any::{RecvAny, recv_any};

pub(crate) use arm::AsOperation;

use core::pin::Pin;

use crate::thread::Wait;

/// The result of the operation that happened; `None` if it is not complete.
#[allow(private_bounds, reason = "for the macros alone")]
#[inline]
pub fn outcome<A: Arm + Wait>(operation: Pin<&mut A>) -> Option<A::Output> {
    operation.cancel()
}
