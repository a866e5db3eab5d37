//! `DeleteFunction`: a function with all its versions and aliases, or one version. Invocations that run finish.

use aws_api::{ApiError, Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::error::Error;
use crate::host::FunctionHost;
use crate::name::{LATEST, Qualifier, Target};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    qualifier: Option<String>,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    if request.qualifier.as_deref() == Some(LATEST) || request.function_name.ends_with(":$LATEST") {
        let message = "$LATEST version cannot be deleted without deleting the function.";
        return Err(Error::InvalidParameterValue(message.into()).into());
    }
    let place = &host.world().place;
    let target = Target::resolve(place, "DeleteFunction", &request.function_name, request.qualifier.as_deref())?;
    let deployment = host.named(target.name).ok_or_else(|| Error::function_not_found(&target.arn(place)))?;
    match target.kind() {
        Qualifier::Latest => host.remove(&deployment).await?,
        Qualifier::Version(number) => delete_version(host, target.name, number).await?,
        Qualifier::Alias(_) => {
            let message = "Deletion of aliases is not currently supported.";
            return Err(Error::InvalidParameterValue(message.into()).into());
        }
        Qualifier::Nothing => return Err(Error::function_not_found(&target.arn(place)).into()),
    }
    Ok(Reply::bytes(StatusCode::NO_CONTENT, ""))
}

/// One that is not there is no error.
async fn delete_version(host: &FunctionHost, name: &str, number: u64) -> Result<(), Error> {
    let change = host.change(name, |function| {
        let aliases = function.aliases.iter().filter(|(_, alias)| alias.versions().any(|version| version == number));
        let aliases: Vec<&str> = aliases.map(|(name, _)| name.as_str()).collect();
        if !aliases.is_empty() {
            let aliases = aliases.join(", ");
            return Err(Error::ResourceConflict(format!(
                "Unable to delete version because the following aliases reference it: [{aliases}]"
            )));
        }
        function.versions.remove(&number);
        function.qualified.remove(&number.to_string());
        Ok(())
    });
    change.await.map(drop)
}
