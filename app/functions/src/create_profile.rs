//! `create-profile`: keeps profiles in step with the events of the bus.
//!
//! Deliveries may be late, in any order, and many: the store's conditions make that harmless, and what changes
//! nothing is a success. What cannot be read as an event fails, and ends as a dead letter.
//!
//! Where addresses are unique, a user whose address is another's has a profile all the same, and the bus is told
//! (`EmailConflict`): at least once, since the store says it again when the event comes again.

use aws_config::SdkConfig;
use serde_json::Value;
use tandem_pool::Bus;
use tandem_profiles::{Applied, EmailConflict, IdentityEvent, ProfileStore, Timestamp, UserId};

use crate::bus_event::identity_event;
use crate::environment::{Invalid, flag, optional, table_name};
use crate::error::Error;

/// What `_HANDLER` is for this function.
pub const HANDLER: &str = "create-profile";

/// What the function is told by its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The profiles' table.
    pub table: String,
    /// Whether a verified address may be one profile's alone.
    pub unique_email: bool,
    /// Name or ARN of the bus that is told of conflicts.
    pub bus: Option<String>,
}

impl Settings {
    /// From `TABLE_NAME`, `UNIQUE_EMAIL` and `EVENT_BUS_NAME`.
    pub fn from_environment() -> Result<Self, Invalid> {
        Ok(Self { table: table_name()?, unique_email: flag("UNIQUE_EMAIL")?, bus: optional("EVENT_BUS_NAME") })
    }
}

/// The function, with its clients made.
pub struct CreateProfile {
    profiles: ProfileStore,
    bus: Option<Bus>,
}

impl CreateProfile {
    /// Over one table.
    pub fn new(sdk: &SdkConfig, settings: Settings) -> Self {
        let profiles = ProfileStore::new(aws_sdk_dynamodb::Client::new(sdk), settings.table);
        // A bus is spoken to on conflicts alone, and there are none without unique addresses.
        let bus = settings.bus.filter(|_| settings.unique_email);
        Self {
            profiles: if settings.unique_email { profiles.with_unique_email() } else { profiles },
            bus: bus.map(|name| Bus::new(aws_sdk_eventbridge::Client::new(sdk), name)),
        }
    }

    /// One delivery.
    pub async fn handle(&self, event: &Value, now: Timestamp) -> Result<(), Error> {
        let Some(event) = identity_event(event)? else { return Ok(()) };
        let applied = self.profiles.apply(&event, now).await?;
        tracing::info!(
            outcome = ?applied,
            count = 1,
            detail_type = event.detail_type(),
            event_id = %event.metadata.event_id,
            user_id = %event.user_id(),
            "identity event applied"
        );
        if let Applied::Conflict { owner } = applied {
            self.tell(&event, owner).await?;
        }
        Ok(())
    }

    async fn tell(&self, event: &IdentityEvent, owner: UserId) -> Result<(), Error> {
        let (Some(bus), Some(conflict)) = (&self.bus, EmailConflict::of(event, owner)) else {
            tracing::warn!(user_id = %event.user_id(), "the address is another user's, and there is no bus to tell");
            return Ok(());
        };
        bus.publish(&conflict, None).await.map(drop).map_err(|turned| Error::ConflictNotPublished(turned.reason))
    }
}
