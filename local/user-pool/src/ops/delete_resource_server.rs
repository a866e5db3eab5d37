//! `DeleteResourceServer`. Clients that list its scopes keep them, as on AWS, until they are changed.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::declared::ResourceServer;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    identifier: String,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    room.store.undeclare::<ResourceServer>(&pool.id, &request.identifier).await?;
    Ok(Response {})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn what_is_gone_is_not_found() {
        let t = Kit::new().await;
        let server = json!({"UserPoolId": t.pool, "Identifier": "orders", "Name": "orders"});
        t.call("CreateResourceServer", server.clone()).await.ok();
        t.call("DeleteResourceServer", server.clone()).await.ok();
        t.call("DeleteResourceServer", server).await.error("ResourceNotFoundException");
    }
}
