//! `GetProvisionedConcurrencyConfig`.

use aws_api::Call;
use serde::Deserialize;

use crate::error::Error;
use crate::host::FunctionHost;
use crate::ops::put_provisioned_concurrency_config::{Response, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    pub(crate) function_name: String,
    pub(crate) qualifier: Option<String>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Response, Error> {
    let operation = "GetProvisionedConcurrencyConfig";
    let named = find(host, operation, &request.function_name, request.qualifier.as_deref())?;
    let configured = named.function.at(named.qualifier.as_deref());
    let provisioned = configured.and_then(|configured| configured.provisioned.as_ref());
    Ok(Response::of(host, None, provisioned.ok_or(Error::ProvisionedConcurrencyConfigNotFound)?))
}
