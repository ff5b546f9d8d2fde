//! Pipeline (stages, backpressure): three tasks with a small channel between any two. The slow
//! last stage holds the others back, and when it has had enough all of them stop.
//!
//! Look at the assertions: how far the first stage got ahead, and that each stage knows what
//! became of its messages.
//!
//! ```text
//! cargo run --example pipeline
//! ```

use std::convert::Infallible;

use hchan::{Receiver, Sender};
use tokio::task::{JoinError, yield_now};

/// Nothing is ever sent on it. Its close tells all tasks at once to stop.
type Stopped = Receiver<Infallible>;

const ENOUGH: u64 = 100;
const CAPACITY: usize = 4;

/// Sends 1, 2, 3.. until the stop. Returns how many were sent: one less than the number that came
/// back.
async fn count(numbers: Sender<u64>, stopped: Stopped) -> u64 {
    for n in 1.. {
        // A send waits for room, so the stages after this one set the pace.
        if let Err(unsent) = numbers.send(n).until(stopped.recv()).await {
            return unsent.into_inner() - 1;
        }
    }
    unreachable!("there are always more numbers")
}

/// Squares numbers until the stop. If the stop came during a send, returns the square that came
/// back.
async fn square(numbers: Receiver<u64>, squares: Sender<u64>, stopped: Stopped) -> Option<u64> {
    while let Ok(n) = numbers.recv().until(stopped.recv()).await {
        if let Err(unsent) = squares.send(n * n).until(stopped.recv()).await {
            return Some(unsent.into_inner());
        }
    }
    None
}

/// Adds up so many squares, slowly, and then says stop. Returns their sum.
async fn add_up(squares: Receiver<u64>, stop: Sender<Infallible>) -> u64 {
    let mut sum = 0;
    for _ in 0..ENOUGH {
        sum += squares.recv().await.expect("it ends first");
        yield_now().await;
    }
    stop.close();
    sum
}

#[tokio::main]
async fn main() -> Result<(), JoinError> {
    let (numbers_tx, numbers) = hchan::bounded(CAPACITY);
    let (squares_tx, squares) = hchan::bounded(CAPACITY);
    let (stop, stopped) = hchan::bounded(0);
    let ends = (numbers.clone(), squares.clone()); // To see how many messages are left.

    let counting = tokio::spawn(count(numbers_tx, stopped.clone()));
    let squaring = tokio::spawn(square(numbers, squares_tx, stopped));
    let sum = tokio::spawn(add_up(squares, stop)).await?;
    let (sent, came_back) = (counting.await?, squaring.await?);

    let left = (ends.0.len() + ends.1.len()) as u64;
    println!("{sent} sent, {ENOUGH} received, {left} left, {came_back:?} came back");
    assert_eq!(sum, (1..=ENOUGH).map(|n| n * n).sum());
    assert!(
        left <= 2 * CAPACITY as u64,
        "the slow stage holds the others back"
    );
    let is_back = u64::from(came_back.is_some());
    assert_eq!(sent, ENOUGH + left + is_back, "none is lost");
    Ok(())
}
