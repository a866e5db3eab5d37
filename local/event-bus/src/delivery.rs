//! One event on its way to one target: how it is written down, attempted, tried again, and given up.
//!
//! Not here: waiting, and the lane that deliveries wait in. The server keeps that, and asks for one attempt at a
//! time ([`EventBus::attempt`](crate::EventBus::attempt)).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;
use world::{Kind, Moment, Outcome, Random, Timestamp, TraceId};

use crate::api_call::Called;
use crate::book::Rule;
use crate::json;
use crate::ports::{Step, TargetFailure};
use crate::room::EventBus;
use crate::routing::Accepted;
use crate::target::{Destination, Target};
use crate::transform::{Occasion, payload};

/// The wait before the first retry; every further one doubles it. AWS publishes neither.
const BACK_OFF_FIRST_MS: u64 = 1_000;
/// The longest wait: 185 of them fill about a day.
const BACK_OFF_MAX_MS: u64 = 480_000;
/// How long to wait when the dead-letter queue itself cannot take a message.
const DEAD_LETTER_RETRY_MS: u64 = 5_000;
/// Bytes before a delivery's header: its length.
const LENGTH_BYTES: usize = 4;
/// What to make room for at once.
const HEADER_BYTES_USUAL: usize = 768;

/// A delivery, as it is queued: it holds all that an attempt needs, whatever becomes of the rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    header: Header,
    event: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    event_id: String,
    detail_type: String,
    bus: String,
    rule_arn: String,
    rule_name: String,
    target: Target,
    ingested_at_ms: i64,
    trace: String,
    about: Vec<String>,
    came_by: Vec<String>,
    #[serde(default)]
    time_ms: i64,
    #[serde(default)]
    is_replay: bool,
}

/// The same, to be written: nothing is copied for it.
#[derive(Serialize)]
struct HeaderRef<'a> {
    event_id: &'a str,
    detail_type: &'a str,
    bus: &'a str,
    rule_arn: &'a str,
    rule_name: &'a str,
    target: &'a Target,
    ingested_at_ms: i64,
    trace: &'a str,
    about: &'a [String],
    came_by: &'a [String],
    time_ms: i64,
    is_replay: bool,
}

/// Which lane a delivery is attempted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Where nothing waits for long.
    Deliveries,
    /// Where HTTP servers are waited for.
    Calls,
}

/// For people: `UserCreated → rule profiles → create-profile`.
pub fn label(detail_type: &str, rule: &str, target: &Target) -> String {
    format!("{detail_type} → rule {rule} → {}", target.short_name())
}

/// A delivery of an event that `rule` matched, to one of its targets, to be queued: the header's length, the header, the
/// event. An event is text that need not be escaped and read again.
pub fn encode(accepted: &Accepted, rule: &Rule, target: &Target) -> Vec<u8> {
    let header = HeaderRef {
        event_id: &accepted.id,
        detail_type: &accepted.detail_type,
        bus: &rule.bus,
        rule_arn: &rule.arn,
        rule_name: &rule.name,
        target,
        ingested_at_ms: accepted.ingested_at.millis(),
        trace: accepted.trace.as_str(),
        about: &accepted.about,
        came_by: &accepted.came_by,
        time_ms: accepted.time.millis(),
        is_replay: accepted.is_replay,
    };
    let mut bytes = Vec::with_capacity(HEADER_BYTES_USUAL + accepted.event.len());
    bytes.extend([0; LENGTH_BYTES]);
    // Strings and numbers can always be written; what could not would be found when it is read.
    let _ = serde_json::to_writer(&mut bytes, &header);
    let length = u32::try_from(bytes.len() - LENGTH_BYTES).unwrap_or(0);
    bytes[..LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
    bytes.extend(accepted.event.as_bytes());
    bytes
}

impl Delivery {
    /// Nothing if these are not bytes of ours.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_at_checked(LENGTH_BYTES)?;
        let length = usize::try_from(u32::from_le_bytes(length.try_into().ok()?)).ok()?;
        let (header, event) = rest.split_at_checked(length)?;
        let header = serde_json::from_slice(header).ok()?;
        Some(Self { header, event: String::from_utf8(event.to_vec()).ok()? })
    }
}

