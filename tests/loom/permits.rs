//! Permits: granted, used and dropped while others send, receive, park, leave and close.

use std::{pin::Pin, task::Poll};

use hchan::{OwnedPermit, Receiver, Select, Sender, bounded, select};
use loom::thread;

use super::{
    Bell, Ledger, Message, assert_idle, block_on, explore, explore_bounded, join_all, number,
    output, parked, poll, poll_with,
};

/// All the permits that can be had.
fn permits(tx: &Sender<Message>) -> Vec<OwnedPermit<Message>> {
    std::iter::from_fn(|| tx.try_reserve().ok())
        .map(|permit| permit.into_owned())
        .collect()
}

/// Nobody is parked, nothing is in it, and all places can be had.
fn assert_as_new(tx: &Sender<Message>, rx: &Receiver<Message>) {
    assert_idle(rx);
    assert_eq!(Some(permits(tx).len()), tx.capacity(), "places");
}

/// A receive with a receiver of its own, parked.
fn parked_receive(rx: &Receiver<Message>) -> Pin<Box<impl Future<Output = Option<usize>> + use<>>> {
    let rx = rx.clone();
    parked(async move { rx.recv().await.ok().map(number) })
}

#[test]
fn permit_used_against_a_parked_receive_and_a_close() {
    for capacity in [0, 2] {
        explore_bounded(move |ledger| {
            let (tx, rx) = bounded(capacity);
            let receive = parked_receive(&rx);
            let permit = tx.try_reserve().unwrap().into_owned();
            let message = ledger.message();
            let receiving = thread::spawn(move || block_on(receive));
            let sending = thread::spawn(move || permit.send(message).1.is_ok());
            assert!(rx.close());
            let received = receiving.join().unwrap();
            let left = rx.try_recv().ok().map(number);
            assert_eq!(received.or(left).is_some(), sending.join().unwrap());
            assert_idle(&rx);
        });
    }
}

#[test]
fn permit_used_against_a_receive() {
    for capacity in [1, 2] {
        explore(move |ledger| {
            let (tx, rx) = bounded(capacity);
            let permit = tx.try_reserve().unwrap().into_owned();
            let message = ledger.message();
            let sending = thread::spawn(move || drop(permit.send(message)));
            assert_eq!(block_on(rx.recv()).map(number), Ok(1));
            sending.join().unwrap();
            assert_as_new(&tx, &rx);
        });
    }
}

/// The message is handed over and given back, or goes beyond the places.
#[test]
fn permit_used_against_a_receiver_that_leaves() {
    for capacity in [0, 1, 2] {
        explore(move |ledger| {
            let (tx, rx) = bounded(capacity);
            let receive = parked_receive(&rx);
            let mut permits = permits(&tx);
            assert_eq!(permits.len(), capacity + 1);
            for permit in permits.drain(1..) {
                // Handed to the receive first, then into the ring.
                assert!(permit.send(ledger.message()).1.is_ok());
            }
            let last = permits.pop().unwrap();
            let message = ledger.message();
            let sending = thread::spawn(move || drop(last.send(message)));
            drop(receive);
            sending.join().unwrap();
            assert!(rx.try_iter().map(number).eq(1..=capacity + 1));
            assert_as_new(&tx, &rx);
        });
    }
}

/// The place is the parked send's; who comes meanwhile has to wait.
#[test]
fn permit_dropped_against_a_parked_send_and_one_that_arrives() {
    for capacity in [1, 2] {
        explore(move |ledger| {
            let (tx, rx) = bounded(capacity);
            let mut held = permits(&tx);
            let (bell, waker) = Bell::new();
            let mut send = Box::pin(tx.send(ledger.message()));
            assert!(poll_with(&mut send, &waker).is_pending());
            let message = ledger.message();
            let arriving = thread::spawn({
                let tx = tx.clone();
                move || tx.try_send(message).is_ok()
            });
            held.pop();
            assert_eq!(bell.rings(), 1);
            assert!(output(&mut send).is_ok());
            assert!(!arriving.join().unwrap(), "it came later");
            assert_eq!(rx.try_recv().map(number), Ok(1));
            drop((send, held));
            assert_as_new(&tx, &rx);
        });
    }
}

