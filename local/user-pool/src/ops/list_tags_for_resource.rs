//! `ListTagsForResource`.

use std::collections::BTreeMap;

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::tag_resource::tagged;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    resource_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    tags: BTreeMap<String, String>,
}

#[expect(clippy::unused_async, reason = "every operation is awaited; this one reads from memory")]
pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = tagged(room, &request.resource_arn)?;
    Ok(Response { tags: pool.settings.user_pool_tags.clone() })
}
