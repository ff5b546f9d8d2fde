//! What the select macros accept: temporaries, kinds of handles, defaults; and when they evaluate what they are given.

#![forbid(unsafe_code)]
#![allow(
    clippy::await_holding_lock,
    clippy::await_holding_refcell_ref,
    reason = "guards are handles and slots here; nothing else locks what they guard"
)]
#![recursion_limit = "128"] // The default: selects in selects keep within it.

use std::{
    cell::{Cell, RefCell},
    convert::identity,
    future::{pending, ready},
    ops::{Deref, DerefMut},
    pin::{Pin, pin},
    rc::Rc,
    sync::{Arc, Mutex},
    task::{
        Context,
        Poll::{self, Pending, Ready},
        Waker,
    },
};

use hchan::{Receiver, Sender, bounded, never, select, unbounded};

/// Polls a future that nobody is to be woken for.
fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn now<F: Future>(future: F) -> F::Output {
    match poll(pin!(future)) {
        Ready(output) => output,
        Pending => panic!("it has to wait"),
    }
}

fn one<T>(message: T) -> (Sender<T>, Receiver<T>) {
    let (tx, rx) = bounded(1);
    assert!(tx.try_send(message).is_ok());
    (tx, rx)
}

/// Something that is counted while it lives.
struct Counted<'a, T>(&'a Cell<usize>, T);

fn counted<T>(alive: &Cell<usize>, value: T) -> Counted<'_, T> {
    alive.set(alive.get() + 1);
    Counted(alive, value)
}

impl<T> Deref for Counted<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.1
    }
}

impl<T> DerefMut for Counted<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.1
    }
}

impl<T> Drop for Counted<'_, T> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

// Temporaries.

#[test]
fn temporaries_live_while_the_select_waits_and_are_dropped_before_a_body_runs() {
    async fn holds(alive: &Cell<usize>) {
        let _held = counted(alive, ());
        pending().await
    }

    let (alive, yes) = (&Cell::new(0), true);
    let (stop_tx, stop) = bounded::<()>(0);
    let (tx, rx) = bounded::<u8>(0);
    let (_idle_tx, idle) = bounded::<u8>(0);
    let mut selecting = pin!(async {
        select! {
            recv(identity(&counted(alive, &idle))) -> _ => unreachable!(),
            send(identity(&counted(alive, &tx)), 1) -> _ => unreachable!(),
            send_from(counted(alive, &tx), identity(&mut counted(alive, Some(2)))) -> _ => unreachable!(),
            recv(counted(alive, &idle)) -> _, if yes => unreachable!(),
            send(counted(alive, &tx), 3) -> _, if yes => unreachable!(),
            send_from(counted(alive, &tx), &mut counted(alive, Some(4))) -> _, if yes => unreachable!(),
            future(identity(pin!(holds(alive)))) -> () => unreachable!(),
            recv(stop) -> _ => assert_eq!(alive.get(), 0),
        }
        alive.set(100);
    });
    assert_eq!(alive.get(), 0);
    assert_eq!(poll(selecting.as_mut()), Pending);
    assert_eq!((alive.get(), rx.waiting_senders()), (9, 4));
    stop_tx.try_send(()).unwrap();
    assert_eq!(poll(selecting.as_mut()), Ready(()));
    assert_eq!((alive.get(), rx.waiting_senders()), (100, 0));
}

#[test]
fn a_receiver_that_there_may_not_be_is_unwrapped_or_never() {
    let (tx, rx) = unbounded();
    let mut maybe = Some(rx.clone());
    let mut by_reference = Some(&rx);
    (0..2).for_each(|n| tx.try_send(n).unwrap());
    for received in [[Some(Ok(0)), Some(Ok(1))], [None; 2]] {
        now(async {
            let first = select! {
                recv(maybe.as_ref().unwrap_or(&never())) -> n => {
                    // The borrow has ended.
                    maybe = None;
                    Some(n)
                }
                default => None,
            };
            let second = select! {
                recv(by_reference.unwrap_or(&never())) -> n => {
                    by_reference = None;
                    Some(n)
                }
                default => None,
            };
            assert_eq!([first, second], received);
        });
    }
}

