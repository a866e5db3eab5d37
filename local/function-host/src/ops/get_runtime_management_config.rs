//! `GetRuntimeManagementConfig`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::host::FunctionHost;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    qualifier: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Response {
    pub(crate) update_runtime_on: String,
    pub(crate) function_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) runtime_version_arn: Option<String>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Response, Error> {
    let named = host.find("GetRuntimeManagementConfig", &request.function_name, request.qualifier.as_deref())?;
    let configured = named.function.at(named.qualifier.as_deref());
    let updates = configured.and_then(|configured| configured.runtime_updates.clone());
    let (update_runtime_on, runtime_version_arn) =
        updates.map_or_else(|| ("Auto".to_owned(), None), |updates| (updates.update_on, updates.version_arn));
    Ok(Response { update_runtime_on, function_arn: named.versioned_arn(), runtime_version_arn })
}
