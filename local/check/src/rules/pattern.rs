//! Event patterns that AWS refuses, or that match nothing.

use template::{Entry, Kind, Map, Node};

use crate::finding::{Check, Mark, Rule, Severity};
use crate::project::{Project, Resource};

/// What the envelope of an event has.
const KEYS: &[&str] = &[
    "version",
    "id",
    "detail-type",
    "source",
    "account",
    "time",
    "region",
    "resources",
    "detail",
    "replay-name",
    "$or",
];
const OPERATORS: &[&str] =
    &["prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr", "exactly", "equals-ignore-case"];

fn patterns(project: &Project) -> impl Iterator<Item = (&Resource, &Node)> {
    project.of_kind("AWS::Events::Rule").filter_map(|rule| Some((rule, rule.get("EventPattern")?)))
}

fn entries(pattern: &Node) -> &[Entry] {
    pattern.as_map().map(Map::entries).unwrap_or_default()
}

pub const KEY: Rule = Rule {
    id: "event-pattern-key",
    severity: Severity::Error,
    reason: "a pattern on a field that no event has never matches",
    check: Check::Project(keys),
};

fn keys(project: &Project) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (rule, pattern) in patterns(project) {
        for entry in entries(pattern) {
            let field = entry.key.split('.').next().unwrap_or_default();
            if KEYS.contains(&field) {
                continue;
            }
            let message = format!("events have no field {field}: {} never matches", rule.logical_id);
            let bare = |key: &str| key.replace(['-', '_'], "").to_ascii_lowercase();
            let near = KEYS.iter().find(|key| bare(key) == bare(field));
            let help = match near {
                Some(near) => format!("it is called {near}"),
                None => "what the application says stands in detail: {detail: {…}}".to_owned(),
            };
            marks.push(Mark::at(&entry.key_span, message).help(help));
        }
    }
    marks
}

pub const VALUE: Rule = Rule {
    id: "event-pattern-value",
    severity: Severity::Error,
    reason: "a pattern has lists of values at its ends, and operators by their exact names",
    check: Check::Project(values),
};

fn values(project: &Project) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (_, pattern) in patterns(project) {
        if pattern.as_map().is_some() {
            fields(pattern, &mut marks);
        }
    }
    marks
}

fn fields(node: &Node, marks: &mut Vec<Mark>) {
    for entry in entries(node) {
        match &entry.value.kind {
            Kind::Scalar(_) => {
                let message = format!("the value of {} must be a list", entry.key);
                marks.push(Mark::at(&entry.value.span, message).help(format!(
                    "write {}: [{}]",
                    entry.key,
                    entry.value.span.text()
                )));
            }
            Kind::Map(map) if map.is_empty() => marks.push(Mark::at(&entry.key_span, "an empty map is no pattern")),
            Kind::Map(_) => fields(&entry.value, marks),
            Kind::List(items) if items.is_empty() => {
                marks.push(Mark::at(&entry.key_span, "an empty list is no pattern"));
            }
            Kind::List(items) if entry.key == "$or" => items.iter().for_each(|item| fields(item, marks)),
            Kind::List(items) => items.iter().for_each(|item| value(item, marks)),
        }
    }
}

fn value(item: &Node, marks: &mut Vec<Mark>) {
    match &item.kind {
        Kind::Scalar(_) => {}
        Kind::List(_) => marks.push(Mark::at(&item.span, "a list within a list is no pattern")),
        Kind::Map(map) => {
            let [entry] = map.entries() else {
                return marks.push(Mark::at(&item.span, "an operator stands alone in its map"));
            };
            if OPERATORS.contains(&entry.key.as_str()) {
                operand(entry, marks);
            } else {
                let message = format!("{} is no operator", entry.key);
                marks.push(Mark::at(&entry.key_span, message).help(format!("there are {}", OPERATORS.join(", "))));
            }
        }
    }
}

fn operand(entry: &Entry, marks: &mut Vec<Mark>) {
    let is_quoted = |node: &Node| node.as_scalar().is_some_and(|scalar| !scalar.plain);
    match entry.key.as_str() {
        "exists" if entry.value.as_bool().is_none() || is_quoted(&entry.value) => {
            let message = "exists match pattern must be either true or false, not a text";
            marks.push(Mark::at(&entry.value.span, message).help("leave the quotes out"));
        }
        "numeric" => {
            for number in entry.value.as_list().unwrap_or_default().iter().skip(1).step_by(2) {
                if is_quoted(number) || number.as_str().is_none_or(|text| text.parse::<f64>().is_err()) {
                    let message = "numeric compares with numbers, not with texts";
                    marks.push(Mark::at(&number.span, message).help("leave the quotes out"));
                }
            }
        }
        _ => {}
    }
}

pub const NEVER: Rule = Rule {
    id: "event-pattern-never-matches",
    severity: Severity::Warning,
    reason: "a plain text in a pattern means itself, and AWS's own events come to the default bus alone",
    check: Check::Project(never),
};

fn never(project: &Project) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (rule, pattern) in patterns(project) {
        for field in ["source", "detail-type"] {
            let items = pattern.get(field).and_then(Node::as_list).unwrap_or_default();
            for item in items.iter().filter(|item| item.as_str().is_some_and(|text| text.contains('*'))) {
                let text = item.as_str().unwrap_or_default();
                let message = format!("this matches a {field} that has an asterisk in it, and nothing else");
                marks.push(Mark::at(&item.span, message).help(format!("write {{wildcard: '{text}'}}")));
            }
        }
        marks.extend(of_aws(project, rule, pattern));
    }
    marks
}

/// A rule on a bus of the stack, to which nothing is forwarded, for what only AWS sends.
fn of_aws(project: &Project, rule: &Resource, pattern: &Node) -> Option<Mark> {
    let bus = project.target_of_kind(rule.get("EventBusName")?, "AWS::Events::EventBus")?;
    let is_bus = |node: &Node| project.target(node).is_some_and(|target| target.logical_id == bus.logical_id);
    let is_forwarded = project.rule_targets().iter().any(|(_, target)| target.get("Arn").is_some_and(is_bus));
    let is_open = project.of_kind("AWS::Events::EventBusPolicy").next().is_some() || bus.get("Policy").is_some();
    let is_partner = bus.get("EventSourceName").is_some();
    let sources = pattern.get("source")?.as_list()?;
    let first = sources.first()?;
    let all = sources.iter().all(|source| source.as_str().is_some_and(|text| text.starts_with("aws.")));
    (all && !is_forwarded && !is_open && !is_partner).then(|| {
        Mark::at(&first.span, format!("events of AWS's services come to the default bus, not to {}", bus.logical_id))
            .also(&bus.span, "this bus")
            .help("put the rule on the default bus: leave EventBusName out")
    })
}
