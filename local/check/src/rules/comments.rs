//! Comments that are for this tool.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use template::{Source, Span};

use super::rule;
use crate::finding::{Check, Mark, Rule, Severity};
use crate::ignore;
use crate::project::Project;

pub const UNKNOWN_RULE: Rule = Rule {
    id: "ignored-rule-unknown",
    severity: Severity::Warning,
    reason: "a comment that names a rule which does not exist ignores nothing",
    check: Check::Project(unknown_rule),
};

fn unknown_rule(project: &Project) -> Vec<Mark> {
    let codes = project.handlers().iter().flat_map(|handler| &handler.codes).map(|code| &code.source);
    let mut seen: HashSet<&Path> = HashSet::new();
    let sources = std::iter::once(&project.document().span.source).chain(codes);
    sources.filter(|source| seen.insert(&source.path)).flat_map(in_source).collect()
}

fn in_source(source: &Arc<Source>) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut line_start = 0;
    for line in source.text.split_inclusive('\n') {
        for (at, id) in ignore::ids(line.trim_end()).filter(|(_, id)| rule(id).is_none()) {
            let start = line_start + at;
            let span = Span { source: Arc::clone(source), start, end: start + id.len() };
            marks
                .push(Mark::at(&span, format!("there is no rule {id}")).help("`tandem check --list-rules` lists them"));
        }
        line_start += line.len();
    }
    marks
}
