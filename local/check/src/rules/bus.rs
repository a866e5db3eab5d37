//! Buses, and rules on them.

use template::Node;

use crate::finding::{Check, Mark, Rule, Severity};
use crate::project::{Project, Resource, is_unknown, mark, marks};

const BUS: &str = "AWS::Events::EventBus";
const RULE: &str = "AWS::Events::Rule";

pub const CREATED_TWICE: Rule = Rule {
    id: "bus-created-twice",
    severity: Severity::Error,
    reason: "a plain name in an eventBridge event makes a bus of that name; an ARN or a reference uses one that is there",
    check: Check::Project(created_twice),
};

fn created_twice(project: &Project) -> Vec<Mark> {
    let named: Vec<(&Resource, &Node)> = project.of_kind(BUS).filter_map(|bus| Some((bus, bus.get("Name")?))).collect();
    let mut marks = Vec::new();
    for (at, (bus, name)) in named.iter().enumerate() {
        let same = |(_, other): &&(&Resource, &Node)| other.as_str() == name.as_str() && !is_unknown(name);
        if let Some((first, _)) = named[..at].iter().find(same) {
            let message =
                format!("two buses are called {}: the second one cannot be made", name.as_str().unwrap_or_default());
            let (place, other) = if is_generated(bus) || !is_generated(first) { (bus, first) } else { (first, bus) };
            marks.push(Mark::at(&place.span, message).also(&other.span, "the other one").help(
                "in an eventBridge event, name a bus of `resources` by reference: eventBus: !Ref TheBus, or !GetAtt TheBus.Arn",
            ));
        }
    }
    marks
}

/// Whether the Serverless Framework made it from an event.
fn is_generated(bus: &Resource) -> bool {
    bus.logical_id.ends_with("EventBridgeEventBus")
}

pub const MISSING: Rule = Rule {
    id: "rule-on-missing-bus",
    severity: Severity::Note,
    reason: "a rule on a bus that nobody makes cannot be made",
    check: Check::Project(missing),
};

fn missing(project: &Project) -> Vec<Mark> {
    project
        .of_kind(RULE)
        .filter_map(|rule| {
            let name = rule.get("EventBusName").filter(|name| !is_unknown(name))?;
            // A partner's bus is made in the console.
            let text = name.as_str().filter(|text| *text != "default" && !text.contains("aws.partner/"))?;
            let last = text.rsplit('/').next().unwrap_or(text);
            let is_made = project.of_kind(BUS).any(|bus| bus.name() == Some(last));
            (!is_made).then(|| {
                let message = format!("the stack makes no bus that is called {last}");
                Mark::at(&name.span, message)
                    .help("make it here and say EventBusName: !Ref TheBus, or see to it that another stack has made it before")
            })
        })
        .collect()
}

pub const PERMISSION_SOURCE: Rule = Rule {
    id: "permission-wrong-source",
    severity: Severity::Error,
    reason: "EventBridge invokes as the rule: its ARN has the bus in it, but for the default bus",
    check: Check::Project(permission_source),
};

fn permission_source(project: &Project) -> Vec<Mark> {
    project
        .of_kind("AWS::Lambda::Permission")
        .filter(|permission| permission.text("Principal") == Some("events.amazonaws.com"))
        .filter_map(|permission| {
            let source = permission.get("SourceArn")?;
            let wrong = wrong_source(project, source)?;
            let message = format!("{} lets nobody in: {wrong}", permission.logical_id);
            Some(Mark::at(&source.span, message).help("say SourceArn: !GetAtt TheRule.Arn"))
        })
        .collect()
}

