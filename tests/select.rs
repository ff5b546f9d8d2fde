//! `select!`: exactly one arm happens, and nothing else does. Polled by hand, and with the random choice of one seed.

mod support;

use std::{
    array,
    cell::{Cell, RefCell},
    future::{pending, poll_fn, ready},
    pin::pin,
    sync::Arc,
    task::{
        Poll::{self, Pending, Ready},
        Waker,
    },
    thread,
    time::Duration,
};

#[cfg(feature = "std")]
use hchan::select_blocking;
use hchan::{
    Receiver, RecvError, Select, SendError, Sender, TryRecvError, TrySendError, bounded, never,
    recv_any, seed_select, select, unbounded,
};
#[cfg(not(feature = "std"))]
use support::blocking::*;
use support::{
    Call, CountingWaker, Drops, assert_nobody_waits, full, hooked_waker, no_deadlock, panic_of,
    panicking_waker, poll, poll_with, scaled,
};

/// Coupled channels and such as have two locks, and those where sends park.
const CAPACITIES: [usize; 4] = [0, 1, 4, 5];

/// What a future returns that does not have to wait.
fn now<F: Future>(future: F) -> F::Output {
    match poll(&mut pin!(future)) {
        Ready(output) => output,
        Pending => panic!("it has to wait"),
    }
}

// One arm happens.

#[test]
fn every_kind_of_arm_happens_when_it_is_ready() {
    let (tx, rx) = bounded(1);
    let mut slot = Some(1);
    let sent = now(async {
        select! { send_from(tx, &mut slot) -> sent => sent }
    });
    assert_eq!((sent, slot), (Ok(()), None));
    assert_eq!(
        now(async {
            select! { recv(rx) -> n => n }
        }),
        Ok(1)
    );
    assert_eq!(
        now(async {
            select! { send(tx, 2) -> sent => sent }
        }),
        Ok(())
    );
    assert_eq!(rx.try_recv(), Ok(2));
    assert_eq!(
        now(async {
            select! { future(ready(3)) -> n => n }
        }),
        3
    );
}

#[test]
fn losing_arms_that_were_ready_have_had_no_effect() {
    for seed in 0..20 {
        seed_select(seed);
        let (a_tx, a_rx) = bounded(1);
        let (b_tx, b_rx) = bounded(1);
        let (c_tx, c_rx) = bounded(1);
        a_tx.try_send(1).unwrap();
        b_tx.try_send(2).unwrap();
        let mut slot = Some(3);
        let chosen = now(async {
            select! {
                recv(a_rx) -> n => n.unwrap(),
                recv(b_rx) -> n => n.unwrap(),
                send_from(c_tx, &mut slot) -> sent => { sent.unwrap(); 3 }
            }
        });
        assert_eq!(a_rx.len(), usize::from(chosen != 1), "seed {seed}");
        assert_eq!(b_rx.len(), usize::from(chosen != 2), "seed {seed}");
        assert_eq!(c_rx.len(), usize::from(chosen == 3), "seed {seed}");
        assert_eq!(slot, (chosen != 3).then_some(3), "seed {seed}");
    }
}

#[test]
fn parked_select_counts_once_an_arm() {
    for capacity in CAPACITIES {
        let (a_tx, a_rx) = bounded::<usize>(capacity);
        let (b_tx, b_rx) = full(capacity);
        let mut selecting = Box::pin(async {
            select! {
                recv(a_rx) -> _ => (),
                recv(a_rx) -> _ => (),
                send(b_tx, 9) -> _ => (),
            }
        });
        assert!(poll(&mut selecting).is_pending());
        assert_eq!((a_tx.waiting_receivers(), b_rx.waiting_senders()), (2, 1));
        drop(selecting);
        assert_nobody_waits(&a_rx);
        assert_nobody_waits(&b_rx);
    }
}

#[test]
fn only_one_peer_commits_a_parked_select() {
    for capacity in CAPACITIES {
        let (a_tx, a_rx) = bounded(capacity);
        let (b_tx, b_rx) = bounded(0);
        let counter = CountingWaker::new();
        let mut selecting = Box::pin(async {
            select! {
                recv(a_rx) -> n => n,
                recv(b_rx) -> n => n,
            }
        });
        assert!(poll_with(&mut selecting, &counter.waker()).is_pending());
        assert_eq!(a_tx.try_send(1), Ok(()), "capacity {capacity}");
        assert_eq!(counter.wakes(), 1);
        assert_eq!(b_tx.try_send(2), Err(TrySendError::Full(2)), "it has gone");
        assert_eq!(b_tx.waiting_receivers(), 0, "the lost arm was unlinked");
        assert_eq!(poll(&mut selecting), Ready(Ok(1)));
        assert_eq!((counter.wakes(), counter.wakers()), (1, 0));
        assert_nobody_waits(&a_rx);
    }
}

#[test]
fn lost_arms_are_passed_over_for_those_behind() {
    for capacity in CAPACITIES {
        let (a_tx, a_rx) = bounded(0);
        let (b_tx, b_rx) = bounded(capacity);
        let mut selecting = Box::pin(async {
            select! { recv(a_rx) -> n => n, recv(b_rx) -> n => n }
        });
        assert!(poll(&mut selecting).is_pending());
        let mut behind = Box::pin(b_rx.recv());
        assert!(poll(&mut behind).is_pending());
        a_tx.try_send(1).unwrap();
        b_tx.try_send(2).unwrap();
        assert_eq!(poll(&mut behind), Ready(Ok(2)));
        assert_eq!(poll(&mut selecting), Ready(Ok(1)));
    }
}

