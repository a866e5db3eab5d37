//! `DeleteAlias`. One that is not there is no error.

use aws_api::{Call, Reply};
use http::StatusCode;

use crate::error::Error;
use crate::host::FunctionHost;
use crate::ops::get_alias;

pub(crate) type Request = get_alias::Request;

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, Error> {
    let found = host.find_function("DeleteAlias", &request.function_name)?;
    let change = host.change(&found.function.name, |function| {
        if function.aliases.remove(&request.name).is_some() {
            function.qualified.remove(&request.name);
        }
        Ok(())
    });
    change.await?;
    Ok(Reply::bytes(StatusCode::NO_CONTENT, ""))
}