/// How a target took an event.
enum Attempt {
    Delivered,
    Invoke {
        payload: String,
    },
    NoPayload {
        reason: String,
    },
    Call,
    Postponed {
        due: Timestamp,
    },
    /// The next attempt not before `wait`.
    Failed {
        failure: TargetFailure,
        wait: Duration,
    },
}

impl From<TargetFailure> for Attempt {
    fn from(failure: TargetFailure) -> Self {
        Self::Failed { failure, wait: Duration::ZERO }
    }
}

impl From<Called> for Attempt {
    fn from(called: Called) -> Self {
        match called {
            Called::Delivered => Self::Delivered,
            Called::Postponed { due } => Self::Postponed { due },
            Called::Failed { failure, wait } => Self::Failed { failure, wait: wait.unwrap_or_default() },
        }
    }
}

impl EventBus {
    /// One attempt at a delivery.
    pub(crate) async fn try_delivery(&self, bytes: &[u8], history: (u32, Timestamp), lane: Lane) -> Step {
        let failed_attempts = history.0;
        let Some(delivery) = Delivery::decode(bytes) else {
            let reason = "a queued delivery cannot be read; it was written by another version".to_owned();
            tracing::error!(bytes = bytes.len(), "{reason}");
            return Step::Dropped { reason };
        };
        let moment = delivery.moment(self.world.clock.now());
        let began = Instant::now();
        let attempt = self.deliver(&delivery, lane).await;
        let moment = moment.took(began.elapsed());
        let header = &delivery.header;
        match attempt {
            Attempt::Delivered => {
                self.world.timeline.record(moment);
                Step::Done
            }
            Attempt::Invoke { payload } => {
                self.world.timeline.record(moment.detail("asynchronous invoke"));
                Step::Invoke {
                    function_arn: header.target.arn.clone(),
                    payload,
                    rule_arn: header.rule_arn.clone(),
                    event_id: header.event_id.clone(),
                    trace: TraceId::from_root(&header.trace),
                    about: header.about.clone(),
                }
            }
            Attempt::NoPayload { reason } => {
                self.world.timeline.record(moment.outcome(Outcome::Failed).detail(reason.clone()));
                self.warn(&delivery, "was dropped", reason.clone());
                Step::Dropped { reason }
            }
            Attempt::Call => Step::Call { trace: TraceId::from_root(&header.trace) },
            Attempt::Postponed { due } => Step::Postpone { due },
            Attempt::Failed { failure, wait } => {
                let now = self.world.clock.now();
                let wait = wait.max(back_off(failed_attempts, &self.world.random).div_f64(self.time_scale));
                let verdict = judge(&failure, &header.target, history, now, wait);
                let outcome = if let Verdict::Retry { .. } = verdict { Outcome::Retrying } else { Outcome::Failed };
                self.world.timeline.record(moment.outcome(outcome).detail(failure.to_string()));
                match verdict {
                    Verdict::Retry { due } => {
                        if failed_attempts == 0 {
                            let what = label(&header.detail_type, &header.rule_name, &header.target);
                            tracing::warn!(detail = %failure, event_id = header.event_id, "{what} is tried again");
                        }
                        Step::Retry { due }
                    }
                    Verdict::GiveUp { exhausted } => {
                        self.give_up(&delivery, &failure, failed_attempts, exhausted).await
                    }
                }
            }
        }
    }

