//! `AdminDisableUser`: signs the user out everywhere. The status stays, and no trigger runs.

use aws_api::Call;

pub use super::one_user::Request;
use super::one_user::Response;
use crate::user::User;
use crate::{Error, UserPools};

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let change = |user: &mut User, now| {
        user.enabled = false;
        user.sign_out_everywhere();
        user.modified = now;
    };
    request.change(room, call, change).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn the_disabled_cannot_reset_their_password() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        t.call("AdminDisableUser", json!({"UserPoolId": t.pool, "Username": "Ann@example.com"})).await.ok();
        let forgot = json!({"ClientId": t.client, "Username": "ann@example.com"});
        assert_eq!(t.call("ForgotPassword", forgot).await.error("NotAuthorizedException"), "User is disabled.");
    }
}
