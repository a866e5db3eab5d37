//! `CreateAlias`.

use aws_api::{ApiError, Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::alias::{Alias, AliasAnswer, RoutingConfig, check_description, check_name, check_version, version_text};
use crate::error::Error;
use crate::function::Function;
use crate::host::FunctionHost;
use crate::name::Target;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    name: String,
    function_version: String,
    description: Option<String>,
    routing_config: Option<RoutingConfig>,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    check_name(&request.name)?;
    let version = check_version(&request.function_version)?;
    let description = check_description(request.description)?.unwrap_or_default();
    let weights = request.routing_config.unwrap_or_default().check(version)?;
    let place = &host.world().place;
    let target = Target::resolve(place, "CreateAlias", &request.function_name, None)?;
    let arn = place.arn("lambda", &format!("function:{}", target.name));
    if host.named(target.name).is_none() {
        return Err(Error::function_not_found(&format!("{arn}:{}", request.function_version)).into());
    }
    let alias = Alias { version, description, weights, revision_id: host.world().random.uuid() };
    let change = host.change(target.name, |function| {
        if function.aliases.contains_key(&request.name) {
            return Err(Error::ResourceConflict(format!("Alias already exists: {arn}:{}", request.name)));
        }
        check_versions(function, &alias, &arn)?;
        function.aliases.insert(request.name.clone(), alias.clone());
        Ok(())
    });
    change.await?;
    Ok(Reply::json(&AliasAnswer::of(&request.name, &alias, &arn))?.status(StatusCode::CREATED))
}

/// Whether all versions of an alias are there.
pub(crate) fn check_versions(function: &Function, alias: &Alias, arn: &str) -> Result<(), Error> {
    match alias.versions().find(|number| !function.versions.contains_key(number)) {
        Some(missing) => Err(Error::function_not_found(&format!("{arn}:{}", version_text(Some(missing))))),
        None => Ok(()),
    }
}
