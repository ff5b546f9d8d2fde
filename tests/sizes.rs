//! How large the futures are: as the documentation says, to the byte where a pointer has 64 bits.

#![forbid(unsafe_code)]

use std::{future::pending, iter};

use hchan::{Receiver, Select, Sender, bounded, recv_any, select};

/// Sizes for messages of one type, in the order of `ROWS`.
fn sizes<T: Copy + Send>(message: T) -> [usize; ROWS.len()] {
    let (tx, rx): (Sender<T>, Receiver<T>) = bounded(1);
    let (mut slot, mut received, rxs) = (Some(message), Vec::new(), [rx.clone()]);
    [
        size_of_val(&rx.recv()),
        size_of_val(&rx.clone().into_recv()),
        size_of_val(&rx.recv_many(&mut received, 1)),
        size_of_val(&rx.stream()),
        size_of_val(&tx.send(message)),
        size_of_val(&tx.send_from(&mut slot)),
        size_of_val(&tx.clone().into_send(message)),
        size_of_val(&tx.send_many(iter::empty())),
        size_of_val(&tx.reserve()),
        size_of_val(&tx.reserve_many(2)),
        size_of_val(&tx.closed()),
        size_of_val(&tx.clone().into_closed()),
        size_of_val(&rx.recv().until(pending::<()>())),
        size_of_val(&recv_any(&rxs)),
        size_of::<Select<'_>>(),
        size_of_val(&tx),
    ]
}

const ROWS: [&str; 16] = [
    "[`recv`](Receiver::recv)",
    "[`into_recv`](Receiver::into_recv)",
    "[`recv_many`](Receiver::recv_many)",
    "a stream, a sink",
    "[`send`](Sender::send)",
    "[`send_from`](Sender::send_from)",
    "[`into_send`](Sender::into_send)",
    "[`send_many`](Sender::send_many), but for its iterator",
    "[`reserve`](Sender::reserve)",
    "[`reserve_many`](Sender::reserve_many)",
    "[`closed`](Sender::closed), [`drained`](Sender::drained)",
    "[`into_closed`](Sender::into_closed)",
    "a receive [`until`](RecvFuture::until) something else, but for that",
    "[`recv_any`] of up to eight",
    "[`Select`] of up to eight, but for the arms",
    "a handle, weak or not; a [`Permit`], owned or not",
];

#[cfg(target_pointer_width = "64")]
#[cfg_attr(feature = "inspect", ignore = "with it they are larger")]
#[test]
fn futures_are_as_large_as_documented() {
    let (small, large) = (sizes(0_u64), sizes([0_u64; 32]));
    let table: String = (ROWS.iter().zip(small).zip(large))
        .map(|((row, small), large)| format!("//! | {row} | {small} | {large} |\n"))
        .collect();
    assert!(
        include_str!("../src/lib.rs").contains(&table),
        "in `src/lib.rs` it should say:\n{table}"
    );
}

/// Pointers and counts are half as large, messages and sequence numbers are not.
#[cfg(target_pointer_width = "32")]
#[cfg_attr(feature = "inspect", ignore = "with it they are larger")]
#[test]
fn futures_are_smaller_than_documented_for_64_bits() {
    let documented = |row: &str| {
        let start = format!("//! | {row} | ");
        let sizes = |line: &str| {
            let sizes = line.strip_prefix(&start)?.strip_suffix(" |")?;
            let (small, large) = sizes.split_once(" | ")?;
            Some([small.parse::<usize>().ok()?, large.parse().ok()?])
        };
        let mut lines = include_str!("../src/lib.rs").lines();
        lines.find_map(sizes).expect("a row of the table")
    };
    for ((row, small), large) in ROWS.iter().zip(sizes(0_u64)).zip(sizes([0_u64; 32])) {
        for (size, wide) in [small, large].into_iter().zip(documented(row)) {
            assert!((wide / 2..wide).contains(&size), "{row}: {size}, {wide}");
        }
    }
}

/// What shares a row in the table.
#[test]
fn relatives_are_of_the_same_size() {
    let (tx, rx) = bounded::<u64>(1);
    let permit = tx.try_reserve().unwrap();
    assert_eq!(size_of_val(&rx.drained()), size_of_val(&tx.closed()));
    assert_eq!(
        size_of_val(&rx.clone().into_stream()),
        size_of_val(&rx.stream())
    );
    #[cfg(feature = "sink")]
    assert_eq!(size_of_val(&tx.sink()), size_of_val(&rx.stream()));
    let handles = [
        size_of_val(&rx),
        size_of_val(&tx.downgrade()),
        size_of_val(&rx.downgrade()),
        size_of_val(&permit),
        size_of_val(&permit.into_owned()),
    ];
    assert_eq!(handles, [size_of_val(&tx); 5]);
}

#[test]
fn select_is_little_larger_than_its_arms() {
    let (tx, rx) = &bounded::<u64>(1);
    let selecting = async move {
        select! {
            recv(rx) -> _ => {},
            recv(rx) -> _ => {},
            send(tx, 1) -> _ => {},
        }
    };
    let arms = 2 * size_of_val(&rx.recv()) + size_of_val(&tx.send(1));
    let beside = size_of_val(&selecting) - arms;
    assert!(beside <= 256, "{beside} bytes beside the arms");
}
