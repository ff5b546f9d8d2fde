//! What all futures have beside `poll`: `until`, the waits of a thread, and `Debug`.
//!
//! An inherent method is needed for each type, as users call `wait` without a trait in scope, and its documentation has an example of
//! that type. Both are written here, once; an invocation says what differs: what the future waits for, what it returns, its errors, and
//! an example. `FusedFuture` and `Wait` stand with each future.

#![forbid(unsafe_code)]

/// Writes the surface of a future:
///
/// ```text
/// surface! {
///     impl['a, T] Name<'a, T>;
///     until "what a wait ends with";
///     output Output, "when that is an error";
///     limited Limited, "what it is when it gave up";
///     until;
///     wait "an example";
///     wait_timeout;
///     wait_deadline;
///     gives_up "let (tx, rx) = ..;", "assert!(rx.future()", " has given up);";
/// }
/// ```
///
/// The three parts of `gives_up` enclose the call that gives up, in the examples of the other methods. Attributes before a method's name
/// go to that method: aliases, inlining.
macro_rules! surface {
    (
        impl[$($generics:tt)*] $Future:ident<$($arguments:tt),*>;
        until $end:literal;
        output $Output:ty, $errors:literal;
        limited $Limited:ty, $limited_errors:literal;
        $(#[$until_attribute:meta])* until;
        $(#[$wait_attribute:meta])* wait $example:literal;
        $(#[$timeout_attribute:meta])* wait_timeout;
        $(#[$deadline_attribute:meta])* wait_deadline;
        gives_up $setup:literal, $future:literal, $given_up:literal;
    ) => {
        impl<$($generics)*> $Future<$($arguments),*> {
            /// Gives up when `stop` completes: a timer, such as `tokio::time::sleep(time)`, or any other future.
            ///
            /// A `stop` that is complete at the first poll wins before anything was done. Later the operation wins a tie: what it has done
            /// counts, even if `stop` has completed, too. [Stopping](crate#stopping) says when a `stop` cannot complete.
            ///
            /// # Errors
            ///
            #[doc = $limited_errors]
            ///
            /// # Cancel safety
            ///
            /// As for the [future itself](Self#cancel-safety).
            ///
            /// # Examples
            ///
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = $setup]
            #[doc = concat!($future, ".until(std::future::ready(())).await", $given_up)]
            /// # });
            /// ```
            $(#[$until_attribute])*
            pub fn until<S: IntoFuture>(self, stop: S) -> crate::Until<Self, S::IntoFuture> {
                crate::Until::new(self, stop.into_future())
            }
        }

        #[cfg(feature = "std")]
        impl<$($generics)*> $Future<$($arguments),*> {
            #[doc = concat!("Blocks the thread until ", $end, ".")]
            ///
            /// # Errors
            ///
            #[doc = $errors]
            ///
            /// # Panics
            ///
            /// As [when it is polled](Self#panics).
            ///
            /// # Blocking
            ///
            /// Not for use in a task: it stalls the runtime's worker thread.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = $example]
            /// ```
            $(#[$wait_attribute])*
            pub fn wait(self) -> $Output {
                crate::thread::wait(core::pin::pin!(self))
            }

            #[doc = concat!("Blocks the thread until ", $end, " or `timeout` has passed; tries at least once.")]
            ///
            /// `Duration::MAX` means for ever.
            ///
            /// # Errors
            ///
            #[doc = $limited_errors]
            ///
            /// # Panics
            ///
            /// As [when it is polled](Self#panics).
            ///
            /// # Blocking
            ///
            /// Not for use in a task: it stalls the runtime's worker thread.
            ///
            /// # Examples
            ///
            /// ```
            /// use std::time::Duration;
            ///
            #[doc = $setup]
            #[doc = concat!($future, ".wait_timeout(Duration::from_millis(1))", $given_up)]
            /// ```
            $(#[$timeout_attribute])*
            pub fn wait_timeout(self, timeout: core::time::Duration) -> $Limited {
                crate::thread::wait_timeout(core::pin::pin!(self), timeout)
            }

            #[doc = concat!("Blocks the thread until ", $end, " or `deadline` has come; tries at least once.")]
            ///
            /// # Errors
            ///
            #[doc = $limited_errors]
            ///
            /// # Panics
            ///
            /// As [when it is polled](Self#panics).
            ///
            /// # Blocking
            ///
            /// Not for use in a task: it stalls the runtime's worker thread.
            ///
            /// # Examples
            ///
            /// ```
            /// use std::time::{Duration, Instant};
            ///
            #[doc = $setup]
            /// let soon = Instant::now() + Duration::from_millis(1);
            #[doc = concat!($future, ".wait_deadline(soon)", $given_up)]
            /// ```
            $(#[$deadline_attribute])*
            pub fn wait_deadline(self, deadline: std::time::Instant) -> $Limited {
                crate::thread::wait_deadline(core::pin::pin!(self), deadline)
            }
        }

        impl<$($generics)*> crate::thread::Limit for $Future<$($arguments),*> {
            type Limited = $Limited;
        }

        impl<$($generics)*> core::fmt::Debug for $Future<$($arguments),*> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($Future))
                    .field("terminated", &futures_core::FusedFuture::is_terminated(self))
                    .finish_non_exhaustive()
            }
        }
    };
}

pub(super) use surface;
