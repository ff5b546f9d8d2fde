//! A limit on requests: a few at once, then so many a second. The leaky bucket is a channel: each request puts a message in, and
//! at every tick one drips out.
//!
//! ```text
//! cargo run --example rate_limit
//! ```

use std::time::{Duration, Instant};

use hchan::{Permit, Receiver, SendError, Sender};
use tokio::time::{MissedTickBehavior, interval};

const AT_ONCE: usize = 4;
const TICK: Duration = Duration::from_millis(5);

/// Takes a message out at every tick, until nobody makes requests any more.
async fn leak(bucket: Receiver<()>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !bucket.is_closed() {
        ticks.tick().await;
        // Not `recv`: a receiver that waits would be room for one more.
        let _ = bucket.try_recv();
    }
}

/// Waits for its turn, and only then looks whether there is anything to ask: a permit that is not used costs nothing.
async fn request(bucket: &Sender<()>, cached: bool) -> Result<bool, SendError<()>> {
    let permit: Permit<'_, ()> = bucket.reserve().await?;
    if cached {
        return Ok(false); // and the permit drops, which gives its place to the next in the line
    }
    permit.send(())?;
    Ok(true)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), SendError<()>> {
    let start = Instant::now();
    let (tx, rx) = hchan::bounded(AT_ONCE);
    let leaking = tokio::spawn(leak(rx));

    let mut made = 0;
    for n in 0..24 {
        let is_made = request(&tx, n % 2 == 1).await?;
        made += usize::from(is_made);
        println!("{n:2}: {is_made:5} after {:?}", start.elapsed());
    }
    assert_eq!(made, 12);
    // All but the first few have waited for a tick, of which the first comes at once.
    let ticks = (made - AT_ONCE - 1) as u32;
    assert!(start.elapsed() >= ticks * TICK, "too many requests");

    // Who does not want to wait is told so.
    while let Ok(permit) = tx.try_reserve() {
        permit.send(())?;
    }
    assert!(tx.try_reserve().unwrap_err().is_full());
    drop(tx);
    leaking.await.expect("it does not panic");
    Ok(())
}
