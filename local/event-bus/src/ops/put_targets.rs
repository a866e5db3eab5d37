//! `PutTargets`: adds targets to a rule, or replaces those of the same ids.

use std::sync::Arc;

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::EventBus;
use crate::store;
use crate::target::Target;

/// Targets of one rule (recorded).
const TARGETS_PER_RULE_MAX: usize = 5;
/// Targets in one call.
const TARGETS_PER_CALL_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    rule: Option<String>,
    event_bus_name: Option<String>,
    targets: Option<Vec<Target>>,
}

/// Also of `RemoveTargets`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    pub failed_entry_count: usize,
    pub failed_entries: Vec<FailedEntry>,
}

/// One that could not be added or removed.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FailedEntry {
    pub target_id: String,
    pub error_code: &'static str,
    pub error_message: String,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    request.constrain()?;
    let bus = room.bus_name(request.event_bus_name.as_deref());
    let name = request.rule.unwrap_or_default();
    let targets = request.targets.unwrap_or_default();
    let place = room.world.place.clone();
    let put = room.shelf.change(move |book, connection| {
        let rule = book.bus_mut(&bus)?.rule_mut(&name)?;
        for mut target in targets {
            target.check(&place)?;
            target.other.clear();
            match rule.targets.iter_mut().find(|before| before.id == target.id) {
                Some(before) => *before = Arc::new(target),
                None => rule.targets.push(Arc::new(target)),
            }
        }
        if rule.targets.len() > TARGETS_PER_RULE_MAX {
            return Err(Error::too_many());
        }
        store::put_targets(connection, rule)?;
        Ok(Response { failed_entry_count: 0, failed_entries: Vec::new() })
    });
    put.await
}

