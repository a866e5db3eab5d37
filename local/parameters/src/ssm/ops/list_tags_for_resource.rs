//! `ListTagsForResource`. Its tests stand with `AddTagsToResource`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::tagged;
use crate::room::Parameters;
use crate::ssm::error::Error;
use crate::tags::{self, Tag};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    resource_type: String,
    resource_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    tag_list: Vec<Tag>,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Response, Error> {
    let place = room.world.place.clone();
    let read = move |connection: &rusqlite::Connection| {
        tagged(connection, &place, &request.resource_type, &request.resource_id)
    };
    room.database.read(read).await.map(|parameter| Response { tag_list: tags::write(&parameter.tags) })
}
