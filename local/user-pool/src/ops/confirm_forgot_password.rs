//! `ConfirmForgotPassword`: the code allows a new password and confirms.
//!
//! PostConfirmation runs here too, as `PostConfirmation_ConfirmForgotPassword`: a function that makes profiles must
//! look at the trigger source.

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
    password: String,
    client_metadata: Option<ClientMetadata>,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    Constraints::new()
        .username(&request.username)
        .length("confirmationCode", &request.confirmation_code, 1..=2048)
        .length("password", &request.password, 0..=256)
        .check()?;
    let (client, pool) = room.client_and_pool(&request.client_id)?;
    client.check_secret_hash(&request.username, request.secret_hash.as_deref())?;
    let user = room.find_user_of_client(&client, &pool, &request.username).await?.ok_or(Error::CodeMismatch)?;
    call.about(user.known_as());
    pool.check_password(&request.password)?;

    let (secret, now) = (pool.secret, room.world.clock.now());
    let digits = request.confirmation_code;
    // The verifier is costly, and is worked out for the right code alone; inside the transaction the code counts again.
    let known = user.code(Purpose::Password).cloned().map(|mut code| code.guess(&digits, &secret, now));
    let verifier = match known {
        Some(Guess::Right) => Some(room.verifier(&pool, &user.username, request.password).await?),
        _ => None,
    };
    let source = Source::PostConfirmationForgotPassword;
    let owed = Owed::of(&pool, source, Some(&client.id), request.client_metadata, call);
    let change = move |user: &mut User| {
        match user.status {
            Status::Unconfirmed => return Err(Error::UserNotConfirmed),
            Status::ForceChangePassword | Status::ExternalProvider => return Err(Error::not_to_be_reset()),
            Status::Confirmed | Status::ResetRequired => {}
        }
        let Some(mut code) = user.take_code(Purpose::Password) else { return Err(Error::ExpiredCode) };
        let guess = code.guess(&digits, &secret, now);
        match (guess, verifier) {
            (Guess::Right, Some(verifier)) => {
                user.status = Status::Confirmed;
                user.verifier = Some(verifier);
                user.modified = now;
                user.owed = owed;
            }
            (Guess::Right, None) => return Err(Error::ExpiredCode), // sent a moment ago: it cannot be known yet
            _ => user.set_code(code),                               // a wrong guess counts
        }
        Ok(guess)
    };
    let (user, guess) = room.store.update_user(&pool, &user.sub, AliasConflict::Refuse, change).await?;
    guess.check()?;
    room.pay(&pool, user).await?;
    Ok(Response {})
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use crate::testing::Kit;

    const NEW_PASSWORD: &str = "N3w-password";

    fn confirm(t: &Kit, code: &str, password: &str) -> Value {
        json!({"ClientId": t.client, "Username": "Ann@example.com", "ConfirmationCode": code, "Password": password})
    }

    async fn forgotten() -> (Kit, String) {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        t.call("ForgotPassword", json!({"ClientId": t.client, "Username": "ann@example.com"})).await.ok();
        let code = t.last_code();
        (t, code)
    }

    #[tokio::test]
    async fn the_new_password_works_and_post_confirmation_is_told() {
        let (t, code) = forgotten().await;
        t.attach("PostConfirmation").await;
        let mut input = confirm(&t, &code, NEW_PASSWORD);
        input["ClientMetadata"] = json!({"from": "the test"});
        t.call("ConfirmForgotPassword", input).await.ok();
        assert_eq!(t.sources(), ["PostConfirmation_ConfirmForgotPassword"]);
        assert_eq!(t.events()[0]["request"]["clientMetadata"], json!({"from": "the test"}));
        t.sign_in_with("ann@example.com", NEW_PASSWORD).await.ok();
        t.sign_in_with("ann@example.com", crate::testing::PASSWORD).await.error("NotAuthorizedException");
    }

    #[tokio::test]
    async fn a_code_works_once() {
        let (t, code) = forgotten().await;
        t.call("ConfirmForgotPassword", confirm(&t, &code, NEW_PASSWORD)).await.ok();
        t.call("ConfirmForgotPassword", confirm(&t, &code, NEW_PASSWORD)).await.error("ExpiredCodeException");
    }

    #[tokio::test]
    async fn a_code_is_old_after_an_hour() {
        let (t, code) = forgotten().await;
        t.clock.advance(Duration::from_hours(1));
        t.call("ConfirmForgotPassword", confirm(&t, &code, NEW_PASSWORD)).await.error("ExpiredCodeException");
    }

    #[tokio::test]
    async fn a_weak_password_does_not_use_the_code_up() {
        let (t, code) = forgotten().await;
        t.call("ConfirmForgotPassword", confirm(&t, &code, "weak")).await.error("InvalidPasswordException");
        t.call("ConfirmForgotPassword", confirm(&t, &code, NEW_PASSWORD)).await.ok();
    }

    #[tokio::test]
    async fn guessing_ends() {
        let (t, code) = forgotten().await;
        for _ in 0..15 {
            t.call("ConfirmForgotPassword", confirm(&t, "x", NEW_PASSWORD)).await.error("CodeMismatchException");
        }
        t.call("ConfirmForgotPassword", confirm(&t, &code, NEW_PASSWORD)).await.error("LimitExceededException");
    }

    #[tokio::test]
    async fn whether_there_is_a_user_can_be_hidden() {
        let t = Kit::new().await;
        t.call("ConfirmForgotPassword", confirm(&t, "1", NEW_PASSWORD)).await.error("UserNotFoundException");
        t.hide_users().await;
        t.call("ConfirmForgotPassword", confirm(&t, "1", NEW_PASSWORD)).await.error("CodeMismatchException");
    }
}
