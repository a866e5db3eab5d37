//! `AdminDeleteUser`. No trigger runs, on AWS neither.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    username: String,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    let user = room.find_user(&pool, &request.username).await?;
    call.about(user.known_as());
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
