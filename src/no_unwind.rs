//! What must not unwind.
//!
//! Under a lock, waiters are out of their queue and messages between two places. Nothing there panics but an allocation that
//! fails, and only where that is a panic: without the standard library it can be. Such an allocation ends the program.

#![forbid(unsafe_code)]

use core::mem;

/// Calls `f`; if it unwinds, the program ends.
#[inline]
pub(crate) fn no_unwind<R>(f: impl FnOnce() -> R) -> R {
    struct Unwinding;
    impl Drop for Unwinding {
        #[cold]
        fn drop(&mut self) {
            // A panic in a drop while another one unwinds aborts the process.
            panic!("an allocation failed under a lock");
        }
    }
    let unwinding = Unwinding;
    let result = f();
    mem::forget(unwinding);
    result
}

#[cfg(all(
    test,
    feature = "std",
    not(any(hchan_loom, miri, target_family = "wasm"))
))]
mod tests {
    use std::{env, panic::catch_unwind, process::Command};

    use super::*;

    const CHILD: &str = "HCHAN_TEST_UNWINDS";

    #[test]
    fn program_ends_where_it_must_not_unwind() {
        assert_eq!(no_unwind(|| 1), 1);
        if env::var_os(CHILD).is_some() {
            _ = catch_unwind(|| no_unwind(|| panic!("no memory")));
            return;
        }
        let name = "no_unwind::tests::program_ends_where_it_must_not_unwind";
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", name])
            .env(CHILD, "1")
            .output();
        // Neither 0 nor 101, with which a test that panics ends.
        let code = child.unwrap().status.code();
        assert!(!matches!(code, Some(0 | 101)), "{code:?}");
    }
}
