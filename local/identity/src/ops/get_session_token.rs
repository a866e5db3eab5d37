//! `GetSessionToken`: other credentials for the same caller.

use std::ops::RangeInclusive;

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::Identity;
use crate::error::Error;
use crate::session::{Credentials, duration_s};

const USUAL_S: u32 = 12 * 60 * 60;
const MAY_S: RangeInclusive<u32> = 15 * 60..=36 * 60 * 60;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    duration_seconds: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    credentials: Credentials,
}

#[expect(clippy::unused_async, reason = "every operation is awaited; this one needs nothing but its input")]
pub async fn run(room: &Identity, request: Request, call: &Call) -> Result<Response, Error> {
    let duration_s = duration_s(request.duration_seconds, USUAL_S, MAY_S)?;
    Ok(Response { credentials: room.credentials(&room.caller(call), duration_s) })
}

#[cfg(test)]
mod tests {
    use super::super::harness::Harness;

    #[tokio::test]
    async fn a_session_is_of_its_caller() {
        let t = Harness::new();
        let session = t.ask("GetSessionToken", "DurationSeconds=900", None).await;
        assert_eq!((session.0, session.text("Expiration")), (200, "2026-01-01T00:15:00Z"));
        assert!(session.text("AccessKeyId").starts_with("ASIA"));
        let caller = t.ask("GetCallerIdentity", "", Some(session.text("SessionToken"))).await;
        assert_eq!(caller.text("Arn"), "arn:aws:iam::000000000000:root");
    }

    #[tokio::test]
    async fn a_duration_has_bounds() {
        let rule = "failed to satisfy constraint: Member must have value";
        for (seconds, bound) in [("899", "greater than or equal to 900"), ("129601", "less than or equal to 129600")] {
            let answer = Harness::new().ask("GetSessionToken", &format!("DurationSeconds={seconds}"), None).await;
            let message = format!("1 validation error detected: Value '{seconds}' at 'durationSeconds' {rule} {bound}");
            assert_eq!(
                (answer.text("Code"), answer.text("Message").replace("&#39;", "'")),
                ("ValidationError", message)
            );
        }
    }
}
