//! `GetRestApi`.

use aws_api::Call;
use serde::Deserialize;
use serde_json::Value;

use super::create_rest_api::describe;
use crate::error::Error;
use crate::room::HttpApis;

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Value, Error> {
    room.read_rest(&request.restapi_id, |api| Ok(describe(api)))
}
