//! hchan against others in a cell.

use crate::cell::Cell;
use crate::go::Go;
use crate::stats::Summary;
use crate::survey::{Finding, Findings};

/// The crate that the others are compared with.
pub(crate) const OURS: &str = "hchan";

/// hchan against another in a cell: above 1, hchan is slower.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) cell: Cell,
    pub(crate) name: &'static str,
    pub(crate) ratio: f64,
    /// The samples of the one and of the other do not overlap.
    pub(crate) is_clear: bool,
}

/// With the fastest other crate. Go is another language, with a scheduler of its own, and compared apart.
pub(crate) fn with_best(findings: &Findings, finding: &Finding) -> Option<Comparison> {
    let names = findings.entrants.iter().map(|entrant| entrant.name());
    let crates = names.filter(|&name| name != Go::NAME);
    crates
        .filter_map(|name| with(findings, finding, name))
        .max_by(|a, b| a.ratio.total_cmp(&b.ratio))
}

pub(crate) fn with_go(findings: &Findings, finding: &Finding) -> Option<Comparison> {
    with(findings, finding, Go::NAME)
}

/// `None`: one of both has no time here, or both are hchan.
pub(crate) fn with(
    findings: &Findings,
    finding: &Finding,
    name: &'static str,
) -> Option<Comparison> {
    if name == OURS {
        return None;
    }
    let ours = time_of(findings, finding, OURS)?;
    let other = time_of(findings, finding, name)?;
    Some(Comparison {
        cell: finding.cell,
        name,
        ratio: ours.median / other.median,
        is_clear: ours.min > other.max || ours.max < other.min,
    })
}

pub(crate) fn time_in(findings: &Findings, cell: &str, name: &str) -> Option<Summary> {
    let is_there = |finding: &&Finding| finding.cell.to_string() == cell;
    time_of(findings, findings.cells.iter().find(is_there)?, name)
}

fn time_of(findings: &Findings, finding: &Finding, name: &str) -> Option<Summary> {
    let mut entrants = findings.entrants.iter();
    let place = entrants.position(|entrant| entrant.name() == name)?;
    finding.results[place].time()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::entrant::Entrant;
    use crate::pace::Measurement;
    use crate::peer::Peer;
    use crate::survey::Reading;

    fn reading(times: &[f64]) -> Reading {
        let sample = |&time: &f64| Measurement {
            time,
            cpu: 0.0,
            allocations: 0.0,
        };
        Reading::Samples(times.iter().map(sample).collect())
    }

    fn findings(readings: Vec<(Entrant, Reading)>) -> Findings {
        let (entrants, results) = readings.into_iter().unzip();
        let cell = Cell::named("tokio2/1-1/64").expect("a cell");
        Findings {
            entrants,
            cells: vec![Finding { cell, results }],
            floors: Vec::new(),
        }
    }

    #[test]
    fn the_best_other_is_the_fastest_crate() {
        let go = Go {
            program: PathBuf::new(),
            version: String::new(),
        };
        let findings = findings(vec![
            (Entrant::Crate(Peer::Hchan), reading(&[30.0, 33.0])),
            (Entrant::Crate(Peer::Flume), reading(&[60.0])),
            (Entrant::Crate(Peer::Kanal), reading(&[40.0, 44.0])),
            (Entrant::Crate(Peer::Std), Reading::Absent),
            (Entrant::Go(go), reading(&[10.0])),
        ]);
        let best = with_best(&findings, &findings.cells[0]).expect("there is one");
        assert_eq!(
            (best.name, best.ratio, best.is_clear),
            ("kanal", 0.75, true)
        );
        let go = with_go(&findings, &findings.cells[0]).expect("it was there");
        assert!(go.ratio > 3.0);
    }

    #[test]
    fn times_that_overlap_are_not_clear() {
        let findings = findings(vec![
            (Entrant::Crate(Peer::Hchan), reading(&[30.0, 41.0])),
            (Entrant::Crate(Peer::Kanal), reading(&[40.0, 44.0])),
        ]);
        let best = with_best(&findings, &findings.cells[0]).expect("there is one");
        assert!(!best.is_clear);
    }
}
