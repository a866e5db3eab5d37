//! `DeleteIdentityProvider`. Clients that list it keep it, as on AWS, until they are changed.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::declared::IdentityProvider;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    provider_name: String,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    room.store.undeclare::<IdentityProvider>(&pool.id, &request.provider_name).await?;
    Ok(Response {})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn what_is_gone_is_not_found() {
        let t = Kit::new().await;
        t.call("CreateIdentityProvider", t.provider("Google")).await.ok();
        let delete = json!({"UserPoolId": t.pool, "ProviderName": "Google"});
        t.call("DeleteIdentityProvider", delete.clone()).await.ok();
        t.call("DeleteIdentityProvider", delete).await.error("ResourceNotFoundException");
    }
}
