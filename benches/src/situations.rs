//! What throughput does not tell: situations, each a measurement of its own.
//!
//! All of them are surveyed alike: a sample is one candidate in one variant, taken in a process of its own, in rounds in
//! which the candidates take turns. What a sample is made of, and what the numbers mean, each situation says itself.

mod cancel;
mod close;
mod findings;
mod idle;
mod instructions;
mod latency;
mod oneshot;
mod parked;
mod sharding;
mod sweep;

use std::fmt::Debug;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{Args, Subcommand};

use crate::cell::{PLACES, Place};
use crate::pace::Nothing;
use crate::peer::Peer;
use crate::{all, child, versions};
use findings::Findings;

pub(crate) trait Situation: Debug + Sync {
    fn name(&self) -> &'static str;

    /// What is varied beside the candidates.
    fn variants(&self) -> Vec<String>;

    /// The crates, or whatever else takes part.
    fn candidates(&self) -> Vec<&'static str> {
        Peer::ALL.iter().map(|peer| peer.name()).collect()
    }

    /// How many samples of each candidate are taken in each variant, unless said otherwise.
    fn rounds(&self) -> u32 {
        3
    }

    /// How long a sample may take before it counts as hanging.
    fn limit(&self) -> Duration {
        child::LIMIT
    }

    /// Why this situation cannot be measured here; `None` if it can.
    fn obstacle(&self) -> Option<String> {
        None
    }

    /// Takes one sample, in a process of its own.
    fn sample(&self, variant: &str, candidate: &str, quick: bool) -> Sampled;

    /// The findings in Markdown.
    fn section(&self, findings: &Findings) -> String;
}

/// What a sample found: always as many numbers.
pub(crate) type Sampled = Result<Vec<f64>, Nothing>;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Samples of each candidate in each variant [default: 3, of latency 9, of instructions 1, with --quick 2 at most]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,

    /// Only the variants whose name contains this
    #[arg(long, default_value = "")]
    filter: String,

    /// Only the candidates of these names
    #[arg(long, value_delimiter = ',')]
    peers: Vec<String>,

    /// Shorter and fewer samples
    #[arg(long)]
    quick: bool,

    /// Take one sample in this process and print it
    #[arg(long, hide = true, num_args = 2, value_names = ["VARIANT", "CANDIDATE"])]
    child: Option<Vec<String>>,
}

/// One for each situation.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Count the instructions of a message by valgrind's callgrind, in tasks on one worker
    Instructions(Options),
    /// Time single messages on quiet channels: round trips, and one way
    Latency(Options),
    /// Count the processor's time for a message a millisecond
    Idle(Options),
    /// Time the dropping of one of many parked receives
    Cancel(Options),
    /// Time the closing of a channel with many parked receives
    Close(Options),
    /// Time channels that are used for one message, beside oneshots
    Oneshot(Options),
    /// Time many senders and one receiver, by the size of the buffer
    Sweep(Options),
    /// Time one channel for all beside a channel for each pair
    Sharding(Options),
}

impl Command {
    /// Surveys the situation; in a child, takes its one sample and prints that.
    pub(crate) fn print(&self) -> Result<()> {
        match self {
            Command::Instructions(options) => print(&instructions::Instructions, options),
            Command::Latency(options) => print(&latency::Latency, options),
            Command::Idle(options) => print(&idle::Idle, options),
            Command::Cancel(options) => print(&cancel::Cancel, options),
            Command::Close(options) => print(&close::Close, options),
            Command::Oneshot(options) => print(&oneshot::Oneshot, options),
            Command::Sweep(options) => print(&sweep::Sweep, options),
            Command::Sharding(options) => print(&sharding::Sharding, options),
        }
    }
}

fn print(situation: &dyn Situation, options: &Options) -> Result<()> {
    if let Some([variant, candidate]) = options.child.as_deref() {
        child::abort_when_orphaned(situation.limit());
        findings::print(&situation.sample(variant, candidate, options.quick));
        return Ok(());
    }
    if let Some(obstacle) = situation.obstacle() {
        println!("skipped: {obstacle}\n");
        return Ok(());
    }
    let mut variants = situation.variants();
    variants.retain(|variant| variant.contains(&options.filter));
    ensure!(
        !variants.is_empty(),
        "no variant's name contains `{}`",
        options.filter
    );
    let mut candidates = situation.candidates();
    let is_named = |name: &&str| options.peers.iter().any(|peer| peer == name);
    candidates.retain(|name| options.peers.is_empty() || is_named(name));
    let most = if options.quick { 2 } else { u32::MAX };
    let usual = situation.rounds().min(most);
    let rounds = options.rounds.unwrap_or(usual);
    let findings = findings::survey(situation, variants, candidates, rounds, options.quick)?;
    if !all::is_section() {
        versions::print();
    }
    print!("{}", situation.section(&findings));
    Ok(())
}

/// How long the races of a sample last, where it is made of races.
fn lasting(quick: bool) -> Duration {
    Duration::from_millis(if quick { 50 } else { 200 })
}

/// The part of a variant's name before the first `/` names its place.
fn place(variant: &str) -> Option<(Place, &str)> {
    let (name, rest) = variant.split_once('/')?;
    let found = PLACES.into_iter().find(|place| place.to_string() == name);
    Some((found?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&dyn Situation; 8] = [
        &instructions::Instructions,
        &latency::Latency,
        &idle::Idle,
        &cancel::Cancel,
        &close::Close,
        &oneshot::Oneshot,
        &sweep::Sweep,
        &sharding::Sharding,
    ];

    #[test]
    fn a_variant_names_its_place() {
        for situation in ALL {
            for variant in situation.variants() {
                assert_eq!(
                    variant.contains('/'),
                    place(&variant).is_some(),
                    "{variant}"
                );
            }
        }
    }
}
