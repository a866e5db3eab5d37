//! `GetStage`.

use aws_api::Call;
use serde::Deserialize;

use crate::error::Error;
use crate::rest_api::Stage;
use crate::room::HttpApis;

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
    stage_name: String,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Stage, Error> {
    room.read_rest(&request.restapi_id, |api| {
        api.stages.get(&request.stage_name).cloned().ok_or_else(|| Error::no_such("stage"))
    })
}
