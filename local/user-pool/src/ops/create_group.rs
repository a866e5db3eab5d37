//! `CreateGroup`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::group::{Group, GroupSettings};
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

/// The API's shape of a group.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GroupType {
    group_name: String,
    user_pool_id: String,
    #[serde(flatten)]
    settings: GroupSettings,
    last_modified_date: f64,
    creation_date: f64,
}

impl From<Group> for GroupType {
    fn from(group: Group) -> Self {
        Self {
            group_name: group.name,
            user_pool_id: group.pool.0,
            settings: group.settings,
            last_modified_date: group.modified.epoch_seconds(),
            creation_date: group.created.epoch_seconds(),
        }
    }
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    request.settings.check(&request.group_name)?;
    let pool = room.pool(&request.user_pool_id)?;
    let now = room.world.clock.now();
    let (name, settings) = (request.group_name, request.settings);
    let group = Group { pool: pool.id.clone(), name, settings, created: now, modified: now };
    room.store.insert_group(group.clone()).await?;
    Ok(Response { group: group.into() })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Kit;

    const ROLE: &str = "arn:aws:iam::123456789012:role/admin";

    fn group(t: &Kit, name: &str) -> Value {
        json!({"UserPoolId": t.pool, "GroupName": name, "Description": "all", "RoleArn": ROLE, "Precedence": 3})
    }

    #[tokio::test]
    async fn what_was_given_is_given_back() {
        let t = Kit::new().await;
        let created = t.call("CreateGroup", group(&t, "admins")).await.ok();
        let got = t.call("GetGroup", json!({"UserPoolId": t.pool, "GroupName": "admins"})).await.ok();
        assert_eq!(created, got);
        for (name, value) in group(&t, "admins").as_object().expect("an object") {
            assert_eq!(got["Group"][name], *value);
        }
    }

    #[tokio::test]
    async fn a_name_is_taken_once_in_a_pool() {
        let t = Kit::new().await;
        t.call("CreateGroup", group(&t, "admins")).await.ok();
        let message = t.call("CreateGroup", group(&t, "admins")).await.error("GroupExistsException");
        assert_eq!(message, "A group with the name already exists.");
        t.call("CreateGroup", group(&t, "Admins")).await.ok();
        let other = t.call("CreateUserPool", json!({"PoolName": "other"})).await.ok();
        let mut elsewhere = group(&t, "admins");
        elsewhere["UserPoolId"] = other["UserPool"]["Id"].clone();
        t.call("CreateGroup", elsewhere).await.ok();
    }

    #[tokio::test]
    async fn members_keep_to_the_model() {
        let t = Kit::new().await;
        let wrong = [
            ("GroupName", json!("a b")),
            ("GroupName", json!("a".repeat(129))),
            ("Description", json!("a".repeat(2_049))),
            ("RoleArn", json!("arn:aws:iam::role/admin")),
            ("Precedence", json!(-1)),
            ("Precedence", json!(1_i64 << 31)),
        ];
        for (name, value) in wrong {
            let mut input = group(&t, "admins");
            input[name] = value;
            t.call("CreateGroup", input).await.error("InvalidParameterException");
        }
        let mut nowhere = group(&t, "admins");
        nowhere["UserPoolId"] = json!("us-east-1_none");
        t.call("CreateGroup", nowhere).await.error("ResourceNotFoundException");
    }

    #[tokio::test]
    async fn a_group_goes_with_its_pool() {
        let t = Kit::new().await;
        t.call("CreateGroup", group(&t, "admins")).await.ok();
        t.call("DeleteUserPool", json!({"UserPoolId": t.pool})).await.ok();
        t.call("GetGroup", json!({"UserPoolId": t.pool, "GroupName": "admins"}))
            .await
            .error("ResourceNotFoundException");
    }
}
