//! `ListFunctionUrlConfigs`: the function's own and its aliases'.

use aws_api::{ApiError, Call, Reply};
use serde::{Deserialize, Serialize};

use crate::host::FunctionHost;
use crate::name::Target;
use crate::ops::create_function_url_config::{Response as Item, missing_function};
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
    function_url_configs: Vec<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let target = Target::resolve(&host.world().place, "ListFunctionUrlConfigs", &request.function_name, None)?;
    let deployment = host.named(target.name).ok_or_else(missing_function)?;
    let page = Page::of(request.marker, request.max_items.as_deref(), FEW)?;
    let all = deployment.function.all_qualified();
    let all = all.filter_map(|(at, configured)| Some((at.unwrap_or_default(), configured.url.as_ref()?))).collect();
    let (items, next_marker) = page.cut(all, |(at, _)| (*at).to_owned());
    let items = items.into_iter().map(|(at, url)| {
        let arn = &deployment.arn;
        Item::of(host, if at.is_empty() { arn.clone() } else { format!("{arn}:{at}") }, url)
    });
    Reply::json(&Response { function_url_configs: items.collect(), next_marker })
}