#[test]
fn permit_dropped_against_a_send_that_waits() {
    for capacity in [1, 2] {
        explore(move |ledger| {
            let (tx, rx) = bounded(capacity);
            let held = permits(&tx);
            let message = ledger.message();
            let sending = thread::spawn({
                let tx = tx.clone();
                move || block_on(tx.send(message)).is_ok()
            });
            drop(held);
            assert!(sending.join().unwrap());
            assert_eq!(rx.try_recv().map(number), Ok(1));
            assert_as_new(&tx, &rx);
        });
    }
}

#[test]
fn permit_dropped_against_a_reserve_that_waits() {
    for capacity in [1, 2] {
        explore(move |_| {
            let (tx, rx) = bounded::<Message>(capacity);
            let held = permits(&tx);
            let reserving = thread::spawn({
                let tx = tx.clone();
                move || drop(block_on(tx.reserve()).unwrap())
            });
            drop(held);
            reserving.join().unwrap();
            assert_as_new(&tx, &rx);
        });
    }
}

/// The permit that it is given meanwhile goes on to the next.
#[test]
fn reserve_dropped_against_its_grant() {
    for capacity in [1, 2] {
        explore(move |ledger| {
            let (tx, rx) = bounded(capacity);
            for _ in 0..capacity {
                assert!(tx.try_send(ledger.message()).is_ok());
            }
            let (bell, waker) = Bell::new();
            let dropped = parked(tx.reserve());
            let mut next = Box::pin(tx.reserve());
            assert!(poll_with(&mut next, &waker).is_pending());
            let receiving = thread::spawn({
                let rx = rx.clone();
                move || rx.try_recv().is_ok()
            });
            drop(dropped);
            assert!(receiving.join().unwrap());
            assert_eq!(bell.rings(), 1);
            assert!(output(&mut next).is_ok());
            drop(next);
            drop(rx.try_recv());
            assert_as_new(&tx, &rx);
        });
    }
}

#[test]
fn reserve_dropped_against_the_close() {
    explore(|_| {
        let (tx, rx) = bounded::<Message>(0);
        let receive = parked_receive(&rx);
        let held = permits(&tx);
        let reserve = parked(tx.reserve());
        let closing = thread::spawn({
            let rx = rx.clone();
            move || assert!(rx.close())
        });
        drop(reserve);
        drop(held);
        closing.join().unwrap();
        drop(receive);
        assert_idle(&rx);
    });
}

/// Behind the one that goes a send waits: the receive is its.
#[test]
fn reserve_dropped_against_a_receive_that_parks() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let reserve = parked(tx.reserve());
        let mut send = parked(tx.send(ledger.message()));
        let receiving = thread::spawn({
            let rx = rx.clone();
            move || block_on(rx.recv()).map(number)
        });
        drop(reserve);
        assert_eq!(receiving.join().unwrap(), Ok(1));
        assert!(output(&mut send).is_ok());
        drop(send);
        assert_as_new(&tx, &rx);
    });
}

#[test]
fn reserve_meets_a_receive() {
    for capacity in [0, 1, 2] {
        explore(move |ledger| {
            let (tx, rx) = bounded(capacity);
            let message = ledger.message();
            let sending = thread::spawn({
                let tx = tx.clone();
                move || block_on(tx.reserve()).unwrap().send(message).is_ok()
            });
            assert_eq!(block_on(rx.recv()).map(number), Ok(1));
            assert!(sending.join().unwrap());
            assert_as_new(&tx, &rx);
        });
    }
}

