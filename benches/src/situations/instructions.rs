//! How many instructions a message takes, by valgrind's callgrind: a figure that does not depend on how fast the machine is.
//!
//! Each sample runs this program under callgrind twice, with few messages and with many. The difference is that of the
//! messages: starting the program and the runtime, spawning the tasks and ending them count alike in both.
//!
//! The counted process is this situation's child once more, told by `MESSAGES` that it is the one.

use std::env;
use std::process::Command;
use std::time::Duration;

use super::findings::Findings;
use super::{Sampled, Situation, oneshot};
use crate::cell::{Cell, TOKIO_1};
use crate::pace::Nothing;
use crate::peer::Peer;
use crate::report::{OURS, nanos, table};
use crate::shape::Shape;
use crate::stats::geometric_mean;
use crate::target::{self, Target};
use crate::{sample, select, versions};

const FEW: u64 = 4_000;
const MANY: u64 = 20_000;

/// How many messages the counted process sends.
const MESSAGES: &str = "HCHAN_BENCHES_MESSAGES";

const ONESHOT: &str = "oneshot";
const SELECT: &str = "tokio1/2 arms";

/// Senders, receivers, capacity; in tasks on one worker.
const SHAPES: [(usize, usize, Option<usize>); 14] = [
    (1, 1, Some(0)),
    (1, 1, Some(1)),
    (1, 1, Some(64)),
    (1, 1, None),
    (4, 1, Some(0)),
    (4, 1, Some(1)),
    (4, 1, Some(64)),
    (4, 1, None),
    (4, 4, Some(0)),
    (4, 4, Some(1)),
    (4, 4, Some(64)),
    (4, 4, None),
    (1000, 1, Some(64)),
    (1, 1000, Some(0)),
];

#[derive(Debug)]
pub(crate) struct Instructions;

impl Situation for Instructions {
    fn name(&self) -> &'static str {
        "instructions"
    }

    fn variants(&self) -> Vec<String> {
        let cells = cells().map(|cell| cell.to_string());
        cells.chain([ONESHOT, SELECT].map(str::to_owned)).collect()
    }

    fn candidates(&self) -> Vec<&'static str> {
        let peers = Peer::ALL.iter().map(|peer| peer.name());
        let oneshots = oneshot::candidates().filter(|name| Peer::named(name).is_none());
        peers.chain(oneshots).chain(select::of_two()).collect()
    }

    /// Counts hardly differ from run to run.
    fn rounds(&self) -> u32 {
        1
    }

    /// Under callgrind a program takes some fifty times as long.
    fn limit(&self) -> Duration {
        Duration::from_secs(120)
    }

    fn obstacle(&self) -> Option<String> {
        valgrind().err()
    }

    /// The first run is not counted: it tells whether the candidate has such a channel, and whether it works.
    fn sample(&self, variant: &str, candidate: &str, _: bool) -> Sampled {
        if let Some(messages) = counted_messages() {
            return send(variant, candidate, messages).map(|()| vec![messages as f64]);
        }
        send(variant, candidate, FEW)?;
        let count = |messages| count(variant, candidate, messages);
        let difference = count(MANY).saturating_sub(count(FEW));
        Ok(vec![difference as f64 / (MANY - FEW) as f64])
    }

    fn section(&self, findings: &Findings) -> String {
        let parts = [
            head(),
            in_tasks(findings),
            list(findings, "A channel made, used once, dropped", ONESHOT),
            list(findings, "A select of two receives", SELECT),
            means(findings),
            findings.failures(),
        ];
        parts.concat()
    }
}

fn cells() -> impl Iterator<Item = Cell> {
    SHAPES
        .into_iter()
        .map(|(senders, receivers, capacity)| Cell {
            place: TOKIO_1,
            shape: Shape {
                senders,
                receivers,
                capacity,
            },
            size: size_of::<u64>(),
        })
}

