//! `CreateSecret`.

use aws_api::Call;
use serde::Deserialize;

use super::{Answered, Versioned, token_in, value_in, warn_of_key};
use crate::constraint::Constraints;
use crate::hidden::Hidden;
use crate::room::Parameters;
use crate::secrets::error::Error;
use crate::secrets::id;
use crate::secrets::secret::{CURRENT, Secret, Versions};
use crate::secrets::store;
use crate::tags::{self, TAGS_MAX, Tag};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    name: String,
    client_request_token: Option<String>,
    description: Option<String>,
    kms_key_id: Option<String>,
    secret_binary: Option<Hidden>,
    secret_string: Option<Hidden>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    add_replica_regions: Vec<serde_json::Value>,
    #[serde(rename = "Type")]
    kind: Option<String>,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Versioned, Error> {
    id::check(&request.name)?;
    let token = token_in(request.client_request_token)?;
    let mut constraints = Constraints::new();
    constraints.length(request.description.as_deref(), "description", 0, 2048);
    constraints.length(request.kms_key_id.as_deref(), "kmsKeyId", 0, 2048);
    tags::check(&request.tags, &mut constraints);
    constraints.check()?;
    if request.tags.len() > TAGS_MAX {
        return Err(Error::InvalidParameter(format!("A secret can have at most {TAGS_MAX} tags.")));
    }
    for (setting, is_given) in
        [("AddReplicaRegions", !request.add_replica_regions.is_empty()), ("Type", request.kind.is_some())]
    {
        if is_given {
            return Err(Error::not_implemented(setting));
        }
    }
    warn_of_key(&request.name, request.kms_key_id.as_deref());
    let value = value_in(request.secret_string, request.secret_binary)?;
    let (now, arn) = (room.world.clock.now().millis(), id::arn(&room.world.place, &request.name));
    let answered = Answered::of(&room.world.place, &request.name);
    let version_id = value.is_some().then(|| token.clone());
    let secret = Secret {
        id: 0,
        name: request.name,
        description: request.description,
        kms_key_id: request.kms_key_id,
        tags: tags::read(request.tags),
        created_at: now,
        changed_at: now,
        accessed_at: None,
        deletion_at: None,
    };
    let made = room.database.write(move |connection| {
        store::purge(connection, now)?;
        if let Some(there) = store::secret(connection, std::slice::from_ref(&secret.name), now)? {
            if there.deletion_at.is_some() {
                let message =
                    "You can't create this secret because a secret with this name is already scheduled for deletion.";
                return Err(Error::InvalidRequest(message.into()));
            }
            // The same request again: it is answered again.
            let mut versions = store::versions(connection, &there)?;
            return match value.filter(|_| versions.of_id(&token).is_some()) {
                Some(value) => versions.add(&token, value, &[], &arn, now).map(drop),
                None => Err(Error::exists(&there.name)),
            };
        }
        let secret = store::add(connection, secret)?;
        if let Some(value) = value {
            let mut versions = Versions::default();
            versions.add(&token, value, &[CURRENT.to_owned()], &arn, now)?;
            store::save_versions(connection, &secret, &versions)?;
        }
        Ok(())
    });
    made.await.map(|()| Versioned { answered, version_id })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Room, token};

    fn input(name: &str, n: u32, value: &str) -> Value {
        json!({ "Name": name, "ClientRequestToken": token(n), "SecretString": value })
    }

    #[tokio::test]
    async fn a_secret_has_an_arn_that_stays_the_same() {
        let (one, other) = (Room::new(), Room::new());
        let made = one.secrets("CreateSecret", input("app/db", 1, "v")).await.ok();
        let arn = made["ARN"].as_str().expect("an ARN").to_owned();
        let suffix = arn.strip_prefix("arn:aws:secretsmanager:us-east-1:000000000000:secret:app/db-");
        assert!(suffix.is_some_and(|suffix| suffix.len() == 6), "{arn}");
        assert_eq!(made, json!({ "ARN": arn, "Name": "app/db", "VersionId": token(1) }));
        let again = other.secrets("CreateSecret", input("app/db", 2, "w")).await.ok();
        assert_eq!(again["ARN"], made["ARN"]);
    }

    #[tokio::test]
    async fn a_name_is_taken_once_and_a_request_may_come_twice() {
        let t = Room::new();
        let first = t.secrets("CreateSecret", input("a", 1, "v")).await.ok();
        assert_eq!(t.secrets("CreateSecret", input("a", 1, "v")).await.ok(), first);
        let message = format!(
            "You can't use ClientRequestToken {} because that value is already in use for a version of secret {}.",
            token(1),
            first["ARN"].as_str().expect("an ARN")
        );
        t.secrets("CreateSecret", input("a", 1, "w")).await.error("ResourceExistsException", &message);
        let message = "The operation failed because the secret a already exists.";
        t.secrets("CreateSecret", input("a", 2, "v")).await.error("ResourceExistsException", message);
    }

    #[tokio::test]
    async fn without_a_value_there_is_no_version() {
        let t = Room::new();
        let made = t.secrets("CreateSecret", json!({ "Name": "a", "ClientRequestToken": token(1) })).await.ok();
        assert_eq!(made.get("VersionId"), None);
        let message = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT";
        t.secrets("GetSecretValue", json!({ "SecretId": "a" })).await.error("ResourceNotFoundException", message);
    }

    #[tokio::test]
    async fn what_is_wrong_is_said_without_the_value() {
        let t = Room::new();
        let message = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: \
                       -/_+=.@!";
        t.secrets("CreateSecret", input("a b", 1, "v")).await.error("ValidationException", message);
        let message = "You must provide a ClientRequestToken value. We recommend a UUID-type value.";
        t.secrets("CreateSecret", json!({ "Name": "a" })).await.error("InvalidRequestException", message);
        let message = "You can't specify both a binary secret value and a string secret value in the same secret.";
        let mut both = input("a", 1, "v");
        both["SecretBinary"] = json!("AAAA");
        t.secrets("CreateSecret", both).await.error("InvalidParameterException", message);
        let message = "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must \
                       have length less than or equal to 65536";
        let long = input("a", 1, &"x".repeat(65_537));
        t.secrets("CreateSecret", long).await.error("ValidationException", message);
        let mut replica = input("a", 1, "v");
        replica["AddReplicaRegions"] = json!([{ "Region": "eu-west-1" }]);
        let message = "AddReplicaRegions is not implemented by this server.";
        t.secrets("CreateSecret", replica).await.error("InvalidParameterException", message);
        let message = "RotateSecret is not implemented by this server";
        t.secrets("RotateSecret", json!({ "SecretId": "a" })).await.error("UnknownOperationException", message);
    }
}
