//! What a report is about.

use std::fs;
use std::thread;

use crate::peer::Peer;

/// What cargo resolved for this very build, so that the versions printed cannot be others than
/// those measured.
const LOCK: &str = include_str!("../Cargo.lock");

pub(crate) fn print() {
    let command: Vec<_> = std::env::args().skip(1).collect();
    println!("# hchan-benches {}\n", command.join(" "));
    for &peer in Peer::ALL {
        println!("- {} {}", peer.name(), version_of(peer));
    }
    println!("- hchan's commit: {}", env!("BUILT_FROM"));
    println!("- {}", env!("BUILT_BY"));
    let cores = thread::available_parallelism().map_or(0, usize::from);
    println!("- {cores} cores, load {}\n", load());
}

fn version_of(peer: Peer) -> &'static str {
    match peer {
        Peer::Std => "of the compiler",
        _ => locked(peer.name()).unwrap_or("of no known version"),
    }
}

fn locked(name: &str) -> Option<&'static str> {
    let entry = format!("[[package]]\nname = \"{name}\"\nversion = \"");
    let (_, rest) = LOCK.split_once(&entry)?;
    rest.split('"').next()
}

/// The load averages of the last 1, 5 and 15 minutes, where the system tells them.
pub(crate) fn load() -> String {
    let averages = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let averages: Vec<_> = averages.split_whitespace().take(3).collect();
    match averages.is_empty() {
        true => "unknown".to_owned(),
        false => averages.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_a_version() {
        for &peer in Peer::ALL {
            assert_ne!(version_of(peer), "of no known version", "{}", peer.name());
        }
    }
}
