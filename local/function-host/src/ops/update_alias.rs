//! `UpdateAlias`: changes what is given.

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;

use crate::alias::{AliasAnswer, RoutingConfig, check_description, check_version};
use crate::error::Error;
use crate::host::FunctionHost;
use crate::ops::create_alias::check_versions;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    name: String,
    function_version: Option<String>,
    description: Option<String>,
    routing_config: Option<RoutingConfig>,
    revision_id: Option<String>,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let found = host.find_function("UpdateAlias", &request.function_name)?;
    let description = check_description(request.description)?;
    let version = request.function_version.as_deref().map(check_version).transpose()?;
    let name = &request.name;
    let missing = || Error::ResourceNotFound(format!("Alias not found: {}:{name}", found.arn));
    let change = host.change(&found.function.name, |function| {
        let mut alias = function.aliases.get(name).cloned().ok_or_else(missing)?;
        if request.revision_id.is_some_and(|revision| revision != alias.revision_id) {
            return Err(Error::PreconditionFailed);
        }
        alias.version = version.unwrap_or(alias.version);
        alias.description = description.unwrap_or(alias.description);
        if let Some(config) = request.routing_config {
            alias.weights = config.check(alias.version)?;
        } else if alias.version.is_none() && !alias.weights.is_empty() {
            let message = "$LATEST is not supported for an alias pointing to more than 1 version";
            return Err(Error::InvalidParameterValue(message.into()));
        }
        check_versions(function, &alias, &found.arn)?;
        alias.revision_id = host.world().random.uuid();
        function.aliases.insert(name.clone(), alias);
        Ok(())
    });
    let changed = change.await?;
    let alias = changed.function.aliases.get(name).ok_or_else(missing)?;
    Reply::json(&AliasAnswer::of(name, alias, &changed.arn))
}
