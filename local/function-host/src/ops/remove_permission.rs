//! `RemovePermission`.

use aws_api::{ApiError, Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::error::Error;
use crate::host::FunctionHost;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    statement_id: String,
    qualifier: Option<String>,
    revision_id: Option<String>,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let found = host.find("RemovePermission", &request.function_name, request.qualifier.as_deref())?;
    let change = host.change(&found.function.name, |function| {
        if function.policy.is_empty() {
            return Err(Error::ResourceNotFound("No policy is associated with the given resource.".into()));
        }
        let sid = &request.statement_id;
        let at = function.policy.iter().position(|statement| statement.sid == *sid);
        let at =
            at.ok_or_else(|| Error::ResourceNotFound(format!("Statement {sid} is not found in resource policy.")))?;
        if request.revision_id.as_ref().is_some_and(|revision| *revision != function.revision_id) {
            return Err(Error::PreconditionFailed);
        }
        function.policy.remove(at);
        function.revision_id = host.world().random.uuid();
        Ok(())
    });
    change.await?;
    Ok(Reply::bytes(StatusCode::NO_CONTENT, ""))
}
