//! What the event bus needs: a lane for deliveries; functions, queues and log groups as targets.

use std::sync::Arc;

use async_trait::async_trait;
use aws_api::Arn;
use event_bus::{Deliveries, EnqueueError, QueuedDelivery, TargetFailure, Targets};
use function_host::{Caller, FunctionHost, InvokeError};
use logs::Logs;
use queues::{Lane, NewJob, OutgoingMessage, Queues, SendError};
use world::{Timestamp, TraceId, World};

use crate::faults;

/// EventBridge as functions see it.
const PRINCIPAL: &str = "events.amazonaws.com";
/// Where a log group's events go. AWS makes up a name.
const LOG_STREAM: &str = "events";

/// The rooms that the bus reaches.
pub struct BusOutside {
    pub world: World,
    pub lane: Lane,
    pub queues: Arc<Queues>,
    pub functions: Arc<FunctionHost>,
    pub logs: Arc<Logs>,
}

#[async_trait]
impl Deliveries for BusOutside {
    async fn enqueue(&self, deliveries: Vec<QueuedDelivery>) -> Result<(), EnqueueError> {
        let due = self.world.clock.now();
        let jobs = |QueuedDelivery { body, label, trace }: QueuedDelivery| {
            faults::queued(&self.world, self.lane.name(), NewJob { body, due, label }, Some(&trace))
        };
        let jobs = deliveries.into_iter().flat_map(jobs).collect();
        self.lane.push(jobs).await.map_err(|error| EnqueueError(error.to_string()))
    }
}

#[async_trait]
impl Targets for BusOutside {
    async fn can_invoke(&self, function_arn: &str, rule_arn: &str) -> Result<(), TargetFailure> {
        let caller = Caller::Service { principal: PRINCIPAL.into(), source_arn: rule_arn.to_owned() };
        self.functions.can_invoke(function_arn, &caller).map_err(|error| match error {
            InvokeError::AccessDenied(message) => TargetFailure::no_permissions(message),
            InvokeError::NotFound(message) => TargetFailure::no_resource(message),
            other => TargetFailure::retryable("ERROR_FROM_TARGET", other.to_string()),
        })
    }

    async fn send(
        &self,
        queue_arn: &str,
        body: String,
        group_id: Option<String>,
        rule_arn: &str,
        _trace: &TraceId,
    ) -> Result<(), TargetFailure> {
        self.may_send(queue_arn, rule_arn).await?;
        let message = OutgoingMessage { body, group_id, ..OutgoingMessage::default() };
        self.queues.send(queue_arn, message).await.map(drop).map_err(|error| failure(&error))
    }

    async fn log(&self, group_arn: &str, timestamp: Timestamp, message: String) -> Result<(), TargetFailure> {
        let arn: Option<Arn> = group_arn.parse().ok();
        let name = arn.as_ref().and_then(|arn| arn.resource.strip_prefix("log-group:"));
        let name = name.unwrap_or_default().trim_end_matches(":*");
        let internal = |error: String| TargetFailure::retryable("INTERNAL_ERROR", error);
        if !self.logs.has_group(name).await.map_err(|error| internal(error.to_string()))? {
            return Err(TargetFailure::no_resource(format!("The log group {name} does not exist.")));
        }
        let event = (timestamp.millis(), message);
        self.logs.put(name, LOG_STREAM, vec![event]).await.map_err(|error| internal(error.to_string()))
    }

    async fn dead_letter(
        &self,
        queue_arn: &str,
        body: String,
        attributes: Vec<(&'static str, String)>,
    ) -> Result<(), TargetFailure> {
        let rule_arn = attributes.iter().find(|(name, _)| *name == "RULE_ARN").map_or("", |(_, arn)| arn.as_str());
        self.may_send(queue_arn, rule_arn).await?;
        let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let message = OutgoingMessage { body, attributes, ..OutgoingMessage::default() };
        self.queues.send(queue_arn, message).await.map(drop).map_err(|error| failure(&error))
    }
}

impl BusOutside {
    /// A queue's policy must let EventBridge send for the rule; without one nobody but the owner may.
    async fn may_send(&self, queue_arn: &str, rule_arn: &str) -> Result<(), TargetFailure> {
        let internal = |error: storage::StorageError| TargetFailure::retryable("INTERNAL_ERROR", error.to_string());
        if !self.queues.has_queue(queue_arn).await.map_err(internal)? {
            return Err(failure(&SendError::NoSuchQueue));
        }
        if self.queues.allows(queue_arn, PRINCIPAL, rule_arn, "sqs:SendMessage").await.map_err(internal)? {
            return Ok(());
        }
        Err(TargetFailure::no_permissions(format!(
            "The policy of {queue_arn} does not let {PRINCIPAL} send messages (sqs:SendMessage) for {rule_arn}"
        )))
    }
}

fn failure(error: &SendError) -> TargetFailure {
    match error {
        SendError::Storage(_) => TargetFailure::retryable("INTERNAL_ERROR", error.to_string()),
        SendError::NoSuchQueue => TargetFailure::no_resource(error.to_string()),
        SendError::Refused(_) => TargetFailure::permanent("INVALID_PARAMETER", error.to_string()),
    }
}
