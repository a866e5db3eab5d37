//! `PutIntegration`: where a method leads. Functions and mocks; the rest is refused by name.

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::document::{created, read, report_not_honoured};
use crate::error::Error;
use crate::rest_api::Integration;
use crate::room::HttpApis;

/// What is done anyway.
const HARMLESS: &[&str] =
    &["httpMethod", "passthroughBehavior", "cacheNamespace", "connectionType", "responseTransferMode"];

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
    resource_id: String,
    http_method: String,
    /// Its `httpMethod` is the integration's, as on the wire.
    #[serde(flatten)]
    integration: Map<String, Value>,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let made = room.change_rest(&request.restapi_id, |api| {
        let mut integration: Integration = read(request.integration)?;
        integration.integration_responses.clear();
        integration.check()?;
        check_modes(&integration)?;
        let what =
            format!("{} {} of {}", request.http_method, api.resource(&request.resource_id)?.path, api.settings.name);
        let mut other = integration.other.clone();
        if integration.kind == "MOCK" {
            other.extend(integration.mock().not_honoured().into_iter().map(|name| (name, Value::Bool(true))));
        }
        report_not_honoured(&room.world, &format!("integration of {what}"), &other, HARMLESS);
        let method = api.method_mut(&request.resource_id, &request.http_method)?;
        method.method_integration = Some(integration.clone());
        Ok(integration)
    });
    created(&made.await?)
}

fn check_modes(integration: &Integration) -> Result<(), Error> {
    let text = |name: &str| integration.other.get(name).and_then(Value::as_str);
    if let Some(kind) = text("connectionType").filter(|kind| *kind != "INTERNET") {
        return Err(Error::not_implemented(&format!("ConnectionType {kind}")));
    }
    if let Some(mode) = text("responseTransferMode").filter(|mode| *mode != "BUFFERED") {
        return Err(Error::not_implemented(&format!("ResponseTransferMode {mode}")));
    }
    Ok(())
}
