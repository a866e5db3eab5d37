//! `AddLayerVersionPermission`: kept and given back. There are no other accounts here to let in.

use aws_api::{ApiError, Call, Reply};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::host::FunctionHost;
use crate::layer::{LayerStatement, check_number, layer_name};
use crate::ops::get_layer_version_policy::{document, find};

const ACTION: &str = "lambda:GetLayerVersion";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    layer_name: String,
    version_number: String,
    statement_id: String,
    action: String,
    principal: String,
    organization_id: Option<String>,
    revision_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    /// A JSON text.
    statement: String,
    revision_id: String,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let (arn, _) = find(host, &request.layer_name, &request.version_number)?;
    let statement = check(&request)?;
    let answer = document(&statement, &arn);
    let number = check_number(&request.version_number)?;
    let change = host.change_layer(layer_name(&request.layer_name)?, |layer| {
        let version = layer.versions.get_mut(&number).ok_or_else(Error::resource_not_found)?;
        if version.policy.iter().any(|other| other.sid == statement.sid) {
            return Err(Error::ResourceConflict(format!(
                "The statement id ({}) provided already exists. Please provide a new statement id, or remove the \
                 existing statement.",
                statement.sid
            )));
        }
        if request.revision_id.is_some_and(|revision| revision != version.revision_id) {
            return Err(Error::LayerPreconditionFailed);
        }
        version.policy.push(statement);
        version.revision_id = host.world().random.uuid();
        Ok(version.revision_id.clone())
    });
    let revision_id = change.await?;
    Ok(Reply::json(&Response { statement: answer, revision_id })?.status(StatusCode::CREATED))
}

fn check(request: &Request) -> Result<LayerStatement, Error> {
    let pattern = |value: &str, member, pattern: &str| {
        Err(Error::constraint(value, member, &format!("Member must satisfy regular expression pattern: {pattern}")))
    };
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let sid = request.statement_id.as_str();
    if sid.is_empty() || !sid.bytes().all(word) {
        return pattern(sid, "statementId", "([a-zA-Z0-9-_]+)");
    }
    if request.action != ACTION {
        return pattern(&request.action, "action", ACTION);
    }
    let principal = request.principal.as_str();
    let account = principal.len() == 12 && principal.bytes().all(|byte| byte.is_ascii_digit());
    let root = principal.starts_with("arn:aws") && principal.contains(":iam::") && principal.ends_with(":root");
    if principal != "*" && !account && !root {
        return pattern(principal, "principal", r"\d{12}|\*|arn:(aws[a-zA-Z-]*):iam::\d{12}:root");
    }
    Ok(LayerStatement {
        sid: sid.to_owned(),
        action: request.action.clone(),
        principal: principal.to_owned(),
        organization: request.organization_id.clone(),
    })
}
