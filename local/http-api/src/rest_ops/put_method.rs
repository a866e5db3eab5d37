//! `PutMethod`: a method of a resource, and who may use it.

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::document::{created, read, report_not_honoured};
use crate::error::Error;
use crate::rest_api::Method;
use crate::room::HttpApis;

/// What needs no engine.
const HARMLESS: &[&str] = &["operationName"];

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
    resource_id: String,
    http_method: String,
    #[serde(flatten)]
    method: Map<String, Value>,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let made = room.change_rest(&request.restapi_id, |api| {
        let mut method: Method = read(request.method)?;
        method.http_method = request.http_method.to_uppercase();
        method.method_integration = None;
        method.method_responses.clear();
        api.check_method(&method)?;
        let name = api.settings.name.clone();
        let resource = api.resource_mut(&request.resource_id)?;
        if resource.resource_methods.contains_key(&method.http_method) {
            return Err(Error::conflict("Method already exists for this resource"));
        }
        resource.resource_methods.insert(method.http_method.clone(), method.clone());
        let what = format!("method {} {} of {}", method.http_method, resource.path, name);
        report_not_honoured(&room.world, &what, &method.other, HARMLESS);
        Ok(method)
    });
    created(&made.await?)
}
