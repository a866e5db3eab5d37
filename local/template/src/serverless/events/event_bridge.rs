//! `eventBridge`: a rule of an event bus or of its schedule.
//!
//! A bus given by a plain name that is not `default` is made; an ARN or an intrinsic means one that is there.
//! <https://www.serverless.com/framework/docs/providers/aws/events/event-bridge>

use crate::error::TemplateError;
use crate::near::did_you_mean;
use crate::node::Node;
use crate::serverless::naming;
use crate::serverless::service::{Draft, Event, Service, falsy};
use crate::serverless::write::{Block, arn, join, resource};

const KIND: &str = "eventBridge";
const SETTINGS: &[&str] = &[
    "eventBus",
    "schedule",
    "name",
    "description",
    "enabled",
    "pattern",
    "input",
    "inputPath",
    "inputTransformer",
    "retryPolicy",
    "deadLetterQueueArn",
];
const PATTERN: &[&str] =
    &["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail", "$or"];

pub(super) fn compile(service: &Service, draft: &mut Draft) -> Result<(), TemplateError> {
    for event in service.events(KIND) {
        rule(&event, draft)?;
    }
    Ok(())
}

/// A bus as the rule names it.
struct Bus {
    /// What goes into the rule; nothing for the default bus.
    name: Option<Node>,
    /// The logical id, if the event makes the bus.
    made: Option<String>,
}

fn rule(event: &Event, draft: &mut Draft) -> Result<(), TemplateError> {
    event.value.expect_map(KIND)?;
    event.known(KIND, SETTINGS, draft);
    let (function, span) = (event.function, event.span);
    if event.get("pattern").is_none() && event.get("schedule").is_none() {
        let message = format!("{KIND} of the function {} needs a pattern or a schedule", function.key);
        return Err(TemplateError::new(span, message));
    }
    if let Some(pattern) = event.get("pattern") {
        check_pattern(pattern)?;
    }
    let bus = bus(event, draft)?;
    let name = match event.get("name") {
        Some(name) => name.expect_str("a rule's name")?.to_owned(),
        None => naming::short_rule_name(&function.name, event.position),
    };
    let enabled = !event.get("enabled").is_some_and(falsy);
    let properties = Block::at(span)
        .maybe("Description", event.get("description"))
        .maybe("EventBusName", bus.name.as_ref().filter(|bus| bus.as_str() != Some("default")))
        .maybe("EventPattern", event.get("pattern"))
        .set("Name", name.as_str())
        .maybe("ScheduleExpression", event.get("schedule"))
        .set("State", if enabled { "ENABLED" } else { "DISABLED" })
        .set("Targets", vec![target(event, &name)?]);
    let waits_for = bus.made.as_deref().or(function.alias_id());
    let compiled = resource(span, "AWS::Events::Rule", properties).maybe("DependsOn", waits_for);
    let id = naming::alphanumeric(&naming::rule_name(&function.name, event.position));
    draft.resource(&format!("{id}EventBridgeRule"), span, compiled);

    let mut path = vec![Node::string(span, "rule")];
    path.extend(bus.name);
    path.push(Node::string(span, name));
    let parts = ["arn", "AWS::Partition", "events", "AWS::Region", "AWS::AccountId"];
    let permission = event.permission("events.amazonaws.com", Some(arn(span, &parts, join(span, "/", path))));
    let id = format!("{}EventBridgeLambdaPermission{}", naming::resource(&function.key), event.position);
    draft.resource(&id, span, permission);
    Ok(())
}

