//! `UpdateGroup`: what a call leaves out stays as it was.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::create_group::GroupType;
use crate::group::GroupSettings;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    group_name: String,
    user_pool_id: String,
    #[serde(flatten)]
    settings: GroupSettings,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    group: GroupType,
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    request.settings.check(&request.group_name)?;
    let pool = room.pool(&request.user_pool_id)?;
    let now = room.world.clock.now();
    let group = room.store.update_group(&pool.id, &request.group_name, request.settings, now).await?;
    Ok(Response { group: group.into() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn what_is_left_out_stays() {
        let t = Kit::new().await;
        let name = "admins";
        t.call("CreateGroup", json!({"UserPoolId": t.pool, "GroupName": name, "Description": "all"})).await.ok();
        let update = json!({"UserPoolId": t.pool, "GroupName": name, "Precedence": 0});
        let updated = t.call("UpdateGroup", update).await.ok();
        let group = t.call("GetGroup", json!({"UserPoolId": t.pool, "GroupName": name})).await.ok();
        assert_eq!(updated, group);
        assert_eq!((&group["Group"]["Description"], &group["Group"]["Precedence"]), (&json!("all"), &json!(0)));
    }

    #[tokio::test]
    async fn the_rules_of_creation_hold() {
        let t = Kit::new().await;
        let update = json!({"UserPoolId": t.pool, "GroupName": "admins", "Precedence": 1});
        t.call("UpdateGroup", update).await.error("ResourceNotFoundException");
        let update = json!({"UserPoolId": t.pool, "GroupName": "admins", "Precedence": -1});
        t.call("UpdateGroup", update).await.error("InvalidParameterException");
    }
}
