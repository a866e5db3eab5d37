//! What the event bus needs: a lane for deliveries, functions and queues as targets.

use std::sync::Arc;

use async_trait::async_trait;
use event_bus::{Deliveries, EnqueueError, QueuedDelivery, TargetFailure, Targets};
use function_host::{Caller, FunctionHost, InvokeError};
use queues::{Lane, NewJob, OutgoingMessage, Queues, SendError};
use world::{TraceId, World};

/// EventBridge as functions see it.
const PRINCIPAL: &str = "events.amazonaws.com";

/// The rooms that the bus reaches.
pub struct BusOutside {
    pub world: World,
    pub lane: Lane,
    pub queues: Arc<Queues>,
    pub functions: Arc<FunctionHost>,
}

#[async_trait]
impl Deliveries for BusOutside {
    async fn enqueue(&self, deliveries: Vec<QueuedDelivery>) -> Result<(), EnqueueError> {
        let due = self.world.clock.now();
        let job = |delivery: QueuedDelivery| NewJob { body: delivery.body, due, label: delivery.label };
        let jobs = deliveries.into_iter().map(job).collect();
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
        _rule_arn: &str,
        _trace: &TraceId,
    ) -> Result<(), TargetFailure> {
        let message = OutgoingMessage { body, group_id, ..OutgoingMessage::default() };
        self.queues.send(queue_arn, message).await.map(drop).map_err(|error| failure(&error))
    }

    async fn dead_letter(
        &self,
        queue_arn: &str,
        body: String,
        attributes: Vec<(&'static str, String)>,
    ) -> Result<(), TargetFailure> {
        let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let message = OutgoingMessage { body, attributes, ..OutgoingMessage::default() };
        self.queues.send(queue_arn, message).await.map(drop).map_err(|error| failure(&error))
    }
}

fn failure(error: &SendError) -> TargetFailure {
    match error {
        SendError::Storage(_) => TargetFailure::retryable("INTERNAL_ERROR", error.to_string()),
        SendError::NoSuchQueue => TargetFailure::no_resource(error.to_string()),
        SendError::Refused(_) => TargetFailure::permanent("INVALID_PARAMETER", error.to_string()),
    }
}
