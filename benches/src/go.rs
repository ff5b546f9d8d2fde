//! Go's own channels, in a program of Go's that is built here if there is a Go.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

#[derive(Clone, Debug)]
pub(crate) struct Go {
    pub(crate) program: PathBuf,
    /// As it tells it itself.
    pub(crate) version: String,
}

impl Go {
    pub(crate) const NAME: &str = "go";

    /// Builds the program, which is then beside this one, with the `go` that is named, or that is found.
    pub(crate) fn build(go: Option<&Path>) -> Result<Go> {
        let go = go.unwrap_or(Path::new("go"));
        let version = said(Command::new(go).arg("version"))?;
        let program = env::current_exe()?.with_file_name("hchan-benches-go");
        let mut build = Command::new(go);
        build
            .arg("build")
            .arg("-o")
            .arg(&program)
            .arg(".")
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/go"))
            // What it needs is here: one file, and this compiler.
            .envs([
                ("GO111MODULE", "on"),
                ("GOFLAGS", ""),
                ("GOTOOLCHAIN", "local"),
                ("GOWORK", "off"),
            ])
            .env("GOCACHE", program.with_file_name("go-cache"))
            .env("GOPATH", program.with_file_name("go-path"));
        said(&mut build)?;
        let version = version.trim_start_matches("go version ").to_owned();
        Ok(Go { program, version })
    }

    pub(crate) fn sample(&self, cell: &str, millis: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args([cell, millis]);
        command
    }
}

/// What the command prints, if it succeeds.
fn said(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("`{program}` cannot be run"))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "`{program}` failed: {}",
        stderr.trim()
    );
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