/// Why no rule has this ARN.
fn wrong_source(project: &Project, source: &Node) -> Option<String> {
    let text = source.as_str()?;
    // What the ARN ends with is the rule; a bus before it may be said by what it will be called.
    let last = marks(text).last().filter(|(logical_id, attribute)| text.ends_with(&mark(logical_id, attribute)));
    if let Some((logical_id, attribute)) = last {
        let resource = project.resource(logical_id)?;
        return match (resource.kind.as_str(), attribute) {
            (BUS, _) => Some(format!("{logical_id} is a bus, and it is the rule that invokes")),
            (RULE, "") => {
                let bus = bus_of(project, resource)?;
                Some(format!("Ref of a rule on the bus {bus} is {bus}|NAME, and its ARN ends in rule/{bus}/NAME"))
            }
            _ => None,
        };
    }
    let path = text.split_once(":rule/").map(|(_, path)| path).filter(|path| !path.contains(['*', '?']))?;
    if marks(path).next().is_some() {
        return None;
    }
    let (bus, name) = path.rsplit_once('/').map_or((None, path), |(bus, name)| (Some(bus), name));
    let mut named = project.of_kind(RULE).filter(|rule| rule.name() == Some(name));
    let rule = named.next().filter(|_| named.next().is_none())?;
    match (bus, bus_of(project, rule)) {
        (None, Some(own)) => Some(format!("the rule {name} is on the bus {own}, so its ARN ends in rule/{own}/{name}")),
        (Some(_), None) if rule.get("EventBusName").is_none_or(|bus| bus.as_str() == Some("default")) => {
            Some(format!("the rule {name} is on the default bus, so its ARN ends in rule/{name}"))
        }
        (Some(bus), Some(own)) if bus != own => Some(format!("the rule {name} is on the bus {own}, not on {bus}")),
        _ => None,
    }
}

/// The bus of its own that a rule is on; its name, or what the template calls it.
fn bus_of<'p>(project: &'p Project, rule: &'p Resource) -> Option<&'p str> {
    let bus = rule.get("EventBusName")?;
    if let Some(made) = project.target_of_kind(bus, BUS) {
        let name = made.get("Name").filter(|name| !is_unknown(name)).and_then(Node::as_str);
        return Some(name.unwrap_or(&made.logical_id));
    }
    let name = bus.as_str().filter(|_| !is_unknown(bus))?;
    let name = name.rsplit('/').next().unwrap_or(name);
    (name != "default").then_some(name)
}

pub const SCHEDULE: Rule = Rule {
    id: "schedule-on-custom-bus",
    severity: Severity::Error,
    reason: "schedules run on the default bus alone",
    check: Check::Project(schedule),
};

fn schedule(project: &Project) -> Vec<Mark> {
    project
        .of_kind(RULE)
        .filter(|rule| rule.get("ScheduleExpression").is_some())
        .filter_map(|rule| {
            let name = rule.get("EventBusName").filter(|name| name.as_str() != Some("default"))?;
            let is_default = name.as_str().is_some_and(|name| name.ends_with("event-bus/default"));
            (!is_default).then(|| {
                Mark::at(&name.span, format!("{} has a schedule and a bus of its own: AWS refuses it", rule.logical_id))
                    .help("leave EventBusName out, or use AWS::Scheduler::Schedule")
            })
        })
        .collect()
}

pub const THIRD_HOP: Rule = Rule {
    id: "bus-third-hop",
    severity: Severity::Warning,
    reason: "an event that came from another bus is not passed on to a third one",
    check: Check::Project(third_hop),
};

fn third_hop(project: &Project) -> Vec<Mark> {
    let hops: Vec<_> = project
        .rule_targets()
        .into_iter()
        .filter_map(|(rule, target)| {
            let arn = target.get("Arn")?;
            let to = project.target_of_kind(arn, BUS)?;
            let from = rule.get("EventBusName").and_then(|name| project.target_of_kind(name, BUS));
            Some((rule, from.map(|bus| bus.logical_id.as_str()), to.logical_id.as_str(), arn))
        })
        .collect();
    let mut marks = Vec::new();
    for (rule, from, to, arn) in &hops {
        let Some(from) = from else { continue };
        if let Some((first, ..)) = hops.iter().find(|(_, _, before, _)| before == from) {
            let message =
                format!("what {from} got from another bus is not passed on to {to} (THIRD_ACCOUNT_HOP_DETECTED)");
            marks.push(
                Mark::at(&arn.span, message)
                    .also(&first.span, "the first hop")
                    .also(&rule.span, "the second hop")
                    .help("send to both buses from the first one"),
            );
        }
    }
    marks
}
