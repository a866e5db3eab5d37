//! `PutFunctionRecursionConfig`: kept and given back.

use aws_api::Call;
use serde::Deserialize;

use crate::error::Error;
use crate::host::FunctionHost;
use crate::ops::get_function_recursion_config::Response;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    recursive_loop: String,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Response, Error> {
    let Request { function_name, recursive_loop } = request;
    if !matches!(recursive_loop.as_str(), "Allow" | "Terminate") {
        let constraint = "Member must satisfy enum value set: [Allow, Terminate]";
        return Err(Error::constraint(&recursive_loop, "recursiveLoop", constraint));
    }
    let found = host.find_function("PutFunctionRecursionConfig", &function_name)?;
    let change = host.change(&found.function.name, |function| {
        function.recursive_loop = Some(recursive_loop.clone());
        Ok(())
    });
    change.await?;
    if recursive_loop == "Terminate" {
        let setting = "RecursiveLoop";
        tracing::warn!(function = found.function.name, setting, "loops are not looked for; nothing is terminated");
    }
    Ok(Response { recursive_loop })
}
