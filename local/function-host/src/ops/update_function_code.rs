//! `UpdateFunctionCode`. Invocations that run finish on the old code; the next ones get new sandboxes.

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;

use crate::code::CodeRequest;
use crate::configuration::{FunctionConfiguration, check_architecture};
use crate::error::Error;
use crate::host::FunctionHost;
use crate::ops::publish_version::{publish, published};

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
    let before = host.find_function("UpdateFunctionCode", &request.function_name)?;
    let function = &before.function;
    if request.revision_id.as_ref().is_some_and(|revision| *revision != function.revision_id) {
        return Err(Error::PreconditionFailed.into());
    }
    let architecture = check_architecture(request.architectures)?;
    if request.dry_run {
        return Reply::json(&FunctionConfiguration::of(host, before.shown()?, &before.arn));
    }
    let code = request.code.take(host, function.settings.runtime).await?;
    let layers = &function.settings.layers;
    if let Err(error) = host.check_layers(layers, layers, code.unzipped_bytes) {
        host.discard(&code);
        return Err(error.into());
    }
    let change = host.change(&function.name, |function| {
        function.code = code;
        if let Some(architecture) = architecture {
            function.settings.architecture = architecture;
        }
        function.touch(host.world());
        if request.publish {
            publish(host, function, None);
        }
        Ok(())
    });
    let deployment = change.await?;
    if request.publish {
        return published(host, &deployment);
    }
    let shown = deployment.function.shown(None).ok_or_else(|| Error::function_not_found(&deployment.arn))?;
    Reply::json(&FunctionConfiguration::of(host, shown, &deployment.arn))
}
