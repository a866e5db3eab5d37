//! Asynchronous invocations: what is queued, one attempt of it, and where it ends.
//!
//! The queue itself is the server's. Here a job is bytes that the queue keeps for us, and an attempt says what
//! should happen to the job next. All attempts of a job have one request id, as on AWS.

#[cfg(test)]
mod tests;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use world::{Kind, Outcome as Went, Timestamp, TraceId};

use crate::error::{Error, InvokeError};
use crate::event_invoke::EventInvoke;
use crate::host::FunctionHost;
use crate::invocation::{FunctionError, Invoked, Order};
use crate::name::Target;
use crate::named::Named;

/// Of an asynchronous invocation: 1 MB.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 1024 * 1024;
/// Before the second attempt, and before the third.
const RETRY_WAITS_S: [u64; 2] = [60, 120];
/// Before an event that was throttled is tried again.
const THROTTLE_WAIT_MIN: Duration = Duration::from_secs(1);
const THROTTLE_WAIT_MAX: Duration = Duration::from_mins(5);
/// Of `ErrorMessage` in a dead letter.
const ERROR_MESSAGE_BYTES_MAX: usize = 1024;

/// The durable queue of asynchronous invocations.
#[async_trait]
pub trait AsyncQueue: Send + Sync {
    /// Keeps `job` until [`FunctionHost::attempt`] says that it is done; `label` is the function's name, for
    /// people. When this returns, the job survives the death of the process.
    async fn enqueue(&self, job: Vec<u8>, label: String) -> Result<(), QueueError>;
}

/// A queue did not take a job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QueueError(pub String);

/// What lies behind the ARN of a destination or of a dead-letter queue.
#[async_trait]
pub trait Destinations: Send + Sync {
    /// Delivers `body`. An invocation record (it has `requestContext` and no `attributes`) goes to a queue as
    /// message body, to a function as event, and to a bus as the `detail` of an event of source `lambda` and
    /// detail type `Lambda Function Invocation Result - Success` or `… - Failure`, as `requestContext.condition`
    /// is `Success` or not. A dead letter is the original event, with the `attributes` `RequestID`, `ErrorCode`
    /// (of type Number) and `ErrorMessage`.
    /// `trace` is the invocation's.
    async fn send(
        &self,
        destination_arn: &str,
        body: String,
        attributes: Vec<(String, String)>,
        trace: &TraceId,
    ) -> Result<(), String>;
}

/// What should happen to a job after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The function succeeded. Forget the job.
    Done,
    /// It failed and may try again then. This counts as a failed attempt.
    Retry {
        /// By the world's clock.
        due: Timestamp,
    },
    /// It was not let in, so it did not fail. The count of failed attempts stays.
    Postponed {
        /// By the world's clock.
        due: Timestamp,
    },
    /// It has failed for good; its destination or dead-letter queue has been told. Forget the job.
    GaveUp,
}

/// A job, as the queue keeps it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Job<'a> {
    function: &'a str,
    /// The version or the alias that it was invoked with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    qualifier: Option<&'a str>,
    request_id: &'a str,
    trace: &'a str,
    #[serde(borrow)]
    payload: &'a RawValue,
}

/// How an event ended, in AWS's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Condition {
    Success,
    RetriesExhausted,
    EventAgeExceeded,
    ZeroReservedConcurrency,
}

/// An event that has come to its end.
struct Ended<'a> {
    job: &'a Job<'a>,
    condition: Condition,
    /// None if the function was never let in.
    invoked: Option<&'a Invoked>,
    attempts: u32,
}

impl FunctionHost {
    /// The bytes of a job that will invoke `function` with `payload`, for [`FunctionHost::attempt`].
    pub fn async_job(&self, function: &str, payload: &[u8], trace: &TraceId) -> Result<Vec<u8>, InvokeError> {
        let named = self.find("InvokeFunction", function, None)?;
        let request_id = self.world().random.uuid();
        Ok(job(&named, &request_id, payload, trace)?)
    }

