//! Every rule has examples in `examples/ID/`: in `bad.yml` and its handlers it finds exactly the lines that end with the
//! comment `<- here`; in `good.yml` it finds nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use template::{Files, Inputs, Source, load};

use super::RULES;
use crate::{Finding, Project, check};

const HERE: &str = "<- here";

struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<String> {
        fs::read_to_string(path)
    }
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules/examples")
}

/// The stacks of a rule's folder whose names begin so.
fn stacks(id: &str, prefix: &str) -> Vec<PathBuf> {
    let folder = examples().join(id);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    let is_stack = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(prefix) && ["yml", "json"].iter().any(|extension| name.ends_with(extension))
    };
    paths.retain(is_stack);
    paths.sort();
    assert!(!paths.is_empty(), "{id} has no example whose name begins with {prefix}");
    paths
}

fn read(path: &Path) -> (Project, Vec<Finding>) {
    let text = fs::read_to_string(path).expect("an example");
    let inputs = Inputs { files: Arc::new(Disk), ..Inputs::default() };
    let project = load(&Source::new(path, text)).and_then(|written| Project::new(written, None, inputs));
    let project = project.unwrap_or_else(|error| panic!("{error}"));
    let findings = check(&project, &[]);
    (project, findings)
}

type Lines = BTreeMap<String, BTreeSet<usize>>;

fn name_of(source: &Source) -> String {
    source.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn lines_found(findings: &[Finding], id: &str) -> Lines {
    let mut lines = Lines::new();
    for finding in findings.iter().filter(|finding| finding.rule.id == id) {
        lines.entry(name_of(&finding.span.source)).or_default().insert(finding.span.line_column().0);
    }
    lines
}

fn lines_marked(project: &Project) -> Lines {
    let mut sources = vec![Arc::clone(project.source())];
    sources.extend(project.handlers().iter().flat_map(|handler| &handler.codes).map(|code| Arc::clone(&code.source)));
    let mut lines = Lines::new();
    for source in sources {
        for (number, line) in source.text.lines().enumerate().filter(|(_, line)| line.ends_with(HERE)) {
            assert!(!line.is_empty());
            // Code within a template is read twice; the template counts.
            if source.path != project.source().path || Arc::ptr_eq(&source, project.source()) {
                lines.entry(name_of(&source)).or_default().insert(number + 1);
            }
        }
    }
    lines
}

#[test]
fn bad_examples_are_found_where_they_are_bad() {
    let mut wrong = Vec::new();
    for rule in RULES {
        for path in stacks(rule.id, "bad") {
            let (project, findings) = read(&path);
            let (found, marked) = (lines_found(&findings, rule.id), lines_marked(&project));
            if found != marked || marked.is_empty() {
                wrong.push(format!("{}: found {found:?}, marked {marked:?}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn good_examples_are_left_alone() {
    let mut wrong = Vec::new();
    for rule in RULES {
        for path in stacks(rule.id, "good") {
            let found = lines_found(&read(&path).1, rule.id);
            if !found.is_empty() {
                wrong.push(format!("{}: found {found:?}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_folder_of_examples_has_its_rule() {
    let ids: BTreeSet<String> = RULES.iter().map(|rule| rule.id.to_owned()).collect();
    assert_eq!(ids.len(), RULES.len(), "an id stands twice");
    let folders = fs::read_dir(examples()).expect("examples").map(|entry| entry.expect("a folder"));
    let folders: BTreeSet<String> = folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(folders, ids);
}
