//! `DeleteCorsConfiguration`.

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
    room.change_http(&request.api_id, |api| {
        api.settings.cors_configuration = None;
        Ok(())
    })
    .await?;
    Ok(done(StatusCode::NO_CONTENT))
}
