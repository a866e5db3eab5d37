//! `DeleteFunctionEventInvokeConfig`.

use aws_api::{ApiError, Call, Reply};
use http::StatusCode;

use crate::host::FunctionHost;
use crate::ops::get_function_event_invoke_config::{self, find_configured, not_configured};

pub(crate) type Request = get_function_event_invoke_config::Request;

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let operation = "DeleteFunctionEventInvokeConfig";
    let named = find_configured(host, operation, &request.function_name, request.qualifier.as_deref())?;
    let change = host.change(&named.function.name, |function| {
        let configured = function.at_mut(named.qualifier.as_deref());
        configured.event_invoke.take().map(drop).ok_or_else(|| not_configured(&named.versioned_arn()))
    });
    change.await?;
    Ok(Reply::bytes(StatusCode::NO_CONTENT, ""))
}
