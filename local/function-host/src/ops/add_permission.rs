//! `AddPermission`: lets a service invoke a function.

use aws_api::{ApiError, Call, Reply};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::host::FunctionHost;
use crate::name::LATEST;
use crate::policy::{Principal, Statement};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    qualifier: Option<String>,
    #[serde(default)]
    statement_id: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    principal: String,
    source_arn: Option<String>,
    source_account: Option<String>,
    #[serde(rename = "PrincipalOrgID")]
    principal_org_id: Option<String>,
    event_source_token: Option<String>,
    function_url_auth_type: Option<String>,
    #[serde(default)]
    invoked_via_function_url: bool,
    revision_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    /// A JSON text.
    statement: String,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    if request.qualifier.as_deref() == Some(LATEST) || request.function_name.ends_with(":$LATEST") {
        let message = "We currently do not support adding policies for $LATEST.";
        return Err(Error::InvalidParameterValue(message.into()).into());
    }
    let found = host.find_alias_or_version("AddPermission", &request.function_name, request.qualifier.as_deref())?;
    let revision = request.revision_id.clone();
    let statement = check(request)?;
    let document = serde_json::to_string(&statement.document(&found.qualified_arn()));
    let document = document.map_err(|error| Error::Service(error.to_string()))?;
    let change = host.change(&found.function.name, |function| {
        if revision.is_some_and(|revision| revision != function.revision_id) {
            return Err(Error::PreconditionFailed);
        }
        let policy = &mut function.at_mut(found.qualifier.as_deref()).policy;
        if policy.iter().any(|other| other.sid == statement.sid) {
            return Err(Error::ResourceConflict(format!(
                "The statement id ({}) provided already exists. Please provide a new statement id, or remove the \
                 existing statement.",
                statement.sid
            )));
        }
        policy.push(statement);
        function.revision_id = host.world().random.uuid();
        Ok(())
    });
    change.await?;
    Ok(Reply::json(&Response { statement: document })?.status(StatusCode::CREATED))
}

fn check(request: Request) -> Result<Statement, Error> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let pattern = |value: &str, member, pattern: &str| {
        Err(Error::constraint(value, member, &format!("Member must satisfy regular expression pattern: {pattern}")))
    };
    if request.statement_id.is_empty() || !request.statement_id.bytes().all(word) {
        return pattern(&request.statement_id, "statementId", "([a-zA-Z0-9-_]+)");
    }
    let action = request.action.as_str();
    let named = action
        .strip_prefix("lambda:")
        .is_some_and(|name| name == "*" || !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic()));
    if action != "*" && !named {
        return pattern(action, "action", "(lambda:[*]|lambda:[a-zA-Z]+|[*])");
    }
    let principal = Principal::parse(&request.principal).ok_or_else(|| {
        let message = "The provided principal was invalid. Please check the principal and try again.";
        Error::InvalidParameterValue(message.into())
    })?;
    Ok(Statement {
        sid: request.statement_id,
        action: request.action,
        principal,
        source_arn: request.source_arn,
        source_account: request.source_account,
        principal_org_id: request.principal_org_id,
        event_source_token: request.event_source_token,
        function_url_auth_type: request.function_url_auth_type,
        invoked_via_function_url: request.invoked_via_function_url,
    })
}
