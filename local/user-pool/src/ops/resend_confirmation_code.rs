//! `ResendConfirmationCode`: a new code for a sign-up; the older one is worth nothing from then on.

use aws_api::Call;

pub use super::code_request::Request;
use super::code_request::Response;
use crate::code::{Code, Purpose};
use crate::limit::Action;
use crate::message::{Destination, Subject};
use crate::store::AliasConflict;
use crate::user::{Status, User};
use crate::{Error, UserPools};

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let (client, pool) = request.client_and_pool(room)?;
    let Some(user) = request.user(room, &client, &pool, call).await? else { return Ok(request.simulated(&pool)) };
    if user.status != Status::Unconfirmed {
        return Err(Error::InvalidParameter("User is already confirmed.".into()));
    }
    let Some(destination) = Destination::of_sign_up(&pool.settings, &user.attributes) else {
        return Err(Error::InvalidParameter("Cannot resend codes. Auto verification not turned on.".into()));
    };
    let now = room.world.clock.now();
    let (code, digits) = Code::new(Purpose::SignUp, destination.attribute, &pool.secret, now, &room.world.random);
    let change = move |user: &mut User| {
        user.attempts.count(Action::ResendConfirmationCode, now)?;
        user.set_code(code);
        Ok(())
    };
    let (user, ()) = room.store.update_user(&pool, &user.sub, AliasConflict::Refuse, change).await?;
    let triggers = request.triggers(room, &client, &pool, call);
    room.send(&triggers, Subject::ResendCode, &user, &destination, &digits).await?;
    Ok(Response::sent(&destination))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use crate::testing::Kit;

    fn resend(t: &Kit) -> Value {
        json!({"ClientId": t.client, "Username": "ANN@example.com"})
    }

    #[tokio::test]
    async fn the_new_code_replaces_the_old() {
        let t = Kit::new().await;
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        let old = t.last_code();
        let answer = t.call("ResendConfirmationCode", resend(&t)).await.ok();
        assert_eq!(answer["CodeDeliveryDetails"]["Destination"], "a***@e***");
        assert_eq!(t.messages()[1].source, "CustomMessage_ResendCode");
        t.call("ConfirmSignUp", t.confirm("ann@example.com", &old)).await.error("CodeMismatchException");
        t.call("ConfirmSignUp", t.confirm("ann@example.com", &t.last_code())).await.ok();
        let message = t.call("ResendConfirmationCode", resend(&t)).await.error("InvalidParameterException");
        assert_eq!(message, "User is already confirmed.");
    }

    #[tokio::test]
    async fn five_an_hour() {
        let t = Kit::new().await;
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        for _ in 0..5 {
            t.call("ResendConfirmationCode", resend(&t)).await.ok();
        }
        let message = t.call("ResendConfirmationCode", resend(&t)).await.error("LimitExceededException");
        assert_eq!(message, "Attempt limit exceeded, please try after some time.");
        t.clock.advance(Duration::from_hours(1));
        t.call("ResendConfirmationCode", resend(&t)).await.ok();
    }

    #[tokio::test]
    async fn whether_there_is_a_user_can_be_hidden() {
        let t = Kit::new().await;
        let message = t.call("ResendConfirmationCode", resend(&t)).await.error("UserNotFoundException");
        assert_eq!(message, "Username/client id combination not found.");
        t.hide_users().await;
        let answer = t.call("ResendConfirmationCode", resend(&t)).await.ok();
        assert_eq!(answer["CodeDeliveryDetails"]["Destination"], "a***@e***");
        assert!(t.messages().is_empty());
    }

    #[tokio::test]
    async fn the_disabled_get_no_code() {
        let t = Kit::new().await;
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        t.call("AdminDisableUser", json!({"UserPoolId": t.pool, "Username": "ann@example.com"})).await.ok();
        let message = t.call("ResendConfirmationCode", resend(&t)).await.error("NotAuthorizedException");
        assert_eq!(message, "User is disabled.");
    }

    #[tokio::test]
    async fn a_pool_that_verifies_nothing_has_no_codes() {
        let t = Kit::with_pool(json!({"PoolName": "p", "UsernameAttributes": ["email"]})).await;
        t.call("SignUp", t.sign_up("ANN@example.com")).await.ok();
        let message = t.call("ResendConfirmationCode", resend(&t)).await.error("InvalidParameterException");
        assert_eq!(message, "Cannot resend codes. Auto verification not turned on.");
    }
}
