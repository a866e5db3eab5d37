//! `VerifyUserAttribute`. No trigger runs, on AWS neither.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::get_user_attribute_verification_code::not_verifiable;
use crate::code::{Guess, Purpose};
use crate::constraint::Constraints;
use crate::store::AliasConflict;
use crate::user::User;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    access_token: String,
    attribute_name: String,
    code: String,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    Constraints::new().length("code", &request.code, 1..=2048).check()?;
    let signed_in = room.signed_in(&request.access_token).await?;
    let (user, pool) = (signed_in.user, signed_in.pool);
    call.about(user.known_as());
    let (name, digits) = (request.attribute_name, request.code);
    let purpose = Purpose::verifying(&name).ok_or_else(|| not_verifiable(&name))?;
    let (secret, now) = (pool.secret, room.world.clock.now());
    let change = move |user: &mut User| {
        let Some(mut code) = user.take_code(purpose) else { return Err(Error::ExpiredCode) };
        let guess = code.guess(&digits, &secret, now);
        if guess == Guess::Right {
            if let Some(value) = code.new_value {
                user.codes.retain(|code| code.attribute != name); // they prove the old address
                user.attributes.set(&name, value);
            }
            user.attributes.set(&format!("{name}_verified"), "true");
            user.modified = now;
        } else {
            user.set_code(code); // a wrong guess counts
        }
        Ok(guess)
    };
    let (_, guess) = room.store.update_user(&pool, &user.sub, AliasConflict::Refuse, change).await?;
    guess.check()?;
    Ok(Response {})
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use crate::testing::Kit;

    fn verify(token: &str, code: &str) -> Value {
        json!({"AccessToken": token, "AttributeName": "email", "Code": code})
    }

    #[tokio::test]
    async fn wrong_and_old_codes() {
        let t = Kit::new().await;
        let token = t.signed_in("ann@example.com").await;
        t.call("VerifyUserAttribute", verify(&token, "1")).await.error("ExpiredCodeException");
        let ask = json!({"AccessToken": token, "AttributeName": "email"});
        t.call("GetUserAttributeVerificationCode", ask).await.ok();
        t.call("VerifyUserAttribute", verify(&token, "x")).await.error("CodeMismatchException");
        t.clock.advance(Duration::from_hours(24));
        let token = t.sign_in("ann@example.com").await;
        t.call("VerifyUserAttribute", verify(&token, &t.last_code())).await.error("ExpiredCodeException");
    }

    #[tokio::test]
    async fn an_alias_that_somebody_has_verified_is_refused() {
        let t = Kit::with_pool(json!({
            "PoolName": "p",
            "AliasAttributes": ["email"],
            "AutoVerifiedAttributes": ["email"],
            "UsernameConfiguration": {"CaseSensitive": false},
        }))
        .await;
        for name in ["ann", "bob"] {
            let mut input = t.sign_up(name);
            input["UserAttributes"] = json!([{"Name": "email", "Value": format!("{name}@example.com")}]);
            t.call("SignUp", input).await.ok();
            t.call("ConfirmSignUp", t.confirm(name, &t.last_code())).await.ok();
        }
        let token = t.sign_in("ann").await;
        let email = json!([{"Name": "email", "Value": "BOB@example.com"}]);
        t.call("UpdateUserAttributes", json!({"AccessToken": token, "UserAttributes": email})).await.ok();
        let answer = t.call("VerifyUserAttribute", verify(&token, &t.last_code())).await;
        assert_eq!(answer.error("AliasExistsException"), "An account with the email already exists.");
    }
}
