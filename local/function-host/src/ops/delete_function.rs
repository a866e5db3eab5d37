//! `DeleteFunction`. Invocations that run finish.

use aws_api::{ApiError, Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::error::Error;
use crate::host::FunctionHost;
use crate::name::LATEST;

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
    let deployment = host.find("DeleteFunction", &request.function_name, request.qualifier.as_deref())?;
    host.remove(&deployment).await?;
    Ok(Reply::bytes(StatusCode::NO_CONTENT, ""))
}