fn counted_messages() -> Option<u64> {
    env::var(MESSAGES).ok()?.parse().ok()
}

/// Sends so many messages as the variant says.
fn send(variant: &str, candidate: &str, messages: u64) -> Result<(), Nothing> {
    match variant {
        ONESHOT => {
            let once = oneshot::once(candidate, false).ok_or(Nothing::Absent)?;
            (0..messages).for_each(once);
            Ok(())
        }
        SELECT => {
            let through = select::through_two(candidate, &sample::runtime(1), messages);
            through.map(drop).ok_or(Nothing::Absent)
        }
        _ => {
            let cell = Cell::named(variant).ok_or(Nothing::Absent)?;
            let peer = Peer::named(candidate).ok_or(Nothing::Absent)?;
            sample::race(peer, cell, messages)
        }
    }
}

/// All instructions of a process that sends so many messages.
fn count(variant: &str, candidate: &str, messages: u64) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe().expect("the path of this program"))
        .args([Instructions.name(), "--child", variant, candidate])
        .env(MESSAGES, messages.to_string())
        .output()
        .expect("valgrind runs");
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        println!("{said}");
        panic!("valgrind: {}", output.status);
    }
    total(&said).expect("the sum, as callgrind tells it at the end")
}

/// The sum that callgrind tells at the end: `==1== Collected : 42`.
fn total(said: &str) -> Option<u64> {
    let sum = |line: &str| line.split_once("Collected :")?.1.trim().parse().ok();
    said.lines().find_map(sum)
}

