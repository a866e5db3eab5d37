//! `UpdateSecret`.

use aws_api::Call;
use serde::Deserialize;

use super::{Versioned, change, token_in, value_in, warn_of_key};
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
    description: Option<String>,
    kms_key_id: Option<String>,
    secret_binary: Option<Hidden>,
    secret_string: Option<Hidden>,
    #[serde(rename = "Type")]
    kind: Option<String>,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Versioned, Error> {
    let token = token_in(request.client_request_token)?;
    let mut constraints = Constraints::new();
    constraints.length(request.description.as_deref(), "description", 0, 2048);
    constraints.length(request.kms_key_id.as_deref(), "kmsKeyId", 0, 2048).check()?;
    if request.kind.is_some() {
        return Err(Error::not_implemented("Type"));
    }
    warn_of_key(&request.secret_id, request.kms_key_id.as_deref());
    let value = value_in(request.secret_string, request.secret_binary)?;
    let version_id = value.is_some().then(|| token.clone());
    let (place, now) = (room.world.place.clone(), room.world.clock.now().millis());
    let answered = change(room, &request.secret_id, move |connection, secret| {
        if let Some(value) = value {
            let mut versions = store::versions(connection, secret)?;
            if versions.add(&token, value, &[CURRENT.to_owned()], &id::arn(&place, &secret.name), now)? {
                store::save_versions(connection, secret, &versions)?;
            }
        }
        secret.description = request.description.or(secret.description.take());
        secret.kms_key_id = request.kms_key_id.or(secret.kms_key_id.take());
        Ok(())
    });
    Ok(Versioned { answered: answered.await?.0, version_id })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Room, token};

    #[tokio::test]
    async fn a_version_comes_only_with_a_value() {
        let t = Room::new();
        t.create_secret("a", "1").await;
        let update = json!({ "SecretId": "a", "ClientRequestToken": token(2), "Description": "d" });
        assert_eq!(t.secrets("UpdateSecret", update).await.ok().get("VersionId"), None);
        let update = json!({ "SecretId": "a", "ClientRequestToken": token(3), "SecretString": "2" });
        assert_eq!(t.secrets("UpdateSecret", update).await.ok()["VersionId"], token(3));
        let told = t.secrets("DescribeSecret", json!({ "SecretId": "a" })).await.ok();
        assert_eq!(told["Description"], "d");
        assert_eq!(t.value("a", json!({})).await.ok()["SecretString"], "2");
    }
}
