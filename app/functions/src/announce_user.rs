//! `announce-user`: the user pool's `PostConfirmation` trigger, which tells the bus of a new user.
//!
//! Cognito waits for it, 5 seconds at most, and shows the user an error if it fails, although the account is confirmed
//! by then. So it does one thing, quickly, and asks for nothing that it does not need: the event is read leniently,
//! and goes back as the very text that came.
//!
//! Cognito may run it up to three times for one sign-up, when it takes too long. Each run publishes an event of its
//! own time, which consumers take for an update that changes nothing; the ids of those events differ in their time
//! alone, so that they are recognisable as one announcement (see `event_id`).

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, PutEventsResultEntry};
use lambda_runtime::Context;
use serde_json::Value;
use serde_json::value::RawValue;
use tandem_profiles::{Change, EventId, Identity, IdentityEvent, Metadata, Origin, SOURCE, Timestamp, UserId};
use uuid::Uuid;

use crate::environment::{Invalid, optional, required};
use crate::error::{Error, reason};
use crate::trace::traceparent;

/// What `_HANDLER` is for this function.
pub const HANDLER: &str = "announce-user";

/// The one trigger source that means a new user. A reset password comes by the same trigger.
const SIGN_UP: &str = "PostConfirmation_ConfirmSignUp";

/// The status of users whose password is kept by somebody else.
const FEDERATED_STATUS: &str = "EXTERNAL_PROVIDER";

/// What fits into Cognito's 5 seconds, a cold start included. The SDK's own connect time-out alone is 3.1.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(3);
const ATTEMPTS: u32 = 2;

/// For all calls together, should the bus turn an entry down for the moment.
const PUBLISH_TIMEOUT: Duration = Duration::from_millis(3500);
const ENTRY_ATTEMPTS: u32 = 2;
const ENTRY_RETRY_DELAY: Duration = Duration::from_millis(100);

/// What the function is told by its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Name or ARN of the bus.
    pub bus: String,
    /// What becomes of the sign-up if the bus does not take the announcement.
    pub on_publish_failure: OnPublishFailure,
    /// Names of the user's attributes that are passed on beside address and name.
    pub attributes: Vec<String>,
}

/// What becomes of the sign-up if the bus does not take the announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnPublishFailure {
    /// The trigger fails: Cognito tells the user, who is confirmed nevertheless.
    Fail,
    /// The trigger succeeds, and an error is logged: the reconciler finds the user later.
    Continue,
}

impl Settings {
    /// From `EVENT_BUS_NAME`, `ON_PUBLISH_FAILURE` and `EVENT_ATTRIBUTES`.
    pub fn from_environment() -> Result<Self, Invalid> {
        let bus = required("EVENT_BUS_NAME", "the name or ARN of the bus to announce users on")?;
        let on_publish_failure = on_publish_failure(optional("ON_PUBLISH_FAILURE").as_deref())?;
        Ok(Self { bus, on_publish_failure, attributes: names(&optional("EVENT_ATTRIBUTES").unwrap_or_default()) })
    }
}

fn on_publish_failure(value: Option<&str>) -> Result<OnPublishFailure, Invalid> {
    match value {
        None | Some("fail") => Ok(OnPublishFailure::Fail),
        Some("continue") => Ok(OnPublishFailure::Continue),
        Some(other) => {
            let (value, expected) = (other.to_owned(), "fail or continue");
            Err(Invalid::Value { name: "ON_PUBLISH_FAILURE", value, expected })
        }
    }
}

fn names(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect()
}

/// The function, with its client made.
pub struct AnnounceUser {
    events: aws_sdk_eventbridge::Client,
    settings: Settings,
}

