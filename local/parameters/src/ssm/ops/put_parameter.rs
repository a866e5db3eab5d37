//! `PutParameter`.

use aws_api::Call;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::constraint::Constraints;
use crate::hidden::Hidden;
use crate::room::Parameters;
use crate::ssm::error::Error;
use crate::ssm::name;
use crate::ssm::parameter::{KINDS, TIERS, VERSIONS_MAX, Version, Wanted};
use crate::ssm::store;
use crate::tags::{self, TAGS_MAX, Tag, Tags};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    name: String,
    description: Option<String>,
    value: Hidden,
    #[serde(rename = "Type")]
    kind: Option<String>,
    key_id: Option<String>,
    #[serde(default)]
    overwrite: bool,
    allowed_pattern: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    tier: Option<String>,
    policies: Option<String>,
    data_type: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    version: i64,
    tier: String,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Response, Error> {
    request.check()?;
    if let Some(policies) = &request.policies {
        let is_list = serde_json::from_str::<Vec<serde_json::Value>>(policies).is_ok();
        if !is_list {
            return Err(Error::invalid("The parameter policies must be a JSON list."));
        }
        tracing::warn!(parameter = request.name, setting = "Policies", "this setting is not honoured");
    }
    if request.key_id.is_some() {
        tracing::warn!(parameter = request.name, setting = "KeyId", "values are not encrypted: the key is not used");
    }
    let (overwrite, tags) = (request.overwrite, tags::read(request.tags));
    let wanted = Wanted {
        name: request.name,
        value: request.value,
        kind: request.kind,
        description: request.description,
        key_id: request.key_id,
        allowed_pattern: request.allowed_pattern,
        tier: request.tier,
        policies: request.policies,
        data_type: request.data_type,
    };
    let now = room.world.clock.now().millis();
    let made = room.database.write(move |connection| put(connection, wanted, overwrite, &tags, now));
    let version = made.await?;
    Ok(Response { version: version.number, tier: version.settings.tier })
}

impl Request {
    fn check(&self) -> Result<(), Error> {
        let mut constraints = Constraints::new();
        let key_fits = |key: &str| key.chars().all(|c| c.is_ascii_alphanumeric() || ":/_-".contains(c));
        constraints.length(self.description.as_deref(), "description", 0, 1024);
        constraints.hidden(Some(self.value.0.encode_utf16().count()), "value", 1, usize::MAX);
        constraints.one_of(self.kind.as_deref(), "type", KINDS);
        constraints.length(self.key_id.as_deref(), "keyId", 1, 256);
        constraints.form(self.key_id.as_deref(), "keyId", "^([a-zA-Z0-9:/_-]+)$", key_fits);
        constraints.length(self.allowed_pattern.as_deref(), "allowedPattern", 0, 1024);
        constraints.one_of(self.tier.as_deref(), "tier", TIERS);
        constraints.length(self.policies.as_deref(), "policies", 1, 4096);
        constraints.length(self.data_type.as_deref(), "dataType", 0, 128);
        tags::check(&self.tags, &mut constraints);
        constraints.check()?;
        name::check(&self.name)?;
        if self.overwrite && !self.tags.is_empty() {
            return Err(Error::invalid(
                "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please \
                 remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or \
                 RemoveTagsFromResource.",
            ));
        }
        if self.tags.len() > TAGS_MAX { Err(Error::TooManyTags) } else { Ok(()) }
    }
}

