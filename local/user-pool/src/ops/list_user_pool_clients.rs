//! `ListUserPoolClients`.

use std::sync::Arc;

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::list_user_pools::page;
use crate::client::Client;
use crate::{Error, UserPools};

const RESULTS_DEFAULT: i64 = 60;

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
    user_pool_clients: Vec<UserPoolClientDescription>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UserPoolClientDescription {
    client_id: String,
    user_pool_id: String,
    client_name: String,
}

#[expect(clippy::unused_async, reason = "every operation is awaited; this one reads from memory")]
pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    let max_results = request.max_results.unwrap_or(RESULTS_DEFAULT);
    let (clients, next_token) =
        page(room.clients_of(&pool.id), |client| &client.id.0, max_results, request.next_token)?;
    let described = |client: &Arc<Client>| UserPoolClientDescription {
        client_id: client.id.0.clone(),
        user_pool_id: client.pool.0.clone(),
        client_name: client.settings.client_name.clone(),
    };
    Ok(Response { user_pool_clients: clients.iter().map(described).collect(), next_token })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn lists_without_secrets() {
        let t = Kit::new().await;
        let list = t.call("ListUserPoolClients", json!({"UserPoolId": t.pool})).await.ok();
        let expected = json!([{"ClientId": t.client, "UserPoolId": t.pool, "ClientName": "test"}]);
        assert_eq!(list["UserPoolClients"], expected);
    }
}
