//! `cargo xtask deny`: under which licences the dependencies stand, and where they come from.
//!
//! Both can be read from `cargo metadata`, so this works offline and with nothing installed. Where cargo-deny is
//! there, it checks the rest of `deny.toml` too: its bans, and the advisories if they can be fetched.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, bail};

use crate::project::{Metadata, Project};

/// Where cargo says that crates.io is.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Prints what it finds; whether all is well.
pub fn run(project: &Project) -> Result<bool> {
    let metadata = project.metadata()?;
    let complaints = check(&metadata, &allowed(project)?);
    for complaint in &complaints {
        println!("{complaint}");
    }
    println!("licences and sources of {} packages: {} complaints", metadata.packages.len(), complaints.len());
    if !project.has("cargo", &["deny", "--version"]) {
        println!(
            "cargo-deny is not installed (`cargo install --locked cargo-deny`): advisories and bans were not checked"
        );
        return Ok(complaints.is_empty());
    }
    let mut well = complaints.is_empty();
    let rest = project.cargo().args(["deny", "check", "bans", "licenses", "sources"]).status()?;
    well &= rest.success();
    // Advisories come from a repository. Not reaching it is no fault of the project.
    if project.has("cargo", &["deny", "fetch", "db"]) {
        let advisories = project.cargo().args(["deny", "check", "--disable-fetch", "advisories"]).status()?;
        well &= advisories.success();
    } else {
        println!("the advisory database could not be fetched: advisories were not checked");
    }
    Ok(well)
}

/// The licences that `deny.toml` allows.
fn allowed(project: &Project) -> Result<BTreeSet<String>> {
    let text = fs::read_to_string(project.root.join("deny.toml")).context("deny.toml")?;
    let list = text.split_once("[licenses]").and_then(|(_, rest)| rest.split_once("allow = ["));
    let list = list.and_then(|(_, rest)| rest.split_once(']')).context("deny.toml has no list of licences")?.0;
    Ok(list.split('"').skip(1).step_by(2).map(str::to_owned).collect())
}

fn check(metadata: &Metadata, allowed: &BTreeSet<String>) -> Vec<String> {
    let mut complaints = Vec::new();
    for package in &metadata.packages {
        let who = format!("{} {}", package.name, package.version);
        match package.source.as_deref() {
            None | Some(CRATES_IO) => {}
            Some(elsewhere) => complaints.push(format!("{who} comes from {elsewhere}, not from crates.io")),
        }
        match &package.license {
            None => complaints.push(format!("{who} names no licence")),
            Some(licence) => match is_allowed(licence, allowed) {
                Ok(true) => {}
                Ok(false) => complaints.push(format!("{who} is under {licence}, which deny.toml does not allow")),
                Err(error) => complaints.push(format!("{who}: {error}")),
            },
        }
    }
    complaints
}

/// Whether an SPDX expression leaves a choice of allowed licences. The old `A/B` means `A OR B`.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> Result<bool> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (well, rest) = either(&words, allowed)?;
    if !rest.is_empty() {
        bail!("cannot read the licence {expression}");
    }
    Ok(well)
}

fn either<'a>(words: &'a [&'a str], allowed: &BTreeSet<String>) -> Result<(bool, &'a [&'a str])> {
    let (mut well, mut rest) = both(words, allowed)?;
    while let ["OR", more @ ..] = rest {
        let (other, after) = both(more, allowed)?;
        (well, rest) = (well || other, after);
    }
    Ok((well, rest))
}

fn both<'a>(words: &'a [&'a str], allowed: &BTreeSet<String>) -> Result<(bool, &'a [&'a str])> {
    let (mut well, mut rest) = one(words, allowed)?;
    while let ["AND", more @ ..] = rest {
        let (other, after) = one(more, allowed)?;
        (well, rest) = (well && other, after);
    }
    Ok((well, rest))
}

fn one<'a>(words: &'a [&'a str], allowed: &BTreeSet<String>) -> Result<(bool, &'a [&'a str])> {
    match words {
        ["(", inner @ ..] => match either(inner, allowed)? {
            (well, [")", rest @ ..]) => Ok((well, rest)),
            _ => bail!("a licence with an open parenthesis"),
        },
        [name, "WITH", exception, rest @ ..] => Ok((allowed.contains(&format!("{name} WITH {exception}")), rest)),
        [name, rest @ ..] => Ok((allowed.contains(*name), rest)),
        [] => bail!("a licence that ends too early"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: &str, expected: bool) {
        let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).into();
        assert_eq!(is_allowed(expression, &allowed).ok(), Some(expected), "{expression}");
    }

    #[test]
    fn reads_expressions() {
        check("MIT", true);
        check("GPL-3.0", false);
        check("GPL-3.0 OR MIT", true);
        check("GPL-3.0 AND MIT", false);
        check("MIT AND (GPL-3.0 OR ISC)", true);
        check("GPL-3.0 AND MIT OR ISC", true);
        check("Apache-2.0/MIT", true);
        check("Apache-2.0 WITH LLVM-exception", true);
        check("Apache-2.0", false);
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        assert!(is_allowed("MIT AND", &BTreeSet::new()).is_err());
        assert!(is_allowed("(MIT", &BTreeSet::new()).is_err());
        assert!(is_allowed("MIT MIT", &BTreeSet::new()).is_err());
    }
}
