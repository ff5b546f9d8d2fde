//! The end of the process, where going on would not be safe.

#![forbid(unsafe_code)]

#[cfg(feature = "std")]
pub(crate) use std::process::abort;

/// Ends the process, or whatever the panic handler ends: a panic during a panic cannot be caught.
#[cfg(not(feature = "std"))]
pub(crate) fn abort() -> ! {
    struct PanicAgain;
    impl Drop for PanicAgain {
        fn drop(&mut self) {
            panic!("a count of a channel is about to wrap around");
        }
    }
    let _again = PanicAgain;
    panic!("a count of a channel is about to wrap around");
}
