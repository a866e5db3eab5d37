//! `GetFunctionEventInvokeConfig`.

use std::sync::Arc;

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;

use crate::error::Error;
use crate::event_invoke::EventInvokeAnswer;
use crate::host::{Deployment, FunctionHost};
use crate::name::{LATEST, Target};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    pub(crate) function_name: String,
    pub(crate) qualifier: Option<String>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let place = &host.world().place;
    let operation = "GetFunctionEventInvokeConfig";
    let target = Target::resolve(place, operation, &request.function_name, request.qualifier.as_deref())?;
    let arn = Target { qualifier: target.qualifier.or(Some(LATEST)), ..target }.arn(place);
    let deployment = host.named(target.name).filter(|_| target.is_latest());
    let config = deployment.as_ref().and_then(|deployment| deployment.function.event_invoke.as_ref());
    Reply::json(&EventInvokeAnswer::of(config.ok_or_else(|| not_configured(&arn))?, arn.clone()))
}

/// The function, with the error that these operations have for one that is not there.
pub(crate) fn find(
    host: &FunctionHost,
    operation: &str,
    reference: &str,
    qualifier: Option<&str>,
) -> Result<Arc<Deployment>, Error> {
    let target = Target::resolve(&host.world().place, operation, reference, qualifier)?;
    host.named(target.name).filter(|_| target.is_latest()).ok_or_else(Error::function_does_not_exist)
}

/// The function has no such configuration, or there is no such function.
pub(crate) fn not_configured(arn: &str) -> Error {
    Error::ResourceNotFound(format!("The function {arn} doesn't have an EventInvokeConfig"))
}
