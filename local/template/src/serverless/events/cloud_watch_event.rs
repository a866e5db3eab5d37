//! `cloudwatchEvent`: the older form of `eventBridge`, always on the default bus.
//! <https://www.serverless.com/framework/docs/providers/aws/events/cloudwatch-event>

use crate::error::TemplateError;
use crate::make::Make;
use crate::node::Node;
use crate::serverless::naming;
use crate::serverless::service::{Draft, Service, falsy};
use crate::serverless::write::{Block, resource};

use super::event_bridge::input_transformer;

const KIND: &str = "cloudwatchEvent";
const SETTINGS: &[&str] = &["event", "input", "inputPath", "inputTransformer", "description", "name", "enabled"];

pub(super) fn compile(service: &Service, draft: &mut Draft) -> Result<(), TemplateError> {
    for function in &service.functions {
        for (index, event) in service.events(KIND).filter(|event| event.function.key == function.key).enumerate() {
            event.value.expect_map(KIND)?;
            event.known(KIND, SETTINGS, draft);
            let span = event.span;
            let set = ["input", "inputPath", "inputTransformer"].into_iter().filter(|key| event.get(key).is_some());
            if set.count() > 1 {
                let message = "You can only set one of input, inputPath, or inputTransformer properties at the same time \
                               for cloudwatch events.";
                return Err(TemplateError::new(span, message));
            }
            let transformer = match event.get("inputTransformer") {
                Some(transformer) => Some(input_transformer(transformer)?),
                None => None,
            };
            let target = Block::at(span)
                .maybe("Input", event.get("input").map(input))
                .maybe("InputPath", event.get("inputPath"))
                .maybe("InputTransformer", transformer)
                .set("Arn", function.target(span))
                .set("Id", format!("{}CloudWatchEvent", function.key));
            let enabled = !event.get("enabled").is_some_and(falsy);
            let properties = Block::at(span)
                .set("EventPattern", event.needed(KIND, "event")?)
                .set("State", if enabled { "ENABLED" } else { "DISABLED" })
                .maybe("Description", event.get("description"))
                .maybe("Name", event.get("name"))
                .set("Targets", vec![target]);
            let name = naming::resource(&function.key);
            let id = format!("{name}EventsRuleCloudWatchEvent{}", index + 1);
            let rule = resource(span, "AWS::Events::Rule", properties).maybe("DependsOn", function.alias_id());
            draft.resource(&id, span, rule);
            let permission = event.permission("events.amazonaws.com", Some(Make(span).attribute(&id, "Arn")));
            let id = format!("{name}LambdaPermissionEventsRuleCloudWatchEvent{}", index + 1);
            draft.resource(&id, span, permission);
        }
    }
    Ok(())
}

/// A map becomes JSON; a text is JSON already.
pub(super) fn input(input: &Node) -> Node {
    match input.as_str() {
        Some(text) => Node::string(&input.span, text),
        None => Node::string(&input.span, input.to_json().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::serverless::testing::check_resource;

    #[test]
    fn a_rule_on_the_default_bus() {
        let service = "
            functions:
              a:
                handler: a.b
                events:
                  - cloudwatchEvent: {event: {source: [aws.ec2]}, input: {k: 'v'}}";
        check_resource(
            service,
            "AEventsRuleCloudWatchEvent1",
            json!({
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "EventPattern": {"source": ["aws.ec2"]},
                    "State": "ENABLED",
                    "Targets": [{
                        "Input": r#"{"k":"v"}"#,
                        "Arn": {"Fn::GetAtt": ["ALambdaFunction", "Arn"]},
                        "Id": "aCloudWatchEvent"
                    }]
                }
            }),
        );
    }
}
