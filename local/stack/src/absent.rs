//! What of a stack is not made: kinds of a type that this server has not (a WebSocket API, a function in a container
//! image), and what belongs to it. The rest of the stack is made.

use std::collections::{BTreeMap, BTreeSet};

use template::{Node, Template};

use crate::kind::{Kind, Presence};
use crate::kinds;

/// Why a resource is not made, though its type is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absent {
    /// For what its properties say.
    Itself(&'static str),
    /// Because it belongs to this one, which is not made.
    With(String),
}

/// The resources that are not made, though their types are; `text` is a property's text, as far as it is known.
pub fn absent(template: &Template, text: &dyn Fn(&Node) -> Option<String>) -> BTreeMap<String, Absent> {
    let mut absent = BTreeMap::new();
    // Roles and custom resources have nothing that belongs to them: they are not looked at.
    let mut missing: BTreeSet<&str> = BTreeSet::new();
    for resource in &template.resources {
        let kind = kinds::of(&resource.kind);
        match kind.presence() {
            Presence::Made => {
                let given = |path: &str| at(&resource.properties, path).and_then(text);
                if let Some(reason) = kind.not_served(&given) {
                    absent.insert(resource.logical_id.clone(), Absent::Itself(reason));
                    missing.insert(&resource.logical_id);
                }
            }
            Presence::Absent(_) => drop(missing.insert(&resource.logical_id)),
            Presence::Silent | Presence::AbsentAll(_) => {}
        }
    }
    // Parts may have parts: a route its integration.
    loop {
        let before = absent.len();
        for resource in &template.resources {
            let kind = kinds::of(&resource.kind);
            if absent.contains_key(&resource.logical_id) || kind.presence() != Presence::Made {
                continue;
            }
            if let Some(owner) = owner(template, kind, &resource.properties, &missing) {
                absent.insert(resource.logical_id.clone(), Absent::With(owner));
                missing.insert(&resource.logical_id);
            }
        }
        if absent.len() == before {
            return absent;
        }
    }
}

/// The missing resource that one belongs to.
fn owner(template: &Template, kind: &dyn Kind, properties: &Node, missing: &BTreeSet<&str>) -> Option<String> {
    let named = kind.belongs_to().iter().filter_map(|path| at(properties, path));
    let mut references = named.flat_map(|node| template.references(node));
    references.find(|(name, ..)| missing.contains(name.as_str())).map(|(name, ..)| name)
}

/// What is at the end of a path: `Integration.Uri`.
fn at<'n>(properties: &'n Node, path: &str) -> Option<&'n Node> {
    path.split('.').try_fold(properties, |node, member| node.get(member))
}

/// What goes with a resource that is not made, and what goes with that.
pub fn gone_with<'a>(absent: &'a BTreeMap<String, Absent>, logical_id: &str) -> Vec<&'a str> {
    let mut gone: Vec<&str> = Vec::new();
    loop {
        let of = |owner: &String| *owner == logical_id || gone.contains(&owner.as_str());
        let next = absent
            .iter()
            .find(|(name, why)| matches!(why, Absent::With(owner) if of(owner)) && !gone.contains(&name.as_str()));
        match next {
            Some((name, _)) => gone.push(name),
            None => return gone,
        }
    }
}

#[cfg(test)]
mod tests {
    use template::{Inputs, Source, load_template};

    use super::*;

    #[track_caller]
    fn check(resources: &str, expected: &[(&str, Absent)]) {
        let document = load_template(&Source::new("t.yaml", format!("Resources:\n{resources}"))).expect("it is read");
        let template = Template::read(document, Inputs::default()).expect("it is a template");
        let found = absent(&template, &|node| node.as_str().map(str::to_owned));
        let expected: BTreeMap<String, Absent> =
            expected.iter().map(|(name, why)| ((*name).to_owned(), why.clone())).collect();
        assert_eq!(found, expected);
    }

    fn with(owner: &str) -> Absent {
        Absent::With(owner.to_owned())
    }

    const IMAGES: &str = "container images are not run by this server";

    #[test]
    fn parts_go_with_what_they_belong_to() {
        check(
            "  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: HTTP}}\n  \
             F: {Type: AWS::Lambda::Function, Properties: {PackageType: Image, Code: {ImageUri: x}}}\n  \
             I: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref Api, IntegrationUri: !GetAtt F.Arn}}\n  \
             R: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, Target: !Sub 'integrations/${I}'}}\n  \
             S: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api}}\n",
            &[("F", Absent::Itself(IMAGES)), ("I", with("F")), ("R", with("I"))],
        );
    }

    #[test]
    fn a_source_that_is_not_here_feeds_nobody() {
        check(
            "  K: {Type: AWS::Kinesis::Stream}\n  F: {Type: AWS::Lambda::Function, Properties: {PackageType: Zip}}\n  \
             M: {Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: !Ref F, EventSourceArn: !GetAtt K.Arn}}\n",
            &[("M", with("K"))],
        );
    }

    #[test]
    fn all_that_goes_is_told() {
        let absent = BTreeMap::from([
            ("A".to_owned(), Absent::Itself(IMAGES)),
            ("B".to_owned(), with("A")),
            ("C".to_owned(), with("B")),
            ("D".to_owned(), with("X")),
        ]);
        assert_eq!(gone_with(&absent, "A"), ["B", "C"]);
    }
}
