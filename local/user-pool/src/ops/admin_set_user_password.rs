//! `AdminSetUserPassword`: from any state to CONFIRMED (a permanent password) or `FORCE_CHANGE_PASSWORD` (a temporary
//! one). No trigger runs, on AWS neither.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::code::Purpose;
use crate::constraint::Constraints;
use crate::store::AliasConflict;
use crate::user::{Status, User};
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    username: String,
    password: String,
    #[serde(default)]
    permanent: bool,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    Constraints::new().username(&request.username).length("password", &request.password, 0..=256).check()?;
    let pool = room.pool(&request.user_pool_id)?;
    let user = room.find_user(&pool, &request.username).await?;
    call.about(user.known_as());
    pool.check_password(&request.password)?;
    let verifier = room.verifier(&pool, &user.username, request.password).await?;
    let (now, life, permanent) = (room.world.clock.now(), pool.settings.temporary_password_life(), request.permanent);
    let change = move |user: &mut User| {
        user.verifier = Some(verifier);
        user.status = if permanent { Status::Confirmed } else { Status::ForceChangePassword };
        user.temporary_password_until = (!permanent).then(|| now.plus(life));
        user.take_code(Purpose::SignUp);
        user.modified = now;
        Ok(())
    };
    room.store.update_user(&pool, &user.sub, AliasConflict::Refuse, change).await?;
    Ok(Response {})
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Kit;

    fn set(t: &Kit, password: &str, permanent: bool) -> Value {
        json!({"UserPoolId": t.pool, "Username": "Ann@example.com", "Password": password, "Permanent": permanent})
    }

    async fn status(t: &Kit) -> Value {
        let user = json!({"UserPoolId": t.pool, "Username": "ann@example.com"});
        t.call("AdminGetUser", user).await.ok()["UserStatus"].take()
    }

    #[tokio::test]
    async fn a_permanent_password_confirms_and_fires_nothing() {
        let t = Kit::new().await;
        t.attach("PostConfirmation").await;
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        t.call("AdminSetUserPassword", set(&t, "N3w-password", false)).await.ok();
        assert_eq!(status(&t).await, "FORCE_CHANGE_PASSWORD");
        t.call("AdminSetUserPassword", set(&t, "N3w-password", true)).await.ok();
        assert_eq!(status(&t).await, "CONFIRMED");
        assert!(t.sources().is_empty());
    }

    #[tokio::test]
    async fn the_policy_holds_for_administrators_too() {
        let t = Kit::new().await;
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        t.call("AdminSetUserPassword", set(&t, "short", true)).await.error("InvalidPasswordException");
        assert_eq!(status(&t).await, "UNCONFIRMED");
    }
}
