//! Not how fast, but whether each message arrives once: what the crates do when operations are cancelled, channels close, and
//! wakers and messages misbehave.
//!
//! A *trial* is run by each crate that can take part, in a process of its own, as some do not come to an end. Every message has
//! an account ([`ledger`]): what its sender was told, how often it was received, how often it was dropped.

mod book;
mod cancelled;
mod child;
mod ends;
mod flow;
mod hand;
mod ledger;
mod notes;
mod order;
mod panics;
mod peers;
mod reentry;
mod storm;
mod table;
mod verdict;

use anyhow::{Context, Result, ensure};
use clap::Args;
use fastrand::Rng;

use book::Book;
use peers::{Peer, Place};
use table::Finding;

/// Which trials of which crates, and how long they last.
#[derive(Clone, Debug, Args)]
pub(crate) struct Choice {
    /// Only these crates
    #[arg(long = "peer", value_delimiter = ',')]
    peers: Vec<String>,

    /// Only these trials
    #[arg(long = "trial", value_delimiter = ',')]
    trials: Vec<String>,

    /// What the choices of a trial come from; the same seed chooses the same
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// How often a trial with choices is repeated
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Run one trial of one crate in this process and print its verdict
    #[arg(long, hide = true)]
    pub(crate) child: bool,
}

/// What a trial is given.
#[derive(Clone, Copy, Debug)]
struct Plan {
    seed: u64,
    rounds: usize,
    place: Place,
}

impl Plan {
    fn rng(&self, round: usize) -> Rng {
        // Neighbouring seeds would give neighbouring sequences.
        let round = round as u64;
        Rng::with_seed(self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ round)
    }
}

/// A situation. `None` as its result: the crate cannot take part.
#[derive(Debug)]
struct Trial {
    name: &'static str,
    /// What happens, for the report.
    story: &'static str,
    place: Place,
    run: fn(&Peer, &Plan, &Book) -> Option<()>,
}

/// A trial of its own kind: it asks for properties and counts nothing.
const ORDER: &str = "order";

const TRIALS: [Trial; 16] = [
    Trial {
        name: "storm",
        story: "four tasks send and four (or one) receive, polled by hand; any operation may be dropped, woken or not",
        place: Place::Tasks,
        run: storm::by_hand,
    },
    Trial {
        name: "storm-tasks",
        story: "the same on tokio with two workers",
        place: Place::Tasks,
        run: storm::in_tasks,
    },
    Trial {
        name: "recv-cancelled",
        story: "a receive that waits is woken for a message, and dropped before it is polled again",
        place: Place::Tasks,
        run: cancelled::receives,
    },
    Trial {
        name: "send-cancelled",
        story: "a send that waits is dropped: alone, before others that wait, in a loop of selects",
        place: Place::Tasks,
        run: cancelled::sends,
    },
    Trial {
        name: "capacity-1",
        story: "four threads send to four, or to one where a crate has a single receiver, over a single place",
        place: Place::Threads,
        run: flow::narrow,
    },
    Trial {
        name: "capacity-1-tasks",
        story: "the same in tasks",
        place: Place::Tasks,
        run: flow::narrow,
    },
    Trial {
        name: "senders-go",
        story: "on threads, the senders send a few messages and go; the receivers receive until the end",
        place: Place::Threads,
        run: flow::senders_go,
    },
    Trial {
        name: "senders-go-tasks",
        story: "the same in tasks",
        place: Place::Tasks,
        run: flow::senders_go,
    },
    Trial {
        name: "receivers-go",
        story: "on threads, the receivers go while the senders send; what was not received must drop",
        place: Place::Threads,
        run: flow::receivers_go,
    },
    Trial {
        name: "receivers-go-tasks",
        story: "the same in tasks",
        place: Place::Tasks,
        run: flow::receivers_go,
    },
    Trial {
        name: "close",
        story: "on threads, one end calls `close` while all send and receive; the receivers receive until the end",
        place: Place::Threads,
        run: flow::close,
    },
    Trial {
        name: "close-tasks",
        story: "the same in tasks",
        place: Place::Tasks,
        run: flow::close,
    },
    Trial {
        name: "waker-reenters",
        story: "a waker uses the channel that wakes it: it sends, receives, drops another operation",
        place: Place::Tasks,
        run: reentry::wakes,
    },
    Trial {
        name: "waker-drop-reenters",
        story: "a waker sends on the channel as it is dropped, when another takes its place",
        place: Place::Tasks,
        run: reentry::drops,
    },
    Trial {
        name: "waker-panics",
        story: "one waker panics; the other operations must still be served",
        place: Place::Tasks,
        run: panics::wakers,
    },
    Trial {
        name: "drop-panics",
        story: "one of four buffered messages panics as it drops with the last receiver; the others must drop, too",
        place: Place::Threads,
        run: panics::drops,
    },
];

/// Runs the chosen trials and prints what was found.
pub(crate) fn run(choice: &Choice) -> Result<()> {
    let trials: Vec<_> = TRIALS
        .iter()
        .filter(|trial| chosen(&choice.trials, trial.name))
        .collect();
    let with_order = chosen(&choice.trials, ORDER);
    ensure!(with_order || !trials.is_empty(), "no such trial");
    let peers: Vec<_> = peers::ALL
        .iter()
        .filter(|peer| chosen(&choice.peers, peer.name))
        .collect();
    ensure!(!peers.is_empty(), "no such peer");

    let mut findings = Vec::new();
    for trial in trials {
        let mut verdicts = Vec::new();
        for peer in &peers {
            eprintln!("{} {}", trial.name, peer.name);
            verdicts.push(child::run(peer.name, trial.name, choice)?);
        }
        findings.push(Finding { trial, verdicts });
    }
    let mut orders = Vec::new();
    if with_order {
        for peer in &peers {
            eprintln!("{ORDER} {}", peer.name);
            orders.push(child::run(peer.name, ORDER, choice)?);
        }
    }
    print!("{}", table::report(&peers, &findings, &orders));
    Ok(())
}

fn chosen(names: &[String], name: &str) -> bool {
    names.is_empty() || names.iter().any(|chosen| chosen == name)
}

/// What the child process does.
pub(crate) fn child(choice: &Choice) -> Result<()> {
    let [peer, trial] = [&choice.peers, &choice.trials].map(|names| names.first());
    let peer = peer.context("a child has a peer")?;
    let peer = peers::named(peer).context("no such peer")?;
    let trial = trial.context("a child has a trial")?;
    if trial == ORDER {
        child::order(peer);
        return Ok(());
    }
    let trial = TRIALS.iter().find(|known| known.name == trial);
    let trial = trial.context("no such trial")?;
    let plan = Plan {
        seed: choice.seed,
        rounds: choice.rounds as usize,
        place: trial.place,
    };
    child::trial(peer, trial, &plan);
    Ok(())
}
