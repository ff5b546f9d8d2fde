//! Rate limit (leaky bucket, throttle): a few requests at once, and then so many a second. The
//! bucket is a channel: each request puts a message in, and at every tick one drips out.
//!
//! Look at the assertions: how long the requests took at least, and that a request that does not
//! want to wait is refused.
//!
//! ```text
//! cargo run --example rate_limit
//! ```

use std::time::{Duration, Instant};

use hchan::{Permit, Receiver, SendError, Sender};
use tokio::time::{MissedTickBehavior, interval};

const AT_ONCE: usize = 4;
const TICK: Duration = Duration::from_millis(5);

/// Takes a message out at every tick, until there are no more requests.
async fn leak(bucket: Receiver<()>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !bucket.is_closed() {
        ticks.tick().await;
        // Not `recv`: a parked receive would be room for one more.
        let _ = bucket.try_recv();
    }
}

/// Waits for its turn, and only then looks whether a request is needed: a permit that is not used
/// costs nothing.
async fn request(bucket: &Sender<()>, cached: bool) -> Result<bool, SendError<()>> {
    let permit: Permit<'_, ()> = bucket.reserve().await?;
    if cached {
        return Ok(false); // The permit is dropped, and its place goes to the next in the line.
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
    // All requests but the first few waited for a tick. The first tick came at once.
    let ticks = (made - AT_ONCE - 1) as u32;
    assert!(start.elapsed() >= ticks * TICK, "too many requests");

    // A request that does not want to wait is refused.
    while let Ok(permit) = tx.try_reserve() {
        permit.send(())?;
    }
    assert!(tx.try_reserve().unwrap_err().is_full());
    drop(tx);
    leaking.await.expect("it does not panic");
    Ok(())
}
