//! What hchan is meant to reach, as ratios of one run.

use super::compare::{self, Comparison, OURS};
use crate::cell::TOKIO_2;
use crate::floor::Floor;
use crate::stats::geometric_mean;
use crate::survey::{Finding, Findings};
use crate::target::{self, Target};

pub(crate) fn table(findings: &Findings) -> String {
    let mut targets = with_all(findings);
    targets.extend(with_floors(findings));
    targets.push(with_kanal(findings));
    target::table(&targets)
}

fn with_all(findings: &Findings) -> Vec<Target> {
    let best = |finding: &Finding| compare::with_best(findings, finding);
    let go = |finding: &Finding| compare::with_go(findings, finding);
    let best: Vec<_> = findings.cells.iter().filter_map(best).collect();
    let go = findings.cells.iter().filter_map(go);
    let go: Vec<_> = go.filter(|other| other.cell.place == TOKIO_2).collect();
    vec![
        mean("the best other, geometric mean", 0.7, &best),
        slowest("the best other", &best),
        mean("go, tokio2, geometric mean", 0.5, &go),
        slowest("go, tokio2", &go),
    ]
}

fn mean(with: &str, most: f64, comparisons: &[Comparison]) -> Target {
    let ratios: Vec<_> = comparisons.iter().map(|with| with.ratio).collect();
    Target {
        what: format!("{OURS} / {with}"),
        most,
        reached: geometric_mean(&ratios),
    }
}

/// Among the cells where it is clear who is faster.
fn slowest(with: &str, comparisons: &[Comparison]) -> Target {
    let clear = comparisons.iter().filter(|with| with.is_clear);
    let slowest = clear.max_by(|a, b| a.ratio.total_cmp(&b.ratio));
    let cell = slowest.map_or(String::new(), |with| format!(": {}", with.cell));
    Target {
        what: format!("{OURS} / {with}, the worst cell beyond the spread{cell}"),
        most: 1.0,
        reached: slowest.map(|with| with.ratio),
    }
}

fn with_floors(findings: &Findings) -> Vec<Target> {
    let floors = [
        (Floor::Wakes { workers: 1 }, 1.25),
        (Floor::Locks, 1.5),
        (Floor::Ring { capacity: 1024 }, 2.0),
    ];
    let target = |(floor, most): (Floor, f64)| Target {
        what: format!("{OURS} in {} / {floor}", floor.beneath()),
        most,
        reached: super::above_floor(findings, floor),
    };
    floors.map(target).into()
}

fn with_kanal(findings: &Findings) -> Target {
    let (cell, peer) = ("threads/1-1/0", "kanal");
    let ours = compare::time_in(findings, cell, OURS);
    let theirs = compare::time_in(findings, cell, peer);
    Target {
        what: format!("{OURS} / {peer} in {cell}"),
        most: 0.5,
        reached: ours
            .zip(theirs)
            .map(|(ours, theirs)| ours.median / theirs.median),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Cell;

    fn comparison(cell: &str, ratio: f64, is_clear: bool) -> Comparison {
        Comparison {
            cell: Cell::named(cell).expect("a cell"),
            name: "another",
            ratio,
            is_clear,
        }
    }

    #[test]
    fn what_the_spread_may_explain_misses_no_target() {
        let comparisons = [
            comparison("tokio1/1-1/0", 1.3, false),
            comparison("tokio1/1-1/1", 0.9, true),
            comparison("tokio1/1-1/64", 0.5, true),
        ];
        assert_eq!(slowest("another", &comparisons).reached, Some(0.9));
        assert_eq!(slowest("another", &[]).reached, None);
    }
}
