//! `DeleteSecret`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::{Answered, seconds};
use crate::room::Parameters;
use crate::secrets::error::Error;
use crate::secrets::id;
use crate::secrets::store;

const WINDOW_DAYS: i64 = 30;
const WINDOW_DAYS_MIN: i64 = 7;
const WINDOW_DAYS_MAX: i64 = 30;
const DAY_MS: i64 = 86_400_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    secret_id: String,
    recovery_window_in_days: Option<i64>,
    #[serde(default)]
    force_delete_without_recovery: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    #[serde(flatten)]
    answered: Answered,
    deletion_date: f64,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Response, Error> {
    let window = request.recovery_window_in_days;
    if window.is_some_and(|days| !(WINDOW_DAYS_MIN..=WINDOW_DAYS_MAX).contains(&days)) {
        let message = "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).";
        return Err(Error::InvalidParameter(message.into()));
    }
    let forced = request.force_delete_without_recovery;
    if forced && window.is_some() {
        let message = "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.";
        return Err(Error::InvalidParameter(message.into()));
    }
    let place = &room.world.place;
    let names = id::names(place, &request.secret_id)?;
    let now = room.world.clock.now().millis();
    let wanted = names.first().cloned().unwrap_or_default();
    let deleted = room.database.write(move |connection| {
        store::purge(connection, now)?;
        if forced {
            // What is not there is gone: no error, as the documentation of the operation has it.
            let Some(secret) = store::secret(connection, &names, now)? else { return Ok((wanted, now)) };
            store::delete(connection, &secret)?;
            return Ok((secret.name, now));
        }
        let mut secret = store::existing(connection, &names, now)?;
        if secret.deletion_at.is_some() {
            let message =
                "You can't perform this operation on the secret because it was already scheduled for deletion.";
            return Err(Error::InvalidRequest(message.into()));
        }
        let deletion_at = now + window.unwrap_or(WINDOW_DAYS) * DAY_MS;
        secret.deletion_at = Some(deletion_at);
        store::save(connection, &secret)?;
        Ok::<_, Error>((secret.name, deletion_at))
    });
    let (name, deletion_at) = deleted.await?;
    Ok(Response { answered: Answered::of(place, &name), deletion_date: seconds(deletion_at) })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use crate::testing::{Room, token};

    const MARKED: &str = "You can't perform this operation on the secret because it was marked for deletion.";

    #[tokio::test]
    async fn a_secret_waits_and_can_be_restored() {
        let t = Room::new();
        t.create_secret("a", "1").await;
        let deleted = t.secrets("DeleteSecret", json!({ "SecretId": "a", "RecoveryWindowInDays": 7 })).await.ok();
        assert_eq!(deleted["DeletionDate"], t.now() + 7.0 * 86_400.0);
        t.value("a", json!({})).await.error("InvalidRequestException", MARKED);
        let put = json!({ "SecretId": "a", "ClientRequestToken": token(2), "SecretString": "2" });
        t.secrets("PutSecretValue", put).await.error("InvalidRequestException", MARKED);
        t.secrets("DeleteSecret", json!({ "SecretId": "a" })).await.error(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was already scheduled for deletion.",
        );
        let create = json!({ "Name": "a", "ClientRequestToken": token(3), "SecretString": "3" });
        t.secrets("CreateSecret", create).await.error(
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        );
        let told = t.secrets("DescribeSecret", json!({ "SecretId": "a" })).await.ok();
        assert_eq!(told["DeletedDate"], deleted["DeletionDate"]);
        t.secrets("RestoreSecret", json!({ "SecretId": "a" })).await.ok();
        assert_eq!(t.value("a", json!({})).await.ok()["SecretString"], "1");
    }

    #[tokio::test]
    async fn when_its_time_has_come_it_is_gone() {
        let t = Room::new();
        t.create_secret("a", "1").await;
        t.secrets("DeleteSecret", json!({ "SecretId": "a" })).await.ok();
        t.world.clock.advance(Duration::from_hours(30 * 24));
        let missing = "Secrets Manager can't find the specified secret.";
        t.value("a", json!({})).await.error("ResourceNotFoundException", missing);
        t.secrets("RestoreSecret", json!({ "SecretId": "a" })).await.error("ResourceNotFoundException", missing);
        t.create_secret("a", "2").await;
        assert_eq!(t.value("a", json!({})).await.ok()["SecretString"], "2");
    }

    #[tokio::test]
    async fn by_force_it_is_gone_at_once() {
        let t = Room::new();
        let forced = json!({ "SecretId": "a", "ForceDeleteWithoutRecovery": true });
        t.secrets("DeleteSecret", forced.clone()).await.ok();
        t.create_secret("a", "1").await;
        t.secrets("DeleteSecret", json!({ "SecretId": "a" })).await.ok();
        assert_eq!(t.secrets("DeleteSecret", forced.clone()).await.ok()["DeletionDate"], t.now());
        t.create_secret("a", "2").await;
        let mut both = forced;
        both["RecoveryWindowInDays"] = json!(7);
        let message = "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.";
        t.secrets("DeleteSecret", both).await.error("InvalidParameterException", message);
        let message = "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).";
        let input = json!({ "SecretId": "a", "RecoveryWindowInDays": 1 });
        t.secrets("DeleteSecret", input).await.error("InvalidParameterException", message);
    }
}
