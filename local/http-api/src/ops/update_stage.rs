//! `UpdateStage`: what is named changes, the rest stays.

use aws_api::Call;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::create_stage::HARMLESS;
use crate::document::{changed, report_not_honoured};
use crate::error::Error;
use crate::http_api::{Stage, date};
use crate::room::HttpApis;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    api_id: String,
    stage_name: String,
    #[serde(flatten)]
    changes: Map<String, Value>,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Stage, Error> {
    room.change_http(&request.api_id, |api| {
        let stage = api.stages.get(&request.stage_name).ok_or_else(|| Error::no_such("Stage"))?;
        let mut stage: Stage = changed(stage, request.changes)?;
        stage.stage_name.clone_from(&request.stage_name);
        api.check_stage(&stage)?;
        let what = format!("stage {} of {}", stage.stage_name, api.settings.name);
        report_not_honoured(&room.world, &what, &stage.other, HARMLESS);
        stage.last_updated_date = date(room.world.clock.now());
        api.stages.insert(request.stage_name, stage.clone());
        Ok(stage)
    })
    .await
}