#[test]
fn slots_may_be_temporaries() {
    let (tx, rx) = unbounded();
    let cell = RefCell::new(Some(3));
    let (yes, no, mut boxed) = (true, false, Box::new(Some(4)));
    let by_reference = &mut Some(5);
    now(async {
        select! { send_from(tx, &mut Some(1)) -> sent => sent.unwrap() }
        select! { send_from(tx.clone(), &mut Some(2)) -> sent, if yes => sent.unwrap() }
        select! { send_from(tx, &mut cell.borrow_mut()) -> sent => sent.unwrap() }
        select! { send_from(tx, &mut boxed) -> sent, if yes => sent.unwrap() }
        select! {
            send_from(tx, &mut Some(6)) -> _, if no => unreachable!("switched off"),
            send_from(tx, &mut None) -> _ => unreachable!("nothing to send"),
            default => {}
        }
        // It is borrowed anew each time.
        for is_left in [true, false] {
            select! {
                send_from(tx, by_reference) -> sent => sent.unwrap(),
                default => assert!(!is_left),
            }
            select! {
                send_from(tx, by_reference) -> _, if yes => unreachable!("it is sent"),
                default => assert!(by_reference.is_none()),
            }
        }
    });
    assert_eq!(cell.take(), None, "not borrowed, and sent");
    assert_eq!((boxed, *by_reference), (Box::new(None), None));
    assert!(rx.try_iter().eq(1..=5));
}

#[test]
fn a_losing_slot_drops_its_message_before_a_body_runs() {
    let message = Rc::new(());
    let (tx, _rx) = bounded(0);
    let (_ready_tx, ready) = one(());
    now(async {
        select! {
            send_from(tx, &mut Some(message.clone())) -> _ => unreachable!("nobody receives"),
            recv(ready) -> _ => assert_eq!(Rc::strong_count(&message), 1),
        }
    });
}

// Evaluation.

#[test]
fn conditions_then_handles_and_messages_are_evaluated_once_in_order() {
    let log = RefCell::new(String::new());
    let note = |name| log.borrow_mut().push(name);
    let (tx, rx) = bounded::<u8>(0);
    let (tx, rx, mut slots) = (&tx, &rx, [Some(1), Some(2), Some(3)]);
    let [first, second, third] = &mut slots;
    now(async {
        select! {
            recv({ note('a'); rx }) -> _ => unreachable!(),
            recv({ note('b'); rx }) -> _, if { note('1'); true } => unreachable!(),
            send({ note('c'); tx }, { note('d'); 4 }) -> _ => unreachable!(),
            send({ note('e'); tx }, { note('f'); 5 }) -> _, if { note('2'); true } => unreachable!(),
            send_from({ note('g'); tx }, { note('h'); first }) -> _ => unreachable!(),
            send_from({ note('i'); tx }, { note('j'); second }) -> _, if { note('3'); true } => unreachable!(),
            future({ note('k'); pending::<()>() }) -> _ => unreachable!(),
            future({ note('l'); ready(()) }) -> _, if { note('4'); true } => note('!'),
            recv({ note('x'); rx }) -> _, if { note('5'); false } => unreachable!(),
            send({ note('x'); tx }, { note('x'); 6 }) -> _, if { note('6'); false } => unreachable!(),
            send_from({ note('x'); tx }, { note('x'); third }) -> _, if { note('7'); false } => unreachable!(),
            future({ note('x'); ready(()) }) -> _, if { note('8'); false } => unreachable!(),
        }
    });
    assert_eq!(log.take(), "12345678abcdefghijkl!");
    assert_eq!(slots, [Some(1), Some(2), Some(3)]);
}

#[test]
fn expressions_of_an_arm_ask_return_break_and_await() {
    async fn asks(maybe: Option<&Receiver<u8>>, slot: Option<&mut Option<u8>>) -> Option<u8> {
        let (tx, _rx) = bounded(1);
        select! {
            biased;
            recv(maybe?) -> n => n.ok(),
            send_from(tx, slot?) -> sent => sent.ok().map(|()| 100),
            recv(maybe?) -> n, if maybe.is_some() => n.ok(),
        }
    }

    async fn returns(rx: &Receiver<u8>) -> u8 {
        let ((tx, _rx), mut nothing) = (unbounded::<u8>(), None);
        let left = loop {
            select! {
                biased;
                send_from(tx, if rx.len() < 2 { break rx.len() } else { &mut nothing }) -> _ => unreachable!(),
                recv(rx) -> n => assert_eq!(n, Ok(4)),
            }
        };
        loop {
            select! {
                recv(if rx.is_empty() { return 200 } else { rx }) -> n, if left == 1 => assert_eq!(n, Ok(5)),
            }
        }
    }

    let (tx, rx) = unbounded();
    (1..=5).for_each(|n| tx.try_send(n).unwrap());
    now(async {
        assert_eq!(asks(None, Some(&mut None)).await, None);
        assert_eq!(asks(Some(&rx), None).await, None);
        assert_eq!(asks(Some(&rx), Some(&mut None)).await, Some(1));
        select! {
            biased;
            recv(ready(&rx).await) -> n => assert_eq!(n, Ok(3)),
            send(tx, rx.recv().await.unwrap()) -> _ => unreachable!("biased"),
        }
        assert_eq!(returns(&rx).await, 200);
    });
}