#[test]
fn parked_send_arms_are_promoted_in_their_turn() {
    for capacity in CAPACITIES {
        let (tx, rx) = full(capacity);
        let mut slot = Some(capacity);
        let mut selecting = Box::pin(async {
            select! { send_from(tx, &mut slot) -> s => s }
        });
        assert!(poll(&mut selecting).is_pending());
        let mut behind = Box::pin(tx.send(capacity + 1));
        assert!(poll(&mut behind).is_pending());
        assert!(rx.try_iter().eq(0..capacity + 2), "capacity {capacity}");
        assert_eq!(poll(&mut selecting), Ready(Ok(())));
        assert_eq!(poll(&mut behind), Ready(Ok(())));
        drop(selecting);
        assert_eq!(slot, None);
    }
}

#[test]
fn select_is_woken_by_the_newest_waker() {
    let (tx, rx) = bounded(1);
    let (first, second) = (CountingWaker::new(), CountingWaker::new());
    let mut selecting = Box::pin(async {
        select! { recv(rx) -> n => n }
    });
    assert!(poll_with(&mut selecting, &first.waker()).is_pending());
    assert!(poll_with(&mut selecting, &second.waker()).is_pending());
    assert_eq!(first.wakers(), 0);
    assert_eq!(rx.waiting_receivers(), 1, "it queues once");
    tx.try_send(1).unwrap();
    assert_eq!((first.wakes(), second.wakes()), (0, 1));
    assert_eq!(poll(&mut selecting), Ready(Ok(1)));
}

// Nil channels, conditions, defaults.

#[test]
fn arm_on_which_nothing_happens_never_does() {
    let nothing = never::<u8>();
    let mut selecting = Box::pin(async {
        select! { recv(nothing) -> _ => () }
    });
    assert!(poll(&mut selecting).is_pending());
    assert!(poll(&mut selecting).is_pending());

    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    for _ in 0..50 {
        let n = now(async {
            select! { recv(nothing) -> _ => panic!("never"), recv(rx) -> n => n }
        });
        tx.try_send(n.unwrap()).unwrap();
    }
}

#[test]
fn all_arms_switched_off_wait_for_ever() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let on = Cell::new(false);
    let mut selecting = Box::pin(async {
        select! {
            recv(rx) -> _, if on.get() => (),
            send(tx, 2) -> _, if on.get() => (),
            future(ready(())) -> _, if on.get() => (),
        }
    });
    assert!(poll(&mut selecting).is_pending());
    on.set(true);
    assert!(
        poll(&mut selecting).is_pending(),
        "conditions are asked once"
    );
    assert_nobody_waits(&rx);

    let mut empty = Box::pin(async {
        select! {}
    });
    assert!(poll(&mut empty).is_pending());
    assert!(poll(&mut empty).is_pending());
}

#[test]
fn default_runs_if_nothing_is_ready() {
    let (tx, rx) = bounded(1);
    let choose = || {
        now(async {
            select! {
                recv(rx) -> n => n.unwrap(),
                default => 0,
            }
        })
    };
    assert_eq!(choose(), 0);
    tx.try_send(7).unwrap();
    assert_eq!(choose(), 7);
    assert_eq!(choose(), 0);
    assert_nobody_waits(&rx);
    assert_eq!(
        now(async {
            select! { default => 1 }
        }),
        1,
        "all by itself"
    );
}

#[test]
fn default_polls_every_future_once() {
    let polls = Cell::new(0);
    let (_tx, rx) = bounded::<u8>(1);
    let counted = || {
        poll_fn(|_| {
            polls.set(polls.get() + 1);
            Poll::<()>::Pending
        })
    };
    now(async {
        select! {
            default => (),
            future(counted()) -> () => unreachable!(),
            recv(rx) -> _ => unreachable!(),
            future(counted()) -> () => unreachable!(),
        }
    });
    assert_eq!(polls.get(), 2);
}

#[test]
fn default_loses_to_a_future_that_is_ready() {
    assert_eq!(
        now(async {
            select! { future(ready(1)) -> n => n, default => 0 }
        }),
        1
    );
}

#[test]
fn conditions_come_first_and_switched_off_arms_are_not_evaluated() {
    let log = RefCell::new(Vec::new());
    let note = |name| log.borrow_mut().push(name);
    let (tx, rx) = bounded(1);
    let (rx, tx) = (&rx, &tx);
    let condition = |name, value| {
        note(name);
        value
    };
    now(async {
        select! {
            recv({ note("rx"); rx }) -> _, if condition("if rx", true) => unreachable!("empty"),
            send({ note("off"); tx }, { note("off"); 1 }) -> _, if condition("if off", false) => unreachable!(),
            send({ note("tx"); tx }, { note("message"); 2 }) -> sent, if condition("if tx", true) => {
                note("body");
                sent.unwrap();
            }
            future({ note("off"); ready(()) }) -> _, if condition("if off", false) => unreachable!(),
        }
    });
    assert_eq!(
        log.take(),
        [
            "if rx", "if off", "if tx", "if off", "rx", "tx", "message", "body"
        ]
    );
}

#[test]
fn send_from_of_nothing_is_switched_off() {
    let (tx, rx) = bounded(1);
    let mut nothing: Option<u8> = None;
    assert!(now(async {
        select! { send_from(tx, &mut nothing) -> _ => false, default => true }
    }));
    assert!(rx.is_empty());
}

// Closed channels.

