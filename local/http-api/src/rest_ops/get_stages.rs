//! `GetStages`, of one deployment if it is named.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::rest_api::Stage;
use crate::room::HttpApis;

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
    #[serde(rename = "deploymentId")]
    deployment_id: Option<String>,
}

#[derive(Serialize)]
pub struct Response {
    item: Vec<Stage>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Response, Error> {
    room.read_rest(&request.restapi_id, |api| {
        let is_of = |stage: &&Stage| request.deployment_id.as_ref().is_none_or(|id| *id == stage.deployment_id);
        Ok(Response { item: api.stages.values().filter(is_of).cloned().collect() })
    })
}
