//! Which crate may depend on which. ARCHITECTURE.md tells why.

use std::path::Path;

use anyhow::Result;

use crate::project::{Dependency, Metadata, Package, Project};

/// What every room stands on. They know nothing of any room.
const FOUNDATIONS: &[&str] = &["aws-api", "storage", "template", "world"];

/// The one crate that knows the rooms.
const SERVER: &str = "server";

/// What works on files of the user's and needs no server: for commands. It knows no room, as no room knows it.
const TOOLS: &[&str] = &["check"];

/// What in `local/` may be used in tests only: the local cloud must not be built from the clients that test it.
const CLIENTS: &[&str] = &["aws-config", "aws-sdk-", "lambda_runtime"];

/// What is wrong with the graph.
pub fn check(project: &Project) -> Result<Vec<String>> {
    Ok(complaints(&project.root, &project.metadata()?))
}

fn complaints(root: &Path, metadata: &Metadata) -> Vec<String> {
    let mut complaints = Vec::new();
    let members = metadata.packages.iter().filter(|package| metadata.workspace_members.contains(&package.id));
    for package in members {
        let from = wing(root, &package.manifest_path);
        for dependency in &package.dependencies {
            let to = dependency.path.as_deref().and_then(|path| wing(root, path));
            if let Some(reason) = fault(package, from, dependency, to) {
                complaints.push(format!("{} depends on {}: {reason}", package.name, dependency.name));
            }
        }
    }
    complaints
}

/// The folder at the top that a path lies in: `app`, `local`, `cli`, …
fn wing<'a>(root: &Path, path: &'a Path) -> Option<&'a str> {
    path.strip_prefix(root).ok()?.components().next()?.as_os_str().to_str()
}

fn fault(package: &Package, from: Option<&str>, dependency: &Dependency, to: Option<&str>) -> Option<&'static str> {
    let is_foundation = |name: &str| FOUNDATIONS.contains(&name);
    let is_for_tests = dependency.kind.as_deref() == Some("dev");
    let name = dependency.name.as_str();
    match (from, to) {
        (Some("app"), Some("local")) | (Some("local"), Some("app")) => {
            return Some("app/ and local/ meet over the AWS API only");
        }
        (Some("local"), Some("local")) if is_foundation(&package.name) && !is_foundation(name) => {
            return Some("the foundations know no room");
        }
        (_, Some("local")) if name == SERVER && from == Some("local") => {
            return Some("the server knows the rooms, not they it");
        }
        (Some("cli"), Some("local")) if TOOLS.contains(&name) => {}
        (_, Some("local")) if TOOLS.contains(&name) => return Some("tools are for commands"),
        (_, Some("local")) if !is_foundation(name) && name != SERVER && package.name != SERVER => {
            return Some("only server depends on rooms; declare a trait and let server implement it");
        }
        (_, Some("cli" | "xtask" | "bench" | "tests")) => return Some("nothing is built on it"),
        _ => {}
    }
    if from == Some("local") && !is_for_tests {
        if CLIENTS.iter().any(|client| name.starts_with(client)) {
            return Some("clients of AWS are for the tests in local/, not for its code");
        }
        if name == "anyhow" {
            return Some("errors in local/ are enums; anyhow is for commands");
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// What is said of a package in `from` that depends on `to` (a folder, or a crate from elsewhere).
    #[track_caller]
    fn check(from: &str, to: &str, kind: Option<&str>, expected: bool) {
        let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let dependency = Dependency {
            name: last(to),
            kind: kind.map(str::to_owned),
            path: (to.contains('/') || to == "cli").then(|| PathBuf::from("/top").join(to)),
        };
        let package = Package {
            id: "one".to_owned(),
            name: last(from),
            version: String::new(),
            license: None,
            source: None,
            manifest_path: PathBuf::from("/top").join(from).join("Cargo.toml"),
            dependencies: vec![dependency],
        };
        let metadata = Metadata {
            packages: vec![package],
            workspace_members: vec!["one".to_owned()],
            target_directory: PathBuf::new(),
        };
        let complaints = complaints(Path::new("/top"), &metadata);
        assert_eq!(complaints.is_empty(), expected, "{complaints:?}");
    }

    #[test]
    fn rooms_stand_on_foundations() {
        check("local/mail", "local/world", None, true);
        check("local/world", "local/mail", None, false);
    }

    #[test]
    fn rooms_do_not_know_each_other() {
        check("local/mail", "local/queues", None, false);
        check("local/mail", "local/queues", Some("dev"), false);
        check("local/server", "local/queues", None, true);
        check("local/mail", "local/server", None, false);
    }

    #[test]
    fn wings_do_not_meet() {
        check("local/server", "app/functions", None, false);
        check("app/profiles", "local/world", Some("dev"), false);
        check("app/functions", "app/profiles", None, true);
    }

    #[test]
    fn the_command_knows_the_server_alone() {
        check("cli", "local/server", None, true);
        check("cli", "local/world", None, true);
        check("cli", "local/mail", None, false);
        check("bench", "cli", None, false);
    }

    #[test]
    fn tools_are_for_commands() {
        check("cli", "local/check", None, true);
        check("local/check", "local/template", None, true);
        check("local/check", "local/queues", None, false);
        check("local/server", "local/check", None, false);
        check("local/stack", "local/template", None, true);
    }

    #[test]
    fn clients_of_aws_are_for_tests_in_local() {
        check("local/mail", "aws-sdk-sesv2", None, false);
        check("local/mail", "aws-sdk-sesv2", Some("dev"), true);
        check("app/profiles", "aws-sdk-dynamodb", None, true);
    }
}
