//! Checks that read the files as text.

use std::path::Path;

use anyhow::{Context, Result};

use super::read_text;
use crate::project::Project;

/// A file of this many lines is two files. Most have fewer than half of them.
const LINES_MAX: usize = 800;

/// Where code of ours stands.
const CODE: &[&str] = &["rs", "js", "mjs", "py"];

/// Beginnings of paths that only one machine has. Written in halves, since this file is read too.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/ho", "me/"),
    concat!("C:\\", "Users\\"),
];

/// Files that have outgrown their room.
pub fn lengths(project: &Project) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for path in project.files()? {
        if !has_extension(&path, CODE) {
            continue;
        }
        let lines = read_text(project, &path)?.map_or(0, |text| text.lines().count());
        if lines > LINES_MAX {
            complaints.push(format!("{} has {lines} lines; {LINES_MAX} is the limit: split it", path.display()));
        }
    }
    Ok(complaints)
}

/// Paths that hold on the author's machine alone.
pub fn machine_paths(project: &Project) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for path in project.files()? {
        let Some(text) = read_text(project, &path)? else { continue };
        for (number, line) in text.lines().enumerate() {
            if let Some(found) = machine_path(line) {
                complaints.push(format!("{}:{}: {found}", path.display(), number + 1));
            }
        }
    }
    Ok(complaints)
}

/// The first such beginning in a line. Inside of a longer path or an address it means something else.
fn machine_path(line: &str) -> Option<&'static str> {
    let begins_path = |at: usize| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '/' | '.' | '-' | '_' | '}' | '~'))
    };
    let names_somebody = |at: usize| line[at..].chars().next().is_some_and(char::is_alphanumeric);
    let found =
        |path: &&&str| line.match_indices(**path).any(|(at, path)| begins_path(at) && names_somebody(at + path.len()));
    MACHINE_PATHS.iter().find(found).copied()
}

/// Tests that never run are no tests.
pub fn ignored_tests(project: &Project) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for path in project.rust_files()? {
        let text = read_text(project, &path)?.unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("#[ignore") {
                complaints.push(format!("{}:{}: a test that is not run", path.display(), number + 1));
            }
        }
    }
    Ok(complaints)
}

/// Every crate stands under the workspace's lints, and those forbid `unsafe`.
pub fn lints(project: &Project) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for path in project.files()? {
        if path.file_name().is_none_or(|name| name != "Cargo.toml") {
            continue;
        }
        let text = read_text(project, &path)?.with_context(|| format!("{} is no text", path.display()))?;
        // A workspace of its own (the fuzzers'): libFuzzer's entry point is an exported symbol, which counts as unsafe.
        let is_root = path == Path::new("Cargo.toml");
        if !is_root && text.contains("\n[workspace]\n") {
            continue;
        }
        let (wanted, what) = if is_root {
            (&["[workspace.lints.rust]", "unsafe_code = \"forbid\""][..], "does not forbid unsafe code")
        } else {
            (&["[lints]\nworkspace = true"][..], "does not take the workspace's lints")
        };
        if !wanted.iter().all(|wanted| text.contains(wanted)) {
            complaints.push(format!("{} {what}", path.display()));
        }
    }
    Ok(complaints)
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|extension| extensions.iter().any(|&one| extension == one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_path_of_one_machine() {
        assert!(machine_path(concat!("see /wo", "rk/notes.txt")).is_some());
        assert!(machine_path(concat!("\"/ho", "me/somebody\"")).is_some());
    }

    #[test]
    fn leaves_addresses_and_longer_paths_alone() {
        assert_eq!(machine_path(concat!("https://example.com/ho", "me/page")), None);
        assert_eq!(machine_path(concat!("target/wo", "rk/x")), None);
        assert_eq!(machine_path(concat!("/ho", "me/*/x")), None);
        assert_eq!(machine_path("/tmp/x"), None);
    }
}
