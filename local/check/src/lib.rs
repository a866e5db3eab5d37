//! What is wrong with a stack before it is deployed: rules over its template and the sources of its handlers. Every rule
//! is a pitfall that somebody fell into; `docs/pitfalls.md` tells of each.
//!
//! Not here: reading templates (`template` does), finding files (the caller gives [`template::Files`]), and anything
//! about a stack that runs. A rule that cannot be sure stays silent. Start at [`check`], or at [`RULES`].

mod code;
mod finding;
mod ignore;
mod project;
pub mod report;
mod rules;

use std::collections::HashSet;
use std::sync::Arc;

use template::serverless::{self, Surroundings, is_service};
use template::{Inputs, Node, Source, TemplateError};

use finding::{Check, Mark};
pub use finding::{Finding, Rule, Severity, Tally};
use project::Project;
pub use project::unknown;
pub use rules::{RULES, rule};

/// What is given from outside.
pub struct Given<'g> {
    /// Values of parameters, and the files that handlers lie in.
    pub inputs: Inputs,
    /// What a service's file may ask for; paths start in its folder.
    pub surroundings: &'g dyn Surroundings,
    /// The stage that a service is checked for.
    pub stage: Option<String>,
    /// Rules that do not matter.
    pub ignored: &'g [&'g str],
}

/// What became of a file.
#[derive(Debug, Default)]
pub struct Checked {
    /// What the rules found, in the order of the file.
    pub findings: Vec<Finding>,
    /// Why no more could be found.
    pub error: Option<TemplateError>,
}

/// Checks a stack's file.
///
/// What can be seen in the file as it is written is found even if it is no good template.
pub fn check(source: &Arc<Source>, given: &Given<'_>) -> Checked {
    match template::load(source) {
        Ok(written) => check_document(source, written, given),
        Err(error) => Checked { findings: Vec::new(), error: Some(error) },
    }
}

/// Checks what a stack's file comes to: that of a script is known to whoever has evaluated it.
pub fn check_document(source: &Arc<Source>, written: Node, given: &Given<'_>) -> Checked {
    let rules: Vec<&'static Rule> = RULES.iter().filter(|rule| !given.ignored.contains(&rule.id)).collect();
    let mut findings = found(&rules, |check| match check {
        Check::Written(check) => check(&written),
        Check::Project(_) => Vec::new(),
    });
    let error = match project(source, written, given) {
        Ok(project) => {
            findings.extend(found(&rules, |check| match check {
                Check::Written(_) => Vec::new(),
                Check::Project(check) => check(&project),
            }));
            findings = findings.into_iter().map(|finding| project.place(finding)).collect();
            None
        }
        Err(error) => Some(error),
    };
    findings.retain(|finding| !ignore::is_ignored(finding));
    Checked { findings: in_order(findings, source), error }
}

fn found(rules: &[&'static Rule], run: impl Fn(&Check) -> Vec<Mark>) -> Vec<Finding> {
    rules.iter().flat_map(|rule| run(&rule.check).into_iter().map(|mark| Finding::new(rule, mark))).collect()
}

/// The template that a file comes to, with the sources of its functions.
fn project(source: &Arc<Source>, written: Node, given: &Given<'_>) -> Result<Project, TemplateError> {
    let mut inputs = given.inputs.clone();
    if !is_service(&written) {
        let mut document = template::load_template(source)?;
        if serverless::is_generated(&source.path) {
            serverless::relocate(&mut document, "..".as_ref());
        }
        return Project::new(written, document, inputs);
    }
    let options = serverless::Options {
        stage: given.stage.clone(),
        account_id: inputs.account_id.clone(),
        instance_id: "check".to_owned(),
        ..serverless::Options::default()
    };
    let compiled = serverless::compile(written.clone(), given.surroundings, &options)?;
    inputs.stack_name = compiled.stack_name;
    inputs.region = compiled.region;
    for (name, value) in compiled.parameters {
        inputs.parameters.entry(name).or_insert(value);
    }
    Project::new(written, compiled.document, inputs)
}

/// Each once, those of the file itself first, then those of its handlers.
fn in_order(mut findings: Vec<Finding>, main: &Source) -> Vec<Finding> {
    let mut seen = HashSet::new();
    findings.retain(|finding| {
        // All of a script's result has one place: there, it is the words that differ.
        let words = if finding.span.end == 0 { finding.message.clone() } else { String::new() };
        seen.insert((finding.rule.id, finding.span.clone(), words))
    });
    findings.sort_by_cached_key(|finding| {
        let path = &finding.span.source.path;
        (*path != main.path, path.clone(), finding.span.start, finding.span.end)
    });
    findings
}
