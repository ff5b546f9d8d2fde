//! All samples of a run, for other programs and for the next run.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::pace::Measurement;
use crate::report::FLOORS;
use crate::survey::{Finding, Findings, Reading};

/// An entrant in a cell, or a floor.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) cell: String,
    pub(crate) name: String,
    /// One a round.
    pub(crate) samples: Vec<Measurement>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<String>,
}

impl Record {
    /// `None`: there is nothing to tell.
    fn of(cell: &str, name: &str, reading: &Reading) -> Option<Record> {
        let (samples, failure) = match reading {
            Reading::Samples(samples) => (samples.clone(), None),
            Reading::Failure(failure) => (Vec::new(), Some(failure.to_string())),
            Reading::Absent => return None,
        };
        Some(Record {
            cell: cell.to_owned(),
            name: name.to_owned(),
            samples,
            failure,
        })
    }
}

pub(crate) fn json(findings: &Findings) -> Result<String> {
    let floors = findings.floors.iter();
    let floors =
        floors.filter_map(|(floor, reading)| Record::of(FLOORS, &floor.to_string(), reading));
    let mut records: Vec<_> = floors.collect();
    for Finding { cell, results } in &findings.cells {
        let cell = cell.to_string();
        let results = findings.entrants.iter().zip(results);
        records.extend(
            results.filter_map(|(entrant, reading)| Record::of(&cell, entrant.name(), reading)),
        );
    }
    Ok(serde_json::to_string_pretty(&records)?)
}

pub(crate) fn read(file: &Path) -> Result<Vec<Record>> {
    let json =
        fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    serde_json::from_str(&json).with_context(|| format!("{} is no list of samples", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let sample = Measurement {
            time: 4.5,
            cpu: 9.0,
            allocations: 0.25,
        };
        let record = |samples, failure| Record {
            cell: "tokio1/1-1/64".to_owned(),
            name: "hchan".to_owned(),
            samples,
            failure,
        };
        let records = [
            record(vec![sample, sample], None),
            record(Vec::new(), Some("hang".to_owned())),
        ];
        let json = serde_json::to_string(&records).expect("it is written");
        let read: [Record; 2] = serde_json::from_str(&json).expect("it is read");
        assert_eq!(read, records);
    }
}
