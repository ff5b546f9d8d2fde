//! Who is measured: the crates, and Go.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::cell::Cell;
use crate::child;
use crate::go::Go;
use crate::peer::Peer;

#[derive(Clone, Debug)]
pub(crate) enum Entrant {
    Crate(Peer),
    Go(Go),
}

impl Entrant {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Entrant::Crate(peer) => peer.name(),
            Entrant::Go(_) => Go::NAME,
        }
    }

    /// The process that takes a sample.
    pub(crate) fn sample(&self, cell: Cell, lasting: Duration) -> Result<Command> {
        let (cell, millis) = (cell.to_string(), lasting.as_millis().to_string());
        match self {
            Entrant::Crate(peer) => child::this(&["child", &cell, peer.name(), &millis]),
            Entrant::Go(go) => Ok(go.sample(&cell, &millis)),
        }
    }
}
