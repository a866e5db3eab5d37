//! `TagResource`: an API or a stage.

use aws_api::{Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::document::{Tags, check_tags, done};
use crate::error::Error;
use crate::rest_api::RestApi;
use crate::room::HttpApis;

#[derive(Deserialize)]
pub struct Request {
    resource_arn: String,
    #[serde(default)]
    tags: Tags,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, Error> {
    let (api, stage) = tagged(&request.resource_arn)?;
    room.change_rest(api, |api| {
        let tags = tags_of(api, stage)?;
        tags.extend(request.tags);
        check_tags(tags)
    })
    .await?;
    Ok(done(StatusCode::NO_CONTENT))
}

/// The API that an ARN names, and perhaps its stage: `arn:aws:apigateway:{region}::/restapis/{id}/stages/{name}`.
pub fn tagged(arn: &str) -> Result<(&str, Option<&str>), Error> {
    let path = arn.split_once("::/restapis/").map(|(_, path)| path);
    let path = path.ok_or_else(|| Error::bad_request(format!("Invalid ARN specified in the request: {arn}")))?;
    Ok(path.split_once("/stages/").map_or((path, None), |(api, stage)| (api, Some(stage))))
}

/// The tags of an API or of its stage.
pub fn tags_of<'a>(api: &'a mut RestApi, stage: Option<&str>) -> Result<&'a mut Tags, Error> {
    match stage {
        None => Ok(&mut api.tags),
        Some(stage) => api.stages.get_mut(stage).map(|stage| &mut stage.tags).ok_or_else(|| Error::no_such("stage")),
    }
}
