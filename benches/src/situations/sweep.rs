//! What the size of the buffer does for many senders and one receiver.

use super::findings::Findings;
use super::{Sampled, Situation, place};
use crate::cell::{Cell, PLACES, Place};
use crate::pace::Nothing;
use crate::peer::Peer;
use crate::sample;
use crate::shape::Shape;

const SENDERS: [usize; 2] = [4, 16];
const CAPACITIES: [usize; 6] = [0, 1, 8, 64, 512, 4096];

#[derive(Debug)]
pub(crate) struct Sweep;

impl Situation for Sweep {
    fn name(&self) -> &'static str {
        "sweep"
    }

    fn variants(&self) -> Vec<String> {
        let mut variants = Vec::new();
        for group in groups() {
            variants.extend(CAPACITIES.map(|capacity| format!("{group}/{capacity}")));
        }
        variants
    }

    fn sample(&self, variant: &str, candidate: &str, quick: bool) -> Sampled {
        let cell = understand(variant).ok_or(Nothing::Absent)?;
        let peer = Peer::named(candidate).ok_or(Nothing::Absent)?;
        Ok(vec![sample::take(peer, cell, super::lasting(quick))?.time])
    }

    fn section(&self, findings: &Findings) -> String {
        let mut markdown = format!(
            "Many senders, one receiver: ns a message by the channel's capacity, {} samples.\n\n",
            findings.rounds
        );
        for group in groups() {
            let cell = |variant: &str, candidate: &str| findings.cell(variant, candidate, 0);
            markdown += &findings.group(&group, cell, 0);
        }
        markdown + &findings.failures()
    }
}

/// What shares a table.
fn groups() -> Vec<String> {
    let places = PLACES
        .into_iter()
        .filter(|&place| place != Place::Tokio { workers: 1 });
    let of_place = |place: Place| SENDERS.map(|senders| format!("{place}/{senders}-1"));
    places.flat_map(of_place).collect()
}

fn understand(variant: &str) -> Option<Cell> {
    let (place, shape) = place(variant)?;
    let (senders, capacity) = shape.split_once("-1/")?;
    let shape = Shape {
        senders: senders.parse().ok()?,
        receivers: 1,
        capacity: Some(capacity.parse().ok()?),
    };
    Some(Cell {
        place,
        shape,
        size: size_of::<u64>(),
    })
}
