//! What a report is about.

use std::env;
use std::fs;
use std::thread;

use crate::entrant::Entrant;
use crate::peer::Peer;

/// What cargo resolved for this very build, so that the versions printed cannot be others than
/// those measured.
const LOCK: &str = include_str!("../Cargo.lock");

/// The head of a mode of its own, beside all crates.
pub(crate) fn print() {
    let peers: Vec<_> = Peer::ALL.iter().copied().map(Entrant::Crate).collect();
    print!("{}", text(&peers));
}

/// The head of a report: the command, the versions, the machine.
pub(crate) fn text(entrants: &[Entrant]) -> String {
    let command: Vec<_> = env::args().skip(1).collect();
    let mut lines = vec![format!("# hchan-benches {}\n", command.join(" "))];
    lines.extend(entrants.iter().map(|entrant| match entrant {
        Entrant::Crate(peer) => format!("- {} {}", peer.name(), version_of(*peer)),
        Entrant::Go(go) => format!("- {} {}", entrant.name(), go.version),
    }));
    lines.push(format!("- hchan's commit: {}", env!("BUILT_FROM")));
    lines.push(format!("- {}", env!("BUILT_BY")));
    let cores = thread::available_parallelism().map_or(0, usize::from);
    lines.push(format!("- {}, {cores} cores, {}", processor(), kernel()));
    lines.push(format!("- load {}\n\n", load()));
    lines.join("\n")
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

/// Its model, where the system tells it.
fn processor() -> String {
    let told = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut lines = told.lines().filter_map(|line| line.split_once(':'));
    let model = lines.find(|(key, _)| key.trim() == "model name");
    model.map_or(env::consts::ARCH.to_owned(), |(_, model)| {
        model.trim().to_owned()
    })
}

/// Which instructions the compiler may use.
pub(crate) fn target() -> String {
    format!("{} with {}", env::consts::ARCH, env!("BUILT_FOR"))
}

/// Which of the extensions that the C library's copies look for this processor has, where the system tells it.
pub(crate) fn extensions() -> String {
    let told = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut lines = told.lines().filter_map(|line| line.split_once(':'));
    let flags = lines.find(|(key, _)| ["flags", "Features"].contains(&key.trim()));
    let flags = flags.map_or("", |(_, flags)| flags);
    let wanted = [
        "ssse3", "avx", "avx2", "erms", "fsrm", "avx512f", "asimd", "sve",
    ];
    let there = flags
        .split_whitespace()
        .filter(|flag| wanted.contains(flag));
    there.collect::<Vec<_>>().join(" ")
}

fn kernel() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{} {}", env::consts::OS, release.trim())
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
