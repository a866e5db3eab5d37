//! `ChangePassword`, for who is signed in. No trigger runs, and tokens stay good.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::constraint::Constraints;
use crate::limit::Action;
use crate::store::AliasConflict;
use crate::user::User;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    access_token: String,
    #[serde(default)]
    previous_password: String,
    proposed_password: String,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    Constraints::new()
        .length("previousPassword", &request.previous_password, 0..=256)
        .length("proposedPassword", &request.proposed_password, 0..=256)
        .check()?;
    let signed_in = room.signed_in(&request.access_token).await?;
    let (user, pool) = (signed_in.user, signed_in.pool);
    call.about(user.known_as());
    pool.check_password(&request.proposed_password)?;
    let new = if room.knows_password(&pool, &user, request.previous_password).await? {
        Some(room.verifier(&pool, &user.username, request.proposed_password).await?)
    } else {
        None
    };
    let (now, right) = (room.world.clock.now(), new.is_some());
    let change = move |user: &mut User| {
        user.attempts.count(Action::ChangePassword, now)?;
        if let Some(verifier) = new {
            user.verifier = Some(verifier);
            user.modified = now;
        }
        Ok(())
    };
    room.store.update_user(&pool, &user.sub, AliasConflict::Refuse, change).await?;
    if right { Ok(Response {}) } else { Err(Error::wrong_credentials()) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Kit, PASSWORD};

    fn change(token: &str, from: &str, to: &str) -> Value {
        json!({"AccessToken": token, "PreviousPassword": from, "ProposedPassword": to})
    }

    #[tokio::test]
    async fn the_new_password_works() {
        let t = Kit::new().await;
        let token = t.signed_in("ann@example.com").await;
        t.call("ChangePassword", change(&token, PASSWORD, "N3w-password")).await.ok();
        t.sign_in_with("ann@example.com", PASSWORD).await.error("NotAuthorizedException");
        t.sign_in_with("ann@example.com", "N3w-password").await.ok();
    }

    #[tokio::test]
    async fn the_old_password_must_be_known() {
        let t = Kit::new().await;
        let token = t.signed_in("ann@example.com").await;
        let message = t.call("ChangePassword", change(&token, "wrong", "N3w-password")).await;
        assert_eq!(message.error("NotAuthorizedException"), "Incorrect username or password.");
        t.call("ChangePassword", change(&token, PASSWORD, "weak")).await.error("InvalidPasswordException");
    }

    #[tokio::test]
    async fn five_an_hour() {
        let t = Kit::new().await;
        let token = t.signed_in("ann@example.com").await;
        for _ in 0..5 {
            t.call("ChangePassword", change(&token, "wrong", "N3w-password")).await.error("NotAuthorizedException");
        }
        let sixth = t.call("ChangePassword", change(&token, PASSWORD, "N3w-password")).await;
        sixth.error("LimitExceededException");
    }
}
