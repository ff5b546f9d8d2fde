//! `select!` and `select_blocking!`.
//!
//! Both rewrite their arms to one form, `(label number kind (arguments) (pattern) (condition) (body))`, and expand to a
//! block in which the futures of the arms live, followed by a chain of `if`s with the bodies: when a body runs, all futures
//! and their borrows are gone. The label of an arm names, one after the other, whether it is switched on, its handle, its
//! future, and its result.

use std::{
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use super::{arm::Places, race::Race};
use crate::wait::{Wait, wait, wait_timeout};

/// Waits for several operations, of different channels and message types, until one happens: exactly one does.
///
/// For async code, awaited in place; [`select_blocking!`](crate::select_blocking) is for threads.
///
/// ```text
/// hchan::select! {
///     recv(receiver) -> result => body,
///     send_from(sender, &mut option) -> result => body,
///     send(sender, message) -> result => body,
///     future(future) -> output => body,
///     default => body,
/// }
/// ```
///
/// | arm | what happens | its value |
/// |---|---|---|
/// | `recv(rx)` | as [`rx.recv()`](crate::Receiver::recv) | `Result<T, RecvError>` |
/// | `send_from(tx, &mut opt)` | as [`tx.send_from(&mut opt)`](crate::Sender::send_from): if the arm loses, the message is in the `Option`; if that is empty, the arm is switched off | `Result<(), SendError<()>>` |
/// | `send(tx, msg)` | as [`tx.send(msg)`](crate::Sender::send): `msg` is evaluated once, up front, and dropped if the arm loses, as in Go | `Result<(), SendError<T>>` |
/// | `future(fut)` | any future, taken by value (pass `&mut fut` or a `Pin` to keep it) | its output |
/// | `default` | if nothing is ready at once, nothing else happens | – |
///
/// A closed channel is ready, with an error. Among the arms that are ready, one is chosen at random, each as likely as the
/// others; with `biased;` as the first line it is the topmost. The value is matched with an irrefutable pattern, and the
/// whole is an expression, the value of the body. When a body runs, all borrows of the arms have ended; `return`, `break`,
/// `?` and `.await` work there.
///
/// An arm can have a condition, after the pattern: `recv(rx) -> msg, if is_open => body`. Conditions are evaluated first, in
/// order; of an arm that is switched off, nothing else is evaluated. If all are and there is no `default`, the select
/// waits for ever. A place that is named as a handle is borrowed, not moved. There may be up to 32 arms.
///
/// # One arm happens
///
/// A peer commits to a select by claiming it, once; after that no other arm can happen, and none of the others has had an
/// effect on its channel. While the select polls a `future(..)`, no peer can claim it, so no output of a future that was done
/// is ever thrown away, and nothing that a peer did is ever taken back.
///
/// The same channel may be in several arms, with both its ends, too: a select does not pair with itself. Two selects pair
/// with each other.
///
/// # When another `select!` is enough
///
/// `futures::select!` and `tokio::select!` work with this crate's futures, too. There every arm is an operation of its own:
/// while the macro runs one arm, a peer may complete another. A losing `recv` gives its message back then, and nothing is
/// lost, but the message travels twice; a losing `send` may have been sent, and the macro does not say so (`send_from`
/// does). In hchan's, a losing arm has not happened. What differs from `crossbeam_channel::select!`: there the
/// message of a `send` arm is evaluated only if the arm wins.
///
/// # Panics
///
/// If a waker does, of this task (cloned or dropped) or of a peer (woken).
///
/// # Cancel safety
///
/// If the future in which this is awaited is dropped meanwhile, no arm has happened; or a receive has, and gives its message
/// back; or a send has, and stands.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
/// let (words, word) = hchan::bounded(1);
/// let (numbers, number) = hchan::bounded(1);
/// words.try_send("hello").unwrap();
///
/// let mut next = Some(1);
/// for _ in 0..2 {
///     hchan::select! {
///         recv(word) -> word => assert_eq!(word, Ok("hello")),
///         // Switched off once the number is sent.
///         send_from(numbers, &mut next) -> sent => assert_eq!(sent, Ok(())),
///     }
/// }
/// assert_eq!((number.try_recv(), next), (Ok(1), None));
///
/// let nothing = hchan::select! {
///     recv(word) -> _ => false,
///     recv(number) -> _ => false,
///     default => true,
/// };
/// assert!(nothing);
/// # });
/// ```
///
/// Wrong grammar is told so:
///
/// ```compile_fail
/// # async {
/// # let rx = hchan::never::<u8>();
/// hchan::select! {
///     recieve(rx) -> msg => {}
/// }
/// # };
/// ```
///
/// ```compile_fail
/// # async {
/// # let rx = hchan::never::<u8>();
/// hchan::select! {
///     recv(rx) => {}
/// }
/// # };
/// ```
///
/// ```compile_fail
/// # async {
/// # let rx = hchan::never::<u8>();
/// hchan::select! {
///     recv(rx) -> Ok(msg) => {} // may be an error
/// }
/// # };
/// ```
#[macro_export]
macro_rules! select {
    (biased; $($arms:tt)*) => {
        $crate::__select!(@first (task biased) $($arms)*)
    };
    ($($arms:tt)*) => {
        $crate::__select!(@first (task random) $($arms)*)
    };
}

/// Blocks the thread until one of several operations has happened: exactly one does.
///
/// As [`select!`](crate::select), for threads. Instead of `future(..)` arms there is `default(timeout)`, with a
/// [`Duration`]: nothing has happened for so long. `default(Duration::MAX)` never happens.
///
/// # Blocking
///
/// Not for use in a task: it would block the executor's thread, too.
///
/// # Panics
///
/// If the waker of a peer panics.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// let (tx, rx) = hchan::bounded(0);
/// std::thread::spawn(move || tx.send_blocking("hello"));
/// hchan::select_blocking! {
///     recv(rx) -> word => assert_eq!(word, Ok("hello")),
///     default(Duration::from_secs(60)) => panic!("nobody said anything"),
/// }
/// ```
///
/// ```compile_fail
/// hchan::select_blocking! {
///     future(std::future::ready(1)) -> n => {}
/// }
/// ```
#[macro_export]
macro_rules! select_blocking {
    (biased; $($arms:tt)*) => {
        $crate::__select!(@first (thread biased) $($arms)*)
    };
    ($($arms:tt)*) => {
        $crate::__select!(@first (thread random) $($arms)*)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    (@first $mode:tt $($arms:tt)*) => {
        $crate::__select!(@arms $mode
            [(a0 0) (a1 1) (a2 2) (a3 3) (a4 4) (a5 5) (a6 6) (a7 7) (a8 8) (a9 9) (a10 10) (a11 11) (a12 12) (a13 13)
             (a14 14) (a15 15) (a16 16) (a17 17) (a18 18) (a19 19) (a20 20) (a21 21) (a22 22) (a23 23) (a24 24) (a25 25)
             (a26 26) (a27 27) (a28 28) (a29 29) (a30 30) (a31 31)]
            [] [] $($arms)*)
    };

    // All arms are read.
    (@arms $mode:tt $labels:tt $done:tt $default:tt) => {
        $crate::__select!(@expand $mode $done $default)
    };

    // `default`, in its three forms of body.
    (@arms $mode:tt $labels:tt $done:tt [] default => $body:block $(, $($rest:tt)*)?) => {
        $crate::__select!(@arms $mode $labels $done [(now) ($body)] $($($rest)*)?)
    };
    (@arms $mode:tt $labels:tt $done:tt [] default => $body:block $($rest:tt)*) => {
        $crate::__select!(@arms $mode $labels $done [(now) ($body)] $($rest)*)
    };
    (@arms $mode:tt $labels:tt $done:tt [] default => $body:expr $(, $($rest:tt)*)?) => {
        $crate::__select!(@arms $mode $labels $done [(now) ($body)] $($($rest)*)?)
    };
    (@arms (thread $order:ident) $labels:tt $done:tt [] default($timeout:expr) => $body:block $(, $($rest:tt)*)?) => {
        $crate::__select!(@arms (thread $order) $labels $done [(after $timeout) ($body)] $($($rest)*)?)
    };
    (@arms (thread $order:ident) $labels:tt $done:tt [] default($timeout:expr) => $body:block $($rest:tt)*) => {
        $crate::__select!(@arms (thread $order) $labels $done [(after $timeout) ($body)] $($rest)*)
    };
    (@arms (thread $order:ident) $labels:tt $done:tt [] default($timeout:expr) => $body:expr $(, $($rest:tt)*)?) => {
        $crate::__select!(@arms (thread $order) $labels $done [(after $timeout) ($body)] $($($rest)*)?)
    };
    (@arms (task $order:ident) $labels:tt $done:tt [] default($($timeout:tt)*) $($rest:tt)*) => {
        compile_error!("`select!` has no `default(timeout)`: use a `future(..)` arm with a timer of your runtime")
    };
    (@arms $mode:tt $labels:tt $done:tt [$($default:tt)+] default $($rest:tt)*) => {
        compile_error!("a select has at most one `default` arm")
    };

    // An arm, in its three forms of body, with and without a condition.
    (@arms $mode:tt $labels:tt $done:tt $default:tt
        $kind:ident($($args:tt)*) -> $pattern:pat, if $condition:expr => $body:block $(, $($rest:tt)*)?) => {
        $crate::__select!(@arm $mode $labels $done $default $kind ($($args)*) ($pattern) ($condition) ($body) $($($rest)*)?)
    };
    (@arms $mode:tt $labels:tt $done:tt $default:tt
        $kind:ident($($args:tt)*) -> $pattern:pat, if $condition:expr => $body:block $($rest:tt)*) => {
        $crate::__select!(@arm $mode $labels $done $default $kind ($($args)*) ($pattern) ($condition) ($body) $($rest)*)
    };
    (@arms $mode:tt $labels:tt $done:tt $default:tt
        $kind:ident($($args:tt)*) -> $pattern:pat, if $condition:expr => $body:expr $(, $($rest:tt)*)?) => {
        $crate::__select!(@arm $mode $labels $done $default $kind ($($args)*) ($pattern) ($condition) ($body) $($($rest)*)?)
    };
    (@arms $mode:tt $labels:tt $done:tt $default:tt
        $kind:ident($($args:tt)*) -> $pattern:pat => $body:block $(, $($rest:tt)*)?) => {
        $crate::__select!(@arm $mode $labels $done $default $kind ($($args)*) ($pattern) (true) ($body) $($($rest)*)?)
    };
    (@arms $mode:tt $labels:tt $done:tt $default:tt
        $kind:ident($($args:tt)*) -> $pattern:pat => $body:block $($rest:tt)*) => {
        $crate::__select!(@arm $mode $labels $done $default $kind ($($args)*) ($pattern) (true) ($body) $($rest)*)
    };
    (@arms $mode:tt $labels:tt $done:tt $default:tt
        $kind:ident($($args:tt)*) -> $pattern:pat => $body:expr $(, $($rest:tt)*)?) => {
        $crate::__select!(@arm $mode $labels $done $default $kind ($($args)*) ($pattern) (true) ($body) $($($rest)*)?)
    };
    (@arms $mode:tt $labels:tt $done:tt $default:tt $($wrong:tt)*) => {
        compile_error!(concat!(
            "expected `recv(rx) -> pattern => body,`, `send_from(tx, &mut option) -> pattern => body,`, ",
            "`send(tx, message) -> pattern => body,`, `future(future) -> pattern => body,` (in `select!` only), or ",
            "`default => body,` at: ", stringify!($($wrong)*)
        ))
    };

    // Gives the arm a label and a number, if it is of a known kind.
    (@arm $mode:tt [] $($rest:tt)*) => {
        compile_error!("a select has at most 32 arms; `hchan::Select` takes any number")
    };
    (@arm (thread $order:ident) $labels:tt $done:tt $default:tt future $($rest:tt)*) => {
        compile_error!("`select_blocking!` has no `future(..)` arms: a thread waits for channels only")
    };
    (@arm $mode:tt [($label:ident $number:literal) $($labels:tt)*] [$($done:tt)*] $default:tt
        $kind:ident $args:tt $pattern:tt $condition:tt $body:tt $($rest:tt)*) => {
        $crate::__select!(@arms $mode [$($labels)*]
            [$($done)* ($label $number $kind $args $pattern $condition $body)] $default $($rest)*)
    };

    (@expand $mode:tt
        [$(($label:ident $number:literal $kind:ident $args:tt ($pattern:pat) ($condition:expr) ($body:expr)))*]
        $default:tt
    ) => {{
        let (chosen, ($($label,)*)) = {
            $(let $label: bool = $condition;)*
            // Some { 0: &handle } rather than Some(&handle): so a temporary handle lives as long as the variable.
            $(let $label = $crate::__select!(@handle $kind $label $args);)*
            $(let $label = $crate::__select!(@future $kind $label $args);)*
            $(let mut $label = ::core::pin::pin!($label);)*
            let chosen: ::core::option::Option<usize> = {
                let arms = $crate::__select!(@list [$(($kind $label))*]);
                $crate::__select!(@wait $mode $default arms)
            };
            let results = ($(
                if chosen == ::core::option::Option::Some($number) {
                    $crate::__select!(@result $kind $label)
                } else {
                    ::core::option::Option::None
                },
            )*);
            (chosen, results)
        };
        $crate::__select!(@bodies chosen $default [$(($label $number ($pattern) ($body)))*])
    }};

    (@handle recv $on:ident ($receiver:expr $(,)?)) => {
        if $on { ::core::option::Option::Some { 0: &$receiver } } else { ::core::option::Option::None }
    };
    (@handle send $on:ident ($sender:expr, $message:expr $(,)?)) => {
        if $on { ::core::option::Option::Some { 0: &$sender } } else { ::core::option::Option::None }
    };
    (@handle send_from $on:ident ($sender:expr, $message:expr $(,)?)) => {
        if $on { ::core::option::Option::Some { 0: &$sender } } else { ::core::option::Option::None }
    };
    (@handle future $on:ident ($future:expr $(,)?)) => {
        $on
    };
    (@handle $kind:ident $on:ident $args:tt) => {
        compile_error!(concat!(
            "expected `recv(rx)`, `send_from(tx, &mut option)`, `send(tx, message)` or `future(future)`, not `",
            stringify!($kind), stringify!($args), "`"
        ))
    };

    (@future recv $handle:ident $args:tt) => {
        match $handle {
            ::core::option::Option::Some(handle) => ::core::option::Option::Some(handle.recv()),
            ::core::option::Option::None => ::core::option::Option::None,
        }
    };
    (@future send $handle:ident ($sender:expr, $message:expr $(,)?)) => {
        match $handle {
            ::core::option::Option::Some(handle) => ::core::option::Option::Some(handle.send($message)),
            ::core::option::Option::None => ::core::option::Option::None,
        }
    };
    (@future send_from $handle:ident ($sender:expr, $message:expr $(,)?)) => {
        match $handle {
            ::core::option::Option::Some(handle) => ::core::option::Option::Some(handle.send_from($message)),
            ::core::option::Option::None => ::core::option::Option::None,
        }
    };
    (@future future $on:ident ($future:expr $(,)?)) => {
        if $on {
            ::core::option::Option::Some($crate::__private::FutureArm::new(
                ::core::future::IntoFuture::into_future($future),
            ))
        } else {
            ::core::option::Option::None
        }
    };
    (@future $kind:ident $handle:ident $args:tt) => {
        ::core::option::Option::<$crate::RecvFuture<'_, ()>>::None
    };

    (@list []) => { () };
    (@list [(future $label:ident) $($rest:tt)*]) => {
        ($crate::__private::ForeignArm::new($label.as_mut().as_pin_mut()), $crate::__select!(@list [$($rest)*]))
    };
    (@list [($kind:ident $label:ident) $($rest:tt)*]) => {
        ($crate::__private::OperationArm::new($label.as_mut().as_pin_mut()), $crate::__select!(@list [$($rest)*]))
    };

    (@wait (task $order:ident) [] $arms:ident) => {
        $crate::__private::select($arms, stringify!($order)).await
    };
    (@wait (task $order:ident) [(now) $body:tt] $arms:ident) => {
        $crate::__private::select_now($arms, stringify!($order)).await
    };
    (@wait (thread $order:ident) [] $arms:ident) => {
        $crate::__private::select_wait($arms, stringify!($order))
    };
    (@wait (thread $order:ident) [(now) $body:tt] $arms:ident) => {
        $crate::__private::select_wait_timeout($arms, stringify!($order), ::core::time::Duration::ZERO)
    };
    (@wait (thread $order:ident) [(after $timeout:expr) $body:tt] $arms:ident) => {
        $crate::__private::select_wait_timeout($arms, stringify!($order), $timeout)
    };

    (@result future $label:ident) => {
        $label.as_mut().as_pin_mut().and_then($crate::__private::FutureArm::output)
    };
    (@result $kind:ident $label:ident) => {
        $label.as_mut().as_pin_mut().and_then($crate::__private::outcome)
    };

    (@bodies $chosen:ident $default:tt [($label:ident $number:literal ($pattern:pat) ($body:expr)) $($rest:tt)*]) => {
        if $chosen == ::core::option::Option::Some($number) {
            let $pattern = $crate::__private::happened($label);
            $body
        } else {
            $crate::__select!(@bodies $chosen $default [$($rest)*])
        }
    };
    (@bodies $chosen:ident [] []) => {
        ::core::unreachable!("one of the arms has happened")
    };
    (@bodies $chosen:ident [$when:tt ($body:expr)] []) => {
        $body
    };
}

/// The number of the arm that happens.
pub async fn select<P: ArmList>(arms: P, order: &str) -> Option<usize> {
    let mut race = pin!(race(arms, order));
    std::future::poll_fn(|cx| race.as_mut().poll(cx))
        .await
        .into()
}

/// The number of an arm that happens at once, `None` if there is none.
pub async fn select_now<P: ArmList>(arms: P, order: &str) -> Option<usize> {
    let mut race = pin!(race(arms, order));
    std::future::poll_fn(|cx| Poll::Ready(race.as_mut().attempt(cx))).await
}

/// The number of the arm that happens.
pub fn select_wait<P: ArmList>(arms: P, order: &str) -> Option<usize> {
    wait(pin!(race(arms, order))).into()
}

/// `None`: the time was up.
pub fn select_wait_timeout<P: ArmList>(arms: P, order: &str, timeout: Duration) -> Option<usize> {
    wait_timeout(pin!(race(arms, order)), timeout)
}

/// The result of the arm that happened.
pub fn happened<R>(result: Option<R>) -> R {
    result.expect("the arm that happened has a result")
}

/// The arms of a macro.
#[allow(private_bounds, reason = "for the macros alone")]
pub trait ArmList: Places {}

impl<P: Places> ArmList for P {}

fn race<P: Places>(arms: P, order: &str) -> Race<P> {
    Race::new(arms, order == "biased")
}

impl<P: Places> Future for Race<P> {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        Race::poll(self, cx)
    }
}

/// As a thread waits for it; only `select!` has arms that would keep the waker.
impl<P: Places> Wait for Race<P> {
    fn attempt(self: Pin<&mut Self>) -> Option<usize> {
        Race::attempt(self, &mut Context::from_waker(std::task::Waker::noop()))
    }

    fn withdraw(self: Pin<&mut Self>) -> Option<usize> {
        Race::withdraw(self)
    }
}
