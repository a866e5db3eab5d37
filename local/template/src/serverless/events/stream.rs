//! `stream`: a mapping from a DynamoDB stream. Kinesis is read and named: there is none locally.
//! <https://www.serverless.com/framework/docs/providers/aws/events/streams>

use crate::error::TemplateError;
use crate::node::Node;
use crate::serverless::service::{Draft, Event, Service, falsy};
use crate::serverless::write::{Block, resource};
use crate::serverless::{naming, roles};

const KIND: &str = "stream";
const BATCH_SIZE: u32 = 10;
const SETTINGS: &[&str] = &[
    "arn",
    "type",
    "batchSize",
    "parallelizationFactor",
    "startingPosition",
    "startingPositionTimestamp",
    "enabled",
    "consumer",
    "batchWindow",
    "maximumRetryAttempts",
    "bisectBatchOnFunctionError",
    "maximumRecordAgeInSeconds",
    "functionResponseType",
    "destinations",
    "tumblingWindowInSeconds",
    "filterPatterns",
];

/// Settings that become a property of the same value.
const SAME: &[(&str, &str)] = &[
    ("parallelizationFactor", "ParallelizationFactor"),
    ("batchWindow", "MaximumBatchingWindowInSeconds"),
    ("maximumRetryAttempts", "MaximumRetryAttempts"),
    ("bisectBatchOnFunctionError", "BisectBatchOnFunctionError"),
    ("maximumRecordAgeInSeconds", "MaximumRecordAgeInSeconds"),
    ("tumblingWindowInSeconds", "TumblingWindowInSeconds"),
    ("startingPositionTimestamp", "StartingPositionTimestamp"),
];

pub(super) fn compile(service: &Service, draft: &mut Draft) -> Result<(), TemplateError> {
    for event in service.events(KIND) {
        event.known(KIND, SETTINGS, draft);
        let (arn, kind) = stream(&event)?;
        if kind == "kinesis" {
            let message =
                format!("stream: there is no Kinesis locally, nothing calls the function {}", event.function.key);
            draft.warn(event.span, message);
            continue;
        }
        let id = format!(
            "{}EventSourceMapping{}{}",
            naming::resource(&event.function.key),
            naming::upper_first(&kind),
            naming::alphanumeric(&source_name(arn, '/')?)
        );
        let mapping = mapping(service, &event, arn)?;
        draft.resource(&id, event.span, mapping);
    }
    Ok(())
}

/// The stream's ARN and whether it is DynamoDB's or Kinesis's.
fn stream<'e>(event: &'e Event) -> Result<(&'e Node, String), TemplateError> {
    let is_map_of_settings = event.value.as_map().is_some() && event.value.as_intrinsic().is_none();
    let arn = if is_map_of_settings { event.needed(KIND, "arn")? } else { event.value };
    if let Some(kind) = event.get("type") {
        let kind = kind.expect_str("type")?;
        if kind != "dynamodb" && kind != "kinesis" {
            return Err(event.value.unexpected_text("type", "dynamodb or kinesis"));
        }
        return Ok((arn, kind.to_owned()));
    }
    match arn.as_str().and_then(|arn| arn.split(':').nth(2)) {
        Some(kind) => Ok((arn, kind.to_owned())),
        None => Err(TemplateError::new(&arn.span, "stream needs a type: dynamodb or kinesis")
            .hint("it cannot be seen from an ARN that is not written out")),
    }
}

fn mapping(service: &Service, event: &Event, arn: &Node) -> Result<Block, TemplateError> {
    let (function, span) = (event.function, event.span);
    let batch_size = event.get("batchSize").cloned().unwrap_or_else(|| Node::plain(span, BATCH_SIZE.to_string()));
    let mut properties = Block::at(span)
        .set("BatchSize", batch_size)
        .set("Enabled", event.get("enabled").cloned().unwrap_or_else(|| Node::plain(span, "true")))
        .set("EventSourceArn", arn)
        .set("FunctionName", function.target(span))
        .set(
            "StartingPosition",
            event.get("startingPosition").cloned().unwrap_or_else(|| Node::string(span, "TRIM_HORIZON")),
        );
    for (key, property) in SAME {
        properties = properties.maybe(property, event.get(key));
    }
    if let Some(response) = event.get("functionResponseType") {
        properties = properties.set("FunctionResponseTypes", vec![response]);
    }
    if let Some(failure) = event.get("destinations").and_then(|node| node.get("onFailure")).filter(|node| !falsy(node))
    {
        if failure.as_intrinsic().is_some() {
            return Err(TemplateError::new(&failure.span, "onFailure is an ARN, or a map with a type and an arn"));
        }
        let arn = failure.get("arn").unwrap_or(failure);
        let destination = Block::at(&failure.span).set("Destination", arn);
        properties = properties.set("DestinationConfig", Block::at(&failure.span).set("OnFailure", destination));
    }
    if let Some(patterns) = event.get("filterPatterns") {
        properties = properties.set("FilterCriteria", super::filter_criteria(patterns)?);
    }
    Ok(resource(span, "AWS::Lambda::EventSourceMapping", properties).set("DependsOn", waits_for(service, event)))
}

