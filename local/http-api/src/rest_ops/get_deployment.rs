//! `GetDeployment`.

use aws_api::Call;
use serde::Deserialize;

use crate::error::Error;
use crate::rest_api::Deployment;
use crate::room::HttpApis;

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
    deployment_id: String,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Deployment, Error> {
    room.read_rest(&request.restapi_id, |api| {
        api.deployments
            .get(&request.deployment_id)
            .map(|stored| stored.deployment.clone())
            .ok_or_else(|| Error::no_such("Deployment"))
    })
}
