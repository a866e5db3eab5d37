//! `AdminUserGlobalSignOut`: ends every sign-in of a user.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::store::AliasConflict;
use crate::user::User;
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
    let change = |user: &mut User| {
        user.sign_out_everywhere();
        Ok(())
    };
    room.store.update_user(&pool, &user.sub, AliasConflict::Refuse, change).await?;
    Ok(Response {})
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
