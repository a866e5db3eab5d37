//! `UpdateFunctionConfiguration`. Invocations that run finish as they began; the next ones get new sandboxes.

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;

use crate::configuration::{ConfigurationRequest, FunctionConfiguration};
use crate::error::Error;
use crate::host::FunctionHost;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    revision_id: Option<String>,
    #[serde(flatten)]
    settings: ConfigurationRequest,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let before = host.find_function("UpdateFunctionConfiguration", &request.function_name)?;
    let change = host.change(&before.function.name, |function| {
        if request.revision_id.is_some_and(|revision| revision != function.revision_id) {
            return Err(Error::PreconditionFailed);
        }
        let had = function.settings.layers.clone();
        request.settings.apply(&function.name, &mut function.settings)?;
        host.check_layers(&function.settings.layers, &had, function.code.unzipped_bytes)?;
        function.touch(host.world());
        Ok(())
    });
    let deployment = change.await?;
    let shown = deployment.function.shown(None).ok_or_else(|| Error::function_not_found(&deployment.arn))?;
    Reply::json(&FunctionConfiguration::of(host, shown, &deployment.arn))
}