#[test]
fn closed_channels_are_ready_with_errors() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded::<u8>(capacity);
        tx.close();
        assert_eq!(
            now(async {
                select! { recv(rx) -> n => n }
            }),
            Err(RecvError)
        );
        assert_eq!(
            now(async {
                select! { send(tx, 1) -> s => s }
            }),
            Err(SendError(1))
        );
        let mut slot = Some(2);
        assert_eq!(
            now(async {
                select! { send_from(tx, &mut slot) -> s => s, default => Ok(()) }
            }),
            Err(SendError(()))
        );
        assert_eq!(slot, Some(2));
    }
}

#[test]
fn close_commits_a_parked_select_to_one_arm() {
    for capacity in CAPACITIES {
        let (a_tx, a_rx) = bounded::<usize>(capacity);
        let (b_tx, b_rx) = full(capacity);
        let mut slot = Some(9);
        let counter = CountingWaker::new();
        let mut selecting = Box::pin(async {
            select! {
                recv(a_rx) -> n => n.map_err(|_| "a"),
                send_from(b_tx, &mut slot) -> s => s.map(|()| 0).map_err(|_| "b"),
            }
        });
        assert!(poll_with(&mut selecting, &counter.waker()).is_pending());
        assert!(b_rx.close());
        assert!(a_tx.close());
        assert_eq!(counter.wakes(), 1);
        assert_eq!(poll(&mut selecting), Ready(Err("b")));
        drop(selecting);
        assert_eq!(slot, Some(9));
        assert_nobody_waits(&a_rx);
        assert_nobody_waits(&b_rx);
    }
}

#[test]
fn close_completes_a_select_once_though_it_has_several_arms_there() {
    let (tx, rx) = bounded::<u8>(5);
    let counter = CountingWaker::new();
    let mut selecting = Box::pin(async {
        select! {
            recv(rx) -> n => n,
            recv(rx) -> n => n,
            recv(rx) -> n => n,
        }
    });
    assert!(poll_with(&mut selecting, &counter.waker()).is_pending());
    drop(tx);
    assert_eq!(counter.wakes(), 1);
    assert_eq!(poll(&mut selecting), Ready(Err(RecvError)));
}

// A select and itself, a select and another.

#[test]
fn select_never_pairs_with_itself() {
    for send_first in [false, true] {
        let (tx, rx) = bounded(0);
        let mut selecting = Box::pin(async {
            if send_first {
                select! { send(tx, 1) -> s => s.map(|()| 0).unwrap(), recv(rx) -> n => n.unwrap() }
            } else {
                select! { recv(rx) -> n => n.unwrap(), send(tx, 1) -> s => s.map(|()| 0).unwrap() }
            }
        });
        for _ in 0..3 {
            assert!(poll(&mut selecting).is_pending());
        }
        assert_eq!((rx.waiting_senders(), rx.waiting_receivers()), (1, 1));
        // Anybody else may pair with either.
        if send_first {
            assert_eq!(rx.try_recv(), Ok(1));
            assert_eq!(poll(&mut selecting), Ready(0));
        } else {
            tx.try_send(2).unwrap();
            assert_eq!(poll(&mut selecting), Ready(2));
        }
        assert_nobody_waits(&rx);
    }
}

#[test]
fn select_on_both_ends_of_a_buffered_channel_sends_then_receives() {
    for capacity in [1, 4, 5] {
        let (tx, rx) = bounded(capacity);
        let mut slot = Some(1);
        let mut received = None;
        for _ in 0..2 {
            now(async {
                select! {
                    biased;
                    recv(rx) -> n => received = n.ok(),
                    send_from(tx, &mut slot) -> s => s.unwrap(),
                }
            });
        }
        assert_eq!((received, slot), (Some(1), None));
    }
}

/// Both arms of each would do; they pair by one.
#[test]
fn two_selects_pair() {
    for capacity in [0, 1, 5] {
        for sends_first in [true, false] {
            let (tx, rx) = full(capacity);
            let (other_tx, other_rx) = bounded::<usize>(0);
            let mut slot = Some(8);
            let mut receiving = Box::pin(async {
                select! { recv(rx) -> n => n, recv(other_rx) -> n => n }
            });
            let mut sending = Box::pin(async {
                select! {
                    send_from(tx, &mut slot) -> s => s.is_ok(),
                    send(other_tx, 9) -> s => s.is_ok(),
                }
            });
            if sends_first {
                assert!(poll(&mut sending).is_pending());
            } else if capacity == 0 {
                assert!(poll(&mut receiving).is_pending());
                assert_eq!(poll(&mut sending), Ready(true));
            } else {
                continue;
            }
            let Ready(Ok(received)) = poll(&mut receiving) else {
                panic!("it has a partner");
            };
            if sends_first {
                assert_eq!(poll(&mut sending), Ready(true));
            }
            drop((sending, receiving));
            assert_eq!(slot.is_some(), received == 9, "capacity {capacity}");
            let was_promoted = capacity > 0 && received != 9;
            assert_eq!(rx.try_iter().any(|n| n == 8), was_promoted);
            assert_nobody_waits(&rx);
            assert_nobody_waits(&other_rx);
        }
    }
}

#[test]
fn select_pairs_with_one_of_two_selects() {
    let (tx, rx) = bounded(0);
    let receive = || {
        Box::pin(async {
            select! { recv(rx) -> n => n, recv(rx) -> n => n }
        })
    };
    let (mut first, mut second) = (receive(), receive());
    assert!(poll(&mut first).is_pending());
    assert!(poll(&mut second).is_pending());
    assert_eq!(
        now(async {
            select! { send(tx, 1) -> s => s, send(tx, 2) -> s => s }
        }),
        Ok(())
    );
    assert!(poll(&mut first).is_ready(), "it has waited longer");
    assert!(poll(&mut second).is_pending());
    assert_eq!(rx.waiting_receivers(), 2);
}

