//! `notice-sign-in`: a trigger of the user pool at sign-ins, which tells the bus of what nobody has told yet.
//!
//! Cognito runs no trigger when an administrator makes a user, when an address changes, or when users come by an import;
//! but it runs one at every sign-in, and tells it all attributes. The function compares them with the profile, and
//! publishes only if they differ, so that most sign-ins cost one reading of the table. Attach it to
//! `PreTokenGeneration` (any version of the event), which runs at every sign-in, a refresh included, and knows the
//! user's groups; or to `PostAuthentication`, which knows none, so that the profile's stay as they are.
//!
//! It must not be what breaks a sign-in: everything together has a deadline, and unless told otherwise the sign-in goes
//! on when the deadline is missed. Nothing is lost then, because the next sign-in and the reconciler find the same. The
//! event goes back as the very text that came.
//!
//! Whoever signs in right after a sign-up may be told of twice, because the profile takes a moment: both events say the
//! same.

use std::time::Duration;

use aws_config::SdkConfig;
use lambda_runtime::Context;
use serde_json::value::RawValue;
use tandem_pool::Bus;
use tandem_profiles::{Change, Identity, IdentityEvent, Origin, ProfileStore, Stored, Timestamp};

use crate::clients::{trigger_retries, trigger_timeouts};
use crate::environment::{Invalid, bus_name, event_attributes, table_name};
use crate::error::Error;
use crate::metrics::{Metric, count};
use crate::policy::OnPublishFailure;
use crate::trace::traceparent;
use crate::trigger_event::{FEDERATED_STATUS, TriggerEvent};

/// What `_HANDLER` is for this function.
pub const HANDLER: &str = "notice-sign-in";

/// What the trigger sources of `PreTokenGeneration` begin with.
const TOKENS: &str = "TokenGeneration_";
/// The one among them that is about no user: a machine signs in.
const MACHINE: &str = "TokenGeneration_ClientCredentials";
/// The one that is the first sign-in of a user whom an administrator has made.
const NEW_PASSWORD: &str = "TokenGeneration_NewPasswordChallenge";
const POST_AUTHENTICATION: &str = "PostAuthentication_Authentication";

/// For the table and the bus together, of the 5 seconds that Cognito waits.
const NOTICE_TIMEOUT: Duration = Duration::from_millis(2500);

/// What the function is told by its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Name or ARN of the bus.
    pub bus: String,
    /// The profiles' table.
    pub table: String,
    /// What becomes of the sign-in if the table or the bus does not answer.
    pub on_publish_failure: OnPublishFailure,
    /// Names of the user's attributes that are passed on beside address and name.
    pub attributes: Vec<String>,
}

impl Settings {
    /// From `EVENT_BUS_NAME`, `TABLE_NAME`, `ON_PUBLISH_FAILURE` (`continue` unless said) and `EVENT_ATTRIBUTES`.
    pub fn from_environment() -> Result<Self, Invalid> {
        let on_publish_failure = OnPublishFailure::from_environment(OnPublishFailure::Continue)?;
        Ok(Self { bus: bus_name()?, table: table_name()?, on_publish_failure, attributes: event_attributes() })
    }
}

/// The function, with its clients made.
pub struct NoticeSignIn {
    bus: Bus,
    profiles: ProfileStore,
    settings: Settings,
}

impl NoticeSignIn {
    /// With time-outs that fit into Cognito's.
    pub fn new(sdk: &SdkConfig, settings: Settings) -> Self {
        let bus = aws_sdk_eventbridge::config::Builder::from(sdk)
            .timeout_config(trigger_timeouts())
            .retry_config(trigger_retries())
            .build();
        let tables = aws_sdk_dynamodb::config::Builder::from(sdk)
            .timeout_config(trigger_timeouts())
            .retry_config(trigger_retries())
            .build();
        Self {
            bus: Bus::new(aws_sdk_eventbridge::Client::from_conf(bus), &settings.bus),
            profiles: ProfileStore::new(aws_sdk_dynamodb::Client::from_conf(tables), &settings.table),
            settings,
        }
    }

