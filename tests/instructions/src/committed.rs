//! The counts that `counts.toml` has, and what is said of others.

use std::{fs, process::Command};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/counts.toml");

/// By so much a path may be longer than committed.
const SLACK: f64 = 0.03;
/// The same where another compiler has compiled it, which has ideas of its own.
const SLACK_ELSEWHERE: f64 = 0.10;
/// If a path is shorter by so much, what was won is to be kept.
const GAIN: f64 = 0.10;

/// `name = value` in each line.
pub(crate) struct Committed(Vec<(String, String)>);

impl Committed {
    pub(crate) fn read() -> Self {
        let file = fs::read_to_string(FILE).unwrap_or_default();
        let lines = file.lines().filter_map(|line| line.split_once(" = "));
        Self(
            lines
                .map(|(k, v)| (k.into(), v.trim_matches('"').into()))
                .collect(),
        )
    }

    pub(crate) fn write(counts: &[(&str, f64)]) {
        let mut file = String::from(
            "# Instructions each path takes, once; written by `hchan-instructions update`.\n",
        );
        file += &format!("compiler = \"{}\"\n\n", compiler());
        for (name, count) in counts {
            file += &format!("{name} = {count:.1}\n");
        }
        fs::write(FILE, file).expect("counts.toml can be written");
    }

    fn get(&self, name: &str) -> Option<&str> {
        let line = self.0.iter().find(|(key, _)| key == name)?;
        Some(&line.1)
    }

    pub(crate) fn count(&self, name: &str) -> Option<f64> {
        self.get(name)?.parse().ok()
    }

    /// By how much a path may be longer, here.
    pub(crate) fn slack(&self) -> f64 {
        match self.get("compiler") {
            Some(committed) if committed != compiler() => {
                println!("counted with {committed}, not with this compiler: more is allowed");
                SLACK_ELSEWHERE
            }
            _ => SLACK,
        }
    }
}

/// The compiler and what it compiles for.
fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output();
    let said = output.expect("rustc runs").stdout;
    format!(
        "{}, {}",
        String::from_utf8_lossy(&said).trim(),
        std::env::consts::ARCH
    )
}

/// What a count is beside the committed one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    Good,
    /// By so many percent.
    TooLong(f64),
    /// By so many percent.
    Shorter(f64),
    NotCommitted,
}

impl Verdict {
    pub(crate) fn of(committed: Option<f64>, now: f64, slack: f64) -> Self {
        let Some(then) = committed else {
            return Self::NotCommitted;
        };
        let change = now / then - 1.0;
        if change > slack {
            Self::TooLong(100.0 * change)
        } else if change < -GAIN {
            Self::Shorter(-100.0 * change)
        } else {
            Self::Good
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_near_the_committed_one_are_good() {
        let verdict = |now| Verdict::of(Some(100.0), now, SLACK);
        assert_eq!([verdict(102.9), verdict(90.1)], [Verdict::Good; 2]);
        assert!(matches!(verdict(103.1), Verdict::TooLong(3.0..3.2)));
        assert!(matches!(verdict(89.9), Verdict::Shorter(10.0..10.2)));
        assert_eq!(Verdict::of(None, 1.0, SLACK), Verdict::NotCommitted);
    }
}
