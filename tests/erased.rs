//! Messages of every kind of layout on every way through a channel whose core does not know their type.
//!
//! Each kind of message goes all ways: handed over, through the ring and through blocks, given back, beyond the ring, evicted,
//! in batches, left in a channel that is dropped, left in a future that is forgotten.

#![cfg(not(hchan_loom))]

mod support;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    convert::Infallible,
    marker::PhantomPinned,
    mem::MaybeUninit,
    num::NonZeroU16,
    pin::Pin,
    ptr::NonNull,
    rc::Rc,
    task::{Context, Poll::Ready, Waker},
    thread,
};

use futures::future::FusedFuture;
use hchan::{Receiver, RecvError, Sender, TryRecvError, bounded, never, recv_any, unbounded};
use support::{forget, poll};

/// Those with no buffer, with one lock, with two, and with blocks.
const CAPACITIES: [Option<usize>; 4] = [Some(0), Some(1), Some(5), None];

fn channel<T>(capacity: Option<usize>) -> (Sender<T>, Receiver<T>) {
    capacity.map_or_else(unbounded, bounded)
}

fn parked<F: Future>(future: F) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    assert!(poll(&mut future).is_pending());
    future
}

/// Which messages are alive, by number.
#[derive(Default)]
struct Alive(RefCell<BTreeSet<u16>>);

/// Tells of a message's end; one that ends twice panics.
struct Token<'a>(u16, &'a Alive);

impl<'a> Token<'a> {
    fn new(number: u16, alive: &'a Alive) -> Self {
        assert!(alive.0.borrow_mut().insert(number), "made twice");
        Self(number, alive)
    }
}

impl Drop for Token<'_> {
    fn drop(&mut self) {
        assert!(self.1.0.borrow_mut().remove(&self.0), "dropped twice");
    }
}