    /// Queues an event under the request id that its caller is told.
    pub(crate) async fn enqueue(
        &self,
        named: &Named,
        request_id: &str,
        payload: &[u8],
        trace: &TraceId,
    ) -> Result<(), Error> {
        let job = job(named, request_id, payload, trace)?;
        self.queue.enqueue(job, named.label()).await.map_err(|QueueError(message)| Error::Service(message))
    }

    /// One attempt at a queued event: `job` is what [`AsyncQueue::enqueue`] was given, `failed_attempts` how often
    /// this has said [`Step::Retry`], `first_queued` when the job was queued.
    pub async fn attempt(&self, job: &[u8], failed_attempts: u32, first_queued: Timestamp) -> Step {
        let job: Job<'_> = match serde_json::from_slice(job) {
            Ok(job) => job,
            Err(error) => {
                tracing::error!(%error, "a queued invocation cannot be read; it is dropped");
                return Step::GaveUp;
            }
        };
        let Some(named) = self.look_up(Target { name: job.function, qualifier: job.qualifier }) else {
            self.warn(&job, "the function is gone; an event for it was dropped".into());
            return Step::GaveUp;
        };
        let config = named.event_invoke();
        let age_max = Duration::from_secs(EventInvoke::event_age_s(config).into());
        let now = self.world().clock.now();
        let not_let_in = |condition| Ended { job: &job, condition, invoked: None, attempts: failed_attempts };
        if named.function.reserved_concurrency == Some(0) {
            return self.give_up(&named, not_let_in(Condition::ZeroReservedConcurrency)).await;
        }
        if now.since(first_queued) > age_max {
            return self.give_up(&named, not_let_in(Condition::EventAgeExceeded)).await;
        }
        let retry_wait = RETRY_WAITS_S.get(failed_attempts as usize).copied().map(Duration::from_secs);
        let retry_wait = retry_wait.filter(|_| failed_attempts < EventInvoke::retries(config));
        let order = Order {
            payload: Bytes::copy_from_slice(job.payload.get().as_bytes()),
            trace: TraceId::from_root(job.trace),
            client_context: None,
            request_id: job.request_id.to_owned(),
            tail: false,
            if_failed: if retry_wait.is_some() { Went::Retrying } else { Went::Failed },
        };
        let Ok(invoked) = self.run(named.clone(), order).await else {
            return Step::Postponed { due: now.plus(self.throttle_wait(now.since(first_queued))) };
        };
        let ended = |condition| Ended { job: &job, condition, invoked: Some(&invoked), attempts: failed_attempts + 1 };
        if invoked.function_error.is_none() {
            self.succeed(&named, ended(Condition::Success)).await;
            return Step::Done;
        }
        let Some(wait) = retry_wait else {
            return self.give_up(&named, ended(Condition::RetriesExhausted)).await;
        };
        let due = self.world().clock.now().plus(wait.div_f64(self.time_scale));
        if due.since(first_queued) > age_max {
            return self.give_up(&named, ended(Condition::EventAgeExceeded)).await;
        }
        Step::Retry { due }
    }

    /// As long again as the event has waited already: waits that double, from one second to five minutes.
    fn throttle_wait(&self, age: Duration) -> Duration {
        age.clamp(THROTTLE_WAIT_MIN, THROTTLE_WAIT_MAX).div_f64(self.time_scale)
    }

    async fn succeed(&self, named: &Named, ended: Ended<'_>) {
        let destination = named.event_invoke().and_then(|config| config.on_success.clone());
        if let Some(destination) = destination {
            let record = self.record(named, &ended);
            self.send(ended.job, &destination, record, Vec::new()).await;
        }
    }

    async fn give_up(&self, named: &Named, ended: Ended<'_>) -> Step {
        let destination = named.event_invoke().and_then(|config| config.on_failure.clone());
        let dead_letters = named.shown().ok().and_then(|shown| shown.settings.dead_letter_arn.as_deref());
        if destination.is_none() && dead_letters.is_none() {
            self.warn(ended.job, format!(
                    "an event was given up ({:?}): the function has neither a dead-letter queue nor a destination for failures",
                    ended.condition
                ));
        }
        if let Some(destination) = &destination {
            let record = self.record(named, &ended);
            self.send(ended.job, destination, record, Vec::new()).await;
        }
        if let Some(queue) = dead_letters {
            let body = ended.job.payload.get().to_owned();
            self.send(ended.job, queue, body, dead_letter_attributes(&ended)).await;
        }
        Step::GaveUp
    }

    async fn send(&self, job: &Job<'_>, arn: &str, body: String, attributes: Vec<(String, String)>) {
        if let Err(reason) = self.destinations.send(arn, body, attributes, &TraceId::from_root(job.trace)).await {
            self.warn(job, format!("the destination {arn} did not take the result: {reason}"));
        }
    }

    fn warn(&self, job: &Job<'_>, text: String) {
        tracing::warn!(function = job.function, request_id = job.request_id, "{text}");
        let timeline = &self.world().timeline;
        let moment = timeline.moment(Kind::Warning, job.function).outcome(Went::Failed).detail(text);
        timeline.record(moment.trace(Some(TraceId::from_root(job.trace))).id("requestId", job.request_id));
    }

    fn record(&self, named: &Named, ended: &Ended<'_>) -> String {
        let record = Record {
            version: "1.0",
            timestamp: self.world().clock.now().rfc3339_millis(),
            request_context: RequestContext {
                request_id: ended.job.request_id,
                function_arn: named.versioned_arn(),
                condition: ended.condition,
                approximate_invoke_count: ended.attempts,
            },
            request_payload: ended.job.payload,
            response_context: ended.invoked.map(|invoked| ResponseContext {
                status_code: 200,
                executed_version: &invoked.executed_version,
                function_error: invoked.function_error.as_deref(),
            }),
            response_payload: ended.invoked.map(|invoked| as_json(&invoked.payload)),
        };
        serde_json::to_string(&record).unwrap_or_default() // all of it is JSON already
    }
}

