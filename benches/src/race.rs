//! One race: messages through one channel, from a common start until all have arrived.

use std::hint::black_box;
use std::ops::Range;
use std::time::{Duration, Instant};

use crate::message::Message;
use crate::shape::Shape;

/// What is to be raced: the numbers from 0 to `messages`, split evenly among the senders.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Race {
    pub(crate) shape: Shape,
    pub(crate) messages: u64,
}

impl Race {
    /// The numbers that the sender at `place` sends.
    pub(crate) fn share(&self, place: usize) -> Range<u64> {
        let (place, senders) = (place as u64, self.shape.senders as u64);
        self.messages * place / senders..self.messages * (place + 1) / senders
    }

    /// What the receivers have together when every message arrived once.
    fn whole(&self) -> Tally {
        Tally {
            count: self.messages,
            sum: self.messages * self.messages.saturating_sub(1) / 2,
        }
    }
}

/// The messages that arrived. The sum tells a message that came twice for one that got lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    count: u64,
    sum: u64,
}

impl Tally {
    /// The whole message has to be there: a compiler that sees through a receive would leave out the words that nobody reads.
    #[inline]
    pub(crate) fn add(&mut self, message: &impl Message) {
        if let Some(number) = black_box(message).number() {
            self.count += 1;
            self.sum = self.sum.wrapping_add(number);
        }
    }
}

/// One participant's part: when it was under way, and what it received.
#[derive(Debug)]
pub(crate) struct Leg {
    began: Instant,
    ended: Instant,
    received: Tally,
}

impl Leg {
    /// The leg that began at `began` and ends now.
    pub(crate) fn since(began: Instant, received: Tally) -> Self {
        Leg {
            began,
            ended: Instant::now(),
            received,
        }
    }
}

/// A race that is over.
#[derive(Debug)]
pub(crate) struct Lap {
    /// From the first participant's start to the last one's end.
    pub(crate) time: Duration,
    received: Tally,
}

impl Lap {
    pub(crate) fn of(legs: &[Leg]) -> Self {
        let began = legs.iter().map(|leg| leg.began).min();
        let ended = legs.iter().map(|leg| leg.ended).max();
        let (began, ended) = began.zip(ended).expect("a race has participants");
        let mut received = Tally::default();
        for leg in legs {
            received.count += leg.received.count;
            received.sum = received.sum.wrapping_add(leg.received.sum);
        }
        Lap {
            time: ended - began,
            received,
        }
    }

    /// Whether every message arrived, once; if not, what is wrong.
    pub(crate) fn check(&self, race: &Race) -> Result<(), String> {
        let (sent, received) = (race.whole(), self.received);
        if received == sent {
            Ok(())
        } else if received.count != sent.count {
            Err(format!("{} of {} received", received.count, sent.count))
        } else {
            Err(format!("{} received, but not those sent", received.count))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RACE: Race = Race {
        shape: Shape {
            senders: 4,
            receivers: 1,
            capacity: None,
        },
        messages: 1_003,
    };

    fn lap(messages: impl Iterator<Item = u64>) -> Lap {
        let mut received = Tally::default();
        messages.for_each(|message| received.add(&message));
        Lap::of(&[Leg::since(Instant::now(), received)])
    }

    #[test]
    fn the_shares_are_the_whole() {
        let shares = (0..RACE.shape.senders).flat_map(|place| RACE.share(place));
        assert_eq!(lap(shares).check(&RACE), Ok(()));
    }

    #[test]
    fn a_lost_message_is_noticed() {
        assert!(lap(1..1_003).check(&RACE).is_err());
    }

    #[test]
    fn a_doubled_message_in_place_of_a_lost_one_is_noticed() {
        assert!(lap((1..1_003).chain([1])).check(&RACE).is_err());
    }
}
