//! `CreateFunctionUrlConfig`: an address for a function or an alias.

use aws_api::{ApiError, Call, Reply};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use world::Timestamp;

use crate::cors::Cors;
use crate::error::Error;
use crate::function_url::{Auth, FunctionUrl, id_of};
use crate::host::FunctionHost;
use crate::name::{Qualifier, Target};
use crate::named::Named;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    qualifier: Option<String>,
    auth_type: String,
    cors: Option<Cors>,
    invoke_mode: Option<String>,
}

/// As Create, Get, Update and List answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Response {
    function_url: String,
    function_arn: String,
    auth_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cors: Option<Cors>,
    creation_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_time: Option<String>,
    invoke_mode: &'static str,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    check_qualifier(request.qualifier.as_deref())?;
    let auth = Auth::parse(&request.auth_type)?;
    check_invoke_mode(request.invoke_mode.as_deref())?;
    // `{}` configures nothing.
    let cors = request.cors.map(Cors::check).transpose()?.filter(|cors| *cors != Cors::default());
    let named = find(host, "CreateFunctionUrlConfig", &request.function_name, request.qualifier.as_deref())?;
    let named = named.ok_or_else(missing_function)?;
    let arn = named.qualified_arn();
    let now = host.world().clock.now().millis();
    let url = FunctionUrl { id: id_of(&arn), auth, cors, created_ms: now, last_modified_ms: now };
    let change = host.change(&named.function.name, |function| {
        let configured = function.at_mut(named.qualifier.as_deref());
        if configured.url.is_some() {
            return Err(Error::ResourceConflict(format!(
                "Failed to create function url config for [functionArn = {arn}]. Error message:  FunctionUrlConfig \
                 exists for this Lambda function"
            )));
        }
        configured.url = Some(url.clone());
        Ok(())
    });
    change.await?;
    let answer = Response { last_modified_time: None, ..Response::of(host, arn, &url) };
    Ok(Reply::json(&answer)?.status(StatusCode::CREATED))
}

/// A URL is for the function or for an alias, never for a version.
pub(crate) fn check_qualifier(qualifier: Option<&str>) -> Result<(), Error> {
    match qualifier.map(|qualifier| (qualifier, Qualifier::of(qualifier))) {
        None | Some((_, Qualifier::Alias(_))) => Ok(()),
        Some((qualifier, _)) => {
            let constraint = r"Member must satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)";
            Err(Error::constraint(qualifier, "qualifier", constraint))
        }
    }
}

/// Streams are refused by name: what a function streams is collected here and sent in one piece.
pub(crate) fn check_invoke_mode(mode: Option<&str>) -> Result<(), Error> {
    match mode {
        None | Some("BUFFERED") => Ok(()),
        Some("RESPONSE_STREAM") => Err(Error::InvalidParameterValue(
            "InvokeMode RESPONSE_STREAM is not implemented by this server: use BUFFERED".into(),
        )),
        Some(other) => {
            let constraint = "Member must satisfy enum value set: [RESPONSE_STREAM, BUFFERED]";
            Err(Error::constraint(other, "invokeMode", constraint))
        }
    }
}

/// The function or alias, if it is there.
pub(crate) fn find(
    host: &FunctionHost,
    operation: &str,
    reference: &str,
    qualifier: Option<&str>,
) -> Result<Option<Named>, Error> {
    let target = Target::resolve(&host.world().place, operation, reference, qualifier)?;
    check_qualifier(target.qualifier)?;
    Ok(host.look_up(target))
}

/// What Create, Update and List say of a function or alias that is not there.
pub(crate) fn missing_function() -> Error {
    Error::ResourceNotFound("Function does not exist".into())
}

impl Response {
    pub(crate) fn of(host: &FunctionHost, function_arn: String, url: &FunctionUrl) -> Self {
        let time = |millis| Timestamp::from_millis(millis).format("%Y-%m-%dT%H:%M:%S%.6fZ");
        Self {
            function_url: host.url_text(&url.id),
            function_arn,
            auth_type: url.auth.as_str(),
            cors: url.cors.clone(),
            creation_time: time(url.created_ms),
            last_modified_time: Some(time(url.last_modified_ms)),
            invoke_mode: "BUFFERED",
        }
    }
}
