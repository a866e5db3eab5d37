//! Where events go that nobody could take. There are two levels: EventBridge gives an event to Lambda, and Lambda gives
//! it to the function. Each has retries and a dead-letter queue of its own.

use template::{Kind, Node};

use crate::finding::{Check, Mark, Rule, Severity};
use crate::project::{Project, Resource};

pub const RULE: Rule = Rule {
    id: "rule-without-dead-letter-queue",
    severity: Severity::Warning,
    reason: "an event that EventBridge cannot deliver is gone after its retries, or at once if a permission is missing",
    check: Check::Project(rules),
};

fn event_targets(project: &Project) -> impl Iterator<Item = (&Resource, &Node)> {
    project.rule_targets().into_iter().filter(|(rule, _)| rule.get("EventPattern").is_some())
}

fn rules(project: &Project) -> Vec<Mark> {
    let is_log_group = |target: &Node| {
        let kind = target.get("Arn").and_then(|arn| project.target(arn)).map(|resource| resource.kind.as_str());
        kind == Some("AWS::Logs::LogGroup")
    };
    event_targets(project)
        .filter(|(_, target)| target.at(&["DeadLetterConfig", "Arn"]).is_none() && !is_log_group(target))
        .map(|(rule, target)| {
            let span = target.get("Arn").map_or(&rule.span, |arn| &arn.span);
            let message = format!("events of {} that cannot be delivered to this target are lost", rule.logical_id);
            Mark::at(span, message)
                .help("give the target a DeadLetterConfig with a standard queue that events.amazonaws.com may send to")
        })
        .collect()
}

pub const FUNCTION: Rule = Rule {
    id: "function-without-failure-destination",
    severity: Severity::Warning,
    reason: "once Lambda has taken an event, the rule's retries and queue are out of it: the function needs its own",
    check: Check::Project(functions),
};

fn functions(project: &Project) -> Vec<Mark> {
    let mut marks = Vec::new();
    for function in project.of_kind("AWS::Lambda::Function") {
        let is_it = |target: &Node| {
            target
                .get("Arn")
                .and_then(|arn| project.function(arn))
                .is_some_and(|one| one.logical_id == function.logical_id)
        };
        let Some((rule, target)) = event_targets(project).find(|(_, target)| is_it(target)) else { continue };
        if function.at(&["DeadLetterConfig", "TargetArn"]).is_some() || has_destination(project, function) {
            continue;
        }
        let has_queue = target.at(&["DeadLetterConfig", "Arn"]).is_some();
        let but = if has_queue { ", and the rule's dead-letter queue does not get them" } else { "" };
        let message = format!("events are lost when {} fails three times{but}", function.logical_id);
        marks.push(Mark::at(&function.span, message).also(&rule.span, "the rule that invokes it").help(
            "the rule's queue catches what cannot be handed to Lambda; what the function fails at needs an OnFailure \
             destination (AWS::Lambda::EventInvokeConfig) or a DeadLetterConfig of the function",
        ));
    }
    marks
}

fn has_destination(project: &Project, function: &Resource) -> bool {
    project.of_kind("AWS::Lambda::EventInvokeConfig").any(|config| {
        let named = config.get("FunctionName").and_then(|name| project.function(name));
        named.is_some_and(|one| one.logical_id == function.logical_id)
            && config.at(&["DestinationConfig", "OnFailure", "Destination"]).is_some()
    })
}

pub const POLICY: Rule = Rule {
    id: "queue-without-policy",
    severity: Severity::Error,
    reason: "EventBridge may send to a queue only if the queue's own policy says so; otherwise events vanish",
    check: Check::Project(policies),
};

fn policies(project: &Project) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (_, target) in project.rule_targets() {
        let queues = [
            (target.get("Arn"), "this queue gets no events"),
            (target.at(&["DeadLetterConfig", "Arn"]), "this dead-letter queue stays empty"),
        ];
        for (arn, what) in queues {
            let Some(arn) = arn else { continue };
            let Some(queue) = project.target_of_kind(arn, "AWS::SQS::Queue") else { continue };
            if !lets_events_in(project, queue) {
                let message = format!("{what}: no policy of {} lets events.amazonaws.com send to it", queue.logical_id);
                marks.push(Mark::at(&arn.span, message).also(&queue.span, "the queue").help(
                    "add an AWS::SQS::QueuePolicy that allows Service: events.amazonaws.com sqs:SendMessage, with the rule's ARN as aws:SourceArn",
                ));
            }
        }
    }
    marks
}

fn lets_events_in(project: &Project, queue: &Resource) -> bool {
    let is_of = |policy: &Resource| {
        let queues = policy.get("Queues").and_then(Node::as_list).unwrap_or_default();
        queues.iter().any(|one| project.target(one).is_some_and(|target| target.logical_id == queue.logical_id))
    };
    project.of_kind("AWS::SQS::QueuePolicy").filter(|policy| is_of(policy)).any(|policy| {
        let statements = policy.at(&["PolicyDocument", "Statement"]);
        items(statements).iter().any(|statement| {
            let allows = statement.get("Effect").and_then(Node::as_str) == Some("Allow");
            let service = statement
                .at(&["Principal", "Service"])
                .or(statement.at(&["Principal", "AWS"]))
                .or(statement.get("Principal"));
            let by_events = items(service).iter().any(|one| matches!(one.as_str(), Some("events.amazonaws.com" | "*")));
            let sends = items(statement.get("Action")).iter().any(|action| {
                let action = action.as_str().unwrap_or_default().to_ascii_lowercase();
                matches!(action.as_str(), "*" | "sqs:*" | "sqs:sendmessage" | "sqs:send*")
            });
            allows && by_events && sends
        })
    })
}

/// The items of a list; something else is a list of itself.
fn items(node: Option<&Node>) -> Vec<&Node> {
    match node.map(|node| (&node.kind, node)) {
        None => Vec::new(),
        Some((Kind::List(items), _)) => items.iter().collect(),
        Some((_, node)) => vec![node],
    }
}

pub const FIFO: Rule = Rule {
    id: "dead-letter-queue-fifo",
    severity: Severity::Error,
    reason: "dead-letter queues of rules and of functions are standard queues: a FIFO queue is refused",
    check: Check::Project(fifo),
};

fn fifo(project: &Project) -> Vec<Mark> {
    let of_rules = project.rule_targets().into_iter().filter_map(|(_, target)| target.at(&["DeadLetterConfig", "Arn"]));
    let of_functions =
        project.of_kind("AWS::Lambda::Function").filter_map(|function| function.at(&["DeadLetterConfig", "TargetArn"]));
    of_rules
        .chain(of_functions)
        .filter_map(|arn| {
            let queue = project.target_of_kind(arn, "AWS::SQS::Queue")?;
            let fifo = queue.get("FifoQueue").filter(|fifo| fifo.as_bool() == Some(true))?;
            let message = format!("{} is a FIFO queue", queue.logical_id);
            Some(Mark::at(&arn.span, message).also(&fifo.span, "it says so here").help("take a standard queue"))
        })
        .collect()
}
