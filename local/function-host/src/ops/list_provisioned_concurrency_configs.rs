//! `ListProvisionedConcurrencyConfigs`.

use aws_api::{ApiError, Call, Reply};
use serde::{Deserialize, Serialize};

use crate::host::FunctionHost;
use crate::ops::put_provisioned_concurrency_config::Response as Item;
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
    provisioned_concurrency_configs: Vec<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let found = host.find_function("ListProvisionedConcurrencyConfigs", &request.function_name)?;
    let page = Page::of(request.marker, request.max_items.as_deref(), FEW)?;
    let all = found.function.qualified.iter();
    let all = all.filter_map(|(at, configured)| Some((at, configured.provisioned.as_ref()?))).collect();
    let (items, next_marker) = page.cut(all, |(at, _)| (*at).clone());
    let items = items.into_iter().map(|(at, item)| Item::of(host, Some(format!("{}:{at}", found.arn)), item));
    Reply::json(&Response { provisioned_concurrency_configs: items.collect(), next_marker })
}