fn bus(event: &Event, draft: &mut Draft) -> Result<Bus, TemplateError> {
    let Some(bus) = event.get("eventBus") else { return Ok(Bus { name: None, made: None }) };
    if bus.as_map().is_some() {
        if let Some(("Fn::GetAtt", argument)) = bus.as_intrinsic()
            && argument.as_list().and_then(|items| items.get(1)?.as_str()) == Some("Arn")
        {
            draft.warn(
                &bus.span,
                "eventBus: with a bus's Arn the generated permission names no rule, write Name or !Ref",
            );
        }
        return Ok(Bus { name: Some(bus.clone()), made: None });
    }
    let name = bus.expect_str("eventBus")?;
    if name.starts_with("arn") {
        let name = name.split_once('/').map_or(name, |(_, name)| name);
        return Ok(Bus { name: Some(Node::string(&bus.span, name)), made: None });
    }
    if name == "default" {
        // https://github.com/serverless/serverless/issues/13038
        let message = "eventBus: default makes a permission for rule/default/…, which no rule has: leave eventBus out";
        draft.warn(&bus.span, message);
        return Ok(Bus { name: Some(bus.clone()), made: None });
    }
    let id = naming::event_bus(name);
    if !id.chars().all(|c| c.is_ascii_alphanumeric()) {
        let message = format!("the bus {name} would be the resource {id}, and logical ids are letters and digits");
        return Err(TemplateError::new(&bus.span, message)
            .hint("declare the bus under resources and write eventBus: !Ref of it"));
    }
    let properties = Block::at(&bus.span).set("Name", bus);
    draft.resource(&id, &bus.span, resource(&bus.span, "AWS::Events::EventBus", properties));
    Ok(Bus { name: Some(bus.clone()), made: Some(id) })
}

fn check_pattern(pattern: &Node) -> Result<(), TemplateError> {
    for entry in pattern.expect_map("pattern")?.entries() {
        if !PATTERN.contains(&entry.key.as_str()) {
            let message = format!("a pattern has no {}", entry.key);
            let error = TemplateError::new(&entry.key_span, message);
            return Err(error.hint(
                did_you_mean(&entry.key, PATTERN.iter().copied())
                    .unwrap_or_else(|| format!("it has {}", PATTERN.join(", "))),
            ));
        }
    }
    Ok(())
}

fn target(event: &Event, rule_name: &str) -> Result<Block, TemplateError> {
    let span = event.span;
    let target = Block::at(span)
        .set("Arn", event.function.target(span))
        .set("Id", naming::target_id(rule_name))
        .maybe("RetryPolicy", event.get("retryPolicy").map(retry_policy))
        .maybe(
            "DeadLetterConfig",
            event.get("deadLetterQueueArn").map(|queue| Block::at(&queue.span).set("Arn", queue)),
        );
    let set: Vec<&str> =
        ["input", "inputPath", "inputTransformer"].into_iter().filter(|key| event.get(key).is_some()).collect();
    if set.len() > 1 {
        let message =
            "You can only set one of input, inputPath, or inputTransformer properties for eventBridge events.";
        return Err(TemplateError::new(span, message));
    }
    let input = event.get("input").map(|input| Node::string(&input.span, input.to_json().to_string()));
    let transformer = match event.get("inputTransformer") {
        Some(transformer) => Some(input_transformer(transformer)?),
        None => None,
    };
    Ok(target.maybe("Input", input).maybe("InputPath", event.get("inputPath")).maybe("InputTransformer", transformer))
}

fn retry_policy(policy: &Node) -> Block {
    Block::at(&policy.span)
        .maybe("MaximumEventAgeInSeconds", policy.get("maximumEventAge"))
        .maybe("MaximumRetryAttempts", policy.get("maximumRetryAttempts"))
}

