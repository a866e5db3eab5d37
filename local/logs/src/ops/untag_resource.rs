//! `UntagResource`. Its tests stand with `TagResource`.

use aws_api::Call;
use serde::Deserialize;

use super::{Empty, change_group};
use crate::arn;
use crate::error::Error;
use crate::room::Logs;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    resource_arn: String,
    tag_keys: Vec<String>,
}

pub async fn run(room: &Logs, request: Request, _call: &Call) -> Result<Empty, Error> {
    remove(room, arn::tagged(&room.world.place, &request.resource_arn)?, request.tag_keys).await
}

/// Takes tags from a group.
pub async fn remove(room: &Logs, group: String, keys: Vec<String>) -> Result<Empty, Error> {
    let change = move |group: &mut crate::store::Group| {
        group.tags.retain(|key, _| !keys.contains(key));
        Ok(())
    };
    change_group(room, group, change).await
}
