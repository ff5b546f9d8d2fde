//! The findings in Markdown.

use std::fmt::{self, Write};

use super::Trial;
use super::ledger::Counts;
use super::notes;
use super::order::PROPERTIES;
use super::peers::Peer;
use super::verdict::Verdict;

/// What a trial has found, in the order of the peers.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) trial: &'static Trial,
    pub(crate) verdicts: Vec<Verdict>,
}

/// The whole section: an overview, each trial, the properties, the footnotes.
pub(crate) fn report(peers: &[&Peer], findings: &[Finding], orders: &[Verdict]) -> String {
    let mut page = Page::default();
    page.write(peers, findings, orders)
        .expect("a string takes whatever is written");
    page.text
}

#[derive(Default)]
struct Page {
    text: String,
    footnotes: Vec<&'static str>,
}

impl Page {
    fn write(&mut self, peers: &[&Peer], findings: &[Finding], orders: &[Verdict]) -> fmt::Result {
        if !findings.is_empty() {
            self.overview(peers, findings)?;
            for finding in findings {
                self.trial(peers, finding)?;
            }
        }
        if !orders.is_empty() {
            self.order(peers, orders)?;
        }
        for (index, note) in self.footnotes.iter().enumerate() {
            writeln!(self.text, "[^t{}]: {note}", index + 1)?;
        }
        Ok(())
    }

    fn overview(&mut self, peers: &[&Peer], findings: &[Finding]) -> fmt::Result {
        writeln!(self.text, "## Overview\n")?;
        self.head("trial", peers)?;
        for Finding { trial, verdicts } in findings {
            write!(self.text, "| {} |", trial.name)?;
            for (peer, verdict) in peers.iter().zip(verdicts) {
                let mark = self.mark(peer, trial, verdict);
                write!(self.text, " {}{mark} |", in_short(verdict))?;
            }
            writeln!(self.text)?;
        }
        writeln!(self.text)
    }

    fn head(&mut self, first: &str, peers: &[&Peer]) -> fmt::Result {
        let names: Vec<_> = peers.iter().map(|peer| peer.name).collect();
        writeln!(self.text, "| {first} | {} |", names.join(" | "))?;
        writeln!(self.text, "|---|{}", ":-:|".repeat(peers.len()))
    }

    fn trial(&mut self, peers: &[&Peer], finding: &Finding) -> fmt::Result {
        let Finding { trial, verdicts } = finding;
        writeln!(
            self.text,
            "## {}\n\n{}.\n",
            trial.name,
            capital(trial.story)
        )?;
        writeln!(
            self.text,
            "| | sent | received | lost | doubled | delivered though cancelled | hung | |\n\
             |---|---:|---:|---:|---:|---:|---:|---|"
        )?;
        for (peer, verdict) in peers.iter().zip(verdicts) {
            let mark = self.mark(peer, trial, verdict);
            write!(self.text, "| {}{mark} |", peer.name)?;
            match verdict {
                Verdict::Counts { counts, notes } => {
                    let Counts {
                        sent,
                        received,
                        lost,
                        doubled,
                        unwanted,
                        hung,
                    } = counts;
                    write!(self.text, " {sent} | {received} | {lost} | {doubled} |")?;
                    writeln!(self.text, " {unwanted} | {hung} | {} |", notes.join("; "))?;
                }
                Verdict::Crash(how) => writeln!(self.text, "|||||| crash: {how} |")?,
                Verdict::Absent | Verdict::Order(_) => {
                    writeln!(self.text, " – | – | – | – | – | – | |")?;
                }
            }
        }
        writeln!(self.text)
    }

    fn order(&mut self, peers: &[&Peer], orders: &[Verdict]) -> fmt::Result {
        writeln!(self.text, "## order\n\nProperties, not failures.\n")?;
        self.head("", peers)?;
        for (index, property) in PROPERTIES.iter().enumerate() {
            write!(self.text, "| {property} |")?;
            for verdict in orders {
                let answer = match verdict {
                    Verdict::Order(answers) => match answers[index] {
                        Some(true) => "yes",
                        Some(false) => "no",
                        None => "–",
                    },
                    Verdict::Crash(_) => "crash",
                    Verdict::Absent | Verdict::Counts { .. } => "–",
                };
                write!(self.text, " {answer} |")?;
            }
            writeln!(self.text)?;
        }
        writeln!(self.text)
    }

    /// The mark of a footnote, where there is something to say of what was found.
    fn mark(&mut self, peer: &Peer, trial: &Trial, verdict: &Verdict) -> String {
        let clean = match verdict {
            Verdict::Counts { counts, .. } => counts.clean(),
            Verdict::Crash(_) => false,
            Verdict::Absent | Verdict::Order(_) => true,
        };
        let Some(note) = notes::of(peer.name, trial.name).filter(|_| !clean) else {
            return String::new();
        };
        let known = self.footnotes.iter().position(|footnote| *footnote == note);
        let index = known.unwrap_or_else(|| {
            self.footnotes.push(note);
            self.footnotes.len() - 1
        });
        format!("[^t{}]", index + 1)
    }
}

fn in_short(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Absent | Verdict::Order(_) => "–".to_owned(),
        Verdict::Crash(_) => "crash".to_owned(),
        Verdict::Counts { counts, .. } if counts.clean() => "0".to_owned(),
        Verdict::Counts { counts, .. } => {
            let words = [
                (counts.lost, "lost"),
                (counts.doubled, "doubled"),
                (counts.unwanted, "though cancelled"),
                (counts.hung, "hung"),
            ];
            let words = words.iter().filter(|(count, _)| *count > 0);
            let words: Vec<_> = words
                .map(|(count, word)| format!("{count} {word}"))
                .collect();
            words.join(", ")
        }
    }
}

fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torture::{TRIALS, peers};

    #[test]
    fn every_row_has_as_many_cells_as_its_head() {
        let peers: Vec<_> = peers::ALL.iter().take(3).collect();
        let counts = Counts {
            lost: 1,
            hung: 2,
            ..Counts::default()
        };
        let notes = vec!["a send waits".to_owned()];
        let verdicts = vec![
            Verdict::Counts { counts, notes },
            Verdict::Absent,
            Verdict::Crash("signal 6".to_owned()),
        ];
        let trial = &TRIALS[0];
        let orders = vec![
            Verdict::Order([Some(true); PROPERTIES.len()]),
            Verdict::Absent,
            Verdict::Crash("signal 6".to_owned()),
        ];
        let report = report(&peers, &[Finding { trial, verdicts }], &orders);
        assert!(report.contains("1 lost, 2 hung"), "{report}");
        for table in report.split("\n\n").filter(|part| part.starts_with('|')) {
            let cells = |row: &str| row.matches('|').count();
            let head = cells(table.lines().next().unwrap_or_default());
            assert!(table.lines().all(|row| cells(row) == head), "{table}");
        }
    }
}
