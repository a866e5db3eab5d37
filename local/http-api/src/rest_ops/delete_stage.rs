//! `DeleteStage`.

use aws_api::{Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::document::done;
use crate::error::Error;
use crate::room::HttpApis;

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
    stage_name: String,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, Error> {
    room.change_rest(&request.restapi_id, |api| {
        api.stages.remove(&request.stage_name).map(drop).ok_or_else(|| Error::no_such("stage"))
    })
    .await?;
    Ok(done(StatusCode::ACCEPTED))
}
