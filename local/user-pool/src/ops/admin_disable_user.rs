//! `AdminDisableUser`: signs the user out everywhere. The status stays, and no trigger runs.

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
    let now = room.world.clock.now();
    let change = move |user: &mut User| {
        user.enabled = false;
        user.sign_out_everywhere();
        user.modified = now;
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
    async fn the_disabled_cannot_reset_their_password() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        t.call("AdminDisableUser", json!({"UserPoolId": t.pool, "Username": "Ann@example.com"})).await.ok();
        let forgot = json!({"ClientId": t.client, "Username": "ann@example.com"});
        assert_eq!(t.call("ForgotPassword", forgot).await.error("NotAuthorizedException"), "User is disabled.");
    }
}
