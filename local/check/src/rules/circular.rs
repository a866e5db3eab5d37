//! Resources that wait for each other.

use std::collections::{HashMap, HashSet};

use template::Span;

use crate::finding::{Check, Mark, Rule, Severity};
use crate::project::{Project, Resource};

pub const REFERENCE: Rule = Rule {
    id: "circular-reference",
    severity: Severity::Error,
    reason: "CloudFormation makes nothing of resources that wait for each other",
    check: Check::Project(circular),
};

/// Whom a resource waits for, and where that is said.
type Edges<'p> = HashMap<&'p str, Vec<(&'p str, Span)>>;

fn circular(project: &Project) -> Vec<Mark> {
    let edges: Edges<'_> = project.all().iter().map(|one| (one.logical_id.as_str(), waits_for(project, one))).collect();
    let mut told: HashSet<&str> = HashSet::new();
    let mut marks = Vec::new();
    for resource in project.all() {
        let id = resource.logical_id.as_str();
        if told.contains(id) {
            continue;
        }
        let Some(cycle) = shortest_cycle(id, &edges) else { continue };
        told.extend(cycle.iter().map(|(id, _)| *id));
        marks.push(mark(id, &cycle));
    }
    marks
}

fn waits_for<'p>(project: &'p Project, resource: &'p Resource) -> Vec<(&'p str, Span)> {
    let referred = project.references(&resource.written).into_iter().map(|(id, _, span)| (id, span));
    let named = resource.depends_on.iter().map(|id| (id.clone(), resource.span.clone()));
    let known = |id: String, span| project.resource(&id).map(|other| (other.logical_id.as_str(), span));
    referred.chain(named).filter_map(|(id, span)| known(id, span)).collect()
}

/// The way from a resource back to itself: whom each waits for, and where that is said.
fn shortest_cycle<'p>(from: &'p str, edges: &Edges<'p>) -> Option<Vec<(&'p str, Span)>> {
    let mut came: HashMap<&str, (&'p str, Span)> = HashMap::new();
    let mut waiting = std::collections::VecDeque::from([from]);
    while let Some(at) = waiting.pop_front() {
        for (to, span) in edges.get(at).into_iter().flatten() {
            if came.contains_key(to) {
                continue;
            }
            came.insert(to, (at, span.clone()));
            if *to == from {
                return Some(way_back(from, &came));
            }
            waiting.push_back(to);
        }
    }
    None
}

fn way_back<'p>(from: &'p str, came: &HashMap<&str, (&'p str, Span)>) -> Vec<(&'p str, Span)> {
    let (mut way, mut at) = (Vec::new(), from);
    while let Some((before, span)) = came.get(at) {
        way.push((at, span.clone()));
        at = before;
        if at == from {
            break;
        }
    }
    way.reverse();
    way
}

fn mark(from: &str, cycle: &[(&str, Span)]) -> Mark {
    let path = cycle.iter().map(|(id, _)| *id);
    let message =
        format!("resources wait for each other: {}", std::iter::once(from).chain(path).collect::<Vec<_>>().join(" → "));
    let mut steps = cycle.iter();
    let (first, span) = steps.next().expect("a cycle has a step");
    let mut mark = Mark::at(span, message).label(format!("{from} waits for {first}"));
    let mut before = *first;
    for (id, span) in steps {
        mark = mark.also(span, format!("{before} waits for {id}"));
        before = id;
    }
    mark.help(
        "take the pool's id from event.userPoolId instead of an environment variable, put a permission that names the pool \
         into an AWS::IAM::Policy of its own, or write the ARN with Fn::Sub and names",
    )
}
