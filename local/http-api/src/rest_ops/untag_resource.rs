//! `UntagResource`.

use aws_api::{Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use super::tag_resource::{tagged, tags_of};
use crate::document::{TagKeys, done};
use crate::error::Error;
use crate::room::HttpApis;

#[derive(Deserialize)]
pub struct Request {
    resource_arn: String,
    #[serde(rename = "tagKeys")]
    tag_keys: TagKeys,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, Error> {
    let (api, stage) = tagged(&request.resource_arn)?;
    room.change_rest(api, |api| {
        tags_of(api, stage)?.retain(|key, _| !request.tag_keys.has(key));
        Ok(())
    })
    .await?;
    Ok(done(StatusCode::NO_CONTENT))
}
