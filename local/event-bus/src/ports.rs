//! What the room needs from outside: a durable lane for deliveries, and the targets themselves.

use std::time::Duration;

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
    /// What it belongs to, for the timeline.
    pub trace: TraceId,
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

    /// Writes one message into a log group of CloudWatch Logs.
    async fn log(&self, group_arn: &str, timestamp: Timestamp, message: String) -> Result<(), TargetFailure>;

    /// Sends an event that could not be delivered to a dead-letter queue. The attributes are all strings;
    /// `RULE_ARN` is the rule that the queue's policy must allow.
    async fn dead_letter(
        &self,
        queue_arn: &str,
        body: String,
        attributes: Vec<(&'static str, String)>,
    ) -> Result<(), TargetFailure>;
}

/// HTTP to the addresses that API destinations and connections name. It follows no redirect and adds no header but
/// what HTTP itself needs.
#[async_trait]
pub trait HttpClient: Send + Sync {
    /// Sends one request and reads its answer, within the request's time.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError>;
}

/// A request. It may carry secrets, so it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `POST`, `GET`, …
    pub method: String,
    /// With scheme, host and query.
    pub url: String,
    /// Names in any case.
    pub headers: Vec<(String, String)>,
    /// Empty for none.
    pub body: Vec<u8>,
    /// For all of it, from connecting to the last byte of the answer.
    pub timeout: Duration,
}

/// An answer. Tokens come so, so it is never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HttpResponse {
    /// 200, 404, …
    pub status: u16,
    /// Names in any case.
    pub headers: Vec<(String, String)>,
    /// The first mebibyte is enough.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Why there was no answer. The texts name no secret: neither queries nor headers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// It took too long.
    #[error("there was no answer in time")]
    TimedOut,
    /// Nobody listens, or the connection broke.
    #[error("{0}")]
    NotConnected(String),
    /// There is no such host.
    #[error("{0}")]
    UnknownHost(String),
    /// The request cannot be made at all.
    #[error("{0}")]
    Impossible(String),
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
    /// The target is called by HTTP, which may take its time: put these very bytes into the lane of calls, in one
    /// transaction, and have them attempted by [`crate::EventBus::attempt_call`].
    Call {
        /// What the call belongs to.
        trace: TraceId,
    },
    /// Not attempted: not before this time. No attempt is counted.
    Postpone {
        /// Not before.
        due: Timestamp,
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
