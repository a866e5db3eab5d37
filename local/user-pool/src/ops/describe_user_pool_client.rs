//! `DescribeUserPoolClient`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::create_user_pool_client::UserPoolClientType;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    client_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    user_pool_client: UserPoolClientType,
}

#[expect(clippy::unused_async, reason = "every operation is awaited; this one reads from memory")]
pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    let client = room.client_of(&pool, &request.client_id)?;
    Ok(Response { user_pool_client: UserPoolClientType::of(&client) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn a_client_is_found_in_its_own_pool_alone() {
        let t = Kit::new().await;
        let other = t.call("CreateUserPool", json!({"PoolName": "other"})).await.ok();
        let describe = |pool: &str| json!({"UserPoolId": pool, "ClientId": t.client});
        let client = t.call("DescribeUserPoolClient", describe(&t.pool)).await.ok();
        assert_eq!(client["UserPoolClient"]["ClientName"], "test");
        let other = other["UserPool"]["Id"].as_str().expect("an id");
        let message = t.call("DescribeUserPoolClient", describe(other)).await.error("ResourceNotFoundException");
        assert_eq!(message, format!("User pool client {} does not exist.", t.client));
    }
}
