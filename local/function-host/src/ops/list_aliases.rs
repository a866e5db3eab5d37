//! `ListAliases`, by name; all, or those of one version.

use aws_api::{ApiError, Call, Reply};
use serde::{Deserialize, Serialize};

use crate::alias::{AliasAnswer, check_version};
use crate::host::FunctionHost;
use crate::page::{MANY, Page};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    function_version: Option<String>,
    marker: Option<String>,
    max_items: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    aliases: Vec<AliasAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let found = host.find_function("ListAliases", &request.function_name)?;
    let version = request.function_version.as_deref().map(check_version).transpose()?;
    let page = Page::of(request.marker, request.max_items.as_deref(), MANY)?;
    let aliases = found.function.aliases.iter();
    let aliases = aliases.filter(|(_, alias)| version.is_none_or(|version| version == alias.version)).collect();
    let (aliases, next_marker) = page.cut(aliases, |(name, _)| (*name).clone());
    let aliases = aliases.into_iter().map(|(name, alias)| AliasAnswer::of(name, alias, &found.arn));
    Reply::json(&Response { aliases: aliases.collect(), next_marker })
}
