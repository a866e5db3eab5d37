//! `CreateIntegration`: a function behind routes.

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::document::{created, new_id, read, report_not_honoured};
use crate::http_api::Integration;
use crate::room::HttpApis;

/// What needs no engine, or is what is done anyway.
pub const HARMLESS: &[&str] = &["description", "integrationMethod", "passthroughBehavior", "apiGatewayManaged"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    api_id: String,
    #[serde(flatten)]
    integration: Map<String, Value>,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let made = room.change_http(&request.api_id, |api| {
        let mut integration: Integration = read(request.integration)?;
        integration.check()?;
        integration.integration_id = new_id(&room.world);
        let what = format!("integration {} of {}", integration.integration_id, api.settings.name);
        report_not_honoured(&room.world, &what, &integration.other, HARMLESS);
        api.integrations.insert(integration.integration_id.clone(), integration.clone());
        Ok(integration)
    });
    created(&made.await?)
}