/// What a mapping waits for: the function's role and alias.
pub(super) fn waits_for(service: &Service, event: &Event) -> Vec<String> {
    let role = roles::waited_for(service, event.function);
    role.into_iter().chain(event.function.alias_id().map(str::to_owned)).collect()
}

/// The name in an ARN, as far as it can be seen: what logical ids are made from.
pub(super) fn source_name(arn: &Node, separator: char) -> Result<String, TemplateError> {
    let last = |text: &str| text.rsplit([separator, '/']).next().unwrap_or_default().to_owned();
    if let Some(text) = arn.as_str() {
        let named = if separator == '/' { text.split('/').nth(1) } else { text.rsplit(separator).next() };
        return Ok(named.unwrap_or_default().to_owned());
    }
    let named = match arn.as_intrinsic() {
        Some(("Fn::GetAtt", argument)) => {
            argument.as_list().and_then(|items| items.first()?.as_str()).map(str::to_owned)
        }
        Some(("Fn::ImportValue" | "Ref", argument)) => argument.as_str().map(str::to_owned),
        Some(("Fn::Join", argument)) => {
            argument.as_list().and_then(|items| items.get(1)?.as_list()?.last()?.as_str()).map(last)
        }
        Some(("Fn::Sub", argument)) => {
            let text = argument.as_str().or_else(|| argument.as_list()?.first()?.as_str());
            text.map(last)
        }
        _ => None,
    };
    named.ok_or_else(|| {
        TemplateError::new(&arn.span, "no name can be seen in this ARN, and the mapping's logical id needs one")
            .hint("write it as a text, with Fn::GetAtt, Fn::ImportValue, Ref, Fn::Sub or Fn::Join")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::serverless::testing::{check_error, check_resource, check_warnings};

    fn service(event: &str) -> String {
        format!("functions:\n  a:\n    handler: a.b\n    events:\n      - stream: {event}\n")
    }

    #[test]
    fn a_table_of_the_stack() {
        check_resource(
            &service(
                "{type: dynamodb, arn: !GetAtt UsersTable.StreamArn, batchSize: 5, functionResponseType: \
                 ReportBatchItemFailures, filterPatterns: [{eventName: [INSERT]}], destinations: {onFailure: {type: sqs, \
                 arn: !GetAtt Dlq.Arn}}}",
            ),
            "AEventSourceMappingDynamodbUsersTable",
            json!({
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "BatchSize": 5,
                    "Enabled": true,
                    "EventSourceArn": {"Fn::GetAtt": ["UsersTable", "StreamArn"]},
                    "FunctionName": {"Fn::GetAtt": ["ALambdaFunction", "Arn"]},
                    "StartingPosition": "TRIM_HORIZON",
                    "FunctionResponseTypes": ["ReportBatchItemFailures"],
                    "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["Dlq", "Arn"]}}},
                    "FilterCriteria": {"Filters": [{"Pattern": r#"{"eventName":["INSERT"]}"#}]}
                },
                "DependsOn": ["IamRoleLambdaExecution"]
            }),
        );
    }

    #[test]
    fn an_arn_says_what_it_is() {
        check_resource(
            &service("arn:aws:dynamodb:us-east-1:1:table/users/stream/x"),
            "AEventSourceMappingDynamodbUsers",
            json!({
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "BatchSize": 10,
                    "Enabled": true,
                    "EventSourceArn": "arn:aws:dynamodb:us-east-1:1:table/users/stream/x",
                    "FunctionName": {"Fn::GetAtt": ["ALambdaFunction", "Arn"]},
                    "StartingPosition": "TRIM_HORIZON"
                },
                "DependsOn": ["IamRoleLambdaExecution"]
            }),
        );
    }

    #[test]
    fn kinesis_is_named() {
        check_warnings(
            &service("arn:aws:kinesis:us-east-1:1:stream/s"),
            &["7:9: stream: there is no Kinesis locally, nothing calls the function a"],
        );
    }

    #[test]
    fn a_type_is_needed_where_it_cannot_be_seen() {
        check_error(
            &service("{arn: !GetAtt T.StreamArn}"),
            "serverless.yml:7:23: stream needs a type: dynamodb or kinesis (it cannot be seen from an ARN that is not \
             written out)",
        );
        check_error(
            &service("{type: dynamodb, arn: !GetAtt T.StreamArn, destinations: {onFailure: !GetAtt Q.Arn}}"),
            "serverless.yml:7:86: onFailure is an ARN, or a map with a type and an arn",
        );
    }
}
