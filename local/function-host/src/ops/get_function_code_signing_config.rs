//! `GetFunctionCodeSigningConfig`: there are no such configurations here, so no function has one.

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;

use crate::host::FunctionHost;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    host.find_function("GetFunctionCodeSigningConfig", &request.function_name)?;
    Reply::json(&serde_json::json!({}))
}
