//! Which resources a node refers to.

use crate::call::{Attribute, Call};
use crate::node::{Kind, Map, Node};
use crate::scope::Scope;
use crate::source::Span;
use crate::sub::Part;

/// What is told of a resource, which of its attributes, and where that is said.
type Found<'f> = &'f mut dyn FnMut(&str, Option<&str>, &Span);

/// Tells of them in order. What has not the right form is passed over: resolving says so.
pub(crate) fn find(node: &Node, scope: &Scope, found: Found<'_>) {
    let mut add = |resource: &str, attribute: Option<&str>| {
        if scope.resources.contains_key(resource) {
            found(resource, attribute, &node.span);
        }
    };
    match &node.kind {
        Kind::Scalar(_) => {}
        Kind::List(items) => items.iter().for_each(|item| find(item, scope, found)),
        Kind::Map(map) => match Call::read(node) {
            Ok(Some(Call::Ref(name))) => add(name, None),
            Ok(Some(Call::GetAtt(Attribute::Dotted(resource, attribute)))) => add(resource, Some(attribute)),
            Ok(Some(Call::GetAtt(Attribute::Pair(resource, attribute)))) => {
                if let Some(resource) = resource.as_str() {
                    add(resource, attribute.as_str());
                }
            }
            Ok(Some(Call::Sub(parts, variables))) => {
                for name in named(&parts, variables) {
                    match name.split_once('.') {
                        Some((resource, attribute)) => add(resource, Some(attribute)),
                        None => add(name, None),
                    }
                }
                if let Some(variables) = variables {
                    find(variables, scope, found);
                }
            }
            Ok(Some(Call::If(condition, yes, no))) => {
                match condition.as_str().and_then(|name| scope.conditions.get(name)) {
                    Some(true) => find(yes, scope, found),
                    Some(false) => find(no, scope, found),
                    None => [yes, no].into_iter().for_each(|node| find(node, scope, found)),
                }
            }
            _ => map.iter().for_each(|(_, value)| find(value, scope, found)),
        },
    }
}

/// The variables that `Fn::Sub` is not told itself.
pub(crate) fn named<'p>(parts: &'p [Part], variables: Option<&'p Node>) -> impl Iterator<Item = &'p str> {
    let told = variables.and_then(Node::as_map);
    parts.iter().filter_map(move |part| match part {
        Part::Variable(name) if told.and_then(|told: &Map| told.get(name)).is_none() => Some(name.as_str()),
        _ => None,
    })
}
