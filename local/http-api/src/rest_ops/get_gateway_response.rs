//! `GetGatewayResponse`.

use aws_api::Call;
use serde::Deserialize;

use crate::error::Error;
use crate::room::HttpApis;
use crate::served::GatewayResponse;

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
    response_type: String,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<GatewayResponse, Error> {
    room.read_rest(&request.restapi_id, |api| {
        let response = api.gateway_responses.get(&request.response_type);
        response.cloned().ok_or_else(|| Error::no_such("Gateway response type"))
    })
}