/// Two that select over both directions of two channels: whoever sends, the other receives.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn selects_that_send_and_receive_do_not_deadlock() {
    const COUNT: usize = scaled(20_000);
    for capacity in [0, 1, 5] {
        no_deadlock(move || {
            let (a_tx, a_rx) = bounded(capacity);
            let (b_tx, b_rx) = bounded(capacity);
            let run = |tx: Sender<usize>, rx: Receiver<usize>| {
                thread::spawn(move || {
                    let (mut next, mut expected) = (0, 0);
                    while next < COUNT || expected < COUNT {
                        let mut slot = (next < COUNT).then_some(next);
                        select_blocking! {
                            send_from(tx, &mut slot) -> sent => {
                                sent.unwrap();
                                next += 1;
                            }
                            recv(rx) -> n, if expected < COUNT => {
                                assert_eq!(n, Ok(expected));
                                expected += 1;
                            }
                        }
                    }
                    (tx, rx)
                })
            };
            let threads = [run(a_tx, b_rx), run(b_tx, a_rx)];
            for (_, rx) in threads.map(|thread| thread.join().unwrap()) {
                assert_nobody_waits(&rx);
            }
        });
    }
}

// Cancelling.

#[test]
fn dropped_parked_select_has_had_no_effect() {
    for capacity in CAPACITIES {
        let (a_tx, a_rx) = bounded(capacity);
        let (b_tx, b_rx) = full(capacity);
        let mut slot = Some(9);
        let counter = CountingWaker::new();
        let mut selecting = Box::pin(async {
            select! {
                recv(a_rx) -> _ => (),
                send_from(b_tx, &mut slot) -> _ => (),
            }
        });
        assert!(poll_with(&mut selecting, &counter.waker()).is_pending());
        drop(selecting);
        assert_eq!((counter.wakes(), counter.wakers()), (0, 0));
        assert_eq!(slot, Some(9), "capacity {capacity}");
        assert_nobody_waits(&a_rx);
        assert_nobody_waits(&b_rx);
        assert_eq!(a_tx.try_send(1).is_ok(), capacity > 0);
        assert!(b_rx.try_iter().eq(0..capacity));
    }
}

#[test]
fn dropped_select_gives_its_message_back_to_its_place() {
    let (tx, rx) = bounded(5);
    let (_other, other_rx) = bounded::<usize>(0);
    let select = || {
        Box::pin(async {
            select! { recv(rx) -> n => n, recv(other_rx) -> n => n }
        })
    };
    let (mut first, mut second) = (select(), select());
    assert!(poll(&mut first).is_pending());
    assert!(poll(&mut second).is_pending());
    (0..4).for_each(|n| tx.try_send(n).unwrap());
    drop(second);
    drop(first);
    assert!(rx.try_iter().eq(0..4));
}

#[test]
fn dropped_select_hands_its_message_on_to_the_next_receiver() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        let counter = CountingWaker::new();
        let mut selecting = Box::pin(async {
            select! { recv(rx) -> n => n }
        });
        assert!(poll(&mut selecting).is_pending());
        let mut next = Box::pin(async {
            select! { recv(rx) -> n => n }
        });
        assert!(poll_with(&mut next, &counter.waker()).is_pending());
        tx.try_send(1).unwrap();
        drop(selecting);
        assert_eq!(counter.wakes(), 1);
        assert_eq!(poll(&mut next), Ready(Ok(1)));
    }
}

#[test]
fn send_from_of_a_dropped_select_was_sent_if_it_was_taken() {
    for capacity in CAPACITIES {
        let (tx, rx) = full(capacity);
        let mut slot = Some(capacity);
        let mut selecting = Box::pin(async {
            select! { send_from(tx, &mut slot) -> _ => () }
        });
        assert!(poll(&mut selecting).is_pending());
        assert!(rx.try_recv().is_ok());
        drop(selecting);
        assert_eq!(slot, None, "capacity {capacity}");
        assert!(rx.try_iter().eq(1..capacity + 1));
    }
}

#[test]
fn losing_send_drops_its_message_and_losing_send_from_keeps_it() {
    let drops = Drops::new();
    let (tx, rx) = bounded(0);
    let (go_tx, go) = bounded(1);
    go_tx.try_send(()).unwrap();
    let mut slot = Some(drops.message(2));
    now(async {
        select! {
            send(tx, drops.message(1)) -> _ => unreachable!("nobody receives"),
            send_from(tx, &mut slot) -> _ => unreachable!("nobody receives"),
            recv(go) -> _ => assert_eq!(drops.count(), 1, "dropped before the body runs"),
        }
    });
    assert_eq!(slot.as_ref().map(|message| message.id), Some(2));
    assert_eq!(rx.try_recv().err(), Some(TryRecvError::Empty));

    // Parked, then dropped.
    let mut selecting = Box::pin(async {
        select! { send(tx, drops.message(3)) -> _ => () }
    });
    assert!(poll(&mut selecting).is_pending());
    drop(selecting);
    assert_eq!(drops.count(), 2);
}

// Other futures.

/// A future that does something whenever it is polled, and never ends.
async fn during_the_poll(mut action: impl FnMut()) {
    poll_fn(|_| {
        action();
        Pending
    })
    .await
}

