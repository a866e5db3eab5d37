//! `ListFunctionEventInvokeConfigs`: at most one, for there is one version.

use aws_api::{ApiError, Call, Reply};
use serde::{Deserialize, Serialize};

use crate::event_invoke::EventInvokeAnswer;
use crate::host::FunctionHost;
use crate::ops::get_function_event_invoke_config::find;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    function_event_invoke_configs: Vec<EventInvokeAnswer>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let deployment = find(host, "ListFunctionEventInvokeConfigs", &request.function_name, None)?;
    let arn = host.world().place.arn("lambda", &deployment.function.latest_resource());
    let config = deployment.function.event_invoke.iter();
    let configs = config.map(|config| EventInvokeAnswer::of(config, arn.clone())).collect();
    Reply::json(&Response { function_event_invoke_configs: configs })
}
