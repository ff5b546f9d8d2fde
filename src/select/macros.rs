//! `select!` and `select_blocking!`.
//!
//! 1. `@parse` rewrites each arm to one form, `(label number kind (arguments) (pattern) [condition] (body))`.
//! 2. `@expand` evaluates the conditions.
//! 3. `@arm` takes one arm after the other. It evaluates what the arm borrows, pins the arm's future, and expands to the
//!    other arms inside, where both still live. Inside the last arm the select waits.
//! 4. Its value is a variant of an enum, with the result of the arm that happened. `@expand` matches it with the bodies,
//!    outside: when a body runs, all futures, their borrows and the temporaries of the arms are gone.
//!
//! The label of an arm names, one after the other, whether it is switched on, what it borrows, and its future; and the variant
//! that stands for it having happened.
//!
//! Each arm nests two expansions, one by `@parse` and one by `@arm`; a body is nested in those of `@parse` only. So a select of 32
//! arms compiles in a body of another with the compiler's usual limit of 128.

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
///     default => body,                    // or default()
/// }
/// ```
///
/// A condition may follow each pattern: `, if condition`.
///
/// | arm | what happens | its value |
/// |---|---|---|
/// | `recv(rx)` | as [`rx.recv()`](crate::Receiver::recv) | `Result<T, RecvError>` |
/// | `send_from(tx, &mut opt)` | as [`tx.send_from(&mut opt)`](crate::Sender::send_from): the message stays in the `Option` if the arm loses; an empty one switches the arm off | `Result<(), SendError<()>>` |
/// | `send(tx, msg)` | as [`tx.send(msg)`](crate::Sender::send): `msg` is evaluated once, up front, and dropped if the arm loses, as in Go | `Result<(), SendError<T>>` |
/// | `future(fut)` | any future, taken by value: pass `&mut fut` or a `Pin` to keep it | its output |
/// | `default` | its body runs at once, if no arm is ready | – |
///
/// Among the arms that are ready one is chosen at random, each as likely as the others ([`seed_select`](crate::seed_select)
/// makes a run repeatable). With `biased;` as the first line, the topmost is chosen of those that are ready when the select is
/// polled. While the select waits, a peer may commit any arm. A closed channel is ready, with an error.
///
/// The value is matched with an irrefutable pattern. The whole is an expression, whose value is that of the body. When a
/// body runs all borrows of the arms have ended: it may use what they use, and `return`, `break`, `?` and `.await` mean
/// what they mean around the select.
///
/// An arm can have a condition, after the pattern: `recv(rx) -> msg, if is_open => body`. The select evaluates all conditions
/// first, in order, and then the handles, slots, messages and futures of the arms whose conditions hold, in order and once. It
/// evaluates nothing of an arm that is switched off. If there is no arm, or all are switched off, and there is no `default`, the
/// select waits for ever. There may be up to 32 arms; with up to eight, nothing is allocated.
///
/// # Handles and temporaries
///
/// A handle may be [`hchan::Receiver`](crate::Receiver) or [`hchan::blocking::Receiver`](crate::blocking::Receiver), and likewise
/// for senders. It may also be anything that dereferences to one, as in a method call: a reference, a `Box`, an `Rc`, an `Arc`,
/// a mutex guard. A place that is named as a handle, such as a variable or a field, is borrowed and not moved.
///
/// The expressions of an arm may contain temporaries. They live while the select waits, and are dropped before a body runs:
///
/// ```
/// # futures::executor::block_on(async {
/// # let (tx, rx) = hchan::bounded(1);
/// # tx.try_send(1).unwrap();
/// let mut maybe = Some(rx);
/// hchan::select! {
///     // Without a receiver, this arm never happens.
///     recv(maybe.as_ref().unwrap_or(&hchan::never())) -> message => {
///         assert_eq!(message, Ok(1));
///         maybe = None; // it is not borrowed any more
///     }
///     send_from(tx, &mut Some(2)) -> _ => unreachable!("the channel is full"),
/// }
/// # assert!(maybe.is_none());
/// # });
/// ```
///
/// Two kinds of temporaries live less long. Those of the message of a `send` are dropped when the message is made. And in an
/// arm with a condition, a temporary may be the handle itself, or what stands behind the `&mut` of a slot; the compiler does not
/// let one in the arguments of a call, or in a `future(..)`, live longer than the call. Bind such a value with `let`, before the
/// select:
///
/// ```
/// # futures::executor::block_on(async {
/// # let ((tx, _rx), is_open, maybe) = (hchan::bounded(1), true, None::<&hchan::Receiver<u8>>);
/// let never = hchan::never();
/// hchan::select! {
///     recv(maybe.unwrap_or(&never)) -> _, if is_open => unreachable!("never"),
///     send_from(tx, &mut Some(1)) -> sent, if is_open => assert_eq!(sent, Ok(())),
/// }
/// # });
/// ```
///
/// Without the `let` the first of these two arms does not compile: *temporary value dropped while borrowed*.
///
/// ```compile_fail,E0716
/// # async fn doc(is_open: bool, maybe: Option<&hchan::Receiver<u8>>) {
/// hchan::select! {
///     recv(maybe.unwrap_or(&hchan::never())) -> _, if is_open => {}
/// }
/// # }
/// ```
///
/// # One arm happens
///
/// A peer commits to a select by claiming it, once; after that no other arm can happen, and none of the others has sent or
/// received anything. One effect they may have had: an arm that waits to receive is a parked receiver, for which a waiting
/// [`reserve`](crate::Sender::reserve) may have been granted its permit. The permit stays good when the arm has lost, and its
/// message waits in the channel, at capacity 0, too.
///
/// While the select polls a `future(..)`, no peer can claim it, so no output of a future that was done is ever thrown away, and
/// nothing that a peer did is ever taken back. The price is the select's place in the line: a peer that comes during that poll passes
/// the select by, and serves the operation behind it. The select tries its arms again then, and parks at the end of the line.
///
/// A select does not yield while an arm is ready, except in tokio tasks with the feature `tokio`. Without it, on an executor of
/// one thread, a timer in a `future(..)` arm does not fire while a loop over the select always finds another arm ready: see
/// [yielding](crate#yielding). A `default` never waits, and so never yields.
///
/// The same channel may be in several arms, with both its ends, too: a select does not pair with itself. Two selects pair
/// with each other.
///
/// # When another `select!` is enough
///
/// See [the crate's page](crate#which-select).
///
/// # Errors
///
/// Of a `recv`, [`RecvError`](crate::RecvError): the channel is closed and empty. Of a `send_from` or a `send`,
/// [`SendError`](crate::SendError): the channel is closed; a `send` has its message in there, a `send_from` in the `Option`.
///
/// # Panics
///
/// If a waker does, of this task (cloned or dropped) or of a peer (woken): nothing is lost or left hanging then, and an arm
/// may have happened. A panic in a body, a condition or an expression of an arm propagates, and leaves every channel as it is.
///
/// # Cancel safety
///
/// If the future in which this is awaited is dropped meanwhile, no arm has happened; or a receive has, and gives its message
/// back; or a send has, and stands. The message of a `send` arm is dropped unless it was sent.
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
/// A request with a time limit, whose reply is not lost if it comes at the last moment:
///
/// ```
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let (reply, replies) = hchan::bounded(1);
/// # reply.try_send("in time").unwrap();
/// let answer = hchan::select! {
///     recv(replies) -> reply => reply.ok(),
///     future(tokio::time::sleep(Duration::from_secs(5))) -> _ => None,
/// };
/// assert_eq!(answer, Some("in time"));
/// # }
/// ```
///
/// # What does not compile
///
/// An arm of no known kind: *expected `recv(rx)`, `send_from(tx, &mut option)`, `send(tx, message)` or `future(future)`, not
/// `recieve(rx)`*.
///
/// ```compile_fail
/// # async fn doc(rx: hchan::Receiver<u8>) {
/// hchan::select! {
///     recieve(rx) -> msg => {}
/// }
/// # }
/// ```
///
/// One with too many or too few arguments: the same, *not `send(tx)`*.
///
/// ```compile_fail
/// # async fn doc(tx: hchan::Sender<u8>) {
/// hchan::select! {
///     send(tx) -> sent => {}
/// }
/// # }
/// ```
///
/// One without a pattern: *`select!` expected `recv(rx) -> pattern => body,` (...) at: `recv(rx) => {}`*.
///
/// ```compile_fail
/// # async fn doc(rx: hchan::Receiver<u8>) {
/// hchan::select! {
///     recv(rx) => {}
/// }
/// # }
/// ```
///
/// A pattern that might not match: *refutable pattern in local binding*.
///
/// ```compile_fail,E0005
/// # async fn doc(rx: hchan::Receiver<u8>) {
/// hchan::select! {
///     recv(rx) -> Ok(msg) => {}
/// }
/// # }
/// ```
///
/// Two defaults: *a select has at most one `default` arm*.
///
/// ```compile_fail
/// # async fn doc(rx: hchan::Receiver<u8>) {
/// hchan::select! {
///     default => {}
///     default => {}
/// }
/// # }
/// ```
///
/// A time limit in a task: *`select!` has no `default(timeout)`: use a `future(..)` arm with a timer of your runtime*.
///
/// ```compile_fail
/// # async fn doc(rx: hchan::Receiver<u8>) {
/// hchan::select! {
///     recv(rx) -> msg => {}
///     default(std::time::Duration::from_secs(1)) => {}
/// }
/// # }
/// ```
#[macro_export]
macro_rules! select {
    (biased; $($arms:tt)*) => {
        $crate::__select!(@first (task true) $($arms)*)
    };
    ($($arms:tt)*) => {
        $crate::__select!(@first (task false) $($arms)*)
    };
}

