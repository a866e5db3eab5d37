//! `ConfirmSignUp`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::code::{Guess, Purpose};
use crate::constraint::Constraints;
use crate::owed::Owed;
use crate::store::AliasConflict;
use crate::trigger::{ClientMetadata, Source};
use crate::user::{Status, User};
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    client_id: String,
    secret_hash: Option<String>,
    username: String,
    confirmation_code: String,
    #[serde(default)]
    force_alias_creation: bool,
    client_metadata: Option<ClientMetadata>,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    Constraints::new()
        .username(&request.username)
        .length("confirmationCode", &request.confirmation_code, 1..=2048)
        .check()?;
    let (client, pool) = room.client_and_pool(&request.client_id)?;
    client.check_secret_hash(&request.username, request.secret_hash.as_deref())?;
    let user = room.find_user_of_client(&client, &pool, &request.username).await?.ok_or(Error::CodeMismatch)?;
    call.about(user.known_as());

    let conflict = if request.force_alias_creation { AliasConflict::Move } else { AliasConflict::Refuse };
    let (secret, now) = (pool.secret, room.world.clock.now());
    let digits = request.confirmation_code;
    let owed = Owed::of(&pool, Source::PostConfirmation, Some(&client.id), request.client_metadata, call);
    let change = move |user: &mut User| {
        if user.status != Status::Unconfirmed {
            return Err(Error::not_to_be_confirmed(user.status.as_str()));
        }
        let Some(mut code) = user.take_code(Purpose::SignUp) else { return Err(Error::ExpiredCode) };
        let guess = code.guess(&digits, &secret, now);
        if guess == Guess::Right {
            user.status = Status::Confirmed;
            user.attributes.set(&format!("{}_verified", code.attribute), "true");
            user.modified = now;
            user.owed = owed;
        } else {
            user.set_code(code); // a wrong guess counts
        }
        Ok(guess)
    };
    let (user, guess) = room.store.update_user(&pool, &user.sub, conflict, change).await?;
    guess.check()?;
    room.pay(&pool, user).await?;
    Ok(Response {})
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use crate::testing::Kit;
    use crate::trigger::TriggerFailure;

    #[tokio::test]
    async fn the_mailed_code_confirms_and_verifies() {
        let t = Kit::new().await;
        t.attach("PostConfirmation").await;
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        t.call("ConfirmSignUp", t.confirm("ann@example.com", &t.last_code())).await.ok();
        assert_eq!(t.sources(), ["PostConfirmation_ConfirmSignUp"]);
        let attributes = &t.events()[0]["request"]["userAttributes"];
        assert_eq!(attributes["cognito:user_status"], "CONFIRMED");
        assert_eq!(attributes["email_verified"], "true");
    }

    #[tokio::test]
    async fn the_disabled_confirm_nothing() {
        let t = Kit::new().await;
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        t.call("AdminDisableUser", json!({"UserPoolId": t.pool, "Username": "ann@example.com"})).await.ok();
        let confirm = t.confirm("ann@example.com", &t.last_code());
        assert_eq!(t.call("ConfirmSignUp", confirm.clone()).await.error("NotAuthorizedException"), "User is disabled.");
        t.hide_users().await;
        t.call("ConfirmSignUp", confirm).await.error("CodeMismatchException");
    }

    #[tokio::test]
    async fn a_wrong_code_confirms_nobody() {
        let t = Kit::new().await;
        t.attach("PostConfirmation").await;
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        t.call("ConfirmSignUp", t.confirm("ann@example.com", "x")).await.error("CodeMismatchException");
        assert!(t.sources().is_empty());
    }

    #[tokio::test]
    async fn a_code_is_old_after_a_day() {
        let t = Kit::new().await;
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        t.clock.advance(Duration::from_hours(25));
        t.call("ConfirmSignUp", t.confirm("ann@example.com", &t.last_code())).await.error("ExpiredCodeException");
    }

    #[tokio::test]
    async fn nobody_is_confirmed_twice() {
        let t = Kit::new().await;
        let code = t.confirmed("ann@example.com").await;
        let message =
            t.call("ConfirmSignUp", t.confirm("ann@example.com", &code)).await.error("NotAuthorizedException");
        assert_eq!(message, "User cannot be confirmed. Current status is CONFIRMED");
    }

    #[tokio::test]
    async fn a_failing_post_confirmation_reaches_the_caller_and_leaves_the_user_confirmed() {
        let t = Kit::new().await;
        t.attach("PostConfirmation").await;
        t.trigger_answers(Err(TriggerFailure::Function("no bus".into())));
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        let confirm = t.call("ConfirmSignUp", t.confirm("ann@example.com", &t.last_code())).await;
        assert_eq!(confirm.error("UserLambdaValidationException"), "PostConfirmation failed with error no bus.");
        let user = t.call("AdminGetUser", json!({"UserPoolId": t.pool, "Username": "ann@example.com"})).await.ok();
        assert_eq!(user["UserStatus"], "CONFIRMED");
    }

    #[tokio::test]
    async fn a_trigger_that_times_out_is_tried_three_times() {
        let t = Kit::new().await;
        t.attach("PostConfirmation").await;
        t.trigger_answers(Err(TriggerFailure::TimedOut));
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        let confirm = t.call("ConfirmSignUp", t.confirm("ann@example.com", &t.last_code())).await;
        let expected = "PostConfirmation invocation failed due to error Socket timeout while invoking Lambda function.";
        assert_eq!(confirm.error("UnexpectedLambdaException"), expected);
        assert_eq!(t.sources().len(), 3);
    }

    #[tokio::test]
    async fn client_metadata_reaches_the_function() {
        let t = Kit::new().await;
        t.attach("PostConfirmation").await;
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        let mut input = t.confirm("ann@example.com", &t.last_code());
        input["ClientMetadata"] = json!({"from": "the test"});
        t.call("ConfirmSignUp", input).await.ok();
        assert_eq!(t.events()[0]["request"]["clientMetadata"], json!({"from": "the test"}));
    }
}
