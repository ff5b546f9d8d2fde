//! Compares what the crate exports with `api.txt`: all features, hidden items included.
//!
//! ```sh
//! cargo run              # fails if they differ
//! cargo run -- update    # writes api.txt
//! cargo run -- strict    # as the first, and fails where that is skipped
//! ```
//!
//! The list comes from rustdoc's JSON, which only a nightly toolchain writes, in a format that changes. Without a nightly, or with
//! one whose format the crate `public-api` cannot read, the comparison is skipped.

use std::{
    collections::HashSet,
    env,
    fmt::Write,
    fs,
    path::Path,
    process::{Command, ExitCode},
};

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/api.txt");
const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
/// Of rustdoc, apart: it is built by another compiler.
const TARGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/rustdoc");

/// What differs from compiler to compiler, or by the version of a dependency. No user of a stable compiler can name any of it.
const UNSTABLE: [&str; 6] = [
    "core::clone::TrivialClone for ",
    "core::marker::Freeze for ",
    "core::marker::StructuralPartialEq for ",
    "core::marker::UnsafeUnpin for ",
    "::assert_fields_are_eq(",
    "pin_project_lite::__private::",
];

/// From the root of the repository.
const UPDATE: &str = "cargo run --manifest-path tests/public_api/Cargo.toml -- update";

fn main() -> ExitCode {
    let arg = env::args().nth(1);
    let exported = match (exported(), arg.as_deref()) {
        (Ok(exported), Some("update")) => {
            fs::write(SNAPSHOT, exported).expect("api.txt can be written");
            return ExitCode::SUCCESS;
        }
        (Ok(exported), None | Some("strict")) => exported,
        (Err(reason), None) => {
            println!("skipped: {reason}");
            return ExitCode::SUCCESS;
        }
        (Err(reason), Some("update" | "strict")) => {
            println!("not possible: {reason}");
            return ExitCode::FAILURE;
        }
        (_, Some(_)) => panic!("usage: hchan-public-api [update|strict]"),
    };
    let snapshot = fs::read_to_string(SNAPSHOT).unwrap_or_default();
    if snapshot == exported {
        return ExitCode::SUCCESS;
    }
    let changes = changes(&snapshot, &exported);
    println!("{changes}\nIf the crate is to export that: {UPDATE}");
    ExitCode::FAILURE
}

/// What the crate exports, an item a line.
fn exported() -> Result<String, String> {
    if !runs(Command::new("rustc").args(["+nightly", "--version"])) {
        return Err("there is no nightly toolchain".into());
    }
    let mut rustdoc = Command::new("cargo");
    rustdoc
        .args(["+nightly", "rustdoc", "--quiet", "--lib", "--all-features"])
        .args(["--manifest-path", MANIFEST, "--target-dir", TARGET, "--"])
        .args(["-Zunstable-options", "--output-format=json"])
        .args(["--document-hidden-items", "--cap-lints=allow"]);
    assert!(runs(&mut rustdoc), "the nightly's `rustdoc` fails");
    let api = public_api::Builder::from_rustdoc_json(Path::new(TARGET).join("doc/hchan.json"))
        .omit_blanket_impls(true)
        .build()
        .map_err(|error| format!("this nightly's format is another one: {error}"))?;
    let mut lines = String::new();
    for item in api.items() {
        let line = item.to_string();
        if !UNSTABLE.iter().any(|part| line.contains(part)) {
            writeln!(lines, "{line}").expect("a string can be written to");
        }
    }
    Ok(lines)
}

/// Runs a command without a word, unless it fails; says whether it succeeded.
fn runs(command: &mut Command) -> bool {
    // Cargo hands its own toolchain down, which would be meant rather than `+nightly`.
    command.env_remove("RUSTUP_TOOLCHAIN").env_remove("RUSTC");
    match command.output() {
        Ok(output) => {
            eprint!("{}", String::from_utf8_lossy(&output.stderr));
            output.status.success()
        }
        Err(_) => false,
    }
}

/// The lines that only one of the two has.
fn changes(snapshot: &str, exported: &str) -> String {
    let mut changes = String::new();
    for (sign, lines, others) in [("-", snapshot, exported), ("+", exported, snapshot)] {
        let others: HashSet<_> = others.lines().collect();
        for line in lines.lines().filter(|line| !others.contains(line)) {
            writeln!(changes, "{sign} {line}").expect("a string can be written to");
        }
    }
    changes
}
