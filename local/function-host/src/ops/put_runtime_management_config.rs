//! `PutRuntimeManagementConfig`: kept and given back. Runtimes here are what is installed.

use aws_api::Call;
use serde::Deserialize;

use crate::error::Error;
use crate::function::RuntimeUpdates;
use crate::host::FunctionHost;
use crate::ops::get_runtime_management_config::Response;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    qualifier: Option<String>,
    update_runtime_on: String,
    runtime_version_arn: Option<String>,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Response, Error> {
    let update_on = request.update_runtime_on;
    let manual = match update_on.as_str() {
        "Manual" => true,
        "Auto" | "FunctionUpdate" => false,
        other => {
            let constraint = "Member must satisfy enum value set: [Auto, Manual, FunctionUpdate]";
            return Err(Error::constraint(other, "updateRuntimeOn", constraint));
        }
    };
    if manual != request.runtime_version_arn.is_some() {
        let message = if manual {
            "You must specify the runtime version ARN for Manual runtime updates.".to_owned()
        } else {
            format!("You cannot specify the runtime version ARN when runtimes are updated on {update_on}.")
        };
        return Err(Error::InvalidParameterValue(message));
    }
    let named = host.find("PutRuntimeManagementConfig", &request.function_name, request.qualifier.as_deref())?;
    let updates = RuntimeUpdates { update_on, version_arn: request.runtime_version_arn };
    let change = host.change(&named.function.name, |function| {
        function.at_mut(named.qualifier.as_deref()).runtime_updates = Some(updates.clone());
        Ok(())
    });
    change.await?;
    if manual {
        let setting = "RuntimeVersionArn";
        tracing::warn!(
            function = named.label(),
            setting,
            "this setting is kept and given back, but has no effect here"
        );
    }
    Ok(Response {
        update_runtime_on: updates.update_on,
        function_arn: named.versioned_arn(),
        runtime_version_arn: updates.version_arn,
    })
}
