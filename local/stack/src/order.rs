//! In what order a stack's resources are made.
//!
//! What must be there is made first. What is only named (a function's environment names a pool that names the
//! function) may come in any order, since names are known before anything is made; and what names something that is
//! known later still, in a property that can be set later, is made without that property and gets it in the end.
//! So a circle stops nothing but where each of its resources must be there before the next.

use std::collections::BTreeSet;

use template::{Kind, Node, Resource, Template, TemplateError};

use crate::existing_pool_of;
use crate::kind::Presence;
use crate::kinds;
use crate::known::{self, Known};

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
        (found != at && is_made(known, &template.resources[found])).then_some(found)
    };
    let mut needs = Vec::new();
    if !is_made(known, resource) {
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
        for name in awaited_secrets(template, known, value) {
            let need = if kind.unordered().contains(&property) { Need::Later } else { Need::There };
            needs.extend(position(&name).map(|on| (on, need)));
        }
    }
    needs.extend(existing_pool_of(template, known, resource).and_then(position).map(|on| (on, Need::There)));
    needs
}

fn is_made(known: &Known<'_>, resource: &Resource) -> bool {
    kinds::of(&resource.kind).presence() == Presence::Made && !known.absent.contains_key(&resource.logical_id)
}

/// The stack's own secrets that dynamic references in a value name, by reference or by name.
fn awaited_secrets(template: &Template, known: &Known<'_>, value: &Node) -> Vec<String> {
    if !has_dynamic_reference(value) {
        return Vec::new();
    }
    // A mistake in it is told when all properties are read.
    template.resolve(value, known).map(|value| known::named_later(&value.to_json())).unwrap_or_default()
}

fn has_dynamic_reference(node: &Node) -> bool {
    match &node.kind {
        Kind::Scalar(scalar) => scalar.text.contains("{{resolve:"),
        Kind::List(items) => items.iter().any(has_dynamic_reference),
        Kind::Map(map) => map.iter().any(|(_, value)| has_dynamic_reference(value)),
    }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Write;

    use proptest::prelude::*;
    use template::{Inputs, Source, load_template};
    use world::Place;

    use super::*;
    use crate::Surroundings;
    use crate::known::Elsewhere;

    fn ordered(resources: &str) -> Result<Vec<String>, String> {
        let text = format!("Resources:\n{resources}");
        let document = load_template(&Source::new("t.yaml", text)).expect("it can be read");
        let template = Template::read(document, Inputs::default()).expect("it is a template");
        let around =
            Surroundings { stack: "s".into(), place: Place::default(), endpoint: "http://localhost".into(), depth: 0 };
        let elsewhere = Elsewhere::default();
        let known = known::Known::of(&template, &around, &elsewhere);
        let order = order(&template, &known).map_err(|error| error.message)?;
        Ok(order.into_iter().map(|at| template.resources[at].logical_id.clone()).collect())
    }

    #[track_caller]
    fn check(resources: &str, expected: &[&str]) {
        assert_eq!(ordered(resources).expect("there is an order"), expected);
    }

    fn function(name: &str, variable: &str) -> String {
        format!(
            "  {name}: {{Type: AWS::Lambda::Function, Properties: {{Environment: {{Variables: {{V: {variable}}}}}}}}}\n"
        )
    }

    #[test]
    fn what_is_named_only_may_come_later() {
        let pool = "  P: {Type: AWS::Cognito::UserPool, Properties: {LambdaConfig: {PreSignUp: !GetAtt F.Arn}}}\n";
        check(&format!("{pool}{}", function("F", "!Ref P")), &["F", "P"]);
        check(&format!("{pool}{}", function("F", "x")), &["F", "P"]);
        check(&format!("{}{pool}", function("F", "!Ref P")), &["F", "P"]);
    }

    #[test]
    fn what_is_known_later_comes_first_if_it_can() {
        let client =
            "  C: {Type: AWS::Cognito::UserPoolClient, Properties: {UserPoolId: !Ref P, GenerateSecret: true}}\n";
        let pool = "  P: {Type: AWS::Cognito::UserPool, Properties: {LambdaConfig: {PreSignUp: !GetAtt F.Arn}}}\n";
        check(&format!("{}{client}{pool}", function("F", "!GetAtt C.ClientSecret")), &["P", "C", "F"]);
        // A version is known only when it is published, so here nothing can be first in full: the function is made
        // without the secret, and gets it in the end.
        let version = "  V: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref F}}\n";
        let pool = "  P: {Type: AWS::Cognito::UserPool, Properties: {LambdaConfig: {PreSignUp: !Ref V}}}\n";
        check(&format!("{}{client}{pool}{version}", function("F", "!GetAtt C.ClientSecret")), &["F", "V", "P", "C"]);
    }

    #[test]
    fn kinds_have_an_order_where_nothing_else_says_one() {
        check(
            "  R: {Type: AWS::Events::Rule}\n  P: {Type: AWS::Cognito::UserPool}\n  F: {Type: AWS::Lambda::Function}\n  \
             Q: {Type: AWS::SQS::Queue}\n  L: {Type: AWS::Logs::LogGroup}\n",
            &["L", "Q", "F", "P", "R"],
        );
        check("  F: {Type: AWS::Lambda::Function, DependsOn: P}\n  P: {Type: AWS::Cognito::UserPool}\n", &["P", "F"]);
    }

    #[test]
    fn a_circle_is_told_with_its_resources() {
        let queue = |name: &str, other: &str| {
            format!(
                "  {name}: {{Type: AWS::SQS::Queue, Properties: {{RedrivePolicy: {{deadLetterTargetArn: !GetAtt {other}.Arn}}}}}}\n"
            )
        };
        let text = format!("{}{}{}", queue("A", "B"), queue("B", "C"), queue("C", "B"));
        assert_eq!(ordered(&text), Err("Circular dependency between resources: [B, C]".into()));
    }

    proptest! {
        /// Queues need each other in any order without a circle, functions name anything: what is needed comes first.
        #[test]
        fn what_is_needed_comes_first(
            needs in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..12),
            names in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
            shuffled in any::<prop::sample::Index>(),
        ) {
            let count = needs.len();
            let queue = |at: usize| format!("Q{}", (at * 7 + shuffled.index(count)) % count);
            let unique = (0..count).map(queue).collect::<BTreeSet<_>>().len() == count;
            prop_assume!(unique);
            let mut wanted = BTreeMap::new();
            let mut lines = Vec::new();
            for (at, (index, needs)) in needs.iter().enumerate() {
                let mut line = format!("  {}: {{Type: AWS::SQS::Queue", queue(at));
                if *needs && at > 0 {
                    let other = queue(index.index(at));
                    write!(line, ", Properties: {{RedrivePolicy: {{deadLetterTargetArn: !GetAtt {other}.Arn}}}}").expect("it fits");
                    wanted.insert(queue(at), other);
                }
                lines.push(line + "}\n");
            }
            for (at, index) in names.iter().enumerate() {
                // Two functions may name each other.
                let all = count + names.len();
                let other = index.index(all);
                let other = if other < count { queue(other) } else { format!("F{}", other - count) };
                lines.push(function(&format!("F{at}"), &format!("!Ref {other}")));
            }
            let by = shuffled.index(lines.len());
            lines.rotate_left(by);
            let order = ordered(&lines.concat()).expect("there is an order");
            let place = |name: &String| order.iter().position(|other| other == name);
            prop_assert_eq!(order.len(), lines.len());
            for (queue, other) in &wanted {
                prop_assert!(place(other) < place(queue), "{} before {} in {:?}", other, queue, order);
            }
        }
    }
}
