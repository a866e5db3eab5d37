//! `DeleteEventSourceMapping`. The batches that the function has are finished.

use aws_api::{ApiError, Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::host::FunctionHost;
use crate::mapping::Phase;
use crate::mapping::answer::MappingAnswer;

#[derive(Debug, Deserialize)]
pub(crate) struct Request {
    #[serde(rename = "UUID")]
    uuid: String,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let entry = host.mappings.remove(&request.uuid).await?;
    let answer = MappingAnswer::in_phase(&host.world().place, &entry, Phase::Deleting);
    Ok(Reply::json(&answer)?.status(StatusCode::ACCEPTED))
}