/// With the senders' lock alone, or after the receiver with both.
#[test]
fn permit_asked_for_and_used_against_a_receive_that_parks() {
    for capacity in [1, 2] {
        explore(move |ledger| {
            let (tx, rx) = bounded(capacity);
            let message = ledger.message();
            let sending = thread::spawn({
                let tx = tx.clone();
                move || tx.try_reserve().unwrap().send(message).is_ok()
            });
            let mut receive = Box::pin(rx.recv());
            let received = poll(&mut receive);
            assert!(sending.join().unwrap());
            let received = match received {
                Poll::Ready(received) => received,
                Poll::Pending => output(&mut receive),
            };
            assert_eq!(received.map(number), Ok(1));
            drop(receive);
            assert_as_new(&tx, &rx);
        });
    }
}

#[test]
fn permit_asked_for_against_a_send() {
    for capacity in [1, 2, 3] {
        explore(move |ledger| {
            let (tx, rx) = bounded(capacity);
            for _ in 1..capacity {
                assert!(tx.try_send(ledger.message()).is_ok());
            }
            let message = ledger.message();
            let sending = thread::spawn({
                let tx = tx.clone();
                move || tx.try_send(message).is_ok()
            });
            let permit = tx.try_reserve().ok();
            assert_ne!(permit.is_some(), sending.join().unwrap(), "one place");
            drop((permit, rx.try_iter().for_each(drop)));
            assert_as_new(&tx, &rx);
        });
    }
}

#[test]
fn permit_asked_for_against_the_close() {
    explore(|ledger| {
        let (tx, rx) = bounded(2);
        let closing = thread::spawn(move || {
            assert!(rx.close());
            rx
        });
        let permit = tx.try_reserve().ok();
        let rx = closing.join().unwrap();
        assert!(tx.try_reserve().is_err(), "closed");
        if let Some(permit) = permit {
            assert!(permit.send(ledger.message()).is_err());
        }
        assert_idle(&rx);
    });
}

/// One place, which a receive leaves: whoever gets it finds it free, and writes it after it was read.
#[test]
fn place_of_a_receive_goes_to_a_permit() {
    for capacity in [1, 2] {
        explore(move |ledger| {
            let (tx, rx) = filled(ledger, capacity);
            let receiving = thread::spawn({
                let rx = rx.clone();
                move || rx.try_recv().map(number)
            });
            let is_sent = match tx.try_reserve() {
                Ok(permit) => permit.send(ledger.message()).is_ok(),
                Err(_) => false,
            };
            assert_eq!(receiving.join().unwrap(), Ok(1));
            let left = 1 + capacity + usize::from(is_sent);
            assert!(rx.try_iter().map(number).eq(2..left));
            assert_as_new(&tx, &rx);
        });
    }
}

fn filled(ledger: &Ledger, capacity: usize) -> (Sender<Message>, Receiver<Message>) {
    let (tx, rx) = bounded(capacity);
    for _ in 0..capacity {
        assert!(tx.try_send(ledger.message()).is_ok());
    }
    (tx, rx)
}

#[test]
fn messages_beyond_the_places_against_receives() {
    for capacity in [0, 2] {
        explore(move |ledger| {
            let (tx, rx) = bounded(capacity);
            let receive = parked_receive(&rx);
            let held = permits(&tx);
            drop(receive);
            for permit in held {
                assert!(permit.send(ledger.message()).1.is_ok());
            }
            let message = ledger.message();
            let sending = thread::spawn({
                let tx = tx.clone();
                move || tx.try_send(message).is_ok()
            });
            assert_eq!(rx.try_recv().map(number), Ok(1));
            assert!(!sending.join().unwrap(), "no place is free");
            assert!(rx.try_iter().map(number).eq(2..capacity + 2));
            assert_as_new(&tx, &rx);
        });
    }
}

