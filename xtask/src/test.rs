//! `cargo xtask test`: every check in the order of what it costs, and one closing line that counts them all.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use clap::Args;

use crate::outcome::Outcome;
use crate::project::{self, Project};
use crate::{examples, journeys, package, tidy};

/// What to run.
#[derive(Args)]
pub struct Wanted {
    /// Only tests whose name contains this
    pub filter: Option<String>,
    /// Leave out the journeys: no Node, no Python, nothing fetched
    #[arg(long)]
    pub no_journeys: bool,
    /// Leave out `tidy`
    #[arg(long)]
    pub no_tidy: bool,
}

/// One part of the run, as it is told at the end.
pub struct Part {
    pub name: &'static str,
    pub outcome: Outcome,
    /// Why it was not run.
    pub skipped: Option<String>,
}

/// Runs what is wanted; whether all passed.
pub fn run(project: &Project, wanted: &Wanted) -> Result<bool> {
    let mut parts = Vec::new();
    if !wanted.no_journeys {
        journeys::check_tools(project)?;
    }

    say("building the tests and the tandem binary");
    project.build()?;

    if wanted.filter.is_none() && !wanted.no_tidy {
        say("tidy");
        parts.push(Part { name: "tidy", outcome: tidy::count(project), skipped: None });
    }
    say("the crates' own tests and the end-to-end tests");
    parts.push(rust_tests(project, wanted)?);
    if wanted.filter.is_none() {
        parts.push(doc_tests(project)?);
    }
    if !wanted.no_journeys {
        if project::is_ci() && wanted.filter.is_none() {
            // Minutes the first time: elsewhere the journeys of deploy/ take the package that is there, if it is new.
            package::for_this_machine(project)?;
        }
        parts.extend(journeys::run(project, wanted.filter.as_deref())?);
        if wanted.filter.is_none() {
            parts.extend(examples::run(project)?);
        }
    }
    Ok(tell(&parts))
}

/// Runs the journeys and nothing else.
pub fn journeys(project: &Project, filter: Option<&str>) -> Result<bool> {
    journeys::check_tools(project)?;
    project.build()?;
    Ok(tell(&journeys::run(project, filter)?))
}

/// Packages the functions and runs the journeys of deploy/ alone.
pub fn deployment(project: &Project) -> Result<bool> {
    journeys::check_tools(project)?;
    project.build()?;
    package::for_this_machine(project)?;
    Ok(tell(&[journeys::run_python(project, "deploy_")?]))
}

/// Runs the examples' tests and nothing else.
pub fn examples(project: &Project) -> Result<bool> {
    journeys::check_tools(project)?;
    project.build()?;
    journeys::set_up(project)?;
    Ok(tell(&examples::run(project)?))
}

fn rust_tests(project: &Project, wanted: &Wanted) -> Result<Part> {
    let nextest = project.has("cargo", &["nextest", "--version"]);
    let mut command = project.cargo();
    if nextest {
        command.args(["nextest", "run", "--workspace", "--no-fail-fast", "--no-tests", "pass"]);
        command.args(["--status-level", "fail", "--final-status-level", "slow", "--cargo-quiet"]);
    } else {
        command.args(["test", "--workspace", "--no-fail-fast", "--quiet", "--bins", "--lib", "--tests"]);
    }
    command.args(&wanted.filter).env("TANDEM_BIN", project.binary("debug")?);
    Ok(Part { name: "rust", outcome: count(&mut command)?, skipped: None })
}

/// Neither nextest nor `cargo test --tests` runs the examples in the documentation.
fn doc_tests(project: &Project) -> Result<Part> {
    let mut has_examples = false;
    for file in project.rust_files()? {
        let text = std::fs::read_to_string(project.root.join(file))?;
        has_examples |= text.lines().map(str::trim).any(|line| line == "/// ```" || line == "//! ```");
    }
    if !has_examples {
        let reason = "the documentation has no examples".to_owned();
        return Ok(Part { name: "documentation", outcome: Outcome::default(), skipped: Some(reason) });
    }
    say("the examples in the documentation");
    let mut command = project.cargo();
    command.args(["test", "--workspace", "--doc", "--no-fail-fast", "--quiet"]);
    Ok(Part { name: "documentation", outcome: count(&mut command)?, skipped: None })
}

/// Runs a test runner, passes on what it prints, and counts by its closing lines.
pub fn count(command: &mut Command) -> Result<Outcome> {
    let shown = project::shown(command);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.as_mut().map_err(|error| anyhow::anyhow!("cannot run {shown}: {error}"))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut outcome = std::thread::scope(|scope| -> Result<Outcome> {
        let errors = scope.spawn(move || pass_on(stderr.context("no standard error")?));
        let mut outcome = pass_on(stdout.context("no standard output")?)?;
        outcome += errors.join().map_err(|_| anyhow::anyhow!("a reader panicked"))??;
        Ok(outcome)
    })?;
    let status = child.wait().with_context(|| format!("cannot wait for {shown}"))?;
    if !status.success() && outcome.failed == 0 {
        // It broke before it could count: a test that does not compile, a runner that is not there.
        println!("{shown} failed ({status})");
        outcome.failed = 1;
    }
    Ok(outcome)
}

fn pass_on(from: impl std::io::Read) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut reader = BufReader::new(from);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        outcome.read(&String::from_utf8_lossy(&line));
        let mut out = std::io::stdout().lock();
        out.write_all(&line)?;
        out.flush()?;
        line.clear();
    }
    Ok(outcome)
}

/// Says what begins now.
pub fn say(what: &str) {
    println!("── {what}");
}

/// The closing lines; whether nothing failed.
fn tell(parts: &[Part]) -> bool {
    let mut total = Outcome::default();
    println!();
    for part in parts {
        match &part.skipped {
            Some(reason) => println!("{:>16}  not run: {reason}", part.name),
            None => println!("{:>16}  {}", part.name, part.outcome),
        }
        total += part.outcome;
    }
    println!("{total}");
    total.failed == 0
}
