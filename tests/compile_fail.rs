//! What must not compile: the programs in `compile_fail`, in which each line that does not compile says so.
//!
//! A line ends in `//~ E0599`, the code of its error, or in `//~ ` and a part of the error's message where there is no code. All lines
//! that say so have to fail, for that reason, and no others. What only one phase of the compiler finds is in one file: the
//! compiler does not come to the next phase.

// Left out under Miri: tests/compile_fail.rs, which runs Cargo.
#![cfg(not(any(miri, hchan_loom, target_family = "wasm")))]

use std::{collections::BTreeMap, env, fs, path::Path, process::Command};

use walkdir::WalkDir;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/compile_fail");

/// A message by the number of its line.
type Errors = BTreeMap<usize, String>;

#[test]
fn hidden_names_cannot_be_used() {
    check("names");
}

#[test]
fn machinery_cannot_be_called_through_a_bound() {
    check("methods");
}

#[test]
fn everything_is_invariant_in_the_message() {
    check("variance");
}

#[test]
fn nothing_that_drops_messages_outlives_what_they_borrow() {
    check("drops");
}

#[test]
fn select_macros_say_what_they_expect() {
    check("grammar");
}

/// Users can call the methods of a `pub` trait through any bound that implies it, in whatever module it is.
#[test]
fn public_traits_have_no_methods() {
    let files = WalkDir::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let files = files
        .into_iter()
        .map(|file| file.expect("the source can be read").into_path());
    let mut traits = 0;
    for file in files.filter(|file| file.extension().is_some_and(|of| of == "rs")) {
        let source = fs::read_to_string(&file).expect("the source can be read");
        for (start, _) in source.match_indices("\npub trait ") {
            let item = source[start..].split_once("}\n").expect("a trait ends").0;
            assert!(!item.contains("fn "), "{}:{item}", file.display());
            traits += 1;
        }
        assert!(
            !source.contains(" pub trait "),
            "{}: not indented",
            file.display()
        );
    }
    assert!(traits > 0, "this test sees no trait");
}

fn check(name: &str) {
    let source = fs::read_to_string(format!("{CASES}/{name}.rs")).expect("the cases can be read");
    let expected = expected(&source);
    let (errors, output) = errors(name);
    assert!(!expected.is_empty(), "{name}.rs has no case");
    for (line, part) in &expected {
        let error = errors.get(line).map_or("it compiles", String::as_str);
        assert!(error.contains(part), "{name}.rs:{line}: {error}\n{output}");
    }
    for (line, error) in &errors {
        assert!(
            expected.contains_key(line),
            "{name}.rs:{line}: {error}\n{output}"
        );
    }
}

/// What the lines of a file say of themselves.
fn expected(source: &str) -> Errors {
    let lines = source.lines().zip(1..);
    lines
        .filter_map(|(line, number)| Some((number, line.split_once("//~ ")?.1.to_owned())))
        .collect()
}

/// What the compiler says of a file; and all of it.
fn errors(name: &str) -> (Errors, String) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("the folder of a package can be made");
    let manifest = folder.join("Cargo.toml");
    fs::write(&manifest, package(name)).expect("a manifest can be written");
    let output = Command::new(env!("CARGO"))
        .args([
            "check",
            "--quiet",
            "--message-format=short",
            "--manifest-path",
        ])
        .arg(manifest)
        .arg("--target-dir")
        .arg(folder.join("target"))
        // The sanitizers' flags, and others, are not for this.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output()
        .expect("Cargo runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (said.lines().filter_map(error).collect(), said)
}

/// `path/name.rs:line:column: error[code]: message`
fn error(line: &str) -> Option<(usize, String)> {
    let (place, error) = line.split_once(": error")?;
    let mut place = place.rsplit(':').skip(1);
    Some((place.next()?.parse().ok()?, error.to_owned()))
}

fn package(name: &str) -> String {
    let root = env!("CARGO_MANIFEST_DIR");
    format!(
        r#"
        [package]
        name = "hchan-compile-fail-{name}"
        edition = "2024"

        [lib]
        path = '{CASES}/{name}.rs'

        [dependencies]
        hchan = {{ path = '{root}', features = ["sink"] }}

        [workspace]
        "#
    )
}
