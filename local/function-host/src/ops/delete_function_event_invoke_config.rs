//! `DeleteFunctionEventInvokeConfig`.

use aws_api::{ApiError, Call, Reply};
use http::StatusCode;

use crate::host::FunctionHost;
use crate::name::{LATEST, Target};
use crate::ops::get_function_event_invoke_config::{self, not_configured};

pub(crate) type Request = get_function_event_invoke_config::Request;

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let place = &host.world().place;
    let operation = "DeleteFunctionEventInvokeConfig";
    let target = Target::resolve(place, operation, &request.function_name, request.qualifier.as_deref())?;
    let arn = Target { qualifier: target.qualifier.or(Some(LATEST)), ..target }.arn(place);
    if host.named(target.name).is_none() || !target.is_latest() {
        return Err(not_configured(&arn).into());
    }
    let change =
        host.change(target.name, |function| function.event_invoke.take().map(drop).ok_or_else(|| not_configured(&arn)));
    change.await?;
    Ok(Reply::bytes(StatusCode::NO_CONTENT, ""))
}
