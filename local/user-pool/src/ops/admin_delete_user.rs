//! `AdminDeleteUser`. No trigger runs, on AWS neither.

use aws_api::Call;

pub use super::one_user::Request;
use super::one_user::Response;
use crate::{Error, UserPools};

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let (pool, user) = request.find(room, call).await?;
    room.store.delete_user(&pool.id, &user.sub).await?;
    Ok(Response {})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn a_deleted_users_address_is_free_again() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        let user = json!({"UserPoolId": t.pool, "Username": "ANN@example.com"});
        t.call("AdminDeleteUser", user.clone()).await.ok();
        t.call("AdminDeleteUser", user).await.error("UserNotFoundException");
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
    }
}
