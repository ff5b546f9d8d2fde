//! What a child process says at its end, as lines of text.

use super::ledger::Counts;
use super::order::Answers;

/// Opens the line that says where a trial is.
pub(crate) const AT: &str = "at";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The crate cannot take part.
    Absent,
    Counts {
        counts: Counts,
        /// What stood still, or else was noticed.
        notes: Vec<String>,
    },
    Order(Answers),
    /// The process died, and how.
    Crash(String),
}

impl Verdict {
    pub(crate) fn to_lines(&self) -> String {
        match self {
            Verdict::Absent => "absent\n".to_owned(),
            Verdict::Counts { counts, notes } => {
                let notes: String = notes.iter().map(|note| format!("note {note}\n")).collect();
                let Counts {
                    sent,
                    received,
                    lost,
                    doubled,
                    unwanted,
                    hung,
                } = counts;
                format!("{notes}counts {sent} {received} {lost} {doubled} {unwanted} {hung}\n")
            }
            Verdict::Order(answers) => {
                let words = answers.map(|answer| match answer {
                    Some(true) => "yes",
                    Some(false) => "no",
                    None => "absent",
                });
                format!("order {}\n", words.join(" "))
            }
            Verdict::Crash(how) => format!("crash {how}\n"),
        }
    }

    /// Of what a process printed that has ended in this way.
    pub(crate) fn of(printed: &str, end: &str) -> Verdict {
        understand(printed).unwrap_or_else(|| {
            let mut places = printed.lines().rev();
            let place = places.find_map(|line| line.strip_prefix(AT)?.strip_prefix(' '));
            Verdict::Crash(match place {
                Some(place) => format!("{end}, {place}"),
                None => end.to_owned(),
            })
        })
    }
}

fn understand(printed: &str) -> Option<Verdict> {
    let notes: Vec<_> = printed
        .lines()
        .filter_map(|line| line.strip_prefix("note "))
        .map(str::to_owned)
        .collect();
    let last = printed.lines().last()?;
    let (word, rest) = last.split_once(' ').unwrap_or((last, ""));
    match word {
        "absent" => Some(Verdict::Absent),
        "counts" => {
            let numbers: Option<Vec<u64>> =
                rest.split(' ').map(|number| number.parse().ok()).collect();
            let [sent, received, lost, doubled, unwanted, hung] = numbers?.try_into().ok()?;
            let counts = Counts {
                sent,
                received,
                lost,
                doubled,
                unwanted,
                hung,
            };
            Some(Verdict::Counts { counts, notes })
        }
        "order" => {
            let answers = rest.split(' ').map(|word| match word {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            });
            let answers: Vec<_> = answers.collect();
            Some(Verdict::Order(answers.try_into().ok()?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdict_is_understood_as_it_was_said() {
        let counts = Counts {
            sent: 1,
            received: 2,
            lost: 3,
            doubled: 4,
            unwanted: 5,
            hung: 6,
        };
        let notes = vec!["a receive waits".to_owned(), "and a send".to_owned()];
        let answers = [Some(true), Some(false), None, None, Some(true), Some(false)];
        for verdict in [
            Verdict::Absent,
            Verdict::Counts { counts, notes },
            Verdict::Order(answers),
        ] {
            assert_eq!(Verdict::of(&verdict.to_lines(), "well"), verdict);
        }
    }

    #[test]
    fn process_without_a_verdict_has_crashed() {
        let crash = |end: &str| Verdict::Crash(end.to_owned());
        assert_eq!(
            Verdict::of("at first\nat last\n", "signal 6"),
            crash("signal 6, last")
        );
        for printed in ["", "note a receive waits\n", "counts 1 2\n", "order yes\n"] {
            assert_eq!(Verdict::of(printed, "signal 6"), crash("signal 6"));
        }
    }
}
