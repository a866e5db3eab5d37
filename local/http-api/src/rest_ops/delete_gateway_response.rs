//! `DeleteGatewayResponse`.

use aws_api::{Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::document::done;
use crate::error::Error;
use crate::room::HttpApis;

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
    response_type: String,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, Error> {
    room.change_rest(&request.restapi_id, |api| {
        let removed = api.gateway_responses.remove(&request.response_type);
        removed.map(drop).ok_or_else(|| Error::no_such("Gateway response type"))
    })
    .await?;
    Ok(done(StatusCode::ACCEPTED))
}
