//! `GetCallerIdentity`: who calls.

use aws_api::Call;
use serde::Deserialize;

use crate::Identity;
use crate::error::Error;
use crate::session::Caller;

#[derive(Deserialize)]
pub struct Request {}

#[expect(clippy::unused_async, reason = "every operation is awaited; this one needs nothing but its input")]
pub async fn run(room: &Identity, _request: Request, call: &Call) -> Result<Caller, Error> {
    Ok(room.caller(call))
}

#[cfg(test)]
mod tests {
    use super::super::harness::Harness;

    #[tokio::test]
    async fn who_has_no_session_is_the_account_itself() {
        for token in [None, Some("not one of ours")] {
            let answer = Harness::new().ask("GetCallerIdentity", "", token).await;
            let texts = ["UserId", "Account", "Arn"].map(|element| answer.text(element));
            assert_eq!(texts, ["000000000000", "000000000000", "arn:aws:iam::000000000000:root"]);
            assert!(answer.text("RequestId").len() > 30);
        }
    }
}
