//! `GetPolicy`.

use aws_api::{ApiError, Call, Reply};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::host::FunctionHost;
use crate::name::Target;
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
    let place = &host.world().place;
    let target = Target::resolve(place, "GetPolicy", &request.function_name, request.qualifier.as_deref())?;
    if host.named(target.name).is_none() {
        return Err(Error::function_not_found(&target.arn(place)).into());
    }
    let named = host.look_up(target).ok_or_else(Error::resource_not_found)?;
    if named.policy().is_empty() {
        return Err(Error::resource_not_found().into());
    }
    let policy = serde_json::to_string(&PolicyDocument::of(named.policy(), &named.qualified_arn()));
    let policy = policy.map_err(|error| Error::Service(error.to_string()))?;
    Reply::json(&Response { policy, revision_id: &named.function.revision_id })
}