/// Two parked selects that a permit keeps apart.
#[expect(clippy::type_complexity, reason = "four things of a model")]
fn selects_apart(
    ledger: &Ledger,
    capacity: usize,
) -> (
    (Sender<Message>, Receiver<Message>),
    Vec<OwnedPermit<Message>>,
    Pin<Box<impl Future<Output = Option<usize>> + use<>>>,
    Pin<Box<impl Future<Output = bool> + use<>>>,
) {
    let (tx, rx) = bounded(capacity);
    let (other_tx, other_rx) = bounded::<Message>(0);
    let receiving = parked({
        let (rx, other_rx, open) = (rx.clone(), other_rx.clone(), other_tx.clone());
        async move {
            let _open = open;
            select! {
                recv(rx) -> message => message.ok().map(number),
                recv(other_rx) -> _ => None,
                future(std::future::pending::<()>()) -> () => None,
            }
        }
    });
    let held = permits(&tx);
    let mut slot = Some(ledger.message());
    let sending = parked({
        let tx = tx.clone();
        async move {
            let _open = other_tx;
            select! {
                send_from(tx, &mut slot) -> sent => sent.is_ok(),
                recv(other_rx) -> _ => false,
            }
        }
    });
    ((tx, rx), held, receiving, sending)
}

/// While it is polled it cannot be claimed, so they are not paired in one step.
#[test]
fn permit_dropped_pairs_two_selects_one_of_which_is_polled() {
    for (capacity, is_receiver_polled) in [(0, true), (0, false), (1, true), (1, false)] {
        explore(move |ledger| {
            let ((tx, rx), mut held, mut receiving, mut sending) = selects_apart(ledger, capacity);
            let [(bell, waker), (their_bell, their_waker)] = [Bell::new(), Bell::new()];
            let mut received = poll_with(&mut receiving, &waker);
            let mut sent = poll_with(&mut sending, &their_waker);
            assert!(received.is_pending() && sent.is_pending());
            let releasing = thread::spawn(move || {
                held.pop();
                held
            });
            if is_receiver_polled {
                received = poll_with(&mut receiving, &waker);
            } else {
                sent = poll_with(&mut sending, &their_waker);
            }
            drop(releasing.join().unwrap());
            for _ in 0..2 {
                if received.is_pending() && bell.rings() > 0 {
                    received = poll_with(&mut receiving, &waker);
                }
                if sent.is_pending() && their_bell.rings() > 0 {
                    sent = poll_with(&mut sending, &their_waker);
                }
            }
            assert_eq!((received, sent), (Poll::Ready(Some(1)), Poll::Ready(true)));
            assert_as_new(&tx, &rx);
        });
    }
}

/// The one that has been claimed without a partner is as it was.
#[test]
fn permit_dropped_against_a_select_that_is_polled_and_one_that_is_dropped() {
    explore_bounded(|ledger| {
        let ((tx, rx), held, mut receiving, sending) = selects_apart(ledger, 0);
        let dropping = thread::spawn(move || drop(sending));
        let releasing = thread::spawn(move || drop(held));
        let (bell, waker) = Bell::new();
        let received = poll_with(&mut receiving, &waker);
        join_all([dropping, releasing]);
        match received {
            Poll::Ready(received) => assert_eq!(received, Some(1)),
            Poll::Pending if bell.rings() > 0 => assert_eq!(output(&mut receiving), Some(1)),
            Poll::Pending => {
                assert!(tx.try_send(ledger.message()).is_ok(), "it is parked");
                assert_eq!(output(&mut receiving), Some(2));
            }
        }
        assert_as_new(&tx, &rx);
    });
}

/// A select with both ends of a channel, beside a permit that counted on a receiver who has left.
#[expect(clippy::type_complexity, reason = "three things of a model")]
fn both_ends_beside_permits(
    ledger: &Ledger,
    capacity: usize,
) -> (
    (Sender<Message>, Receiver<Message>),
    Vec<OwnedPermit<Message>>,
    impl Future<Output = Option<usize>> + use<>,
) {
    let (tx, rx) = bounded(capacity);
    let receive = parked_receive(&rx);
    let held = permits(&tx);
    drop(receive);
    let mut slot = Some(ledger.message());
    let both = {
        let (tx, rx) = (tx.clone(), rx.clone());
        async move {
            select! {
                recv(rx) -> message => message.ok().map(number),
                send_from(tx, &mut slot) -> _ => None,
            }
        }
    };
    ((tx, rx), held, both)
}

