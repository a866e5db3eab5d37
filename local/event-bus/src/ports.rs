//! What the room needs from outside: a durable lane for deliveries, and the targets themselves.

use async_trait::async_trait;
use world::{Timestamp, TraceId};

/// Takes deliveries and has each of them attempted until [`Step`] says that it is over.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// Takes all of these or none. What was taken is durable when this returns.
    async fn enqueue(&self, deliveries: Vec<QueuedDelivery>) -> Result<(), EnqueueError>;
}

/// One event on its way to one target of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedDelivery {
    /// Everything that an attempt needs, whatever becomes of the rule in the meantime.
    pub body: Vec<u8>,
    /// For people: `UserCreated → rule profiles → function create-profile`.
    pub label: String,
}

/// Deliveries could not be stored: nothing of the call happened.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the deliveries could not be queued: {0}")]
pub struct EnqueueError(pub String);

/// The other rooms, as far as events reach them.
#[async_trait]
pub trait Targets: Send + Sync {
    /// Whether a function is there and lets this rule invoke it.
    async fn can_invoke(&self, function_arn: &str, rule_arn: &str) -> Result<(), TargetFailure>;

    /// Sends a message to a queue; `group_id` is for FIFO queues.
    async fn send(
        &self,
        queue_arn: &str,
        body: String,
        group_id: Option<String>,
        rule_arn: &str,
        trace: &TraceId,
    ) -> Result<(), TargetFailure>;

    /// Sends an event that could not be delivered to a dead-letter queue. The attributes are all strings;
    /// `RULE_ARN` is the rule that the queue's policy must allow.
    async fn dead_letter(
        &self,
        queue_arn: &str,
        body: String,
        attributes: Vec<(&'static str, String)>,
    ) -> Result<(), TargetFailure>;
}

/// Why a target did not take an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetFailure {
    /// May pass: the delivery is tried again by the target's retry policy.
    #[error("{code}: {message}")]
    Retryable {
        /// EventBridge's `ERROR_CODE`: `THROTTLING`, `ERROR_FROM_TARGET`, …
        code: &'static str,
        /// For people.
        message: String,
    },
    /// Will not pass: the delivery ends here.
    #[error("{code}: {message}")]
    Permanent {
        /// EventBridge's `ERROR_CODE`: `NO_PERMISSIONS`, `NO_RESOURCE`, …
        code: &'static str,
        /// For people.
        message: String,
    },
}

impl TargetFailure {
    /// May pass.
    pub fn retryable(code: &'static str, message: impl Into<String>) -> Self {
        Self::Retryable { code, message: message.into() }
    }

    /// Will not pass.
    pub fn permanent(code: &'static str, message: impl Into<String>) -> Self {
        Self::Permanent { code, message: message.into() }
    }

    /// There is no such function or queue.
    pub fn no_resource(message: impl Into<String>) -> Self {
        Self::permanent("NO_RESOURCE", message)
    }

    /// The target's policy does not allow the rule.
    pub fn no_permissions(message: impl Into<String>) -> Self {
        Self::permanent("NO_PERMISSIONS", message)
    }
}

/// What becomes of a delivery after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The target has it.
    Done,
    /// The target is a function: put this payload into the lane of asynchronous invokes, and take the delivery
    /// out of its own, in one transaction. From there the function's own retries and destinations apply.
    Invoke {
        /// The function, maybe with a version or alias.
        function_arn: String,
        /// JSON.
        payload: String,
        /// Whose doing it is.
        rule_arn: String,
        /// The event's id.
        event_id: String,
        /// What the invocation belongs to.
        trace: TraceId,
        /// Whom the event is about.
        about: Vec<String>,
    },
    /// Failed, and to be attempted again at this time.
    Retry {
        /// Not before.
        due: Timestamp,
    },
    /// Failed for good; the target's dead-letter queue has it.
    DeadLettered,
    /// Over, and nobody has it. The timeline and the log tell as well.
    Dropped {
        /// For people.
        reason: String,
    },
}
