//! Two tasks that wake each other, and do nothing else but what waking them takes.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::Barrier;

use crate::race::{Lap, Leg, Tally};

struct Game<W> {
    wake: W,
    start: Barrier,
    turn: AtomicU64,
    players: [OnceLock<Waker>; 2],
}

pub(crate) fn run<W>(runtime: &Runtime, wakes: u64, wake: W) -> Duration
where
    W: Fn(&Waker) + Send + Sync + 'static,
{
    let game = Arc::new(Game {
        wake,
        start: Barrier::new(2),
        turn: AtomicU64::new(0),
        players: [const { OnceLock::new() }; 2],
    });
    let tasks = [0, 1].map(|me| runtime.spawn(play(Arc::clone(&game), me, wakes)));
    runtime.block_on(async {
        let mut legs = Vec::new();
        for task in tasks {
            legs.push(task.await.expect("no panic"));
        }
        Lap::of(&legs).time
    })
}

async fn play<W: Fn(&Waker)>(game: Arc<Game<W>>, me: usize, wakes: u64) -> Leg {
    poll_fn(|cx| {
        game.players[me].get_or_init(|| cx.waker().clone());
        Poll::Ready(())
    })
    .await;
    game.start.wait().await;
    let began = Instant::now();
    poll_fn(|_| {
        let turn = game.turn.load(Ordering::Acquire);
        if turn < wakes && turn % 2 == me as u64 {
            game.turn.store(turn + 1, Ordering::Release);
            if let Some(other) = game.players[1 - me].get() {
                (game.wake)(other);
            }
        }
        // Whoever has had the last turn is through, and has woken the other to be through.
        match game.turn.load(Ordering::Acquire) < wakes {
            true => Poll::Pending,
            false => Poll::Ready(()),
        }
    })
    .await;
    Leg::since(began, Tally::default())
}