#[test]
fn permits_dropped_against_a_select_with_both_ends_that_parks() {
    for capacity in [1, 2] {
        explore(move |ledger| {
            let ((tx, rx), held, both) = both_ends_beside_permits(ledger, capacity);
            let selecting = thread::spawn(move || block_on(both));
            drop(held);
            assert_eq!(selecting.join().unwrap(), None, "there is a place");
            assert_eq!(rx.try_recv().map(number), Ok(1));
            assert_as_new(&tx, &rx);
        });
    }
}

#[test]
fn permits_dropped_against_a_select_with_both_ends_and_a_send() {
    explore(|ledger| {
        let ((tx, rx), held, both) = both_ends_beside_permits(ledger, 0);
        let mut send = parked(tx.send(ledger.message()));
        let selecting = thread::spawn(move || block_on(both));
        drop(held);
        assert_eq!(selecting.join().unwrap(), Some(2));
        assert!(output(&mut send).is_ok());
        drop(send);
        assert_as_new(&tx, &rx);
    });
}

#[test]
fn two_selects_with_both_ends_pair_beside_a_permit_whose_receiver_left() {
    explore_bounded(|ledger| {
        let ((tx, rx), held, ours) = both_ends_beside_permits(ledger, 0);
        let theirs = {
            let (tx, rx) = (tx.clone(), rx.clone());
            let mut slot = Some(ledger.message());
            async move {
                select! {
                    recv(rx) -> message => message.ok().map(number),
                    send_from(tx, &mut slot) -> _ => None,
                }
            }
        };
        let selecting = thread::spawn(move || block_on(theirs));
        let ours = block_on(ours);
        let theirs = selecting.join().unwrap();
        assert!(
            matches!((ours, theirs), (Some(2), None) | (None, Some(1))),
            "{ours:?}, {theirs:?}"
        );
        drop(held);
        assert_as_new(&tx, &rx);
    });
}

/// A parked select of a request for a permit and a receive on another channel; dropped, it leaves the permit to the request.
#[test]
fn reserve_arm_against_a_receiver_that_makes_room_and_a_send_to_the_other_arm() {
    for capacity in [1, 2] {
        explore_bounded(move |ledger| {
            let (tx, rx) = bounded(capacity);
            let (other_tx, other_rx) = bounded(0);
            (0..capacity).for_each(|_| assert!(tx.try_send(ledger.message()).is_ok()));
            let mut reserve = Box::pin(tx.reserve());
            let mut receive = Box::pin(other_rx.recv());
            let mut select = Select::new().biased();
            select.arm(reserve.as_mut());
            select.arm(receive.as_mut());
            let (bell, waker) = Bell::new();
            let mut select = Box::pin(select);
            assert!(poll_with(&mut select, &waker).is_pending());
            let receiving = thread::spawn({
                let rx = rx.clone();
                move || drop(rx.try_recv().unwrap())
            });
            let message = ledger.message();
            let sending = thread::spawn(move || {
                let is_sent = other_tx.try_send(message).is_ok();
                (other_tx, is_sent)
            });
            receiving.join().unwrap();
            let (_other_tx, is_sent) = sending.join().unwrap();
            assert_eq!(bell.rings(), 1);
            let happened = output(&mut select);
            assert_eq!(happened, usize::from(is_sent), "one arm happens");
            assert_eq!((tx.permit_count(), tx.waiting_senders()), (1 - happened, 0));
            drop(select);
            assert_eq!(receive.as_mut().take_output().is_some(), is_sent);
            match reserve.as_mut().take_output() {
                Some(permit) => assert!(permit.unwrap().send(ledger.message()).is_ok()),
                None => assert!(is_sent),
            }
            drop((reserve, receive));
            rx.drain().for_each(drop);
            assert_as_new(&tx, &rx);
        });
    }
}

