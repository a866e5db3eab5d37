//! `PutGatewayResponse`: what the gateway says itself, in other words and with other headers.

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::document::{created, read};
use crate::room::HttpApis;
use crate::served::GatewayResponse;

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
    response_type: String,
    #[serde(flatten)]
    response: Map<String, Value>,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let made = room.change_rest(&request.restapi_id, |api| {
        let mut response: GatewayResponse = read(request.response)?;
        response.response_type.clone_from(&request.response_type);
        api.gateway_responses.insert(request.response_type, response.clone());
        Ok(response)
    });
    created(&made.await?)
}
