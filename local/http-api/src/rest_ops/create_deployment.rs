//! `CreateDeployment`: what there is now, to be served by a stage, which is made if it is named and not there.

use std::collections::BTreeMap;

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::create_stage::enter;
use crate::document::{Tags, created, new_id, report_not_honoured};
use crate::rest_api::{Deployment, Stage, StoredDeployment};
use crate::room::HttpApis;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    #[serde(rename = "restapi_id")]
    restapi_id: String,
    stage_name: Option<String>,
    stage_description: Option<String>,
    description: Option<String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(flatten)]
    other: Map<String, Value>,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let made = room.change_rest(&request.restapi_id, |api| {
        let served = api.to_serve()?;
        let now = room.world.clock.now().seconds();
        let deployment = Deployment { id: new_id(&room.world), description: request.description, created_date: now };
        let stored = StoredDeployment { deployment: deployment.clone(), served };
        api.deployments.insert(deployment.id.clone(), stored);
        report_not_honoured(&room.world, &format!("deployment of {}", api.settings.name), &request.other, &[]);
        let Some(name) = request.stage_name else { return Ok(deployment) };
        if let Some(stage) = api.stages.get_mut(&name) {
            stage.deployment_id.clone_from(&deployment.id);
            stage.variables.extend(request.variables);
            stage.last_updated_date = now;
        } else {
            let description = request.stage_description.map(|text| ("description".to_owned(), text.into()));
            let stage = Stage {
                stage_name: name,
                deployment_id: deployment.id.clone(),
                variables: request.variables,
                tags: Tags::new(),
                created_date: now,
                last_updated_date: now,
                other: description.into_iter().collect(),
            };
            enter(room, api, stage)?;
        }
        Ok(deployment)
    });
    created(&made.await?)
}
