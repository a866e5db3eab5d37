//! `GetApi`.

use aws_api::Call;
use serde::Deserialize;
use serde_json::Value;

use super::create_api::describe;
use crate::error::Error;
use crate::room::HttpApis;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    api_id: String,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Value, Error> {
    room.read_http(&request.api_id, |api| Ok(describe(room, api)))
}
