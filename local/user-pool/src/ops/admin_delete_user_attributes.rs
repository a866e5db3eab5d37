//! `AdminDeleteUserAttributes`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::delete_user_attributes::delete;
use crate::attributes::Author;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    username: String,
    user_attribute_names: Vec<String>,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    let user = room.find_user(&pool, &request.username).await?;
    call.about(user.known_as());
    delete(room, &pool, &user.sub, request.user_attribute_names, Author::Admin).await?;
    Ok(Response {})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn an_address_goes_with_its_verification_and_is_free_again() {
        let t = Kit::with_pool(json!({
            "PoolName": "p",
            "AliasAttributes": ["email"],
            "AutoVerifiedAttributes": ["email"],
            "UsernameConfiguration": {"CaseSensitive": false},
        }))
        .await;
        let attributes =
            json!([{"Name": "email", "Value": "ann@example.com"}, {"Name": "email_verified", "Value": "true"}]);
        let create = |name: &str| json!({"UserPoolId": t.pool, "Username": name, "UserAttributes": attributes});
        t.call("AdminCreateUser", create("ann")).await.ok();
        let delete = json!({"UserPoolId": t.pool, "Username": "ANN", "UserAttributeNames": ["email"]});
        t.call("AdminDeleteUserAttributes", delete).await.ok();
        let user = t.call("AdminGetUser", json!({"UserPoolId": t.pool, "Username": "ann"})).await.ok();
        assert_eq!(user["UserAttributes"].as_array().expect("a list").len(), 1); // the sub
        t.call("AdminCreateUser", create("bob")).await.ok();
    }
}
