//! `DescribeSecret`.

use std::collections::BTreeMap;

use aws_api::Call;
use serde::{Deserialize, Serialize};
use world::Place;

use super::{Answered, seconds};
use crate::room::Parameters;
use crate::secrets::error::Error;
use crate::secrets::id;
use crate::secrets::secret::{Secret, Versions};
use crate::secrets::store;
use crate::tags::{self, Tag};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    secret_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    #[serde(flatten)]
    about: About,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    version_ids_to_stages: BTreeMap<String, Vec<String>>,
}

/// What is told of a secret beside its versions.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct About {
    #[serde(flatten)]
    answered: Answered,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<String>,
    created_date: f64,
    last_changed_date: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_accessed_date: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_date: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Response, Error> {
    let place = &room.world.place;
    let names = id::names(place, &request.secret_id)?;
    let now = room.world.clock.now().millis();
    let read = move |connection: &rusqlite::Connection| {
        let secret = store::existing(connection, &names, now)?;
        let versions = store::versions(connection, &secret)?;
        Ok::<_, Error>((secret, versions))
    };
    let (secret, versions) = room.database.read(read).await?;
    Ok(Response { about: About::of(place, &secret), version_ids_to_stages: stages(&versions) })
}

impl About {
    pub fn of(place: &Place, secret: &Secret) -> Self {
        Self {
            answered: Answered::of(place, &secret.name),
            description: secret.description.clone(),
            kms_key_id: secret.kms_key_id.clone(),
            created_date: seconds(secret.created_at),
            last_changed_date: seconds(secret.changed_at),
            last_accessed_date: secret.accessed_at.map(seconds),
            deleted_date: secret.deletion_at.map(seconds),
            tags: tags::write(&secret.tags),
        }
    }
}

/// The versions that have labels.
pub fn stages(versions: &Versions) -> BTreeMap<String, Vec<String>> {
    let labelled = versions.0.iter().filter(|version| !version.stages.is_empty());
    labelled.map(|version| (version.id.clone(), version.stages.iter().cloned().collect())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Room, token};

    #[tokio::test]
    async fn all_but_the_value_is_told() {
        let t = Room::new();
        let made = t.create_secret("a", "hunter2").await;
        let told = t.secrets("DescribeSecret", json!({ "SecretId": "a" })).await.ok();
        let expected = json!({
            "ARN": made["ARN"],
            "Name": "a",
            "CreatedDate": t.now(),
            "LastChangedDate": t.now(),
            "VersionIdsToStages": { token(1): ["AWSCURRENT"] },
        });
        assert_eq!(told, expected);
        assert!(!told.to_string().contains("hunter2"));
    }
}
