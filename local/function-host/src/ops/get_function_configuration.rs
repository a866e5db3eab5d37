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
    let deployment = host.find("GetFunctionConfiguration", &request.function_name, request.qualifier.as_deref())?;
    let arn = match request.qualifier {
        Some(qualifier) => format!("{}:{qualifier}", deployment.arn),
        None => deployment.arn.clone(),
    };
    Reply::json(&FunctionConfiguration::of(&deployment.function, &arn))
}