/// Sends and receives messages in all ways; `number` says which one it was and drops it.
fn go_all_ways<'a, T>(
    alive: &'a Alive,
    make: impl Fn(Token<'a>) -> T,
    number: impl Fn(T) -> u16 + Copy,
) {
    let make = |number| make(Token::new(number, alive));
    let with = |message: Result<T, TryRecvError>| message.map(number);
    for capacity in CAPACITIES {
        let room = capacity.map_or(12, |capacity| capacity.min(12)) as u16;

        // Through the buffer, and by hand.
        let (tx, rx) = channel(capacity);
        for start in [0, 7] {
            (0..room).for_each(|n| assert!(tx.try_send(make(start + n)).is_ok()));
            (0..room).for_each(|n| assert_eq!(with(rx.try_recv()), Ok(start + n)));
        }
        let [first, mut second, third] = [(); 3].map(|()| parked(rx.recv()));
        (0..3).for_each(|n| assert!(tx.try_send(make(n)).is_ok()));
        // Given back: the last handed over first, and a message that has come meanwhile stays behind them.
        drop(third);
        let behind = tx.try_send(make(3)).is_ok();
        drop(first);
        assert_eq!(
            poll(&mut second).map(|message| message.map(number)),
            Ready(Ok(1))
        );
        drop(second);
        assert_eq!([with(rx.try_recv()), with(rx.try_recv())], [Ok(0), Ok(2)]);
        assert_eq!(with(rx.try_recv()).is_ok(), behind);

        // Beyond the ring: permits that counted on a receive which has left.
        let receive = parked(rx.recv());
        let permits: Vec<_> = tx.try_reserve_many(room as usize + 1).unwrap().collect();
        drop(receive);
        assert_eq!(permits.len(), room as usize + 1);
        permits
            .into_iter()
            .zip(0..)
            .for_each(|(permit, n)| assert!(permit.send(make(n)).is_ok()));
        // And out again, evicted.
        let evicted = tx.force_send(make(100)).ok().unwrap().map(number);
        assert_eq!(evicted, (room < 12).then_some(0));
        let drained: Vec<_> = rx.drain().map(number).collect();
        assert_eq!(
            (drained.len(), drained.last()),
            (room as usize + 1 + usize::from(room == 12), Some(&100))
        );

        // In batches, with a send that waits.
        let mut sending = Box::pin(tx.send_many((0..18).map(&make)));
        let mut batch = Vec::new();
        while poll(&mut sending).is_pending() {
            assert!(rx.try_recv_many(&mut batch, usize::MAX).is_ok());
        }
        while rx.try_recv_many(&mut batch, 7).is_ok() {}
        drop(sending);
        assert!(batch.into_iter().map(number).eq(0..18));

        // Sends that are withdrawn, and sends that fail.
        (0..room).for_each(|n| assert!(tx.try_send(make(n)).is_ok()));
        if room < 12 {
            let mut kept = Some(make(50));
            let from = parked(tx.send_from(&mut kept));
            let send = parked(tx.send(make(51)));
            drop((from, send));
            assert_eq!(kept.map(number), Some(50));
            assert!(tx.try_send(make(52)).is_err());
        }
        // The last receiver drops what is left, wherever it is; a weak handle is the last.
        let mut stream = rx.clone().into_stream();
        let weak = (tx.downgrade(), rx.downgrade());
        rx.drain().for_each(drop);
        assert!(
            stream
                .poll_recv(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
        (0..=room).for_each(|n| assert!(tx.try_send(make(n)).is_ok()));
        drop((rx, stream));
        assert!(alive.0.borrow().is_empty());
        assert_eq!(
            tx.try_send(make(1))
                .map_err(|error| number(error.into_inner())),
            Err(1)
        );
        drop(tx);
        assert!(weak.0.upgrade().is_none() && weak.1.upgrade().is_none());
        drop(weak);
        assert!(alive.0.borrow().is_empty());
    }
}

#[derive(Debug)]
#[repr(align(4096))]
struct Page<T>(T);

#[derive(Debug)]
#[repr(align(64))]
struct Line<T>(T);

fn assert_aligned<T>(message: &T) {
    assert!(std::ptr::from_ref(message).is_aligned());
}

#[test]
fn messages_of_every_layout_go_all_ways() {
    let alive = Alive::default();
    go_all_ways(&alive, Line, |line| {
        assert_aligned(&line);
        line.0.0
    });
    go_all_ways(&alive, Page, |page| {
        assert_aligned(&page);
        page.0.0
    });
    go_all_ways(
        &alive,
        |token| (token, [7_u8; 3000]),
        |(token, bytes)| {
            assert_eq!(bytes, [7; 3000]);
            token.0
        },
    );
    // Padding, and bytes that are not initialized.
    let padded = |token: Token<'_>| (1_u8, token.0 as u32, MaybeUninit::<[u8; 5]>::uninit());
    go_all_ways(&alive, padded, |(one, n, _)| {
        assert_eq!(one, 1);
        n as u16
    });
    // Niches, and a provenance that has to come along.
    let pointers: Vec<_> = (0..200_u16).collect();
    let pointing = |token: Token<'_>| {
        Some((
            NonNull::from(&pointers[token.0 as usize]),
            true,
            NonZeroU16::MIN,
        ))
    };
    // SAFETY: the numbers are there.
    go_all_ways(&alive, pointing, |some| unsafe {
        *some.unwrap().0.as_ref()
    });
    go_all_ways(
        &alive,
        |token| Box::new((Rc::new(token.0), PhantomPinned)),
        |boxed| *boxed.0,
    );
    let local = Cell::new(5);
    go_all_ways(
        &alive,
        |token| (&local, token),
        |(cell, token)| {
            cell.set(cell.get() + 1);
            token.0
        },
    );
    assert!(local.get() > 5);
}

thread_local!(static NOTHINGS: Cell<usize> = const { Cell::new(0) });

/// Nothing, whose drop counts, and which is to lie at the start of a page.
#[repr(align(4096))]
struct Nothing;

impl Nothing {
    fn new() -> Self {
        NOTHINGS.set(NOTHINGS.get() + 1);
        Self
    }
}

impl Drop for Nothing {
    fn drop(&mut self) {
        assert_aligned(self);
        NOTHINGS.set(NOTHINGS.get() - 1);
    }
}

#[test]
fn nothing_is_dropped_once_wherever_it_was() {
    for capacity in [0, 1, 5] {
        let (tx, rx) = bounded(capacity);
        // Given back, beyond the ring, in it, and in a send that waits.
        let receives = [(); 2].map(|()| parked(rx.recv()));
        tx.try_send(Nothing::new()).ok().unwrap();
        let permits = tx.try_reserve_many(usize::MAX).unwrap();
        assert_eq!(permits.len(), capacity + 1);
        drop(receives);
        permits.for_each(|permit| permit.send(Nothing::new()).ok().unwrap());
        let send = parked(tx.send(Nothing::new()));
        assert_eq!((rx.len(), NOTHINGS.get()), (capacity + 2, capacity + 3));
        assert_eq!(rx.try_recv().map(drop), Ok(()));
        assert_eq!(
            tx.force_send(Nothing::new())
                .map(|evicted| evicted.is_some())
                .ok(),
            Some(true)
        );
        assert_eq!(NOTHINGS.get(), capacity + 2);
        drop(rx);
        assert_eq!(NOTHINGS.get(), 1);
        drop(send);
        assert_eq!(NOTHINGS.get(), 0);
    }
}

#[test]
fn channel_of_what_there_is_nothing_of_works() {
    for capacity in CAPACITIES {
        let (tx, rx) = channel::<Infallible>(capacity);
        let mut into = Vec::new();
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(rx.try_recv_many(&mut into, 3), Err(TryRecvError::Empty));
        let mut recv = parked(rx.recv());
        let permit = tx.try_reserve().unwrap();
        let mut unsent = None;
        assert!(tx.send_from(&mut unsent).is_terminated());
        let receivers = [never(), rx.clone()];
        let mut any = parked(recv_any(&receivers));
        drop(permit);
        assert_eq!(tx.try_send_many(std::iter::empty()).ok(), Some(0));
        let sender = tx.into_closed();
        drop(sender);
        assert_eq!(poll(&mut recv), Ready(Err(RecvError)));
        assert_eq!(poll(&mut any), Ready((1, Err(RecvError))));
    }
}

#[test]
fn large_messages_of_forgotten_futures_are_sent_or_are_kept_from_use() {
    type Large<'a> = (Page<[u8; 9000]>, Rc<Cell<u16>>, &'a Cell<u16>);
    let borrowed = Cell::new(0);
    for capacity in CAPACITIES {
        let owned = Rc::new(Cell::new(0));
        let make = |n: u8| -> Large<'_> { (Page([n; 9000]), Rc::clone(&owned), &borrowed) };
        let (tx, rx) = channel(capacity);
        // The first is handed to one that is forgotten before, the second to one that is forgotten with it.
        let [first, second, mut third] = [(); 3].map(|()| parked(rx.recv()));
        forget(first);
        (0..3).for_each(|n| assert!(tx.try_send(make(n)).is_ok()));
        forget(second);
        assert!(matches!(poll(&mut third), Ready(Ok((Page([2, ..]), ..)))));
        drop(third);
        assert_eq!((rx.len(), Rc::strong_count(&owned)), (0, 3));
        // Sends that wait, forgotten: one is received, one is still parked when all handles drop.
        if let Some(room @ ..5) = capacity {
            (0..room).for_each(|_| assert!(tx.try_send(make(3)).is_ok()));
            for n in [4, 5] {
                let send = parked(tx.send(make(n)));
                forget(send);
            }
            (0..room).for_each(|_| assert!(matches!(rx.try_recv(), Ok((Page([3, ..]), ..)))));
            assert!(matches!(rx.try_recv(), Ok((Page(bytes), ..)) if bytes == [4; 9000]));
        }
        let weak = tx.downgrade();
        drop(rx);
        drop(tx);
        drop(weak);
    }
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn futures_park_in_one_thread_complete_in_another_and_end_in_a_third() {
    fn elsewhere<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> R {
        thread::spawn(f).join().unwrap()
    }
    for capacity in [0, 5] {
        let (tx, rx) = bounded(capacity);
        let make = |n| (Line(n), Box::new(n));
        let stream = rx.clone().into_stream();
        let (stream, [first, second]) = elsewhere(move || {
            let mut stream = stream;
            let polled = stream.poll_recv(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending());
            (stream, [(); 2].map(|()| parked(rx.clone().into_recv())))
        });
        let sends = elsewhere(move || {
            (0..3).for_each(|n| tx.try_send(make(n)).unwrap());
            (0..capacity).for_each(|_| tx.try_send(make(3)).unwrap());
            [4, 5].map(|n| parked(tx.clone().into_send(make(n))))
        });
        // The second message goes back, and the first is received here and now.
        let mut second = elsewhere(move || {
            drop(first);
            second
        });
        let Ready((rx, Ok((Line(2), boxed)))) = poll(&mut second) else {
            panic!("it was handed over");
        };
        assert_eq!(*boxed, 2);
        elsewhere(move || {
            assert!(matches!(rx.try_recv(), Ok((Line(1), _))));
            (0..capacity).for_each(|_| assert!(matches!(rx.try_recv(), Ok((Line(3), _)))));
            assert!(matches!(rx.try_recv(), Ok((Line(4), _))));
            drop(stream);
            assert!(matches!(rx.try_recv(), Ok((Line(0), _))));
        });
        let [mut sent, mut unsent] = sends;
        assert!(matches!(poll(&mut sent), Ready((_, Ok(())))));
        assert!(matches!(poll(&mut unsent), Ready((_, Ok(()) | Err(_)))));
    }
}
