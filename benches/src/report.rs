//! The findings in Markdown.

use std::fmt::Write;

use crate::cell::PLACES;
use crate::floor::Floor;
use crate::go::Go;
use crate::pace::Measurement;
use crate::stats::{Summary, geometric_mean};
use crate::survey::{Finding, Findings, Reading};
use crate::target::{self, Target};

mod compare;
mod targets;

use crate::record::Record;
use compare::Comparison;
pub(crate) use compare::OURS;

/// What stands in a cell's place for the floors.
pub(crate) const FLOORS: &str = "floor";

/// How many of the worst cells are listed.
const WORST: usize = 10;

/// As `text`, of a survey that is beside another in a report.
pub(crate) fn short_text(findings: &Findings) -> String {
    let parts = [
        times(findings),
        means(findings),
        floors(findings),
        worst(findings),
        failures(findings),
    ];
    parts.concat()
}

pub(crate) fn text(findings: &Findings) -> String {
    let parts = [
        times(findings),
        means(findings),
        targets::table(findings),
        floors(findings),
        bounds(findings),
        table_of(findings, "Processor time, ns a message", |each| each.cpu),
        table_of(findings, "Allocations a message", |each| each.allocations),
        worst(findings),
        failures(findings),
    ];
    parts.concat()
}

/// A heading, a table and an empty line; nothing without rows.
pub(crate) fn table(heading: &str, columns: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let numbers = "---:|".repeat(columns.len() - 1);
    let rows: String = rows
        .iter()
        .map(|row| format!("| {} |\n", row.join(" | ")))
        .collect();
    format!(
        "## {heading}\n\n| {} |\n|---|{numbers}\n{rows}\n",
        columns.join(" | ")
    )
}

fn times(findings: &Findings) -> String {
    let mut columns = vec!["cell"];
    columns.extend(findings.entrants.iter().map(|entrant| entrant.name()));
    columns.extend(["best other", "hchan/best"]);
    let has_go = findings
        .entrants
        .iter()
        .any(|entrant| entrant.name() == Go::NAME);
    columns.extend(has_go.then_some("hchan/go"));
    let row = |finding: &Finding| {
        let best = compare::with_best(findings, finding);
        let ratio = |comparison: &Option<Comparison>| match comparison {
            Some(comparison) => format!("{:.2}", comparison.ratio),
            None => NOTHING.to_owned(),
        };
        let mut row = vec![finding.cell.to_string()];
        row.extend(finding.results.iter().map(time));
        row.push(best.as_ref().map_or(NOTHING, |best| best.name).to_owned());
        row.push(ratio(&best));
        row.extend(has_go.then(|| ratio(&compare::with_go(findings, finding))));
        row
    };
    let place = |place| {
        let here = findings
            .cells
            .iter()
            .filter(|finding| finding.cell.place == place);
        let rows: Vec<_> = here.map(row).collect();
        table(&format!("{place}, ns a message"), &columns, &rows)
    };
    PLACES.map(place).concat()
}

const NOTHING: &str = "–";

fn time(reading: &Reading) -> String {
    match (reading, reading.time()) {
        (_, Some(times)) => spread(times),
        (Reading::Failure(failure), _) => failure.kind.word().to_owned(),
        _ => NOTHING.to_owned(),
    }
}

/// The median and the bounds.
pub(crate) fn spread(Summary { median, min, max }: Summary) -> String {
    format!("{} ({}..{})", nanos(median), nanos(min), nanos(max))
}

/// As many digits as mean something.
pub(crate) fn nanos(nanos: f64) -> String {
    if nanos < 10.0 {
        format!("{nanos:.1}")
    } else {
        format!("{nanos:.0}")
    }
}

/// The medians of another figure.
fn table_of(findings: &Findings, heading: &str, figure: fn(&Measurement) -> f64) -> String {
    let mut columns = vec!["cell"];
    columns.extend(findings.entrants.iter().map(|entrant| entrant.name()));
    let show = |reading: &Reading| match reading.summary(figure) {
        Some(Summary { median, .. }) if median < 0.005 => "0".to_owned(),
        Some(Summary { median, .. }) if median < 10.0 => format!("{median:.2}"),
        Some(Summary { median, .. }) => format!("{median:.0}"),
        None => NOTHING.to_owned(),
    };
    let row = |finding: &Finding| {
        let mut row = vec![finding.cell.to_string()];
        row.extend(finding.results.iter().map(show));
        row
    };
    let rows: Vec<_> = findings.cells.iter().map(row).collect();
    table(heading, &columns, &rows)
}

