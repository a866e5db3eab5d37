//! `CreateLogGroup`.

use aws_api::Call;
use serde::Deserialize;

use super::Empty;
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::Logs;
use crate::store::{self, Group};
use crate::tags::{self, Tags};

/// What `logGroupClass` may be.
pub const CLASSES: &[&str] = &["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    log_group_name: String,
    kms_key_id: Option<String>,
    #[serde(default)]
    tags: Tags,
    log_group_class: Option<String>,
    #[serde(default)]
    deletion_protection_enabled: bool,
}

pub async fn run(room: &Logs, request: Request, _call: &Call) -> Result<Empty, Error> {
    let mut constraints = Constraints::new();
    constraints.group(Some(&request.log_group_name), "logGroupName");
    constraints.length(request.kms_key_id.as_deref(), "kmsKeyId", 0, 256);
    constraints.one_of(request.log_group_class.as_deref(), "logGroupClass", CLASSES).check()?;
    if request.log_group_name.to_ascii_lowercase().starts_with("aws/") {
        return Err(Error::invalid("Log groups starting with AWS/ are reserved for AWS."));
    }
    if request.deletion_protection_enabled {
        return Err(Error::not_implemented("deletionProtectionEnabled"));
    }
    tags::check(&request.tags)?;
    tags::check_count(&request.tags)?;
    if request.kms_key_id.is_some() {
        tracing::warn!(group = request.log_group_name, setting = "kmsKeyId", "this setting is not honoured");
    }
    let mut group = Group::new(&request.log_group_name, room.world.clock.now());
    group.kms_key_id = request.kms_key_id;
    group.tags = request.tags;
    group.class = request.log_group_class.unwrap_or(group.class);
    let added = room.database.write(move |connection| store::add_group(connection, &group));
    if added.await? { Ok(Empty {}) } else { Err(Error::group_exists()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn a_name_is_taken_once() {
        let t = Room::new();
        t.call("CreateLogGroup", json!({ "logGroupName": "g" })).await.ok();
        t.call("CreateLogGroup", json!({ "logGroupName": "g" }))
            .await
            .error("ResourceAlreadyExistsException", "The specified log group already exists");
    }

    #[tokio::test]
    async fn names_have_a_form() {
        let t = Room::new();
        let cases = [
            ("x".repeat(513), "Invalid LogGroup or LogStream, both must have length less than or equal to 512."),
            (
                String::new(),
                "1 validation error detected: Value '' at 'logGroupName' failed to satisfy constraint: Member must have \
                 length greater than or equal to 1",
            ),
            (
                "a b".to_owned(),
                r"1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+",
            ),
            ("aws/x".to_owned(), "Log groups starting with AWS/ are reserved for AWS."),
        ];
        for (name, message) in cases {
            let answer = t.call("CreateLogGroup", json!({ "logGroupName": name })).await;
            answer.error("InvalidParameterException", message);
        }
        t.call("CreateLogGroup", json!({})).await.error(
            "InvalidParameterException",
            "1 validation error detected: Value null at 'logGroupName' failed to satisfy constraint: Member must not be \
             null",
        );
    }

    #[tokio::test]
    async fn what_is_not_honoured_is_refused_by_name() {
        let t = Room::new();
        t.call("CreateLogGroup", json!({ "logGroupName": "g", "deletionProtectionEnabled": true }))
            .await
            .error("ValidationException", "deletionProtectionEnabled is not implemented by this server.");
        t.call("PutSubscriptionFilter", json!({ "logGroupName": "g" }))
            .await
            .error("UnknownOperationException", "PutSubscriptionFilter is not implemented by this server");
    }
}