#[test]
fn select_with_temporaries_can_be_spawned() {
    fn assert_send<F: Future + Send>(future: F) -> F {
        future
    }

    let (tx, rx) = one(1);
    let spawned = assert_send(async move {
        let maybe = [rx];
        select! {
            recv(maybe.first().unwrap_or(&never())) -> n => n.unwrap(),
            recv(Arc::new(never())) -> n, if tx.is_empty() => n.unwrap(),
            send_from(tx.clone(), &mut Some(2)) -> _ => 2,
            future(pending::<u8>()) -> n => n,
        }
    });
    assert_eq!(now(spawned), 1);
}

// Kinds of handles.

struct Ends<S, R> {
    tx: S,
    rx: R,
}

/// Sends and receives through handles of every kind, by a macro and what its result is passed to.
macro_rules! every_kind_of_handle {
    ($select:ident, $ends:expr) => {{
        let (tx, rx) = $ends;
        let ends = &Ends { tx, rx };
        every_kind_of_handle!(@of $select, ends.tx, ends.rx);
        every_kind_of_handle!(@of $select, &ends.tx, &ends.rx);
        every_kind_of_handle!(@of $select, &&ends.tx, &&ends.rx);
        every_kind_of_handle!(@of $select, ends.tx.clone(), ends.rx.clone());
        every_kind_of_handle!(@of $select, Box::new(ends.tx.clone()), Box::new(ends.rx.clone()));
        every_kind_of_handle!(@of $select, Rc::new(&ends.tx), Rc::new(&ends.rx));
        let shared = Arc::new(Mutex::new(Ends { tx: ends.tx.clone(), rx: ends.rx.clone() }));
        every_kind_of_handle!(@of $select, shared.lock().unwrap().tx, shared.lock().unwrap().rx);
        let locks = (Arc::new(Mutex::new(ends.tx.clone())), Arc::new(Mutex::new(ends.rx.clone())));
        every_kind_of_handle!(@of $select, locks.0.lock().unwrap(), locks.1.lock().unwrap());
        assert!(ends.rx.is_empty());
    }};
    (@of $select:ident, $tx:expr, $rx:expr) => {
        for condition in [true, false] {
            now(async { $select! { send($tx, 1) -> sent => sent.unwrap() } });
            now(async { $select! { recv($rx) -> n => assert_eq!(n, Ok(1)) } });
            now(async { $select! { send_from($tx, &mut Some(2)) -> sent => sent.unwrap() } });
            now(async {
                $select! { recv($rx) -> n, if condition => assert_eq!(n, Ok(2)), default => assert!(!condition) }
            });
            now(async {
                $select! { send($tx, 3) -> sent, if condition => sent.unwrap(), default => assert!(!condition) }
            });
            now(async {
                $select! {
                    send_from($tx, &mut Some(4)) -> sent, if condition => sent.unwrap(),
                    default => assert!(!condition)
                }
            });
            let left = usize::from(condition) + 1;
            for _ in 0..left {
                now(async { $select! { recv($rx) -> n => assert!(n.unwrap() > 1) } });
            }
        }
    };
}

#[test]
fn handles_of_tasks_may_be_of_every_kind() {
    every_kind_of_handle!(select, unbounded());
}

// Defaults, and selects in selects.

#[test]
fn default_may_have_parentheses() {
    now(async {
        assert_eq!(select! { default() => 1 }, 1);
        assert_eq!(
            select! { default() => { 2 } recv(never::<u8>()) -> _ => 0 },
            2
        );
        assert_eq!(
            select! { recv(never::<u8>()) -> _ => 0, default() => { 3 }, },
            3
        );
    });
}

/// A select of 32 arms, of which the last happens. Bodies are written in every form.
macro_rules! select_of_32 {
    ($select:ident, $rx:expr, $body:expr) => {
        $select! {
            recv(never::<u8>()) -> _ => unreachable!(), recv(never::<u8>()) -> _ => { unreachable!() }
            recv(never::<u8>()) -> _ => unreachable!(), recv(never::<u8>()) -> _ => { unreachable!() }
            recv(never::<u8>()) -> _ => unreachable!(), recv(never::<u8>()) -> _ => { unreachable!() }
            recv(never::<u8>()) -> _ => unreachable!(), recv(never::<u8>()) -> _ => { unreachable!() }
            recv(never::<u8>()) -> _ => unreachable!(), recv(never::<u8>()) -> _ => { unreachable!() }
            recv(never::<u8>()) -> _ => unreachable!(), recv(never::<u8>()) -> _ => { unreachable!() }
            recv(never::<u8>()) -> _ => unreachable!(), recv(never::<u8>()) -> _ => { unreachable!() }
            recv(never::<u8>()) -> _ => unreachable!(), recv(never::<u8>()) -> _ => { unreachable!() }
            recv(never::<u8>()) -> _ => unreachable!(), recv(never::<u8>()) -> _ => { unreachable!() }
            recv(never::<u8>()) -> _ => unreachable!(), recv(never::<u8>()) -> _ => { unreachable!() }
            recv(never::<u8>()) -> _ => unreachable!(), recv(never::<u8>()) -> _ => { unreachable!() }
            recv(never::<u8>()) -> _ => unreachable!(), recv(never::<u8>()) -> _ => { unreachable!() }
            recv(never::<u8>()) -> _ => unreachable!(), recv(never::<u8>()) -> _ => { unreachable!() }
            recv(never::<u8>()) -> _ => unreachable!(), recv(never::<u8>()) -> _ => { unreachable!() }
            recv(never::<u8>()) -> _ => unreachable!(), recv(never::<u8>()) -> _ => { unreachable!() }
            recv(never::<u8>()) -> _ => unreachable!(), recv($rx) -> n => (n, $body),
        }
    };
}

