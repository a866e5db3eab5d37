//! `cargo xtask soak`: the release build, then the soak test for as long as wanted. What it proves, `e2e::soak` tells.

use anyhow::{Context, Result};
use clap::Args;

use crate::project::{self, Project};
use crate::test::say;

/// How long, and by which seed.
#[derive(Args)]
pub struct Wanted {
    /// How many people sign up
    #[arg(long, default_value_t = 5_000)]
    sign_ups: usize,
    /// Of the faults and of the moments of the kills
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often the server is killed
    #[arg(long, default_value_t = 25)]
    kills: usize,
}

/// Soaks; true if nothing was lost.
pub fn run(project: &Project, wanted: &Wanted) -> Result<bool> {
    say("building for release");
    // One after the other: together, cargo would build the product with the features that the test asks for.
    let build = ["build", "--release", "--package"];
    project::run(project.cargo().args(build).arg("tandem-cli"))?;
    project::run(project.cargo().args(build).args(["e2e", "--bin", "soak"]))?;
    say(&format!("{} sign-ups, {} kills", wanted.sign_ups, wanted.kills));
    let mut soak = project.command(project.metadata()?.target_directory.join("release/soak"));
    for (name, value) in
        [("--sign-ups", wanted.sign_ups as u64), ("--seed", wanted.seed), ("--kills", wanted.kills as u64)]
    {
        soak.arg(name).arg(value.to_string());
    }
    // What the server has to say of faults is no news here.
    let status = soak.env("RUST_LOG", "error").status().context("cannot run the soak test")?;
    Ok(status.success())
}
