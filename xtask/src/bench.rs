//! `cargo xtask bench`: the release build, then the figures. What is measured and how, bench/README.md tells.

use std::fs;

use anyhow::{Context, Result};
use clap::Args;

use crate::package;
use crate::project::{self, Project};
use crate::test::say;

/// What to measure.
#[derive(Args)]
pub struct Wanted {
    /// Also build the product from nothing, in a directory of its own, and print how long that took
    #[arg(long)]
    cold_build: bool,
    /// Passed on: names of measurements, `--json`, `--quick`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Measures; true if all measurements could be made.
pub fn run(project: &Project, wanted: &Wanted) -> Result<bool> {
    if wanted.cold_build {
        cold_build(project)?;
    }
    eprintln!("── building for release");
    // One after the other: together, cargo would build the product with the features that the benchmark asks for.
    let build = ["build", "--release", "--package"];
    project::run(project.cargo().args(build).arg("tandem-cli"))?;
    project::run(project.cargo().args(build).arg("bench"))?;
    let binaries = project.metadata()?.target_directory.join("release");
    let named: Vec<_> = wanted.arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let package = if named.is_empty() || named.iter().any(|name| *name == "package") {
        package::for_this_machine(project)?
    } else {
        None
    };
    eprintln!("── measuring");
    let mut bench = project.command(binaries.join("bench"));
    bench.arg("--tandem").arg(binaries.join("tandem")).args(&wanted.arguments);
    if let Some(package) = package {
        bench.arg("--package").arg(package.archive).arg("--bootstrap").arg(package.executable);
    }
    let status = bench.status().context("cannot run the benchmark")?;
    Ok(status.success())
}

/// The first command of a new user: `cargo run --release`, with the crates' sources fetched already.
fn cold_build(project: &Project) -> Result<()> {
    say("fetching, so that the network is not measured");
    project::run(project.cargo().args(["fetch"]))?;
    let target = project.metadata()?.target_directory.join("cold-build");
    drop(fs::remove_dir_all(&target));
    say("building from nothing");
    #[expect(clippy::disallowed_methods, reason = "this measures how long a build really takes")]
    let began = std::time::Instant::now();
    let mut build = project.cargo();
    build.args(["build", "--release", "--quiet"]).env("CARGO_TARGET_DIR", &target);
    project::run(&mut build)?;
    println!("cold build: {:.0} s", began.elapsed().as_secs_f64());
    fs::remove_dir_all(&target).with_context(|| format!("cannot remove {}", target.display()))
}
