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
use lambda_runtime::Context;
use serde_json::value::RawValue;
use tandem_pool::Bus;
use tandem_profiles::{Change, EventId, IdentityEvent, Metadata, Origin, Timestamp, UserId};

use crate::clients::{trigger_retries, trigger_timeouts};
use crate::environment::{Invalid, bus_name, event_attributes};
use crate::error::Error;
use crate::metrics::{Metric, count};
pub use crate::policy::OnPublishFailure;
use crate::trace::traceparent;
use crate::trigger_event::{FEDERATED_STATUS, TriggerEvent};

/// What `_HANDLER` is for this function.
pub const HANDLER: &str = "announce-user";

/// The one trigger source that means a new user. A reset password comes by the same trigger.
const SIGN_UP: &str = "PostConfirmation_ConfirmSignUp";

/// For all calls together, should the bus turn an entry down for the moment.
const PUBLISH_TIMEOUT: Duration = Duration::from_millis(3500);

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

impl Settings {
    /// From `EVENT_BUS_NAME`, `ON_PUBLISH_FAILURE` and `EVENT_ATTRIBUTES`.
    pub fn from_environment() -> Result<Self, Invalid> {
        let on_publish_failure = OnPublishFailure::from_environment(OnPublishFailure::Fail)?;
        Ok(Self { bus: bus_name()?, on_publish_failure, attributes: event_attributes() })
    }
}

/// The function, with its client made.
pub struct AnnounceUser {
    bus: Bus,
    settings: Settings,
}

impl AnnounceUser {
    /// With time-outs that fit into Cognito's.
    pub fn new(sdk: &SdkConfig, settings: Settings) -> Self {
        let config = aws_sdk_eventbridge::config::Builder::from(sdk)
            .timeout_config(trigger_timeouts())
            .retry_config(trigger_retries())
            .build();
        Self { bus: Bus::new(aws_sdk_eventbridge::Client::from_conf(config), &settings.bus), settings }
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
            Ok(bus_event_id) => {
                count(Metric::Published);
                tracing::info!(%event_id, %user_id, bus_event_id, "user announced");
            }
            Err(reason) => {
                count(Metric::NotPublished);
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
        let published = tokio::time::timeout(PUBLISH_TIMEOUT, self.bus.publish(event, trace)).await;
        published.map_or_else(|_| Err("time ran out".to_owned()), |published| published.map_err(|turned| turned.reason))
    }
}

/// The event to publish for a trigger's event; `None` for every trigger source but the one.
fn announcement(
    event: &str,
    attributes: &[String],
    trace: Option<&str>,
    now: Timestamp,
) -> Result<Option<IdentityEvent>, Error> {
    let event = TriggerEvent::parse(event);
    if event.source() != SIGN_UP {
        return Ok(None);
    }
    let identity = event.identity(attributes)?;
    let federated = event.attribute("cognito:user_status").is_some_and(|status| status == FEDERATED_STATUS);
    let origin = if federated { Origin::Federated } else { Origin::SignUp };
    let metadata = Metadata {
        traceparent: traceparent(trace),
        ..Metadata::new(event_id(&identity.user_pool_id, &identity.user_id, now), now, origin)
    };
    Ok(Some(IdentityEvent { metadata, change: Change::Created(identity) }))
}

/// An id whose time is the event's and whose other bits depend on the user alone.
fn event_id(user_pool_id: &str, user_id: &UserId, now: Timestamp) -> EventId {
    EventId::named(now, &format!("{SIGN_UP} {user_pool_id} {user_id}"))
}

#[cfg(test)]
mod tests;
