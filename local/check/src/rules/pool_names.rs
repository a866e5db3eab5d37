//! Which pool the Serverless Framework means. It makes one for every name that an event says, unless the event says
//! `existing: true`; the logical id follows from the name.

use template::serverless::is_service;
use template::{Map, Node, Span};

use super::retained::is_kept;
use crate::finding::{Check, Mark, Rule, Severity};
use crate::project::{EXISTING_POOL, Project, Resource, is_unknown};

const POOL: &str = "AWS::Cognito::UserPool";

/// A `cognitoUserPool` event as it was written.
struct Event<'p> {
    pool: &'p Node,
    existing: bool,
}

fn events(document: &Node) -> Vec<Event<'_>> {
    let mut events = Vec::new();
    if !is_service(document) {
        return events;
    }
    let Some(functions) = document.get("functions") else { return events };
    let maps = functions.as_list().map_or_else(|| vec![functions], |list| list.iter().collect());
    let functions = maps.into_iter().filter_map(Node::as_map).flat_map(|map| map.iter().map(|(_, function)| function));
    for event in functions.filter_map(|function| function.get("events")?.as_list()).flatten() {
        let Some(event) = event.get("cognitoUserPool") else { continue };
        let Some(pool) = event.get("pool") else { continue };
        events.push(Event { pool, existing: event.get("existing").and_then(Node::as_bool) == Some(true) });
    }
    events
}

pub const CREATED_TWICE: Rule = Rule {
    id: "pool-created-twice",
    severity: Severity::Error,
    reason: "a cognitoUserPool event makes a pool of its own unless `resources` has it by the very same logical id",
    check: Check::Project(created_twice),
};

fn created_twice(project: &Project) -> Vec<Mark> {
    let pools: Vec<&Resource> = project.of_kind(POOL).collect();
    let mut marks = Vec::new();
    for (at, pool) in pools.iter().enumerate() {
        let Some(name) = pool.get("UserPoolName").filter(|name| !is_unknown(name)) else { continue };
        let is_same = |other: &&&Resource| other.name() == name.as_str();
        let Some(first) = pools[..at].iter().find(is_same) else { continue };
        let text = name.as_str().unwrap_or_default();
        let message =
            format!("two pools are made that are called {text}: {} and {}", first.logical_id, pool.logical_id);
        let id = logical_id(text);
        let other = if first.logical_id == id { pool } else { first };
        let help = if project.is_serverless() {
            format!(
                "the event's pool is called {id}: give the resource {} this logical id, then the two are one",
                other.logical_id
            )
        } else {
            "make one of them, and let both uses refer to it".to_owned()
        };
        marks.push(Mark::at(&pool.span, message).also(&first.span, "the other one").help(help));
    }
    marks
}

/// The logical id of a pool that an event makes.
fn logical_id(name: &str) -> String {
    let bare: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let mut letters = bare.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    format!("CognitoUserPool{}{}", first.map(String::from).unwrap_or_default(), letters.as_str())
}

pub const COLLIDING: Rule = Rule {
    id: "pool-names-collide",
    severity: Severity::Error,
    reason: "names of pools that differ in signs alone get the same logical id, and become one pool",
    check: Check::Written(colliding),
};

fn colliding(document: &Node) -> Vec<Mark> {
    let made: Vec<&Node> =
        events(document).into_iter().filter(|event| !event.existing).map(|event| event.pool).collect();
    let mut marks = Vec::new();
    for (at, pool) in made.iter().enumerate() {
        let Some(name) = pool.as_str() else { continue };
        let collides =
            |other: &&&Node| other.as_str().is_some_and(|other| other != name && logical_id(other) == logical_id(name));
        if let Some(first) = made[..at].iter().find(collides) {
            let message =
                format!("{name} and {} are both called {}", first.as_str().unwrap_or_default(), logical_id(name));
            marks.push(
                Mark::at(&pool.span, message).also(&first.span, "the other name").help(
                    "letters and digits make the logical id: let the names differ in them, or write the same name",
                ),
            );
        }
    }
    marks
}

pub const RENAMED: Rule = Rule {
    id: "pool-renamed-by-stage",
    severity: Severity::Warning,
    reason: "the logical id of an event's pool follows from its name: another name deletes the pool and makes a new one",
    check: Check::Project(renamed),
};