    async fn deliver(&self, delivery: &Delivery, lane: Lane) -> Attempt {
        let header = &delivery.header;
        let destination = header.target.destination(&self.world.place);
        if let (Ok(Destination::Api), Lane::Deliveries) = (&destination, lane) {
            return Attempt::Call;
        }
        let occasion = Occasion {
            event: &delivery.event,
            rule_arn: &header.rule_arn,
            rule_name: &header.rule_name,
            ingested_at: Timestamp::from_millis(header.ingested_at_ms),
        };
        let payload = match payload(&header.target, &occasion) {
            Ok(payload) => payload,
            Err(error) => return Attempt::NoPayload { reason: error.to_string() },
        };
        if let Some(path) = payload.missing {
            self.warn(delivery, "was sent without a value", format!("{path} is not in the event"));
        }
        let trace = TraceId::from_root(&header.trace);
        let (arn, rule_arn) = (&header.target.arn, &header.rule_arn);
        let result = match destination {
            Err(error) => Err(TargetFailure::no_resource(error.to_string())),
            Ok(Destination::Bus(name)) => self.forward(delivery, &name).await,
            Ok(Destination::Api) => {
                return self.call_api(&header.target, &delivery.event, &payload.body).await.into();
            }
            Ok(Destination::LogGroup) => match log_message(header, &payload.body) {
                Ok((at, message)) => self.targets.log(arn, at, message).await,
                Err(failure) => Err(failure),
            },
            Ok(Destination::Queue) => {
                let group = header.target.group_id().map(str::to_owned);
                self.targets.send(arn, payload.body.into_owned(), group, rule_arn, &trace).await
            }
            Ok(Destination::Function) => {
                // Only the strings that a template makes may be no JSON.
                let is_made = header.target.input_transformer.is_some();
                if let Some(Err(error)) = is_made.then(|| json::minified(&payload.body)) {
                    return TargetFailure::permanent("INVALID_JSON", error.to_string()).into();
                }
                match self.targets.can_invoke(arn, rule_arn).await {
                    Ok(()) => return Attempt::Invoke { payload: payload.body.into_owned() },
                    Err(failure) => Err(failure),
                }
            }
        };
        result.map_or_else(Attempt::from, |()| Attempt::Delivered)
    }

    /// Puts an event onto another bus, where its own rules apply. An event goes from one bus to another once:
    /// the service refuses the next hop, within one account as well.
    async fn forward(&self, delivery: &Delivery, bus: &str) -> Result<(), TargetFailure> {
        let header = &delivery.header;
        let from = &header.bus;
        if bus == from || header.came_by.iter().any(|passed| passed == bus) {
            return Err(TargetFailure::permanent("LOOP_DETECTED", format!("The event was on bus {bus} before.")));
        }
        if let Some(first) = header.came_by.first() {
            let message =
                format!("The event came to bus {from} from bus {first}; a second hop, to {bus}, is not made.");
            return Err(TargetFailure::permanent("THIRD_ACCOUNT_HOP_DETECTED", message));
        }
        let failed = |error: String| TargetFailure::retryable("INTERNAL_ERROR", error);
        let book = self.shelf.book().await.map_err(|error| failed(error.to_string()))?;
        if book.find(bus).is_none() {
            return Err(TargetFailure::no_resource(format!("Event bus {bus} does not exist.")));
        }
        let accepted = Accepted {
            id: header.event_id.clone(),
            event: delivery.event.clone(),
            detail_type: header.detail_type.clone(),
            time: Timestamp::from_millis(header.time_ms),
            ingested_at: self.world.clock.now(),
            trace: TraceId::from_root(&header.trace),
            about: header.about.clone(),
            came_by: vec![from.clone()],
            is_replay: header.is_replay,
        };
        let routed = self.route(&book, bus, &accepted).await;
        self.commit(routed).await.map_err(|error| failed(error.to_string()))
    }

