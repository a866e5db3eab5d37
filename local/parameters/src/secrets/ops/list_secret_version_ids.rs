//! `ListSecretVersionIds`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::{Answered, seconds};
use crate::constraint::Constraints;
use crate::page::page;
use crate::room::Parameters;
use crate::secrets::error::Error;
use crate::secrets::id;
use crate::secrets::secret::Version;
use crate::secrets::store;

/// The longest page, and the usual one.
const PAGE_MAX: i64 = 100;
/// The key of secrets that have none of their own.
const DEFAULT_KEY: &str = "DefaultEncryptionKey";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    secret_id: String,
    max_results: Option<i64>,
    next_token: Option<String>,
    #[serde(default)]
    include_deprecated: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    versions: Vec<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    #[serde(flatten)]
    answered: Answered,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    version_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    version_stages: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_accessed_date: Option<f64>,
    created_date: f64,
    kms_key_ids: [String; 1],
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Response, Error> {
    Constraints::new().range(request.max_results, "maxResults", 1, PAGE_MAX).check()?;
    let place = &room.world.place;
    let names = id::names(place, &request.secret_id)?;
    let now = room.world.clock.now().millis();
    let read = move |connection: &rusqlite::Connection| {
        let secret = store::existing(connection, &names, now)?;
        let versions = store::versions(connection, &secret)?;
        Ok::<_, Error>((secret, versions))
    };
    let (secret, mut versions) = room.database.read(read).await?;
    versions.0.retain(|version| request.include_deprecated || !version.stages.is_empty());
    let limit = usize::try_from(request.max_results.unwrap_or(PAGE_MAX)).unwrap_or_default();
    let (versions, next_token) = page(versions.0, |version| version.id.clone(), limit, request.next_token.as_deref())?;
    let key = secret.kms_key_id.unwrap_or_else(|| DEFAULT_KEY.to_owned());
    let listed = |version: Version| Listed {
        version_id: version.id,
        version_stages: version.stages.into_iter().collect(),
        last_accessed_date: version.accessed_at.map(seconds),
        created_date: seconds(version.created_at),
        kms_key_ids: [key.clone()],
    };
    let versions = versions.into_iter().map(listed).collect();
    Ok(Response { versions, next_token, answered: Answered::of(place, &secret.name) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Room, token};

    #[tokio::test]
    async fn versions_without_a_label_are_listed_when_asked_for() {
        let t = Room::new();
        t.create_secret("a", "1").await;
        for n in [2, 3] {
            let put = json!({ "SecretId": "a", "ClientRequestToken": token(n), "SecretString": n.to_string() });
            t.secrets("PutSecretValue", put).await.ok();
        }
        let listed = t.secrets("ListSecretVersionIds", json!({ "SecretId": "a" })).await.ok();
        assert_eq!(listed["Versions"].as_array().map(Vec::len), Some(2));
        let all = json!({ "SecretId": "a", "IncludeDeprecated": true, "MaxResults": 1 });
        let all = t.secrets("ListSecretVersionIds", all).await.ok();
        let expected = json!({ "VersionId": token(1), "CreatedDate": t.now(), "KmsKeyIds": ["DefaultEncryptionKey"] });
        assert_eq!(all["Versions"], json!([expected]));
        assert!(all["NextToken"].is_string());
    }
}
