//! All samples of all cells, and what they say.

use anyhow::Result;

use crate::cell::Cell;
use crate::child::{self, Failure, Outcome};
use crate::peer::Peer;
use crate::stats::Summary;

/// What is to be measured.
#[derive(Debug)]
pub(crate) struct Survey {
    pub(crate) cells: Vec<Cell>,
    pub(crate) peers: Vec<Peer>,
    pub(crate) rounds: u32,
    pub(crate) quick: bool,
}

/// What was found out about one cell.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) cell: Cell,
    /// One for each peer of the survey, in its order.
    pub(crate) results: Vec<PeerResult>,
}

#[derive(Debug)]
pub(crate) enum PeerResult {
    Times(Summary),
    Absent,
    Failure(Failure),
}

impl Survey {
    pub(crate) fn run(&self) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for (done, &cell) in self.cells.iter().enumerate() {
            eprintln!("{} of {}: {cell}", done + 1, self.cells.len());
            findings.push(self.examine(cell)?);
        }
        Ok(findings)
    }

    fn examine(&self, cell: Cell) -> Result<Finding> {
        let mut series: Vec<Series> = self.peers.iter().map(|_| Series::default()).collect();
        for round in 0..self.rounds {
            // Each peer is first once, so that none always follows the same neighbour's heat.
            for turn in 0..self.peers.len() {
                let turn = (turn + round as usize) % self.peers.len();
                if series[turn].is_open() {
                    series[turn].add(child::sample(cell, self.peers[turn], self.quick)?);
                }
            }
        }
        Ok(Finding {
            cell,
            results: series.into_iter().map(Series::result).collect(),
        })
    }
}

/// The samples of one peer in one cell.
#[derive(Debug, Default)]
struct Series {
    times: Vec<f64>,
    /// What no further sample can change: a peer that fails once has failed.
    settled: Option<PeerResult>,
}

impl Series {
    fn is_open(&self) -> bool {
        self.settled.is_none()
    }

    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Time(nanos) => self.times.push(nanos),
            Outcome::Absent => self.settled = Some(PeerResult::Absent),
            Outcome::Failure(failure) => self.settled = Some(PeerResult::Failure(failure)),
        }
    }

    fn result(self) -> PeerResult {
        let times = || Summary::of(&self.times).map(PeerResult::Times);
        self.settled.or_else(times).unwrap_or(PeerResult::Absent)
    }
}
