//! `GetFunctionRecursionConfig`. Loops are not looked for here, so nothing is ever terminated.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::host::FunctionHost;

const DEFAULT: &str = "Terminate";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Response {
    pub(crate) recursive_loop: String,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Response, Error> {
    let found = host.find_function("GetFunctionRecursionConfig", &request.function_name)?;
    let recursive_loop = found.function.recursive_loop.clone().unwrap_or_else(|| DEFAULT.to_owned());
    Ok(Response { recursive_loop })
}