#[test]
fn output_of_a_future_is_never_discarded() {
    let (tx, rx) = bounded(5);
    // Not ready at the first poll; later a message is sent in the very poll in which it becomes ready.
    let mut polls = 0;
    let mut selecting = Box::pin(async {
        select! {
            recv(rx) -> n => n.unwrap(),
            future(poll_fn(|_| {
                polls += 1;
                if polls == 1 {
                    return Pending;
                }
                tx.try_send(1).unwrap();
                Ready(7)
            })) -> n => n,
        }
    });
    assert!(poll(&mut selecting).is_pending());
    assert_eq!(poll(&mut selecting), Ready(7));
    drop(selecting);
    assert_eq!(rx.try_recv(), Ok(1), "the select was passed by");
    assert_nobody_waits(&rx);
}

#[test]
fn future_is_not_polled_once_a_peer_has_committed() {
    let (tx, rx) = bounded(0);
    let polls = Cell::new(0);
    let mut future = Box::pin(during_the_poll(|| polls.set(polls.get() + 1)));
    let mut selecting = Box::pin(async {
        select! { recv(rx) -> n => n, future(&mut future) -> () => unreachable!() }
    });
    assert!(poll(&mut selecting).is_pending());
    tx.try_send(1).unwrap();
    assert_eq!(poll(&mut selecting), Ready(Ok(1)));
    assert_eq!(polls.get(), 1);
}

#[test]
fn marked_select_tries_its_arms_before_it_waits_again() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        let polls = Cell::new(0);
        let mut send = Box::pin(tx.send(1));
        let mut selecting = Box::pin(async {
            select! {
                recv(rx) -> n => n,
                future(during_the_poll(|| {
                    polls.set(polls.get() + 1);
                    if polls.get() == 2 {
                        assert_eq!(poll(&mut send).is_ready(), capacity > 0);
                    }
                })) -> () => unreachable!(),
            }
        });
        assert!(poll(&mut selecting).is_pending());
        assert_eq!(poll(&mut selecting), Ready(Ok(1)), "capacity {capacity}");
        drop(selecting);
        assert_eq!(rx.len(), 0);
        assert_nobody_waits(&rx);
    }
}

#[test]
fn marked_select_parks_again_if_others_were_faster() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        let (_other_tx, other_rx) = bounded::<usize>(0);
        let counter = CountingWaker::new();
        let polls = Cell::new(0);
        let mut selecting = Box::pin(async {
            select! {
                recv(rx) -> n => n,
                recv(other_rx) -> n => n,
                future(during_the_poll(|| {
                    polls.set(polls.get() + 1);
                    if polls.get() == 2 && capacity > 0 {
                        tx.try_send(1).unwrap();
                        assert_eq!(rx.try_recv(), Ok(1));
                    } else if polls.get() == 2 {
                        assert_eq!(tx.try_send(1), Err(TrySendError::Full(1)));
                    }
                })) -> () => unreachable!(),
            }
        });
        assert!(poll_with(&mut selecting, &counter.waker()).is_pending());
        assert!(poll_with(&mut selecting, &counter.waker()).is_pending());
        assert_eq!(
            (rx.waiting_receivers(), other_rx.waiting_receivers()),
            (1, 1)
        );
        tx.try_send(2).unwrap();
        assert_eq!(counter.wakes(), 1);
        assert_eq!(poll(&mut selecting), Ready(Ok(2)));
    }
}

#[test]
fn select_passed_by_while_it_is_polled_goes_to_the_end_of_the_line() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        let polls = Cell::new(0);
        let mut second = pin!(rx.recv());
        let newcomer = RefCell::new(Box::pin(rx.recv()));
        let mut selecting = pin!(async {
            select! {
                recv(rx) -> n => n,
                future(during_the_poll(|| {
                    polls.set(polls.get() + 1);
                    if polls.get() == 2 {
                        assert!(poll(&mut *newcomer.borrow_mut()).is_pending());
                        tx.try_send(1).unwrap();
                    }
                })) -> () => unreachable!(),
            }
        });
        assert!(poll(&mut selecting).is_pending(), "the first in the line");
        assert!(poll(&mut second).is_pending());
        assert!(poll(&mut selecting).is_pending(), "passed by");
        assert_eq!(poll(&mut second), Ready(Ok(1)), "capacity {capacity}");
        tx.try_send(2).unwrap();
        assert!(poll(&mut selecting).is_pending(), "capacity {capacity}");
        assert_eq!(poll(&mut *newcomer.borrow_mut()), Ready(Ok(2)));
        tx.try_send(3).unwrap();
        assert_eq!(poll(&mut selecting), Ready(Ok(3)), "capacity {capacity}");
    }
}

#[test]
fn peer_that_passes_a_select_by_commits_the_one_behind() {
    let (tx, rx) = bounded(0);
    let polls = Cell::new(0);
    let mut selecting = Box::pin(async {
        select! {
            recv(rx) -> n => n,
            future(during_the_poll(|| {
                polls.set(polls.get() + 1);
                if polls.get() == 2 {
                    tx.try_send(1).unwrap();
                }
            })) -> () => unreachable!(),
        }
    });
    assert!(poll(&mut selecting).is_pending());
    let mut behind = Box::pin(async {
        select! { recv(rx) -> n => n }
    });
    assert!(poll(&mut behind).is_pending());
    assert!(poll(&mut selecting).is_pending());
    assert_eq!(poll(&mut behind), Ready(Ok(1)));
    tx.try_send(2).unwrap();
    assert_eq!(poll(&mut selecting), Ready(Ok(2)));
}

