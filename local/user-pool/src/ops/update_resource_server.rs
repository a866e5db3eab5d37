//! `UpdateResourceServer`: name and scopes are replaced, also by none.

use aws_api::Call;
use serde::Deserialize;

use super::create_resource_server::Response;
use crate::declared::ResourceServer;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    identifier: String,
    #[serde(flatten)]
    document: ResourceServer,
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let Request { user_pool_id, identifier, document } = request;
    document.check(&identifier)?;
    let pool = room.pool(&user_pool_id)?;
    let now = room.world.clock.now();
    let change = move |server: &mut ResourceServer| {
        *server = document;
        Ok(())
    };
    Ok(room.store.redeclare(&pool.id, &identifier, now, change).await?.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn scopes_are_replaced() {
        let t = Kit::new().await;
        let scopes = json!([{"ScopeName": "read", "ScopeDescription": "reads"}]);
        let server = json!({"UserPoolId": t.pool, "Identifier": "orders", "Name": "orders", "Scopes": scopes});
        t.call("UpdateResourceServer", server.clone()).await.error("ResourceNotFoundException");
        t.call("CreateResourceServer", server).await.ok();
        let update = json!({"UserPoolId": t.pool, "Identifier": "orders", "Name": "all orders"});
        t.call("UpdateResourceServer", update).await.ok();
        let found = t.call("DescribeResourceServer", json!({"UserPoolId": t.pool, "Identifier": "orders"})).await.ok();
        assert_eq!(
            (&found["ResourceServer"]["Name"], &found["ResourceServer"]["Scopes"]),
            (&json!("all orders"), &json!([]))
        );
    }
}
