//! `AdminEnableUser`: the status is as it was before; what was signed out stays signed out.

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
        user.enabled = true;
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
