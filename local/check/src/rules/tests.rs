//! Every rule has examples in `examples/ID/`: in `bad.yml` and its handlers it finds exactly the lines that end with the
//! comment `<- here`; in `good.yml` it finds nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::{fs, io};

use template::serverless::{Evaluated, Evaluation, StoredParameter, Surroundings};
use template::{Files, Inputs, Source};

use super::RULES;
use crate::code::{Code, is_code, reached};
use crate::{Finding, Given, check};

const HERE: &str = "<- here";

/// The disk; remembers what was read.
#[derive(Default)]
struct Disk(Mutex<BTreeSet<PathBuf>>);

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<String> {
        let text = fs::read_to_string(path)?;
        self.0.lock().expect("no panic before").insert(path.to_owned());
        Ok(text)
    }
}

/// A folder with nothing around it.
struct Beside(PathBuf);

impl Surroundings for Beside {
    fn environment(&self, _: &str) -> Option<String> {
        None
    }

    fn read(&self, path: &Path) -> Result<Option<String>, String> {
        Ok(fs::read_to_string(self.0.join(path)).ok())
    }

    fn evaluate(&self, _: &Evaluation) -> Result<Evaluated, String> {
        Ok(Evaluated::NoFile)
    }

    fn git(&self, _: &str) -> Option<String> {
        None
    }

    fn parameter(&self, _: &str, _: &str) -> Option<StoredParameter> {
        None
    }

    fn secret(&self, _: &str, _: &str) -> Option<String> {
        None
    }

    fn stack_output(&self, _: &str, _: &str, _: &str) -> Option<String> {
        None
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

/// What is found in a stack, and the files that it was read from.
fn read(path: &Path) -> (Vec<Finding>, BTreeSet<PathBuf>) {
    let files = Arc::new(Disk::default());
    let inputs = Inputs { files: Arc::clone(&files) as Arc<dyn Files>, ..Inputs::default() };
    let text = files.read(path).expect("an example");
    let folder = path.parent().expect("a folder").to_owned();
    let given = Given { inputs, surroundings: &Beside(folder), stage: None, ignored: &[] };
    let checked = check(&Source::new(path, text), &given);
    // What is wrong may be so wrong that the file is no template.
    if let Some(error) = checked.error.filter(|_| checked.findings.is_empty()) {
        panic!("{error}");
    }
    let read = files.0.lock().expect("no panic before").clone();
    (checked.findings, read)
}

type Lines = BTreeMap<String, BTreeSet<usize>>;

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn lines_found(findings: &[Finding], id: &str) -> Lines {
    let mut lines = Lines::new();
    for finding in findings.iter().filter(|finding| finding.rule.id == id) {
        lines.entry(name_of(&finding.span.source.path)).or_default().insert(finding.span.line_column().0);
    }
    lines
}

fn lines_marked(paths: &BTreeSet<PathBuf>) -> Lines {
    let mut lines = Lines::new();
    for path in paths {
        let text = fs::read_to_string(path).expect("it was read before");
        for (number, _) in text.lines().enumerate().filter(|(_, line)| line.ends_with(HERE)) {
            lines.entry(name_of(path)).or_default().insert(number + 1);
        }
    }
    lines
}

#[test]
fn bad_examples_are_found_where_they_are_bad() {
    let mut wrong = Vec::new();
    for rule in RULES {
        for path in stacks(rule.id, "bad") {
            let (findings, files) = read(&path);
            let (found, marked) = (lines_found(&findings, rule.id), lines_marked(&files));
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
            let found = lines_found(&read(&path).0, rule.id);
            if !found.is_empty() {
                wrong.push(format!("{}: found {found:?}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Texts that begin like a file and then end, lack a letter, or have one twice.
fn damaged(text: &str) -> impl Iterator<Item = String> + '_ {
    let places = text.char_indices().map(|(at, letter)| (at, at + letter.len_utf8()));
    places.step_by(29).flat_map(|(start, end)| {
        let (before, letter, after) = (&text[..start], &text[start..end], &text[end..]);
        [before.to_owned(), format!("{before}{after}"), format!("{before}{letter}{letter}{after}")]
    })
}

#[test]
fn damaged_files_are_told_of_and_harm_nobody() {
    let inputs = Inputs { files: Arc::new(Disk::default()), ..Inputs::default() };
    let mut refused = 0;
    for rule in RULES {
        let path = stacks(rule.id, "bad").remove(0);
        let beside = Beside(path.parent().expect("a folder").to_owned());
        let given = Given { inputs: inputs.clone(), surroundings: &beside, stage: None, ignored: &[] };
        for text in damaged(&fs::read_to_string(&path).expect("an example")) {
            refused += usize::from(check(&Source::new(&path, text), &given).error.is_some());
        }
    }
    assert!(refused > 0);
}

#[test]
fn damaged_handlers_harm_nobody() {
    let mut read = 0;
    for rule in RULES {
        let files =
            fs::read_dir(examples().join(rule.id)).expect("examples").map(|entry| entry.expect("a file").path());
        for path in files.filter(|path| is_code(path)) {
            for text in damaged(&fs::read_to_string(&path).expect("code")) {
                let code = Code::read(&Source::new(&path, text)).expect("a language");
                let flow = code.function("handler").map(|function| code.flow(&function));
                read += flow.map_or(0, |flow| flow.returns.len()) + code.imports().len();
                reached(&[code], "handler");
            }
        }
    }
    assert!(read > 0);
}

#[test]
fn every_folder_of_examples_has_its_rule() {
    let ids: BTreeSet<String> = RULES.iter().map(|rule| rule.id.to_owned()).collect();
    assert_eq!(ids.len(), RULES.len(), "an id stands twice");
    let folders = fs::read_dir(examples()).expect("examples").map(|entry| entry.expect("a folder"));
    let folders: BTreeSet<String> = folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(folders, ids);
}