#[test]
fn marked_select_with_both_ends_of_a_channel_pairs_with_others_only() {
    let (tx, rx) = bounded(0);
    let polls = Cell::new(0);
    let mut other = Box::pin(tx.send(1));
    let mut selecting = Box::pin(async {
        select! {
            send(tx, 9) -> _ => unreachable!("nobody else receives"),
            recv(rx) -> n => n,
            future(during_the_poll(|| {
                polls.set(polls.get() + 1);
                match polls.get() {
                    // Both arms are unlinked in passing by.
                    2 => {
                        assert!(rx.try_recv().is_err());
                        assert!(tx.try_send(8).is_err());
                    }
                    // Only the receive is, and the other send stands behind the select's own.
                    3 => assert!(poll(&mut other).is_pending()),
                    _ => {}
                }
            })) -> () => unreachable!(),
        }
    });
    assert!(poll(&mut selecting).is_pending());
    assert!(poll(&mut selecting).is_pending());
    assert_eq!((rx.waiting_senders(), rx.waiting_receivers()), (1, 1));
    assert_eq!(poll(&mut selecting), Ready(Ok(1)));
    drop(selecting);
    assert_nobody_waits(&rx);
}

/// In tokio's runtime of one thread a timer is driven when no task runs. (Without a budget, which the feature `tokio` would give
/// the loop.)
#[test]
fn timer_in_an_arm_does_not_fire_while_the_loop_always_finds_another_arm_ready() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(tokio::task::unconstrained(async {
        let (tx, rx) = bounded(1);
        let mut timer = pin!(tokio::time::sleep(Duration::from_millis(1)));
        let last = if cfg!(miri) { 20 } else { 1_000 };
        let mut yields = false;
        for n in 0.. {
            let _ = tx.try_send(n);
            let has_fired = select! {
                recv(rx) -> _ => false,
                future(&mut timer) -> () => true,
            };
            match n {
                10 => thread::sleep(Duration::from_millis(5)),
                _ if n == last => yields = true,
                _ => {}
            }
            if yields {
                tokio::task::yield_now().await;
            }
            assert!(yields || !has_fired, "round {n}");
            if has_fired {
                break;
            }
        }
    }));
}

#[test]
fn select_of_futures_alone_is_a_select() {
    let mut wakers = Vec::new();
    let mut done = false;
    let mut polls = 0;
    let mut selecting = Box::pin(async {
        select! {
            future(poll_fn(|cx| {
                wakers.push(cx.waker().clone());
                polls += 1;
                done |= polls == 2;
                if done { Ready(1) } else { Pending }
            })) -> n => n,
            future(pending::<i32>()) -> n => n,
        }
    });
    assert!(poll(&mut selecting).is_pending());
    assert_eq!(poll(&mut selecting), Ready(1));
}

// The order of choice.

#[test]
fn biased_select_takes_the_topmost_that_is_ready() {
    let (a_tx, a_rx) = unbounded();
    let (b_tx, b_rx) = unbounded();
    let choose = || {
        now(async {
            select! {
                biased;
                recv(a_rx) -> n => n.unwrap(),
                future(async { if b_rx.len() > 3 { 7 } else { pending().await } }) -> n => n,
                recv(b_rx) -> n => n.unwrap(),
            }
        })
    };
    for n in 0..4 {
        b_tx.try_send(n).unwrap();
    }
    assert_eq!(choose(), 7);
    b_rx.try_recv().unwrap();
    a_tx.try_send(9).unwrap();
    assert_eq!([choose(), choose()], [9, 1]);
}

#[test]
fn what_a_peer_has_committed_stands_in_a_biased_select_too() {
    let (a_tx, a_rx) = unbounded();
    let (b_tx, b_rx) = unbounded();
    let mut selecting = Box::pin(async {
        select! { biased; recv(a_rx) -> n => n, recv(b_rx) -> n => n }
    });
    assert!(poll(&mut selecting).is_pending());
    b_tx.try_send(2).unwrap();
    a_tx.try_send(1).unwrap();
    assert_eq!(poll(&mut selecting), Ready(Ok(2)));
    drop(selecting);
    assert_eq!(a_rx.try_recv(), Ok(1));
}

/// Chooses many times among arms that are all ready. No arm's share may be off by six standard deviations, which is 2 % of
/// the share of one arm in two and 5 % of that of one in eight. With one seed it fails always or never: of a billion seeds
/// two would fail.
#[track_caller]
fn assert_fair<const ARMS: usize>(what: &str, mut choose: impl FnMut() -> usize) {
    const ROUNDS: usize = if cfg!(miri) { 50 } else { 100_000 };
    seed_select(2024);
    let mut counts = [0_u32; ARMS];
    for _ in 0..ROUNDS {
        counts[choose()] += 1;
    }
    let share = 1.0 / ARMS as f64;
    let deviation = (ROUNDS as f64 * share * (1.0 - share)).sqrt();
    for count in counts {
        let off = f64::from(count) - ROUNDS as f64 * share;
        assert!(off.abs() < 6.0 * deviation, "{what}: {counts:?}");
    }
}

/// A channel on which a receive is ready; each message received has to be put back.
fn one(capacity: usize) -> (Sender<()>, Receiver<()>) {
    let (tx, rx) = bounded(capacity);
    tx.try_send(()).unwrap();
    (tx, rx)
}

