//! `CreateStage`.

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::document::{check_tags, created, read, report_not_honoured};
use crate::error::Error;
use crate::http_api::{Stage, date};
use crate::room::HttpApis;

/// What needs no engine.
pub const HARMLESS: &[&str] = &["description", "apiGatewayManaged"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    api_id: String,
    #[serde(flatten)]
    stage: Map<String, Value>,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let made = room.change_http(&request.api_id, |api| {
        let mut stage: Stage = read(request.stage)?;
        api.check_stage(&stage)?;
        check_tags(&stage.tags)?;
        if api.stages.contains_key(&stage.stage_name) {
            return Err(Error::conflict("Stage already exists"));
        }
        let what = format!("stage {} of {}", stage.stage_name, api.settings.name);
        report_not_honoured(&room.world, &what, &stage.other, HARMLESS);
        stage.created_date = date(room.world.clock.now());
        stage.last_updated_date.clone_from(&stage.created_date);
        api.stages.insert(stage.stage_name.clone(), stage.clone());
        Ok(stage)
    });
    created(&made.await?)
}
