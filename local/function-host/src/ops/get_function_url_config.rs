//! `GetFunctionUrlConfig`.

use aws_api::Call;
use serde::Deserialize;

use crate::error::Error;
use crate::host::FunctionHost;
use crate::ops::create_function_url_config::{Response, check_qualifier, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    pub(crate) function_name: String,
    pub(crate) qualifier: Option<String>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Response, Error> {
    check_qualifier(request.qualifier.as_deref())?;
    let named = find(host, "GetFunctionUrlConfig", &request.function_name, request.qualifier.as_deref())?;
    let named = named.ok_or_else(Error::resource_not_found)?;
    let configured = named.function.at(named.qualifier.as_deref());
    let url = configured.and_then(|configured| configured.url.as_ref()).ok_or_else(Error::resource_not_found)?;
    Ok(Response::of(host, named.qualified_arn(), url))
}
