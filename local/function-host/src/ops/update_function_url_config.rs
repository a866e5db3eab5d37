//! `UpdateFunctionUrlConfig`: changes what is given. The address stays.

use aws_api::Call;
use serde::Deserialize;

use crate::cors::Cors;
use crate::error::Error;
use crate::function_url::Auth;
use crate::host::FunctionHost;
use crate::ops::create_function_url_config::{Response, check_invoke_mode, check_qualifier, find, missing_function};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    qualifier: Option<String>,
    auth_type: Option<String>,
    cors: Option<Cors>,
    invoke_mode: Option<String>,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Response, Error> {
    check_qualifier(request.qualifier.as_deref())?;
    let auth = request.auth_type.as_deref().map(Auth::parse).transpose()?;
    check_invoke_mode(request.invoke_mode.as_deref())?;
    let cors = request.cors.map(Cors::check).transpose()?;
    let named = find(host, "UpdateFunctionUrlConfig", &request.function_name, request.qualifier.as_deref())?;
    let named = named.ok_or_else(missing_function)?;
    let mut changed = None;
    let change = host.change(&named.function.name, |function| {
        let configured = function.at_mut(named.qualifier.as_deref());
        let url = configured.url.as_mut().ok_or_else(Error::resource_not_found)?;
        url.auth = auth.unwrap_or(url.auth);
        if let Some(cors) = cors {
            // `{}` takes the configuration away.
            url.cors = Some(cors).filter(|cors| *cors != Cors::default());
        }
        url.last_modified_ms = host.world().clock.now().millis();
        changed = Some(url.clone());
        Ok(())
    });
    change.await?;
    let url = changed.ok_or_else(Error::resource_not_found)?;
    Ok(Response::of(host, named.qualified_arn(), &url))
}
