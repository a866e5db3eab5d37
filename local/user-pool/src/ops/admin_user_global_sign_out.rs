//! `AdminUserGlobalSignOut`: ends every sign-in of a user.

use aws_api::Call;

pub use super::one_user::Request;
use super::one_user::Response;
use crate::{Error, UserPools};

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    request.change(room, call, |user, _| user.sign_out_everywhere()).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn ends_every_sign_in() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        let tokens = t.tokens("ann@example.com").await;
        t.call("AdminUserGlobalSignOut", json!({"UserPoolId": t.pool, "Username": "Ann@example.com"})).await.ok();
        t.call("GetUser", json!({"AccessToken": tokens["AccessToken"]})).await.error("NotAuthorizedException");
    }
}
