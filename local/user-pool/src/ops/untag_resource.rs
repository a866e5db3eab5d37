//! `UntagResource`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::tag_resource::{change, tagged};
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    resource_arn: String,
    tag_keys: Vec<String>,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = tagged(room, &request.resource_arn)?;
    change(room, &pool, |tags| tags.retain(|key, _| !request.tag_keys.contains(key))).await?;
    Ok(Response {})
}