fn job(named: &Named, request_id: &str, payload: &[u8], trace: &TraceId) -> Result<Vec<u8>, Error> {
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(Error::EventTooLarge { bytes: payload.len(), bytes_max: PAYLOAD_BYTES_MAX });
    }
    let payload = check_payload(payload)?;
    let (function, qualifier) = (named.function.name.as_str(), named.qualifier.as_deref());
    let job = Job { function, qualifier, request_id, trace: trace.as_str(), payload };
    serde_json::to_vec(&job).map_err(|error| Error::Service(error.to_string()))
}

/// The payload, if it is JSON; none at all counts as `{}`.
pub(crate) fn check_payload(payload: &[u8]) -> Result<&RawValue, Error> {
    let payload = if payload.is_empty() { b"{}" } else { payload };
    serde_json::from_slice(payload).map_err(|error| {
        Error::InvalidRequestContent(format!(
            "Could not parse request body into json: Could not parse payload into json: {error}"
        ))
    })
}

fn dead_letter_attributes(ended: &Ended<'_>) -> Vec<(String, String)> {
    let (code, message) = match ended.invoked {
        Some(invoked) => {
            let error: FunctionError = serde_json::from_slice(&invoked.payload).unwrap_or_default();
            ("200", error.message)
        }
        None => ("429", "Rate Exceeded.".to_owned()),
    };
    let end = message.floor_char_boundary(ERROR_MESSAGE_BYTES_MAX);
    vec![
        ("RequestID".into(), ended.job.request_id.into()),
        ("ErrorCode".into(), code.into()),
        ("ErrorMessage".into(), message[..end].into()),
    ]
}

/// A response as it is if it is JSON, and as a string if not.
fn as_json(payload: &[u8]) -> Box<RawValue> {
    let text = String::from_utf8_lossy(payload);
    RawValue::from_string(text.clone().into_owned())
        .or_else(|_| serde_json::value::to_raw_value(&text))
        .unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// What a destination is sent.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    version: &'static str,
    timestamp: String,
    request_context: RequestContext<'a>,
    request_payload: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_context: Option<ResponseContext<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_payload: Option<Box<RawValue>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    request_id: &'a str,
    function_arn: String,
    condition: Condition,
    approximate_invoke_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseContext<'a> {
    status_code: u16,
    executed_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_error: Option<&'a str>,
}
