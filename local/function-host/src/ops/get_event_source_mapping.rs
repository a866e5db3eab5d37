//! `GetEventSourceMapping`.

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;

use crate::host::FunctionHost;
use crate::mapping::answer::MappingAnswer;

#[derive(Debug, Deserialize)]
pub(crate) struct Request {
    #[serde(rename = "UUID")]
    uuid: String,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let entry = host.mappings.get(&request.uuid)?;
    Reply::json(&MappingAnswer::of(&host.world().place, &entry))
}
