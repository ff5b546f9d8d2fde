//! A pipeline: three stages, each a task, with a small channel between any two. A slow last stage holds the others back, and
//! when it has had enough all stop, each knowing what became of its messages.
//!
//! ```text
//! cargo run --example pipeline
//! ```

use std::convert::Infallible;

use hchan::{Receiver, Sender};
use tokio::task::{JoinError, yield_now};

/// Nothing is ever sent on it. When it is closed, all who receive on it are told, at once.
type Stopped = Receiver<Infallible>;

const ENOUGH: u64 = 100;
const CAPACITY: usize = 4;

/// Sends 1, 2, 3.. until it is told to stop. Returns how many were sent: one less than what came back.
async fn count(numbers: Sender<u64>, stopped: Stopped) -> u64 {
    for n in 1.. {
        // Where there is no room it waits: so the stages after it set the pace.
        if let Err(unsent) = numbers.send(n).until(stopped.recv()).await {
            return unsent.into_inner() - 1;
        }
    }
    unreachable!("there are always more numbers")
}

/// Squares numbers until it is told to stop. Returns the square that came back, if it was stopped while it sent one.
async fn square(numbers: Receiver<u64>, squares: Sender<u64>, stopped: Stopped) -> Option<u64> {
    while let Ok(n) = numbers.recv().until(stopped.recv()).await {
        if let Err(unsent) = squares.send(n * n).until(stopped.recv()).await {
            return Some(unsent.into_inner());
        }
    }
    None
}

/// Adds up so many squares, slowly, then says stop. Returns their sum.
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
    let ends = (numbers.clone(), squares.clone()); // to look what is left

    let counting = tokio::spawn(count(numbers_tx, stopped.clone()));
    let squaring = tokio::spawn(square(numbers, squares_tx, stopped));
    let sum = tokio::spawn(add_up(squares, stop)).await?;
    let (sent, came_back) = (counting.await?, squaring.await?);

    let left = (ends.0.len() + ends.1.len()) as u64;
    println!("{sent} sent, {ENOUGH} received, {left} left, {came_back:?} came back");
    assert_eq!(sum, (1..=ENOUGH).map(|n| n * n).sum());
    assert!(left <= 2 * CAPACITY as u64, "who is slow holds back");
    let is_back = u64::from(came_back.is_some());
    assert_eq!(sent, ENOUGH + left + is_back, "none is lost");
    Ok(())
}
