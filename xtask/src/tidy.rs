//! `cargo xtask tidy`: what no compiler checks and every reviewer would have to.

mod directions;
mod text;

use anyhow::{Result, bail};

use crate::outcome::Outcome;
use crate::project::{self, Project};
use crate::{openapi, operations};

/// One check: what it is about, and what it found wrong.
type Check = (&'static str, fn(&Project) -> Result<Vec<String>>);

const CHECKS: &[Check] = &[
    ("form", form),
    ("directions of dependency", directions::check),
    ("lints", text::lints),
    ("lengths of files", text::lengths),
    ("paths of one machine", text::machine_paths),
    ("ignored tests", text::ignored_tests),
    ("docs/operations.md", operations::check),
    ("docs/openapi", openapi::check),
];

/// Checks and tells; whether all is well.
pub fn run(project: &Project) -> bool {
    let outcome = count(project);
    println!("{outcome}");
    outcome.failed == 0
}

/// Checks, tells of what is wrong, and counts.
pub fn count(project: &Project) -> Outcome {
    let mut outcome = Outcome::default();
    for (name, check) in CHECKS {
        let complaints = check(project).unwrap_or_else(|error| vec![format!("{error:#}")]);
        outcome += Outcome::of_check(complaints.is_empty());
        for complaint in complaints {
            println!("{name}: {complaint}");
        }
    }
    outcome
}

/// Formats every Rust file. `cargo fmt` follows `mod` lines, and those that a macro writes it cannot see.
pub fn format(project: &Project) -> Result<()> {
    project::run(rustfmt(project).args(project.rust_files()?))
}

fn form(project: &Project) -> Result<Vec<String>> {
    let files = project.rust_files()?;
    if files.is_empty() {
        bail!("there are no Rust files: is this a git work tree?");
    }
    let mut command = rustfmt(project);
    command.args(["--check", "-l"]).args(files);
    let output = command.output()?;
    let listed = String::from_utf8_lossy(&output.stdout);
    let top = project.root.to_string_lossy();
    let mut unformatted: Vec<String> =
        listed.lines().map(|path| path.trim_start_matches(&*top).trim_start_matches('/').to_owned()).collect();
    unformatted.sort();
    unformatted.dedup();
    let mut complaints: Vec<String> =
        unformatted.into_iter().map(|path| format!("{path} is not formatted: run `cargo xtask fmt`")).collect();
    if complaints.is_empty() && !output.status.success() {
        complaints.push(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(complaints)
}

fn rustfmt(project: &Project) -> std::process::Command {
    let mut command = project.command("rustfmt");
    command.args(["--edition", "2024"]);
    command
}

/// A tracked text file, or nothing for a picture or the like.
fn read_text(project: &Project, path: &std::path::Path) -> Result<Option<String>> {
    Ok(String::from_utf8(std::fs::read(project.root.join(path))?).ok())
}
