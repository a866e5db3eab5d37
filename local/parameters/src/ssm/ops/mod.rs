//! The operations on parameters, one file each.

use rusqlite::Connection;
use serde::Serialize;
use world::{Place, Timestamp};

use super::error::Error;
use super::name;
use super::parameter::{Found, Version};
use super::store::{self, Parameter};
use crate::room::Parameters;

aws_api::operations! { Parameters;
    "AddTagsToResource" => add_tags_to_resource,
    "DeleteParameter" => delete_parameter,
    "DeleteParameters" => delete_parameters,
    "DescribeParameters" => describe_parameters,
    "GetParameter" => get_parameter,
    "GetParameterHistory" => get_parameter_history,
    "GetParameters" => get_parameters,
    "GetParametersByPath" => get_parameters_by_path,
    "LabelParameterVersion" => label_parameter_version,
    "ListTagsForResource" => list_tags_for_resource,
    "PutParameter" => put_parameter,
    "RemoveTagsFromResource" => remove_tags_from_resource,
    "UnlabelParameterVersion" => unlabel_parameter_version,
}

pub use put_parameter::put;

/// The value that is named, if there is one.
pub fn value(connection: &Connection, named: &name::Named) -> Result<Option<String>, Error> {
    match store::named(connection, named) {
        Ok(version) => Ok(Some(version.value.0)),
        Err(Error::ParameterNotFound(_) | Error::ParameterVersionNotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The answer of operations that have none.
#[derive(Serialize)]
struct Empty {}

/// A value as it is given back.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    name: String,
    #[serde(rename = "Type")]
    kind: String,
    value: String,
    version: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    selector: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_result: Option<String>,
    last_modified_date: f64,
    #[serde(rename = "ARN")]
    arn: String,
    data_type: String,
}

impl Shown {
    fn of(version: Version, with_decryption: bool, selector: Option<&str>, place: &Place) -> Self {
        Self {
            value: version.shown(with_decryption),
            arn: name::arn(place, &version.name),
            name: version.name,
            kind: version.kind,
            version: version.number,
            selector: selector.map(|selector| format!(":{selector}")),
            source_result: None,
            last_modified_date: Timestamp::from_millis(version.modified_at).epoch_seconds(),
            data_type: version.settings.data_type,
        }
    }
}

/// What is told of a version beside its value.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct About {
    name: String,
    #[serde(rename = "Type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    last_modified_date: f64,
    last_modified_user: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_pattern: Option<String>,
    version: i64,
    tier: String,
    policies: Vec<Policy>,
    data_type: String,
}

/// A parameter policy: kept, and without effect.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_field_names, reason = "the wire's names")]
struct Policy {
    policy_text: String,
    policy_type: String,
    policy_status: &'static str,
}

impl About {
    fn of(version: &Version, place: &Place) -> Self {
        let settings = version.settings.clone();
        let policies: Vec<serde_json::Value> =
            settings.policies.and_then(|policies| serde_json::from_str(&policies).ok()).unwrap_or_default();
        let policy = |policy: serde_json::Value| Policy {
            policy_type: policy["Type"].as_str().unwrap_or_default().to_owned(),
            policy_text: policy.to_string(),
            policy_status: "Pending",
        };
        Self {
            name: version.name.clone(),
            kind: version.kind.clone(),
            key_id: settings.key_id,
            last_modified_date: Timestamp::from_millis(version.modified_at).epoch_seconds(),
            last_modified_user: format!("arn:aws:iam::{}:root", place.account),
            description: settings.description,
            allowed_pattern: settings.allowed_pattern,
            version: version.number,
            tier: settings.tier,
            policies: policies.into_iter().map(policy).collect(),
            data_type: settings.data_type,
        }
    }
}

/// A page's worth of what a search found, and the token for the rest.
fn cut(found: Vec<Found>, limit: usize) -> (Vec<Found>, Option<String>) {
    crate::page::cut(found, limit, |found| found.version.name.clone())
}

/// The parameter whose tags are meant.
fn tagged(connection: &Connection, place: &Place, kind: &str, id: &str) -> Result<Parameter, Error> {
    if kind != "Parameter" {
        let message = format!("ResourceType {kind} is not implemented by this server: only Parameter is.");
        return Err(Error::InvalidResourceType(message));
    }
    let names = name::Named::whole(place, id)?;
    store::parameter(connection, &names)?.ok_or_else(|| Error::InvalidResourceId(id.to_owned()))
}
