//! `DeleteGroup`: its members go on as users.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::constraint::Constraints;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    group_name: String,
    user_pool_id: String,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    Constraints::new().group_name(&request.group_name).check()?;
    let pool = room.pool(&request.user_pool_id)?;
    room.store.delete_group(&pool.id, &request.group_name).await?;
    Ok(Response {})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn members_stay_as_users() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        t.join("ann@example.com", "admins").await;
        let group = json!({"UserPoolId": t.pool, "GroupName": "admins"});
        t.call("DeleteGroup", group.clone()).await.ok();
        t.call("DeleteGroup", group).await.error("ResourceNotFoundException");
        let user = json!({"UserPoolId": t.pool, "Username": "ann@example.com"});
        t.call("AdminGetUser", user.clone()).await.ok();
        assert_eq!(t.call("AdminListGroupsForUser", user).await.ok()["Groups"], json!([]));
    }
}
