//! `schedule`: a rule of the default bus, or with `method: scheduler` a schedule of EventBridge Scheduler.
//! <https://www.serverless.com/framework/docs/providers/aws/events/schedule>

use crate::error::TemplateError;
use crate::make::Make;
use crate::node::Node;
use crate::serverless::service::{Draft, Event, Service, falsy};
use crate::serverless::write::{Block, resource};
use crate::serverless::{naming, roles};

use super::cloud_watch_event::input;
use super::event_bridge::input_transformer;

const KIND: &str = "schedule";
const SETTINGS: &[&str] = &[
    "rate",
    "enabled",
    "name",
    "description",
    "input",
    "inputPath",
    "inputTransformer",
    "method",
    "timezone",
    "groupName",
    "roleArn",
];

pub(super) fn compile(service: &Service, draft: &mut Draft) -> Result<(), TemplateError> {
    for function in &service.functions {
        let mut number = 0;
        for event in service.events(KIND).filter(|event| event.function.key == function.key) {
            event.known(KIND, SETTINGS, draft);
            let expressions = expressions(&event)?;
            if let (Some(name), true) = (event.get("name"), expressions.len() > 1) {
                let message = "You cannot specify a name when defining more than one rate expression";
                return Err(TemplateError::new(&name.span, message));
            }
            for expression in expressions {
                number += 1;
                if event.get("method").and_then(Node::as_str) == Some("scheduler") {
                    scheduled(service, &event, &expression, number, draft)?;
                } else {
                    rule(&event, &expression, number, draft)?;
                }
            }
        }
    }
    Ok(())
}

/// The expressions of an event: itself, its `rate`, or all of the list that `rate` is.
fn expressions(event: &Event) -> Result<Vec<Node>, TemplateError> {
    let rate = if event.value.as_map().is_some() { event.needed(KIND, "rate")? } else { event.value };
    let all = rate.as_list().map_or_else(|| vec![rate.clone()], <[Node]>::to_vec);
    for expression in &all {
        let Some(text) = expression.as_str() else { continue };
        if !["rate(", "cron(", "at("].iter().any(|start| text.starts_with(start)) || !text.ends_with(')') {
            let message = format!("a schedule is written rate(5 minutes) or cron(0 12 * * ? *), not {text}");
            return Err(TemplateError::new(&expression.span, message));
        }
    }
    Ok(all)
}

fn state(event: &Event) -> &'static str {
    if event.get("enabled").is_some_and(falsy) { "DISABLED" } else { "ENABLED" }
}

fn rule(event: &Event, expression: &Node, number: usize, draft: &mut Draft) -> Result<(), TemplateError> {
    if let Some(timezone) = event.get("timezone") {
        let message = "Cannot setup \"schedule\" event: \"timezone\" is only supported with \"scheduler\" mode";
        return Err(TemplateError::new(&timezone.span, message).hint("set method: scheduler"));
    }
    let (function, span) = (event.function, event.span);
    let transformer = match event.get("inputTransformer") {
        Some(transformer) => Some(input_transformer(transformer)?),
        None => None,
    };
    let target = Block::at(span)
        .maybe("Input", event.get("input").map(body))
        .maybe("InputPath", event.get("inputPath"))
        .maybe("InputTransformer", transformer)
        .set("Arn", function.target(span))
        .set("Id", format!("{}Schedule", function.key));
    let properties = Block::at(span)
        .set("ScheduleExpression", expression)
        .set("State", state(event))
        .maybe("Name", event.get("name"))
        .maybe("Description", event.get("description"))
        .set("Targets", vec![target]);
    let name = naming::resource(&function.key);
    let id = format!("{name}EventsRuleSchedule{number}");
    let compiled = resource(span, "AWS::Events::Rule", properties).maybe("DependsOn", function.alias_id());
    draft.resource(&id, span, compiled);
    let permission = event.permission("events.amazonaws.com", Some(Make(span).attribute(&id, "Arn")));
    draft.resource(&format!("{name}LambdaPermissionEventsRuleSchedule{number}"), span, permission);
    Ok(())
}

