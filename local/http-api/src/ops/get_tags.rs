//! `GetTags`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::tag_resource::{tagged, tags_of};
use crate::document::Tags;
use crate::error::Error;
use crate::room::HttpApis;

#[derive(Deserialize)]
pub struct Request {
    #[serde(rename = "resource-arn")]
    resource_arn: String,
}

#[derive(Serialize)]
pub struct Response {
    tags: Tags,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Response, Error> {
    let (api, stage) = tagged(&request.resource_arn)?;
    room.read_http(api, |api| Ok(Response { tags: tags_of(&mut api.clone(), stage)?.clone() }))
}
