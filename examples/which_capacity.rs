//! Which of a pipeline's buffers should be larger: the block profile says where senders wait, and a second run shows whether it helped.
//!
//! Three stages, each a thread, with a buffer before each but the first. The second stage works in bursts: it collects eight items, then
//! passes all of them on. Behind it a small buffer is full most of the time, so the second stage waits there, and the first waits for
//! the second.
//!
//! ```text
//! cargo run --release --example which_capacity --features inspect
//! ```

use std::{
    thread,
    time::{Duration, Instant},
};

use hchan::{
    blocking,
    inspect::{self, ChannelSnapshot},
};

const ITEMS: u32 = 400;
const BURST: usize = 8;

fn main() {
    inspect::enable(inspect::Config::default());

    let capacities = [2, 2];
    let before = run(capacities);
    print!("{}", inspect::profile());

    // The buffer whose senders waited longest is the one to grow: to a whole burst.
    let longest = |run: &Run| {
        let waits = run.channels.iter().map(|channel| channel.waits.send.total);
        (0..).zip(waits).max_by_key(|&(_, wait)| wait)
    };
    let (bottleneck, waited) = longest(&before).expect("there are two");
    let name = before.channels[bottleneck].name.as_deref().unwrap_or("?");
    println!("\nSenders waited longest, {waited:?} in all, for room in {name:?}.\n");
    let mut larger = capacities;
    larger[bottleneck] = 2 * BURST;
    let after = run(larger);

    for (run, capacities) in [(&before, capacities), (&after, larger)] {
        println!("capacities {capacities:?}: {:?}", run.took);
        for channel in &run.channels {
            print!("{channel:#}");
        }
    }
    let waits = |run: &Run| run.channels[bottleneck].waits.send.count;
    assert!(
        waits(&after) < waits(&before),
        "with room for two bursts a send waits less often"
    );
}

struct Run {
    took: Duration,
    channels: Vec<ChannelSnapshot>,
}

/// Passes all items through the pipeline.
fn run(capacities: [usize; 2]) -> Run {
    let start = Instant::now();
    let [(raw_tx, raw), (done_tx, done)] = capacities.map(blocking::bounded);
    raw.set_name("raw");
    done.set_name("done");
    let (raw_end, done_end) = (raw.downgrade(), done.downgrade());

    thread::scope(|scope| {
        scope.spawn(move || {
            for item in 0..ITEMS {
                work(Duration::from_micros(50));
                raw_tx.send(item).expect("the second stage takes all");
            }
        });
        scope.spawn(move || {
            let mut burst = Vec::with_capacity(BURST);
            for item in raw {
                burst.push(item);
                if burst.len() == BURST {
                    work(Duration::from_micros(100));
                    for item in burst.drain(..) {
                        done_tx.send(item).expect("the third stage takes all");
                    }
                }
            }
        });
        scope.spawn(move || {
            let received = done.iter().inspect(|_| work(Duration::from_micros(50)));
            assert_eq!(received.count(), ITEMS as usize);
        });
    });
    Run {
        took: start.elapsed(),
        channels: vec![raw_end.snapshot(), done_end.snapshot()],
    }
}

/// Keeps a core busy, as real work does.
fn work(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}
