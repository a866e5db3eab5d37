//! `DeleteRestApi`, with all its parts.

use aws_api::{Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::document::done;
use crate::error::Error;
use crate::room::HttpApis;

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, Error> {
    room.read_rest(&request.restapi_id, |_| Ok(()))?;
    room.remove(&request.restapi_id).await?;
    Ok(done(StatusCode::ACCEPTED))
}
