//! `DeleteProvisionedConcurrencyConfig`. One that is not there is no error.

use aws_api::{Call, Reply};
use http::StatusCode;

use crate::error::Error;
use crate::host::FunctionHost;
use crate::ops::get_provisioned_concurrency_config;
use crate::ops::put_provisioned_concurrency_config::find;

pub(crate) type Request = get_provisioned_concurrency_config::Request;

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, Error> {
    let operation = "DeleteProvisionedConcurrencyConfig";
    let named = find(host, operation, &request.function_name, request.qualifier.as_deref())?;
    let change = host.change(&named.function.name, |function| {
        function.at_mut(named.qualifier.as_deref()).provisioned = None;
        Ok(())
    });
    change.await?;
    Ok(Reply::bytes(StatusCode::NO_CONTENT, ""))
}
