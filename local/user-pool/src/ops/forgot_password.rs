//! `ForgotPassword`: sends a code that allows a new password. The status stays; the old password goes on to work.

use std::sync::Arc;

use aws_api::Call;

pub use super::code_request::Request;
use super::code_request::Response;
use crate::code::{Code, Purpose};
use crate::limit::Action;
use crate::message::{Destination, Subject};
use crate::pool::Pool;
use crate::store::AliasConflict;
use crate::trigger::{Context, Source};
use crate::user::{Status, User};
use crate::{Error, UserPools};

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let (client, pool) = request.client_and_pool(room)?;
    refuse_self_service(&pool)?;
    let triggers = request.triggers(room, &client, &pool, call);
    if room.store.find_user(&pool, &request.username).await?.is_none() {
        let source = Source::UserMigrationForgotPassword;
        let migrated = room.migrate(&triggers, source, &client, &request.username, None, None).await;
        if !client.settings.hides_users() {
            migrated?; // else whoever is not migrated gets the answer that tells nothing
        }
    }
    let Some(user) = request.user(room, &client, &pool, call).await? else { return Ok(request.simulated(&pool)) };
    if matches!(user.status, Status::ForceChangePassword | Status::ExternalProvider) {
        return Err(Error::not_to_be_reset());
    }
    let unconfirmed = user.status == Status::Unconfirmed;
    match Destination::of_recovery(&pool.settings, &user).filter(|_| !unconfirmed) {
        Some(destination) => {
            let count = |user: &mut User, now| user.attempts.count(Action::ForgotPassword, now);
            send(room, &triggers, &pool, &user, &destination, count).await?;
            Ok(Response::sent(&destination))
        }
        None if client.settings.hides_users() => Ok(request.simulated(&pool)),
        None => Err(Error::nowhere_to_send()),
    }
}

/// Where nobody but an administrator sets new passwords, there are no codes for that.
pub fn refuse_self_service(pool: &Pool) -> Result<(), Error> {
    if pool.settings.only_admins_reset_passwords() {
        return Err(Error::NotAuthorized("Contact administrator to reset password.".into()));
    }
    Ok(())
}

/// Gives the user a code for a new password and sends it; `change` is what else becomes of them.
pub async fn send(
    room: &UserPools,
    triggers: &Context<'_>,
    pool: &Arc<Pool>,
    user: &User,
    destination: &Destination,
    change: impl FnOnce(&mut User, world::Timestamp) -> Result<(), Error> + Send + 'static,
) -> Result<(), Error> {
    let now = room.world.clock.now();
    let (code, digits) = Code::new(Purpose::Password, destination.attribute, &pool.secret, now, &room.world.random);
    let change = move |user: &mut User| {
        change(user, now)?;
        user.set_code(code);
        Ok(())
    };
    let (user, ()) = room.store.update_user(pool, &user.sub, AliasConflict::Refuse, change).await?;
    room.send(triggers, Subject::ForgotPassword, &user, destination, &digits).await
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Kit;

    fn forgot(t: &Kit) -> Value {
        json!({"ClientId": t.client, "Username": "ANN@example.com"})
    }

    #[tokio::test]
    async fn a_code_goes_to_the_verified_address() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        let answer = t.call("ForgotPassword", forgot(&t)).await.ok();
        let details = json!({"Destination": "a***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"});
        assert_eq!(answer["CodeDeliveryDetails"], details);
        assert_eq!(t.messages().last().expect("a message").source, "CustomMessage_ForgotPassword");
    }

    #[tokio::test]
    async fn who_is_unconfirmed_has_no_verified_address() {
        let t = Kit::new().await;
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        let message = t.call("ForgotPassword", forgot(&t)).await.error("InvalidParameterException");
        let expected = "Cannot reset password for the user as there is no registered/verified email or phone_number";
        assert_eq!(message, expected);
        t.hide_users().await;
        t.call("ForgotPassword", forgot(&t)).await.ok();
        assert_eq!(t.messages().len(), 1); // that of the sign-up
    }

    #[tokio::test]
    async fn a_temporary_password_cannot_be_forgotten() {
        let t = Kit::new().await;
        t.call("AdminCreateUser", json!({"UserPoolId": t.pool, "Username": "ann@example.com"})).await.ok();
        let message = t.call("ForgotPassword", forgot(&t)).await.error("NotAuthorizedException");
        assert_eq!(message, "User password cannot be reset in the current state.");
    }

    #[tokio::test]
    async fn whether_there_is_a_user_can_be_hidden() {
        let t = Kit::new().await;
        t.call("ForgotPassword", forgot(&t)).await.error("UserNotFoundException");
        t.hide_users().await;
        let nobody = t.call("ForgotPassword", forgot(&t)).await.ok();
        t.confirmed("ann@example.com").await;
        assert_eq!(t.call("ForgotPassword", forgot(&t)).await.ok(), nobody);
    }

    #[tokio::test]
    async fn a_pool_may_leave_it_to_administrators() {
        let t = Kit::new().await;
        let recovery = json!({"RecoveryMechanisms": [{"Priority": 1, "Name": "admin_only"}]});
        let update = json!({"UserPoolId": t.pool, "AccountRecoverySetting": recovery});
        t.call("UpdateUserPool", update).await.ok();
        t.call("ForgotPassword", forgot(&t)).await.error("NotAuthorizedException");
    }

    #[tokio::test]
    async fn the_pools_order_decides_between_address_and_number() {
        let attributes = [
            ("email", "ann@example.com"),
            ("email_verified", "true"),
            ("phone_number", "+15555551234"),
            ("phone_number_verified", "true"),
        ];
        let attributes = attributes.map(|(name, value)| json!({"Name": name, "Value": value}));
        let mechanism = |name: &str, priority: u32| json!({"Name": name, "Priority": priority});
        let by_email = json!({
            "RecoveryMechanisms": [mechanism("verified_phone_number", 2), mechanism("verified_email", 1)]
        });
        for (setting, expected) in [(Value::Null, "phone_number"), (by_email, "email")] {
            let t = Kit::with_pool(json!({"PoolName": "p", "AccountRecoverySetting": setting})).await;
            let user = json!({"UserPoolId": t.pool, "Username": "ann", "UserAttributes": attributes});
            t.call("AdminCreateUser", user).await.ok();
            let set = json!({"UserPoolId": t.pool, "Username": "ann", "Password": "N3w-password", "Permanent": true});
            t.call("AdminSetUserPassword", set).await.ok();
            let answer = t.call("ForgotPassword", json!({"ClientId": t.client, "Username": "ann"})).await.ok();
            assert_eq!(answer["CodeDeliveryDetails"]["AttributeName"], expected);
        }
    }
}
