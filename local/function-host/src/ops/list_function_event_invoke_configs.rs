//! `ListFunctionEventInvokeConfigs`: the function's own and those of its versions and aliases.

use aws_api::{ApiError, Call, Reply};
use serde::{Deserialize, Serialize};

use crate::event_invoke::EventInvokeAnswer;
use crate::host::FunctionHost;
use crate::name::LATEST;
use crate::ops::get_function_event_invoke_config::find;
use crate::page::{FEW, Page};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    marker: Option<String>,
    max_items: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    function_event_invoke_configs: Vec<EventInvokeAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let named = find(host, "ListFunctionEventInvokeConfigs", &request.function_name, None)?;
    let page = Page::of(request.marker, request.max_items.as_deref(), FEW)?;
    let all = named.function.all_qualified();
    let all =
        all.filter_map(|(at, configured)| Some((at.unwrap_or(LATEST), configured.event_invoke.as_ref()?))).collect();
    let (configs, next_marker) = page.cut(all, |(at, _)| (*at).to_owned());
    let configs = configs.into_iter().map(|(at, config)| EventInvokeAnswer::of(config, format!("{}:{at}", named.arn)));
    Reply::json(&Response { function_event_invoke_configs: configs.collect(), next_marker })
}
