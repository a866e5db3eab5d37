//! `AdminAddUserToGroup`. Tokens say it from the next sign-in or refresh on. No trigger runs, on AWS neither.

use aws_api::Call;

pub use super::member::Request;
use super::member::Response;
use crate::{Error, UserPools};

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let (pool, user) = request.find(room, call).await?;
    room.store.add_member(&pool.id, &request.group_name, &user.sub).await?;
    Ok(Response {})
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Kit, claims};

    #[tokio::test]
    async fn tokens_name_the_groups_in_the_order_of_their_precedence() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        let before = t.tokens("ann@example.com").await;
        assert!(claims(&before["IdToken"]).get("cognito:groups").is_none());
        assert!(claims(&before["AccessToken"]).get("cognito:groups").is_none());

        let role = |name: &str| format!("arn:aws:iam::123456789012:role/{name}");
        for (name, precedence, role) in
            [("a", None, None), ("b", Some(2), Some(role("b"))), ("c", Some(1), Some(role("c")))]
        {
            let group = json!({"UserPoolId": t.pool, "GroupName": name, "Precedence": precedence, "RoleArn": role});
            t.call("CreateGroup", group).await.ok();
            t.join("ann@example.com", name).await;
        }
        let after = t.tokens("ann@example.com").await;
        let (id, access) = (claims(&after["IdToken"]), claims(&after["AccessToken"]));
        assert_eq!(id["cognito:groups"], json!(["c", "b", "a"]));
        assert_eq!(access["cognito:groups"], id["cognito:groups"]);
        assert_eq!(id["cognito:roles"], json!([role("c"), role("b")]));
        assert_eq!(id["cognito:preferred_role"], role("c"));
        assert!(access.get("cognito:roles").is_none() && access.get("cognito:preferred_role").is_none());
    }

    #[tokio::test]
    async fn a_refresh_tells_what_changed() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        let first = t.tokens("ann@example.com").await;
        t.join("ann@example.com", "admins").await;
        let parameters = json!({"REFRESH_TOKEN": first["RefreshToken"]});
        let refresh = json!({"ClientId": t.client, "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": parameters});
        let second = t.call("InitiateAuth", refresh).await.ok();
        let groups = claims(&second["AuthenticationResult"]["AccessToken"])["cognito:groups"].take();
        assert_eq!(groups, json!(["admins"]));
    }

    #[tokio::test]
    async fn who_is_in_stays_in() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        t.join("ann@example.com", "admins").await;
        t.join("ANN@example.com", "admins").await;
        let user = json!({"UserPoolId": t.pool, "Username": "ann@example.com"});
        let groups = t.call("AdminListGroupsForUser", user).await.ok();
        assert_eq!(groups["Groups"].as_array().map(Vec::len), Some(1));
    }

    #[tokio::test]
    async fn both_must_be_there() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        let input = |user: &str| -> Value { json!({"UserPoolId": t.pool, "Username": user, "GroupName": "admins"}) };
        let message = t.call("AdminAddUserToGroup", input("ann@example.com")).await.error("ResourceNotFoundException");
        assert_eq!(message, "Group not found.");
        t.call("CreateGroup", json!({"UserPoolId": t.pool, "GroupName": "admins"})).await.ok();
        let message = t.call("AdminAddUserToGroup", input("bob@example.com")).await.error("UserNotFoundException");
        assert_eq!(message, "User does not exist.");
    }

    #[tokio::test]
    async fn a_hundred_groups_are_enough() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        for number in 0..100 {
            t.join("ann@example.com", &format!("g{number}")).await;
        }
        t.call("CreateGroup", json!({"UserPoolId": t.pool, "GroupName": "more"})).await.ok();
        let input = json!({"UserPoolId": t.pool, "Username": "ann@example.com", "GroupName": "more"});
        t.call("AdminAddUserToGroup", input).await.error("LimitExceededException");
        let input = json!({"UserPoolId": t.pool, "Username": "ann@example.com", "GroupName": "g7"});
        t.call("AdminAddUserToGroup", input).await.ok();
    }
}