    /// One run of the trigger. Answers with the text that came.
    pub async fn handle(
        &self,
        event: Box<RawValue>,
        context: &Context,
        now: Timestamp,
    ) -> Result<Box<RawValue>, Error> {
        let sign_in = match SignIn::read(event.get(), &self.settings.attributes) {
            Ok(Some(sign_in)) => sign_in,
            Ok(None) => {
                tracing::info!(outcome = "no sign-in of a user", "sign-in");
                return Ok(event);
            }
            Err(incomplete) => {
                tracing::warn!(error = %incomplete, "passed over: check what invokes the function");
                return Ok(event);
            }
        };
        let user_id = sign_in.identity.user_id.clone();
        let trace = context.xray_trace_id.as_deref();
        let noticed = tokio::time::timeout(NOTICE_TIMEOUT, self.notice(sign_in, trace, now)).await;
        match noticed.unwrap_or_else(|_| Err("time ran out".to_owned())) {
            Ok(()) => {}
            Err(reason) => {
                count(Metric::NotPublished);
                tracing::error!(%user_id, bus = self.settings.bus, table = self.settings.table, reason, "sign-in not noticed");
                if self.settings.on_publish_failure == OnPublishFailure::Fail {
                    return Err(Error::SignInNotNoticed(reason));
                }
            }
        }
        Ok(event)
    }

    /// Tells the bus if there is anything to tell; or why that could not be done.
    async fn notice(&self, sign_in: SignIn, trace: Option<&str>, now: Timestamp) -> Result<(), String> {
        let user_id = sign_in.identity.user_id.clone();
        let stored = self.profiles.stored(&user_id).await.map_err(|error| {
            // The user may read the reason, and has no use for the name of a table.
            tracing::warn!(%user_id, %error, "profile not read");
            "the profile could not be read".to_owned()
        })?;
        let event = match sign_in.news(stored, now) {
            News::Event(event) => event,
            News::Nothing => {
                count(Metric::Unchanged);
                tracing::info!(outcome = "unchanged", %user_id, "sign-in");
                return Ok(());
            }
            News::OfSomebodyDeleted => {
                count(Metric::Tombstoned);
                // Their account is gone, and so is the right to any token: somebody should know.
                tracing::warn!(outcome = "the user was deleted", %user_id, "sign-in");
                return Ok(());
            }
        };
        let event = IdentityEvent {
            metadata: tandem_profiles::Metadata { traceparent: traceparent(trace), ..event.metadata },
            ..*event
        };
        let bus_event_id = self.bus.publish(&event, trace).await.map_err(|turned| turned.reason)?;
        count(Metric::Published);
        let (event_id, detail_type) = (event.metadata.event_id, event.detail_type());
        tracing::info!(outcome = "published", detail_type, %event_id, %user_id, bus_event_id, "sign-in");
        Ok(())
    }
}

/// Who signs in.
struct SignIn {
    identity: Identity,
    /// Whether the trigger was told of the groups; without it the identity has none.
    knows_groups: bool,
    /// What a creation would be told to come from.
    origin: Origin,
}

/// What there is to tell.
enum News {
    Event(Box<IdentityEvent>),
    Nothing,
    OfSomebodyDeleted,
}

impl SignIn {
    /// Of a trigger's event; `None` if it is not about a user who signs in.
    fn read(event: &str, attributes: &[String]) -> Result<Option<Self>, Error> {
        let event = TriggerEvent::parse(event);
        let source = event.source();
        let is_sign_in = (source.starts_with(TOKENS) && source != MACHINE) || source == POST_AUTHENTICATION;
        if !is_sign_in {
            return Ok(None);
        }
        let identity = event.identity(attributes)?;
        let is_federated = event.attribute("cognito:user_status").is_some_and(|status| status == FEDERATED_STATUS);
        // Nothing in an event tells an import from a sign-up of which the bus did not hear.
        let origin = match source {
            _ if is_federated => Origin::Federated,
            NEW_PASSWORD => Origin::Admin,
            _ => Origin::SignIn,
        };
        let groups = event.groups();
        let knows_groups = groups.is_some();
        let identity = Identity { groups: groups.unwrap_or_default(), ..identity };
        Ok(Some(Self { identity, knows_groups, origin }))
    }

    /// What the profile does not say yet. Whoever signs in is enabled.
    fn news(self, stored: Stored, now: Timestamp) -> News {
        let event = |change, origin| News::Event(Box::new(IdentityEvent::new(change, now, origin)));
        match stored {
            Stored::Absent => event(Change::Created(self.identity), self.origin),
            Stored::Tombstone { .. } => News::OfSomebodyDeleted,
            Stored::Profile { identity: known, .. } => {
                let groups = if self.knows_groups { self.identity.groups } else { known.groups.clone() };
                let identity = Identity { groups, ..self.identity };
                if identity == *known { News::Nothing } else { event(Change::Updated(identity), Origin::SignIn) }
            }
        }
    }
}
