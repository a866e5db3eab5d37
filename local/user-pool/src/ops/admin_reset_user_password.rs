//! `AdminResetUserPassword`: sends a code, and until it is used with a new password nobody signs in.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::forgot_password::{refuse_self_service, send};
use crate::message::Destination;
use crate::trigger::ClientMetadata;
use crate::user::{Status, User};
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    username: String,
    client_metadata: Option<ClientMetadata>,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    let user = room.find_user(&pool, &request.username).await?;
    call.about(user.known_as());
    refuse_self_service(&pool)?;
    if !user.enabled {
        return Err(Error::user_disabled());
    }
    let destination = Destination::of_recovery(&pool.settings, &user);
    let change = |user: &mut User, now| {
        if !matches!(user.status, Status::Confirmed | Status::ResetRequired) {
            return Err(Error::not_to_be_reset());
        }
        user.status = Status::ResetRequired;
        user.modified = now;
        Ok(())
    };
    let Some(destination) = destination else {
        change(&mut user.clone(), user.modified)?; // a wrong state is told first
        return Err(Error::nowhere_to_send());
    };
    let triggers = room.trigger_context(&pool, None, request.client_metadata.as_ref(), call);
    send(room, &triggers, &pool, &user, &destination, change).await?;
    Ok(Response {})
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Kit;

    fn reset(t: &Kit) -> Value {
        json!({"UserPoolId": t.pool, "Username": "ANN@example.com"})
    }

    #[tokio::test]
    async fn the_user_must_set_a_new_password_by_the_code() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        for _ in 0..2 {
            t.call("AdminResetUserPassword", reset(&t)).await.ok();
            assert_eq!(t.call("AdminGetUser", reset(&t)).await.ok()["UserStatus"], "RESET_REQUIRED");
        }
        let confirm = json!({
            "ClientId": t.client,
            "Username": "ann@example.com",
            "ConfirmationCode": t.last_code(),
            "Password": "N3w-password",
        });
        t.call("ConfirmForgotPassword", confirm).await.ok();
        assert_eq!(t.call("AdminGetUser", reset(&t)).await.ok()["UserStatus"], "CONFIRMED");
    }

    #[tokio::test]
    async fn states_without_a_password_of_the_users_own() {
        let t = Kit::new().await;
        let expected = "User password cannot be reset in the current state.";
        t.call("AdminCreateUser", reset(&t)).await.ok();
        assert_eq!(t.call("AdminResetUserPassword", reset(&t)).await.error("NotAuthorizedException"), expected);
        t.call("AdminDeleteUser", reset(&t)).await.ok();
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        assert_eq!(t.call("AdminResetUserPassword", reset(&t)).await.error("NotAuthorizedException"), expected);
    }

    #[tokio::test]
    async fn there_must_be_somewhere_to_send_to() {
        let t = Kit::new().await;
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        t.call("AdminConfirmSignUp", reset(&t)).await.ok();
        t.call("AdminResetUserPassword", reset(&t)).await.error("InvalidParameterException");
        assert_eq!(t.call("AdminGetUser", reset(&t)).await.ok()["UserStatus"], "CONFIRMED");
    }
}