/// Its version, or why there is none.
fn valgrind() -> Result<String, String> {
    let output = Command::new("valgrind").arg("--version").output();
    let output = output.map_err(|error| format!("valgrind cannot be run: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn head() -> String {
    format!(
        "Instructions a message, counted by {} (callgrind) in user space on all threads: the channel's own; in tasks also \
         tokio's, with one worker, for scheduling, waking and polling them; a few of the benchmark's own. The kernel's are \
         not counted. A count is that of {MANY} messages less that of {FEW}, divided by {}. An instruction counts as \
         one, whatever it costs: locked ones and those that miss the cache cost more. {}; compiled for {}; the processor \
         has {}, of which valgrind shows the program no more than AVX2.\n\n",
        valgrind().unwrap_or_default(),
        MANY - FEW,
        env!("BUILT_BY"),
        versions::target(),
        versions::extensions(),
    )
}

/// The crates beside each other, a line for each cell.
fn in_tasks(findings: &Findings) -> String {
    let cells = cells().map(|cell| cell.to_string());
    let cells: Vec<_> = cells
        .filter(|cell| findings.variants.contains(cell))
        .collect();
    let peers = Peer::ALL.iter().map(|peer| peer.name());
    let has_any = |peer: &&str| {
        let is_there = |cell: &String| shown(findings, cell, peer) != NOTHING;
        cells.iter().any(is_there)
    };
    let peers: Vec<_> = peers.filter(has_any).collect();
    let row = |cell: &String| {
        let mut row = vec![cell.clone()];
        row.extend(peers.iter().map(|peer| shown(findings, cell, peer)));
        let best = best(findings, cell);
        row.push(ratio_shown(kanals(findings, cell)));
        row.push(best.map_or(NOTHING, |(name, _)| name).to_owned());
        row.push(ratio_shown(best.map(|(_, ratio)| ratio)));
        row
    };
    let rows: Vec<_> = cells.iter().map(row).collect();
    let mut columns = vec!["cell"];
    columns.extend(&peers);
    columns.extend(["hchan/kanal", "best other", "hchan/best"]);
    table("In tasks, one worker", &columns, &rows)
}

/// A line for each candidate of one variant.
fn list(findings: &Findings, heading: &str, variant: &str) -> String {
    let row = |candidate: &&'static str| {
        let count = shown(findings, variant, candidate);
        let ratio = ratio(findings, variant, candidate);
        (count != NOTHING).then(|| vec![(*candidate).to_owned(), count, ratio_shown(ratio)])
    };
    let rows: Vec<_> = findings.candidates.iter().filter_map(row).collect();
    table(heading, &["", "instructions", "hchan's / this"], &rows)
}

const NOTHING: &str = "–";

fn shown(findings: &Findings, variant: &str, candidate: &str) -> String {
    match findings.median(variant, candidate, 0) {
        Some(count) => nanos(count),
        None => findings.silence(variant, candidate).to_owned(),
    }
}

fn ratio_shown(ratio: Option<f64>) -> String {
    ratio.map_or(NOTHING.to_owned(), |ratio| format!("{ratio:.2}"))
}

/// hchan's count over the candidate's.
fn ratio(findings: &Findings, variant: &str, candidate: &str) -> Option<f64> {
    let is_ours = |name: &&str| *name == OURS || name.starts_with("hchan::");
    let mut ours = (findings.candidates.iter().filter(|name| is_ours(name)))
        .filter_map(|name| findings.median(variant, name, 0));
    let other = findings.median(variant, candidate, 0)?;
    ours.next().map(|ours| ours / other)
}

fn kanals(findings: &Findings, variant: &str) -> Option<f64> {
    ratio(findings, variant, Peer::Kanal.name())
}

/// The best other crate's channel, and hchan's ratio to it. Channels that can take no second message do not compete.
fn best(findings: &Findings, variant: &str) -> Option<(&'static str, f64)> {
    let competes = |name: &&&str| match variant {
        SELECT => !name.contains(OURS),
        _ => **name != OURS && Peer::named(name).is_some(),
    };
    let others = findings.candidates.iter().filter(competes);
    others
        .filter_map(|name| Some((*name, ratio(findings, variant, name)?)))
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
}

/// The geometric means over groups of cells, and hchan's targets beside kanal.
fn means(findings: &Findings) -> String {
    type IsIn = fn(Shape) -> bool;
    let is_small: IsIn = |shape| shape.capacity.is_some_and(|capacity| capacity <= 1);
    let is_large: IsIn = |shape| shape.capacity.is_none_or(|capacity| capacity >= 64);
    let of = |is_in: IsIn| {
        let cells = cells().filter(|cell| is_in(cell.shape));
        cells.map(|cell| cell.to_string()).collect()
    };
    let groups: [(_, Vec<String>, _); 3] = [
        ("all", Instructions.variants(), 1.0),
        ("cells of capacity 64 and more", of(is_large), 0.85),
        ("cells of capacities 0 and 1", of(is_small), 1.15),
    ];
    let mut rows = Vec::new();
    let mut targets = Vec::new();
    for (group, variants, most) in groups {
        let mean = |ratio: &dyn Fn(&String) -> Option<f64>| {
            geometric_mean(&variants.iter().filter_map(ratio).collect::<Vec<_>>())
        };
        let with_kanal = mean(&|variant| kanals(findings, variant));
        let with_best = mean(&|variant| Some(best(findings, variant)?.1));
        rows.push(vec![
            group.to_owned(),
            ratio_shown(with_kanal),
            ratio_shown(with_best),
        ]);
        targets.push(Target {
            what: format!("{OURS} / kanal, geometric mean, {group}"),
            most,
            reached: with_kanal,
        });
    }
    let columns = ["over", "hchan/kanal", "hchan/best"];
    table("Geometric means", &columns, &rows) + &target::table(&targets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callgrinds_sum_is_read() {
        let said = "==7== \n==7== Events    : Ir\n==7== Collected : 1234567\n==7== \n";
        assert_eq!(total(said), Some(1_234_567));
        assert_eq!(total("==7== Events    : Ir\n"), None);
    }

    #[test]
    fn every_cell_is_one_of_the_surveys() {
        for cell in cells() {
            assert_eq!(Cell::named(&cell.to_string()), Some(cell));
        }
    }
}
