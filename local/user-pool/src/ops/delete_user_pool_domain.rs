//! `DeleteUserPoolDomain`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::declared::Domain;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    domain: String,
    user_pool_id: String,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    room.store.undeclare::<Domain>(&pool.id, &request.domain).await?;
    Ok(Response {})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn a_domain_is_free_again() {
        let t = Kit::new().await;
        let other = t.call("CreateUserPool", json!({"PoolName": "other"})).await.ok()["UserPool"]["Id"].take();
        let domain = json!({"UserPoolId": t.pool, "Domain": "my-app"});
        t.call("CreateUserPoolDomain", domain.clone()).await.ok();
        let of_another = json!({"UserPoolId": other, "Domain": "my-app"});
        t.call("DeleteUserPoolDomain", of_another.clone()).await.error("InvalidParameterException");
        t.call("DeleteUserPoolDomain", domain.clone()).await.ok();
        let message = t.call("DeleteUserPoolDomain", domain).await.error("InvalidParameterException");
        assert_eq!(message, "No such domain or user pool exists.");
        t.call("CreateUserPoolDomain", of_another).await.ok();
    }
}
