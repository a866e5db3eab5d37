//! `DescribeArchive`.

use aws_api::Call;
use serde::{Deserialize, Serialize};
use world::{Place, Timestamp};

use super::create_archive::constrain_name;
use crate::archive::{Archive, ENABLED, Holdings};
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::EventBus;

/// Also of `DeleteArchive`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    archive_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    archive_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_pattern: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key_identifier: Option<String>,
    #[serde(flatten)]
    archive: Summary,
}

/// An archive as `ListArchives` has it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Summary {
    archive_name: String,
    event_source_arn: String,
    state: &'static str,
    retention_days: i64,
    size_bytes: i64,
    event_count: i64,
    creation_time: f64,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let name = request.name()?;
    let book = room.shelf.book().await?;
    let archive = book.archives.get(&name).ok_or_else(|| Error::no_archive(&name))?;
    let holdings = room.holdings(archive).await?;
    Ok(Response {
        archive_arn: archive.arn(&room.world.place),
        description: archive.description.clone(),
        event_pattern: archive.pattern.clone(),
        kms_key_identifier: archive.kms_key_identifier.clone(),
        archive: Summary::of(archive, holdings, &room.world.place),
    })
}

impl Request {
    /// The name, checked.
    pub fn name(self) -> Result<String, Error> {
        let mut constraints = Constraints::new();
        constrain_name(&mut constraints, self.archive_name.as_ref());
        constraints.check()?;
        Ok(self.archive_name.unwrap_or_default())
    }
}

impl Summary {
    pub fn of(archive: &Archive, holdings: Holdings, place: &Place) -> Self {
        Self {
            archive_name: archive.name.clone(),
            event_source_arn: place.arn("events", &format!("event-bus/{}", archive.bus)),
            state: ENABLED,
            retention_days: archive.retention_days,
            size_bytes: holdings.bytes,
            event_count: holdings.count,
            creation_time: Timestamp::from_millis(archive.created_at_ms).epoch_seconds(),
        }
    }
}
