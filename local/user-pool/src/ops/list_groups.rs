//! `ListGroups`, by name.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::create_group::GroupType;
use crate::page_token::{self, PageTokens};
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    limit: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    pub groups: Vec<GroupType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let limit = page_token::limit(request.limit)?;
    let pool = room.pool(&request.user_pool_id)?;
    let tokens = PageTokens::new(room, &pool, &"ListGroups");
    let after = tokens.after(request.next_token.as_deref())?;
    let found = room.store.list_groups(&pool.id, after, limit + 1).await?;
    let (groups, next_token) = tokens.page(found, limit);
    Ok(Response { groups: groups.into_iter().map(GroupType::from).collect(), next_token })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn pages_hold_every_group_once() {
        let t = Kit::new().await;
        for name in ["c", "a", "b"] {
            t.call("CreateGroup", json!({"UserPoolId": t.pool, "GroupName": name})).await.ok();
        }
        for limit in [1, 2, 3] {
            let names = t.pages("ListGroups", json!({"UserPoolId": t.pool, "Limit": limit}), "Groups", "GroupName");
            assert_eq!(names.await, ["a", "b", "c"]);
        }
    }

    #[tokio::test]
    async fn a_page_has_its_limits() {
        let t = Kit::new().await;
        t.call("ListGroups", json!({"UserPoolId": t.pool, "Limit": 61})).await.error("InvalidParameterException");
        let forged = json!({"UserPoolId": t.pool, "NextToken": "AAAA"});
        t.call("ListGroups", forged).await.error("InvalidParameterException");
        assert_eq!(t.call("ListGroups", json!({"UserPoolId": t.pool, "Limit": 0})).await.ok(), json!({"Groups": []}));
    }
}
