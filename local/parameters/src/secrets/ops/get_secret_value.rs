//! `GetSecretValue`.

use aws_api::Call;
use rusqlite::Connection;
use serde::Deserialize;

use super::Shown;
use crate::constraint::Constraints;
use crate::room::Parameters;
use crate::secrets::error::Error;
use crate::secrets::id;
use crate::secrets::secret::{Secret, Versions, day};
use crate::secrets::store;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    secret_id: String,
    version_id: Option<String>,
    version_stage: Option<String>,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Shown, Error> {
    let mut constraints = Constraints::new();
    constraints.length(request.version_id.as_deref(), "versionId", 32, 64);
    constraints.length(request.version_stage.as_deref(), "versionStage", 1, 256).check()?;
    value(room, &request.secret_id, request.version_id, request.version_stage).await
}

/// The value of a secret. That it was read is noted, once a day.
pub async fn value(
    room: &Parameters,
    id: &str,
    version: Option<String>,
    stage: Option<String>,
) -> Result<Shown, Error> {
    let place = &room.world.place;
    let names = id::names(place, id)?;
    let now = room.world.clock.now().millis();
    let find = move |connection: &Connection| -> Result<(Secret, Versions, usize), Error> {
        let secret = store::existing(connection, &names, now)?;
        secret.check_kept()?;
        let versions = store::versions(connection, &secret)?;
        let at = versions.find(version.as_deref(), stage.as_deref())?;
        Ok((secret, versions, at))
    };
    let (mut secret, mut versions, mut at) = room.database.read(find.clone()).await?;
    let today = Some(day(now));
    if secret.accessed_at != today || versions.0[at].accessed_at != today {
        let noted = room.database.write(move |connection| {
            let (mut secret, mut versions, at) = find(connection)?;
            secret.accessed_at = today;
            versions.0[at].accessed_at = today;
            store::save(connection, &secret)?;
            store::save_versions(connection, &secret, &versions)?;
            Ok::<_, Error>((secret, versions, at))
        });
        (secret, versions, at) = noted.await?;
    }
    Ok(Shown::of(place, &secret.name, &versions.0[at]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Room, token};

    #[tokio::test]
    async fn a_secret_is_given_back_by_name_arn_and_part_of_one() {
        let t = Room::new();
        let made = t.create_secret("app/db", "v").await;
        let arn = made["ARN"].as_str().expect("an ARN");
        let expected = json!({
            "ARN": arn,
            "Name": "app/db",
            "VersionId": token(1),
            "SecretString": "v",
            "VersionStages": ["AWSCURRENT"],
            "CreatedDate": t.now(),
        });
        for id in ["app/db", arn, &arn[..arn.len() - 7]] {
            assert_eq!(t.secrets("GetSecretValue", json!({ "SecretId": id })).await.ok(), expected);
        }
        let missing = "Secrets Manager can't find the specified secret.";
        let elsewhere = arn.replace("us-east-1", "eu-west-1");
        for id in ["db", &elsewhere] {
            let answer = t.secrets("GetSecretValue", json!({ "SecretId": id })).await;
            answer.error("ResourceNotFoundException", missing);
        }
    }

    #[tokio::test]
    async fn a_version_is_found_by_id_and_stage() {
        let t = Room::new();
        t.create_secret("a", "old").await;
        let put = json!({ "SecretId": "a", "ClientRequestToken": token(2), "SecretString": "new" });
        t.secrets("PutSecretValue", put).await.ok();
        for (more, expected) in [
            (json!({}), "new"),
            (json!({ "VersionStage": "AWSPREVIOUS" }), "old"),
            (json!({ "VersionId": token(1) }), "old"),
            (json!({ "VersionId": token(2), "VersionStage": "AWSCURRENT" }), "new"),
        ] {
            assert_eq!(t.value("a", more).await.ok()["SecretString"], expected);
        }
        let message = "You provided a VersionStage that is not associated to the provided VersionId.";
        let mixed = json!({ "VersionId": token(1), "VersionStage": "AWSCURRENT" });
        t.value("a", mixed).await.error("InvalidRequestException", message);
        let message = format!("Secrets Manager can't find the specified secret value for VersionId: {}", token(3));
        t.value("a", json!({ "VersionId": token(3) })).await.error("ResourceNotFoundException", &message);
        let message = "Secrets Manager can't find the specified secret value for staging label: MINE";
        t.value("a", json!({ "VersionStage": "MINE" })).await.error("ResourceNotFoundException", message);
    }

    #[tokio::test]
    async fn bytes_stay_bytes_and_reading_is_noted() {
        let t = Room::new();
        let input = json!({ "Name": "a", "ClientRequestToken": token(1), "SecretBinary": "AAH/" });
        t.secrets("CreateSecret", input).await.ok();
        let before = t.secrets("DescribeSecret", json!({ "SecretId": "a" })).await.ok();
        assert_eq!(before.get("LastAccessedDate"), None);
        let shown = t.value("a", json!({})).await.ok();
        assert_eq!((&shown["SecretBinary"], shown.get("SecretString")), (&json!("AAH/"), None));
        let after = t.secrets("DescribeSecret", json!({ "SecretId": "a" })).await.ok();
        assert_eq!(after["LastAccessedDate"], t.now());
    }
}
