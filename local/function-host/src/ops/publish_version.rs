//! `PublishVersion`: freezes `$LATEST` under the next number. Publishing the same again gives the same version.

use aws_api::{ApiError, Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::alias::check_description;
use crate::configuration::FunctionConfiguration;
use crate::error::Error;
use crate::function::{Function, Source};
use crate::host::{Deployment, FunctionHost};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    code_sha256: Option<String>,
    description: Option<String>,
    revision_id: Option<String>,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let found = host.find_function("PublishVersion", &request.function_name)?;
    let description = check_description(request.description)?;
    let change = host.change(&found.function.name, |function| {
        let current = &function.code.sha256;
        if let Some(given) = request.code_sha256.filter(|given| !given.is_empty() && given != current) {
            return Err(Error::InvalidParameterValue(format!(
                "CodeSHA256 ({given}) is different from current CodeSHA256 in $LATEST ({current}). Please try again \
                 with the CodeSHA256 in $LATEST."
            )));
        }
        if request.revision_id.is_some_and(|revision| revision != function.revision_id) {
            return Err(Error::PreconditionFailed);
        }
        publish(host, function, description);
        Ok(())
    });
    Ok(published(host, &*change.await?)?.status(StatusCode::CREATED))
}

/// Publishes, and says what cannot be frozen.
pub(crate) fn publish(host: &FunctionHost, function: &mut Function, description: Option<String>) {
    let version = function.publish(description, host.world());
    if let Source::OnDisk(path) = &function.code.source {
        let (name, path) = (&function.name, path.display());
        tracing::warn!(function = name, version, %path, "code that is used where it lies changes under its versions");
    }
}

/// The version that was published last.
pub(crate) fn published(host: &FunctionHost, deployment: &Deployment) -> Result<Reply, ApiError> {
    let number = deployment.function.version_last;
    let arn = format!("{}:{number}", deployment.arn);
    let shown = deployment.function.shown(Some(number)).ok_or_else(|| Error::function_not_found(&arn))?;
    Reply::json(&FunctionConfiguration::of(host, shown, &arn))
}
