//! `GetGroup`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::create_group::GroupType;
use crate::constraint::Constraints;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    group_name: String,
    user_pool_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    group: GroupType,
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    Constraints::new().group_name(&request.group_name).check()?;
    let pool = room.pool(&request.user_pool_id)?;
    Ok(Response { group: room.store.group(&pool.id, &request.group_name).await?.into() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn who_is_not_there_is_not_found() {
        let t = Kit::new().await;
        let get = json!({"UserPoolId": t.pool, "GroupName": "admins"});
        assert_eq!(t.call("GetGroup", get).await.error("ResourceNotFoundException"), "Group not found.");
    }
}
