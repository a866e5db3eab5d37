//! `RemoveTagsFromResource`. Its tests stand with `AddTagsToResource`.

use aws_api::Call;
use serde::Deserialize;

use super::{Empty, tagged};
use crate::room::Parameters;
use crate::ssm::error::Error;
use crate::ssm::store;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    resource_type: String,
    resource_id: String,
    tag_keys: Vec<String>,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Empty, Error> {
    let place = room.world.place.clone();
    let removed = room.database.write(move |connection| {
        let mut parameter = tagged(connection, &place, &request.resource_type, &request.resource_id)?;
        parameter.tags.retain(|key, _| !request.tag_keys.contains(key));
        store::save_tags(connection, &parameter)
    });
    removed.await.map(|()| Empty {})
}
