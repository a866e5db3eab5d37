//! Queues and streams that functions read.

use template::Node;

use crate::finding::{Check, Mark, Rule, Severity};
use crate::project::{Project, Resource};

const MAPPING: &str = "AWS::Lambda::EventSourceMapping";
/// What AWS recommends: the queue must wait for the function's attempts, and for the times that it is throttled.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>
const TIMES: u64 = 6;
const QUEUE_DEFAULT_SECONDS: u64 = 30;
const FUNCTION_DEFAULT_SECONDS: u64 = 3;

/// Mappings of queues of the stack, with the queue.
fn of_queues(project: &Project) -> impl Iterator<Item = (&Resource, &Resource)> {
    project.of_kind(MAPPING).filter_map(|mapping| {
        Some((mapping, project.target_of_kind(mapping.get("EventSourceArn")?, "AWS::SQS::Queue")?))
    })
}

pub const VISIBILITY: Rule = Rule {
    id: "queue-visibility-timeout",
    severity: Severity::Warning,
    reason: "a queue whose visibility timeout is short gives messages out again while the function still works on them",
    check: Check::Project(visibility),
};

fn visibility(project: &Project) -> Vec<Mark> {
    of_queues(project)
        .filter_map(|(mapping, queue)| {
            let function = project.function(mapping.get("FunctionName")?)?;
            let timeout = function.number("Timeout").unwrap_or(FUNCTION_DEFAULT_SECONDS);
            let visible = queue.number("VisibilityTimeout").unwrap_or(QUEUE_DEFAULT_SECONDS);
            // Two defaults are nobody's plan.
            let timeout_span = &function.get("Timeout").unwrap_or(&function.properties).span;
            let is_written = timeout_span.text().parse() == Ok(timeout) || queue.get("VisibilityTimeout").is_some();
            (visible < TIMES * timeout && is_written).then(|| {
                let message = format!(
                    "messages come back after {visible} s, and {} may take {timeout} s for one batch",
                    function.logical_id
                );
                Mark::at(queue.span_at(&["VisibilityTimeout"]), message)
                    .also(function.span_at(&["Timeout"]), "the function's time-out")
                    .help(format!(
                        "set VisibilityTimeout to {} or more: {TIMES} times the function's time-out",
                        TIMES * timeout
                    ))
            })
        })
        .collect()
}

pub const REDRIVE: Rule = Rule {
    id: "queue-without-redrive",
    severity: Severity::Warning,
    reason: "a message that a function cannot take comes back until it expires; in a FIFO queue it holds up its group",
    check: Check::Project(redrive),
};

fn redrive(project: &Project) -> Vec<Mark> {
    of_queues(project)
        .filter(|(_, queue)| queue.get("RedrivePolicy").is_none())
        .map(|(mapping, queue)| {
            let message = format!("a message that fails in {} is tried again for days, then gone", queue.logical_id);
            Mark::at(&queue.span, message)
                .also(&mapping.span, "this mapping reads it")
                .help("set RedrivePolicy with a deadLetterTargetArn and a maxReceiveCount of 5 or so")
        })
        .collect()
}

/// Mappings of streams.
fn of_streams(project: &Project) -> impl Iterator<Item = &Resource> {
    project.of_kind(MAPPING).filter(|mapping| {
        let Some(arn) = mapping.get("EventSourceArn") else { return false };
        let text = arn.as_str().unwrap_or_default();
        let kind = project.target(arn).map(|resource| resource.kind.as_str());
        matches!(kind, Some("AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" | "AWS::Kinesis::Stream"))
            || text.contains(":dynamodb:")
            || text.contains(":kinesis:")
    })
}

pub const STREAM_RETRIES: Rule = Rule {
    id: "stream-retries-unlimited",
    severity: Severity::Warning,
    reason: "a record that fails is tried again for a day, and all behind it in its shard wait",
    check: Check::Project(stream_retries),
};

fn stream_retries(project: &Project) -> Vec<Mark> {
    let is_limited = |mapping: &Resource, property: &str| mapping.text(property).is_some_and(|value| value != "-1");
    of_streams(project)
        .filter(|mapping| !is_limited(mapping, "MaximumRetryAttempts") && !is_limited(mapping, "MaximumRecordAgeInSeconds"))
        .map(|mapping| {
            Mark::at(&mapping.span, "one bad record stops this stream for up to 24 hours").help(
                "set MaximumRetryAttempts, BisectBatchOnFunctionError: true and DestinationConfig.OnFailure, or answer with ReportBatchItemFailures too",
            )
        })
        .collect()
}

pub const STREAM_FAILURES: Rule = Rule {
    id: "stream-without-failure-destination",
    severity: Severity::Warning,
    reason: "records that a function gives up are skipped without a trace unless there is a destination",
    check: Check::Project(stream_failures),
};

fn stream_failures(project: &Project) -> Vec<Mark> {
    let limit = |mapping: &Resource| -> Option<Node> {
        let property = mapping.get("MaximumRetryAttempts").or(mapping.get("MaximumRecordAgeInSeconds"))?;
        (property.as_str() != Some("-1")).then(|| property.clone())
    };
    of_streams(project)
        .filter(|mapping| mapping.at(&["DestinationConfig", "OnFailure", "Destination"]).is_none())
        .filter_map(|mapping| {
            let limit = limit(mapping)?;
            let message =
                format!("{} skips records after their last attempt, and nobody hears of it", mapping.logical_id);
            Some(
                Mark::at(&limit.span, message)
                    .help("set DestinationConfig.OnFailure.Destination to the ARN of a queue or topic"),
            )
        })
        .collect()
}
