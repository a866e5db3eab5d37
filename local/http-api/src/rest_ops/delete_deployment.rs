//! `DeleteDeployment`.

use aws_api::{Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::document::done;
use crate::error::Error;
use crate::room::HttpApis;

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
    deployment_id: String,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, Error> {
    room.change_rest(&request.restapi_id, |api| {
        if api.stages.values().any(|stage| stage.deployment_id == request.deployment_id) {
            return Err(Error::bad_request("Active stages pointing to this deployment must be moved or deleted"));
        }
        api.deployments.remove(&request.deployment_id).map(drop).ok_or_else(|| Error::no_such("Deployment"))
    })
    .await?;
    Ok(done(StatusCode::ACCEPTED))
}
