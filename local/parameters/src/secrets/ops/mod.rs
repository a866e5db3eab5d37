//! The operations on secrets, one file each.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::Connection;
use serde::Serialize;
use world::{Place, Timestamp};

use super::error::Error;
use super::id;
use super::secret::{Secret, Value, Version};
use super::store;
use crate::constraint::Constraints;
use crate::hidden::Hidden;
use crate::room::Parameters;

aws_api::operations! { Parameters;
    "BatchGetSecretValue" => batch_get_secret_value,
    "CreateSecret" => create_secret,
    "DeleteSecret" => delete_secret,
    "DescribeSecret" => describe_secret,
    "GetRandomPassword" => get_random_password,
    "GetSecretValue" => get_secret_value,
    "ListSecretVersionIds" => list_secret_version_ids,
    "ListSecrets" => list_secrets,
    "PutSecretValue" => put_secret_value,
    "RestoreSecret" => restore_secret,
    "TagResource" => tag_resource,
    "UntagResource" => untag_resource,
    "UpdateSecret" => update_secret,
    "UpdateSecretVersionStage" => update_secret_version_stage,
}

pub use get_secret_value::value;

/// The longest value.
const VALUE_CHARS_MAX: usize = 65_536;

/// The answer of operations that have none.
#[derive(Serialize)]
struct Empty {}

/// Which secret it was.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answered {
    #[serde(rename = "ARN")]
    arn: String,
    name: String,
}

/// Which secret it was, and which of its versions.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Versioned {
    #[serde(flatten)]
    answered: Answered,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<String>,
}

impl Answered {
    fn of(place: &Place, name: &str) -> Self {
        Self { arn: id::arn(place, name), name: name.to_owned() }
    }
}

/// A value as it is given back.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Shown {
    #[serde(flatten)]
    answered: Answered,
    version_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_string: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_binary: Option<String>,
    version_stages: Vec<String>,
    created_date: f64,
}

impl Shown {
    fn of(place: &Place, name: &str, version: &Version) -> Self {
        let (secret_string, secret_binary) = match &version.value {
            Value::Text(text) => (Some(text.0.clone()), None),
            Value::Binary(bytes) => (None, Some(bytes.0.clone())),
        };
        Self {
            answered: Answered::of(place, name),
            version_id: version.id.clone(),
            secret_string,
            secret_binary,
            version_stages: version.stages.iter().cloned().collect(),
            created_date: seconds(version.created_at),
        }
    }

    pub fn string(&self) -> Option<&str> {
        self.secret_string.as_deref()
    }

    pub fn created_date(&self) -> f64 {
        self.created_date
    }
}

fn seconds(at: i64) -> f64 {
    Timestamp::from_millis(at).epoch_seconds()
}

/// The value in a request, if there is one.
fn value_in(string: Option<Hidden>, binary: Option<Hidden>) -> Result<Option<Value>, Error> {
    let length = |value: &Hidden| value.0.encode_utf16().count();
    Constraints::new().hidden(string.as_ref().map(length), "secretString", 1, VALUE_CHARS_MAX).check()?;
    match (string, binary) {
        (Some(_), Some(_)) => {
            let message = "You can't specify both a binary secret value and a string secret value in the same secret.";
            Err(Error::InvalidParameter(message.into()))
        }
        (Some(string), None) => Ok(Some(Value::Text(string))),
        (None, Some(binary)) => {
            let bytes = STANDARD.decode(&binary.0).map_err(|_| {
                Error::InvalidParameter("SecretBinary is no base64.".into()) // which no SDK sends
            })?;
            Constraints::new().hidden(Some(bytes.len()), "secretBinary", 1, VALUE_CHARS_MAX).check()?;
            Ok(Some(Value::Binary(Hidden(STANDARD.encode(bytes)))))
        }
        (None, None) => Ok(None),
    }
}

/// The token that becomes a version's id. SDKs make one up; others have to.
fn token_in(token: Option<String>) -> Result<String, Error> {
    let token = token.ok_or_else(Error::no_token)?;
    Constraints::new().length(Some(&token), "clientRequestToken", 32, 64).check()?;
    Ok(token)
}

/// Warns of what is kept without effect.
fn warn_of_key(name: &str, key: Option<&str>) {
    if key.is_some() {
        tracing::warn!(secret = name, setting = "KmsKeyId", "values are not encrypted: the key is not used");
    }
}

/// Changes a secret that must be there and is not to go.
async fn change<T: Send + 'static>(
    room: &Parameters,
    id: &str,
    change: impl FnOnce(&Connection, &mut Secret) -> Result<T, Error> + Send + 'static,
) -> Result<(Answered, T), Error> {
    let names = id::names(&room.world.place, id)?;
    let now = room.world.clock.now().millis();
    let changed = room.database.write(move |connection| {
        let mut secret = store::existing(connection, &names, now)?;
        secret.check_kept()?;
        let made = change(connection, &mut secret)?;
        secret.changed_at = now;
        store::save(connection, &secret)?;
        Ok::<_, Error>((secret.name, made))
    });
    let (name, made) = changed.await?;
    Ok((Answered::of(&room.world.place, &name), made))
}
