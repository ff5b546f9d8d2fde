//! Prime sieve (daisy chain, pipeline of filters): the program from Go's early days, a chain of
//! tasks, each of which lets pass what its prime does not divide.
//!
//! Go's version leaves its goroutines waiting for ever. Look at how each task here waits for its
//! channel or for the end, whichever comes first, so that all are joined before the program ends.
//!
//! ```text
//! cargo run --example sieve
//! ```

use std::convert::Infallible;

use hchan::{Receiver, Sender};
use tokio::task::{JoinError, JoinSet};

const PRIMES: usize = 50;

/// Nothing is ever sent on it. It closes when the primes are found.
type End = Receiver<Infallible>;

/// Sends 2, 3, 4 ..
async fn generate(numbers: Sender<u32>, end: End) {
    for n in 2.. {
        hchan::select! {
            send(numbers, n) -> sent => if sent.is_err() { return },
            recv(end) -> _ => return,
        }
    }
}

/// Passes on the numbers that `prime` does not divide.
async fn filter(prime: u32, input: Receiver<u32>, output: Sender<u32>, end: End) {
    loop {
        let number = hchan::select! {
            recv(input) -> number => number,
            recv(end) -> _ => return,
        };
        match number {
            Ok(number) if number % prime == 0 => {}
            Ok(number) => hchan::select! {
                send(output, number) -> sent => if sent.is_err() { return },
                recv(end) -> _ => return,
            },
            Err(_) => return,
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), JoinError> {
    let (stop, end) = hchan::bounded(0);
    let mut tasks = JoinSet::new();
    let (numbers, mut input) = hchan::bounded(0);
    tasks.spawn(generate(numbers, end.clone()));

    let mut primes = Vec::new();
    // A number that reaches the end of the chain is divided by no prime before it: it is a prime,
    // and gets a filter of its own.
    while let Ok(prime) = input.recv().await {
        primes.push(prime);
        if primes.len() == PRIMES {
            break;
        }
        let (output, next) = hchan::bounded(0);
        tasks.spawn(filter(prime, input, output, end.clone()));
        input = next;
    }
    println!("{primes:?}");
    assert_eq!(primes.last(), Some(&229), "the fiftieth");

    drop(stop);
    while let Some(ended) = tasks.join_next().await {
        ended?;
    }
    Ok(())
}
