//! The section `Conditions`: which of them are true. They are decided in the order in which they need each other.

use std::collections::HashMap;

use crate::call::Call;
use crate::error::TemplateError;
use crate::near::did_you_mean;
use crate::node::{Map, Node};
use crate::resolve::{Block, Resolver};
use crate::scope::Scope;
use crate::source::Span;
use crate::template::Outside;

/// Decides every condition, and leaves what they came to in the scope.
pub(crate) fn decide(section: &Map, scope: &mut Scope, outside: &dyn Outside) -> Result<(), TemplateError> {
    for name in order(section)? {
        if let Some(node) = section.get(&name) {
            let truth = Resolver { scope, outside, block: Block::Conditions }.truth(node)?;
            scope.conditions.insert(name, truth);
        }
    }
    Ok(())
}

/// The names, each behind those that it needs.
fn order(section: &Map) -> Result<Vec<String>, TemplateError> {
    let mut needs: Vec<Vec<usize>> = Vec::new();
    let at: HashMap<&str, usize> = section.iter().enumerate().map(|(at, (name, _))| (name, at)).collect();
    for (_, node) in section.iter() {
        let mut named = Vec::new();
        names(node, &mut named);
        let found = named.into_iter().map(|(name, span)| match at.get(name) {
            Some(at) => Ok(*at),
            None => Err(unknown(name, span, Block::Conditions, section.iter().map(|(name, _)| name))),
        });
        needs.push(found.collect::<Result<_, _>>()?);
    }
    let mut needed_by = vec![Vec::new(); needs.len()];
    for (at, needed) in needs.iter().enumerate() {
        for needed in needed {
            needed_by[*needed].push(at);
        }
    }
    let mut open: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut ready: Vec<usize> = (0..open.len()).rev().filter(|at| open[*at] == 0).collect();
    let mut ordered = Vec::new();
    while let Some(at) = ready.pop() {
        ordered.push(at);
        for next in &needed_by[at] {
            open[*next] -= 1;
            if open[*next] == 0 {
                ready.push(*next);
            }
        }
    }
    let entries = section.entries();
    match open.iter().position(|open| *open > 0) {
        None => Ok(ordered.into_iter().map(|at| entries[at].key.clone()).collect()),
        Some(start) => {
            let circle = circle(start, &needs, &open);
            let names: Vec<&str> = circle.iter().map(|at| entries[*at].key.as_str()).collect();
            let message = format!("Template error: Found circular condition dependency: {}", names.join(" -> "));
            Err(TemplateError::new(&entries[circle[0]].key_span, message))
        }
    }
}

/// From an undecided condition along undecided ones until one comes again: from there to there.
fn circle(start: usize, needs: &[Vec<usize>], open: &[usize]) -> Vec<usize> {
    let mut path = vec![start];
    loop {
        let next = path.last().and_then(|last| needs[*last].iter().copied().find(|at| open[*at] > 0));
        let Some(next) = next else { return path };
        let seen = path.iter().position(|at| *at == next);
        path.push(next);
        if let Some(seen) = seen {
            return path.split_off(seen);
        }
    }
}

/// The conditions that a node names.
fn names<'n>(node: &'n Node, found: &mut Vec<(&'n str, &'n Span)>) {
    if let Some(items) = node.as_list() {
        for item in items {
            names(item, found);
        }
    }
    let Some(map) = node.as_map() else { return };
    if let Ok(Some(Call::If(condition, ..))) = Call::read(node)
        && let Some(name) = condition.as_str()
    {
        found.push((name, &condition.span));
    }
    for entry in map.entries() {
        match entry.value.as_str() {
            Some(name) if entry.key == "Condition" => found.push((name, &entry.value.span)),
            _ => names(&entry.value, found),
        }
    }
}

/// "Unresolved condition dependency …".
pub(crate) fn unknown<'k>(
    name: &str,
    span: &Span,
    block: Block,
    known: impl Iterator<Item = &'k str>,
) -> TemplateError {
    let message =
        format!("Template format error: Unresolved condition dependency {name} in the {block} block of the template");
    let error = TemplateError::new(span, message);
    match did_you_mean(name, known) {
        _ if matches!(name, "true" | "false") => {
            error.hint("a plain yes, no, on or off is a truth value: write it in quotes")
        }
        Some(hint) => error.hint(hint),
        None => error.hint(format!("no condition is named {name}")),
    }
}