/// Blocks the thread until one of several operations has happened: exactly one does.
///
/// It is [`select!`](crate::select) for threads, without `future(..)` arms and with one more kind of default. It takes the same
/// handles and temporaries, and evaluates them in the same order. Without an arm that can happen it blocks the thread for ever.
///
/// ```text
/// hchan::select_blocking! {
///     recv(receiver) -> result => body,
///     send_from(sender, &mut option) -> result => body,
///     send(sender, message) -> result => body,
///     default(timeout) => body,           // or default => body, or default() => body
/// }
/// ```
///
/// A condition may follow each pattern: `, if condition`.
///
/// The body of `default(timeout)` runs when no arm has happened for that long, if `timeout` is a
/// [`Duration`](core::time::Duration), or by then, if it is an [`Instant`](std::time::Instant): a deadline, which a loop can share
/// among its selects. Arms that are ready come first, also when the time is up from the start. `default(Duration::MAX)` never
/// happens. `timeout` is evaluated last, after the arms.
///
/// # Errors
///
/// As for [`select!`](crate::select).
///
/// # Panics
///
/// If the waker of a peer panics: nothing is lost or left hanging then, and an arm may have happened.
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
/// let (tx, rx) = hchan::bounded(0);
/// std::thread::spawn(move || tx.send_blocking("hello"));
/// hchan::select_blocking! {
///     recv(rx) -> word => assert_eq!(word, Ok("hello")),
///     default(Duration::from_secs(60)) => panic!("nobody said anything"),
/// }
/// ```
///
/// All that comes within a time:
///
/// ```
/// use std::time::{Duration, Instant};
///
/// let (tx, rx) = hchan::blocking::bounded(8);
/// std::thread::spawn(move || (1..=3).try_for_each(|n| tx.send(n)));
/// let deadline = Instant::now() + Duration::from_secs(60);
/// let mut received = Vec::new();
/// loop {
///     hchan::select_blocking! {
///         recv(rx) -> n => match n {
///             Ok(n) => received.push(n),
///             Err(hchan::RecvError) => break,
///         },
///         default(deadline) => break,
///     }
/// }
/// assert_eq!(received, [1, 2, 3]);
/// ```
///
/// # What does not compile
///
/// What does not in [`select!`](crate::select), and a future: *`select_blocking!` has no `future(..)` arms: a thread waits for
/// channels only*.
///
/// ```compile_fail
/// hchan::select_blocking! {
///     future(std::future::ready(1)) -> n => {}
/// }
/// ```
///
/// A time limit that is neither: *a select waits for a `Duration` or until an `Instant`*.
///
/// ```compile_fail,E0277
/// hchan::select_blocking! {
///     default(5) => {}
/// }
/// ```
#[cfg(feature = "std")]
#[macro_export]
macro_rules! select_blocking {
    (biased; $($arms:tt)*) => {
        $crate::__select!(@first (thread true) $($arms)*)
    };
    ($($arms:tt)*) => {
        $crate::__select!(@first (thread false) $($arms)*)
    };
}

