//! `UpdateSecretVersionStage`.

use aws_api::Call;
use serde::Deserialize;

use super::{Answered, change};
use crate::constraint::Constraints;
use crate::room::Parameters;
use crate::secrets::error::Error;
use crate::secrets::secret::{CURRENT, Versions};
use crate::secrets::store;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    secret_id: String,
    version_stage: String,
    remove_from_version_id: Option<String>,
    move_to_version_id: Option<String>,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Answered, Error> {
    let mut constraints = Constraints::new();
    constraints.length(Some(&request.version_stage), "versionStage", 1, 256);
    constraints.length(request.remove_from_version_id.as_deref(), "removeFromVersionId", 32, 64);
    constraints.length(request.move_to_version_id.as_deref(), "moveToVersionId", 32, 64).check()?;
    let id = request.secret_id.clone();
    let changed = change(room, &id, move |connection, secret| {
        let mut versions = store::versions(connection, secret)?;
        request.move_stage(&mut versions)?;
        store::save_versions(connection, secret, &versions)
    });
    changed.await.map(|(answered, ())| answered)
}

impl Request {
    fn move_stage(&self, versions: &mut Versions) -> Result<(), Error> {
        let stage = &self.version_stage;
        let find = |id: &String| versions.of_id(id).ok_or_else(|| Error::no_version(id));
        let from = self.remove_from_version_id.as_ref().map(find).transpose()?;
        let to = self.move_to_version_id.as_ref().map(find).transpose()?;
        let holder = versions.of_stage(stage);
        if let (Some(from), Some(id)) = (from, &self.remove_from_version_id)
            && holder != Some(from)
        {
            let message = format!("The staging label {stage} is not attached to version {id}.");
            return Err(Error::InvalidParameter(message));
        }
        if let (Some(holder), None) = (holder, from)
            && to != Some(holder)
        {
            let id = &versions.0[holder].id;
            return Err(Error::InvalidParameter(format!(
                "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to version \
                 {id}, so you must explicitly reference that version in RemoveFromVersionId."
            )));
        }
        match (from, to) {
            (_, Some(to)) => versions.attach(to, stage),
            (Some(_), None) if stage == CURRENT => {
                let message = "You can't remove the staging label AWSCURRENT without moving it to another version.";
                return Err(Error::InvalidParameter(message.into()));
            }
            (Some(from), None) => drop(versions.0[from].stages.remove(stage)),
            (None, None) => {
                let message = "You must provide MoveToVersionId, RemoveFromVersionId, or both.";
                return Err(Error::InvalidParameter(message.into()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Room, token};

    async fn with_pending() -> Room {
        let t = Room::new();
        t.create_secret("a", "1").await;
        let put = json!({
            "SecretId": "a", "ClientRequestToken": token(2), "SecretString": "2", "VersionStages": ["AWSPENDING"],
        });
        t.secrets("PutSecretValue", put).await.ok();
        t
    }

    async fn stages(t: &Room) -> Value {
        t.secrets("DescribeSecret", json!({ "SecretId": "a" })).await.ok()["VersionIdsToStages"].clone()
    }

    #[tokio::test]
    async fn what_was_current_becomes_the_previous_one() {
        let t = with_pending().await;
        let input = json!({
            "SecretId": "a", "VersionStage": "AWSCURRENT", "MoveToVersionId": token(2), "RemoveFromVersionId": token(1),
        });
        t.secrets("UpdateSecretVersionStage", input).await.ok();
        let expected = json!({ token(1): ["AWSPREVIOUS"], token(2): ["AWSCURRENT", "AWSPENDING"] });
        assert_eq!(stages(&t).await, expected);
        let input = json!({ "SecretId": "a", "VersionStage": "AWSPENDING", "RemoveFromVersionId": token(2) });
        t.secrets("UpdateSecretVersionStage", input).await.ok();
        assert_eq!(stages(&t).await, json!({ token(1): ["AWSPREVIOUS"], token(2): ["AWSCURRENT"] }));
    }

    #[tokio::test]
    async fn who_loses_a_label_must_be_named() {
        let t = with_pending().await;
        let before = stages(&t).await;
        let input = json!({ "SecretId": "a", "VersionStage": "AWSCURRENT", "MoveToVersionId": token(2) });
        let message = format!(
            "The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version \
             {}, so you must explicitly reference that version in RemoveFromVersionId.",
            token(1)
        );
        t.secrets("UpdateSecretVersionStage", input).await.error("InvalidParameterException", &message);
        let input = json!({ "SecretId": "a", "VersionStage": "AWSCURRENT", "RemoveFromVersionId": token(2) });
        let message = format!("The staging label AWSCURRENT is not attached to version {}.", token(2));
        t.secrets("UpdateSecretVersionStage", input).await.error("InvalidParameterException", &message);
        assert_eq!(stages(&t).await, before);
    }
}