impl AnnounceUser {
    /// With time-outs that fit into Cognito's.
    pub fn new(sdk: &SdkConfig, settings: Settings) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT);
        let config = aws_sdk_eventbridge::config::Builder::from(sdk)
            .timeout_config(timeouts.build())
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .build();
        Self { events: aws_sdk_eventbridge::Client::from_conf(config), settings }
    }

    /// One run of the trigger. Answers with the text that came, so that even a number too big for us is as it was.
    pub async fn handle(
        &self,
        event: Box<RawValue>,
        context: &Context,
        now: Timestamp,
    ) -> Result<Box<RawValue>, Error> {
        let trace = context.xray_trace_id.as_deref();
        let Some(announcement) = announcement(event.get(), &self.settings.attributes, trace, now)? else {
            return Ok(event);
        };
        let (event_id, user_id) = (announcement.metadata.event_id, announcement.user_id());
        match self.publish(&announcement, trace).await {
            Ok(bus_event_id) => tracing::info!(%event_id, %user_id, bus_event_id, "user announced"),
            Err(reason) => {
                tracing::error!(%event_id, %user_id, bus = self.settings.bus, reason, "user not announced");
                if self.settings.on_publish_failure == OnPublishFailure::Fail {
                    return Err(Error::EventNotPublished(reason));
                }
            }
        }
        Ok(event)
    }

    /// The bus's id of the event, or why there is none.
    async fn publish(&self, event: &IdentityEvent, trace: Option<&str>) -> Result<String, String> {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.settings.bus)
            .source(SOURCE)
            .detail_type(event.detail_type())
            .detail(event.detail())
            .set_trace_header(trace.map(ToOwned::to_owned))
            .build();
        let publishing = async {
            for attempt in 1..=ENTRY_ATTEMPTS {
                let answer = self.events.put_events().entries(entry.clone()).send().await;
                let answer = answer.map_err(|error| reason(&error))?;
                match taken(answer.failed_entry_count, answer.entries()) {
                    Ok(id) => return Ok(id),
                    // The SDK repeats requests, but not entries: those fail inside an answer that is a success.
                    Err(Turned { later: true, .. }) if attempt < ENTRY_ATTEMPTS => {
                        tokio::time::sleep(ENTRY_RETRY_DELAY).await;
                    }
                    Err(turned) => return Err(turned.reason),
                }
            }
            Err("no attempt was made".to_owned())
        };
        tokio::time::timeout(PUBLISH_TIMEOUT, publishing).await.unwrap_or_else(|_| Err("time ran out".to_owned()))
    }
}

/// An entry that the bus turned down.
#[derive(Debug, PartialEq, Eq)]
struct Turned {
    reason: String,
    /// Whether it may take the entry later.
    later: bool,
}

/// What the bus's answer says about our one entry. (A bus that does not exist says "taken" as well; only the deployment
/// can check that.)
fn taken(failed_entry_count: i32, entries: &[PutEventsResultEntry]) -> Result<String, Turned> {
    let [entry] = entries else {
        return Err(Turned { reason: "the bus did not answer for the event".to_owned(), later: false });
    };
    match (failed_entry_count, entry.error_code(), entry.event_id()) {
        (0, None, Some(id)) => Ok(id.to_owned()),
        (_, code, _) => {
            let reason = code.unwrap_or("the bus gave no event id").to_owned();
            let later = matches!(code, Some("InternalFailure" | "InternalException" | "ThrottlingException"));
            Err(Turned { reason, later })
        }
    }
}

/// The event to publish for a trigger's event; `None` for every trigger source but the one.
fn announcement(
    event: &str,
    attributes: &[String],
    trace: Option<&str>,
    now: Timestamp,
) -> Result<Option<IdentityEvent>, Error> {
    let event: Value = serde_json::from_str(event).unwrap_or_default();
    if event["triggerSource"] != SIGN_UP {
        return Ok(None);
    }
    let user = &event["request"]["userAttributes"];
    let missing = Error::IncompleteTriggerEvent;
    let user_id = text(&user["sub"]).and_then(|sub| UserId::new(sub).ok()).ok_or_else(|| missing("user's sub"))?;
    let user_pool_id = text(&event["userPoolId"]).ok_or_else(|| missing("userPoolId"))?;
    let federated = user["cognito:user_status"] == FEDERATED_STATUS;
    let origin = if federated { Origin::Federated } else { Origin::SignUp };
    let metadata = Metadata {
        traceparent: trace.and_then(traceparent),
        ..Metadata::new(event_id(&user_pool_id, &user_id, now), now, origin)
    };
    let passed_on = attributes.iter().filter_map(|name| Some((name.clone(), text(&user[name])?)));
    let identity = Identity {
        username: text(&event["userName"]).unwrap_or_else(|| user_id.to_string()),
        email: text(&user["email"]),
        email_verified: text(&user["email_verified"]).is_some_and(|flag| flag.eq_ignore_ascii_case("true")),
        name: text(&user["name"]),
        attributes: passed_on.collect(),
        user_id,
        user_pool_id,
    };
    Ok(Some(IdentityEvent { metadata, change: Change::Created(identity) }))
}

/// What Cognito writes as a string, though not always: flags and numbers have been seen as such.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// An id whose time is the event's and whose other bits depend on the user alone.
fn event_id(user_pool_id: &str, user_id: &UserId, now: Timestamp) -> EventId {
    let name = format!("{SIGN_UP} {user_pool_id} {user_id}");
    let hash = Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes());
    // From the end: its bytes are hash through and through.
    let mut random = [0; 10];
    random.copy_from_slice(&hash.as_bytes()[6..]);
    EventId::new(now, random)
}

#[cfg(test)]
mod tests;
