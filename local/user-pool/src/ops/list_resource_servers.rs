//! `ListResourceServers`, by identifier.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::create_resource_server::ResourceServerType;
use crate::page_token::{PageTokens, max_results};
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    resource_servers: Vec<ResourceServerType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let limit = max_results(request.max_results, 1, 50)?;
    let pool = room.pool(&request.user_pool_id)?;
    let tokens = PageTokens::new(room, &pool, &"ListResourceServers");
    let after = tokens.after(request.next_token.as_deref())?;
    let found = room.store.list_declared(&pool.id, after, limit + 1).await?;
    let (servers, next_token) = tokens.page(found, limit);
    Ok(Response { resource_servers: servers.into_iter().map(ResourceServerType::from).collect(), next_token })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn pages_hold_every_server_once() {
        let t = Kit::new().await;
        for name in ["c", "a", "b"] {
            let server = json!({"UserPoolId": t.pool, "Identifier": name, "Name": name});
            t.call("CreateResourceServer", server).await.ok();
        }
        let input = json!({"UserPoolId": t.pool, "MaxResults": 2});
        assert_eq!(t.pages("ListResourceServers", input, "ResourceServers", "Identifier").await, ["a", "b", "c"]);
        let none = json!({"UserPoolId": t.pool, "MaxResults": 0});
        t.call("ListResourceServers", none).await.error("InvalidParameterException");
    }
}
