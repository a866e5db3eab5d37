//! `DeleteFunctionConcurrency`.

use aws_api::{Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::error::Error;
use crate::host::FunctionHost;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, Error> {
    let found = host.find_function("DeleteFunctionConcurrency", &request.function_name)?;
    let change = host.change(&found.function.name, |function| {
        function.reserved_concurrency = None;
        Ok(())
    });
    change.await?;
    Ok(Reply::bytes(StatusCode::NO_CONTENT, ""))
}
