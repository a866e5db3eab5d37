//! `sqs`: a mapping from a queue.
//! <https://www.serverless.com/framework/docs/providers/aws/events/sqs>

use crate::error::TemplateError;
use crate::node::Node;
use crate::serverless::naming;
use crate::serverless::service::{Draft, Service};
use crate::serverless::write::{Block, resource};

use super::stream::{source_name, waits_for};

const KIND: &str = "sqs";
const BATCH_SIZE: u32 = 10;
const SETTINGS: &[&str] = &[
    "arn",
    "batchSize",
    "enabled",
    "maximumBatchingWindow",
    "functionResponseType",
    "filterPatterns",
    "maximumConcurrency",
];

pub(super) fn compile(service: &Service, draft: &mut Draft) -> Result<(), TemplateError> {
    for event in service.events(KIND) {
        let (function, span) = (event.function, event.span);
        let settings = event.value.as_map().is_some() && event.value.as_intrinsic().is_none();
        let arn = if settings { event.needed(KIND, "arn")? } else { event.value };
        if settings {
            event.known(KIND, SETTINGS, draft);
        }
        let batch_size = event.get("batchSize").cloned().unwrap_or_else(|| Node::plain(span, BATCH_SIZE.to_string()));
        let criteria = match event.get("filterPatterns") {
            Some(patterns) => Some(super::filter_criteria(patterns)?),
            None => None,
        };
        let concurrency = event.truthy("maximumConcurrency");
        let properties = Block::at(span)
            .set("BatchSize", batch_size)
            .maybe("MaximumBatchingWindowInSeconds", event.get("maximumBatchingWindow"))
            .set("EventSourceArn", arn)
            .set("FunctionName", function.target(span))
            .set("Enabled", event.get("enabled").cloned().unwrap_or_else(|| Node::plain(span, "true")))
            .maybe("FunctionResponseTypes", event.get("functionResponseType").map(|response| vec![response]))
            .maybe("FilterCriteria", criteria)
            .maybe(
                "ScalingConfig",
                concurrency.map(|number| Block::at(&number.span).set("MaximumConcurrency", number)),
            );
        let id = format!(
            "{}EventSourceMappingSQS{}",
            naming::resource(&function.key),
            naming::alphanumeric(&source_name(arn, ':')?)
        );
        let mapping =
            resource(span, "AWS::Lambda::EventSourceMapping", properties).set("DependsOn", waits_for(service, &event));
        draft.resource(&id, span, mapping);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::serverless::testing::{check_error, check_resource};

    fn service(event: &str) -> String {
        format!("functions:\n  a:\n    handler: a.b\n    events:\n      - sqs: {event}\n")
    }

    #[test]
    fn a_queue_with_settings() {
        check_resource(
            &service(
                "{arn: !GetAtt JobsQueue.Arn, batchSize: 1, maximumBatchingWindow: 0, enabled: false, maximumConcurrency: 2}",
            ),
            "AEventSourceMappingSQSJobsQueue",
            json!({
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "BatchSize": 1,
                    "MaximumBatchingWindowInSeconds": 0,
                    "EventSourceArn": {"Fn::GetAtt": ["JobsQueue", "Arn"]},
                    "FunctionName": {"Fn::GetAtt": ["ALambdaFunction", "Arn"]},
                    "Enabled": false,
                    "ScalingConfig": {"MaximumConcurrency": 2}
                },
                "DependsOn": ["IamRoleLambdaExecution"]
            }),
        );
    }

    #[test]
    fn names_of_queues_in_ids() {
        for (arn, id) in [
            ("arn:aws:sqs:eu-west-1:1:my-jobs", "AEventSourceMappingSQSMyjobs"),
            ("{arn: {'Fn::ImportValue': other-queue}}", "AEventSourceMappingSQSOtherqueue"),
            ("{arn: {'Fn::Join': [':', [arn, aws, sqs, r, '1', jobs]]}}", "AEventSourceMappingSQSJobs"),
        ] {
            let ids = crate::serverless::testing::ids(&service(arn));
            assert!(ids.iter().any(|found| found == id), "{id} in {ids:?}");
        }
    }

    #[test]
    fn an_arn_without_a_name_is_refused() {
        check_error(
            &service("{arn: {'Fn::If': [C, a, b]}}"),
            "serverless.yml:7:20: no name can be seen in this ARN, and the mapping's logical id needs one (write it as a \
             text, with Fn::GetAtt, Fn::ImportValue, Ref, Fn::Sub or Fn::Join)",
        );
    }
}