#[test]
fn select_of_32_arms_stands_in_the_body_of_another() {
    let (tx, rx) = unbounded();
    (1..=2).for_each(|n| tx.try_send(n).unwrap());
    let received = now(async { select_of_32!(select, rx, select_of_32!(select, rx, ())) });
    assert_eq!(received, (Ok(1), (Ok(2), ())));
}

// In threads.

#[cfg(feature = "std")]
mod threads {
    use std::time::{Duration, Instant};

    use hchan::{RecvError, blocking, select_blocking};

    use super::*;

    const SHORT: Duration = Duration::from_millis(5);

    #[test]
    fn blocking_handles_may_be_of_every_kind() {
        every_kind_of_handle!(select, blocking::unbounded());
        every_kind_of_handle!(select_blocking, blocking::unbounded());
        every_kind_of_handle!(select_blocking, unbounded());
    }

    #[test]
    fn temporaries_live_while_a_thread_waits_and_are_dropped_before_a_body_runs() {
        let alive = &Cell::new(0);
        let (tx, rx) = blocking::bounded::<u8>(0);
        let none: [blocking::Receiver<u8>; 0] = [];
        select_blocking! {
            recv(none.first().unwrap_or(&blocking::never())) -> _ => unreachable!("never"),
            recv(identity(&counted(alive, &rx))) -> _ => unreachable!("nobody sends"),
            send_from(tx, identity(&mut counted(alive, Some(1)))) -> _ => unreachable!("nobody receives"),
            send_from(tx, &mut counted(alive, Some(1))) -> _, if true => unreachable!("nobody receives"),
            default({ assert_eq!(alive.get(), 3); SHORT }) => assert_eq!(alive.get(), 0),
        }
    }

    #[test]
    fn thread_waits_until_an_instant() {
        let (tx, rx) = bounded(1);
        let passed = Instant::now();
        select_blocking! {
            recv(rx) -> _ => unreachable!("empty"),
            default(passed) => {}
        }
        let deadline = Instant::now() + SHORT;
        select_blocking! {
            recv(rx) -> _ => unreachable!("empty"),
            default(deadline,) => assert!(Instant::now() >= deadline),
        }
        tx.try_send(1).unwrap();
        select_blocking! {
            recv(rx) -> n => assert_eq!(n, Ok(1)),
            default(passed) => unreachable!("what is ready comes first"),
        }
        assert_eq!((tx.waiting_receivers(), rx.len()), (0, 0));
    }

    #[test]
    fn default_may_have_parentheses_and_a_comma() {
        let received = select_blocking! { default() => 1 };
        assert_eq!(received, 1);
        let received = select_blocking! { recv(never::<u8>()) -> _ => 0, default(SHORT,) => { 2 } };
        assert_eq!(received, 2);
        let received =
            select_blocking! { default(Duration::ZERO) => { 3 }, recv(never::<u8>()) -> _ => 0 };
        assert_eq!(received, 3);
    }

    #[test]
    fn select_of_32_arms_in_a_thread_stands_in_the_body_of_another() {
        let (tx, rx) = unbounded();
        (1..=2).for_each(|n| tx.try_send(n).unwrap());
        let inner = || select_of_32!(select_blocking, rx, select_of_32!(select_blocking, rx, ()));
        assert_eq!(inner(), (Ok(1), (Ok(2), ())));
    }

    #[test]
    fn expressions_of_an_arm_ask_in_a_thread() {
        fn asks(maybe: Option<&blocking::Receiver<u8>>) -> Option<Result<u8, RecvError>> {
            select_blocking! { recv(maybe?) -> n => Some(n) }
        }

        let (tx, rx) = blocking::bounded(1);
        tx.send(1).unwrap();
        assert_eq!(asks(None), None);
        assert_eq!(asks(Some(&rx)), Some(Ok(1)));
    }
}
