//! `PutSecretValue`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::{Answered, change, token_in, value_in};
use crate::constraint::Constraints;
use crate::hidden::Hidden;
use crate::room::Parameters;
use crate::secrets::error::Error;
use crate::secrets::id;
use crate::secrets::secret::CURRENT;
use crate::secrets::store;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    secret_id: String,
    client_request_token: Option<String>,
    secret_binary: Option<Hidden>,
    secret_string: Option<Hidden>,
    version_stages: Option<Vec<String>>,
    rotation_token: Option<Hidden>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    #[serde(flatten)]
    answered: Answered,
    version_id: String,
    version_stages: Vec<String>,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Response, Error> {
    let token = token_in(request.client_request_token)?;
    if request.rotation_token.is_some() {
        return Err(Error::not_implemented("RotationToken"));
    }
    let mut constraints = Constraints::new();
    if let Some(stages) = &request.version_stages {
        constraints.count(stages, "versionStages", 1, 20);
        for stage in stages {
            constraints.length(Some(stage), "versionStages", 1, 256);
        }
    }
    constraints.check()?;
    let Some(value) = value_in(request.secret_string, request.secret_binary)? else {
        let message = "You must provide either SecretString or SecretBinary.";
        return Err(Error::InvalidRequest(message.into()));
    };
    let stages = request.version_stages.unwrap_or_else(|| vec![CURRENT.to_owned()]);
    let (place, now, version_id) = (room.world.place.clone(), room.world.clock.now().millis(), token.clone());
    let put = change(room, &request.secret_id, move |connection, secret| {
        let mut versions = store::versions(connection, secret)?;
        if versions.add(&token, value, &stages, &id::arn(&place, &secret.name), now)? {
            store::save_versions(connection, secret, &versions)?;
        }
        let at = versions.of_id(&token);
        Ok(at.map(|at| versions.0[at].stages.iter().cloned().collect()).unwrap_or_default())
    });
    let (answered, version_stages) = put.await?;
    Ok(Response { answered, version_id, version_stages })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Room, token};

    fn input(n: u32, value: &str) -> Value {
        json!({ "SecretId": "a", "ClientRequestToken": token(n), "SecretString": value })
    }

    #[tokio::test]
    async fn a_new_value_is_current_and_the_old_one_previous() {
        let t = Room::new();
        let made = t.create_secret("a", "1").await;
        let put = t.secrets("PutSecretValue", input(2, "2")).await.ok();
        let expected = json!({
            "ARN": made["ARN"], "Name": "a", "VersionId": token(2), "VersionStages": ["AWSCURRENT"],
        });
        assert_eq!(put, expected);
        assert_eq!(t.secrets("PutSecretValue", input(2, "2")).await.ok(), expected);
        let listed = t.secrets("ListSecretVersionIds", json!({ "SecretId": "a" })).await.ok();
        let stages: Vec<_> =
            listed["Versions"].as_array().expect("versions").iter().map(|v| &v["VersionStages"]).collect();
        assert_eq!(stages, [&json!(["AWSPREVIOUS"]), &json!(["AWSCURRENT"])]);
    }

    #[tokio::test]
    async fn a_value_is_needed_and_a_token_is_used_once() {
        let t = Room::new();
        let made = t.create_secret("a", "1").await;
        let message = "You must provide either SecretString or SecretBinary.";
        let nothing = json!({ "SecretId": "a", "ClientRequestToken": token(2) });
        t.secrets("PutSecretValue", nothing).await.error("InvalidRequestException", message);
        let message = format!(
            "You can't use ClientRequestToken {} because that value is already in use for a version of secret {}.",
            token(1),
            made["ARN"].as_str().expect("an ARN")
        );
        t.secrets("PutSecretValue", input(1, "2")).await.error("ResourceExistsException", &message);
        let message = "You must provide a ClientRequestToken value. We recommend a UUID-type value.";
        let input = json!({ "SecretId": "a", "SecretString": "2" });
        t.secrets("PutSecretValue", input).await.error("InvalidRequestException", message);
    }

    #[tokio::test]
    async fn a_rotation_is_refused_by_name() {
        let t = Room::new();
        t.create_secret("a", "1").await;
        let mut rotation = input(2, "2");
        rotation["RotationToken"] = json!("00000000-0000-0000-0000-000000000000");
        let message = "RotationToken is not implemented by this server.";
        t.secrets("PutSecretValue", rotation).await.error("InvalidParameterException", message);
    }
}
