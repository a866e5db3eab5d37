//! `GetDeployment`.

use aws_api::Call;
use serde::Deserialize;

use crate::error::Error;
use crate::http_api::Deployment;
use crate::room::HttpApis;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    api_id: String,
    deployment_id: String,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Deployment, Error> {
    room.read_http(&request.api_id, |api| {
        api.deployments
            .get(&request.deployment_id)
            .map(|stored| stored.deployment.clone())
            .ok_or_else(|| Error::no_such("Deployment"))
    })
}
