//! `RemovePermission`.

use aws_api::{ApiError, Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::error::Error;
use crate::host::FunctionHost;
use crate::name::Target;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    statement_id: String,
    qualifier: Option<String>,
    revision_id: Option<String>,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let place = &host.world().place;
    let target = Target::resolve(place, "RemovePermission", &request.function_name, request.qualifier.as_deref())?;
    if host.named(target.name).is_none() {
        return Err(Error::ResourceNotFound(format!("No policy found for: {}", target.arn(place))).into());
    }
    let found = host.find_alias_or_version("RemovePermission", &request.function_name, request.qualifier.as_deref())?;
    let change = host.change(&found.function.name, |function| {
        let revision_id = function.revision_id.clone();
        let policy = &mut function.at_mut(found.qualifier.as_deref()).policy;
        if policy.is_empty() {
            return Err(Error::ResourceNotFound("No policy is associated with the given resource.".into()));
        }
        let sid = &request.statement_id;
        let at = policy.iter().position(|statement| statement.sid == *sid);
        let at =
            at.ok_or_else(|| Error::ResourceNotFound(format!("Statement {sid} is not found in resource policy.")))?;
        if request.revision_id.as_ref().is_some_and(|revision| *revision != revision_id) {
            return Err(Error::PreconditionFailed);
        }
        policy.remove(at);
        function.revision_id = host.world().random.uuid();
        Ok(())
    });
    change.await?;
    Ok(Reply::bytes(StatusCode::NO_CONTENT, ""))
}