fn floors(findings: &Findings) -> String {
    let rows = findings.floors.iter().map(|(floor, reading)| {
        let ratio = above_floor(findings, *floor);
        vec![
            floor.to_string(),
            time(reading),
            floor.explained().to_owned(),
            floor.beneath().to_owned(),
            ratio.map_or(NOTHING.to_owned(), |ratio| format!("{ratio:.2}")),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let columns = ["floor", "ns", "what it is", "the floor of", "hchan/floor"];
    table("Floors", &columns, &rows)
}

/// How many times as long as the floor hchan takes in the cell above it.
fn above_floor(findings: &Findings, floor: Floor) -> Option<f64> {
    let ours = compare::time_in(findings, floor.beneath(), OURS)?;
    Some(ours.median / time_of_floor(findings, floor)?.median)
}

/// How far below the fastest other the floor is, where there is one for a message.
fn bounds(findings: &Findings) -> String {
    let mut ratios = Vec::new();
    let mut rows = Vec::new();
    for finding in &findings.cells {
        let floor = Floor::on_one_worker(finding.cell);
        let time = floor.and_then(|floor| time_of_floor(findings, floor));
        let ours = compare::time_in(findings, &finding.cell.to_string(), OURS);
        let best = compare::with_best(findings, finding);
        if let (Some(floor), Some(time), Some(ours), Some(best)) = (floor, time, ours, best) {
            let best_time = ours.median / best.ratio;
            let ratio = time.median / best_time;
            ratios.push(ratio);
            rows.push(vec![
                finding.cell.to_string(),
                floor.to_string(),
                nanos(time.median),
                format!("{} ({})", nanos(best_time), best.name),
                format!("{ratio:.2}"),
                format!("{:.2}", ours.median / time.median),
            ]);
        }
    }
    rows.extend(geometric_mean(&ratios).map(|mean| {
        let mut row = vec![String::new(); 6];
        row[0] = "geometric mean".to_owned();
        row[4] = format!("{mean:.2}");
        row
    }));
    let columns = [
        "cell",
        "floor",
        "ns",
        "best other",
        "floor/best",
        "hchan/floor",
    ];
    table("What bounds a message on one worker", &columns, &rows)
}

fn time_of_floor(findings: &Findings, floor: Floor) -> Option<Summary> {
    let (_, reading) = findings.floors.iter().find(|(other, _)| *other == floor)?;
    reading.time()
}

fn means(findings: &Findings) -> String {
    let best = |finding: &Finding| compare::with_best(findings, finding);
    let mut rows = vec![mean(
        "the best other",
        findings.cells.iter().filter_map(best),
    )];
    for place in PLACES {
        let here = findings
            .cells
            .iter()
            .filter(|finding| finding.cell.place == place);
        rows.push(mean(
            &format!("the best other, {place}"),
            here.filter_map(best),
        ));
    }
    for entrant in &findings.entrants {
        let with = |finding| compare::with(findings, finding, entrant.name());
        rows.push(mean(entrant.name(), findings.cells.iter().filter_map(with)));
    }
    let rows: Vec<_> = rows.into_iter().flatten().collect();
    let heading = format!("Geometric means of {OURS}'s ratio");
    table(&heading, &["against", "cells", "ratio"], &rows)
}

fn mean(against: &str, comparisons: impl Iterator<Item = Comparison>) -> Option<Vec<String>> {
    let ratios: Vec<_> = comparisons.map(|comparison| comparison.ratio).collect();
    let mean = geometric_mean(&ratios)?;
    Some(vec![
        against.to_owned(),
        ratios.len().to_string(),
        format!("{mean:.2}"),
    ])
}

/// hchan's times beside those of another run, and how much longer they may be.
pub(crate) fn against(findings: &Findings, earlier: &[Record], most: Option<f64>) -> String {
    let earlier = |cell: &str| {
        let is_ours = |record: &&Record| record.name == OURS && record.cell == cell;
        let samples = &earlier.iter().find(is_ours)?.samples;
        Summary::of(&samples.iter().map(|sample| sample.time).collect::<Vec<_>>())
    };
    let mut ratios = Vec::new();
    let mut rows = Vec::new();
    for Finding { cell, .. } in &findings.cells {
        let cell = cell.to_string();
        if let Some((then, now)) = earlier(&cell).zip(compare::time_in(findings, &cell, OURS)) {
            let ratio = now.median / then.median;
            ratios.push(ratio);
            rows.push(vec![cell, spread(then), spread(now), format!("{ratio:.2}")]);
        }
    }
    let sum_up = |name: &str, ratio: f64| {
        let ratio = format!("{ratio:.2}");
        vec![name.to_owned(), String::new(), String::new(), ratio]
    };
    let worst = ratios.iter().copied().max_by(f64::total_cmp);
    rows.extend(worst.map(|worst| sum_up("the worst", worst)));
    rows.extend(geometric_mean(&ratios).map(|mean| sum_up("geometric mean", mean)));
    let heading = format!("{OURS} beside the other run, ns a message");
    let target = most.map(|most| Target {
        what: "now/then, the worst".to_owned(),
        most,
        reached: worst,
    });
    table(&heading, &["cell", "then", "now", "now/then"], &rows)
        + &target.map_or(String::new(), |target| target::table(&[target]))
}

fn worst(findings: &Findings) -> String {
    let best = |finding| compare::with_best(findings, finding);
    let best = findings.cells.iter().filter_map(best);
    let mut worst: Vec<_> = best.filter(|comparison| comparison.ratio > 1.0).collect();
    worst.sort_by(|a, b| b.ratio.total_cmp(&a.ratio));
    let mut text = format!("## Where {OURS} is slower than the best other\n\n");
    for Comparison {
        cell,
        name,
        ratio,
        is_clear,
    } in worst.iter().take(WORST)
    {
        let doubt = if *is_clear { "" } else { ", within the spread" };
        let _ = writeln!(text, "- {cell}: {ratio:.2} × {name}{doubt}");
    }
    let _ = writeln!(text, "- {} cells in all\n", worst.len());
    text
}

fn failures(findings: &Findings) -> String {
    let mut lines = String::new();
    let mut tell = |subject: &str, name: &str, reading: &Reading| {
        if let Reading::Failure(failure) = reading {
            let _ = writeln!(lines, "- {subject}, {name}: {failure}");
        }
    };
    for (floor, reading) in &findings.floors {
        tell("floor", &floor.to_string(), reading);
    }
    for Finding { cell, results } in &findings.cells {
        for (entrant, reading) in findings.entrants.iter().zip(results) {
            tell(&cell.to_string(), entrant.name(), reading);
        }
    }
    match lines.is_empty() {
        true => lines,
        false => format!("## Failures\n\n{lines}\n"),
    }
}
