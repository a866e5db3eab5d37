//! `GetPolicy`.

use aws_api::{ApiError, Call, Reply};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::host::FunctionHost;
use crate::policy::PolicyDocument;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    qualifier: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Response<'a> {
    /// A JSON text.
    policy: String,
    revision_id: &'a str,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let deployment = host.find("GetPolicy", &request.function_name, request.qualifier.as_deref())?;
    let function = &deployment.function;
    if function.policy.is_empty() {
        return Err(Error::ResourceNotFound("The resource you requested does not exist.".into()).into());
    }
    let policy = serde_json::to_string(&PolicyDocument::of(&function.policy, &deployment.arn));
    let policy = policy.map_err(|error| Error::Service(error.to_string()))?;
    Reply::json(&Response { policy, revision_id: &function.revision_id })
}