/// What the two macros share. How long temporaries live depends on the edition; that of this crate holds, whatever the caller's:
///
/// ```edition2018
/// let (tx, rx) = hchan::bounded(1);
/// let (maybe, is_open) = (Some(&rx), true);
/// futures::executor::block_on(async {
///     hchan::select! {
///         recv(maybe.unwrap_or(&hchan::never())) -> _ => unreachable!("empty"),
///         recv(hchan::never::<u8>()) -> _, if is_open => unreachable!("never"),
///         send_from(tx, &mut Some(1)) -> sent => assert_eq!(sent, Ok(())),
///     }
/// });
/// ```
///
/// ```edition2021
/// let (tx, rx) = hchan::bounded(1);
/// let (maybe, is_open) = (Some(&rx), true);
/// hchan::select_blocking! {
///     recv(maybe.unwrap_or(&hchan::never())) -> _ => unreachable!("empty"),
///     recv(hchan::never::<u8>()) -> _, if is_open => unreachable!("never"),
///     send_from(tx, &mut Some(1)) -> sent, if is_open => assert_eq!(sent, Ok(())),
/// }
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    (@first $mode:tt $($arms:tt)*) => {
        $crate::__select!(@parse $mode
            [(a0 0) (a1 1) (a2 2) (a3 3) (a4 4) (a5 5) (a6 6) (a7 7) (a8 8) (a9 9) (a10 10) (a11 11) (a12 12) (a13 13)
             (a14 14) (a15 15) (a16 16) (a17 17) (a18 18) (a19 19) (a20 20) (a21 21) (a22 22) (a23 23) (a24 24) (a25 25)
             (a26 26) (a27 27) (a28 28) (a29 29) (a30 30) (a31 31)]
            [] [] $($arms)*)
    };

    // All arms are parsed.
    (@parse $mode:tt $labels:tt $arms:tt $default:tt) => {
        $crate::__select!(@expand $mode $arms $default)
    };

    // A default, with its three forms of body.
    (@parse $mode:tt $labels:tt $arms:tt []
        default $(($($limit:expr $(,)?)?))? => $body:block, $($rest:tt)*) => {
        $crate::__select!(@parse $mode $labels $arms [($($($limit)?)?) ($body)] $($rest)*)
    };
    (@parse $mode:tt $labels:tt $arms:tt []
        default $(($($limit:expr $(,)?)?))? => $body:block $($rest:tt)*) => {
        $crate::__select!(@parse $mode $labels $arms [($($($limit)?)?) ($body)] $($rest)*)
    };
    (@parse $mode:tt $labels:tt $arms:tt []
        default $(($($limit:expr $(,)?)?))? => $body:expr $(, $($rest:tt)*)?) => {
        $crate::__select!(@parse $mode $labels $arms [($($($limit)?)?) ($body)] $($($rest)*)?)
    };
    (@parse $mode:tt $labels:tt $arms:tt [$($default:tt)+] default $($rest:tt)*) => {
        ::core::compile_error!("a select has at most one `default` arm")
    };

    (@parse $mode:tt [] $arms:tt $default:tt $($rest:tt)*) => {
        ::core::compile_error!("a select has at most 32 arms; `hchan::Select` takes any number")
    };

    // An arm, with its three forms of body.
    (@parse $mode:tt [($label:ident $number:literal) $($labels:tt)*] [$($arms:tt)*] $default:tt
        $kind:ident($($args:tt)*) -> $pattern:pat $(, if $condition:expr)? => $body:block, $($rest:tt)*) => {
        $crate::__select!(@parse $mode [$($labels)*]
            [$($arms)* ($label $number $kind ($($args)*) ($pattern) [$($condition)?] ($body))] $default $($rest)*)
    };
    (@parse $mode:tt [($label:ident $number:literal) $($labels:tt)*] [$($arms:tt)*] $default:tt
        $kind:ident($($args:tt)*) -> $pattern:pat $(, if $condition:expr)? => $body:block $($rest:tt)*) => {
        $crate::__select!(@parse $mode [$($labels)*]
            [$($arms)* ($label $number $kind ($($args)*) ($pattern) [$($condition)?] ($body))] $default $($rest)*)
    };
    (@parse $mode:tt [($label:ident $number:literal) $($labels:tt)*] [$($arms:tt)*] $default:tt
        $kind:ident($($args:tt)*) -> $pattern:pat $(, if $condition:expr)? => $body:expr $(, $($rest:tt)*)?) => {
        $crate::__select!(@parse $mode [$($labels)*]
            [$($arms)* ($label $number $kind ($($args)*) ($pattern) [$($condition)?] ($body))] $default $($($rest)*)?)
    };

    (@parse (task $biased:literal) $labels:tt $arms:tt $default:tt $($wrong:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "`select!` expected `recv(rx) -> pattern => body,`, `send_from(tx, &mut option) -> pattern => body,`, ",
            "`send(tx, message) -> pattern => body,`, `future(future) -> pattern => body,`, each with `, if condition` ",
            "after the pattern or without, or `default => body,` at: ", ::core::stringify!($($wrong)*)
        ))
    };
    (@parse (thread $biased:literal) $labels:tt $arms:tt $default:tt $($wrong:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "`select_blocking!` expected `recv(rx) -> pattern => body,`, `send_from(tx, &mut option) -> pattern => body,`, ",
            "`send(tx, message) -> pattern => body,`, each with `, if condition` after the pattern or without, ",
            "`default => body,`, or `default(timeout) => body,` at: ", ::core::stringify!($($wrong)*)
        ))
    };

    (@expand $mode:tt
        [$(($label:ident $number:literal $kind:ident $args:tt ($pattern:pat) [$($condition:expr)?] ($body:expr)))*]
        $default:tt
    ) => {{
        #[allow(non_camel_case_types)]
        enum __Happened<$($label),*> {
            $($label($label),)*
            Default,
        }
        $($(let $label: bool = $condition;)?)*
        let happened = $crate::__select!(@arm $mode $default [] $(($label $number $kind $args [$($condition)?]))*);
        match happened {
            $(__Happened::$label($pattern) => $body,)*
            __Happened::Default => $crate::__select!(@default $default),
        }
    }};

    // All futures are pinned. The arms are listed from the last to the first.
    (@arm $mode:tt $default:tt [$(($label:ident $number:literal $kind:ident))*]) => {{
        let chosen: ::core::option::Option<usize> = {
            let arms = ();
            $(let arms = ($crate::__select!(@list $kind $label), arms);)*
            let mut arms = arms;
            $crate::__select!(@wait $mode $default arms)
        };
        // The arms that lost drop first: if the message of one panics, what another has received is still in its future.
        $(
            if chosen != ::core::option::Option::Some($number) {
                $label.set(::core::option::Option::None);
            }
        )*
        match chosen {
            $(
                ::core::option::Option::Some($number) => {
                    __Happened::$label($crate::__private::happened($crate::__select!(@result $kind $label)))
                }
            )*
            _ => __Happened::Default,
        }
    }};

    // An arm without a condition. What it borrows is matched, not bound by `let`: temporaries live to the end of a `match`.
    (@arm $mode:tt $default:tt [$($pinned:tt)*]
        ($label:ident $number:literal recv ($receiver:expr $(,)?) []) $($arms:tt)*) => {
        match &$receiver {
            receiver => {
                // Made where it stays: a copy of a future that has just been made waits for its pieces.
                let mut $label = ::core::pin::pin!(::core::option::Option::Some(receiver.as_async().recv()));
                $crate::__select!(@arm $mode $default [($label $number recv) $($pinned)*] $($arms)*)
            }
        }
    };
    (@arm $mode:tt $default:tt [$($pinned:tt)*]
        ($label:ident $number:literal send ($sender:expr, $message:expr $(,)?) []) $($arms:tt)*) => {
        match &$sender {
            sender => {
                let mut $label = ::core::pin::pin!(::core::option::Option::Some(sender.as_async().send($message)));
                $crate::__select!(@arm $mode $default [($label $number send) $($pinned)*] $($arms)*)
            }
        }
    };
    (@arm $mode:tt $default:tt [$($pinned:tt)*]
        ($label:ident $number:literal send_from ($sender:expr, $slot:expr $(,)?) []) $($arms:tt)*) => {
        match (&$sender, &mut *$slot) {
            (sender, slot) => {
                let mut $label = ::core::pin::pin!(::core::option::Option::Some(sender.as_async().send_from(slot)));
                $crate::__select!(@arm $mode $default [($label $number send_from) $($pinned)*] $($arms)*)
            }
        }
    };
    (@arm (task $biased:literal) $default:tt [$($pinned:tt)*]
        ($label:ident $number:literal future ($future:expr $(,)?) []) $($arms:tt)*) => {
        match $crate::__private::FutureArm::new(::core::future::IntoFuture::into_future($future)) {
            future => {
                let mut $label = ::core::pin::pin!(::core::option::Option::Some(future));
                $crate::__select!(@arm (task $biased) $default [($label $number future) $($pinned)*] $($arms)*)
            }
        }
    };

    // An arm with a condition. What it borrows is bound by `let`: the temporaries in a branch live longer than it only if the
    // branch is what a `let` binds, and they are borrowed by `&` or `&mut` there. Hence `Some { 0: .. }`, too.
    (@arm $mode:tt $default:tt [$($pinned:tt)*]
        ($label:ident $number:literal recv ($receiver:expr $(,)?) [$condition:expr]) $($arms:tt)*) => {{
        let $label = if $label { ::core::option::Option::Some { 0: &$receiver } } else { ::core::option::Option::None };
        let mut $label = ::core::pin::pin!(match $label {
            ::core::option::Option::Some(receiver) => ::core::option::Option::Some(receiver.as_async().recv()),
            ::core::option::Option::None => ::core::option::Option::None,
        });
        $crate::__select!(@arm $mode $default [($label $number recv) $($pinned)*] $($arms)*)
    }};
    (@arm $mode:tt $default:tt [$($pinned:tt)*]
        ($label:ident $number:literal send ($sender:expr, $message:expr $(,)?) [$condition:expr]) $($arms:tt)*) => {{
        let $label = if $label { ::core::option::Option::Some { 0: &$sender } } else { ::core::option::Option::None };
        let mut $label = ::core::pin::pin!(match $label {
            ::core::option::Option::Some(sender) => ::core::option::Option::Some(sender.as_async().send($message)),
            ::core::option::Option::None => ::core::option::Option::None,
        });
        $crate::__select!(@arm $mode $default [($label $number send) $($pinned)*] $($arms)*)
    }};
    (@arm $mode:tt $default:tt [$($pinned:tt)*]
        ($label:ident $number:literal send_from ($sender:expr, $slot:expr $(,)?) [$condition:expr]) $($arms:tt)*) => {{
        let $label = if $label {
            ::core::option::Option::Some { 0: (&$sender, &mut *$slot) }
        } else {
            ::core::option::Option::None
        };
        let mut $label = ::core::pin::pin!(match $label {
            ::core::option::Option::Some((sender, slot)) => {
                ::core::option::Option::Some(sender.as_async().send_from(slot))
            }
            ::core::option::Option::None => ::core::option::Option::None,
        });
        $crate::__select!(@arm $mode $default [($label $number send_from) $($pinned)*] $($arms)*)
    }};
    (@arm (task $biased:literal) $default:tt [$($pinned:tt)*]
        ($label:ident $number:literal future ($future:expr $(,)?) [$condition:expr]) $($arms:tt)*) => {{
        let mut $label = ::core::pin::pin!(if $label {
            ::core::option::Option::Some($crate::__private::FutureArm::new(
                ::core::future::IntoFuture::into_future($future),
            ))
        } else {
            ::core::option::Option::None
        });
        $crate::__select!(@arm (task $biased) $default [($label $number future) $($pinned)*] $($arms)*)
    }};

    (@arm (thread $biased:literal) $default:tt $pinned:tt
        ($label:ident $number:literal future $args:tt $condition:tt) $($arms:tt)*) => {
        ::core::compile_error!("`select_blocking!` has no `future(..)` arms: a thread waits for channels only")
    };
    (@arm (task $biased:literal) $default:tt $pinned:tt
        ($label:ident $number:literal $kind:ident $args:tt $condition:tt) $($arms:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "expected `recv(rx)`, `send_from(tx, &mut option)`, `send(tx, message)` or `future(future)`, not `",
            ::core::stringify!($kind), ::core::stringify!($args), "`"
        ))
    };
    (@arm (thread $biased:literal) $default:tt $pinned:tt
        ($label:ident $number:literal $kind:ident $args:tt $condition:tt) $($arms:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "expected `recv(rx)`, `send_from(tx, &mut option)` or `send(tx, message)`, not `",
            ::core::stringify!($kind), ::core::stringify!($args), "`"
        ))
    };

    (@list future $label:ident) => {
        $crate::__private::FutureArmRef::new($label.as_mut())
    };
    (@list $kind:ident $label:ident) => {
        $crate::__private::OperationArm::new($label.as_mut())
    };

    (@wait (task $biased:literal) [] $arms:ident) => {
        ::core::option::Option::Some(match $crate::__private::attempt(&mut $arms, $biased).await {
            ::core::result::Result::Ok(chosen) => chosen,
            ::core::result::Result::Err(tried) => $crate::__private::select($arms, tried).await,
        })
    };
    (@wait (task $biased:literal) [() $body:tt] $arms:ident) => {
        $crate::__private::attempt_now(&mut $arms, $biased).await
    };
    (@wait (task $biased:literal) [($limit:expr) $body:tt] $arms:ident) => {
        ::core::compile_error!("`select!` has no `default(timeout)`: use a `future(..)` arm with a timer of your runtime")
    };
    (@wait (thread $biased:literal) [] $arms:ident) => {
        ::core::option::Option::Some(match $crate::__private::attempt_blocking(&mut $arms, $biased) {
            ::core::result::Result::Ok(chosen) => chosen,
            ::core::result::Result::Err(tried) => $crate::__private::select_blocking($arms, tried),
        })
    };
    (@wait (thread $biased:literal) [() $body:tt] $arms:ident) => {
        $crate::__private::attempt_now_blocking(&mut $arms, $biased)
    };
    (@wait (thread $biased:literal) [($limit:expr) $body:tt] $arms:ident) => {
        $crate::__private::select_blocking_timeout($arms, $biased, $limit)
    };

    (@result future $label:ident) => {
        $label.as_mut().as_pin_mut().and_then($crate::__private::FutureArm::output)
    };
    (@result $kind:ident $label:ident) => {
        $label.as_mut().as_pin_mut().and_then($crate::__private::outcome)
    };

    (@default []) => {
        ::core::unreachable!("one of the arms has happened")
    };
    (@default [$limit:tt ($body:expr)]) => {
        $body
    };
}
