//! hchan beside the other channel crates.
//!
//! A *cell* is a situation (a runtime, a shape, a capacity), a *peer* is a crate. A *sample* is
//! one peer in one cell, taken in a process of its own, because some peers never come to an end
//! in some cells, and because no sample should inherit the heap and the threads of the one before
//! it. Samples of a cell are taken in rounds, each peer once a round, so that whatever else the
//! machine does is spread over all of them.

mod all;
mod batch;
mod cell;
mod chart;
mod child;
mod entrant;
mod floor;
mod go;
mod memory;
mod message;
mod neighbour;
mod options;
mod pace;
mod peer;
mod peers;
mod race;
mod record;
mod report;
mod sample;
mod select;
mod shape;
mod situations;
mod stats;
mod survey;
mod target;
mod tasks;
mod threads;
mod torture;
mod versions;

use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use counting_alloc::CountingAlloc;

use crate::cell::Cell;
use crate::floor::Floor;
use crate::options::Options;
use crate::pace::Verdict;
use crate::peer::Peer;

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

/// Times hchan beside other channel crates, in nanoseconds a message.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    mode: Option<Mode>,

    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
enum Mode {
    /// Run the survey and every other mode, for one report
    All(Options),
    #[command(flatten)]
    Tables(Tables),
    #[command(flatten)]
    Situation(situations::Command),
    #[command(flatten)]
    Role(Role),
}

/// What prints tables of its own.
#[derive(Debug, Subcommand)]
enum Tables {
    /// Time messages sent and received in batches, beside single ones
    Batch {
        /// How often each is measured
        #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u32).range(1..))]
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
    /// Count what is lost, doubled, delivered though cancelled or hung when channels are treated roughly
    Torture(torture::Choice),
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

/// What a process does that was begun by this very program.
#[derive(Debug, Subcommand)]
enum Role {
    /// Take one sample
    #[command(hide = true, name = "child")]
    Sample {
        cell: String,
        peer: String,
        millis: u64,
    },
    /// Take one sample of a floor
    #[command(hide = true, name = "child-floor")]
    Floor { floor: String, millis: u64 },
    /// Keep a processor busy until the standard input ends
    #[command(hide = true, name = "child-neighbour")]
    Neighbour,
}

fn main() -> Result<()> {
    let Args { mode, options } = Args::parse();
    match mode {
        None => all::run_survey(&options),
        Some(Mode::All(options)) => all::run(&options),
        Some(Mode::Tables(tables)) => tables.print(),
        Some(Mode::Situation(command)) => command.print(),
        Some(Mode::Role(role)) => role.run(),
    }
}

impl Tables {
    fn print(self) -> Result<()> {
        match self {
            Tables::Memory {
                child: Some(peer), ..
            } => return memory::child(&peer),
            Tables::Torture(choice) if choice.child => return torture::child(&choice),
            _ => {}
        }
        if !all::is_section() {
            versions::print();
        }
        match self {
            Tables::Batch { rounds } => batch::run(rounds),
            Tables::Memory { rounds, .. } => memory::run(rounds)?,
            Tables::Select { rounds, filter } => select::run(rounds, &filter),
            Tables::Torture(choice) => torture::run(&choice)?,
        }
        Ok(())
    }
}

impl Role {
    fn run(self) -> Result<()> {
        match self {
            Role::Sample { cell, peer, millis } => take_sample(&cell, &peer, millis),
            Role::Floor { floor, millis } => take_floor(&floor, millis),
            Role::Neighbour => neighbour::burn(),
        }
    }
}

fn take_sample(cell: &str, peer: &str, millis: u64) -> Result<()> {
    let cell = Cell::named(cell).context("no such cell")?;
    let peer = Peer::named(peer).context("no such peer")?;
    child::abort_when_orphaned(child::LIMIT);
    let taken = sample::take(peer, cell, Duration::from_millis(millis));
    println!("{}", Verdict(taken));
    Ok(())
}

fn take_floor(floor: &str, millis: u64) -> Result<()> {
    let floor = Floor::named(floor).context("no such floor")?;
    child::abort_when_orphaned(child::LIMIT);
    println!("{}", Verdict(floor.measure(Duration::from_millis(millis))));
    Ok(())
}
