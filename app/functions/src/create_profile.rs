//! `create-profile`: keeps profiles in step with the events of the bus.
//!
//! Deliveries may be late, in any order, and many: the store's conditions make that harmless, and what changes
//! nothing is a success. What cannot be read as an event fails, and ends as a dead letter.

use aws_config::SdkConfig;
use serde_json::Value;
use tandem_profiles::{Applied, ProfileStore, Timestamp};

use crate::bus_event::identity_event;
use crate::clock::Running;
use crate::error::Error;
use crate::metrics::{self, Metric};

/// What `_HANDLER` is for this function.
pub const HANDLER: &str = "create-profile";

/// The function, with its client made.
pub struct CreateProfile {
    profiles: ProfileStore,
}

impl CreateProfile {
    /// Over the table of that name.
    pub fn new(sdk: &SdkConfig, table: String) -> Self {
        Self { profiles: ProfileStore::new(aws_sdk_dynamodb::Client::new(sdk), table) }
    }

    /// One delivery.
    pub async fn handle(&self, event: &Value, now: Timestamp) -> Result<(), Error> {
        let Some(event) = identity_event(event)? else { return Ok(()) };
        let time = Running::since(now);
        let applied = self.profiles.apply(&event, now).await?;
        metrics::count(metric(applied));
        if matches!(applied, Applied::Created | Applied::Updated | Applied::Erased) {
            metrics::age(event.metadata.occurred_at, time.now());
        }
        tracing::info!(
            outcome = ?applied,
            count = 1,
            detail_type = event.detail_type(),
            event_id = %event.metadata.event_id,
            user_id = %event.user_id(),
            "identity event applied"
        );
        Ok(())
    }
}

fn metric(applied: Applied) -> Metric {
    match applied {
        Applied::Created => Metric::Created,
        Applied::Updated => Metric::Updated,
        Applied::Erased => Metric::Deleted,
        Applied::Duplicate => Metric::Duplicate,
        Applied::Stale => Metric::Stale,
        Applied::Tombstoned => Metric::Tombstoned,
    }
}
