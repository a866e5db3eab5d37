//! `DeleteUserPool`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    if pool.settings.deletion_protection.as_deref() == Some("ACTIVE") {
        let message = "The user pool cannot be deleted because deletion protection is activated. \
                       Deletion protection must be inactivated first.";
        return Err(Error::InvalidParameter(message.into()));
    }
    if !room.store.domains_of(&pool.id).await?.is_empty() {
        let message = "User pool cannot be deleted. It has a domain configured that should be deleted first.";
        return Err(Error::InvalidParameter(message.into()));
    }
    room.delete_pool(&pool.id).await?;
    Ok(Response {})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn a_pool_goes_with_its_clients_and_users() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        t.call("DeleteUserPool", json!({"UserPoolId": t.pool})).await.ok();
        t.call("DescribeUserPool", json!({"UserPoolId": t.pool})).await.error("ResourceNotFoundException");
        t.call("SignUp", t.sign_up("ann@example.com")).await.error("ResourceNotFoundException");
    }

    #[tokio::test]
    async fn a_protected_pool_stays() {
        let t = Kit::with_pool(json!({"PoolName": "p", "DeletionProtection": "ACTIVE"})).await;
        t.call("DeleteUserPool", json!({"UserPoolId": t.pool})).await.error("InvalidParameterException");
        t.call("UpdateUserPool", json!({"UserPoolId": t.pool, "DeletionProtection": "INACTIVE"})).await.ok();
        t.call("DeleteUserPool", json!({"UserPoolId": t.pool})).await.ok();
    }

    #[tokio::test]
    async fn a_domain_goes_first() {
        let t = Kit::new().await;
        let domain = json!({"UserPoolId": t.pool, "Domain": "my-app"});
        t.call("CreateUserPoolDomain", domain.clone()).await.ok();
        let message = t.call("DeleteUserPool", json!({"UserPoolId": t.pool})).await.error("InvalidParameterException");
        let expected = "User pool cannot be deleted. It has a domain configured that should be deleted first.";
        assert_eq!(message, expected);
        t.call("DeleteUserPoolDomain", domain).await.ok();
        t.call("DeleteUserPool", json!({"UserPoolId": t.pool})).await.ok();
    }
}
