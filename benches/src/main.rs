//! hchan beside the other channel crates.
//!
//! A *cell* is a situation (a runtime, a shape, a capacity), a *peer* is a crate. A *sample* is
//! one peer in one cell, taken in a process of its own, because some peers never come to an end
//! in some cells, and because no sample should inherit the heap and the threads of the one before
//! it. Samples of a cell are taken in rounds, each peer once a round, so that whatever else the
//! machine does is spread over all of them.

mod batch;
mod cancel;
mod cell;
mod child;
mod memory;
mod message;
mod peer;
mod peers;
mod race;
mod report;
mod sample;
mod select;
mod shape;
mod stats;
mod survey;
mod tasks;
mod threads;
mod versions;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};

use crate::cell::Cell;
use crate::peer::Peer;
use crate::survey::Survey;

/// Times hchan beside other channel crates, in nanoseconds a message.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    mode: Option<Mode>,

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
    quick: bool,

    /// Take one sample in this process and print it
    #[arg(long, hide = true, num_args = 2, value_names = ["CELL", "PEER"])]
    child: Option<Vec<String>>,
}

#[derive(Debug, Subcommand)]
enum Mode {
    /// Time messages sent and received in batches, beside single ones
    Batch {
        /// How often each is measured
        #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u32).range(1..))]
        rounds: u32,
    },
    /// Time the dropping of one of many parked receives
    Cancel {
        /// How often each peer is measured, in each order
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
        rounds: u32,
    },
    /// Send a burst into unbounded channels: the longest send, and the memory before and after
    Memory {
        /// In how many processes each peer is measured
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
        rounds: u32,

        /// Run one burst in this process and print its line
        #[arg(long, hide = true, value_name = "PEER")]
        child: Option<String>,
    },
    /// Time selects over several channels
    Select {
        /// How often each way to select is measured in each cell
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
        rounds: u32,

        /// Only the cells whose name contains this, as in `tokio1/2 arms`
        #[arg(long, default_value = "")]
        filter: String,
    },
}

fn main() -> Result<()> {
    let args = Args::parse();
    if let Some(mode) = args.mode {
        if let Mode::Memory {
            child: Some(peer), ..
        } = &mode
        {
            return memory::child(peer);
        }
        versions::print();
        match mode {
            Mode::Batch { rounds } => batch::run(rounds),
            Mode::Cancel { rounds } => cancel::run(rounds),
            Mode::Memory { rounds, .. } => memory::run(rounds)?,
            Mode::Select { rounds, filter } => select::run(rounds, &filter),
        }
        return Ok(());
    }
    let lasting = Duration::from_millis(if args.quick { 50 } else { 200 });
    match args.child.as_deref() {
        Some([cell, peer]) => take_sample(cell, peer, lasting),
        _ => run_survey(&args, lasting),
    }
}

/// What the child process does.
fn take_sample(cell: &str, peer: &str, lasting: Duration) -> Result<()> {
    let cell = Cell::named(cell).context("no such cell")?;
    let peer = Peer::named(peer).context("no such peer")?;
    child::abort_when_orphaned();
    sample::take(peer, cell, lasting);
    Ok(())
}

fn run_survey(args: &Args, lasting: Duration) -> Result<()> {
    let survey = Survey {
        cells: chosen_cells(&args.filter)?,
        peers: chosen_peers(&args.peers)?,
        rounds: args.rounds.unwrap_or(if args.quick { 3 } else { 5 }),
        quick: args.quick,
    };
    versions::print();
    println!(
        "{} rounds, samples of about {} ms\n",
        survey.rounds,
        lasting.as_millis()
    );
    let findings = survey.run()?;
    report::print(&findings, &survey.peers);
    println!("Load at the end: {}", versions::load());
    Ok(())
}

fn chosen_cells(filter: &str) -> Result<Vec<Cell>> {
    let mut cells = Cell::all();
    cells.retain(|cell| cell.to_string().contains(filter));
    ensure!(!cells.is_empty(), "no cell's name contains `{filter}`");
    Ok(cells)
}

fn chosen_peers(names: &[String]) -> Result<Vec<Peer>> {
    if names.is_empty() {
        return Ok(Peer::ALL.to_vec());
    }
    let find = |name: &String| Peer::named(name).with_context(|| format!("no peer `{name}`"));
    names.iter().map(find).collect()
}
