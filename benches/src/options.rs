//! What the command line asks of a survey.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::cell::Cell;
use crate::entrant::Entrant;
use crate::floor::Floor;
use crate::go::Go;
use crate::peer::Peer;
use crate::survey::Survey;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Samples of each peer in each cell [default: 5, with --quick 3]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,

    /// Only the cells whose name contains this, as in `tokio1/1-1/64`
    #[arg(long, default_value = "")]
    filter: String,

    /// Only these peers, hchan among them if it is named
    #[arg(long, value_delimiter = ',')]
    peers: Vec<String>,

    /// Shorter and fewer samples: good enough to see a factor, not a percentage
    #[arg(long)]
    pub(crate) quick: bool,

    /// Every cell with messages of every size, not just a few
    #[arg(long)]
    all_sizes: bool,

    /// Everything on one processor
    #[arg(long)]
    pub(crate) pinned: bool,

    /// Beside another process that keeps one processor busy
    #[arg(long)]
    pub(crate) beside_neighbour: bool,

    /// The Go to build Go's channels with [default: the one on the PATH, if there is one]
    #[arg(long, value_name = "PATH")]
    go: Option<PathBuf>,

    /// The `samples.json` of another run, to compare hchan's times with
    #[arg(long, value_name = "FILE")]
    pub(crate) against: Option<PathBuf>,

    /// Also write the report with its charts and all samples to this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

impl Options {
    pub(crate) fn filter(&self) -> &str {
        &self.filter
    }

    pub(crate) fn survey(&self) -> Result<Survey> {
        let cells = self.cells();
        ensure!(
            !cells.is_empty(),
            "no cell's name contains `{}`",
            self.filter
        );
        let mut floors = Vec::from(Floor::ALL);
        floors.retain(|floor| floor.beneath().contains(&self.filter));
        Ok(Survey {
            cells,
            entrants: self.entrants()?,
            floors,
            rounds: self.rounds.unwrap_or(if self.quick { 3 } else { 5 }),
            lasting: Duration::from_millis(if self.quick { 50 } else { 150 }),
        })
    }

    fn cells(&self) -> Vec<Cell> {
        let mut cells = Cell::all();
        cells.retain(|cell| self.all_sizes || cell.is_for_every_day());
        cells.retain(|cell| cell.to_string().contains(&self.filter));
        cells
    }

    fn entrants(&self) -> Result<Vec<Entrant>> {
        if self.peers.is_empty() {
            let peers = Peer::ALL.iter().copied().map(Entrant::Crate);
            return Ok(peers.chain(self.any_go()?).collect());
        }
        let find = |name: &String| match name.as_str() {
            Go::NAME => Go::build(self.go.as_deref()).map(Entrant::Go),
            name => {
                let peer = Peer::named(name).with_context(|| format!("no peer `{name}`"))?;
                Ok(Entrant::Crate(peer))
            }
        };
        self.peers.iter().map(find).collect()
    }

    /// Where nobody asked for Go by name, a machine without it is no failure.
    fn any_go(&self) -> Result<Option<Entrant>> {
        match Go::build(self.go.as_deref()) {
            Ok(go) => Ok(Some(Entrant::Go(go))),
            Err(wrong) if self.go.is_none() => {
                eprintln!("without Go: {wrong:#}");
                Ok(None)
            }
            Err(wrong) => Err(wrong),
        }
    }

    /// Under which circumstances, as the report tells it.
    pub(crate) fn circumstances(&self) -> String {
        let pinned = if self.pinned {
            ", everything pinned to one processor"
        } else {
            ""
        };
        let beside = if self.beside_neighbour {
            ", beside a process that keeps one processor busy"
        } else {
            ""
        };
        format!("{pinned}{beside}")
    }
}
