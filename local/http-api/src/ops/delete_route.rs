//! `DeleteRoute`.

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
    route_id: String,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, Error> {
    room.change_http(&request.api_id, |api| {
        api.routes.remove(&request.route_id).map(drop).ok_or_else(|| Error::no_such("Route"))
    })
    .await?;
    Ok(done(StatusCode::NO_CONTENT))
}
