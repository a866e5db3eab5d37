//! `AdminRemoveUserFromGroup`.

use aws_api::Call;

pub use super::member::Request;
use super::member::Response;
use crate::{Error, UserPools};

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let (pool, user) = request.find(room, call).await?;
    room.store.remove_member(&pool.id, &request.group_name, &user).await?;
    Ok(Response {})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Kit, claims};

    #[tokio::test]
    async fn who_is_out_stays_out() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        t.join("ann@example.com", "admins").await;
        let input = json!({"UserPoolId": t.pool, "Username": "ANN@example.com", "GroupName": "admins"});
        t.call("AdminRemoveUserFromGroup", input.clone()).await.ok();
        t.call("AdminRemoveUserFromGroup", input.clone()).await.ok();
        let tokens = t.tokens("ann@example.com").await;
        assert!(claims(&tokens["IdToken"]).get("cognito:groups").is_none());
        t.call("DeleteGroup", json!({"UserPoolId": t.pool, "GroupName": "admins"})).await.ok();
        t.call("AdminRemoveUserFromGroup", input).await.error("ResourceNotFoundException");
    }
}
