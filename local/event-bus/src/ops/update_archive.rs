//! `UpdateArchive`: what is left out stays.

use std::sync::Arc;

use aws_api::Call;
use serde::Deserialize;

pub use super::create_archive::Response;
use super::create_archive::{Settings, constrain_name};
use crate::constraint::Constraints;
use crate::document::Document;
use crate::error::Error;
use crate::room::EventBus;
use crate::store;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    archive_name: Option<String>,
    #[serde(flatten)]
    settings: Settings,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let mut constraints = Constraints::new();
    constrain_name(&mut constraints, request.archive_name.as_ref());
    request.settings.constrain(&mut constraints);
    constraints.check()?;
    let (name, settings) = (request.archive_name.unwrap_or_default(), request.settings);
    let place = room.world.place.clone();
    let changed = room.shelf.change(move |book, connection| {
        let found = book.archives.get_mut(&name).ok_or_else(|| Error::no_archive(&name))?;
        let given =
            [settings.event_pattern.is_some(), settings.retention_days.is_some(), settings.description.is_some()];
        if !given.contains(&true) && settings.kms_key_identifier.is_none() {
            let message = "At least one of EventPattern, RetentionDays or Description must be provided.";
            return Err(Error::validation(message));
        }
        let mut archive = (**found).clone();
        settings.put_into(&mut archive)?;
        store::put_document(connection, &archive)?;
        *found = Arc::new(archive.loaded());
        Ok(Response::of(found, &place))
    });
    changed.await
}
