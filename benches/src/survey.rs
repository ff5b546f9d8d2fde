//! All samples of all cells and floors.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::cell::Cell;
use crate::child::{self, Failure, Outcome};
use crate::entrant::Entrant;
use crate::floor::Floor;
use crate::pace::Measurement;
use crate::stats::Summary;

/// What is to be measured.
#[derive(Debug)]
pub(crate) struct Survey {
    pub(crate) cells: Vec<Cell>,
    pub(crate) entrants: Vec<Entrant>,
    pub(crate) floors: Vec<Floor>,
    pub(crate) rounds: u32,
    pub(crate) lasting: Duration,
}

/// What was found out.
#[derive(Debug)]
pub(crate) struct Findings {
    /// In the order of the results of each finding.
    pub(crate) entrants: Vec<Entrant>,
    pub(crate) cells: Vec<Finding>,
    pub(crate) floors: Vec<(Floor, Reading)>,
}

/// What was found out about one cell.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) cell: Cell,
    /// One for each entrant of the survey, in its order.
    pub(crate) results: Vec<Reading>,
}

/// One entrant in one cell, or one floor, in all rounds.
#[derive(Clone, Debug)]
pub(crate) enum Reading {
    Samples(Vec<Measurement>),
    Absent,
    /// It failed in one round, and that is what counts.
    Failure(Failure),
}

impl Reading {
    /// Of the nanoseconds a message. `None`: there is no time.
    pub(crate) fn time(&self) -> Option<Summary> {
        self.summary(|sample| sample.time)
    }

    pub(crate) fn summary(&self, of: fn(&Measurement) -> f64) -> Option<Summary> {
        match self {
            Reading::Samples(samples) => Summary::of(&samples.iter().map(of).collect::<Vec<_>>()),
            Reading::Absent | Reading::Failure(_) => None,
        }
    }

    fn is_open(&self) -> bool {
        matches!(self, Reading::Samples(_))
    }

    fn add(&mut self, outcome: Outcome) {
        match (self, outcome) {
            (Reading::Samples(samples), Outcome::Measured(sample)) => samples.push(sample),
            (reading, Outcome::Absent) => *reading = Reading::Absent,
            (reading, Outcome::Failure(failure)) => *reading = Reading::Failure(failure),
            (Reading::Absent | Reading::Failure(_), Outcome::Measured(_)) => {}
        }
    }
}

impl Survey {
    pub(crate) fn run(self) -> Result<Findings> {
        eprintln!("{} floors", self.floors.len());
        let floor = |floor: &Floor| {
            let millis = self.lasting.as_millis().to_string();
            child::this(&["child-floor", &floor.to_string(), &millis])
        };
        let readings = self.measure(&self.floors, floor)?;
        let floors = self.floors.iter().copied().zip(readings).collect();
        let mut cells = Vec::new();
        for (done, &cell) in self.cells.iter().enumerate() {
            eprintln!("{} of {}: {cell}", done + 1, self.cells.len());
            let sample = |entrant: &Entrant| entrant.sample(cell, self.lasting);
            let results = self.measure(&self.entrants, sample)?;
            cells.push(Finding { cell, results });
        }
        Ok(Findings {
            entrants: self.entrants,
            cells,
            floors,
        })
    }

    /// A reading of each subject, by the command that takes a sample of it.
    fn measure<S>(
        &self,
        subjects: &[S],
        sample: impl Fn(&S) -> Result<Command>,
    ) -> Result<Vec<Reading>> {
        let mut readings = vec![Reading::Samples(Vec::new()); subjects.len()];
        for round in 0..self.rounds {
            // Each is first once, so that none always follows the same neighbour's heat.
            for turn in 0..subjects.len() {
                let turn = (turn + round as usize) % subjects.len();
                if readings[turn].is_open() {
                    readings[turn].add(child::sample(sample(&subjects[turn])?)?);
                }
            }
        }
        Ok(readings)
    }
}
