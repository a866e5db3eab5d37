//! `UpdateUserPoolClient`: what a call leaves out goes back to its default, as documented. The name and the secret stay.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::client_oauth;
use super::create_user_pool_client::{self, UserPoolClientType};
use crate::client::{Client, ClientSettings};
use crate::{Error, UserPools};

/// What `DescribeUserPoolClient` gives and no call sets.
const OUTPUT_ONLY: &[&str] = &["ClientSecret", "CreationDate", "LastModifiedDate"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    client_id: String,
    #[serde(flatten)]
    settings: ClientSettings,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    user_pool_client: UserPoolClientType,
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    let client = room.client_of(&pool, &request.client_id)?;
    let mut settings = request.settings;
    settings.others.retain(|name, _| !OUTPUT_ONLY.contains(&name.as_str()));
    if settings.client_name.is_empty() {
        settings.client_name.clone_from(&client.settings.client_name);
    }
    create_user_pool_client::check(&settings)?;
    client_oauth::check(room, &pool, &settings, client.secret.is_some()).await?;
    create_user_pool_client::report(room, &settings);
    let modified = room.world.clock.now();
    let client = room.save_client(Client { settings, modified, ..(*client).clone() }).await?;
    Ok(Response { user_pool_client: UserPoolClientType::of(&client) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn what_is_left_out_goes_back_to_its_default() {
        let t = Kit::new().await;
        let input = json!({"UserPoolId": t.pool, "ClientId": t.client, "PreventUserExistenceErrors": "ENABLED"});
        let client = t.call("UpdateUserPoolClient", input).await.ok()["UserPoolClient"].take();
        assert_eq!(client["PreventUserExistenceErrors"], "ENABLED");
        assert_eq!(client["ClientName"], "test");
        let client = t.call("UpdateUserPoolClient", json!({"UserPoolId": t.pool, "ClientId": t.client})).await.ok();
        assert_ne!(client["UserPoolClient"]["PreventUserExistenceErrors"], "ENABLED");
    }

    #[tokio::test]
    async fn the_rules_of_creation_hold() {
        let t = Kit::new().await;
        let input = json!({"UserPoolId": t.pool, "ClientId": t.client, "AuthSessionValidity": 99});
        t.call("UpdateUserPoolClient", input).await.error("InvalidParameterException");
    }
}
