//! `CreateDeployment`: what there is now, to be served by a stage.

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;

use crate::document::created;
use crate::error::Error;
use crate::http_api::{Deployment, StoredDeployment};
use crate::room::HttpApis;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    api_id: String,
    description: Option<String>,
    stage_name: Option<String>,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let made = room.change_http(&request.api_id, |api| {
        if api.routes.is_empty() {
            return Err(Error::bad_request("Unable to deploy API because no routes exist in this API"));
        }
        let deployment = Deployment::new(&room.world, false, request.description);
        if let Some(name) = &request.stage_name {
            let stage = api.stages.get_mut(name).ok_or_else(|| Error::no_such("Stage"))?;
            if stage.auto_deploy {
                return Err(Error::bad_request(
                    "Deployment failed: the stage is deployed to by itself (AutoDeploy), and so cannot be deployed to",
                ));
            }
            stage.deployment_id = Some(deployment.deployment_id.clone());
        }
        let served = api.to_serve();
        let stored = StoredDeployment { deployment: deployment.clone(), served };
        api.deployments.insert(deployment.deployment_id.clone(), stored);
        Ok(deployment)
    });
    created(&made.await?)
}
