//! All samples of a situation.

use anyhow::Result;

use super::{Sampled, Situation};
use crate::child::{self, Failure};
use crate::pace::{Nothing, Verdict};
use crate::report::{OURS, nanos, spread, table};
use crate::stats::Summary;

/// The first word of the verdict that has numbers.
const NUMBERS: &str = "numbers";

#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) variants: Vec<String>,
    pub(crate) candidates: Vec<&'static str>,
    pub(crate) rounds: u32,
    /// By variant, then by candidate.
    found: Vec<Vec<Found>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Found {
    /// By sample, then by number.
    Samples(Vec<Vec<f64>>),
    Absent,
    /// A candidate that fails once has failed.
    Failed(Failure),
}

/// In a child: prints what the parent is to read.
pub(super) fn print(sampled: &Sampled) {
    match sampled {
        Ok(numbers) => {
            let numbers: Vec<_> = numbers.iter().map(f64::to_string).collect();
            println!("{NUMBERS} {}", numbers.join(" "));
        }
        Err(nothing) => println!("{}", Verdict(Err(nothing.clone()))),
    }
}

pub(super) fn survey(
    situation: &dyn Situation,
    variants: Vec<String>,
    candidates: Vec<&'static str>,
    rounds: u32,
    quick: bool,
) -> Result<Findings> {
    let mut found = Vec::new();
    for (done, variant) in variants.iter().enumerate() {
        eprintln!("{} of {}: {variant}", done + 1, variants.len());
        let mut row = vec![Found::Samples(Vec::new()); candidates.len()];
        for round in 0..rounds as usize {
            // Each candidate is first once, so that none always follows the same neighbour's heat.
            for turn in 0..candidates.len() {
                let turn = (turn + round) % candidates.len();
                let Found::Samples(samples) = &mut row[turn] else {
                    continue;
                };
                match sample(situation, variant, candidates[turn], quick)? {
                    Found::Samples(new) => samples.extend(new),
                    end => row[turn] = end,
                }
            }
        }
        found.push(row);
    }
    Ok(Findings {
        variants,
        candidates,
        rounds,
        found,
    })
}

/// One sample, in a process of its own.
fn sample(situation: &dyn Situation, variant: &str, candidate: &str, quick: bool) -> Result<Found> {
    let mut args = vec![situation.name(), "--child", variant, candidate];
    if quick {
        args.push("--quick");
    }
    Ok(match child::run(child::this(&args)?, situation.limit())? {
        Ok(printed) => understand(&printed),
        Err(failure) => Found::Failed(failure),
    })
}

fn understand(printed: &str) -> Found {
    let verdict = printed.lines().last().unwrap_or_default();
    if let Some(numbers) = numbers(verdict) {
        return Found::Samples(vec![numbers]);
    }
    match Verdict::read(verdict) {
        Some(Verdict(Err(Nothing::Absent))) => Found::Absent,
        other => Found::Failed(Failure::of_verdict(other, printed)),
    }
}

fn numbers(verdict: &str) -> Option<Vec<f64>> {
    let numbers = verdict.strip_prefix(NUMBERS)?.split_whitespace();
    let numbers: Vec<f64> = numbers
        .map(|number| number.parse().ok())
        .collect::<Option<_>>()?;
    (!numbers.is_empty()).then_some(numbers)
}

impl Findings {
    fn found(&self, variant: &str, candidate: &str) -> Option<&Found> {
        let row = self.variants.iter().position(|name| name == variant)?;
        let column = self.candidates.iter().position(|name| *name == candidate)?;
        Some(&self.found[row][column])
    }

    /// The samples' number at `index`, summed up.
    pub(super) fn summary(&self, variant: &str, candidate: &str, index: usize) -> Option<Summary> {
        match self.found(variant, candidate)? {
            Found::Samples(samples) => {
                let numbers: Vec<_> = samples.iter().map(|sample| sample[index]).collect();
                Summary::of(&numbers)
            }
            _ => None,
        }
    }

    pub(super) fn median(&self, variant: &str, candidate: &str, index: usize) -> Option<f64> {
        Some(self.summary(variant, candidate, index)?.median)
    }

    /// hchan's median over the lowest of the other crates'.
    pub(super) fn ratio(&self, variant: &str, index: usize) -> Option<f64> {
        let others = self.candidates.iter().filter(|name| is_other(name));
        let medians = others.filter_map(|name| self.median(variant, name, index));
        let best = medians.min_by(f64::total_cmp)?;
        Some(self.median(variant, OURS, index)? / best)
    }

