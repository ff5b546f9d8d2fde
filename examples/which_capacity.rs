//! Which of a pipeline's buffers should be larger: the block profile says where senders wait, and a second run shows whether it helped.
//!
//! Three stages, each a thread, with a buffer before each but the first. The first and the last wait a millisecond for each item, as for
//! a disk. The second works in bursts: it collects eight items, then passes all of them on. Behind it a small buffer is full most of
//! the time, so the second stage waits there, and the first waits for the second.
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

const ITEMS: u32 = 200;
const BURST: usize = 8;
const STEP: Duration = Duration::from_millis(1);

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
        "with room for two bursts, fewer sends wait"
    );
}

struct Run {
    took: Duration,
    channels: Vec<ChannelSnapshot>,
}

/// Passes all items through the pipeline.
fn run(capacities: [usize; 2]) -> Run {
    let start = Instant::now();
    let [(raw_tx, raw), (done_tx, done)] = capacities.map(|capacity| blocking::bounded(capacity));
    raw.set_name("raw");
    done.set_name("done");
    let (raw_end, done_end) = (raw.downgrade(), done.downgrade());

    thread::scope(|scope| {
        scope.spawn(move || {
            for item in 0..ITEMS {
                thread::sleep(STEP);
                raw_tx.send(item).expect("the second stage takes all");
            }
        });
        scope.spawn(move || {
            let mut burst = Vec::with_capacity(BURST);
            for item in raw {
                burst.push(item);
                if burst.len() == BURST {
                    for item in burst.drain(..) {
                        done_tx.send(item).expect("the third stage takes all");
                    }
                }
            }
        });
        scope.spawn(move || {
            for (item, expected) in done.iter().zip(0..) {
                thread::sleep(STEP);
                assert_eq!(item, expected);
            }
        });
    });
    Run {
        took: start.elapsed(),
        channels: vec![raw_end.snapshot(), done_end.snapshot()],
    }
}
