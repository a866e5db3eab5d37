//! `UpdateStage`: another deployment, variables, words for people.

use aws_api::Call;
use serde::Deserialize;

use super::create_stage::HARMLESS;
use super::patch::{PatchOperation, apply};
use super::update_rest_api::{as_members, members_of};
use crate::document::{read, report_not_honoured};
use crate::error::Error;
use crate::rest_api::Stage;
use crate::room::HttpApis;

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
    stage_name: String,
    #[serde(rename = "patchOperations", default)]
    patch_operations: Vec<PatchOperation>,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Stage, Error> {
    room.change_rest(&request.restapi_id, |api| {
        let stage = api.stages.get(&request.stage_name).ok_or_else(|| Error::no_such("stage"))?;
        let mut members = members_of(stage);
        let left = apply(&mut members, &request.patch_operations)?;
        let mut stage: Stage = read(members)?;
        stage.stage_name.clone_from(&request.stage_name);
        api.check_stage(&stage)?;
        stage.last_updated_date = room.world.clock.now().seconds();
        let mut other = stage.other.clone();
        other.extend(as_members(left));
        let what = format!("stage {} of {}", stage.stage_name, api.settings.name);
        report_not_honoured(&room.world, &what, &other, HARMLESS);
        api.stages.insert(request.stage_name, stage.clone());
        Ok(stage)
    })
    .await
}
