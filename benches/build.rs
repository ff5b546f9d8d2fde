//! Notes the compiler and the commit that the benchmark is built from. Asking for them at run time
//! could find others.

use std::env;
use std::ffi::OsString;
use std::process::Command;

fn main() {
    let rustc = env::var_os("RUSTC").expect("cargo sets RUSTC");
    let compiler = first_line(rustc, &["--version"]);
    println!(
        "cargo::rustc-env=BUILT_BY={}",
        compiler.as_deref().unwrap_or("unknown rustc")
    );

    let describe = ["--no-optional-locks", "describe", "--always", "--dirty"];
    let commit = first_line("git".into(), &describe);
    println!(
        "cargo::rustc-env=BUILT_FROM={}",
        commit.as_deref().unwrap_or("unknown")
    );

    // Empty where the compiler does not tell.
    let features = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    println!("cargo::rustc-env=BUILT_FOR={features}");

    for input in ["build.rs", "../src", "../.git/logs/HEAD"] {
        println!("cargo::rerun-if-changed={input}");
    }
}

/// What the command says, if it can be run and says something.
fn first_line(program: OsString, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    said.lines().next().map(str::to_owned)
}
