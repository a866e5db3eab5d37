//! `PutMethodResponse`: kept and given back. What a function answers is sent as it is.

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::document::created;
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
        let method = api.method_mut(&request.resource_id, &request.http_method)?;
        let mut response = request.response;
        response.insert("statusCode".into(), request.status_code.clone().into());
        method.method_responses.insert(request.status_code, Value::Object(response.clone()));
        Ok(response)
    });
    created(&made.await?)
}
