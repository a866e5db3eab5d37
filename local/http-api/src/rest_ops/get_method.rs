//! `GetMethod`, with its integration and responses.

use aws_api::Call;

use crate::error::Error;
use crate::rest_api::Method;
use crate::room::HttpApis;

pub type Request = super::MethodRequest;

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Method, Error> {
    room.read_rest(&request.restapi_id, |api| api.method(&request.resource_id, &request.http_method).cloned())
}
