//! `DeleteFunctionUrlConfig`.

use aws_api::{Call, Reply};
use http::StatusCode;

use crate::error::Error;
use crate::host::FunctionHost;
use crate::ops::create_function_url_config::{check_qualifier, find};
use crate::ops::get_function_url_config;

pub(crate) type Request = get_function_url_config::Request;

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, Error> {
    check_qualifier(request.qualifier.as_deref())?;
    let named = find(host, "DeleteFunctionUrlConfig", &request.function_name, request.qualifier.as_deref())?;
    let named = named.ok_or_else(Error::resource_not_found)?;
    let change = host.change(&named.function.name, |function| {
        let configured = function.at_mut(named.qualifier.as_deref());
        configured.url.take().map(drop).ok_or_else(Error::resource_not_found)
    });
    change.await?;
    Ok(Reply::bytes(StatusCode::NO_CONTENT, ""))
}
