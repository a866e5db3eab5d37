//! `ListUsersInGroup`. Users show all their attributes, also those who are disabled.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::list_users::UserType;
use crate::constraint::Constraints;
use crate::page_token::{self, PageTokens};
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    group_name: String,
    limit: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    users: Vec<UserType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let limit = page_token::limit(request.limit)?;
    Constraints::new().group_name(&request.group_name).check()?;
    let pool = room.pool(&request.user_pool_id)?;
    let tokens = PageTokens::new(room, &pool, &("ListUsersInGroup", &request.group_name));
    let after = tokens.after(request.next_token.as_deref())?;
    let found = room.store.list_members(&pool.id, &request.group_name, after, limit + 1).await?;
    let (users, next_token) = tokens.page(found, limit);
    Ok(Response { users: users.into_iter().map(UserType::of).collect(), next_token })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn pages_hold_every_member_once() {
        let t = Kit::with_pool(json!({"PoolName": "p"})).await;
        for user in ["ann", "bob", "cleo", "dora"] {
            t.call("AdminCreateUser", json!({"UserPoolId": t.pool, "Username": user})).await.ok();
        }
        for user in ["bob", "ann", "cleo"] {
            t.join(user, "admins").await;
        }
        t.join("dora", "others").await;
        for limit in [1, 2, 3] {
            let input = json!({"UserPoolId": t.pool, "GroupName": "admins", "Limit": limit});
            assert_eq!(t.pages("ListUsersInGroup", input, "Users", "Username").await, ["ann", "bob", "cleo"]);
        }
        t.call("AdminDeleteUser", json!({"UserPoolId": t.pool, "Username": "bob"})).await.ok();
        let input = json!({"UserPoolId": t.pool, "GroupName": "admins"});
        assert_eq!(t.pages("ListUsersInGroup", input, "Users", "Username").await, ["ann", "cleo"]);
    }

    #[tokio::test]
    async fn the_group_must_be_there() {
        let t = Kit::new().await;
        let input = json!({"UserPoolId": t.pool, "GroupName": "admins"});
        t.call("ListUsersInGroup", input).await.error("ResourceNotFoundException");
    }
}
