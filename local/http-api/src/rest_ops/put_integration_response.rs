//! `PutIntegrationResponse`: what a mock answers.

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::document::{created, read, report_not_honoured};
use crate::mock::MockResponse;
use crate::room::HttpApis;

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
    resource_id: String,
    http_method: String,
    status_code: String,
    #[serde(flatten)]
    response: Map<String, Value>,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let made = room.change_rest(&request.restapi_id, |api| {
        let mut response: MockResponse = read(request.response)?;
        response.status_code.clone_from(&request.status_code);
        let integration = api.integration_mut(&request.resource_id, &request.http_method)?;
        integration.integration_responses.insert(request.status_code, response.clone());
        if integration.kind == "MOCK" {
            let left = integration.mock().not_honoured();
            let left = left.into_iter().map(|name| (name, Value::Bool(true))).collect();
            let what = format!("mock of {} in {}", request.http_method, api.settings.name);
            report_not_honoured(&room.world, &what, &left, &[]);
        }
        Ok(response)
    });
    created(&made.await?)
}