    /// To the dead-letter queue, if the target has one.
    async fn give_up(
        &self,
        delivery: &Delivery,
        failure: &TargetFailure,
        retries: u32,
        exhausted: Option<&'static str>,
    ) -> Step {
        let header = &delivery.header;
        let (TargetFailure::Retryable { code, message } | TargetFailure::Permanent { code, message }) = failure;
        let Some(queue) = header.target.dead_letter_arn() else {
            let reason = format!("{failure}{}; the target has no dead-letter queue", delivery.advice(code));
            self.warn(delivery, "was given up", reason.clone());
            return Step::Dropped { reason };
        };
        let mut attributes = vec![
            ("RULE_ARN", header.rule_arn.clone()),
            ("TARGET_ARN", header.target.arn.clone()),
            ("ERROR_CODE", (*code).to_owned()),
            ("ERROR_MESSAGE", message.clone()),
            ("RETRY_ATTEMPTS", retries.to_string()),
        ];
        attributes.extend(exhausted.map(|condition| ("EXHAUSTED_RETRY_CONDITION", condition.to_owned())));
        match self.targets.dead_letter(queue, delivery.event.clone(), attributes).await {
            Ok(()) => {
                let detail = format!("{failure}{}; {queue}", delivery.advice(code));
                self.warn(delivery, "went to the dead-letter queue", detail);
                Step::DeadLettered
            }
            Err(TargetFailure::Retryable { .. }) => {
                let wait = Duration::from_millis(DEAD_LETTER_RETRY_MS).div_f64(self.time_scale);
                Step::Retry { due: self.world.clock.now().plus(wait) }
            }
            Err(error @ TargetFailure::Permanent { .. }) => {
                let reason = format!("{failure}; the dead-letter queue did not take it: {error}");
                self.warn(delivery, "was given up", reason.clone());
                Step::Dropped { reason }
            }
        }
    }

    fn warn(&self, delivery: &Delivery, what: &str, detail: String) {
        let header = &delivery.header;
        let what = format!("{} {what}", label(&header.detail_type, &header.rule_name, &header.target));
        tracing::warn!(detail, event_id = header.event_id, "{what}");
        let mut moment = delivery.moment(self.world.clock.now()).detail(detail);
        (moment.kind, moment.what) = (Kind::Warning, what);
        self.world.timeline.record(moment);
    }
}

impl Delivery {
    /// What to do about it, where AWS's words do not say it.
    fn advice(&self, code: &str) -> String {
        let is_function = self.header.target.arn.contains(":lambda:");
        if code != "NO_PERMISSIONS" || !is_function {
            return String::new();
        }
        let rule = &self.header.rule_arn;
        format!("; Lambda's AddPermission allows it (Principal events.amazonaws.com, SourceArn {rule})")
    }

    fn moment(&self, at: Timestamp) -> Moment {
        let header = &self.header;
        let what = label(&header.detail_type, &header.rule_name, &header.target);
        let moment = Moment::new(at, Kind::Delivery, what).trace(Some(TraceId::from_root(&header.trace)));
        moment.about(header.about.iter().cloned()).id("eventId", &header.event_id)
    }
}

