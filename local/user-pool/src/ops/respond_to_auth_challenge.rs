//! `RespondToAuthChallenge`.

use aws_api::Call;
use serde::Deserialize;

use super::auth::{self, Response};
use crate::sign_in::{Parameters, SignIn};
use crate::trigger::ClientMetadata;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    client_id: String,
    challenge_name: String,
    session: Option<String>,
    #[serde(default)]
    challenge_responses: Parameters,
    client_metadata: Option<ClientMetadata>,
}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let (client, pool) = room.client_and_pool(&request.client_id)?;
    let sign_in =
        SignIn { room, pool, client, call, metadata: request.client_metadata.as_ref(), validation_data: None };
    auth::go_on(&sign_in, &request.challenge_name, request.session.as_deref(), &request.challenge_responses).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use crate::testing::Kit;

    const TEMPORARY: &str = "Temp0rary!";

    /// An administrator's user who has signed in with the temporary password.
    async fn challenged(t: &Kit) -> Value {
        let create = json!({"UserPoolId": t.pool, "Username": "ann@example.com", "TemporaryPassword": TEMPORARY});
        t.call("AdminCreateUser", create).await.ok();
        let parameters = json!({"USERNAME": "ann@example.com", "PASSWORD": TEMPORARY});
        let input = json!({"ClientId": t.client, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters});
        t.call("InitiateAuth", input).await.ok()
    }

    fn answer(t: &Kit, session: &Value) -> Value {
        let responses = json!({"USERNAME": "ann@example.com", "NEW_PASSWORD": "Passw0rd!"});
        let name = "NEW_PASSWORD_REQUIRED";
        json!({"ClientId": t.client, "ChallengeName": name, "Session": session, "ChallengeResponses": responses})
    }

    #[tokio::test]
    async fn a_new_password_confirms_without_post_confirmation() {
        let t = Kit::new().await;
        t.attach("PostConfirmation").await;
        let challenge = challenged(&t).await;
        assert_eq!(challenge["ChallengeName"], "NEW_PASSWORD_REQUIRED");
        assert_eq!(challenge["ChallengeParameters"]["requiredAttributes"], "[]");
        let signed_in = t.call("RespondToAuthChallenge", answer(&t, &challenge["Session"])).await.ok();
        assert!(signed_in["AuthenticationResult"]["AccessToken"].is_string());
        let user = t.call("AdminGetUser", json!({"UserPoolId": t.pool, "Username": "ann@example.com"})).await.ok();
        assert_eq!(user["UserStatus"], "CONFIRMED");
        assert!(t.sources().is_empty());
    }

    #[tokio::test]
    async fn a_session_ends_after_three_minutes() {
        let t = Kit::new().await;
        let challenge = challenged(&t).await;
        t.clock.advance(Duration::from_mins(3));
        let message =
            t.call("RespondToAuthChallenge", answer(&t, &challenge["Session"])).await.error("NotAuthorizedException");
        assert_eq!(message, "Invalid session for the user, session is expired.");
    }

    #[tokio::test]
    async fn a_session_is_good_once() {
        let t = Kit::new().await;
        let challenge = challenged(&t).await;
        t.call("RespondToAuthChallenge", answer(&t, &challenge["Session"])).await.ok();
        let message =
            t.call("RespondToAuthChallenge", answer(&t, &challenge["Session"])).await.error("NotAuthorizedException");
        assert_eq!(message, "Invalid session for the user.");
    }

    #[tokio::test]
    async fn a_weak_password_leaves_the_session_good() {
        let t = Kit::new().await;
        let challenge = challenged(&t).await;
        let mut weak = answer(&t, &challenge["Session"]);
        weak["ChallengeResponses"]["NEW_PASSWORD"] = json!("weak");
        t.call("RespondToAuthChallenge", weak).await.error("InvalidPasswordException");
        t.call("RespondToAuthChallenge", answer(&t, &challenge["Session"])).await.ok();
    }
}
