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

pub use finding::{Finding, Rule, Severity, Tally};
pub use project::Project;
pub use rules::{RULES, rule};

/// What the rules find, in the order of the files; without the rules named in `ignored` and what comments ignore.
pub fn check(project: &Project, ignored: &[&str]) -> Vec<Finding> {
    let rules = RULES.iter().filter(|rule| !ignored.contains(&rule.id));
    let found = rules.flat_map(|rule| (rule.check)(project).into_iter().map(|mark| Finding::new(rule, mark)));
    let mut found: Vec<Finding> =
        found.map(|finding| project.place(finding)).filter(|finding| !ignore::is_ignored(finding)).collect();
    let mut seen = HashSet::new();
    found.retain(|finding| seen.insert((finding.rule.id, finding.span.clone())));
    let main = project.source();
    found.sort_by(|a, b| {
        let place = |finding: &Finding| {
            let source = &finding.span.source;
            (source.path != main.path, source.path.clone(), finding.span.start, finding.span.end)
        };
        place(a).cmp(&place(b))
    });
    found
}