/// What goes into a log group: the event at its own time, or what a template made: `{"timestamp":…,"message":…}`.
fn log_message(header: &Header, body: &str) -> Result<(Timestamp, String), TargetFailure> {
    if header.target.input_transformer.is_none() {
        return Ok((Timestamp::from_millis(header.time_ms), body.to_owned()));
    }
    let refused = || {
        let message = "A template for a log group must make an object with timestamp and message.";
        TargetFailure::permanent("INVALID_JSON", message)
    };
    let made: Value = serde_json::from_str(body).map_err(|_| refused())?;
    let at = match &made["timestamp"] {
        Value::Number(millis) => millis.as_i64(),
        Value::String(text) => {
            text.parse().ok().or_else(|| Some(text.parse::<jiff::Timestamp>().ok()?.as_millisecond()))
        }
        _ => None,
    };
    let message = match &made["message"] {
        Value::Null => return Err(refused()),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Ok((at.map(Timestamp::from_millis).ok_or_else(refused)?, message))
}

/// What follows from a failure.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Retry { due: Timestamp },
    GiveUp { exhausted: Option<&'static str> },
}

/// `failed_attempts` counts those before this one, and so is the number of retries made with it.
fn judge(
    failure: &TargetFailure,
    target: &Target,
    (failed_attempts, first_queued): (u32, Timestamp),
    now: Timestamp,
    wait: Duration,
) -> Verdict {
    if let TargetFailure::Permanent { .. } = failure {
        return Verdict::GiveUp { exhausted: None };
    }
    if failed_attempts >= target.retries_max() {
        return Verdict::GiveUp { exhausted: Some("MaximumRetryAttempts") };
    }
    let due = now.plus(wait);
    if due.since(first_queued) > target.event_age_max() {
        return Verdict::GiveUp { exhausted: Some("MaximumEventAgeInSeconds") };
    }
    Verdict::Retry { due }
}

/// Doubles with every retry, and is shortened by up to a half, so that what failed together is not retried
/// together.
fn back_off(failed_attempts: u32, random: &Random) -> Duration {
    let doubled = BACK_OFF_FIRST_MS.saturating_mul(1_u64.checked_shl(failed_attempts).unwrap_or(u64::MAX));
    let longest = doubled.min(BACK_OFF_MAX_MS);
    Duration::from_millis(longest - random.below(longest / 2 + 1))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::Room;

    const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:q";
    const DEAD_LETTERS: &str = "arn:aws:sqs:us-east-1:000000000000:dead";
    const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

    /// A room with one rule and one target on the default bus.
    async fn room(target: Value) -> Room {
        let t = Room::new();
        t.rule("default", "r", r#"{"source":["s"]}"#).await;
        let mut target = target;
        target["Id"] = "t".into();
        t.target("default", "r", target).await;
        t
    }

    fn throttled() -> TargetFailure {
        TargetFailure::retryable("THROTTLING", "slow down")
    }

    #[tokio::test]
    async fn a_queue_gets_the_event() {
        let t = room(json!({ "Arn": QUEUE })).await;
        let id = t.event("default", "s", json!({ "a": 1 })).await;
        assert_eq!(t.attempt_all().await, [Step::Done]);
        let sent = t.sent().pop().expect("a message");
        let body = format!(
            r#"{{"version":"0","id":"{id}","detail-type":"d","source":"s","account":"000000000000","time":"2026-01-01T00:00:00Z","region":"us-east-1","resources":[],"detail":{{"a":1}}}}"#
        );
        assert_eq!((sent.queue.as_str(), sent.body), (QUEUE, body));
        assert_eq!(sent.rule, "arn:aws:events:us-east-1:000000000000:rule/r");
    }

    #[tokio::test]
    async fn a_fifo_queue_gets_a_group() {
        let t = room(json!({ "Arn": format!("{QUEUE}.fifo"), "SqsParameters": { "MessageGroupId": "g" } })).await;
        t.event("default", "s", json!({})).await;
        t.attempt_all().await;
        assert_eq!(t.sent().pop().expect("a message").group.as_deref(), Some("g"));
    }

    #[tokio::test]
    async fn a_function_is_the_servers_to_invoke() {
        let t = room(json!({ "Arn": FUNCTION, "InputPath": "$.detail" })).await;
        let event_id = t.event("default", "s", json!({ "data": { "userId": "u" } })).await;
        let step = t.attempt_all().await.remove(0);
        let Step::Invoke { function_arn, payload, rule_arn, event_id: id, about, .. } = step else {
            panic!("{step:?}");
        };
        assert_eq!((function_arn.as_str(), payload.as_str()), (FUNCTION, r#"{"data":{"userId":"u"}}"#));
        assert_eq!(
            (rule_arn.as_str(), id, about),
            ("arn:aws:events:us-east-1:000000000000:rule/r", event_id, vec!["u".into()])
        );
    }

    #[tokio::test]
    async fn a_payload_for_a_function_must_be_json() {
        let template = json!({ "InputTemplate": "\"one\"\n\"two\"" });
        let t =
            room(json!({ "Arn": FUNCTION, "InputTransformer": template, "DeadLetterConfig": { "Arn": DEAD_LETTERS } }))
                .await;
        t.event("default", "s", json!({})).await;
        assert_eq!(t.attempt_all().await, [Step::DeadLettered]);
        assert!(t.sent()[0].attributes.contains(&("ERROR_CODE", "INVALID_JSON".into())));
    }

    #[tokio::test]
    async fn a_template_that_makes_no_json_drops_the_event() {
        let transformer = json!({ "InputPathsMap": { "d": "$.detail" }, "InputTemplate": "{\"d\": \"<d>\"}" });
        let t =
            room(json!({ "Arn": QUEUE, "InputTransformer": transformer, "DeadLetterConfig": { "Arn": DEAD_LETTERS } }))
                .await;
        t.event("default", "s", json!({ "a": "b" })).await;
        let step = t.attempt_all().await.remove(0);
        assert!(matches!(step, Step::Dropped { .. }), "{step:?}");
        assert_eq!((t.sent().len(), t.moments(Kind::Warning).len()), (0, 1));
    }

    #[tokio::test]
    async fn what_will_not_pass_goes_to_the_dead_letter_queue_at_once() {
        let t = room(json!({ "Arn": FUNCTION, "DeadLetterConfig": { "Arn": DEAD_LETTERS } })).await;
        t.fail(FUNCTION, TargetFailure::no_permissions("not allowed"));
        t.event("default", "s", json!({})).await;
        let event = Delivery::decode(&t.queued()[0].body).expect("a delivery").event;
        assert_eq!(t.attempt_all().await, [Step::DeadLettered]);
        let letter = t.sent().pop().expect("a letter");
        let expected = [
            ("RULE_ARN", "arn:aws:events:us-east-1:000000000000:rule/r"),
            ("TARGET_ARN", FUNCTION),
            ("ERROR_CODE", "NO_PERMISSIONS"),
            ("ERROR_MESSAGE", "not allowed"),
            ("RETRY_ATTEMPTS", "0"),
        ];
        assert_eq!((letter.queue.as_str(), letter.body), (DEAD_LETTERS, event));
        assert_eq!(letter.attributes, expected.map(|(name, value)| (name, value.to_owned())));
    }

    #[tokio::test]
    async fn what_may_pass_is_tried_again_until_the_attempts_are_used_up() {
        let policy = json!({ "MaximumRetryAttempts": 2 });
        let t = room(json!({ "Arn": QUEUE, "RetryPolicy": policy, "DeadLetterConfig": { "Arn": DEAD_LETTERS } })).await;
        t.fail(QUEUE, throttled());
        t.event("default", "s", json!({})).await;
        let (delivery, first) = (t.queued().remove(0), t.world.clock.now());
        for failed in 0..2 {
            let Step::Retry { due } = t.attempt(&delivery, failed, first).await else { panic!("a retry") };
            assert!(due > t.world.clock.now());
            t.world.clock.advance(due.since(t.world.clock.now()));
        }
        assert_eq!(t.attempt(&delivery, 2, first).await, Step::DeadLettered);
        let attributes = t.sent().pop().expect("a letter").attributes;
        assert!(attributes.contains(&("RETRY_ATTEMPTS", "2".into())));
        assert!(attributes.contains(&("EXHAUSTED_RETRY_CONDITION", "MaximumRetryAttempts".into())));
    }

    #[tokio::test]
    async fn waits_follow_the_time_scale() {
        let t = Room::with_time_scale(1_000.0);
        t.rule("default", "r", r#"{"source":["s"]}"#).await;
        t.target("default", "r", json!({ "Id": "t", "Arn": QUEUE })).await;
        t.fail(QUEUE, throttled());
        t.event("default", "s", json!({})).await;
        let (delivery, now) = (t.queued().remove(0), t.world.clock.now());
        let Step::Retry { due } = t.attempt(&delivery, 15, now).await else { panic!("a retry") };
        let wait = due.since(now);
        assert!((240..=480).contains(&wait.as_millis()), "{wait:?}");
    }

    #[tokio::test]
    async fn an_event_becomes_too_old() {
        let policy = json!({ "MaximumEventAgeInSeconds": 60 });
        let t = room(json!({ "Arn": QUEUE, "RetryPolicy": policy, "DeadLetterConfig": { "Arn": DEAD_LETTERS } })).await;
        t.fail(QUEUE, throttled());
        t.event("default", "s", json!({})).await;
        let (delivery, first) = (t.queued().remove(0), t.world.clock.now());
        t.world.clock.advance(Duration::from_mins(1));
        assert_eq!(t.attempt(&delivery, 1, first).await, Step::DeadLettered);
        let attributes = t.sent().pop().expect("a letter").attributes;
        assert!(attributes.contains(&("EXHAUSTED_RETRY_CONDITION", "MaximumEventAgeInSeconds".into())));
    }

    #[tokio::test]
    async fn without_a_dead_letter_queue_the_event_is_gone_and_that_is_told() {
        let t = room(json!({ "Arn": QUEUE })).await;
        t.fail(QUEUE, TargetFailure::no_resource("there is no such queue"));
        t.event("default", "s", json!({})).await;
        let reason = "NO_RESOURCE: there is no such queue; the target has no dead-letter queue".to_owned();
        assert_eq!(t.attempt_all().await, [Step::Dropped { reason }]);
        assert_eq!(t.moments(Kind::Warning).pop().expect("a warning").what, "d → rule r → q was given up");
        assert_eq!(t.moments(Kind::Delivery)[0].outcome, Outcome::Failed);
    }

    #[tokio::test]
    async fn a_dead_letter_queue_that_is_not_there_loses_the_event() {
        let t = room(json!({ "Arn": QUEUE, "DeadLetterConfig": { "Arn": DEAD_LETTERS } })).await;
        t.fail(QUEUE, TargetFailure::no_resource("gone"));
        t.fail(DEAD_LETTERS, TargetFailure::no_resource("gone too"));
        t.event("default", "s", json!({})).await;
        let step = t.attempt_all().await.remove(0);
        assert!(matches!(step, Step::Dropped { .. }), "{step:?}");
    }

    #[tokio::test]
    async fn a_dead_letter_queue_that_is_slow_is_waited_for() {
        let t = room(json!({ "Arn": QUEUE, "DeadLetterConfig": { "Arn": DEAD_LETTERS } })).await;
        t.fail(QUEUE, TargetFailure::no_resource("gone"));
        t.fail(DEAD_LETTERS, throttled());
        t.event("default", "s", json!({})).await;
        let step = t.attempt_all().await.remove(0);
        assert!(matches!(step, Step::Retry { .. }), "{step:?}");
    }

    #[tokio::test]
    async fn a_delivery_outlives_its_rule() {
        let t = room(json!({ "Arn": QUEUE })).await;
        t.event("default", "s", json!({})).await;
        t.bus.reset().await.expect("it is reset");
        assert_eq!(t.attempt_all().await, [Step::Done]);
    }

    #[tokio::test]
    async fn a_log_group_gets_the_event_or_what_a_template_makes() {
        const GROUP: &str = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/events/g:*";
        let t = room(json!({ "Arn": GROUP })).await;
        let id = t.event("default", "s", json!({ "at": 5 })).await;
        assert_eq!(t.attempt_all().await, [Step::Done]);
        let (group, at, message) = t.logged().remove(0);
        assert_eq!((group.as_str(), at), (GROUP, t.world.clock.now()));
        assert!(message.contains(&id) && message.starts_with(r#"{"version":"0""#), "{message}");

        let paths = json!({ "at": "$.detail.at", "source": "$.source" });
        let template = r#"{"timestamp": <at>, "message": "from <source>"}"#;
        let t =
            room(json!({ "Arn": GROUP, "InputTransformer": { "InputPathsMap": paths, "InputTemplate": template } }))
                .await;
        t.event("default", "s", json!({ "at": 5 })).await;
        assert_eq!(t.attempt_all().await, [Step::Done]);
        assert_eq!(t.logged(), [(GROUP.to_owned(), Timestamp::from_millis(5), "from s".to_owned())]);

        let transformer = json!({ "InputTemplate": r#"{"message": "no time"}"# });
        let letters = json!({ "Arn": DEAD_LETTERS });
        let t = room(json!({ "Arn": GROUP, "InputTransformer": transformer, "DeadLetterConfig": letters })).await;
        t.event("default", "s", json!({})).await;
        assert_eq!(t.attempt_all().await, [Step::DeadLettered]);
        assert!(t.sent()[0].attributes.contains(&("ERROR_CODE", "INVALID_JSON".into())));
    }

    #[tokio::test]
    async fn a_delivery_of_an_older_version_is_read() {
        let t = room(json!({ "Arn": QUEUE })).await;
        let header = json!({
            "event_id": "i", "detail_type": "d", "bus": "default", "rule_arn": "arn", "rule_name": "r",
            "target": { "Id": "t", "Arn": QUEUE }, "ingested_at_ms": 0, "trace": "1-a-b", "about": [], "came_by": [],
        });
        let header = header.to_string();
        let length = u32::try_from(header.len()).expect("it is short").to_le_bytes();
        let bytes = [&length[..], header.as_bytes(), b"{}"].concat();
        assert_eq!(t.bus.attempt(&bytes, 0, t.world.clock.now()).await, Step::Done);
    }

    #[tokio::test]
    async fn bytes_of_somebody_else_are_dropped() {
        let t = Room::new();
        for bytes in [&b""[..], b"abc", b"\xff\xff\xff\xff", b"\x02\0\0\0{}"] {
            let step = t.bus.attempt(bytes, 0, t.world.clock.now()).await;
            assert!(matches!(step, Step::Dropped { .. }), "{step:?}");
        }
    }

    /// Buses a, b, c, each passing everything on to the next, and to a queue of its own.
    async fn chain(next_of_c: &str) -> Room {
        let t = Room::new();
        for (bus, next) in [("a", "b"), ("b", "c"), ("c", next_of_c)] {
            t.call("CreateEventBus", json!({ "Name": bus })).await.ok();
            t.rule(bus, "on", r#"{"source":["s"]}"#).await;
            let arn = format!("arn:aws:events:us-east-1:000000000000:event-bus/{next}");
            let letters = json!({ "Arn": DEAD_LETTERS });
            t.target(bus, "on", json!({ "Id": "bus", "Arn": arn, "DeadLetterConfig": letters })).await;
            t.target(bus, "on", json!({ "Id": "queue", "Arn": format!("{QUEUE}-{bus}") })).await;
        }
        t
    }

    #[tokio::test]
    async fn an_event_goes_from_bus_to_bus_once() {
        let t = chain("a").await;
        let id = t.event("a", "s", json!({})).await;
        assert_eq!(t.attempt_all().await, [Step::Done, Step::Done]);
        assert_eq!(t.attempt_all().await, [Step::DeadLettered, Step::Done]);
        let sent = t.sent();
        let queues: Vec<_> = sent.iter().map(|sent| sent.queue.rsplit(':').next().expect("a name")).collect();
        assert_eq!(queues, ["q-a", "dead", "q-b"]);
        assert!(sent[1].attributes.contains(&("ERROR_CODE", "THIRD_ACCOUNT_HOP_DETECTED".into())));
        assert!(sent.iter().all(|sent| sent.body.contains(&id)), "the event keeps its id");
    }

    #[tokio::test]
    async fn a_loop_is_named() {
        let t = chain("c").await;
        t.event("c", "s", json!({})).await;
        assert_eq!(t.attempt_all().await, [Step::DeadLettered, Step::Done]);
        assert!(t.sent()[0].attributes.contains(&("ERROR_CODE", "LOOP_DETECTED".into())));
    }

    #[tokio::test]
    async fn a_bus_that_is_not_there_takes_nothing() {
        let t = room(json!({ "Arn": "arn:aws:events:us-east-1:000000000000:event-bus/gone" })).await;
        t.event("default", "s", json!({})).await;
        let step = t.attempt_all().await.remove(0);
        assert!(matches!(step, Step::Dropped { .. }), "{step:?}");
    }

    #[test]
    fn waits_grow_and_differ() {
        let random = Random::seeded(1);
        let waits: Vec<u128> = (0..20).map(|failed| back_off(failed, &random).as_millis()).collect();
        assert!((500..=1_000).contains(&waits[0]) && (1_000..=2_000).contains(&waits[1]), "{waits:?}");
        assert!(waits[9..].iter().all(|wait| (240_000..=480_000).contains(wait)), "{waits:?}");
        assert!((0..200).all(|failed| back_off(failed, &random).as_millis() <= 480_000));
    }
}