fn renamed(project: &Project) -> Vec<Mark> {
    let made = events(project.document()).into_iter().filter(|event| !event.existing);
    made.filter_map(|event| {
        let text = event.pool.as_str().filter(|text| text.contains("${"))?;
        let is_its = |pool: &&Resource| pool.get("UserPoolName").is_some_and(|name| name.span == event.pool.span);
        let kept = project.of_kind(POOL).find(is_its).is_some_and(is_kept);
        (!kept).then(|| {
            let message = format!("the pool of {text} is another one as soon as a variable in its name is another");
            Mark::at(&event.pool.span, message).help(
                "declare the pool in `resources` with a logical id and DeletionPolicy: Retain, or give it a name without variables: \
                 a stack per stage keeps the pools apart",
            )
        })
    })
    .collect()
}

/// What `existing: true` makes, with the pool if it is of this stack.
fn attached(project: &Project) -> impl Iterator<Item = (&Resource, Option<&Resource>, &Span)> {
    project.of_kind(EXISTING_POOL).map(|custom| {
        let name = custom.get("UserPoolName");
        let pool =
            project.of_kind(POOL).find(|pool| pool.name().is_some() && pool.name() == name.and_then(Node::as_str));
        (custom, pool, name.map_or(&custom.span, |name| &name.span))
    })
}

pub const EXISTING_HERE: Rule = Rule {
    id: "existing-pool-of-same-stack",
    severity: Severity::Warning,
    reason: "`existing: true` attaches triggers behind CloudFormation's back: the next change of the pool takes them away",
    check: Check::Project(existing_here),
};

fn existing_here(project: &Project) -> Vec<Mark> {
    attached(project)
        .filter_map(|(_, pool, span)| {
            let pool = pool?;
            let id = logical_id(pool.name()?);
            let message = format!(
                "this pool is of the same stack ({}): it loses its triggers when its resource changes",
                pool.logical_id
            );
            Some(Mark::at(span, message).also(&pool.span, "the pool").help(format!(
                "leave `existing` out and call the resource {id}, then the event and the resource are one pool"
            )))
        })
        .collect()
}

pub const EXISTING_ELSEWHERE: Rule = Rule {
    id: "existing-pool-of-other-stack",
    severity: Severity::Note,
    reason: "the pool's own stack does not know of triggers that `existing: true` attaches, and takes them away at its next change",
    check: Check::Project(existing_elsewhere),
};

fn existing_elsewhere(project: &Project) -> Vec<Mark> {
    attached(project)
        .filter(|(_, pool, _)| pool.is_none())
        .map(|(_, _, span)| {
            Mark::at(span, "the pool is made elsewhere; the first one of this name gets the trigger, until its own stack changes it")
                .help("keep pool and trigger in one stack, or deploy this one again after each change of the pool's stack (forceDeploy: true)")
        })
        .collect()
}

pub const ELSEWHERE: Rule = Rule {
    id: "trigger-in-another-stack",
    severity: Severity::Error,
    reason: "a trigger is attached in the stack that makes the pool: an ARN, an import or a reference does not do it",
    check: Check::Written(elsewhere),
};

fn elsewhere(document: &Node) -> Vec<Mark> {
    let names_nothing = |pool: &Node| {
        pool.as_str()
            .is_none_or(|text| text.starts_with("arn:") || text.contains("UserPoolArn") || text.contains("Fn::"))
    };
    let of_serverless = events(document).into_iter().filter(|event| names_nothing(event.pool)).map(|event| {
        Mark::at(&event.pool.span, "cognitoUserPool takes the pool's name, and this is none")
            .help("write the pool's UserPoolName, and have pool and function in one stack")
    });
    of_serverless.chain(of_sam(document)).collect()
}

/// SAM's events, whose pool must be of the same template.
fn of_sam(document: &Node) -> Vec<Mark> {
    let resources = document.get("Resources").and_then(Node::as_map);
    let functions = resources.into_iter().flat_map(|map| map.iter().map(|(_, resource)| resource));
    let events = functions.filter_map(|function| function.at(&["Properties", "Events"])?.as_map()).flat_map(Map::iter);
    let of_cognito = events.filter(|(_, event)| event.get("Type").and_then(Node::as_str) == Some("Cognito"));
    of_cognito
        .filter_map(|(_, event)| {
            let pool = event.at(&["Properties", "UserPool"])?;
            let named = pool.get("Ref").and_then(Node::as_str);
            let is_here = named.and_then(|name| resources?.get(name)).is_some();
            (!is_here).then(|| {
                Mark::at(&pool.span, "Cognito events must reference a Cognito UserPool in the same template.")
                    .help("write UserPool: !Ref and the pool's logical id; for a pool that exists elsewhere, attach the trigger there")
            })
        })
        .collect()
}
