//! Counts the instructions of each hot path, by callgrind, and compares them with `counts.toml`.
//!
//! Wall time on a busy machine hides a few nanoseconds; a count does not change from run to run. It is not time, either: a
//! locked instruction counts as one, and so does one that misses the cache.
//!
//! ```sh
//! cargo run --release            # fails if a path has become longer
//! cargo run --release -- update  # writes counts.toml
//! cargo run --release --features inspect -- show [on]
//! #   what the feature takes beside that, off or enabled; it fails nothing
//! ```

mod committed;
mod paths;

use std::{
    env, fs,
    path::{Path as File, PathBuf},
    process::{Command, ExitCode},
};

use committed::{Committed, Verdict};
use paths::{PATHS, Path};

/// How often a path is taken while callgrind counts.
const TIMES: u64 = 10_000;

/// Callgrind counts within this function alone, whatever its type parameter.
const COUNTED: &str = "hchan_instructions::counted*";

/// From the root of the repository.
const UPDATE: &str = "cargo run --release --manifest-path tests/instructions/Cargo.toml \
                      --target-dir target/instructions -- update";

fn main() -> ExitCode {
    let args: Vec<_> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => check(),
        ["update"] => update(),
        ["show"] => show(&[]),
        ["show", "on"] => show(&["on"]),
        ["take", name] => take(name),
        ["take", name, "on"] => {
            #[cfg(feature = "inspect")]
            hchan::inspect::enable(hchan::inspect::Config::default());
            take(name)
        }
        _ => panic!("usage: hchan-instructions [update | show [on]]"),
    }
}

/// What callgrind runs: one path, many times.
fn take(name: &str) -> ExitCode {
    let path = PATHS.iter().find(|path| path.name == name);
    (path.expect("a path of this name").run)();
    ExitCode::SUCCESS
}

/// Where a path is taken, once it has been taken before. It stays a function of its own, for callgrind to find.
#[inline(never)]
pub(crate) fn counted(mut path: impl FnMut(u64)) {
    (0..TIMES).for_each(&mut path);
}

fn check() -> ExitCode {
    let committed = Committed::read();
    let slack = committed.slack();
    println!("{:<18} {:>9} {:>9}", "", "committed", "now");
    let mut verdicts = Vec::new();
    for path in &PATHS {
        let now = count(path, &[]);
        let then = committed.count(path.name);
        let shown = then.map_or("–".into(), |then| format!("{then:.1}"));
        println!("{:<18} {shown:>9} {now:>9.1}  {}", path.name, path.what);
        let verdict = Verdict::of(then, now, slack);
        explain(path, verdict);
        verdicts.push(verdict);
    }
    if verdicts.iter().any(|verdict| *verdict != Verdict::Good) {
        println!("\nIf it is to be so: {UPDATE}");
    }
    let fails = |verdict| matches!(verdict, Verdict::TooLong(_) | Verdict::NotCommitted);
    ExitCode::from(verdicts.into_iter().any(fails) as u8)
}

fn explain(path: &Path, verdict: Verdict) {
    match verdict {
        Verdict::Good => {}
        Verdict::TooLong(percent) => println!(
            "    longer by {percent:.1} %: too much; where they are, tells\n    callgrind_annotate {}",
            profile(path).display()
        ),
        Verdict::Shorter(percent) => {
            println!("    shorter by {percent:.1} %: commit the count, so that it stays so");
        }
        Verdict::NotCommitted => println!("    no count of it is committed"),
    }
}

/// The counts beside those that are committed.
fn show(how: &[&str]) -> ExitCode {
    let committed = Committed::read();
    for path in &PATHS {
        let (then, now) = (committed.count(path.name), count(path, how));
        let then = then.map_or("–".into(), |then| format!("{then:.1}"));
        println!("{:<18} {then:>9} {now:>9.1}  {}", path.name, path.what);
    }
    ExitCode::SUCCESS
}

fn update() -> ExitCode {
    let counts: Vec<_> = (PATHS.iter().map(|path| (path.name, count(path, &[])))).collect();
    Committed::write(&counts);
    ExitCode::SUCCESS
}

/// How many instructions the path takes, once, by a `take` with those arguments besides.
fn count(path: &Path, how: &[&str]) -> f64 {
    let profile = profile(path);
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(env::current_exe().expect("the path of this program"))
        .args(["take", path.name])
        .args(how)
        .output()
        .expect("valgrind runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", path.name);
    let total = total(&fs::read_to_string(profile).expect("what callgrind has written"));
    assert!(total > TIMES, "callgrind has not seen `{COUNTED}`: {said}");
    total as f64 / TIMES as f64
}

/// Beside the program, to be looked at.
fn profile(path: &Path) -> PathBuf {
    let program = env::current_exe().expect("the path of this program");
    let folder = program.parent().unwrap_or(File::new("."));
    folder.join(format!("{}.callgrind", path.name))
}

/// The sum of a profile.
fn total(profile: &str) -> u64 {
    let sum = |line: &str| line.strip_prefix("totals: ")?.trim().parse().ok();
    profile.lines().find_map(sum).expect("a line of totals")
}
