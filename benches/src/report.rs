//! The findings as tables, in Markdown.

use crate::cell::{Cell, PLACES};
use crate::peer::Peer;
use crate::stats::{Summary, geometric_mean};
use crate::survey::{Finding, PeerResult};

/// The crate that the others are compared with.
const OURS: &str = "hchan";

/// How many of the worst cells are listed.
const WORST: usize = 10;

/// Peers in the order of the results of each finding.
type Peers = [Peer];

/// hchan against another peer in a cell: above 1, hchan is slower.
#[derive(Debug)]
struct Comparison {
    cell: Cell,
    peer: &'static str,
    ratio: f64,
}

pub(crate) fn print(findings: &[Finding], peers: &Peers) {
    for place in PLACES {
        let here = |finding: &&Finding| finding.cell.place == place;
        let findings: Vec<_> = findings.iter().filter(here).collect();
        if !findings.is_empty() {
            println!("## {place}\n");
            print_table(&findings, peers);
        }
    }
    print_failures(findings, peers);
    print_worst(findings, peers);
    print_means(findings, peers);
}

fn print_table(findings: &[&Finding], peers: &Peers) {
    let names: Vec<_> = peers.iter().map(|peer| peer.name()).collect();
    println!(
        "| cell | {} | best other | {OURS}/best |",
        names.join(" | ")
    );
    println!("|---|{}---|---:|", "---:|".repeat(names.len()));
    for finding in findings {
        let results: Vec<_> = finding.results.iter().map(show).collect();
        let (best, ratio) = match against_best(finding, peers) {
            Some(best) => (best.peer, format!("{:.2}", best.ratio)),
            None => ("–", "–".to_owned()),
        };
        let cell = finding.cell;
        println!("| {cell} | {} | {best} | {ratio} |", results.join(" | "));
    }
    println!();
}

fn show(result: &PeerResult) -> String {
    match result {
        PeerResult::Times(Summary { median, min, max }) => {
            format!("{} ({}..{})", nanos(*median), nanos(*min), nanos(*max))
        }
        PeerResult::Absent => "–".to_owned(),
        PeerResult::Failure(failure) => failure.kind.word().to_owned(),
    }
}

/// As many digits as mean something.
pub(crate) fn nanos(nanos: f64) -> String {
    if nanos < 10.0 {
        format!("{nanos:.1}")
    } else {
        format!("{nanos:.0}")
    }
}

fn print_failures(findings: &[Finding], peers: &Peers) {
    let mut lines = Vec::new();
    for finding in findings {
        for (peer, result) in peers.iter().zip(&finding.results) {
            if let PeerResult::Failure(failure) = result {
                let (kind, story) = (failure.kind.word(), &failure.story);
                lines.push(format!(
                    "- {}, {}: {kind}, {story}",
                    finding.cell,
                    peer.name()
                ));
            }
        }
    }
    if !lines.is_empty() {
        println!("## Failures\n\n{}\n", lines.join("\n"));
    }
}

fn print_worst(findings: &[Finding], peers: &Peers) {
    let best = findings
        .iter()
        .filter_map(|finding| against_best(finding, peers));
    let mut worst: Vec<_> = best.filter(|comparison| comparison.ratio > 1.0).collect();
    worst.sort_by(|a, b| b.ratio.total_cmp(&a.ratio));
    println!("## Where {OURS} is slower than the best other\n");
    for Comparison { cell, peer, ratio } in worst.iter().take(WORST) {
        println!("- {cell}: {ratio:.2} × {peer}");
    }
    println!("- {} cells in all\n", worst.len());
}

fn print_means(findings: &[Finding], peers: &Peers) {
    println!("## Geometric means of {OURS}'s ratio\n");
    println!("| against | cells | ratio |\n|---|---:|---:|");
    let best = |finding: &Finding| against_best(finding, peers);
    print_mean("the best other", findings.iter().filter_map(best));
    for place in PLACES {
        let here = findings
            .iter()
            .filter(|finding| finding.cell.place == place);
        print_mean(&format!("the best other, {place}"), here.filter_map(best));
    }
    for (index, peer) in peers.iter().enumerate() {
        let beside = findings
            .iter()
            .flat_map(|finding| against_all(finding, peers));
        let name = peers[index].name();
        print_mean(peer.name(), beside.filter(|other| other.peer == name));
    }
    println!();
}

fn print_mean(against: &str, comparisons: impl Iterator<Item = Comparison>) {
    let ratios: Vec<_> = comparisons.map(|comparison| comparison.ratio).collect();
    if let Some(mean) = geometric_mean(&ratios) {
        println!("| {against} | {} | {mean:.2} |", ratios.len());
    }
}

/// The comparison with the fastest other peer, which is the one with the greatest ratio.
fn against_best(finding: &Finding, peers: &Peers) -> Option<Comparison> {
    let mut comparisons = against_all(finding, peers);
    comparisons.sort_by(|a, b| a.ratio.total_cmp(&b.ratio));
    comparisons.pop()
}

/// One for each other peer that has a time in this cell; none if hchan has not.
fn against_all(finding: &Finding, peers: &Peers) -> Vec<Comparison> {
    let time = |result: &PeerResult| match result {
        PeerResult::Times(times) => Some(times.median),
        PeerResult::Absent | PeerResult::Failure(_) => None,
    };
    let names = peers.iter().map(|peer| peer.name());
    let timed = |(name, result)| Some((name, time(result)?));
    let (ours, others): (Vec<_>, Vec<_>) = names
        .zip(&finding.results)
        .filter_map(timed)
        .partition(|(name, _)| *name == OURS);
    let compare = |ours: f64| {
        let cell = finding.cell;
        others.iter().map(move |&(peer, other)| Comparison {
            cell,
            peer,
            ratio: ours / other,
        })
    };
    ours.first()
        .map(|&(_, ours)| compare(ours).collect())
        .unwrap_or_default()
}
