//! `ListVersionsByFunction`: `$LATEST`, then the versions in their order.

use aws_api::{ApiError, Call, Reply};
use serde::{Deserialize, Serialize};

use crate::alias::version_text;
use crate::configuration::FunctionConfiguration;
use crate::host::FunctionHost;
use crate::page::{MANY, Page};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    marker: Option<String>,
    max_items: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Response<'a> {
    versions: Vec<FunctionConfiguration<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let found = host.find_function("ListVersionsByFunction", &request.function_name)?;
    let page = Page::of(request.marker, request.max_items.as_deref(), MANY)?;
    let function = &found.function;
    let all = std::iter::once(None).chain(function.versions.keys().copied().map(Some)).collect();
    let (numbers, next_marker) = page.cut(all, |number| version_text(*number));
    let versions = numbers.into_iter().filter_map(|number| {
        let arn = format!("{}:{}", found.arn, version_text(number));
        Some(FunctionConfiguration::listed(host, function.shown(number)?, arn))
    });
    Reply::json(&Response { versions: versions.collect(), next_marker })
}