    /// How the candidate failed, or a dash if it has nothing to tell.
    pub(super) fn silence(&self, variant: &str, candidate: &str) -> &'static str {
        match self.found(variant, candidate) {
            Some(Found::Failed(failure)) => failure.kind.word(),
            _ => "–",
        }
    }

    /// What is said of the samples' number at `index`: `median (min..max)`, or why there is none.
    pub(super) fn cell(&self, variant: &str, candidate: &str, index: usize) -> String {
        match self.summary(variant, candidate, index) {
            Some(summary) => spread(summary),
            None => self.silence(variant, candidate).to_owned(),
        }
    }

    /// A line for each candidate that has something to tell, a column for each variant.
    pub(super) fn by_candidate(&self, heading: &str, index: usize) -> String {
        let columns: Vec<_> = self.variants.iter().map(String::as_str).collect();
        let rows = self.rows(&columns, |variant, candidate| {
            self.cell(variant, candidate, index)
        });
        table_of(heading, &columns, rows)
    }

    /// The same for the variants whose names begin with the heading, and hchan's ratio to the best other, by the number at
    /// `index`.
    pub(super) fn group(
        &self,
        heading: &str,
        cell: impl Fn(&str, &str) -> String,
        index: usize,
    ) -> String {
        let variants = self.variants.iter().map(String::as_str);
        let of_group = |variant: &&str| rest_of(heading, variant).is_some();
        let variants: Vec<_> = variants.filter(of_group).collect();
        let mut rows = self.rows(&variants, cell);
        let ratio = |variant: &&str| self.ratio(variant, index);
        let ratios = variants.iter().map(ratio).map(|ratio| match ratio {
            Some(ratio) => format!("{ratio:.2}"),
            None => "–".to_owned(),
        });
        rows.push(
            ["*hchan / best other*".to_owned()]
                .into_iter()
                .chain(ratios)
                .collect(),
        );
        let columns = variants
            .iter()
            .filter_map(|variant| rest_of(heading, variant));
        table_of(heading, &columns.collect::<Vec<_>>(), rows)
    }

    /// The samples' numbers in one variant, a column each.
    pub(super) fn numbers_of(
        &self,
        variant: &str,
        heading: &str,
        columns: &[(&str, usize)],
    ) -> String {
        let row = |candidate: &&'static str| {
            let median = |index| self.median(variant, candidate, index);
            let numbers = columns.iter().map(|&(_, index)| median(index).map(nanos));
            let cells = numbers.collect::<Option<Vec<_>>>()?;
            Some([(*candidate).to_owned()].into_iter().chain(cells).collect())
        };
        let rows = self.candidates.iter().filter_map(row).collect();
        let columns: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
        table_of(heading, &columns, rows)
    }

    fn rows(&self, variants: &[&str], cell: impl Fn(&str, &str) -> String) -> Vec<Vec<String>> {
        let row = |candidate: &&'static str| {
            let cells = variants.iter().map(|variant| cell(variant, candidate));
            [(*candidate).to_owned()].into_iter().chain(cells).collect()
        };
        let says_something = |row: &Vec<String>| row[1..].iter().any(|cell| cell != "–");
        self.candidates
            .iter()
            .map(row)
            .filter(says_something)
            .collect()
    }

    /// How the candidates failed that did.
    pub(super) fn failures(&self) -> String {
        let mut lines = String::new();
        for (variant, row) in self.variants.iter().zip(&self.found) {
            for (candidate, found) in self.candidates.iter().zip(row) {
                if let Found::Failed(failure) = found {
                    lines += &format!("- {variant}, {candidate}: {failure}\n");
                }
            }
        }
        match lines.is_empty() {
            true => lines,
            false => format!("## Failures\n\n{lines}\n"),
        }
    }
}

/// What is behind the heading in a variant's name.
fn rest_of<'v>(heading: &str, variant: &'v str) -> Option<&'v str> {
    variant.strip_prefix(heading)?.strip_prefix('/')
}

fn table_of(heading: &str, columns: &[&str], rows: Vec<Vec<String>>) -> String {
    let columns: Vec<_> = [""].into_iter().chain(columns.iter().copied()).collect();
    match columns.len() {
        1 => String::new(),
        _ => table(heading, &columns, &rows),
    }
}

/// Whether the candidate is another crate, and not a floor.
fn is_other(candidate: &str) -> bool {
    candidate != OURS && !candidate.starts_with("floor")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(row: Vec<Found>) -> Findings {
        Findings {
            variants: vec!["v".to_owned()],
            candidates: vec!["hchan", "floor: nothing", "kanal", "flume"],
            rounds: 2,
            found: vec![row],
        }
    }

    #[test]
    fn numbers_come_through_the_pipe() {
        let found = Found::Samples(vec![vec![1.5, 2.0]]);
        assert_eq!(understand("race\nnumbers 1.5 2\n"), found);
        assert_eq!(understand("absent\n"), Found::Absent);
        for printed in ["lost 2 of 3", "numbers\n", "numbers few", ""] {
            assert!(matches!(understand(printed), Found::Failed(_)), "{printed}");
        }
    }

    #[test]
    fn the_ratio_is_to_the_best_other_crate() {
        let samples = |number| Found::Samples(vec![vec![number], vec![number]]);
        let found = findings(vec![samples(6.0), samples(1.0), samples(4.0), samples(3.0)]);
        assert_eq!(found.ratio("v", 0), Some(2.0));
        let found = findings(vec![
            samples(6.0),
            samples(1.0),
            Found::Absent,
            Found::Absent,
        ]);
        assert_eq!(found.ratio("v", 0), None);
    }
}
