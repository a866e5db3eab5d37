//! `UpdateIntegration`: what is named changes, the rest stays.

use aws_api::Call;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::create_integration::HARMLESS;
use crate::document::{changed, report_not_honoured};
use crate::error::Error;
use crate::http_api::Integration;
use crate::room::HttpApis;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    api_id: String,
    integration_id: String,
    #[serde(flatten)]
    changes: Map<String, Value>,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Integration, Error> {
    room.change_http(&request.api_id, |api| {
        let integration = api.integrations.get(&request.integration_id);
        let integration = integration.ok_or_else(|| Error::no_such("Integration"))?;
        let mut integration: Integration = changed(integration, request.changes)?;
        integration.check()?;
        integration.integration_id.clone_from(&request.integration_id);
        let what = format!("integration {} of {}", integration.integration_id, api.settings.name);
        report_not_honoured(&room.world, &what, &integration.other, HARMLESS);
        api.integrations.insert(request.integration_id, integration.clone());
        Ok(integration)
    })
    .await
}