/// Room comes, or the close, while the select parks or is polled once more.
#[test]
fn reserve_arm_that_parks_against_room_or_a_close() {
    for closes in [false, true] {
        for capacity in [1, 2] {
            explore(move |ledger| {
                let (tx, rx) = bounded(capacity);
                (0..capacity).for_each(|_| assert!(tx.try_send(ledger.message()).is_ok()));
                let mut reserve = Box::pin(tx.reserve());
                let mut select = Select::new();
                select.arm(reserve.as_mut());
                let peer = thread::spawn({
                    let rx = rx.clone();
                    move || match closes {
                        true => _ = rx.close(),
                        false => drop(rx.try_recv().unwrap()),
                    }
                });
                assert_eq!(block_on(select), 0);
                let permit = reserve.as_mut().take_output().expect("it has happened");
                assert_eq!(permit.is_err(), closes);
                drop(permit);
                peer.join().unwrap();
                rx.drain().for_each(drop);
                assert_eq!((tx.permit_count(), tx.waiting_senders()), (0, 0));
                assert_idle(&rx);
            });
        }
    }
}

#[test]
fn select_with_a_reserve_arm_dropped_while_a_receiver_makes_room() {
    for capacity in [0, 1, 2] {
        explore(move |ledger| {
            let (tx, rx) = bounded(capacity);
            (0..capacity).for_each(|_| assert!(tx.try_send(ledger.message()).is_ok()));
            let mut reserve = Box::pin(tx.reserve());
            let mut select = Select::new();
            select.arm(reserve.as_mut());
            let select = parked(select);
            let receiving = thread::spawn({
                let rx = rx.clone();
                move || drop(poll(&mut Box::pin(rx.recv())))
            });
            drop(select);
            let is_granted = reserve.as_mut().take_output();
            receiving.join().unwrap();
            assert_eq!(tx.permit_count(), usize::from(is_granted.is_some()));
            drop((is_granted, reserve));
            rx.drain().for_each(drop);
            assert_as_new(&tx, &rx);
        });
    }
}

/// The receive passes the select by, or finds that the request comes first and parks for the permit.
#[test]
fn reserve_arm_that_is_polled_against_a_receive_and_the_send_behind_it() {
    explore(|ledger| {
        let (tx, rx) = bounded(0);
        let mut reserve = Box::pin(tx.reserve());
        let mut select = Select::new();
        select.arm(reserve.as_mut());
        let mut select = parked(select);
        let mut send = parked(tx.send(ledger.message()));
        let receiving = thread::spawn({
            let rx = rx.clone();
            move || block_on(rx.recv()).map(number)
        });
        let mut is_granted = poll(&mut select).is_ready();
        while !is_granted && tx.permit_count() == 0 && poll(&mut send).is_pending() {
            thread::yield_now();
        }
        is_granted = is_granted || poll(&mut select).is_ready();
        assert_eq!(tx.permit_count(), usize::from(is_granted));
        // If it was passed by it waits all the same, for the next receive.
        let mut next = (!is_granted).then(|| {
            let next = parked(rx.recv());
            assert_eq!(poll(&mut select), Poll::Ready(0));
            next
        });
        drop(select);
        let permit = reserve.as_mut().take_output().expect("it has happened");
        assert!(permit.unwrap().send(ledger.message()).is_ok());
        let first = receiving.join().unwrap();
        let second = next.as_mut().map(|next| output(next).map(number));
        match is_granted {
            true => assert_eq!((first, second), (Ok(2), None)),
            false => assert_eq!((first, second), (Ok(1), Some(Ok(2)))),
        }
        drop((send, reserve, next));
        assert_as_new(&tx, &rx);
    });
}