impl Request {
    fn constrain(&self) -> Result<(), Error> {
        let mut constraints = Constraints::new();
        constraints.required(self.rule.as_ref(), "rule").name(self.rule.as_deref(), "rule");
        constraints.bus(self.event_bus_name.as_deref(), "eventBusName");
        constraints.required(self.targets.as_ref(), "targets");
        let targets = self.targets.as_deref().unwrap_or_default();
        if self.targets.is_some() {
            constraints.count(targets.len(), || format!("{targets:?}"), "targets", 1, TARGETS_PER_CALL_MAX);
        }
        for (index, target) in targets.iter().enumerate() {
            target.constrain(&mut constraints, index + 1);
        }
        constraints.check()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Room;

    const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:q";

    async fn put(t: &Room, target: Value) -> crate::testing::Answer {
        t.call("PutTargets", json!({ "Rule": "r", "Targets": [target] })).await
    }

    async fn room() -> Room {
        let t = Room::new();
        t.rule("default", "r", r#"{"source":["s"]}"#).await;
        t
    }

    #[tokio::test]
    async fn adds_and_replaces_by_id() {
        let t = room().await;
        let answer = put(&t, json!({ "Id": "a", "Arn": QUEUE, "Input": "{}" })).await.ok();
        assert_eq!(answer, json!({ "FailedEntryCount": 0, "FailedEntries": [] }));
        put(&t, json!({ "Id": "b", "Arn": QUEUE })).await.ok();
        put(&t, json!({ "Id": "a", "Arn": QUEUE, "RetryPolicy": { "MaximumRetryAttempts": 0 } })).await.ok();
        let listed = t.call("ListTargetsByRule", json!({ "Rule": "r" })).await.ok();
        let expected = json!({ "Targets": [
            { "Id": "a", "Arn": QUEUE, "RetryPolicy": { "MaximumRetryAttempts": 0 } },
            { "Id": "b", "Arn": QUEUE },
        ] });
        assert_eq!(listed, expected);
    }

    #[tokio::test]
    async fn a_sixth_target_is_too_many() {
        let t = room().await;
        for id in 0..5 {
            put(&t, json!({ "Id": format!("t{id}"), "Arn": QUEUE })).await.ok();
        }
        let refused = put(&t, json!({ "Id": "t5", "Arn": QUEUE })).await;
        refused.error("LimitExceededException", "The requested resource exceeds the maximum number allowed.");
        let listed = t.call("ListTargetsByRule", json!({ "Rule": "r" })).await.ok();
        assert_eq!(listed["Targets"].as_array().map(Vec::len), Some(5));
    }

    #[tokio::test]
    async fn needs_a_rule() {
        let t = room().await;
        let refused = t.call("PutTargets", json!({ "Rule": "x", "Targets": [{ "Id": "t", "Arn": QUEUE }] })).await;
        refused.error("ResourceNotFoundException", "Rule x does not exist on EventBus default.");
    }

    #[tokio::test]
    async fn forms_are_checked() {
        let t = room().await;
        let at = "1 validation error detected: Value";
        put(&t, json!({ "Id": "!@#$@!#$", "Arn": QUEUE })).await.error(
            "ValidationException",
            &format!(r"{at} '!@#$@!#$' at 'targets.1.member.id' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_A-Za-z0-9]+"),
        );
        let long = "x".repeat(65);
        put(&t, json!({ "Id": long, "Arn": QUEUE })).await.error(
            "ValidationException",
            &format!("{at} '{long}' at 'targets.1.member.id' failed to satisfy constraint: Member must have length less than or equal to 64"),
        );
        put(&t, json!({ "Id": "t", "Arn": QUEUE, "RetryPolicy": { "MaximumRetryAttempts": 186 } })).await.error(
            "ValidationException",
            &format!("{at} '186' at 'targets.1.member.retryPolicy.maximumRetryAttempts' failed to satisfy constraint: Member must have value less than or equal to 185"),
        );
    }

    #[tokio::test]
    async fn what_cannot_be_delivered_is_refused() {
        let t = room().await;
        let fifo = format!("{QUEUE}.fifo");
        let transformer = |template: &str| json!({ "InputPathsMap": { "k": "$.detail" }, "InputTemplate": template });
        let bus = "arn:aws:events:us-east-1:000000000000:event-bus/b";
        let cases = [
            (
                json!({ "Arn": QUEUE, "Input": "1", "InputPath": "$" }),
                "Only one of Input, InputPath, or InputTransformer must be provided for target t.",
            ),
            (
                json!({ "Arn": QUEUE, "InputTransformer": transformer("\"<x>\"") }),
                "InputTemplate for target t contains invalid placeholder x.",
            ),
            (json!({ "Arn": fifo }), "Parameter(s) SqsParameters must be specified for target: t."),
            (json!({ "Arn": "q" }), "Parameter q is not valid. Reason: Provided Arn is not in correct format."),
            (
                json!({ "Arn": "arn:aws:sns:us-east-1:000000000000:topic" }),
                "Parameter arn:aws:sns:us-east-1:000000000000:topic is not valid. Reason: Targets of SNS are not implemented by this server; Lambda functions, SQS queues, event buses, API destinations and log groups of CloudWatch Logs are.",
            ),
            (
                json!({ "Arn": "arn:aws:states:us-east-1:000000000000:stateMachine:m" }),
                "Parameter arn:aws:states:us-east-1:000000000000:stateMachine:m is not valid. Reason: Targets of Step Functions are not implemented by this server; Lambda functions, SQS queues, event buses, API destinations and log groups of CloudWatch Logs are.",
            ),
            (
                json!({ "Arn": "arn:aws:glue:us-east-1:000000000000:workflow/w" }),
                "Parameter arn:aws:glue:us-east-1:000000000000:workflow/w is not valid. Reason: Targets of the service glue are not implemented by this server; Lambda functions, SQS queues, event buses, API destinations and log groups of CloudWatch Logs are.",
            ),
            (
                json!({ "Arn": QUEUE, "DeadLetterConfig": { "Arn": "arn:aws:sns:us-east-1:000000000000:t" } }),
                "Parameter DeadLetterConfig is not valid. Reason: arn:aws:sns:us-east-1:000000000000:t is not a standard SQS queue.",
            ),
            (
                json!({ "Arn": QUEUE, "KinesisParameters": {} }),
                "KinesisParameters of target t is not implemented by this server.",
            ),
            (
                json!({ "Arn": bus, "InputPath": "$.detail" }),
                "Modifying the input for target t, an event bus, is not implemented by this server.",
            ),
            (
                json!({ "Arn": QUEUE, "DeadLetterConfig": { "Arn": fifo } }),
                "Parameter DeadLetterConfig is not valid. Reason: arn:aws:sqs:us-east-1:000000000000:q.fifo is not a standard SQS queue.",
            ),
            (
                json!({ "Arn": QUEUE, "InputPath": "detail" }),
                "Parameter InputPath is not valid. Reason: detail of target t is no JSON path.",
            ),
            (
                json!({ "Arn": QUEUE, "Input": "{x}" }),
                "JSON syntax error in input for target t : Unexpected character ('x' (code 120)): was expecting double-quote to start field name\n at [Source: (String)\"{x}\"; line: 1, column: 2]",
            ),
        ];
        for (mut target, message) in cases {
            target["Id"] = "t".into();
            put(&t, target).await.error("ValidationException", message);
        }
        put(&t, json!({ "Id": "t", "Arn": QUEUE, "InputPath": "$.notexisting" })).await.ok();
        let grouped = json!({ "MessageGroupId": "g" });
        put(&t, json!({ "Id": "t", "Arn": fifo, "SqsParameters": grouped })).await.ok();
        put(&t, json!({ "Id": "t", "Arn": bus })).await.ok();
    }
}
