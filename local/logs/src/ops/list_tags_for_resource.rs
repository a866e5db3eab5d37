//! `ListTagsForResource`. Its tests stand with `TagResource`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::existing_group;
use crate::arn;
use crate::error::Error;
use crate::room::Logs;
use crate::tags::Tags;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    resource_arn: String,
}

#[derive(Serialize)]
pub struct Response {
    tags: Tags,
}

pub async fn run(room: &Logs, request: Request, _call: &Call) -> Result<Response, Error> {
    list(room, arn::tagged(&room.world.place, &request.resource_arn)?).await
}

/// The tags of a group.
pub async fn list(room: &Logs, group: String) -> Result<Response, Error> {
    let group = room.database.read(move |connection| existing_group(connection, &group)).await?;
    Ok(Response { tags: group.tags })
}