/// An input whose `body` is JSON in a text has that JSON read.
fn body(node: &Node) -> Node {
    let mut json = node.to_json();
    let read = json.get("body").and_then(|body| serde_json::from_str(body.as_str()?).ok());
    match read {
        Some(body) => {
            json["body"] = body;
            Node::string(&node.span, json.to_string())
        }
        None => input(node),
    }
}

fn scheduled(
    service: &Service,
    event: &Event,
    expression: &Node,
    number: usize,
    draft: &mut Draft,
) -> Result<(), TemplateError> {
    let (function, span) = (event.function, event.span);
    for key in ["inputPath", "inputTransformer"] {
        if let Some(setting) = event.get(key) {
            let message =
                format!("Cannot setup \"schedule\" event: \"{key}\" is not supported with \"scheduler\" mode");
            return Err(TemplateError::new(&setting.span, message));
        }
    }
    let role = event.get("roleArn").cloned().unwrap_or_else(|| roles::of(service, function).0);
    let target = Block::at(span)
        .set("Arn", function.target(span))
        .set("RoleArn", role)
        .maybe("Input", event.get("input").map(body));
    let properties = Block::at(span)
        .set("ScheduleExpression", expression)
        .set("State", state(event))
        .set("Target", target)
        .set("FlexibleTimeWindow", Block::at(span).set("Mode", "OFF"))
        .maybe("Name", event.get("name"))
        .maybe("GroupName", event.get("groupName"))
        .maybe("Description", event.get("description"))
        .maybe("ScheduleExpressionTimezone", event.get("timezone"));
    let compiled = resource(span, "AWS::Scheduler::Schedule", properties).maybe("DependsOn", function.alias_id());
    draft.resource(&format!("{}SchedulerSchedule{number}", naming::resource(&function.key)), span, compiled);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::serverless::testing::{check_error, check_resource, ids};

    fn service(events: &str) -> String {
        format!("functions:\n  a:\n    handler: a.b\n    events: [{events}]\n")
    }

    #[test]
    fn a_text_is_a_rule() {
        check_resource(
            &service("{schedule: rate(5 minutes)}"),
            "AEventsRuleSchedule1",
            json!({
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "ScheduleExpression": "rate(5 minutes)",
                    "State": "ENABLED",
                    "Targets": [{"Arn": {"Fn::GetAtt": ["ALambdaFunction", "Arn"]}, "Id": "aSchedule"}]
                }
            }),
        );
    }

    #[test]
    fn several_rates_are_numbered() {
        let events = "{schedule: rate(1 day)}, {schedule: {rate: [rate(1 hour), cron(0 1 * * ? *)], enabled: false}}";
        let ids = ids(&service(events));
        for id in ["AEventsRuleSchedule1", "AEventsRuleSchedule3", "ALambdaPermissionEventsRuleSchedule3"] {
            assert!(ids.iter().any(|found| found == id), "{id} in {ids:?}");
        }
    }

    #[test]
    fn the_scheduler_has_time_zones() {
        check_resource(
            &service(
                "{schedule: {rate: cron(0 9 * * ? *), method: scheduler, timezone: Europe/Oslo, input: {body: '[1]'}}}",
            ),
            "ASchedulerSchedule1",
            json!({
                "Type": "AWS::Scheduler::Schedule",
                "Properties": {
                    "ScheduleExpression": "cron(0 9 * * ? *)",
                    "State": "ENABLED",
                    "Target": {
                        "Arn": {"Fn::GetAtt": ["ALambdaFunction", "Arn"]},
                        "RoleArn": {"Fn::GetAtt": ["IamRoleLambdaExecution", "Arn"]},
                        "Input": r#"{"body":[1]}"#
                    },
                    "FlexibleTimeWindow": {"Mode": "OFF"},
                    "ScheduleExpressionTimezone": "Europe/Oslo"
                }
            }),
        );
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        check_error(
            &service("{schedule: 5 minutes}"),
            "serverless.yml:6:25: a schedule is written rate(5 minutes) or cron(0 12 * * ? *), not 5 minutes",
        );
        check_error(
            &service("{schedule: {rate: rate(1 day), timezone: UTC}}"),
            "serverless.yml:6:55: Cannot setup \"schedule\" event: \"timezone\" is only supported with \"scheduler\" mode \
             (set method: scheduler)",
        );
    }
}
