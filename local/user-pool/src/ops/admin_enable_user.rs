//! `AdminEnableUser`: the status is as it was before; what was signed out stays signed out.

use aws_api::Call;

pub use super::one_user::Request;
use super::one_user::Response;
use crate::user::User;
use crate::{Error, UserPools};

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let change = |user: &mut User, now| {
        user.enabled = true;
        user.modified = now;
    };
    request.change(room, call, change).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn the_status_is_as_it_was() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        let user = json!({"UserPoolId": t.pool, "Username": "ANN@example.com"});
        t.call("AdminDisableUser", user.clone()).await.ok();
        t.call("AdminEnableUser", user.clone()).await.ok();
        let user = t.call("AdminGetUser", user).await.ok();
        assert_eq!((&user["Enabled"], &user["UserStatus"]), (&json!(true), &json!("CONFIRMED")));
    }
}
