//! The examples' own tests, run as the examples' users would: each in its folder, by its language's runner.
//!
//! What they import is installed for the journeys already; the Rust one is a project by itself and shares nothing but
//! the directory that it is built in.

use std::process::Command;

use anyhow::Result;

use crate::journeys::{self, NODE, PYTHON};
use crate::project::Project;
use crate::test::{self, Part};

/// Runs them all.
pub fn run(project: &Project) -> Result<Vec<Part>> {
    test::say("the examples");
    let node = |folder: &str| {
        let mut command = project.command("node");
        command.args(["--test", "--test-reporter=spec"]).arg("test").current_dir(project.root.join(folder));
        command
    };
    let python = |folder: &str| {
        let mut command = project.command(journeys::place(project, PYTHON.name).join("bin/python"));
        command.args(["-m", "pytest", "--no-header", "-p", "no:cacheprovider"]).arg("tests");
        command.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(project.root.join(folder));
        command
    };
    let rust = |folder: &str| {
        let mut command = project.cargo();
        command.args(["test", "--quiet", "--locked"]).env("CARGO_TARGET_DIR", project.metadata()?.target_directory);
        command.current_dir(project.root.join(folder));
        anyhow::Ok(command)
    };
    let mut parts = Vec::new();
    if NODE.program(project).is_some() {
        parts.push(part(project, "serverless-node", node("examples/serverless-node"))?);
    }
    if PYTHON.program(project).is_some() {
        parts.push(part(project, "sam-python", python("examples/sam-python"))?);
    }
    parts.push(part(project, "cargo-lambda", rust("examples/cargo-lambda-rust")?)?);
    Ok(parts)
}

fn part(project: &Project, name: &'static str, mut command: Command) -> Result<Part> {
    command.env("TANDEM_BIN", project.binary("debug")?);
    let mut outcome = test::count(&mut command)?;
    if outcome.passed == 0 && outcome.failed == 0 {
        println!("The example {name} ran no test");
        outcome.failed = 1;
    }
    Ok(Part { name, outcome, skipped: None })
}