#[test]
fn each_of_two_ready_arms_is_as_likely_as_the_other() {
    let [a, b] = [one(1), one(5)];
    let put_back = |n: usize| {
        [&a, &b][n].0.try_send(()).unwrap();
        n
    };
    assert_fair::<2>("two receives", || {
        put_back(now(async {
            select! { recv(a.1) -> _ => 0, recv(b.1) -> _ => 1 }
        }))
    });
    assert_fair::<2>("two receives, with a default", || {
        put_back(now(async {
            select! { recv(a.1) -> _ => 0, default => unreachable!(), recv(b.1) -> _ => 1 }
        }))
    });
    assert_fair::<2>("two receives of a thread", || {
        put_back(select_blocking! { recv(a.1) -> _ => 0, recv(b.1) -> _ => 1 })
    });
    assert_fair::<2>("two foreign futures", || {
        now(async {
            select! { future(ready(0)) -> n => n, future(ready(1)) -> n => n }
        })
    });
    a.0.close();
    b.0.close();
    a.1.try_recv().unwrap();
    b.1.try_recv().unwrap();
    assert_fair::<2>("two closed channels", || {
        now(async {
            select! { recv(a.1) -> _ => 0, send(b.0, ()) -> _ => 1 }
        })
    });
}

#[test]
fn each_of_three_ready_arms_is_as_likely_as_the_others() {
    let (a, (tx, rx)) = (one(4), bounded(1));
    assert_fair::<3>("a receive, a send and a foreign future", || {
        now(async {
            select! {
                recv(a.1) -> _ => { a.0.try_send(()).unwrap(); 0 }
                send(tx, ()) -> _ => { rx.try_recv().unwrap(); 1 }
                future(ready(())) -> () => 2,
            }
        })
    });
    let mut slots = [Some(()); 3];
    assert_fair::<3>("three sends", || {
        let [a, b, c] = &mut slots;
        let sent = now(async {
            select! {
                send_from(tx, a) -> _ => 0,
                send_from(tx, b) -> _ => 1,
                send_from(tx, c) -> _ => 2,
            }
        });
        slots[sent] = rx.try_recv().ok();
        sent
    });
    // One by one they are pending when the select parks, and all are ready when it is polled again.
    let is_ready = Cell::new(false);
    let later = || {
        poll_fn(|_| match is_ready.get() {
            true => Ready(()),
            false => Pending,
        })
    };
    assert_fair::<3>("three foreign futures of a select that was parked", || {
        is_ready.set(false);
        let mut selecting = pin!(async {
            select! {
                future(later()) -> () => 0,
                recv(rx) -> _ => unreachable!("empty"),
                future(later()) -> () => 1,
                future(later()) -> () => 2,
            }
        });
        assert!(poll(&mut selecting).is_pending());
        is_ready.set(true);
        now(selecting)
    });
}

#[test]
fn each_of_eight_ready_arms_is_as_likely_as_the_others() {
    let [a, b, c, d] = [1, 4, 5, 64].map(one);
    let [x, y] = [bounded(1), bounded(5)];
    assert_fair::<8>("four receives, two sends, two foreign futures", || {
        now(async {
            select! {
                recv(a.1) -> _ => { a.0.try_send(()).unwrap(); 0 }
                future(ready(())) -> () => 1,
                recv(b.1) -> _ => { b.0.try_send(()).unwrap(); 2 }
                send(x.0, ()) -> _ => { x.1.try_recv().unwrap(); 3 }
                send(y.0, ()) -> _ => { y.1.try_recv().unwrap(); 4 }
                recv(c.1) -> _ => { c.0.try_send(()).unwrap(); 5 }
                future(ready(())) -> () => 6,
                recv(d.1) -> _ => { d.0.try_send(()).unwrap(); 7 }
            }
        })
    });
}

/// Those behind an arm that is not ready would get its share, too, if the arms were tried in turn from a random one on.
#[test]
fn each_ready_arm_is_as_likely_as_the_others_beside_arms_that_are_not() {
    let [a, b, c] = [one(1), one(5), one(1)];
    let (_tx, empty) = bounded::<()>(1);
    let full = one(1);
    assert_fair::<3>("three of eight", || {
        let n = now(async {
            select! {
                recv(empty) -> _ => unreachable!("empty"),
                future(pending()) -> () => unreachable!("pending"),
                send(full.0, ()) -> _ => unreachable!("full"),
                recv(a.1) -> _ => 0,
                recv(b.1) -> _ => 1,
                recv(empty) -> _, if empty.is_closed() => unreachable!("switched off"),
                recv(never::<()>()) -> _ => unreachable!("never"),
                recv(c.1) -> _ => 2,
            }
        });
        [&a, &b, &c][n].0.try_send(()).unwrap();
        n
    });
}

fn assert_arms_at_run_time_are_fair<const ARMS: usize>() {
    // Receives and sends in turn.
    let channels: [_; ARMS] = array::from_fn(|n| match n % 2 {
        0 => one(n / 2 + 1),
        _ => bounded(n),
    });
    let restore = |n: usize| {
        let (tx, rx) = &channels[n];
        match n % 2 {
            0 => tx.try_send(()).unwrap(),
            _ => rx.try_recv().unwrap(),
        }
        n
    };
    let mut receives = channels.each_ref().map(|(_, rx)| Box::pin(rx.recv()));
    let mut sends = channels.each_ref().map(|(tx, _)| Box::pin(tx.send(())));
    assert_fair::<ARMS>(&format!("`Select` of {ARMS}"), || {
        let mut select = Select::new();
        for (n, (receive, send)) in receives.iter_mut().zip(&mut sends).enumerate() {
            match n % 2 {
                0 => select.arm(receive.as_mut()),
                _ => select.arm(send.as_mut()),
            };
        }
        let n = now(select);
        match n % 2 {
            0 => {
                now(receives[n].as_mut()).unwrap();
                receives[n].set(channels[n].1.recv());
            }
            _ => sends[n].set(channels[n].0.send(())),
        }
        restore(n)
    });

    let (txs, rxs): (Vec<_>, Vec<_>) = (0..ARMS).map(|n| one(n + 1)).unzip();
    assert_fair::<ARMS>(&format!("`recv_any` of {ARMS}"), || {
        let (n, received) = now(recv_any(&rxs));
        received.unwrap();
        txs[n].try_send(()).unwrap();
        n
    });
}

