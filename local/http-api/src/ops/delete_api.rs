//! `DeleteApi`, with all its parts.

use aws_api::{Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::document::done;
use crate::error::Error;
use crate::room::HttpApis;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    api_id: String,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, Error> {
    room.read_http(&request.api_id, |_| Ok(()))?;
    room.remove(&request.api_id).await?;
    Ok(done(StatusCode::NO_CONTENT))
}
