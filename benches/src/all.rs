//! The survey and every other mode, in one report.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{self, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::chart;
use crate::child;
use crate::options::Options;
use crate::survey::Findings;
use crate::{neighbour::Neighbour, record, report, versions};

/// A mode whose output is a part of the whole report.
struct Section {
    title: &'static str,
    mode: &'static str,
    /// What makes it shorter.
    quick: &'static [&'static str],
}

/// The survey once more, in short, under other circumstances.
const CIRCUMSTANCES: [(&str, &str); 2] = [
    ("Pinned to one processor", "--pinned"),
    ("Beside a busy neighbour", "--beside-neighbour"),
];

/// What holds on every machine stands before the times.
const COUNTS: Section = Section::of_situation("Instructions", "instructions");

/// Every mode that measures is registered here.
const SECTIONS: &[Section] = &[
    Section::of_situation("Latency", "latency"),
    Section::of_situation("Idle", "idle"),
    Section::of_situation("Cancelling", "cancel"),
    Section::of_situation("Closing", "close"),
    Section::of_situation("One message", "oneshot"),
    Section::of_situation("Buffer sizes", "sweep"),
    Section::of_situation("Sharding", "sharding"),
    Section {
        title: "Select",
        mode: "select",
        quick: &["--rounds", "3"],
    },
    Section {
        title: "Batches",
        mode: "batch",
        quick: &["--rounds", "5"],
    },
    Section {
        title: "A burst",
        mode: "memory",
        quick: &["--rounds", "1"],
    },
    Section {
        title: "Torture",
        mode: "torture",
        quick: &["--rounds", "20"],
    },
];

/// How many times as long as beside another processor a message may take on one.
const MOST_PINNED: f64 = 2.0;

/// Set in a mode that prints a section: the report has a head already.
const IS_SECTION: &str = "HCHAN_BENCHES_SECTION";

pub(crate) fn is_section() -> bool {
    env::var_os(IS_SECTION).is_some()
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let before = COUNTS.text(options.quick)? + "# Times\n\n";
    let (mut text, findings) = survey(options, &before)?;
    for section in SECTIONS {
        text.push_str(&section.text(options.quick)?);
    }
    for (title, circumstance) in CIRCUMSTANCES {
        eprintln!("{title}");
        let again = again(options, circumstance, &findings)?;
        text.push_str(&format!("# {title}\n\n{again}\n"));
    }
    publish(options, &text, &findings)
}

fn again(options: &Options, circumstance: &str, findings: &Findings) -> Result<String> {
    let samples = env::temp_dir().join(format!("hchan-benches-{}.json", process::id()));
    fs::write(&samples, record::json(findings)?)?;
    let mut command = child::this(&["--quick", circumstance, "--filter", options.filter()])?;
    command.arg("--against").arg(&samples);
    let text = section_of(command);
    fs::remove_file(&samples)?;
    text
}

pub(crate) fn run_survey(options: &Options) -> Result<()> {
    let (text, findings) = survey(options, "")?;
    publish(options, &text, &findings)
}

impl Section {
    const fn of_situation(title: &'static str, mode: &'static str) -> Self {
        let quick = &["--quick"];
        Self { title, mode, quick }
    }

    /// Its title, and what it prints in a process of its own, run as its user would run it.
    fn text(&self, is_quick: bool) -> Result<String> {
        eprintln!("{}", self.mode);
        let mut command = child::this(&[self.mode])?;
        if is_quick {
            command.args(self.quick);
        }
        Ok(format!("# {}\n\n{}\n", self.title, section_of(command)?))
    }
}

/// What the command prints.
fn section_of(mut command: Command) -> Result<String> {
    command.env(IS_SECTION, "1").stderr(Stdio::inherit());
    let output = command.output()?;
    let failed = if output.status.success() {
        ""
    } else {
        "\n**It failed here.**\n"
    };
    Ok(String::from_utf8(output.stdout)? + failed)
}

/// The survey's text, with `before` between its head and its tables.
fn survey(options: &Options, before: &str) -> Result<(String, Findings)> {
    let survey = options.survey()?;
    let earlier = options.against.as_deref().map(record::read).transpose()?;
    let mut text = match is_section() {
        true => String::new(),
        false => versions::text(&survey.entrants),
    };
    text.push_str(before);
    text.push_str(&format!(
        "{} rounds, samples of about {} ms{}\n\n",
        survey.rounds,
        survey.lasting.as_millis(),
        options.circumstances()
    ));
    if options.pinned {
        pin()?;
    }
    let neighbour = options
        .beside_neighbour
        .then(Neighbour::moves_in)
        .transpose()?;
    let findings = survey.run()?;
    drop(neighbour);
    text.push_str(&match is_section() {
        true => report::short_text(&findings),
        false => report::text(&findings),
    });
    if let Some(earlier) = earlier {
        let most = options.pinned.then_some(MOST_PINNED);
        text.push_str(&report::against(&findings, &earlier, most));
    }
    text.push_str(&format!("Load at the end: {}\n\n", versions::load()));
    Ok((text, findings))
}

/// The processes begun from here on are pinned with this one.
fn pin() -> Result<()> {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    let core = *cores.first().context("which processors are there?")?;
    ensure!(
        core_affinity::set_for_current(core),
        "this process cannot be pinned"
    );
    Ok(())
}

fn publish(options: &Options, text: &str, findings: &Findings) -> Result<()> {
    print!("{text}");
    if let Some(folder) = &options.out {
        write(folder, text, findings)
            .with_context(|| format!("no report in {}", folder.display()))?;
    }
    Ok(())
}

fn write(folder: &Path, text: &str, findings: &Findings) -> Result<()> {
    fs::create_dir_all(folder)?;
    let charts = chart::draw_all(findings, folder)?;
    let images: String = charts
        .iter()
        .map(|name| format!("![{name}]({name}.svg)\n\n"))
        .collect();
    fs::write(
        folder.join("report.md"),
        format!("{text}# Charts\n\n{images}"),
    )?;
    fs::write(folder.join("samples.json"), record::json(findings)?)?;
    Ok(())
}
