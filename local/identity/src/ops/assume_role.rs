//! `AssumeRole`: credentials of a role.

use std::ops::RangeInclusive;

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::Identity;
use crate::error::Error;
use crate::session::{AssumedRoleUser, Caller, Credentials, duration_s};

/// Unless it is said, and what may be said.
pub(super) const USUAL_S: u32 = 60 * 60;
pub(super) const MAY_S: RangeInclusive<u32> = 15 * 60..=12 * 60 * 60;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    role_arn: String,
    role_session_name: String,
    duration_seconds: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    credentials: Credentials,
    assumed_role_user: AssumedRoleUser,
}

#[expect(clippy::unused_async, reason = "every operation is awaited; this one needs nothing but its input")]
pub async fn run(room: &Identity, request: Request, _call: &Call) -> Result<Response, Error> {
    let caller = Caller::of_role(&request.role_arn, &request.role_session_name)?;
    let duration_s = duration_s(request.duration_seconds, USUAL_S, MAY_S)?;
    Ok(Response { credentials: room.credentials(&caller, duration_s), assumed_role_user: caller.as_role_user() })
}

#[cfg(test)]
mod tests {
    use super::super::harness::Harness;

    const ROLE: &str = "RoleArn=arn:aws:iam::123456789012:role/team/deployer&RoleSessionName=ann";

    #[tokio::test]
    async fn who_takes_a_role_is_somebody_else() {
        let t = Harness::new();
        let session = t.ask("AssumeRole", ROLE, None).await;
        assert_eq!((session.0, session.text("Expiration")), (200, "2026-01-01T01:00:00Z"));
        let arn = "arn:aws:sts::123456789012:assumed-role/deployer/ann";
        assert_eq!(session.text("Arn"), arn);
        let id = session.text("AssumedRoleId");
        assert!(id.starts_with("AROA") && id.ends_with(":ann") && id.len() == 25, "{id}");
        let caller = t.ask("GetCallerIdentity", "", Some(session.text("SessionToken"))).await;
        assert_eq!([caller.text("UserId"), caller.text("Account"), caller.text("Arn")], [id, "123456789012", arn]);
        assert_eq!(t.ask("AssumeRole", ROLE, None).await.text("AssumedRoleId"), id, "a role has one id");
    }

    #[tokio::test]
    async fn where_signatures_are_checked_the_key_stays_the_callers_own() {
        let session = Harness::keyed(Some(("AKIAOURS", "secret"))).ask("AssumeRole", ROLE, None).await;
        assert_eq!([session.text("AccessKeyId"), session.text("SecretAccessKey")], ["AKIAOURS", "secret"]);
    }

    #[tokio::test]
    async fn what_is_no_role_is_refused() {
        let t = Harness::new();
        for arn in ["deployer", "arn:aws:iam::123456789012:user/ann", "arn:aws:iam::123456789012:role/"] {
            let members = format!("RoleArn={arn}&RoleSessionName=ann");
            t.ask("AssumeRole", &members, None).await.refused("ValidationError", &format!("{arn} is invalid"));
        }
        let missing = t.ask("AssumeRole", "RoleSessionName=ann", None).await;
        assert!(missing.text("Message").contains("Value null at 'roleArn' failed to satisfy constraint"));
    }

    #[tokio::test]
    async fn a_session_needs_a_name() {
        let t = Harness::new();
        for (name, rule) in [
            ("a", "Member must have length greater than or equal to 2"),
            ("a%20b", "Member must satisfy regular expression pattern: [\\w+=,.@-]*"),
        ] {
            let members = format!("RoleArn=arn:aws:iam::123456789012:role/r&RoleSessionName={name}");
            let answer = t.ask("AssumeRole", &members, None).await;
            assert_eq!(answer.text("Code"), "ValidationError");
            assert!(answer.text("Message").ends_with(rule), "{}", answer.text("Message"));
        }
    }
}
