//! `cargo xtask`: everything that is done to the project by machine, in one place and without shell scripts.
//!
//! `cargo xtask test` is the everyday command and the one that CI runs. It needs cargo alone; what the journeys need
//! besides (Node, Python and their packages) it fetches by itself, or names.

mod bench;
mod examples;
mod journeys;
mod licences;
mod openapi;
mod operations;
mod outcome;
mod package;
mod project;
mod soak;
mod test;
mod tidy;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use project::Project;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The project's own automation")]
enum Command {
    /// Checks the tree, then runs every test: the crates' own, the documentation's, the journeys
    Test(test::Wanted),
    /// Runs the journeys alone, or those with this in their names
    Journeys { filter: Option<String> },
    /// Runs the examples' own tests alone
    Examples,
    /// Checks what no compiler does: form, directions of dependency, file lengths, generated pages
    Tidy,
    /// Formats every Rust file, those that only a macro names too
    Fmt,
    /// Writes the pages that the binary knows: docs/operations.md and docs/openapi
    Docs,
    /// Builds the functions for Lambda: target/package/bootstrap.zip, which the templates in deploy/ name
    Package(package::Wanted),
    /// Builds them for this machine, and checks the templates and the executable: cfn-lint, SAM, the local cloud, moto
    DeployCheck,
    /// Builds for release, measures, and prints the figures
    Bench(bench::Wanted),
    /// Builds for release and proves at-least-once: people sign up while the server is killed and everything fails
    Soak(soak::Wanted),
    /// Checks licences and sources of all dependencies; advisories too where cargo-deny is installed
    Deny,
}

fn main() -> ExitCode {
    match run(Command::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether all was well; an error is something that kept the command from finding out.
fn run(command: Command) -> Result<bool> {
    let project = Project::find()?;
    match command {
        Command::Test(wanted) => test::run(&project, &wanted),
        Command::Journeys { filter } => test::journeys(&project, filter.as_deref()),
        Command::Examples => test::examples(&project),
        Command::Tidy => Ok(tidy::run(&project)),
        Command::Fmt => tidy::format(&project).map(|()| true),
        Command::Docs => {
            operations::write(&project)?;
            openapi::write(&project).map(|()| true)
        }
        Command::Package(wanted) => package::run(&project, &wanted),
        Command::DeployCheck => test::deployment(&project),
        Command::Bench(wanted) => bench::run(&project, &wanted),
        Command::Soak(wanted) => soak::run(&project, &wanted),
        Command::Deny => licences::run(&project),
    }
}
