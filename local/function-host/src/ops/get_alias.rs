//! `GetAlias`.

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;

use crate::alias::AliasAnswer;
use crate::error::Error;
use crate::host::FunctionHost;
use crate::name::Target;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    pub(crate) function_name: String,
    pub(crate) name: String,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let place = &host.world().place;
    let target = Target::resolve(place, "GetAlias", &request.function_name, None)?;
    let arn = place.arn("lambda", &format!("function:{}", target.name));
    let deployment = host.named(target.name);
    let alias = deployment.as_ref().and_then(|deployment| deployment.function.aliases.get(&request.name));
    let alias = alias.ok_or_else(|| Error::alias_not_found(&format!("{arn}:{}", request.name)))?;
    Reply::json(&AliasAnswer::of(&request.name, alias, &arn))
}
