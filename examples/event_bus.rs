//! Event bus (publish and subscribe, broadcast, one to many, observers): every subscriber gets
//! every event through a channel of its own.
//!
//! The publisher never waits. A subscriber whose channel is full loses its subscription.
//! Look at the assertions: the slow one has the events up to there and then learns that it is
//! out, while the others have them all.
//!
//! ```text
//! cargo run --example event_bus
//! ```

use futures::StreamExt;
use hchan::{Receiver, Sender, TrySendError};
use tokio::task::{JoinError, yield_now};

const EVENTS: u32 = 100;
const CAPACITY: usize = 4;

#[derive(Default)]
struct Bus<T> {
    subscribers: Vec<Sender<T>>,
    too_slow: usize,
}

impl<T: Clone> Bus<T> {
    fn subscribe(&mut self) -> Receiver<T> {
        let (subscriber, events) = hchan::bounded(CAPACITY);
        self.subscribers.push(subscriber);
        events
    }

    /// Never waits. Dropping a subscriber's sender closes its channel.
    fn publish(&mut self, event: &T) {
        self.subscribers.retain(|subscriber| {
            let sent = subscriber.try_send(event.clone());
            self.too_slow += usize::from(matches!(sent, Err(TrySendError::Full(_))));
            sent.is_ok()
        });
    }
}

// On one thread, where `yield_now` gives each subscriber that was woken its turn.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), JoinError> {
    let mut bus = Bus::default();
    let quick = [(); 3].map(|()| {
        let events = bus.subscribe();
        tokio::spawn(async move { events.stream().collect::<Vec<_>>().await })
    });
    let brief = bus.subscribe();
    let brief = tokio::spawn(async move { brief.stream().take(10).collect::<Vec<_>>().await });
    let slow = bus.subscribe();
    // Looks at no event until it has lost its subscription.
    let slow = tokio::spawn(async move {
        slow.closed().await;
        slow.drain().collect::<Vec<_>>()
    });

    for event in 0..EVENTS {
        bus.publish(&event);
        yield_now().await;
    }
    assert!(slow.is_finished(), "it was told at once");
    assert_eq!((bus.too_slow, bus.subscribers.len()), (1, quick.len()));
    drop(bus);

    for quick in quick {
        assert!(quick.await?.into_iter().eq(0..EVENTS), "all, in order");
    }
    let (brief, slow) = (brief.await?, slow.await?);
    println!("left after {} events: {brief:?}", brief.len());
    println!("too slow after {} events: {slow:?}", slow.len());
    assert!(brief.into_iter().eq(0..10));
    assert!(slow.into_iter().eq(0..CAPACITY as u32), "no gap");
    Ok(())
}
