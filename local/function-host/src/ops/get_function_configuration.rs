//! `GetFunctionConfiguration`.

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;

use crate::configuration::FunctionConfiguration;
use crate::host::FunctionHost;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    qualifier: Option<String>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let named = host.find("GetFunctionConfiguration", &request.function_name, request.qualifier.as_deref())?;
    Reply::json(&FunctionConfiguration::of(host, named.shown()?, &named.qualified_arn()))
}
