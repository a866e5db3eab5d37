//! `DescribeResourceServer`.

use aws_api::Call;
use serde::Deserialize;

use super::create_resource_server::Response;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    identifier: String,
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    Ok(room.store.declared(&pool.id, &request.identifier).await?.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn what_is_not_there_is_not_found() {
        let t = Kit::new().await;
        let describe = json!({"UserPoolId": t.pool, "Identifier": "orders"});
        t.call("DescribeResourceServer", describe).await.error("ResourceNotFoundException");
    }
}