#[test]
fn each_ready_arm_known_at_run_time_is_as_likely_as_the_others() {
    assert_arms_at_run_time_are_fair::<2>();
    assert_arms_at_run_time_are_fair::<3>();
    assert_arms_at_run_time_are_fair::<8>();
}

// Panics.

fn panics<T>(message: &str) -> T {
    panic!("{message}")
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn panics_of_the_users_code_leave_the_channels_usable() {
    let (tx, rx) = bounded(1);
    let (_other_tx, other_rx) = bounded::<u8>(0);
    tx.try_send(1).unwrap();
    let body = || {
        now(async {
            select! { recv(rx) -> n => panic!("body of {n:?}"), recv(other_rx) -> _ => () }
        })
    };
    assert_eq!(panic_of(body), "body of Ok(1)");
    let condition = || {
        now(async {
            select! { recv(rx) -> _ => (), recv(other_rx) -> _, if panics("condition") => () }
        })
    };
    assert_eq!(panic_of(condition), "condition");
    let message = || {
        now(async {
            select! { recv(rx) -> _ => (), send(tx, panics("message")) -> _ => () }
        })
    };
    assert_eq!(panic_of(message), "message");
    let future = || {
        now(async {
            select! { biased; recv(rx) -> _ => (), future(async { panic!("future") }) -> () => () }
        })
    };
    assert_eq!(panic_of(future), "future");
    assert_nobody_waits(&rx);
    assert_nobody_waits(&other_rx);
    tx.try_send(2).unwrap();
    assert_eq!(rx.try_recv(), Ok(2));
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn future_that_panics_while_the_select_is_parked_unlinks_it() {
    let (tx, rx) = bounded(0);
    let mut polls = 0;
    let mut selecting = Box::pin(async {
        select! {
            recv(rx) -> n => n,
            future(poll_fn(|_| {
                polls += 1;
                if polls == 2 { panic!("second poll") }
                Pending
            })) -> n => n,
        }
    });
    assert!(poll(&mut selecting).is_pending());
    assert_eq!(panic_of(|| poll(&mut selecting)), "second poll");
    drop(selecting);
    assert_nobody_waits(&rx);
    assert_eq!(tx.try_send(1), Err(TrySendError::Full(1)));
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn waker_of_a_peer_that_panics_loses_nothing() {
    for capacity in CAPACITIES {
        let (tx, rx) = full(capacity);
        let waker = panicking_waker("woken");
        let mut send = Box::pin(tx.send(capacity));
        assert!(poll_with(&mut send, &waker).is_pending());
        let receive = || {
            now(async {
                select! { recv(rx) -> n => n }
            })
        };
        assert_eq!(panic_of(receive), "woken");
        assert_eq!(poll(&mut send), Ready(Ok(())));
        assert!(rx.try_iter().eq(0..=capacity), "capacity {capacity}");

        let mut receive = Box::pin(rx.recv());
        assert!(poll_with(&mut receive, &waker).is_pending());
        let mut slot = Some(7);
        let send = || {
            now(async {
                select! { send_from(tx, &mut slot) -> s => s }
            })
        };
        assert_eq!(panic_of(send), "woken");
        assert_eq!((poll(&mut receive), slot), (Ready(Ok(7)), None));
        assert_nobody_waits(&rx);
    }
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "catches a panic")]
fn own_waker_that_panics_leaves_nobody_parked() {
    for call in [Call::Clone, Call::Drop] {
        let (tx, rx) = bounded(0);
        let armed = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let waker = hooked_waker({
            let armed = Arc::clone(&armed);
            move |now| {
                if now == call && armed.swap(false, std::sync::atomic::Ordering::SeqCst) {
                    panic!("{now:?}");
                }
            }
        });
        let mut selecting = Box::pin(async {
            select! { recv(rx) -> n => n, recv(rx) -> n => n }
        });
        if call == Call::Drop {
            assert!(poll_with(&mut selecting, &waker).is_pending());
        }
        armed.store(true, std::sync::atomic::Ordering::SeqCst);
        let other = if call == Call::Drop {
            Waker::noop()
        } else {
            &waker
        };
        assert_eq!(
            panic_of(|| poll_with(&mut selecting, other)),
            format!("{call:?}")
        );
        drop(selecting);
        assert_nobody_waits(&rx);
        assert!(tx.try_send(1).is_err());
    }
}

/// A waker may use the channels that it is woken from.
#[test]
fn wakers_run_under_no_lock() {
    no_deadlock(|| {
        for capacity in CAPACITIES {
            let (tx, rx) = bounded(capacity);
            let (tx2, rx2) = (tx.clone(), rx.clone());
            let waker = hooked_waker(move |_| {
                let _ = (tx2.len(), rx2.waiting_receivers(), rx2.is_closed());
            });
            let mut selecting = Box::pin(async {
                select! { recv(rx) -> n => n, recv(rx) -> n => n }
            });
            assert!(poll_with(&mut selecting, &waker).is_pending());
            assert!(poll_with(&mut selecting, &waker.clone()).is_pending());
            assert!(poll(&mut selecting).is_pending());
            assert!(poll_with(&mut selecting, &waker).is_pending());
            tx.try_send(1).unwrap();
            assert_eq!(poll(&mut selecting), Ready(Ok(1)));
        }
    });
}
