//! `UpdateFunctionCode`. Invocations that run finish on the old code; the next ones get new sandboxes.

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;

use crate::code::CodeRequest;
use crate::configuration::{FunctionConfiguration, check_architecture};
use crate::error::Error;
use crate::host::FunctionHost;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    revision_id: Option<String>,
    architectures: Option<Vec<String>>,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    publish: bool,
    #[serde(flatten)]
    code: CodeRequest,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let before = host.find("UpdateFunctionCode", &request.function_name, None)?;
    let function = &before.function;
    if request.revision_id.as_ref().is_some_and(|revision| *revision != function.revision_id) {
        return Err(Error::PreconditionFailed.into());
    }
    let architecture = check_architecture(request.architectures)?;
    if request.publish {
        tracing::warn!(function = function.name, setting = "Publish", "this setting is not honoured");
    }
    if request.dry_run {
        return Reply::json(&FunctionConfiguration::of(function, &before.arn));
    }
    let code = request.code.take(host).await?;
    let change = host.change(&function.name, |function| {
        function.code = code;
        if let Some(architecture) = architecture {
            function.settings.architecture = architecture;
        }
        function.touch(host.world());
        Ok(())
    });
    let deployment = change.await?;
    Reply::json(&FunctionConfiguration::of(&deployment.function, &deployment.arn))
}