/// Adds a version. Of more than a hundred the oldest goes, unless a label holds it.
pub fn put(connection: &Connection, wanted: Wanted, overwrite: bool, tags: &Tags, now: i64) -> Result<Version, Error> {
    let name = wanted.name.clone();
    let there = store::parameter(connection, std::slice::from_ref(&name))?;
    let Some(parameter) = there else {
        let version = wanted.after(None, now)?;
        store::add_version(connection, &version, tags)?;
        return Ok(version);
    };
    if !overwrite {
        return Err(Error::ParameterAlreadyExists);
    }
    let versions = store::versions(connection, &parameter)?;
    let version = wanted.after(versions.last(), now)?;
    if let Some(oldest) = versions.first().filter(|_| versions.len() >= VERSIONS_MAX) {
        if !oldest.labels.is_empty() {
            return Err(Error::ParameterMaxVersionLimitExceeded(format!(
                "You attempted to create a new version of {name} by calling the PutParameter API with the overwrite \
                 flag. Version {}, the oldest version, can't be deleted because it has a label associated with it. Move \
                 the label to another version of the parameter, and try again.",
                oldest.number
            )));
        }
        store::delete_version(connection, &parameter, oldest.number)?;
    }
    store::add_version(connection, &version, &parameter.tags)?;
    Ok(version)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Room;

    async fn refused(t: &Room, input: Value, code: &str, message: &str) {
        t.ssm("PutParameter", input).await.error(code, message);
    }

    fn named(name: &str) -> Value {
        json!({ "Name": name, "Value": "v", "Type": "String" })
    }

    #[tokio::test]
    async fn versions_count_up_and_keep_what_is_not_said() {
        let t = Room::new();
        let input = json!({ "Name": "/a/b", "Value": "1", "Type": "SecureString", "Description": "d" });
        assert_eq!(t.ssm("PutParameter", input).await.ok(), json!({ "Version": 1, "Tier": "Standard" }));
        refused(
            &t,
            named("/a/b"),
            "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
        )
        .await;
        let input = json!({ "Name": "/a/b", "Value": "2", "Overwrite": true });
        assert_eq!(t.ssm("PutParameter", input).await.ok()["Version"], 2);
        let told = t.ssm("DescribeParameters", json!({})).await.ok();
        let expected = json!([{
            "Name": "/a/b",
            "ARN": "arn:aws:ssm:us-east-1:000000000000:parameter/a/b",
            "Type": "SecureString",
            "KeyId": "alias/aws/ssm",
            "LastModifiedDate": t.now(),
            "LastModifiedUser": "arn:aws:iam::000000000000:root",
            "Description": "d",
            "Version": 2,
            "Tier": "Standard",
            "Policies": [],
            "DataType": "text",
        }]);
        assert_eq!(told["Parameters"], expected);
    }

    #[tokio::test]
    async fn names_have_a_form() {
        let t = Room::new();
        let form = "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can \
                    consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, \
                    numbers and the following 3 symbols .-_";
        let reserved = "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).";
        for (name, message) in [
            ("a b", form),
            ("/a//b", form),
            ("/a/b/", form),
            ("/SSM/a", form),
            ("awsome", reserved),
            ("/ssm", reserved),
            ("a/b", "Parameter name must be a fully qualified name."),
        ] {
            refused(&t, named(name), "ValidationException", message).await;
        }
        refused(&t, named("/aws/a"), "AccessDeniedException", "No access to reserved parameter name: /aws/a.").await;
        let deep = "/x".repeat(16);
        refused(
            &t,
            named(&deep),
            "HierarchyLevelLimitExceededException",
            "A hierarchy can have a maximum of 15 levels. For more information, see Requirements and constraints for \
             parameter names in the AWS Systems Manager User Guide.",
        )
        .await;
        t.ssm("PutParameter", named(&"/x".repeat(15))).await.ok();
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_value_is_said_without_it() {
        let t = Room::new();
        let pattern = json!({ "Name": "a", "Value": "12x", "Type": "String", "AllowedPattern": r"\d+" });
        let message = r"Parameter value, cannot be validated against allowedPattern: \d+";
        refused(&t, pattern, "ParameterPatternMismatchException", message).await;
        let pattern = json!({ "Name": "a", "Value": "1", "Type": "String", "AllowedPattern": "(" });
        let message = "The request does not meet the regular expression requirement.";
        refused(&t, pattern, "InvalidAllowedPatternException", message).await;
        let message = "1 validation error detected: Value at 'value' failed to satisfy constraint: Member must have \
                       length greater than or equal to 1";
        refused(&t, json!({ "Name": "a", "Value": "", "Type": "String" }), "ValidationException", message).await;
        let message = "A parameter type is required when you create a parameter.";
        refused(&t, json!({ "Name": "a", "Value": "1" }), "ValidationException", message).await;
        let message = "invalid type: number, expected a string";
        refused(&t, json!({ "Name": "a", "Value": 4711 }), "SerializationException", message).await;
        let message = "1 validation error detected: Value 'Int' at 'type' failed to satisfy constraint: Member must \
                       satisfy enum value set: [SecureString, StringList, String]";
        refused(&t, json!({ "Name": "a", "Value": "1", "Type": "Int" }), "ValidationException", message).await;
        let message = "1 validation error detected: Value null at 'value' failed to satisfy constraint: Member must \
                       not be null";
        refused(&t, json!({ "Name": "a" }), "ValidationException", message).await;
    }

    #[tokio::test]
    async fn a_long_value_needs_the_advanced_tier() {
        let t = Room::new();
        let put = |tier: &str, length: usize| json!({ "Name": "a", "Value": "x".repeat(length), "Type": "String", "Tier": tier, "Overwrite": true });
        let message = "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger \
                       parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, \
                       see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html";
        refused(&t, put("Standard", 4097), "ValidationException", message).await;
        assert_eq!(t.ssm("PutParameter", put("Intelligent-Tiering", 4096)).await.ok()["Tier"], "Standard");
        assert_eq!(t.ssm("PutParameter", put("Intelligent-Tiering", 4097)).await.ok()["Tier"], "Advanced");
        let message = "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the \
                       advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced \
                       parameter and recreate it as a standard parameter.";
        refused(&t, put("Standard", 1), "ValidationException", message).await;
    }

    #[tokio::test]
    async fn a_hundred_versions_are_kept() {
        let t = Room::new();
        let put = json!({ "Name": "a", "Value": "v", "Type": "String", "Overwrite": true });
        for _ in 0..101 {
            t.ssm("PutParameter", put.clone()).await.ok();
        }
        let first = t.ssm("GetParameterHistory", json!({ "Name": "a" })).await.ok();
        assert_eq!(first["Parameters"][0]["Version"], 2);
        let label = json!({ "Name": "a", "ParameterVersion": 2, "Labels": ["kept"] });
        t.ssm("LabelParameterVersion", label).await.ok();
        let message = "You attempted to create a new version of a by calling the PutParameter API with the overwrite \
                       flag. Version 2, the oldest version, can't be deleted because it has a label associated with it. \
                       Move the label to another version of the parameter, and try again.";
        refused(&t, put, "ParameterMaxVersionLimitExceeded", message).await;
    }
}