/// `inputPathsMap` and `inputTemplate` under CloudFormation's names.
pub(super) fn input_transformer(transformer: &Node) -> Result<Block, TemplateError> {
    transformer.expect_map("inputTransformer")?;
    let template = transformer
        .get("inputTemplate")
        .ok_or_else(|| TemplateError::new(&transformer.span, "inputTransformer needs inputTemplate"))?;
    Ok(Block::at(&transformer.span)
        .maybe("InputPathsMap", transformer.get("inputPathsMap"))
        .set("InputTemplate", template))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::serverless::testing::{check_error, check_resource, document, ids};

    fn service(event: &str) -> String {
        format!(
            "functions:\n  welcome-mail:\n    handler: a.b\n    events:\n      - sqs: arn:aws:sqs:x:1:q\n      - eventBridge: {event}\n"
        )
    }

    #[track_caller]
    fn check(event: &str, path: &str, expected: Value) {
        assert_eq!(document(&service(event)).pointer(path).cloned(), Some(expected));
    }

    #[test]
    fn a_plain_name_makes_a_bus() {
        let service = service("{eventBus: my-bus, pattern: {source: [app]}}");
        check_resource(
            &service,
            "MyDashbusEventBridgeEventBus",
            json!({"Type": "AWS::Events::EventBus", "Properties": {"Name": "my-bus"}}),
        );
        check_resource(
            &service,
            "Shopdevwelcomemailrule2EventBridgeRule",
            json!({
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "EventBusName": "my-bus",
                    "EventPattern": {"source": ["app"]},
                    "Name": "shop-dev-welcome-mail-rule-2",
                    "State": "ENABLED",
                    "Targets": [{
                        "Arn": {"Fn::GetAtt": ["WelcomeDashmailLambdaFunction", "Arn"]},
                        "Id": "shop-dev-welcome-mail-rule-2-target"
                    }]
                },
                "DependsOn": "MyDashbusEventBridgeEventBus"
            }),
        );
        check_resource(
            &service,
            "WelcomeDashmailEventBridgeLambdaPermission2",
            json!({
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "FunctionName": {"Fn::GetAtt": ["WelcomeDashmailLambdaFunction", "Arn"]},
                    "Action": "lambda:InvokeFunction",
                    "Principal": "events.amazonaws.com",
                    "SourceArn": {"Fn::Join": [":", [
                        "arn", {"Ref": "AWS::Partition"}, "events", {"Ref": "AWS::Region"}, {"Ref": "AWS::AccountId"},
                        {"Fn::Join": ["/", ["rule", "my-bus", "shop-dev-welcome-mail-rule-2"]]}
                    ]]}
                }
            }),
        );
    }

    #[test]
    fn other_buses_are_there_already() {
        let rule = "/Resources/Shopdevwelcomemailrule2EventBridgeRule/Properties/EventBusName";
        check("{eventBus: !Ref Bus, pattern: {source: [a]}}", rule, json!({"Ref": "Bus"}));
        check("{eventBus: 'arn:aws:events:r:1:event-bus/b', pattern: {source: [a]}}", rule, json!("b"));
        for event in
            ["{pattern: {source: [a]}}", "{eventBus: default, pattern: {source: [a]}}", "{schedule: rate(1 hour)}"]
        {
            assert_eq!(document(&service(event)).pointer(rule), None);
            assert!(!ids(&service(event)).iter().any(|id| id.ends_with("EventBus")), "{event}");
        }
    }

    #[test]
    fn targets_have_inputs_and_second_chances() {
        let target = "/Resources/Shopdevwelcomemailrule2EventBridgeRule/Properties/Targets/0";
        check("{schedule: rate(1 hour), input: {a: 1}}", &format!("{target}/Input"), json!(r#"{"a":1}"#));
        check("{schedule: rate(1 hour), inputPath: $.detail}", &format!("{target}/InputPath"), json!("$.detail"));
        check(
            "{schedule: rate(1 hour), inputTransformer: {inputPathsMap: {x: $.y}, inputTemplate: '<x>'}}",
            &format!("{target}/InputTransformer"),
            json!({"InputPathsMap": {"x": "$.y"}, "InputTemplate": "<x>"}),
        );
        check(
            "{schedule: rate(1 hour), retryPolicy: {maximumEventAge: 60, maximumRetryAttempts: 3}}",
            &format!("{target}/RetryPolicy"),
            json!({"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 3}),
        );
        check(
            "{schedule: rate(1 hour), deadLetterQueueArn: !GetAtt Q.Arn}",
            &format!("{target}/DeadLetterConfig"),
            json!({"Arn": {"Fn::GetAtt": ["Q", "Arn"]}}),
        );
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        check_error(
            &service("{eventBus: b}"),
            "serverless.yml:8:9: eventBridge of the function welcome-mail needs a pattern or a schedule",
        );
        check_error(
            &service("{pattern: {detailtype: [a]}}"),
            "serverless.yml:8:33: a pattern has no detailtype (did you mean detail-type?)",
        );
        check_error(
            &service("{schedule: rate(1 hour), input: {}, inputPath: $.a}"),
            "serverless.yml:8:9: You can only set one of input, inputPath, or inputTransformer properties for \
             eventBridge events.",
        );
    }
}
