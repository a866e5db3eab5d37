//! `GetLayerVersionPolicy`.

use aws_api::{ApiError, Call, Reply};
use serde::Serialize;
use serde_json::json;

use crate::error::Error;
use crate::host::FunctionHost;
use crate::layer::{LayerStatement, LayerVersion, check_number, layer_name};
use crate::ops::get_layer_version;

pub(crate) type Request = get_layer_version::Request;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    /// A JSON text.
    policy: String,
    revision_id: String,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let (arn, version) = find(host, &request.layer_name, &request.version_number)?;
    if version.policy.is_empty() {
        return Err(Error::ResourceNotFound("No policy is associated with the given resource.".into()).into());
    }
    let statements: Vec<_> = version.policy.iter().map(|statement| document(statement, &arn)).collect();
    let statements = statements.join(",");
    let policy = format!(r#"{{"Version":"2012-10-17","Id":"default","Statement":[{statements}]}}"#);
    Reply::json(&Response { policy, revision_id: version.revision_id })
}

/// The ARN of a version, and the version.
pub(crate) fn find(host: &FunctionHost, layer: &str, number: &str) -> Result<(String, LayerVersion), Error> {
    let number = check_number(number)?;
    let name = layer_name(layer)?;
    let arn = format!("{}:{number}", host.layer_arn(name));
    let version = host.layer_version(name, number);
    let version = version.ok_or_else(|| Error::ResourceNotFound(format!("Layer version {arn} does not exist.")))?;
    Ok((arn, version))
}

/// A statement as a policy has it.
pub(crate) fn document(statement: &LayerStatement, arn: &str) -> String {
    let LayerStatement { sid, action, principal, organization } = statement;
    let principal = match principal.as_str() {
        "*" => json!("*"),
        account if account.len() == 12 => json!({"AWS": format!("arn:aws:iam::{account}:root")}),
        arn => json!({ "AWS": arn }),
    };
    let condition = organization.as_ref().map_or(String::new(), |organization| {
        format!(r#","Condition":{}"#, json!({"StringEquals": {"aws:PrincipalOrgID": organization}}))
    });
    let (sid, action, arn) = (json!(sid), json!(action), json!(arn));
    format!(r#"{{"Sid":{sid},"Effect":"Allow","Principal":{principal},"Action":{action},"Resource":{arn}{condition}}}"#)
}
