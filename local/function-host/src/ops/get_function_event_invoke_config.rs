//! `GetFunctionEventInvokeConfig`.

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;

use crate::error::Error;
use crate::event_invoke::EventInvokeAnswer;
use crate::host::FunctionHost;
use crate::name::{LATEST, Target};
use crate::named::Named;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    pub(crate) function_name: String,
    pub(crate) qualifier: Option<String>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let operation = "GetFunctionEventInvokeConfig";
    let named = find_configured(host, operation, &request.function_name, request.qualifier.as_deref())?;
    let arn = named.versioned_arn();
    let config = named.event_invoke().ok_or_else(|| not_configured(&arn))?;
    Reply::json(&EventInvokeAnswer::of(config, arn.clone()))
}

/// The function, version or alias, with the error that Put and List have for one that is not there.
pub(crate) fn find(
    host: &FunctionHost,
    operation: &str,
    reference: &str,
    qualifier: Option<&str>,
) -> Result<Named, Error> {
    let target = Target::resolve(&host.world().place, operation, reference, qualifier)?;
    host.look_up(target).ok_or_else(Error::function_does_not_exist)
}

/// As [`find`], with the error of Get, Update and Delete.
pub(crate) fn find_configured(
    host: &FunctionHost,
    operation: &str,
    reference: &str,
    qualifier: Option<&str>,
) -> Result<Named, Error> {
    let place = &host.world().place;
    let target = Target::resolve(place, operation, reference, qualifier)?;
    let arn = Target { qualifier: target.qualifier.or(Some(LATEST)), ..target }.arn(place);
    host.look_up(target).ok_or_else(|| not_configured(&arn))
}

/// There is no such configuration, or no such function.
pub(crate) fn not_configured(arn: &str) -> Error {
    Error::ResourceNotFound(format!("The function {arn} doesn't have an EventInvokeConfig"))
}
