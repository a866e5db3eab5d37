//! `AdminListGroupsForUser`, by name.

use aws_api::Call;
use serde::Deserialize;

use super::create_group::GroupType;
use super::list_groups::Response;
use crate::page_token::{self, PageTokens};
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    username: String,
    limit: Option<i64>,
    next_token: Option<String>,
}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let limit = page_token::limit(request.limit)?;
    let pool = room.pool(&request.user_pool_id)?;
    let user = room.find_user(&pool, &request.username).await?;
    call.about(user.known_as());
    let tokens = PageTokens::new(room, &pool, &("AdminListGroupsForUser", &user.sub));
    let after = tokens.after(request.next_token.as_deref())?;
    let found = room.store.list_groups_of(&user, after, limit + 1).await?;
    let (groups, next_token) = tokens.page(found, limit);
    Ok(Response { groups: groups.into_iter().map(GroupType::from).collect(), next_token })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn pages_hold_every_group_of_the_user_once() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        t.confirmed("bob@example.com").await;
        for name in ["c", "a", "b"] {
            t.join("ann@example.com", name).await;
        }
        t.join("bob@example.com", "b").await;
        for limit in [1, 2, 3] {
            let input = json!({"UserPoolId": t.pool, "Username": "ANN@example.com", "Limit": limit});
            let names = t.pages("AdminListGroupsForUser", input, "Groups", "GroupName").await;
            assert_eq!(names, ["a", "b", "c"]);
        }
        let nobody = json!({"UserPoolId": t.pool, "Username": "cleo@example.com"});
        t.call("AdminListGroupsForUser", nobody).await.error("UserNotFoundException");
    }

    #[tokio::test]
    async fn a_token_fits_its_user_alone() {
        let t = Kit::new().await;
        for user in ["ann@example.com", "bob@example.com"] {
            t.confirmed(user).await;
            t.join(user, "a").await;
            t.join(user, "b").await;
        }
        let input = |user: &str| json!({"UserPoolId": t.pool, "Username": user, "Limit": 1});
        let page = t.call("AdminListGroupsForUser", input("ann@example.com")).await.ok();
        let mut other = input("bob@example.com");
        other["NextToken"] = page["NextToken"].clone();
        t.call("AdminListGroupsForUser", other).await.error("InvalidParameterException");
    }
}
