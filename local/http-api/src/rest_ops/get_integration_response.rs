//! `GetIntegrationResponse`.

use aws_api::Call;

use crate::error::Error;
use crate::mock::MockResponse;
use crate::room::HttpApis;

pub type Request = super::ResponseRequest;

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<MockResponse, Error> {
    room.read_rest(&request.restapi_id, |api| {
        let method = api.method(&request.resource_id, &request.http_method)?;
        let integration = method.method_integration.as_ref().ok_or_else(|| Error::no_such("Integration"))?;
        let response = integration.integration_responses.get(&request.status_code);
        response.cloned().ok_or_else(|| Error::no_such("Response status code"))
    })
}
