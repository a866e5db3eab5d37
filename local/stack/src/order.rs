//! In what order a stack's resources are made.
//!
//! What must be there is made first. What is only named (a function's environment names a pool that names the
//! function) may come in any order, since names are known before anything is made; and what names something that is
//! known later still, in a property that can be set later, is made without that property and gets it in the end.
//! So a circle stops nothing but where each of its resources must be there before the next.

use std::collections::BTreeSet;

use template::{Template, TemplateError};

use crate::existing_pool_of;
use crate::kind::{Kind, Presence};
use crate::kinds;
use crate::known::Known;

/// How much a resource needs another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    /// It names it.
    Name,
    /// It names something of it that is known when it is made, in a property that can be set later.
    Later,
    /// It cannot be made without it.
    There,
}

/// The positions of a template's resources, in the order in which they are made.
pub fn order(template: &Template, known: &Known<'_>) -> Result<Vec<usize>, TemplateError> {
    let needs: Vec<Vec<(usize, Need)>> = (0..template.resources.len()).map(|at| needs(template, known, at)).collect();
    let ranks: Vec<_> = template.resources.iter().map(|resource| kinds::of(&resource.kind).rank()).collect();
    let mut left: BTreeSet<usize> = (0..needs.len()).collect();
    let mut ordered = Vec::with_capacity(needs.len());
    while !left.is_empty() {
        let unmet = |at: usize| needs[at].iter().filter(|(on, _)| left.contains(on)).map(|(_, need)| *need).max();
        let next = left.iter().copied().min_by_key(|at| (unmet(*at), ranks[*at], *at));
        let Some(next) = next.filter(|at| unmet(*at) != Some(Need::There)) else {
            return Err(circle(template, &needs, &left));
        };
        left.remove(&next);
        ordered.push(next);
    }
    Ok(ordered)
}

fn needs(template: &Template, known: &Known<'_>, at: usize) -> Vec<(usize, Need)> {
    let resource = &template.resources[at];
    let kind = kinds::of(&resource.kind);
    let position = |name: &str| {
        let found = template.resources.iter().position(|resource| resource.logical_id == name)?;
        (found != at && is_made(kinds::of(&template.resources[found].kind))).then_some(found)
    };
    let mut needs = Vec::new();
    if !is_made(kind) {
        return needs;
    }
    for name in &resource.depends_on {
        needs.extend(position(name).map(|on| (on, Need::There)));
    }
    for (property, value) in resource.properties.as_map().into_iter().flat_map(template::Map::iter) {
        for (name, attribute, _) in template.references(value) {
            let need = match kind.unordered().contains(&property) {
                false => Need::There,
                true if known.is_later(&name, attribute.as_deref()) => Need::Later,
                true => Need::Name,
            };
            needs.extend(position(&name).map(|on| (on, need)));
        }
    }
    needs.extend(existing_pool_of(template, known, resource).and_then(position).map(|on| (on, Need::There)));
    needs
}

fn is_made(kind: &dyn Kind) -> bool {
    kind.presence() == Presence::Made
}

/// In `CloudFormation`'s words, with the resources that are part of it.
fn circle(template: &Template, needs: &[Vec<(usize, Need)>], left: &BTreeSet<usize>) -> TemplateError {
    // Whoever waits needs somebody who waits: following that leads into the circle.
    let next = |at: usize| {
        let mut there = needs[at].iter().filter(|(on, need)| *need == Need::There && left.contains(on));
        there.next().map(|(on, _)| *on)
    };
    let mut path = Vec::new();
    let mut at = left.first().copied();
    while let Some(current) = at.filter(|current| !path.contains(current)) {
        path.push(current);
        at = next(current);
    }
    let begin = at.and_then(|at| path.iter().position(|on| *on == at)).unwrap_or_default();
    let circle: Vec<&str> = path[begin..].iter().map(|at| template.resources[*at].logical_id.as_str()).collect();
    let span = &template.resources[path.get(begin).copied().unwrap_or_default()].span;
    TemplateError::new(span, format!("Circular dependency between resources: [{}]", circle.join(", ")))
}
