//! `DeleteDeployment`.

use aws_api::{Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::document::done;
use crate::error::Error;
use crate::http_api::Stage;
use crate::room::HttpApis;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    api_id: String,
    deployment_id: String,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, Error> {
    room.change_http(&request.api_id, |api| {
        let is_deployed = |stage: &&Stage| stage.deployment_id.as_ref() == Some(&request.deployment_id);
        if api.stages.values().any(|stage| is_deployed(&stage)) {
            return Err(Error::bad_request("Active stages pointing to this deployment must be moved or deleted"));
        }
        api.deployments.remove(&request.deployment_id).map(drop).ok_or_else(|| Error::no_such("Deployment"))
    })
    .await?;
    Ok(done(StatusCode::NO_CONTENT))
}
