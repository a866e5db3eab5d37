//! `GetFunctionConcurrency`.

use aws_api::Call;
use serde::Deserialize;

use crate::error::Error;
use crate::host::FunctionHost;
use crate::ops::put_function_concurrency::Response;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Response, Error> {
    let deployment = host.find_function("GetFunctionConcurrency", &request.function_name)?;
    Ok(Response { reserved_concurrent_executions: deployment.function.reserved_concurrency })
}
