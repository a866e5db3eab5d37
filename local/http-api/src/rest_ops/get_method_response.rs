//! `GetMethodResponse`.

use aws_api::Call;
use serde_json::Value;

use crate::error::Error;
use crate::room::HttpApis;

pub type Request = super::ResponseRequest;

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Value, Error> {
    room.read_rest(&request.restapi_id, |api| {
        let method = api.method(&request.resource_id, &request.http_method)?;
        method.method_responses.get(&request.status_code).cloned().ok_or_else(|| Error::no_such("Response status code"))
    })
}
