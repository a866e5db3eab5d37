//! `CreateStage`.

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::document::{check_tags, created, read, report_not_honoured};
use crate::error::Error;
use crate::rest_api::{RestApi, Stage};
use crate::room::HttpApis;

/// What needs no engine.
pub const HARMLESS: &[&str] = &["description", "documentationVersion", "cacheClusterStatus"];

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
    #[serde(flatten)]
    stage: Map<String, Value>,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let made = room.change_rest(&request.restapi_id, |api| {
        let stage: Stage = read(request.stage)?;
        if api.stages.contains_key(&stage.stage_name) {
            return Err(Error::conflict("Stage already exists"));
        }
        enter(room, api, stage)
    });
    created(&made.await?)
}

/// Takes a new stage into its API.
pub fn enter(room: &HttpApis, api: &mut RestApi, mut stage: Stage) -> Result<Stage, Error> {
    api.check_stage(&stage)?;
    check_tags(&stage.tags)?;
    let what = format!("stage {} of {}", stage.stage_name, api.settings.name);
    report_not_honoured(&room.world, &what, &stage.other, HARMLESS);
    stage.created_date = room.world.clock.now().seconds();
    stage.last_updated_date = stage.created_date;
    api.stages.insert(stage.stage_name.clone(), stage.clone());
    Ok(stage)
}
